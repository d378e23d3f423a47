"""Cases as arrays: of any kind of numbers, in one form or not at all."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograd import Constant, Value
from nn.training.case_rows import CaseRows


@pytest.mark.parametrize(
    ("inputs", "rows"),
    [
        ([[1, 2.5], [3.0, 4]], [[1.0, 2.5], [3.0, 4.0]]),
        ([(1, 2.5), [3.0, 4]], [[1.0, 2.5], [3.0, 4.0]]),
        ([[1.0, Value(2.5)], np.array([3, 4])], [[1.0, 2.5], [3.0, 4.0]]),
        ([[Fraction(1, 2), np.float32(2.5)], [3.0, 4]], [[0.5, 2.5], [3.0, 4.0]]),
        ([1, Constant(2.0, "x"), np.float64(3.0)], [[1.0], [2.0], [3.0]]),
        ([np.ones((2, 2)), [[1, 2], [3, 4]]], None),
        ([np.ones((2, 2)), np.arange(4).reshape(2, 2)], [[1.0] * 4, [0.0, 1.0, 2.0, 3.0]]),
        ([{"a": 1, "b": [2, 3]}, {"a": 4, "b": (5, 6)}], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
        ([("left", 1.0), ("left", 2.0)], [[1.0], [2.0]]),
        ([[], []], [[], []]),
    ],
)
def test_rows_stand_in_the_reverse_order(inputs: list[Any], rows: Any) -> None:
    cases = [(entry, 0.0) for entry in inputs]
    if rows is None:
        with pytest.raises(TypeError, match="they need the same form"):
            CaseRows.of(cases, "cases")
        return
    made = CaseRows.of(cases, "cases")
    assert made.rows.tolist() == [[*row, 0.0] for row in rows[::-1]]
    assert made.rows.dtype == np.float64
    assert made.targets.tolist() == [[0.0]] * len(rows)


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([([1.0], 0.0), ([1.0, 2.0], 0.0)], r"inputs of cases\[1\] is a list of 2 numbers, .* a list of 1 number: a"),
        ([([1.0], 0.0), ([1.0], [0.0])], r"target of cases\[1\] is a list of 1 number, and that of .* a number"),
        ([(np.ones(2), 0.0), (np.ones(3), 0.0)], r"inputs of cases\[1\] is an array of shape \(3,\)"),
        ([([1.0], "yes"), ([1.0], "no")], r"target of cases\[1\] is 'no', and that of cases\[0\] 'yes'"),
        ([({"a": [1.0]}, 0.0), ({"b": [1.0]}, 0.0)], r"cases\[1\] is \{'b': a list of 1 number\}, and that of"),
        ([([1.0], 0.0), ({1.0}, 0.0)], r"inputs of cases\[1\] cannot be recorded: expected numbers, .*got \{1\.0\}"),
        ([([1.0], 0.0), (np.array([1j]), 0.0)], r"inputs of cases\[1\] cannot be recorded: .*arrays of them"),
    ],
)
def test_cases_that_one_program_cannot_run_are_refused(cases: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message + ".*leave out compiled=True"):
        CaseRows.of(cases, "cases")


def test_validation_has_the_form_of_the_cases() -> None:
    cases, validation = CaseRows.of([([1.0], 0.0)], "cases"), CaseRows.of([((2.0,), 1)], "validation")
    validation.check_like(cases, "validation", "cases")
    with pytest.raises(TypeError, match=r"the target of validation\[0\] is a list of 1 number, and that of cases\[0\]"):
        CaseRows.of([([1.0], [0.0])], "validation").check_like(cases, "validation", "cases")
