// An incident opened: what it says as one, its toll as a range, its place as a circle, and its reports side by side.
// Key, what is shown, what is compared.
const FIELDS = [["f_when", (r) => (known(r.date) ? whenText(r) : r.date_text)], ["f_where", (r) => r.place], ["f_killed", (r) => r.killed_text],
  ["f_group", (r) => r.group_name, (r) => r.target_group], ["f_attack", (r) => r.attack_name, (r) => r.attack_type],
  ["f_target", (r) => r.target_name, (r) => r.target_type], ["f_actor", (r) => r.actor]];

const NAMES_OF = {event_start: "f_when", violence: "f_kind", actor: "f_actor", attack_type: "f_attack", weapon_type: "f_weapon", target_type: "f_target",
  target_group: "f_group", killed: "f_killed"};

function marked(text, spans) {
  // Spans count code points, JavaScript counts UTF-16 units; they may overlap, so the text is cut at every edge.
  const points = Array.from(text);
  const valid = spans.filter((one) => one.start >= 0 && one.start < one.end && one.end <= points.length);
  const edges = [...new Set([0, points.length, ...valid.flatMap((one) => [one.start, one.end])])].sort((a, b) => a - b);
  return edges.slice(1).map((end, i) => {
    const piece = points.slice(edges[i], end).join("");
    const over = valid.filter((one) => one.start <= edges[i] && one.end >= end);
    const title = over.map((one) => t("mark_title", one)).join("; ");
    return over.length ? el("mark", {title}, piece) : piece;
  });
}

function reportWords(report) {
  const spans = Array.isArray(report.spans) ? report.spans : [];
  const language = /^[a-z]{2,3}$/.test(report.lang || "") ? report.lang : null;
  const url = typeof report.url === "string" ? webAddress(report.url) : null;
  return [known(report.text) ? el("blockquote", {dir: "auto", lang: language}, marked(report.text, spans)) : el("p", {class: "quiet"}, t("report_no_text")),
    spans.length ? el("p", {class: "coded"}, t("coded"), ": ", spans.map((one) =>
      el("span", {class: "part"}, el("code", {}, t("mark_title", one)), " ", el("q", {dir: "auto"}, one.words)))) : null,
    url ? el("p", {}, link(t("report_link", {host: url.hostname}), report.url)) : null];
}

function reportCard(report, differs) {
  const origin = known(report.origin) && report.origin !== report.agency ? report.origin : null;
  const line = [origin, known(report.reported) ? t("report_dated", {date: dateText(report.reported)}) : t("report_undated"),
    known(report.known) ? t("report_known", {date: dateText(report.known)}) : null, t("report_row", report)].filter(known);
  const said = FIELDS.map(([key, read]) => [key, read(report)]).filter(([, value]) => known(value));
  return el("li", {class: "report"},
    el("p", {class: "source"}, el("b", {}, report.agency || t("unknown")), " ", line.map((part) => el("span", {class: "part"}, el("bdi", {}, part)))),
    el("dl", {class: "said"}, said.map(([key, value]) => el("div", {class: differs.has(key) ? "differs" : null}, el("dt", {}, t(key)),
      el("dd", {}, el("bdi", {}, value), differs.has(key) ? el("span", {class: "unseen"}, ` (${t("differs")})`) : null)))),
    reportWords(report), report.derived ? el("p", {class: "quiet"}, t("report_derived")) : null);
}

// A code and a narrower one do not contradict each other.
const agree = (one, other, codes) => one === other || (codes && (`${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`)));

// Where the reports that say anything of a field do not all say the same.
function disagreements(found) {
  const out = new Set();
  for (const [key, shown, compared] of FIELDS) {
    const said = [...new Set(found.map(compared || shown).filter(known))];
    if (said.some((one) => said.some((other) => !agree(one, other, compared)))) out.add(key);
  }
  return out;
}

function fieldsOf(one) {
  const where = [one.place, one.admin2, one.admin1].filter(known).join(", ") || t("no_place");
  const toll = [one.killed, one.killed_low, one.killed_high].map((value) => (known(value) ? number(value) : t("unknown")));
  const rows = [
    ["f_when", whenText(one)],
    ["f_where", known(one.radius_km) ? t("where_radius", {where, radius: number(Math.round(one.radius_km))}) : where],
    ["f_kind", kindName(one.violence)],
    ["f_actor", known(one.actor) ? one.actor : t("actor_silent")],
    ["f_attack", one.attack_name],
    ["f_target", one.target_name],
    ["f_group", community(one)],
    ["f_killed", t("killed_range", {best: toll[0], low: toll[1], high: toll[2]})],
    ["f_civilians", known(one.killed_civilians) ? number(one.killed_civilians) : t("unknown")],
    ["f_agencies", `${one.said_by || joined(one.agencies) || t("unknown")} (${counted("origins", one.corroboration || 0)})`],
    ["f_parts", (one.parts || []).map((part) => (typeof part === "object" && part ? partText(part) : part)).join("; ")],
    ["f_disputed", (one.disputed || []).map((name) => (NAMES_OF[name] ? t(NAMES_OF[name]) : name)).join(", ")],
    ["f_judged", (one.judged || []).map((by) => t("judged_line", {...by, what: t(`judged_${by.decides}`, by)})).join("; ")],
    ["f_id", typeof one.id === "number" ? reports.at("id", one.id) : one.id],
  ].filter(([, value]) => known(value));
  return el("dl", {class: "fields"}, rows.map(([key, value]) => el("div", {}, el("dt", {}, t(key)), el("dd", {}, value))));
}

const partText = (part) => t("part_line", {kind: kindName(part.violence), n: known(part.killed) ? number(part.killed) : t("unknown")});

// Each report's toll as a point or a range on one axis, the incident's own below: a toll that nobody gives is not drawn as nought.
function tollPlot(one, found) {
  const rows = [...found.map((report) => ({...report, name: report.agency})), {...one, name: t("toll_fused"), fused: true}]
    .filter((row) => [row.killed_low, row.killed, row.killed_high].some(known));
  if (!rows.length) return null;
  const [width, high, left] = [340, 20, 130];
  const top = Math.max(1, ...rows.map((row) => Math.max(row.killed || 0, row.killed_low || 0, row.killed_high || 0)));
  const x = d3.scaleLinear([0, top * 1.06], [left, width - 12]);
  const short = (name) => (name.length > 20 ? `${name.slice(0, 19)}…` : name);
  const table = () => [["said_by", "killed_low", "killed", "killed_high", "citation"], ...rows.map((row) => [row.name, row.killed_low, row.killed, row.killed_high, citation()])];
  const drawn = svg("svg", {viewBox: `0 0 ${width} ${rows.length * high + 18}`, role: "img", "aria-label": t("toll_plot_label", {said: rows.map((row) => `${row.name}: ${tollWords(row)}`).join("; ")})},
      x.ticks(4).map((v) => svg("g", {class: "tick"}, svg("line", {x1: x(v), x2: x(v), y1: 0, y2: rows.length * high}),
        svg("text", {x: x(v), y: rows.length * high + 13, "text-anchor": "middle"}, number(v)))),
      rows.map((row, at) => tollMark(row, at * high + high / 2, x, short(row.name), left)));
  return el("figure", {class: "tolls"}, el("figcaption", {}, signs("tolls", table, () => drawn, t("toll_plot")), t("toll_plot")), drawn);
}

const tollWords = (row) => [known(row.killed) ? number(row.killed) : null, tollRange(row) ? `(${tollRange(row)})` : null].filter(Boolean).join(" ");

function tollMark(row, y, x, name, left) {
  const open = known(row.killed_low) && !known(row.killed_high) && !known(row.killed);
  const low = row.killed_low ?? row.killed;
  const high = row.killed_high ?? row.killed ?? row.killed_low;
  return svg("g", {class: row.fused ? "toll-row fused" : "toll-row"}, svg("text", {x: left - 8, y: y + 4, "text-anchor": "end"}, name),
    high > low ? svg("line", {class: "span", x1: x(low), x2: x(high), y1: y, y2: y}) : null,
    open ? svg("path", {class: "span", d: `M${x(low)},${y}h16m-5,-4l5,4l-5,4`}) : null,
    known(row.killed) ? svg("circle", {cx: x(row.killed), cy: y, r: 4}) : svg("path", {class: "edge", d: `M${x(low)},${y - 5}v10`}));
}

// The place as a circle: where it may have happened, one standard deviation, to the scale of the ground.
function placeMap(one) {
  if (typeof one.lat !== "number" || typeof one.lon !== "number") return null;
  const km = Math.max(10, (one.radius_km || 0) * 2.6);
  const [dy, dx] = [km / 111.2, km / (111.2 * Math.max(0.1, Math.cos(radians(one.lat))))];
  const [width, height] = [220, 170];
  const {project, perKm} = mapProjection([one.lon - dx, one.lat - dy, one.lon + dx, one.lat + dy], width, height);
  const [x, y] = project(one.lon, one.lat);
  const bar = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].filter((size) => size * perKm(one.lat) < 90).at(-1) || 1;
  return el("figure", {class: "place-map"}, svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": t("place_map", {place: place(one), radius: known(one.radius_km) ? number(Math.round(one.radius_km)) : "?"})},
  svg("rect", {class: "sea", width, height}), outlinePaths(project), known(one.radius_km) ? svg("circle", {class: "may", cx: x, cy: y, r: one.radius_km * perKm(one.lat)}) : null,
  svg("circle", {class: "dot", cx: x, cy: y, r: 3.5}),
  svg("path", {class: "bar-km", d: `M8,${height - 8}h${(bar * perKm(one.lat)).toFixed(1)}`}), svg("text", {x: 8, y: height - 13}, `${bar} km`)),
  el("figcaption", {}, known(one.radius_km) ? t("place_radius", {radius: number(Math.round(one.radius_km))}) : t("place_point")));
}

// Why its reports are one: how sure that is, and what each two of them share, as log-odds that add up.
const REASONS = ["day", "place", "attack", "target", "actor", "killed", "wounded", "agency", "share"];
const signed = (value) => (known(value) ? `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}` : "");

function whyOne(one, found) {
  const links = one.links || [];
  const taken = found.filter((report) => report.derived).length;
  const bound = (one.judged || []).filter((by) => ["merge", "confirm", "part_of"].includes(by.decides));
  const other = [...bound.map((by) => t("judged_line", {...by, what: t(`judged_${by.decides}`, by)})), taken ? t("why_derived", {n: number(taken)}) : null].filter(known);
  const also = other.map((text) => el("p", {}, text));
  if (!links.length) return other.length ? el("section", {class: "why-one"}, el("h4", {}, t("why_title")), also) : null;
  const name = (at) => `${at + 1} ${(found[at] || {}).agency || ""}`.trim();
  const sure = known(one.confidence) ? t("why_sure", {chance: `${Math.round(one.confidence * 100)} %`, on: head.calibrated_on || t("unknown")}) : t("why_uncalibrated");
  const margin = known(one.margin) ? ` ${t("why_margin", {margin: signed(one.margin)})}` : "";
  const titles = ["why_pair", "why_chance", ...REASONS.map((reason) => `why_${reason}`), "why_sum"];
  const table = () => [titles.map((key) => t(key)), ...links.map(([a, b, chance, ...odds]) => [`${name(a)} – ${name(b)}`, chance, ...odds])];
  return el("section", {class: "why-one"}, el("h4", {}, t("why_title"), " ", signs("why", table, null, t("why_title"))), el("p", {}, sure, margin), also,
    el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": t("why_title")}, el("table", {}, el("thead", {}, el("tr", {}, titles.map((key) => el("th", {scope: "col"}, t(key))))),
      el("tbody", {}, links.slice(0, 40).map(([a, b, chance, ...odds]) => el("tr", {}, el("th", {scope: "row"}, el("bdi", {}, `${name(a)} – ${name(b)}`)),
        el("td", {}, known(chance) ? `${Math.round(chance * 100)} %` : "–"), odds.map((value) => el("td", {class: value < 0 ? "against" : null}, signed(value)))))))),
    links.length > 40 ? el("p", {class: "quiet"}, t("why_more", {n: links.length - 40})) : null, el("p", {class: "quiet"}, t("why_note")));
}

function openedOf(one) {
  const ids = Array.isArray(one.report_ids) ? one.report_ids : [];
  const found = ids.filter((id) => typeof id === "number").map((id) => reports.row(id));
  const differs = disagreements(found);
  const cards = [...found.map((report) => reportCard(report, differs)),
    ...ids.filter((id) => typeof id !== "number").map((id) => el("li", {class: "quiet"}, t("report_missing", {id})))];
  return el("div", {class: "opened"}, el("div", {class: "whole"}, fieldsOf(one), tollPlot(one, found), placeMap(one)),
    one.hindsight ? el("p", {class: "quiet"}, t("hindsight")) : null, whyOne(one, found),
    el("h4", {}, t("reports")), differs.size ? el("p", {class: "quiet differ-note"}, t("differ_note", {fields: [...differs].map((key) => t(key)).join(", ")})) : null,
    cards.length ? el("ul", {class: "reports"}, cards) : el("p", {class: "quiet"}, t("reports_none")));
}
