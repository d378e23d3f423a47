"""Passes over a program before its instructions are put in groups. Each gives the same bits as before.

The first leave work out: operations without an effect, with constants alone, repeated, or that no output needs. The
others make sums of chains of additions, and dot products of sums of products, in the same order: a chain of additions
is slow, since each waits for the one before it, and as one instruction many sums are computed side by side.

A pass keeps the numbering of the slots; `with_trees`, which does not, comes before all of them. What it makes
unnecessary is left behind, and not reached from the outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from autograd.primitives import PRIMITIVES
from autograd.programs.groups import ADD, DOT, MULTIPLY, SUM
from autograd.programs.program import Program, from_edges
from autograd.programs.recorded_loops import RecordedLoop, is_costly, slots_of

if TYPE_CHECKING:
    from autograd.programs.groups import Integers

# Operations that leave a number as it is: the primitive, the place of the operand that is constant, and its number.
# (x + 0 is not one of them: it makes 0 of −0.)
IDENTITIES = [
    (primitive, place, number)
    for primitive in PRIMITIVES.values()
    for place, number in enumerate(primitive.neutral)
    if number is not None and number != 0.0
]
# By the code of a primitive, of one or two operands; the last one stands for those that are not in the table.
IS_COSTLY = np.array(
    [False, *[each.arity in (1, 2) and is_costly(each, each.arity) for each in PRIMITIVES.values()], False]
)
MOST_SEARCHES = 8  # for repeated functions: each finds those whose operands the one before found to be equal
POWER = PRIMITIVES["power"].index
MAX, MIN = PRIMITIVES["max"].index, PRIMITIVES["min"].index
MAXIMUM, MINIMUM = PRIMITIVES["maximum"].index, PRIMITIVES["minimum"].index


def with_trees(program: Program) -> Program:
    """Make a tree of `maximum` or `minimum` of the largest or the smallest of many numbers.

    The numbers that are compared at one time stand side by side, so that a loop computes them. New slots stand before
    that of the result.

    >>> from autograd import Value, max
    >>> x = [Value(float(i)) for i in range(5)]
    >>> program = with_trees(Program.of([max(x)], inputs=x))
    >>> [program.operands_of(slot).tolist() for slot in range(5, len(program))]
    [[0, 3], [1, 4], [5, 2], [7, 6]]
    """
    wide = np.flatnonzero((program.codes == MAX) | (program.codes == MIN))
    if not len(wide):
        return program
    counts = np.diff(program.starts)
    added = np.zeros(len(program), np.int64)
    added[wide] = np.maximum(counts[wide] - 2, 0)
    moved = np.arange(len(program)) + np.cumsum(added)
    kept = ~np.isin(program.owners(), wide)
    owners, operands = [moved[program.owners()[kept]]], [moved[program.operands[kept]]]
    size = len(program) + int(added.sum())
    codes, numbers = np.zeros(size, np.int64), np.zeros(size)
    codes[moved], numbers[moved] = program.codes, program.numbers
    for slot in wide.tolist():
        end, left = int(moved[slot]), moved[program.operands_of(slot)]
        place = end - int(added[slot])
        while place <= end:
            half = max(len(left) // 2, 1)
            made = np.arange(place, place + half)
            pairs = left[:half], left[len(left) - half :]  # what is left over in the middle waits
            codes[made] = MAXIMUM if program.codes[slot] == MAX else MINIMUM
            owners += [made, made]
            operands += pairs
            left = np.concatenate([made, left[half : len(left) - half]])
            place += half
    starts, flat = from_edges(np.concatenate(owners), np.concatenate(operands), len(codes))
    return program.replaced(
        codes=codes,
        starts=starts,
        operands=flat,
        numbers=numbers,
        inputs=moved[program.inputs],
        parameters=moved[program.parameters],
        outputs=moved[program.outputs],
        labels={int(moved[slot]): label for slot, label in program.labels.items()},
    )


def without_identities(program: Program, keeps_stops: bool = False) -> Program:
    """Let whatever uses x · 1, x / 1, x ** 1 or stop_gradient(x) use x.

    >>> from autograd import Value
    >>> x = Value(2.0)
    >>> given = Program.of([(x * 1.0).exp()], inputs=[x])
    >>> given.operands_of(3).tolist(), without_identities(given).operands_of(3).tolist()
    ([2], [0])

    Args:
        program: the program.
        keeps_stops: whether stop_gradient stays, for a program that is differentiated by something else.
    """
    alias = np.arange(len(program))
    numbers = np.where(program.is_constant, program.numbers, np.nan)
    for primitive, place, neutral in IDENTITIES:
        slots = np.flatnonzero(program.codes == primitive.index)
        first = program.starts[slots]
        found = numbers[program.operands[first + place]] == neutral
        alias[slots[found]] = program.operands[first[found] + 1 - place]
    if not keeps_stops:
        slots = np.flatnonzero(program.codes == PRIMITIVES["stop_gradient"].index)
        alias[slots] = program.operands[program.starts[slots]]
    return _redirected(program, alias)


def with_constants_folded(program: Program) -> Program:
    """Compute what depends on constants alone, and make constants of the same number one.

    x ** 0 and 1 ** x are 1 by IEEE 754, whatever x is: they are constants, too.

    >>> from autograd import Constant, Value
    >>> x = Value(2.0)
    >>> folded = with_constants_folded(Program.of([x * Constant(2.0).exp()], inputs=[x]))
    >>> sorted(folded.numbers[folded.is_constant].tolist())
    [2.0, 7.38905609893065]
    """
    program = _with_ones(program)
    varies = ((program.codes == 0) & ~program.is_constant) | slots_of(program, RecordedLoop)
    is_constant, numbers = ~program.analysed(varies)[1], program.numbers.copy()
    for slot in np.flatnonzero(is_constant & (program.codes > 0)).tolist():
        numbers[slot] = program.primitive(int(program.codes[slot]))(*numbers[program.operands_of(slot)].tolist())
    slots = np.flatnonzero(is_constant)
    _, first, same = np.unique(numbers[slots].view(np.int64), return_index=True, return_inverse=True)
    alias = np.arange(len(program))
    alias[slots] = slots[first[same.reshape(-1)]]
    return _redirected(program.with_leaves(is_constant).replaced(numbers=numbers), alias)


def _with_ones(program: Program) -> Program:
    """Make constants of x ** 0 and 1 ** x."""
    known = np.where(program.is_constant, program.numbers, np.nan)
    is_one = program.codes == POWER
    first = program.starts[:-1][is_one]
    is_one[is_one] = (known[program.operands[first]] == 1.0) | (known[program.operands[first + 1]] == 0.0)
    return program.with_leaves(is_one).replaced(numbers=np.where(is_one, 1.0, program.numbers))


def without_dead_code(program: Program) -> Program:
    """Drop instructions that no output depends on, which then no longer count as uses of their operands.

    >>> from autograd import Value
    >>> x = Value(2.0)
    >>> given = without_identities(Program.of([(x * 1.0).exp()], inputs=[x]))
    >>> without_dead_code(given).uses().tolist()
    [1, 0, 0, 1]
    """
    return program.with_leaves(~program.needed())


def without_repeated_functions(program: Program) -> Program:
    """Compute equal functions of equal numbers once, if they take long: a derivative often needs them again.

    >>> from autograd import Value, cos
    >>> x = Value(2.0)
    >>> shared = without_repeated_functions(Program.of([cos(x) * cos(x)], inputs=[x]))
    >>> shared.operands_of(3).tolist()
    [1, 1]
    """
    slots = np.flatnonzero(IS_COSTLY[np.minimum(program.codes, len(IS_COSTLY) - 1)])
    for _ in range(MOST_SEARCHES):
        first, last = program.starts[slots], program.starts[slots + 1] - 1
        keys = np.stack([program.codes[slots], program.operands[first], program.operands[last]])
        order = np.lexsort(keys)
        is_new = np.append(True, (keys[:, order[1:]] != keys[:, order[:-1]]).any(axis=0))
        if is_new.all():
            break
        alias, kept = np.arange(len(program)), slots[order[is_new]]
        alias[slots[order]] = kept[np.cumsum(is_new) - 1]
        program, slots = _redirected(program, alias), np.sort(kept)  # others may be equal now
    return program


def with_sums(program: Program) -> Program:
    """Make one sum of ((a + b) + c) + …, where nothing else uses the partial sums.

    >>> from autograd import Value
    >>> a, b, c = Value(1.0), Value(2.0), Value(3.0)
    >>> lowered = with_sums(Program.of([a + b + c], inputs=[a, b, c]))
    >>> lowered.primitives[-1], lowered.operands_of(4).tolist()
    (<primitive sum>, [0, 1, 3])
    """
    codes, starts, operands = program.codes, program.starts, program.operands
    is_sum = (codes == ADD) | (codes == SUM)
    slots = np.flatnonzero(is_sum)
    left = operands[starts[slots]]
    joins = is_sum[left] & (program.uses()[left] == 1)  # the partial sum is the first term of the next one
    head = np.arange(len(program))
    head[left[joins]] = slots[joins]
    is_joined = head != np.arange(len(program))
    head = followed(head)
    owners = program.owners()
    is_first = np.zeros(len(operands), bool)
    is_first[starts[slots]] = True
    kept = ~(is_first & is_joined[operands] & is_sum[owners])
    new_starts, new_operands = from_edges(head[owners[kept]], operands[kept], len(program))
    new_codes = np.where(is_joined, 0, codes)
    new_codes[(new_codes == ADD) & (np.diff(new_starts) > 2)] = SUM
    return program.replaced(codes=new_codes, starts=new_starts, operands=new_operands)


def with_dot_products(program: Program) -> Program:
    """Make one dot product of a · b + c · d + …, where nothing else uses the products.

    A term that is no product becomes one with 1, if most terms are products.

    >>> from autograd import Value
    >>> a, b, c = Value(1.0), Value(2.0), Value(3.0)
    >>> lowered = with_dot_products(Program.of([a * b + b * c], inputs=[a, b, c]))
    >>> lowered.primitives[5], lowered.operands_of(5).tolist()
    (<primitive dot>, [0, 1, 1, 3])
    """
    codes, starts, operands, numbers = program.codes, program.starts, program.operands, program.numbers
    is_sum = (codes == ADD) | (codes == SUM)
    is_product = (codes == MULTIPLY) & (program.uses() == 1)
    owners = program.owners()
    products = np.bincount(owners, weights=is_product[operands], minlength=len(codes))
    becomes = is_sum & (products * 2 > np.diff(program.starts))
    if not becomes.any():
        return program
    edges = np.flatnonzero(becomes[owners])
    term = operands[edges]
    is_pair = is_product[term]
    one, new_codes = 0, codes.copy()
    if not is_pair.all():
        ones = np.flatnonzero(program.is_constant & (numbers == 1.0))
        if not len(ones):  # a new slot
            new_codes, numbers = np.append(codes, 0), np.append(numbers, 1.0)
        one = int(ones[0]) if len(ones) else len(codes)
    place = np.where(is_pair, starts[term], 0)
    lefts = np.where(is_pair, operands[place], term)
    rights = np.where(is_pair, operands[place + 1], one)
    gone = np.zeros(len(codes), bool)
    gone[term[is_pair]] = True
    others = ~(becomes | gone)[owners]
    owner = owners[edges]
    new_starts, new_operands = from_edges(
        np.concatenate([owners[others], owner, owner]),
        np.concatenate([operands[others], lefts, rights]),
        len(new_codes),
    )
    new_codes[: len(codes)][becomes] = DOT
    new_codes[: len(codes)][gone] = 0
    return program.replaced(codes=new_codes, starts=new_starts, operands=new_operands, numbers=numbers)


def followed(alias: Integers) -> Integers:
    """Return where each slot leads in the end, if each leads to another one or to itself."""
    while not np.array_equal(further := alias[alias], alias):
        alias = further
    return alias


def _redirected(program: Program, alias: Integers) -> Program:
    """Make a program in which each slot is read at another one that holds the same number."""
    alias = followed(alias)
    return program.replaced(operands=alias[program.operands], outputs=alias[program.outputs])


Pass: TypeAlias = Callable[[Program], Program]
PASSES: tuple[Pass, ...] = (
    with_constants_folded,
    without_identities,
    without_repeated_functions,
    without_dead_code,
    with_sums,
    with_dot_products,
)
