// The error of each round, as a curve whose x axis is the slider for the round.

import { svg } from "./notation.js";

const HEIGHT = 80;
const INSET = 8; // half a thumb of the slider

export class Curve {
  constructor(container) {
    this.container = container;
    this.drawing = svg("svg", { "aria-hidden": "true" });
    this.path = svg("path", { class: "curve" });
    this.cursor = svg("path", { class: "cursor" });
    this.drawing.append(this.path, this.cursor);
    container.replaceChildren(this.drawing);
  }

  /** Draw the errors of a training, with a cursor at the round shown; returns the range, or null if there is none. */
  draw({ samples, last, round, error: now }, isLogarithmic) {
    const width = this.container.clientWidth || 600;
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.drawing.setAttribute("width", width);
    this.drawing.setAttribute("height", HEIGHT);
    const known = samples.concat({ round, error: now }).sort((a, b) => a.round - b.round);
    const shown = known.filter(({ error }) => Number.isFinite(error) && (error > 0 || !isLogarithmic));
    const errors = shown.map((sample) => sample.error);
    if (last === 0 || !shown.length) {
      this.path.setAttribute("d", "");
      this.cursor.setAttribute("d", "");
      return null;
    }
    let [low, high] = [Math.min(...errors), Math.max(...errors)];
    if (!isLogarithmic) low = Math.min(low, 0);
    const of = isLogarithmic ? Math.log : (error) => error;
    const span = of(high) - of(low) || 1;
    const x = (at) => INSET + ((width - 2 * INSET) * at) / last;
    const y = (error) => 4 + (HEIGHT - 8) * (1 - (of(error) - of(low)) / span);
    const points = shown.map((sample) => `${x(sample.round).toFixed(1)},${y(sample.error).toFixed(1)}`);
    this.path.setAttribute("d", `M${points.join("L")}`);
    this.cursor.setAttribute("d", `M${x(round).toFixed(1)},0V${HEIGHT}`);
    return [low, high];
  }
}
