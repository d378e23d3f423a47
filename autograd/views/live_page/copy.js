// A derivation as text or in LaTeX, for the clipboard; written as `explain` in Python writes it.

const [NAME, END] = ["\ue000", "\ue001"]; // around a name in LaTeX, until derivatives are fractions
const NAMED = `${NAME}(.*?)${END}`;
const SHOWN = 2000; // milliseconds that a button says that it has copied

function latexName(text) {
  if (/^[a-z]{2,}$/i.test(text)) return `\\mathrm{${text}}`;
  if (/^[a-z\d.']+$/i.test(text)) return text;
  return `\\text{${text.replace(/[\\^~]/g, " ").replace(/[{}$&#%_]/g, "\\$&")}}`;
}

/** What stands between names: numbers, signs, functions, and the words of `by` and `and 3 more`. */
function latexText(text) {
  return text
    .replace(/(?<![\d.])([a-z]\w*)(\(?)/gi, (_, word, bracket) =>
      bracket ? `\\operatorname{${word.replaceAll("_", "\\_")}}(` : word === "inf" ? "\\infty" : `\\text{ ${word} }`,
    )
    .replaceAll("−", "-")
    .replace(/(\d)e\+?(-?)0*(\d+)/g, "$1 \\cdot 10^{$2$3}")
    .replaceAll("·", "\\cdot")
    .replaceAll("(", "\\left(")
    .replaceAll(")", "\\right)");
}

function transcribed(node, isLatex) {
  if (node.data) return isLatex ? latexText(node.data) : node.data;
  const inner = [...node.childNodes].map((child) => transcribed(child, isLatex)).join("");
  if (node.localName === "sup") return isLatex ? `^{${inner}}` : ` ** ${inner}`;
  if (!node.name) return inner;
  const [name, base] = node.name;
  if (!isLatex) return name;
  const index = latexName(name.slice(base).replace(/^_/, ""));
  return NAME + (base ? `${latexName(name.slice(0, base))}_{${index}}` : index) + END;
}

export function copied(paragraphs, isLatex) {
  const line = (equation) => {
    const sides = [equation.firstChild, ...equation.querySelectorAll(".side")];
    const [left, ...others] = sides.map((side) => transcribed(side, isLatex));
    const start = isLatex ? " \\\\\n&" : "\n".padEnd(left.length + 2);
    const equals = equation.querySelector(".broken") ? `${start}= ` : " = ";
    return `${left} ${isLatex ? "&" : ""}= ${others.join(equals)}`;
  };
  const [between, after] = isLatex ? [" \\\\[1ex]\n", " \\\\[2ex]\n"] : ["\n", "\n\n"];
  const text = paragraphs.map((paragraph) => [...paragraph.children].map(line).join(between)).join(after);
  if (!isLatex) return text;
  const latex = text
    .replace(new RegExp(`∂${NAMED}/∂${NAMED}`, "g"), "\\frac{\\partial $1}{\\partial $2}")
    .replace(new RegExp(` \\*\\* (${NAMED}|[\\d.]+)`, "g"), "^{$1}")
    .replace(/[\ue000\ue001]/g, "");
  return `\\begin{aligned}\n${latex}\n\\end{aligned}`;
}

/** Let a button copy the derivation. The older way to do so works in frames without rights, too. */
export function prepareCopying({ parts }, id, isLatex) {
  const button = parts[id];
  const title = button.textContent;
  button.addEventListener("click", () => {
    const put = (event) => {
      event.clipboardData.setData("text/plain", copied([...parts.derivation.children], isLatex));
      event.preventDefault();
    };
    document.addEventListener("copy", put);
    const isDone = document.execCommand("copy");
    document.removeEventListener("copy", put);
    button.textContent = parts.spoken.textContent = isDone ? "Copied" : "Not copied";
    setTimeout(() => {
      button.textContent = title;
    }, SHOWN);
  });
}
