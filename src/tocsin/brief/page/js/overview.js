// The whole record as one strip; dragging over it chooses a stretch of time, the date fields do the same from the keyboard.
function drawOverview(box, width) {
  const [left, up, down] = [34, 30, 22];
  const {edges, unit} = binEdges(engine.first, engine.last, width - left);
  const bin = binOf(edges);
  const row = series(edges.length - 1);
  const {n, fail, day} = engine;
  for (let i = 0; i < n; i++) if ((fail[i] & ~BITS.time) === 0 && day[i] !== NO_DAY) { const at = bin(day[i]); if (at >= 0) addTo(row, at, i); }
  const x = binScale(edges, engine.first, engine.last, left, width - 1);
  const [topN, topD] = [Math.max(1, most(row.n)), Math.max(1, most(row.high))];
  const [upward, downward] = [(v) => (v / topN) * (up - 2), (v) => (v / topD) * (down - 2)];
  const chosen = state.from === null && state.to === null ? null : [x.day(rangeShown()[0]), x.day(rangeShown()[1] + 1)];
  const shade = svg("rect", {class: "chosen", y: 0, height: up + down, x: chosen ? chosen[0] : 0, width: chosen ? Math.max(1.5, chosen[1] - chosen[0]) : 0});
  const root = svg("svg", {viewBox: `0 0 ${width} ${up + down + 18}`, role: "img", class: "overview",
    "aria-label": t("overview_label", {start: dateText(isoDay(engine.first)), end: dateText(isoDay(engine.last)), unit: t(`unit_${unit}`)})},
  svg("rect", {class: "back", x: left, y: 0, width: width - left, height: up + down}), shade,
  svg("path", {class: "up", d: barsUp(row.n, x, upward, up)}),
  state.kind === "all" ? null : svg("path", {class: "down", d: barsDown(row.best, x, downward, up)}), // the dead of all kinds are never summed
  svg("line", {class: "axis", x1: left, x2: width, y1: up, y2: up}),
  svg("text", {class: "scale", x: left - 4, y: 9, "text-anchor": "end"}, number(topN)), state.kind === "all" ? null : svg("text", {class: "scale", x: left - 4, y: up + down, "text-anchor": "end"}, number(topD)),
  timeTicks(engine.first, engine.last, left, width - 1, up + down + 13));
  brushing(root, shade, x.day, width, left);
  const table = () => [["from", "to", "incidents", "killed_low", "killed", "killed_high", "citation"], ...[...row.n.keys()].map((b) => [isoDay(edges[b]), isoDay(edges[b + 1] - 1),
    row.n[b], ...(state.kind === "all" ? ["", "", ""] : [row.low[b], row.best[b], row.high[b]]), citation()])];
  const title = t("overview_title", {unit: t(`unit_${unit}`)});
  box.replaceChildren(el("figure", {}, el("p", {class: "title"}, signs("record", table, () => root, title), title), root));
}

function brushing(root, shade, scale, width, left) {
  let begun = null;
  const at = (event) => {
    const box = root.getBoundingClientRect();
    return Math.max(left, Math.min(width - 1, ((event.clientX - box.left) / box.width) * width));
  };
  root.onpointerdown = (event) => { if (event.button === 0) { begun = at(event); root.setPointerCapture(event.pointerId); } };
  root.onpointermove = (event) => {
    if (begun === null) return;
    const [low, high] = [Math.min(begun, at(event)), Math.max(begun, at(event))];
    shade.setAttribute("x", low);
    shade.setAttribute("width", high - low);
  };
  root.onpointerup = (event) => {
    if (begun === null) return;
    const [low, high] = [Math.min(begun, at(event)), Math.max(begun, at(event))];
    begun = null;
    if (high - low < 3) choose({from: null, to: null});
    else choose({from: Math.max(engine.first, Math.floor(scale.invert(low))), to: Math.min(engine.last, Math.ceil(scale.invert(high)) - 1)});
  };
  root.onpointercancel = () => { begun = null; redraw(); };
}
