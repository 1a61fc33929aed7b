// What a picture follows from, in the part of the address after #. An address may come from anyone: it is kept to what there is,
// but for the seed, of which the page says so.

export function readAddress(page) {
  const given = new URLSearchParams(location.hash.slice(1));
  const number = (key, otherwise, least, most) => {
    const value = given.has(key) ? Number(given.get(key)) : otherwise;
    return Number.isFinite(value) ? Math.min(Math.max(value, least), most) : otherwise;
  };
  const names = page.directions.map(({ name }) => name);
  const directions = names.includes(given.get("directions")) ? given.get("directions") : "principal";
  const count = page.directions[0].vectors.length;
  return {
    seed: given.get("seed") ?? 0,
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
