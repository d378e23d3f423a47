// Where the small maps of neurons stand in the picture of a network.
// It makes room for them in the layers, and puts the error under an only output, beside which the large map stands.

import { plane } from "./map_cells.js";
import { Picture } from "./picture.js";
import { HEIGHTS, NetworkPlacement, WIDTHS } from "./placement.js";

const FEW = 6; // neurons of a layer whose small maps are as large as they should be
const GAP = 8; // between a small map and the numbers of its neuron

Object.assign(WIDTHS, { pill: 88, weight: 112, result: 124, weightRow: 154, resultRow: 168, error: 124 });

const laidOut = Object.getOwnPropertyDescriptors(NetworkPlacement.prototype);
const built = Picture.prototype.build;

Object.assign(NetworkPlacement.prototype, {
  result(_isNarrow, ...others) {
    this.maps = [];
    this.side = Math.max(...this.layers.map((layer) => layer.neurons.length)) <= FEW ? 60 : 44;
    HEIGHTS.neuron = this.side + 2;
    return { ...laidOut.result.value.call(this, false, ...others), maps: this.maps, side: this.side };
  },

  /** Lay out a layer whose neurons have maps: all but an output alone, whose map is the large one. */
  withMaps(layer, layOut) {
    const isAlone = layer === this.layers.at(-1) && layer.neurons.length === 1;
    this.shift = isAlone ? 0 : this.side + GAP;
    const end = layOut() + this.shift;
    this.shift = 0;
    return end;
  },

  rowsAcross(layer, ...others) {
    return this.withMaps(layer, () => laidOut.rowsAcross.value.call(this, layer, ...others));
  },

  boxesAcross(layer, ...others) {
    return this.withMaps(layer, () => laidOut.boxesAcross.value.call(this, layer, ...others));
  },

  neurons(layer, chosen, x, top) {
    const [box, frame] = [this.boxes.length, this.frames.length];
    laidOut.neurons.value.call(this, layer, chosen, x + this.shift, top);
    this.moveApart(layer.shown, box, frame);
  },

  neuron(net, out, x, y, width) {
    const [box, frame] = [this.boxes.length, this.frames.length];
    laidOut.neuron.value.call(this, net, out, x + this.shift, y, width);
    if (out === net && this.shift) this.frames.push({ x: x + this.shift - 5, y: y - 8, width: width + 10, height: 60 });
    this.moveApart([[net, out]], box, frame);
  },

  /** Let the frames of neurons that were just placed hold a map each. */
  moveApart(neurons, box, frame) {
    if (!this.shift) return;
    const placed = this.boxes.slice(box);
    this.frames.slice(frame).forEach((made, index) => {
      const [net, out] = neurons[index];
      const room = Math.max(this.side + 4 - made.height, 0);
      for (const other of placed) if (other.y >= made.y && other.y < made.y + made.height) other.y += room / 2;
      made.x -= this.shift;
      made.width += this.shift;
      made.height += room;
      this.at.set(net, { ...made }); // where lines to it end
      this.maps.push({ slot: out, x: made.x + 3, y: made.y + Math.min((made.height - this.side) / 2, 8) });
    });
  },

  errorsAcross(x, ...others) {
    const [column] = this.errors;
    const outputs = this.layers.at(-1).neurons;
    if (this.errors.length > 1 || column?.length !== 1 || outputs.length > 1)
      return laidOut.errorsAcross.value.call(this, x, ...others);
    const [{ slot, leaves }] = column;
    const above = this.at.get(outputs[0][1]);
    let { y } = above;
    y += above.height + 24;
    for (const leaf of leaves) {
      this.add(leaf, above.x + 2, y, above.width - 4, 30, "pill");
      y += 46;
    }
    this.add(slot, above.x, y, above.width);
    this.linesOfErrors();
    return x;
  },
});

Picture.prototype.build = function () {
  built.call(this);
  this.maps = (this.placement.maps ?? []).map(({ slot, x, y }) => {
    const name = this.graph.names.plain(slot);
    const made = plane(`Map of ${name}`);
    made.frame.classList.add("small");
    const side = `${this.placement.side}px`;
    Object.assign(made.frame.style, { left: `${x}px`, top: `${y}px`, width: side, height: side });
    this.stage.append(made.frame);
    return { slot, ...made };
  });
};
