"""The C that the compiled engine is built with; `tests/test_runtime.py` compares what it computes."""

from autograd.native.c_rules import header
from autograd.primitives import PRIMITIVES, hypot


def test_rows_that_c_can_say_have_a_case_and_the_others_none() -> None:
    text = header()
    arithmetic = ["add", "subtract", "multiply", "divide", "power", "negate"]
    for name in [*arithmetic, "exp", "tanh", "sigmoid", "relu", "softplus"]:
        assert text.count(f"case {PRIMITIVES[name].index}:") >= 2, name
    assert f"case {PRIMITIVES['gelu'].index}:" not in text  # Python rounds erfc in its own way,
    assert f"case {hypot.index}: {{ return (x / out);" in text
    assert f"case {hypot.index}: {{ return hypot" not in text  # and the length
