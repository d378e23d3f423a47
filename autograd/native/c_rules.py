"""The rules of the table as C, which the compiled engine runs: a header, written when the engine is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.primitives import PRIMITIVES, Operators, Primitive, Rule

SAME_NAMES = (  # for a function of one number, in the table and in C
    *("floor", "exp", "expm1", "log", "log1p", "sqrt"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
)

# The expressions of C for primitives. Every other primitive is written by running its rule. A rule that needs a
# function that C rounds differently (erf, hypot) is left to Python.
IN_C = {
    "add": "({} + {})",
    "subtract": "({} - {})",
    "multiply": "({} * {})",
    "divide": "({} / {})",
    "negate": "(-{})",
    "power": "pow({}, {})",
    "greater": "c_greater({}, {})",
    "where": "c_where({}, {}, {})",
    "maximum": "c_maximum({}, {})",
    "minimum": "c_minimum({}, {})",
    "sign": "c_sign({})",
    "abs": "fabs({})",
    "atan2": "atan2({}, {})",
    **{name: f"{name}({{}})" for name in SAME_NAMES},
}

PRELUDE = """\
#pragma once
#include <math.h>

static inline double c_greater(double a, double b) { return a > b ? 1.0 : 0.0; }
static inline double c_where(double condition, double a, double b) { return condition != 0.0 ? a : b; }
static inline double c_maximum(double a, double b) { return a >= b || a != a ? a : b; }
static inline double c_minimum(double a, double b) { return a <= b || a != a ? a : b; }
static inline double c_sign(double x) { return x == 0.0 || x != x ? x : copysign(1.0, x); }
"""


class CText(Operators):
    """A number as an expression of C."""

    def __init__(self, text: str) -> None:
        self.text = text

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Any) -> CText:
        """The expression for a primitive at some operands.

        Raises:
            TypeError: if the rule needs a function that C lacks.
        """
        if primitive.name in IN_C:
            return CText(IN_C[primitive.name].format(*map(_text, operands)))
        return CText(_text(primitive.value(*operands)))


def _text(number: Any) -> str:
    return number.text if isinstance(number, CText) else repr(float(number))


def _function(name: str, arguments: list[str], rule_of: Callable[[Primitive], Rule | None], arity: int) -> str:
    """A C function that runs a rule of the primitive with a given index; its result is nan if the rule has no C."""
    cases = []
    for primitive in PRIMITIVES.values():
        rule = rule_of(primitive) if primitive.arity == arity else None
        if rule is None:
            continue
        try:
            text = _text(rule(*map(CText, arguments)))
        except TypeError:
            continue
        cases.append(f"    case {primitive.index}: return {text}; /* {primitive.name} */\n")
    parameters = ", ".join(f"double {argument}" for argument in arguments)
    return (
        f"static inline double {name}(int index, {parameters}) {{\n    switch (index) {{\n{''.join(cases)}"
        f"    default: return NAN;\n    }}\n}}\n"
    )


def header() -> str:
    """The text of the header: the value and the slopes of each primitive, by its index."""
    wide = [primitive for primitive in PRIMITIVES.values() if primitive.arity is None]
    return "\n".join(
        [
            PRELUDE,
            "".join(f"#define INDEX_OF_{primitive.name} {primitive.index}\n" for primitive in wide),
            _function("value_of_one", ["x"], lambda primitive: primitive, 1),
            _function("value_of_two", ["x", "y"], lambda primitive: primitive, 2),
            _function("slope_of_one", ["out", "x"], lambda primitive: primitive.slopes[0], 1),
            _function("left_slope_of_two", ["out", "x", "y"], lambda primitive: primitive.slopes[0], 2),
            _function("right_slope_of_two", ["out", "x", "y"], lambda primitive: primitive.slopes[1], 2),
        ]
    )
