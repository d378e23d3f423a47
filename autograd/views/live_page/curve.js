// The error of each round, as a curve whose x axis is the slider for the round.

import { svg } from "./notation.js";

const HEIGHT = 80;
const INSET = 8; // half a thumb of the slider

/** Draw the errors of a training, with a cursor at the round shown; returns the range, or null if there is none. */
export function drawCurve(container, { samples, last, round, error: now }, isLogarithmic) {
  const width = container.clientWidth || 600;
  const drawing = svg("svg", { "aria-hidden": "true", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT });
  container.replaceChildren(drawing);
  const known = samples.concat({ round, error: now }).sort((a, b) => a.round - b.round);
  const shown = known.filter(({ error }) => Number.isFinite(error) && (error > 0 || !isLogarithmic));
  const isEmpty = last === 0 || !shown.length;
  const errors = shown.map((sample) => sample.error);
  const [low, high] = [Math.min(...errors, isLogarithmic ? Infinity : 0), Math.max(...errors)];
  const of = isLogarithmic ? Math.log : (error) => error;
  const span = of(high) - of(low) || 1;
  const x = (at) => (INSET + ((width - 2 * INSET) * at) / last).toFixed(1);
  const y = (error) => (4 + (HEIGHT - 8) * (1 - (of(error) - of(low)) / span)).toFixed(1);
  const points = shown.map((sample) => `${x(sample.round)},${y(sample.error)}`);
  drawing.append(svg("path", { class: "curve", d: isEmpty ? "" : `M${points.join("L")}` }));
  drawing.append(svg("path", { class: "cursor", d: isEmpty ? "" : `M${x(round)},0V${HEIGHT}` }));
  return isEmpty ? null : [low, high];
}
