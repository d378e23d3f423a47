"""Trees of numbers, their structures, and how they are put together again."""

from __future__ import annotations

import copy
import math
import pickle
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, compile, grad, hessian, jacobian, jvp, no_grad, value_and_grad, vjp
from autograd.trees import cut, fill, flatten, leaves_of, named_leaves, numbers_of, unflatten


class Point(NamedTuple):
    x: Any
    y: Any


class Pair(tuple[Any, ...]):
    """A tuple of a class of its own, which takes two arguments."""

    def __new__(cls, first: Any, second: Any) -> Pair:
        return tuple.__new__(cls, (first, second))


class Weights(list[Any]):
    """A list of a class of its own, with an attribute."""

    name = "none"


class Settings(dict[str, Any]):
    """A dict of a class of its own."""


@dataclass
class Layer:
    weights: Any
    bias: Any = 0.0
    kind: str = "relu"
    made: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.made = 1.0


@dataclass(frozen=True, slots=True)
class Case:
    inputs: Any
    target: Any


def named(*entries: Any) -> Weights:
    weights = Weights(entries)
    weights.name = "named"
    return weights


LEAVES = st.one_of(
    st.floats(allow_nan=False), st.none(), st.booleans(), st.text(max_size=3), st.sampled_from([1 + 2j, b"b", (), []])
)
TREES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.lists(parts, max_size=4),
        st.lists(parts, max_size=4).map(tuple),
        st.lists(parts, max_size=4).map(lambda entries: named(*entries)),
        st.dictionaries(st.one_of(st.text(max_size=3), st.integers(), st.booleans()), parts, max_size=4),
        st.dictionaries(st.text(max_size=3), parts, max_size=4).map(OrderedDict),
        st.dictionaries(st.text(max_size=3), parts, max_size=4).map(Settings),
        st.dictionaries(st.text(max_size=3), parts, max_size=4).map(lambda entries: defaultdict(float, entries)),
        st.builds(Point, parts, parts),
        st.builds(Pair, parts, parts),
        st.builds(Layer, parts, parts),
        st.builds(Case, parts, parts),
    ),
    max_leaves=20,
)


def identical(one: Any, other: Any) -> bool:
    """Whether two trees have the same classes and the same leaves."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        kinds = [getattr(each, "default_factory", None) for each in (one, other)]
        is_alike = kinds[0] is kinds[1] and list(map(repr, one)) == list(map(repr, other))
        return is_alike and all(map(identical, one.values(), other.values()))
    if isinstance(one, list | tuple):
        is_alike = len(one) == len(other) and getattr(one, "name", "") == getattr(other, "name", "")
        return is_alike and all(map(identical, one, other))
    if isinstance(one, Layer):
        return identical(vars(one), vars(other))
    if isinstance(one, Case):
        return identical((one.inputs, one.target), (other.inputs, other.target))
    return repr(one) == repr(other)


@given(TREES)
def test_each_leaf_is_named_as_python_reads_it(tree: Any) -> None:
    found = list(named_leaves("tree", tree, float))
    assert all(eval(path, {"tree": tree}) is leaf for path, leaf in found)
    assert [leaf for _, leaf in found] == flatten(tree)[0]


@given(TREES)
def test_a_tree_is_put_together_again(tree: Any) -> None:
    leaves, structure = flatten(tree)
    assert all(type(leaf) is float for leaf in leaves)
    assert structure.size == len(leaves) == len(structure.shapes)
    for made in (unflatten(structure, leaves), unflatten(structure, cut(structure, np.array(leaves, np.float64)))):
        again, other = flatten(made)
        assert identical(made, tree)
        assert (again, other) == (leaves, structure)
    assert flatten(tree)[1] == structure
    assert list(map(float, leaves_of(structure, tree))) == leaves
    row = np.empty(structure.size)
    assert not fill(structure, tree, row) or row.tolist() == leaves


def test_neither_init_nor_post_init_is_called_again() -> None:
    layer = Layer([1.0, 2.0])
    layer.made = 7.0
    layer.note = "later"  # type: ignore[attr-defined]  # an attribute that is no field
    made = grad(lambda it: it.weights[0] * it.weights[1] + it.bias * it.made)(layer)
    assert (made.weights, made.bias, made.kind, made.made) == ([2.0, 1.0], 7.0, "relu", 0.0)
    assert (made.note, layer.made) == ("later", 7)
    assert grad(lambda case: case.inputs[0] * case.target)(Case([2.0], 3.0)) == Case([3.0], 2.0)


def test_structures_that_differ() -> None:
    trees = [
        1.0, [1.0], (1.0,), [1.0, 2.0], {"a": 1.0}, {"b": 1.0}, OrderedDict(a=1.0), True, "1", None, Point(1.0, 2.0),
        (1.0, 2.0), [[1.0]], np.zeros(1), np.zeros(2), np.zeros((1, 1)), {"a": 1.0, "b": 2.0}, {"b": 1.0, "a": 2.0},
        False, [], (), {}, np.zeros(0), Pair(1.0, 2.0), {1: 1.0}, {True: 1.0}, Layer(1.0), Case(1.0, 2.0),
        Layer(1.0, kind="tanh"), named(1.0), Weights([1.0]), 1j, b"1",
    ]  # fmt: skip
    structures = [flatten(tree)[1] for tree in trees]
    assert len(set(structures)) == len(trees)
    assert all(a != b for i, a in enumerate(structures) for b in structures[:i])
    assert defaultdict(int) == defaultdict(float)
    assert flatten(defaultdict(int))[1] != flatten(defaultdict(float))[1]


def test_static_arguments_are_told_apart_by_class_sign_and_value() -> None:
    leaves = [0.0, -0.0, 1, 1.0, True, (1,), (True,), (1.0,), ((0.0,),), ((-0.0,),), math.nan, np.float64(0.0), 1j, -1j,
              Decimal(0), Fraction(1), frozenset([1]), frozenset([True])]  # fmt: skip
    seen: list[Any] = []
    function = compile(lambda x, n: seen.append(n) or x, static_argnums=1)  # type: ignore[func-returns-value]
    for leaf in [*leaves, *leaves, float("nan"), (math.nan,), (float("nan"),)]:
        assert function(1.0, leaf) == 1.0
    assert list(map(repr, seen)) == [*map(repr, leaves), "(nan,)"]


def test_structures_are_pickled_and_copied() -> None:
    leaves, structure = flatten({"w": [1.0, (2.0, np.zeros((1, 2)))], "kind": None})
    for other in (pickle.loads(pickle.dumps(structure)), copy.deepcopy(structure)):
        assert other == structure
        assert repr(unflatten(other, leaves)) == repr(unflatten(structure, leaves))


@pytest.mark.parametrize(
    "number", [3, np.float32(3), np.int64(3), np.array(3.0), Fraction(3), np.array(3), np.uint8(3)]
)
def test_any_real_number_is_a_number(number: Any) -> None:
    leaves, structure = flatten(number)
    assert (leaves, str(structure)) == ([3.0], "a number")
    assert type(leaves[0]) is float


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.arange(6).reshape(2, 3),
        np.arange(6, dtype=np.uint8),
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
def test_an_array_is_a_row_of_floats(array: Any) -> None:
    leaves, structure = flatten({"a": array})
    assert (leaves[0].shape, leaves[0].dtype, structure.size) == ((array.size,), np.float64, array.size)
    assert numbers_of(leaves) == np.asarray(array).astype(float).ravel().tolist()
    for numbers in (numbers_of(leaves), np.array(numbers_of(leaves))):
        made = unflatten(structure, cut(structure, numbers))["a"]
        assert (made.shape, made.dtype) == (array.shape, np.float64)
        assert made.tolist() == array.astype(float).tolist()
    values = unflatten(structure, cut(structure, [Value(0.0)] * array.size))["a"]
    assert values.dtype == (object if array.size else np.float64)


def test_values_are_numbers_where_they_are_said_to_be() -> None:
    x = Value(3.0)
    leaves, structure = flatten([x, np.array([x, 1.0], object), 2], Value)
    assert leaves[0] is x
    assert numbers_of(leaves) == [x, x, 1.0, 2.0]
    assert str(structure) == "[a number, an array of shape (2,), a number]"
    assert flatten([x, 1.0])[1] != structure
    assert flatten(x)[0] == []


def test_leaves_that_may_not_be_static_are_refused() -> None:
    wrong: Any
    for wrong in (object(), {1.0, 2.0}, b"bytes", 1j, Decimal(1), np.array([1j]), np.array(["a"]), iter([1.0]), [True]):
        for tree in (wrong, [1.0, wrong], {"a": (wrong,)}, Layer(wrong, kind="")):
            with pytest.raises(TypeError, match=r"expected numbers, or lists, .* got"):
                flatten(tree, (), str)
    for wrong in (np.array([None], object), np.array(["1.5"], object), np.array([True, 1.0], object)):
        with pytest.raises(TypeError, match="expected a real number"):
            flatten(wrong)


def test_structures_in_words() -> None:
    trees = {
        "a number": 1.0,
        "a list of 2 numbers": [1.0, 2.0],
        "a tuple of 1 number": (1.0,),
        "an array of shape (2, 3)": np.zeros((2, 3)),
        "[a list of 1 number, None]": [[1.0], None],
        "(None,)": (None,),
        "{'w': a list of 1 number, 'b': 'text'}": {"w": [1.0], "b": "text"},
        "Point(a number, a number)": Point(1.0, 2.0),
        "Case('inputs': a number, 'target': None)": Case(1.0, None),
        "[[], [], [], [], [], [], …]": [[]] * 9,
    }
    assert [str(flatten(tree)[1]) for tree in trees.values()] == list(trees)


def test_what_does_not_have_a_structure_is_refused() -> None:
    structure = flatten({"a": [1.0, (2.0, "text")], "b": Layer(3.0)})[1]
    fits = {"b": Layer("anything"), "a": (object, [None, "text"])}
    assert leaves_of(structure, fits) == [object, None, "anything", 0.0, 1]
    assert leaves_of(structure, {"a": None, "b": None}) == [None] * 5
    for wrong, expected in [
        ([1.0], r"expected \{'a': .* got \[1\.0\] of type list"),
        ({"a": fits["a"]}, r"expected \{'a'"),
        ({**fits, "a": [1.0]}, r"expected \[a number, \(a number, 'text'\)\], .* got \[1\.0\]"),
        ({**fits, "a": np.zeros(2)}, r"got an array of shape \(2,\)"),
        ({**fits, "a": [1.0, (2.0, "other")]}, "expected 'text', as when the function was recorded, got 'other'"),
        ({**fits, "b": Case(1.0, 2.0)}, r"expected Layer\("),
    ]:
        with pytest.raises(TypeError, match=expected):
            leaves_of(structure, wrong)


# What derivatives and compiled functions make of trees.


def test_grad_takes_what_compile_takes() -> None:
    def square(p: Any) -> Any:
        return p["w"] ** 2

    tree = {"w": 3.0, "kind": "relu"}
    assert compile(square)(tree) == 9.0
    for slope in (grad(square), compile(grad(square))):
        assert slope(tree) == {"w": 6.0, "kind": "relu"}
        assert slope(MappingProxyType(tree)) == {"w": 6.0, "kind": "relu"}
    assert grad(lambda p: p[0] ** 2)([3.0, None]) == [6.0, None]
    assert value_and_grad(lambda p, on: p[0] ** 2 if on else p[0], argnums=(0, 1))([3.0], True) == (9.0, ([6.0], True))
    for function in (grad, jacobian):
        assert type(function(lambda p: p[0] * p[1])(Pair(3.0, 4.0))) is Pair
    assert type(compile(lambda p: p)(Pair(3.0, 4.0))) is Pair
    assert jvp(lambda p: {"y": p["w"], "kind": p["kind"]}, [tree], [{"w": 2.0}]) == (
        {"y": 3.0, "kind": "relu"},
        {"y": 2.0, "kind": "relu"},
    )
    assert vjp(lambda p: [p["w"] * 2.0, None], tree)[1]([1.0, None]) == ({"w": 2.0, "kind": "relu"},)
    assert hessian(square)(tree) == {"w": {"w": 2.0, "kind": "relu"}, "kind": "relu"}
    with no_grad():
        assert grad(square)(tree) == {"w": 6.0, "kind": "relu"}


@pytest.mark.parametrize(
    "tree",
    [named(3.0, 4.0), OrderedDict(a=3.0, b=4.0), defaultdict(int, a=3.0), Layer([3.0], 4.0), Case([3.0], 4.0),
     Point(3.0, [4.0]), Settings(a=[3.0])],
    ids=lambda tree: type(tree).__name__,
)  # fmt: skip
def test_containers_stay_what_they_are(tree: Any) -> None:
    compiled = compile(lambda p: p)
    for _ in range(2):
        assert identical(compiled(tree), tree)
    ones = grad(lambda p: sum(leaf for leaf in flatten(p, Value)[0]))(tree)
    assert type(ones) is type(tree)
    assert set(flatten(ones)[0]) == {1.0}


def test_what_is_no_number_is_no_argument_to_differentiate_by() -> None:
    for wrong in ("text", True, None, object()):
        with pytest.raises(TypeError, match="expected a real number"):
            grad(lambda x: 1.0)(wrong)
    with pytest.raises(TypeError, match="grad needs a function whose result is one number, got 0"):
        grad(lambda x: None)(1.0)
    assert grad(lambda v: 1.0)([]) == []
