// What changed since the last brief, before everything else.
const SINCE_SHOWN = 12;

function sinceSection(places, show) {
  const since = head.since;
  if (!since) return null;
  const entry = (id, ...after) => {
    const i = places.get(id);
    if (i === undefined) return el("li", {}, id, after);
    const one = incidents.row(i);
    const go = (event) => { event.preventDefault(); show(i); };
    return el("li", {}, el("a", {href: `#incident-${i}`, onclick: go}, whenText(one), ", ", el("bdi", {}, place(one))), " ",
      known(one.killed) ? t("killed_line", {n: number(one.killed)}) : t("toll_unknown"), " ", community(one), after);
  };
  const part = (key, found, draw) => {
    if (!found.length) return null;
    const shown = found.slice(0, SINCE_SHOWN).map(draw);
    const rest = found.length > shown.length ? el("details", {}, el("summary", {}, t("since_more", {n: number(found.length - shown.length)})), el("ul", {}, found.slice(shown.length).map(draw))) : null;
    return el("div", {}, el("h3", {}, counted(key, found.length)), el("ul", {}, shown), rest);
  };
  const change = ({field, then, now}) => el("span", {class: "change-line"}, t("since_change", {field: t(`since_f_${field}`), then: sinceValue(then), now: sinceValue(now)}));
  return el("section", {class: "since", "aria-labelledby": "since-title"},
    el("h2", {id: "since-title"}, t("since", {date: dateText(since.then.as_of)}), " ", el("span", {class: "quiet"},
      t("since_counts", {then: number(since.then.incidents), now: number(since.now)}))),
    (since.differs || []).length ? el("p", {class: "quiet"}, t("since_differs", {options: since.differs.join(", ")})) : null,
    el("div", {class: "since-parts"},
      part("since_new", since.new.filter((one) => !one.late), (one) => entry(one.id)),
      part("since_late", since.new.filter((one) => one.late), (one) => entry(one.id)),
      part("since_revised", since.revised, (one) => entry(one.id, one.changes.map(change))),
      part("since_gone", since.gone, (one) => el("li", {}, known(one.event_end) ? dateText(one.event_end) : t("no_date"), ", ", el("bdi", {}, known(one.place) ? one.place : t("no_place")), " ",
        known(one.killed) ? t("killed_line", {n: number(one.killed)}) : t("toll_unknown")))),
    !since.new.length && !since.revised.length && !since.gone.length ? el("p", {}, t("since_nothing")) : null, sinceSignals(since.signals));
}

// Which signals began, go on and ended; a brief that did not watch tells of none.
function sinceSignals(signals) {
  if (signals === undefined) return null;
  if (signals === null) return el("p", {}, t("since_signals_unknown"));
  const now = new Map(head.watch.signals.map((one) => [one.id, one]));
  const here = (ids) => ids.map((id) => now.get(id)).filter(Boolean).map(signalName);
  const ended = signals.ended.map((one) => `${say(one.name)} (${t("since_raised", {date: dateText(one.first_raised)})})`);
  const parts = [["since_signals_new", here(signals.new)], ["since_signals_on", here(signals.on)], ["since_signals_ended", ended]].filter(([, names]) => names.length);
  if (!parts.length) return el("p", {}, t("since_signals_none"));
  return parts.map(([key, names]) => el("p", {}, el("b", {}, counted(key, names.length)), ": ", names.join("; ")));
}

const sinceValue = (value) => (!known(value) ? t("unknown") : typeof value === "number" ? number(value) : /^\d{4}-\d\d-\d\d$/.test(value) ? dateText(value) : value);
