"""Nestings of numbers, their forms, and how they are rebuilt."""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import Value
from autograd.programs.nesting import (
    NUMBER,
    Array,
    CallForm,
    Fixed,
    Floats,
    Leaf,
    Nested,
    as_floats,
    described,
    entries_of,
    flat,
    form_of,
    has_value,
    leaves_of,
    plain,
    put_together,
    rebuilder,
    rebuilt,
    rebuilt_from_rows,
    size_of,
    taken_apart,
)


class Point(NamedTuple):
    x: Any
    y: Any


class Pair(tuple[float, ...]):
    __slots__ = ()


TREES = [
    1.5,
    [],
    (),
    {},
    [1.0],
    (1.0, 2.0),
    [1.0, (2.0, [3.0])],
    {"b": 1.0, "a": [2.0, 3.0], 7: {"c": (4.0, 5.0)}},
    Point(1.0, [2.0, 3.0]),
    Point(Point(1.0, 2.0), {}),
    [None, "text", True, 1.0],
    Pair((1.0, 2.0)),
]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_a_nesting_is_rebuilt_with_its_classes(tree: Any) -> None:
    numbers: list[Leaf] = []
    form = form_of(tree, numbers)
    assert size_of(form) == len(numbers)
    for made in (rebuilt(form, iter(numbers)), rebuilder(form)(flat(numbers))):
        assert made == tree
        assert type(made) is type(tree)
    again: list[Leaf] = []
    assert form_of(tree, again) == form
    assert hash(form_of(tree, again)) == hash(form)


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_of_rows_each_number_becomes_an_array(tree: Any) -> None:
    numbers: list[Leaf] = []
    form = form_of(tree, numbers)
    row = flat(numbers)
    rows = np.array([row, row + 10.0, row + 20.0])
    by_row = [rebuilder(form)(each) for each in rows]
    made = rebuilt_from_rows(form, rows)
    assert [_row_of(made, i) for i in range(3)] == by_row


def _row_of(tree: Any, i: int) -> Any:
    if isinstance(tree, np.ndarray):
        return tree[i]
    if isinstance(tree, dict):
        return {key: _row_of(part, i) for key, part in tree.items()}
    if isinstance(tree, list | tuple):
        parts = [_row_of(part, i) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return tree


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.arange(6).reshape(2, 3),
        np.arange(6, dtype=np.uint8),
        np.arange(6, dtype=np.float32),
        np.arange(6, dtype=np.float16),
        np.arange(12.0)[::2],
        np.arange(12.0).reshape(3, 4).T,
        np.arange(6.0).astype(">f8"),
        np.empty((0, 3)),
        np.empty(0),
        np.array([[1, 2.5], [Fraction(1, 4), np.float32(3)]], object),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_arrays_are_float64_and_keep_their_shape(array: Any) -> None:
    numbers: list[Leaf] = []
    form = form_of(array, numbers)
    assert form == Array(array.shape)
    made = rebuilder(form)(flat(numbers))
    assert (made.shape, made.dtype) == (array.shape, np.float64)
    assert made.tolist() == array.astype(float).tolist()
    values = rebuilt(form, iter([Value(0.0)] * array.size))
    assert (values.shape, values.dtype) == (array.shape, object)


def test_what_is_rebuilt_from_rows_shares_no_memory_with_them() -> None:
    memory = np.arange(4.0)
    rows = rebuilt_from_rows(Nested(tuple, None, (NUMBER, Array((1,)))), memory.reshape(2, 2))
    memory[:] = -1.0
    assert [part.tolist() for part in rows] == [[0.0, 2.0], [[1.0], [3.0]]]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_a_nesting_is_taken_apart_and_put_together_by_its_form(tree: Any) -> None:
    form = form_of(tree, [])
    leaves = list(taken_apart(form, tree))
    forms = list(leaves_of(form))
    assert [np.shape(leaf) for leaf in leaves] == [getattr(leaf, "shape", ()) for leaf in forms]
    assert repr(put_together(form, iter(leaves))) == repr(tree)


@pytest.mark.parametrize("number", [3, np.float32(3), np.int64(3), np.array(3.0), Fraction(3), np.array(3)])
def test_any_real_number_is_a_number(number: Any) -> None:
    numbers: list[Leaf] = []
    assert form_of(number, numbers) is NUMBER
    assert numbers == [3.0]
    assert type(numbers[0]) is float


@pytest.mark.parametrize(
    "wrong",
    [object(), {1.0, 2.0}, b"bytes", 1j, Decimal(1), np.array([1j]), np.array(["a"]), np.array([True]),
     np.array([None], object), np.array(["1.5"], object), np.array(True), iter([1.0])],
)  # fmt: skip
def test_anything_else_is_refused(wrong: Any) -> None:
    for tree in (wrong, [1.0, wrong], {"a": (wrong,)}):
        with pytest.raises(TypeError, match="expected"):
            form_of(tree, [])


def test_forms_that_differ() -> None:
    trees = [
        1.0, [1.0], (1.0,), [1.0, 2.0], {"a": 1.0}, {"b": 1.0}, OrderedDict(a=1.0), True, "1", None, Point(1.0, 2.0),
        (1.0, 2.0), [[1.0]], np.zeros(1), np.zeros(2), np.zeros((1, 1)), {"a": 1.0, "b": 2.0}, {"b": 1.0, "a": 2.0},
        False, [], (), {}, np.zeros(0), Pair((1.0, 2.0)),
    ]  # fmt: skip
    forms = [form_of(tree, []) for tree in trees]
    assert len(set(forms)) == len(trees)
    assert Fixed(int, 1) != Fixed(bool, True)
    assert Fixed(int, 1) != Fixed(float, 1.0)


def test_numbers_of_any_kind_as_one_array_or_list() -> None:
    numbers: list[Leaf] = [1.0, np.array([2.0, 3.0]), 4.0, np.empty(0)]
    assert flat(numbers).tolist() == [1.0, 2.0, 3.0, 4.0]
    assert flat([]).tolist() == []
    assert flat([1.0]).dtype == np.float64
    assert plain([*numbers, Value(5.0)]) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert has_value([1.0, Value(2.0)])
    assert not has_value(numbers)


def test_arrays_that_hold_no_real_numbers_are_refused() -> None:
    assert as_floats(np.array([1, 2])).tolist() == [1.0, 2.0]
    for wrong in (np.array(["1.0"]), np.array([1j]), np.array([True]), np.array(["1.0"], object)):
        with pytest.raises(TypeError, match="expected"):
            as_floats(wrong)


def test_forms_in_words() -> None:
    trees = {
        "a number": 1.0,
        "a list of 2 numbers": [1.0, 2.0],
        "a tuple of 1 number": (1.0,),
        "an array of shape (2, 3)": np.zeros((2, 3)),
        "[a list of 1 number, None]": [[1.0], None],
        "(None,)": (None,),
        "{'w': a list of 1 number, 'b': 'text'}": {"w": [1.0], "b": "text"},
        "Point(a number, a number)": Point(1.0, 2.0),
        "[[], [], [], [], [], [], …]": [[]] * 9,
    }
    assert [described(form_of(tree, [])) for tree in trees.values()] == list(trees)


def test_entries_of_forms() -> None:
    assert entries_of(Floats(tuple, 2)) == (NUMBER, NUMBER)
    assert entries_of(Nested(list, None, (NUMBER, Array((2,))))) == (NUMBER, Array((2,)))
    assert entries_of(Nested(dict, ("a",), (NUMBER,))) == (Nested(dict, ("a",), (NUMBER,)),)
    assert entries_of(Array((2,))) == (Array((2,)),)


def test_a_call_is_rebuilt_in_the_order_of_its_arguments() -> None:
    form = CallForm((NUMBER, Fixed(str, "s"), Floats(list, 2)), (("scale", NUMBER),))
    assert form.rebuilt(iter([1.0, 2.0, 3.0, 4.0])) == ([1.0, "s", [2.0, 3.0]], {"scale": 4.0})
