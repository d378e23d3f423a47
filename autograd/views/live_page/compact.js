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

Object.assign(ROWS, { width: 332, gap: GAP, height: TALL });

const { scale } = Picture.prototype;

/** Show the whole graph where its letters stay legible. */
Picture.prototype.scale = function () {
  scale.call(this);
  const { width, height } = this.placement;
  const { clientWidth: room, parentElement } = this.container;
  const whole = Math.min(room / width, (parentElement.clientHeight - 10) / height);
  if (whole >= LEAST && whole < this.factor) this.enlarge(whole, room);
};

/** A network from top to bottom: targets stand between the outputs where there is room, all errors in one row. */
NetworkPlacement.prototype.placeDown = function () {
  let sources = this.inputs;
  let y = this.row(sources, 4, 28, "pill") + 16;
  let free = [];
  for (const { neurons, biases, isShared } of this.layers) {
    const weights = neurons.flatMap((neuron) => neuron[2]);
    for (let first = 0; first < weights.length; first += MOST_BESIDE) {
      y = this.row(weights.slice(first, first + MOST_BESIDE), y) + 18;
    }
    const half = Math.ceil(neurons.length / 2);
    const nets = neurons.map(([net]) => net);
    const across = isShared
      ? [...nets.slice(0, half), biases[0], ...nets.slice(half)]
      : neurons.flatMap(([net, , , bias]) => (bias === null ? [net] : [net, bias]));
    y = this.row(across, y) + GAP;
    const outs = neurons.filter(([net, out]) => out !== net);
    for (const [net, out] of outs) {
      const { x, width, y: top } = this.at.get(net);
      this.add(out, x, y, width, TALL, "small");
      this.frames.push({ x: x - 4, y: top - 4, width: width + 8, height: 2 * TALL + GAP + 8 });
      this.connect(net, out, [[out, net]], { isDown: true });
    }
    for (const neuron of neurons) this.linesOf(neuron, sources, { isDown: true });
    free = outs.length ? biases.flatMap((bias) => [y - 2, y + 22].map((top) => [this.at.get(bias), top])) : [];
    y += outs.length ? TALL + 18 : 12;
    sources = neurons.map((neuron) => neuron[1]);
  }
  this.errorsBelow(y, free);
};

NetworkPlacement.prototype.errorsBelow = function (top, free) {
  const entries = this.errors.flat();
  const leaves = entries.flatMap((entry) => entry.leaves);
  let y = top;
  if (leaves.length <= free.length)
    leaves.forEach((leaf, index) => {
      const [{ x, width }, level] = free[index];
      this.add(leaf, x, level, width, SLIM, "pill small slim");
    });
  else y = this.row(leaves, y, 28, "pill small") + 14;
  const isOneRow = entries.length <= MOST_BESIDE;
  const rows = isOneRow ? [entries] : this.errors;
  for (const row of rows) {
    const slots = row.map((entry) => entry.slot);
    if (isOneRow && slots.length > 2) slots.splice(slots.length >> 1, 0, slots.pop()); // the total in the middle
    y = this.row(slots, y) + 18;
  }
  for (const { slot, operands } of entries) {
    for (const operand of operands) this.connect(operand, slot, [[slot, operand]], { isDown: true });
  }
};

/** A page in its compact form. */
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
