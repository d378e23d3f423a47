// The cells of a decision map: how they are coloured, where the line between them runs, and how they are put into words.

import { COUNTS } from "./cases.js";
import { element, shortened, svg } from "./notation.js";

export const CELLS = 60; // in each direction
export const PLANE = 300; // the width and height of the drawing over a map
const LOW = [0x9c, 0x3f, 0x06];
const MIDDLE = [0xf7, 0xf3, 0xea];
const HIGH = [0x1a, 0x5a, 0x9e];
const TINY = CELLS; // cells of a region that is not spoken of
const PLACES = [
  ["upper left", "top", "upper right"],
  ["left", "centre", "right"],
  ["lower left", "bottom", "lower right"],
];
const CORNERS = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

/** A canvas of cells under a drawing. */
export function plane(label) {
  const canvas = element("canvas", { width: CELLS, height: CELLS });
  const drawing = svg("svg", { viewBox: `0 0 ${PLANE} ${PLANE}`, "aria-hidden": "true" });
  const frame = element("div.plane", { role: "img", "aria-label": label }, canvas, drawing);
  return { frame, drawing, context: canvas.getContext("2d"), values: new Float64Array(CELLS * CELLS) };
}

/** The colour of a number between two others: from rust over paper to blue. */
function colour(number, low, high) {
  const share = Math.min(Math.max((2 * (number - low)) / (high - low), 0), 2) || 0;
  const [from, to, part] = share < 1 ? [LOW, MIDDLE, share] : [MIDDLE, HIGH, share - 1];
  return from.map((start, index) => Math.round(start + (to[index] - start) * part));
}

export function paintCells({ context, values }, [low, high]) {
  const image = context.createImageData(CELLS, CELLS);
  values.forEach((number, cell) => {
    image.data.set(colour(number, low, high), 4 * cell);
    image.data[4 * cell + 3] = 255;
  });
  context.putImageData(image, 0, 0);
}

/** The line where the numbers of a map pass a number, as a path: in each square of four cells where its sides are cut. */
export function boundary(values, middle) {
  const unit = PLANE / CELLS;
  let path = "";
  for (let cell = 0; cell < CELLS * (CELLS - 1); cell++) {
    const column = cell % CELLS;
    if (column === CELLS - 1) continue;
    const corners = [cell, cell + 1, cell + CELLS + 1, cell + CELLS].map((at) => values[at] - middle);
    const cuts = [];
    corners.forEach((here, index) => {
      const there = corners[(index + 1) % 4];
      if (here > 0 === there > 0) return;
      const [x, y] = CORNERS[index];
      const [u, v] = CORNERS[(index + 1) % 4];
      const part = here / (here - there);
      const row = Math.floor(cell / CELLS);
      const [across, down] = [column + 0.5 + x + part * (u - x), row + 0.5 + y + part * (v - y)];
      cuts.push(`${(unit * across).toFixed(1)},${(unit * down).toFixed(1)}`);
    });
    const centre = corners.reduce((sum, number) => sum + number);
    if (cuts.length === 4 && centre > 0 !== corners[0] > 0) cuts.push(cuts.shift());
    for (let cut = 0; cut < cuts.length; cut += 2) path += `M${cuts[cut]}L${cuts[cut + 1]}`;
  }
  return path;
}

/** The connected parts of a map on either side of a number, as places in words: those below it, and those above it. */
function regionsOf(values, middle) {
  const found = [[], []];
  const isSeen = new Uint8Array(values.length);
  values.forEach((number, start) => {
    if (isSeen[start]) return;
    const side = number > middle;
    const cells = [start];
    isSeen[start] = 1;
    for (const cell of cells) {
      const column = cell % CELLS;
      const next = [
        cell - CELLS,
        cell + CELLS,
        ...(column ? [cell - 1] : []),
        ...(column < CELLS - 1 ? [cell + 1] : []),
      ];
      for (const other of next) {
        if (!(other in values) || isSeen[other] || values[other] > middle !== side) continue;
        isSeen[other] = 1;
        cells.push(other);
      }
    }
    if (cells.length < TINY) return;
    const mean = (of) => cells.reduce((sum, cell) => sum + of(cell), 0) / cells.length;
    const third = (place) => Math.min(Math.floor((3 * place) / CELLS), 2);
    found[Number(side)].push(PLACES[third(mean((cell) => cell / CELLS))][third(mean((cell) => cell % CELLS))]);
  });
  return found;
}

/** What a map shows, in words: the regions on either side of a number, each named by its end of the range. */
export function described(values, low, high) {
  const [below, above] = regionsOf(values, (low + high) / 2);
  const count = below.length + above.length;
  const places = (found, others) => (found.length === 1 && others.length > 1 ? "between" : `at ${found.join(" and ")}`);
  const parts = [];
  if (above.length) parts.push(`${shortened(high, 3)} ${below.length ? places(above, below) : "everywhere"}`);
  if (below.length) parts.push(`${shortened(low, 3)} ${above.length ? places(below, above) : "everywhere"}`);
  const regions = count === 1 ? "one region" : `${COUNTS[count] ?? count} regions`;
  return `Decision map, ${CELLS} by ${CELLS}; ${regions}: ${parts.join(", ")}`;
}
