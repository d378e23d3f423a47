"""Lowered programs, run by the compiled module, with each instruction set, and by the plain one.

The compiled one has the bits of the same program run one instruction after another. So has the plain one, where NumPy
computes each instruction by itself: its exp, for instance, differs from Python's in the last digit.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import math
import mmap
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest

import autograd
from autograd import Constant, Value, dot, gradients
from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs.groups import CONTIGUOUS, GATHERED, SINGLE, Code, Map, Matrix, Operand, Sum, Total
from autograd.programs.layout import lower
from autograd.programs.program import Program
from tests.random_code import chain_code, mutate_and_run, square
from tests.random_programs import (
    EACH_ENGINE,
    ENGINES,
    IN_USE,
    Engine,
    by_python,
    random_program,
    run_by,
    same,
    total_in_order,
    what_differs,
)

inf, nan = math.inf, math.nan
SIZE = 12  # numbers in each memory of the codes below
INSTRUCTION_SETS = ("baseline", "avx2", "avx512_halves", "avx512")
IS_POSIX = os.name == "posix"
COMPILED = pytest.mark.skipif("compiled" not in ENGINES, reason="the compiled engine was not built here")
SIGNALS = pytest.mark.skipif(not IS_POSIX, reason="signals are sent as on POSIX")
# Inputs are read where they are by every other instruction set, however few they are.
VARIANTS = INSTRUCTION_SETS if IN_USE == "compiled" else ("plain",)


@pytest.fixture(params=VARIANTS)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The engine in use, with each instruction set."""
    if request.param == "plain":
        yield ENGINES["plain"]
        return
    execution = ENGINES["compiled"].execution
    before = execution.instruction_set()
    execution.use_instruction_set(request.param)
    monkeypatch.setattr(execution, "LEAST_IN_PLACE", 0 if VARIANTS.index(request.param) % 2 else sys.maxsize)
    if execution.instruction_set() == request.param:
        yield ENGINES["compiled"]
    else:
        pytest.skip(f"this processor has no {request.param}, or it was not compiled")
    execution.use_instruction_set(before)


@functools.cache  # to load it takes longer than to call it
def c_library() -> ctypes.CDLL:
    """The library that this process runs with."""
    return ctypes.CDLL(None)


def guarded(numbers: Any, is_at_end: bool = True) -> Any:
    """Numbers in memory after which, or before which, nothing may be read or written."""
    numbers = np.asarray(numbers, np.float64)
    if not IS_POSIX or not numbers.size:
        return numbers.copy()
    pages, size = -(-numbers.nbytes // mmap.PAGESIZE), mmap.PAGESIZE
    block = mmap.mmap(-1, (pages + 1) * size)
    address = ctypes.addressof(ctypes.c_char.from_buffer(block)) + pages * size * is_at_end
    c_library().mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), 0)
    offset = pages * size - numbers.nbytes if is_at_end else size
    found = np.frombuffer(block, np.float64, numbers.size, offset).reshape(numbers.shape)
    found[...] = numbers
    return found


def run(engine: Engine, code: Code, lanes: int, inputs: Any, *tables: Any, exact: bool = True) -> Any:
    """The outputs of code for each example, or their totals: computed twice, with the memory that is kept, too."""
    count = len(tables[0]) if tables else 1
    schedule = engine.execution.Schedule(code, lanes, exact)
    for is_at_end in (False, True):
        results = guarded(np.full((1 if code.totals else count, len(code.outputs)), 7.0), is_at_end)
        given, rows = guarded(inputs, is_at_end), [guarded(table, is_at_end) for table in tables]
        assert schedule.run(count, given, rows, [results]) == (count, bool(np.isfinite(results).all()))
        assert same(given, inputs)
    return results


# Random programs.


def test_random_programs_are_what_their_instructions_compute(engine: Engine) -> None:
    differences = [what_differs(seed, engine) for seed in range(60)]
    assert not any(differences), differences


def test_the_reference_is_run_of_the_program() -> None:
    for seed in range(50):
        program = random_program(random.Random(seed))
        given = program.numbers[program.inputs].tolist()
        assert same(run_by(by_python, program, given), program.run(given))


def test_code_that_was_changed_is_refused_or_runs(engine: Engine) -> None:
    refused = mutate_and_run(1, 2_000, engine.execution)
    assert 1_000 < refused < 1_900


# Codes of one group: every mixture of operands.


def numbers(rng: random.Random, count: int) -> list[float]:
    return [rng.choice((0.0, -0.0, 1.0, inf, nan)) if rng.random() < 0.1 else rng.uniform(-2, 2) for _ in range(count)]


def operand_in(mode: int, varies: bool, count: int, rng: random.Random) -> Operand:
    place = rng.randrange(SIZE - count + 1)
    if mode == GATHERED:
        gathered = np.array([rng.randrange(SIZE) for _ in range(count)])
        return Operand(varies, GATHERED, int(gathered[0]), gathered)
    return Operand(varies, mode, place)


def code_of(group: Any, size: int = SIZE, varying_size: int = SIZE) -> Code:
    """The code of one group, whose inputs fill both memories, and whose results are the outputs."""
    varies, count = group.varies, group.count
    sizes = [size, varying_size]
    group.out = sizes[varies]
    sizes[varies] += count
    is_own = isinstance(group, Map) and group.primitive is not None and not group.primitive.index
    others = {group.code: group.primitive} if is_own else {}
    return Code(
        sizes[0], sizes[1], size, varying_size, {}, [] if varies else [group], [group] if varies else [], [],
        group.out + np.arange(count), np.full(count, varies), others,
    )  # fmt: skip


Reader = Callable[[Operand], Any]  # takes an operand, gives its number for each example and member


def check_group(engine: Engine, group: Any, value: Callable[[Reader], Any]) -> None:
    """Compare a group's results with a function of a reader of operands."""
    rng = random.Random(str(group))
    code = code_of(group)
    uniform, table = numbers(rng, SIZE), [numbers(rng, SIZE) for _ in range(11)]
    memories = {True: np.array(table), False: np.array([uniform] * 11)}
    with np.errstate(all="ignore"):
        wanted = value(lambda operand: memories[operand.varies][:, operand.places(group.count)])
    for lanes in (3, 16):
        assert same(wanted, run(engine, code, lanes, uniform, table)), (group, lanes)


def sum_of_products(sides: list[list[Any]]) -> Any:
    """The sum of the products of numbers of each side, from left to right."""
    total = -0.0
    for factors in zip(*sides, strict=True):
        total = total + math.prod(factors[1:], start=factors[0])
    return total


MODES = list(itertools.product((CONTIGUOUS, SINGLE, GATHERED), (False, True)))


@pytest.mark.parametrize("row", [*PRIMITIVES.values(), square], ids=lambda row: row.name)
def test_every_mixture_of_operands_in_every_primitive(engine: Engine, row: Primitive) -> None:
    rng = random.Random(row.name)
    arity = row.arity or 2
    for modes in itertools.product(MODES, repeat=arity):
        if rng.random() < (0.0, 0.5, 0.9)[arity - 1]:
            continue
        count = rng.choice((1, 2, 5, 9))
        operands = [operand_in(mode, varies, count, rng) for mode, varies in modes]
        group = Map(row, row.index or len(PRIMITIVES) + 1, 0, any(varies for _, varies in modes), count, operands)

        def value(read: Reader, operands: list[Operand] = operands) -> Any:
            columns = [read(operand) for operand in operands]
            return [
                [engine.compute(row, *xs) for xs in np.stack(each, 1).tolist()] for each in zip(*columns, strict=True)
            ]

        check_group(engine, group, value)


def test_copies_fill_the_lanes(engine: Engine) -> None:
    rng = random.Random(1)
    for mode in (CONTIGUOUS, SINGLE, GATHERED):
        operand = operand_in(mode, False, 5, rng)
        check_group(engine, Map(None, 0, 0, True, 5, [operand]), lambda read, o=operand: read(o))  # type: ignore[misc]  # of this round


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("terms", [1, 2, 3])
def test_every_mixture_of_operands_in_sums(engine: Engine, terms: int, sides: int) -> None:
    """And in dot products, where they are mixed within one side, too."""
    rng = random.Random(10 * terms + sides)
    mixtures = list(itertools.product(MODES, repeat=terms * sides))
    for modes in rng.sample(mixtures, min(len(mixtures), 150)):
        count = rng.choice((1, 3, 4, 9))
        operands = [operand_in(mode, varies, count, rng) for mode, varies in modes]
        group = Sum(operands[:terms], operands[terms:], 0, any(varies for _, varies in modes), count)

        def value(read: Reader, parts: Any = (group.terms, group.factors)[:sides]) -> Any:
            return sum_of_products([list(map(read, part)) for part in parts])

        check_group(engine, group, value)


@pytest.mark.parametrize("sides", [1, 2])
def test_sums_of_numbers_at_equal_distances(engine: Engine, sides: int) -> None:
    """Of each sum by itself, which stand anywhere; those of one side may be at no distance."""
    rng = random.Random(sides)
    for terms, count, is_irregular in itertools.product((3, 5), (2, 4, 7), (False, True)):
        parts = []
        for step in rng.choices((-2, -1, 0, 1, 2), k=sides):
            first = max(0, -step * (terms - 1))
            starts = np.array([rng.randrange(first, SIZE - max(0, step * (terms - 1))) for _ in range(count)])
            parts.append(starts[:, None] + step * np.arange(terms))
        if is_irregular:
            parts[-1] = np.array([[rng.randrange(SIZE) for _ in range(terms)] for _ in range(count)])
        terms_of, factors = (
            [Operand(False, GATHERED, int(c[0]), c.copy()) for c in part.T] for part in (*parts, parts[0])[:2]
        )
        group = Sum(terms_of, factors if sides == 2 else [], 0, False, count)

        def value(read: Reader, operands: Any = (group.terms, group.factors)[:sides]) -> Any:
            return sum_of_products([list(map(read, part)) for part in operands])

        check_group(engine, group, value)


@pytest.mark.parametrize("step", [-2, -1, 1, 2])
def test_products_of_rows_with_columns_of_their_own(engine: Engine, step: int) -> None:
    """Which are read once each; the numbers of a column stand one after another, or as far apart as those of others."""
    rng = random.Random(step)
    for terms, width, row_count, _ in itertools.product((1, 3), (1, 2, 3), (1, 2), range(2)):
        rows = np.arange(row_count)[:, None] + rng.choice((0, 1)) * np.arange(terms)
        columns = np.arange(row_count * width)[:, None] + (step * np.arange(terms) - min(0, step * (terms - 1)))
        runs = np.array([[r, r * width, width] for r in range(row_count)])
        lefts, rights = rows[np.repeat(np.arange(row_count), width)].T, columns.T

        def value(read: Reader, lefts: Any = lefts, rights: Any = rights) -> Any:
            return sum_of_products(
                [[read(Operand(False, GATHERED, 0, each)) for each in side] for side in (lefts, rights)]
            )

        check_group(engine, Matrix(rows, columns, False, runs, 0, False, row_count * width), value)


@pytest.mark.parametrize("goes_up", [False, True])
def test_products_of_rows_with_more_and_more_columns(engine: Engine, goes_up: bool) -> None:
    """Whole vectors are written, of which the next rows write over what is too much; what follows them stays."""
    generator = np.random.default_rng(1)
    for count, terms in itertools.product((1, 4, 5, 11, 24, 27), (1, 4)):
        size = count * terms * 2
        memory = generator.normal(size=size + 3)
        rows, columns = (
            np.arange(count * terms).reshape(count, terms),
            np.arange(count)[:, None] + count * np.arange(terms),
        )
        lengths = np.arange(count) + 1 if goes_up else count - np.arange(count)
        runs = np.stack([np.arange(count), np.zeros(count, int) if goes_up else count - lengths, lengths], axis=1)
        group = Matrix(rows, columns + count * terms, False, runs, 0, False, int(lengths.sum()))
        code = code_of(group, len(memory), 0)
        after = Map(
            PRIMITIVES["negate"], PRIMITIVES["negate"].index, code.uniform_size, False, 3, [Operand(False, 0, size)]
        )
        code = replace(code, uniform_size=code.uniform_size + 3, groups=[after, group])
        code.outputs, code.output_varies = group.out + np.arange(group.count + 3), np.full(group.count + 3, False)
        wanted = []
        for row, first, length in runs.tolist():
            totals = np.full(length, -0.0)
            for j in range(terms):
                totals = totals + memory[rows[row, j]] * memory[group.columns[first : first + length, j]]
            wanted += totals.tolist()
        assert run(engine, code, 0, memory).tolist() == [[*wanted, *(-memory[size:]).tolist()]]


@pytest.mark.parametrize(("rows_vary", "varies"), [(False, False), (False, True), (True, True)])
def test_products_of_matrices(engine: Engine, rows_vary: bool, varies: bool) -> None:
    rng = random.Random(2)
    for row_count, column_count, terms, is_regular, is_grid in itertools.product(
        (2, 5, 9), (1, 3, 8, 26), (1, 7), (False, True), (False, True)
    ):
        if is_regular:
            step = rng.randrange(2)
            rows = (np.arange(terms) + step * np.arange(row_count)[:, None]) % SIZE
            columns = (np.arange(terms) + np.arange(column_count)[:, None]) % SIZE
        else:
            rows = np.array([[rng.randrange(SIZE) for _ in range(terms)] for _ in range(row_count)])
            columns = np.array([[rng.randrange(SIZE) for _ in range(terms)] for _ in range(column_count)])
        runs = np.array([[r, 0, column_count] for r in range(row_count)])
        if not is_grid:
            firsts = [rng.randrange(column_count) for _ in range(row_count)]
            runs = np.array([[r, f, rng.randint(1, column_count - f)] for r, f in enumerate(firsts)])[::-1]
        places = np.array([(r, f + i) for r, f, length in runs.tolist() for i in range(length)]).T

        def value(read: Reader, lefts: Any = rows[places[0]].T, rights: Any = columns[places[1]].T) -> Any:
            sides = (rows_vary, lefts), (varies, rights)
            return sum_of_products([[read(Operand(v, GATHERED, 0, each)) for each in side] for v, side in sides])

        check_group(engine, Matrix(rows, columns, rows_vary, runs, 0, varies, places.shape[1]), value)


@pytest.mark.parametrize("step", [1, -1, 0, 3])
@pytest.mark.parametrize("varies", [False, True])
def test_long_products_of_matrices(engine: Engine, step: int, varies: bool) -> None:
    """Of many terms, which are added up in blocks; the numbers of a row are `step` apart."""
    generator = np.random.default_rng(3)
    for row_count, column_count, terms in (
        (31, 3, 64), (32, 25, 63), (33, 1, 64), (64, 24, 65), (65, 26, 128), (130, 9, 300),
    ):  # fmt: skip
        size = row_count * (3 * terms + 1) + terms
        rows = np.abs((3 * terms + 1) * np.arange(row_count)[:, None] + terms + step * np.arange(terms))
        columns = np.arange(column_count)[:, None] + column_count * np.arange(terms)
        table = generator.normal(size=(16 if varies else 1, terms * column_count))
        memory = generator.normal(size=size)
        if not varies:
            columns, memory = size + columns, np.concatenate([memory, table[0]])
        runs = np.array([[r, 0, column_count] for r in range(row_count)])
        group = Matrix(rows, columns, False, runs, 0, varies, row_count * column_count)
        code = code_of(group, len(memory), table.shape[1] * varies)
        made = run(engine, code, 16, memory, table) if varies else run(engine, code, 0, memory)
        for given, example in zip(made, table if varies else [memory], strict=True):
            wanted = np.full((row_count, column_count), -0.0)
            for j in range(terms):
                wanted = wanted + memory[rows[:, j]][:, None] * example[columns[:, j]]
            assert given.tolist() == wanted.ravel().tolist(), (row_count, column_count, terms)


@pytest.mark.parametrize("count", [1, 2, 5, 9, 30])
def test_totals(engine: Engine, count: int) -> None:
    """Of numbers, and of the products of all pairs, of which rows may stand apart; all or some are outputs."""
    rng = random.Random(count)
    for is_outer, is_apart, lanes, examples in itertools.product((False, True), (False, True), (3, 40), (1, 2, 17)):
        lefts, rights = (np.array([rng.randrange(SIZE) for _ in range(count)]) for _ in range(2))
        if is_outer:
            rights = rights[: count // 2 + 1]
            total = Total(lefts, rights, SIZE + np.arange(count) * (len(rights) + 2 * is_apart))
            pairs = [(a, b) for a in lefts for b in rights]
        else:
            total = Total(
                lefts, None, SIZE + np.array(rng.sample(range(count + 3), count) if is_apart else range(count))
            )
            pairs = [(a, None) for a in lefts]
        wanted_of = rng.sample(range(len(pairs)), rng.randint(0, len(pairs)))
        for outputs in (range(len(pairs)), wanted_of, range(len(pairs) // 2)):
            places = total.results()
            code = Code(
                int(places.max()) + 1, SIZE, SIZE, SIZE, {}, [], [], [total], places[list(outputs)],
                np.ones(len(outputs), bool),
            )  # fmt: skip
            table = [numbers(rng, SIZE) for _ in range(examples)]
            wanted = [
                total_in_order([row[a] if b is None else row[a] * row[b] for row in table])
                for a, b in [pairs[i] for i in outputs]
            ]
            assert same(wanted, run(engine, code, lanes, np.zeros(SIZE), table)[0]), (
                is_outer,
                is_apart,
                lanes,
                examples,
            )


# Batches.


def layer_program() -> tuple[Program, Any]:
    """Two layers and their gradients, some of which are of tied weights; and which inputs vary."""
    xs, w1 = [Value(0.1), Value(0.2)], [[Value(0.3 * i - 0.2 * j) for j in range(2)] for i in range(3)]
    w2, bias = [Value(0.5), Value(-0.4), Value(0.2)], Value(0.1)
    hidden = [(dot(row, xs) + bias).relu() for row in w1]
    out = dot(w2, hidden) + dot(w2, [*xs, 1.0]) * 0.5
    weights = [*itertools.chain(*w1), *w2, bias]
    loss = (out - xs[0]) * (out - xs[0])
    program = Program.of([loss, *gradients(loss, weights)], inputs=[*xs, *weights])
    return program, np.arange(len(program.inputs)) < 2


def test_every_count_of_lanes_and_examples(engine: Engine) -> None:
    program, varies = layer_program()
    table = np.random.default_rng(3).uniform(-1.0, 1.0, (70, 2))
    uniform = program.numbers[program.inputs[2:]]
    wanted = np.array([run_by(engine.compute, program, [*row, *uniform]) for row in table.tolist()])
    sums = np.add.accumulate(wanted, 0)
    each, total = lower(program, varies), lower(program, varies, totals=True)
    for lanes in (1, 3, 7, 8, 9, 16, 17, 24, 31, 64, 70):
        for count in range(1, 71) if lanes == 8 else {1, 2, lanes - 1, lanes, lanes + 1, 70} - {0, 71}:
            assert same(wanted[:count], run(engine, each, lanes, uniform, table[:count])), (lanes, count)
            assert same(sums[count - 1], run(engine, total, lanes, uniform, table[:count])[0]), (lanes, count)


@EACH_ENGINE
def test_inputs_and_outputs_may_be_cut_into_any_tables(engine: Engine) -> None:
    xs, w = [Value(0.5) for _ in range(5)], Value(2.0)
    program = Program.of([*[x * w for x in xs], w + 1.0], inputs=[*xs, w])
    table = np.arange(60.0).reshape(12, 5)
    wanted = np.hstack([table * 3.0, np.full((12, 1), 4.0)])
    varies = np.arange(6) < 5
    for cuts in ((0, 0), (0, 1), (1, 1), (2, 4), (5, 5), (1, 5)):
        tables = [np.ascontiguousarray(part) for part in np.split(table, cuts, axis=1)]
        for totals in (False, True):
            rows = 1 if totals else 11
            results = [np.full((rows, width), 7.0) for width in (cuts[0], cuts[1] - cuts[0], 0, 6 - cuts[1])]
            schedule = engine.execution.Schedule(lower(program, varies, totals), 8)
            assert schedule.run(11, np.array([3.0]), tables, results) == (11, True)  # of twelve rows
            found = np.hstack(results)
            assert (
                found[:, :5].tolist() == (wanted[:11, :5].sum(0, keepdims=True) if totals else wanted[:11, :5]).tolist()
            )
            assert (found[:, 5] == 4.0).all(), "what no example changes is no sum"


@EACH_ENGINE
def test_no_examples(engine: Engine) -> None:
    x = Value(1.0)
    program = Program.of([x * x, x.exp()], inputs=[x])
    tables, inputs = [np.empty((0, 1))], np.empty(0)
    schedule = engine.execution.Schedule(lower(program, np.array([True])), 8)
    assert schedule.run(0, inputs, tables, [np.empty((0, 2))]) == (0, True)
    schedule = engine.execution.Schedule(lower(program, np.array([True]), totals=True), 8)
    with pytest.raises(ValueError, match="there are no examples"):
        schedule.run(0, inputs, tables, [np.empty((1, 2))])


@EACH_ENGINE
def test_programs_without_inputs_or_outputs_run(engine: Engine) -> None:
    x = Value(2.0)
    for program, inputs, outputs in (
        (Program.of([Constant(3.0)], inputs=[]), [], [3.0]),
        (Program.of([], inputs=[x]), [1.0], []),
        (Program.of([x, x], inputs=[x]), [1.0], [1.0, 1.0]),
    ):
        assert run(engine, lower(program), 0, inputs).tolist() == [outputs]


def test_the_instruction_set_is_named() -> None:
    assert ENGINES["plain"].execution.instruction_set() == "numpy"
    if "compiled" in ENGINES:
        assert ENGINES["compiled"].execution.instruction_set() in INSTRUCTION_SETS


# One run, and its arrays.


def schedule_of(engine: Engine, outputs: Sequence[Value], inputs: Sequence[Value]) -> Any:
    return engine.execution.Schedule(lower(Program.of(outputs, inputs=inputs), deep=engine.deep))


def polynomial(engine: Engine) -> Any:
    x, y = Value(1.3), Value(0.7)
    return schedule_of(engine, [x * y + 1.0, x - y], [x, y])


@EACH_ENGINE
def test_one_run(engine: Engine) -> None:
    schedule = polynomial(engine)
    results = np.empty((1, 2))
    assert schedule.run(1, np.array([3.0, 4.0]), [], [results]) == (1, True)
    assert results.tolist() == [[13.0, -1.0]]
    assert schedule.call_floats((2.0, 5)) == 11.0
    assert schedule.run(1, np.array([inf, 4.0]), [], [results]) == (1, False)
    assert (schedule.lanes, len(schedule.code.outputs)) == (0, 2)


def misshapen(shape: tuple[int, ...]) -> list[Any]:
    """Arrays of a shape, or nearly so, that are not written or read as they are."""
    read_only = np.zeros(shape)
    read_only.flags.writeable = False
    wide = np.zeros((*shape[:-1], 2 * shape[-1]))[..., ::2]
    return [np.zeros(shape, int), np.zeros(shape, np.float32), np.zeros((*shape, 1)), np.zeros(()), wide, read_only]


@EACH_ENGINE
@pytest.mark.parametrize("part", ["inputs", "table", "result"])
def test_arrays_that_do_not_fit_are_refused(engine: Engine, part: str) -> None:
    x, y, w = Value(1.0), Value(2.0), Value(3.0)
    program = Program.of([x * w, y + w], inputs=[x, y, w])
    schedule = engine.execution.Schedule(lower(program, np.array([True, True, False])), 8)
    right = {"inputs": np.ones(1), "table": np.ones((3, 2)), "result": np.ones((3, 2))}
    wrong = {
        "inputs": [np.zeros(0), np.zeros(2), *misshapen((2,))[:4], misshapen((1,))[-1]],
        "table": [np.zeros((2, 2)), np.zeros((3, 1)), np.zeros((3, 3)), *misshapen((3, 2))[:-1]],
        "result": [np.zeros((2, 2)), np.zeros((4, 2)), np.zeros((3, 1)), np.zeros((3, 3)), *misshapen((3, 2))],
    }[part]
    for given in [*wrong, [1.0], None]:
        arrays = {**right, part: given}
        with pytest.raises((TypeError, ValueError) if given is None or type(given) is list else ValueError):
            schedule.run(3, arrays["inputs"], [arrays["table"]], [arrays["result"]])
    for tables, results in (([], [right["result"]]), ([right["table"]], []), ([right["table"]] * 2, [right["result"]])):
        with pytest.raises(ValueError, match=r"do not fit the program|there is (not )?room for"):
            schedule.run(3, right["inputs"], tables, results)
    with pytest.raises(ValueError, match="do not fit the program"):
        schedule.run(3, right["inputs"], [right["table"]], [right["result"]], 1)  # examples have no state
    read_only = misshapen((3, 2))[-1]
    assert schedule.run(3, right["inputs"], [read_only], [right["result"]]) == (3, True)


@EACH_ENGINE
def test_arguments_that_do_not_fit_a_call(engine: Engine) -> None:
    schedule = polynomial(engine)
    for arguments in ((), (1.0,), (1.0, 2.0, 3.0)):
        with pytest.raises(ValueError, match="arguments, not 2"):
            schedule.call_floats(arguments)
    for wrong in (("1", 2.0), (None, 2.0), (Value(1.0), 2.0)):
        with pytest.raises(TypeError):
            schedule.call_floats(wrong)
    assert schedule.call_floats((2.0, 5.0)) == 11.0
    x = Value(1.0)
    program = Program.of([x.exp()], inputs=[x])
    for code, lanes in ((lower(program, np.array([True])), 8), (lower(Program.of([], inputs=[])), 0)):
        with pytest.raises(ValueError, match="arguments, not"):
            engine.execution.Schedule(code, lanes).call_floats(())


@EACH_ENGINE
def test_code_is_checked(engine: Engine) -> None:
    x = Value(1.0)
    code = lower(Program.of([x.exp()], inputs=[x]))
    for lanes in (-1, 1025, 2**40):
        with pytest.raises(ValueError, match="at most 1024 lanes"):
            engine.execution.Schedule(code, lanes)
    code.outputs = code.outputs + 1
    with pytest.raises(ValueError, match="not well-formed code: an output is at places"):
        engine.execution.Schedule(code)


def test_a_chain_has_no_step_for_a_primitive_without_c() -> None:
    x = Value(3.0)
    code = chain_code(Program.of([square(x)], inputs=[x]))
    assert ENGINES["plain"].execution.Schedule(code).call_floats((3.0,)) == 9.0
    if "compiled" in ENGINES:
        with pytest.raises(ValueError, match="a chain has no step for the primitive"):
            ENGINES["compiled"].execution.Schedule(code)


def test_chains_compute_what_groups_compute(engine: Engine) -> None:
    has_step = ENGINES["compiled" if "compiled" in ENGINES else "plain"].execution.has_chain_step
    tried = 0
    for seed in range(200):
        program = random_program(random.Random(seed))
        if not all(map(has_step, filter(None, program.codes.tolist()))):
            continue
        tried += 1
        given = run(engine, chain_code(program), 0, program.numbers[program.inputs])
        assert same(program.run(), given[0])
    assert tried > 30


@EACH_ENGINE
def test_a_chain_that_fits_no_near_cache(engine: Engine) -> None:
    x = last = Value(0.5)
    for _ in range(35_000):
        last = last * 0.999 + x
    code = chain_code(Program.of([last], inputs=[x]))
    assert run(engine, code, 0, [0.5])[0].tolist() == [last.data]


# Inputs that are read where they are.


@EACH_ENGINE
@pytest.mark.parametrize("is_copied", [False, True])
def test_many_inputs_have_the_same_bits_and_stay_as_they_are(
    engine: Engine, is_copied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 5,000 weights the products with 50 numbers; the weights, and numbers that change them, after each step."""
    if is_copied:
        monkeypatch.setattr(engine.execution, "LEAST_IN_PLACE", 10**6, raising=False)
    generator = np.random.default_rng(1)
    given, steps = generator.normal(size=5000), generator.normal(size=(4, 50))
    w, x = [Value(0.5) for _ in given], [Value(0.5) for _ in range(50)]
    rows = [w[i : i + 50] for i in range(0, 5000, 50)]
    program = Program.of([dot(row, x) for row in rows], inputs=[*w, *x])
    wanted = np.full((4, 100), -0.0)
    for j in range(50):
        wanted = wanted + steps[:, j, None] * given[j::50]
    assert run(engine, lower(program, np.arange(5050) >= 5000), 8, given, steps).tolist() == wanted.tolist()
    changed = [weight - 0.5 * x[i % 50] for i, weight in enumerate(w)]
    program = Program.of([*changed, dot(rows[0], x), *[each.exp() for each in x]], inputs=[*w, *x])
    schedule = engine.execution.Schedule(lower(program))
    inputs, records = guarded([*given, *np.arange(50.0)]), [guarded(np.zeros((4, 1))), guarded(np.zeros((4, 50)))]
    assert schedule.run(4, inputs, [guarded(steps)], records, 5000) == (4, True)
    for step, record, exps in zip(steps, *records, strict=True):
        assert record[0] == total_in_order((given[:50] * step).tolist())
        assert exps == pytest.approx(np.exp(step), rel=1e-15)
        given = given - 0.5 * np.tile(step, 100)
    assert inputs.tolist() == [*given, *np.arange(50.0)]


# Runs in a row, which hand their state on.


def descent(engine: Engine) -> Any:
    """A step of gradient descent of (x · input − target)², with the error as a record."""
    x, given, target = Value(1.3), Value(0.7), Value(2.1)
    error = (x * given - target) ** 2
    (slope,) = gradients(error, [x])
    return schedule_of(engine, [x - 0.1 * slope, error], [x, given, target])


@EACH_ENGINE
def test_runs_hand_their_state_on(engine: Engine) -> None:
    inputs, records = np.array([0.0, 8.0, 9.0]), np.empty((20, 1))
    each = np.array([[1.0, 2.0], [2.0, 1.0]] * 10)
    assert descent(engine).run(20, inputs, [each], [records], 1) == (20, True)
    x, errors = 0.0, []
    for given, target in each.tolist():
        error = x * given - target
        errors.append(error**2)
        x = x - 0.1 * (2.0 * error * given)
    assert inputs.tolist() == [pytest.approx(x, rel=1e-14), 8.0, 9.0]
    assert records[:, 0].tolist() == pytest.approx(errors, rel=1e-14)
    kept = np.array([0.5, 1.0, 2.0])
    assert descent(engine).run(3, kept, [], [np.empty((3, 1))], 1) == (3, True)
    assert kept[1:].tolist() == [1.0, 2.0]
    before = kept.copy()
    assert descent(engine).run(0, kept, [], [np.empty((0, 1))], 1) == (0, True)
    assert kept.tolist() == before.tolist()
    assert descent(engine).run(20, np.full(3, 1e300), [each], [records], 1) == (20, False)


def test_a_state_may_be_all_inputs_in_another_order(engine: Engine) -> None:
    """Numbers are not read after what takes their place was written."""
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    for outputs in ([b, a, c], [b, c, a], [c, a, a], [b, a + b, c * 2.0], [a * b, b, a]):
        inputs, wanted = np.array([1.0, 2.0, 3.0]), (1.0, 2.0, 3.0)
        program = Program.of(outputs, inputs=[a, b, c])
        for _ in range(5):
            wanted = program.run(wanted)  # type: ignore[assignment]  # three numbers
        assert engine.execution.Schedule(lower(program)).run(5, inputs, [], [], 3) == (5, True)
        assert tuple(inputs) == wanted


@EACH_ENGINE
@pytest.mark.parametrize("kind", ["in a row", "examples", "totals"])
def test_arrays_run_if_and_only_if_their_sizes_fit(engine: Engine, kind: str) -> None:
    rng = random.Random(kind)
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    program = Program.of([b, a * c, b + c], inputs=[a, b, c])
    lanes = 0 if kind == "in a row" else 8
    code = lower(program, np.array([lanes > 0, False, False]), totals=kind == "totals")
    schedule = engine.execution.Schedule(code, lanes)
    fitted = 0

    def shapes(rows: int, width: int) -> list[tuple[int, int]]:
        """Of arrays with so many rows and columns in all, or nearly so."""
        cut = rng.randint(0, width)
        near = [rng.choice((0, 0, 0, 0, 0, 1, -1)) for _ in range(3)]
        found = [(max(rows + near[0], 0), cut), (max(rows + near[1], 0), max(width - cut + near[2], 0))]
        return found if cut or rng.random() < 0.5 else found[1:]

    for _ in range(2000):
        count, state, size = rng.randint(-1, 9), 0 if lanes else rng.randrange(5), code.inputs + (rng.random() < 0.1)
        rows = 1 if kind == "totals" else count
        tables, results = shapes(count, 1 if lanes else rng.randrange(3)), shapes(rows, max(3 - state, 0))
        width = sum(columns for _, columns in tables)
        fits = (
            count >= (kind == "totals")
            and size == code.inputs
            and (width == 1 and state == 0 if lanes else state + width <= 3)
            and all(length >= count for length, _ in tables)
            and all(length == rows for length, _ in results)
            and state + sum(columns for _, columns in results) == 3
        )
        arrays: Any = np.ones(size), list(map(np.ones, tables)), list(map(np.ones, results))
        if fits:
            assert schedule.run(count, *arrays, state) == (count, True)
            fitted += 1
        else:
            with pytest.raises((ValueError, OverflowError)):
                schedule.run(count, *arrays, state)
    assert 200 < fitted < 1800


# Interrupts.


@pytest.fixture
def alarm() -> Iterator[Callable[[type[BaseException], float], None]]:
    """Raise an error from the handler of a signal, after some seconds."""
    before = signal.getsignal(signal.SIGALRM)

    def start(error: type[BaseException], seconds: float) -> None:
        def handler(*_: object) -> None:
            raise error

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    yield start
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


Alarm = Callable[[type[BaseException], float], None]


def counting(engine: Engine) -> Any:
    """A program whose state goes up by one, and by a number that must be in step with it."""
    n, m = Value(0.0), Value(0.0)
    return schedule_of(engine, [n + 1.0, m + 2.0], [n, m])


@SIGNALS
@EACH_ENGINE
def test_an_interrupt_leaves_whole_runs(engine: Engine, alarm: Alarm) -> None:
    schedule, state = counting(engine), np.zeros(2)
    alarm(KeyboardInterrupt, 0.1)
    done, is_finite = schedule.run(10**9, state, [], [], 2)
    assert is_finite
    assert 0 < done < 10**9
    assert state.tolist() == [done, 2.0 * done]
    alarm(TimeoutError, 0.1)
    with pytest.raises(TimeoutError):
        schedule.run(10**9, state, [], [], 2)
    assert done < state[0] == state[1] / 2.0


@SIGNALS
@EACH_ENGINE
@pytest.mark.parametrize("lanes", [0, 8])
def test_an_interrupt_without_a_state_is_raised(engine: Engine, alarm: Alarm, lanes: int) -> None:
    x = [Value(0.5) for _ in range(20)]
    program = Program.of([each.exp() for each in x], inputs=x)
    schedule = engine.execution.Schedule(lower(program, np.full(20, lanes > 0)), lanes)
    count = 300_000
    table, results = np.zeros((count, 20)), np.zeros((count, 20))

    def run_often() -> None:
        for _ in range(1000):
            schedule.run(count, np.zeros(0 if lanes else 20), [table], [results])

    for error in (KeyboardInterrupt, TimeoutError):
        alarm(error, 0.01)
        with pytest.raises(error):
            run_often()
    assert schedule.run(1, np.zeros(0 if lanes else 20), [table], [results[:1]]) == (1, True)


# Primitives that only Python knows, and threads.


@EACH_ENGINE
def test_a_primitive_of_one_s_own_is_called_for_each_number(engine: Engine) -> None:
    given: list[float] = []

    def value(x: float) -> float:
        given.append(x)
        return x * x

    own = Primitive("own", value, lambda out, x: 2.0 * x)
    x, w = Value(1.0), Value(2.0)
    program = Program.of([own(x * w) + own(w)], inputs=[x, w])
    assert schedule_of(engine, [own(x * w) + own(w)], [x, w]).call_floats((3.0, 2.0)) == 40.0
    given.clear()
    schedule = engine.execution.Schedule(lower(program, np.array([True, False])), 8)
    results = np.empty((11, 1))
    schedule.run(11, np.array([2.0]), [np.arange(11.0)[:, None]], [results])
    assert results[:, 0].tolist() == [4.0 * x * x + 4.0 for x in range(11)]
    assert sorted(given) == sorted([2.0, *np.arange(0.0, 22.0, 2.0)]), "lanes that are not in use are left out"


@EACH_ENGINE
def test_its_error_is_raised_and_the_state_is_that_of_the_runs_before(engine: Engine) -> None:
    def failing(x: float) -> float:
        if x > 4.5:
            raise OSError("no more")
        return x + 1.0

    wrong = Primitive("failing", failing, lambda out, x: 1.0)
    not_a_number: Any = Primitive("wrong", lambda x: "one", lambda out, x: 1.0)
    x = Value(0.0)
    schedule = schedule_of(engine, [wrong(x)], [x])
    state = np.zeros(1)
    with pytest.raises(OSError, match="no more"):
        schedule.run(100, state, [], [], 1)
    assert state.tolist() == [5.0]
    with pytest.raises(OSError, match="no more"):
        schedule.call_floats((9.0,))
    assert schedule.call_floats((2.0,)) == 3.0
    many = engine.execution.Schedule(lower(Program.of([wrong(x)], inputs=[x]), np.array([True])), 8)
    with pytest.raises(OSError, match="no more"):
        many.run(9, np.empty(0), [np.arange(9.0)[:, None]], [np.empty((9, 1))])
    code = lower(Program.of([wrong(x)], inputs=[x]))
    code.groups[0].primitive = code.others[len(PRIMITIVES) + 1] = not_a_number  # type: ignore[union-attr]  # a Map
    with pytest.raises((TypeError, ValueError)):
        engine.execution.Schedule(code).call_floats((1.0,))


@EACH_ENGINE
def test_a_schedule_can_be_run_within_itself(engine: Engine) -> None:
    """As by a primitive that is computed by the function that it belongs to."""
    schedules: list[Any] = []

    def factorial(n: float) -> float:
        return schedules[0].call_floats((n - 1.0,)) if n > 1.0 else 1.0

    own = Primitive("factorial", factorial, lambda out, n: 1.0)
    n = Value(1.0)
    schedules.append(schedule_of(engine, [own(n) * n], [n]))
    assert [schedules[0].call_floats((float(k),)) for k in range(1, 8)] == [math.factorial(k) for k in range(1, 8)]


@EACH_ENGINE
def test_one_schedule_serves_many_threads(engine: Engine) -> None:
    """Runs of all kinds, in threads that take turns often, some of them within a primitive of Python's."""
    x, w = [Value(0.5) for _ in range(40)], Value(2.0)
    program = Program.of([*[each * w + 1.0 for each in x], square(x[0] * w)], inputs=[*x, w])
    once = engine.execution.Schedule(lower(program))
    many = engine.execution.Schedule(lower(program, np.arange(41) < 40), 8)
    wrong: list[str] = []

    def work(number: int) -> None:
        rng = np.random.default_rng(number)
        for _ in range(60):
            table, weight = rng.normal(size=(20, 40)), float(rng.normal())
            wanted = np.hstack([table * weight + 1.0, (table[:, :1] * weight) ** 2])
            results, result = np.empty((20, 41)), np.empty((1, 41))
            many.run(20, np.array([weight]), [table], [results])
            once.run(1, np.array([*table[0], weight]), [], [result])
            alone = once.call_floats((*table[0], weight))
            if not (same(wanted, results) and same(wanted[:1], result) and alone == wanted[0, 0]):
                wrong.append(f"thread {number}")

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong


def best_time(function: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.skipif(autograd.engine != "plain", reason="the nodes are those of the compiled engine")
def test_the_plain_schedule_is_much_faster_than_nodes() -> None:
    rng = random.Random(4)
    weights = [[[Value(rng.gauss(0, 0.3)) for _ in range(24)] for _ in range(24)] for _ in range(2)]
    parameters = [w for layer in weights for row in layer for w in row]

    def loss() -> Value:
        total: Value = Constant(0.0)
        for case in range(4):
            x: Sequence[Any] = [math.sin(case + i) for i in range(24)]
            for layer in weights:
                x = [sum((w * x for w, x in zip(row, x, strict=True)), start=Constant(0.0)).tanh() for row in layer]
            total = total + sum(x, start=Constant(0.0)) ** 2
        return total

    output = loss()
    schedule = schedule_of(ENGINES["plain"], [output, *gradients(output, parameters)], parameters)
    inputs, results = np.array([w.data for w in parameters]), np.empty((1, 1 + len(parameters)))
    fast = best_time(lambda: schedule.run(1, inputs, [], [results]), 10)
    slow = best_time(lambda: loss().backward(), 2)
    assert results[0, 0] == pytest.approx(output.data, rel=1e-12)
    assert slow > 20.0 * fast


# Programs that need not be exact.


@COMPILED
@pytest.mark.parametrize("examples", [1, 8, 100, 150])
def test_products_by_blas_agree_to_rounding(examples: int) -> None:
    pytest.importorskip("scipy", reason="there is no SciPy")
    generator = np.random.default_rng(examples)
    x, weights = [Value(0.5) for _ in range(70)], [[Value(0.1) for _ in range(70)] for _ in range(80)]
    outputs = [dot(row, x).tanh() for row in weights]
    parameters = [weight for row in weights for weight in row]
    program = Program.of([*outputs, *gradients(autograd.sum(outputs), parameters)], inputs=[*parameters, *x])
    code = lower(program, np.arange(len(parameters) + 70) >= len(parameters), totals=True)
    inputs, table = generator.normal(size=len(parameters)), generator.normal(size=(examples, 70))
    exact, other = (run(ENGINES["compiled"], code, 104, inputs, table, exact=exact)[0] for exact in (True, False))
    assert np.allclose(other, exact, rtol=1e-12, atol=1e-12)
    assert examples == 1 or not np.array_equal(exact, other), "BLAS adds in another order"


@COMPILED
def test_without_scipy_products_are_those_of_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    generator = np.random.default_rng(1)
    x, weights = [Value(0.5) for _ in range(70)], [[Value(0.1) for _ in range(70)] for _ in range(80)]
    program = Program.of([dot(row, x) for row in weights], inputs=[*x, *itertools.chain(*weights)])
    code = lower(program, np.arange(len(program.inputs)) < len(x))
    inputs, table = generator.normal(size=5600), generator.normal(size=(1, 70))
    exact, other = (run(ENGINES["compiled"], code, 8, inputs, table, exact=exact) for exact in (True, False))
    assert exact.tolist() == other.tolist()


@COMPILED
@pytest.mark.parametrize("name", ["exp", "tanh"])
def test_functions_that_need_not_be_exact(name: str) -> None:
    """They are within two units in the last place, the same for each instruction set, and right where they end."""
    rng = random.Random(1)
    points = [rng.uniform(-low, low) for low in (0.3, 1.0, 3.0, 20.0, 700.0) for _ in range(150)]
    points += [10.0 ** -rng.uniform(0.0, 307.0) * sign for sign in (1.0, -1.0) for _ in range(50)]
    points += [-745.0, -708.5, 709.7, 20.0, 5e-324, 0.0, -0.0]
    ends = [inf, -inf, nan, 710.0, -746.0, 1e308, -1e308]
    x = [Value(0.5) for _ in [*points, *ends]]
    code = lower(Program.of([getattr(v, name)() for v in x], inputs=x))
    execution = ENGINES["compiled"].execution
    before, made = execution.instruction_set(), []
    try:
        for widest in INSTRUCTION_SETS:
            execution.use_instruction_set(widest)
            made.append(run(ENGINES["compiled"], code, 0, [*points, *ends], exact=False)[0])
    finally:
        execution.use_instruction_set(before)
    assert len({each.tobytes() for each in made}) == 1
    with mpmath.workdps(60):
        for point, number in zip(points, made[0].tolist(), strict=False):
            exact = getattr(mpmath, name)(mpmath.mpf(point))
            assert abs(number - exact) <= 2.0 * math.ulp(float(exact)), point
    wanted = {"exp": [inf, 0.0, nan, inf, 0.0, inf, 0.0], "tanh": [1, -1, nan, 1, -1, 1, -1]}
    assert same(made[0][-7:], wanted[name])
