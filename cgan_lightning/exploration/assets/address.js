// The state of the page in the address's fragment (after #). An address is untrusted: values are clamped to what exists, and
// only for the seed the page shows a message.

export function readAddress(page) {
  const values = new URLSearchParams(location.hash.slice(1));
  const number = (key, fallback, least, most) => {
    const value = values.has(key) ? Number(values.get(key)) : fallback;
    return Number.isFinite(value) ? Math.min(Math.max(value, least), most) : fallback;
  };
  const names = page.directions.map(({ name }) => name);
  const directions = names.includes(values.get("directions")) ? values.get("directions") : "principal";
  const count = page.directions[0].vectors.length;
  return {
    seed: values.get("seed") ?? 0,
    place: number("class", 0, 0, page.classes.length) % page.classes.length,
    directions,
    across: Math.round(number("across", 1, 1, count)),
    up: Math.round(number("up", Math.min(2, count), 1, count)),
    x: number("x", 0, -1, 1),
    y: number("y", 0, -1, 1),
  };
}

export function writeAddress({ seed, place, directions, across, up, x, y }) {
  const parts = { seed, class: place, directions, across, up, x, y };
  history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
}
