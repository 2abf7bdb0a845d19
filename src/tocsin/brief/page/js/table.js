// The body's tables come as columns, each one value, levels with codes, or plain values (see `pack` in __init__.py).
function columns(packed) {
  const names = Object.keys(packed.columns);
  const readers = new Map(names.map((name) => {
    const column = packed.columns[name];
    if ("values" in column) return [name, (i) => column.values[i]];
    if ("codes" in column) return [name, (i) => column.levels[column.codes[i]]];
    return [name, () => column.same];
  }));
  const nothing = () => null;
  return {
    n: packed.n,
    reader: (name) => readers.get(name) || nothing,
    at: (name, i) => (readers.get(name) || nothing)(i),
    row: (i) => Object.fromEntries(names.map((name) => [name, readers.get(name)(i)])),
  };
}
