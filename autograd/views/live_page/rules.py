"""The rules of the table as JavaScript, which a live page runs.

>>> from autograd.primitives import tanh
>>> print(rules_script([(tanh, 1)]))
export const FORMS = ["tanh/1"];
export const SELECTS = [[]];
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

from autograd.native.languages import JAVASCRIPT
from autograd.primitives import Primitive


def forms_script(forms: Iterable[tuple[Primitive, int]]) -> str:
    """Write the part of `rules_script` that says what there is to compute: `FORMS` and `SELECTS`."""
    kinds = dict.fromkeys(forms)
    names = [f"{primitive.name}/{count}" for primitive, count in kinds]
    selects = [[k for k in range(count) if primitive.does_select(k)] for primitive, count in kinds]
    return f"export const FORMS = {json.dumps(names)};\nexport const SELECTS = {json.dumps(selects)};\n"


def rules_script(forms: Iterable[tuple[Primitive, int]]) -> str:
    """Write a JavaScript module that computes the values and the slopes of primitives with a number of operands.

    Its exports, in which `form` is an index in `FORMS`:

    - `FORMS`: for each form, the primitive's name and the number of operands, as in "dot/4".
    - `SELECTS`: for each form, the operands of which a slope of 0 means that they were not chosen.
    - `compute(form, v, o, s)`: the value. `v` holds all numbers, `o` holds indices in `v`, and `s` is the place in
      `o` of the first operand's index, so operand k is `v[o[s + k]]`.
    - `differentiate(form, out, v, o, s, wanted, d)`: writes the slope with respect to operand k into `d[s + k]`, for
      each k with `wanted[s + k]` other than 0. `out` is the value.

    Raises:
        TypeError: for a primitive that is not in the table, since only Python knows its function.
        ValueError: for a number of operands that the primitive does not take.
    """
    kinds = dict.fromkeys(forms)
    shared: list[str] = []
    switches = {"compute(form, v, o, s)": "", "differentiate(form, out, v, o, s, wanted, d)": ""}
    for index, (primitive, count) in enumerate(kinds):
        for head, body in zip(switches, _bodies(primitive, count), strict=True):
            if primitive.arity is None:  # in a function of its own, since an engine does not optimize a huge one
                call = head.replace("(form, ", f"_{primitive.name}_{count}(")
                shared.append(f"function {call} {{ {body} }}\n")
                body = f"return {call};"
            switches[head] += f"    case {index}: {{ {body} }}\n"
    exports = [f"export function {head} {{\n  switch (form) {{\n{cases}  }}\n}}\n" for head, cases in switches.items()]
    functions = "".join([*shared, *exports])
    library = (files(__package__) / "vendor" / "erf.js").read_text() if "errorFunctions." in functions else ""
    return f"{forms_script(kinds)}{library}{JAVASCRIPT.helpers_of(functions)}{functions}"


def _bodies(primitive: Primitive, count: int) -> tuple[str, str]:
    """Write what computes the value of a primitive, and what computes its slopes."""
    if not primitive.index:
        raise TypeError(
            f"cannot write {primitive!r} as JavaScript: it is not in the table of primitives, so only Python knows its "
            f"function; form the graph of primitives of the table"
        )
    if count < 1 or count != (primitive.arity or count):
        raise ValueError(f"{primitive.name} takes {primitive.arity or 'one or more'} operands, got {count}")
    places = [f"s + {k}" if k else "s" for k in range(count)]
    operands = [JAVASCRIPT.variable(f"v[o[{place}]]", name=f"x{k}") for k, place in enumerate(places)]
    statements, (value,) = JAVASCRIPT.write([primitive(*operands)])
    before, slopes = JAVASCRIPT.write(primitive.local_slopes(JAVASCRIPT.variable("out"), *operands))
    wanted = [f"if (wanted[{place}]) d[{place}] = {slope};" for place, slope in zip(places, slopes, strict=True)]
    return " ".join([*statements, f"return {value};"]), " ".join([*before, *wanted, "return;"])
