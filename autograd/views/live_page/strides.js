// Buttons beside Next that go on to the end of what a neuron does, or a layer.

import { VIEWS } from "./controls.js";
import { element } from "./notation.js";

class Strides {
  constructor(page) {
    this.page = page;
    this.neuronOf = new Map();
    page.graph.content.network.layers.forEach((layer, depth) => {
      layer.forEach((neuron, index) => {
        for (const slot of neuron.flat()) this.neuronOf.set(slot, [depth, index]);
      });
    });
    this.buttons = ["neuron", "layer"].map((kind) => {
      const made = element("button", { "aria-label": `Next ${kind}` }, kind);
      made.addEventListener("click", () => this.stride(kind === "layer"));
      return made;
    });
    page.parts.next.after(element("span.group", ...this.buttons));
  }

  /** Go on to the end of what the next neuron does, or the next layer, with what is computed after it by no neuron. */
  stride(isLayer) {
    const { page } = this;
    const { list } = page.steps;
    const ownerOf = ({ phase, slot }) => {
      const neuron = this.neuronOf.get(page.folds.get(slot) ?? slot);
      return neuron && [phase, ...neuron.slice(0, isLayer ? 1 : 2)].join();
    };
    const owner = ownerOf(list[page.position]);
    let end = page.position + 1;
    while (
      end < list.length &&
      list[end].phase === list[end - 1].phase &&
      [undefined, owner].includes(ownerOf(list[end]))
    )
      end++;
    page.go(end);
    if (this.buttons[Number(isLayer)].disabled) page.parts.previous.focus();
  }

  show() {
    const { isAsking, position, steps } = this.page;
    for (const made of this.buttons) {
      made.hidden = isAsking;
      made.disabled = position >= steps.length;
    }
  }
}

VIEWS.push(Strides);
