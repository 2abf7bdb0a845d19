// Every chart gives its numbers and its picture, each with the citation.
function citation() {
  const cited = (head.sources || []).map((one) => [one.agency, one.licence].filter(known).join(", "));
  return [[...new Set(cited)].join("; "), t("as_of", {title: say(head.title), date: dateText(head.as_of)}), `tocsin ${head.tocsin || ""}`.trim()].filter(known).join(". ");
}

// A cell that a spreadsheet would take for a formula gets an apostrophe in front.
function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(Number.isInteger(value) ? value : +value.toFixed(5));
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvText = (rows) => `${rows.map((row) => row.map(csvCell).join(",")).join("\n")}\n`;

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], {type}));
  const node = el("a", {href: url, download: name});
  document.body.append(node);
  node.click();
  node.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const STYLED = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "opacity", "font-size", "font-family", "font-weight", "text-anchor", "display"];

// The picture as a file of its own: the page's styles are written into it, and the title and the citation stand under it.
function pictureText(root, title) {
  const held = el("div", {class: "unseen", "aria-hidden": "true"});
  const own = root.isConnected ? root : (held.append(root), document.body.append(held), root);
  own.classList.add("picture");
  const copy = own.cloneNode(true);
  const nodes = [own, ...own.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((node, at) => {
    const style = getComputedStyle(nodes[at]);
    for (const name of STYLED) if (style.getPropertyValue(name)) node.setAttribute(name, style.getPropertyValue(name));
    node.removeAttribute("class");
  });
  own.classList.remove("picture");
  const paper = getComputedStyle(document.body).backgroundColor;
  held.remove();
  const [, , width, height] = copy.getAttribute("viewBox").split(" ").map(Number);
  copy.setAttribute("viewBox", `0 -22 ${width} ${height + 42}`);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height + 42);
  const line = (y, size, text) => svg("text", {x: 4, y, "font-size": size, "font-family": "sans-serif", fill: getComputedStyle(document.body).color}, text);
  copy.prepend(svg("title", {}, title), svg("desc", {}, citation()), svg("rect", {x: 0, y: -22, width, height: height + 42, fill: paper}));
  copy.append(line(-7, 13, `${title} (${totalText()})`), line(height + 14, 9, citation()));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
}

// On the first screen there is room for two signs, not for words.
function signs(name, rows, picture, title) {
  const file = `tocsin-${name}-${head.as_of}`;
  const button = (key, sign, act) => el("button", {type: "button", class: "sign-button", "aria-label": t(key, {what: title}), title: t(key, {what: title}), onclick: act}, sign);
  return el("span", {class: "signs"}, button("numbers_of", "▤", () => save(`${file}.csv`, "text/csv;charset=utf-8", csvText(rows()))),
    picture ? button("picture_of", "⤓", () => save(`${file}.svg`, "image/svg+xml", pictureText(picture(), title))) : null);
}

function downloads(name, rows, picture, title) {
  const file = `tocsin-${name}-${head.as_of}`;
  return el("p", {class: "downloads"},
    el("button", {type: "button", onclick: () => save(`${file}.csv`, "text/csv;charset=utf-8", csvText(rows()))}, t("download_csv")),
    picture ? el("button", {type: "button", onclick: () => save(`${file}.svg`, "image/svg+xml", pictureText(picture(), title))}, t("download_svg")) : null);
}
