"""The rules of the table as text in a language: C, or JavaScript.

An `Expression` is a kind of number: run a rule on expressions, and the language writes what it computes.

>>> from autograd.primitives import relu, tanh
>>> for language in (C, JAVASCRIPT):
...     out, x = language.variable("out"), language.variable("x")
...     print(language.name, *language.write([tanh(x), relu(x), tanh.slopes[0](out, x)])[1], sep=": ")
C: tanh(x): maximum(x, 0.0): (1.0 - (out * out))
JavaScript: Math.tanh(x): maximum(x, 0.0): (1.0 - (out * out))
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.primitives import Operators, Primitive

DEEPEST = 50  # parentheses within each other; a part that is deeper gets a name, since parsers recurse


class Expression(Operators):
    """A number as an expression of a language.

    Args:
        language: the language.
        template: the expression, with `{}` for each operand.
        operands: what the expression is formed from.
        name: of an expression without operands, the name that it gets where it is used more than once; without a
            name its text is repeated.
    """

    __slots__ = ("language", "template", "operands", "name")

    def __init__(
        self, language: Language, template: str, operands: Sequence[Expression] = (), name: str | None = None
    ) -> None:
        self.language, self.template, self.operands, self.name = language, template, operands, name

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Any) -> Expression:
        """Return the expression for a primitive; a TypeError if its rule needs a function that the language lacks."""
        language = next(operand.language for operand in operands if isinstance(operand, Expression))
        template = language.functions.get(primitive.name)
        if template is None:
            return language.expression(primitive.value(*operands))
        return Expression(language, template, [language.expression(operand) for operand in operands])


@dataclass(frozen=True)
class Language:
    """How a language writes what the rules of the table are made of.

    Attributes:
        name: the name of the language.
        functions: for a primitive's name, the template of its expression. Every other primitive is written by
            running its rule.
        helpers: for each function that the templates call and the language lacks, its definition; it may call those
            before it.
        naming: the template of a statement that gives a name to an expression.
        infinity, not_a_number: how these floats are written.
    """

    name: str
    functions: dict[str, str]
    helpers: dict[str, str]
    naming: str
    infinity: str
    not_a_number: str

    def variable(self, text: str, name: str | None = None) -> Expression:
        """Return a variable, or another text that reads a number; it gets the name where it is used more than once."""
        return Expression(self, text, name=name)

    def expression(self, number: Any) -> Expression:
        """Return a number as an expression: itself, or a plain number as it is written."""
        return number if isinstance(number, Expression) else Expression(self, self.number(float(number)))

    def number(self, number: float) -> str:
        """Return the text of a float, which reads back as the same float; a negative one is in parentheses."""
        if math.isnan(number):
            return self.not_a_number
        text = self.infinity if math.isinf(number) else repr(abs(number))
        return f"(-{text})" if math.copysign(1.0, number) < 0.0 else text

    def write(self, numbers: Iterable[Any]) -> tuple[list[str], list[str]]:
        """Write expressions and plain numbers, each part once.

        Returns:
            The statements that name the parts which are used more than once, in their order, and the text of each
            number. The size of both together is linear in the number of operations.
        """
        results = [self.expression(number) for number in numbers]
        order = _operands_first(results)
        uses = Counter(results)
        for part in order:
            uses.update(part.operands)
        statements: list[str] = []
        texts: dict[Expression, str] = {}
        depths: dict[Expression, int] = {}
        for part in order:
            text = part.template.format(*[texts[operand] for operand in part.operands])
            depth = 1 + max((depths[operand] for operand in part.operands), default=0)
            if (part.operands or part.name) and (uses[part] > 1 or depth > DEEPEST):
                name = part.name or f"part{len(statements)}"
                statements.append(self.naming.format(name, text))
                text, depth = name, 1
            texts[part], depths[part] = text, depth
        return statements, [texts[result] for result in results]

    def helpers_of(self, text: str) -> str:
        """Return the definitions of the helpers that a text calls, and before them of those that they call."""
        definitions = ""
        for name, definition in reversed(self.helpers.items()):
            if re.search(rf"\b{name}\(", text + definitions):
                definitions = f"{definition}\n{definitions}"
        return definitions


def _operands_first(results: Sequence[Expression]) -> list[Expression]:
    """Return each part of expressions once, after its operands."""
    order: dict[Expression, None] = {}
    stack = list(reversed(results))
    while stack:
        missing = [operand for operand in stack[-1].operands if operand not in order]
        if missing:
            stack.extend(reversed(missing))
        else:
            order.setdefault(stack.pop())
    return list(order)


# Functions that neither language has, or has otherwise: parameters and result. A comparison with nan is false in both.
SHARED_HELPERS = {
    "greater": (("a", "b"), "a > b ? 1.0 : 0.0"),
    "where": (("test", "a", "b"), "test != 0.0 ? a : b"),
    "maximum": (("a", "b"), "a >= b || a != a ? a : b"),
    "minimum": (("a", "b"), "a <= b || a != a ? a : b"),
    "sign": (("x",), "x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x"),  # that of 0, −0 and nan is itself
}

SHARED_FUNCTIONS = {
    "add": "({} + {})",
    "subtract": "({} - {})",
    "multiply": "({} * {})",
    "divide": "({} / {})",
    "negate": "(-{})",
    **{name: f"{name}({', '.join(['{}'] * len(parameters))})" for name, (parameters, _) in SHARED_HELPERS.items()},
    "remainder": "remainder_of({}, {})",  # `remainder` is another function of C
}

SAME_NAMES = (  # for a function of one number, in the table, in C and in JavaScript
    *("floor", "exp", "expm1", "log", "log2", "log10", "log1p", "sqrt"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
)

Parameters = Sequence[str]


def _remainder(truncated: str) -> dict[str, tuple[Parameters, str]]:
    """Return the remainder with the sign of the divisor, from how a language writes that of the dividend."""
    floored = "r == 0.0 ? (b < 0.0 ? -0.0 : 0.0) : (r < 0.0) != (b < 0.0) ? r + b : r"
    return {"floored": (("r", "b"), floored), "remainder_of": (("a", "b"), f"floored({truncated}, b)")}


def _defined(template: str, parameter: str, helpers: dict[str, tuple[Parameters, str]]) -> dict[str, str]:
    """Return the definitions of helpers, by the template of a function and that of one parameter."""
    return {
        name: template.format(name, ", ".join(map(parameter.format, parameters)), result)
        for name, (parameters, result) in helpers.items()
    }


# The compiled engine has the bits of Python. What C rounds otherwise than Python (erf, erfc, hypot) is left out.
C = Language(
    "C",
    functions={
        **SHARED_FUNCTIONS,
        **{name: f"{name}({{}})" for name in SAME_NAMES},
        "abs": "fabs({})",
        "power": "power({}, {})",
        "atan2": "atan2({}, {})",
    },
    helpers=_defined(
        "static inline double {}({}) {{ return {}; }}",
        "double {}",
        {
            **SHARED_HELPERS,
            **_remainder("fmod(a, b)"),
            "power": (("x", "y"), "y == 2.0 ? x * x : pow(x, y)"),  # see `floats.power_of`
        },
    ),
    naming="const double {} = {};",
    infinity="INFINITY",
    not_a_number="NAN",
)

# Math.pow is nan where C99 has 1: for the base 1, and for the base −1 with an infinite exponent.
# The object `errorFunctions` is the library in `views/live_page/vendor`.
JAVASCRIPT = Language(
    "JavaScript",
    functions={
        **SHARED_FUNCTIONS,
        **{name: f"Math.{name}({{}})" for name in SAME_NAMES},
        "abs": "Math.abs({})",
        "power": "power({}, {})",
        "atan2": "Math.atan2({}, {})",
        "hypot": "Math.hypot({}, {})",
        "erf": "errorFunctions.erf({})",
        "erfc": "errorFunctions.erfc({})",
    },
    helpers=_defined(
        "const {} = ({}) => {};",
        "{}",
        {
            **SHARED_HELPERS,
            **_remainder("a % b"),
            "power": (
                ("x", "y"),
                "x === 1.0 || (x === -1.0 && Math.abs(y) === Infinity) ? 1.0 : Math.pow(x, y)",
            ),
        },
    ),
    naming="const {} = {};",
    infinity="Infinity",
    not_a_number="NaN",
)
