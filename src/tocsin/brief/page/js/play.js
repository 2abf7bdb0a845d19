// Play through time: the chosen stretch of days moves on by a part of itself, a step at a time.
const TICK = 450;

function playing() {
  let timer = 0;
  const length = () => (state.from !== null && state.to !== null ? state.to - state.from + 1 : Math.max(7, Math.round((engine.last - engine.first) / 24)));
  const move = (sign) => {
    const size = length();
    const step = Math.max(1, Math.round(size / 5)) * sign;
    const begun = state.from !== null && state.to !== null;
    let from = begun ? state.from + step : sign > 0 ? engine.first : engine.last - size + 1;
    from = Math.max(engine.first, Math.min(engine.last - size + 1, from));
    const more = !begun || from !== state.from;
    choose({from, to: from + size - 1});
    return more;
  };
  const stop = (button) => {
    clearInterval(timer);
    timer = 0;
    button.textContent = t("play");
    button.setAttribute("aria-pressed", "false");
  };
  const start = (button) => {
    if (state.to !== null && state.to >= engine.last) choose({from: engine.first, to: engine.first + length() - 1});
    button.textContent = t("pause");
    button.setAttribute("aria-pressed", "true");
    timer = setInterval(() => { if (!move(1)) stop(button); }, TICK);
  };
  return {move, toggle: (button) => (timer ? stop(button) : start(button)), halt: (button) => { if (timer) stop(button); }};
}

function playButtons() {
  const play = playing();
  const middle = el("button", {type: "button", class: "play", "aria-pressed": "false", onclick: () => play.toggle(middle)}, t("play"));
  const step = (sign, key, text) => el("button", {type: "button", "aria-label": t(key), title: t(key), onclick: () => { play.halt(middle); play.move(sign); }}, text);
  return el("span", {class: "playing", role: "group", "aria-label": t("play_label")}, step(-1, "step_back", "‹"), middle, step(1, "step_on", "›"));
}
