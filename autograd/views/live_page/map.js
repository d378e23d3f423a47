// The decision map: what the network answers to every pair of its two inputs, on its output and on each hidden neuron.

import { stand, targetRange } from "./cases.js";
import { VIEWS } from "./controls.js";
import { boundary, CELLS, described, PLANE, paintCells, plane } from "./map_cells.js";
import { addControls, listen, TOUCHED } from "./map_controls.js";
import { element, shortened, svg } from "./notation.js";
import { assign } from "./program.js";

const MARGIN = 0.25; // of the range of the cases, on each side
const RANGES = { sigmoid: [0, 1], tanh: [-1, 1] }; // of what neurons put out
const SLOW = 20; // milliseconds; of maps that take longer, not every frame of a training has new ones
const MANY = 12; // points, of which each is smaller

/** The large map beside the picture, and what the small ones show. */
class DecisionMap {
  constructor(page) {
    this.page = page;
    const { graph, parts } = page;
    [this.inputs, this.outputs, this.targets] = graph.content.plane;
    this.chosenOutput = 0;
    this.side = 1; // of the target of a point that is added: 0 the low one, 1 the high one
    this.made = plane("");
    this.main = this.made.frame;
    this.main.tabIndex = 0;
    this.lines = svg("path", { class: "boundary" });
    this.points = svg("g");
    this.cross = svg("path", { class: "cross" });
    this.made.drawing.append(this.lines, this.points, this.cross);
    this.place();
    addControls(this);
    listen(this);
    this.inView = new Set();
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.inView[isIntersecting ? "add" : "delete"](target);
      if (page.isRunning) this.show();
    });
    for (const target of [this.main, parts.picture]) observer.observe(target);
  }

  /** The inputs that were put on the map, instead of those of a case. */
  probed() {
    const { training, settings } = this.page;
    const { probe } = this;
    return probe?.training === training && probe.cases === settings.cases ? probe.inputs : undefined;
  }

  leave() {
    this.probe = undefined;
  }

  fill(leaves) {
    const inputs = this.probed();
    if (inputs) assign(leaves, this.inputs, inputs);
  }

  /** Take another number for one of them. */
  take(slot, value) {
    const index = this.inputs.indexOf(slot);
    if (index < 0 || !this.probed()) return undefined;
    this.put(this.probed().with(index, value));
    return true;
  }

  get output() {
    return this.outputs[this.chosenOutput];
  }

  place() {
    const { graph, parts } = this.page;
    const { names } = graph;
    this.heading = element("span");
    if (this.outputs.length > 1) {
      const options = this.outputs.map((slot, index) => element("option", { value: index }, names.plain(slot)));
      const choice = element("select", { "aria-label": "Output of the map" }, ...options);
      choice.addEventListener("change", () => {
        this.chosenOutput = Number(choice.value);
        this.show();
      });
      this.heading.append(choice);
    } else this.heading.append(names.element(this.output));
    this.ends = [element("span"), element("span"), element("span")];
    this.ticks = ["left", "right", "bottom", "top"].map((name) => element(`span.tick.${name}`));
    const axes = this.inputs.map((slot, index) => element(`span.axis.${index ? "up" : "across"}`, names.element(slot)));
    this.reading = element("p.reading");
    this.section = element(
      "section.map",
      { "aria-label": "Decision map" },
      element("div.heading", this.heading, element("div.scale", { "aria-hidden": "true" }, element("i"), ...this.ends)),
      element("div.axes", this.main, ...axes, ...this.ticks),
      this.reading,
    );
    stand(this.page, this.section, (section) => parts.picture.parentElement.append(section));
  }

  // What is shown.

  /** What the map covers: for each input the ends of its axis, and those of its cases. */
  ranges() {
    const { settings, data } = this.page;
    const { cases, columns } = settings;
    const first = data.gates?.[settings.gate] ?? data.cases; // those that are moved do not move the map
    return this.inputs.map((slot) => {
      const column = columns.indexOf(slot);
      const range = (rows) => [
        Math.min(...rows.map((row) => row[column])),
        Math.max(...rows.map((row) => row[column])),
      ];
      const [least, most] = range(first);
      const [low, high] = range(cases);
      const margin = (most - least) * MARGIN || 0.5;
      return { low: Math.min(least - margin, low), high: Math.max(most + margin, high), least, most };
    });
  }

  /** The numbers of the two ends of the colours of a node. */
  endsOf(slot, values) {
    const { page } = this;
    const { predictions } = page.graph.content;
    const target = predictions.find(([out]) => out === slot)?.[1];
    const range = target === undefined ? null : targetRange(page, target);
    if (range && range.low < range.high) {
      const isShare = range.low >= 0 && range.high <= 1 && Math.abs(range.low + range.high - 1) < 1e-9;
      return isShare ? [0, 1] : [range.low, range.high];
    }
    const known = RANGES[page.graph.program.primitives[slot]];
    if (known) return known;
    const most = values.reduce((so, number) => Math.max(so, Math.abs(number)), 0) || 1;
    return [-most, most];
  }

  /** The two targets that points have, the low and the high one. */
  get kinds() {
    const { low, high } = targetRange(this.page, this.targets[0]);
    return low < high ? [low, high] : [Math.min(low, 0), Math.max(high, 1)];
  }

  /** Compute what the nodes with maps give in each cell. */
  compute(maps) {
    const { program } = this.page.graph;
    const lane = this.page.leaves();
    const [across, up] = this.area;
    for (let cell = 0; cell < CELLS * CELLS; cell++) {
      lane[this.inputs[0]] = across.low + ((across.high - across.low) * ((cell % CELLS) + 0.5)) / CELLS;
      lane[this.inputs[1]] = up.high - ((up.high - up.low) * (Math.floor(cell / CELLS) + 0.5)) / CELLS;
      program.forward(lane);
      for (const { slot, values } of maps) values[cell] = lane[slot];
    }
  }

  show() {
    const { page } = this;
    const now = performance.now();
    if (page.isRunning && (!this.inView.size || now < this.due)) return;
    this.area = this.ranges();
    const maps = [{ slot: this.output, ...this.made }, ...page.picture.maps];
    this.compute(maps);
    for (const made of maps) paintCells(made, this.endsOf(made.slot, made.values));
    const { values } = this.made;
    const [low, high] = this.endsOf(this.output, values);
    this.middle = (low + high) / 2;
    this.lines.setAttribute("d", boundary(values, this.middle));
    [low, this.middle, high].forEach((number, index) => {
      this.ends[index].textContent = shortened(number, 3);
    });
    this.showPoints();
    this.showReading();
    this.showControls();
    if (!page.isRunning) this.main.ariaLabel = described(values, low, high);
    const taken = performance.now() - now;
    this.due = taken > SLOW ? now + 3 * taken : 0;
  }

  /** Where two inputs are in the drawing. */
  at([x, y]) {
    const [across, up] = this.area;
    return [(PLANE * (x - across.low)) / (across.high - across.low), (PLANE * (up.high - y)) / (up.high - up.low)];
  }

  cases() {
    const { page } = this;
    const { cases, columns } = page.settings;
    const target = this.targets[this.chosenOutput];
    const range = target === undefined ? null : targetRange(page, target);
    return cases.map((row, index) => {
      const number = row[columns.indexOf(target)];
      const isHigh = number > (range?.low + range?.high) / 2 || (range?.low === range?.high && number > this.middle);
      const inputs = this.inputs.map((slot) => row[columns.indexOf(slot)]);
      const { areRight } = page.answers[index];
      const isRight = areRight.length ? areRight[this.chosenOutput] : this.answerTo(inputs) > this.middle === isHigh;
      return { inputs, isHigh, isRight, text: number === undefined ? "" : shortened(number, 3), index };
    });
  }

  showPoints() {
    const { page } = this;
    const cases = this.cases();
    const key = JSON.stringify([cases, this.probed(), page.case, this.area]);
    if (this.key === key && this.small === page.picture.maps) return;
    [this.key, this.small] = [key, page.picture.maps];
    const radius = cases.length > MANY ? 9 : 13;
    const circles = cases.map((point) => {
      const [cx, cy] = this.at(point.inputs);
      const circle = (r, look) => svg("circle", { cx, cy, r, class: look });
      const group = svg("g", { class: point.isHigh ? "point high" : "point low" });
      group.append(circle(TOUCHED, "reach"));
      const isChosen = point.index === page.case && !this.probed();
      if (isChosen || !point.isRight) group.append(circle(radius + 4.5, "halo"));
      if (isChosen) group.append(circle(radius + 4.5, "ring"));
      if (!point.isRight) group.append(circle(radius + (isChosen ? 8.5 : 4.5), "wrong"));
      group.append(circle(radius, "disc"));
      if (point.text.length <= 2) {
        const place = { x: cx, y: cy + radius / 3, "font-size": radius + 1 };
        group.append(svg("text", place, point.text));
      }
      return group;
    });
    this.points.replaceChildren(...circles);
    const dots = () =>
      cases.map(({ inputs, isHigh }) => {
        const [cx, cy] = this.at(inputs);
        return svg("circle", { cx, cy, r: 16, class: isHigh ? "dot high" : "dot low" });
      });
    for (const { drawing } of page.picture.maps) drawing.replaceChildren(...dots());
    const [across, up] = this.area;
    [across.least, across.most, up.least, up.most].forEach((number, index) => {
      const [x, y] = this.at(index < 2 ? [number, up.low] : [across.low, number]);
      const tick = this.ticks[index];
      tick.textContent = shortened(number, 3);
      if (index < 2) tick.style.left = `${(100 * x) / PLANE}%`;
      else tick.style.top = `${(100 * y) / PLANE}%`;
    });
  }

  showControls() {
    if (this.targets.length !== 1) return;
    const { page, kinds } = this;
    const target = page.settings.cases[page.case][page.settings.columns.indexOf(this.targets[0])];
    this.adding.ariaPressed = Boolean(this.isAdding);
    this.remove.disabled = Boolean(this.probed()) || page.settings.cases.length < 2;
    this.switches.forEach((made, side) => {
      made.textContent = shortened(kinds[side], 3);
      made.ariaPressed = this.isAdding ? side === this.side : !this.probed() && target === kinds[side];
      made.disabled = Boolean(this.probed()) && !this.isAdding;
    });
    this.section.classList.toggle("adding", Boolean(this.isAdding));
  }

  /** What the shown output is at two inputs. */
  answerTo(inputs) {
    const { program } = this.page.graph;
    const lane = this.page.leaves();
    assign(lane, this.inputs, inputs);
    program.forward(lane);
    return lane[this.output];
  }

  /** The cursor, or else the inputs put there, with what the network answers; returns that as text. */
  showReading() {
    const { page } = this;
    const at = this.cursor ?? this.probed();
    const [x, y] = at ? this.at(at) : [];
    this.cross.setAttribute("d", at ? `M${x - 7},${y}h14M${x},${y - 7}v14` : "");
    const { names } = page.graph;
    const parts = at
      ? [...this.inputs.flatMap((slot, index) => [names.element(slot), ` ${at[index]}${index ? ": " : ", "}`])]
      : [this.isAdding ? "Click where the point is to be." : "Point at the map to read a value."];
    if (at) parts.push(element("b", this.answerTo(at).toFixed(3)));
    this.reading.replaceChildren(...parts);
    return this.reading.textContent.replaceAll("-", "−");
  }

  /** What the network answers to the inputs of now. */
  sentence() {
    const { page } = this;
    const { names } = page.graph;
    const { numbers } = page.moment;
    const text = (slot) => shortened(numbers[slot], 4, page.isRunning && 4);
    const list = (slots, of) => slots.flatMap((slot, index) => [index ? " and " : "", of(slot)]);
    const inputs = this.inputs.flatMap((slot, index) => [
      index ? ", " : "",
      names.element(slot),
      ` = ${shortened(numbers[slot], 4)}`,
    ]);
    const answer = (slot) => element(`b.${numbers[slot] > this.middle ? "high" : "low"}`, text(slot));
    const said = ["At ", ...inputs, " the network answers ", ...list(this.outputs, answer), "."];
    if (this.probed() || !this.targets.length) return said;
    const targets = list(this.targets, (slot) => shortened(numbers[slot], 4));
    const verb = this.targets.length > 1 ? "targets are" : "target is";
    return [
      ...said,
      ` The ${verb} `,
      ...targets,
      `; the error is ${shortened(numbers[page.graph.program.output], 4)}.`,
    ];
  }

  // What a reader does.

  startAdding(isAdding) {
    this.isAdding = isAdding;
    this.show();
    if (isAdding) this.main.focus();
  }

  /** Set the target of the chosen point, or of that to be added. */
  setTarget(side) {
    this.side = side;
    if (this.isAdding) this.show();
    else if (!this.probed() && this.targets.length === 1) this.change(this.page.case, this.targets, [this.kinds[side]]);
  }

  /** A case with other numbers. */
  changed(row, slots, numbers) {
    const { columns } = this.page.settings;
    return row.map((number, column) => numbers[slots.indexOf(columns[column])] ?? number);
  }

  change(index, slots, numbers) {
    const { page } = this;
    const { cases } = page.settings;
    page.case = index;
    page.change({ cases: cases.with(index, this.changed(cases[index], slots, numbers)) });
  }

  add(inputs) {
    const { page } = this;
    const { cases } = page.settings;
    this.isAdding = false;
    page.case = cases.length;
    const row = this.changed(cases[0], [...this.inputs, this.targets[0]], [...inputs, this.kinds[this.side]]);
    page.change({ cases: [...cases, row] });
  }

  delete() {
    const { page } = this;
    const { cases } = page.settings;
    if (this.probed() || cases.length < 2) return;
    page.change({ cases: cases.toSpliced(page.case, 1) });
  }

  /** Put the inputs there, or a point if one is to be added. */
  put(inputs) {
    const { page } = this;
    if (this.isAdding) return this.add(inputs);
    this.probe = { inputs, training: page.training, cases: page.settings.cases };
    if (!page.position && !page.isAsking) page.isLive = true;
    page.refresh();
  }

  /** Show a case, as the table does. */
  choose(index) {
    const { page } = this;
    page.case = index;
    this.leave();
    page.refresh();
  }

  /** Two numbers in as many digits as the map can tell apart, within it. */
  rounded(inputs) {
    return inputs.map((number, index) => {
      const { low, high } = this.area[index];
      const decimals = Math.max(0, 2 - Math.floor(Math.log10(high - low)));
      return Number(Math.min(Math.max(number, low), high).toFixed(decimals));
    });
  }
}

VIEWS.push(DecisionMap);
