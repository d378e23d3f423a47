"""The rules of the table as C, which the compiled engine runs: a header, written when the engine is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.primitives import PRIMITIVES, Operators, Primitive, Rule

SAME_NAMES = (  # for a function of one number, in the table and in C
    *("floor", "exp", "expm1", "log", "log1p", "sqrt"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
)

# What C calls a row that stands on its own. Every other row is written by running its rule; a row whose rule needs a
# function that C rounds differently (erf, hypot) is left to Python.
IN_C = {
    "add": "({} + {})",
    "subtract": "({} - {})",
    "multiply": "({} * {})",
    "divide": "({} / {})",
    "negate": "(-{})",
    "power": "pow({}, {})",
    "greater": "row_greater({}, {})",
    "where": "row_where({}, {}, {})",
    "maximum": "row_maximum({}, {})",
    "minimum": "row_minimum({}, {})",
    "sign": "row_sign({})",
    "abs": "fabs({})",
    "atan2": "atan2({}, {})",
    **{name: f"{name}({{}})" for name in SAME_NAMES},
}

PRELUDE = """\
#pragma once
#include <math.h>

static inline double row_greater(double a, double b) { return a > b ? 1.0 : 0.0; }
static inline double row_where(double condition, double a, double b) { return condition != 0.0 ? a : b; }
static inline double row_maximum(double a, double b) { return a >= b || a != a ? a : b; }
static inline double row_minimum(double a, double b) { return a <= b || a != a ? a : b; }
static inline double row_sign(double x) { return x == 0.0 || x != x ? x : copysign(1.0, x); }
"""


class CText(Operators):
    """A number as an expression of C."""

    def __init__(self, text: str) -> None:
        self.text = text

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Any) -> CText:
        """The expression for a row at some operands.

        Raises:
            TypeError: if the row needs a function that C lacks.
        """
        if primitive.name in IN_C:
            return CText(IN_C[primitive.name].format(*map(_text, operands)))
        return CText(_text(primitive.value(*operands)))


def _text(number: Any) -> str:
    return number.text if isinstance(number, CText) else repr(float(number))


def _function(name: str, arguments: list[str], rule_of: Callable[[Primitive], Rule | None], arity: int) -> str:
    """A C function that runs a rule of the row at some place of the table; nan where that has no C."""
    cases = []
    for row in PRIMITIVES.values():
        rule = rule_of(row) if row.arity == arity else None
        if rule is None:
            continue
        try:
            text = _text(rule(*map(CText, arguments)))
        except TypeError:
            continue
        cases.append(f"    case {row.place}: return {text}; /* {row.name} */\n")
    parameters = ", ".join(f"double {argument}" for argument in arguments)
    return (
        f"static inline double {name}(int place, {parameters}) {{\n    switch (place) {{\n{''.join(cases)}"
        f"    default: return NAN;\n    }}\n}}\n"
    )


def header() -> str:
    """The text of the header: the value of each row, and its slopes, by the row's place in the table."""
    wide = [f"#define PLACE_OF_{row.name} {row.place}\n" for row in PRIMITIVES.values() if row.arity is None]
    return "\n".join(
        [
            PRELUDE,
            "".join(wide),
            _function("value_of_one", ["x"], lambda row: row, 1),
            _function("value_of_two", ["x", "y"], lambda row: row, 2),
            _function("slope_of_one", ["out", "x"], lambda row: row.slopes[0], 1),
            _function("left_slope_of_two", ["out", "x", "y"], lambda row: row.slopes[0], 2),
            _function("right_slope_of_two", ["out", "x", "y"], lambda row: row.slopes[1], 2),
        ]
    )
