"""Slopes that can be differentiated again: what the rules of the table do with Values, without running each rule anew.

>>> from autograd import Value, multiply, tanh
>>> a, b = Value(2.0), Value(3.0)
>>> RecordedSlopes().of(a * b, 0) is b
True
>>> TracedRule(tanh.slopes[0], 2).instructions
[(<primitive multiply>, 0, 0), (<primitive subtract>, 1.0, 2)]

A rule of the table has no `if`, so it does the same with all Values. It is run once, on operands that note what it does
with them. Some rules return a number or one of the operands; others apply primitives, which are then applied to the
operands of each node. The table remains the one place where a slope is stated. A rule that is not in the table may do
something else each time, so it is run for each node.
"""

from __future__ import annotations

from typing import Any

from autograd.primitives import PRIMITIVES, Operators, Primitive, Rule
from autograd.tape import Slopes
from autograd.value import Constant, Parameter, Value, _binary, _unary, _WideValue, apply_wide, is_fixed


class _Unknown(Operators):
    """A number that a rule is traced with, at a place of the list that the instructions work on."""

    __slots__ = ("place", "rule")

    def __init__(self, place: int, rule: TracedRule) -> None:
        self.place, self.rule = place, rule

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Any) -> _Unknown:
        """Note that the rule applies a primitive."""
        rule: TracedRule = next(operand.rule for operand in operands if isinstance(operand, _Unknown))
        rule.instructions.append((primitive, *map(_place_or_number, operands)))
        return _Unknown(rule.count + len(rule.instructions) - 1, rule)

    def __bool__(self) -> bool:
        raise TypeError("a rule must not ask whether a number is zero: `where` chooses")


def _place_or_number(operand: Any) -> int | float:
    return operand.place if isinstance(operand, _Unknown) else float(operand)


class TracedRule:
    """What a rule does, as instructions that work on a list of numbers.

    The list begins with the arguments of the rule: `out` and the operands. Each instruction appends its result.

    Attributes:
        rule: a slope of the table.
        count: how many arguments it takes.
        instructions: for each the primitive and its operands, which are places in the list, or numbers.
        result: the place of the result; -1 if that is a number that stands in the rule.
        number: that number.
        needed: the places of the arguments that instructions take.
        at_numbers: of a rule with three arguments, the rule of the first two that it is for a number as the last one.
    """

    __slots__ = ("at_numbers", "count", "instructions", "needed", "number", "result", "rule")

    def __init__(self, rule: Rule, count: int) -> None:
        self.rule, self.count = rule, count
        self.at_numbers: dict[float, TracedRule] = {}
        self.instructions: list[tuple[Any, ...]] = []
        result = _place_or_number(rule(*[_Unknown(place, self) for place in range(count)]))
        self.result = -1 if isinstance(result, float) else result
        self.number = result if isinstance(result, float) else None
        self._drop_unused()
        operands = [operand for instruction in self.instructions for operand in instruction[1:]]
        self.needed = tuple([place for place in range(count) if any(operand is place for operand in operands)])

    def _drop_unused(self) -> None:
        """Leave out the instructions whose results are not used."""
        used = {self.result}
        for place, instruction in reversed(list(enumerate(self.instructions, self.count))):
            if place in used:
                used.update([operand for operand in instruction[1:] if type(operand) is int])
        moved = {place: place for place in range(self.count)}
        kept: list[tuple[Any, ...]] = []
        for place, (primitive, *operands) in enumerate(self.instructions, self.count):
            if place in used:
                moved[place] = self.count + len(kept)
                kept.append((primitive, *[moved[each] if type(each) is int else each for each in operands]))
        self.instructions, self.result = kept, moved.get(self.result, -1)

    def at_number(self, number: float) -> TracedRule | None:
        """Return the rule of the first two arguments for a number as the last; None if there are many such numbers."""
        found = self.at_numbers.get(number)
        if found is None and len(self.at_numbers) < MOST_NUMBERS and number != 0.0:  # 0.0 and -0.0 are one key
            found = self.at_numbers[number] = TracedRule(_at_number(self.rule, number), self.count - 1)
        return found


def _at_number(rule: Rule, last: float) -> Rule:
    return lambda out, x: rule(out, x, last)


MOST_NUMBERS = 64  # for which a rule is traced: a graph with many different ones runs it instead
_rules = [[], *[[TracedRule(rule, 1 + len(it.slopes)) for rule in it.slopes] for it in PRIMITIVES.values()]]  # by index


class RecordedSlopes(Slopes):
    """Slopes computed from Values, so that the gradients are graphs themselves."""

    __slots__ = ()

    def of(self, node: Value, which: int) -> Any:
        """Return the slope of a node with respect to an operand: what its rule returns."""
        primitive: Any = node._primitive
        if node._left is None:
            return primitive.slopes[which](node, *_operands(node.parents))
        if node._right is None:
            return slope_of(primitive, which, node, _operand(node._left))
        return slope_of(primitive, which, node, _operand(node._left), _operand(node._right))

    def of_all(self, node: Value) -> tuple[Any, ...]:
        """Return the slopes of a node with respect to all of its operands."""
        return node._primitive.local_slopes(node, *_operands(node.parents))  # type: ignore[union-attr]  # an inner node


class KeptSlopes(RecordedSlopes):
    """The same, each computed once, for passes that go through the same nodes.

    Attributes:
        kept: the slopes, by the sum of the id of the node, which others keep alive, and the number of the operand; and
            those of all operands as one, by the id less 1. Ids are further apart.
    """

    __slots__ = ("kept",)

    def __init__(self, guarded: bool | None, kept: dict[int, Any]) -> None:
        super().__init__(guarded)
        self.kept = kept

    def of(self, node: Value, which: int) -> Any:
        """Return the slope of a node with respect to an operand, as it was computed before."""
        primitive: Any = node._primitive
        if primitive.index:
            traced = _rules[primitive.index][which]
            if traced.result < traced.count:  # nothing is computed
                return RecordedSlopes.of(self, node, which)
        key = id(node) + which
        slope = self.kept.get(key)
        if slope is None:
            slope = self.kept[key] = RecordedSlopes.of(self, node, which)
        return slope

    def of_all(self, node: Value) -> tuple[Any, ...]:
        """Return the slopes of a node with respect to all of its operands, as they were computed before."""
        key = id(node) - 1
        slopes = self.kept.get(key)
        if slopes is None:
            slopes = self.kept[key] = RecordedSlopes.of_all(self, node)
        return slopes


def _operand(parent: Value) -> Any:
    """Return an operand for rules: a number that an operator wrapped as a float, so that no node is made of it."""
    return parent._float if is_fixed(parent) else parent


def _operands(parents: tuple[Value, ...]) -> list[Any]:
    return [_operand(parent) for parent in parents]


def slope_of(primitive: Primitive, which: int, out: Any, x: Any, y: Any = None) -> Any:
    """Return a slope of a primitive of one or two operands, at numbers of any kind: what its rule returns."""
    traced = _rules[primitive.index][which] if primitive.index else None
    if traced is not None and traced.result < traced.count:  # a number, or one of the arguments
        return traced.number if traced.result < 0 else out if traced.result == 0 else x if traced.result == 1 else y
    numbers = [out, x] if y is None else [out, x, y]
    if traced is not None:
        if _are_values(traced.needed, numbers):
            return _carry_out(traced, numbers)
        if type(y) is float and _are_values((0, 1), numbers):
            at_number = traced.at_number(y)
            if at_number is not None:
                return at_number.number if at_number.result < 0 else _carry_out(at_number, [out, x])
    return primitive.slopes[which](*numbers)


def _are_values(places: tuple[int, ...], numbers: list[Any]) -> bool:
    """Return whether the numbers at some places are Values with the operators of this package, not of a subclass."""
    for place in places:
        kind = type(numbers[place])
        if kind is not Value and kind is not _WideValue and kind is not Parameter and kind is not Constant:
            return False
    return True


def _carry_out(traced: TracedRule, numbers: list[Any]) -> Any:
    """Return what a rule returns, from a list of its arguments, which is appended to."""
    for instruction in traced.instructions:
        primitive, count = instruction[0], len(instruction)
        left = instruction[1] if type(instruction[1]) is float else numbers[instruction[1]]
        if count == 2:
            result = _unary(primitive, left)
        else:
            right = instruction[2] if type(instruction[2]) is float else numbers[instruction[2]]
            if count == 3:
                result = _binary(primitive, left, right)
            else:
                last = instruction[3] if type(instruction[3]) is float else numbers[instruction[3]]
                result = apply_wide(primitive, (left, right, last))
        numbers.append(result)
    return numbers[traced.result]
