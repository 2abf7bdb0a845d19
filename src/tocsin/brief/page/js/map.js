// A planar Mercator map: outlines as they come (no rule of winding), marks by the point, circles at the scale of the ground.
const MARKS = 1500;
const EARTH = 6371;
const radians = (degrees) => (degrees * Math.PI) / 180;
const mercator = (lon, lat) => d3.geoMercatorRaw(radians(lon), radians(Math.max(-85, Math.min(85, lat))));

function mapPoints(violence) {
  const [kind, inside, lat, lon] = ["violence", "in_window", "lat", "lon"].map((name) => incidents.reader(name));
  const points = new Map();
  let [placeless, total] = [0, 0];
  for (let i = 0; i < incidents.n; i++) {
    if (kind(i) !== violence || !inside(i)) continue;
    total += 1;
    if (typeof lat(i) !== "number" || typeof lon(i) !== "number") { placeless += 1; continue; }
    const key = `${lat(i).toFixed(4)},${lon(i).toFixed(4)}`;
    if (!points.has(key)) points.set(key, {lat: lat(i), lon: lon(i), of: [], radius: 0});
    const point = points.get(key);
    point.of.push(i);
    point.radius = Math.max(point.radius, incidents.at("radius_km", i) || 0);
  }
  return {points: [...points.values()].sort((a, b) => b.of.length - a.of.length), placeless, total};
}

// Where no box is given, the points' own, with room around them.
function mapBox(points) {
  const given = (body.map || {}).bbox;
  if (Array.isArray(given) && given.length === 4 && given.every(Number.isFinite)) return given;
  if (!points.length) return [60, 23, 78, 38];
  const [lons, lats] = [points.map((one) => one.lon), points.map((one) => one.lat)];
  return [Math.min(...lons) - 1, Math.min(...lats) - 1, Math.max(...lons) + 1, Math.max(...lats) + 1];
}

function mapProjection([west, south, east, north], width, height) {
  const [low, high] = [mercator(west, south), mercator(east, north)];
  const scale = Math.min((width - 8) / (high[0] - low[0]), (height - 8) / (high[1] - low[1]));
  const shift = [width / 2 - (scale * (low[0] + high[0])) / 2, height / 2 + (scale * (low[1] + high[1])) / 2];
  const project = (lon, lat) => {
    const [x, y] = mercator(lon, lat);
    return [shift[0] + scale * x, shift[1] - scale * y];
  };
  return {scale, shift, project, perKm: (lat) => scale / (EARTH * Math.cos(radians(lat)))};
}

function outlinePaths(project) {
  const path = d3.geoPath(d3.geoTransform({point(lon, lat) { this.stream.point(...project(lon, lat)); }}));
  const draw = (shape, name) => (shape ? svg("path", {class: name, d: path(shape)}) : null);
  const {land, districts} = body.map || {};
  return [draw(land, "land"), draw(districts, "districts")];
}

function markOf(point, index, seen) {
  const names = [...new Set(point.of.slice(0, 50).map((i) => incidents.at("place", i)).filter(known))];
  point.place = names.length ? names.slice(0, 3).join(", ") : t("no_place");
  const count = point.of.length;
  const size = count === 1 ? 4 : Math.min(15, 6 + 1.7 * Math.log2(count));
  const label = counted("map_mark", count, {place: point.place, radius: number(Math.round(point.radius))});
  return svg("g", {class: count > 1 ? "mark pile" : "mark", role: "button", tabindex: index === 0 ? 0 : -1, "aria-label": label,
    "aria-expanded": "false", onclick: () => seen.open(index), onkeydown: (event) => seen.key(event, index), onfocus: () => seen.focus(index)},
  svg("circle", {class: "hit", r: Math.max(11, size)}), svg("circle", {class: "dot", r: size}),
  count > 1 ? svg("text", {"text-anchor": "middle", dy: "0.35em", "font-size": count > 99 ? 9 : 10.5}, number(count)) : null);
}

function mapPanel(point, show, close) {
  const shown = point.of.slice(0, 8);
  return el("div", {class: "panel", role: "region", "aria-label": counted("map_open", point.of.length, {place: point.place})},
    el("p", {class: "title"}, counted("map_open", point.of.length, {place: point.place}), el("button", {type: "button", onclick: close}, t("close"))),
    el("ul", {}, shown.map((i) => {
      const one = incidents.row(i);
      const go = (event) => { event.preventDefault(); show(i); };
      return el("li", {}, el("a", {href: `#incident-${i}`, onclick: go}, whenText(one)), " ",
        known(one.killed) ? t("killed_line", {n: number(one.killed)}) : t("toll_unknown"), " ", community(one));
    })),
    point.of.length > shown.length ? el("p", {class: "quiet"}, counted("map_rest", point.of.length - shown.length)) : null);
}

// The marks are one stop of the Tab key; the arrow keys go from one to the next, the largest first.
function markKeys(points, nodes, panel, show) {
  let [at, opened] = [0, -1];
  const seen = {
    focus(index) {
      nodes[at].setAttribute("tabindex", -1);
      nodes[at = index].setAttribute("tabindex", 0);
    },
    close() {
      if (opened < 0) return;
      nodes[opened].setAttribute("aria-expanded", "false");
      nodes[opened].focus();
      opened = -1;
      panel.replaceChildren();
    },
    open(index) {
      if (opened === index) return seen.close();
      if (opened >= 0) nodes[opened].setAttribute("aria-expanded", "false");
      opened = index;
      nodes[index].setAttribute("aria-expanded", "true");
      panel.replaceChildren(mapPanel(points[index], show, seen.close));
    },
    key(event, index) {
      const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
      if (step) nodes[(index + step + nodes.length) % nodes.length].focus();
      else if (event.key === "Enter" || event.key === " ") seen.open(index);
      else if (event.key === "Escape") seen.close();
      else return;
      event.preventDefault();
    },
  };
  panel.onkeydown = (event) => { if (event.key === "Escape") seen.close(); };
  return seen;
}

function zooming(root, width, height, place) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const own = (event) => (event.type === "wheel" ? event.ctrlKey || event.metaKey : !event.touches || event.touches.length > 1) && !event.button;
  const zoom = d3.zoom().scaleExtent([1, 24]).translateExtent([[0, 0], [width, height]]).filter(own)
    .on("zoom", (event) => place(event.transform));
  const chosen = d3.select(root).call(zoom).on("dblclick.zoom", null);
  const by = (change) => (still ? change(chosen) : change(chosen.transition().duration(200)));
  const button = (label, text, change) => el("button", {type: "button", "aria-label": label, title: label, onclick: () => by(change)}, text);
  return el("div", {class: "zoom"}, button(t("zoom_in"), "+", (to) => zoom.scaleBy(to, 1.8)),
    button(t("zoom_out"), "−", (to) => zoom.scaleBy(to, 1 / 1.8)), button(t("zoom_reset"), "⤢", (to) => zoom.transform(to, d3.zoomIdentity)));
}

function drawMap(box, violence, width, show) {
  const {points, placeless, total} = mapPoints(violence);
  const bbox = mapBox(points);
  const ratio = mapProjection(bbox, 1e4, 1e4);
  const [[left, bottom], [right, top]] = [ratio.project(bbox[0], bbox[1]), ratio.project(bbox[2], bbox[3])];
  const height = Math.round(Math.min(460, Math.max(220, (width * (bottom - top)) / Math.max(1, right - left))));
  const {project, perKm} = mapProjection(bbox, width, height);
  const large = points.slice(0, MARKS);
  const panel = el("div", {class: "panel-room", "aria-live": "polite"});
  const nodes = [];
  const seen = large.length ? markKeys(large, nodes, panel, show) : null;
  nodes.push(...large.map((point, index) => markOf(point, index, seen)));
  const where = points.map((point) => project(point.lon, point.lat));
  const circles = large.map((point, i) => svg("circle", {class: "may", cx: where[i][0], cy: where[i][1], r: point.radius * perKm(point.lat)}));
  const rest = svg("path", {class: "rest", d: where.slice(MARKS).map(([x, y]) => `M${x.toFixed(1)},${y.toFixed(1)}h0`).join("")});
  const ground = svg("g", {class: "ground"}, outlinePaths(project), circles, rest);
  const root = svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "group",
    "aria-label": t("map_label", {kind: kindName(violence), n: number(total), points: number(points.length)})}, ground, [...nodes].reverse());
  const put = ({k, x, y}) => {
    ground.setAttribute("transform", `translate(${x},${y}) scale(${k})`);
    nodes.forEach((node, i) => node.setAttribute("transform", `translate(${x + k * where[i][0]},${y + k * where[i][1]})`));
  };
  put({k: 1, x: 0, y: 0});
  const notes = [total ? t("map_note") : t("map_none"), placeless ? counted("map_placed", placeless) : "",
    points.length > MARKS ? t("map_many", {n: number(MARKS)}) : ""].filter(known).join(" ");
  const table = () => [["lat", "lon", "radius_km", "violence", "incidents", "citation"], ...points.map((one) => [one.lat, one.lon, one.radius, violence, one.of.length, citation()])];
  box.replaceChildren(el("figure", {}, el("div", {class: "frame"}, root, zooming(root, width, height, put)), panel,
    el("figcaption", {}, signs("window-map", table, () => root, t("map_title")), notes, el("span", {class: "unseen"}, " ", t("map_keys")))));
}
