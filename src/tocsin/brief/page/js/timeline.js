// Incidents of one kind by equal stretches of days, cut back from the window's end, with the baselines drawn under them.
function timelineBins(violence) {
  const {window: span, change} = head;
  const end = time(span.end) + DAY;
  const starts = [span, ...(change.columns || [])].map((one) => time(one.start)).filter((at) => at !== null);
  const days = Math.max(1, Math.round((end - time(span.start)) / DAY / 15));
  const size = Math.min(400, Math.ceil((end - Math.min(...starts)) / DAY / days));
  const counts = new Array(size).fill(0);
  const [kind, date] = [incidents.reader("violence"), incidents.reader("date")];
  let undated = 0;
  for (let i = 0; i < incidents.n; i++) {
    if (kind(i) !== violence) continue;
    const at = time(date(i));
    if (at === null) undated += 1;
    const bin = at === null ? -1 : size - 1 - Math.floor((end - DAY - at) / DAY / days);
    if (bin >= 0 && bin < size) counts[bin] += 1;
  }
  return {counts, days, undated, start: end - size * days * DAY, end};
}

function bracket(x, y, column, now) {
  const [left, right] = [x(time(column.start)), x(time(column.end) + DAY)];
  const middle = (left + right) / 2;
  return svg("g", {class: now ? "bracket now" : "bracket"},
    svg("path", {d: `M${left + 1},${y}v5H${right - 1}v-5`}),
    svg("text", {x: middle, y: y + 17, "text-anchor": "middle"}, columnLabel(column)));
}

function drawTimeline(box, violence, width) {
  const {counts, days, undated, start, end} = timelineBins(violence);
  const [height, plot, left] = [138, 84, 26];
  const x = d3.scaleUtc([start, end], [left, width - 2]);
  const y = d3.scaleLinear([0, Math.max(1, ...counts)], [plot, 8]).nice(2);
  const first = time(head.window.start);
  const step = (width - 2 - left) / counts.length;
  const rects = counts.map((n, i) => svg("rect", {
    x: left + i * step + Math.min(0.75, step * 0.1), width: Math.max(0.5, step - Math.min(1.5, step * 0.2)), y: y(n), height: plot - y(n),
    class: start + (i + 0.5) * days * DAY >= first ? "now" : "base"}));
  const ticks = y.ticks(2).filter(Number.isInteger).map((value) => svg("g", {class: "tick"},
    svg("line", {x1: left, x2: width - 2, y1: y(value), y2: y(value)}), svg("text", {x: left - 5, y: y(value) + 4, "text-anchor": "end"}, number(value))));
  const months = x.ticks(width < 420 ? 4 : 7).map((at) => svg("text", {class: "month", x: x(at), y: plot + 14, "text-anchor": "middle"}, monthText(at)));
  const spans = (head.change.columns || []).filter((one) => one.key !== "year_rate" && time(one.start) !== null && time(one.end) !== null);
  const total = counts.reduce((sum, n, i) => sum + (start + (i + 0.5) * days * DAY >= first ? n : 0), 0);
  const label = t("timeline_label", {kind: kindName(violence), days, start: dateText(new Date(start).toISOString()),
    end: dateText(head.window.end), window: total});
  const thin = thinDays(violence);
  const rate = rateLine(violence, days, x, y);
  const title = counted("timeline_title", days, {kind: kindName(violence), days});
  const drawn = svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label},
    thin ? svg("rect", {class: "thin", x: x(end - thin * DAY), y: 8, width: Math.max(1.5, x(end) - x(end - thin * DAY)), height: plot - 8}) : null, ticks, rects, rate, months, spans.map((one) => bracket(x, plot + 22, one, one.key === "window")));
  const table = () => [["from", "to", "violence", "incidents", "citation"],
    ...counts.map((n, i) => [isoDay(start / DAY + i * days), isoDay(start / DAY + (i + 1) * days - 1), violence, n, citation()])];
  box.replaceChildren(
    el("p", {class: "title"}, signs("timeline", table, () => drawn, title), counted("timeline_title", days, {kind: kindName(violence), days}), undated ? ` (${counted("timeline_undated", undated)})` : "",
      rate ? [el("span", {class: "key"}), t("timeline_rate")] : null, thin ? [el("span", {class: "key thin"}), t("chart_thin")] : null),
    drawn);
}

function rateLine(violence, days, x, y) {
  const column = (head.change.columns || []).find((one) => one.key === "year_rate");
  const row = (head.change.rows || []).find((one) => one.violence === violence);
  const cell = column && row && row.cells ? row.cells.year_rate : null;
  if (!cell || !known(cell.incidents) || time(column.start) === null || time(column.end) === null) return null;
  const level = y((cell.incidents * days) / head.window.days);
  const from = Math.max(x(time(column.start)), x.range()[0]);
  return svg("g", {class: "rate"}, svg("line", {x1: from, x2: x(time(column.end) + DAY), y1: level, y2: level}));
}
