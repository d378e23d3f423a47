// A network in wide rows, from top to bottom: its weights and biases over one line, each neuron under its own.

import { BOX, inRow, NetworkPlacement } from "./placement.js";

const [COLUMN, COLUMN_PITCH, ROW_GAP] = [124, 141, 28]; // widths of a box and of a column, and what is between rows

const { placeDown } = NetworkPlacement.prototype;

NetworkPlacement.prototype.placeDown = function () {
  if (!this.graph.isWide?.()) return placeDown.call(this);
  const rows = this.layers.map((layer) => inRow(layer, (neuron) => neuron[2]));
  const columns = Math.max(5, ...rows.map((row) => row.length));
  const pitch = Math.min(COLUMN_PITCH, (5 * COLUMN_PITCH) / columns);
  const width = Math.min(COLUMN, pitch - 8);
  const row = (slots, y, height = BOX, kind = "") => {
    const start = ((columns - slots.length) / 2) * pitch + 2;
    slots.forEach((slot, index) => {
      this.add(slot, start + index * pitch, y, width, height, kind);
    });
  };
  const middle = (slots) => slots.reduce((sum, slot) => sum + this.at.get(slot).x, 0) / slots.length;
  let y = 2;
  const top = rows[0];
  row(top, y + 30 + ROW_GAP);
  const first = this.layers[0].neurons.map(([, , weights]) => middle(weights));
  this.inputs.forEach((slot, index) => {
    const x = first.length === this.inputs.length ? first[index] : ((columns - this.inputs.length) / 2 + index) * pitch;
    this.add(slot, x, y, width, 30, "pill");
  });
  y += 30 + ROW_GAP;
  let sources = this.inputs;
  this.layers.forEach(({ neurons }, depth) => {
    if (depth) row(rows[depth], y);
    for (const [net, out, weights] of neurons) {
      const x = middle(weights);
      this.add(net, x, y + BOX + ROW_GAP, width);
      if (out === net) continue;
      this.add(out, x, y + 2 * BOX + ROW_GAP + 8, width);
      this.connect(net, out, [[out, net]], { isDown: true });
      this.frames.push({ x: x - 6, y: y + BOX + ROW_GAP - 6, width: width + 12, height: 2 * BOX + 20 });
    }
    for (const neuron of neurons) this.linesOf(neuron, sources, { isDown: true });
    y += 3 * BOX + 2 * ROW_GAP + 8;
    sources = neurons.map((neuron) => neuron[1]);
  });
  const [entries, ...later] = this.errors;
  const half = Math.ceil(entries.length / 2);
  const left = entries.slice(0, half).flatMap(({ slot, leaves }) => [...leaves, slot]);
  const right = entries.slice(half).flatMap(({ slot, leaves }) => [slot, ...leaves]);
  row([...left, ...later.flat().flatMap(({ slot, leaves }) => [...leaves, slot]), ...right], y);
  this.linesOfErrors();
};
