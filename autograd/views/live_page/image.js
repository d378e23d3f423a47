// A network that reads an image: its inputs and the weights of the chosen neuron stand in squares, shaded by their number.
// It replaces where boxes stand, and adds how they are painted.

import { shortened } from "./notation.js";
import { Picture, show } from "./picture.js";
import { BOX, line, NetworkPlacement, ROW, WIDTHS } from "./placement.js";

const CELL = 28; // width and height of a pixel
const DARK = 0.54; // a pixel with more ink has white letters, so that the contrast is 4.5 with either colour
const STRONGEST = 55; // percent of colour behind the letters of a weight
const TARGET = 84; // the width of a target

NetworkPlacement.isNeverFolded = true;
Object.assign(WIDTHS, { weightRow: 152, resultRow: 160, error: 124 }); // all layers stand side by side

/** Boxes in a square, row by row; returns its frame. */
NetworkPlacement.prototype.square = function (slots, x, y, kind) {
  const side = Math.round(Math.sqrt(slots.length));
  slots.forEach((slot, index) => {
    const [row, column] = [Math.floor(index / side), index % side];
    this.add(slot, x + column * CELL, y + row * CELL, CELL, CELL, `cell ${kind}`);
  });
  return { x: x - 4, y: y - 4, width: side * CELL + 8, height: side * CELL + 8 };
};

NetworkPlacement.prototype.placeAcross = function () {
  const [first, ...others] = this.layers;
  const blocks = this.layers.map((layer) => this.blocks(layer));
  const high = Math.round(Math.sqrt(this.inputs.length)) * CELL;
  const height = Math.max(high + 4 * ROW, ...blocks.map((block) => block.height));
  const tops = blocks.map((block) => 10 + (height - block.height) / 2);
  const top = 10 + (height - high) / 2;
  const chosen = first.neurons[this.chosen[0]];
  const [net, , weights, bias] = chosen;
  const pixels = this.square(this.inputs, 10, top, "pixel");
  const square = this.square(weights, pixels.x + pixels.width + 30, top, "weight");
  const end = square.x + square.width;
  this.frames.push(pixels, { ...square, isChosen: true });
  this.neurons(first, chosen, end + 45, tops[0]);
  const toNet = (slot) => [net, slot];
  this.edges.push(line(pixels, square, this.inputs.map(toNet)), line(square, this.at.get(net), weights.map(toNet)));
  if (bias !== null) {
    this.add(bias, end - 4 - WIDTHS.weightRow, top + high + 16, WIDTHS.weightRow, ROW, "row weight");
    this.connect(bias, net, [[net, bias]]);
  }
  let x = end + 40 + WIDTHS.resultRow + 10;
  let sources = first.neurons.map((neuron) => neuron[1]);
  others.forEach((layer, index) => {
    x = this.rowsAcross(layer, index + 1, sources, x, tops[index + 1]);
    sources = layer.neurons.map((neuron) => neuron[1]);
  });
  this.errorBeside(x);
};

/** Each target under its output, and the error at the right of them. */
NetworkPlacement.prototype.errorBeside = function (x) {
  const { output } = this.graph.program;
  const { predictions } = this.graph.content;
  for (const [out, target] of predictions) {
    const made = this.at.get(out);
    this.add(target, made.x + made.width - TARGET, made.y + ROW + 3, TARGET, ROW, "row target");
  }
  const levels = predictions.map(([out]) => this.at.get(out).y);
  const centre = (Math.min(...levels) + Math.max(...levels) + ROW) / 2;
  this.add(output, x + 34, centre - BOX / 2, WIDTHS.error);
  for (const [out] of predictions) this.connect(out, output, [[output, out]]);
};

const update = Picture.prototype.update;

Picture.prototype.update = function (page, ...others) {
  update.call(this, page, ...others);
  this.paint(page);
};

/** Shade pixels and weights by their numbers, underline weights by their gradients, and mark the largest output. */
Picture.prototype.paint = function (page) {
  const { inputs, layers } = this.graph.content.network;
  for (const slot of inputs) {
    const { box, data } = this.boxes.get(slot);
    const ink = Math.min(Math.max(page.numberOf(slot), 0), 1);
    box.style.setProperty("--grey", `${Math.round(100 * (1 - ink))}%`);
    box.classList.toggle("dark", ink > DARK);
    cut(data, page.numberOf(slot));
  }
  const weights = layers[0][this.chosen[0]][2];
  const largest = Math.max(...weights.map((slot) => Math.abs(page.numberOf(slot))));
  const steepest = Math.max(...weights.map((slot) => Math.abs(page.gradOf(slot) ?? 0)));
  for (const slot of weights) {
    const { box, data, grad } = this.boxes.get(slot);
    const number = page.numberOf(slot);
    box.style.setProperty("--share", `${Math.round((STRONGEST * Math.abs(number)) / (largest || 1))}%`);
    box.classList.toggle("less", number < 0);
    cut(data, number);
    grad.style.width = `${Math.round((100 * Math.abs(page.gradOf(slot) ?? 0)) / (steepest || 1))}%`;
  }
  for (const [slot, { box, grad }] of this.boxes) {
    const known = grad && box.matches(".row") ? page.gradOf(slot) : undefined;
    if (known !== undefined) show(grad, known, shortened(known, 2));
  }
  const outputs = layers.at(-1).map((neuron) => neuron[1]);
  const numbers = outputs.map((slot) => page.numberOf(slot));
  const answer = numbers.includes(undefined) ? -1 : numbers.indexOf(Math.max(...numbers));
  outputs.forEach((slot, index) => {
    this.boxes.get(slot).box.classList.toggle("answer", index === answer);
  });
};

/** Show a number with one or two decimals; all of its digits are shown where it is edited. */
function cut(target, number) {
  const text = Number.isInteger(number) ? String(number) : number.toFixed(Math.abs(number) < 0.995 ? 2 : 1);
  show(target, number, text.replace("-", "−").replace(/^(−?)0\./, "$1."));
}
