"""The lowering as a whole: each pass may be left out, and the results are the same."""

import random

import numpy as np
import pytest

from autograd.programs.lowering import PASSES, lower
from autograd.programs.lowering.simplification import with_constants_folded
from tests.random_programs import EACH_ENGINE, Engine, by_python, random_program, run_by, same


@EACH_ENGINE
@pytest.mark.parametrize("left_out", [*PASSES, None], ids=lambda each: each.__name__ if each else "none left out")
def test_without_one_pass_the_results_are_the_same(engine: Engine, left_out: object) -> None:
    passes = [each for each in PASSES if each is not left_out]
    for seed in range(1000, 1040):
        rng = random.Random(seed)
        program = random_program(rng)
        given = [rng.uniform(-2, 2) for _ in program.inputs]
        inputs = np.array([*given, *[program.numbers[slot] for slot in program.parameters]])
        outputs = np.empty(len(program.outputs))
        engine.running.Runner(lower(program, passes=passes, deep=engine.deep)).call(inputs, outputs)
        if engine.compute is by_python or left_out is not with_constants_folded:
            assert same(run_by(engine.compute, program, given), outputs), seed
        else:  # what depends on constants alone is then computed by NumPy
            assert np.allclose(program.run(given), outputs, rtol=1e-9, equal_nan=True), seed


@EACH_ENGINE
@pytest.mark.parametrize("count", range(len(PASSES) + 1))
def test_the_passes_may_stop_anywhere(engine: Engine, count: int) -> None:
    for seed in range(2000, 2020):
        rng = random.Random(seed)
        program = random_program(rng)
        if not program.inputs:
            continue
        uniform = np.array([program.numbers[slot] for slot in program.parameters])
        varies = np.array([True] * len(program.inputs) + [False] * len(uniform))
        table = np.array([[rng.uniform(-2, 2) for _ in program.inputs] for _ in range(9)])
        totals = np.empty((2, len(program.outputs)))
        for row, passes in enumerate((PASSES, PASSES[:count] if count > 1 else PASSES[1 : 2 + count])):
            code = lower(program, varies, totals=True, passes=passes)
            engine.running.Runner(code, 4).batch(uniform, [table], None, totals[row : row + 1])
        assert same(totals[0], totals[1]), seed


def test_passes_make_fewer_groups() -> None:
    with_all, without = 0, 0
    for seed in range(100):
        program = random_program(random.Random(seed))
        with_all += len(lower(program).groups)
        without += len(lower(program, passes=()).groups)
    assert with_all < 0.9 * without
