// Where boxes and lines stand: a network in layers, and other graphs as `graph_placement.js` says.

export const BOX = 44; // the height of a box
const PITCH = 54;
export const ROW = 20; // the height of a row of a large layer
const MOST_BOXES = 6; // weights of a layer that stand in boxes; those of a larger layer are rows
export const MOST_ROWS = 16; // neurons of a layer; of more, those around the chosen one are shown
const MOST_ACROSS = 4; // boxes side by side on a narrow screen
/** Of rows from top to bottom: their room, gap and heights, and what is above them all and between some of them. */
export const ROWS = {
  width: 296,
  gap: 8,
  height: BOX,
  pill: 30,
  top: 8,
  inputs: 26,
  weights: 12,
  nets: 12,
  outs: 16,
  end: 24,
};
export const HEIGHTS = { neuron: 2 * ROW + 6 };
export const WIDTHS = { pill: 100, weight: 132, result: 134, weightRow: 172, resultRow: 184, error: 134 };

/** How graphs are placed that are no networks, which the script adds that only their pages hold. */
export const OTHERS = {};

/** The placement of a graph. `chosen` is the neuron of each large layer whose weights are shown, `focus` a node. Where a
 * network is wider than the room, the weights of all layers but the open one are folded away. */
export function place(graph, isNarrow, room, { chosen, open, focus }) {
  const { network } = graph.content;
  if (!network) return OTHERS.place(graph, isNarrow, focus);
  const whole = new NetworkPlacement(graph, chosen).result(isNarrow);
  const hasRoom = whole.width <= room || NetworkPlacement.isNeverFolded;
  return hasRoom ? whole : new NetworkPlacement(graph, chosen, open).result(isNarrow);
}

export function box(slot, x, y, width, height, kind = "") {
  return { slot, x, y, width, height, kind };
}

/** A line between two boxes, from left to right, or from top to bottom; boxes side by side are joined at their sides. */
export function line(from, to, of, { weight, isFaint = false, isDown = false } = {}) {
  const middle = from.y + from.height / 2;
  let path = from.x < to.x ? `M${from.x + from.width},${middle}H${to.x}` : `M${from.x},${middle}H${to.x + to.width}`;
  if (!isDown) {
    const [x, u, v] = [from.x + from.width, to.x, to.y + to.height / 2];
    path = curve(x, middle, u, v, Math.max((u - x) / 2, 8), 0);
  } else if (to.y >= from.y + from.height) {
    const [x, y, u] = [from.x + from.width / 2, from.y + from.height, to.x + to.width / 2];
    path = curve(x, y, u, to.y, 0, (to.y - y) / 2);
  }
  return { path, of, weight, isFaint };
}

/** A curve from one point to another that leaves and arrives in a direction. */
function curve(x, y, u, v, right, down) {
  return `M${x},${y}C${x + right},${y + down} ${u - right},${v - down} ${u},${v}`;
}

/** What stands in a row for the neurons of a layer, as `of` says: their biases after each, or a shared one in the middle. */
export function inRow({ neurons, biases, isShared }, of) {
  const groups = neurons.map((neuron) => (isShared || neuron[3] === null ? of(neuron) : [...of(neuron), neuron[3]]));
  if (isShared) groups.splice(Math.ceil(neurons.length / 2), 0, biases);
  return groups.flat();
}

/** A network: its inputs, its layers, and then what its error is made of. */
export class NetworkPlacement {
  /** `open` is the layer that is not folded, if any is. */
  constructor(graph, chosen, open) {
    this.graph = graph;
    this.chosen = chosen;
    this.open = open;
    this.isFolded = open !== undefined;
    const { inputs, layers } = graph.content.network;
    this.inputs = inputs;
    this.layers = layers.map((neurons, depth) => this.layer(neurons, depth));
    this.boxes = [];
    this.frames = [];
    this.edges = [];
    this.notes = [];
    this.at = new Map();
    this.errors = this.errorColumns(new Set([...inputs, ...layers.flat(3)]));
  }

  layer(neurons, depth) {
    const last = neurons.length - MOST_ROWS;
    const first = Math.max(0, Math.min(this.chosen[depth] - MOST_ROWS / 2, last));
    const shown = neurons.slice(first, first + MOST_ROWS);
    const biases = [...new Set(neurons.map((neuron) => neuron[3]).filter((bias) => bias !== null))];
    const weights = neurons.reduce((sum, neuron) => sum + neuron[2].length, 0);
    const isShared = biases.length === 1 && neurons.length > 1;
    return { neurons, shown, biases, isShared, isLarge: this.isFolded || weights > MOST_BOXES };
  }

  /** What comes after the last layer, in columns: each a station with the leaves that only it uses. */
  errorColumns(placed) {
    const { graph } = this;
    const depth = new Map();
    const columns = [];
    for (const slot of graph.stations) {
      if (placed.has(slot)) continue;
      const operands = graph.operands(slot);
      const level = 1 + Math.max(-1, ...operands.map((operand) => depth.get(operand) ?? -1));
      depth.set(slot, level);
      const leaves = operands.filter((operand) => graph.program.isLeaf(operand) && !placed.has(operand));
      for (const leaf of leaves) placed.add(leaf);
      columns[level] ??= [];
      columns[level].push({ slot, leaves, operands });
    }
    return columns;
  }

  result(isNarrow) {
    const isLow = ({ neurons, biases, isLarge }) => !isLarge && neurons.length + biases.length <= MOST_ACROSS;
    if (isNarrow && this.layers.every(isLow) && this.errors.every((column) => column.length <= MOST_ACROSS))
      this.placeDown();
    else this.placeAcross();
    const bottom = Math.max(...[...this.boxes, ...this.frames].map((made) => made.y + made.height));
    const right = Math.max(...this.boxes.map((made) => made.x + made.width));
    const { boxes, frames, edges, notes, isFolded } = this;
    return { width: right + 10, height: bottom + (notes.length ? 28 : 10), boxes, frames, edges, notes, isFolded };
  }

  add(slot, x, y, width, height = BOX, kind = "") {
    const made = box(slot, x, y, width, height, kind);
    this.boxes.push(made);
    this.at.set(slot, made);
    return made;
  }

  connect(from, to, of, options) {
    const [start, end] = [this.at.get(from), this.at.get(to)];
    if (start && end) this.edges.push(line(start, end, of, options));
  }

  // From left to right.

  placeAcross() {
    const blocks = this.layers.map((layer) => this.blocks(layer));
    const needed = [
      this.inputs.length * PITCH,
      ...blocks.map(({ height }) => height),
      ...this.errors.map((column) => column.reduce((sum, { leaves }) => sum + (1 + leaves.length) * PITCH + 10, 0)),
    ];
    const height = Math.max(...needed);
    const tops = blocks[0].centres.length === this.inputs.length ? blocks[0].centres : null;
    this.inputs.forEach((slot, index) => {
      const centre = tops
        ? tops[index] + (height - blocks[0].height) / 2
        : (height * (index + 0.5)) / this.inputs.length;
      this.add(slot, 8, 10 + centre - 15, WIDTHS.pill, 30, "pill");
    });
    let x = 8 + WIDTHS.pill;
    let sources = this.inputs;
    this.layers.forEach((layer, depth) => {
      x = layer.isLarge
        ? this.rowsAcross(layer, depth, sources, x, 10 + (height - blocks[depth].height) / 2)
        : this.boxesAcross(layer, blocks[depth], sources, x, 10 + (height - blocks[depth].height) / 2);
      sources = layer.neurons.map((neuron) => neuron[1]);
    });
    this.errorsAcross(x);
  }

  /** How tall a layer is, and where the centres of its neurons are. */
  blocks({ neurons, shown, isShared, isLarge }) {
    const centres = [];
    const gap = isLarge ? 6 : 24;
    let y = 0;
    (isLarge ? shown : neurons).forEach(([net, out, weights, bias], index) => {
      const own = weights.length + (bias !== null && !isShared ? 1 : 0);
      const block = isLarge ? HEIGHTS.neuron : Math.max(own * PITCH, net === out ? PITCH : 2 * PITCH) - 10;
      centres.push(y + block / 2);
      y += block + gap;
      if (!isLarge && isShared && index === Math.ceil(neurons.length / 2) - 1) y += BOX + 44;
    });
    return { height: y - gap, centres };
  }

  boxesAcross({ neurons, biases, isShared }, { centres }, sources, start, top) {
    const x = start + 56;
    const right = x + WIDTHS.weight + 46;
    neurons.forEach(([net, out, weights, bias], index) => {
      const own = bias !== null && !isShared ? [...weights, bias] : weights;
      const first = top + centres[index] - (own.length * PITCH - 10) / 2;
      own.forEach((slot, row) => {
        this.add(slot, x, first + row * PITCH, WIDTHS.weight);
      });
      const y = top + centres[index] - (net === out ? BOX / 2 : PITCH - 5);
      this.neuron(net, out, right, y, WIDTHS.result);
    });
    if (isShared) {
      const half = Math.ceil(neurons.length / 2);
      this.add(biases[0], x, top + (centres[half - 1] + centres[half] - BOX) / 2, WIDTHS.weight);
    }
    for (const neuron of neurons) this.linesOf(neuron, sources);
    return right + WIDTHS.result;
  }

  neuron(net, out, x, y, width) {
    this.add(net, x, y, width);
    if (out === net) return;
    this.add(out, x, y + PITCH, width);
    this.frames.push({ x: x - 8, y: y - 8, width: width + 16, height: BOX + PITCH + 16 });
    this.edges.push({ path: `M${x + width / 2},${y + BOX}V${y + PITCH}`, of: [[out, net]] });
  }

  linesOf([net, , weights, bias], sources, options) {
    weights.forEach((weight, index) => {
      this.connect(sources[index], weight, [[net, sources[index]]], { ...options, weight });
      const both = [weight, sources[index]].map((slot) => [net, slot]);
      this.connect(weight, net, both, { ...options, weight });
    });
    if (bias !== null) this.connect(bias, net, [[net, bias]], options);
  }

  /** The neurons of a large layer, in rows. */
  neurons({ neurons, shown }, chosen, x, top) {
    if (shown.length < neurons.length) {
      const y = top + shown.length * (HEIGHTS.neuron + 6) + 10;
      this.notes.push({ x, y, text: `${shown.length} of ${neurons.length} neurons` });
    }
    shown.forEach((neuron, index) => {
      const [net, out] = neuron;
      const y = top + index * (HEIGHTS.neuron + 6);
      const height = (net === out ? ROW : 2 * ROW) + 4;
      this.frames.push({ x: x - 5, y: y - 1, width: WIDTHS.resultRow + 10, height, isChosen: neuron === chosen });
      this.add(net, x, y + 1, WIDTHS.resultRow, ROW, "row");
      if (out !== net) this.add(out, x, y + 1 + ROW, WIDTHS.resultRow, ROW, "row");
    });
  }

  rowsAcross(layer, depth, sources, start, top) {
    const { neurons, biases, isShared } = layer;
    const isOpen = !this.isFolded || depth === this.open;
    const x = start + 28;
    const right = x + (isOpen ? WIDTHS.weightRow : 16) + 28;
    const chosen = isOpen ? neurons[this.chosen[depth]] : null;
    this.neurons(layer, chosen, right, top);
    if (isOpen) this.weightsAcross(layer, chosen, sources, x);
    for (const neuron of neurons) {
      if (neuron === chosen) continue;
      neuron[2].forEach((weight, index) => {
        const both = [sources[index], weight].map((slot) => [neuron[0], slot]);
        this.connect(sources[index], neuron[0], both, { weight, isFaint: true });
      });
      if (isShared) this.connect(biases[0], neuron[0], [[neuron[0], biases[0]]], { isFaint: true });
    }
    if (isOpen) this.linesOf(chosen, sources);
    return right + WIDTHS.resultRow + 5;
  }

  /** The weights of the chosen neuron, each level with its input. */
  weightsAcross({ biases, isShared }, chosen, sources, x) {
    let last = -Infinity;
    const levels = sources.map((slot) => this.at.get(slot));
    const order = [...sources.keys()].filter((index) => levels[index]).sort((a, b) => levels[a].y - levels[b].y);
    for (const index of order) {
      const centre = levels[index].y + levels[index].height / 2;
      const y = Math.max(centre - ROW / 2, last + ROW + 2);
      this.add(chosen[2][index], x, y, WIDTHS.weightRow, ROW, "row weight");
      last = y;
    }
    const shown = isShared ? biases : chosen[3] === null ? [] : [chosen[3]];
    for (const bias of shown) this.add(bias, x, last + 2 * ROW, WIDTHS.weightRow, ROW, "row weight");
  }

  errorsAcross(start) {
    let x = start;
    for (const column of this.errors) {
      x += 36;
      let last = -Infinity;
      for (const { slot, leaves, operands } of column) {
        const inner = operands
          .filter((operand) => this.at.has(operand) && !leaves.includes(operand))
          .map((operand) => this.at.get(operand));
        const centre = inner.reduce((sum, made) => sum + made.y + made.height / 2, 0) / Math.max(inner.length, 1);
        const y = Math.max(centre - BOX / 2, last + 10 + leaves.length * PITCH, 10 + leaves.length * PITCH);
        leaves.forEach((leaf, index) => {
          this.add(leaf, x + 4, y - (leaves.length - index) * PITCH + 8, WIDTHS.error - 8, 30, "pill");
        });
        this.add(slot, x, y, WIDTHS.error);
        last = y + BOX;
        for (const operand of operands) {
          if (leaves.includes(operand)) {
            const { y: start, height } = this.at.get(operand);
            this.edges.push({ path: `M${x + WIDTHS.error / 2},${start + height}V${y}`, of: [[slot, operand]] });
          } else this.connect(operand, slot, [[slot, operand]]);
        }
      }
      x += WIDTHS.error;
    }
  }

  // From top to bottom.

  placeDown() {
    let y = this.row(this.inputs, ROWS.top, ROWS.pill, "pill") + ROWS.inputs;
    let sources = this.inputs;
    for (const layer of this.layers) {
      const { neurons } = layer;
      const weights = neurons.flatMap((neuron) => neuron[2]);
      for (let first = 0; first < weights.length; first += MOST_ACROSS) {
        y = this.row(weights.slice(first, first + MOST_ACROSS), y) + ROWS.weights;
      }
      const nets = inRow(layer, ([net]) => [net]);
      y = this.row(nets, y + ROWS.nets);
      const outs = neurons.filter(([net, out]) => out !== net);
      for (const [net, out] of outs) {
        const { x, width } = this.at.get(net);
        this.add(out, x, y + ROWS.outs, width, ROWS.height, "small");
        this.connect(net, out, [[out, net]], { isDown: true });
      }
      for (const neuron of neurons) this.linesOf(neuron, sources, { isDown: true });
      y += (outs.length ? ROWS.outs + ROWS.height : 0) + ROWS.end;
      sources = neurons.map((neuron) => neuron[1]);
    }
    this.errorsDown(y);
    this.linesOfErrors();
  }

  errorsDown(top) {
    let y = top;
    for (const column of this.errors) {
      const leaves = column.flatMap((entry) => entry.leaves);
      if (leaves.length) y = this.row(leaves, y, ROWS.pill, "pill small", leaves.length === 2 ? 0.5 : 0) + 16;
      const slots = column.map((entry) => entry.slot);
      y = this.row(slots, y) + ROWS.end;
    }
  }

  linesOfErrors() {
    for (const { slot, operands } of this.errors.flat()) {
      for (const operand of operands) this.connect(operand, slot, [[slot, operand]], { isDown: true });
    }
  }

  /** Boxes side by side over the whole width, or with so much of a place free at both ends; where the next row may start. */
  row(slots, y, height = ROWS.height, kind = "small", free = 0) {
    const { width: room, gap } = ROWS;
    const last = slots.length - 1 + 2 * free;
    const width = (room - gap * Math.max(last, 2)) / Math.max(last + 1, 3); // at most a third
    const spare = room - width * (last + 1);
    slots.forEach((slot, index) => {
      const x = last ? (index + free) * (spare / last + width) : spare / 2;
      this.add(slot, 4 + x, y, width, height, kind);
    });
    return y + height;
  }
}
