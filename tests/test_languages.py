"""Rules as text in a language; `tests/test_runtime.py` runs the C, and `tests/test_rules.py` the JavaScript."""

import math
import re
from typing import Any

import pytest

from autograd.native.languages import DEEPEST, JAVASCRIPT, C, Language
from autograd.primitives import PRIMITIVES, Primitive, erf, exp, gelu, hypot, maximum, multiply, product, sigmoid, silu

LANGUAGES = pytest.mark.parametrize("language", [C, JAVASCRIPT], ids=lambda language: language.name)


def text_of(language: Language, number: Any) -> str:
    statements, (text,) = language.write([number])
    assert not statements
    return text


@LANGUAGES
def test_rules_become_expressions(language: Language) -> None:
    x, out = language.variable("x"), language.variable("out")
    assert text_of(language, sigmoid.slopes[0](out, x)) == "(out * (1.0 - out))"
    assert text_of(language, multiply(x, 0.1)) == "(x * 0.1)"
    assert (
        text_of(language, 2.0 - abs(x)) == {"C": "(2.0 - fabs(x))", "JavaScript": "(2.0 - Math.abs(x))"}[language.name]
    )


@LANGUAGES
@pytest.mark.parametrize("number", [0.0, -0.0, 0.1, -1.5, 5e-324, 1e16, -1e22, 1.7976931348623157e308])
def test_a_number_reads_back_as_the_same_float(language: Language, number: float) -> None:
    for given in (number, -number):
        text = language.number(given)
        assert float(text.strip("()")).hex() == given.hex()
        assert text_of(language, -language.expression(given)) == f"(-{text})"
        assert "--" not in text_of(language, -language.expression(given))


def test_numbers_that_are_not_finite() -> None:
    numbers = [math.inf, -math.inf, math.nan]
    assert C.write(numbers)[1] == ["INFINITY", "(-INFINITY)", "NAN"]
    assert JAVASCRIPT.write(numbers)[1] == ["Infinity", "(-Infinity)", "NaN"]


def test_what_a_language_lacks_is_refused() -> None:
    x = C.variable("x")
    for primitive, operands in ((erf, [x]), (gelu, [x]), (hypot, [x, 1.0])):
        with pytest.raises(TypeError):
            primitive(*operands)
    y = JAVASCRIPT.variable("y")
    assert text_of(JAVASCRIPT, hypot(y, 1.0)) == "Math.hypot(y, 1.0)"


@pytest.mark.parametrize("primitive", PRIMITIVES.values(), ids=PRIMITIVES)
def test_javascript_has_every_primitive(primitive: Primitive) -> None:
    operands = [JAVASCRIPT.variable(f"x{k}") for k in range(primitive.arity or 4)]
    _, texts = JAVASCRIPT.write([primitive(*operands), *primitive.local_slopes(JAVASCRIPT.variable("out"), *operands)])
    assert len(texts) == 1 + len(operands)
    for text in texts:
        assert re.fullmatch(r"[\w .,()*/+-]+", text)
        assert text.count("(") == text.count(")")


@LANGUAGES
def test_helpers_are_those_that_a_text_calls(language: Language) -> None:
    text = text_of(language, maximum(language.variable("sign"), 0.0))
    helpers = language.helpers_of(text)
    assert helpers.count("\n") == 1
    assert "a >= b || a != a ? a : b" in helpers
    assert language.helpers_of("fmaximum(a, b) + signal(c)") == ""


def test_a_helper_comes_after_those_that_it_calls() -> None:
    for language, truncated in ((C, "fmod(a, b)"), (JAVASCRIPT, "a % b")):
        helpers = language.helpers_of(text_of(language, language.variable("x") % 3.0)).splitlines()
        assert len(helpers) == 2
        assert "floored" in helpers[0]
        assert f"floored({truncated}, b)" in helpers[1]


@LANGUAGES
def test_a_part_that_is_used_twice_is_written_once(language: Language) -> None:
    x = exp(language.variable("x"))
    statements, texts = language.write([x * x, x])
    assert len(statements) == 1
    assert statements[0].endswith("exp(x);")
    assert texts == ["(part0 * part0)", "part0"]


def test_an_operand_gets_its_name_where_it_is_used_twice() -> None:
    once, twice = JAVASCRIPT.variable("v[0]", name="a"), JAVASCRIPT.variable("v[1]", name="b")
    assert JAVASCRIPT.write([silu.slopes[0](0.5, 1.0), once + twice * twice]) == (
        ["const b = v[1];"],
        [JAVASCRIPT.number(silu.slopes[0](0.5, 1.0)), "(v[0] + (b * b))"],
    )


@pytest.mark.engine_independent
@LANGUAGES
def test_a_rule_of_many_operands_has_linear_size_and_bounded_depth(language: Language) -> None:
    def size(count: int) -> int:
        operands = [language.variable(f"x{k:06}") for k in range(count)]
        parts: list[str] = []
        for text in language.write([product(*operands), *product.local_slopes(language.variable("out"), *operands)]):
            parts += text
        assert max(text.count("(") for text in parts) <= DEEPEST
        return sum(map(len, parts))

    assert size(2000) < 2.2 * size(1000) < 2.2 * 2.2 * size(500)
    assert size(20000) < 200 * 20000
