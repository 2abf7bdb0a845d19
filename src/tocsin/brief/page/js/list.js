// The list: the window first, newest first; fifty at a time, so that a hundred thousand do not freeze the page.
const STEP = 50;

function tollText(one) {
  const range = tollRange(one);
  const best = known(one.killed) ? number(one.killed) : t("toll_unknown");
  return el("span", {class: "toll"}, el("b", {}, best), range ? el("span", {class: "between"}, ` ${range}`) : null);
}

function summaryOf(one) {
  const what = [one.attack_name, one.target_name].filter(known).join(" · ");
  return el("summary", {},
    el("span", {class: "date"}, one.date_text || (known(one.date) ? dateText(one.date) : t("no_date"))),
    el("span", {class: "place"}, place(one)),
    el("span", {class: "what"}, el("span", {class: `kind ${one.violence}`}, kindName(one.violence)), what ? ` ${what}` : ""),
    el("span", {class: "whom"}, community(one)),
    tollText(one),
    el("span", {class: "who"}, one.said_by || joined(one.agencies) || t("unknown")));
}

function fieldsOf(one) {
  const where = [one.place, one.admin2, one.admin1].filter(known).join(", ") || t("no_place");
  const toll = [one.killed, one.killed_low, one.killed_high].map((value) => (known(value) ? number(value) : t("unknown")));
  const rows = [
    ["f_when", one.date_text || t("no_date")],
    ["f_where", known(one.radius_km) ? t("where_radius", {where, radius: number(Math.round(one.radius_km))}) : where],
    ["f_kind", kindName(one.violence)],
    ["f_actor", known(one.actor) ? one.actor : t("actor_silent")],
    ["f_attack", one.attack_name],
    ["f_target", one.target_name],
    ["f_group", community(one)],
    ["f_killed", t("killed_range", {best: toll[0], low: toll[1], high: toll[2]})],
    ["f_civilians", known(one.killed_civilians) ? number(one.killed_civilians) : t("unknown")],
    ["f_agencies", `${one.said_by || joined(one.agencies) || t("unknown")} (${counted("origins", one.corroboration || 0)})`],
    ["f_parts", joined(one.parts)],
    ["f_disputed", joined(one.disputed)],
    ["f_judged", (one.judged || []).map((by) => t("judged_line", typeof by === "object" ? by : {by})).join("; ")],
    ["f_id", typeof one.id === "number" ? reports.at("id", one.id) : one.id],
  ].filter(([, value]) => known(value));
  return el("dl", {class: "fields"}, rows.map(([key, value]) => el("div", {}, el("dt", {}, t(key)), el("dd", {}, value))));
}

// Spans count code points, JavaScript counts UTF-16 units; they may overlap, so the text is cut at every edge.
function marked(text, spans) {
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

function reportCard(report) {
  const spans = Array.isArray(report.spans) ? report.spans : [];
  const language = /^[a-z]{2,3}$/.test(report.lang || "") ? report.lang : null;
  const url = typeof report.url === "string" ? webAddress(report.url) : null;
  const origin = known(report.origin) && report.origin !== report.agency ? report.origin : null;
  const line = [origin, known(report.reported) ? t("report_dated", {date: dateText(report.reported)}) : t("report_undated"),
    known(report.known) ? t("report_known", {date: dateText(report.known)}) : null, report.place,
    known(report.killed_text) ? t("report_killed", {n: report.killed_text}) : null, t("report_row", report)].filter(known);
  return el("li", {class: "report"},
    el("p", {class: "source"}, el("b", {}, report.agency || t("unknown")), " ", line.map((part) => el("span", {class: "part"}, el("bdi", {}, part)))),
    known(report.text)
      ? el("blockquote", {dir: "auto", lang: language}, marked(report.text, spans))
      : el("p", {class: "quiet"}, t("report_no_text")),
    spans.length ? el("p", {class: "coded"}, t("coded"), ": ", spans.map((one) =>
      el("span", {class: "part"}, el("code", {}, t("mark_title", one)), " ", el("q", {dir: "auto"}, one.words)))) : null,
    report.derived ? el("p", {class: "quiet"}, t("report_derived")) : null,
    url ? el("p", {}, link(t("report_link", {host: url.hostname}), report.url)) : null);
}

function openedOf(one) {
  const ids = Array.isArray(one.report_ids) ? one.report_ids : [];
  const cards = ids.map((id) => (typeof id === "number" ? reportCard(reports.row(id)) : el("li", {class: "quiet"}, t("report_missing", {id}))));
  return el("div", {class: "opened"}, fieldsOf(one), one.hindsight ? el("p", {class: "quiet"}, t("hindsight")) : null,
    el("h4", {}, t("reports")), cards.length ? el("ul", {class: "reports"}, cards) : el("p", {class: "quiet"}, t("reports_none")));
}

function incidentItem(i) {
  const one = incidents.row(i);
  const details = el("details", {id: `incident-${i}`, ontoggle: () => {
    if (details.open && !details.querySelector(".opened")) details.append(openedOf(one));
  }}, summaryOf(one));
  return el("li", {}, details);
}

// All incidents in the order of the list, sorted once: a filter then only walks along it.
let sorted = null;

function ordered(violence) {
  const [kind, inside, date] = ["violence", "in_window", "date"].map((name) => incidents.reader(name));
  if (sorted === null) {
    const keys = Array.from({length: incidents.n}, (_, i) => `${inside(i) ? 1 : 0}${date(i) || ""}`);
    sorted = keys.map((_, i) => i).sort((a, b) => (keys[a] < keys[b] ? 1 : keys[a] > keys[b] ? -1 : a - b));
  }
  return violence === "all" ? [...sorted] : sorted.filter((i) => kind(i) === violence);
}

function kindCounts() {
  const counts = new Map();
  for (let i = 0; i < incidents.n; i++) counts.set(incidents.at("violence", i), (counts.get(incidents.at("violence", i)) || 0) + 1);
  return counts;
}

function listSection(kinds) {
  const counts = kindCounts();
  const choices = [...kinds.map((kind) => [kind, kindName(kind), counts.get(kind) || 0]), ["all", t("kind_all"), incidents.n]];
  const room = el("div", {class: "groups"});
  const status = el("p", {class: "quiet", role: "status"});
  const more = el("button", {type: "button", class: "more", onclick: () => grow(shown + 4 * STEP)});
  let [order, shown, lists] = [[], 0, {}];

  function group(inside) {
    if (!lists[inside]) {
      lists[inside] = el("ol", {class: "list"});
      const n = order.filter((i) => Boolean(incidents.at("in_window", i)) === inside).length;
      room.append(el("h3", {}, t(inside ? "in_window" : "outside_window"), el("span", {class: "count"}, number(n))), lists[inside]);
    }
    return lists[inside];
  }
  function grow(upTo) {
    const end = Math.min(order.length, upTo);
    for (; shown < end; shown++) group(Boolean(incidents.at("in_window", order[shown]))).append(incidentItem(order[shown]));
    status.textContent = order.length ? t("showing", {shown: number(shown), total: number(order.length)}) : t("no_incidents");
    more.textContent = t("more", {n: number(Math.min(4 * STEP, order.length - shown))});
    more.hidden = shown >= order.length;
  }
  function choose(violence) {
    [order, shown, lists] = [ordered(violence), 0, {}];
    room.replaceChildren();
    grow(STEP);
  }
  // An incident far down the list is put on top rather than drawing all that stand before it.
  function show(i) {
    const violence = incidents.at("violence", i);
    if (!order.includes(i)) {
      document.getElementById(`list-${violence}`).checked = true;
      choose(violence);
    }
    const at = order.indexOf(i);
    if (at < shown + 20 * STEP) grow(Math.max(shown, at + 1));
    else if (!document.getElementById(`incident-${i}`)) {
      order.splice(at, 1);
      order.splice(shown, 0, i);
      grow(shown + 1);
    }
    const details = document.getElementById(`incident-${i}`);
    details.open = true;
    details.querySelector("summary").focus({preventScroll: true});
    details.scrollIntoView({block: "start"});
  }
  const first = kinds.includes(startKind()) ? startKind() : "all";
  const section = el("section", {id: "incidents", class: "incidents", "aria-labelledby": "incidents-title", tabindex: -1},
    el("div", {class: "bar"}, el("h2", {id: "incidents-title"}, t("incidents")), radios("list", t("kind_legend"), choices, first, choose), status), room, more);
  choose(first);
  return {section, show};
}
