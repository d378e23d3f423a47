"""Groups as steps on arrays: what `test_running.py` runs as whole programs, here one by one."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from autograd.primitives import PRIMITIVES
from autograd.programs.array_steps import FEW, Steps
from autograd.programs.groups import CONTIGUOUS, GATHERED, SINGLE, Code, Map, Operand, Sum, Totals
from tests.random_code import square, tape_code
from tests.random_programs import random_program, same


def code_of(group: Any, size: int) -> Code:
    others = {len(PRIMITIVES) + 1: square}
    return Code(size, size, 0, 0, {}, [group], [], [], np.arange(0), np.zeros(0, bool), others)


@pytest.mark.parametrize("count", [1, 5, FEW, FEW + 1, 3 * FEW])
def test_sums_have_the_bits_of_one_addition_after_another(count: int) -> None:
    rng = np.random.default_rng(count)
    uniform = np.concatenate([rng.normal(size=4 * count) * 10.0 ** rng.integers(-8, 8, 4 * count), np.zeros(count)])
    terms = [Operand(False, CONTIGUOUS, place) for place in (0, count, 2 * count)] + [Operand(False, SINGLE, 1)]
    given = uniform.copy()
    Steps(code_of(None, 5 * count), uniform, np.zeros((0, 0))).of(Sum(terms, 4 * count, False, count))()
    wanted = [
        ((given[i] + given[count + i]) + given[2 * count + i]) + given[1] for i in range(count)
    ]  # fmt: skip
    assert uniform[4 * count :].tolist() == wanted


def test_a_primitive_of_one_s_own_is_not_called_for_lanes_that_are_not_in_use() -> None:
    varying = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    group = Map(square, len(PRIMITIVES) + 1, 1, True, 1, [Operand(True, GATHERED, 0, np.array([0]))])
    steps = Steps(code_of(group, 2), np.zeros(0), varying)
    step = steps.of(group)
    steps.valid = 2
    step()
    assert varying[1].tolist() == [1.0, 4.0, 0.0]


def test_totals_add_the_lanes_in_use_to_what_is_there() -> None:
    uniform, varying = np.array([100.0, 200.0]), np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
    steps = Steps(code_of(None, 2), uniform, varying)
    step = steps.of_total(Totals(np.array([0, 1]), np.array([1, 0])))
    steps.valid = 2
    step()
    assert uniform.tolist() == [124.0, 203.0]


def test_a_tape_computes_what_the_program_computes() -> None:
    for seed in range(40):
        program = random_program(random.Random(seed))
        code = tape_code(program)
        uniform = np.zeros(code.uniform_size)
        given = [program.numbers[slot] for slot in (*program.inputs, *program.parameters)]
        uniform[: len(given)] = given
        for place, number in code.constants.items():
            uniform[place] = number
        steps = Steps(code, uniform, np.zeros((0, 0)))
        for group in code.groups:
            steps.of(group)()
        assert same(program.run(), uniform[code.outputs])
