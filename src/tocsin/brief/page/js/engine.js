// Which incidents pass the choices. Each choice owns one bit of `fail`, so a chart can ask what the others leave.
const BITS = {kind: 1, group: 2, actor: 4, area: 8, attack: 16, time: 32, box: 64, q: 128};
const NO_DAY = -2147483648;
const UNKNOWN = -1;
const root = (code) => (known(code) ? String(code).split("/")[0] : null);

// What each dimension reads of an incident; level 0 is what is not stated.
const READ = {
  kind: (at) => at("violence"),
  group: (at) => root(at("target_group")),
  actor: (at) => at("actor"),
  area: (at) => at("area_class"),
  attack: (at) => root(at("attack_type")),
};

let engine = null;

function coded(reader, n) {
  const [codes, levels, places] = [new Uint16Array(n), [null], new Map()];
  for (let i = 0; i < n; i++) {
    const value = reader(i);
    if (!known(value)) continue;
    let code = places.get(value);
    if (code === undefined) {
      code = Math.min(levels.length, 65535);
      places.set(value, code);
      if (code === levels.length) levels.push(value);
    }
    codes[i] = code;
  }
  return {codes, levels};
}

function numbers(name, n) {
  const [out, read] = [new Int32Array(n).fill(UNKNOWN), incidents.reader(name)];
  for (let i = 0; i < n; i++) { const value = read(i); if (typeof value === "number") out[i] = value; }
  return out;
}

function dayColumn(name, n) {
  const [out, read, seen] = [new Int32Array(n).fill(NO_DAY), incidents.reader(name), new Map()];
  for (let i = 0; i < n; i++) {
    const iso = read(i);
    if (!known(iso)) continue;
    let day = seen.get(iso);
    if (day === undefined) { day = dayOf(iso) ?? NO_DAY; seen.set(iso, day); }
    out[i] = day;
  }
  return out;
}

// Points of the map: incidents of one place and one radius share a spot.
function spotsOf(n) {
  const [lat, lon, radius] = ["lat", "lon", "radius_km"].map((name) => incidents.reader(name));
  const [of, spots, places] = [new Int32Array(n).fill(-1), [], new Map()];
  for (let i = 0; i < n; i++) {
    if (typeof lat(i) !== "number" || typeof lon(i) !== "number") continue;
    const key = `${lat(i).toFixed(4)},${lon(i).toFixed(4)},${radius(i)}`;
    let spot = places.get(key);
    if (spot === undefined) {
      spot = spots.length;
      places.set(key, spot);
      spots.push({lat: lat(i), lon: lon(i), radius: radius(i) || 0});
    }
    of[i] = spot;
  }
  return {of, spots};
}

function makeEngine() {
  const n = incidents.n;
  const dims = {};
  for (const [name, read] of Object.entries(READ)) dims[name] = coded((i) => read((column) => incidents.at(column, i)), n);
  const day = dayColumn("date", n);
  let [first, last] = [Infinity, -Infinity];
  for (let i = 0; i < n; i++) if (day[i] !== NO_DAY) { first = Math.min(first, day[i]); last = Math.max(last, day[i]); }
  if (first === Infinity) [first, last] = [dayOf(head.window.start), dayOf(head.window.end)];
  return {n, day, first, last: Math.max(last, dayOf(head.window.end) ?? last), dims, low: numbers("killed_low", n), best: numbers("killed", n),
    high: numbers("killed_high", n), fail: new Uint16Array(n), ...spotsOf(n), words: null};
}

function mark(bit, fails) {
  const {fail, n} = engine;
  for (let i = 0; i < n; i++) fail[i] = fails(i) ? fail[i] | bit : fail[i] & ~bit;
}

// A chosen level by its number; one that no incident has chooses nothing.
function levelSet(name) {
  const chosen = new Uint8Array(engine.dims[name].levels.length);
  for (const value of state[name]) {
    const at = value === UNSTATED ? 0 : engine.dims[name].levels.indexOf(value);
    if (at >= 0) chosen[at] = 1;
  }
  return chosen;
}

const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

function wordsOf(i) {
  const ids = incidents.at("report_ids", i) || [];
  const own = ["place", "admin1", "admin2", "actor", "group_name", "attack_name", "target_name"].map((name) => incidents.at(name, i));
  const said = ids.flatMap((id) => (typeof id === "number" ? [reports.at("text", id), reports.at("agency", id)] : []));
  return [...own, ...said].filter(known).join(" \n");
}

// Made while the reader reads, a slice at a time; a search before that makes the rest at once.
function gatherWords(slice) {
  engine.words = engine.words || [];
  const end = Math.min(engine.n, engine.words.length + slice);
  for (let i = engine.words.length; i < end; i++) engine.words.push(plain(wordsOf(i)));
  return end < engine.n;
}

function gatherLater() {
  const soon = window.requestIdleCallback || ((work) => setTimeout(work, 50));
  soon(() => { if (gatherWords(2000)) gatherLater(); });
}

const MARKING = {
  kind: () => {
    const at = engine.dims.kind.levels.indexOf(state.kind);
    const {codes} = engine.dims.kind;
    mark(BITS.kind, state.kind === "all" ? () => false : (i) => codes[i] !== at);
  },
  time: () => {
    const [from, to] = [state.from ?? -Infinity, state.to ?? Infinity];
    const {day} = engine;
    mark(BITS.time, state.from === null && state.to === null ? () => false : (i) => day[i] === NO_DAY || day[i] < from || day[i] > to);
  },
  box: () => {
    if (!state.box) return mark(BITS.box, () => false);
    const [west, south, east, north] = state.box;
    const inside = engine.spots.map(({lat, lon}) => lon >= west && lon <= east && lat >= south && lat <= north);
    mark(BITS.box, (i) => engine.of[i] < 0 || !inside[engine.of[i]]);
  },
  q: () => {
    const asked = plain(state.q).split(/\s+/).filter(Boolean);
    if (!asked.length) return mark(BITS.q, () => false);
    gatherWords(Infinity);
    mark(BITS.q, (i) => !asked.every((word) => engine.words[i].includes(word)));
  },
};
for (const name of MANY) {
  MARKING[name] = () => {
    const [chosen, {codes}] = [levelSet(name), engine.dims[name]];
    mark(BITS[name], state[name].length ? (i) => !chosen[codes[i]] : () => false);
  };
}
const OWNER = {from: "time", to: "time"};

// What is drawn from the choices: {draw, box}, the box being where.
const views = [];
let waiting = false;

function inSight({box}) {
  const {top, bottom} = box.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

// Draws once for all changes of a moment: what is in sight first, the rest in the frame after. `data-took` is how long the first took, in milliseconds,
// and `data-drawn` counts the drawings that are complete.
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const began = performance.now();
    const later = views.filter((view) => !inSight(view));
    views.filter((view) => !later.includes(view)).forEach(({draw}) => draw());
    document.documentElement.dataset.took = (performance.now() - began + redraw.marking).toFixed(1);
    redraw.marking = 0;
    requestAnimationFrame(() => {
      later.forEach(({draw}) => draw());
      document.documentElement.dataset.drawn = Number(document.documentElement.dataset.drawn || 0) + 1;
    });
  });
}
redraw.marking = 0;

function choose(patch) {
  const began = performance.now();
  const changed = Object.keys(patch).filter((key) => JSON.stringify(patch[key]) !== JSON.stringify(state[key]));
  if (!changed.length) return;
  Object.assign(state, patch);
  new Set(changed.map((key) => OWNER[key] || key)).forEach((key) => MARKING[key]?.());
  redraw.marking += performance.now() - began;
  const address = written(state);
  history.replaceState(null, "", address ? `#${address}` : `${location.pathname}${location.search}`);
  redraw();
}

function chooseAll(next) {
  state = next;
  Object.values(MARKING).forEach((work) => work());
}

const toggled = (name, value) => choose({[name]: state[name].includes(value) ? state[name].filter((one) => one !== value) : [...state[name], value]});

// Incidents and dead of what passes, leaving out the choices in `without`.
function totals(without = 0, keep = () => true) {
  const {n, fail, low, best, high} = engine;
  const sum = {incidents: 0, low: 0, best: 0, high: 0, unknown: 0};
  for (let i = 0; i < n; i++) {
    if ((fail[i] & ~without) !== 0 || !keep(i)) continue;
    sum.incidents += 1;
    if (best[i] < 0) sum.unknown += 1;
    const middle = Math.max(0, best[i]);
    sum.best += middle;
    sum.low += low[i] < 0 ? middle : low[i];
    sum.high += high[i] < 0 ? Math.max(middle, low[i]) : high[i];
  }
  return sum;
}
