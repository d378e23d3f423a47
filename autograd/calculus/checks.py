"""Derivatives checked against numerical ones.

>>> from autograd import Value
>>> check_gradients(lambda x, y: (x * y).sin() / y, 0.4, 1.7)       # no exception: they agree
"""

from __future__ import annotations

import functools
import itertools
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from autograd.calculus.recorded_calls import RecordedCall
from autograd.calculus.reverse_and_forward import pull, push
from autograd.modes import no_grad
from autograd.notation import Names, operation
from autograd.primitives import Primitive
from autograd.tape import Tape
from autograd.value import Value, apply

Wrong: TypeAlias = "tuple[int, float, float] | tuple[()]"

ROUNDING = 8.0 * sys.float_info.epsilon  # a generous bound on the error of one value of a function
HALVINGS, SMALLEST = 36, 4  # of the steps of a difference, from a tenth of the number down; those that show the noise


def check_gradients(function: Callable[..., Any], *arguments: Any, order: int = 2) -> None:
    """Compare the derivatives of a function by reverse mode, by forward mode, and by numerical differences.

    The numerical derivatives choose their own steps and estimate their own error. If the error is too large for a
    comparison, as at a kink, nothing is compared. A slope that is wrong by one part in 10,000 is found. A check takes
    some ninety calls of the function for each input, and as many of its gradient for the second order.

    Args:
        function: takes and returns numbers, or trees of them.
        arguments: the point at which it is checked.
        order: 1 for first derivatives, 2 for first and second ones.

    Raises:
        AssertionError: if two derivatives differ. The message names the first node whose slope is wrong, with its
            expression and both numbers.
        ValueError: if no derivative could be compared.
    """
    run = RecordedCall(function, arguments, range(len(arguments)))
    at = [node.data for node in run.inputs]

    def recording(index: int, x: float) -> RecordedCall:
        moved = [x if i == index else other for i, other in enumerate(at)]
        call = RecordedCall(function, run.like_inputs(moved), range(len(arguments)))
        call.check(call.outputs)
        return call

    @functools.cache
    def values(index: int, x: float) -> list[float]:
        with no_grad():
            return [output.data for output in recording(index, x).outputs]

    point = ", ".join(map(repr, at))
    compared = 0
    columns = [push(run.tape, run.outputs, {node: 1.0}, recorded=False) for node in run.inputs]
    for row, output in enumerate(run.outputs):
        reverse = [float(grad) for grad in run.pull({output: 1.0}, recorded=False)]
        for index, exact in enumerate(reverse):
            forward = columns[index][row]
            if not _close(exact, float(forward), 1e-9):
                what = f"reverse mode gives {exact!r}, forward mode {forward!r}"
                raise AssertionError(f"{what}, for input {index} at {point}")
            numerical, error = numerical_derivative(_component(values, index, row), at[index])
            if _is_clear(numerical, error):
                compared += 1
                if _differ(exact, numerical, error):
                    what = f"the derivative with respect to input {index}"
                    raise AssertionError(_culprit(run, what, exact, numerical))
        if order > 1:
            compared += _check_second(run, recording, at, row, reverse)
    if not compared:
        raise ValueError(
            f"no derivative could be compared at {point}: give a point away from kinks, jumps and the domain's edge, "
            f"where the function's values have more digits"
        )


def _check_second(
    run: RecordedCall,
    recording: Callable[[int, float], RecordedCall],
    at: Sequence[float],
    row: int,
    firsts: Sequence[float],
) -> int:
    @functools.cache
    def gradient(index: int, x: float) -> list[float]:
        moved = recording(index, x)
        return [float(grad) for grad in moved.pull({moved.outputs[row]: 1.0}, recorded=False)]

    compared = 0
    for one, first in enumerate(run.pull({run.outputs[row]: 1.0}, recorded=True)):
        seconds = pull(Tape(first), run.inputs, {first: 1.0}, recorded=False) if isinstance(first, Value) else {}
        if isinstance(first, Value) and not _close(first.data, firsts[one], 1e-9):
            what = f"the recorded gradient with respect to input {one}"
            raise AssertionError(_culprit(run, what, first.data, firsts[one]))
        for other, node in enumerate(run.inputs):
            exact = float(seconds.get(node, 0.0))
            numerical, error = numerical_derivative(_component(gradient, other, one), at[other])
            if _is_clear(numerical, error):
                compared += 1
                if _differ(exact, numerical, error):
                    what = f"the second derivative by inputs {one} and {other}"
                    raise AssertionError(_culprit(run, what, exact, numerical))
    return compared


def _component(function: Callable[[int, float], list[float]], index: int, component: int) -> Callable[[float], float]:
    return lambda x: function(index, x)[component]


def _culprit(run: RecordedCall, what: str, exact: float, numerical: float) -> str:
    """Say which node's slope is wrong; or, if each is right by itself, that the whole is."""
    names = Names(run.outputs[0], run.tape.nodes)
    total = f"{what} is {exact!r}, numerically {numerical!r}"
    for node in run.tape.nodes:
        primitive = node.primitive
        if primitive is None:
            continue
        expression = operation(node, [names.of(parent) for parent in node.parents]).plain
        wrong = wrong_slope(primitive, node.operands) or _wrong_second_slope(primitive, node.operands)
        if wrong:
            index, slope, right = wrong
            return (
                f"{total}. The first wrong slope is at {names.of(node).plain} = {expression}: by operand {index} "
                f"({node.operands[index]!r}) the rule of {primitive.name} gives {slope!r}, numerically {right!r}"
            )
    return f"{total}; each slope by itself agrees with a numerical derivative"


def numerical_derivative(function: Callable[[float], float], x: float) -> tuple[float, float]:
    """Compute a derivative by central differences of shrinking steps, extrapolated to none (Ridders 1982).

    The noise of the function's values is estimated from how the differences of the smallest steps vary. What larger
    steps agree on is dropped where smaller ones agree on something else, as they do of a function that is narrower than
    the larger steps, or jumps within them.

    Returns:
        The derivative, and an estimate of its error; infinite at a kink or a jump, or if the function has no value near
        it.
    """
    step = 0.1 * abs(x) or 0.1
    steps, slopes, sizes = [], [], []
    for _ in range(HALVINGS):
        try:
            below, above = function(x - step), function(x + step)
            steps.append(step)
            slopes.append((above - below) / ((x + step) - (x - step)))
            sizes.append(max(abs(below), abs(above)))
        except (ValueError, ArithmeticError, TypeError):  # outside the domain: come nearer
            steps, slopes, sizes = [], [], []
        step /= 2.0
    moves = [math.inf, *(abs(b - a) for a, b in itertools.pairwise(slopes))]
    noise = max([move * step for move, step in zip(moves, steps, strict=False)][-SMALLEST:], default=0.0)
    changes = sorted([abs(slope * step) for slope, step in zip(slopes, steps, strict=True)][-SMALLEST:])
    if changes and changes[0] > max(0.5 * changes[-1], 10.0 * ROUNDING * sizes[-1]):  # it jumps: as large for any step
        return 0.0, math.inf
    best, error = 0.0, math.inf
    before: list[float] = []
    for index, (step, slope, size) in enumerate(zip(steps, slopes, sizes, strict=True)):
        rounding = ROUNDING * size / step
        if abs(slope - best) > 100.0 * max(*moves[max(index - 1, 0) : index + 1], rounding) + 10.0 * error:
            best, error, before = 0.0, math.inf, []
        row, factor = [slope], 1.0
        for column, earlier in enumerate(before):
            factor *= 4.0
            row.append((factor * row[column] - earlier) / (factor - 1.0))
            change = max(abs(row[-1] - row[-2]), abs(row[-1] - earlier), rounding, noise / step)
            if change <= error:
                best, error = row[-1], change
        before = row
    return best, math.inf if _has_kink(function, x) else error


def _has_kink(function: Callable[[float], float], x: float) -> bool:
    """Return whether the slopes to the left and to the right differ, however small the step."""
    gaps, slopes = [], [0.0]
    for power in range(2, 9):
        step = 10.0**-power * (abs(x) or 1.0)
        try:
            below, here, above = function(x - step), function(x), function(x + step)
        except (ValueError, ArithmeticError, TypeError):
            continue
        gaps.append(abs(above - 2.0 * here + below) / step)
        slopes += [abs(above - here) / step, abs(here - below) / step]
    return bool(gaps) and min(gaps) > 0.02 * max(slopes)


def _is_clear(numerical: float, error: float) -> bool:
    """Return whether a numerical derivative is exact enough to judge by."""
    return error <= 1e-5 * abs(numerical) or (error < 1e-9 and abs(numerical) < 1e-9)


def _differ(exact: float, numerical: float, error: float) -> bool:
    return not abs(exact - numerical) <= 1e-5 * max(abs(exact), abs(numerical)) + 10.0 * error


def _close(a: float, b: float, relative: float) -> bool:
    return a == b or (a != a and b != b) or abs(a - b) <= relative * max(abs(a), abs(b))


def wrong_slope(primitive: Primitive, operands: Sequence[float]) -> Wrong | None:
    """Find the first slope of a primitive that differs from a numerical derivative.

    Returns:
        The operand's index, the slope and the numerical derivative; nothing, `()`, if all agree; None if there is
        nothing to compare, since the primitive has no value there or no numerical derivative is clear.
    """
    try:
        slopes = primitive.local_slopes(primitive.value(*operands), *operands)
    except (ValueError, ArithmeticError):
        return None
    return _first_wrong(primitive.value, operands, slopes)


def _wrong_second_slope(primitive: Primitive, operands: Sequence[float]) -> Wrong:
    """Find the first slope whose own derivative, recorded from Values, differs from a numerical one."""
    nodes = [Value(x) for x in operands]
    for index, slope in enumerate(primitive.local_slopes(apply(primitive, *nodes), *nodes)):
        grads = pull(Tape(slope), nodes, {slope: 1.0}, recorded=False) if isinstance(slope, Value) else {}

        def slope_at(*xs: float, index: int = index) -> Any:
            return primitive.local_slopes(primitive.value(*xs), *xs)[index]

        wrong = _first_wrong(slope_at, operands, [grads.get(node, 0.0) for node in nodes])
        if wrong:
            return index, *wrong[1:]
    return ()


def _first_wrong(function: Callable[..., Any], operands: Sequence[float], slopes: Sequence[Any]) -> Wrong | None:
    compared = False
    for index, slope in enumerate(map(float, slopes)):

        def moved(x: float, index: int = index) -> float:
            return float(function(*operands[:index], x, *operands[index + 1 :]))

        numerical, error = numerical_derivative(moved, operands[index])
        if _is_clear(numerical, error):
            compared = True
            if _differ(slope, numerical, error):
                return index, slope, numerical
    return () if compared else None
