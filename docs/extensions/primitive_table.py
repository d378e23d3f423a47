"""The directive `primitives`: the table of primitives, each row the entry of a public name.

The formulas come from running the rules of the table on formulas, as in `explain`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import autograd.primitives
from autograd.notation import Formula, operand_names, symbol
from autograd.primitives import PRIMITIVES, Primitive

if TYPE_CHECKING:
    from sphinx.application import Sphinx

COLUMNS = {"Name": 14, "Value": 26, "Slopes": 34, "What is known": 26}
SHORT = 60  # characters of LaTeX that fit on a line
OUT = Formula("out", r"\mathrm{out}")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("primitives", Table)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class Table(SphinxDirective):
    """All primitives, in the order of the table."""

    def run(self) -> list[nodes.Node]:
        """The table."""
        self.env.note_dependency(autograd.primitives.__file__)
        group = nodes.tgroup("", *[nodes.colspec(colwidth=width) for width in COLUMNS.values()], cols=len(COLUMNS))
        group += nodes.thead("", nodes.row("", *[nodes.entry("", nodes.paragraph("", head)) for head in COLUMNS]))
        group += nodes.tbody("", *map(self.row, PRIMITIVES.values()))
        return [nodes.table("", group, classes=["primitives"])]

    def row(self, primitive: Primitive) -> nodes.row:
        """The row of a primitive, which is the entry of its public name unless a function has that name."""
        public = next(name for name, it in vars(autograd.primitives).items() if it is primitive)
        name = nodes.paragraph("", "", nodes.literal("", public))
        entry = nodes.entry("", name)
        if getattr(autograd, public) is primitive:
            target = f"autograd.{public}"
            entry["ids"].append(target)
            self.state.document.note_explicit_target(entry)
            self.env.domains.python_domain.note_object(target, "data", target, location=name)
        if primitive.symbol != primitive.name:
            entry += nodes.paragraph("", primitive.symbol, classes=["symbol"])
        cells = [map(formula, values(primitive)), map(formula, slopes(primitive)), facts(primitive)]
        return nodes.row("", entry, *[nodes.entry("", *cell) for cell in cells])


def operands(primitive: Primitive) -> list[Formula]:
    """Its operands as symbols; of one that takes any number, two for each list."""
    names = operand_names(primitive) or [f"x{place}" for place in range(1, 3 + primitive.lists)]
    return [symbol(name) for name in names]


def values(primitive: Primitive) -> Iterator[str]:
    """How it is written, and what it is made of, if that is other primitives."""
    written = Formula.apply_primitive(primitive, *operands(primitive)).latex
    yield written
    try:
        made_of = Formula.of(primitive.value(*operands(primitive)))
    except TypeError:  # a function of Python's `math`, which takes floats alone
        return
    if made_of.latex != written and primitive.name != "where":
        yield f"{{}} = {signed(made_of)}"


def slopes(primitive: Primitive) -> Iterator[str]:
    """The slope with respect to each operand."""
    given = operands(primitive)
    for operand, slope in zip(given, primitive.local_slopes(OUT, *given), strict=True):
        yield rf"\partial\mathrm{{out}} / \partial {operand.latex} = {signed(Formula.of(slope))}"


def signed(right: Formula) -> str:
    """The right side of an equation; a minus at its beginning is a sign, and no difference."""
    return f"{{{right.latex}}}" if right.latex.startswith("-") else right.latex


def facts(primitive: Primitive) -> Iterator[nodes.paragraph]:
    """Its domain, and why a slope may be tiny or huge, in the words of the diagnoses."""
    names = [operand.plain for operand in operands(primitive)]
    if primitive.domain:
        yield nodes.paragraph("", f"Needs {primitive.domain}.")
    for head, reasons, size in (("Flat", primitive.when_flat, "tiny"), ("Steep", primitive.when_steep, "huge")):
        fields = {"name": primitive.name, "out": "out", "tiny": ", which is tiny"}
        fields |= {"operand": "an operand", "factor": f"a {size} number"}
        for template in dict.fromkeys([reasons] if isinstance(reasons, str) else reasons):
            if template:
                yield nodes.paragraph("", f"{head}: {template.format(*names, **fields)}.")


def formula(latex: str) -> nodes.paragraph:
    """A formula with numbers of six digits; a line may end before a sign of equality or a plus outside of brackets."""
    latex = re.sub(r"\d\.\d{7,}", lambda match: f"{float(match[0]):.6g}", latex).replace(r"\frac", r"\dfrac")
    parts, depth = [""], 0
    for token in re.findall(r"\\left|\\right|\\begin|\\end|\\[a-z]+|[{}]| [=+] |.", latex):
        depth += token in ("{", "\\left", "\\begin")
        depth -= token in ("}", "\\right", "\\end")
        if depth == 0 and token in (" = ", " + ") and len(latex) > SHORT:
            parts.append("{}")  # what stands before the sign, so that there is a space around it
        parts[-1] += token
    line = nodes.paragraph()
    for part in filter(str.strip, parts):
        line += [nodes.math(part, part.strip()), nodes.Text(" ")]
    return line
