// The list of what is chosen, fifty at a time, so that a hundred thousand do not freeze the page.
const STEP = 50;
const PRINTED = 400;

function tollText(one) {
  const range = tollRange(one);
  const best = known(one.killed) ? number(one.killed) : t("toll_unknown");
  return el("span", {class: "toll"}, el("b", {}, best), range ? el("span", {class: "between"}, ` ${range}`) : null);
}

function summaryOf(one) {
  const what = [one.attack_name, one.target_name].filter(known).join(" · ");
  return el("summary", {},
    el("span", {class: "date"}, whenText(one)),
    el("span", {class: "place"}, el("bdi", {}, place(one))),
    el("span", {class: "what"}, el("span", {class: `kind ${one.violence}`}, kindName(one.violence)), what ? ` ${what}` : ""),
    el("span", {class: "whom"}, community(one)),
    tollText(one),
    el("span", {class: "who"}, one.said_by || joined(one.agencies) || t("unknown")));
}

function incidentItem(i) {
  const one = incidents.row(i);
  const details = el("details", {id: `incident-${i}`, ontoggle: () => {
    if (details.open && !details.querySelector(".opened")) details.append(openedOf(one));
    const id = idOf(i);
    if (details.open && state.incident !== id) choose({incident: id});
    else if (!details.open && state.incident === id) choose({incident: null});
  }}, summaryOf(one));
  return el("li", {}, details);
}

const idOf = (i) => { const id = incidents.at("id", i); return String(typeof id === "number" ? reports.at("id", id) : id); };

// Each order is made once; a filter then only walks along it.
const orders = new Map();

function sortKeys(name) {
  const {n, day, best, low} = engine;
  if (name === "killed") return Float64Array.from({length: n}, (_, i) => (best[i] >= 0 ? best[i] : low[i]) * 1e6 + day[i] / 1e6);
  if (name === "known") return Float64Array.from({length: n}, (_, i) => dayOf(incidents.at("known", i)) ?? NO_DAY);
  return Float64Array.from(day);
}

function orderOf(name) {
  if (orders.has(name)) return orders.get(name);
  const order = Uint32Array.from({length: engine.n}, (_, i) => i);
  if (name === "place") {
    const collator = new Intl.Collator("en");
    const names = [...new Set(Array.from(order, (i) => place({place: incidents.at("place", i), admin1: incidents.at("admin1", i)})))].sort(collator.compare);
    const ranks = new Map(names.map((text, rank) => [text, rank]));
    const keys = Uint32Array.from(order, (i) => ranks.get(place({place: incidents.at("place", i), admin1: incidents.at("admin1", i)})));
    order.sort((a, b) => keys[a] - keys[b] || engine.day[b] - engine.day[a]);
  } else {
    const keys = sortKeys(name.replace("-", ""));
    const sign = name.startsWith("-") ? 1 : -1;
    order.sort((a, b) => sign * (keys[a] - keys[b]) || a - b);
  }
  orders.set(name, order);
  return order;
}

function chosenOrder() {
  const [{fail}, order] = [engine, orderOf(state.sort)];
  return order.filter((i) => fail[i] === 0);
}

function listTable(order) {
  const heads = ["id", "date_start", "date", "place", "admin1", "lat", "lon", "radius_km", "violence", "actor", "attack_type", "target_type", "target_group",
    "killed_low", "killed", "killed_high", "corroboration"];
  return [[...heads, "citation"], ...Array.from(order, (i) => [idOf(i), ...heads.slice(1).map((name) => incidents.at(name, i)), citation()])];
}

function listSection(kinds) {
  const room = el("div", {class: "groups"});
  const status = el("p", {class: "quiet", role: "status"});
  const more = el("button", {type: "button", class: "more", onclick: () => grow(shown + 4 * STEP)});
  let [order, shown, lists] = [[], 0, {}];
  const windowStart = dayOf(head.window.start);
  const inWindow = (i) => engine.day[i] >= windowStart;

  function group(key) {
    if (!lists[key]) {
      lists[key] = el("ol", {class: "list"});
      if (state.sort === "date") {
        const n = order.reduce((total, i) => total + (inWindow(i) === (key === "in") ? 1 : 0), 0);
        room.append(el("h3", {}, t(key === "in" ? "in_window" : "outside_window"), el("span", {class: "count"}, number(n))));
      }
      room.append(lists[key]);
    }
    return lists[key];
  }
  function grow(upTo) {
    const end = Math.min(order.length, upTo);
    for (; shown < end; shown++) group(state.sort !== "date" ? "all" : inWindow(order[shown]) ? "in" : "out").append(incidentItem(order[shown]));
    status.textContent = order.length ? t("showing", {shown: number(shown), total: number(order.length)}) : t("no_incidents");
    more.textContent = t("more", {n: number(Math.min(4 * STEP, order.length - shown))});
    more.hidden = shown >= order.length;
  }
  let last = "";
  function draw() {
    const now = JSON.stringify({...state, incident: null, by: null, scale: null});
    if (now === last) return;
    last = now;
    [order, shown, lists] = [chosenOrder(), 0, {}];
    room.replaceChildren();
    grow(STEP);
  }
  // An incident that the choices leave out brings its kind, and the rest is set free; one far down the list is put on top.
  function show(i) {
    if (engine.fail[i] !== 0) {
      choose({kind: incidents.at("violence", i), group: [], actor: [], area: [], attack: [], from: null, to: null, box: null, q: ""});
      draw();
    }
    let at = order.indexOf(i);
    if (at >= 20 * STEP && at >= shown) {
      order = Uint32Array.from([...order.slice(0, shown), i, ...order.slice(shown, at), ...order.slice(at + 1)]);
      at = shown;
    }
    grow(Math.max(shown, at + 1));
    const details = document.getElementById(`incident-${i}`);
    details.open = true;
    details.querySelector("summary").focus({preventScroll: true});
    details.scrollIntoView({block: "start"});
  }
  const sort = el("select", {id: "sort", onchange: () => choose({sort: sort.value})},
    SORTS.map((key) => el("option", {value: key, selected: key === state.sort}, t(`sort_${key}`))));
  const section = el("section", {id: "incidents", class: "incidents", "aria-labelledby": "incidents-title", tabindex: -1},
    el("div", {class: "head"}, el("h2", {id: "incidents-title"}, t("incidents")), el("label", {for: "sort"}, t("sort"), sort),
      downloads("incidents", () => listTable(order), null, t("incidents")), status), room, more);
  views.push({draw, box: section});
  // On paper there is no button to press: what is chosen is printed, up to a length that somebody reads.
  addEventListener("beforeprint", () => grow(PRINTED));
  draw();
  return {section, show};
}
