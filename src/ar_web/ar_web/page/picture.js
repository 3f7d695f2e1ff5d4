// The live picture and what lies over it: taps, outlines of what can be awakened, the keyboard's light.

const SVG = "http://www.w3.org/2000/svg";
const TAP_SLIP_PX = 12;
const STEP = 1 / 40; // of the picture's width, per arrow key

const make = (name, attributes = {}) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

const slipped = (from, event) => Math.hypot(event.clientX - from.x, event.clientY - from.y) > TAP_SLIP_PX;

export class Picture {
  // onTap({stamp, x, y}, ring): pixels of the picture that was on screen when the finger came down.
  // onDrag({stamp, x, y}): where a drag began; what it gives is told of the way: move({x, y}), end(), drop().
  constructor(root, { onTap, onDrag, onShown, onSize }) {
    this.canvas = root.querySelector("#picture");
    this.overlay = root.querySelector("#overlay");
    this.outlines = root.querySelector("#outlines");
    this.rings = root.querySelector("#rings");
    this.light = root.querySelector("#light");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.onTap = onTap;
    this.onDrag = onDrag;
    this.onShown = onShown;
    this.onSize = onSize;
    this.stamp = "0";
    this.next = null;
    this.decoding = false;
    this.spot = null;
    this.listen();
  }

  // ---- pictures: decode the newest, drop what came in between

  receive(stamp, jpeg) {
    if (this.next) this.onShown(false);
    this.next = { stamp, jpeg };
    if (!this.decoding) this.decode();
  }

  async decode() {
    this.decoding = true;
    while (this.next) {
      const { stamp, jpeg } = this.next;
      this.next = null;
      try {
        const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
        await new Promise(requestAnimationFrame);
        this.draw(bitmap, stamp);
        this.onShown(true);
      } catch {
        this.onShown(false); // a damaged picture: the one before stays
      }
    }
    this.decoding = false;
  }

  draw(bitmap, stamp) {
    const { width, height } = bitmap;
    if (width !== this.canvas.width || height !== this.canvas.height || this.stamp === "0") {
      this.canvas.width = width;
      this.canvas.height = height;
      this.overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.onSize(width, height);
    }
    this.context.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.stamp = stamp;
  }

  // ---- taps

  listen() {
    let down = null;
    this.overlay.addEventListener("pointerdown", (event) => {
      down = event.isPrimary && event.button === 0 ? { x: event.clientX, y: event.clientY, stamp: this.stamp } : null;
    });
    this.overlay.addEventListener("pointermove", (event) => {
      if (!down || !event.isPrimary || (!("drag" in down) && !slipped(down, event))) return;
      if (!("drag" in down)) {
        this.overlay.setPointerCapture(event.pointerId);
        down.drag = this.onDrag({ stamp: down.stamp, ...this.pixel(down.x, down.y) });
      }
      down.drag?.move(this.pixel(event.clientX, event.clientY));
    });
    this.overlay.addEventListener("pointercancel", () => {
      down?.drag?.drop(); // it was a scroll
      down = null;
    });
    this.overlay.addEventListener("pointerup", (event) => {
      if (!down || !event.isPrimary) return;
      const { x, y, stamp, drag } = down;
      const tapped = !("drag" in down) && !slipped(down, event);
      down = null;
      drag?.end();
      if (!tapped) return;
      this.hideLight();
      const point = this.point(x, y);
      this.tap(point.x, point.y, stamp);
    });
    this.overlay.addEventListener("keydown", (event) => this.key(event));
    this.overlay.addEventListener("blur", () => this.hideLight());
  }

  // From the screen to the overlay's units.
  point(x, y) {
    return new DOMPoint(x, y).matrixTransform(this.overlay.getScreenCTM().inverse());
  }

  // From the screen to the picture's pixels, as the graph counts them: from the centre of the top left one.
  pixel(x, y) {
    const point = this.point(x, y);
    return { x: point.x - 0.5, y: point.y - 0.5 };
  }

  // A mark on the table where somebody is led to.
  mark() {
    const { width } = this.canvas;
    const goal = make("g", { class: "goal" });
    goal.append(make("ellipse", { rx: width / 24, ry: width / 48 }), make("ellipse", { rx: width / 70, ry: width / 140 }));
    this.rings.append(goal);
    return {
      move: ({ x, y }) => goal.setAttribute("transform", `translate(${x + 0.5} ${y + 0.5})`),
      leave: (kind) => {
        goal.classList.add(kind);
        setTimeout(() => goal.remove(), 900);
      },
    };
  }

  // (x, y) in the overlay's units: the picture's pixels, with the corner of the top left pixel at (0, 0).
  tap(x, y, stamp) {
    const { width, height } = this.canvas;
    if (stamp === "0" || x < 0 || y < 0 || x >= width || y >= height) return;
    const ring = make("g", { class: "ring", transform: `translate(${x} ${y})` });
    ring.append(make("circle", { r: width / 28 }), make("circle", { r: width / 28 }));
    this.rings.append(ring);
    // The graph counts from the centre of the top left pixel.
    Promise.resolve(this.onTap({ stamp, x: x - 0.5, y: y - 0.5 })).then((ok) => {
      ring.classList.add(ok ? "heard" : "refused");
      setTimeout(() => ring.remove(), 900);
    });
  }

  key(event) {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const { width, height } = this.canvas;
    if (move) {
      const step = width * STEP * (event.shiftKey ? 4 : 1);
      const [x, y] = this.spot ?? [width / 2, height / 2];
      this.moveLight(x + move[0] * step, y + move[1] * step);
      event.preventDefault();
    } else if (event.key === "Enter" || event.key === " ") {
      if (this.spot) this.tap(...this.spot, this.stamp);
      else this.moveLight(width / 2, height / 2);
      event.preventDefault();
    }
  }

  moveLight(x, y) {
    const { width, height } = this.canvas;
    this.spot = [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
    this.light.setAttribute("transform", `translate(${this.spot[0]} ${this.spot[1]}) scale(${width / 640})`);
    this.light.classList.add("on");
  }

  hideLight() {
    this.spot = null;
    this.light.classList.remove("on");
  }

  // ---- outlines: the corners of a frame around each detected object

  outline(objects) {
    const unit = this.canvas.width / 640;
    const corners = objects.map(({ box: [left, top, w, h] }) => {
      const [x, y] = [left + 0.5, top + 0.5]; // from pixel centres to the overlay's corners
      const r = Math.min(w, h, 60 * unit) / 4;
      const at = (u, v, du, dv) => `M${u} ${v + 1.6 * dv * r}v${-0.6 * dv * r}q0 ${-dv * r} ${du * r} ${-dv * r}h${0.6 * du * r}`;
      return at(x, y, 1, 1) + at(x + w, y, -1, 1) + at(x, y + h, 1, -1) + at(x + w, y + h, -1, -1);
    });
    this.outlines.replaceChildren(make("path", { d: corners.join("") }), make("path", { d: corners.join("") }));
  }
}
