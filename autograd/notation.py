r"""Numbers, names and formulas as text, plain and in LaTeX.

A `Formula` is a kind of number: run a rule of the table on formulas, and read what it computes.

>>> from autograd.primitives import divide, sigmoid
>>> x = Formula("x")
>>> print((1.0 - x * sigmoid(x)).plain)
1 − x · sigmoid(x)
>>> print(divide(x, 1.0 + x).latex)
\frac{x}{1 + x}
"""

from __future__ import annotations

import itertools
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal

from autograd.floats import as_float
from autograd.primitives import ATOM, NEGATION, PRODUCT, Operators, Primitive, multiply, negate, where
from autograd.value import Value, is_constant

LABEL_LENGTH = 60  # characters of a label that are shown
SHOWN = 3  # names that a message about a label gives
ENTRY = re.compile(r"(\w+)((?:\.[^\W\d]\w*|\[.*\])+(?:\(\d+\))?)")  # a variable, and what Python calls an entry of it

# What in_ascii writes, besides the names of Greek letters and what NFKD makes of other characters.
ASCII = {
    "−": "-", "–": "-", "─": "-", "·": "*", "×": "*", "÷": "/", "⁄": "/", "∂": "d", "√": "sqrt", "→": "->", "≠": "!=",
    "…": "...", "µ": "u", "λ": "lambda", "Λ": "Lambda",
}  # fmt: skip

Form = Literal["plain", "latex"]


def in_ascii(text: str) -> str:
    """Return a text in ASCII.

    >>> in_ascii("∂E/∂θ = −½ (δ − ŷ)² · …")
    'dE/dtheta = -1/2 (delta - y)^2 * ...'
    """
    return text if text.isascii() else "".join(map(_in_ascii, text))


def _in_ascii(letter: str) -> str:
    if letter.isascii() or letter in ASCII:
        return ASCII.get(letter, letter)
    greek = re.fullmatch("GREEK (SMALL|CAPITAL) LETTER (?:FINAL )?([A-Z]+)", unicodedata.name(letter, ""))
    if greek is not None:
        return greek[2].lower() if greek[1] == "SMALL" else greek[2].capitalize()
    parts = unicodedata.normalize("NFKD", letter)
    if parts != letter:
        return "^" * ("<super>" in unicodedata.decomposition(letter)) + in_ascii(parts)
    return "" if unicodedata.combining(letter) else "?"


class InAscii:
    """What is printed, also in ASCII."""

    __slots__ = ()

    @property
    def ascii(self) -> str:
        """The text in ASCII, for a file or a terminal whose encoding lacks −, · or ∂: they are written -, * and d."""
        return in_ascii(str(self))


def in_notebook() -> bool:
    """Return whether the code runs in the kernel of a notebook, which shows more than text."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


class Formula(Operators):
    """A kind of number that computes its own written form.

    Trivial operations are left out: 1 · x is x, x ** 1 is x, and 2 − 1 is 1.

    Attributes:
        plain: the form in plain text, a Python expression but for its `·` and `−`.
        latex: the form in LaTeX; by default the plain one.
        binds: how tightly the form binds, from `SUM` to `ATOM`.
        value: the number itself where the formula is a plain number of a rule, else None.
        coefficient, rest: the formula as a number times another formula, for `product` to gather numbers.
    """

    __slots__ = ("plain", "latex", "binds", "value", "coefficient", "rest")

    def __init__(self, plain: str, latex: str | None = None, binds: int = ATOM) -> None:
        self.plain = plain
        self.latex = plain if latex is None else latex
        self.binds = binds
        self.value: float | None = None
        self.coefficient = 1.0
        self.rest: Formula | None = self

    @property
    def ascii(self) -> str:
        """The plain form in ASCII."""
        return in_ascii(self.plain)

    @classmethod
    def of(cls, number: Any) -> Formula:
        """Return the formula of a number: the shortest text that reads back as the same float."""
        if isinstance(number, Formula):
            return number
        value = as_float(number)
        return constant(value, repr(value).removesuffix(".0"))

    def within(self, form: Form, level: int) -> str:
        """Return one of the forms as part of another formula, in brackets unless it binds as tightly as a level."""
        text = self.plain if form == "plain" else self.latex
        if self.binds >= level:
            return text
        return f"({text})" if form == "plain" else rf"\left({text}\right)"

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Any) -> Formula:
        """Return the formula of a primitive applied to formulas and plain numbers."""
        formulas = [Formula.of(operand) for operand in operands]
        if primitive.is_exact and all(formula.value is not None for formula in formulas):
            return Formula.of(primitive(*[formula.value for formula in formulas]))
        if primitive is where:
            condition, chosen, otherwise = formulas
            if condition.value is not None:
                return chosen if condition.value else otherwise
            # where(x, x, 1) of a rule; not where(0, 0, 1), in which 0 is the number of a condition
            is_mask = chosen.value is None and chosen.plain == condition.plain and otherwise.value is not None
            if is_mask or chosen.plain == otherwise.plain:
                return chosen
        if len(formulas) == 2:
            for formula, neutral, other in zip(formulas, primitive.neutral, reversed(formulas), strict=True):
                if formula.value is not None and formula.value == neutral:
                    return other
        if primitive.plain is None or primitive.latex is None:
            return Formula.of(primitive.value(*formulas))
        if primitive.arity is None:  # the template is of the list
            plain = ", ".join([formula.within("plain", 0) for formula in formulas])
            formulas = [Formula(plain, ", ".join([formula.within("latex", 0) for formula in formulas]))]
        result = Formula(
            primitive.plain.format(*[_Part(formula, "plain") for formula in formulas]),
            primitive.latex.format(*[_Part(formula, "latex") for formula in formulas]),
            NEGATION if primitive.binds == PRODUCT and formulas[0].binds == NEGATION else primitive.binds,
        )
        if primitive is negate:
            result.coefficient, result.rest = -formulas[0].coefficient, formulas[0].rest
        elif primitive is multiply and formulas[0].value is not None:
            result.coefficient, result.rest = formulas[0].value * formulas[1].coefficient, formulas[1].rest
        return result


class _Part:
    """An operand within a template: `{:2}` brackets it unless it binds at least as tightly as level 2."""

    def __init__(self, formula: Formula, form: Form) -> None:
        self.formula, self.form = formula, form

    def __format__(self, level: str) -> str:
        return self.formula.within(self.form, int(level))


def product(factors: Iterable[Formula]) -> Formula:
    """Multiply formulas, with the numbers of all factors gathered into one: 0.5 · (2 · x) · (−1) is −x."""
    coefficient, rest = 1.0, None
    for factor in factors:
        coefficient *= factor.coefficient
        if factor.rest is not None:
            rest = factor.rest if rest is None else _side_by_side(rest, factor.rest)
    if rest is None:
        return constant(coefficient)
    if abs(coefficient) == 1.0:
        return rest if coefficient > 0.0 else Formula.of(-rest)
    result = _side_by_side(constant(coefficient), rest)
    result.coefficient, result.rest = coefficient, rest
    return result


def _side_by_side(left: Formula, right: Formula) -> Formula:
    """Multiply two formulas, without the brackets around a product at the right that the order of rounding asks for."""
    plain = left.within("plain", NEGATION) + " · " + right.within("plain", PRODUCT)
    latex = left.within("latex", NEGATION) + r" \cdot " + right.within("latex", PRODUCT)
    return Formula(plain, latex, NEGATION if left.binds == NEGATION else PRODUCT)


def number(x: float) -> Formula:
    """Write a number with at most nine significant digits; it is not carried out with others."""
    return _written(f"{x:.9g}")


def constant(x: float, digits: str = "") -> Formula:
    """Write a number that is carried out with other numbers, as 2 in 2 − 1; with nine digits if none are given."""
    formula = _written(digits or f"{x:.9g}")
    formula.value, formula.coefficient, formula.rest = x, x, None
    return formula


def cleaned(label: str | None) -> str:
    """Return a label on one line, of limited length, without the characters that XML or a terminal cannot show."""
    shown = "".join(letter if letter.isprintable() else " " for letter in str(label or "")[: LABEL_LENGTH + 1])
    return shown if len(shown) <= LABEL_LENGTH else shown[:LABEL_LENGTH] + "…"


def base_and_index(label: str) -> tuple[str, str] | None:
    """Split a label such as w5 or out_o1, whose second part is written as an index; None for others, such as w_h[3]."""
    indexed = re.fullmatch("([A-Za-z]+)([0-9]+)|([^_]+)_(.+)", label)
    if indexed is None or ENTRY.fullmatch(label):
        return None
    base, index = filter(None, indexed.groups())
    return base, index


def symbol(label: str) -> Formula:
    """Write a label as a symbol: in LaTeX, a number at its end or what follows a first underscore is an index.

    Of an entry of a container, such as `w_h[3]`, that holds for what stands before the brackets or the dot.
    """
    return _symbol(cleaned(label))


def _symbol(label: str) -> Formula:
    entry = ENTRY.fullmatch(label)
    if entry is not None:
        tokens = re.findall(r'"[^"]*"|\.|\w+|[^\w."]+|"', entry[2])
        path = ["{.}" if part == "." else _latex_key(part) for part in tokens]
        return Formula(label, _symbol(entry[1]).latex + "".join(path))
    parts = base_and_index(label)
    if parts is None:
        return Formula(label, _latex_name(label))
    name, index = map(_latex_name, parts)
    if "'" in name:  # a prime is a superscript, and after the index there may be no second one
        name = f"{{{name}}}"
    return Formula(label, f"{name}_{{{index}}}")


def operation(node: Value, operands: Iterable[Formula]) -> Formula:
    """Write how a node that is no leaf was computed, in terms of its operands as written."""
    assert node.primitive is not None
    return Formula.apply_primitive(node.primitive, *operands)


def operand_names(primitive: Primitive) -> list[str]:
    """Return what the rules of a primitive call its operands; nothing for one of any number of operands."""
    count = primitive.arity or 0
    code = getattr(primitive.slopes[0], "__code__", None) if primitive.slopes else None
    names = list(code.co_varnames[1 : code.co_argcount]) if code is not None else []
    return names if len(names) == count else [f"x{place}" for place in range(1, count + 1)]


def described(primitive: Primitive) -> str:
    """Return the docstring of a primitive: what it computes, its slopes and its domain."""
    names = operand_names(primitive)
    operands = [Formula(name) for name in names]
    head = f"{primitive.name}({', '.join(names) or '*operands'})"
    text = primitive.description or getattr(getattr(Value, primitive.name, None), "__doc__", None)
    if not text and names:
        written = Formula.apply_primitive(primitive, *operands).plain
        text = None if written == head else f"{written}."
    lines = [f"{head}: {text.strip()}" if text else head, ""]
    lines.append("A Value among the operands gives a node of the graph; plain numbers give a float.")
    for name, rule in zip(names, primitive.slopes, strict=False):
        try:
            slope = Formula.of(rule(Formula("out"), *operands)).plain
        except TypeError:  # a rule of the user's own that takes floats alone
            continue
        lines.append(f"The slope with respect to {name} is {slope}{', where out is the result' * ('out' in slope)}.")
    if primitive.domain:
        lines.append(f"{primitive.name} needs {primitive.domain}.")
    return "\n".join(lines)


class Names:
    """The names of the nodes in the graph of an output.

    A node is called by its label; the second node of the same label gets `(2)` behind it. The output without a label is
    called "output", a constant without one by its number, and the other nodes v1, v2, … in topological order.
    """

    def __init__(self, output: Value, nodes: Iterable[Value]) -> None:
        self.output, self.nodes = output, list(nodes)
        self.given: dict[Value, Formula] = {}  # the names asked for so far, in that order

    @cached_property
    def _names(self) -> dict[Value, str]:
        names: dict[Value, str] = {}
        taken: set[str] = set()
        uses: dict[str, int] = defaultdict(lambda: 1)
        unnamed = []
        for node in self.nodes:
            name = label = cleaned(node.label) if node.label else "output" if node is self.output else ""
            if label:
                while name in taken:
                    uses[label] += 1
                    name = f"{label}({uses[label]})"
                taken.add(name)
                names[node] = name
            elif not is_constant(node):
                unnamed.append(node)
        numbers = itertools.filterfalse(taken.__contains__, map("v{}".format, itertools.count(1)))
        names.update(zip(unnamed, numbers, strict=False))
        return names

    @cached_property
    def _labelled(self) -> dict[str, list[Value]]:
        found: dict[str, list[Value]] = {}
        for node in self.nodes:
            if node.label:
                found.setdefault(node.label, []).append(node)
        return found

    def of(self, node: Value) -> Formula:
        """Return the name of a node; of one outside the graph its label, or else "input"."""
        if node not in self.given:
            self.given[node] = self._formula(node)
        return self.given[node]

    def derivative(self, of: Value, by: Value) -> Formula:
        """Write the derivative of one node with respect to another, as in ∂out/∂net."""
        above, below = self.of(of), self.of(by)
        return Formula(f"∂{above.plain}/∂{below.plain}", rf"\frac{{\partial {above.latex}}}{{\partial {below.latex}}}")

    def find(self, label: Value | str) -> Value:
        """Return the node that a label names, or the name of a node without one; a node is itself.

        Raises:
            TypeError: for anything else.
            ValueError: if there is no such node, or there are several; the message gives the nearest names.
        """
        if isinstance(label, Value):
            return label
        if not isinstance(label, str):
            raise TypeError(
                f"expected a node, got {label!r:.80} of type {type(label).__name__}; give a Value, or the label of one"
            )
        found = self._labelled.get(label) or [node for node, name in self._names.items() if name == label]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(self._names[node] for node in found[:SHOWN])
            raise ValueError(
                f"{label!r:.80} is the label of {len(found)} nodes of this graph, which are called {names} here; give "
                f"the node itself, or labels that differ"
            )
        import difflib

        labels = list(self._labelled)
        nearest = difflib.get_close_matches(label, labels, SHOWN, 0.5)
        hint = f"the nearest names are {', '.join(nearest)}"
        if not nearest:
            some = ", ".join(labels[:SHOWN]) + ", …" * (len(labels) > SHOWN)
            hint = f"it has {some}" if labels else "name_values(locals()) labels its nodes"
        raise ValueError(f"no node of this graph is called {label!r:.80}; {hint}")

    def operation(self, node: Value) -> Formula:
        """Write how a node that is no leaf was computed, in the names of its operands."""
        return operation(node, map(self.of, node.parents))

    def _formula(self, node: Value) -> Formula:
        if is_constant(node) and not node.label:
            return number(node.data)
        return _symbol(self._names.get(node) or cleaned(node.label) or "input")


def _written(digits: str) -> Formula:
    mantissa, _, exponent = digits.replace("inf", r"\infty").partition("e")
    latex = rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
    latex = r"\mathrm{nan}" if digits == "nan" else latex
    binds = NEGATION if digits.startswith("-") else PRODUCT if exponent else ATOM
    return Formula(digits.replace("-", "−"), latex, binds)


# What LaTeX, or the HTML around it, reads as more than a letter, or what KaTeX has in mathematics but not in `\text`.
LATEX_ESCAPES = {
    **{letter: "\\" + letter for letter in "{}$&#%_"},
    "\\": r"\backslash ",
    "^": r"\wedge ",
    "~": r"\sim ",
    "<": "{<}",
    ">": "{>}",
    "'": "'",
    "≠": r"{{=}\kern-0.64em{/}\kern0.14em}",  # \ne is a macro of KaTeX
    **{letter: f"{{{letter}}}" for letter in "∏∐∑∫∬∭∮∯∰⋀⋁⋂⋃⨀⨁⨂⨄⨆"},
    **{letter: rf"\mathscr{{{unicodedata.normalize('NFKC', letter)}}}" for letter in "ℋℐℒℛℬℰℱℳ"},
    **{letter: rf"\mathfrak{{{unicodedata.normalize('NFKC', letter)}}}" for letter in "ℌℨℭ"},
}
ESCAPED = re.compile(f"([{re.escape(''.join(LATEX_ESCAPES))}])")
# Combining marks that KaTeX refuses, and characters that it has only as macros, of which it expands a thousand at most.
REFUSED = re.compile("[\u0305\u0309\u030d-\u0326\u0328-\u036f©®‼⋮↤∉∌∷∹≔≕≘-≛≝-≟⌜-⌟⟂⟦⟧⦃⦄⦵⩴\U0001d6a4]")
LONE_MARK = re.compile("(^| )(?=[\u0300-\u036f])")


def _latex_name(text: str, is_text: bool = False) -> str:
    if text.isascii() and text.isalpha() and len(text) > 1:
        return rf"\mathrm{{{text}}}"
    shown = REFUSED.sub("\N{REPLACEMENT CHARACTER}", unicodedata.normalize("NFC", text))
    return "".join(LATEX_ESCAPES.get(part) or _latex_text(part, is_text) for part in ESCAPED.split(shown) if part)


def _latex_key(text: str) -> str:
    is_string = text[0] == text[-1] == '"' and len(text) > 1
    return _latex_name(f"“{text[1:-1]}”", is_text=True) if is_string else _latex_name(text)


def _latex_text(text: str, is_text: bool) -> str:
    r"""Write characters without a meaning in LaTeX, in `\text` unless all of them are ordinary in mathematics."""
    if text.isascii() and not {" ", "@"} & set(text) and not is_text:
        return text
    based = LONE_MARK.sub("\\1\N{DOTTED CIRCLE}", text)
    return rf"\text{{{based}}}"
