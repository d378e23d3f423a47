"""Passes that leave work out: operations without an effect, with constants alone, or that no output needs.

Each gives the same bits as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autograd.primitives import PRIMITIVES
from autograd.programs.lowering.instructions import Instructions, from_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Operations that leave a number as it is: the primitive, the place of the operand that is constant, and its number.
# (x + 0 is not one of them: it makes 0 of −0.)
IDENTITIES = [
    (primitive, place, number)
    for primitive in PRIMITIVES.values()
    for place, number in enumerate(primitive.neutral)
    if number is not None and number != 0.0
]


def without_identities(instructions: Instructions, keeps_stops: bool = False) -> Instructions:
    """Let whatever uses x · 1, x / 1, x ** 1 or stop_gradient(x) use x.

    >>> from autograd import Value
    >>> from autograd.programs.program import Program
    >>> x = Value(2.0)
    >>> given = Instructions.of(Program.of([(x * 1.0).exp()], inputs=[x]))
    >>> given.operands_of(3).tolist(), without_identities(given).operands_of(3).tolist()
    ([2], [0])

    Args:
        instructions: the instructions.
        keeps_stops: whether stop_gradient stays, for a program that is differentiated by something else.
    """
    size = len(instructions)
    alias = np.arange(size)
    numbers = np.where(instructions.is_constant, instructions.numbers, np.nan)
    for primitive, place, neutral in IDENTITIES:
        slots = np.flatnonzero(instructions.codes == primitive.index)
        first = instructions.starts[slots]
        found = numbers[instructions.operands[first + place]] == neutral
        alias[slots[found]] = instructions.operands[first[found] + 1 - place]
    if not keeps_stops:
        slots = np.flatnonzero(instructions.codes == PRIMITIVES["stop_gradient"].index)
        alias[slots] = instructions.operands[instructions.starts[slots]]
    return _redirected(instructions, alias)


def with_constants_folded(instructions: Instructions) -> Instructions:
    """Compute what depends on constants alone, and make constants of the same number one.

    >>> from autograd import Constant, Value
    >>> from autograd.programs.program import Program
    >>> x = Value(2.0)
    >>> given = Instructions.of(Program.of([x * Constant(2.0).exp()], inputs=[x]))
    >>> sorted(with_constants_folded(given).constants.values())
    [2.0, 7.38905609893065]
    """
    is_constant, numbers = instructions.is_constant.copy(), instructions.numbers.copy()
    codes = instructions.codes.copy()
    owners = instructions.owners()
    while True:  # as often as such computations follow each other
        varies = np.bincount(owners[~is_constant[instructions.operands]], minlength=len(codes))
        found = np.flatnonzero((varies == 0) & (codes > 0)).tolist()
        for slot in found:
            operands = numbers[instructions.operands_of(slot)].tolist()
            numbers[slot] = instructions.primitive(int(codes[slot]))(*operands)
        is_constant[found], codes[found] = True, 0
        if not found:
            break
    starts = np.concatenate([[0], np.cumsum(np.where(codes > 0, instructions.counts(), 0))])
    operands = instructions.operands[codes[owners] > 0]
    slots = np.flatnonzero(is_constant)
    _, first, same = np.unique(numbers[slots].view(np.int64), return_index=True, return_inverse=True)
    alias = np.arange(len(codes))
    alias[slots] = slots[first[same.reshape(-1)]]
    parts = instructions.replaced(
        codes=codes, starts=starts, operands=operands, is_constant=is_constant, numbers=numbers
    )
    return _redirected(parts, alias)


def without_dead_code(instructions: Instructions) -> Instructions:
    """Remove the operands of what no output needs, so that it is not counted as a use of them.

    >>> from autograd import Value
    >>> from autograd.programs.program import Program
    >>> x = Value(2.0)
    >>> given = without_identities(Instructions.of(Program.of([(x * 1.0).exp()], inputs=[x])))
    >>> without_dead_code(given).uses().tolist()
    [1, 0, 0, 1]
    """
    keep = instructions.needed()
    owners = instructions.owners()
    starts, operands = from_edges(owners[keep[owners]], instructions.operands[keep[owners]], len(instructions))
    codes = np.where(keep, instructions.codes, 0)
    is_constant = instructions.is_constant & keep
    return instructions.replaced(codes=codes, starts=starts, operands=operands, is_constant=is_constant)


def _redirected(instructions: Instructions, alias: NDArray[np.int64]) -> Instructions:
    """The same instructions, where each slot is read at another one that holds the same number."""
    while not np.array_equal(further := alias[alias], alias):
        alias = further
    return instructions.replaced(operands=alias[instructions.operands], outputs=alias[instructions.outputs])
