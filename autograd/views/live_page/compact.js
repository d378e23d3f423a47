// The compact form of a page: the picture, the line of a step beside it, and the rest folded away below them.

import { element, partsOf } from "./notation.js";
import { Page } from "./page.js";
import { Picture } from "./picture.js";
import { NetworkPlacement, ROWS } from "./placement.js";

const TALL = 40; // of a box
const SLIM = 19; // of a leaf that shares a place with another one
const GAP = 6; // between boxes side by side
const MOST_BESIDE = 4;
const LEAST = 0.78; // how much a picture may be reduced to be seen as a whole; a larger one scrolls
const MANY = 3; // numbers of a line that have room with their names below them; those of a longer line have them beside

const MARKS = {
  forward: { current: "is computed", editable: "can be changed" },
  backward: { current: "receives its gradient", slope: "gives its slope", editable: "can be changed" },
  update: { current: "moves", editable: "can be changed" },
};

/** Put the parts of a page where its compact form has them. */
function arrange(root) {
  const parts = partsOf(root);
  const one = (selector) => root.querySelector(selector);
  const columns = one(".columns");
  const options = one("#steps .options");
  options.append(one("#steps .option"));
  parts.steps.append(one("#steps .buttons"));
  const side = element(
    "div.side",
    one(".step"),
    element("ul.marks", { id: "marks", "aria-hidden": "true" }),
    parts.steps,
  );
  const more = element("details.more", element("summary", "Train, curve, why"), options, columns);
  parts.notice.removeAttribute("class");
  one("main").append(side, element("footer", element("div.status", parts.notice), more));
  parts.title.className = "spoken";
  return more;
}

Object.assign(ROWS, { width: 332, gap: GAP, height: TALL, pill: 28 });
Object.assign(ROWS, { top: 4, inputs: 16, weights: 18, nets: 0, outs: GAP, end: 18 });

const { scale } = Picture.prototype;

/** Show the whole graph where its letters stay legible. */
Picture.prototype.scale = function () {
  scale.call(this);
  const { width, height } = this.placement;
  const { clientWidth: room, parentElement } = this.container;
  const whole = Math.min(room / width, (parentElement.clientHeight - 10) / height);
  if (whole >= LEAST && whole < this.factor) this.enlarge(whole, room);
};

/** Neurons have frames; targets stand between the outputs where there is room, all errors in one row. */
NetworkPlacement.prototype.errorsDown = function (top) {
  for (const [net, out] of this.layers.flatMap((layer) => layer.neurons)) {
    const { x, y, width } = this.at.get(net);
    if (out !== net) this.frames.push({ x: x - 4, y: y - 4, width: width + 8, height: 2 * TALL + GAP + 8 });
  }
  const { neurons, biases } = this.layers.at(-1);
  const [[net, out]] = neurons;
  const level = this.at.get(out).y;
  const free = out === net ? [] : biases.flatMap((bias) => [level - 2, level + 22].map((y) => [this.at.get(bias), y]));
  const entries = this.errors.flat();
  const leaves = entries.flatMap((entry) => entry.leaves);
  let y = top;
  if (leaves.length <= free.length)
    leaves.forEach((leaf, index) => {
      const [{ x, width }, level] = free[index];
      this.add(leaf, x, level, width, SLIM, "pill small slim");
    });
  else y = this.row(leaves, y, ROWS.pill, "pill small") + 14;
  const isOneRow = entries.length <= MOST_BESIDE;
  const rows = isOneRow ? [entries] : this.errors;
  for (const row of rows) {
    const slots = row.map((entry) => entry.slot);
    if (isOneRow && slots.length > 2) slots.splice(slots.length >> 1, 0, slots.pop()); // the total in the middle
    y = this.row(slots, y) + ROWS.end;
  }
};

export class CompactPage extends Page {
  constructor(root, ...others) {
    const more = arrange(root);
    super(root, ...others);
    more.addEventListener("toggle", () => this.show());
  }

  prepareGraph() {
    super.prepareGraph();
    this.root.querySelector("main").className = "";
  }

  showControls() {
    super.showControls();
    this.parts.count.textContent = `${this.position} of ${this.steps.length}`;
  }

  /** Stack the numbers of a line that is a sum of products, as one writes them by hand. */
  showStep() {
    super.showStep();
    const { line, marks, phase: chip } = this.parts;
    const signs = [...line.querySelectorAll(".sign")].map((sign) => sign.textContent.trim());
    const isSum = signs.length > 0 && signs.every((sign) => ["×", "+", "−", "="].includes(sign));
    line.classList.toggle("stacked", isSum);
    line.classList.toggle("many", signs.length > MANY);
    const phase = this.current()?.phase ?? "forward";
    if (this.picture.isNarrow) chip.textContent = chip.textContent.replace("←", "↑").replace(/(.*) →/, "↓ $1");
    if (marks.dataset.phase === phase) return;
    marks.dataset.phase = phase;
    marks.className = `marks ${phase}`;
    const items = Object.entries(MARKS[phase]);
    marks.replaceChildren(...items.map(([kind, text]) => element("li", element(`span.mark.${kind}`), text)));
  }
}
