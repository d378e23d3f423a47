"""Nodes and slopes as formulas, in which a node that is no station is written out.

>>> from autograd import Value
>>> a, b = Value(2.0, label="a"), Value(3.0, label="b")
>>> output = (a * b + 1.0).log()
>>> writer = Writer(Names(output, [a, b, output]), lambda node: node in (a, b))
>>> writer.operation(output).plain
'log(a · b + 1)'
>>> writer.slope(output, 0, numeric=False).plain
'1 / (a · b + 1)'
"""

from __future__ import annotations

from collections.abc import Callable

from autograd.given_slopes import GivenSlopes
from autograd.notation import Formula, Names, constant, number, operation
from autograd.value import Value, is_constant

FOLDED_NODES = 16  # nodes between two stations that are still taken together
FORMULA_LENGTH = 200  # characters of a formula that is still written
TERMS = 6  # terms of a sum that are shown


class Writer:
    """Writes nodes in formulas: a station by its name, another node by the operation that computed it."""

    def __init__(self, names: Names, is_station: Callable[[Value], bool]) -> None:
        self.names, self._is_station = names, is_station
        self.named: set[Value] = set()  # nodes that are stations too, since a formula would be too long

    def is_station(self, node: Value) -> bool:
        """Return whether a node is written by its name."""
        return self._is_station(node) or node in self.named

    def is_readable(self, formula: Formula) -> bool:
        """Return whether a formula is short enough to be read."""
        return len(formula.plain) <= FORMULA_LENGTH

    def number_of(self, node: Value, data: float) -> Formula:
        """Write the number of a node."""
        return number(data)

    def written(self, node: Value, data: float, numeric: bool, depth: int = 3) -> Formula:
        """Write a node with the number `data`, `depth` operations deep at most; stations by number if numeric."""
        if is_constant(node) and not node.label:
            return constant(data)
        if node.primitive is None or self.is_station(node):
            return self.number_of(node, data) if numeric else self.names.of(node)
        if depth == 0 or len(node.parents) > TERMS:
            return self.number_of(node, data)
        return self.operation(node, numeric, depth - 1)

    def operation(self, node: Value, numeric: bool = False, depth: int = 3) -> Formula:
        """Write the operation that computed a node, in terms of its operands as they are written."""
        pairs = zip(node.parents, node.operands, strict=True)
        return operation(node, [self.written(parent, data, numeric, depth) for parent, data in pairs])

    def slope(self, node: Value, index: int, numeric: bool) -> Formula | None:
        """Write the slope of a node with respect to one of its operands; None for a node of too many operands."""
        if node.primitive is None or len(node.parents) > FOLDED_NODES:
            return None
        if isinstance(node.primitive, GivenSlopes) and not numeric:
            return Formula("given slope", r"\text{given slope}")
        out = self.written(node, node.data, numeric)
        operands = [self.written(p, x, numeric) for p, x in zip(node.parents, node.operands, strict=True)]
        return Formula.of(node.primitive.some_slopes([index], out, *operands)[0])
