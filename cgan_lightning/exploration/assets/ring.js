// The classes on a circle with a handle: position 3.25 is a quarter of the way from class 3 to the next one.

const SVG = "http://www.w3.org/2000/svg";
const RADIUS = 130;
const NAMES = 110; // radius of the names, clear of the handle
const CATCH = 0.12; // a drag snaps to a name within this distance
const STEPS = { ArrowRight: 0.1, ArrowUp: 0.1, ArrowLeft: -0.1, ArrowDown: -0.1 };

export class Ring {
  constructor(svg, names, moved) {
    Object.assign(this, { svg, count: names.length, place: 0 });
    this.handle = svg.querySelector("#handle");
    this.handle.setAttribute("aria-valuemax", names.length);
    this.names = names.map((name, i) => this.addName(name, i, () => moved(i)));
    const drag = (event) => moved(this.placeAt(event));
    svg.addEventListener("pointerdown", (event) => {
      if (event.target.tagName === "text" || !event.isPrimary) return; // not primary: a second finger
      svg.setPointerCapture(event.pointerId);
      this.handle.classList.add("dragged");
      this.handle.focus({ focusVisible: false });
      event.preventDefault();
      drag(event);
    });
    svg.addEventListener("pointermove", (event) => svg.hasPointerCapture(event.pointerId) && drag(event));
    svg.addEventListener("lostpointercapture", () => this.handle.classList.remove("dragged"));
    this.handle.addEventListener("keydown", (event) => {
      const next = this.placeByKey(event.key);
      if (next === undefined) return;
      event.preventDefault();
      moved(this.around(next));
    });
  }

  addName(name, i, chosen) {
    const [x, y] = this.at(i, NAMES);
    const text = document.createElementNS(SVG, "text");
    text.textContent = name;
    text.setAttribute("x", x);
    text.setAttribute("y", y * (Math.abs(x) < 10 ? 0.97 : 0.93)); // so that names do not overlap where the circle is narrow
    text.setAttribute("text-anchor", Math.abs(x) < 10 ? "middle" : x > 0 ? "end" : "start");
    text.setAttribute("aria-hidden", "true"); // the handle is read instead
    text.addEventListener("click", chosen);
    const dot = document.createElementNS(SVG, "circle");
    const [left, top] = this.at(i, RADIUS);
    for (const [key, value] of Object.entries({ class: "dot", cx: left, cy: top, r: 4 })) dot.setAttribute(key, value);
    this.svg.querySelector("#names").append(text, dot);
    return text;
  }

  at(place, radius) {
    const angle = (place / this.count) * 2 * Math.PI;
    return [radius * Math.sin(angle), -radius * Math.cos(angle)];
  }

  around(place) {
    return Math.round((((place % this.count) + this.count) % this.count) * 100) / 100 % this.count;
  }

  placeAt(event) {
    const box = this.svg.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
    const place = (Math.atan2(x, -y) / (2 * Math.PI)) * this.count;
    return this.around(Math.abs(place - Math.round(place)) < CATCH ? Math.round(place) : place);
  }

  placeByKey(key) {
    if (key === "Home") return 0;
    if (key === "End") return this.count - 1;
    if (key === "PageUp") return Math.floor(this.place) + 1;
    if (key === "PageDown") return Math.ceil(this.place) - 1;
    return key in STEPS ? this.place + STEPS[key] : undefined;
  }

  show(place, words) {
    this.place = place;
    const [x, y] = this.at(place, RADIUS);
    this.handle.setAttribute("cx", x);
    this.handle.setAttribute("cy", y);
    this.handle.setAttribute("aria-valuenow", place);
    this.handle.setAttribute("aria-valuetext", words);
    const [first, second] = [Math.floor(place), Math.ceil(place)];
    const ends = [this.at(first, RADIUS), this.at(second, RADIUS)];
    this.svg.querySelector("#arc").setAttribute("d", `M${ends[0]} A${RADIUS} ${RADIUS} 0 0 1 ${ends[1]}`);
    this.names.forEach((name, i) => name.classList.toggle("chosen", i === first || i === second % this.count));
  }
}
