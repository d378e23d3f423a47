// What a reader does with a decision map: read it, put inputs on it, and move, add and remove points.

import { PLANE } from "./map_cells.js";
import { element } from "./notation.js";

const REACH = 16; // how far a pointer may be from a point that it takes, in pixels
export const TOUCHED = 22; // likewise of a finger
const STILL = 3; // pixels that a pointer may move without dragging a point
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const STEPS = 60; // of the arrow keys from one side to the other

/** Add what changes the points, above the table of cases, and what the map means, under it. */
export function addControls(map) {
  const { parts } = map.page;
  const button = (text, action) => {
    const made = element("button", text);
    made.addEventListener("click", action);
    return made;
  };
  map.adding = button("Add a point", () => map.startAdding(!map.isAdding));
  map.switches = [0, 1].map((side) => button("", () => map.setTarget(side)));
  map.remove = button("Delete", () => map.delete());
  const group = element("span.group", { role: "group", "aria-label": "Target of the point" }, ...map.switches);
  if (map.targets.length === 1)
    parts.casesPlace.before(
      element("div.points.buttons", map.adding, element("span.choice", "target ", group), map.remove),
    );
  parts.casesPlace.after(
    element(
      "p.quiet",
      "The map shows what the network would answer everywhere: ",
      element("b.high", "blue"),
      " is high, ",
      element("b.low", "rust"),
      " low; the black line is halfway. Small maps: each neuron. Click the map to put the inputs there; drag a point " +
        "to move it. By keys: arrows read, Enter sets; Shift and arrows move the chosen point, 0 and 1 set its " +
        "target, Delete removes it.",
    ),
  );
}

/** The inputs that a pointer is at. */
function pointed(map, event) {
  const { left, top, width, height } = map.main.getBoundingClientRect();
  const [across, up] = map.area;
  return map.rounded([
    across.low + ((event.clientX - left) / width) * (across.high - across.low),
    up.high - ((event.clientY - top) / height) * (up.high - up.low),
  ]);
}

/** How far apart two pairs of inputs are, in pixels. */
function distance(map, inputs, others) {
  const [[x, y], [u, v]] = [map.at(inputs), map.at(others)];
  return (Math.hypot(x - u, y - v) * map.main.clientWidth) / PLANE;
}

/** The case whose point is nearest to some inputs, if it is within so many pixels; else -1. */
function nearest(map, inputs, reach) {
  const distances = map.cases().map((point) => distance(map, inputs, point.inputs));
  const least = Math.min(...distances);
  return least <= reach ? distances.indexOf(least) : -1;
}

/** Let the map be pointed at, clicked, touched and driven by keys. */
export function listen(map) {
  const { main } = map;
  let held = -1; // the case whose point is held
  let start = null; // where it was when it was taken; null once it moves
  let isHandled = false;
  const on = (name, action) => main.addEventListener(name, action);
  on("pointerdown", (event) => {
    const index = map.isAdding
      ? -1
      : nearest(map, pointed(map, event), event.pointerType === "touch" ? TOUCHED : REACH);
    held = index;
    start = pointed(map, event);
    isHandled = index >= 0;
    if (!isHandled) return;
    main.setPointerCapture(event.pointerId);
    map.cursor = undefined;
    map.choose(index);
  });
  on("pointermove", (event) => {
    const inputs = pointed(map, event);
    if (held >= 0) {
      if (start && distance(map, start, inputs) < STILL) return;
      start = null;
      map.change(held, map.inputs, inputs);
    } else if (event.pointerType !== "touch") {
      map.cursor = inputs;
      map.showReading();
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    on(end, () => {
      held = -1;
    });
  }
  on("pointerleave", (event) => {
    if (event.pointerType === "touch") return;
    map.cursor = undefined;
    map.showReading();
  });
  on("click", (event) => {
    if (isHandled) return;
    const inputs = pointed(map, event);
    const isRead = map.cursor && distance(map, map.cursor, inputs) <= TOUCHED;
    if (event.pointerType === "touch" && !isRead && !map.isAdding) {
      map.cursor = inputs;
      map.showReading();
    } else {
      if (event.pointerType === "touch") map.cursor = undefined;
      map.put(inputs);
    }
  });
  on("focus", () => {
    main.role = "application";
  });
  on("blur", () => {
    main.role = "img";
    map.cursor = undefined;
    map.showReading();
  });
  on("keydown", (event) => press(map, event));
}

function press(map, event) {
  const { page } = map;
  const { key } = event;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const chosen = map.probed() ?? map.cases()[page.case].inputs;
  if (ARROWS[key]) {
    const move = (from) =>
      map.rounded(
        from.map((number, index) => {
          const { low, high } = map.area[index];
          return number + (ARROWS[key][index] * (high - low)) / STEPS;
        }),
      );
    if (event.shiftKey && !map.probed()) map.change(page.case, map.inputs, move(chosen));
    else map.cursor = move(map.cursor ?? chosen);
    page.parts.spoken.textContent = map.showReading();
  } else if (key === "Enter" || key === " ") {
    const inputs = map.cursor ?? chosen;
    const index = map.isAdding ? -1 : nearest(map, inputs, 1);
    if (index >= 0) map.choose(index);
    else map.put(inputs);
  } else if (key === "0" || key === "1") map.setTarget(Number(key));
  else if (key === "Delete" || key === "Backspace") map.delete();
  else if (key === "Escape") {
    map.cursor = undefined;
    map.startAdding(false);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
