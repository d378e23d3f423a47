// Why a gradient is zero, very small, huge or nan, in the words of the table.

import { asText, bracketed, written } from "./notation.js";

const SMALL = 1e-4;
const LARGE = 1e4; // a slope beyond these, or a gradient of the square of these, is worth a word

/**
 * What there is to say of the gradient of a node at a moment.
 *
 * @returns `{text, slot, isUnary}`: the sentence, the operation where it went wrong, and whether that is a function of
 *     one number; null if nothing is wrong.
 */
export function diagnose(graph, moment, input) {
  const { program, names } = graph;
  const gradient = moment.grads[input];
  const size = Math.abs(gradient);
  if (size >= SMALL * SMALL && size <= LARGE * LARGE) return null;
  const edges = edgesTo(program, input);
  if (!edges.length) return null;
  const name = names.plainDerivative(program.output, input);
  const found = Number.isNaN(gradient)
    ? whereNan(graph, moment, edges)
    : size > LARGE * LARGE
      ? whereHuge(graph, moment, edges)
      : whereSmall(graph, moment, edges, gradient);
  return {
    ...found,
    isUnary: found.slot !== undefined && program.operandsOf(found.slot).length === 1,
    text: `${name} is ${written(gradient)}. ${found.text}`,
  };
}

/** The edges [slot, operand, parent] on all paths from the output to a node, from the output on. */
function edgesTo(program, input) {
  const reached = new Uint8Array(program.size);
  reached[input] = 1;
  for (let slot = input + 1; slot < program.size; slot++) {
    if (!program.isLeaf(slot)) reached[slot] = program.operandsOf(slot).some((operand) => reached[operand]) ? 1 : 0;
  }
  const edges = [];
  for (let slot = program.size - 1; slot > input; slot--) {
    if (!reached[slot] || program.isLeaf(slot)) continue;
    program.operandsOf(slot).forEach((parent, operand) => {
      if (reached[parent]) edges.push([slot, operand, parent]);
    });
  }
  return edges;
}

function slopeOf(graph, moment, slot, operand) {
  return moment.slopes[graph.program.starts[slot] + operand];
}

function whereNan(graph, moment, edges) {
  const { grads, numbers } = moment;
  for (const [slot, operand, parent] of edges) {
    if (!Number.isNaN(grads[parent]) || Number.isNaN(grads[slot])) continue;
    const slope = slopeOf(graph, moment, slot, operand);
    const start = `The gradient turns nan at ${described(graph, slot)}: `;
    if (Number.isNaN(slope)) {
      const isEarlier = graph.program.operandsOf(slot).some((place) => Number.isNaN(numbers[place]));
      return isEarlier
        ? { slot, text: `${start}an input of it is nan already in the forward pass; ${firstNan(graph, moment)}.` }
        : { slot, text: `${start}its slope at${operandsText(graph, moment, slot)} is not defined.` };
    }
    if (Number.isNaN(grads[slot] * slope)) {
      const product = `${written(grads[slot])} · ${bracketed(written(slope), 4)}`;
      return { slot, text: `${start}${product} is not defined; ${cause(graph, moment, slot, operand)}.` };
    }
    return { slot, text: `${start}infinite contributions of both signs meet at ${graph.names.plain(parent)}.` };
  }
  return {
    slot: graph.program.output,
    text: `${graph.names.plain(graph.program.output)} itself is nan; ${firstNan(graph, moment)}.`,
  };
}

function firstNan(graph, moment) {
  const slot = moment.numbers.findIndex(Number.isNaN);
  if (slot < 0) return "no number of the forward pass is nan";
  const at = graph.program.isLeaf(slot) ? "" : ` at${operandsText(graph, moment, slot)}`;
  return `the first nan is ${described(graph, slot)}${at}`;
}

function whereHuge(graph, moment, edges) {
  const { grads, numbers } = moment;
  const { output } = graph.program;
  for (const [slot, operand, parent] of edges) {
    if (Number.isFinite(grads[slot]) && !Number.isFinite(grads[parent])) {
      return {
        slot,
        text: `The gradient becomes infinite at ${described(graph, slot)}: ${cause(graph, moment, slot, operand)}.`,
      };
    }
  }
  if (!Number.isFinite(numbers[output])) {
    return { slot: output, text: `${described(graph, output)} is ${written(numbers[output])} itself.` };
  }
  const [slot, operand] = strongest(graph, moment, edges, (slope) => slope);
  const slope = slopeOf(graph, moment, slot, operand);
  if (Math.abs(slope) < LARGE) {
    return { text: `No slope on the way is larger than ${written(Math.abs(slope))}; their product is.` };
  }
  return { slot, text: `The gradient explodes at ${described(graph, slot)}: ${cause(graph, moment, slot, operand)}.` };
}

function whereSmall(graph, moment, edges, gradient) {
  const { grads } = moment;
  if (gradient === 0) {
    for (const [slot, operand, parent] of edges) {
      const slope = slopeOf(graph, moment, slot, operand);
      if (grads[slot] !== 0 && grads[slot] * slope === 0 && (slope !== 0 || grads[parent] === 0)) {
        const why =
          slope === 0
            ? cause(graph, moment, slot, operand)
            : `${written(grads[slot])} · ${bracketed(written(slope), 4)} is too small for a float`;
        return { slot, text: `The gradient dies at ${described(graph, slot)}: ${why}.` };
      }
    }
    return { text: "The contributions of all paths cancel." };
  }
  const [slot, operand] = strongest(graph, moment, edges, (slope) => (slope === 0 ? 0 : 1 / slope));
  const slope = slopeOf(graph, moment, slot, operand);
  if (Math.abs(slope) > SMALL) {
    return { text: `No slope on the way is smaller than ${written(Math.abs(slope))}; their product is.` };
  }
  return { slot, text: `The gradient fades at ${described(graph, slot)}: ${cause(graph, moment, slot, operand)}.` };
}

function strongest(graph, moment, edges, of) {
  const sizes = edges.map(([slot, operand]) => Math.abs(of(slopeOf(graph, moment, slot, operand))));
  return edges[sizes.indexOf(Math.max(...sizes))];
}

/** Why a slope is what it is: in the words of the primitive, if it has any, or else by the operands. */
function cause(graph, moment, slot, operand) {
  const { program, content } = graph;
  const slope = slopeOf(graph, moment, slot, operand);
  const operands = [...program.operandsOf(slot)].map((place) => moment.numbers[place]);
  const [whenFlat, whenSteep] = content.causes[program.primitives[slot]] ?? ["", ""];
  const at = operandsText(graph, moment, slot);
  let template = Math.abs(slope) < SMALL ? whenFlat : Math.abs(slope) > LARGE ? whenSteep : "";
  if (!Number.isFinite(moment.numbers[slot]) && operands.every(Number.isFinite) && Math.abs(slope) >= SMALL) {
    template = `its value overflows to {out} at${at}`;
  }
  if (!template || (template.includes("{other}") && operands.length !== 2)) template = `its operands are${at}`;
  const fields = {
    name: program.primitives[slot],
    out: written(moment.numbers[slot]),
    other: written(operands[1 - operand] ?? NaN),
    tiny: Number.isFinite(slope) ? ", which is tiny" : "",
  };
  const words = template.replace(/\{(\w+)\}/g, (_, field) => fields[field] ?? written(operands[Number(field)]));
  return `${words}: slope ${written(slope)}`;
}

function operandsText(graph, moment, slot) {
  const operands = [...graph.program.operandsOf(slot)];
  const shown = operands.slice(0, 3).map((place) => written(moment.numbers[place]));
  return ` ${shown.join(", ")}${operands.length > 3 ? ", …" : ""}`;
}

function described(graph, slot) {
  const { names, program, unfolded } = graph;
  if (program.isLeaf(slot) || program.operandsOf(slot).length > 4) return names.plain(slot);
  const { formula } = unfolded.list[unfolded.indices.get(slot)];
  return `${names.plain(slot)} = ${asText(formula, (part) => names.plain(part.slot))}`;
}
