"""Long groups are cut into tiles: each number is still computed before it is read, from the same operands."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from autograd import Value, compile, dot, exp, grad, sin
from autograd import max as largest
from autograd.programs.groups import Code, Map, Sum
from autograd.programs.layout import Layout, lower
from autograd.programs.program import Program
from autograd.programs.sharing import with_shared_places
from autograd.programs.tiles import with_tiles
from tests.random_programs import EACH_ENGINE, Engine, random_program, same

SMALL = 8  # numbers of a tile


def uncut(program: Program) -> Code:
    return Layout(program, np.zeros(len(program), bool), totals=False).code()


def members(code: Code) -> dict[int, tuple[Any, ...]]:
    """Of each result the primitive and the places of its operands; each place is written once, after what it reads."""
    known = set(range(code.inputs)) | set(code.constants)
    found = {}
    for group in code.groups:
        assert isinstance(group, Map | Sum)
        name = group.primitive.name if isinstance(group, Map) and group.primitive else "sum"
        places = [operand.places(group.count).tolist() for operand in group.all_operands()]
        for member, operands in enumerate(zip(*places, strict=True)):
            assert known.issuperset(operands)
            found[group.out + member] = name, *operands
        written = set(range(group.out, group.out + group.count))
        assert not known & written
        known |= written
    return found


def wide(rng: random.Random) -> Program:
    """Rows of numbers, each of functions of earlier ones: shifted, reversed, gathered, of one number, summed up."""
    size = rng.randrange(20, 60)
    inputs = [Value(rng.uniform(0.5, 1.5)) for _ in range(size)]
    rows = [inputs]
    for _ in range(rng.randrange(3, 9)):
        first, second = rng.choices([row for row in rows if len(row) > 9], k=2)
        shift = rng.randrange(-3, 4)
        way = rng.randrange(6)
        if way == 0:
            second = second[::-1]
        elif way == 1:
            second = [rng.choice(second)] * len(second)
        elif way == 2:
            second = rng.sample(second, len(second))
        elif way == 3:
            rows.append([dot([a, b], [b, a]) for a, b in zip(first, second, strict=False)])
            continue
        elif way == 4:
            rows.append([sum(first, 0.0 * second[0]) for _ in range(3)])
            continue
        rows.append([sin(a * b) for a, b in zip(first, second[max(shift, 0) :], strict=False)])
    return Program.of([number for row in rows[1:] for number in row], inputs=inputs)


@pytest.mark.engine_independent
def test_members_stay_and_are_computed_after_what_they_read() -> None:
    cut = 0
    for seed in range(200):
        rng = random.Random(seed)
        code = uncut(wide(rng) if seed % 2 else random_program(rng))
        if all(isinstance(group, Map | Sum) for group in code.groups):
            tiled = with_tiles(code, SMALL)
            assert members(tiled) == members(code), seed
            cut += len(tiled.groups) > len(code.groups)
    assert cut > 80


@EACH_ENGINE
def test_results_keep_their_bits(engine: Engine) -> None:
    for seed in range(60):
        rng = random.Random(seed)
        program = wide(rng)
        given = np.array([rng.uniform(-2, 2) for _ in program.inputs])
        results = np.empty((2, len(program.outputs)))
        for code, row in (
            (lower(program, tile=SMALL), results[:1]),
            (lower(program, shares_places=False), results[1:]),
        ):
            engine.execution.Schedule(code).run(1, given, [], [row])
        assert same(results[0], results[1]), seed


def test_what_is_between_needs_places_for_two_tiles_alone() -> None:
    x = [Value(0.5) for _ in range(400)]
    row = x
    for _ in range(6):
        row = [exp(a) for a in row]
        row = [a + b for a, b in pairwise(row)]  # which reads across the ends of tiles
    program = Program.of(row, inputs=x)
    apart, tiled = with_shared_places(uncut(program)), lower(program, tile=SMALL)
    own = len(x) + len(row)
    assert tiled.uniform_size - own < 0.4 * (apart.uniform_size - own)


def test_what_needs_all_of_a_run_begins_another_one() -> None:
    x = [Value(0.5) for _ in range(64)]
    code = with_tiles(uncut(Program.of([exp(sin(a) - largest([sin(b) for b in x])) for a in x], inputs=x)), SMALL)
    names = [group.primitive.name for group in code.groups if isinstance(group, Map) and group.primitive]
    assert names.index("subtract") > names.index("max")
    assert names.count("subtract") > 1, "the second run is cut too"


def test_a_gradient_of_many_numbers_equals_that_of_eager_nodes() -> None:
    def rosenbrock(x: Any) -> Any:
        return sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])

    rng = np.random.default_rng(0)
    x = rng.normal(size=6_000)
    compiled = compile(grad(rosenbrock))
    assert np.array_equal(compiled(x), grad(rosenbrock)(x))
    inner = 400.0 * x * (x**2 - np.append(x[1:], 0.0)) + 2.0 * (x - 1.0)
    closed = np.append(inner[:-1], 0.0) + np.append(0.0, 200.0 * (x[1:] - x[:-1] ** 2))
    assert np.allclose(compiled(x), closed, rtol=1e-10)
