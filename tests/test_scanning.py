"""What is asked of each node of a tape, and of each slot of a program: by the compiled module, and by the plain one."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from autograd import Constant, Value
from autograd.primitives import PRIMITIVES
from autograd.programs import scanning
from autograd.programs.groups import TABLE
from tests.random_code import square
from tests.random_programs import random_program


def source() -> ModuleType:
    """The module as plain Python."""
    spec = importlib.util.spec_from_file_location("plain_scanning", Path(scanning.__file__).with_name("scanning.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULES = {"chosen": scanning, "plain": source()}
EACH = pytest.mark.parametrize("module", list(MODULES.values()), ids=list(MODULES))


def test_columns_of_nodes() -> None:
    x, c = Value(2.0), Constant(3.0)
    nodes = [x, c, x * c, square(x), square(c), x.exp()]
    codes, numbers, constant, others = scanning.columns(nodes)
    multiply, exp, own = PRIMITIVES["multiply"].index, PRIMITIVES["exp"].index, len(TABLE) + 1
    assert list(codes) == [0, 0, multiply, own, own, exp]
    assert list(numbers) == [node.data for node in nodes]
    assert list(map(bool, constant)) == [False, True, False, False, False, False]
    assert others == [square]


@EACH
def test_levels_and_what_varies_and_is_needed(module: ModuleType) -> None:
    """Of x, y, exp(x), exp(x) · y, exp(y): with the product as the output, and y that varies."""
    starts, operands = np.array([0, 0, 0, 1, 3, 4]), np.array([0, 2, 1, 1])
    for varies in (np.array([False, True, False, False, False]), [0, 1, 0, 0, 0]):
        levels, vary, needed = module.analyse(starts, operands, np.array([3]), varies)
        assert list(levels) == [0, 0, 1, 2, 1]
        assert list(vary) == [0, 1, 0, 1, 1]
        assert list(needed) == [1, 1, 1, 1, 0]


def test_both_modules_say_the_same_of_random_programs() -> None:
    for seed in range(50):
        program = random_program(random.Random(seed))
        varies = np.isin(np.arange(len(program)), program.inputs[::2])
        given = program.starts, program.operands, program.outputs, varies
        assert len({repr(list(map(list, module.analyse(*given)))) for module in MODULES.values()}) == 1


@EACH
@pytest.mark.parametrize("part", ["starts", "operands", "outputs", "varies"])
def test_slots_that_are_not_there_are_refused(module: ModuleType, part: str) -> None:
    given = {
        "starts": np.array([0, 0, 1]),
        "operands": np.array([0]),
        "outputs": np.array([1]),
        "varies": np.zeros(2, bool),
    }
    assert list(module.analyse(**given)[0]) == [0, 1]
    for wrong in (-1, 3, 2**62):
        broken = np.zeros(7, bool) if part == "varies" else np.append(wrong, given[part][1:])
        with pytest.raises(ValueError, match="not within their slots"):
            module.analyse(**{**given, part: broken})
