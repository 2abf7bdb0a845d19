// Timelines: one band a level, incidents upward and deaths downward from one line, what is not stated in a band of its own.
const BANDS = 7;
const UNITS = [["day", 1], ["week", 7], ["month", 30.4375], ["quarter", 91.3125], ["year", 365.25], ["decade", 3652.5]];
const BAND = {up: 31, down: 23, gap: 8, above: 40};

const dimName = (name, value) => {
  if (value === null) return t("not_stated");
  if (name === "kind") return kindName(value);
  if (name === "area") return t(`area_${value}`);
  const [tree, prefix] = {group: ["target_group", "group"], attack: ["attack_type", "attack"]}[name] || [];
  return tree ? coded2name(tree, prefix, value) : value;
};

function coded2name(tree, prefix, code) {
  const own = words()[`${prefix}_${code}`];
  return own || ((head.names || {})[tree] || {})[code] || code;
}

// Edges of the bins, as days: weeks end with the last day, longer units follow the calendar.
function binEdges(from, to, width) {
  const most = Math.max(8, Math.floor(width / 7));
  const [unit, size] = UNITS.find(([, days]) => (to - from + 1) / days <= most) || UNITS.at(-1);
  const edges = [];
  if (unit === "day" || unit === "week") {
    for (let at = to + 1; at > from; at -= size) edges.unshift(at);
    edges.unshift(edges[0] - size);
  } else {
    const months = {month: 1, quarter: 3, year: 12, decade: 120}[unit];
    const begin = new Date(from * DAY);
    let month = begin.getUTCFullYear() * 12 + begin.getUTCMonth();
    month -= month % months;
    for (let at = from; at <= to; month += months) {
      edges.push(Date.UTC(Math.floor(month / 12), month % 12, 1) / DAY);
      at = Date.UTC(Math.floor((month + months) / 12), (month + months) % 12, 1) / DAY;
      if (at > to) edges.push(at);
    }
  }
  return {edges, unit};
}

// For each day the number of its bin, so that counting is one look-up an incident.
function binOf(edges) {
  const first = edges[0];
  const at = new Int16Array(Math.max(1, edges.at(-1) - first));
  for (let b = 0; b + 1 < edges.length; b++) at.fill(b, edges[b] - first, edges[b + 1] - first);
  return (day) => (day < first || day >= first + at.length ? -1 : at[day - first]);
}

const series = (bins) => ({n: new Float64Array(bins), best: new Float64Array(bins), low: new Float64Array(bins), high: new Float64Array(bins), unknown: 0, undated: 0});

function addTo(one, bin, i) {
  const {low, best, high} = engine;
  one.n[bin] += 1;
  if (best[i] < 0) one.unknown += 1;
  const middle = Math.max(0, best[i]);
  one.best[bin] += middle;
  one.low[bin] += low[i] < 0 ? middle : low[i];
  one.high[bin] += high[i] < 0 ? Math.max(middle, low[i]) : high[i];
}

function rangeShown() {
  return [state.from ?? engine.first, Math.max(state.to ?? engine.last, state.from ?? engine.first)];
}

// The bands of one dimension under all other choices: the largest by incidents, the rest together, what is not stated.
function bandsOf(name, width) {
  const [from, to] = rangeShown();
  const {edges, unit} = binEdges(from, to, width);
  const bin = binOf(edges);
  const {codes, levels} = engine.dims[name];
  const counts = new Int32Array(levels.length);
  const {n, fail, day} = engine;
  const without = BITS[name];
  let undated = 0;
  for (let i = 0; i < n; i++) if ((fail[i] & ~without) === 0) { if (day[i] === NO_DAY) undated += 1; else counts[codes[i]] += 1; }
  const order = [...levels.keys()].slice(1).filter((code) => counts[code] > 0 || state[name]?.includes?.(levels[code]));
  order.sort((a, b) => counts[b] - counts[a] || (levels[a] < levels[b] ? -1 : 1));
  const shown = order.slice(0, order.length > BANDS ? BANDS - 1 : BANDS);
  const rest = order.slice(shown.length);
  const rows = shown.map((code) => ({value: levels[code], label: dimName(name, levels[code]), ...series(edges.length - 1)}));
  if (rest.length) rows.push({value: undefined, label: t("bands_rest", {n: number(rest.length)}), ...series(edges.length - 1)});
  const silent = {value: null, label: dimName(name, null), ...series(edges.length - 1)};
  const place = new Int16Array(levels.length).fill(shown.length);
  shown.forEach((code, at) => { place[code] = at; });
  for (let i = 0; i < n; i++) {
    if ((fail[i] & ~without) !== 0 || day[i] === NO_DAY) continue;
    const at = bin(day[i]);
    if (at >= 0) addTo(codes[i] === 0 ? silent : rows[place[codes[i]]], at, i);
  }
  return {rows: [...rows, silent].filter((row) => row.value !== null || counts[0] > 0), edges, unit, undated, from, to};
}

const barsUp = (values, x, y, base) => values.reduce((d, v, b) => (v ? `${d}M${x(b).toFixed(1)},${base}V${(base - y(v)).toFixed(2)}h${x.wide}V${base}z` : d), "");
const barsDown = (values, x, y, base) => values.reduce((d, v, b) => (v ? `${d}M${x(b).toFixed(1)},${base}V${(base + y(v)).toFixed(2)}h${x.wide}V${base}z` : d), "");

function whiskers(row, x, y, base) {
  let d = "";
  for (let b = 0; b < row.low.length; b++) {
    if (row.high[b] > row.low[b]) d += `M${(x(b) + x.wide / 2).toFixed(1)},${(base + y(row.low[b])).toFixed(2)}V${(base + y(row.high[b])).toFixed(2)}`;
  }
  return d;
}

const most = (values) => values.reduce((top, value) => Math.max(top, value), 0);
const sum = (values) => values.reduce((total, value) => total + value, 0);

function tollSum(row) {
  const [low, best, high] = [sum(row.low), sum(row.best), sum(row.high)];
  return low === high ? number(best) : `${number(best)} (${t("range", {low: number(low), high: number(high)})})`;
}

// Positions of the bins along the axis: x(b) is the left of bin b, x.wide its width.
function binScale(edges, from, to, left, right) {
  const scale = d3.scaleLinear([Math.max(edges[0], from), to + 1], [left, right]);
  const x = (b) => Math.max(left, scale(edges[b]));
  const wide = (right - left) / Math.max(1, edges.length - 1);
  x.wide = Math.max(0.6, wide - Math.min(1.5, wide * 0.2)).toFixed(2);
  x.day = scale;
  return x;
}

function timeTicks(from, to, left, right, y) {
  const scale = d3.scaleUtc([from * DAY, (to + 1) * DAY], [left, right]);
  const many = Math.max(2, Math.floor((right - left) / 110));
  const short = to - from < 70;
  return scale.ticks(many).map((at) => svg("text", {class: "month", x: scale(at), y, "text-anchor": "middle"},
    short ? `${at.getUTCDate()} ${months()[at.getUTCMonth()]}` : to - from < 1100 ? monthText(at) : String(at.getUTCFullYear())));
}

function bandRow(name, row, x, scales, top, left, width) {
  const base = top + BAND.up;
  const chosen = state[name] || [];
  const key = row.value === null ? UNSTATED : row.value;
  const out = name !== "kind" && chosen.length > 0 && !chosen.includes(key);
  return svg("g", {class: `band${row.value === null ? " silent" : ""}${out ? " out" : ""}`},
    svg("rect", {class: "back", x: left, y: top, width: width - left, height: BAND.up + BAND.down}),
    svg("line", {class: "axis", x1: left, x2: width, y1: base, y2: base}),
    svg("path", {class: "up", d: barsUp(row.n, x, scales.n, base)}),
    svg("path", {class: "down", d: barsDown(row.best, x, scales.d, base)}),
    svg("path", {class: "may-be", d: whiskers(row, x, scales.d, base)}),
    svg("text", {class: "band-name", x: left + 5, y: top + 11}, `${row.label}: ${counted("bands_n", sum(row.n))}, ${t("bands_d", {n: tollSum(row)})}`),
    svg("text", {class: "scale", x: left - 4, y: top + 9, "text-anchor": "end"}, scales.topN),
    svg("text", {class: "scale", x: left - 4, y: base + BAND.down, "text-anchor": "end"}, scales.topD));
}

function scalesOf(rows) {
  const topN = Math.max(1, ...rows.map((row) => most(row.n)));
  const topD = Math.max(1, ...rows.map((row) => most(row.high)));
  return {n: (v) => (v / topN) * (BAND.up - 3), d: (v) => (v / topD) * (BAND.down - 2), topN: number(topN), topD: number(topD)};
}

function bandButton(name, row) {
  const key = row.value === null ? UNSTATED : row.value;
  const counts = [el("span", {class: "counts"}, counted("bands_n", sum(row.n)), row.unknown ? ` · ${t("bands_u", {n: number(row.unknown)})}` : ""),
    el("span", {class: "counts"}, t("bands_d", {n: tollSum(row)}))];
  if (row.value === undefined) return el("div", {class: "label"}, el("b", {}, row.label), counts);
  const on = name === "kind" ? state.kind === row.value : state[name].includes(key);
  const act = () => (name === "kind" ? choose({kind: row.value}) : toggled(name, key));
  return el("button", {type: "button", class: "label", "data-key": key, "aria-pressed": String(on), onclick: act}, el("b", {}, el("bdi", {}, row.label)), counts);
}

// Where there is no room beside the bands, each label stands above its own.
function bandsDrawing(name, width, above) {
  const left = 34;
  const made = bandsOf(name, width - left);
  const {rows, edges, from, to} = made;
  const x = binScale(edges, from, to, left, width - 1);
  const stated = rows.filter((row) => row.value !== null);
  const shared = scalesOf(stated.length ? stated : rows);
  const high = BAND.up + BAND.down + BAND.gap + above;
  const label = t("bands_label", {what: t(`dim_${name}`), start: dateText(isoDay(from)), end: dateText(isoDay(to))});
  const root = svg("svg", {viewBox: `0 0 ${width} ${rows.length * high + 18}`, role: "img", "aria-label": label, class: "bands"},
    rows.map((row, at) => bandRow(name, row, x, state.scale === "own" || row.value === null ? scalesOf([row]) : shared, at * high + above, left, width)),
    timeTicks(from, to, left, width - 1, rows.length * high + 12));
  return {root, ...made, high};
}

function bandsTable(name, {rows, edges}) {
  const heads = [name, "from", "to", "incidents", "killed_low", "killed", "killed_high", "citation"];
  return [heads, ...rows.flatMap((row) => [...row.n.keys()].map((b) => [row.label, isoDay(edges[b]), isoDay(edges[b + 1] - 1),
    row.n[b], row.low[b], row.best[b], row.high[b], citation()]))];
}

function drawBands(box, width) {
  const name = state.by;
  const wide = width >= 620;
  const held = document.activeElement?.closest?.("#bands") ? document.activeElement.dataset.key : undefined;
  const drawn = bandsDrawing(name, wide ? width - 198 : width, wide ? 0 : BAND.above);
  const labels = drawn.rows.map((row) => bandButton(name, row));
  const units = {unit: t(`unit_${drawn.unit}`)};
  box.replaceChildren(el("figure", {},
    el("p", {class: "title"}, el("span", {class: "key up"}), t("bands_counts", units), " ", el("span", {class: "key down"}), t("bands_deaths", units),
      drawn.undated ? ` (${counted("timeline_undated", drawn.undated)})` : ""),
    drawn.rows.length ? el("div", {class: wide ? "rows beside" : "rows"}, el("div", {class: "labels"}, labels), drawn.root) : el("p", {class: "quiet"}, t("no_incidents")),
    downloads(`by-${name}`, () => bandsTable(name, drawn), () => drawn.root, t(`dim_${name}`))));
  if (held !== undefined) box.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
}
