"""Random graphs with hostile labels: neither KaTeX nor MathJax may refuse an explanation.

A renderer refuses a formula if it raises an error, or shows one in the formula's place. The labels are made of what
LaTeX, HTML or Markdown reads as more than a letter, of letters of many scripts, and of characters without a look.

    npm install katex mathjax@3
    python tests/campaigns/latex.py [--count 10000] [--seed 1] [--node-modules node_modules]

The command needs Node.js. The seed fixes the graphs and their labels. How many explanations each renderer refuses is
printed; if any, the first few come before, and the exit status is 1.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from autograd import Value, explain, topological_order
from autograd.modes import ieee_arithmetic
from autograd.primitives import PRIMITIVES

RENDERERS = Path(__file__).with_name("latex_renderers.js")
INSTALL = "npm install katex mathjax@3"

ALPHABET = [
    *"{}$&#%_\\^~<>'\"`@|/()[]*+-=.,:;!? \t\n\0\x1b\x7f",  # with a meaning in LaTeX, HTML or Markdown, or none in text
    *"∑∫∏≠≤∈∉∂∇√∞⋯⋮≔⟦⟧⊕→′″‼²₁⁺ℒℝℵ𝐱𝚤©®™°…–—“’",  # mathematics and typography
    *"\u0300\u0302\u0308\u0315\u0327\u0336\u034f\u0360\u036f\u20d7\u0941\ufe0f",  # combining marks
    *"éñåØßσΩŷяйاבहक的あ한😀👍\U0001f1e9",  # letters of many scripts, and emoji
    *"\u00a0\u00ad\u200b\u200d\u200f\u202e\u2028\u2066\u3000\ufeff\ue000\ud800",  # without a look of their own
    *"abcxyzABCXYZ0129",
    *["$$", r"\end{aligned}", r"\\", r"\)", r"\input{x}", "</script><script>", "<!--"],  # what would break out
    *["loss of net", "x'_1", "word" * 9, 'p["w_1"]', "w_h[3]", ".bias"],
]


def random_label(generator: random.Random) -> str:
    """A label of up to 80 pieces, more often of a few; or none."""
    pieces = generator.choice([0, 1, 1, 2, 3, 5, 12, 80])
    letters = ALPHABET if generator.random() < 0.8 else generator.sample(ALPHABET, 3)  # few, so that they flood it
    return "".join(generator.choices(letters, k=pieces))


def random_graph(generator: random.Random) -> Value:
    """The output of a graph of random primitives: of a few nodes, or of some hundred."""
    nodes = [Value(generator.uniform(-2.0, 2.0), random_label(generator)) for _ in range(3)]
    for _ in range(generator.choice([2, 4, 8, 16, 300 if generator.random() < 0.05 else 4])):
        primitive = generator.choice(list(PRIMITIVES.values()))
        operands = generator.choices(nodes[-4:], k=primitive.arity or 2 * generator.randint(1, 3))
        node = primitive(*operands)
        if isinstance(node, Value):
            node.label = random_label(generator)
            nodes.append(node)
    return nodes[-1]


def random_explanation(generator: random.Random) -> str:
    """How the output of a random graph depends on a random node of it, in LaTeX."""
    output = random_graph(generator)
    return explain(
        output,
        generator.choice(topological_order(output)),
        detail=generator.choice(["stations", "full"]),
        form=generator.choice(["chain", "delta"]),
    ).latex


def refusals(formulas: list[str], node_modules: Path) -> list[tuple[str, int, str]]:
    """What the renderers refuse: the renderer, the number of the formula, and what the renderer says."""
    node = shutil.which("node")
    missing = [name for name in ("katex", "mathjax") if not (node_modules / name).is_dir()]
    if node is None:
        sys.exit(f"there is no `node` on the PATH; install Node.js, and run `{INSTALL}` in a folder of your choice")
    if missing:
        sys.exit(
            f"{node_modules} has no {' and no '.join(missing)}; run `{INSTALL}` in a folder of your choice, "
            f"and name its node_modules by --node-modules"
        )
    result = subprocess.run(
        [node, str(RENDERERS)],
        input="".join(json.dumps(formula) + "\n" for formula in formulas),
        env={**os.environ, "NODE_PATH": str(node_modules.resolve())},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [tuple(json.loads(line)) for line in result.stdout.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=10_000, help="how many graphs (default: 10000)")
    parser.add_argument("--seed", type=int, default=1, help="of the random graphs (default: 1)")
    parser.add_argument(
        "--node-modules", type=Path, default=Path("node_modules"), help=f"the folder that `{INSTALL}` made"
    )
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    with ieee_arithmetic():  # a random operand may lie outside the domain of its primitive
        formulas = [random_explanation(generator) for _ in range(arguments.count)]
    print(f"{len(formulas)} explanations of up to {max(map(len, formulas), default=0)} characters")
    refused = refusals(formulas, arguments.node_modules)
    for renderer, number, message in refused[:10]:
        print(f"{renderer} refuses number {number}: {message}\n{formulas[number]}\n")
    counts = Counter(renderer for renderer, _, _ in refused)
    for renderer in ("KaTeX", "MathJax"):
        print(f"{renderer}: {counts[renderer]} refused")
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main()
