// The cases of a network: what it answers to each, the table of them, and what a training has come to.

import { VIEWS } from "./controls.js";
import { about, counted, element, shortened, written } from "./notation.js";
import { show } from "./picture.js";
import { assign } from "./program.js";

const HALF = 0.5; // how far a prediction may be from its target to count as right, where targets are not of two kinds
const FINISHED = 0.001; // an error below it is that of a finished training
const PATIENCE = 2000; // rounds in which the error of a stuck training
const STEADY = 1.01; // does not change by more than this factor
export const COUNTS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/** Let a section stand above the training on a narrow screen, and elsewhere where `goHome` puts it. */
export function stand(page, section, goHome) {
  let wasNarrow;
  const move = () => {
    const { isNarrow } = page.picture;
    if (isNarrow === wasNarrow) return;
    wasNarrow = isNarrow;
    if (isNarrow) page.parts.training.before(section);
    else goHome(section);
  };
  move();
  new ResizeObserver(move).observe(page.parts.picture);
}

/** The smallest and the largest target of an output over all cases, and whether there is none between them. */
export function targetRange({ settings: { cases, columns } }, target) {
  const column = columns.indexOf(target);
  const targets = cases.map((row) => row[column]);
  const [low, high] = [Math.min(...targets), Math.max(...targets)];
  return { low, high, isTwofold: low < high && targets.every((number) => number === low || number === high) };
}

/** What the network answers to each case: its outputs, and which of them are right. */
export function answersOf(page) {
  const { graph, settings } = page;
  const { predictions } = graph.content;
  const ranges = predictions.map(([, target]) => targetRange(page, target));
  const outputs = predictions.length ? predictions.map(([slot]) => slot) : [graph.program.output];
  const lane = page.leaves();
  return settings.cases.map((row) => {
    assign(lane, settings.columns, row);
    graph.program.forward(lane);
    const areRight = predictions.map(([out, target], place) => {
      const { low, high, isTwofold } = ranges[place];
      const middle = (low + high) / 2;
      if (isTwofold) return lane[out] > middle === lane[target] > middle;
      return Math.abs(lane[out] - lane[target]) < HALF;
    });
    return { numbers: outputs.map((slot) => lane[slot]), areRight, isRight: !areRight.includes(false) };
  });
}

/** The table of cases: inputs, targets and predictions, and which case the graph shows. */
class Cases {
  constructor(page) {
    this.page = page;
  }

  /** Find out what the network answers. A training that gets every case right stops; it goes on if it is started anew. */
  prepare() {
    const { page } = this;
    page.case = Math.min(page.case, page.settings.cases.length - 1);
    page.answers = answersOf(page);
    const wasFinished = this.found?.isFinished;
    this.found = this.find();
    if (page.frame && this.found?.isFinished && !wasFinished) page.stop();
  }

  /** What the training has come to: a sentence, and whether all is well; undefined while it goes on. */
  outcome() {
    return this.found;
  }

  find() {
    const { training, answers, graph } = this.page;
    const { round, error, samples } = training;
    if (!round || !graph.content.predictions.length) return undefined;
    if (answers.every(({ isRight }) => isRight)) {
      if (!(error < FINISHED)) return undefined;
      const count = answers.length;
      const cases = count > 1 ? `All ${COUNTS[count] ?? counted(count)} cases` : "The case is";
      return { isFinished: true, text: `${cases} right after ${counted(round)} rounds.` };
    }
    const start = round - PATIENCE;
    if (training.segmentAt(round).from > start) return undefined;
    const errors = samples.filter((sample) => sample.round >= start && sample.round <= round).map((it) => it.error);
    if (Math.max(error, ...errors) > STEADY * Math.min(error, ...errors)) return undefined;
    return { isFinished: false, text: "It has settled on a wrong answer. Reset draws new weights." };
  }

  /** Other numbers for what learns where a training is stuck: of each layer, from the range of those at the beginning. */
  redrawn() {
    const { training, graph } = this.page;
    if (this.found?.isFinished !== false) return undefined;
    const { parameters, layers, initial } = graph.program;
    const { learning } = training.settings;
    const layerOf = new Map(parameters.map((slot, index) => [slot, layers[index]]));
    const groups = Map.groupBy(learning, (slot) => layerOf.get(slot));
    return Float64Array.from(learning, (slot) => {
      const numbers = groups.get(layerOf.get(slot)).map((other) => initial[other]);
      const low = Math.min(...numbers);
      return low + Math.random() * (Math.max(...numbers) - low);
    });
  }

  build() {
    const { page } = this;
    const { names, program, content } = page.graph;
    const { columns, cases } = page.settings;
    const { predictions } = content;
    const outputs = predictions.length ? predictions.map(([slot]) => slot) : [program.output];
    const titles = outputs.map((slot) => {
      if (!predictions.length) return [names.element(slot)];
      return outputs.length > 1 ? ["prediction ", names.element(slot)] : ["prediction"];
    });
    const head = (...parts) => element("th", { scope: "col" }, ...parts);
    const heads = [...columns.map((slot) => [names.element(slot)]), ...titles].map((title) => head(...title));
    this.rows = cases.map((_, index) => {
      const radio = element("input", { type: "radio", name: "case", "aria-label": `Case ${index + 1}` });
      radio.addEventListener("change", () => {
        page.tell("leave");
        page.choose(index);
      });
      const cells = [...columns, ...outputs].map((slot) =>
        element("span.number", about(`${names.plain(slot)}[${index}]`)),
      );
      const marks = outputs.map(() => element("span.mark"));
      const bars = outputs.map(() => element("span.bar", { "aria-hidden": "true" }, element("i")));
      const made = element(
        "tr",
        element("td", radio),
        ...cells.slice(0, columns.length).map((cell) => element("td", cell)),
        ...outputs.map((_, place) => element("td", bars[place], cells[columns.length + place], marks[place])),
      );
      return { made, radio, cells, marks, bars };
    });
    const chosen = head(element("span.spoken", "chosen"));
    const rows = this.rows.map(({ made }) => made);
    page.parts.casesPlace.replaceChildren(
      element("table", element("thead", element("tr", chosen, ...heads)), element("tbody", ...rows)),
    );
  }

  show() {
    const { page } = this;
    const { settings, answers, graph } = page;
    const { predictions } = graph.content;
    if (this.graph !== graph || this.count !== settings.cases.length) {
      [this.graph, this.count] = [graph, settings.cases.length];
      this.build();
    }
    const ranges = predictions.map(([, target]) => targetRange(page, target));
    this.rows.forEach(({ made, radio, cells, marks, bars }, index) => {
      const { numbers, areRight } = answers[index];
      [...settings.cases[index], ...numbers].forEach((number, place) => {
        const isAnswer = place >= settings.columns.length;
        show(cells[place], number, isAnswer && page.isRunning ? shortened(number, 5, 4) : written(number, 5));
      });
      radio.checked = index === page.case && !page.tell("probed");
      made.classList.toggle("chosen", radio.checked);
      numbers.forEach((number, place) => {
        const range = ranges[place];
        const mark = range ? (areRight[place] ? "✓" : "✗") : "";
        if (marks[place].textContent !== mark) marks[place].textContent = mark;
        bars[place].hidden = !range?.isTwofold;
        if (!range?.isTwofold) return;
        const share = Math.min(Math.max((2 * number - range.low - range.high) / (range.high - range.low), -1), 1) || 0;
        const { style } = bars[place].firstChild;
        style.left = `${50 + 50 * Math.min(share, 0)}%`;
        style.width = `${50 * Math.abs(share)}%`;
        bars[place].classList.toggle("low", share < 0);
      });
    });
  }
}

VIEWS.push(Cases);
