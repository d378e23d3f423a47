"""The C that the compiled engine is built with; `tests/test_native.py` compares what it computes."""

from autograd.c_rules import CText, header
from autograd.primitives import PRIMITIVES, hypot, multiply, sigmoid


def test_rules_become_expressions() -> None:
    x, out = CText("x"), CText("out")
    assert sigmoid.slopes[0](out, x).text == "(out * (1.0 - out))"
    assert multiply(x, 0.1).text == "(x * 0.1)"


def test_the_header_has_a_case_for_each_row_that_c_can_say() -> None:
    text = header()
    for row in PRIMITIVES.values():
        assert (f"case {row.place}:" in text) is (row.arity in (1, 2) and row.name != "gelu"), row
    assert f"case {hypot.place}: return (x / out)" in text
    assert f"case {hypot.place}: return hypot" not in text  # Python rounds it in its own way, as it does erfc
