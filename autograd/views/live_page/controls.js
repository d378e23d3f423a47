// The controls of the page: what each does, and which are offered.

import { prepareCopying } from "./copy.js";
import { about, element, readNumber } from "./notation.js";
import { field } from "./picture.js";
import { prepareSheet } from "./sheet.js";
import { StepList } from "./tables.js";

/** What some pages show besides, as classes; the scripts that only these pages hold add them. */
export const VIEWS = [];

/** Let the controls act on a page, and hide those that it has no use for. */
export function prepareControls(page) {
  const { data, parts, root } = page;
  const on = (event, actions) => {
    for (const [id, action] of Object.entries(actions)) parts[id].addEventListener(event, action);
  };
  on("click", {
    first: () => page.go(0),
    previous: () => page.previous(),
    next: () => page.next(),
    last: () => page.go(page.steps.length),
    play: () => page.play(),
    check: () => page.check(),
    factors: () => {
      page.areFactorsShown = true;
      page.show();
      parts.guess.focus();
    },
    tell: () => {
      page.go(page.position + 1);
      parts[page.position < page.steps.length ? "next" : "previous"].focus();
    },
    keep: () => {
      if (page.stop()) page.show();
      else page.keepTraining();
    },
    back: () => travel(page, page.training.round - 1),
    reset: () => page.begin(page.tell("redrawn")),
    smaller: () => page.picture.zoom(-1),
    larger: () => page.picture.zoom(1),
  });
  on("input", {
    position: () => page.go(Number(parts.position.value)),
    round: () => travel(page, Number(parts.round.value)),
  });
  on("change", {
    predict: () => page.go(page.position),
    unfold: () => {
      page.results = null;
      page.go(0);
    },
    logarithmic: () => {
      page.isLogarithmic = parts.logarithmic.checked;
      page.showTraining();
    },
    order: () => page.change({ order: parts.order.value }),
    pick: () => page.change({ pick: parts.pick.value === "one" }),
    gate: () => page.change({ gate: parts.gate.value, cases: data.gates[parts.gate.value] }),
    biases: () => page.begin(),
  });
  on("toggle", { all: () => page.show(), published: () => page.show() });
  for (const button of root.querySelectorAll("[data-rounds]")) {
    button.addEventListener("click", () => {
      page.stop();
      page.train(Number(button.dataset.rounds));
    });
  }
  for (const button of root.querySelectorAll("[data-pace]")) {
    button.addEventListener("click", () => {
      page.pace = button.dataset.pace;
      page.showTraining();
    });
  }
  page.rate = field(
    "Learning rate",
    (text) => {
      if (text === undefined) return page.say();
      const rate = readNumber(text);
      if (!(rate > 0 && rate < Infinity))
        return page.say(`“${text.slice(0, 40)}” is not a learning rate. Type a number greater than 0, such as 0.5.`);
      page.change({ rate });
      return true;
    },
    { id: "rate", ...about("learning rate", "rate") },
  );
  parts.ratePlace.append(page.rate);
  const offer = (id, choices) => {
    parts[id].append(...Object.keys(choices ?? {}).map((choice) => element("option", choice)));
    parts[`${id}Choice`].hidden = !choices;
  };
  offer("biases", data.biases);
  offer("gate", data.gates);
  parts.orderChoice.hidden = !page.graphs.some(({ program }) => program.layers.some((layer) => layer > 0));
  parts.pickChoice.hidden = !data.gates && !(data.cases?.length > 1);
  parts.pick.value = data.pick ? "one" : "all";
  parts.gateName.textContent = data.gateName ?? "Gate";
  parts.published.hidden = !data.published;
  parts.publishedNote.textContent = data.publishedNote ?? "";
  prepareSheet(page);
  prepareCopying(page, "copyText", false);
  prepareCopying(page, "copyLatex", true);
  page.list = new StepList(page, parts.list);
  new ResizeObserver(() => page.training && page.showTraining()).observe(parts.curve);
  new ResizeObserver(() => page.picture?.resize()).observe(parts.picture);
  root.addEventListener("keydown", (event) => key(event, parts));
  const pause = ({ target }) => {
    if (page.isRunning && target.type === "text" && page.stop()) page.show();
  };
  root.addEventListener("focus", pause, true); // before a field shows all digits of its number
}

function travel(page, round) {
  page.stop();
  page.training.travel(round);
  page.refresh();
}

/** Arrow keys step, unless they mean something where the focus is. */
function key(event, parts) {
  const isTaken = event.target.closest("input, select, [role=group]:not(#picture)");
  const button = { ArrowRight: "next", ArrowLeft: "previous", Home: "first", End: "last" }[event.key];
  if (isTaken || event.altKey || event.ctrlKey || event.metaKey || !button) return;
  parts[button].click();
  event.preventDefault();
}
