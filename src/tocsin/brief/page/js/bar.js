// The choices in force, above what they narrow: time, kind, search, and a way back from each.
function chip(label, remove) {
  return el("button", {type: "button", class: "chip", "aria-label": t("chip_remove", {what: label}), onclick: remove}, el("bdi", {}, label), el("span", {"aria-hidden": "true"}, " ×"));
}

function chips() {
  const out = MANY.flatMap((name) => state[name].map((value) => chip(dimName(name, value === UNSTATED ? null : value), () => toggled(name, value))));
  if (state.box) out.push(chip(t("chip_box"), () => choose({box: null})));
  if (state.from !== null || state.to !== null) {
    const [from, to] = rangeShown();
    out.push(chip(t("dates", {start: dateText(isoDay(from)), end: dateText(isoDay(to))}), () => choose({from: null, to: null})));
  }
  if (state.q) out.push(chip(`“${state.q}”`, () => { document.getElementById("q").value = ""; choose({q: ""}); }));
  if (out.length) out.push(el("button", {type: "button", class: "reset", onclick: reset}, t("reset")));
  return out;
}

function reset() {
  document.getElementById("q").value = "";
  choose({group: [], actor: [], area: [], attack: [], from: null, to: null, box: null, q: ""});
}

function totalText() {
  const sums = totals();
  if (!sums.incidents) return t("total_none", {of: number(engine.n)});
  const toll = sums.low === sums.high ? number(sums.best) : `${number(sums.best)} (${t("range", {low: number(sums.low), high: number(sums.high)})})`;
  return [t("total", {n: number(sums.incidents), of: number(engine.n)}), state.kind === "all" ? t("total_kinds") : t("total_killed", {n: toll}),
    sums.unknown ? t("total_unknown", {n: number(sums.unknown)}) : null].filter(Boolean).join(" · ");
}

function drawBar(parts) {
  parts.status.textContent = totalText();
  parts.chips.replaceChildren(...chips());
  const [from, to] = rangeShown();
  if (document.activeElement !== parts.from) parts.from.value = isoDay(from);
  if (document.activeElement !== parts.to) parts.to.value = isoDay(to);
  document.querySelectorAll("input[name='kind'], input[name='list']").forEach((input) => { input.checked = input.value === state.kind; });
}

const presets = () => [["preset_window", dayOf(head.window.start), dayOf(head.window.end)],
  ["preset_year", dayOf(head.window.end) - 364, dayOf(head.window.end)], ["preset_all", null, null]];

function dateField(name, label, change) {
  const input = el("input", {type: "date", id: name, min: isoDay(engine.first), max: isoDay(engine.last), onchange: () => {
    const day = dayOf(input.value);
    if (day !== null) change(Math.min(engine.last, Math.max(engine.first, day)));
  }});
  return {input, label: el("label", {for: name}, t(label), input)};
}

function copyLink(button) {
  const done = () => { button.textContent = t("copied"); setTimeout(() => { button.textContent = t("copy_link"); }, 1500); };
  const old = () => {
    const box = el("textarea", {class: "unseen"}, location.href);
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
    button.focus();
  };
  (navigator.clipboard?.writeText(location.href) || Promise.reject()).catch(old).then(done);
}

function filterBar(kinds) {
  const from = dateField("from", "from", (day) => choose({from: day, to: Math.max(day, state.to ?? engine.last)}));
  const to = dateField("to", "to", (day) => choose({to: day, from: Math.min(day, state.from ?? engine.first)}));
  const parts = {status: el("p", {class: "total", role: "status"}), chips: el("div", {class: "chips"}), from: from.input, to: to.input};
  let later = 0;
  const search = el("input", {type: "search", id: "q", placeholder: t("search_hint"), value: state.q, autocomplete: "off", oninput: () => {
    clearTimeout(later);
    later = setTimeout(() => choose({q: search.value.trim()}), 80);
  }});
  const share = el("button", {type: "button", onclick: () => copyLink(share)}, t("copy_link"));
  const choices = [...kinds.map((kind) => [kind, kindName(kind)]), ["all", t("kind_all")]];
  const node = el("div", {class: "bar"},
    el("div", {class: "line"}, radios("list", t("kind_legend"), choices, state.kind, (kind) => choose({kind})),
      el("label", {class: "search", for: "q"}, t("search"), search)),
    el("div", {class: "line"}, from.label, to.label,
      presets().map(([key, first, last]) => el("button", {type: "button", onclick: () => choose({from: first, to: last})}, t(key))), playButtons(), share),
    parts.chips, parts.status);
  views.push({draw: () => drawBar(parts), box: node});
  return node;
}
