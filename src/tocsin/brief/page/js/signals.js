// What changed: each signal with its chart, its odds, its evidence and what would make it go away; beside it where incidents merely concentrate; what was tested.
const EVIDENCE = 8;
const thinDays = (violence) => ((head.watch || {}).thin || {})[violence] || 0;

const categoryText = (one) => say(one.category_name);
const signalName = (one) => say(one.name);

// Within a drawing, which runs from left to right in every language, words keep their own direction.
const isolated = (text) => (t("direction") === "rtl" ? `\u2067${text}\u2069` : text);

// So many weeks go together that a bar is at least five units wide.
function joinedWeeks({start, days, mine, others, unknown}, width) {
  const by = Math.max(1, Math.ceil((mine.length * 5) / width));
  const cut = mine.length % by;
  const merge = (values) => {
    const out = cut ? [sum(values.slice(0, cut))] : [];
    for (let at = cut; at < values.length; at += by) out.push(sum(values.slice(at, at + by)));
    return out;
  };
  const lead = cut ? (by - cut) * days : 0;
  return {begin: time(start) / DAY - lead, days: days * by, by, rows: [["mine", merge(mine)], ["others", merge(others)], ["unknown", merge(unknown)]]};
}

// Three bands on one scale: the category, all others, those not known; the day of the change stands across all three.
function signalDrawing(one, width) {
  const [left, high, gap] = [30, 44, 20];
  const {begin, days, by, rows} = joinedWeeks(one.weeks, width - left);
  const end = begin + days * rows[0][1].length;
  const top = Math.max(1, ...rows.flatMap(([, values]) => values));
  const x = d3.scaleLinear([begin, end], [left, width - 2]);
  const y = (value) => (value / top) * (high - 4);
  const [from, thin] = [dayOf(one.start), thinDays(one.violence)];
  const names = {mine: categoryText(one), others: t("chart_others"), unknown: t("chart_unknown")};
  const wide = Math.max(0.8, (x(begin + days) - x(begin)) * 0.82).toFixed(2);
  const total = rows.length * (high + gap);
  const bands = rows.map(([name, values], at) => {
    const base = at * (high + gap) + gap + high;
    const bar = (n, i) => (n ? `M${(x(begin + i * days) + 0.4).toFixed(1)},${base}v${(-y(n)).toFixed(2)}h${wide}V${base}z` : "");
    return svg("g", {class: `weeks ${name}`}, svg("path", {d: values.map(bar).join("")}), svg("line", {class: "axis", x1: left, x2: width - 2, y1: base, y2: base}),
      svg("text", {x: left, y: base - high - 5}, isolated(`${names[name]}: ${number(sum(values))}`)),
      svg("text", {class: "scale", x: left - 4, y: base - high + 8, "text-anchor": "end"}, at ? "" : number(top)));
  });
  const usual = gap + high - y(one.weeks.expected * by);
  const label = t("chart_label", {name: signalName(one), what: t(one.measure === "count" ? "chart_attacks" : "chart_deaths", {days: number(days)}), start: dateText(isoDay(begin)),
    end: dateText(isoDay(end - 1)), mine: number(sum(rows[0][1])), others: number(sum(rows[1][1])), unknown: number(sum(rows[2][1]))});
  const late = x(from) > width * 0.7;
  const root = svg("svg", {viewBox: `0 0 ${width} ${total + 18}`, role: "img", class: "weeks-chart", "aria-label": label},
    thin ? svg("rect", {class: "thin", x: x(end - thin), y: gap, width: Math.max(1.5, x(end) - x(end - thin)), height: total - gap}) : null, bands,
    svg("line", {class: "usual", x1: x(from), x2: width - 2, y1: usual, y2: usual}),
    svg("line", {class: "since-day", x1: x(from), x2: x(from), y1: 4, y2: total}),
    svg("text", {class: "since-name", x: x(from) + (late ? -5 : 5), y: 10, "text-anchor": late ? "end" : "start"}, isolated(t("chart_since", {date: dateText(one.start)}))),
    timeTicks(begin, end - 1, left, width - 2, total + 13));
  const table = () => [["from", "to", "measure", "category", "mine", "others", "unknown", "expected", "citation"], ...rows[0][1].map((_, i) => [isoDay(begin + i * days),
    isoDay(begin + (i + 1) * days - 1), one.measure, one.category, ...rows.map(([, values]) => values[i]), begin + (i + 1) * days > from ? one.weeks.expected * by : "", citation()])];
  return {root, table, days, thin};
}

function drawSignal(box, one, width) {
  const {root, table, days, thin} = signalDrawing(one, width);
  const title = t(one.measure === "count" ? "chart_attacks" : "chart_deaths", {days: number(days)});
  box.replaceChildren(el("figure", {}, el("p", {class: "title"}, signs(`signal-${one.id.slice(0, 8)}`, table, () => root, signalName(one)), title,
    el("span", {class: "key"}), t("chart_usual"), thin ? [el("span", {class: "key thin"}), t("chart_thin")] : null), root));
}

function incidentLine(i, show) {
  const one = incidents.row(i);
  return el("li", {}, el("a", {href: `#incident-${i}`, onclick: (event) => { event.preventDefault(); show(i); }}, whenText(one), ", ", el("bdi", {}, place(one))), " ",
    known(one.killed) ? t("killed_line", {n: number(one.killed)}) : t("toll_unknown"), " ", community(one));
}

function evidenceList(ids, places, show) {
  const found = ids.map((id) => places.get(id)).filter((i) => i !== undefined).reverse();
  const rest = found.slice(EVIDENCE);
  return el("div", {class: "evidence"}, el("h4", {}, t("signal_evidence")), el("ul", {}, found.slice(0, EVIDENCE).map((i) => incidentLine(i, show))),
    rest.length ? el("details", {}, el("summary", {}, t("evidence_more", {n: number(rest.length)})), el("ul", {}, rest.map((i) => incidentLine(i, show)))) : null);
}

function signalCard(one, at, places, show) {
  const box = el("div", {class: "slot signal-chart"});
  keep(box, (room, width) => drawSignal(room, one, width));
  const whose = known(one.actor) ? t("signal_whose", {kind: kindName(one.violence), actor: one.actor}) : kindName(one.violence);
  return el("article", {class: "signal", "aria-labelledby": `signal-${at}`},
    el("h3", {id: `signal-${at}`}, signalName(one), " ", el("span", {class: "quiet"}, whose), one.calibrated ? null : el("span", {class: "doubt"}, t("uncalibrated"))),
    el("div", {class: "halves"}, el("div", {}, one.lines.map((line) => el("p", {}, say(line))), evidenceList(one.evidence, places, show)), box));
}

function concentratedTable(found) {
  const rows = found.map((one) => [[el("bdi", {}, one.place), el("span", {class: "between"}, ` ${t("within_km", {radius: number(Math.round(one.radius_km))})}`)],
    t("dates", {start: dateText(one.start), end: dateText(one.end)}), one.observed, one.expected, one.p_value.toFixed(3)]);
  const table = () => [["violence", "place", "lat", "lon", "radius_km", "from", "to", "incidents", "expected", "p_unadjusted", "citation"],
    ...found.map((one) => [one.violence, one.place, one.lat, one.lon, one.radius_km, one.start, one.end, one.observed, one.expected, one.p_value, citation()])];
  return el("section", {class: "concentrated", "aria-labelledby": "concentrated"}, el("h3", {id: "concentrated"}, found.length ? signs("concentrated", table, null, t("concentrated")) : null, t("concentrated")),
    found.length ? [plainTable(["t_place", "t_days", "t_seen", "t_usual", "t_p"], rows, [2, 3, 4]), el("p", {class: "quiet"}, t("concentrated_note"))]
      : el("p", {}, t("concentrated_none", {recent: number(head.watch.recent)})));
}

function testedTable(streams) {
  const p = (value) => (typeof value === "number" ? (value < 0.001 ? "< 0.001" : value.toFixed(3)) : "");
  const limit = (value) => (typeof value === "number" ? String(+value.toPrecision(2)) : "");
  const rows = streams.map((one) => [say(one.name), one.before, one.watched, one.unknown, p(one.p_value), limit(one.level), verdictText(one.verdict), one.seen ? say(one.seen) : ""]);
  const table = () => [["kind", "violence", "dimension", "actor", "measure", "before", "watched", "unknown", "p_value", "level", "verdict", "reason", "would_be_seen", "citation"],
    ...streams.map((one) => [one.kind, one.violence, one.dimension, one.actor, one.measure, one.before, one.watched, one.unknown, one.p_value, one.level, one.verdict, one.reason,
      one.seen ? say(one.seen) : "", citation()])];
  return el("details", {class: "folded tested"}, el("summary", {}, t("tested_title")), el("p", {class: "quiet"}, t("tested_note")),
    plainTable(["q_stream", "q_before", "q_lately", "q_unknown", "q_p", "q_limit", "q_verdict", "q_seen"], rows, [1, 2, 3, 4, 5]),
    downloads("streams", table, null, t("tested_title")));
}

function watchSection(places, show) {
  const found = head.watch;
  if (!found) return null;
  const looks = t("watch_looks", {days: number(found.every), recent: number(found.recent), watched: number(found.watched), kinds: found.violence.map(kindName).join(", ")});
  return el("section", {class: "watch", id: "watch", "aria-labelledby": "watch-title", tabindex: -1}, el("h2", {id: "watch-title"}, t("watch_title")),
    el("div", {class: "halves"}, el("div", {class: "found"}, found.summary.map((line) => el("p", {}, say(line))), el("p", {class: "quiet"}, looks),
      el("ul", {class: "quiet"}, found.remarks.map((line) => el("li", {}, say(line))))), concentratedTable(found.concentrated)),
    found.signals.map((one, at) => signalCard(one, at, places, show)), testedTable(found.streams));
}
