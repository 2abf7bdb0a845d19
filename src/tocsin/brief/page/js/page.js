// The order of work: words first, from the head alone; then, when the long tables have arrived, what is drawn from them.
let [body, incidents, reports] = [null, null, null];
const starter = {show: () => {}};

const startKind = () => ((head.change.rows || []).find((row) => row.default) || {violence: "one_sided"}).violence;

function kindsHere() {
  const rows = (head.change.rows || []).map((row) => row.violence);
  return [...new Set([...rows, ...engine.dims.kind.levels])].filter(known);
}

function keep(box, draw) {
  const now = () => draw(box, Math.max(200, box.clientWidth));
  views.push({draw: now, box});
  now();
  onWidth(box, now);
}

function explorer(kinds) {
  const box = (name) => el("div", {class: `slot ${name}`, id: name});
  const [overview, bands, atlas] = ["overview", "bands", "atlas"].map(box);
  const by = radios("by", t("by_legend"), DIMENSIONS.map((name) => [name, t(`dim_${name}`)]), state.by, (value) => choose({by: value}));
  const own = el("input", {type: "checkbox", id: "own", checked: state.scale === "own", onchange: () => choose({scale: own.checked ? "own" : "same"})});
  const section = el("section", {class: "explorer", id: "explorer", "aria-labelledby": "explorer-title"},
    el("h2", {id: "explorer-title"}, t("explorer")), filterBar(kinds), overview,
    el("div", {class: "work"},
      el("div", {class: "pane"}, el("h3", {class: "title-line"}, t("bands_title")), by, el("label", {class: "own", for: "own"}, own, t("own_scale")), bands),
      el("div", {class: "pane"}, el("h3", {class: "title-line"}, t("atlas_title")), atlas)));
  return {section, draw() {
    keep(overview, drawOverview);
    keep(bands, drawBands);
    makeAtlas(atlas, starter.show);
  }};
}

function placesOf() {
  const places = new Map();
  for (let i = 0; i < incidents.n; i++) places.set(idOf(i), i);
  return places;
}

function begin() {
  views.length = 0;
  document.documentElement.lang = state.lang;
  document.documentElement.dir = t("direction") === "rtl" ? "rtl" : "ltr";
  document.getElementById("top").replaceChildren(...masthead());
  const skip = document.querySelector(".skip");
  skip.textContent = t("skip");
  skip.onclick = (event) => { event.preventDefault(); document.getElementById("incidents")?.focus(); };
  document.getElementById("main").replaceChildren(firstScreen());
  document.getElementById("foot").replaceChildren();
}

function complete() {
  const kinds = kindsHere();
  const places = placesOf();
  const room = explorer(kinds);
  const {section, show} = listSection(kinds);
  starter.show = show;
  document.getElementById("main").append(...[claimSection(), watchSection(places, show), sensitivityTable(), room.section, section].filter(Boolean));
  const found = (head.deadliest || []).map((id) => places.get(id)).filter((i) => i !== undefined);
  document.getElementById("deadliest").append(deadliestTable(found, show));
  const since = sinceSection(places, show);
  if (since) document.querySelector("[data-first-screen]").before(since);
  document.getElementById("choose").append(radios("kind", t("kind_legend"), kinds.map((kind) => [kind, kindName(kind)]), state.kind, (kind) => choose({kind})));
  // The first screen shows the window by kind alone: other choices leave it as it is.
  const byKind = (draw) => (box, width) => {
    const key = `${state.kind} ${width}`;
    if (box.dataset.drawn === key) return;
    box.dataset.drawn = key;
    draw(box, state.kind === "all" ? startKind() : state.kind, width, show);
  };
  keep(document.getElementById("timeline"), byKind(drawTimeline));
  keep(document.getElementById("map"), byKind(drawMap));
  room.draw();
  document.getElementById("foot").append(...footer());
  views.forEach(({draw}) => draw());
  const asked = state.incident !== null ? places.get(state.incident) : undefined;
  if (asked !== undefined) show(asked);
}

// The long tables come as gzip in base64; the browser's own stream unpacks them.
async function unpacked(id) {
  const text = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(text, (one) => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

async function start() {
  if (typeof DecompressionStream === "undefined") {
    document.getElementById("main").append(el("p", {class: "noscript"}, t("too_old")));
    return;
  }
  body = await unpacked("tocsin-body");
  [incidents, reports] = [columns(body.incidents), columns(body.reports)];
  engine = makeEngine();
  chooseAll(state);
  complete();
  gatherLater();
  window.addEventListener("hashchange", () => {
    if (!location.hash.includes("=") && location.hash !== "") return;
    orders.clear();
    chooseAll(readAddress(location.hash));
    begin();
    complete();
  });
  document.documentElement.dataset.ready = performance.now().toFixed(0);
}

function speak(lang) {
  choose({lang});
  begin();
  complete();
}

state = readAddress(location.hash);
begin();
document.addEventListener("DOMContentLoaded", start);
