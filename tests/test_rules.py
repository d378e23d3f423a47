"""The JavaScript of every primitive, run in a browser, against the table.

A new primitive is tested here without a new test. Values and slopes have the bits of Python where a rule is made of
arithmetic alone, and elsewhere differ by at most 2 units in the last place, since languages round functions such as exp
in their own ways. Exceptions stand in a table, with reasons.
"""

from __future__ import annotations

import base64
import itertools
import math
import random
import re
import struct
from array import array
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import mpmath
import pytest

from autograd.primitives import (
    PRIMITIVES,
    Primitive,
    add,
    dot_product,
    gelu,
    multiply,
    power,
    product,
    relu,
    sigmoid,
    summation,
)
from autograd.views.live_page.rules import rules_script

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

inf, nan = math.inf, math.nan
Form = tuple[Primitive, int]
FORMS: list[Form] = [
    (primitive, count)
    for primitive in PRIMITIVES.values()
    for count in (
        [primitive.arity] if primitive.arity else [2, 4, 8] if primitive is dot_product else [1, 2, 3, 7, 120]
    )
]

# How far JavaScript may be from Python, in steps from one float to the next.

EXACT = {
    *("strong_multiply", "select_multiply"),
    *("add", "subtract", "multiply", "divide", "negate", "abs", "sign", "floor", "ceil", "greater", "where"),
    *("maximum", "minimum", "sqrt", "relu", "leaky_relu", "sum", "prod", "dot", "remainder"),
}
USUAL = 2.0


def cancelled(slope: float, units: float) -> float:
    """So many roundings of terms of the size of 0.25, of which a difference is left."""
    return units * math.ulp(0.25) / math.ulp(slope)


VALUE_BOUNDS: dict[str, Callable[..., float]] = {
    "erfc": lambda value, x: 6.0,  # Python's and the library's are both up to 3 units from the truth
    "gelu": lambda value, x: 6.0,  # made of erfc
}
SLOPE_BOUNDS: dict[str, Callable[..., float]] = {
    "atan2": lambda slope, y, x: 5.0,  # divides twice by hypot, which is 2 units off
    "silu": lambda slope, x: 4.0 + (cancelled(slope, 4.0) if -2.0 < x < -0.5 else 0.0),  # two terms; a root near -1.28
    "gelu": lambda slope, x: 6.0 + (cancelled(slope, 8.0) if -2.0 < x < -0.5 else 0.0),  # likewise; a root near -0.75
}


def bound(bounds: dict[str, Callable[..., float]], primitive: Primitive, expected: float, xs: Iterable[float]) -> float:
    if primitive.name in bounds:
        return bounds[primitive.name](expected, *xs)
    return 0.0 if primitive.name in EXACT else USUAL


def place(number: float) -> int:
    """The place of a float among all floats: neighbours differ by 1."""
    bits: int = struct.unpack("<q", struct.pack("<d", number))[0]
    return bits if bits >= 0 else -(bits & (2**63 - 1))


def steps(a: float, b: float) -> float:
    """How many floats lie between two; zeros of different sign are far from each other, as nan is from a number."""
    if a != a or b != b:
        return 0.0 if a != a and b != b else inf
    if a == b == 0.0:
        return 0.0 if math.copysign(1.0, a) == math.copysign(1.0, b) else inf
    return abs(place(a) - place(b))


# Operands: the edges of each domain, and numbers of every size.

MAGNITUDES = [
    0.0, 5e-324, 1e-310, 2.0**-1022, 1e-160, 1e-20, 3e-9, 1e-3, 0.1, 0.25, 0.5, 0.84375, math.nextafter(1, 0), 1.0,
    math.nextafter(1, 2), 1.25, 1.5, math.pi / 2, 2.0, 3.0, math.pi, 6.0, 10.0, 22.0, 28.0, 36.7, 100.5, 709.7, 709.8,
    710.4, 710.5, 745.1, 746.0, 1e4, 1e9, 2.0**53, 1e22, 1e154, 1e160, 1e300, math.nextafter(inf, 0), inf,
]  # fmt: skip
FEW = [0.0, 5e-324, 2.0**-1022, 1e-160, 0.1, 0.5, 1.0, 1.25, 2.0, 3.0, 100.5, 1e9, 2.0**53, 1e160, 1.7e308, inf]


def both_signs(magnitudes: list[float]) -> list[float]:
    return [nan, *(sign * magnitude for magnitude in magnitudes for sign in (1.0, -1.0))]


def any_number(generator: random.Random) -> float:
    bits: float = struct.unpack("<d", generator.randbytes(8))[0]
    return generator.choice(
        [
            generator.gauss(0.0, 1.0),
            generator.uniform(-1.0, 1.0),
            generator.uniform(-40.0, 40.0),
            generator.uniform(-800.0, 800.0),
            generator.choice([1.0, -1.0]) * math.exp(generator.uniform(-40.0, 5.0)),
            bits,
        ]
    )


def rows_of_operands(count: int) -> list[tuple[float, ...]]:
    generator = random.Random(count)
    edges: list[tuple[float, ...]]
    if count == 1:
        edges = [(x,) for x in both_signs(MAGNITUDES)]
    elif count == 2:
        edges = list(itertools.product(both_signs(FEW), repeat=2))
    else:
        edges = [tuple(generator.choice(both_signs(FEW)) for _ in range(count)) for _ in range(300)]
    numbers = 1000 if count < 10 else 20
    return edges + [tuple(any_number(generator) for _ in range(count)) for _ in range(numbers)]


# The browser. Numbers go there and back as their bits.

RUN = """(forms) => {
  const numbers = (text) => new Float64Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const text = (numbers) => btoa(Array.from(new Uint8Array(numbers.buffer), (n) => String.fromCharCode(n)).join(""));
  return forms.map(([count, operands, outs, wants], form) => {
    const v = numbers(operands), given = numbers(outs), o = Int32Array.from(v.keys());
    const wanted = Uint8Array.from(v, (_, k) => wants), slopes = new Float64Array(v.length).fill(0.125);
    const values = given.map((_, row) => rules.compute(form, v, o, row * count));
    given.forEach((out, row) => rules.differentiate(form, out, v, o, row * count, wanted, slopes));
    return [rules.FORMS[form], text(values), text(slopes)];
  });
}"""


def encoded(numbers: Iterable[float]) -> str:
    return base64.b64encode(array("d", numbers).tobytes()).decode()


def decoded(text: str) -> list[float]:
    return list(array("d", base64.b64decode(text)))


class Computed(NamedTuple):
    name: str
    values: list[float]
    slopes: list[tuple[float, ...]]  # for each row of operands


def run(browser: Browser, forms: dict[Form, list[tuple[float, ...]]], *, wanted: bool = True) -> dict[Form, Computed]:
    """What the script for some forms computes at rows of operands; slopes are those at the table's value."""
    page: Page = browser.new_page()
    script = base64.b64encode(rules_script(forms).encode()).decode()
    page.evaluate(f"import('data:text/javascript;base64,{script}').then((module) => {{ globalThis.rules = module; }})")
    batches = [
        [form[1], encoded(itertools.chain(*rows)), encoded(form[0](*row) for row in rows), int(wanted)]
        for form, rows in forms.items()
    ]
    found = page.evaluate(RUN, batches)
    page.close()
    results = {}
    for (primitive, count), (name, values, slopes) in zip(forms, found, strict=True):
        numbers = iter(decoded(slopes))
        results[primitive, count] = Computed(name, decoded(values), list(zip(*[numbers] * count, strict=True)))
    return results


@pytest.fixture(scope="module")
def computed(browser: Browser) -> dict[Form, Computed]:
    return run(browser, {form: rows_of_operands(form[1]) for form in FORMS})


EACH = pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form[0].name}/{form[1]}")


@EACH
def test_value_is_that_of_the_table(form: Form, computed: dict[Form, Computed]) -> None:
    primitive, count = form
    assert computed[form].name == f"{primitive.name}/{count}"
    rows = rows_of_operands(count)
    wrong = [
        (row, expected, value)
        for row, value in zip(rows, computed[form].values, strict=True)
        for expected in [primitive(*row)]
        if steps(value, expected) > bound(VALUE_BOUNDS, primitive, expected, row)
    ]
    assert not wrong


@EACH
def test_slopes_are_those_of_the_table(form: Form, computed: dict[Form, Computed]) -> None:
    primitive, count = form
    rows = rows_of_operands(count)
    wrong = [
        (row, k, slope, found)
        for row, slopes in zip(rows, computed[form].slopes, strict=True)
        for k, (slope, found) in enumerate(zip(primitive.local_slopes(primitive(*row), *row), slopes, strict=True))
        if steps(slope, found) > bound(SLOPE_BOUNDS, primitive, slope, row)
    ]
    assert not wrong


def test_only_wanted_slopes_are_written(browser: Browser) -> None:
    forms = {form: rows_of_operands(form[1])[:3] for form in FORMS}
    for form, found in run(browser, forms, wanted=False).items():
        assert found.slopes == [(0.125,) * form[1]] * 3  # what was there


def test_the_error_functions_of_the_library_are_the_true_ones(browser: Browser) -> None:
    """erf to 1 unit in the last place, erfc to 3."""
    generator = random.Random(1)
    rows: list[tuple[float, ...]] = [(generator.uniform(-6.0, 6.0),) for _ in range(1000)]
    rows += [(generator.uniform(0.8, 3.0),) for _ in range(500)]
    found = run(browser, {(PRIMITIVES[name], 1): rows for name in ("erf", "erfc")})
    with mpmath.workdps(50):
        for name, units in (("erf", 1.0), ("erfc", 3.0)):
            for (x,), value in zip(rows, found[PRIMITIVES[name], 1].values, strict=True):
                true = getattr(mpmath, name)(x)
                assert abs(value - true) <= units * math.ulp(float(true)), (name, x)


def test_a_form_may_have_very_many_operands(browser: Browser) -> None:
    rows = [tuple(1.0 + (k * 7919 % 1000) / 1e6 * (-1) ** k for k in range(10000))]
    forms = [(primitive, 10000) for primitive in (summation, product, dot_product)]
    found = run(browser, dict.fromkeys(forms, rows))
    for primitive, count in forms:
        assert found[primitive, count].values == [primitive(*rows[0])]
        assert found[primitive, count].slopes == [primitive.local_slopes(found[primitive, count].values[0], *rows[0])]


# The text.


def test_the_script_has_only_what_is_asked_for() -> None:
    script = rules_script([(add, 2), (relu, 1), (add, 2), (dot_product, 4)])
    assert script.startswith('export const FORMS = ["add/2", "relu/1", "dot/4"];\n')
    exports = re.findall(r"^export (?:const|function) (\w+)", script, re.M)
    assert exports == ["FORMS", "SELECTS", "compute", "differentiate"]
    assert script.count("case 2: ") == 2
    assert "case 3: " not in script
    assert set(re.findall(r"^const (\w+)", script, re.M)) == {"maximum", "greater"}
    assert set(re.findall(r"^function (\w+)", script, re.M)) == {"compute_dot_4", "differentiate_dot_4"}
    assert "Math." not in script


def test_the_library_is_part_of_the_script_only_where_it_is_needed() -> None:
    for form in FORMS:
        script = rules_script([form])
        assert (
            ("Sun Microsystems" in script) is ("errorFunctions=" in script) is (form[0].name in ("erf", "erfc", "gelu"))
        )


def test_the_script_can_stand_in_a_page() -> None:
    script = rules_script(FORMS)
    assert not re.search("</|<!--", script)
    assert script.isascii()


@pytest.mark.parametrize("primitive", [summation, product, dot_product])
def test_a_form_of_many_operands_has_linear_size(primitive: Primitive) -> None:
    small, large = (len(rules_script([(primitive, count)])) for count in (1000, 4000))
    assert large < 1.1 * 4.0 * small
    assert small < 250 * 1000


def test_a_small_network_needs_a_small_script() -> None:
    forms = [(add, 2), (multiply, 2), (power, 2), (sigmoid, 1), (summation, 4), (dot_product, 4)]
    assert len(rules_script(forms)) < 3000


def test_what_cannot_be_written_is_refused() -> None:
    cube = Primitive("cube", lambda x: x * x * x, lambda out, x: 3.0 * x * x)
    with pytest.raises(TypeError, match=r"cube.* only Python knows its function"):
        rules_script([(gelu, 1), (cube, 1)])
    for form, takes in (((add, 3), "2"), ((gelu, 2), "1"), ((summation, 0), "one or more")):
        with pytest.raises(ValueError, match=rf"^{form[0].name} takes {takes} operands, got {form[1]}$"):
            rules_script([form])


def test_steps_count_floats() -> None:
    assert steps(1.0, math.nextafter(1.0, 2.0)) == steps(-5e-324, 0.0) == steps(inf, 1.7976931348623157e308) == 1
    assert steps(nan, nan) == 0
    assert steps(0.0, -0.0) == steps(nan, 1.0) == inf
    assert steps(-1.0, 1.0) > 2.0**62
