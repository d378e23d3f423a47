"""The passes that leave work out: what each removes, and that it keeps the bits."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Constant, Value
from autograd.primitives import PRIMITIVES
from autograd.programs.lowering.instructions import Instructions
from autograd.programs.lowering.simplification import with_constants_folded, without_dead_code, without_identities
from autograd.programs.program import Program
from tests.random_code import square

stop_gradient = PRIMITIVES["stop_gradient"]


def instructions_of(function: Callable[..., Any], *numbers: float) -> Instructions:
    inputs = [Value(number) for number in numbers]
    return Instructions.of(Program.of([function(*inputs)], inputs=inputs))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 1.0,
        lambda x: 1.0 * x,
        lambda x: x / 1.0,
        lambda x: x**1.0,
        stop_gradient,
        lambda x: ((1.0 * x) / 1.0) ** 1.0 * 1.0,
    ],
)
def test_identities_are_left_out(function: Callable[..., Any]) -> None:
    instructions = without_identities(instructions_of(function, 2.0))
    assert instructions.outputs.tolist() == instructions.inputs.tolist()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + 0.0,  # which makes 0 of −0
        lambda x: x - 0.0,
        lambda x: 1.0 / x,
        lambda x: 1.0**x,
        lambda x: x * -1.0,
        lambda x: x * 0.0,
        lambda x: x * 2.0,
    ],
)
def test_what_changes_a_number_stays(function: Callable[..., Any]) -> None:
    before = instructions_of(function, 2.0)
    after = without_identities(before)
    assert after.outputs.tolist() == before.outputs.tolist()
    assert after.operands.tolist() == before.operands.tolist()


def test_stops_stay_for_a_program_that_is_differentiated_by_something_else() -> None:
    x = Value(2.0)
    given = Instructions.of(Program.of([stop_gradient(x * 1.0) * 3.0], inputs=[x]))
    kept = without_identities(given, keeps_stops=True)
    assert without_identities(given).operands_of(5).tolist() == [0, 4]
    assert [kept.operands_of(slot).tolist() for slot in (3, 5)] == [[0], [3, 4]]


def test_a_parameter_of_one_is_no_constant() -> None:
    x, w = Value(2.0), Value(1.0)
    before = Instructions.of(Program.of([x * w], inputs=[x]))
    assert without_identities(before).outputs.tolist() == before.outputs.tolist()


def test_constants_are_computed_once_and_merged() -> None:
    two, other_two = Constant(2.0), Constant(2.0)
    x = Value(3.0)
    given = Instructions.of(Program.of([x * two.exp() + x * other_two.exp() + square(other_two)], inputs=[x]))
    folded = without_dead_code(with_constants_folded(given))
    assert sorted(folded.constants.values()) == [4.0, math.exp(2.0)]
    assert sorted(filter(None, folded.names())) == ["add", "add", "multiply", "multiply"]


def test_constants_of_other_bits_stay_apart() -> None:
    x = Value(3.0)
    given = Instructions.of(Program.of([x * Constant(0.0) + x * Constant(-0.0) + Constant(math.nan)], inputs=[x]))
    folded = with_constants_folded(given)
    assert [math.copysign(1.0, number) for number in folded.constants.values() if number == 0.0] == [1.0, -1.0]
    assert len(np.unique(folded.operands)) == len(np.unique(given.operands))


def test_an_output_may_be_a_constant() -> None:
    folded = with_constants_folded(Instructions.of(Program.of([Constant(2.0).exp()], inputs=[])))
    assert folded.constants[int(folded.outputs[0])] == math.exp(2.0)


def test_an_operation_outside_its_domain_folds_to_its_limit() -> None:
    zero = Constant(0.0)
    x = Value(1.0)
    program = Program.of([x + zero.exp()], inputs=[x])
    log = PRIMITIVES["log"]
    program.primitives = tuple([log if row is PRIMITIVES["exp"] else row for row in program.primitives])
    assert -math.inf in with_constants_folded(Instructions.of(program)).constants.values()


def test_dead_code_uses_nothing() -> None:
    x, y = Value(2.0), Value(3.0)
    given = Instructions.of(Program.of([x * y, (x + y).exp()], inputs=[x, y]))
    dead = without_dead_code(given.replaced(outputs=given.outputs[:1]))
    assert sorted(filter(None, dead.names())) == ["multiply"]
    assert dead.uses()[dead.inputs].tolist() == [1, 1]
    assert without_dead_code(given).names() == given.names()
