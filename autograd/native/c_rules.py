"""The rules of the table as C, which the compiled engine runs: a header, written when the engine is built."""

from __future__ import annotations

from collections.abc import Callable

from autograd.native.languages import C
from autograd.primitives import PRIMITIVES, Primitive, Rule


def _function(name: str, arguments: list[str], rule_of: Callable[[Primitive], Rule | None], arity: int) -> str:
    """Return a C function that runs a rule of the primitive with a given index; nan if the rule has no C."""
    cases = []
    for primitive in PRIMITIVES.values():
        rule = rule_of(primitive) if primitive.arity == arity else None
        if rule is None:
            continue
        try:
            statements, (text,) = C.write([rule(*map(C.variable, arguments))])
        except TypeError:
            continue
        body = " ".join([*statements, f"return {text};"])
        cases.append(f"    case {primitive.index}: {{ {body} }} /* {primitive.name} */\n")
    parameters = ", ".join(f"double {argument}" for argument in arguments)
    return (
        f"static inline double {name}(int index, {parameters}) {{\n    switch (index) {{\n{''.join(cases)}"
        f"    default: return NAN;\n    }}\n}}\n"
    )


def header() -> str:
    """Return the text of the header: the value and the slopes of each primitive, by its index."""
    functions = "\n".join(
        [
            _function("value_of_one", ["x"], lambda primitive: primitive, 1),
            _function("value_of_two", ["x", "y"], lambda primitive: primitive, 2),
            _function("slope_of_one", ["out", "x"], lambda primitive: primitive.slopes[0], 1),
            _function("left_slope_of_two", ["out", "x", "y"], lambda primitive: primitive.slopes[0], 2),
            _function("right_slope_of_two", ["out", "x", "y"], lambda primitive: primitive.slopes[1], 2),
        ]
    )
    return "\n".join(
        [
            "#pragma once\n#include <math.h>\n",
            C.helpers_of(functions),
            "".join(f"#define INDEX_OF_{primitive.name} {primitive.index}\n" for primitive in PRIMITIVES.values()),
            functions,
        ]
    )
