# cython: boundscheck=False, wraparound=False
"""What is asked of each node of a tape, and of each slot of a program, one after another.

These loops are compiled where there is a C compiler; everything else that lowers programs works on whole arrays.

>>> from autograd import Value
>>> codes, numbers, constant, others = columns([Value(2.0), Value(2.0).exp()])
>>> list(numbers), list(constant), others
([2.0, 7.38905609893065], [0, 0], [])
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd.native import runtime
from autograd.primitives import PRIMITIVES, Primitive
from autograd.value import Constant, Value, is_fixed

if TYPE_CHECKING:
    from autograd.programs.groups import Integers, Truths

TABLE_SIZE = len(PRIMITIVES)


def columns(nodes: list[Value]) -> tuple[Any, Any, Any, list[Primitive]]:
    """Read what a program needs of the nodes of a tape.

    Returns:
        For each node the code of its primitive, 0 for a leaf; its number; and 2 for a constant that is part of a
        program, 1 for any other constant, else 0. And the primitives that are not in the table, whose codes follow
        those of the table.
    """
    size = len(nodes)
    others: dict[Primitive, int] = {}
    codes, numbers, constant = array("q", bytes(8 * size)), array("d", bytes(8 * size)), bytearray(size)
    for slot in range(size):
        node = nodes[slot]
        primitive = node._primitive
        if primitive is not None:
            codes[slot] = primitive.index
            if primitive.index == 0:
                codes[slot] = others.setdefault(primitive, TABLE_SIZE + 1 + len(others))
        numbers[slot] = node._float
        constant[slot] = 2 if is_fixed(node) else isinstance(node, Constant)
    return codes, numbers, constant, list(others)


def analyse(
    starts: Integers, operands: Integers, outputs: Integers, varies: Truths | Sequence[int]
) -> tuple[Any, bytearray, bytearray]:
    """Follow what depends on what, from the leaves to the outputs and back.

    Args:
        starts, operands, outputs: as of a `Program`.
        varies: for each slot whether it is an input that varies over the examples of a batch.

    Returns:
        For each slot its level, 0 for a leaf and else one more than the highest of its operands; whether it varies; and
        whether an output needs it.

    Raises:
        ValueError: if the starts, operands or outputs are not within the slots.
    """
    firsts, flat, results = runtime.integers(starts), runtime.integers(operands), runtime.integers(outputs)
    size, edges = len(varies), len(flat)
    fits = len(firsts) == size + 1
    for slot in range(len(firsts)):
        fits = fits and 0 <= firsts[slot] <= edges
    for edge in range(edges):
        fits = fits and 0 <= flat[edge] < size
    for edge in range(len(results)):
        fits = fits and 0 <= results[edge] < size
    if not fits:
        raise ValueError("the operands and outputs of instructions are not within their slots")
    levels, vary, needed = array("q", bytes(8 * size)), bytearray(varies), bytearray(size)
    for slot in range(size):
        level = 0
        for edge in range(firsts[slot], firsts[slot + 1]):
            operand = flat[edge]
            if levels[operand] >= level:
                level = levels[operand] + 1
            if vary[operand]:
                vary[slot] = 1
        levels[slot] = level
    for edge in range(len(results)):
        needed[results[edge]] = 1
    for slot in range(size - 1, -1, -1):
        if needed[slot]:
            for edge in range(firsts[slot], firsts[slot + 1]):
                needed[flat[edge]] = 1
    return levels, vary, needed
