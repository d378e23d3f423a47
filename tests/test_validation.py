"""Code that is not well formed is refused, and the message names the part."""

import dataclasses
import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, dot
from autograd.primitives import PRIMITIVES
from autograd.programs.groups import CONTIGUOUS, SINGLE, Code, Dots, Map, Matrix, Operand, OuterTotals, Sum, Totals
from autograd.programs.lowering import lower
from autograd.programs.program import Program
from autograd.programs.validation import MOST_LANES, validate
from tests.random_code import some_code, square, tape_code

ADD, EXP = PRIMITIVES["add"], PRIMITIVES["exp"]
FIRST, SINGLES = Operand(False, CONTIGUOUS, 0), Operand(False, SINGLE, 1)
VARYING = Operand(True, CONTIGUOUS, 0)
PAIR = np.array([1, 2])


def code_with(*groups: Any, varying: bool = False, totals: Any = (), **parts: Any) -> Code:
    """Code with memories of ten numbers each; groups put their two results at 5."""
    code = Code(
        10, 10, 3, 3, {3: 1.0}, [] if varying else list(groups), list(groups) if varying else [], list(totals),
        np.array([5]), np.array([varying]),
    )  # fmt: skip
    return dataclasses.replace(code, **parts)


def test_what_the_lowering_makes_is_well_formed() -> None:
    for seed in range(200):
        validate(*some_code(random.Random(seed)))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (code_with(uniform_size=-1), "its memories hold"),
        (code_with(inputs=11), "its inputs are 11 of 10"),
        (code_with(varying_inputs=-1), "its inputs are -1 of 10"),
        (code_with(constants={10: 1.0}), "a constant of 1 numbers is at 10"),
        (code_with(outputs=np.array([10])), "an output is at places from 10 to 10"),
        (code_with(outputs=np.array([0.5])), "an output has places of the type float64"),
        (code_with(outputs=np.array([1, 2])), "do not say whether they vary"),
        (code_with(Map(ADD, ADD.index, 5, True, 2, [FIRST, FIRST])), "stands among the groups of the other memory"),
        (code_with(Map(ADD, ADD.index, 9, False, 2, [FIRST, FIRST])), "the result of a Map of 2 numbers is at 9"),
        (code_with(Map(ADD, ADD.index, 5, False, 0, [FIRST, FIRST])), "a Map has 0 members"),
        (code_with(Map(ADD, ADD.index, 5, False, 2, [FIRST])), "add has 1 operands"),
        (code_with(Map(EXP, ADD.index, 5, False, 2, [FIRST, FIRST])), "exp does not have the code"),
        (code_with(Map(square, 99, 5, False, 2, [FIRST])), "square does not have the code 99"),
        (code_with(Map(square, 2, 5, False, 2, [FIRST]), others={2: square}), "square does not have the code 2"),
        (code_with(Map(EXP, EXP.index, 5, False, 2, [VARYING])), "varies where the results do not"),
        (code_with(Map(EXP, EXP.index, 5, True, 2, [FIRST]), varying=True), "do not vary as its results do"),
        (code_with(Map(None, 0, 5, True, 2, [VARYING]), varying=True), "a copy is of one operand"),
        (code_with(Map(EXP, EXP.index, 5, False, 2, [Operand(False, 7, 0)])), "an operand has the mode 7"),
        (code_with(Map(EXP, EXP.index, 5, False, 2, [Operand(False, 0, 9)])), "an operand of 2 numbers is at 9"),
        (code_with(Map(EXP, EXP.index, 5, False, 2, [Operand(False, 2, 0, np.array([0, 10]))])), "from 0 to 10"),
        (code_with(Map(EXP, EXP.index, 5, False, 2, [Operand(False, 2, 0, np.array([0]))])), "gathered for 2"),
        (code_with(Map(EXP, EXP.index, 5, False, 2, [Operand(False, 0, 0, np.array([0]))])), "that are not read"),
        (code_with(Sum([], 5, False, 2)), "a Sum has no terms"),
        (code_with(Dots([FIRST], [FIRST, SINGLES], 5, False, 2)), "the factors of Dots are not pairs"),
        (code_with(totals=[OuterTotals(np.array([1]), np.array([], int), 5, 1)]), "a total is of nothing"),
        (code_with(totals=[OuterTotals(PAIR, PAIR, 5, 1)]), "rows of 2 totals are 1 places apart"),
        (code_with(totals=[OuterTotals(PAIR, PAIR, 5, 4)]), "a total of 6 numbers is at 5"),
        (code_with(totals=[Totals(PAIR, np.array([9, 10]))]), "a total is at places from 9 to 10"),
        (code_with(totals=[Totals(PAIR, np.array([9]))]), "totals have not one place each"),
        (code_with(totals=[Totals(np.array([-1]), np.array([9]))]), "the factor of a total is at places from -1"),
        (code_with("a group"), "not well-formed code"),
    ],
)
def test_the_message_names_the_part(code: Code, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate(code, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"runs": np.array([[0, 0, 3]])}, "a run of a matrix product is not within"),
        ({"runs": np.array([[2, 0, 2]])}, "a run of a matrix product is not within"),
        ({"runs": np.array([[0, 0, 1]])}, "are not for 2 results"),
        ({"runs": np.array([[0, 0]])}, "do not fit together"),
        ({"rows": np.array([[0, 1, 2]])}, "do not fit together"),
        ({"rows": np.array([[0, 10]])}, "a row is at places"),
        ({"columns": np.array([[0, 1], [-1, 3]])}, "a column is at places"),
        ({"columns_vary": True}, "do not fit together"),
        ({"rows_vary": True}, "do not fit together"),
    ],
)
def test_matrices(change: dict[str, Any], message: str) -> None:
    matrix = Matrix(np.array([[0, 1]]), np.array([[0, 1], [2, 3]]), False, False, np.array([[0, 0, 2]]), 5, False, 2)
    validate(code_with(matrix), 0)
    with pytest.raises(ValueError, match=message):
        validate(code_with(dataclasses.replace(matrix, **change)), 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tape: {"operands": tape.operands + 1}, "reads what is not yet there"),
        (lambda tape: {"operands": tape.operands - 1}, "reads what is not yet there"),
        (lambda tape: {"starts": tape.starts[::-1]}, "do not fit together"),
        (lambda tape: {"starts": tape.starts[:-1]}, "do not fit together"),
        (lambda tape: {"codes": tape.codes * 0}, "is not a primitive"),
        (lambda tape: {"codes": tape.codes + 2**32}, "is not a primitive"),
        (lambda tape: {"codes": tape.codes * 0 + EXP.index}, "exp has 2 operands"),
        (lambda tape: {"out": tape.out + 1}, "the result of a Tape"),
    ],
)
def test_tapes(change: Callable[[Any], dict[str, Any]], message: str) -> None:
    x = Value(1.0)
    code = tape_code(Program.of([x * 2.0 + x.exp()], inputs=[x]))
    validate(code, 0)
    (tape,) = code.groups
    with pytest.raises(ValueError, match=message):
        validate(dataclasses.replace(code, groups=[dataclasses.replace(tape, **change(tape))]), 0)


def test_sizes() -> None:
    with pytest.raises(MemoryError, match="memory for 2147483648 and 10 numbers"):
        validate(code_with(uniform_size=2**31), 0)
    for lanes in (-1, MOST_LANES + 1):
        with pytest.raises(ValueError, match="at most 1024 lanes"):
            validate(code_with(), lanes)
    xs = [Value(1.0), Value(2.0)]
    varying = lower(Program.of([dot(xs, xs)], inputs=xs), np.array([True, True]))
    validate(varying, 1)
    with pytest.raises(ValueError, match="there are no lanes"):
        validate(varying, 0)


def test_every_place_of_a_group_is_looked_at() -> None:
    """Any operand of any group, put at the end of its memory, is refused."""
    for seed in range(40):
        code, lanes = some_code(random.Random(seed))
        for group in itertools.chain(code.groups, code.varying_groups):
            operands = [
                getattr(group, name) for name in ("operands", "terms", "lefts", "rights") if hasattr(group, name)
            ]
            for found in operands:
                for index, operand in enumerate(found):
                    if not isinstance(operand, Operand):
                        continue
                    size = code.varying_size if operand.varies else code.uniform_size
                    found[index] = operand._replace(place=size)
                    with pytest.raises(ValueError, match="an operand of"):
                        validate(code, lanes)
                    found[index] = operand
