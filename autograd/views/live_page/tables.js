// What stands in rows beside the graph: the derivation, parameters without a box, all steps, published figures.

import { about, counted, element, written } from "./notation.js";
import { field, show } from "./picture.js";

const LISTED_STEPS = 300; // of more, those around the current one are listed

const row = (...cells) => element("tr", ...cells);

/** The derivation of the gradient with respect to a node, at this moment. */
export function derivation(page, slot) {
  const { graph, moment } = page;
  const { derivatives, names } = graph;
  const numberOf = derivatives.valuesAt(moment);
  const paragraphs = derivatives.paragraphs(slot).map((lines) =>
    element(
      "div.paragraph",
      ...lines.map((line) => {
        const { name, sides } = derivatives.written(line, moment, numberOf);
        const right = sides.map((side) => element(line.isSum ? "span.equals.broken" : "span.equals", "= ", side));
        return element("div.equation", names.formula(name), element("span.right", ...right));
      }),
    ),
  );
  const final = paragraphs[0]?.querySelector(".equals:last-child .side");
  final?.classList.add("final");
  Object.assign(final?.dataset ?? {}, { name: names.plain(slot), kind: "derivation", value: moment.grads[slot] });
  return paragraphs;
}

/** The rows of parameters that have no box: `{slot, row, input, grad}`. */
export function parameterRows(page, slots) {
  const { names } = page.graph;
  return slots.map((slot) => {
    const name = names.plain(slot);
    const input = field(name, (text) => page.edit(slot, text), { ...about(name), class: "number" });
    const grad = element("td.number.gradient", about(name, "grad"));
    const made = row(element("th", { scope: "row" }, names.element(slot)), element("td", input), grad);
    return { slot, row: made, input, grad };
  });
}

/** The rows of figures that an article prints, beside those of this moment. */
export function publishedRows(page, figures) {
  const { graph, moment, training } = page;
  const { names } = graph;
  return figures.map(([name, by, round, text]) => {
    const [slot, below] = [name, by].map((label) => names.names.indexOf(label));
    const kind = by ? "grad" : "data";
    const value = by ? moment.derivative(slot, below) : moment.numbers[slot];
    const label = by ? names.derivative(slot, below) : names.element(slot);
    const isHere = round === training.round && page.mayShow(by ? below : slot, kind);
    const here = isHere
      ? element("span", about(by ? names.plainDerivative(slot, below) : name, kind, value), written(value))
      : "–";
    const isEqual = value.toFixed(text.split(".")[1].length) === text;
    const sign = !isHere ? "" : isEqual ? "✓" : "≠";
    return row(...[counted(round), label, text.replace("-", "−"), here, sign].map((content) => element("td", content)));
  });
}

/** The list of all steps; of many, of those around the current one. */
export class StepList {
  constructor(page, list) {
    this.page = page;
    this.list = list;
  }

  show() {
    const { steps, position, isAsking } = this.page;
    const { length } = steps;
    const from = length <= LISTED_STEPS ? 0 : Math.max(0, Math.min(position - LISTED_STEPS / 2, length - LISTED_STEPS));
    if (this.steps !== steps || this.from !== from || this.rows.length !== Math.min(length - from, LISTED_STEPS)) {
      [this.steps, this.from] = [steps, from];
      this.rows = steps.list.slice(from, from + LISTED_STEPS).map((step, index) => this.row(step, from + index));
      this.list.firstElementChild.replaceChildren(...this.rows.map(({ item }) => item));
    }
    const current = (isAsking ? position : position - 1) - from;
    this.rows.forEach(({ item, number }, place) => {
      const value = from + place < position ? this.page.resultsAt(from + place).value : undefined;
      show(number, value, value === undefined ? "?" : written(value));
      item.classList.toggle("current", place === current);
      item.ariaCurrent = place === current ? "step" : null;
    });
    this.list.scrollTop = Math.max(0, (this.rows[current]?.item.offsetTop ?? 0) - this.list.clientHeight / 2);
  }

  row(step, index) {
    const { names, program } = this.page.graph;
    const node = names.element(step.slot);
    const [label, kind, slot] = {
      forward: () => [node, "data", step.slot],
      backward: () => {
        const from = element("span.quiet", " from ", node);
        return [element("span", names.derivative(program.output, step.parent), from), "sum", step.parent];
      },
      update: () => [element("span", node, element("span.quiet", " next")), "next", step.slot],
    }[step.phase]();
    const number = element("span.number", about(names.plain(slot), kind));
    const item = element(`li.${step.phase}`, label, number);
    item.addEventListener("click", () => this.page.go(index + 1));
    return { item, number };
  }
}
