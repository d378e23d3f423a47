// Marks on numbers with few right digits, as Python counted them, until a number of the graph is changed.

import { VIEWS } from "./controls.js";
import { element } from "./notation.js";

class Rounding {
  constructor(page) {
    this.page = page;
    this.sentence = element("p.quiet", { id: "rounding" });
    const { root, parts } = page;
    (root.querySelector(".more summary") ?? parts.picture).after(this.sentence); // folded away in the compact form
  }

  show() {
    const { page, sentence } = this;
    const { program } = page.graph;
    const { digits, text } = page.data.rounding;
    const leaves = page.leaves();
    const isCounted = program.initial.every((number, slot) => !program.isLeaf(slot) || leaves[slot] === number);
    sentence.textContent = isCounted ? text : "Digits are not marked: a number was changed since they were counted.";
    for (const [slot, { data, grad }] of page.picture.boxes) {
      const [ofData, ofGrad] = (isCounted && digits[slot]) || [];
      mark(data, ofData);
      mark(grad, ofGrad);
    }
  }
}

/** Mark a number whose right digits are few; without a count, take the mark away. */
function mark(target, count) {
  if (!target) return;
  target.classList.toggle("inexact", count >= 0 && target.dataset.value !== "");
  target.title = count >= 0 ? `${count || "no"} right digit${count === 1 ? "" : "s"}` : "";
}

VIEWS.push(Rounding);
