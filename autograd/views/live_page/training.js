// Gradient descent on the page, and its rounds in bounded memory.

import { assign } from "./program.js";

const MOST_SAMPLES = 1024;

/** A number from 0 to 1 that depends on a round alone, so that any round can be computed again. */
function picked(round) {
  let hash = Math.imul(round ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f);
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32;
}

/**
 * The training of one program.
 *
 * Settings are objects that are never changed: `learning` (slots), `rate`, `order` ("simultaneous" or "sequential"),
 * `pick` (whether a round takes one case, not the mean over all), `cases` (rows of numbers for `columns`), `columns`
 * (slots), and `leaves` (the numbers of all leaves).
 */
export class Training {
  constructor(program, settings) {
    this.program = program;
    this.slopes = new Float64Array(program.operands.length);
    this.grads = new Float64Array(program.size);
    this.round = 0;
    this.stride = 1;
    this.segments = [];
    this.samples = [];
    this.change(
      settings,
      Float64Array.from(settings.learning, (slot) => settings.leaves[slot]),
    );
  }

  /** The mean of the output over all cases, at the round shown. */
  get error() {
    this.known ??= this.errorOf(this.numbers);
    return this.known;
  }

  get settings() {
    return this.segmentAt(this.round).settings;
  }

  /** From the round shown on, train with other settings. Later rounds are dropped. */
  change(settings, numbers = this.numbers) {
    this.samples = this.samples.filter((sample) => sample.round < this.round);
    this.segments = this.segments.filter((segment) => segment.from < this.round);
    this.segments.push({ from: this.round, settings });
    this.last = this.round;
    this.diverged = false;
    this.prepare(settings);
    if (numbers.length !== settings.learning.length) throw new Error("one number for each parameter that learns");
    this.numbers = numbers;
    this.before = this.applied = null;
    this.known = undefined;
    this.sample();
  }

  /** From the round shown on, give a leaf another number: in a case, if the cases give numbers for it. */
  edit(slot, value, row) {
    const { settings } = this;
    const index = settings.learning.indexOf(slot);
    const column = settings.columns.indexOf(slot);
    if (index >= 0) this.change(settings, this.numbers.with(index, value));
    else if (column >= 0 && settings.cases.length) {
      const numbers = settings.cases[row].with(column, value);
      this.change({ ...settings, cases: settings.cases.with(row, numbers) });
    } else this.change({ ...settings, leaves: settings.leaves.with(slot, value) });
  }

  /** Do some rounds, for so many milliseconds; then `done` is called with how many are left. */
  run(rounds, milliseconds, done) {
    const end = performance.now() + milliseconds;
    let left = rounds;
    while (left > 0 && this.advance()) {
      left--;
      if (this.round % 16 === 0 && performance.now() > end) break;
    }
    done(this.diverged ? 0 : left);
  }

  /** Do one more round after the one shown; false if its numbers are not finite, and nothing is changed then. */
  advance() {
    if (this.last > this.round) this.change(this.settings);
    const { numbers, applied } = this.step(this.numbers, this.round);
    if (!numbers.every(Number.isFinite)) {
      this.diverge();
      return false;
    }
    this.before = this.numbers;
    this.applied = applied;
    this.numbers = numbers;
    this.known = undefined;
    this.last = ++this.round;
    if (this.round % this.stride === 0) this.sample();
    return true;
  }

  /** Go back to the last round with a finite error. */
  diverge() {
    const start = this.segmentAt(this.round).from;
    while (!Number.isFinite(this.error) && this.round > start) this.travel(this.round - 1);
    this.last = this.round;
    this.samples = this.samples.filter((sample) => sample.round <= this.last);
    this.diverged = true;
  }

  /** Show an earlier round, or a later one that was computed before. */
  travel(round) {
    const start = this.segmentAt(round).from;
    const target = Math.max(start, round - 1); // the last step is done anew, for what it applied
    const sample = this.samples.findLast((other) => other.round <= target) ?? this.samples[0];
    let { numbers } = sample;
    this.before = this.applied = null;
    for (let current = sample.round; current < round; current++) {
      const { settings } = this.segmentAt(current);
      if (settings !== this.prepared) this.prepare(settings);
      const next = this.step(numbers, current);
      if (current === round - 1) [this.before, this.applied] = [numbers, next.applied];
      numbers = next.numbers;
      const fixed = this.samples.find((other) => other.round === current + 1 && other.isStart);
      if (fixed) {
        numbers = fixed.numbers;
        this.before = this.applied = null;
      }
    }
    this.round = round;
    if (this.settings !== this.prepared) this.prepare(this.settings);
    this.numbers = numbers;
    this.known = undefined;
  }

  // How a round is computed.

  prepare(settings) {
    const { program } = this;
    this.prepared = settings;
    this.foreseen = undefined;
    this.lanes = (settings.cases.length ? settings.cases : [[]]).map((row) => {
      const lane = Float64Array.from(settings.leaves);
      if (row.length) assign(lane, settings.columns, row);
      return lane;
    });
    const layers = settings.order === "sequential" ? program.layers : [];
    const layerOf = new Map(program.parameters.map((slot, index) => [slot, layers[index] ?? 0]));
    const groups = Map.groupBy(settings.learning.keys(), (index) => layerOf.get(settings.learning[index]) ?? 0);
    this.groups = [...groups].sort(([a], [b]) => b - a).map(([, group]) => group);
  }

  /** The numbers after a round, and the gradients that it applied. Later layers first, in the sequential order. */
  step(numbers, round) {
    const { program, slopes, grads, prepared: settings } = this;
    const { learning, rate } = settings;
    const lanes = settings.pick ? [this.lanes[Math.floor(picked(round) * this.lanes.length)]] : this.lanes;
    const next = numbers.slice();
    const applied = new Float64Array(numbers.length);
    for (const lane of lanes) this.forward(lane, numbers);
    for (const group of this.groups) {
      for (const lane of lanes) {
        program.slopes(lane, slopes);
        program.accumulate(slopes, grads);
        for (const index of group) applied[index] += grads[learning[index]];
      }
      for (const index of group) {
        applied[index] /= lanes.length;
        next[index] -= rate * applied[index];
      }
      if (this.groups.length > 1) {
        for (const lane of lanes) for (const index of group) lane[learning[index]] = next[index];
      }
    }
    return { numbers: next, applied };
  }

  /** What the next round does to a number that learns. */
  updateOf(slot) {
    if (this.foreseen?.from !== this.numbers)
      this.foreseen = { from: this.numbers, ...this.step(this.numbers, this.round) };
    const { settings, foreseen } = this;
    const index = settings.learning.indexOf(slot);
    const [before, applied, now] = [this.numbers, foreseen.applied, foreseen.numbers].map((numbers) => numbers[index]);
    return { slot, before, applied, now, settings };
  }

  /** Compute the numbers of a case with those that learn, and return the output. */
  forward(lane, numbers) {
    assign(lane, this.prepared.learning, numbers);
    this.program.forward(lane);
    return lane[this.program.output];
  }

  errorOf(numbers) {
    return this.lanes.reduce((total, lane) => total + this.forward(lane, numbers), 0) / this.lanes.length;
  }

  // What is kept: the numbers of every round, then of every second one, every fourth, ….

  sample() {
    const isStart = this.segments.some((segment) => segment.from === this.round);
    this.samples.push({ round: this.round, numbers: this.numbers, error: this.error, isStart });
    if (this.samples.length > MOST_SAMPLES) {
      this.stride *= 2;
      this.samples = this.samples.filter((sample) => sample.round % this.stride === 0 || sample.isStart);
    }
  }

  segmentAt(round) {
    return this.segments.findLast((segment) => segment.from <= round) ?? this.segments[0];
  }
}
