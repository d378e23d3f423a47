"""Lowered programs, run by the compiled module and by the plain one.

The compiled one has the bits of the same program run one instruction after another. So has the plain one, where NumPy
computes each instruction by itself: its exp, for instance, differs from Python's in the last digit.
"""

from __future__ import annotations

import itertools
import math
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest

import autograd
from autograd import Constant, Value, dot, gradients
from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs.groups import (
    CONTIGUOUS,
    GATHERED,
    SINGLE,
    Code,
    Dots,
    Map,
    Matrix,
    Operand,
    OuterTotals,
    Sum,
    Totals,
)
from autograd.programs.lowering import lower
from autograd.programs.program import Program
from tests.random_code import mutate_and_run, square, tape_code
from tests.random_programs import (
    EACH_ENGINE,
    ENGINES,
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
ONE, TWO, THREE = 1.3, 0.7, 2.1
NONE = np.empty((0, 0))


# Random programs.


@EACH_ENGINE
@pytest.mark.parametrize("first", range(0, 100, 25))
def test_random_programs_are_what_their_instructions_compute(engine: Engine, first: int) -> None:
    differences = [what_differs(seed, engine) for seed in range(first, first + 25)]
    assert not any(differences), differences


def test_the_reference_is_run_of_the_program() -> None:
    for seed in range(50):
        program = random_program(random.Random(seed))
        given = [program.numbers[slot] for slot in program.inputs]
        assert same(run_by(by_python, program, given), program.run(given))


@pytest.mark.skipif(len(ENGINES) < 2, reason="the compiled engine was not built here")
def test_both_modules_say_the_same_of_slots() -> None:
    for seed in range(50):
        program = random_program(random.Random(seed))
        size = len(program)
        starts, operands = np.array(program.starts, np.int64), np.array(program.operands, np.int64)
        codes = np.array([0 if primitive is None else primitive.index for primitive in program.primitives])
        varies = np.array([slot in program.inputs[::2] for slot in range(size)])
        outputs = np.array(program.outputs)
        plain, compiled = (
            engine.running.analyse(codes, starts, operands, outputs, varies) for engine in ENGINES.values()
        )
        assert all(map(np.array_equal, plain, compiled))


@EACH_ENGINE
@pytest.mark.parametrize("part", ["starts", "operands", "outputs", "varies"])
def test_slots_that_are_not_there_are_refused(engine: Engine, part: str) -> None:
    given = {
        "codes": np.array([0, 9]),
        "starts": np.array([0, 0, 1]),
        "operands": np.array([0]),
        "outputs": np.array([1]),
        "varies": np.zeros(2, bool),
    }
    assert engine.running.analyse(**given)[0].tolist() == [0, 1]
    for wrong in (-1, 3):
        broken = (
            np.zeros(7, bool) if part == "varies" else np.where(np.arange(len(given[part])) == 0, wrong, given[part])
        )
        with pytest.raises(ValueError, match="not within their slots"):
            engine.running.analyse(**{**given, part: broken})


# Codes of one group: every mixture of operands.


def numbers(rng: random.Random, count: int) -> list[float]:
    return [rng.choice((0.0, -0.0, 1.0, inf, nan)) if rng.random() < 0.1 else rng.uniform(-2, 2) for _ in range(count)]


def operand_in(mode: int, varies: bool, count: int, rng: random.Random) -> Operand:
    place = rng.randrange(SIZE - count + 1)
    if mode == GATHERED:
        gathered = np.array([rng.randrange(SIZE) for _ in range(count)])
        return Operand(varies, GATHERED, int(gathered[0]), gathered)
    return Operand(varies, mode, place)


def code_of(group: Any) -> Code:
    """The code of one group, whose inputs fill both memories, and whose results are the outputs."""
    varies, count = group.varies, group.count
    sizes = [SIZE, SIZE]
    sizes[varies] += count
    group.out = SIZE
    others = (
        {group.code: group.primitive}
        if isinstance(group, Map) and group.primitive and not group.primitive.index
        else {}
    )
    return Code(
        sizes[0], sizes[1], SIZE, SIZE, {}, [] if varies else [group], [group] if varies else [], [],
        SIZE + np.arange(count), np.full(count, varies), others,
    )  # fmt: skip


def results(
    engine: Engine, code: Code, uniform: list[float], table: list[list[float]], lanes: int
) -> list[list[float]]:
    """The outputs of code for each example."""
    runner = engine.running.Runner(code, lanes)
    outputs = np.empty((len(table), len(code.outputs)))
    runner.batch(np.array(uniform), [np.array(table)], None, outputs)
    return outputs.tolist()


def check_group(engine: Engine, group: Any, value: Callable[[Callable[[Operand, int], float], int], float]) -> None:
    """Compare a group's results with a function of a reader of operands and the member."""
    rng = random.Random(str(group))
    code = code_of(group)
    uniform = numbers(rng, SIZE)
    table = [numbers(rng, SIZE) for _ in range(11)]
    wanted = []
    for row in table:
        places = {True: row, False: uniform}

        def read(operand: Operand, member: int, places: dict[bool, list[float]] = places) -> float:
            is_one = operand.mode == SINGLE
            return places[operand.varies][operand.place if is_one else int(operand.places(group.count)[member])]

        wanted.append([value(read, member) for member in range(group.count)])
    for lanes in (1, 3, 8, 16):
        assert same(wanted, results(engine, code, uniform, table, lanes)), (group, lanes)


MODES = list(itertools.product((CONTIGUOUS, SINGLE, GATHERED), (False, True)))


@EACH_ENGINE
@pytest.mark.parametrize("row", [*PRIMITIVES.values(), square], ids=lambda row: row.name)
def test_every_mixture_of_operands_in_every_primitive(engine: Engine, row: Primitive) -> None:
    rng = random.Random(row.name)
    arity = row.arity or 2
    for modes in itertools.product(MODES, repeat=arity):
        if arity == 3 and rng.random() < 0.6:
            continue
        count = rng.choice((1, 2, 5, 9))
        operands = [operand_in(mode, varies, count, rng) for mode, varies in modes]
        varies = any(varies for _, varies in modes)
        group = Map(row, row.index or len(PRIMITIVES) + 1, SIZE, varies, count, operands)
        check_group(
            engine,
            group,
            lambda read, member, operands=operands: engine.compute(  # type: ignore[misc]  # of this round
                row, *[read(operand, member) for operand in operands]
            ),
        )


@EACH_ENGINE
def test_copies_fill_the_lanes(engine: Engine) -> None:
    rng = random.Random(1)
    for mode in (CONTIGUOUS, SINGLE, GATHERED):
        operand = operand_in(mode, False, 5, rng)
        check_group(engine, Map(None, 0, SIZE, True, 5, [operand]), lambda read, member, o=operand: read(o, member))  # type: ignore[misc]  # of this round


@EACH_ENGINE
@pytest.mark.parametrize("terms", [1, 2, 3])
def test_every_mixture_of_operands_in_sums(engine: Engine, terms: int) -> None:
    rng = random.Random(terms)
    for modes in itertools.product(MODES, repeat=terms):
        count = rng.choice((1, 3, 4, 9))
        operands = [operand_in(mode, varies, count, rng) for mode, varies in modes]
        check_group(
            engine,
            Sum(operands, SIZE, any(varies for _, varies in modes), count),
            lambda read, member, operands=operands: total_in_order([read(o, member) for o in operands]),  # type: ignore[misc]  # of this round
        )


@EACH_ENGINE
@pytest.mark.parametrize("terms", [1, 2])
def test_every_mixture_of_operands_in_dot_products(engine: Engine, terms: int) -> None:
    """Also mixed within one side."""
    rng = random.Random(terms)
    for modes in itertools.product(MODES, repeat=2 * terms):
        if terms == 2 and rng.random() < 0.6:
            continue
        count = rng.choice((1, 3, 4, 9))
        operands = [operand_in(mode, varies, count, rng) for mode, varies in modes]
        check_group(
            engine,
            Dots(operands[:terms], operands[terms:], SIZE, any(varies for _, varies in modes), count),
            lambda read, member, operands=operands: total_in_order(  # type: ignore[misc]  # of this round
                [read(a, member) * read(b, member) for a, b in zip(operands[:terms], operands[terms:], strict=True)]
            ),
        )


@EACH_ENGINE
@pytest.mark.parametrize(("rows_vary", "varies"), [(False, False), (False, True), (True, True)])
def test_products_of_matrices(engine: Engine, rows_vary: bool, varies: bool) -> None:
    rng = random.Random(2)
    for row_count, column_count, terms, is_regular, is_grid in itertools.product(
        (1, 2, 5, 9), (1, 3, 8, 26), (1, 2, 7), (False, True), (False, True)
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
        members = [(r, f + i) for r, f, length in runs.tolist() for i in range(length)]

        def value(
            read: Callable[[Operand, int], float],
            member: int,
            members: list[tuple[int, int]] = members,
            rows: Any = rows,
            columns: Any = columns,
        ) -> float:
            r, c = members[member]
            left = [read(Operand(rows_vary, SINGLE, int(place)), 0) for place in rows[r]]
            right = [read(Operand(varies, SINGLE, int(place)), 0) for place in columns[c]]
            return total_in_order([a * b for a, b in zip(left, right, strict=True)])

        check_group(engine, Matrix(rows, columns, rows_vary, varies, runs, SIZE, varies, len(members)), value)


@EACH_ENGINE
@pytest.mark.parametrize("step", [1, -1, 0, 3])
@pytest.mark.parametrize("varies", [False, True])
def test_long_products_of_matrices(engine: Engine, step: int, varies: bool) -> None:
    """Of many terms, which are added up in blocks; the numbers of a row are `step` apart."""
    generator = np.random.default_rng(3)
    for row_count, column_count, terms in (
        (31, 3, 64),
        (32, 25, 63),
        (33, 1, 64),
        (64, 24, 65),
        (65, 26, 128),
        (130, 9, 300),
    ):
        size = row_count * (3 * terms + 1) + terms * column_count
        memory = generator.normal(size=size)
        rows = (3 * terms + 1) * np.arange(row_count)[:, None] + terms + step * np.arange(terms)
        rows = np.abs(rows)
        columns = row_count * (3 * terms + 1) + np.arange(column_count)[:, None] + column_count * np.arange(terms)
        if varies:
            columns -= row_count * (3 * terms + 1)
        runs = np.array([[r, 0, column_count] for r in range(row_count)])
        count = row_count * column_count
        lanes = 16 if varies else 0
        table = generator.normal(size=(lanes, terms * column_count))
        group = Matrix(rows, columns, False, varies, runs, terms * column_count if varies else size, varies, count)
        code = Code(
            size + count * (not varies), (terms * column_count + count) * varies, size, terms * column_count * varies,
            {}, [group] * (not varies), [group] * varies, [], group.out + np.arange(count), np.full(count, varies),
        )  # fmt: skip
        runner = engine.running.Runner(code, lanes)
        outputs = np.empty((lanes or 1, count))
        if varies:
            runner.batch(memory, [table], None, outputs)
        else:
            runner.call(memory, outputs[0])
        for made, example in zip(outputs, table if varies else [memory], strict=True):
            wanted = np.full((row_count, column_count), -0.0)
            for j in range(terms):
                wanted = wanted + memory[rows[:, j]][:, None] * example[columns[:, j]]
            assert made.tolist() == wanted.ravel().tolist(), (row_count, column_count, terms)


@EACH_ENGINE
@pytest.mark.parametrize("count", [1, 2, 5, 9, 30])
def test_totals(engine: Engine, count: int) -> None:
    """Of numbers, and of the products of all pairs; also where a number is a factor of itself."""
    rng = random.Random(count)
    for kind, lanes, examples in itertools.product(("plain", "outer"), (1, 3, 8, 40), (1, 2, 17)):
        lefts, rights = (np.array([rng.randrange(SIZE) for _ in range(count)]) for _ in range(2))
        total: Any
        if kind == "outer":
            rights = rights[: count // 2 + 1]
            total = OuterTotals(lefts, rights, SIZE, len(rights) + rng.randrange(3))
            pairs = [(a, b) for a in lefts for b in rights]
        else:
            total = Totals(lefts, SIZE + np.array(rng.sample(range(count + 3), count)))
            pairs = list(zip(lefts, rights, strict=True))
        code = Code(
            int(total.outs.max()) + 1, SIZE, SIZE, SIZE, {}, [], [], [total], total.outs, np.ones(len(pairs), bool)
        )
        table = [numbers(rng, SIZE) for _ in range(examples)]
        wanted = [total_in_order([row[a] * row[b] if kind != "plain" else row[a] for row in table]) for a, b in pairs]
        outputs = np.empty((1, len(pairs)))
        runner = engine.running.Runner(code, lanes)
        for _ in range(2):
            runner.batch(np.zeros(SIZE), [np.array(table)], None, outputs)
            assert same(wanted, outputs[0]), (kind, lanes, examples)


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


@EACH_ENGINE
def test_every_count_of_lanes_and_examples(engine: Engine) -> None:
    rng = random.Random(3)
    program, varies = layer_program()
    table = np.array([[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(70)])
    uniform = [program.numbers[slot] for slot in program.inputs[2:]]
    wanted = np.array([run_by(engine.compute, program, [*row, *uniform]) for row in table.tolist()])
    sums = np.add.accumulate(wanted, 0)
    for lanes in range(1, 71):
        each = engine.running.Runner(lower(program, varies), lanes)
        total = engine.running.Runner(lower(program, varies, totals=True), lanes)
        counts = range(1, 71) if lanes in (1, 7, 8, 16, 64) else {1, 2, lanes - 1, lanes, lanes + 1, 70} - {0, 71}
        for count in counts:
            outputs, added = np.empty((count, wanted.shape[1])), np.empty((1, wanted.shape[1]))
            each.batch(np.array(uniform), [table[:count]], None, outputs)
            assert same(wanted[:count], outputs), (lanes, count)
            total.batch(np.array(uniform), [table[:count]], None, added)
            assert same(sums[count - 1], added[0]), (lanes, count)


@EACH_ENGINE
def test_rows_choose_the_examples_of_each_part(engine: Engine) -> None:
    x, y, w = Value(1.0), Value(2.0), Value(3.0)
    code = lower(Program.of([x * w + y, w + 1.0], inputs=[x, y, w]), np.array([True, True, False]))
    runner = engine.running.Runner(code, 8)
    xs, ys = np.arange(10.0)[:, None], 100.0 * np.arange(12.0)[:, None]
    rows = np.array([3, 3, 0, 9, 1] * 5)
    outputs = np.empty((25, 2))
    runner.batch(np.array([2.0]), [xs, ys], rows, outputs)
    assert outputs[:, 0].tolist() == [2.0 * row + 100.0 * row for row in rows]
    assert outputs[:, 1].tolist() == [3.0] * 25
    for wrong in ([10], [-1], [0, 2**40]):
        with pytest.raises(ValueError, match="an example is not there"):
            runner.batch(np.array([2.0]), [xs, ys], np.array(wrong), np.empty((len(wrong), 2)))


@EACH_ENGINE
def test_no_examples_have_no_outputs_and_totals_of_nothing(engine: Engine) -> None:
    x = Value(1.0)
    program = Program.of([x * x, x.exp()], inputs=[x])
    none = np.empty((0, 1))
    engine.running.Runner(lower(program, np.array([True])), 8).batch(np.empty(0), [none], None, np.empty((0, 2)))
    totals = np.full((1, 2), 5.0)
    code = lower(program, np.array([True]), totals=True)
    engine.running.Runner(code, 8).batch(np.empty(0), [none], None, totals)
    assert totals.tolist() == [[0.0, 0.0]]


@EACH_ENGINE
def test_lanes_fit_the_examples_and_the_cache(engine: Engine) -> None:
    """A multiple of 8, up to 64, such that the numbers of a block are at most 196,608, or 8 lanes; blocks are alike."""
    x, y = ([Value(0.5) for _ in range(count)] for count in (100, 200))
    code = lower(Program.of([x[0].exp()], inputs=x), np.full(100, True))
    lanes_for = engine.running.lanes_for
    assert [lanes_for(code, count) for count in (0, 1, 8, 9, 64, 65, 72, 137, 10**6)] == [
        8,
        8,
        8,
        16,
        64,
        40,
        40,
        48,
        64,
    ]
    for size, lanes in ((3072, 64), (3073, 56), (8192, 24), (2**16, 8), (10**6, 8)):
        code.varying_size = size
        assert lanes_for(code, 10**6) == lanes
    products = Program.of([a * b for a in x for b in y], inputs=[*x, *y])
    assert lanes_for(lower(products, np.full(300, True), totals=True), 1000) == 128, "with 20,000 totals"


INSTRUCTION_SETS = ("baseline", "avx2", "avx512_halves", "avx512")


def test_the_instruction_set_is_named() -> None:
    assert ENGINES["plain"].running.instruction_set() == "numpy"
    if "compiled" in ENGINES:
        assert ENGINES["compiled"].running.instruction_set() in INSTRUCTION_SETS


@pytest.mark.skipif("compiled" not in ENGINES, reason="the compiled engine was not built here")
@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_every_instruction_set_gives_the_same_bits(name: str) -> None:
    engine = ENGINES["compiled"]
    before = engine.running.instruction_set()
    engine.running.use_instruction_set(name)
    try:
        if engine.running.instruction_set() != name:
            pytest.skip(f"this processor has no {name}, or it was not compiled")
        assert not any(what_differs(seed, engine) for seed in range(60))
        test_every_count_of_lanes_and_examples(engine)
        for varies in ((False, False), (False, True), (True, True)):
            test_products_of_matrices(engine, *varies)
        for step, does_vary in itertools.product((1, -1), (False, True)):
            test_long_products_of_matrices(engine, step, does_vary)
        for count in (1, 2, 5, 9, 30):
            test_totals(engine, count)
    finally:
        engine.running.use_instruction_set(before)


# Calls, rounds and errors.


def polynomial(engine: Engine) -> Any:
    x, y = Value(ONE), Value(TWO)
    return engine.running.Runner(lower(Program.of([x * y + 1.0, x - y], inputs=[x, y])))


@EACH_ENGINE
def test_calls(engine: Engine) -> None:
    runner = polynomial(engine)
    outputs = np.empty(2)
    runner.call(np.array([3.0, 4.0]), outputs)
    assert outputs.tolist() == [13.0, -1.0]
    assert runner.call_floats((2.0, 5)) == 11.0
    assert runner.output_count == 2


@EACH_ENGINE
@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (np.empty(1), np.empty(2)),
        (np.empty(3), np.empty(2)),
        (np.empty(2), np.empty(1)),
        (np.empty(2, int), np.empty(2)),
        (np.empty((2, 1)), np.empty(2)),
        (np.empty(4)[::2], np.empty(2)),
        (np.empty(2), np.frombuffer(bytes(16))),
    ],
)
def test_arrays_that_do_not_fit_a_call(engine: Engine, inputs: Any, outputs: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # Cython's messages are its own
        polynomial(engine).call(inputs, outputs)


@EACH_ENGINE
def test_arguments_that_do_not_fit_a_call(engine: Engine) -> None:
    runner = polynomial(engine)
    for arguments in ((), (1.0,), (1.0, 2.0, 3.0)):
        with pytest.raises(ValueError, match="arguments, not 2"):
            runner.call_floats(arguments)
    for wrong in (("1", 2.0), (None, 2.0), (Value(1.0), 2.0)):
        with pytest.raises(TypeError):
            runner.call_floats(wrong)
    with pytest.raises(TypeError):
        runner.call(None, np.empty(2))
    with pytest.raises(TypeError):
        runner.call([1.0, 2.0], np.empty(2))


@EACH_ENGINE
def test_an_output_that_varies_has_no_single_number(engine: Engine) -> None:
    x = Value(1.0)
    runner = engine.running.Runner(lower(Program.of([x.exp()], inputs=[x]), np.array([True])), 8)
    calls: list[Callable[[], Any]] = [
        lambda: runner.call(np.empty(0), np.empty(1)),
        lambda: runner.call_floats(()),
        lambda: runner.repeat(1, np.empty(0), 0, np.empty((1, 0)), np.empty((1, 1))),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="an output varies"):
            call()


@EACH_ENGINE
def test_arrays_that_do_not_fit_a_batch(engine: Engine) -> None:
    x, w = Value(1.0), Value(2.0)
    program = Program.of([x * w], inputs=[x, w])
    runner = engine.running.Runner(lower(program, np.array([True, False])), 8)
    right = np.zeros(1), [np.zeros((3, 1))], None, np.zeros((3, 1))
    runner.batch(*right)
    for place, wrong in (
        (0, np.zeros(2)),
        (1, []),
        (1, [np.zeros((3, 2))]),
        (1, [np.zeros((3, 1)), np.zeros((2, 0))]),
        (1, [np.zeros(3)]),
        (2, np.zeros(3)),
        (3, np.zeros((2, 1))),
        (3, np.zeros((1, 1))),
        (3, np.zeros((3, 2))),
    ):
        with pytest.raises(ValueError):  # noqa: PT011  # Cython's messages are its own
            runner.batch(*right[:place], wrong, *right[place + 1 :])
    with pytest.raises(ValueError, match="do not fit the program"):
        engine.running.Runner(lower(program), 0).batch(np.zeros(2), [np.zeros((3, 0))], None, np.zeros((3, 1)))


def descent(engine: Engine) -> Any:
    """A step of gradient descent of (x · input − target)², with the error as a record."""
    x, given, target = Value(ONE), Value(TWO), Value(THREE)
    error = (x * given - target) ** 2
    (slope,) = gradients(error, [x])
    return engine.running.Runner(lower(Program.of([x - 0.1 * slope, error], inputs=[x, given, target])))


@EACH_ENGINE
def test_rounds_hand_their_state_on(engine: Engine) -> None:
    inputs, records = np.array([0.0, 0.0, 0.0]), np.empty((20, 1))
    each = np.array([[1.0, 2.0], [2.0, 1.0]] * 10)
    assert descent(engine).repeat(20, inputs, 1, each, records) == (20, False)
    x, errors = 0.0, []
    for given, target in each.tolist():
        error = x * given - target
        errors.append(error**2)
        x = x - 0.1 * (2.0 * error * given)
    assert inputs[0] == pytest.approx(x, rel=1e-14)
    assert records[:, 0].tolist() == pytest.approx(errors, rel=1e-14)
    kept = np.array([0.5, 1.0, 2.0])
    assert descent(engine).repeat(3, kept, 1, np.empty((3, 0)), np.empty((3, 1))) == (3, False)
    assert kept[1:].tolist() == [1.0, 2.0]
    assert descent(engine).repeat(0, kept, 1, np.empty((0, 2)), np.empty((0, 1))) == (0, False)


@EACH_ENGINE
@pytest.mark.parametrize(
    ("times", "inputs", "state", "each", "records"),
    [
        (2, np.zeros(2), 1, np.zeros((2, 2)), np.zeros((2, 1))),
        (2, np.zeros(3), 2, np.zeros((2, 2)), np.zeros((2, 0))),
        (2, np.zeros(3), 3, np.zeros((2, 0)), np.zeros((2, 0))),
        (3, np.zeros(3), 1, np.zeros((2, 2)), np.zeros((3, 1))),
        (3, np.zeros(3), 1, np.zeros((3, 2)), np.zeros((2, 1))),
        (2, np.zeros(3), 1, np.zeros((2, 2)), np.zeros((2, 2))),
        (2, np.frombuffer(bytes(24)), 1, np.zeros((2, 2)), np.zeros((2, 1))),
    ],
)
def test_arrays_that_do_not_fit_rounds(
    engine: Engine, times: int, inputs: Any, state: int, each: Any, records: Any
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # Cython's messages are its own
        descent(engine).repeat(times, inputs, state, each, records)


def counting(engine: Engine) -> Any:
    """A program whose state goes up by one, and by a power that must be in step with it."""
    n, m = Value(0.0), Value(0.0)
    return engine.running.Runner(lower(Program.of([n + 1.0, m + 2.0], inputs=[n, m])))


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
@EACH_ENGINE
@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_leaves_whole_rounds(engine: Engine) -> None:
    runner, state = counting(engine), np.zeros(2)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    done, interrupted = runner.repeat(10**9, state, 2, np.empty((0, 0)), np.empty((0, 0)))
    timer.join()
    assert interrupted
    assert 0 < done < 10**9
    assert state.tolist() == [done, 2.0 * done]


@pytest.fixture
def alarm() -> Iterator[Callable[[float], None]]:
    """Raise a TimeoutError from the handler of a signal, after some seconds."""

    def handler(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, handler)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds) and None
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
@EACH_ENGINE
def test_another_error_of_a_handler_is_raised_after_whole_rounds(
    engine: Engine, alarm: Callable[[float], None]
) -> None:
    runner, state = counting(engine), np.zeros(2)
    alarm(0.1)
    with pytest.raises(TimeoutError):
        runner.repeat(10**9, state, 2, np.empty((0, 0)), np.empty((0, 0)))
    assert 0.0 < state[0] == state[1] / 2.0


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on POSIX")
@EACH_ENGINE
def test_a_batch_can_be_interrupted(engine: Engine, alarm: Callable[[float], None]) -> None:
    program, varies = layer_program()
    runner = engine.running.Runner(lower(program, varies, totals=True), 8)
    rows = np.zeros(10**7, np.int64)
    alarm(0.05)
    with pytest.raises(TimeoutError):
        runner.batch(np.ones(len(varies) - 2), [np.ones((1, 2))], rows, np.empty((1, len(program.outputs))))


# Primitives that only Python knows.


@EACH_ENGINE
def test_a_primitive_of_one_s_own_is_called_for_each_number(engine: Engine) -> None:
    x, w = Value(1.0), Value(2.0)
    program = Program.of([square(x * w) + square(w)], inputs=[x, w])
    assert engine.running.Runner(lower(program)).call_floats((3.0, 2.0)) == 40.0
    runner = engine.running.Runner(lower(program, np.array([True, False])), 8)
    outputs = np.empty((11, 1))
    runner.batch(np.array([2.0]), [np.arange(11.0)[:, None]], None, outputs)
    assert outputs[:, 0].tolist() == [4.0 * x * x + 4.0 for x in range(11)]


@EACH_ENGINE
def test_its_error_is_raised_and_the_state_is_that_of_the_rounds_before(engine: Engine) -> None:
    def failing(x: float) -> float:
        if x > 4.5:
            raise OSError("no more")
        return x + 1.0

    wrong = Primitive("failing", failing, lambda out, x: 1.0)
    x = Value(0.0)
    runner = engine.running.Runner(lower(Program.of([wrong(x)], inputs=[x])))
    state = np.zeros(1)
    with pytest.raises(OSError, match="no more"):
        runner.repeat(100, state, 1, np.empty((0, 0)), np.empty((0, 0)))
    assert state.tolist() == [5.0]
    with pytest.raises(OSError, match="no more"):
        runner.call_floats((9.0,))
    assert runner.call_floats((2.0,)) == 3.0


# Tapes.


@EACH_ENGINE
def test_tapes_compute_what_groups_compute(engine: Engine) -> None:
    has_c = [row.name for row in PRIMITIVES.values() if row.name not in ("erf", "erfc", "hypot", "gelu", "prod")]
    tried = 0
    for seed in range(200):
        program = random_program(random.Random(seed))
        used = {primitive.name for primitive in program.primitives if primitive is not None}
        if not used <= set(has_c) or not used:
            continue
        tried += 1
        given = [program.numbers[slot] for slot in program.inputs]
        numbers = np.array([*given, *[program.numbers[slot] for slot in program.parameters]])
        outputs = np.empty(len(program.outputs))
        engine.running.Runner(tape_code(program)).call(numbers, outputs)
        assert same(program.run(given), outputs)
    assert tried > 30


# Code that is not well formed.


@EACH_ENGINE
def test_code_that_was_changed_is_refused_or_runs(engine: Engine) -> None:
    refused = mutate_and_run(1, 10_000, engine.running)
    assert 5_000 < refused < 9_500


@EACH_ENGINE
@pytest.mark.parametrize("lanes", [-1, 1025, 2**40])
def test_lanes_are_not_without_limit(engine: Engine, lanes: int) -> None:
    x = Value(1.0)
    with pytest.raises(ValueError, match="at most 1024 lanes"):
        engine.running.Runner(lower(Program.of([x.exp()], inputs=[x])), lanes)


def best_time(function: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.skipif(autograd.engine != "plain", reason="the nodes are those of the compiled engine")
def test_the_plain_runner_is_much_faster_than_nodes() -> None:
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
    program = Program.of([output, *gradients(output, parameters)], inputs=parameters)
    runner = ENGINES["plain"].running.Runner(lower(program))
    inputs, outputs = np.array([w.data for w in parameters]), np.empty(len(program.outputs))
    fast = best_time(lambda: runner.call(inputs, outputs), 10)
    slow = best_time(lambda: loss().backward(), 2)
    assert outputs[0] == pytest.approx(output.data, rel=1e-12)
    assert slow > 20.0 * fast


# Programs that need not be exact.


COMPILED = pytest.mark.skipif("compiled" not in ENGINES, reason="the compiled engine was not built here")


@COMPILED
@pytest.mark.parametrize("examples", [1, 8, 100, 150])
def test_products_by_blas_agree_to_rounding(examples: int) -> None:
    pytest.importorskip("scipy", reason="there is no SciPy")
    generator = np.random.default_rng(examples)
    x = [Value(0.5) for _ in range(70)]
    weights = [[Value(0.1) for _ in range(70)] for _ in range(80)]
    outputs = [dot(row, x).tanh() for row in weights]
    parameters = [weight for row in weights for weight in row]
    grads = gradients(autograd.sum(outputs), [*parameters])
    program = Program.of([*outputs, *grads], inputs=[*parameters, *x])
    varies = np.arange(len(parameters) + 70) >= len(parameters)
    code = lower(program, varies, totals=True)
    inputs, table = generator.normal(size=len(parameters)), generator.normal(size=(examples, 70))
    made = []
    for exact in (True, False):
        out = np.empty((1, len(code.outputs)))
        runner = ENGINES["compiled"].running.Runner(code, 104, exact)
        for _ in range(2):
            runner.batch(inputs, [table], None, out)
        made.append(out[0])
    assert np.allclose(made[1], made[0], rtol=1e-12, atol=1e-12)
    assert examples == 1 or not np.array_equal(*made), "BLAS adds in another order"


@COMPILED
def test_without_scipy_products_are_those_of_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    x = [Value(0.1 * i) for i in range(70)]
    weights = [[Value(math.sin(i + 70.0 * j)) for i in range(70)] for j in range(80)]
    program = Program.of([dot(row, x) for row in weights], inputs=[*x, *itertools.chain(*weights)])
    code = lower(program, np.arange(len(program.inputs)) < len(x))
    inputs, table = np.array([weight.data for row in weights for weight in row]), np.array([[v.data for v in x]])
    made = []
    for exact in (True, False):
        made.append(np.empty((1, len(weights))))
        ENGINES["compiled"].running.Runner(code, 8, exact).batch(inputs, [table], None, made[-1])
    assert made[0].tolist() == made[1].tolist()


@COMPILED
@pytest.mark.parametrize("instructions", INSTRUCTION_SETS)
@pytest.mark.parametrize("name", ["exp", "tanh"])
def test_functions_that_need_not_be_exact(name: str, instructions: str) -> None:
    """They are within two units in the last place, the same for each instruction set, and right where they end."""
    rng = random.Random(1)
    points = [rng.uniform(-low, low) for low in (0.3, 1.0, 3.0, 20.0, 700.0) for _ in range(150)]
    points += [10.0 ** -rng.uniform(0.0, 307.0) * sign for sign in (1.0, -1.0) for _ in range(50)]
    points += [-745.0, -708.5, 709.7, 20.0, 5e-324, 0.0, -0.0]
    x = [Value(0.5) for _ in points]
    code = lower(Program.of([getattr(v, name)() for v in x], inputs=x))
    running = ENGINES["compiled"].running
    before, made = running.instruction_set(), {}
    try:
        for widest in ("baseline", instructions):
            running.use_instruction_set(widest)
            runner = running.Runner(code, 0, False)
            made[widest] = np.empty(len(points))
            runner.call(np.array(points), made[widest])
    finally:
        running.use_instruction_set(before)
    assert made[instructions].tobytes() == made["baseline"].tobytes()
    with mpmath.workdps(60):
        for point, number in zip(points, made[instructions].tolist(), strict=True):
            exact = getattr(mpmath, name)(mpmath.mpf(point))
            assert abs(number - exact) <= 2.0 * math.ulp(float(exact)), point
    ends = np.array([math.inf, -math.inf, math.nan, 710.0, -746.0, 1e308, -1e308] + [0.0] * (len(points) - 7))
    results = np.empty(len(points))
    assert not runner.call(ends, results)
    wanted = {"exp": [math.inf, 0.0, math.nan, math.inf, 0.0, math.inf, 0.0], "tanh": [1, -1, math.nan, 1, -1, 1, -1]}
    assert np.array_equal(results[:7], np.array(wanted[name], float), equal_nan=True)
