"""The tool of GradBench answers messages in its form, with outputs as formulas, SciPy or GradBench itself have them."""

import io
import itertools
import json
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, wishart

from tests.benchmarks.gradbench_tool import MODULES, serve
from tests.benchmarks.programs.objectives import JOINTS, hand

pytestmark = pytest.mark.engine_independent

Array = np.ndarray[Any, Any]


def answers(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    """What is answered to messages with ids from 0."""
    lines = io.StringIO(
        "".join(json.dumps({"id": number, **message}) + "\n" for number, message in enumerate(messages))
    )
    found = io.StringIO()
    serve(lines, found)
    return [json.loads(line) for line in found.getvalue().splitlines()]


def output(module: str, function: str, given: Any) -> Any:
    """The output of an evaluation."""
    message = {"kind": "evaluate", "module": module, "function": function, "input": given}
    (answer,) = answers(message)
    assert answer["success"], answer["error"]
    return answer["output"]


def close(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """Compare numbers with the largest of them."""
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape
    assert np.abs(np.asarray(found) - expected).max() <= tolerance * np.abs(expected).max()


def slopes(function: Callable[[Array], Any], x: Array, step: float = 1e-5) -> Array:
    """The derivative by each number of x: central differences."""
    columns = []
    for place in range(x.size):
        moved = np.zeros(x.size)
        moved[place] = step
        ahead, behind = function(x + moved.reshape(x.shape)), function(x - moved.reshape(x.shape))
        columns.append((np.asarray(ahead) - np.asarray(behind)) / (2.0 * step))
    return np.stack(columns, axis=-1)


# The messages.


def test_each_message_is_answered_with_its_id_and_in_its_form() -> None:
    start, defined, unknown, evaluated, analysis, failed, end = answers(
        {"kind": "start", "eval": "llsq", "config": {"seed": 1}},
        {"kind": "define", "module": "llsq"},
        {"kind": "define", "module": "foo"},
        {"kind": "evaluate", "module": "llsq", "function": "primal", "input": {"x": [0.5], "n": 3, "min_runs": 4}},
        {"kind": "analysis", "of": 3, "valid": True},
        {"kind": "evaluate", "module": "llsq", "function": "bar", "input": 1.0, "description": "1.0"},
        {"kind": "end"},
    )
    assert start == {"id": 0, "tool": "stepgrad"}
    assert defined == {"id": 1, "success": True}
    assert unknown == {"id": 2, "success": False, "error": "there is no module foo"}
    timings = evaluated.pop("timings")
    assert evaluated == {"id": 3, "success": True, "output": 0.5 * (1.5**2 + 0.5**2 + 0.5**2)}
    assert [timing["name"] for timing in timings] == ["prepare"] + 4 * ["evaluate"]
    assert all(type(timing["nanoseconds"]) is int and timing["nanoseconds"] > 0 for timing in timings)
    assert analysis == {"id": 4}
    assert (failed["id"], failed["success"]) == (5, False)
    assert "KeyError: 'bar'" in failed["error"]
    assert end == {"id": 6}


def test_it_runs_as_long_as_it_is_asked_to() -> None:
    message = {"kind": "evaluate", "module": "lse", "function": "primal", "input": {"x": [1.0], "min_seconds": 0.02}}
    (answer,) = answers(message)
    times = [timing["nanoseconds"] for timing in answer["timings"] if timing["name"] == "evaluate"]
    assert sum(times) >= 2e7
    assert sum(times[:-1]) < 2e7


def test_the_log_of_hello_in_the_readme_of_gradbench_as_a_process() -> None:
    names = itertools.cycle(["square", "double"])
    inputs = [1.0, 1.0, 2.0, 4.0, 8.0, 64.0, 128.0, 16384.0]
    messages: list[dict[str, Any]] = [{"kind": "start", "eval": "hello"}, {"kind": "define", "module": "hello"}]
    for x in inputs:
        messages.append({"kind": "evaluate", "module": "hello", "function": next(names), "input": x})
        messages.append({"kind": "analysis", "of": len(messages) - 1, "valid": True})
    lines = "".join(json.dumps({"id": number, **message}) + "\n" for number, message in enumerate(messages))
    command = [sys.executable, "-m", "tests.benchmarks.gradbench_tool"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in found] == list(range(18))
    assert [answer["output"] for answer in found if "output" in answer] == [*inputs[1:], 32768.0]


# Formulas.


def test_least_squares() -> None:
    x, t = np.array([0.3, -1.2, 0.5, 2.0]), np.linspace(-1.0, 1.0, 7)
    residuals = np.sign(t) - np.polynomial.polynomial.polyval(t, x)
    given = {"x": x.tolist(), "n": 7}
    close(output("llsq", "primal", given), 0.5 * residuals @ residuals)
    close(output("llsq", "gradient", given), -np.vander(t, 4, increasing=True).T @ residuals)


def test_log_sum_exp() -> None:
    x = np.array([3.0, -1.0, 1000.0, 998.5])
    close(output("lse", "primal", {"x": x.tolist()}), logsumexp(x))
    close(output("lse", "gradient", {"x": x.tolist()}), np.exp(x - logsumexp(x)))


def test_clusters_move_to_the_means_of_their_points() -> None:
    points = np.random.default_rng(0).uniform(size=(40, 3))
    centroids = points[-4:]
    squares = ((points[:, None] - centroids) ** 2).sum(axis=2)
    means = np.array([points[squares.argmin(axis=1) == place].mean(axis=0) for place in range(4)])
    given = {"points": points.tolist(), "centroids": centroids.tolist()}
    close(output("kmeans", "cost", given), squares.min(axis=1).sum())
    close(output("kmeans", "dir", given), centroids - means)


def test_determinant() -> None:
    matrix = np.random.default_rng(0).uniform(size=(5, 5))
    given = {"A": matrix.ravel().tolist(), "ell": 5}
    close(output("det", "primal", given), np.linalg.det(matrix))
    close(output("det", "gradient", given), (np.linalg.det(matrix) * np.linalg.inv(matrix).T).ravel())


def test_differential_equation() -> None:
    """Runge and Kutta's method is exact for polynomials of the time up to the fourth degree, as the first four are."""
    x = np.array([0.9, 1.3, 0.4, 2.0])
    solution = np.cumprod(x) * 2.0 ** np.arange(1, 5) / [math.factorial(place) for place in range(1, 5)]
    given = {"x": x.tolist(), "s": 3}
    close(output("ode", "primal", given), solution)
    close(output("ode", "gradient", given), solution[-1] / x)


# The objectives of ADBench.


def test_mixture() -> None:
    rng = np.random.default_rng(0)
    d, k, n, m, gamma = 3, 2, 5, 2, 1.5
    shapes = {"x": (n, d), "mu": (k, d), "q": (k, d), "l": (k, d * (d - 1) // 2), "alpha": (k,)}
    parts = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def likelihood(numbers: Array) -> float:
        """By the densities of SciPy; a precision is that of a normal distribution, and itself Wishart distributed."""
        alpha, mu, q, l = np.split(numbers, np.cumsum([k, k * d, k * d]))
        means, logarithms, below = mu.reshape(k, d), q.reshape(k, d), l.reshape(k, -1)
        terms, prior = np.zeros((k, n)), 0.0
        for place in range(k):
            matrix = np.diag(np.exp(logarithms[place]))
            columns, rows = np.triu_indices(d, 1)
            matrix[rows, columns] = below[place]
            precision = matrix.T @ matrix
            normal = multivariate_normal(means[place], np.linalg.inv(precision))
            terms[place] = alpha[place] - logsumexp(alpha) + normal.logpdf(parts["x"])
            prior += wishart(df=d + m + 1, scale=np.eye(d) / gamma**2).logpdf(precision)
        return float(logsumexp(terms, axis=0).sum() + prior)

    numbers = np.concatenate([parts[name].ravel() for name in ("alpha", "mu", "q", "l")])
    given = {"d": d, "k": k, "n": n, "m": m, "gamma": gamma} | {name: part.tolist() for name, part in parts.items()}
    close(output("gmm", "objective", given), likelihood(numbers))
    found = output("gmm", "jacobian", given)
    assert {name: np.shape(part) for name, part in found.items()} == {
        name: shape for name, shape in shapes.items() if name != "x"
    }
    gradient = np.concatenate([np.ravel(found[name]) for name in ("alpha", "mu", "q", "l")])
    close(gradient, slopes(likelihood, numbers), 1e-8)


def test_bundle_adjustment() -> None:
    camera = np.array([0.1, -0.2, 0.3, 0.4, 0.5, -0.6, 1.2, 0.1, -0.1, 0.05, 0.02])
    point, weight, feature = np.array([0.3, -0.2, 5.0]), 0.7, np.array([0.4, -0.3])

    def errors(numbers: Array) -> Array:
        rotation, centre, focal, principal, radial = np.split(numbers[:11], [3, 6, 7, 9])
        seen = Rotation.from_rotvec(rotation).apply(numbers[11:14] - centre)
        picture = seen[:2] / seen[2]
        square = picture @ picture
        distorted = picture * (1.0 + radial[0] * square + radial[1] * square**2)
        return np.asarray(numbers[14] * (focal * distorted + principal - feature))

    n, m, p = 2, 3, 16
    given = {"n": n, "m": m, "p": p, "cam": camera.tolist(), "x": point.tolist(), "w": weight, "feat": feature.tolist()}
    numbers = np.array([*camera, *point, weight])
    found = output("ba", "objective", given)
    assert (found["reproj_error"]["repeated"], found["w_err"]) == (p, {"element": 1.0 - weight**2, "repeated": p})
    close(found["reproj_error"]["elements"], errors(numbers))
    found = output("ba", "jacobian", given)
    columns = [*range(11), 22, 23, 24, 31]  # the first camera, the first point and the first weight
    assert found["cols"] == [*columns, *columns, 31 + p - 1]
    assert found["rows"] == [*range(0, 450, 15), 31 * p]
    close(found["vals"], [*slopes(errors, numbers).ravel(), -2.0 * weight], 1e-8)


def test_long_short_term_memory() -> None:
    rng = np.random.default_rng(0)
    layers, bits, count = 2, 3, 5
    shapes = {"main_params": (2 * layers, 4 * bits), "extra_params": (3, bits), "state": (2 * layers, bits)}
    given = {name: rng.uniform(size=shape) for name, shape in shapes.items()}
    given["sequence"] = rng.integers(0, 2, (count, bits)).astype(float)

    def sigmoid(x: Array) -> Array:
        return np.asarray(1.0 / (1.0 + np.exp(-x)))

    def loss(numbers: Array) -> float:
        main, extra = (
            numbers[: given["main_params"].size].reshape(2 * layers, 4, bits),
            numbers[-3 * bits :].reshape(3, -1),
        )
        state, total = given["state"].copy(), 0.0
        for character, target in itertools.pairwise(given["sequence"]):
            x = character * extra[0]
            for layer in range(0, 2 * layers, 2):
                (forget, enter, leave, change), biases, hidden = main[layer], main[layer + 1], state[layer]
                kept, taken = sigmoid(x * forget + biases[0]), sigmoid(hidden * enter + biases[1])
                state[layer + 1] = state[layer + 1] * kept + taken * np.tanh(hidden * change + biases[3])
                state[layer] = x = sigmoid(x * leave + biases[2]) * np.tanh(state[layer + 1])
            guess = x * extra[1] + extra[2]
            total += target @ (guess - np.log(np.exp(guess).sum() + 2.0))
        return float(-total / ((count - 1) * bits))

    numbers = np.concatenate([given["main_params"].ravel(), given["extra_params"].ravel()])
    message = {name: part.tolist() for name, part in given.items()}
    close(output("lstm", "objective", message), loss(numbers))
    close(output("lstm", "jacobian", message), slopes(loss, numbers), 1e-8)


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("has_places", [False, True])
def test_hand(has_places: bool, is_mirrored: bool) -> None:
    count = 4
    model = hand(count, vertices=30)
    last = np.broadcast_to([0.0, 0.0, 0.0, 1.0], (len(model.parents), 1, 4))
    relatives, inverses = (np.concatenate([part, last], axis=1) for part in (model.relatives, model.inverses))
    vertices = np.concatenate([model.vertices, np.ones((30, 1))], axis=1)
    correspondences = range(count) if has_places else model.corners[:, 0]

    def errors(numbers: Array) -> Array:
        angles, places = numbers[:26], numbers[26:].reshape(-1, 2)
        absolutes: list[Array] = []
        for bone, parent in enumerate(model.parents):
            bend = np.eye(4)
            if bone in JOINTS:
                about = [angles[place] for place in JOINTS[bone]] + [0.0]
                bend[:3, :3] = Rotation.from_euler("xz", about[:2]).as_matrix()
            relative = relatives[bone] @ bend
            absolutes.append(absolutes[parent] @ relative if parent >= 0 else relative)
        transforms = np.array(absolutes) @ inverses
        skin = np.einsum("vb,bij,vj->vi", model.weights, transforms, vertices)[:, :3]
        skin = Rotation.from_rotvec(angles[:3]).apply(skin * [-1.0 if is_mirrored else 1.0, 1.0, 1.0]) + angles[3:6]
        if not has_places:
            return np.ravel(model.points - skin[model.corners[:, 0]])
        shares = np.concatenate([places, 1.0 - places.sum(axis=1, keepdims=True)], axis=1)
        return np.ravel(model.points - np.einsum("nc,nci->ni", shares, skin[model.corners]))

    given = {
        "theta": model.angles.tolist(),
        "us": model.places.tolist() if has_places else [],
        "data": {
            "correspondences": [int(place) for place in correspondences],
            "points": model.points.tolist(),
            "model": {
                "bone_count": len(model.parents),
                "bone_names": [f"bone {bone}" for bone in range(len(model.parents))],
                "parents": model.parents,
                "base_relatives": relatives.tolist(),
                "inverse_base_absolutes": inverses.tolist(),
                "base_positions": vertices.tolist(),
                "weights": model.weights.tolist(),
                "triangles": model.corners.tolist(),
                "is_mirrored": is_mirrored,
            },
        },
    }
    numbers = np.concatenate([model.angles, model.places.ravel() if has_places else []])
    close(output("ht", "objective", given), errors(numbers))
    expected = slopes(errors, numbers)
    if has_places:  # those of each point stand in two columns
        own = [expected[3 * point : 3 * point + 3, 26 + 2 * point : 28 + 2 * point] for point in range(count)]
        expected = np.concatenate([np.concatenate(own), expected[:, :26]], axis=1)
    close(output("ht", "jacobian", given), expected, 1e-8)


# What GradBench publishes.


@pytest.mark.parametrize("modes", ["rr", "rf", "fr", "ff"])
def test_nested_descents(modes: str) -> None:
    assert output("particle", modes, {"w": 0.0}) == pytest.approx(0.2071918746486116, rel=1e-12)
    assert output("saddle", modes, {"start": [1.0, 1.0]}) == pytest.approx(4 * [8.246324826140356e-06], rel=1e-12)


def test_all_evaluations_are_there() -> None:
    names = "hello llsq lse kmeans det ode gmm ba lstm ht saddle particle"
    assert list(MODULES) == names.split()
