// A button that saves the weights of the round shown, as Python loads them.

import { VIEWS } from "./controls.js";
import { element } from "./notation.js";

class Weights {
  constructor(page) {
    const button = element("button", { id: "save" }, "Save weights");
    button.addEventListener("click", () => {
      const { numbers } = page.moment;
      const text = JSON.stringify(page.graph.content.file, (_, it) => (it?.slot >= 0 ? numbers[it.slot] : it), 1);
      const href = URL.createObjectURL(new Blob([`${text}\n`], { type: "application/json" }));
      element("a", { href, download: "network.json" }).click();
      URL.revokeObjectURL(href);
    });
    page.parts.reset.before(button);
  }
}

VIEWS.push(Weights);
