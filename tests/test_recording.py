"""Functions recorded as programs: what is computed, and what a function may not do meanwhile."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import statistics
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import (
    Constant,
    Parameter,
    Value,
    compile,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    sin,
    where,
)
from autograd.modes import domain_failures, is_recording, program_recording, recording_program
from autograd.programs import recording
from autograd.programs.recording import RecordedFunction, Recording, index_refusal, refuse
from autograd.trees import flatten

OUTSIDE = Value(3.0, label="outside")
FIXED = Constant(4.0, label="fixed")


def if_positive(x: Any) -> Any:
    if x > 0.0:
        return x
    return -x


def while_large(x: Any) -> Any:
    while abs(x) >= 1.0:
        x = x * 0.5
    return x


def assigned(x: Any) -> None:
    OUTSIDE.data = x * 2.0


def updated(x: Any) -> None:
    (x * OUTSIDE).backward()
    OUTSIDE.data -= 0.1 * OUTSIDE.grad


def forgotten(x: Any) -> None:
    OUTSIDE.grad = 0.0


CHOOSE, GRADIENTS, RESULT = r"where\(greater\(a, b\), x, y\)", "use grad, value_and_grad", "return the new number"
REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "data": (lambda x: x.data, CHOOSE),
    "data of a result": (lambda x: (x * 2.0).data, CHOOSE),
    "data of a leaf outside": (lambda x: x * OUTSIDE.data, CHOOSE),
    "data of a constant outside": (lambda x: x * FIXED.data, CHOOSE),
    "the operands": (lambda x: (x * 2.0).operands[0] * x, CHOOSE),
    "the operands of a sum": (lambda x: autograd.sum([x, x, x]).operands[0] * x, CHOOSE),
    "the slopes": (lambda x: (x * x).slopes[0] * x, CHOOSE),
    "an if": (if_positive, CHOOSE),
    "a while": (while_large, CHOOSE),
    "less": (lambda x: x < 1.0, CHOOSE),
    "less or equal": (lambda x: x <= 1.0, CHOOSE),
    "greater from the other side": (lambda x: 1.0 > x, CHOOSE),  # noqa: SIM300  # that is what is tried
    "greater or equal": (lambda x: x >= x * 2.0, CHOOSE),
    "equal to a number": (lambda x: x == 1.0, CHOOSE),
    "equal from the other side": (lambda x: 1.0 == x, CHOOSE),  # noqa: SIM300  # likewise
    "not equal": (lambda x: x != 1.0, CHOOSE),
    "in a list of numbers": (lambda x: x in [1.0, 2.0], CHOOSE),
    "bool": (bool, CHOOSE),
    "not": (lambda x: not x, CHOOSE),
    "and": (lambda x: x and 1.0, CHOOSE),
    "max": (lambda x: max(x, 1.0), CHOOSE),
    "min of a list": (lambda x: min([x, x * 2.0]), CHOOSE),
    "sorted": (lambda x: sorted([x * 2.0, x]), CHOOSE),
    "argmax": (lambda x: np.argmax(np.array([x, x * 2.0])), CHOOSE),
    "NumPy's sort": (lambda x: np.sort(np.array([x, x * 2.0])), CHOOSE),
    "NumPy's isnan": (lambda x: 1.0 if np.isnan(x) else x, CHOOSE),
    "median": (lambda x: statistics.median([x, x * 2.0]), CHOOSE),
    "int": (int, CHOOSE),
    "float": (float, CHOOSE),
    "math.exp": (math.exp, CHOOSE),
    "format": (lambda x: f"{x:.2f}", CHOOSE),
    "an index": (lambda x: [1.0, 2.0][x], CHOOSE),
    "an index of an array": (lambda x: np.zeros(3)[x], CHOOSE),
    "range": (lambda x: range(x), CHOOSE),  # noqa: PLW0108  # so that its line is that of a function
    "a copy": (copy.copy, CHOOSE),
    "a deep copy": (copy.deepcopy, CHOOSE),
    "a pickle": (pickle.dumps, CHOOSE),
    "backward": (lambda x: (x * x).backward(), GRADIENTS),
    "backward of a leaf outside": (updated, GRADIENTS),
    "grad": (lambda x: x.grad, GRADIENTS),
    "grad of a leaf outside": (lambda x: x * OUTSIDE.grad, GRADIENTS),
    "a gradient set to zero": (forgotten, GRADIENTS),
    "an assignment": (assigned, RESULT),
    "an assignment to a constant": (lambda x: setattr(Constant(2.0), "data", 3.0), RESULT),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_looks_at_a_number_is_refused(name: str) -> None:
    function, remedy = REFUSED[name]
    compiled = compile(function)
    with pytest.raises(TypeError, match=remedy) as caught:
        compiled(1.5)
    message = str(caught.value)
    assert "compiled functions cannot" in message
    assert "static_argnums" in message or remedy != CHOOSE
    if function.__module__ == __name__:
        lines, first = inspect.getsourcelines(function)
        number = int(message.partition("at line ")[2].partition(" ")[0])
        assert first <= number < first + len(lines)
        assert message.partition(f"at line {number} of ")[2].startswith(__file__)
    assert (OUTSIDE.data, OUTSIDE.has_grad) == (3.0, False)
    assert Value(2.0) > 1.0  # nothing is refused afterwards


@pytest.mark.parametrize("name", ["an if", "data", "float", "backward", "an index"])
def test_also_within_a_derivative_a_batch_and_a_repetition(name: str) -> None:
    function, remedy = REFUSED[name]
    calls: tuple[Callable[[], Any], ...] = (
        lambda: compile(grad(function))(1.5),
        lambda: compile(function).batch([1.5, 2.5]),
        lambda: compile(function).repeat(3, 1.5),
        lambda: compile(no_grad()(function))(1.5),
        lambda: compile(lambda x: compile(function)(x))(1.5),  # noqa: PLW0108  # the outer one is recorded
    )
    for call in calls:
        with pytest.raises(TypeError, match=remedy):
            call()


def test_the_message_names_the_node() -> None:
    def with_label(x: Any) -> Any:
        y = x * 2.0
        y.label = "total"
        return y.data

    cases: list[tuple[Callable[..., Any], str]] = [
        (with_label, "with the node 'total' at line"),
        (lambda x, y: y.data, "with argument 1 at line"),
        (lambda v, y: v[1].data, r"with argument 0\[1\] at line"),
        (lambda x, y: (x * y).data, "a result of multiply"),
        (lambda x, y: OUTSIDE.data, "the node 'outside'"),
    ]
    for function, named in cases:
        arguments = [1.0] if function is with_label else [1.0, 2.0]
        if function.__code__.co_varnames[0] == "v":
            arguments = [[1.0, 2.0], 3.0]  # type: ignore[list-item]  # a list for once
        with pytest.raises(TypeError, match=named):
            compile(function)(*arguments)
    leaf = Value(1.0)
    with pytest.raises(TypeError, match="a leaf that the function refers to"):
        compile(lambda x: x * leaf.data)(1.0)


def test_what_looks_at_no_number_is_allowed() -> None:
    def function(x: Any, y: Any) -> Any:
        constant = Constant(2.0) * 1.0 if False else Constant(2.0)
        assert constant.data > 1.0
        assert x is not y
        assert x != y
        assert x == x  # two Values are equal if they are the same node
        assert x in [y, x]
        assert {x: 1}[x] == 1
        assert repr(x).startswith("Value(")
        assert f"{x}" == repr(x)
        assert isinstance(x, Value)
        assert x.primitive is None
        assert (x * y).parents == (x, y)
        x.label = "x"
        return where(x.maximum(y), x.clip(0.0, y), y.minimum(x)) + round(2.5) + max(1.0, 2.0)

    assert compile(function)(1.0, 2.0) == 1.0 + 2.0 + 2.0


def test_bounds_of_clip_are_looked_at_only_outside() -> None:
    compiled = compile(lambda x, low, high: x.clip(low, high))
    assert [compiled(x, 0.0, 1.0) for x in (-1.0, 0.5, 2.0)] == [0.0, 0.5, 1.0]
    with pytest.raises(ValueError, match="clip needs a low bound"):
        Value(1.0).clip(Value(2.0), Value(1.0))


def test_only_the_thread_that_records_is_refused() -> None:
    x, seen = Value(2.0), []
    with recording_program(Recording(test_only_the_thread_that_records_is_refused, {0: x}, False, [], [])):
        thread = threading.Thread(target=lambda: seen.append(x.data))
        thread.start()
        thread.join()
        with pytest.raises(TypeError, match=": test_only_the_thread"):
            assert x.data
    assert seen == [2.0]
    refuse(x, "read a number")  # outside


def test_other_errors_are_not_those_of_an_index() -> None:
    assert index_refusal(ValueError("integer"), abs) is None
    assert index_refusal(TypeError("something else"), abs) is None
    assert "as abs does" in str(index_refusal(TypeError("indices must be integers"), abs))

    def function(x: Any) -> Any:
        return x + "text"

    with pytest.raises(TypeError, match="expected a real number"):
        compile(function)(1.0)


# What is recorded.


def recorded(function: Callable[..., Any], *arguments: Any) -> RecordedFunction:
    return RecordedFunction(function, flatten((arguments, {}), Value)[1])


def run(function: RecordedFunction, *numbers: float) -> list[float]:
    outputs = np.empty((1, function.result.size))
    function.schedule().run(1, function.inputs(np.array(numbers)), [], [outputs])
    return [float(number) for number in outputs[0]]


def test_what_is_computed_and_its_structure() -> None:
    made = recorded(lambda x, y: [x * y, np.array([x, 1.0], object), np.array([2.0, 3.0])], 1.0, 2.0)
    assert run(made, 3.0, 4.0) == [12.0, 3.0, 1.0, 2.0, 3.0]
    assert made.result.shapes == [(), (2,), (2,)]
    assert made.captured == []


def test_a_constant_outside_is_read_at_each_call() -> None:
    """What `x ** c` and its derivatives are is known: c x^(c - 1), c (c - 1) x^(c - 2)."""
    c, d = Constant(2.0), Constant(0.5)
    half = c * d  # computed before
    (outer,) = gradients(x := Value(3.0) ** c, [x.parents[0]])
    functions: list[tuple[Callable[..., Any], Callable[[float, float], Any]]] = [
        (lambda x: x**c, lambda x, c: x**c),
        (grad(lambda x: x**c), lambda x, c: c * x ** (c - 1.0)),
        (grad(grad(lambda x: x**c)), lambda x, c: c * (c - 1.0) * x ** (c - 2.0)),
        (hessian(lambda x: x**c * d), lambda x, c: c * (c - 1.0) * x ** (c - 2.0) * 0.5),
        (lambda x: jvp(grad(lambda x: x**c), (x,), (1.0,))[1], lambda x, c: c * (c - 1.0) * x ** (c - 2.0)),
        (grad(lambda x: autograd.prod([x, c, x])), lambda x, c: 2.0 * x * c),
        (grad(lambda x: autograd.dot([x, c], [c, x])), lambda x, c: 2.0 * c),
        (lambda x: x * half, lambda x, c: x * c * 0.5),
        (lambda x: x * outer, lambda x, c: x * c * 3.0 ** (c - 1.0)),
        (lambda x: [x * 0.0, c][1], lambda x, c: c),
    ]
    for function, expected in functions:
        compiled = compile(function)
        for number in (2.0, 3.0, 5.0):
            c.data = number
            assert compiled(1.5) == pytest.approx(expected(1.5, number), rel=1e-15)
            assert compiled.batch([1.5, 2.0]).tolist() == [compiled(1.5), compiled(2.0)]
            assert compiled.repeat(1, 1.5) == compiled(1.5)
        assert c in compiled.parameters(1.5)
        c.data = 2.0


def test_a_constant_that_the_function_makes_is_part_of_the_program() -> None:
    kept: list[Constant] = []

    def function(x: Value) -> Value:
        kept[:] = [Constant(3.0, label="three")]
        return x * kept[0] + kept[0].data

    compiled = compile(function)
    assert compiled(2.0) == 9.0
    assert compiled.parameters(2.0) == []
    assert (kept[0].data, repr(kept[0]), (kept[0] + 1.0).data) == (3.0, "Constant(3.0, label='three')", 4.0)
    with pytest.raises(AttributeError, match=r"'three'.*a function made this constant while it was recorded"):
        kept[0].data = 4.0
    assert compiled(2.0) == 9.0
    function(Value(2.0))  # not recorded: its constant is one as any other
    kept[0].data = 4.0


# What a function puts aside.


PUT_ASIDE: dict[str, Callable[[Any], Any]] = {
    "data": lambda v: v.data,
    "a comparison": lambda v: v > 0.0,
    "a comparison from the other side": lambda v: 0.0 < v,  # noqa: SIM300  # that is what is tried
    "equality": lambda v: v == 1.0,
    "bool": bool,
    "max": lambda v: max(v, 0.0),
    "float": float,
    "math.exp": math.exp,
    "format": lambda v: f"{v:.2f}",
    "grad": lambda v: v.grad,
    "an assignment": lambda v: setattr(v, "grad", 1.0),
    "backward": lambda v: v.backward(),
    "operands": lambda v: v.operands,
    "slopes": lambda v: v.slopes,
    "detach": lambda v: v.detach(),
    "a copy": copy.copy,
    "a deep copy": copy.deepcopy,
    "a pickle": pickle.dumps,
    "computing with it": lambda v: (v * 2.0 + 1.0).data,
    "a function of it": lambda v: v.sin().data,
    "a sum with it": lambda v: autograd.sum([1.0, Value(2.0), v]).data,
    "backward of what is computed with it": lambda v: (Value(2.0) * v).backward(),
    "no_grad": lambda v: no_grad()(lambda: v * 2.0)(),
    "grad with it": lambda v: grad(lambda x: x * v)(2.0),
    "jacobian with it": lambda v: jacobian(lambda x: [x * v])(2.0),
    "hessian with it": lambda v: hessian(lambda x: x * x * v)(2.0),
    "hvp with it": lambda v: hvp(lambda x: x * x * v, (2.0,), (1.0,)),
    "jvp with it": lambda v: jvp(lambda x: x * v, (2.0,), (1.0,)),
    "compile with it": lambda v: compile(lambda x: x * v)(2.0),
}  # fmt: skip


@pytest.mark.parametrize("name", PUT_ASIDE)
def test_a_node_that_was_put_aside_has_no_number(name: str) -> None:
    aside: list[Value] = []

    def leaking(x: Value) -> Value:
        aside[:] = [x * 2.0]
        return x * 3.0

    for run in (compile(leaking), compile(grad(leaking))):
        run(1.0)
        with pytest.raises(TypeError, match="was recorded to be compiled") as caught:
            PUT_ASIDE[name](aside[0])
        message = str(caught.value)
        assert "Value(recorded" in message
        assert message.count(__file__) == 2  # where the function is, and what reads
        if not isinstance(run.function, type(leaking)) or run.function is leaking:
            assert f"leaking, at line {leaking.__code__.co_firstlineno} of {__file__}" in message


def test_a_node_that_is_computed_from_leaves_alone_is_a_recorded_one_too() -> None:
    """Its number would be that of the first call."""
    aside: list[Value] = []
    w = Value(2.0)

    def function(x: Value) -> Value:
        total = autograd.sum([w * w, w.exp(), w])
        aside[:] = [w * w, w.exp(), autograd.sum([w, w, w]), total]
        return x * total

    compiled = compile(function)
    assert compiled(1.0) == (w * w + w.exp() + w).data
    for node in aside:
        with pytest.raises(TypeError, match="made while function, at line"):
            assert node.data
    before = w * w
    assert compile(lambda x: x * before)(1.0) == before.data == 4.0  # made outside: as it was
    other = compile(lambda x: x * aside[0])  # which is computed again from the leaf
    w.data = 3.0
    assert other(2.0) == 18.0


def test_the_text_of_a_recorded_node_says_so() -> None:
    texts: list[str] = []
    aside: list[Value] = []

    def function(x: Value, v: Any) -> Any:
        y = (x * v[0]).tanh()
        y.label = "y"
        aside[:] = [x, y, autograd.sum([x, y, x])]
        texts.extend([str(x), f"{y}", str(v), repr(aside[2])])
        return y

    compile(function)(1.0, [2.0])
    assert texts == ["Value(recorded)", "Value(recorded, label='y')", "[Value(recorded)]", "Value(recorded)"]
    assert [repr(node) for node in aside] == ["Value(recorded)", "Value(recorded, label='y')", "Value(recorded)"]
    assert repr(aside[1] + 1.0) == "Value(recorded)"
    assert [node._repr_html_() for node in aside] == [None] * 3


def test_what_was_put_aside_by_a_recording_that_failed_or_is_not_over() -> None:
    aside: list[Value] = []

    def fails(x: Value) -> Value:
        aside[:] = [x * 2.0]
        thread = threading.Thread(target=lambda: aside.append(aside[0] + 1.0))
        thread.start()
        thread.join()
        raise KeyError

    with pytest.raises(KeyError):
        compile(fails)(1.0)
    for node in aside:
        with pytest.raises(TypeError, match=r"made while fails, at line \d+ of .* was recorded"):
            assert node.data


def test_nodes_of_other_threads_have_their_numbers() -> None:
    seen: list[float] = []
    w = Value(2.0)

    def function(x: Value) -> Value:
        def other() -> None:
            node, constant = w * w, Constant(5.0)
            constant.data = 6.0
            seen.extend([node.data, (node * constant).data, grad(lambda t: t * w)(1.0)])

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return x * w

    assert compile(function)(1.0) == 2.0
    assert seen == [4.0, 24.0, 2.0]


def test_functions_beyond_the_most_that_are_told_apart_share_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_NUMBERS", len(recording._numbers) + 1)
    aside: list[Value] = []
    compile(lambda x: aside.append(x) or x)(1.0)  # type: ignore[func-returns-value]  # in one line
    with pytest.raises(TypeError, match="made while a function was recorded"):
        assert aside[0].data


def test_captured_leaves_are_all_that_the_function_did_not_make() -> None:
    w, b, unused = Parameter(2.0), Value(3.0), Value(4.0)
    made = recorded(lambda x, y: (w * x + b * Constant(5.0)) * sin(w), 1.0, 2.0)
    assert set(made.captured) == {w, b}
    assert unused not in made.captured
    w.data = 10.0
    assert sorted(made.inputs(np.array([1.0, 2.0])).tolist()) == [1.0, 2.0, 3.0, 10.0]
    assert (len(made.program.inputs), len(made.program.parameters)) == (2, 2)


def test_modes_while_recording_and_afterwards() -> None:
    seen = []

    def function(x: Value, y: Value) -> Value:
        seen.append(
            (
                is_recording.get(),
                domain_failures.get() is not None,
                program_recording.get().function,
                program_recording.get().arguments,
            )
        )
        return x / (y - y)

    with no_grad():
        made = recorded(function, 1.0, 2.0)
        assert not is_recording.get()
    assert (seen[0][:3], len(seen[0][3])) == ((True, True, function), 2)
    assert (is_recording.get(), domain_failures.get() is not None, program_recording.get()) == (True, False, None)
    assert run(made, 1.0, 2.0) == [np.inf]

    def fails(x: Value) -> Value:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recorded(fails, 1.0)
    assert (domain_failures.get() is not None, program_recording.get()) == (False, None)


def test_numbers_of_arguments_while_recording_are_in_most_domains() -> None:
    program = recorded(sum, [1.0] * 300).program
    seen = program.numbers[program.inputs].tolist()
    assert 0.0 < min(seen) < max(seen) < 1.0
    assert len(set(seen[:100])) == 100


def test_an_array_reaches_the_function_as_an_array_of_values() -> None:
    shapes = []

    def function(a: Any) -> Any:
        shapes.append((a.shape, a.dtype, {type(part) for part in a.ravel()}))
        return a.sum()

    recorded(function, np.zeros((2, 3)))
    assert shapes == [((2, 3), np.dtype(object), {Value})]
