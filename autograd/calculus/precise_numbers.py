"""Graphs computed again with many digits: forward and in reverse, by the rules of the table on numbers of mpmath.

>>> from autograd import Value
>>> x = Value(1e-5)
>>> run = precise_run(Tape(1.0 - x.cos()))
>>> str(run.numbers[-1])[:34], str(run.gradients[1])[:34]
('0.00000000004999999999958334151364', '0.00000999999999983333415136470576')

Leaves are the floats that they hold, exactly. The numbers have 50 digits, or as many as it takes that those of two runs
agree: 1 − cos(1e-30) is 0 with 50 digits.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd.calculus.reverse_and_forward import check_fresh
from autograd.primitives import (
    Operators,
    Primitive,
    absolute,
    add,
    divide,
    dot_product,
    greater,
    log2,
    maximum,
    minimum,
    multiply,
    negate,
    product,
    remainder,
    subtract,
    summation,
    where,
)
from autograd.tape import Slopes, Tape, accumulate
from autograd.value import Constant, Value

DIGITS, MANY_DIGITS, MOST_DIGITS = 50, 800, 3200  # of the first run, of the last one, and of that of a chaotic graph
AGREEMENT = 1e-20  # the relative difference of the numbers of two runs that agree
VANISHED = 1e-200  # the number of a run as a part of that of an earlier one, if it is what rounding leaves of 0
LARGEST = 1_000_000  # a number beyond 2 to this power is infinite, and one below its inverse 0

Number = Any  # of mpmath
REMEDY = "install it by pip install 'stepgrad[rounding]'"

# What runs on the numbers of mpmath as it stands; other rules apply these, or functions that mpmath calls by the same
# names.
DIRECT = {
    add, subtract, multiply, divide, negate, remainder, greater, where, maximum, minimum, absolute, summation, product,
    dot_product,
}  # fmt: skip

# Irrational numbers that rules hold as floats, and what they stand for.
IRRATIONAL: dict[float, Callable[[Any], Number]] = {
    math.log(2.0): lambda context: context.ln2,
    1.0 / math.log(2.0): lambda context: 1 / context.ln2,
    1.0 / math.log(10.0): lambda context: 1 / context.ln10,
    2.0 / math.sqrt(math.pi): lambda context: 2 / context.sqrt(context.pi),
    -2.0 / math.sqrt(math.pi): lambda context: -2 / context.sqrt(context.pi),
    math.sqrt(0.5): lambda context: 1 / context.sqrt(2),
    -math.sqrt(0.5): lambda context: -1 / context.sqrt(2),
    1.0 / math.sqrt(2.0 * math.pi): lambda context: 1 / context.sqrt(2 * context.pi),
}


class Precise(Operators):
    """A number of mpmath, which rules of the table take."""

    __slots__ = ("number",)

    def __init__(self, number: Number) -> None:
        self.number = number

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Any) -> Any:
        """Apply a primitive to such numbers and floats, which are numbers that stand in a rule.

        Raises:
            TypeError: if the primitive is a function of floats.
        """
        context = next(operand.number.context for operand in operands if isinstance(operand, Precise))
        numbers = [operand.number if isinstance(operand, Precise) else _read(context, operand) for operand in operands]
        function = primitive.value if primitive in DIRECT else None
        if primitive is log2:
            function = lambda x: context.log(x, 2)  # noqa: E731  # it needs the context
        elif function is None and primitive.index:
            function = getattr(context, primitive.name, None)
        try:
            result = primitive.value(*map(Precise, numbers)) if function is None else function(*numbers)
        except (ValueError, ArithmeticError):
            result = primitive.limit(*numbers)
        return Precise(_bounded(context, result.number if isinstance(result, Precise) else result))

    def __eq__(self, other: object) -> bool:
        return bool(self.number == (other.number if isinstance(other, Precise) else other))

    __hash__ = None  # type: ignore[assignment]  # as of lists: equal numbers may have different digits


def _read(context: Any, number: float) -> Number:
    meant = IRRATIONAL.get(number)
    return context.mpf(number) if meant is None else meant(context)


def _bounded(context: Any, number: Any) -> Number:
    """Return a real number within the range; of a complex one nan."""
    if isinstance(number, context.mpc):
        return context.nan
    number = context.mpf(number)
    size = context.mag(number) if context.isfinite(number) and number else 0
    return number if abs(size) <= LARGEST else context.sign(number) * (context.inf if size > 0 else 0)


class PreciseSlopes(Slopes):
    """The slopes of nodes at numbers with many digits.

    Attributes:
        numbers: that of each node, by its id.
    """

    __slots__ = ("numbers",)

    def __init__(self, numbers: dict[int, Precise]) -> None:
        super().__init__()
        self.numbers = numbers

    def of(self, node: Value, which: int) -> Any:
        """Return the slope of a node with respect to an operand."""
        primitive: Any = node.primitive
        operands = [self.numbers[id(parent)] for parent in node.parents]
        try:
            return primitive.slopes[which](self.numbers[id(node)], *operands)
        except (TypeError, AttributeError):  # the slope of one's own primitive, as a function of floats
            return super().of(node, which)

    def of_all(self, node: Value) -> tuple[Any, ...]:
        """Return the slopes of a node with respect to all of its operands."""
        primitive: Any = node.primitive
        return tuple(
            primitive.local_slopes(self.numbers[id(node)], *[self.numbers[id(parent)] for parent in node.parents])
        )


class PreciseRun(NamedTuple):
    """The numbers of a graph with many digits.

    Attributes:
        numbers: the number of each node.
        gradients: the derivative of the last node with respect to each; None for constants.
        slopes: what returns the slopes at these numbers.
        context: the arithmetic of mpmath that they belong to.
    """

    numbers: list[Number]
    gradients: list[Number | None]
    slopes: PreciseSlopes
    context: Any


def precise_run(tape: Tape) -> PreciseRun:
    """Compute a graph, and the derivatives of its last node, with as many digits as the numbers need.

    Digits are doubled, up to 800, as long as two runs differ or terms cancel to 0. A number that vanishes as digits are
    added is 0. If others still differ, digits are doubled up to 3,200; what differs even then is nan.

    Raises:
        RuntimeError: if the graph reads a leaf whose number was changed after the forward pass.
        ModuleNotFoundError: if mpmath is not installed.
    """
    check_fresh(tape)
    digits, run = DIGITS, _run(tape, DIGITS)
    earlier: list[list[Number | None]] = []
    while True:
        earlier.append(run.numbers + run.gradients)
        digits *= 2
        run = _run(tape, digits)
        last = run.numbers + run.gradients
        kept = [_agree(*pair) for pair in zip(earlier[-1], last, strict=True)]
        if all(kept) and not _has_cancelled(tape, run):
            return run
        if digits >= MANY_DIGITS:
            zeros = [_vanishes(number, before) for number, before in zip(last, zip(*earlier, strict=True), strict=True)]
            if digits >= MOST_DIGITS or all(map(operator.or_, kept, zeros)):
                zero, nan = run.context.zero, run.context.nan
                found = [
                    number if it_agrees else zero if is_zero else nan
                    for number, it_agrees, is_zero in zip(last, kept, zeros, strict=True)
                ]
                return run._replace(numbers=found[: len(tape)], gradients=found[len(tape) :])


def _agree(one: Number | None, other: Number | None) -> bool:
    if one is None or other is None or one == other or (one != one and other != other):
        return True
    return bool(abs(one - other) <= AGREEMENT * abs(other))


def _vanishes(number: Any, earlier: Sequence[Any]) -> bool:
    return any(before and abs(number) <= VANISHED * abs(before) < math.inf for before in earlier)


def _has_cancelled(tape: Tape, run: PreciseRun) -> bool:
    """Return whether a number is 0 though its terms are not, as 1 − cos(1e-60) with 100 digits."""
    sums = (add, subtract, summation, dot_product)
    passed = bytearray(len(tape))  # 1 for nodes that receive a part of a gradient that is not 0
    for index, node in enumerate(tape.nodes):
        operands, grad = tape.operands_of(index), run.gradients[index]
        if node.primitive in sums and not run.numbers[index] and any(run.numbers[it] for it in operands):
            return True
        if grad and node.primitive is not None and any(run.gradients[it] == 0 for it in operands):
            many = run.slopes.of_all(node) if node.primitive.arity is None else None
            for which, operand in enumerate(operands):
                slope = run.slopes.of(node, which) if many is None else many[which]
                passed[operand] |= bool(as_number(run.context, slope))
    return any(passed[index] and grad == 0 for index, grad in enumerate(run.gradients))


def _run(tape: Tape, digits: int) -> PreciseRun:
    try:
        from mpmath import MPContext
    except ModuleNotFoundError:
        raise ModuleNotFoundError(f"numbers with many digits need mpmath; {REMEDY}", name="mpmath") from None
    context = MPContext()
    context.dps = digits
    slopes = PreciseSlopes({})
    for node in tape.nodes:
        slopes.numbers[id(node)] = computed(node, [slopes.numbers[id(it)] for it in node.parents], slopes, context)
    wanted = bytearray([not isinstance(node, Constant) for node in tape.nodes])
    grads: list[Any] = [None] * len(tape)
    grads[-1] = Precise(context.one)
    accumulate(tape, grads, wanted, slopes)
    numbers = [slopes.numbers[id(node)].number for node in tape.nodes]
    found = [context.zero if grad is None else as_number(context, grad) for grad in grads]
    return PreciseRun(
        numbers, [grad if is_wanted else None for grad, is_wanted in zip(found, wanted, strict=True)], slopes, context
    )


def computed(node: Value, operands: Sequence[Precise], slopes: PreciseSlopes, context: Any) -> Precise:
    """Return the number of a node at its operands; a leaf's own number.

    A function of floats, and a node whose slopes were given, are not computed again: the number that they returned is
    moved by the slopes times how far the operands are from the floats.
    """
    primitive = node.primitive
    if primitive is None:
        return Precise(context.mpf(node.data))
    try:
        result = primitive(*operands)
        return result if isinstance(result, Precise) else Precise(context.mpf(result))
    except (TypeError, AttributeError):
        moves = [
            context.mpf(slope) * (operand.number - x)
            for slope, operand, x in zip(node.slopes, operands, node.operands, strict=True)
        ]
        return Precise(_bounded(context, context.mpf(node.data) + sum(moves)))


def as_number(context: Any, number: Any) -> Number:
    """Return what a rule returned, a number of this kind or a float, as a number of mpmath."""
    return number.number if isinstance(number, Precise) else _read(context, number)
