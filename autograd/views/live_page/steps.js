// The steps of a graph, and all of its numbers at one moment.

import { product } from "./program.js";

/** The numbers of a graph, and the gradients that come back for them; `known` has them where Python computes them. */
export class Moment {
  constructor(graph, leaves, known) {
    const { program } = graph;
    this.graph = graph;
    if (known) {
      Object.assign(this, known);
      return;
    }
    this.numbers = Float64Array.from(leaves);
    this.slopes = new Float64Array(program.operands.length);
    this.grads = new Float64Array(program.size);
    program.forward(this.numbers);
    program.slopes(this.numbers, this.slopes);
    program.accumulate(this.slopes, this.grads);
  }

  /** The derivative of one node with respect to another one below it. */
  derivative(top, bottom) {
    const { program } = this.graph;
    if (top === program.output) return this.grads[bottom];
    this.scratch ??= new Float64Array(program.size);
    program.accumulate(this.slopes, this.scratch, top, bottom);
    return this.scratch[bottom];
  }

  /** Of each node that some edges [slot, operand] lead to, the sum over their paths of the products of slopes. */
  along(edges) {
    const { program } = this.graph;
    const sums = new Map([[edges[0][0], 1]]);
    for (const [slot, operand] of edges) {
      const edge = program.starts[slot] + operand;
      const to = program.operands[edge];
      const part = product(sums.get(slot) ?? 0, this.slopes[edge], program.selects[edge]);
      sums.set(to, (sums.get(to) ?? 0) + part);
    }
    return sums;
  }

  /** The derivatives of a station with respect to the stations next below it. */
  slopesOf(station) {
    return this.along(this.graph.edges(station));
  }
}

/** A graph as Python hands it over, with what is found out about it once. */
export class Graph {
  constructor(content, program, names) {
    this.content = content;
    this.program = program;
    this.names = names;
    this.stations = content.stations.map(([slot]) => slot);
    this.parents = new Map(content.stations);
    this.editable = new Set([...program.inputs, ...program.parameters]);
    this.isStation = new Uint8Array(program.size);
    for (const slot of [...this.stations, ...this.editable]) this.isStation[slot] = 1;
    this.users = new Map(); // for each station those that it is an operand of
    for (const slot of this.stations) {
      for (const operand of this.operands(slot)) this.users.set(operand, [...(this.users.get(operand) ?? []), slot]);
    }
    this.steps = new Steps(this, false);
    this.unfolded = content.operations ? new Steps(this, true) : this.steps;
  }

  /** The stations next below a station, constants among them. */
  operands(station) {
    if (this.program.isLeaf(station)) return [];
    const found = this.region(station).flatMap((slot) => [...this.program.operandsOf(slot)]);
    return [...new Set(found)].filter((slot) => this.isStation[slot]).sort((a, b) => a - b);
  }

  /** The operations between a station and the stations below it, from the top down, the station first. */
  region(station) {
    const { program } = this;
    const found = new Set([station]);
    for (const slot of found) {
      for (const operand of program.operandsOf(slot)) {
        if (!program.isLeaf(operand) && !this.isStation[operand]) found.add(operand);
      }
    }
    return [...found].sort((a, b) => b - a);
  }

  /** The edges from these operations, as [slot, operand]. */
  edges(station) {
    return this.region(station).flatMap((slot) =>
      [...this.program.operandsOf(slot).keys()].map((operand) => [slot, operand]),
    );
  }
}

/** Operations from the output on: of those whose users have all come, the one with the smallest slot is next. */
function readingOrder(operations, parentsOf) {
  const missing = new Map();
  for (const slot of operations) for (const to of parentsOf(slot)) missing.set(to, (missing.get(to) ?? 0) + 1);
  const isOperation = new Set(operations);
  const order = [];
  const ready = operations.filter((slot) => !missing.has(slot)).reverse(); // the smallest one is the last
  while (ready.length) {
    const slot = ready.pop();
    order.push(slot);
    for (const to of parentsOf(slot)) {
      missing.set(to, missing.get(to) - 1);
      if (missing.get(to) > 0 || !isOperation.has(to)) continue;
      let [low, high] = [0, ready.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (ready[middle] > to) low = middle + 1;
        else high = middle;
      }
      ready.splice(low, 0, to);
    }
  }
  return order;
}

/** The steps forward, one for each operation, backward, one for each edge, and then the updates, one for each number
 * that learns; at a position so many are done. */
export class Steps {
  constructor(graph, unfolded) {
    const { content, program } = graph;
    this.graph = graph;
    this.isUnfolded = unfolded;
    this.operations = unfolded
      ? [...Array(program.size).keys()].filter((slot) => !program.isLeaf(slot))
      : graph.stations;
    const formulas = unfolded ? content.operations : content.formulas;
    const slopes = unfolded ? content.operationSlopes : content.slopes;
    this.list = this.operations.map((slot, index) => ({ phase: "forward", slot, formula: formulas[index] }));
    this.forward = this.list.length;
    this.indices = new Map(this.operations.map((slot, index) => [slot, index]));
    this.edgesTo = new Map(); // for each node the steps that add to its gradient
    const parentsOf = (slot) =>
      unfolded
        ? [...program.operandsOf(slot)].map((to) => (program.isConstant[to] ? null : to))
        : graph.parents.get(slot);
    for (const slot of readingOrder(this.operations, parentsOf)) {
      parentsOf(slot).forEach((parent, operand) => {
        if (parent === null) return;
        this.edgesTo.set(parent, [...(this.edgesTo.get(parent) ?? []), this.list.length]);
        this.list.push({ phase: "backward", slot, parent, operand, formula: slopes[this.indices.get(slot)][operand] });
      });
    }
    this.backward = this.list.length; // where the steps backward end
  }

  get length() {
    return this.list.length;
  }

  /** Let the steps end with the updates of some leaves. */
  updating(slots) {
    this.list.length = this.backward;
    this.list.push(...slots.map((slot) => ({ phase: "update", slot })));
    return this;
  }

  /** The numbers of every step at a moment: a step's result; backward also its slope and the gradient before it. */
  results(moment) {
    const { program } = this.graph;
    const results = this.list.map((step) => ({ value: moment.numbers[step.slot], slope: NaN, before: NaN }));
    const sums = new Map();
    let slopes;
    let last = -1;
    for (let index = this.forward; index < this.backward; index++) {
      const { slot, parent, operand } = this.list[index];
      if (!this.isUnfolded && slot !== last) slopes = moment.slopesOf(slot);
      const edge = program.starts[slot] + operand;
      const slope = this.isUnfolded ? moment.slopes[edge] : slopes.get(parent);
      const selects = !this.isUnfolded || program.selects[edge];
      last = slot;
      const before = sums.get(parent) ?? 0;
      const isLast = this.edgesTo.get(parent).at(-1) === index;
      const value = isLast ? moment.grads[parent] : before + product(moment.grads[slot], slope, selects);
      sums.set(parent, value);
      results[index] = { value, slope, before };
    }
    return results;
  }
}
