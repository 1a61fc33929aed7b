// Two numbers from -1 to 1 by pointer and arrow keys, rounded to hundredths so that they fit in an address.

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
const within = (value) => Math.min(Math.max(Math.round(value * 100) / 100, -1), 1) + 0; // + 0: no negative zero

export class Joystick {
  constructor(pad, knob, moved) {
    Object.assign(this, { pad, knob, x: 0, y: 0 });
    const point = (event) => {
      const box = pad.getBoundingClientRect();
      moved(within(((event.clientX - box.left) / box.width) * 2 - 1), within(1 - ((event.clientY - box.top) / box.height) * 2));
    };
    pad.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary) return; // a second finger
      pad.setPointerCapture(event.pointerId);
      pad.classList.add("dragged");
      point(event);
    });
    pad.addEventListener("pointermove", (event) => pad.hasPointerCapture(event.pointerId) && point(event));
    pad.addEventListener("lostpointercapture", () => pad.classList.remove("dragged"));
    pad.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 0.2 : 0.04;
      const [across, up] = KEYS[event.key] ?? [0, 0];
      if (event.key === "Home") moved(0, 0);
      else if (across || up) moved(within(this.x + across * step), within(this.y + up * step));
      else return;
      event.preventDefault();
    });
  }

  show(x, y, words) {
    Object.assign(this, { x, y });
    this.knob.style.left = `${50 + 50 * x}%`;
    this.knob.style.top = `${50 - 50 * y}%`;
    this.pad.setAttribute("aria-valuenow", x);
    this.pad.setAttribute("aria-valuetext", words);
  }
}
