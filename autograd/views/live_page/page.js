// The page: its state, its controls, and when what is shown.

import { followAddress } from "./address.js";
import { prepareControls } from "./controls.js";
import { drawCurve } from "./curve.js";
import { Derivatives } from "./derivation.js";
import { diagnose } from "./diagnosis.js";
import { backwardLine, forwardLine, updateLine, verdict } from "./line.js";
import { counted, element, Names, parse, partsOf, readNumber, written } from "./notation.js";
import { Picture, show } from "./picture.js";
import { Program } from "./program.js";
import { Graph, Moment } from "./steps.js";
import { casesTable, derivation, parameterRows, publishedRows } from "./tables.js";
import { Training } from "./training.js";

const FIRST_SLICE = 200; // milliseconds that a training may keep the page waiting before it is shown how far it is
const SLICE = 40;
const CHOICES = 300; // nodes that a select offers; more are searched by name
const WATCHED = 200; // parameters whose gradients are watched

class Page {
  /** A page in a document or a shadow root, which holds its markup. */
  constructor(root, data) {
    this.root = root;
    this.parts = partsOf(root);
    this.data = data;
    this.graphs = data.graphs.map((content) => {
      const program = new Program(content.program, content.constants);
      const graph = new Graph(content, program, new Names(content.names, content.bases));
      graph.diagnosis = data.diagnosis;
      graph.derivatives = new Derivatives(graph);
      return graph;
    });
    this.parts.title.append(data.title);
    this.case = this.position = 0;
    prepareControls(this);
    this.begin();
    this.keepPlace = followAddress(this);
  }

  // State.

  get steps() {
    return this.parts.unfold.checked ? this.graph.unfolded : this.graph.steps;
  }

  get settings() {
    return this.training.settings;
  }

  /** Whether the numbers of the current step are hidden, since its result is to be predicted. */
  get isHidden() {
    return this.isAsking && !this.areFactorsShown;
  }

  /** Start with the numbers that the page came with. */
  begin() {
    const { data } = this;
    const kind = data.biases?.[this.parts.biases.value] ?? { graph: 0 };
    const isNew = this.graph !== this.graphs[kind.graph];
    this.stop();
    this.position = 0;
    this.isAsking = false;
    this.asked = this.message = undefined;
    this.graph = this.graphs[kind.graph];
    const { program, content } = this.graph;
    this.training = new Training(program, {
      learning: kind.learning ?? content.learning,
      rate: data.learningRate,
      order: this.parts.order.value,
      pick: this.parts.pick.value === "one",
      columns: content.columns,
      gate: this.parts.gate.value,
      cases: data.gates?.[this.parts.gate.value] ?? data.cases ?? [],
      leaves: program.initial,
    });
    if (isNew) this.prepareGraph();
    this.refresh();
  }

  prepareGraph() {
    const { graph, settings } = this;
    const { output, parameters } = graph.program;
    const name = graph.names.plain(output);
    this.folds = new Map(graph.stations.flatMap((station) => graph.region(station).map((slot) => [slot, station])));
    this.picture = new Picture(this.parts.picture, graph, this);
    this.parts.weightKey.hidden = !graph.content.network;
    this.parts.unfolding.hidden = graph.unfolded === graph.steps;
    this.parts.errorName.textContent =
      settings.cases.length > 1 ? "Average error" : /^E|error|loss/i.test(name) ? "Error" : name;
    this.parts.error.dataset.name = name;
    this.parts.training.hidden = !graph.content.canTrain;
    const isParameter = (slot) => (parameters.includes(slot) ? 0 : 1);
    const targets = [...graph.derivatives.roots.keys()];
    this.prepareQuestion(targets.sort((a, b) => isParameter(a) - isParameter(b) || a - b));
  }

  prepareQuestion(targets) {
    const { names, program } = this.graph;
    this.parts.question.hidden = !targets.length;
    const isShort = targets.length <= CHOICES;
    const key = (slot) => (isShort ? String(slot) : names.plain(slot));
    const text = (slot) => (isShort ? names.plainDerivative(program.output, slot) : "");
    const options = targets.map((slot) => element("option", { value: key(slot) }, text(slot)));
    if (isShort) {
      this.why = element("select", { id: "why" }, element("option", { value: "" }, "∂…"), ...options);
      this.parts.whyPlace.replaceChildren(this.why);
    } else {
      this.why = element("input", { id: "why", type: "text", list: "targets", placeholder: "name of a node" });
      this.parts.whyPlace.replaceChildren(this.why, element("datalist", { id: "targets" }, ...options));
    }
    this.why.addEventListener("change", () => this.ask(targets.find((slot) => key(slot) === this.why.value)));
  }

  /** The numbers of all leaves at the round shown, with the chosen case. */
  leaves() {
    const { settings, training } = this;
    const leaves = Float64Array.from(settings.leaves);
    settings.cases[this.case]?.forEach((number, column) => {
      leaves[settings.columns[column]] = number;
    });
    settings.learning.forEach((slot, index) => {
      leaves[slot] = training.numbers[index];
    });
    return leaves;
  }

  /** Compute everything anew, and show it. */
  refresh() {
    this.moment = new Moment(this.graph, this.leaves());
    this.results = null;
    this.show();
  }

  resultsAt(index) {
    this.results ??= this.steps.results(this.moment);
    return this.results[index];
  }

  /** The gradient of a node as far as it is known. */
  gradOf(slot) {
    const index = this.steps.gradStep(slot, this.position);
    return index === undefined ? undefined : index < 0 ? 1 : this.resultsAt(index).value;
  }

  numberOf(slot) {
    return this.steps.isKnown(slot, this.position) ? this.moment.numbers[slot] : undefined;
  }

  /** Whether a number may be shown apart from the steps: while numbers are predicted, once it is known. */
  mayShow(slot, kind) {
    if (!this.parts.predict.checked) return true;
    const { indices, edgesTo, forward } = this.steps;
    const last = kind === "grad" ? (edgesTo.get(slot)?.at(-1) ?? forward) : (indices.get(slot) ?? -1);
    return last < this.position;
  }

  /** The current step, with the boxes that it concerns. */
  current() {
    const index = this.isAsking ? this.position : this.position - 1;
    const step = this.steps.list[index];
    if (!step) return null;
    const station = this.folds.get(step.slot);
    const parent = this.folds.get(step.parent) ?? step.parent;
    const isWithin = station === parent; // an edge between operations of one box
    return {
      ...step,
      index,
      station,
      box: isWithin || step.phase === "forward" ? undefined : parent,
      factors: step.phase === "forward" ? [] : parse(step.formula).map((part) => part.slot),
    };
  }

  // Actions.

  /** Give a leaf another number; false if the text is none. Without a text, what was refused is forgotten. */
  edit(slot, text) {
    if (text === undefined) return this.say();
    const value = readNumber(text);
    const { settings, training } = this;
    if (!Number.isFinite(value))
      return this.say(`“${text.slice(0, 40)}” is not a number. Type one, such as 0.15 or −2e−3.`);
    this.stop();
    const index = settings.learning.indexOf(slot);
    const column = settings.columns.indexOf(slot);
    if (index >= 0) {
      training.change(settings, training.numbers.with(index, value));
    } else if (column >= 0 && settings.cases.length) {
      const row = settings.cases[this.case].with(column, value);
      training.change({ ...settings, cases: settings.cases.with(this.case, row) });
    } else {
      training.change({ ...settings, leaves: settings.leaves.with(slot, value) });
    }
    this.message = undefined;
    this.refresh();
    return true;
  }

  /** Say something in place of the sentence of the step, or that sentence again. */
  say(text) {
    this.message = text;
    this.showStep();
    return false;
  }

  ask(slot) {
    this.asked = slot;
    this.show();
  }

  choose(index) {
    this.case = index;
    this.refresh();
    this.parts.casesPlace.querySelector(":checked").focus();
  }

  go(position) {
    this.isAsking = false;
    this.message = undefined;
    this.position = Math.min(Math.max(position, 0), this.steps.length);
    this.show();
  }

  next() {
    if (this.isAsking || this.position >= this.steps.length) return;
    if (!this.parts.predict.checked) return this.go(this.position + 1);
    this.isAsking = true;
    this.areFactorsShown = false;
    this.message = undefined;
    this.show();
    this.parts.guess.value = "";
    this.parts.guess.focus();
  }

  previous() {
    this.go(this.isAsking ? this.position : this.position - 1);
  }

  /** Stop what is running, a training or the steps that play; whether anything was. */
  stop() {
    clearTimeout(this.timer);
    clearTimeout(this.player);
    const wasRunning = this.timer || this.player;
    this.timer = this.player = undefined;
    return wasRunning;
  }

  play() {
    if (this.stop()) return this.show();
    if (this.position >= this.steps.length) this.position = 0;
    const step = () => {
      const isLast = this.position + 1 >= this.steps.length;
      this.player = isLast ? undefined : setTimeout(step, Number(this.parts.speed.value));
      this.go(this.position + 1);
    };
    step();
  }

  /** Train some rounds; of many, those done so far are shown now and then. */
  train(rounds, slice = rounds === Infinity ? SLICE : FIRST_SLICE) {
    const { training } = this;
    const end = performance.now() + slice;
    let left = rounds;
    while (left > 0 && training.advance()) {
      left--;
      if (training.round % 16 === 0 && performance.now() > end) break;
    }
    this.position = 0;
    this.isAsking = false;
    this.message = undefined;
    this.timer = left > 0 && !training.diverged ? setTimeout(() => this.train(left, SLICE)) : undefined;
    this.refresh();
  }

  /** Train on with other settings from the round shown. */
  change(changes) {
    this.stop();
    this.training.change({ ...this.settings, ...changes });
    this.refresh();
  }

  check() {
    const step = this.current();
    const grad = step.phase === "backward" ? this.moment.grads[step.slot] : NaN;
    const { text, isRight } = verdict(this.parts.guess.value, this.resultsAt(step.index), grad);
    if (isRight) this.go(this.position + 1);
    this.message = text;
    this.showStep();
    this.parts[isRight ? "next" : "guess"].focus();
  }

  // What is shown.

  show() {
    this.keepPlace?.();
    this.showControls();
    this.showPicture();
    this.showStep();
    this.showTraining();
    const { cases } = this.settings;
    this.parts.cases.hidden = !cases.length;
    if (cases.length) this.parts.casesPlace.replaceChildren(casesTable(this));
    this.showWhy();
    this.showOthers();
    this.parts.allTitle.textContent = `All ${counted(this.steps.length)} steps`;
    if (this.parts.all.open) this.list.show();
    if (this.parts.published.open)
      this.parts.publishedRows.replaceChildren(...publishedRows(this, this.data.published));
  }

  showControls() {
    const { length, forward } = this.steps;
    const { position, isAsking } = this;
    const focused = this.root.activeElement;
    this.parts.first.disabled = this.parts.previous.disabled = position === 0 && !isAsking;
    this.parts.next.disabled = this.parts.last.disabled = position === length;
    if (focused?.disabled) this.parts[position ? "previous" : "next"].focus();
    for (const id of ["first", "next", "last", "play"]) this.parts[id].hidden = isAsking === true;
    this.parts.answers.hidden = !isAsking;
    this.parts.play.textContent = this.player ? "Pause" : "Play";
    const slider = this.parts.position;
    const [turn, done] = [forward, position].map((count) => `${(100 * count) / length}%`);
    slider.max = length;
    slider.value = position;
    slider.style.setProperty("--turn", turn);
    slider.style.setProperty("--done", done);
    this.parts.turning.style.left = `max(${turn}, 5em)`;
    this.parts.count.textContent = `step ${position} of ${length}`;
    slider.setAttribute("aria-valuetext", this.parts.count.textContent);
  }

  showPicture() {
    this.picture.update(this, this.current(), this.warned());
    this.parts.hidden.hidden = !this.picture.placement.isPart;
    this.parts.hidden.textContent = `One of ${counted(this.graph.stations.length)} operations, with its neighbours.`;
  }

  /** Point out a gradient that is zero, nan or huge once it is known; returns the boxes concerned. */
  warned() {
    const { graph, training, moment, settings } = this;
    let text = training.round ? `These are the numbers of round ${counted(training.round)}.` : "";
    let found;
    let at;
    if (training.diverged) found = { text: "The training diverged. Choose a smaller learning rate." };
    else if (training.round || this.position === this.steps.length) {
      at = settings.learning.slice(0, WATCHED).find((slot) => {
        found = diagnose(graph, moment, slot);
        return found && (found.isUnary || !(Math.abs(moment.grads[slot]) < 1));
      });
      if (at === undefined) found = null;
    }
    if (found) text = `⚠ ${found.text}`;
    const notice = this.parts.notice;
    notice.classList.toggle("warning", Boolean(found));
    if (notice.textContent !== text) notice.textContent = text;
    return found ? [at, this.folds.get(found.slot)] : [];
  }

  showStep() {
    const { training, settings } = this;
    const step = this.current();
    const chip = this.parts.phase;
    chip.hidden = !step && !training.applied;
    let sentence = [
      "Press ",
      element("b", "Next"),
      ": the first number is computed. After the last one, the gradient goes back. Numbers with a dotted line can be changed.",
    ];
    let line = [];
    if (step) {
      const isBackward = step.phase === "backward";
      chip.textContent = isBackward ? "← Backward" : "Forward →";
      [sentence, line] = isBackward ? backwardLine(this, step) : forwardLine(this, step);
    } else if (training.applied) {
      chip.textContent = `Round ${counted(training.round)}`;
      [sentence, line] = updateLine(this, settings.learning.includes(this.asked) ? this.asked : settings.learning[0]);
    }
    chip.className = `chip ${step?.phase ?? ""}`;
    this.parts.sentence.replaceChildren(...(this.message ? [element("b", this.message)] : sentence));
    this.parts.line.replaceChildren(...line);
    let spoken = this.parts.sentence.textContent;
    if (step && !this.isAsking) {
      const { names, program } = this.graph;
      const { slot, parent } = step;
      const name = parent === undefined ? names.plain(slot) : names.plainDerivative(program.output, parent);
      spoken += ` ${name} is ${written(this.resultsAt(step.index).value)}.`;
    }
    if (this.parts.spoken.textContent !== spoken) this.parts.spoken.textContent = spoken;
  }

  showTraining() {
    const { training, settings } = this;
    show(this.parts.rounds, training.round, counted(training.round));
    show(this.parts.error, training.error, written(training.error));
    show(this.rate, settings.rate, written(settings.rate));
    this.parts.keep.textContent = this.timer ? "Pause training" : "Keep training";
    const slider = this.parts.round;
    slider.max = training.last;
    slider.value = training.round;
    slider.disabled = training.last === 0;
    slider.setAttribute("aria-valuetext", `round ${training.round} of ${training.last}`);
    this.parts.lastRound.textContent = training.last ? counted(training.last) : "";
    this.parts.order.value = settings.order;
    this.parts.pick.value = settings.pick ? "one" : "all";
    this.parts.gate.value = settings.gate;
    const range = drawCurve(this.parts.curve, training, this.parts.logarithmic.checked);
    this.parts.empty.hidden = range !== null;
    this.parts.high.textContent = range ? written(range[1], 2) : "";
    this.parts.low.textContent = range ? written(range[0], 2) : "";
  }

  showWhy() {
    const { graph, asked, moment } = this;
    const isAsked = asked !== undefined;
    this.why.value = !isAsked ? "" : this.why.list ? graph.names.plain(asked) : asked;
    this.parts.whyEmpty.hidden = isAsked || this.parts.question.hidden;
    this.parts.derivation.hidden = !isAsked;
    const isShown = isAsked && this.mayShow(asked, "grad");
    const found = isShown && diagnose(graph, moment, asked);
    this.parts.copies.hidden = !isShown;
    this.parts.diagnosis.hidden = !found;
    this.parts.diagnosis.textContent = found ? `⚠ ${found.text}` : "";
    this.parts.derivation.replaceChildren(
      ...(isShown ? derivation(this, asked) : ["It is shown when you have predicted its numbers."]),
    );
  }

  /** The parameters of a network that have no box in its picture. */
  showOthers() {
    const { graph, picture } = this;
    const slots = graph.content.network ? graph.program.parameters.filter((slot) => !picture.boxes.has(slot)) : [];
    this.parts.others.hidden = !slots.length;
    if (this.others?.key !== slots.join()) {
      this.others = { key: slots.join(), rows: parameterRows(this, slots) };
      this.parts.othersRows.replaceChildren(...this.others.rows.map((made) => made.row));
    }
    for (const { slot, input, grad } of this.others.rows) {
      const known = this.gradOf(slot);
      show(input, this.moment.numbers[slot], written(this.moment.numbers[slot], 6));
      show(grad, known, known === undefined ? "?" : written(known, 6));
    }
  }
}

new Page(document, JSON.parse(document.getElementById("data").textContent));
