// Words, numbers and dates as the page writes them. All of its words stand in the catalogues, words.json and words.<language>.json.
const head = readJson("tocsin-head");
const words = () => (state && head.words[state.lang]) || head.words.en;
const number = (() => {
  const whole = new Intl.NumberFormat("en-GB", {maximumFractionDigits: 1});
  return (value) => (typeof value === "number" ? whole.format(value) : t("none_given"));
})();

function t(key, values) {
  const text = words()[key] ?? head.words.en[key];
  if (text === undefined) return key;
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => (values[name] === undefined ? "" : String(values[name]))) : text;
}

const hasWords = (key) => words()[key] !== undefined || head.words.en[key] !== undefined;

// A count of one has words of its own where the catalogue gives them.
const counted = (key, n, values) => t(n === 1 && hasWords(`${key}_1`) ? `${key}_1` : key, {...values, n: number(n)});

// A sentence that the brief composed: a text as it is, or [key, values] of the catalogue; numbers and days are written the page's way.
function say(message) {
  if (!Array.isArray(message)) return message;
  const [key, values] = message;
  if (key === "name_of") return coded2name(values.tree, {target_group: "group", attack_type: "attack"}[values.tree] || values.tree, values.code);
  const told = Object.entries(values || {}).map(([name, value]) => [name, typeof value === "number" ? number(value)
    : Array.isArray(value) ? say(value) : /^\d{4}-\d\d-\d\d$/.test(value) ? dateText(value) : value]);
  const written = Object.fromEntries(told);
  return t(written.n === "1" && words()[`${key}_1`] !== undefined ? `${key}_1` : key, written);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const months = () => words().months || MONTHS;
const DAY = 86400000;

// Milliseconds of a day in UTC, or null: no local clock takes part, so the page reads alike everywhere.
function time(iso) {
  const parts = typeof iso === "string" ? /^(\d{4})-(\d\d)-(\d\d)/.exec(iso) : null;
  return parts ? Date.UTC(+parts[1], +parts[2] - 1, +parts[3]) : null;
}

function dateText(iso) {
  const at = time(iso);
  if (at === null) return iso ? String(iso) : t("unknown");
  const date = new Date(at);
  return `${date.getUTCDate()} ${months()[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

// When something happened: a day, a stretch of days, or the source's own words where no day is given.
function whenText(one) {
  if (!known(one.date)) return one.date_text || t("no_date");
  const begin = known(one.date_start) ? one.date_start : one.date;
  return begin === one.date ? dateText(one.date) : t("dates", {start: dateText(begin), end: dateText(one.date)});
}

const monthText = (at) => `${months()[at.getUTCMonth()]} ${String(at.getUTCFullYear())}`;
const kindName = (violence) => t(`kind_${violence}`);
const known = (value) => value !== null && value !== undefined && value !== "";
const joined = (values) => (Array.isArray(values) ? values : []).filter(known).join(", ");

function tollRange(one) {
  const {killed_low: low, killed_high: high} = one;
  if (!known(low) && !known(high)) return "";
  if (low === high) return low === one.killed ? "" : number(low);
  return t("range", {low: known(low) ? number(low) : "?", high: known(high) ? number(high) : "?"});
}

function place(one) {
  const parts = [one.place, one.admin1].filter(known);
  return parts.length ? parts.join(", ") : t("no_place");
}

// How a community is known is drawn as well as said: words underlined, a judgement boxed, a source's code plain.
function community(one) {
  if (!known(one.target_group) && !known(one.group_name)) return el("span", {class: "group by-none"}, t("by_none"));
  const by = ["words", "source", "judgement"].includes(one.group_by) ? one.group_by : "source";
  const name = words()[`group_${one.target_group}`] || (known(one.group_name) ? one.group_name : one.target_group);
  return el("span", {class: `group by-${by}`}, el("span", {class: "name"}, name), " ", el("span", {class: "how"}, t(`by_${by}`)));
}
