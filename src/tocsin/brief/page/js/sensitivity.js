// The same count under other choices: how much of the answer is the choice.
function sensitivityTable() {
  const found = head.sensitivity;
  if (!found || !(found.rows || []).length) return null;
  const columnsOf = (head.change.columns || []).filter((one) => (found.columns || []).includes(one.key));
  return el("details", {class: "sensitivity"}, el("summary", {}, t("sensitivity"), " ", el("span", {class: "quiet"}, say(found.verdict))),
    el("p", {class: "quiet"}, t("sensitivity_note")),
    el("div", {class: "wide", tabindex: 0, role: "region", "aria-label": t("sensitivity")}, el("table", {},
      el("thead", {}, el("tr", {}, el("th", {scope: "col"}, t("sensitivity_choice")), columnsOf.map((one) => el("th", {scope: "col", class: "number"}, columnLabel(one))),
        el("th", {scope: "col", class: "number"}, t("sensitivity_killed")), el("th", {scope: "col"}, t("sensitivity_says")))),
      el("tbody", {}, found.rows.map((row) => el("tr", {class: row.own ? "own" : null}, el("th", {scope: "row"}, say(row.label)),
        columnsOf.map((one) => el("td", {class: "number"}, number(row.cells[one.key]))), el("td", {class: "number"}, say(row.killed)),
        el("td", {}, say(row.verdict))))))),
    downloads("sensitivity", () => [["choice", ...columnsOf.map((one) => one.key), "killed_low", "killed", "killed_high", "citation"],
      ...found.rows.map((row) => [say(row.label), ...columnsOf.map((one) => row.cells[one.key]), row.low, row.best, row.high, citation()])], null, t("sensitivity")));
}
