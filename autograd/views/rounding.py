"""Rounding: how many digits of the numbers of a graph are right, and where the others were lost.

>>> from autograd import Value
>>> x = Value(1e-5, label="x")
>>> y = (1.0 - x.cos()) / x
>>> y.label = "y"
>>> print(check_rounding(y).sentence)
y has 7 right digits: v2 = 1 − cos(x) loses 9 (its operands agree in 10 digits); write 2 · sin(x / 2) ** 2 instead.
"""

from __future__ import annotations

import math
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from autograd.calculus.precise_numbers import Precise, PreciseSlopes, as_number, computed, precise_run
from autograd.calculus.reverse_and_forward import pull
from autograd.notation import Formula, InAscii, Names, operation
from autograd.primitives import (
    add,
    ceil,
    dot_product,
    floor,
    greater,
    product,
    remainder,
    sign,
    subtract,
    summation,
    where,
)
from autograd.tape import Tape
from autograd.value import Value, is_constant
from autograd.views.remedies import OVERFLOWS, advice, remedy, remedy_of_slope
from autograd.views.tracing import contribution

MOST = 16  # digits that a float may have
UNIT = 2.0**-53  # the largest relative error of a number that is rounded once
SMALLEST = sys.float_info.min  # below it, floats have fewer digits
STEPS = (greater, remainder, sign, floor, ceil, where)  # what jumps
FEW = 2.0  # digits that are lost at one place, for a sentence to name it
PLACES = 3  # that a sentence names
ROWS, WIDTH = 30, 88  # of a table; characters in a line of the text below it
LENGTH, DEPTH = 32, 3  # characters of an operation that is written with those of its operands; how far back that goes
ABOVE = 3  # nodes that a remedy may replace besides the one where digits are lost

Number = Any  # of mpmath
Kind = Literal["value", "gradient", "slope"]
Quantity = tuple[Kind, int, int]  # the index of a node, and of its operand or 0


@dataclass(frozen=True, eq=False)
class RoundedNumber:
    """A number of a graph beside the exact one.

    Attributes:
        name: what it is: "v2 = 1 − v1", or "∂y/∂x".
        node: the node whose number or gradient it is.
        number: the float.
        exact: the same with many digits, a number of mpmath.
        digits: how many significant digits of the float are right, from 0 to 16: it differs from the exact number by at
            most half a unit of the last of them (Higham, Accuracy and Stability of Numerical Algorithms, 2002, 1.2).
        received: the relative error that comes from what it is computed from.
        added: the relative error that computing it adds.
        lost: how many digits fewer it has than the number that most of its error comes from.
    """

    name: str
    node: Value
    number: float
    exact: Number
    digits: int
    received: float
    added: float
    lost: float


@dataclass(eq=False, repr=False)
class RoundingReport(InAscii):
    """How many digits of the numbers of a graph are right. `print` writes a table and a sentence.

    Attributes:
        values: the number of each node that is no constant.
        gradients: the derivative of the output with respect to each of them.
        named: those of the output, of nodes with a label and of leaves, and those that the sentence names.
        digits: the fewest right digits among these.
        sentence: which number has the fewest, where its digits were lost, and what to write instead, if that is known.
    """

    values: dict[Value, RoundedNumber]
    gradients: dict[Value, RoundedNumber]
    named: list[RoundedNumber]
    digits: int
    sentence: str

    def __str__(self) -> str:
        rows = [("", "float", "exact", "digits", "lost")]
        shown = sorted(self.named, key=lambda it: it.digits)[:ROWS]
        for it in self.named:
            if it in shown:
                lost = f"{it.lost:.0f}" if it.lost >= 0.5 else ""
                rows.append((it.name, repr(it.number), _digits(it.exact), str(it.digits), lost))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if place > 2 else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        more = len(self.named) - len(shown)
        if more:
            lines.append(f"… and {more} more, with at least {shown[-1].digits} right digits")
        return "\n".join([*lines, "", *textwrap.wrap(self.sentence, WIDTH)])

    __repr__ = __str__


def check_rounding(output: Value, digits: int | None = None) -> RoundingReport:
    """Find out how many digits of an output and of its gradients are right, and where the others were lost.

    The graph is computed again, forward and backward, with 50 digits or more, and compared with its floats. Its leaves
    and constants count as the floats that they are: 0.1 is the float nearest to it. A function of floats, of one's own,
    is not computed again; errors of its own are not seen.

    Args:
        output: the node that is differentiated.
        digits: how many right digits the output, its gradients, and the numbers and gradients of nodes with a label
            must have; by default any number.

    Returns:
        The report. The attribute `grad` of nodes is neither read nor changed.

    Raises:
        AssertionError: if one of these numbers has fewer right digits. The message names the operation that loses them.
        TypeError: if the output is not a Value, or `digits` is not an integer.
        ValueError: if `digits` is not from 1 to 16.
        RuntimeError: if a leaf was assigned another number after the forward pass.
        ModuleNotFoundError: if mpmath is not installed; the message says how to install it.
    """
    if digits is not None and (isinstance(digits, bool) or not isinstance(digits, int)):
        raise TypeError(f"digits must be an integer, got {digits!r:.80} of type {type(digits).__name__}")
    if digits is not None and not 1 <= digits <= MOST:
        raise ValueError(f"digits must be from 1 to {MOST}, which is what a float has, got {digits}")
    report = _Comparison(output).report()
    if digits is not None and report.digits < digits:
        raise AssertionError(f"{report.sentence} {digits} right digits were asked for.")
    return report


class _Place(NamedTuple):
    """A place where a number loses digits."""

    quantity: Quantity
    source: Quantity | None  # what most of its error comes from; None where it arises
    lost: float
    above: list[int]  # the nodes that are computed from it, the nearest first, up to the number that is followed


class _Comparison:
    """The floats of a graph beside the same numbers with many digits."""

    def __init__(self, output: Value) -> None:
        self.output, self.tape = output, Tape(output)
        nodes = self.tape.nodes
        self.names = Names(output, nodes)
        self.run = precise_run(self.tape)
        self.number = self.run.context.mpf
        self.at_floats = PreciseSlopes({id(node): Precise(self.number(node.data)) for node in nodes})
        found = pull(self.tape, nodes, {output: 1.0}, recorded=False)
        self.grads = [float(found.get(node, 0.0)) for node in nodes]
        self.consumers: list[list[tuple[int, int]]] = [[] for _ in nodes]
        for index in reversed(range(len(nodes))):
            for which, operand in enumerate(self.tape.operands_of(index)):
                self.consumers[operand].append((index, which))
        self.slopes = cache(self._slopes)

    def report(self) -> RoundingReport:
        nodes, last = self.tape.nodes, len(self.tape) - 1
        rounded: dict[Quantity, RoundedNumber] = {}
        kinds: tuple[Kind, ...] = ("value", "gradient")
        for kind in kinds:
            for index, node in enumerate(nodes):
                if not is_constant(node) or (index == last and kind == "value"):
                    rounded[kind, index, 0] = self.rounded((kind, index, 0))
        chosen = [quantity for quantity in rounded if self.is_named(*quantity)]
        worst = min(chosen, key=lambda quantity: rounded[quantity].digits)
        places = list(self.places(worst))
        named = {*chosen, *(place.quantity for place in places)}
        values, gradients = [
            {nodes[it[1]]: number for it, number in rounded.items() if it[0] == kind} for kind in kinds
        ]
        return RoundingReport(
            values,
            gradients,
            [number for quantity, number in rounded.items() if quantity in named],
            rounded[worst].digits,
            self.sentence(worst, rounded[worst], places),
        )

    def is_named(self, kind: Kind, index: int, _: int) -> bool:
        """Return whether a number is always reported: the output, numbers and gradients of labels, those of leaves."""
        node = self.tape.nodes[index]
        if index == len(self.tape) - 1:
            return kind == "value"
        return bool(node.label or not node.parents) and (kind == "gradient" or bool(node.parents))

    def rounded(self, quantity: Quantity) -> RoundedNumber:
        """Return a number beside the exact one."""
        kind, index, _ = quantity
        held, exact = self.both(quantity)
        source, received, added = self.origin(quantity)
        node = self.tape.nodes[index]
        name = self.described(node) if kind == "value" else self.names.derivative(self.output, node).plain
        digits, lost = right_digits(held, exact), self.lost(quantity, source)
        return RoundedNumber(name, node, held, exact, digits, _ratio(received, exact), _ratio(added, exact), lost)

    def both(self, quantity: Quantity) -> tuple[float, Number]:
        """Return a number as it is held, and the exact one."""
        kind, index, which = quantity
        if kind == "slope":
            held, exact, _ = self.slopes(index)
            return held[which], exact[which]
        if kind == "gradient":
            return self.grads[index], self.run.gradients[index]
        return self.tape.nodes[index].data, self.run.numbers[index]

    def error(self, quantity: Quantity) -> Number:
        """Return the absolute error of a number; infinite if it is not finite though the exact one is."""
        held, exact = self.both(quantity)
        return self.distance(self.number(held), exact)

    def distance(self, one: Number, other: Number) -> Number:
        if one == other or (one != one and other != other):
            return self.run.context.zero
        distance = abs(one - other)
        return distance if distance == distance else self.run.context.inf

    def relative(self, quantity: Quantity) -> float:
        return _ratio(self.error(quantity), self.both(quantity)[1])

    def lost(self, quantity: Quantity, source: Quantity | None) -> float:
        """Return how many digits fewer a number has than that which most of its error comes from."""
        before = max(UNIT, 0.0 if source is None else self.relative(source))
        after = self.relative(quantity)
        return min(float(MOST), max(0.0, math.log10(after / before))) if after > before else 0.0

    def _slopes(self, index: int) -> tuple[list[float], list[Number], list[Number]]:
        """Return the slopes of a node: as floats, the exact ones, and exact ones at the floats."""
        node, context = self.tape.nodes[index], self.run.context
        kinds = (self.run.slopes, self.at_floats)
        if node.primitive is not None and node.primitive.arity is None:
            exact, at_floats = [[as_number(context, slope) for slope in kind.of_all(node)] for kind in kinds]
        else:
            count = range(len(node.parents))
            exact, at_floats = [[as_number(context, kind.of(node, which)) for which in count] for kind in kinds]
        return list(map(float, node.slopes)), exact, at_floats

    def origin(self, quantity: Quantity) -> tuple[Quantity | None, Number, Number]:
        """Return what most of the error of a number comes from, the error that it receives and the one that it adds.

        The first is None if it adds more than it receives of any number.
        """
        kind, index, which = quantity
        if kind == "gradient":
            return self.origin_of_gradient(index)
        return self.origin_of_slope(index, which) if kind == "slope" else self.origin_of_value(index)

    def origin_of_value(self, index: int) -> tuple[Quantity | None, Number, Number]:
        node, zero = self.tape.nodes[index], self.run.context.zero
        if not node.parents:
            return None, zero, zero
        operands = [self.at_floats.numbers[id(parent)] for parent in node.parents]
        here = computed(node, operands, self.at_floats, self.run.context).number
        received, added = self.distance(here, self.run.numbers[index]), self.distance(self.number(node.data), here)
        if not received:
            return None, received, added
        sources: list[Quantity] = [("value", operand, 0) for operand in self.tape.operands_of(index)]
        effects = [
            abs(slope) * error if slope and (error := self.error(it)) else zero
            for it, slope in zip(sources, self.slopes(index)[1], strict=True)
        ]
        largest = max(effects)
        source = sources[effects.index(largest)]
        if not 2 * sum(effects) > received:  # the slopes do not explain it: a jump, or a choice
            largest, source = received, max(sources, key=self.relative)
        return source if largest >= added else None, received, added

    def origin_of_gradient(self, index: int) -> tuple[Quantity | None, Number, Number]:
        context = self.run.context
        received, total, largest = context.zero, context.zero, context.zero
        source: Quantity | None = None
        for above, which in self.consumers[index]:
            held, exact, _ = self.slopes(above)
            part = contribution(self.tape.nodes[above], which, self.grads[above], held[which])
            grad, slope = self.run.gradients[above], exact[which]
            if grad is None:
                continue
            error = self.distance(self.number(part), grad * slope if grad and slope else context.zero)
            received, total = received + error, total + self.number(part)
            if error > largest:
                of_grad = abs(slope) * self.error(("gradient", above, 0)) if slope else context.zero
                of_slope = abs(grad) * self.error(("slope", above, which)) if grad else context.zero
                source = ("gradient", above, 0) if of_grad >= of_slope else ("slope", above, which)
                product_here = self.number(self.grads[above]) * self.number(held[which])
                if self.distance(self.number(part), product_here) > max(of_grad, of_slope):
                    source = None  # such as a product out of the range of floats
                largest = error
        if index == len(self.tape) - 1:
            return None, context.zero, context.zero
        added = self.distance(self.number(self.grads[index]), total)
        return source if largest >= added else None, received, added

    def origin_of_slope(self, index: int, which: int) -> tuple[Quantity | None, Number, Number]:
        node, context = self.tape.nodes[index], self.run.context
        held, exact, at_floats = (kind[which] for kind in self.slopes(index))
        received, added = self.distance(at_floats, exact), self.distance(self.number(held), at_floats)
        primitive, indices = node.primitive, [index, *self.tape.operands_of(index)]
        assert primitive is not None
        numbers = [Precise(self.run.numbers[it]) for it in indices]
        effects = []
        for place, it in enumerate(indices):
            moved = list(numbers)
            moved[place] = self.at_floats.numbers[id(self.tape.nodes[it])]
            try:
                slope = primitive.some_slopes([which], *moved)[0]
            except (TypeError, AttributeError):  # a function of floats
                return None, received, added
            effects.append((self.distance(as_number(context, slope), exact), it))
        largest, it = max(effects, key=lambda effect: effect[0])
        return ("value", it, 0) if largest and largest >= added else None, received, added

    def places(self, quantity: Quantity | None) -> Iterator[_Place]:
        """Yield the places where a number loses digits, back from the number along the largest error."""
        above: list[int] = []
        while quantity is not None and self.relative(quantity) > 4.0 * UNIT:
            source = self.origin(quantity)[0]
            lost = self.lost(quantity, source)
            if lost >= FEW:
                yield _Place(quantity, source, lost, above[-ABOVE:][::-1])
            if quantity[0] == "value":
                above.append(quantity[1])
            quantity = source

    def sentence(self, quantity: Quantity, worst: RoundedNumber, places: list[_Place]) -> str:
        """Return which number has the fewest right digits, and why."""
        if worst.digits >= MOST - 1:
            return f"The output, labelled numbers and gradients have {MOST - 1} or {MOST} right digits."
        title = self.names.of(worst.node).plain if quantity[0] == "value" else worst.name
        count = "no right digit" if not worst.digits else f"{worst.digits} right digit{'s' * (worst.digits > 1)}"
        named = sorted(places, key=lambda it: -it.lost)[:PLACES]
        reasons = [self.reason(place) for place in reversed(places) if place in named]
        if not reasons:
            return f"{title} has {count}, and no operation loses two or more by itself."
        return f"{title} has {count}: {'. Then '.join(reasons)}."

    def reason(self, place: _Place) -> str:
        """Return in words where digits are lost, and what to write instead if it is known."""
        kind, index, which = place.quantity
        node, beyond = self.tape.nodes[index], self.beyond(place)
        lost = beyond or f"loses {place.lost:.0f}{self.condition(place)}"
        if kind == "gradient":
            of = self.names.derivative(self.output, node).plain
            return f"{of} {lost}" if beyond else f"the sum of the contributions to {of} {lost}"
        if kind == "slope":
            better = remedy_of_slope(node, self.written)
            return f"{self.described_slope(node, which)} {lost}" + (f"; write {better} instead" if better else "")
        what = f"{self.described(node)} {lost}"
        for it in (index, *place.above):
            other = self.tape.nodes[it]
            better = remedy(other, self.written, self.run.numbers[it])
            if better:
                instead = "instead" if it == index else f"for {self.names.of(other).plain}"
                return f"{what}; write {better} {instead}"
        cure = OVERFLOWS.get(node.primitive, "") if math.isinf(node.data) else advice(node)
        return f"{what}; {cure}" if cure else what

    def beyond(self, place: _Place) -> str:
        """Return in words that a number leaves the range of floats by its operation; empty if it does not."""
        held, exact = self.both(place.quantity)
        if place.source is not None or exact != exact:
            return ""
        is_product = place.quantity[0] == "value" and self.tape.nodes[place.quantity[1]].primitive is product
        if abs(held) < SMALLEST and (abs(exact) < SMALLEST or is_product):  # that of many factors, at one of them
            return f"underflows (it is {_digits(exact, 3)})"
        return "" if math.isfinite(held) else f"overflows (it is {_digits(exact, 3)})"

    def condition(self, place: _Place) -> str:
        """Return in brackets why digits are lost: terms cancel, or an operation multiplies relative errors."""
        kind, index, _ = place.quantity
        node, exact = self.tape.nodes[index], self.both(place.quantity)[1]
        if kind == "slope":
            return ""
        if kind == "gradient":
            grads = [(self.run.gradients[above], self.slopes(above)[1][it]) for above, it in self.consumers[index]]
            return self.agreement("they", [grad * slope for grad, slope in grads if grad is not None], exact)
        if exact != exact:
            return " (it has no value at the exact operands)"
        numbers = [self.run.numbers[operand] for operand in self.tape.operands_of(index)]
        if node.primitive is subtract:
            return self.agreement("its operands", numbers, exact)
        if node.primitive in (add, summation, dot_product):
            half = len(numbers) // 2
            is_dot = node.primitive is dot_product
            terms = [a * b for a, b in zip(numbers, numbers[half:], strict=False)] if is_dot else numbers
            return self.agreement("its terms", terms, exact)
        if place.source is None:
            return ""
        which = list(self.tape.operands_of(index)).index(place.source[1])
        factor = abs(numbers[which] * self.slopes(index)[1][which] / exact) if exact else self.run.context.nan
        if node.primitive in STEPS and not factor * self.relative(place.source) > self.relative(place.quantity) / 10:
            return " (it jumps between the exact operand and the float)"
        return "" if factor != factor else f" (it multiplies the relative error of its operand by {_digits(factor, 1)})"

    def agreement(self, what: str, terms: list[Number], total: Number) -> str:
        """Return in brackets in how many digits terms agree, or cancel; or how many they are."""
        signs = {self.run.context.sign(term) for term in terms if term}
        verb = "agree" if len(signs) == 1 and len(terms) == 2 else "cancel"
        if not total:
            return f" ({what} are equal)" if verb == "agree" else f" ({what} cancel)"
        size = max(map(abs, terms)) / abs(total)
        if not self.run.context.isfinite(size):
            return ""
        count = math.floor(_log10(size)) if size else 0
        if count < 1:
            return f" ({len(terms)} terms)"
        return f" ({what} {verb} in {count} digit{'s' * (count > 1)})"

    def described(self, node: Value) -> str:
        """Return the name of a node and how it is computed."""
        name = self.names.of(node).plain
        return name if not 0 < len(node.parents) <= 4 else f"{name} = {self.operation(node).plain}"

    def described_slope(self, node: Value, which: int) -> str:
        """Return the name of a slope and its rule."""
        name, primitive = self.names.derivative(node, node.parents[which]).plain, node.primitive
        assert primitive is not None
        if primitive.arity is None:
            return f"the slope {name} of {self.names.of(node).plain}"
        rule = Formula.of(primitive.slopes[which](self.names.of(node), *map(self.names.of, node.parents)))
        return f"the slope {name} = {rule.plain}"

    def operation(self, node: Value, depth: int = DEPTH) -> Formula:
        """Write how a node was computed, in terms of labels as far as that is short."""
        full = operation(node, [self.written(parent, depth) for parent in node.parents])
        return full if len(full.plain) <= LENGTH else self.names.operation(node)

    def written(self, node: Value, depth: int = DEPTH) -> Formula:
        """Write a node without a label as how it was computed, if that is short, and others by their names."""
        is_short = depth and not node.label and 0 < len(node.parents) <= 4 and node is not self.output
        return self.operation(node, depth - 1) if is_short else self.names.of(node)


def right_digits(number: float, exact: Number) -> int:
    """Return how many significant digits of a float are right, from 0 to 16: see `RoundedNumber`."""
    context = exact.context
    if number == exact or (number != number and exact != exact):
        return MOST
    if not exact or not math.isfinite(number) or not context.isfinite(exact):
        return 0
    leading = math.floor(_log10(abs(exact)) + 1e-12)
    return max(0, min(MOST, math.floor(leading + 1 - _log10(2 * abs(number - exact)))))


def _log10(number: Number) -> float:
    """Return the logarithm of a positive number, which may be too large for a float."""
    if not number.context.isfinite(number):
        return math.inf
    mantissa, exponent = number.context.frexp(number)
    return math.log10(float(mantissa)) + int(exponent) * math.log10(2.0)


def _ratio(error: Number, exact: Number) -> float:
    ratio = float(error / abs(exact)) if exact and error else math.inf if error else 0.0
    return ratio if ratio == ratio else math.inf  # of an infinite or a missing exact number


def _digits(number: Number, count: int = MOST) -> str:
    text = str(number.context.nstr(number, count))
    return re.sub(r"e([+-])(\d)$", r"e\g<1>0\2", text).removesuffix(".0")  # as Python writes floats
