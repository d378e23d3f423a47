// A story: paragraphs beside the picture that set the step, with numbers that follow what is edited; `story.py` says
// how a story is written.

import { VIEWS } from "./controls.js";
import { verdict } from "./line.js";
import { about, bracketed, element, parse, powers, readNumber, written } from "./notation.js";
import { show, TYPED } from "./picture.js";
import { assign } from "./program.js";
import { Moment } from "./steps.js";
import { Training } from "./training.js";

const READING_LINE = 0.4; // of the height of the window: the paragraph there is the current one
const SCROLLING = 700; // milliseconds for which a smooth scroll to a paragraph is not followed
const TRIES = 2; // before an answer offers to show the number
const WIDE = 600; // pixels from which a network stands in wide rows

class Story {
  constructor(page) {
    this.page = page;
    this.told = this.score = this.asked = 0;
    this.numbers = [];
    this.paragraphs = [];
    this.sections = [];
    const main = page.root.querySelector("main");
    const [picture, step, columns] = main.children;
    this.text = element("article", { id: "story" }, ...page.data.story.map((item) => this.element(item)));
    const side = element("div.side", picture, step, page.parts.steps);
    main.prepend(element("div.telling", this.text, side));
    columns.querySelector("div").prepend(element("h2.heading", "Go on by yourself"));
    this.prepareHeader();
    for (const graph of page.graphs) graph.isWide = () => picture.clientWidth > WIDE;
    main.classList.remove("beside"); // the text is what stands beside the picture
    const watch = () => requestAnimationFrame(() => this.isResting || this.follow());
    addEventListener("scroll", watch, { passive: true });
    for (const event of ["wheel", "touchmove"]) {
      const wake = () => {
        this.isResting = false;
      };
      addEventListener(event, wake, { passive: true });
    }
  }

  // What it is made of.

  element(item) {
    if (item.heading) {
      const heading = element("h2.heading", item.heading);
      this.sections.push({ heading, from: this.paragraphs.length, name: item.heading });
      return heading;
    }
    const content = item.text.map((pieces) => this.paragraph(pieces));
    const made = element("section.told", { tabindex: "0" }, ...content);
    const paragraph = { element: made, step: item.step };
    if (item.answer) this.ask(paragraph, item);
    this.paragraphs.push(paragraph);
    for (const event of ["focusin", "click"]) {
      made.addEventListener(event, () => {
        this.rest();
        this.go(paragraph);
      });
    }
    return made;
  }

  /** A paragraph; one that begins with ">" is a line of numbers, one with "≠" a note. */
  paragraph(pieces) {
    const [first, ...rest] = pieces;
    const kind = typeof first === "string" ? { ">": "p.numbers", "≠": "p.quiet" }[first[0]] : undefined;
    const cut = kind === "p.numbers" ? [first.slice(1).trimStart(), ...rest] : pieces;
    const made = element(kind ?? "p", ...cut.flatMap((piece) => this.piece(piece)));
    if (pieces.some((piece) => piece.rounds)) made.classList.add("trained"); // no pencil can work it out
    return made;
  }

  piece(piece) {
    if (typeof piece === "string") {
      return piece.split(/([❶❷❸❹])/).map((text) => {
        const digit = "❶❷❸❹".indexOf(text) + 1;
        return text && digit ? element("span.disc", String(digit)) : text;
      });
    }
    if (Array.isArray(piece)) {
      const name = ([base, index]) => element("i", base, element("sub", index));
      const made = piece.flatMap((part) => (Array.isArray(part) ? name(part) : powers(part)));
      return [element("span.formula", ...made)];
    }
    const name = [piece.of, piece.by].filter(Boolean).join("/");
    const isGiven = !piece.by && !piece.kind && !piece.rounds && this.isLeaf(piece.of);
    const number = element(isGiven ? "span.number" : "span.number.computed", about(name, "told"));
    const mark = element("span.mark");
    this.numbers.push({ ...piece, number, mark });
    return [element("span.figure", number, mark)];
  }

  isLeaf(label) {
    const { names, program } = this.page.graphs[0];
    return program.isLeaf(names.names.indexOf(label));
  }

  prepareHeader() {
    const { parts, root } = this.page;
    this.place = element("span.quiet");
    this.choice = element("select", { "aria-label": "Section" });
    this.choice.append(...this.sections.map(({ name }, index) => element("option", { value: index }, name)));
    this.choice.addEventListener("change", () => this.scrollTo(this.paragraphs[this.sections[this.choice.value].from]));
    this.back = element("button", { hidden: "" }, "Your numbers · Back to the first ones");
    this.back.addEventListener("click", () => {
      this.page.begin();
      this.current = undefined;
      this.follow();
    });
    this.bar = element("div.bar");
    const header = root.querySelector("header");
    if (this.sections.length) header.append(element("nav.buttons", this.back, this.place, this.choice, parts.print));
    header.after(this.bar);
    this.turn = element("button.turning", { hidden: "" }, "Your turn ↓");
    this.turn.addEventListener("click", () => {
      const open = this.paragraphs.find((paragraph) => paragraph.field && !paragraph.isRight);
      this.scrollTo(open);
      open.field.focus({ preventScroll: true });
    });
    parts.next.after(this.turn);
  }

  /** The sheets to print: the headings and the lines of numbers with blanks for what a pencil computes; then answers. */
  sheet() {
    const { graph } = this.page;
    const { output } = graph.program;
    const first = written(this.at(0).moment.numbers[output], 4);
    const list = (lines, start = 1) => element("ol", { start }, ...lines.map((line) => element("li", line)));
    const answers = [];
    const sections = this.sections[0]?.from === 0 ? this.sections : [{ from: 0 }, ...this.sections];
    const blanks = sections.flatMap(({ name, from }, index) => {
      const end = sections[index + 1]?.from;
      const told = this.paragraphs.slice(from, end).map((paragraph) => paragraph.element);
      const lines = told.flatMap((made) => [...made.querySelectorAll(".numbers:not(.trained)")]);
      const start = answers.length + 1;
      answers.push(...lines.map((line) => line.cloneNode(true)));
      const open = lines.map((line) => line.cloneNode(true));
      for (const number of open.flatMap((line) => [...line.querySelectorAll(".computed")])) {
        number.replaceWith(element("span.blank"));
      }
      return lines.length ? [...(name ? [element("h2.heading", name)] : []), list(open, start)] : [];
    });
    const check = element("p", "Check yourself: ", graph.names.element(output), ` begins with ${first}.`);
    return [...blanks, check, element("section.solutions", element("h2.heading", "Answers"), list(answers))];
  }

  // Where the reader is.

  /** The paragraph that crosses the reading line. */
  follow() {
    const line = innerHeight * READING_LINE + this.top();
    const crossed = this.paragraphs.findLast(({ element: made }) => made.getBoundingClientRect().top <= line);
    if (crossed && crossed !== this.current) this.go(crossed);
  }

  /** Begin at the paragraph of the step that the address names, or where the window is. */
  begun() {
    const { position } = this.page;
    if (!position) return this.follow();
    this.scrollTo(this.paragraphs.find(({ step }) => this.positionOf(step) >= position) ?? this.paragraphs[0]);
  }

  /** How much of the window the picture covers where it stands above the text. */
  top() {
    const side = this.text.nextElementSibling.getBoundingClientRect();
    const text = this.text.getBoundingClientRect();
    return side.right > text.left + 1 && side.left < text.right - 1 ? side.height * (1 - READING_LINE) : 0;
  }

  /** Do not follow the scrolling that something else than the reader's wheel or finger causes. */
  rest() {
    this.isResting = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.isResting = false;
    }, SCROLLING);
  }

  scrollTo(paragraph) {
    const { top } = paragraph.element.getBoundingClientRect();
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.rest();
    scrollBy({ top: top - innerHeight * READING_LINE - this.top() + 8, behavior: isCalm ? "instant" : "smooth" });
    this.go(paragraph);
  }

  /** Make a paragraph the current one, and let the picture show its step. */
  go(paragraph) {
    if (this.current === paragraph) return;
    this.current = paragraph;
    const { page } = this;
    const position = this.positionOf(paragraph.step);
    const { rounds = 0 } = paragraph.step;
    this.reach(rounds);
    this.told = paragraph === this.paragraphs[0] ? 0 : Math.max(this.told, position);
    page.go(rounds ? 0 : this.told, position - 1);
  }

  /** Let the page show a round, trained for where it has not been yet. */
  reach(round) {
    const { page } = this;
    const { training } = page;
    if (round === training.round) return;
    page.stop();
    training.travel(Math.min(round, training.last));
    while (training.round < round && training.advance());
    page.refresh();
  }

  /** The number of steps that are done once a named one is. */
  positionOf(step) {
    const { steps, graph } = this.page;
    if (Number.isInteger(step)) return step < 0 ? steps.length + 1 + step : Math.min(step, steps.length);
    if (step === "start") return 0;
    if (step === "end") return steps.length;
    if (step.rounds) return 0;
    const [slot, from] = [step.of, step.from].map((name) => graph.names.names.indexOf(name));
    const isMeant = {
      next: (other) => other.phase === "update" && other.slot === slot,
      grad: (other) => other.phase === "backward" && other.parent === slot && (!step.from || other.slot === from),
    }[step.kind ?? ""];
    const index = steps.list.findLastIndex(isMeant ?? ((other) => other.phase === "forward" && other.slot === slot));
    return index + 1;
  }

  next() {
    const { page } = this;
    const place = this.paragraphs.indexOf(this.current);
    const following = this.paragraphs[place + 1];
    const target = following ? this.positionOf(following.step) : page.steps.length;
    if (target > this.told + 1) {
      this.told++;
      page.go(this.told);
    } else if (following) this.scrollTo(following);
    else return false;
    return true;
  }

  previous() {
    const place = this.paragraphs.indexOf(this.current);
    if (place <= 0) return false;
    this.told = Math.min(this.told, this.positionOf(this.paragraphs[place - 1].step));
    this.scrollTo(this.paragraphs[place - 1]);
    return true;
  }

  // Questions.

  ask(paragraph, item) {
    const status = element(
      "p.quiet",
      { id: `verdict${this.asked}`, role: "status" },
      "Enter checks. Next is always open.",
    );
    const label = { "aria-label": "Your answer", "aria-describedby": status.id };
    const field = element("input", { ...TYPED, ...label });
    const check = element("button", "Check");
    const tell = element("button", "Show it");
    const score = element("span.quiet.score");
    let tries = 0;
    const say = (text, isRight) => {
      status.replaceChildren(...(isRight ? [element("b", "✓ Right"), text] : [text]));
      field.ariaInvalid = isRight === false ? "true" : null;
    };
    const missed = (isNear) => typeof item.answer !== "string" && this.missed(item.answer, isNear);
    const judge = () => {
      const [text, isRight] = verdict(field.value, this.answerOf(item.answer), missed);
      tries++;
      if (isRight && !paragraph.isRight) {
        paragraph.isRight = true;
        this.score++;
      }
      if (isRight) say(`: ${this.formOf(item.answer).join(" = ")}.`, true);
      else say(tries < TRIES ? text : `${text} “Show it” gives the answer.`, false);
      this.showScore();
    };
    check.addEventListener("click", judge);
    tell.addEventListener("click", () => {
      field.value = this.formOf(item.answer).at(-1);
      say(`${this.formOf(item.answer).join(" = ")}.`);
    });
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") judge();
    });
    const row = element("p.buttons", field, check, tell);
    paragraph.element.prepend(element("p.turn", element("b", "Your turn"), score));
    paragraph.element.append(row, status);
    paragraph.element.classList.add("asks");
    Object.assign(paragraph, { field, score });
    this.asked++;
  }

  showScore() {
    for (const { score } of this.paragraphs) {
      if (score) score.textContent = `${this.score} of ${this.asked} right so far`;
    }
    this.turn.hidden = this.score === this.asked;
  }

  answerOf(answer) {
    return typeof answer === "string" ? readNumber(answer) : this.valueOf(answer);
  }

  /** Which factor, operand or branch an answer has left out. */
  missed({ of, by, kind }, isNear) {
    const { graph, moment } = this.at(0);
    const { names, program } = graph;
    const [slot, below] = [of, by].map((name) => names.names.indexOf(name));
    if (kind === "next") {
      const { before, applied, settings } = this.at(0).training.updateOf(slot);
      if (isNear(before + settings.rate * applied)) return "The step goes against the gradient: subtract it.";
      if (isNear(before - applied)) return "The learning rate is missing.";
      if (isNear(applied)) return `That is the gradient; ${of} less the learning rate times it is the answer.`;
      return isNear(settings.rate * applied) ? `That is the step; subtract it from ${of}.` : undefined;
    }
    const top = by ? slot : program.output;
    const bottom = by ? below : slot;
    if (!by && !kind) {
      const operand = graph.operands(slot).find((other) => isNear(moment.numbers[other]));
      return operand === undefined ? undefined : `That is ${names.plain(operand)}; ${of} is computed from it.`;
    }
    if (isNear(moment.numbers[top])) return `That is ${names.plain(top)} itself, not its slope.`;
    const users = (graph.users.get(bottom) ?? []).filter((user) => user <= top);
    const slope = (user) => moment.slopesOf(user).get(bottom);
    const parts = users.map((user) => moment.derivative(top, user) * slope(user));
    const road = parts.findIndex(isNear);
    if (users.length > 1 && road >= 0) {
      const others = users.filter((_, index) => index !== road).map((user) => names.plain(user));
      return `Only one way. Add the one over ${others.join(" and ")}.`;
    }
    const factor = users.length === 1 && [moment.derivative(top, users[0]), slope(users[0])].findIndex(isNear);
    if (factor === 0)
      return `That is ∂${names.plain(top)}/∂${names.plain(users[0])}; multiply it by the slope of ${names.plain(users[0])}.`;
    if (factor === 1)
      return `That is ∂${names.plain(users[0])}/∂${names.plain(bottom)}; multiply it by the gradient of ${names.plain(users[0])}.`;
  }

  /** The sides of the equation that gives an answer, as text. */
  formOf(answer) {
    const value = written(this.answerOf(answer));
    if (typeof answer === "string") return [value];
    const { graph, moment } = this.at(0);
    const { names, steps } = graph;
    const [slot, below] = [answer.of, answer.by].map((name) => names.names.indexOf(name));
    if (answer.kind === "next") {
      const { before, applied, settings } = this.at(0).training.updateOf(slot);
      return [`${written(before)} − ${written(settings.rate)} × ${bracketed(written(applied), 4)}`, value];
    }
    const index = steps.indices.get(slot);
    const edge = steps.list.find((step) => step.phase === "backward" && step.slot === slot && step.parent === below);
    const template = answer.by ? edge?.formula : answer.kind ? "" : steps.list[index]?.formula;
    if (!template) return [value];
    return [
      parse(template)
        .map((part) => (typeof part === "string" ? part : bracketed(written(moment.numbers[part.slot]), 4)))
        .join(""),
      value,
    ];
  }

  // Numbers.

  /** The graph, its numbers and the training after some rounds from the first ones, with a choice of order or biases. */
  at(rounds, choices = []) {
    const { page } = this;
    const first = page.training.samples[0].numbers;
    const { settings } = page.training.segments[0];
    if (this.first !== first || this.settings !== settings) {
      [this.first, this.settings, this.runs] = [first, settings, new Map()];
    }
    const key = `${rounds} ${choices}`;
    if (!this.runs.has(key)) this.runs.set(key, this.run(rounds, choices));
    return this.runs.get(key);
  }

  run(rounds, choices) {
    const { page, settings } = this;
    const kinds = page.data.biases ?? {};
    const kind = choices.map((choice) => kinds[choice]).find(Boolean);
    const order = choices.find((choice) => !kinds[choice]) ?? "simultaneous";
    const graph = kind ? page.graphs[kind.graph] : page.graph;
    const leaves = Float64Array.from(graph.program.initial);
    const given = page.leaves(settings, this.first);
    for (let slot = 0; slot < leaves.length; slot++) {
      const same = page.graph.names.names.indexOf(graph.names.plain(slot));
      if (same >= 0 && graph.program.isLeaf(slot)) leaves[slot] = given[same];
    }
    const cases = graph === page.graph ? settings.cases : [];
    const training = new Training(graph.program, {
      ...settings,
      cases,
      order,
      leaves,
      learning: kind?.learning ?? settings.learning,
    });
    while (training.round < rounds && training.advance());
    assign(leaves, training.settings.learning, training.numbers);
    return { graph, training, moment: new Moment(graph, leaves) };
  }

  valueOf({ of, by, kind, rounds = 0, with: choices }) {
    const { graph, moment } = this.at(rounds, choices);
    const [slot, below] = [of, by].map((name) => graph.names.names.indexOf(name));
    if (by) return moment.derivative(slot, below);
    if (kind === "next") return this.at(0).training.updateOf(slot).now;
    return (kind === "grad" ? moment.grads : moment.numbers)[slot];
  }

  /** Whether the numbers are those that the page came with. */
  get isOriginal() {
    const { page } = this;
    const { graph, moment, training } = this.at(0);
    const { initial } = graph.program;
    const isSame = initial.every(
      (number, slot) => !graph.program.isLeaf(slot) || Object.is(number, moment.numbers[slot]),
    );
    return isSame && training.settings.rate === page.data.learningRate;
  }

  /** Show which paragraph is the current one, and all numbers. */
  show() {
    const place = this.paragraphs.indexOf(this.current);
    this.paragraphs.forEach(({ element: made }, index) => {
      made.classList.toggle("current", index === place);
      made.classList.toggle("read", index < place);
      made.ariaCurrent = index === place ? "step" : null;
    });
    const section = this.sections.findLastIndex(({ from }) => from <= Math.max(place, 0));
    if (section >= 0) {
      this.place.textContent = `${section + 1} of ${this.sections.length}`;
      this.choice.value = section;
    }
    this.bar.style.setProperty("--read", `${(100 * (place + 1)) / this.paragraphs.length}%`);
    if (this.at(0) === this.shown) return;
    this.shown = this.at(0);
    const { isOriginal } = this;
    this.back.hidden = isOriginal;
    const showNumber = ({ number, mark, printed, ...what }) => {
      const value = this.valueOf(what);
      const decimals = printed?.split(".")[1]?.length ?? 0;
      const isEqual = printed && value.toFixed(decimals) === printed;
      const text = isEqual && isOriginal ? printed.replace("-", "−") : written(value);
      show(number, value, text);
      mark.textContent = !printed || !isOriginal ? "" : isEqual ? " ✓" : " ≠";
      mark.className = `mark ${isEqual ? "equal" : "unequal"}`;
      number.title = printed ? `printed ${printed.replace("-", "−")}, here ${written(value, 12)}` : "";
      mark.role = mark.textContent ? "img" : null;
      mark.ariaLabel = !mark.textContent ? null : isEqual ? "equal to what is printed" : "not what is printed";
    };
    const later = this.numbers.filter(({ rounds }) => rounds);
    this.numbers.filter(({ rounds }) => !rounds).forEach(showNumber);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => later.forEach(showNumber)); // trainings take a moment
    this.showScore();
  }
}

VIEWS.push(Story);
