// The first screen: as of when and for whom, what changed, the table by kind, the deadliest attacks, the alert's room.
const MEASURES = ["incidents", "killed_civilians", "own_forces", "opponents", "deaths_per_attack"];

function facts() {
  const filters = (head.filters || []).map((pair) => joined([].concat(pair)).replace(", ", " ")).join("; ");
  const sources = (head.sources || []).slice(0, 3).map((one) => t("source_rows", {agency: one.agency, rows: number(one.rows)}));
  if ((head.sources || []).length > 3) sources.push(t("sources_more", {n: head.sources.length - 3}));
  const left = (head.left_out || []).filter(([, count]) => count !== 0).map(([reason, n]) => t("left_out_one", {reason: say(reason), n: number(n)}));
  const rows = [
    ["fact_audience", say(head.audience)],
    ["fact_clock", hasWords(`clock_${head.clock}`) ? t(`clock_${head.clock}`) : head.clock],
    ["fact_sources", sources.length ? sources.join("; ") : t("no_sources")],
    ["fact_left_out", left.length ? left.join("; ") : t("nothing_left_out")],
    ["fact_filters", filters],
  ].filter(([, value]) => known(value));
  return el("dl", {class: "facts"}, rows.map(([key, value]) => el("div", {}, el("dt", {}, t(key)), el("dd", {}, value))));
}

const columnLabel = (column) => (hasWords(`col_${column.key}`) ? t(`col_${column.key}`) : column.label);
const verdictText = (verdict) => (hasWords(`verdict_${verdict}`) ? t(`verdict_${verdict}`) : verdict);

function bars(values) {
  const top = Math.max(...values.map((value) => value || 0), 0);
  if (!(top > 0)) return null;
  const height = (value) => (16 * (value || 0)) / top;
  return svg("svg", {class: "bars", viewBox: "0 0 34 17", width: 34, height: 17, "aria-hidden": "true"},
    values.map((value, i) => svg("rect", {x: i * 9, y: 16.5 - height(value), width: 7, height: height(value), class: i ? "base" : "now"})),
    svg("line", {x1: 0, x2: 34, y1: 16.75, y2: 16.75, class: "ground"}));
}

function sign(row, column, measure) {
  const value = measure === "incidents" && row.signs ? row.signs[column.key] : 0;
  if (value > 0) return el("span", {class: "sign", role: "img", "aria-label": t("above")}, "▲");
  return value < 0 ? el("span", {class: "sign", role: "img", "aria-label": t("below")}, "▼") : el("span", {class: "sign"});
}

function kindRows(row, columnsOf) {
  const value = (column, measure) => ((row.cells || {})[column.key] || {})[measure];
  const any = MEASURES.filter((measure) => columnsOf.some((column) => known(value(column, measure))));
  const zero = any.filter((measure) => measure !== "incidents" && columnsOf.every((column) => value(column, measure) === 0));
  const lines = any.filter((measure) => !zero.includes(measure)).map((measure) => [measure]);
  // What is nought in every column shares one line: it is said, and takes no room.
  if (zero.length) lines.push(zero);
  return el("tbody", {class: row.default ? "default" : null},
    el("tr", {class: "kind"}, el("th", {scope: "rowgroup", colspan: columnsOf.length + 1},
      el("span", {}, hasWords(`long_${row.violence}`) ? t(`long_${row.violence}`) : row.label || kindName(row.violence)), el("span", {class: "verdict"}, verdictText(row.verdict))), el("td", {class: "drawn"})),
    lines.map((measures) => el("tr", {class: measures[0] === "incidents" ? "count" : null},
      el("th", {scope: "row"}, measures === zero ? t("m_zero", {groups: zero.map((measure) => t(`z_${measure}`)).join(", ")}) : t(`m_${measures[0]}`)),
      columnsOf.map((column, i) => el("td", {class: `${i ? "" : "now"}${zero === measures ? " zero" : ""}`},
        number(value(column, measures[0])), sign(row, column, measures[0]))),
      el("td", {class: "drawn"}, bars(columnsOf.map((column) => value(column, measures[0])))))));
}

function kindsTable() {
  const cells = (head.change.rows || []).flatMap((row) => (head.change.columns || []).map((column) => [row.violence, column.key, column.start, column.end, (row.cells || {})[column.key] || {}]));
  const names = [...new Set(cells.flatMap((one) => Object.keys(one[4])))];
  return [["violence", "span", "from", "to", ...names, "citation"], ...cells.map(([violence, key, start, end, cell]) => [violence, key, start, end, ...names.map((name) => cell[name]), citation()])];
}

function changeTable() {
  const columnsOf = head.change.columns || [];
  return el("table", {class: "change"},
    el("caption", {}, t("table_caption"), ". ", t("legend"), " ", signs("kinds", kindsTable, null, t("table_caption"))),
    el("thead", {}, el("tr", {}, el("td", {}), columnsOf.map((column) => el("th", {scope: "col"}, columnLabel(column))), el("td", {class: "drawn"}))),
    (head.change.rows || []).map((row) => kindRows(row, columnsOf)));
}

function deadliestTable(found, open) {
  if (!found.length) return el("p", {class: "quiet"}, t("no_deadliest"));
  const header = ["d_where", "d_group", "d_killed", "d_who"].map((key) => el("th", {scope: "col"}, t(key)));
  return el("table", {class: "deadliest"}, el("thead", {}, el("tr", {}, header)), el("tbody", {}, found.map((i) => {
    const one = incidents.row(i);
    const go = el("a", {href: `#incident-${i}`, onclick: (event) => { event.preventDefault(); open(i); }}, known(one.place) ? el("bdi", {}, one.place) : t("no_place"));
    const toll = [el("span", {class: "toll"}, known(one.killed) ? number(one.killed) : t("unknown")), el("span", {class: "between"}, tollRange(one))];
    return el("tr", {}, el("th", {scope: "row"}, el("span", {class: "date"}, whenText(one)), go),
      el("td", {}, community(one)), el("td", {class: "number"}, toll), el("td", {class: "who"}, one.said_by || joined(one.agencies) || t("unknown")));
  })));
}

// The signals in a few sentences, and apart from them whether an alert was issued: the one is found, the other decided.
function alertBox() {
  const {alert, watch} = head;
  const lines = alert && typeof alert === "object" ? [alert.headline, alert.text] : [alert || head.alert_text];
  const raised = watch && watch.signals.length;
  return el("section", {class: alert || raised ? "alert raised" : "alert", "aria-labelledby": "alert-title"},
    el("h2", {id: "alert-title"}, t("watch_short")), el("p", {}, watch ? say(watch.short) : t("watch_off")),
    raised ? el("ul", {}, watch.signals.map((one) => el("li", {}, signalName(one)))) : null,
    watch ? el("p", {}, jump("watch", "watch_more")) : null, lines.filter(known).map((line) => el("p", {class: "issued"}, say(line))));
}

function wouldChange() {
  if (!(head.would_change || []).length) return null;
  return el("section", {class: "would", "aria-labelledby": "would-title"},
    el("h2", {id: "would-title"}, t("would_change")), el("ul", {}, head.would_change.map((line) => el("li", {}, say(line)))));
}

function masthead() {
  return [el("p", {class: "brand"}, el("strong", {}, t("brand")), " ", el("span", {}, t("kicker"))),
    el("nav", {"aria-label": t("nav")}, head.watch ? jump("watch", "nav_watch") : null, jump("explorer", "nav_explorer"), jump("incidents", "nav_incidents"), jump("foot", "nav_foot"),
      languages())];
}

// The address holds the choices, so a link within the page moves there without touching it.
function jump(id, key) {
  return el("a", {href: `#${id}`, onclick: (event) => {
    event.preventDefault();
    const to = document.getElementById(id);
    to.scrollIntoView({block: "start"});
    to.focus({preventScroll: true});
  }}, t(key));
}

function languages() {
  const all = head.languages || [];
  return all.length < 2 ? null : all.filter((lang) => lang !== state.lang).map((lang) =>
    el("button", {type: "button", lang, class: "language", onclick: () => speak(lang)}, head.words[lang].own_name || lang));
}

// A title in another script than the page's words keeps its own direction.
function titleLine() {
  const [before, after] = t("as_of", {title: "\u0000", date: dateText(head.as_of).replaceAll(" ", "\u00a0")}).split("\u0000");
  return [before, el("bdi", {}, say(head.title)), after];
}

// Slots are filled when the long tables have been read: the words above stand before that.
function firstScreen() {
  const slot = (name) => el("div", {class: `slot ${name}`, id: name});
  return el("section", {"data-first-screen": true, "aria-labelledby": "title"},
    el("div", {class: "lede"}, el("h1", {id: "title"}, titleLine()), facts()),
    el("div", {class: "panes"},
      el("div", {class: "pane changed"}, el("h2", {class: "headline"}, say(head.change.headline), head.change.dead ? [" ", say(head.change.dead)] : null), slot("choose"), slot("timeline")),
      el("div", {class: "pane kinds"}, changeTable()),
      el("div", {class: "pane where"}, el("h2", {}, t("map_title")), slot("map")),
      el("div", {class: "pane worst"}, el("h2", {}, t("deadliest")), slot("deadliest"), alertBox(), wouldChange())));
}
