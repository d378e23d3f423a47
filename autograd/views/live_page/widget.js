// The page as a widget of a notebook: Python computes its numbers, and the notebook gives it its theme.

import { CompactPage } from "./compact.js";
import { element, written } from "./notation.js";
import { themeAround, whenThemeChanges } from "./theme.js";

const FIXED = "Branches stay as Python recorded them.";

function numbersOf(view) {
  return new Float64Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** A training whose rounds Python computes, and whose numbers are those of the kernel. */
class KernelTraining {
  constructor(model, settings) {
    this.model = model;
    this.settings = settings;
    this.waiting = new Map(); // what is done with the answers that are due
    this.count = 0;
    this.name = Math.random().toString(36).slice(2); // of this view, which alone is concerned by an answer
    this.take();
  }

  take() {
    const { numbers, slopes, grads, learned, before, applied, rounds, errors, ...others } = this.model.get("state");
    this.computed = { numbers: numbersOf(numbers), slopes: numbersOf(slopes), grads: numbersOf(grads) };
    this.numbers = numbersOf(learned);
    this.before = before && numbersOf(before);
    this.applied = applied && numbersOf(applied);
    const errorsOf = numbersOf(errors);
    this.samples = Array.from(numbersOf(rounds), (round, index) => ({ round, error: errorsOf[index] }));
    Object.assign(this, others); // round, last, rate, diverged
    this.error = this.computed.numbers.at(-1);
  }

  /** The settings that led to the round shown. */
  segmentAt() {
    return { settings: { ...this.settings, rate: this.rate } };
  }

  change(settings) {
    this.settings = settings;
  }

  edit(slot, value) {
    this.ask({ what: "edit", slot, value }, (answer) => this.edited(slot, answer));
  }

  run(rounds, milliseconds, done) {
    const { rate } = this.settings;
    const asked = { what: "train", rounds: Number.isFinite(rounds) ? rounds : null, rate, milliseconds };
    this.latest = this.ask(asked, ({ left, error, id }) => {
      if (id === this.latest) done(error ? 0 : (left ?? Infinity));
    });
  }

  travel(round) {
    this.ask({ what: "travel", round });
  }

  reset() {
    this.ask({ what: "reset" });
    return this;
  }

  ask(request, then = () => {}) {
    const id = `${this.name}${this.count++}`;
    this.waiting.set(id, then);
    this.model.send({ ...request, id });
    return id;
  }

  answer(content) {
    const then = this.waiting.get(content.id);
    this.waiting.delete(content.id);
    then?.(content);
    return then !== undefined;
  }
}

class WidgetPage extends CompactPage {
  constructor(root, model) {
    let training;
    super(root, JSON.parse(model.get("page")), (_, settings) => {
      training = training?.reset() ?? new KernelTraining(model, settings);
      return training;
    });
    this.model = model;
    this.pending = new Map(); // what was typed and is not confirmed, by slot
    this.status = element("span", FIXED);
    this.parts.notice.before(element("p", { role: "status" }, this.status, " "));
    this.parts.orderChoice.hidden = true; // the kernel moves all at once
    training.edited = (slot, answer) => this.confirm(slot, answer);
    this.parts.picture.addEventListener("click", (event) => this.refuse(event.target));
    this.parts.unfold.checked = model.get("every_operation");
    this.go(model.get("position"));
  }

  /** Follow the kernel; returns what ends that. */
  follow() {
    const { model, training } = this;
    const actions = {
      "change:state": () => {
        training.take();
        this.refresh();
      },
      "change:position": () => {
        if (model.get("position") !== this.position) this.go(model.get("position"));
      },
      "change:every_operation": () => {
        if (model.get("every_operation") === this.parts.unfold.checked) return; // some tell of the page's own changes, too
        this.parts.unfold.checked = model.get("every_operation");
        this.results = null;
        this.show();
      },
      "msg:custom": (content) => {
        if (!training.answer(content)) return;
        if (content.error) this.report(`Python refused: ${content.error}`, "warning");
        this.show();
      },
    };
    for (const [event, action] of Object.entries(actions)) model.on(event, action);
    return () => {
      this.stop();
      for (const [event, action] of Object.entries(actions)) model.off(event, action);
    };
  }

  report(text, look = "") {
    this.status.textContent = text;
    this.status.title = text;
    this.status.className = look;
  }

  train(rounds, slice) {
    this.report(FIXED);
    super.train(rounds, slice);
  }

  edit(slot, text) {
    const isTaken = super.edit(slot, text);
    if (isTaken) {
      this.pending.set(slot, text);
      this.report(`${this.graph.names.plain(slot)} = ${text.trim()} edited → kernel`, "edited");
      this.show();
    }
    return isTaken;
  }

  confirm(slot, { error }) {
    this.pending.delete(slot);
    if (!error) this.report(`✓ kernel: ${this.graph.names.plain(slot)} = ${written(this.moment.numbers[slot])}`);
    this.refresh();
  }

  /** Say why a number that was computed cannot be edited. */
  refuse(target) {
    const number = target.closest(".number:not(input)");
    if (!number) return;
    const { name, kind } = number.dataset;
    const slot = this.graph.names.names.indexOf(name);
    const isInner = kind === "grad" || !this.graph.program.isLeaf(slot);
    this.report(
      isInner
        ? `${kind === "grad" ? `The gradient of ${name}` : name} is computed: edit a number with a dotted line.`
        : `${name} is a constant of the recorded graph.`,
    );
  }

  show() {
    super.show();
    const { model, parts, position } = this;
    if (!model) return;
    const changes = Object.entries({ every_operation: parts.unfold.checked, position });
    const isNew = ([key, value]) => model.get(key) !== value;
    if (!changes.some(isNew)) return;
    for (const [key, value] of changes.filter(isNew)) model.set(key, value);
    model.save_changes();
  }

  showPicture() {
    super.showPicture();
    for (const [slot, { box, data }] of this.picture.boxes) {
      const text = this.pending?.get(slot);
      box.classList.toggle("pending", text !== undefined);
      if (text === undefined) continue;
      data.value = data.dataset.shown = text;
      data.dataset.text = ""; // what the kernel answers is shown in any case
    }
  }
}

/** Show a model in an element of the notebook, in a shadow root that no style of it reaches. */
function render({ model, el }) {
  const host = element("div", { "data-lm-suppress-shortcuts": "true" }); // keys typed here are no commands of JupyterLab
  const root = host.attachShadow({ mode: "open" });
  const page = element("div.page.compact");
  page.innerHTML = MARKUP;
  root.append(element("style", STYLE), page);
  el.replaceChildren(host);
  const follow = () => {
    page.dataset.theme = themeAround(host);
  };
  follow();
  const unfollow = whenThemeChanges(follow);
  new ResizeObserver(follow).observe(host); // once it stands in the document
  const shown = new WidgetPage(root, model);
  const leave = shown.follow();
  return () => {
    leave();
    unfollow();
  };
}

export default { render };
