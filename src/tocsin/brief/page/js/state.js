// What the reader has chosen. It stands in the address, so that a link shows the same view.
const UNSTATED = "~";
const MANY = ["group", "actor", "area", "attack"];
const SORTS = ["date", "-date", "killed", "place", "known"];
const DIMENSIONS = ["group", "actor", "area", "attack", "kind"];

const fresh = () => ({kind: startKind(), group: [], actor: [], area: [], attack: [], from: null, to: null, box: null, q: "",
  sort: "date", by: "group", scale: "same", incident: null, lang: (head.languages || ["en"])[0]});

let state = null;

const isoDay = (day) => new Date(day * DAY).toISOString().slice(0, 10);
const dayOf = (iso) => { const at = time(iso); return at === null ? null : Math.round(at / DAY); };

function written(choice) {
  const usual = fresh();
  const out = new URLSearchParams();
  for (const [key, value] of Object.entries(choice)) {
    if (MANY.includes(key)) value.forEach((one) => out.append(key, one));
    else if (key === "box") { if (value) out.append(key, value.map((x) => x.toFixed(3)).join(",")); }
    else if (key === "from" || key === "to") { if (value !== null) out.append(key, isoDay(value)); }
    else if (value !== usual[key] && value !== null && value !== "") out.append(key, value);
  }
  return out.toString();
}

// An address made by hand may hold anything: what is not understood is left out, never guessed.
function readAddress(hash) {
  const out = fresh();
  if (!hash.includes("=")) return out;
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  for (const key of MANY) out[key] = [...new Set(given.getAll(key))];
  for (const key of ["from", "to"]) out[key] = dayOf(given.get(key));
  const box = (given.get("box") || "").split(",").map(Number);
  if (box.length === 4 && box.every(Number.isFinite)) out.box = box;
  const one = (key, allowed) => { if (allowed.includes(given.get(key))) out[key] = given.get(key); };
  one("kind", ["all", ...Object.keys(KINDS)]);
  one("sort", SORTS);
  one("by", DIMENSIONS);
  one("scale", ["same", "own"]);
  one("lang", head.languages || ["en"]);
  out.q = given.get("q") || "";
  out.incident = given.get("incident");
  return out;
}

const KINDS = {one_sided: 1, state_based: 1, non_state: 1, interstate: 1, unknown: 1};

const narrowed = () => MANY.some((key) => state[key].length) || state.from !== null || state.to !== null || state.box !== null || state.q !== "";
