// The foot: where it comes from, what was left out and why, how to cite it, how to make it again.
function plainTable(heads, rows, numeric) {
  const cell = (value, i) => el("td", {class: numeric.includes(i) ? "number" : null}, typeof value === "number" ? number(value) : value);
  return el("div", {class: "wide", tabindex: 0, role: "region", "aria-label": heads.map((key) => t(key)).join(", ")}, el("table", {},
    el("thead", {}, el("tr", {}, heads.map((key, i) => el("th", {scope: "col", class: numeric.includes(i) ? "number" : null}, t(key))))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell))))));
}

function block(id, title, ...children) {
  const inner = children.flat(Infinity).filter(Boolean);
  return inner.length ? el("section", {"aria-labelledby": id}, el("h2", {id}, t(title)), inner) : null;
}

function sourcesTable() {
  const rows = (head.sources || []).map((one) => [link(one.agency, one.url), one.file, one.rows, one.reports, one.incidents,
    t("dates", {start: dateText(one.first), end: dateText(one.last)}), one.licence]);
  return rows.length ? plainTable(["s_agency", "s_file", "s_rows", "s_reports", "s_incidents", "s_period", "s_licence"], rows, [2, 3, 4]) : null;
}

function baselines() {
  const lines = (head.change.columns || []).filter((one) => known(one.start)).map((one) => el("li", {},
    t("s_baseline", {label: columnLabel(one), start: dateText(one.start), end: dateText(one.end), days: number(one.days)})));
  return lines.length ? el("ul", {}, lines) : null;
}

function licences() {
  const all = [...(head.licences || []), ...(head.sources || []).filter((one) => known(one.cite)).map((one) => ({...one, name: one.agency}))];
  const unique = [...new Map(all.map((one) => [`${one.name}|${one.cite}`, one])).values()];
  return unique.length ? el("ul", {}, unique.map((one) => el("li", {}, link(one.name, one.url), ": ",
    [one.licence, one.cite].filter(known).join(". ")))) : null;
}

function again() {
  const inputs = ((head.run || {}).inputs || []).map(([file, hash]) => el("li", {}, file, " ", el("code", {}, hash)));
  return [known(head.reproduce) ? el("pre", {tabindex: 0}, el("code", {}, head.reproduce)) : null,
    inputs.length ? [el("p", {}, t("s_inputs")), el("ul", {}, inputs)] : null];
}

function footer() {
  const list = (values) => (values.length ? el("ul", {}, values.map((value) => el("li", {}, say(value)))) : null);
  const issues = (head.issues || []).map((one) => [one.reason, one.count, one.example || ""]);
  const unmapped = (head.unmapped || []).map((one) => [one.place || one.admin2 || one.country, one.rows, one.reason]);
  const left = (head.left_out || []).map(([reason, n]) => [say(reason), n]);
  return [el("div", {class: "foot"},
    block("s-caveats", "s_caveats", list(head.caveats || [])),
    block("s-licences", "s_licences", licences()),
    block("s-sources", "s_sources", sourcesTable()),
    block("s-baselines", "s_baselines", baselines()),
    block("s-left", "s_left_out", left.length ? plainTable(["s_reason", "s_count"], left, [1]) : null),
    block("s-issues", "s_issues", issues.length ? plainTable(["s_reason", "s_count", "s_example"], issues, [1]) : el("p", {class: "quiet"}, t("s_no_issues"))),
    block("s-unmapped", "s_unmapped", unmapped.length ? plainTable(["s_place", "s_rows", "s_reason"], unmapped, [1]) : null),
    block("s-again", "s_again", again())),
  el("p", {class: "drawn"}, t("s_drawn", {credits: (body.map || {}).credits || t("unknown"), version: head.tocsin || ""}))];
}
