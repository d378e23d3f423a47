// The line of a step: a sentence, and each of its numbers above its name. A prediction is judged here, too.

import { about, bracketed, counted, element, parse, powers, readNumber, written } from "./notation.js";
import { TYPED } from "./picture.js";

const CLOSE = 0.005; // of the number that is predicted

const sign = (text) => element("span.sign", ...powers(text));

/** A number above its name; a hidden one shows three dots. */
function pair({ value, caption, name = "", kind = "data", level = 1, before = "", isHidden = false, look = "" }) {
  const text = isHidden ? "…" : bracketed(written(value), level, before);
  const number = element("span.number", about(name, kind, isHidden ? "" : value), text);
  return element(`span.pair ${look}`, number, element("span.caption", ...caption));
}

/** The sentence and the line of a step forward. */
export function forwardLine(page, step) {
  const { names } = page.graph;
  const pieces = parse(step.formula);
  const slots = [...new Set(pieces.map((part) => part.slot).filter((slot) => slot !== undefined))];
  const sentence = [names.element(step.slot), " is computed"];
  slots.forEach((slot, index) => {
    sentence.push(index === 0 ? " from " : index === slots.length - 1 ? " and " : ", ", names.element(slot));
  });
  let before = "";
  const line = pieces.map((part) => {
    if (typeof part === "string") {
      before += part;
      return sign(part.replaceAll(" · ", " × "));
    }
    const { slot, level } = part;
    const number = { value: page.moment.numbers[slot], caption: [names.element(slot)], name: names.plain(slot) };
    const made = pair({ ...number, level, before, isHidden: page.isHidden });
    before = "";
    return made;
  });
  if (!line.length) line.push(sign("…"));
  line.push(sign(" = "), result(page, step, [names.element(step.slot)], names.plain(step.slot), "data"));
  return [[...sentence, "."], line];
}

/** The sentence and the line of a step backward. */
export function backwardLine(page, step) {
  const { names, program } = page.graph;
  const { slot, parent, formula } = step;
  const { slope, before } = page.resultsAt(step.index);
  const { isHidden } = page;
  const isFirst = page.steps.edgesTo.get(parent)[0] === step.index;
  const gradient = (node) => [names.derivative(program.output, node)];
  const isGuarded = Number.isNaN(page.moment.grads[slot] * slope) && !Number.isNaN(page.resultsAt(step.index).value);
  const notChosen = isGuarded ? ` (${page.graph.diagnosis.sentences.not_chosen})` : "";
  const end = `${isFirst ? "" : ", which adds it to the sum so far"}${notChosen}.`;
  const sentence = [
    names.element(slot),
    " passes its gradient, times the slope, to ",
    element("b", names.element(parent)),
    end,
  ];
  const caption = [names.derivative(slot, parent), ...(formula ? [" = ", names.formula(formula)] : [])];
  const given = { value: page.moment.grads[slot], caption: gradient(slot), name: names.plain(slot), kind: "grad" };
  const line = [
    pair({ ...given, level: isFirst ? 1 : 3, isHidden }),
    sign(" × "),
    pair({ value: slope, caption, name: names.plainDerivative(slot, parent), kind: "slope", level: 4, isHidden }),
    sign(" = "),
    result(page, step, gradient(parent), names.plain(parent), "grad"),
  ];
  if (!isFirst)
    line.unshift(pair({ value: before, caption: ["so far"], name: "so far", kind: "sum", isHidden }), sign(" + "));
  return [sentence, line];
}

/** The sentence and the line of an update to come: of a number that learns, less a part of its gradient. */
export function updateLine(page, step) {
  const { names } = page.graph;
  const { settings } = page;
  const name = names.element(step.slot);
  const isLater =
    settings.order === "sequential" && page.training.groups[0].every((index) => settings.learning[index] !== step.slot);
  const how = isLater ? ", by the gradient that the new output weights give it." : ".";
  const update = { ...page.training.updateOf(step.slot), which: whichGradient(settings), isHidden: page.isHidden };
  return [
    [name, " moves against its gradient", how],
    terms(page, update, result(page, step, [names.element(step.slot), " next"], names.plain(step.slot), "next")),
  ];
}

/** The sentence and the line of what a round of training did to a number. */
export function roundLine(page, slot) {
  const { graph, training, settings } = page;
  const { names } = graph;
  const index = settings.learning.indexOf(slot);
  const last = training.round - 1;
  const { settings: then } = training.segmentAt(last);
  const update = {
    slot,
    before: training.before[index],
    applied: training.applied[index],
    settings: then,
    which: whichGradient(then) || ` of round ${counted(last)}`,
  };
  const now = pair({
    value: training.numbers[index],
    caption: [names.element(slot), " now"],
    name: names.plain(slot),
    look: "result",
  });
  const sentence = ["Each parameter moved against its gradient. For example, ", names.element(slot), ":"];
  return [sentence, terms(page, update, now)];
}

/** Of which cases the gradient is that a round applies, if there are several. */
function whichGradient({ cases, pick }) {
  return cases.length < 2 ? "" : pick ? ", of the case picked" : ", mean over the cases";
}

/** The line of an update: a number less the learning rate times a gradient is `now`. */
function terms({ graph }, { slot, before, applied, settings, which, isHidden }, now) {
  const { names, program } = graph;
  const name = names.plain(slot);
  const caption = [names.derivative(program.output, slot), which];
  return [
    pair({ value: before, caption: [names.element(slot), " before"], name, kind: "before", isHidden }),
    sign(" − "),
    pair({ value: settings.rate, caption: ["learning rate"], name: "learning rate", kind: "rate", isHidden }),
    sign(" × "),
    pair({ value: applied, caption, name, kind: "applied", level: 4, isHidden }),
    sign(" = "),
    now,
  ];
}

/** What a step computes: the number, or a field for a prediction of it. */
function result(page, step, caption, name, kind) {
  const look = `result ${step.phase}`;
  if (!page.isAsking) return pair({ value: page.resultsAt(step.index).value, caption, name, kind, look });
  const guess = element("input", { id: "guess", ...TYPED, "aria-label": "Your prediction" });
  guess.value = page.parts.guess?.value ?? "";
  guess.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Enter") return;
    event.preventDefault(); // else it would also press the button that gets the focus
    page.check();
  });
  return element(`span.pair ${look}`, guess, element("span.caption", ...caption));
}

/** What is right about a prediction: a sentence, and whether it is right; `missed` says what else some number is. */
export function verdict(typed, value, missed) {
  const guess = readNumber(typed);
  const isNear = (other) => Math.abs(guess - other) <= CLOSE * Math.abs(other);
  if (Number.isNaN(value) && typed === "nan") return ["✓ Right.", true];
  if (Number.isNaN(guess)) return ["Type a number, such as 0.15."];
  if (isNear(value)) return ["✓ Right.", true];
  const said = missed(isNear);
  if (said) return [said];
  if (isNear(-value)) return ["The size is right, the sign is not."];
  return [guess * value > 0 ? "The sign is right, the size is not yet." : "Not yet."];
}

/** What a number is that may stand in place of the result of a step backward: one of its factors, or their product. */
export function factorOf({ slope, before }, grad, isNear) {
  if (before && isNear(grad * slope)) return "The factors are right; add what was there before.";
  if (isNear(slope)) return "This factor is right; multiply it by the gradient that is passed on.";
  return isNear(grad) ? "This factor is right; multiply it by the slope." : "";
}
