"""A tool of GradBench: it reads messages, one JSON object a line, and answers each with a line.

    ./gradbench run --eval './gradbench repo eval hello' --tool 'python -m tests.benchmarks.gradbench_tool'

The answer to `evaluate` has the output and timings in nanoseconds: "prepare" up to the first result, the recording and
lowering of the program included, and "evaluate" for each run after it. The functions are those of GradBench's
evaluations, in scalars. Those that ADBench has, too, stand in `programs/objectives.py`, loops in `programs/loops.py`.
A minor of `det` is computed once, wherever the expansion has it; other tools compute it each time.
"""

from __future__ import annotations

import functools
import json
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple, TextIO

import numpy

from autograd import compile, cond, grad, greater, jacobian, jvp, sqrt, sum, where, while_loop
from tests.benchmarks.programs import loops, objectives
from tests.benchmarks.programs.stepgrad_peer import LIBRARY, bundle_entries, distance_slopes, mixture_in_a_batch

Function = Callable[..., Any]


class Ready(NamedTuple):
    """What is measured, and what makes the output of its result."""

    run: Callable[[], Any]
    output: Callable[[Any], Any] = lambda result: result


# The messages.


def answer(message: dict[str, Any]) -> dict[str, Any]:
    """What is answered to a message, without its id."""
    if message["kind"] == "start":
        return {"tool": "stepgrad"}
    if message["kind"] == "define":
        if message["module"] in MODULES:
            return {"success": True}
        return {"success": False, "error": f"there is no module {message['module']}"}
    if message["kind"] != "evaluate":
        return {}
    try:
        return evaluated(MODULES[message["module"]][message["function"]], message["input"])
    except Exception:
        return {"success": False, "error": traceback.format_exc()}


def evaluated(prepare: Callable[[Any], Ready], given: Any) -> dict[str, Any]:
    """The output of a function, and how long it took as often as the input asks for, or as long."""
    limits = given if isinstance(given, dict) else {}
    times: list[int] = []
    start = time.perf_counter_ns()
    ready = prepare(given)
    result = ready.run()
    prepared = time.perf_counter_ns() - start
    total = 0
    while len(times) < limits.get("min_runs", 1) or total < 1e9 * limits.get("min_seconds", 0.0):
        start = time.perf_counter_ns()
        result = ready.run()
        times.append(time.perf_counter_ns() - start)
        total += times[-1]
    timings = [("prepare", prepared), *(("evaluate", taken) for taken in times)]
    return {
        "success": True,
        "output": ready.output(result),
        "timings": [{"name": name, "nanoseconds": taken} for name, taken in timings],
    }


def serve(messages: TextIO, answers: TextIO) -> None:
    """Answer messages until there are no more."""
    for line in messages:
        message = json.loads(line)
        json.dump({"id": message["id"], **answer(message)}, answers, default=numpy.ndarray.tolist)
        print(file=answers, flush=True)


# Functions of one argument and of rows.


def of(function: Function, *names: str) -> Callable[[Any], Ready]:
    """A compiled function of these parts of the input, as arrays."""

    def prepare(given: Any) -> Ready:
        program, arguments = compile(function), [numpy.array(given[name], dtype=float) for name in names]
        return Ready(lambda: program(*arguments))

    return prepare


def of_number(function: Function) -> Callable[[Any], Ready]:
    """A compiled function of the input itself."""
    return lambda given: Ready(functools.partial(compile(function), given))


def squared_residual(x: Any, t: Any, s: Any) -> Any:
    """Half the square of how far a polynomial of t with these coefficients is from s."""
    value = functools.reduce(lambda value, coefficient: value * t + coefficient, reversed(list(x)))
    return 0.5 * (s - value) ** 2


def least_squares(transformed: Function) -> Callable[[Any], Ready]:
    """The sum over points t between -1 and 1, where s is the sign of t."""

    def prepare(given: Any) -> Ready:
        x, t = numpy.array(given["x"]), numpy.linspace(-1.0, 1.0, given["n"])
        return Ready(functools.partial(compile(transformed).batch, x, t, numpy.sign(t), over=(1, 2), reduce="sum"))

    return prepare


def clusters(function: Function, output: Callable[[Any], Any]) -> Callable[[Any], Ready]:
    """The sum over points."""

    def prepare(given: Any) -> Ready:
        centroids, points = numpy.array(given["centroids"]), numpy.array(given["points"])
        run = functools.partial(compile(function).batch, centroids, points, over=1, reduce="sum")
        return Ready(run, output)

    return prepare


def minors(entries: Any) -> Any:
    """The determinant, expanded by the first row of each minor."""
    size = round(len(entries) ** 0.5)
    rows = entries.reshape(size, size)

    @functools.cache
    def minor(columns: tuple[int, ...]) -> Any:
        row = rows[size - len(columns)]
        if len(columns) == 1:
            return row[columns[0]]
        parts = [row[column] * minor(columns[:j] + columns[j + 1 :]) for j, column in enumerate(columns)]
        return sum(parts[::2]) - sum(parts[1::2])

    return minor(tuple(range(size)))


def ode(transformed: Callable[[Function], Function]) -> Callable[[Any], Ready]:
    """What is computed of the end of so many steps."""

    def prepare(given: Any) -> Ready:
        program, x = compile(transformed(loops.ode(LIBRARY, given["s"]))), numpy.array(given["x"])
        return Ready(lambda: program(x))

    return prepare


# The objectives of ADBench.


def mixture(given: Any, transform: Callable[..., Any], output: Callable[[Any, Any], Any]) -> Ready:
    """The likelihood of points, or its gradient."""
    weights, means, q, l, points = (numpy.array(given[name]) for name in ("alpha", "mu", "q", "l", "x"))
    mixture = objectives.Mixture(weights, means, numpy.concatenate([q, l], axis=1), points)
    wishart = objectives.Wishart(given["gamma"], given["m"])
    return Ready(mixture_in_a_batch(transform, mixture, wishart), functools.partial(output, mixture))


def mixture_gradient(mixture: objectives.Mixture, gradient: Any) -> Any:
    """The gradient by each part."""
    (count, size), weights = mixture.means.shape, mixture.weights
    by_weight, by_mean, by_factor = numpy.split(gradient, [len(weights), len(weights) + count * size])
    by_factor = by_factor.reshape(count, -1)
    return {
        "alpha": by_weight,
        "mu": by_mean.reshape(count, size),
        "q": by_factor[:, :size],
        "l": by_factor[:, size:],
    }


def bundle(given: Any) -> objectives.Bundle:
    """The same camera, point, weight and feature over and over, as GradBench has it."""
    n, m, p = (given[name] for name in "nmp")
    copies = (given["cam"], n), (given["x"], m), (given["w"], p), (given["feat"], p)
    cameras, points, weights, features = (numpy.array([part] * count) for part, count in copies)
    return objectives.Bundle(cameras, points, weights, numpy.arange(p)[:, None] % [n, m], features)


def bundle_errors(given: Any) -> Ready:
    """The errors of observations and of weights, of which the output has the first."""
    problem, error = bundle(given), compile(objectives.reprojection_error(LIBRARY))
    of_weight, count = compile(objectives.weight_error), given["p"]

    def output(result: Any) -> Any:
        errors, weights = result
        return {
            "reproj_error": {"elements": errors[0], "repeated": count},
            "w_err": {"element": weights[0], "repeated": count},
        }

    return Ready(lambda: (error.batch(problem.numbers(), problem.features), of_weight.batch(problem.weights)), output)


def bundle_jacobian(given: Any) -> Ready:
    """The sparse Jacobian by rows, of which the output has the first observation and the last weight."""
    count = given["p"]

    def output(entries: Any) -> Any:
        last = 11 * given["n"] + 3 * given["m"]
        columns = [*range(11), *range(11 * given["n"], 11 * given["n"] + 3), last]
        ends = numpy.append(15 * numpy.arange(2 * count + 1), 30 * count + 1 + numpy.arange(count))
        rows = [*ends[:30].tolist(), 31 * count]
        return {"rows": rows, "cols": [*columns, *columns, last + count - 1], "vals": [*entries[:30], entries[-1]]}

    return Ready(bundle_entries(bundle(given)), output)


def in_a_row(function: Function) -> Function:
    """Results one after another."""
    return lambda *arguments: numpy.concatenate([part.ravel() for part in function(*arguments)])


def hand(given: Any) -> tuple[Function, tuple[Any, ...]]:
    """The errors of a hand, and by what: the angles, and the places on triangles where points are not on vertices."""
    data, model = given["data"], given["data"]["model"]
    has_places = len(given["us"]) > 0
    corners = numpy.array(data["correspondences"])
    parts = {name: numpy.array(model[name]) for name in ("base_relatives", "inverse_base_absolutes", "base_positions")}
    angles, places = numpy.array(given["theta"]), numpy.array(given["us"]).reshape(-1, 2)
    made = objectives.Hand(
        model["parents"],
        parts["base_relatives"][:, :3],
        parts["inverse_base_absolutes"][:, :3],
        parts["base_positions"][:, :3],
        numpy.array(model["weights"]),
        numpy.array(model["triangles"])[corners] if has_places else corners[:, None],
        numpy.array(data["points"]),
        angles,
        places,
        model["is_mirrored"],
    )
    return objectives.hand_errors(LIBRARY, made), (angles, places) if has_places else (angles,)


def hand_errors(given: Any) -> Ready:
    """All errors in a row."""
    errors, arguments = hand(given)
    program = compile(lambda *arguments: numpy.concatenate(errors(*arguments)))
    return Ready(lambda: program(*arguments))


def hand_jacobian(given: Any) -> Ready:
    """A row for each error: by the two coordinates of its own point, if there are any, and by the angles."""
    errors, arguments = hand(given)
    program = compile(jacobian(errors, tuple(range(len(arguments))), sparse=True))
    matrix = program(*arguments)
    has_places = len(arguments) > 1

    def output(matrix: Any) -> Any:
        return objectives.compressed(matrix.toarray()) if has_places else matrix.toarray()

    return Ready(lambda: program(*arguments, out=matrix), output)


# Gradient descent within functions that are descended.


def forward(function: Function) -> Function:
    """The gradient by forward mode, a direction after another."""

    def gradient(x: Any) -> Any:
        return numpy.array([jvp(function, (x,), (unit,))[1] for unit in numpy.eye(len(x))])

    return gradient


def lowest(function: Function, mode: Callable[[Function], Function], start: Any) -> Any:
    """Where a function is lowest: by GradBench's gradient descent, which changes its rate as it goes."""
    gradient = mode(function)

    def goes_on(state: Any) -> Any:
        x, _, slopes, rate, _ = state
        steps = x - (x - rate * slopes)
        return (sqrt(slopes @ slopes) > 1e-5) * (sqrt(steps @ steps) > 1e-5)

    def step(state: Any) -> Any:
        x, value, slopes, rate, count = state
        next_x = x - rate * slopes
        next_value = function(next_x)

        def better() -> Any:
            tenth = greater(count, 8.5)
            return next_x, next_value, gradient(next_x), where(tenth, 2.0, 1.0) * rate, where(tenth, 0.0, count + 1.0)

        return cond(lambda: next_value < value, better, lambda: (x, value, slopes, 0.5 * rate, 0.0))

    return while_loop(goes_on, step, (start, function(start), gradient(start), 1e-5, 0.0))[0]


def saddle(outer: Callable[[Function], Function], inner: Callable[[Function], Function]) -> Callable[[Any], Ready]:
    """The x at which the largest f(x, y) is lowest, and the y there: descent within what is descended."""

    def function(x: Any, y: Any) -> Any:
        return x @ x - y @ y

    def points(start: Any) -> Any:
        def negative(x: Any) -> Function:
            return lambda y: -function(x, y)

        x = lowest(lambda x: -negative(x)(lowest(negative(x), inner, start)), outer, start)
        return numpy.concatenate([x, lowest(negative(x), outer, start)])

    return of(points, "start")


def particle(outer: Callable[[Function], Function], inner: Callable[[Function], Function]) -> Callable[[Any], Ready]:
    """Where a charge stands, if a particle that is pushed by the gradient of a potential then meets the origin."""
    time = 0.1

    def square_where_it_falls(w: Any) -> Any:
        charges = [[10.0, 10.0 - w[0]], [10.0, 0.0]]

        def potential(x: Any) -> Any:
            return sum([1.0 / sqrt((x[0] - a) ** 2 + (x[1] - b) ** 2) for a, b in charges])

        def step(state: Any) -> Any:
            x, speed = state
            return x + time * speed, speed - time * inner(potential)(x)

        first = numpy.array([0.0, 8.0]), numpy.array([0.75, 0.0])
        x, speed = while_loop(lambda state: state[0][1] + time * state[1][1] > 0.0, step, first)
        x = x + time * speed
        return (x[0] - x[1] / speed[1] * speed[0]) ** 2

    return lambda given: Ready(
        functools.partial(compile(lambda w: lowest(square_where_it_falls, outer, w)[0]), numpy.array([given["w"]]))
    )


MODES: dict[str, Callable[[Function], Function]] = {"r": grad, "f": forward}
NESTED = [(outer + inner, MODES[outer], MODES[inner]) for outer in MODES for inner in MODES]
LOSS, TEXT = objectives.text_loss(LIBRARY), ("main_params", "extra_params", "state", "sequence")
MODULES: dict[str, dict[str, Callable[[Any], Ready]]] = {
    "hello": {"square": of_number(lambda x: x * x), "double": of_number(grad(lambda x: x * x))},
    "llsq": {"primal": least_squares(squared_residual), "gradient": least_squares(grad(squared_residual))},
    "lse": {
        "primal": of(loops.log_sum_exp(LIBRARY), "x"),
        "gradient": of(grad(loops.log_sum_exp(LIBRARY)), "x"),
    },
    "kmeans": {
        "cost": clusters(loops.squared_distance(LIBRARY), lambda cost: cost),
        "dir": clusters(distance_slopes, lambda found: found[0] / found[1]),
    },
    "det": {"primal": of(minors, "A"), "gradient": of(grad(minors), "A")},
    "ode": {"primal": ode(lambda end: end), "gradient": ode(lambda end: grad(lambda x: end(x)[-1]))},
    "gmm": {
        "objective": lambda given: mixture(given, lambda function: function, lambda _, row: row[0]),
        "jacobian": lambda given: mixture(given, functools.partial(grad, argnums=(0, 1, 2)), mixture_gradient),
    },
    "ba": {"objective": bundle_errors, "jacobian": bundle_jacobian},
    "lstm": {"objective": of(LOSS, *TEXT), "jacobian": of(in_a_row(grad(LOSS, (0, 1))), *TEXT)},
    "ht": {"objective": hand_errors, "jacobian": hand_jacobian},
    "saddle": {name: saddle(outer, inner) for name, outer, inner in NESTED},
    "particle": {name: particle(outer, inner) for name, outer, inner in NESTED},
}

if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
