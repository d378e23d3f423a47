"""Passes that make sums of chains of additions, and dot products of sums of products: in the same order.

A chain of additions is slow, since each waits for the one before it. As one instruction, many sums are computed side by
side, each with its terms in their order.
"""

from __future__ import annotations

import numpy as np

from autograd.programs.lowering.instructions import ADD, DOT, MULTIPLY, SUM, Instructions, from_edges


def with_sums(instructions: Instructions) -> Instructions:
    """Make one sum of ((a + b) + c) + …, where nothing else uses the partial sums.

    >>> from autograd import Value
    >>> from autograd.programs.program import Program
    >>> a, b, c = Value(1.0), Value(2.0), Value(3.0)
    >>> lowered = with_sums(Instructions.of(Program.of([a + b + c], inputs=[a, b, c])))
    >>> lowered.names()[-1], lowered.operands_of(4).tolist()
    ('sum', [0, 1, 3])
    """
    codes, starts, operands = instructions.codes, instructions.starts, instructions.operands
    is_sum = (codes == ADD) | (codes == SUM)
    slots = np.flatnonzero(is_sum)
    left = operands[starts[slots]]
    joins = is_sum[left] & (instructions.uses()[left] == 1)  # the partial sum is the first term of the next one
    head = np.arange(len(instructions))
    head[left[joins]] = slots[joins]
    is_joined = head != np.arange(len(instructions))
    while not np.array_equal(further := head[head], head):
        head = further
    owners = instructions.owners()
    is_first = np.zeros(len(operands), bool)
    is_first[starts[slots]] = True
    kept = ~(is_first & is_joined[operands] & is_sum[owners])
    new_starts, new_operands = from_edges(head[owners[kept]], operands[kept], len(instructions))
    new_codes = codes.copy()
    new_codes[is_joined] = 0
    new_codes[(new_codes == ADD) & (np.diff(new_starts) > 2)] = SUM
    return instructions.replaced(codes=new_codes, starts=new_starts, operands=new_operands)


def with_dot_products(instructions: Instructions) -> Instructions:
    """Make one dot product of a · b + c · d + …, where nothing else uses the products.

    A term that is no product becomes one with 1, if most terms are products.

    >>> from autograd import Value
    >>> from autograd.programs.program import Program
    >>> a, b, c = Value(1.0), Value(2.0), Value(3.0)
    >>> lowered = with_dot_products(Instructions.of(Program.of([a * b + b * c], inputs=[a, b, c])))
    >>> lowered.names()[5], lowered.operands_of(5).tolist()
    ('dot', [0, 1, 1, 3])
    """
    codes, starts, operands = instructions.codes, instructions.starts, instructions.operands
    is_sum = (codes == ADD) | (codes == SUM)
    is_product = (codes == MULTIPLY) & (instructions.uses() == 1)
    owners = instructions.owners()
    products = np.bincount(owners, weights=is_product[operands], minlength=len(codes))
    becomes = is_sum & (products * 2 > instructions.counts()) & (products > 0)
    if not becomes.any():
        return instructions
    constants = dict(instructions.constants)
    one = next((slot for slot, number in constants.items() if number == 1.0), -1)
    size = len(codes)
    if one < 0:  # a new slot
        one, size = len(codes), len(codes) + 1
        constants[one] = 1.0
        codes = np.append(codes, 0)
    terms = np.flatnonzero(becomes[owners])
    term = operands[terms]
    multiplied = is_product[term]
    first = np.where(multiplied, operands[np.minimum(starts[term], len(operands) - 1)], term)
    second = np.where(multiplied, operands[np.minimum(starts[term] + 1, len(operands) - 1)], one)
    others = ~becomes[owners] & ~_within(term[multiplied], len(becomes))[owners]
    all_owners = np.concatenate([owners[others], owners[terms], owners[terms]])
    all_operands = np.concatenate([operands[others], first, second])
    new_starts, new_operands = from_edges(all_owners, all_operands, size)
    new_codes = codes.copy()
    new_codes[: len(becomes)][becomes] = DOT
    new_codes[term[multiplied]] = 0
    return instructions.replaced(codes=new_codes, starts=new_starts, operands=new_operands, constants=constants)


def _within(slots: np.ndarray[tuple[int], np.dtype[np.int64]], size: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    found = np.zeros(size, bool)
    found[slots] = True
    return found
