"""Sparse derivatives: where their entries stand, what they hold, in which calls, and what is refused."""

import copy
import pickle
import random
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, compile, grad, hessian, jacobian, sin, sqrt, stop_gradient, vjp, where
from autograd.calculus.sparse_matrices import Pattern

sparse = pytest.importorskip("scipy.sparse", reason="SciPy, which holds sparse matrices, is not installed here")


def rosenbrock(x: Any) -> Any:
    return autograd.sum([100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])


def brusselator(y: Any) -> Any:
    """Two substances that react and spread along a line: half the numbers are of each."""
    count = len(y) // 2
    u, v, rate = y[:count], y[count:], (count + 1) ** 2 / 50

    def spread(w: Any, end: float) -> Any:
        return rate * (np.concatenate([[end], w[:-1]]) - 2.0 * w + np.concatenate([w[1:], [end]]))

    return np.concatenate([1.0 + u * u * v - 4.0 * u + spread(u, 1.0), 3.0 * u - u * u * v + spread(v, 3.0)])


def same(a: Any, b: Any) -> bool:
    """Whether two matrices have the same entries at the same places, to the last bit."""
    parts = ("indptr", "indices", "data")
    return a.shape == b.shape and all(getattr(a, part).tobytes() == getattr(b, part).tobytes() for part in parts)


def places(matrix: Any) -> set[tuple[int, int]]:
    return set(zip(*map(list, matrix.nonzero()), strict=True))


# Figures from outside.


def test_the_jacobian_of_the_brusselator() -> None:
    y = np.random.default_rng(1).uniform(0.5, 2.0, 40)
    u, v, rate = y[:20], y[20:], 21**2 / 50
    beside = rate * sparse.diags_array([np.ones(19), -2.0 * np.ones(20), np.ones(19)], offsets=[-1, 0, 1])
    expected = sparse.block_array(
        [
            [beside + sparse.diags_array(2 * u * v - 4), sparse.diags_array(u**2)],
            [sparse.diags_array(3 - 2 * u * v), beside - sparse.diags_array(u**2)],
        ]
    )
    found = jacobian(brusselator, sparse=True)(y)
    np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-14)
    assert places(found) == places(expected.tocsr())
    assert found.nnz == 4 * 40 - 4


def test_the_hessian_of_the_chained_rosenbrock_function() -> None:
    size = 1000
    x = 1.0 + 0.001 * np.arange(size)
    found = hessian(rosenbrock, sparse=True)(x)
    assert found.nnz == 3 * size - 2
    middle = 1200 * x[1:-1] ** 2 - 400 * x[2:] + 202
    np.testing.assert_allclose(found.diagonal()[1:-1], middle, rtol=1e-13)
    np.testing.assert_allclose(found.diagonal(1), -400 * x[:-1], rtol=1e-14)
    np.testing.assert_array_equal(found.diagonal(1), found.diagonal(-1))


# The format, and the pattern.


def test_the_format() -> None:
    for found in (
        jacobian(brusselator, sparse=True)(np.ones(8)),
        compile(jacobian(brusselator, sparse=True))(np.ones(8)),
    ):
        assert type(found) is sparse.csr_array
        assert (found.dtype, found.indices.dtype, found.indptr.dtype) == (np.float64, np.int32, np.int32)
        assert all((np.diff(found.indices[a:b]) > 0).all() for a, b in pairwise(found.indptr))
        assert found.has_canonical_format
        found.check_format()


def test_an_entry_stands_where_an_output_is_computed_from_an_input() -> None:
    def function(x: Any) -> list[Any]:
        a, b, c = x
        return [a, 2.0, a, b * 0.0, c - c, stop_gradient(a) * b, where(a > 0.0, a, b), sin(c), 1.0 * a + 0.0 * c]

    x = [1.0, 2.0, 0.0]
    found = jacobian(function, sparse=True)(x)
    rows = [found.indices[a:b].tolist() for a, b in pairwise(found.indptr)]
    assert rows == [[0], [], [0], [1], [2], [1], [0, 1], [2], [0, 2]]
    assert found.data.tolist() == [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0]


def test_a_pattern_does_not_depend_on_the_numbers() -> None:
    def function(x: Any) -> Any:
        return x[0] ** 3 * x[1] + x[2]

    for x in ([0.0, 0.0, 0.0], [1.0, 2.0, 3.0]):
        found = hessian(function, sparse=True)(x)
        assert [found.indices[a:b].tolist() for a, b in pairwise(found.indptr)] == [[0, 1], [0], []]


def test_of_zeros_the_sign_is_kept() -> None:
    found = jacobian(lambda x: [x[0] * 0.0, x[1] * -0.0], sparse=True)([1.0, 1.0])
    assert np.signbit(found.data).tolist() == [False, True]


@pytest.mark.parametrize("empty", [[], [1.0]])
def test_without_entries(empty: list[float]) -> None:
    for change in (lambda f: f, compile):
        found = change(jacobian(lambda x, y: [z * 2.0 for z in y], sparse=True))([1.0, 2.0], empty)
        assert (found.shape, found.nnz) == ((len(empty), 2), 0)
        found = change(hessian(lambda x: x[0] + 2.0 * x[1], sparse=True))([1.0, 2.0])
        assert (found.shape, found.nnz, found.dtype) == ((2, 2), 0, np.float64)


# Numbers and trees.


def test_numbers() -> None:
    assert jacobian(sin, sparse=True)(0.0).toarray().tolist() == [[1.0]]
    assert hessian(lambda x: x**3, sparse=True)(2.0).toarray().tolist() == [[12.0]]
    assert jacobian(lambda x, y: [x * y, y], argnum=1, sparse=True)(2.0, 3.0).toarray().tolist() == [[2.0], [1.0]]
    assert hessian(lambda x, y: x * y**2, argnum=1, sparse=True)(2.0, 3.0).toarray().tolist() == [[4.0]]


def test_rows_and_columns_count_the_numbers_of_trees() -> None:
    def function(parameters: dict[str, Any], x: Any) -> Any:
        return {"first": parameters["w"] @ x, "rest": [parameters["b"] * x[0], x[1]]}

    w, b, x = np.arange(6.0).reshape(2, 3), 5.0, np.array([1.0, 2.0, 3.0])
    by_parameters = jacobian(function, sparse=True)({"w": w, "b": b}, x)
    expected = np.zeros((4, 7))
    expected[0, :3] = expected[1, 3:6] = x
    expected[2, 6] = x[0]
    np.testing.assert_array_equal(by_parameters.toarray(), expected)
    assert by_parameters.nnz == 7
    by_x = [[*w[0]], [*w[1]], [b, 0.0, 0.0], [0.0, 1.0, 0.0]]
    for argnums in ((1, 0), (-1, 0)):
        by_both = jacobian(function, argnums, sparse=True)({"w": w, "b": b}, x)
        np.testing.assert_array_equal(by_both.toarray(), np.hstack([by_x, expected]))
    second = hessian(lambda a, b: a * a * b, (1, 0), sparse=True)(3.0, 2.0)
    assert second.toarray().tolist() == [[0.0, 6.0], [6.0, 4.0]]
    assert places(second) == {(0, 1), (1, 0), (1, 1)}


def test_an_auxiliary_result() -> None:
    found, aux = jacobian(lambda x: (x**2, {"x": x}), has_aux=True, sparse=True)(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(found.toarray(), np.diag([2.0, 4.0]))
    np.testing.assert_array_equal(aux["x"], [1.0, 2.0])
    found, aux = hessian(lambda x: (x**3, x), has_aux=True, sparse=True)(2.0)
    assert (found.toarray().tolist(), aux) == ([[12.0]], 2.0)


def test_a_matrix_within_an_auxiliary_result() -> None:
    """It depends on another argument than that which is differentiated by."""

    def function(x: Any, y: Any) -> Any:
        return x**2, {"slopes": [jacobian(np.square, sparse=True)(y)]}

    y = np.array([1.0, 2.0])
    for change in (lambda f: f, compile):
        slope, aux = change(grad(function, has_aux=True))(3.0, y)
        assert (slope, aux["slopes"][0].toarray().tolist()) == (6.0, [[2.0, 0.0], [0.0, 4.0]])
    _, aux = grad(function, has_aux=True)(3.0, np.array([Value(1.0), Value(2.0)]))
    assert aux["slopes"][0].data.tolist() == [2.0, 4.0]


def test_an_argument_that_is_named_twice_is_refused() -> None:
    for argnums in ((0, 0), (1, -1)):
        with pytest.raises(ValueError, match="argnums names an argument twice"):
            jacobian(lambda x, y: x * y, argnums, sparse=True)(1.0, 2.0)


# Beside the dense ones, and compiled.


def random_function(generator: random.Random, inputs: int, outputs: int) -> Callable[[Any], Any]:
    """A function whose outputs are made of a few inputs and of what others were made of."""
    names = ("tanh", "sin", "exp", "__abs__", "relu")
    steps = [
        (generator.randrange(5), generator.random(), generator.random(), generator.choice(names))
        for _ in range(generator.randrange(2 * outputs + 4))
    ]
    chosen = [generator.random() for _ in range(outputs)]

    def function(x: Any) -> list[Any]:
        known = list(x)
        for kind, a, b, name in steps:
            left, right = known[int(a * len(known))], known[int(b * len(known))]
            made = [lambda: left + right, lambda: left * right, lambda: left - 0.5, lambda: left**2]  # noqa: B023
            known.append(made[kind]() if kind < 4 else getattr(left * 0.25, name)())
        return [known[int(a * len(known))] for a in chosen]

    return function


@pytest.mark.parametrize("seed", range(60))
def test_it_has_the_bits_of_the_dense_one_also_compiled(seed: int) -> None:
    generator = random.Random(seed)
    inputs, outputs = generator.randrange(1, 7), generator.randrange(1, 12)
    function = random_function(generator, inputs, outputs)
    x = [generator.uniform(-1.0, 1.0) for _ in range(inputs)]
    ways: list[tuple[Any, Any, Any]] = [
        (jacobian(function), jacobian(function, sparse=True), function),
        (
            hessian(lambda x: autograd.sum(function(x))),
            hessian(lambda x: autograd.sum(function(x)), sparse=True),
            grad(lambda x: autograd.sum(function(x))),
        ),
    ]
    for full, found, other in ways:
        dense, matrix = np.array(full(x)), found(x)
        assert (matrix.toarray() == dense).all()
        assert same(matrix, compile(found)(x))
        leaves = [Value(number) for number in x]  # entries stand where what is differentiated reaches an input
        reached = [
            {i for i, leaf in enumerate(leaves) if any(leaf is node for node in autograd.topological_order(output))}
            if isinstance(output, Value)
            else set()
            for output in other(leaves)
        ]
        assert [set(matrix.indices[a:b].tolist()) for a, b in pairwise(matrix.indptr)] == reached


def test_the_mode_is_the_same_when_it_is_compiled() -> None:
    """Forward mode multiplies 0.1 · 0.2 · 0.3, reverse mode the other way round, which differs by rounding."""

    def function(x: Any) -> list[Any]:
        return [x * 0.1 * 0.2 * 0.3, x * 0.3 * 0.2 * 0.1]

    found = jacobian(function, sparse=True)(1.0)
    assert found.data.tolist() == [0.1 * 0.2 * 0.3, 0.3 * 0.2 * 0.1]
    assert same(found, compile(jacobian(function, sparse=True))(1.0))
    assert jacobian(function)(1.0) == compile(jacobian(function))(1.0) == found.data.tolist()


def test_work_grows_with_the_entries() -> None:
    """Each output of a line of 400 takes as many operations as one of 200, whichever way is taken."""

    def size(change: Any, function: Any, count: int) -> int:
        return len(compile(change(function, sparse=True)).program(np.ones(count)))

    for change, function in ((jacobian, brusselator), (hessian, rosenbrock)):
        few, many = (size(change, function, count) for count in (200, 400))
        assert many < 2.05 * few

    def orbit(start: Any, steps: int = 300) -> list[Any]:
        x, y = start
        found = []
        for _ in range(steps):
            x, y = x + 0.01 * y, y - 0.01 * sin(x)
            found += [x, y]
        return found

    assert size(jacobian, orbit, 2) < 30 * 300  # by columns, where rows would take steps × steps operations
    start = [1.0, 0.5]
    assert (jacobian(orbit, sparse=True)(start).toarray() == np.array(jacobian(orbit)(start))).all()


def test_compiled_within_a_tree() -> None:
    @compile
    def both(x: Any) -> Any:
        first = jacobian(brusselator, sparse=True)(x)
        return {"value": brusselator(x), "slopes": first, "sum": first.data.sum()}

    y = np.linspace(0.5, 1.5, 12)
    found = both(y)
    expected = jacobian(brusselator, sparse=True)(y)
    assert same(found["slopes"], expected)
    assert found["sum"] == pytest.approx(expected.sum(), rel=1e-13)
    np.testing.assert_array_equal(found["value"], brusselator(y))
    refused = "expected the data or the pattern of a sparse matrix of Values, which has no arithmetic, got "
    computations: list[Any] = [lambda m, x: m @ x, lambda m, x: x * m, lambda m, _: np.sin(m)]
    for compute in computations:
        with pytest.raises(TypeError, match=f"{refused}numpy"):
            compile(lambda x: compute(jacobian(brusselator, sparse=True)(x), x))(y)  # noqa: B023  # called here
    with pytest.raises(AttributeError, match=f"{refused}the attribute 'sum'"):
        compile(lambda x: jacobian(brusselator, sparse=True)(x).sum())(y)


def test_results_do_not_share_memory() -> None:
    code = compile(hessian(lambda x: x[0] ** 3 + x[1] * x[2], sparse=True))
    first = code(np.zeros(3))
    first.eliminate_zeros()
    assert first.nnz == 2
    second = code(np.ones(3))
    assert (second.nnz, second.toarray()[0, 0]) == (3, 6.0)
    second.indices[:] = 0
    assert code(np.ones(3)).indices.tolist() == [0, 2, 1]


def test_an_earlier_result_as_out() -> None:
    code = compile(jacobian(brusselator, sparse=True))
    one, other = np.linspace(0.5, 1.5, 8), np.linspace(2.0, 1.0, 8)
    matrix = code(one)
    for point in (other, one, other):
        assert code(point, out=matrix) is matrix
        assert same(matrix, code(point))
    copied = matrix.copy()
    assert code(one, out=copied) is copied
    assert same(copied, code(one))
    dropped = hessian(lambda x: x[0] ** 3 + x[1] * x[2], sparse=True)(np.zeros(3))
    twice = compile(hessian(lambda x: x[0] ** 3 + x[1] * x[2], sparse=True))
    twice(np.zeros(3), out=dropped)
    dropped.eliminate_zeros()
    for wrong in (dropped, sparse.csr_array((3, 3)), sparse.csr_array((2, 3)), np.zeros(3), np.zeros((3, 3))):
        with pytest.raises(TypeError, match=r"out must be .* expected a csr_array of shape \(3, 3\) with the pattern"):
            twice(np.ones(3), out=wrong)
    value_too = compile(lambda x: (brusselator(x), jacobian(brusselator, sparse=True)(x)))
    room = np.zeros(8)
    values, found = value_too(one, out=(room, matrix))
    assert values is room
    assert same(found, code(one))
    assert found.data is matrix.data


def test_batches() -> None:
    code = compile(jacobian(brusselator, sparse=True))
    points = np.random.default_rng(2).uniform(0.5, 1.5, (5, 8))
    each = code.batch(points)
    assert [same(found, code(point)) for found, point in zip(each, points, strict=True)] == [True] * 5
    mean = code.batch(points, reduce="mean")
    np.testing.assert_allclose(mean.toarray(), sum(found.toarray() for found in each) / 5, rtol=1e-14)
    total = code.batch(points, reduce="sum", out=mean)
    np.testing.assert_allclose(total.toarray(), sum(found.toarray() for found in each), rtol=1e-14)
    assert total.data is mean.data
    with pytest.raises(TypeError, match="expected a C-contiguous, writable array of float64 of shape"):
        code.batch(points, out=mean)


def test_repetition_records_matrices() -> None:
    @compile
    def step(y: Any) -> Any:
        return y + 0.001 * brusselator(y), jacobian(brusselator, sparse=True)(y)

    start = np.linspace(0.5, 1.5, 8)
    end, slopes = step.repeat(3, start)
    y = start
    for found in slopes:
        y, expected = step(y)
        assert same(found, expected)
    np.testing.assert_array_equal(end, y)
    with pytest.raises(ValueError, match="structure of the state"):
        compile(jacobian(brusselator, sparse=True)).repeat(2, start)


def test_loops_give_a_list_of_matrices() -> None:
    """The first derivatives of x³ at x, 2x, 4x; and of the rows of a table."""
    slopes = jacobian(lambda x: x**3, sparse=True)

    def function(x: Any, table: Any) -> Any:
        _, found = autograd.scan(lambda x, _: (2.0 * x, {"slopes": slopes(x), "x": x}), x, length=3)
        return found, autograd.map(lambda row: [slopes(row)], table)

    x, table = np.array([1.0, 2.0]), np.array([[1.0, 3.0], [0.0, 1.0]])
    for run in (function, compile(function)):
        found, (matrices,) = run(x, table)
        assert [matrix.toarray().tolist() for matrix in found["slopes"]] == [
            [[3.0 * k * k, 0.0], [0.0, 12.0 * k * k]] for k in (1.0, 2.0, 4.0)
        ]
        assert found["x"].shape == (3, 2)
        assert [matrix.diagonal().tolist() for matrix in matrices] == [[3.0, 27.0], [0.0, 3.0]]


def test_copies_and_pickles() -> None:
    code = compile(hessian(rosenbrock, sparse=True))
    x = np.linspace(0.5, 1.5, 6)
    found = code(x)
    assert same(copy.deepcopy(code)(x), found)
    assert same(pickle.loads(pickle.dumps(found)), found)
    assert same(copy.deepcopy(found), found)


def test_what_is_nan_is_computed_again_in_the_same_pattern() -> None:
    def function(x: Any) -> Any:
        return where(autograd.greater(x, 0.0), sqrt(x), 3.0 * x) * np.roll(x, 1)

    x = np.array([0.0, 4.0, 0.0, 9.0])
    expected = [[0.0 + 3.0 * 9.0, 0, 0, 0.0], [2.0, 0.0, 0, 0], [0, 0.0, 12.0, 0], [0, 0, 3.0, 0.0]]
    found, compiled = jacobian(function, sparse=True)(x), compile(jacobian(function, sparse=True))(x)
    np.testing.assert_array_equal(found.toarray(), expected)
    assert same(found, compiled)
    assert found.nnz == 8
    second = hessian(lambda x: function(x).sum(), sparse=True)
    assert same(second(x), compile(second)(x))


def test_an_operation_outside_its_domain() -> None:
    for change in (lambda f: f, compile):
        with pytest.raises(ValueError, match="sqrt"):
            change(jacobian(np.sqrt, sparse=True))(np.array([1.0, -1.0]))


# What is refused.


def test_it_is_not_differentiated_by_what_is_around_it() -> None:
    x, second = np.array([1.0, 2.0]), hessian(rosenbrock, sparse=True)
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: grad(lambda x: second(x).data[0])(x), "hessian"),
        (lambda: compile(grad(lambda x: second(x).data[0]))(x), "hessian"),
        (lambda: vjp(second, x), "hessian"),
        (lambda: jacobian(jacobian(brusselator, sparse=True))(x), "jacobian"),
        (lambda: hessian(lambda x: jacobian(brusselator, sparse=True)(x).data.sum(), sparse=True)(x), "jacobian"),
    ]
    for call, name in calls:
        with pytest.raises(TypeError, match=f"{name} with sparse=True cannot be differentiated .* leave out sparse="):
            call()
    # What does not depend on what is differentiated by is a matrix of plain numbers.
    assert grad(lambda x: x * second([1.0, 2.0]).sum())(3.0) == second([1.0, 2.0]).sum()


def test_called_with_values() -> None:
    x, y = Value(1.0), Value(2.0)
    found = hessian(lambda x: x[0] ** 3 * x[1], sparse=True)([x, y])
    assert [entry.data for entry in found.data] == [12.0, 3.0, 3.0]
    autograd.sum(found.data.tolist()).backward()
    assert (x.grad, y.grad) == (6.0 * 2.0 + 2 * 6.0, 6.0)
    with autograd.no_grad():
        assert hessian(lambda x: x[0] ** 3 * x[1], sparse=True)([x, y]).data[0].parents == ()


def test_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    for change in (lambda f: f, compile):
        with pytest.raises(ImportError, match=r"pip install 'stepgrad\[sparse\]', or leave out sparse=True"):
            change(jacobian(sin, sparse=True))(1.0)


def test_patterns_are_compared_by_their_places() -> None:
    one, other = Pattern([0, 1, 2], [0, 1], 2), Pattern([0, 1, 2], [0, 1], 2)
    assert (one == other, hash(one) == hash(other)) == (True, True)
    assert one != Pattern([0, 1, 2], [0, 0], 2)
    assert one != Pattern([0, 1, 2], [0, 1], 3)
    assert one != "pattern"
