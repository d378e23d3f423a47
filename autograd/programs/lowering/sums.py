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
    becomes = is_sum & (products * 2 > instructions.counts())
    if not becomes.any():
        return instructions
    edges = np.flatnonzero(becomes[owners])
    term = operands[edges]
    is_pair = is_product[term]
    is_constant, numbers, one, size = instructions.is_constant, instructions.numbers, 0, len(codes)
    if not is_pair.all():
        ones = np.flatnonzero(is_constant & (numbers == 1.0))
        if not len(ones):  # a new slot
            codes, is_constant, numbers = np.append(codes, 0), np.append(is_constant, True), np.append(numbers, 1.0)
            ones, size = np.array([size]), size + 1
        one = int(ones[0])
    place = np.where(is_pair, starts[term], 0)
    lefts = np.where(is_pair, operands[place], term)
    rights = np.where(is_pair, operands[place + 1], one)
    gone = np.zeros(len(becomes), bool)
    gone[term[is_pair]] = True
    others = ~(becomes | gone)[owners]
    owner = owners[edges]
    new_starts, new_operands = from_edges(
        np.concatenate([owners[others], owner, owner]), np.concatenate([operands[others], lefts, rights]), size
    )
    new_codes = codes.copy()
    new_codes[: len(becomes)][becomes] = DOT
    new_codes[: len(becomes)][gone] = 0
    return instructions.replaced(
        codes=new_codes, starts=new_starts, operands=new_operands, is_constant=is_constant, numbers=numbers
    )
