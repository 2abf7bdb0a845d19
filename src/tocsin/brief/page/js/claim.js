// A claim put to the record: the counts beside their baselines, what the unknown could turn, and what chance could.
const ASKED = [["incidents", "m_incidents"], ["killed", "m_killed"], ["killed_civilians", "m_killed_civilians"], ["own_forces", "m_own_forces"], ["deaths_per_attack", "m_deaths_per_attack"]];

function claimRows(row, columnsOf) {
  const value = (column, measure) => (row.cells[column.key] || {})[measure];
  const lines = ASKED.filter(([measure]) => columnsOf.some((column) => value(column, measure)) || measure === "incidents");
  return el("tbody", {class: row.label[0] === "asked_asked" ? "default" : null},
    el("tr", {class: "kind"}, el("th", {scope: "rowgroup", colspan: columnsOf.length + 1}, say(row.label))),
    lines.map(([measure, key]) => el("tr", {class: measure === "incidents" ? "count" : null}, el("th", {scope: "row"}, t(key)),
      columnsOf.map((column, i) => el("td", {class: i ? null : "now"}, number(value(column, measure)))))));
}

function claimTable(claim) {
  const columnsOf = claim.columns;
  const names = ["incidents", "killed_low", "killed", "killed_high", "killed_civilians", "own_forces", "deaths_per_attack", "toll_unknown"];
  const table = () => [["which", "span", "from", "to", ...names, "citation"], ...claim.rows.flatMap((row) => columnsOf.map((column) => [say(row.label), column.key, column.start, column.end,
    ...names.map((name) => row.cells[column.key][name]), citation()]))];
  return el("table", {class: "change"}, el("caption", {}, signs("claim", table, null, t("claim")), t("s_baseline", {label: t("col_window"), start: dateText(columnsOf[0].start), end: dateText(columnsOf[0].end), days: number(columnsOf[0].days)})),
    el("thead", {}, el("tr", {}, el("td", {}), columnsOf.map((column) => el("th", {scope: "col"}, t(`col_${column.key}`))))),
    claim.rows.map((row) => claimRows(row, columnsOf)));
}

function claimTests(claim) {
  if (!claim.tests.length) return el("p", {class: "quiet"}, t("asked_untested"));
  return el("details", {class: "folded"}, el("summary", {}, t("asked_how")), el("p", {}, t("asked_note")), el("ul", {}, claim.watched.map((line) => el("li", {}, say(line)))));
}

function claimSection() {
  const claim = head.claim;
  if (!claim) return null;
  const [first, ...rest] = claim.answer;
  return el("section", {class: "claim", "aria-labelledby": "claim-title"}, el("p", {class: "kicker"}, t("claim")), el("h2", {id: "claim-title"}, say(claim.title)),
    el("div", {class: "halves"}, el("div", {}, el("p", {class: "answer"}, say(first)), rest.map((line) => el("p", {class: "answer"}, say(line))),
      el("ul", {}, [...claim.lines, ...claim.chance].map((line) => el("li", {}, say(line)))), claimTests(claim)), claimTable(claim)));
}
