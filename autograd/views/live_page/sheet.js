// The page on paper: the picture, and every step or the lines of a story. What is not computed yet is a blank, to be
// filled in by hand.

import { element, written } from "./notation.js";

const MOST_LINES = 400;
const PAPER = [680, 440]; // pixels that the picture may take of a sheet

/** Let a page that is a document be printed as a sheet. A frame without rights cannot ask for it. */
export function prepareSheet(page) {
  const { parts, root } = page;
  parts.print.hidden = root !== document || self !== top;
  if (root !== document) return;
  parts.print.addEventListener("click", () => print());
  addEventListener("beforeprint", () => {
    parts.sheet.replaceChildren(...(page.tell("sheet") ?? [element("ol", ...lines(page))]));
    page.picture.fit(...PAPER);
  });
  addEventListener("afterprint", () => page.picture.fit());
}

function lines(page) {
  const { graph, steps, position } = page;
  const { names, program } = graph;
  const gradient = (slot) => names.derivative(program.output, slot);
  return steps.list.slice(0, MOST_LINES).map(({ phase, slot, parent, formula }, index) => {
    const result = index < position ? written(page.resultsAt(index).value) : element("span.blank");
    if (phase === "update") {
      const { before, settings } = page.training.updateOf(slot);
      const start = `${written(before)} − ${written(settings.rate)} · `;
      return element("li", names.element(slot), " next = ", start, gradient(slot), " = ", result);
    }
    if (phase === "forward")
      return element("li", names.element(slot), " = ", names.formula(formula || "…"), " = ", result);
    const equals = steps.edgesTo.get(parent)[0] === index ? " = " : " = so far + ";
    const factor = formula.includes(" ") ? `(${formula})` : formula;
    const slope = factor ? names.formula(factor) : names.derivative(slot, parent);
    return element("li", gradient(parent), equals, gradient(slot), " · ", slope, " = ", result);
  });
}
