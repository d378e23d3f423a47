"""What `inspect`, `help` and errors say, the same in both engines."""

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import autograd
from autograd import Constant, Parameter, Value, primitive
from autograd.primitives import PRIMITIVES, Primitive

# The constructor.

value: Any = Value  # type checkers refuse these calls, too
constant: Any = Constant
parameter: Any = Parameter
REFUSED: list[Callable[[Any, Any], Any]] = [
    lambda a, b: value(3.0, (a, b), "+"),
    lambda a, b: value(3.0, (a, b)),
    lambda a, b: value(3.0, {a}),
    lambda a, b: value(3.0, [a, b]),
    lambda a, b: value(3.0, (), ""),
    lambda a, b: value(3.0, "c", "+"),
    lambda a, b: value(3.0, _children=(a, b), _op="+"),
    lambda a, b: value(3.0, _op="+"),
    lambda a, b: value(data=3.0, children=(a, b), op="+", label="c"),
    lambda a, b: value(3.0, children=(a, b)),
    lambda a, b: parameter(3.0, op="exp"),
    lambda a, b: constant(),
    lambda a, b: value(),
]


@pytest.mark.parametrize("construct", REFUSED)
def test_the_constructor_says_what_to_do_instead_of_giving_parents(construct: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(TypeError) as refused:
        construct(Value(1.0, "a"), Value(2.0, "b"))
    for advice in ("expected Value(data, label)", "@primitive", "super().__init__(data)"):
        assert advice in str(refused.value)


def test_the_constructor_says_what_was_given() -> None:
    with pytest.raises(TypeError, match=r"got Value\(data=3.0, label=\(Value\(1.0\),\), _children='exp'\)\."):
        value(3.0, (value(1.0),), "exp")
    with pytest.raises(TypeError, match=r"got Parameter\(data=3.0, _op='\+', children=\[\]\)\."):
        parameter(3.0, _op="+", children=[])
    with pytest.raises(TypeError, match=r"expected a string or None as label, got 5 of type int; use str"):
        value(3.0, 5)


def test_both_engines_refuse_in_the_same_words() -> None:
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
from autograd import Constant, Parameter, Value
a, b = Value(1.0, "a"), Value(2.0)
for arguments, names in [
    ((3.0, (a, b), "+"), {{}}), ((3.0, (a, b)), {{}}), ((3.0,), dict(_children=(a, b), _op="+")), ((), {{}}),
    ((3.0, 5), {{}}), (("3",), {{}}), ((None,), {{}}), ((a,), {{}}), ((3.0,), dict(foo=1)), ((True, "x"), {{}}),
]:
    try:
        Value(*arguments, **names)
    except TypeError as error:
        print(error)
for call in (lambda: a + "2", lambda: a.hypot(None), lambda: a % [1], lambda: float(a), lambda: a.clip("0", 1.0),
             lambda: setattr(a, "label", 3)):
    try:
        call()
    except TypeError as error:
        print(error)
"""
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "STEPGRAD_ENGINE": engine},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for engine in ("plain", autograd.engine)
    ]
    assert said[0].count("\n") == 16
    assert said[0] == said[1]


def test_a_subclass_hangs_attributes_on_a_value() -> None:
    class Named(Value):
        def __init__(self, data: float, unit: str) -> None:
            super().__init__(data)
            self.unit = unit

    length = Named(2.0, unit="m")
    (length * length).backward()
    assert (length.unit, length.grad) == ("m", 4.0)
    assert str(inspect.signature(Named)) == "(data: float, unit: str) -> None"


def test_the_signature_is_that_of_the_documentation() -> None:
    class Same(Value):
        pass

    for kind in (Value, Constant, Parameter, Same):
        parameters = inspect.signature(kind).parameters
        assert list(parameters) == ["data", "label"]
        assert parameters["data"].default is inspect.Parameter.empty
        assert parameters["label"].default is None
    assert list(inspect.signature(Value.hypot).parameters) == ["self", "other"]
    assert list(inspect.signature(Value(1.0).clip).parameters) == ["low", "high", "out"]


# Completion and documentation.


def test_completion_offers_every_primitive_and_what_a_value_has() -> None:
    names = dir(Value(1.0))
    assert set(names) >= {"data", "grad", "label", "parents", "slopes", "backward", "propagate", "exp", "clip"}
    methods = {name for name, row in PRIMITIVES.items() if row.arity == 1 and name not in ("negate", "abs")}
    assert set(names) >= methods
    for name in [*methods, "backward", "propagate", "clip", "data", "grad", "label", "parents"]:
        assert getattr(Value, name).__doc__, name


def test_a_primitive_says_what_it_computes() -> None:
    assert str(autograd.sigmoid.__doc__).splitlines() == [
        "sigmoid(x): The logistic function 1 / (1 + exp(-x)).",
        "",
        "A Value among the operands gives a node of the graph; plain numbers give a float.",
        "The slope with respect to x is out · (1 − out), where out is the result.",
    ]
    assert "log(x): The natural logarithm." in str(inspect.getdoc(autograd.log))
    assert str(autograd.log.__doc__).endswith("The slope with respect to x is 1 / x.\nlog needs a positive input.")
    assert "atan2(y, x): The angle in radians" in str(autograd.atan2.__doc__)
    assert "The slope with respect to a is b." in str(autograd.multiply.__doc__)
    for name, row in PRIMITIVES.items():
        assert str(row.__doc__).startswith(f"{name}(")


def test_a_primitive_of_one_s_own_keeps_its_docstring() -> None:
    @primitive(lambda out, x: 2.0 * x)
    def square(x: float) -> float:
        """The square of a number."""
        return x * x

    @primitive(lambda out, x: float(3.0 * x * x), name="cube")  # a rule for floats alone
    def unnamed(x: float) -> float:
        return x * x * x

    assert str(square.__doc__).startswith("square(x): The square of a number.\n")
    assert "The slope with respect to x is 2 · x." in str(square.__doc__)
    assert str(unnamed.__doc__).startswith("cube(x)\n")
    assert "slope" not in str(unnamed.__doc__)


def test_the_class_of_primitives_keeps_its_own_documentation() -> None:
    assert str(Primitive.__doc__).startswith("One entry of the table: a function, its slopes,")
