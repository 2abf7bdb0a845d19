// The order of work: words first, from the head alone; then, when the long tables have arrived, what is drawn from them.
let [body, incidents, reports] = [null, null, null];

const startKind = () => ((head.change.rows || []).find((row) => row.default) || {violence: "one_sided"}).violence;

function kindsHere() {
  const rows = (head.change.rows || []).map((row) => row.violence);
  const seen = new Set();
  for (let i = 0; i < incidents.n; i++) seen.add(incidents.at("violence", i));
  return [...new Set([...rows, ...seen])].filter(known);
}

function drawings(kinds, show) {
  let violence = startKind();
  const redraw = [];
  const keep = (id, draw) => {
    const box = document.getElementById(id);
    const now = () => draw(box, Math.max(200, box.clientWidth));
    redraw.push(now);
    now();
    onWidth(box, now);
  };
  const choose = (kind) => {
    violence = kind;
    redraw.forEach((draw) => draw());
  };
  document.getElementById("choose").append(radios("kind", t("kind_legend"), kinds.map((kind) => [kind, kindName(kind)]), violence, choose));
  keep("timeline", (box, width) => drawTimeline(box, violence, width));
  keep("map", (box, width) => drawMap(box, violence, width, show));
}

function fill() {
  body = readJson("tocsin-body");
  [incidents, reports] = [columns(body.incidents), columns(body.reports)];
  const kinds = kindsHere();
  const {section, show} = listSection(kinds);
  document.getElementById("main").append(section);
  const place = new Map();
  for (let i = 0; i < incidents.n; i++) {
    const id = incidents.at("id", i);
    place.set(typeof id === "number" ? reports.at("id", id) : id, i);
  }
  const found = (head.deadliest || []).map((id) => place.get(id)).filter((i) => i !== undefined);
  document.getElementById("deadliest").append(deadliestTable(found, show));
  drawings(kinds, show);
  document.getElementById("foot").append(...footer());
  document.documentElement.dataset.ready = "true";
}

document.getElementById("top").append(...masthead());
document.getElementById("main").append(firstScreen());
document.addEventListener("DOMContentLoaded", fill);
