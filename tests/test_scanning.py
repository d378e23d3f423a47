"""Instructions as arrays."""

import random

import numpy as np

from autograd import Constant, Value
from autograd.primitives import PRIMITIVES
from autograd.programs.lowering.instructions import ADD, TABLE, Instructions, from_edges
from autograd.programs.program import Program
from tests.random_code import square
from tests.random_programs import random_program


def test_instructions_are_those_of_the_program() -> None:
    for seed in range(50):
        program = random_program(random.Random(seed))
        instructions = Instructions.of(program)
        assert len(instructions) == len(program)
        assert instructions.names() == [primitive.name if primitive else "" for primitive in program.primitives]
        for slot in range(len(program)):
            assert instructions.operands_of(slot).tolist() == list(program.operands_of(slot))
        assert instructions.outputs.tolist() == list(program.outputs)
        assert instructions.inputs.tolist() == [*program.inputs, *program.parameters]
        assert instructions.constants == {
            slot: number for slot, number in program.numbers.items() if slot not in instructions.inputs
        }


def test_what_is_known_of_slots() -> None:
    x, y = Value(2.0), Value(3.0)
    instructions = Instructions.of(Program.of([x * y + x, x * Constant(2.0)], inputs=[x, y]))
    assert instructions.counts().sum() == len(instructions.operands) == 6
    assert instructions.owners().tolist() == sorted(instructions.owners().tolist())
    assert instructions.uses()[instructions.inputs].tolist() == [3, 1]
    assert instructions.uses()[instructions.outputs].tolist() == [1, 1]


def test_primitives_of_one_s_own_follow_the_table() -> None:
    x = Value(2.0)
    instructions = Instructions.of(Program.of([square(x) + square(x)], inputs=[x]))
    assert max(instructions.codes) == len(TABLE) + 1
    assert instructions.primitive(len(TABLE) + 1) is square
    assert instructions.primitive(ADD) is PRIMITIVES["add"]


def test_parts_are_replaced_and_others_kept() -> None:
    x = Value(2.0)
    instructions = Instructions.of(Program.of([x + x], inputs=[x]))
    other = instructions.replaced(outputs=np.array([0]))
    assert other.outputs.tolist() == [0]
    assert other.operands is instructions.operands


def test_edges_keep_their_order() -> None:
    starts, operands = from_edges(np.array([2, 1, 2, 2]), np.array([9, 8, 7, 9]), 4)
    assert starts.tolist() == [0, 0, 1, 4, 4]
    assert operands.tolist() == [8, 9, 7, 9]
