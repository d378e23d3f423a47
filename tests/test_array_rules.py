"""Programs on arrays: the rules of the table, reading by slices, and functions that keep no memory, here with NumPy."""

from __future__ import annotations

import itertools
import math
import random
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograd import Constant, Value, dot, exp, gradients, sum, tanh
from autograd.calculus.custom_primitives import primitive
from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs import exports
from autograd.programs.array_rules import MOST_PIECES, ArrayNumber, Arrays, Sources, loops_of
from autograd.programs.exports import ArrayFunction
from autograd.programs.layout import lower
from autograd.programs.program import Program
from tests.random_code import square
from tests.random_programs import by_numpy, random_program, rounding

inf, nan = math.inf, math.nan
ARRAYS = Arrays(np)
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e-300, -5e-324, 1e300, -750.0, 710.0, inf, -inf, nan)
# Units in the last place by which NumPy's results may differ; none where only arithmetic and choices are used.
# NumPy's documentation states 4 for its vectors of sin, cos and others.
EXACT = (
    "add subtract multiply divide negate remainder greater where maximum minimum stop_gradient abs sign floor ceil "
    "sqrt erf erfc relu leaky_relu sum prod dot"
)
MOST_UNITS = 4.0
MORE_UNITS = {"sigmoid": 8.0, "softplus": 8.0, "silu": 8.0, "gelu": 8.0}  # of several functions


def points(row: Primitive) -> list[tuple[float, ...]]:
    rng = random.Random(row.name)
    arity = row.arity or 4
    found = list(itertools.product(SPECIAL, repeat=arity)) if arity <= 2 else []
    for _ in range(2000):
        scale = 10.0 ** rng.uniform(-3, 3)
        found.append(tuple([rng.choice((rng.uniform(-scale, scale), rng.choice(SPECIAL))) for _ in range(arity)]))
    return found


def units(given: float, wanted: float) -> float:
    if given == wanted or (given != given and wanted != wanted):
        return 0.0
    if not (math.isfinite(given) and math.isfinite(wanted)):
        return inf
    return abs(given - wanted) / math.ulp(wanted)


@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=list(PRIMITIVES))
def test_values_are_those_of_floats(row: Primitive) -> None:
    operands = points(row)
    columns = [np.array(column) for column in zip(*operands, strict=True)]
    given = np.broadcast_to(ARRAYS.compute(row, *columns), len(operands)).tolist()
    bound = 0.0 if row.name in EXACT.split() else MORE_UNITS.get(row.name, MOST_UNITS)
    wrong = []
    for numbers, result in zip(operands, given, strict=True):
        wanted = row(*numbers)
        signs_agree = bound > 0.0 or wanted != 0.0 or math.copysign(1.0, wanted) == math.copysign(1.0, result)
        if units(result, wanted) > bound or not signs_agree:
            wrong.append((numbers, result, wanted))
    assert not wrong


@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=list(PRIMITIVES))
def test_slopes_run_on_arrays_too(row: Primitive) -> None:
    rng = random.Random(row.name)
    operands = [tuple([rng.uniform(0.1, 0.9) for _ in range(row.arity or 4)]) for _ in range(50)]
    if row.name == "acosh":
        operands = [(1.0 + x,) for (x,) in operands]
    outs = [row(*numbers) for numbers in operands]
    columns = [np.array(column) for column in zip(*operands, strict=True)]
    for place in range(row.arity or 4):
        slopes = ARRAYS.compute(lambda out, *xs, i=place: row.local_slopes(out, *xs)[i], np.array(outs), *columns)
        wanted = [row.local_slopes(out, *numbers)[place] for out, numbers in zip(outs, operands, strict=True)]
        assert np.broadcast_to(slopes, len(outs)).tolist() == pytest.approx(wanted, rel=1e-13, abs=1e-15)


def test_plain_numbers_stand_beside_arrays() -> None:
    x = np.array([[-1.0, 2.0], [3.0, nan]])
    assert ARRAYS.compute(PRIMITIVES["maximum"], x, 0.5).tolist()[0] == [0.5, 2.0]
    assert ARRAYS.compute(lambda x: 2.0 ** abs(-x) % 3.0 - 1.0, x).tolist()[0] == [1.0, 0.0]
    assert ARRAYS.compute(lambda x: 1.0, x) == 1.0
    assert math.isnan(ARRAYS.compute(PRIMITIVES["maximum"], x, 0.5)[1, 1])
    assert ARRAYS.compute(PRIMITIVES["hypot"], x[:1], np.zeros((3, 1))).shape == (3, 2)


def test_infinities_come_without_warnings() -> None:
    zeros = np.zeros(2)
    assert ARRAYS.compute(PRIMITIVES["divide"], 1.0, zeros).tolist() == [inf, inf]
    assert ARRAYS.compute(PRIMITIVES["log"], zeros).tolist() == [-inf, -inf]
    assert ARRAYS.compute(PRIMITIVES["exp"], zeros + 1000.0).tolist() == [inf, inf]
    assert np.isnan(ARRAYS.compute(PRIMITIVES["sqrt"], zeros - 1.0)).all()


def test_a_primitive_of_one_s_own_is_called_with_each_element() -> None:
    @primitive(lambda out, x: 2.0 * x, name="exp")  # whose name does not matter
    def square(x: float) -> float:
        assert type(x) is float
        return x * x

    assert ARRAYS.compute(square, np.array([[1.0], [3.0]])).tolist() == [[1.0], [9.0]]


def other_module() -> ModuleType:
    """A module with the interface of NumPy."""
    module = ModuleType("other")
    module.__dict__.update({name: it for name, it in vars(np).items() if not name.startswith("__")})
    return module


def test_another_module_needs_no_more_than_its_own_functions() -> None:
    arrays = Arrays(other_module())
    x = np.array([0.25, 0.5])
    assert arrays.compute(PRIMITIVES["sigmoid"], x).tolist() == ARRAYS.compute(PRIMITIVES["sigmoid"], x).tolist()
    with pytest.raises(TypeError):
        arrays.compute(PRIMITIVES["erf"], x)
    other: Any = Arrays(other_module(), erf=np.sqrt, erfc=np.square)
    assert other.compute(PRIMITIVES["erf"], x).tolist() == np.sqrt(x).tolist()
    assert other.compute(PRIMITIVES["gelu"], x).shape == (2,)
    unknown = Primitive("unknown", math.sin, lambda out, x: 1.0)
    with pytest.raises(TypeError, match="only Python knows its function, which other cannot run"):
        arrays.compute(unknown, x)


def test_an_array_number_keeps_its_array() -> None:
    number = ArrayNumber(ARRAYS, np.ones(2))
    assert (-number + 3.0).array.tolist() == [2.0, 2.0]


def test_one_element_is_computed_as_many_are() -> None:
    """The tests of execution rely on it."""
    rng = random.Random(1)
    for row in PRIMITIVES.values():
        columns = [np.array([rng.uniform(-3, 3) for _ in range(40)]) for _ in range(row.arity or 2)]
        many = np.broadcast_to(ARRAYS.compute(row, *columns), 40)
        one = [float(ARRAYS.compute(row, *[column[i : i + 1] for column in columns])[0]) for i in range(40)]
        assert np.array_equal(many, one, equal_nan=True), row
        for place in range(len(columns) if len(columns) > 1 else 0):  # one number for all in its place
            shared = [column[:1] if i == place else column for i, column in enumerate(columns)]
            full = [np.repeat(column, 40) if len(column) == 1 else column for column in shared]
            given, wanted = (np.broadcast_to(ARRAYS.compute(row, *each), 40) for each in (shared, full))
            assert np.array_equal(given, wanted, equal_nan=True), row


@pytest.mark.parametrize("exponent", [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0])
def test_powers_with_one_exponent_for_all_are_those_of_floats(exponent: float) -> None:
    """NumPy has short cuts for some exponents, of which one has other infinities."""
    rng = random.Random(exponent)
    bases = [*SPECIAL, *[rng.uniform(0.0, 100.0) for _ in range(500)]]
    for shape in ((), (1,)):
        given = ARRAYS.compute(PRIMITIVES["power"], np.array(bases), np.full(shape, exponent)).tolist()
        wanted = [PRIMITIVES["power"](base, exponent) for base in bases]
        assert max(map(units, given, wanted)) <= 1.0
        assert [math.copysign(1.0, x) for x in given if x == 0.0] == [math.copysign(1.0, x) for x in wanted if x == 0.0]


# Reading at places of several arrays.


class Counting(Arrays):
    """NumPy, and how often it reads by index."""

    def __init__(self) -> None:
        super().__init__(np)
        self.taken = 0

    def take(self, array: Any, indices: Any) -> Any:
        self.taken += 1
        assert array.ndim == 1
        assert indices.max() < len(array)
        return super().take(array, indices)


def read(places: Any, sizes: tuple[int, ...] = (1000,)) -> tuple[bool, int]:
    """Whether the numbers at places of arrays are right, and how often they were read by index."""
    counting = Counting()
    sources, arrays, start = Sources(counting, 10_000), [], 0
    for size in sizes:
        sources.put(np.arange(start, start + size))
        arrays.append(np.arange(start, start + size) * 0.5)
        start += size
    found = sources.read(np.asarray(places))(arrays)
    return found.shape == np.shape(places) and np.array_equal(found, np.asarray(places) * 0.5), counting.taken


GRID = np.arange(24).reshape(4, 6)
REGULAR: dict[str, Any] = {
    "in order": np.arange(1000),
    "one": [7],
    "one number many times": [7] * 5,
    "backwards": np.arange(20)[::-1],
    "every third": np.arange(1, 30, 3),
    "transposed": GRID.T,
    "a part": GRID[1:3, 2:5],
    "the last part": 976 + GRID[1:, 2:],
    "rows backwards": GRID[::-1],
    "columns backwards, transposed": GRID[:, ::-1].T,
    "each row many times": np.repeat(GRID[:, :1], 5, axis=1),
    "all rows many times": np.broadcast_to(GRID, (3, 4, 6)),
    "axes turned": np.arange(120).reshape(2, 3, 4, 5).transpose(2, 0, 3, 1),
    "every other of every other": np.arange(96).reshape(4, 4, 6)[::2, ::-2, ::3],
}


@pytest.mark.parametrize("places", REGULAR.values(), ids=list(REGULAR))
def test_regular_places_are_read_by_slices(places: Any) -> None:
    assert read(places) == (True, 0)


IRREGULAR: dict[str, Any] = {
    "ragged": [0, 1, 2, 4, 5, 8],
    "windows that overlap": [0, 1, 2, 1, 2, 3, 2, 3, 4],
    "any order": random.Random(1).sample(range(1000), 77),
    "too many axes": np.arange(3**7).reshape([3] * 7)[(slice(2),) * 7] % 1000,
}


@pytest.mark.parametrize("places", IRREGULAR.values(), ids=list(IRREGULAR))
def test_other_places_are_read_by_index(places: Any) -> None:
    assert read(places) == (True, 1)


def test_few_pieces_of_several_arrays_are_put_together() -> None:
    assert read(np.arange(5, 25), (10, 10, 10)) == (True, 0)
    assert read([[0, 10], [1, 11]], (10, 10)) == (True, 0)


def test_many_pieces_are_read_by_one_index() -> None:
    zipped = np.arange(4 * MOST_PIECES).reshape(2, -1).T
    assert read(zipped, (2 * MOST_PIECES, 2 * MOST_PIECES)) == (True, 1)
    assert read(zipped[::-1] + 3, (2 * MOST_PIECES + 1, 2 * MOST_PIECES + 7)) == (True, 1)


def test_random_places() -> None:
    rng = random.Random(1)
    for _ in range(300):
        sizes = tuple([rng.randint(1, 40) for _ in range(rng.randint(1, 4))])
        shape = [rng.randint(1, 4) for _ in range(rng.randint(1, 4))]
        steps = [rng.choice((0, 1, 1, 2, 3, 4, -1, -2, 6)) for _ in shape]
        places = np.tensordot(steps, np.indices(shape), 1) + rng.randint(0, 20)
        assert read(places % np.sum(sizes), sizes)[0], (sizes, shape, steps)


def test_loops_count_up_to_what_there_is() -> None:
    assert loops_of(np.array([3])) == ()
    assert loops_of(np.array([3, 3])) == ((2, 0),)
    for places in map(np.asarray, REGULAR.values()):
        loops = loops_of(places.ravel())
        assert loops is not None
        assert math.prod([count for count, _ in loops]) == places.size


def test_an_array_may_hold_more_than_what_is_read() -> None:
    sources = Sources(Arrays(np), 10)
    sources.put(np.array([5, 7]), np.array([2, 0]), 4)
    assert sources.has(np.array([7, 5]))
    assert not sources.has(np.array([5, 6]))
    assert sources.read(np.array([5, 7, 7]))([np.arange(4.0)]).tolist() == [2.0, 0.0, 0.0]


# Programs as functions of arrays.


def function_of(program: Program) -> ArrayFunction:
    sizes = [len(program.inputs), len(program.parameters)]
    return ArrayFunction(lower(program, deep=1, shares_places=False), sizes, [(len(program.outputs),)], ARRAYS)


def outputs_of(program: Program, given: Any) -> Any:
    with ARRAYS.quiet():
        return function_of(program)([np.array(given), program.numbers[program.parameters]], np.float64)[0]


def graph(count: int) -> list[Value]:
    return [Value(0.1 * i - 0.7) for i in range(count)]


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_random_programs(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(first, first + 25):
        rng = random.Random(seed)
        program = random_program(rng)
        given = [rng.uniform(-2.0, 2.0) for _ in program.inputs]
        wanted, distance = rounding(by_numpy, program, given)
        is_known = np.isfinite(wanted) & np.isfinite(distance)
        for waste in (0.0, 1.25, 1e9):  # nothing is joined but maps, as it is, everything
            monkeypatch.setattr(exports, "WASTE", waste)
            monkeypatch.setattr(exports, "SMALL", 0 if waste < 1 else 1 << 14)
            found = outputs_of(program, given)
            assert (np.abs(found[is_known] - wanted[is_known]) <= distance[is_known]).all(), seed


def attention() -> Program:
    """Sums, dot products and matrix products of all lengths up to 8, as in a causal attention; with its gradients."""
    x = graph(96)
    rows = [x[i : i + 4] for i in range(0, 96, 4)]
    queries, keys, values = rows[:8], rows[8:16], rows[16:]
    out = []
    for last, query in enumerate(queries, start=1):
        powers = [exp(dot(query, key)) for key in keys[:last]]
        total = sum(powers)
        out += [dot([power / total for power in powers], column) for column in zip(*values[:last], strict=True)]
    return Program.of([*out, *gradients(sum([tanh(one) for one in out]), x)], inputs=x)


def test_ragged_groups_become_few_steps() -> None:
    program = attention()
    given = program.numbers[program.inputs]
    found = outputs_of(program, given)
    assert found.tolist() == pytest.approx(program.run(), rel=1e-12, abs=1e-14)
    steps, groups = len(function_of(program).steps), len(lower(program, deep=1, shares_places=False).groups)
    assert steps < 0.7 * groups


def test_products_that_are_not_full_or_of_different_sizes() -> None:
    """A grid with holes, ranges of columns that grow from row to row, and a small layer beside a large one."""
    x = graph(168)
    rows = [x[i : i + 4] for i in range(0, 168, 4)]
    holes = [dot(rows[i], rows[10 + j]) for i in range(10) for j in range(4) if (i, j) not in ((0, 0), (9, 3), (5, 1))]
    ranges = [dot(rows[3 * i + k], rows[20 + 6 * k + j]) for i in range(4) for k in range(3) for j in range(3 + i)]
    layers = [dot(x[i : i + size], x[-size:]) for size in (4, 12) for i in range(0, size * size, size)]
    for outputs in (holes, ranges, layers, [*holes, *ranges, *layers]):
        program = Program.of(outputs, inputs=x)
        found = outputs_of(program, program.numbers[program.inputs])
        assert found.tolist() == pytest.approx(program.run(), rel=1e-12, abs=1e-12)


def test_outputs_may_be_inputs_constants_and_repeated() -> None:
    x, y = Value(2.0), Value(3.0)
    program = Program.of([x, Constant(5.0), x, x * y, Constant(5.0)], inputs=[x, y])
    assert outputs_of(program, [2.0, 3.0]).tolist() == [2.0, 5.0, 2.0, 6.0, 5.0]


def test_outputs_have_the_shapes_that_are_asked_for() -> None:
    x = graph(6)
    program = Program.of([one * 2.0 for one in x], inputs=x)
    function = ArrayFunction(lower(program, deep=1, shares_places=False), [2, 4], [(), (2, 2), (0,), (1,)], ARRAYS)
    one, matrix, none, last = function([np.arange(2.0), np.arange(4.0)], np.float64)
    assert (one.shape, matrix.shape, none.shape, last.shape) == ((), (2, 2), (0,), (1,))
    assert matrix.tolist() == [[2.0, 0.0], [2.0, 4.0]]


def test_everything_has_the_type_that_is_asked_for() -> None:
    program = attention()
    function = ArrayFunction(lower(program, deep=1, shares_places=False), [96], [(len(program.outputs),)], ARRAYS)
    (found,) = function([program.numbers[program.inputs].astype(np.float32)], np.float32)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx(program.run(), rel=1e-4, abs=1e-4)


def test_a_primitive_of_one_s_own_is_refused_where_only_numpy_could_call_it() -> None:
    x = Value(3.0)
    program = Program.of([square(x)], inputs=[x])
    assert outputs_of(program, [4.0]).tolist() == [16.0]
    with pytest.raises(TypeError, match=r"square.* is not in the table of primitives.*; compose it of primitives"):
        ArrayFunction(lower(program, deep=1, shares_places=False), [1], [(1,)], Arrays(other_module()))
