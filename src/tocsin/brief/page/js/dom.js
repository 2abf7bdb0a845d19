// Elements are built with text nodes alone: no field of the data is ever read as markup.
const SVG = "http://www.w3.org/2000/svg";

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

const el = (name, attributes, ...children) => build(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => build(document.createElementNS(SVG, name), attributes, children);
const readJson = (id) => JSON.parse(document.getElementById(id).textContent);

// Only web addresses become links: a script address from a source stays words.
function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

function link(text, address) {
  const url = typeof address === "string" ? webAddress(address) : null;
  return url ? el("a", {href: url.href, rel: "noopener noreferrer nofollow"}, text) : el("span", {}, text);
}

// Redraws when the element's width changes, not its height: a drawing sets the height itself.
function onWidth(node, draw) {
  let last = 0;
  new ResizeObserver(() => {
    const width = Math.round(node.clientWidth);
    if (width > 0 && width !== last) {
      last = width;
      draw(width);
    }
  }).observe(node);
}

function radios(name, legend, choices, chosen, choose) {
  return el("fieldset", {class: "choice"}, el("legend", {class: "unseen"}, legend), choices.map(([value, label, count]) => {
    const id = `${name}-${value}`;
    const input = el("input", {type: "radio", name, id, value, checked: value === chosen, onchange: () => choose(value)});
    return [input, el("label", {for: id}, label, count === undefined ? null : el("span", {class: "count"}, number(count)))];
  }));
}
