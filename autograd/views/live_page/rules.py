"""The rules of the table as JavaScript, which a live page runs.

>>> from autograd.primitives import tanh
>>> print(rules_script([(tanh, 1)]))
export const FORMS = ["tanh/1"];
export function compute(form, v, o, s) {
  switch (form) {
    case 0: { return Math.tanh(v[o[s]]); }
  }
}
export function differentiate(form, out, v, o, s, wanted, d) {
  switch (form) {
    case 0: { if (wanted[s]) d[s] = (1.0 - (out * out)); return; }
  }
}
<BLANKLINE>
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files

from autograd.native.languages import JAVASCRIPT, Expression
from autograd.primitives import Primitive


def rules_script(forms: Iterable[tuple[Primitive, int]]) -> str:
    """Write the JavaScript that computes the values and the slopes of primitives.

    It is the text of a module with three exports. The index of a form in `FORMS` says what the two functions compute:

    - `FORMS`: for each form, the primitive's name and the number of operands, as in "dot/4".
    - `compute(form, v, o, s)`: the value. `v` holds all numbers, `o` holds indices in `v`, and `s` is the place in
      `o` of the first operand's index, so operand k is `v[o[s + k]]`.
    - `differentiate(form, out, v, o, s, wanted, d)`: writes the slope with respect to operand k into `d[s + k]`, for
      each k with `wanted[s + k]` other than 0. `out` is the value.

    Args:
        forms: primitives of the table, each with a number of operands; a form that is repeated counts once.

    Raises:
        TypeError: for a primitive that is not in the table, since only Python knows its function.
        ValueError: for a number of operands that the primitive does not take.
    """
    names: list[str] = []
    shared: list[str] = []
    values: list[str] = []
    slopes: list[str] = []
    for index, (primitive, count) in enumerate(dict.fromkeys(forms)):
        _check(primitive, count)
        names.append(f"{primitive.name}/{count}")
        for kind, cases, parameters, body in (
            ("value", values, "v, o, s", _value(primitive, count)),
            ("slopes", slopes, "out, v, o, s, wanted, d", _slopes(primitive, count)),
        ):
            if primitive.arity is None:  # in a function of its own, since an engine does not optimize a huge one
                function = f"{kind}_{primitive.name}_{count}"
                shared.append(f"function {function}({parameters}) {{ {body} }}\n")
                body = f"return {function}({parameters});"
            cases.append(f"    case {index}: {{ {body} }}\n")
    switches = [
        f"export function {head} {{\n  switch (form) {{\n{''.join(cases)}  }}\n}}\n"
        for head, cases in (
            ("compute(form, v, o, s)", values),
            ("differentiate(form, out, v, o, s, wanted, d)", slopes),
        )
    ]
    functions = "".join([*shared, *switches])
    library = (files(__package__) / "vendor" / "erf.js").read_text() if "errorFunctions." in functions else ""
    return f"export const FORMS = {json.dumps(names)};\n{library}{JAVASCRIPT.helpers_of(functions)}{functions}"


def _check(primitive: Primitive, count: int) -> None:
    """Refuse what cannot be written."""
    if not primitive.index:
        raise TypeError(
            f"cannot write {primitive!r} as JavaScript: it is not in the table of primitives, so only Python knows its "
            f"function; form the graph of primitives of the table"
        )
    if count < 1 or count != (primitive.arity or count):
        raise ValueError(f"{primitive.name} takes {primitive.arity or 'one or more'} operands, got {count}")


def _operands(count: int) -> list[Expression]:
    return [JAVASCRIPT.variable(f"v[o[{_place(k)}]]", name=f"x{k}") for k in range(count)]


def _place(k: int) -> str:
    return f"s + {k}" if k else "s"


def _value(primitive: Primitive, count: int) -> str:
    statements, (text,) = JAVASCRIPT.write([primitive(*_operands(count))])
    return " ".join([*statements, f"return {text};"])


def _slopes(primitive: Primitive, count: int) -> str:
    slopes = primitive.local_slopes(JAVASCRIPT.variable("out"), *_operands(count))
    statements, texts = JAVASCRIPT.write(slopes)
    places = map(_place, range(count))
    wanted = [f"if (wanted[{place}]) d[{place}] = {text};" for place, text in zip(places, texts, strict=True)]
    return " ".join([*statements, *wanted, "return;"])
