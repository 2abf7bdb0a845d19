// The map of what is chosen: near points are one mark, and part as the reader zooms in; where each may have happened is shaded.
const NEAR = 26; // pixels within which points share a mark
const HALOS = 4000;

const unproject = (scale, shift, [x, y]) => [((x - shift[0]) / scale) * (180 / Math.PI),
  (2 * Math.atan(Math.exp((shift[1] - y) / scale)) - Math.PI / 2) * (180 / Math.PI)];

// Incidents that pass, by spot.
function spotCounts() {
  const {n, fail, of, spots} = engine;
  const counts = new Int32Array(spots.length);
  let placeless = 0;
  for (let i = 0; i < n; i++) if (fail[i] === 0) { if (of[i] < 0) placeless += 1; else counts[of[i]] += 1; }
  return {counts, placeless};
}

function clusters(where, counts, zoom) {
  const cells = new Map();
  const mine = new Int32Array(counts.length).fill(-1);
  const out = [];
  for (let s = 0; s < counts.length; s++) {
    if (!counts[s]) continue;
    const key = Math.floor((where[s][0] * zoom) / NEAR) * 100003 + Math.floor((where[s][1] * zoom) / NEAR);
    let at = cells.get(key);
    if (at === undefined) {
      at = out.length;
      cells.set(key, at);
      out.push({x: 0, y: 0, count: 0, spots: 0, radius: 0, of: []});
    }
    const one = out[at];
    one.x += where[s][0] * counts[s];
    one.y += where[s][1] * counts[s];
    one.count += counts[s];
    one.spots += 1;
    one.radius = Math.max(one.radius, engine.spots[s].radius);
    mine[s] = at;
  }
  for (let i = 0; i < engine.n; i++) if (engine.fail[i] === 0 && engine.of[i] >= 0) out[mine[engine.of[i]]].of.push(i);
  out.forEach((one) => { one.x /= one.count; one.y /= one.count; });
  return out.sort((a, b) => b.count - a.count);
}

function drawHalos(canvas, frame, {where, counts, perKm}, {k, x, y}, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = getComputedStyle(frame).getPropertyValue("--now");
  const drawn = [...counts.keys()].filter((s) => counts[s] > 0).sort((a, b) => counts[b] - counts[a]).slice(0, HALOS);
  pen.globalAlpha = drawn.length > 400 ? 0.05 : 0.13;
  for (const s of drawn) {
    pen.beginPath();
    pen.arc(x + k * where[s][0], y + k * where[s][1], Math.max(1, k * engine.spots[s].radius * perKm(engine.spots[s].lat)), 0, 2 * Math.PI);
    pen.fill();
  }
}

function atlasFrame(width) {
  const spots = engine.spots;
  const bbox = mapBox(spots);
  const square = mapProjection(bbox, 1e4, 1e4);
  const [[left, bottom], [right, top]] = [square.project(bbox[0], bbox[1]), square.project(bbox[2], bbox[3])];
  const height = Math.round(Math.min(620, Math.max(240, (width * (bottom - top)) / Math.max(1, right - left))));
  const made = mapProjection(bbox, width, height);
  return {width, height, ...made, where: spots.map((one) => made.project(one.lon, one.lat))};
}

function atlasPicture(space, counts) {
  const drawn = [...counts.keys()].filter((s) => counts[s] > 0).slice(0, HALOS);
  return svg("svg", {viewBox: `0 0 ${space.width} ${space.height}`, class: "atlas"},
    svg("rect", {class: "sea", width: space.width, height: space.height}), outlinePaths(space.project),
    drawn.map((s) => svg("circle", {class: "may", cx: space.where[s][0].toFixed(1), cy: space.where[s][1].toFixed(1),
      r: Math.max(1, engine.spots[s].radius * space.perKm(engine.spots[s].lat)).toFixed(1)})),
    drawn.map((s) => svg("circle", {class: "dot", cx: space.where[s][0].toFixed(1), cy: space.where[s][1].toFixed(1), r: Math.min(12, 2 + 1.5 * Math.log2(counts[s])).toFixed(1)})));
}

const atlasTable = (counts) => [["lat", "lon", "radius_km", "incidents", "citation"], ...engine.spots.map((one, s) => [one.lat, one.lon, one.radius, counts[s], citation()]).filter((row) => row[3])];

function makeAtlas(box, show) {
  let [space, seen, now, turned] = [null, null, null, {k: 1, x: 0, y: 0}];
  const canvas = el("canvas", {"aria-hidden": "true"});
  const panel = el("div", {class: "panel-room", "aria-live": "polite"});
  const ground = svg("g", {class: "ground"});
  const marks = svg("g", {});
  const under = svg("svg", {"aria-hidden": "true", class: "under"}, ground);
  const root = svg("svg", {role: "group", class: "over"}, marks);
  const notes = el("figcaption", {});
  const frame = el("div", {class: "frame"}, under, canvas, root);
  const only = el("button", {type: "button", onclick: () => choose({box: seenBox()})}, t("map_only"));
  box.replaceChildren(el("figure", {}, frame, panel, notes,
    el("div", {class: "tools"}, only, downloads("map", () => atlasTable(now.counts), () => atlasPicture(space, now.counts), t("atlas_title")))));

  function seenBox() {
    const corner = (x, y) => unproject(space.scale, space.shift, [(x - turned.x) / turned.k, (y - turned.y) / turned.k]);
    const [[west, north], [east, south]] = [corner(0, 0), corner(space.width, space.height)];
    return [west, south, east, north];
  }
  function place() {
    const {k, x, y} = turned;
    ground.setAttribute("transform", `translate(${x},${y}) scale(${k})`);
    [...marks.children].forEach((node) => node.setAttribute("transform", `translate(${x + k * node.at.x},${y + k * node.at.y})`));
    drawHalos(canvas, frame, {...space, counts: now.counts}, turned, space.width, space.height);
  }
  function group() {
    const near = clusters(space.where, now.counts, turned.k).slice(0, MARKS);
    const held = marks.contains(document.activeElement);
    const nodes = [];
    seen = near.length ? markKeys(near, nodes, panel, show) : null;
    nodes.push(...near.map((point, index) => Object.assign(markOf(point, index, seen), {at: point})));
    marks.replaceChildren(...[...nodes].reverse());
    panel.replaceChildren();
    if (held && nodes.length) nodes[0].focus();
  }
  function draw() {
    now = spotCounts();
    const placed = now.counts.reduce((total, n) => total + n, 0);
    root.setAttribute("aria-label", t("atlas_label", {n: number(placed)}));
    notes.replaceChildren([placed ? t("map_note_near") : t("map_none"), now.placeless ? counted("map_placed", now.placeless) : ""].filter(known).join(" "),
      el("span", {class: "unseen"}, " ", t("map_keys")));
    group();
    place();
  }
  function size(width) {
    space = atlasFrame(width);
    for (const node of [under, root]) node.setAttribute("viewBox", `0 0 ${space.width} ${space.height}`);
    ground.replaceChildren(...outlinePaths(space.project).filter(Boolean));
    frame.querySelector(".zoom")?.remove();
    frame.append(zooming(root, space.width, space.height, (to) => {
      const grouped = to.k !== turned.k;
      turned = {k: to.k, x: to.x, y: to.y};
      if (grouped) group();
      place();
    }));
    draw();
  }
  views.push({draw, box});
  size(Math.max(200, box.clientWidth));
  onWidth(box, size);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", place);
}
