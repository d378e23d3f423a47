// Why a gradient is zero, very small, huge or nan, in the sentences that Python hands over.

import { bracketed, parse, written } from "./notation.js";
import { product } from "./program.js";

/** What is wrong with a gradient at a moment: a sentence, the operation where, and whether that is unary; or null. */
export function diagnose(graph, moment, input) {
  const { program, names, diagnosis } = graph;
  const { small, large, sentences } = diagnosis;
  const gradient = moment.grads[input];
  const size = Math.abs(gradient);
  if (size >= small * small && size <= large * large) return null;
  const edges = edgesTo(program, moment, input);
  if (!edges.length) return null;
  const [kind, edge] = finding(graph, moment, gradient, edges);
  const sentence = sentences[kind];
  const fields = { output: names.plain(program.output), first: firstNan(graph, moment) };
  if (edge) Object.assign(fields, fieldsOfEdge(graph, moment, edge));
  const guarded = edges.find(({ grad, slope, part }) => Number.isNaN(grad * slope) && !Number.isNaN(part));
  const addition = guarded ? filled(sentences.guarded, fieldsOfEdge(graph, moment, guarded)) : "";
  const isNamed = sentence.includes("{node}") || kind === "no_influence";
  const slot = sentence.includes("{output}") ? program.output : isNamed ? edge.slot : undefined;
  return {
    slot,
    isUnary: slot !== undefined && program.operandsOf(slot).length === 1,
    text: `${names.plainDerivative(program.output, input)} is ${written(gradient)}. ${filled(sentence, fields)}${addition}`,
  };
}

/** The edges on all paths from the output to a node, from the output on. */
function edgesTo(program, { grads, slopes }, input) {
  const reached = new Uint8Array(program.size);
  reached[input] = 1;
  for (let slot = input + 1; slot < program.size; slot++) {
    if (program.operandsOf(slot).some((operand) => reached[operand])) reached[slot] = 1;
  }
  const edges = [];
  const sums = new Float64Array(program.size);
  for (let slot = program.size - 1; slot > input; slot--) {
    if (!reached[slot]) continue;
    program.operandsOf(slot).forEach((parent, operand) => {
      if (!reached[parent]) return;
      const slope = slopes[program.starts[slot] + operand];
      const part = product(grads[slot], slope, program.selects[program.starts[slot] + operand]);
      const [grad, before, after] = [grads[slot], sums[parent], grads[parent]];
      edges.push({ slot, operand, parent, slope, grad, part, before, after });
      sums[parent] += part;
    });
  }
  return edges;
}

/** The sentence for a gradient, and the edge that it speaks of, looked for in the order of `diagnosis.py`. */
function finding({ diagnosis, program }, { numbers }, gradient, edges) {
  const { small, large, causes } = diagnosis;
  const isNan = Number.isNaN;
  const isInfinite = (x) => Math.abs(x) === Infinity;
  if (isNan(gradient)) {
    const edge = edges.find(
      ({ grad, part, before, after }) =>
        isNan(after) && !isNan(grad) && (isNan(part) || (isInfinite(before) && isInfinite(part))),
    );
    if (!edge) return ["nan_output"];
    if (!isNan(edge.slope)) return [isNan(edge.part) ? "nan_product" : "nan_sum", edge];
    return [program.operandsOf(edge.slot).some((slot) => isNan(numbers[slot])) ? "nan_input" : "nan_slope", edge];
  }
  if (gradient === 0) {
    const arrived = new Set(edges.filter(({ part }) => part !== 0).map(({ parent }) => parent));
    const isEnd = ({ parent, grad, after }) => (arrived.has(parent) ? after === 0 : grad !== 0);
    const edge = edges.findLast(isEnd); // one nearer to the output may be that of a side branch
    if (!edge || arrived.has(edge.parent)) return ["cancels"];
    if (edge.slope !== 0) return ["underflows", edge];
    const operands = program.operandsOf(edge.slot);
    const isZero = factorsOf(program, numbers, causes, edge).some((index) => numbers[operands[index]] === 0);
    return [isZero ? "no_influence" : "dies", edge];
  }
  if (Math.abs(gradient) < 1) {
    const flattest = largest(edges, (slope) => 1 / (slope || Infinity));
    return [Math.abs(flattest.slope) <= small ? "fades" : "small", flattest];
  }
  const finite = edges.filter(({ grad }) => Number.isFinite(grad));
  const product = finite.find(({ grad, slope }) => isInfinite(grad * slope));
  if (product) return [isInfinite(product.slope) ? "infinite" : "product_overflows", product];
  const sum = finite.find(({ after }) => isInfinite(after));
  if (sum) return ["sum_overflows", sum];
  if (!Number.isFinite(numbers[program.output])) return ["infinite_output", edges[0]];
  const steepest = largest(edges, (slope) => slope);
  return [Math.abs(steepest.slope) >= large ? "explodes" : "large", steepest];
}

function largest(edges, of) {
  const sizes = edges.map(({ slope }) => Math.abs(of(slope)));
  return edges[sizes.indexOf(Math.max(...sizes))];
}

/** By which operands of a product one is multiplied, by index: the first that is 0, or all; none for no product. */
function factorsOf(program, numbers, causes, { slot, operand }) {
  const [whenFlat, , lists] = causes[program.primitives[slot]] ?? [""];
  if (!whenFlat.includes("{factor}")) return [];
  const operands = program.operandsOf(slot);
  const count = operands.length;
  const indices = lists === 2 ? [(operand + count / 2) % count] : [...operands.keys()].filter((i) => i !== operand);
  const zero = indices.find((index) => numbers[operands[index]] === 0);
  return zero === undefined ? indices : [zero];
}

/** Why a slope is what it is: in the words of the primitive, if it has any, or else by the operands. */
function cause({ program, diagnosis }, { numbers }, { slot, operand, slope }, fields) {
  const { small, large, sentences, causes } = diagnosis;
  const operands = [...program.operandsOf(slot)].map((place) => numbers[place]);
  const [whenFlat, whenSteep] = causes[program.primitives[slot]] ?? ["", ""];
  const size = Math.abs(slope);
  const isOverflow = Math.abs(numbers[slot]) === Infinity && operands.every(Number.isFinite);
  const flat = Array.isArray(whenFlat) ? whenFlat[operand] : whenFlat;
  const template =
    (size < small ? flat : isOverflow ? sentences.overflows : size > large ? whenSteep : "") ||
    (operands.length > 1 ? sentences.operands : sentences.input);
  const words = filled(template, { ...operands.map((x) => written(x)), ...fields });
  return template.includes("{factor}") ? words : filled(sentences.slope, { ...fields, cause: words });
}

/** What a sentence may say of a node. */
function fieldsOf({ names, program, unfolded }, { numbers }, slot) {
  const operands = [...program.operandsOf(slot)].map((place) => written(numbers[place]));
  const step = operands.length > 4 ? undefined : unfolded.list[unfolded.indices.get(slot)];
  const formula = step ? [" = ", ...parse(step.formula)] : [];
  return {
    node: names.plain(slot) + formula.map((part) => (part.slot === undefined ? part : names.plain(part.slot))).join(""),
    out: written(numbers[slot]),
    operands: operands.slice(0, 3).join(", ") + (operands.length > 3 ? ", …" : ""),
  };
}

/** What a sentence or a cause may say of an edge. */
function fieldsOfEdge(graph, moment, edge) {
  const { program, names, diagnosis } = graph;
  const slope = written(edge.slope + 0); // −0 is shown as 0
  const operands = program.operandsOf(edge.slot);
  const factors = factorsOf(program, moment.numbers, diagnosis.causes, edge).map((index) => {
    const { node, out } = fieldsOf(graph, moment, operands[index]);
    return node === out ? out : `${node} = ${out}`;
  });
  const fields = {
    ...fieldsOf(graph, moment, edge.slot),
    name: program.primitives[edge.slot],
    parent: names.plain(edge.parent),
    operand: fieldsOf(graph, moment, edge.parent).node,
    factor: factors.length === 1 ? factors[0] : filled(diagnosis.sentences.factors, { slope }),
    product: `${written(edge.grad)} · ${bracketed(written(edge.slope), 4)}`,
    slope,
    size: written(Math.abs(edge.slope)),
    tiny: Math.abs(edge.slope) === Infinity ? "" : ", which is tiny",
  };
  return { ...fields, cause: cause(graph, moment, edge, fields) };
}

function firstNan(graph, moment) {
  const { sentences } = graph.diagnosis;
  const slot = moment.numbers.findIndex(Number.isNaN);
  if (slot < 0) return sentences.no_nan;
  const fields = fieldsOf(graph, moment, slot);
  const leaf = fields.node === fields.out ? "first_nan_constant" : "first_nan_leaf";
  return filled(sentences[graph.program.isLeaf(slot) ? leaf : "first_nan"], fields);
}

function filled(template, fields) {
  return template.replace(/\{(\w+)\}/g, (_, field) => fields[field]);
}
