// How numbers, names and formulas are written, as text and as elements.

const MARK = /([@#])(\d+)(?:\.(\d))?/g; // a node, or its number alone; its slot; how tightly it must bind
const NEGATIVE = 2;
const WITH_EXPONENT = 3;

/** A number to some significant digits, fewer where they are exact. */
export function written(x, digits = 9) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "−inf";
  if (x === 0) return Object.is(x, -0) ? "−0" : "0";
  const [mantissa, power] = x.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < digits) return signed(withoutZeros(x.toFixed(Math.max(digits - 1 - exponent, 0))));
  return signed(`${withoutZeros(mantissa)}e${power[0]}${power.slice(1).padStart(2, "0")}`);
}

/** A number as a box of the graph shows it: some digits, of which zeros at the end go only where they are exact. Three
 * digits are two where a sign and zeros come before them. While it changes from frame to frame, its decimals are fixed. */
export function shortened(x, most = 5, fixed = 0) {
  if (fixed && Math.abs(x) < 1e4) return signed(x.toFixed(fixed));
  if (!Number.isFinite(x) || x === 0) return written(x);
  const size = Math.abs(x);
  const digits = most < 5 && x < 0 && size < 0.01 ? 2 : most;
  if (size < (most < 5 ? 1e-3 : 1e-5) || size >= 10 ** (most + 1)) {
    const [mantissa, exponent] = x.toExponential(Math.min(digits, 3) - 1).split("e");
    return signed(`${withoutZeros(mantissa)}e${Number(exponent)}`);
  }
  const decimals = Math.min(Math.max(digits - 1 - Math.floor(Math.log10(size)), 0), 7);
  const text = x.toFixed(decimals);
  return signed(Number(text) === x ? withoutZeros(text) : text);
}

function withoutZeros(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function signed(text) {
  return text.replaceAll("-", "−");
}

export const counted = (count) => count.toLocaleString("en");

/** The number that a reader typed, with either sign for minus and either decimal point; NaN if it is none. */
export function readNumber(text) {
  const plain = text
    .trim()
    .replace(/[−–]/g, "-")
    .replace(/^([^.]*),([^.,]*)$/, "$1.$2");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

/** The parts of a template: strings, and `{slot, onlyNumber, level}` for the places of nodes. */
export function parse(template) {
  const parts = [];
  let end = 0;
  for (const match of template.matchAll(MARK)) {
    if (match.index > end) parts.push(template.slice(end, match.index));
    parts.push({ slot: Number(match[2]), onlyNumber: match[1] === "#", level: Number(match[3] ?? 1) });
    end = match.index + match[0].length;
  }
  if (end < template.length) parts.push(template.slice(end));
  return parts;
}

/** A number within a formula: in brackets where it binds less tightly than its place asks for. */
export function bracketed(text, level, before = "") {
  const binds = text.startsWith("−") ? NEGATIVE : text.includes("e") ? WITH_EXPONENT : 5;
  const followsSign = binds === NEGATIVE && /[+−·×/] ?$/.test(before);
  return binds < level || followsSign ? `(${text})` : text;
}

/** The parts of a document, or of a shadow root, that have an id, by it. */
export const partsOf = (root) => new Proxy({}, { get: (_, id) => root.getElementById(id) });

/** An element: `element("span.quiet", {title: "…"}, "text", other)`; the attributes may be left out. */
export function element(tag, ...content) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  if (content[0]?.constructor === Object) {
    for (const [attribute, value] of Object.entries(content.shift())) made.setAttribute(attribute, value);
  }
  made.append(...content);
  return made;
}

/** The attributes of an element that shows a number: whose, what kind of number, and all of its digits. */
export function about(name, kind = "data", value = "") {
  return { "data-name": name, "data-kind": kind, "data-value": value };
}

export function svg(tag, attributes = {}, ...content) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...content);
  return made;
}

/** The names of a graph's nodes, as elements with an index where a name has one. */
export class Names {
  constructor(names, bases) {
    this.names = names;
    this.bases = bases;
  }

  plain(slot) {
    return this.names[slot];
  }

  element(slot) {
    const name = this.names[slot];
    const base = this.bases[slot];
    const made = element("i", base ? name.slice(0, base) : name);
    if (base) made.append(element("sub", name.slice(base).replace(/^_/, "")));
    made.name = [name, base];
    return made;
  }

  derivative(of, by) {
    return element("span", "∂", this.element(of), "/∂", this.element(by));
  }

  plainDerivative(of, by) {
    return `∂${this.plain(of)}/∂${this.plain(by)}`;
  }

  /** A formula as elements; `of` gives what stands in each place. */
  formula(template, of = (part) => this.element(part.slot)) {
    const made = element("span.formula");
    let text = "";
    for (const part of parse(template)) {
      if (typeof part === "string") {
        text += part;
        made.append(...powers(part));
      } else {
        made.append(of(part, text));
        text += "x";
      }
    }
    return made;
  }
}

/** Text as nodes, with ` ** 2` written as a superscript. */
export function powers(text) {
  const pieces = text.split(/( \*\* \d+(?:\.\d+)?)/).filter(Boolean);
  return pieces.map((piece) => (piece.startsWith(" ** ") ? element("sup", piece.slice(4)) : piece));
}
