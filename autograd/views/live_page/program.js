// A program on the page: its instructions as typed arrays, and the forward and backward pass over them.

import { compute, differentiate, FORMS, SELECTS } from "./rules.js";

const NOT_FINITE = { inf: Infinity, "-inf": -Infinity, nan: NaN };

/** A gradient times a slope; what was not chosen contributes 0, as `guard` of primitives.py says. */
export function product(grad, slope, selects) {
  return grad === 0 || (selects && slope === 0) ? 0 : grad * slope;
}

export function assign(lane, slots, numbers) {
  for (let index = 0; index < slots.length; index++) lane[slots[index]] = numbers[index];
}

/** A program as Python writes it to JSON, with the slots that get no gradient. */
export class Program {
  constructor(data, constants) {
    const size = data.instructions.length;
    this.size = size;
    this.output = data.outputs[0];
    this.inputs = data.inputs;
    this.parameters = data.parameters;
    this.layers = data.layers;
    this.starts = new Int32Array(size + 1);
    this.operands = Int32Array.from(data.operands);
    this.forms = new Int32Array(size).fill(-1); // -1: a leaf
    this.primitives = new Array(size).fill(null);
    this.initial = new Float64Array(size);
    const numbers = data.numbers.map((number) => NOT_FINITE[number] ?? number);
    let leaf = 0;
    for (let slot = 0; slot < size; slot++) {
      const code = data.instructions[slot];
      this.starts[slot + 1] = this.starts[slot] + data.counts[slot];
      if (code) {
        this.primitives[slot] = data.primitives[code - 1];
        this.forms[slot] = FORMS.indexOf(`${this.primitives[slot]}/${data.counts[slot]}`);
      } else {
        this.initial[slot] = numbers[leaf++];
      }
    }
    this.isConstant = new Uint8Array(size);
    for (const slot of constants) this.isConstant[slot] = 1;
    this.wanted = Uint8Array.from(this.operands, (slot) => 1 - this.isConstant[slot]);
    this.selects = new Uint8Array(this.operands.length); // for each edge whether its primitive selects
    for (let slot = 0; slot < size; slot++) {
      for (const operand of SELECTS[this.forms[slot]] ?? []) this.selects[this.starts[slot] + operand] = 1;
    }
  }

  isLeaf(slot) {
    return this.forms[slot] < 0;
  }

  operandsOf(slot) {
    return this.operands.subarray(this.starts[slot], this.starts[slot + 1]);
  }

  /** Compute the numbers of all operations from those of the leaves. */
  forward(numbers) {
    const { size, forms, operands, starts } = this;
    for (let slot = 0; slot < size; slot++) {
      if (forms[slot] >= 0) numbers[slot] = compute(forms[slot], numbers, operands, starts[slot]);
    }
  }

  /** Compute the slope of each operation with respect to each operand that is no constant. */
  slopes(numbers, slopes) {
    const { size, forms, operands, starts, wanted } = this;
    for (let slot = 0; slot < size; slot++) {
      if (forms[slot] >= 0) differentiate(forms[slot], numbers[slot], numbers, operands, starts[slot], wanted, slopes);
    }
  }

  /** Add up the gradients of `top` with respect to the nodes below it, given the slopes. */
  accumulate(slopes, grads, top = this.output, bottom = 0) {
    const { forms, operands, starts, wanted, selects } = this;
    grads.fill(0);
    grads[top] = 1;
    for (let slot = top; slot > bottom; slot--) {
      const grad = grads[slot];
      if (forms[slot] < 0 || grad === 0) continue;
      for (let edge = starts[slot]; edge < starts[slot + 1]; edge++) {
        if (wanted[edge]) grads[operands[edge]] += product(grad, slopes[edge], selects[edge]);
      }
    }
  }
}
