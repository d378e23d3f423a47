"""Programs as functions of arrays for other libraries: `Program.to_jax`.

Values and slopes are the rules of the table, run on arrays of JAX. Each primitive is given to JAX together with its
slopes, so `jax.grad` gives the gradients of this package, also at kinks and poles, and derivatives of any order.

Groups are made for loops in C, which read memory in order. A function of arrays takes about a microsecond before it
computes anything. So groups of one kind that do not read each other are joined to one step, also where their sums have
different numbers of terms: a zero takes the place of each term that is missing.

>>> from autograd import Value, dot
>>> from autograd.programs.program import Program
>>> w, x = [Value(1.0) for _ in range(6)], [Value(1.0) for _ in range(2)]
>>> program = Program.of([dot(w[i : i + 2], x) for i in (0, 2, 4)], inputs=[*w, *x])
>>> layer = ArrayFunction(lower(program, deep=1, shares_places=False), [6, 2], [(3,)], Arrays(np))
>>> layer([np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.array([1.0, 10.0])], np.float64)
[array([21., 43., 65.])]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd.primitives import Primitive, stop_gradient
from autograd.programs.array_rules import ArrayNumber, Arrays, Function, Reading, Sources
from autograd.programs.groups import Code, Group, Map, Matrix, Sum, blocks_of
from autograd.programs.layout import lower, plan_of, spread
from autograd.programs.passes import PASSES, without_identities
from autograd.programs.recorded_loops import RecordedLoop, slots_of
from autograd.trees import Structure, array_structure, container, leaves_of, misfit, unflatten

if TYPE_CHECKING:
    from autograd.programs.groups import Integers
    from autograd.programs.program import Program

SMALL = 1 << 14  # multiplications that take about as long as a function of arrays that computes nothing
WASTE = 1.25  # how much more work it may become when groups are joined, if it is not small
# Those of a program that is run; but stop_gradient stays, since JAX may differentiate the program.
DIFFERENTIABLE = [
    partial(without_identities, keeps_stops=True) if each is without_identities else each for each in PASSES
]


def to_jax(program: Program) -> Callable[..., Any]:
    """Make a function on arrays of JAX of a program, as `Program.to_jax` says."""
    try:
        import jax
    except ImportError as error:
        raise ImportError(
            "to_jax() needs JAX, which is not installed here; get it with pip install 'stepgrad[jax]'"
        ) from error
    call, result = _structures_of(program)
    shapes = call.shapes
    positional, named = call.parts
    expected = list(shapes)
    has_parameters = len(program.parameters) > 0  # the first argument, but the last inputs of the code
    if has_parameters:
        shapes.append(shapes.pop(0))
    # Each array is read as it is, and numbers that follow each other as one array.
    pieces = [list(members) for _, members in groupby(range(len(shapes)), lambda i: i if shapes[i] else None)]
    sizes = [sum(math.prod(shapes[i]) for i in piece) for piece in pieces]
    if slots_of(program, RecordedLoop).any():
        raise TypeError(
            "a program with loops is not exported to JAX: export what a round computes, and write the loop around it "
            "with jax.lax.scan or jax.lax.fori_loop"
        )
    code = lower(program, passes=DIFFERENTIABLE, deep=1, shares_places=False)
    compute = ArrayFunction(code, sizes, result.shapes, JaxArrays())

    def run(leaves: Sequence[Any]) -> list[Any]:
        dtype = jax.numpy.result_type(float, *leaves)
        if not jax.numpy.issubdtype(dtype, jax.numpy.floating):
            raise TypeError(f"expected real numbers, got numbers of the type {dtype}")
        flat = [jax.numpy.asarray(leaf, dtype).reshape(-1) for leaf in leaves]
        return compute([jax.numpy.concatenate([flat[i] for i in piece]) for piece in pieces], dtype)

    compiled = jax.jit(run)

    def function(*arguments: Any, **keywords: Any) -> Any:
        if len(arguments) != len(positional.entries) or set(keywords) != set(named.keys or ()):
            given = [f"{len(arguments)} argument{'s' if len(arguments) != 1 else ''}", *keywords]
            raise TypeError(f"this program takes {_described(call)}; got {', '.join(given)}")
        leaves = leaves_of(call, (arguments, keywords))
        for leaf, wanted in zip(leaves, expected, strict=True):
            if leaf is None or isinstance(leaf, str | list | tuple | dict) or getattr(leaf, "shape", ()) != wanted:
                raise misfit(f"an array of shape {wanted}" if wanted else "a number", leaf)
        if has_parameters:
            leaves.append(leaves.pop(0))
        return unflatten(result, compiled(leaves))

    function.__doc__ = f"A program of stepgrad that takes {_described(call)}, and gives {result}."
    return function


class JaxArrays(Arrays):
    """What `jax.numpy` calls the primitives, each of which JAX differentiates by the slopes of the table."""

    def __init__(self) -> None:
        import jax
        from jax.scipy.special import erf, erfc

        super().__init__(jax.numpy, erf=erf, erfc=erfc, stop_gradient=jax.lax.stop_gradient)

    def take(self, array: Any, indices: Any) -> Any:
        """Return the numbers of an array at some indices, which JAX need not check."""
        return array.at[indices].get(mode="promise_in_bounds")

    def function(self, primitive: Primitive) -> Function:
        """Return the function of arrays that computes a primitive, with its derivative.

        Raises:
            TypeError: if it is not in the table.
        """
        known = super().function(primitive)
        if known is not None and primitive is stop_gradient:
            return known
        value: Function = known or partial(self.compute, primitive.value)
        return lambda *operands: self._differentiable(primitive, value, operands)

    def _differentiable(self, primitive: Primitive, value: Function, operands: tuple[Any, ...]) -> Any:
        """Return the value at some operands; JAX is told the slopes by those that are no plain floats."""
        import jax
        from jax.custom_derivatives import SymbolicZero

        places = [place for place, operand in enumerate(operands) if type(operand) is not float]

        def filled(arrays: Sequence[Any]) -> list[Any]:
            """Return all operands."""
            found = dict(zip(places, arrays, strict=True))
            return [found.get(place, operand) for place, operand in enumerate(operands)]

        function = jax.custom_jvp(lambda *arrays: value(*filled(arrays)))

        def push(arrays: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
            out = function(*arrays)
            moving = {place: t for place, t in zip(places, tangents, strict=True) if not isinstance(t, SymbolicZero)}
            numbers = [each if type(each) is float else ArrayNumber(self, each) for each in (out, *filled(arrays))]
            slopes = primitive.some_slopes(list(moving), *numbers)
            plain = [slope.array if isinstance(slope, ArrayNumber) else slope for slope in slopes]
            total = sum(slope * tangent for slope, tangent in zip(plain, moving.values(), strict=True))
            return out, self.module.broadcast_to(self.module.asarray(total, out.dtype), out.shape)

        function.defjvp(push, symbolic_zeros=True)
        return function(*[operands[place] for place in places])


def _structures_of(program: Program) -> tuple[Structure, Structure]:
    """Return the structures of the arguments, those for the parameters included, and of the result."""
    if program.structures is not None:
        call, result = program.structures
        positional, named = call.parts[0].entries, call.parts[1]
    else:
        positional, named = _arrays(program.inputs), container(dict, (), ())
        result = array_structure(program.outputs.shape)
    return container(tuple, [container(tuple, [*_arrays(program.parameters), *positional]), named]), result


def _arrays(slots: Integers) -> tuple[Structure, ...]:
    """Return the structure of an array of numbers for slots, if there are any."""
    return (array_structure(slots.shape),) if len(slots) else ()


def _described(call: Structure) -> str:
    """Return the arguments in words."""
    positional, named = call.parts
    parts = [*map(str, positional.entries), *map("{}={}".format, named.keys or (), named.parts)]
    return ", ".join(parts) or "no arguments"


class ArrayFunction:
    """A lowered program as a function of arrays.

    Args:
        code: the program: without a tape, without numbers that vary over the examples of a batch, and with a place for
            each number.
        inputs: how many numbers each array of inputs holds. Together they are the inputs of the program.
        outputs: the shape of each array of outputs. Together they are the outputs of the program.
        arrays: what runs the rules of the table on arrays.

    Raises:
        TypeError: if the program has a primitive that the module of the arrays cannot compute.
    """

    def __init__(self, code: Code, inputs: Sequence[int], outputs: Sequence[tuple[int, ...]], arrays: Arrays) -> None:
        self.zero = code.uniform_size  # the place of the number that is read where terms are missing
        self.arrays, self.sources = arrays, Sources(arrays, self.zero + 1)
        start = 0
        for size in inputs:
            self.sources.put(np.arange(start, start + size))
            start += size
        self.constants = {**code.constants, self.zero: 0.0}
        self.sources.put(np.array(list(self.constants)))
        self.steps = [self._step(groups) for groups in self._joined(code.groups)]
        self.results, start = [], 0
        for shape in outputs:
            end = start + math.prod(shape)
            self.results.append(self.sources.read(np.asarray(code.outputs)[start:end].reshape(shape)))
            start = end

    def __call__(self, inputs: Sequence[Any], dtype: Any) -> list[Any]:
        """Compute the arrays of outputs.

        Args:
            inputs: the arrays of inputs, of one dimension.
            dtype: the type of their numbers, in which everything is computed.
        """
        as_array = self.arrays.module.asarray
        arrays = [*inputs, as_array(np.array(list(self.constants.values())), dtype)]
        for step in self.steps:
            arrays.append(as_array(step(arrays), dtype))
        return [read(arrays) for read in self.results]

    def _joined(self, groups: Sequence[Group]) -> Iterator[list[Any]]:
        """Yield lists of groups that follow each other, and are computed together."""
        joined: list[Any] = []
        for group in map(_as_product, groups):
            if joined and not self._fits(group, joined):
                yield joined
                joined = []
            joined.append(group)
        if joined:
            yield joined

    def _fits(self, group: Group, joined: list[Any]) -> bool:
        """Return whether a group can be computed together with others: it is of their kind, and does not read them."""
        first = joined[0]
        is_of_their_kind = isinstance(group, Matrix if isinstance(first, Matrix) else type(first))
        if not is_of_their_kind or not all(self.sources.has(places) for _, places in group.reads()):
            return False
        if isinstance(first, Map):
            return isinstance(group, Map) and (group.code, len(group.operands)) == (first.code, len(first.operands))
        if isinstance(first, Sum) and isinstance(group, Sum) and bool(first.factors) != bool(group.factors):
            return False
        together = [*joined, group]
        if isinstance(group, Matrix):
            work = _Products.of(together, self.zero).work()
        else:
            work = max(map(_terms, together)) * sum(each.count for each in together)
        return work <= SMALL or work <= WASTE * sum(_terms(each) * each.count for each in together)

    def _step(self, groups: list[Any]) -> Reading:
        """Return what computes groups of one kind; from then on, they can be read."""
        if isinstance(groups[0], Matrix):
            return self._products(_Products.of(groups, self.zero))
        step = self._map(groups) if isinstance(groups[0], Map) else self._sums(groups)
        self.sources.put(np.concatenate([group.results() for group in groups]))
        return step

    def _map(self, groups: list[Map]) -> Reading:
        primitive, count, module = groups[0].primitive, sum(group.count for group in groups), self.arrays.module
        assert primitive is not None, "no number varies over examples"
        self.arrays.function(primitive)  # it may refuse
        compute = partial(self.arrays.compute, primitive)
        operands = [
            self._operand(np.concatenate([group.operands[i].places(group.count) for group in groups]))
            for i in range(len(groups[0].operands))
        ]
        return lambda arrays: module.broadcast_to(compute(*[operand(arrays) for operand in operands]), (count,))

    def _operand(self, places: Integers) -> Reading:
        """Return what reads an operand of a map: one number is read once, and a constant as a float."""
        if (places != places[0]).any():
            return self.sources.read(places)
        number = self.constants.get(int(places[0]))
        return self.sources.read(places[:1]) if number is None else lambda arrays: number

    def _sums(self, groups: Sequence[Sum]) -> Reading:
        """Return what computes sums; it reads a row for each term, with a column for each result."""
        most, count = max(_terms(group) for group in groups), sum(group.count for group in groups)
        reads = []
        for side in zip(*[group.places() for group in groups], strict=True):
            places, start = np.full((most, count), self.zero), 0
            for group, rows in zip(groups, side, strict=True):
                places[: len(rows), start : start + group.count] = rows
                start += group.count
            reads.append(self.sources.read(places))
        return lambda arrays: math.prod([read(arrays) for read in reads]).sum(0)

    def _products(self, products: _Products) -> Reading:
        size = products.size()
        self.sources.put(products.places, products.indices, size)
        rows, columns = self.sources.read(products.rows), self.sources.read(products.columns)
        multiply = partial(self.arrays.module.einsum, "prt,pct->prc")
        return lambda arrays: multiply(rows(arrays), columns(arrays)).reshape(size)


@dataclass
class _Product(Matrix):
    """A matrix product whose results do not stand in the order of their places.

    Attributes:
        order: for each result, which of the places from `out` on it has.
    """

    order: Integers


def _as_product(group: Group) -> Group:
    """Return a group; as a matrix product, if it is one of dot products that share many of their factors.

    A loop in C may be faster without it, since it has to copy rows or columns together first.
    """
    if isinstance(group, Sum) and group.factors:
        lefts, rights = (places.T for places in group.places())
        plan = plan_of(lefts, rights, is_packed=False)
        if plan.is_worth_it():
            order, rows, columns, runs = plan
            return _Product(rows, columns, False, runs, group.out, False, group.count, order)
    return group


class _Part(NamedTuple):
    """A part of a matrix product: some runs of results, as rows and columns that hold all of them.

    Attributes:
        group: the matrix product.
        runs: the indices of the runs.
        rows: the rows that they have.
        row: for each run, which of these it has.
        first, end: the columns that they have.
    """

    group: Matrix
    runs: Integers
    rows: Integers
    row: Integers
    first: int
    end: int

    @classmethod
    def of(cls, group: Matrix, runs: Integers) -> _Part:
        """Return the part of some runs."""
        rows, row = np.unique(group.runs[runs, 0], return_inverse=True)
        _, firsts, lengths = group.runs[runs].T
        return cls(group, runs, rows, row.reshape(-1), int(firsts.min()), int((firsts + lengths).max()))


class _Products(NamedTuple):
    """Matrix products side by side, all of one size: each row with each column.

    Attributes:
        rows, columns: the places of the factors, by product, by row or column, and by term.
        places: the places of the results that are wanted.
        indices: where each of these is among all results.
    """

    rows: Integers
    columns: Integers
    places: Integers
    indices: Integers

    @classmethod
    def of(cls, groups: Sequence[Matrix], zero: int) -> _Products:
        """Return the products of some groups, in parts that take the least work; of those in the fewest parts.

        Args:
            groups: the groups.
            zero: the place of a zero, for what is missing in a part.
        """
        ways = [[_Part.of(group, runs) for group in groups for runs in cut(group.runs)] for cut in CUTS]
        parts = min(ways, key=lambda parts: (len(parts) * math.prod(_sizes(parts)), len(parts)))
        row_count, column_count, terms = _sizes(parts)
        rows = np.full((len(parts), row_count, terms), zero)
        columns = np.full((len(parts), column_count, terms), zero)
        places, indices = [], []
        for number, (group, runs, members, row, first, end) in enumerate(parts):
            rows[number, : len(members), : _terms(group)] = group.rows[members]
            columns[number, : end - first, : _terms(group)] = group.columns[first:end]
            lengths = group.runs[:, 2]
            order = group.order if isinstance(group, _Product) else np.arange(group.count)
            places.append(group.out + order[spread((np.cumsum(lengths) - lengths)[runs], lengths[runs])])
            starts = (number * row_count + row) * column_count + group.runs[runs, 1] - first
            indices.append(spread(starts, lengths[runs]))
        return cls(rows, columns, np.concatenate(places), np.concatenate(indices))

    def size(self) -> int:
        """Return how many results there are."""
        count, row_count, _ = self.rows.shape
        return int(count * row_count * self.columns.shape[1])

    def work(self) -> int:
        """Return how many multiplications they take."""
        return self.size() * int(self.rows.shape[2])


def _whole(runs: Integers) -> list[Integers]:
    """Return all runs together."""
    return [np.arange(len(runs))]


def _by_columns(runs: Integers) -> list[Integers]:
    """Return parts of which none shares a column with another one."""
    order = np.argsort(runs[:, 1], kind="stable")
    ends = np.maximum.accumulate(runs[order, 1] + runs[order, 2])
    return np.split(order, np.flatnonzero(runs[order[1:], 1] >= ends[:-1]) + 1)


def _by_blocks(runs: Integers) -> list[Integers]:
    """Return the runs that have the same columns as parts."""
    return [np.arange(start, start + count) for start, count, _, _ in blocks_of(runs)]


CUTS = (_whole, _by_columns, _by_blocks)


def _sizes(parts: Sequence[_Part]) -> tuple[int, int, int]:
    """Return how many rows, columns and terms parts have at most."""
    rows, columns = max(len(part.rows) for part in parts), max(part.end - part.first for part in parts)
    return rows, columns, max(_terms(part.group) for part in parts)


def _terms(group: Sum | Matrix) -> int:
    """Return how many terms each result of a group has."""
    return int(group.rows.shape[1]) if isinstance(group, Matrix) else len(group.terms)
