// The error of each round, as a curve whose x axis is the slider for the round.

import { svg, written } from "./notation.js";

const HEIGHT = 80;
const INSET = 8; // half a thumb of the slider
const DECADES = 100; // a curve that spans more than this factor has a logarithmic scale by itself

/**
 * Draw the errors of a training, with a cursor at the round shown, on the scale that is chosen or else the one that suits.
 * Returns the range and the scale; null if there is nothing to draw.
 */
export function drawCurve(container, { samples, last, round, error: now }, chosen) {
  const width = container.clientWidth || 600;
  const drawing = svg("svg", { "aria-hidden": "true", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT });
  container.replaceChildren(drawing);
  const known = samples.concat({ round, error: now }).sort((a, b) => a.round - b.round);
  const finite = known.filter(({ error }) => Number.isFinite(error));
  const errors = finite.map(({ error }) => error);
  const [least, high] = [Math.min(...errors), Math.max(...errors)];
  const isLogarithmic = chosen ?? (least > 0 && high > DECADES * least);
  const shown = isLogarithmic ? finite.filter(({ error }) => error > 0) : finite;
  if (last === 0 || !shown.length) return null;
  const low = isLogarithmic ? Math.min(...errors.filter((error) => error > 0)) : Math.min(least, 0);
  const of = isLogarithmic ? Math.log : (error) => error;
  const span = of(high) - of(low) || 1;
  const x = (at) => (INSET + ((width - 2 * INSET) * at) / last).toFixed(1);
  const y = (error) => (4 + (HEIGHT - 8) * (1 - (of(error) - of(low)) / span)).toFixed(1);
  for (let power = 10 ** Math.ceil(Math.log10(low)); isLogarithmic && power < high; power *= 10) {
    const text = y(power) > 16 && y(power) < 64 ? written(power, 1) : ""; // elsewhere the ends of the range are written
    const place = { class: "axis", fill: "currentColor", x: 4, y: y(power) - 3 };
    drawing.append(svg("path", { class: "frame", d: `M0,${y(power)}H${width}` }), svg("text", place, text));
  }
  const points = shown.map((sample) => `${x(sample.round)},${y(sample.error)}`);
  drawing.append(svg("path", { class: "curve", d: `M${points.join("L")}` }));
  drawing.append(svg("path", { class: "cursor", d: `M${x(round)},0V${HEIGHT}` }));
  return { low, high, isLogarithmic };
}
