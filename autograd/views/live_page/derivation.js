// The derivation of a gradient by the chain rule, with the numbers of a moment.

import { bracketed, element, parse, written } from "./notation.js";

const MOST_PARAGRAPHS = 40;
const INLINE_TERMS = 4;
const MULTIPLIED = 4; // how tightly the right factor of a product must bind
const ADDED = 3; // and the right term of a sum

/** The derivatives of a graph that derivations are made of. */
export class Derivatives {
  constructor(graph) {
    this.graph = graph;
    const { rows, roots, definitions } = graph.content.derivations;
    this.definitions = new Map(definitions);
    this.rows = rows.map(([name, computation, rest]) => {
      const [terms, formula] = typeof rest === "string" ? [[], rest] : [rest, ""];
      return { name: name || `∂@${computation.join("/∂@")}`, terms, formula, computation };
    });
    this.roots = new Map(roots);
    if (!this.rows.length) this.writeOneStepAtATime();
  }

  /** Of a large graph: each gradient as the sum over the nodes that use the node, and theirs likewise. */
  writeOneStepAtATime() {
    const { content, program, stations, parents } = this.graph;
    const add = ([top, bottom], formula, isLocal) =>
      this.rows.push({ name: `∂@${top}/∂@${bottom}`, terms: [], formula, computation: [top, bottom], isLocal }) - 1;
    for (let place = stations.length - 1; place >= 0; place--) {
      const slot = stations[place];
      const above = this.roots.get(slot);
      if (above === undefined && slot !== program.output) continue;
      parents.get(slot).forEach((parent, operand) => {
        if (!this.roots.has(parent)) this.roots.set(parent, add([program.output, parent], "", false));
        const factor = add([slot, parent], content.slopes[place][operand], true);
        this.rows[this.roots.get(parent)].terms.push(above === undefined ? [factor] : [above, factor]);
      });
    }
  }

  /** The numbers of all derivatives that a document needs, by row. */
  valuesAt(moment) {
    const known = new Map();
    const computed = ({ computation, isLocal }) => {
      const [top, bottom] = computation;
      if (isLocal) return moment.slopesOf(top).get(bottom);
      if (!Array.isArray(top)) return moment.derivative(top, bottom);
      const [slot, operand] = computation.at(-1);
      return moment.along(computation).get(this.graph.program.operandsOf(slot)[operand]);
    };
    const of = (index) => {
      if (!known.has(index)) known.set(index, computed(this.rows[index]));
      return known.get(index);
    };
    const rest = (parent) => {
      let left = of(parent);
      for (const term of this.rows[parent].terms) {
        if (this.rows[term[0]].computation.length) left -= term.reduce((product, factor) => product * of(factor), 1);
      }
      return left;
    };
    return (index, parent) => (this.rows[index].computation.length ? of(index) : rest(parent));
  }

  /** The paragraphs of a derivation: groups of lines, each the formulas that are equal, as templates. */
  paragraphs(slot) {
    const root = this.roots.get(slot);
    if (root === undefined) return [];
    const paragraphs = this.rows[root].terms.length ? [] : [[{ index: root }]];
    const seen = new Set([root]);
    for (const index of seen) {
      const { terms } = this.rows[index];
      if (!terms.length || paragraphs.length >= MOST_PARAGRAPHS) continue;
      paragraphs.push([{ index, isSum: true }]);
      let parts = terms.flat();
      if (parts.length > 1) parts = parts.flatMap((part) => this.inlined(part));
      const fresh = [...new Set(parts)].filter((part) => !seen.has(part));
      for (const part of fresh) seen.add(part);
      const factors = fresh.filter((part) => !this.rows[part].terms.length && this.rows[part].formula);
      if (factors.length) paragraphs.push(factors.map((factor) => ({ index: factor })));
    }
    const places = paragraphs.flat().flatMap(({ index }) => this.placesOf(index));
    const defined = [...new Set(places)].filter((place) => this.definitions.has(place));
    if (defined.length) paragraphs.push(defined.map((place) => ({ definition: place })));
    return paragraphs;
  }

  /** The nodes that the line of a derivative speaks of by name. */
  placesOf(index) {
    const { name, terms } = this.rows[index];
    const names = [name, ...terms.flat().map((factor) => this.rows[factor].name)];
    return names.flatMap((text) => parse(text).map((part) => part.slot));
  }

  inlined(index) {
    const { terms } = this.rows[index];
    const isShort = terms.length >= 2 && terms.length <= INLINE_TERMS && terms.every((term) => term.length === 1);
    return isShort ? terms.map((term) => term[0]) : [index];
  }

  /** The name of a line of a document, and its sides as elements, equal neighbours once. */
  written(line, moment, numberOf) {
    const { name, sides } = this.sides(line, moment, numberOf);
    const made = sides.map((side) => this.element(side, moment));
    return { name, sides: made.filter((side, index) => side.textContent !== made[index - 1]?.textContent) };
  }

  /** The same, each side a list of strings and templates. */
  sides(line, moment, numberOf) {
    if (line.definition !== undefined) {
      const formula = this.definitions.get(line.definition);
      const sides = [[{ template: formula }], [written(moment.numbers[line.definition])]];
      return { name: `@${line.definition}`, sides: formula ? sides : sides.slice(1) };
    }
    const row = this.rows[line.index];
    const value = written(numberOf(line.index));
    const sides = line.isSum
      ? [
          this.sum(row, true, (index) => ({ template: this.rows[index].name })),
          this.sum(row, true, (index, parent) => ({ text: written(numberOf(index, parent)) }), line.index),
          this.sum(row, false, (index, parent) => ({ text: written(numberOf(index, parent)) }), line.index),
        ]
      : row.formula
        ? [[{ template: row.formula }], [{ template: row.formula, moment }]]
        : [];
    return { name: row.name, sides: [...sides, [value]] };
  }

  /** A sum of products: how each factor is written is given by `of`. */
  sum(row, inline, of, parent) {
    const isProduct = row.terms.flat().length > 1;
    const tokens = [];
    row.terms.forEach((term, place) => {
      const factors = term.map((factor) =>
        (inline && isProduct ? this.inlined(factor) : [factor]).map((part) =>
          of(part, factor === part ? parent : factor),
        ),
      );
      const product = [];
      factors.forEach((parts, position) => {
        if (position) product.push(" · ");
        if (parts.length === 1) product.push(inBrackets(parts[0], position ? MULTIPLIED : 1));
        else {
          const inner = parts.flatMap((part, k) => (k ? [" + ", inBrackets(part, ADDED)] : [inBrackets(part, 1)]));
          product.push(...(factors.length > 1 || place ? ["(", ...inner, ")"] : inner));
        }
      });
      if (place) tokens.push(" + ");
      const isNegative = place > 0 && typeof product[0] === "string" && product[0].startsWith("−");
      tokens.push(...(isNegative ? ["(", ...product, ")"] : product));
    });
    return tokens;
  }

  element(side, moment) {
    const { names } = this.graph;
    const fill = (token) => (part, before) =>
      token.moment || part.onlyNumber
        ? bracketed(written(moment.numbers[part.slot]), part.level, before)
        : names.element(part.slot);
    const tokens = side.map((token) => (token.template ? names.formula(token.template, fill(token)) : token));
    return element("span.side", ...tokens);
  }
}

function inBrackets(token, level) {
  return token.text === undefined ? token : bracketed(token.text, level);
}
