// The page: its state, its controls, and when what is shown. It has more than 500 lines, since all of this is one state.

import { followAddress } from "./address.js";
import { prepareControls, VIEWS } from "./controls.js";
import { drawCurve } from "./curve.js";
import { Derivatives } from "./derivation.js";
import { diagnose } from "./diagnosis.js";
import { backwardLine, factorOf, forwardLine, roundLine, updateLine, verdict } from "./line.js";
import { counted, element, Names, parse, partsOf, readNumber, shortened, written } from "./notation.js";
import { Picture, show } from "./picture.js";
import { assign, Program } from "./program.js";
import { Graph, Moment } from "./steps.js";
import { derivation, parameterRows, publishedRows } from "./tables.js";
import { Training } from "./training.js";

const FIRST_SLICE = 200; // milliseconds that a training may keep the page waiting before it is shown how far it is
const SLICE = 40;
const FRAME = 12; // likewise, of the time of a frame
const CALM = 500; // milliseconds between two pictures of a training where motion is to be reduced
const SPOKEN = 5000; // likewise between two reports to a screen reader
const CHOICES = 300; // nodes that a select offers; more are searched by name
const WATCHED = 200; // parameters whose gradients are watched

export class Page {
  /** A page in a document or a shadow root, which holds its markup. `train` makes what computes its numbers. */
  constructor(root, data, train = (program, settings) => new Training(program, settings)) {
    this.root = root;
    this.trainingOf = train;
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
    this.case = this.position = this.spokenAt = 0;
    this.pace = "10";
    prepareControls(this);
    this.begin();
    this.keepPlace = followAddress(this);
    this.tell("begun");
  }

  // State.

  get steps() {
    return this.parts.unfold.checked ? this.graph.unfolded : this.graph.steps;
  }

  /** Whether there is something to learn, so that the steps end with an update and are followed by the next round. */
  get learns() {
    return this.graph.content.canTrain;
  }

  get settings() {
    return this.training.settings;
  }

  /** Whether the numbers of the current step are hidden, since its result is to be predicted. */
  get isHidden() {
    return this.isAsking && !this.areFactorsShown;
  }

  get isRunning() {
    return Boolean(this.timer || this.frame);
  }

  /** Start with the numbers that the page came with, or with others for what learns. */
  begin(numbers) {
    const { data, parts } = this;
    const kind = data.biases?.[parts.biases.value] ?? { graph: 0 };
    const isNew = this.graph !== this.graphs[kind.graph];
    this.stop();
    this.position = 0;
    this.isAsking = this.isLive = false;
    this.asked = this.message = undefined;
    this.graph = this.graphs[kind.graph];
    const { program, content } = this.graph;
    this.training = this.trainingOf(program, {
      learning: kind.learning ?? content.learning,
      rate: data.learningRate,
      order: parts.order.value,
      pick: parts.pick.value === "one",
      columns: content.columns,
      gate: parts.gate.value,
      cases: data.gates?.[parts.gate.value] ?? data.cases ?? [],
      leaves: program.initial,
    });
    if (numbers) this.training.change(this.settings, numbers);
    if (isNew) this.prepareGraph();
    this.refresh();
  }

  prepareGraph() {
    const { graph, settings, parts } = this;
    const { output, parameters } = graph.program;
    const name = graph.names.plain(output);
    this.folds = new Map(graph.stations.flatMap((station) => graph.region(station).map((slot) => [slot, station])));
    this.picture = new Picture(parts.picture, graph, this);
    parts.weightKey.hidden = !graph.content.network;
    parts.unfolding.hidden = graph.unfolded === graph.steps;
    parts.errorName.textContent =
      settings.cases.length > 1 ? "Average error" : /^E|error|loss/i.test(name) ? "Error" : name;
    parts.error.dataset.name = name;
    parts.training.hidden = !this.learns;
    this.views ??= VIEWS.map((View) => new View(this));
    const isParameter = (slot) => (parameters.includes(slot) ? 0 : 1);
    const targets = [...graph.derivatives.roots.keys()];
    this.prepareQuestion(targets.sort((a, b) => isParameter(a) - isParameter(b) || a - b));
  }

  prepareQuestion(targets) {
    const { parts } = this;
    const { names, program } = this.graph;
    parts.question.hidden = !targets.length;
    const isShort = targets.length <= CHOICES;
    const key = (slot) => (isShort ? String(slot) : names.plain(slot));
    const text = (slot) => (isShort ? names.plainDerivative(program.output, slot) : "");
    const options = targets.map((slot) => element("option", { value: key(slot) }, text(slot)));
    if (isShort) {
      this.why = element("select", { id: "why" }, element("option", { value: "" }, "∂…"), ...options);
      parts.whyPlace.replaceChildren(this.why);
    } else {
      this.why = element("input", { id: "why", type: "text", list: "targets", placeholder: "name of a node" });
      parts.whyPlace.replaceChildren(this.why, element("datalist", { id: "targets" }, ...options));
    }
    this.why.addEventListener("change", () => this.ask(targets.find((slot) => key(slot) === this.why.value)));
  }

  /** The numbers of all leaves, with the chosen case; by default those of the round shown. */
  leaves(settings = this.settings, numbers = this.training.numbers) {
    const leaves = Float64Array.from(settings.leaves);
    const row = settings.cases[this.case];
    if (row) assign(leaves, settings.columns, row);
    assign(leaves, settings.learning, numbers);
    this.tell("fill", leaves);
    return leaves;
  }

  refresh() {
    this.tell("prepare");
    this.moment = new Moment(this.graph, this.leaves(), this.training.computed);
    this.results = null;
    const { learning } = this.settings;
    if (this.groups !== this.training.groups) {
      this.groups = this.training.groups; // the numbers that move together, those that move first being the first
      const slots = this.learns ? this.groups.flat().map((index) => learning[index]) : [];
      for (const steps of [this.graph.steps, this.graph.unfolded]) steps.updating(slots);
    }
    this.show();
  }

  /** What the first of the views answers that can. */
  tell(name, ...given) {
    let answer;
    for (const view of this.views) answer ??= view[name]?.(...given);
    return answer;
  }

  resultsAt(index) {
    const { steps } = this;
    if (index >= steps.backward) return { value: this.training.updateOf(steps.list[index].slot).now };
    this.results ??= steps.results(this.moment);
    return this.results[index];
  }

  /** The gradient of a node as far as it is known. */
  gradOf(slot) {
    const { steps, position } = this;
    if (this.isLive) return this.moment.grads[slot];
    if (slot === this.graph.program.output) return position > steps.forward ? 1 : undefined;
    const index = steps.edgesTo.get(slot)?.findLast((step) => step < position);
    return index === undefined ? undefined : this.resultsAt(index).value;
  }

  numberOf(slot) {
    const index = this.steps.indices.get(slot) ?? (this.graph.program.isLeaf(slot) ? -1 : Infinity);
    return this.isLive || index < this.position ? this.moment.numbers[slot] : undefined;
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
    const index = this.isAsking ? this.position : (this.lit ?? this.position - 1);
    const step = this.steps.list[index];
    if (!step) return null;
    const station = this.folds.get(step.slot) ?? step.slot;
    const parent = this.folds.get(step.parent) ?? step.parent;
    const isBackward = step.phase === "backward";
    const isWithin = station === parent; // an edge between operations of one box
    return {
      ...step,
      index,
      station,
      box: isBackward && !isWithin ? parent : undefined,
      factors: isBackward ? parse(step.formula).map((part) => part.slot) : [],
    };
  }

  // Actions.

  /** Give a leaf another number; false if the text is none. Without a text, what was refused is forgotten. */
  edit(slot, text) {
    if (text === undefined) return this.say();
    const value = readNumber(text);
    if (!Number.isFinite(value))
      return this.say(`“${text.slice(0, 40)}” is not a number. Type one, such as 0.15 or −2e−3.`);
    this.stop();
    if (this.tell("take", slot, value)) return true;
    this.training.edit(slot, value, this.case);
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

  /** Show what is known after so many steps; the last of them is the current one, unless another is. */
  go(position, current) {
    if (this.isRunning) this.stop();
    this.isAsking = this.isLive = false;
    this.message = undefined;
    this.lit = current;
    this.position = Math.min(Math.max(position, 0), this.steps.length);
    this.show();
  }

  next() {
    const { parts } = this;
    if (this.isAsking || this.tell("next")) return;
    if (this.position >= this.steps.length) {
      if (this.learns) this.train(1);
      return;
    }
    if (!parts.predict.checked) return this.go(this.position + 1);
    this.isAsking = true;
    this.areFactorsShown = false;
    this.message = undefined;
    this.show();
    parts.guess.value = "";
    parts.guess.focus();
  }

  previous() {
    if (this.tell("previous")) return;
    this.go(this.isAsking ? this.position : this.position - 1);
  }

  /** Stop what is running, a training or the steps that play; whether anything was. */
  stop() {
    clearTimeout(this.timer);
    clearTimeout(this.player);
    cancelAnimationFrame(this.frame);
    const wasRunning = this.isRunning || this.player;
    this.timer = this.player = this.frame = undefined;
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
  train(rounds, slice = FIRST_SLICE) {
    this.timer = -1; // until it is known how many are left
    this.advance(rounds, slice, (left) => {
      this.timer = left > 0 && this.timer ? setTimeout(() => this.train(left, SLICE)) : undefined;
      this.isLive = this.isRunning;
      this.refresh();
    });
  }

  /** Train on, so many rounds a frame, with all numbers shown, until it is stopped. */
  keepTraining() {
    const isCalm = matchMedia("(prefers-reduced-motion)").matches;
    let shown = 0;
    let isDue = true; // the last rounds are done
    const frame = (now) => {
      this.frame = requestAnimationFrame(frame);
      this.isLive = true;
      if (!isDue) return;
      isDue = false;
      this.advance(Number(this.pace), this.pace === "Infinity" ? FRAME : FIRST_SLICE, () => {
        isDue = true;
        if (this.training.diverged) this.stop();
        if (isCalm && this.isRunning && now - shown < CALM) return;
        shown = now;
        this.refresh();
      });
    };
    frame(performance.now());
  }

  /** Do so many rounds of training, or as many as there is time for; then `done` is told how many are left. */
  advance(rounds, milliseconds, done) {
    this.training.run(rounds, milliseconds, (left) => {
      this.position = 0;
      this.isAsking = false;
      this.message = undefined;
      done(left);
    });
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
    const result = this.resultsAt(step.index);
    const missed = (isNear) => factorOf(result, grad, isNear);
    const [text, isRight] = verdict(this.parts.guess.value, result.value, missed);
    if (isRight) this.go(this.position + 1);
    this.message = text;
    this.showStep();
    this.parts[isRight ? "next" : "guess"].focus();
  }

  // What is shown.

  show() {
    const { parts } = this;
    this.keepPlace?.();
    this.showControls();
    this.showPicture();
    this.showStep();
    this.showTraining();
    parts.cases.hidden = !this.settings.cases.length;
    this.tell("show");
    this.showWhy();
    this.showOthers();
    parts.allTitle.textContent = `All ${counted(this.steps.length)} steps`;
    if (parts.all.open) this.list.show();
    if (parts.published.open) parts.publishedRows.replaceChildren(...publishedRows(this, this.data.published));
  }

  showControls() {
    const { length, forward, backward } = this.steps;
    const { position, isAsking, parts } = this;
    const focused = this.root.activeElement;
    parts.first.disabled = parts.previous.disabled = position === 0 && !isAsking;
    parts.last.disabled = position === length;
    parts.next.disabled = position === length && !this.learns;
    if (focused?.disabled) parts[position ? "previous" : "next"].focus();
    for (const id of ["first", "next", "last", "play"]) parts[id].hidden = isAsking;
    parts.answers.hidden = !isAsking;
    parts.play.textContent = this.player ? "Pause" : "Play";
    const slider = parts.position;
    slider.max = length;
    slider.value = position;
    const share = (count) => `${(100 * count) / length}%`;
    for (const [name, count] of Object.entries({ turn: forward, end: backward, done: position }))
      slider.style.setProperty(`--${name}`, share(count));
    parts.turning.style.left = `max(${share(forward)}, 5em)`;
    parts.count.textContent = `step ${position} of ${length}`;
    slider.ariaValueText = parts.count.textContent;
  }

  showPicture() {
    this.picture.update(this, this.current(), this.warned());
    this.parts.hidden.hidden = !this.picture.placement.isPart;
    this.parts.hidden.textContent = `One of ${counted(this.graph.stations.length)} operations, with its neighbours.`;
  }

  /** Point out a gradient that is zero, nan or huge once it is known; returns the boxes concerned. */
  warned() {
    const { graph, training, moment, settings, isRunning } = this;
    const outcome = this.tell("outcome");
    let text = training.round ? `These are the numbers of round ${counted(training.round)}.` : "";
    if (isRunning) text = `training, round ${counted(training.round)}`;
    let found;
    let at;
    if (training.diverged) found = { text: "The training diverged. Choose a smaller learning rate." };
    else if (outcome && !isRunning) {
      text = outcome.text;
      if (!outcome.isFinished) found = outcome;
    } else if (!isRunning && (training.round || this.position >= this.steps.backward)) {
      at = settings.learning.slice(0, WATCHED).find((slot) => {
        found = diagnose(graph, moment, slot);
        return found && (found.isUnary || !(Math.abs(moment.grads[slot]) < 1));
      });
      if (at === undefined) found = null;
    }
    if (found) text = `⚠ ${found.text}`;
    const notice = this.parts.notice;
    notice.ariaLive = isRunning ? "off" : null;
    notice.className = `quiet ${found ? "warning" : isRunning ? "running" : ""}`;
    if (notice.textContent !== text) notice.textContent = text;
    return found ? [at, this.folds.get(found.slot)] : [];
  }

  showStep() {
    const { training, settings, parts } = this;
    const step = this.current();
    const chip = parts.phase;
    const said = this.isLive && this.tell("sentence");
    chip.hidden = !step && (said || !training.applied);
    let sentence = [
      "Press ",
      element("b", "Next"),
      ": the first number is computed. After the last one, the gradient goes back. Numbers with a dotted line can be changed.",
    ];
    let line = [];
    if (step) {
      const [name, lineOf] = {
        forward: ["Forward →", forwardLine],
        backward: ["← Backward", backwardLine],
        update: ["Update", updateLine],
      }[step.phase];
      chip.textContent = name;
      [sentence, line] = lineOf(this, step);
    } else if (said) {
      sentence = said;
    } else if (training.applied) {
      chip.textContent = `Round ${counted(training.round)}`;
      [sentence, line] = roundLine(this, settings.learning.includes(this.asked) ? this.asked : settings.learning[0]);
    }
    chip.className = `chip ${step?.phase ?? ""}`;
    parts.sentence.replaceChildren(...(this.message ? [element("b", this.message)] : sentence));
    parts.line.replaceChildren(...line);
    let spoken = parts.sentence.textContent;
    if (step && !this.isAsking) {
      const { names, program } = this.graph;
      const { slot, parent } = step;
      const name = parent === undefined ? names.plain(slot) : names.plainDerivative(program.output, parent);
      spoken += ` ${name} is ${written(this.resultsAt(step.index).value)}.`;
    }
    if (this.isRunning) {
      if (Date.now() - this.spokenAt < SPOKEN) return;
      this.spokenAt = Date.now();
      spoken = `Round ${counted(training.round)}, error ${shortened(training.error, 2)}.`;
    }
    if (parts.spoken.textContent !== spoken) parts.spoken.textContent = spoken;
  }

  showTraining() {
    const { training, settings, parts, isRunning } = this;
    show(parts.rounds, training.round, counted(training.round));
    show(parts.error, training.error, isRunning ? shortened(training.error) : written(training.error));
    show(this.rate, settings.rate, written(settings.rate));
    parts.keep.textContent = isRunning ? "Pause training" : "Keep training";
    parts.keep.classList.toggle("main", isRunning);
    parts.next.classList.toggle("main", !isRunning);
    parts.back.disabled = !training.round;
    for (const button of this.root.querySelectorAll("[data-pace]"))
      button.ariaPressed = this.pace === button.dataset.pace;
    const slider = parts.round;
    slider.max = training.last;
    slider.value = training.round;
    slider.disabled = training.last === 0;
    slider.ariaValueText = `round ${training.round} of ${training.last}`;
    parts.lastRound.textContent = training.last ? counted(training.last) : "";
    parts.order.value = settings.order;
    parts.pick.value = settings.pick ? "one" : "all";
    parts.gate.value = settings.gate;
    const drawn = drawCurve(parts.curve, training, this.isLogarithmic);
    parts.empty.hidden = drawn !== null;
    parts.high.textContent = drawn ? written(drawn.high, 2) : "";
    parts.low.textContent = drawn ? written(drawn.low, 2) : "";
    parts.logarithmic.checked = this.isLogarithmic ?? drawn?.isLogarithmic;
  }

  showWhy() {
    const { graph, asked, moment, parts } = this;
    const isAsked = asked !== undefined;
    this.why.value = !isAsked ? "" : this.why.list ? graph.names.plain(asked) : asked;
    parts.whyEmpty.hidden = isAsked || parts.question.hidden;
    parts.derivation.hidden = !isAsked;
    const isShown = isAsked && this.mayShow(asked, "grad");
    const found = isShown && diagnose(graph, moment, asked);
    parts.copies.hidden = !isShown;
    parts.diagnosis.hidden = !found;
    parts.diagnosis.textContent = found ? `⚠ ${found.text}` : "";
    parts.derivation.replaceChildren(
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
    const write = (number) => shortened(number, 6, this.isRunning && 4);
    for (const { slot, input, grad } of this.others.rows) {
      const known = this.gradOf(slot);
      show(input, this.moment.numbers[slot], write(this.moment.numbers[slot]));
      show(grad, known, known === undefined ? "?" : write(known));
    }
  }
}
