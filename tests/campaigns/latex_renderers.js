// Renders formulas by KaTeX and by MathJax 3, and reports what either refuses.
//
// Each line of the standard input is a formula in LaTeX, as a JSON string. Each line of the output is a refusal, as a
// JSON list: the renderer, the number of the formula from 0, and what the renderer says. `latex.py` starts this script.

const katex = require("katex");
const lines = require("readline").createInterface({ input: process.stdin });

// KaTeX is strict, but does not count a letter that its fonts lack: it leaves that one to the fonts of the browser.
const strict = (code) => (["unknownSymbol", "symbolNotInFont"].includes(code) ? "ignore" : "error");

async function main() {
  const MathJax = await require("mathjax").init({
    loader: { load: ["input/tex"] },
    startup: { typeset: false },
    tex: {
      packages: { "[-]": ["noerrors", "noundefined"] }, // these would show an error as text
      formatError: (_, error) => {
        throw error;
      },
    },
  });
  const renderers = {
    KaTeX: (formula) => katex.renderToString(formula, { displayMode: true, throwOnError: true, strict }),
    MathJax: (formula) => {
      MathJax.texReset();
      if (MathJax.tex2mml(formula).includes("merror")) throw new Error("merror");
    },
  };
  let number = 0;
  for await (const line of lines) {
    for (const [name, render] of Object.entries(renderers)) {
      try {
        render(JSON.parse(line));
      } catch (error) {
        console.log(JSON.stringify([name, number, String(error.message).slice(0, 200)]));
      }
    }
    number += 1;
  }
}

main();
