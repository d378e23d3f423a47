// The picture of a graph: boxes of HTML over lines of SVG.

import { about, element, shortened, svg } from "./notation.js";
import { MOST_ROWS, place } from "./placement.js";

const BREAKPOINT = 700; // pixels, or 43.75 em, below which the picture runs from top to bottom
const LARGEST = 1.25; // how much a small picture is enlarged, in ems of 16 pixels
const BESIDE = 400; // how wide a picture from top to bottom may be to stand beside the controls
const SMALLEST = 0.75; // how much a wide one is reduced to fit; one that would be smaller still scrolls, as large as
const SCROLLED = 0.92; // this
const ZOOM = 1.25; // a step of it
const MOST_ZOOMED = 3;

/** The attributes of a field for a number. */
export const TYPED = { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false" };

/** A field for a number. `commit` is called with what was typed, and returns false to refuse it; or with nothing, when
 * what it refused is given up. */
export function field(label, commit, attributes = {}) {
  const input = element("input", { ...TYPED, "aria-label": label, ...attributes });
  const restore = () => {
    const wasRefused = input.ariaInvalid;
    input.value = input.dataset.shown ?? "";
    input.ariaInvalid = null;
    if (wasRefused) commit();
  };
  input.addEventListener("focus", () => {
    if (input.dataset.value && !input.ariaInvalid) input.value = input.dataset.value.replace("-", "−");
    input.select();
  });
  const finish = () => {
    const shown = [input.dataset.shown, input.dataset.value?.replace("-", "−")];
    if (shown.includes(input.value)) restore();
    else input.ariaInvalid = commit(input.value) === false ? "true" : null;
  };
  input.addEventListener("change", finish);
  input.addEventListener("blur", () => {
    if (!input.ariaInvalid) restore();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") finish();
    if (event.key === "Escape") restore();
    event.stopPropagation();
  });
  return input;
}

/** Show a number in an element that stands for it: all of its digits in `data-value`. */
export function show(target, value, text) {
  const all = value === undefined ? "" : String(value);
  if (target.dataset.value === all && target.dataset.text === text) return;
  target.dataset.value = all;
  target.dataset.text = text;
  if (target instanceof HTMLInputElement) {
    target.dataset.shown = text;
    if (target.getRootNode().activeElement !== target || !target.ariaInvalid) target.value = text;
    target.ariaInvalid = null;
  } else target.textContent = text;
}

/** The picture that fills a container; the page knows the numbers, and what is edited and asked. */
export class Picture {
  constructor(container, graph, page) {
    this.container = container;
    this.graph = graph;
    this.page = page;
    this.chosen = (graph.content.network?.layers ?? []).map(() => 0);
    this.open = this.zoomed = 0;
    this.focus = graph.program.output;
    this.isTall = place(graph, true, Infinity, this).width < BESIDE;
    container.closest("main").classList.toggle("beside", this.isTall && !graph.isWide);
    this.isNarrow = container.clientWidth < BREAKPOINT * this.em;
    this.build();
    this.width = container.clientWidth;
  }

  get em() {
    return Number.parseFloat(getComputedStyle(this.container).fontSize) / 16;
  }

  resize() {
    if (this.paper || this.container.clientWidth === this.width) return; // one that grows taller changes nothing
    this.width = this.container.clientWidth;
    if (this.width < BREAKPOINT * this.em !== this.isNarrow || this.graph.content.network) this.fit();
    else this.scale();
  }

  build() {
    const { graph } = this;
    const room = this.container.clientWidth / (SCROLLED * this.em);
    const placement = place(graph, this.isNarrow, room, this);
    this.placement = placement;
    this.stage = element("div.stage");
    this.stage.style.width = `${placement.width}px`;
    this.stage.style.height = `${placement.height}px`;
    this.drawLines(placement);
    this.boxes = new Map();
    for (const made of placement.boxes) this.stage.append(this.drawBox(made));
    this.container.replaceChildren(this.stage);
    this.scale();
  }

  drawLines({ width, height, frames, edges, notes = [] }) {
    const drawing = svg("svg", { width, height, "aria-hidden": "true" });
    for (const { isChosen, ...frame } of frames) {
      drawing.append(svg("rect", { ...frame, rx: 10, class: isChosen ? "frame chosen" : "frame" }));
    }
    for (const { text, ...at } of notes) {
      drawing.append(svg("text", { ...at, class: "note" }, text));
    }
    this.lines = edges.map((edge) => {
      const path = svg("path", { d: edge.path, class: "line" });
      drawing.append(path);
      return { ...edge, element: path };
    });
    this.stage.append(drawing);
  }

  drawBox({ slot, x, y, width, height, kind }) {
    const { graph, page } = this;
    const { names, program } = graph;
    const name = names.plain(slot);
    const isInner = !program.isLeaf(slot);
    const shape = isInner ? "result" : graph.editable.has(slot) && !program.inputs.includes(slot) ? "weight" : "pill";
    const made = element(`div.box.${shape} ${kind}`);
    Object.assign(made.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
    const canAsk = !program.isConstant[slot] && slot !== program.output;
    const title = canAsk
      ? element("button", { type: "button", tabindex: "-1", "aria-label": `Explain ${name}`, title: name })
      : element("span.title", { title: name });
    title.append(names.element(slot));
    if (canAsk) title.addEventListener("click", () => page.ask(slot));
    const data =
      isInner || !graph.editable.has(slot)
        ? element("span.number", about(name))
        : field(name, (text) => page.edit(slot, text), { ...about(name), class: "number" });
    made.append(title, data);
    const parts = { box: made, data };
    if (!program.isConstant[slot]) {
      parts.grad = element("span.number.gradient", about(name, "grad"));
      made.append(element("span.partial", { "aria-hidden": "true" }, "∂"), parts.grad);
    }
    if (isInner && height > 50) {
      const formula = names.formula(graph.steps.list[graph.steps.indices.get(slot)].formula);
      formula.classList.add("third");
      made.append(formula);
    }
    this.boxes.set(slot, parts);
    return made;
  }

  scale() {
    const { em } = this;
    const { width, height } = this.placement;
    const { clientWidth: room } = this.container;
    const fitted = room / width < SMALLEST * em ? SCROLLED * em : Math.min(room / width, LARGEST * em);
    this.container.style.height = this.isNarrow && height * fitted > 400 ? "" : `${Math.ceil(height * fitted) + 10}px`;
    const whole = Math.min(fitted, room / width, this.container.clientHeight / height);
    this.enlarge(Math.min(Math.max(fitted * ZOOM ** this.zoomed, whole), MOST_ZOOMED * em), room);
  }

  enlarge(factor, room) {
    const { width, height } = this.placement;
    this.factor = factor;
    this.stage.style.transform = `scale(${factor})`;
    this.stage.style.marginLeft = `${Math.max((room - width * factor) / 2, 0)}px`;
    this.stage.style.marginBottom = `${height * (factor - 1)}px`;
    this.stage.style.marginRight = `${width * (factor - 1)}px`;
  }

  /** Fit the picture to a sheet of paper; without one, to the page again. */
  fit(width, height) {
    this.paper = width;
    this.isNarrow = width ? this.isTall || Boolean(this.graph.isWide) : this.width < BREAKPOINT * this.em;
    this.build();
    this.update(...this.state);
    this.page.tell("show"); // what others draw into the picture
    if (!width) return;
    const { placement } = this;
    const zoom = Math.min(width / placement.width, height / placement.height, LARGEST);
    Object.assign(this.stage.style, { transform: "none", margin: "0 auto", zoom }); // paper takes a width before transforms
    this.container.style.height = "auto";
  }

  /** Show the picture larger or smaller, the current node still in view; its frame stays as it is. */
  zoom(by) {
    const before = this.factor;
    this.zoomed += by;
    this.scale();
    if (this.factor === before) this.zoomed -= by;
    this.scrollTo(this.shown);
  }

  /** Let the weights of the neuron that a step is about be shown, the layer of its leading node, or its surroundings. */
  follow(slots, leading) {
    const { network, placement } = this.graph.content;
    let isNew = false;
    if (network) {
      const choose = (depth, index) => {
        isNew ||= index !== this.chosen[depth] && this.placement.boxes.some((made) => made.kind === "row weight");
        this.chosen[depth] = index;
      };
      network.layers.forEach((layer, depth) => {
        const [index] = slots
          .map((slot) => layer.findIndex(([net, out, weights]) => [net, out, ...weights].includes(slot)))
          .filter((found) => found >= 0);
        if (index === undefined) return;
        choose(depth, index);
        const source = layer[index][2].findIndex((weight) => slots.includes(weight));
        if (source >= 0 && network.layers[depth - 1]?.length > MOST_ROWS) choose(depth - 1, source);
        if (depth === this.open || !layer[index].flat().includes(leading)) return;
        this.open = depth;
        isNew ||= this.placement.isFolded;
      });
    } else if (!placement) {
      const [slot] = slots;
      isNew = slot !== undefined && slot !== this.focus;
      if (isNew) this.focus = slot;
    }
    if (isNew) this.build();
  }

  /** Show what is known on the page, the current step, and the boxes that a warning is about. */
  update(page, current, warned) {
    this.state = [page, current, warned];
    const { asked } = page;
    const slots = [current?.box, current?.station, asked].filter((slot) => slot !== undefined);
    this.follow(slots, current?.station ?? asked);
    const isBackward = current?.phase === "backward";
    const hasGradients = page.position > page.steps.forward;
    for (const [slot, { box, data, grad }] of this.boxes) {
      const digits = box.matches(".small, .row") ? 3 : 5;
      const fixed = page.isRunning && (box.matches(".small") ? 2 : 4);
      const value = page.numberOf(slot);
      show(data, value, value === undefined ? "?" : shortened(value, digits, grad && fixed));
      if (grad) {
        const known = page.gradOf(slot);
        show(
          grad,
          known,
          known === undefined ? (hasGradients ? "?" : "") : shortened(known, digits, page.isRunning && 4),
        );
      }
      const { classList } = box;
      const isReceiving = isBackward && current.box !== undefined;
      classList.toggle("current", current && slot === (isReceiving ? current.box : current.station));
      classList.toggle("backward", isBackward);
      classList.toggle("update", current?.phase === "update");
      classList.toggle("giving", isReceiving && slot === current.station);
      classList.toggle("slope", isReceiving && current.factors.includes(slot));
      classList.toggle("asked", slot === asked);
      classList.toggle("warned", warned.includes(slot));
    }
    this.updateLines(page, current, isBackward);
    this.shown = current?.box ?? current?.station ?? asked;
    this.scrollTo(this.shown);
  }

  updateLines(page, current, isBackward) {
    const path = this.pathTo(page.asked);
    const sizes = this.lines
      .filter((line) => line.weight !== undefined)
      .map((line) => Math.abs(page.numberOf(line.weight)));
    const scale = 1.6 / Math.max(1, ...sizes.map((size) => size / 3));
    for (const { element: drawn, of, weight, isFaint } of this.lines) {
      const isCurrent =
        current && of.some(([slot, parent]) => slot === current.station && (!isBackward || parent === current.box));
      const isAsked = of.some((edge) => path.has(edge.join()));
      const number = weight === undefined ? 0 : page.numberOf(weight);
      const width = weight === undefined ? 1.25 : Math.min(1 + scale * Math.abs(number), 5);
      const looks = [
        "line",
        isCurrent ? current.phase : isAsked ? "asked" : isFaint ? "faint" : "",
        number < 0 ? "negative" : "",
      ];
      drawn.setAttribute("class", looks.join(" "));
      drawn.setAttribute("stroke-width", (isCurrent ? Math.max(width, 2.5) : width).toFixed(2));
      const hasHead = isCurrent && isBackward && of[0][1] === current.box;
      drawn.setAttribute("marker-start", hasHead ? "url(#arrow)" : "none");
    }
  }

  /** The edges "slot,parent" on the paths from the output to a node. */
  pathTo(asked) {
    const { stations, parents } = this.graph;
    const path = new Set();
    const reached = new Set([asked]);
    for (const slot of stations) {
      for (const parent of parents.get(slot)) {
        if (!reached.has(parent)) continue;
        reached.add(slot);
        path.add(`${slot},${parent}`);
      }
    }
    return path;
  }

  scrollTo(slot) {
    const made = this.boxes.get(slot)?.box;
    const { container, factor } = this;
    if (!made || (container.scrollWidth <= container.clientWidth && container.scrollHeight <= container.clientHeight))
      return;
    container.scrollTo({
      left: made.offsetLeft * factor - (container.clientWidth - made.offsetWidth * factor) / 2,
      top: made.offsetTop * factor - (container.clientHeight - made.offsetHeight * factor) / 2,
    });
  }
}
