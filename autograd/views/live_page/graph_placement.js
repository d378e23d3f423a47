// Where the boxes and lines of a graph stand that is no network: as Graphviz placed them, or the surroundings of a node.

import { BOX, box, line, OTHERS } from "./placement.js";

const MOST_NEIGHBOURS = 12;

/** A graph as Graphviz placed it. */
function placed({ size, boxes, edges }) {
  return {
    width: size[0],
    height: size[1],
    frames: [],
    boxes: boxes.map(([slot, x, y, width, height]) => box(slot, x - width / 2, y - height / 2, width, height)),
    edges: edges.map(([from, to, x, y, ...numbers]) => ({ path: `M${x},${y}C${numbers}`, of: [[to, from]] })),
  };
}

/** A node between those it is computed from and those that use it. */
function surroundings(graph, focus) {
  const operands = graph.operands(focus);
  const users = graph.users.get(focus) ?? [];
  const columns = [operands.slice(0, MOST_NEIGHBOURS), [focus], users.slice(0, MOST_NEIGHBOURS)];
  const height = Math.max(...columns.map((column) => column.length)) * (BOX + 28);
  const width = 236;
  const boxes = columns.flatMap((column, place) =>
    column.map((slot, index) => {
      const y = (height * (index + 0.5)) / column.length - (BOX + 18) / 2;
      return box(slot, 10 + place * (width + 80), y, width, BOX + 18);
    }),
  );
  const at = new Map(boxes.map((made) => [made.slot, made]));
  const edges = [
    ...columns[0].map((slot) => line(at.get(slot), at.get(focus), [[focus, slot]])),
    ...columns[2].map((slot) => line(at.get(focus), at.get(slot), [[slot, focus]])),
  ];
  return { width: 3 * width + 180, height, frames: [], boxes, edges, isPart: true };
}

OTHERS.place = (graph, isNarrow, focus) => {
  const { placement } = graph.content;
  return placement ? placed(placement[isNarrow ? "down" : "across"]) : surroundings(graph, focus);
};
