// What a page that reads images has beside them: a canvas to draw on, and a bar of probability for each class.

import { stand } from "./cases.js";
import { VIEWS } from "./controls.js";
import { about, element } from "./notation.js";
import { show } from "./picture.js";

const BITS = 32; // width and height of the bitmap that a drawing becomes
const TALL = 27; // of the strokes in it; with the width of a pen they fill it from top to bottom
const WIDE = 19; // of the strokes at most
const INK = 313; // bits that are set, as many as in an image of the data on average
const PEN = 0.09; // width of the pen on the canvas, beside its own
const CANVAS = 336; // pixels of the canvas in each direction
const DRAWN = "drawn"; // the name of the case that is drawn

/** The square of the distance of a point from a line between two others. */
function squaredDistance(x, y, [x0, y0], [x1, y1]) {
  const [u, v] = [x1 - x0, y1 - y0];
  const length = u * u + v * v;
  const part = length ? Math.min(Math.max(((x - x0) * u + (y - y0) * v) / length, 0), 1) : 0;
  const [across, down] = [x0 + part * u - x, y0 + part * v - y];
  return across * across + down * down;
}

/** Strokes, lists of points, in the middle of the bitmap: as tall as it is, and not too wide. */
function normalized(strokes) {
  const points = strokes.flat();
  const [left, right, top, bottom] = [0, 1].flatMap((axis) => {
    const places = points.map((point) => point[axis]);
    return [Math.min(...places), Math.max(...places)];
  });
  const down = TALL / Math.max(bottom - top, (right - left) * (TALL / WIDE) * 0.25, 0.01);
  const across = Math.min(down, WIDE / Math.max(right - left, 0.01));
  const place = ([x, y]) => [BITS / 2 + across * (x - (left + right) / 2), BITS / 2 + down * (y - (top + bottom) / 2)];
  return strokes.map((stroke) => stroke.map(place));
}

/** A drawing as the images of the data were made: a bitmap, whose set bits are counted in blocks; from 0 to 1. */
function reduced(strokes, side) {
  const lines = normalized(strokes).flatMap((stroke) =>
    stroke.map((point, index) => [stroke[Math.max(index - 1, 0)], point]),
  );
  const distances = new Float64Array(BITS * BITS);
  for (let bit = 0; bit < BITS * BITS; bit++) {
    const [x, y] = [(bit % BITS) + 0.5, Math.floor(bit / BITS) + 0.5];
    distances[bit] = lines.reduce((least, [from, to]) => Math.min(least, squaredDistance(x, y, from, to)), Infinity);
  }
  const farthest = distances.toSorted()[INK - 1] * (1 + 1e-9); // with those as far, but for rounding
  const block = BITS / side;
  const pixels = new Array(side * side).fill(0);
  distances.forEach((distance, bit) => {
    const [row, column] = [Math.floor(bit / BITS / block), Math.floor((bit % BITS) / block)];
    if (distance <= farthest) pixels[row * side + column] += 1 / (block * block);
  });
  return pixels;
}

class Sketch {
  constructor(page) {
    this.page = page;
    const { graph, data, parts } = page;
    this.side = data.image;
    this.strokes = [];
    const { inputs, layers } = graph.content.network;
    this.inputs = inputs;
    this.outputs = layers.at(-1).map((neuron) => neuron[1]);
    this.targets = graph.content.predictions.map(([, target]) => target);
    this.canvas = element("canvas", { width: CANVAS, height: CANVAS, role: "img" });
    this.canvas.ariaLabel = "Draw a digit here, with a mouse or a finger; by keys, change the pixels in the picture";
    this.context = this.canvas.getContext("2d");
    this.clear = element("button", "Clear");
    this.clear.addEventListener("click", () => {
      this.strokes = [];
      this.show();
    });
    this.answer = element("p.answer", { role: "status" });
    this.bars = this.outputs.map((_, digit) => this.bar(digit));
    const rows = element("div.probabilities", { role: "group", "aria-label": "Probabilities; which digit it is" });
    rows.append(...this.bars.map(({ row }) => row));
    const drawing = element("div", this.canvas, this.clear);
    parts.cases.append(element("div.sketch", drawing, element("div", this.answer, rows)));
    parts.cases.append(element("p.quiet", "Draw a digit. Mark the one that it is, to train on it."));
    parts.line.parentElement.tabIndex = 0; // it scrolls on a narrow screen
    this.listen();
    const home = parts.cases.parentElement;
    stand(page, parts.cases, (section) => home.prepend(section));
  }

  bar(digit) {
    const radio = element("input", { type: "radio", name: "target", "aria-label": `It is a ${digit}` });
    radio.addEventListener("change", () => this.aim(digit));
    const bar = element("i");
    const number = element("span.number", about(`p${digit}`, "probability"));
    const row = element("label", radio, element("span", String(digit)), element("span.bar", bar), number);
    return { row, radio, bar, number };
  }

  /** Train on another digit. */
  aim(digit) {
    const { page } = this;
    const { cases, columns } = page.settings;
    const row = cases[page.case].map((number, column) => {
      const place = this.targets.indexOf(columns[column]);
      return place < 0 ? number : Number(place === digit);
    });
    page.change({ cases: cases.with(page.case, row) });
  }

  /** Let the network read what is drawn. */
  read() {
    const { page } = this;
    const { cases, columns } = page.settings;
    const pixels = reduced(this.strokes, this.side);
    const row = cases[page.case].map((number, column) => pixels[this.inputs.indexOf(columns[column])] ?? number);
    if (!page.data.gates[DRAWN]) page.parts.gate.append(element("option", DRAWN));
    page.data.gates[DRAWN] = [row];
    page.change({ gate: DRAWN, cases: [row] });
  }

  listen() {
    const { canvas } = this;
    const at = (event) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      return [(event.clientX - left) / width, (event.clientY - top) / height];
    };
    let isDown = false;
    canvas.addEventListener("pointerdown", (event) => {
      isDown = true;
      canvas.setPointerCapture(event.pointerId);
      this.strokes.push([at(event)]);
      this.read();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!isDown) return;
      this.strokes.at(-1).push(at(event));
      this.read();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => {
        isDown = false;
      });
    }
  }

  draw() {
    const { context, strokes } = this;
    const at = (point) => point.map((place) => place * CANVAS);
    context.clearRect(0, 0, CANVAS, CANVAS);
    context.lineWidth = PEN * CANVAS;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    for (const stroke of strokes) {
      context.moveTo(...at(stroke[0]));
      for (const point of stroke) context.lineTo(...at(point));
    }
    context.stroke();
    if (strokes.length) return;
    context.font = "32px sans-serif";
    context.fillStyle = "#57606a";
    context.textAlign = "center";
    context.fillText("draw a digit", CANVAS / 2, CANVAS / 2);
  }

  show() {
    const { page } = this;
    this.draw();
    const numbers = this.outputs.map((slot) => page.moment.numbers[slot]);
    const most = Math.max(...numbers);
    const powers = numbers.map((number) => Math.exp(number - most));
    const total = powers.reduce((sum, power) => sum + power, 0);
    const digit = numbers.indexOf(most);
    const text = `It reads ${digit}`;
    if (this.answer.textContent !== text) this.answer.replaceChildren("It reads ", element("b", String(digit)));
    this.bars.forEach(({ row, radio, bar, number }, index) => {
      const share = powers[index] / total;
      row.classList.toggle("read", index === digit);
      radio.checked = page.moment.numbers[this.targets[index]] === 1;
      bar.style.width = `${100 * share}%`;
      show(number, share, `${(100 * share).toFixed(1)} %`);
    });
  }
}

VIEWS.push(Sketch);
