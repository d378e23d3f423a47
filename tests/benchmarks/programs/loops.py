"""Functions with loops, for whichever library has them: their names and results are those of JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

STEP = 1e-4  # of time, of the Lorenz system
LORENZ = (10.0, 28.0, 8.0 / 3.0)
WIDTH, INPUTS = 128, 32  # of the LSTM
STEPS = 100  # of Runge and Kutta's method, from 0 to 2
SLOPES = 1e-6  # how far the parameter of an equation moves from one root to the next


class Library(NamedTuple):
    """What the functions take from a library."""

    fori_loop: Callable[..., Any]
    scan: Callable[..., Any]
    map: Callable[..., Any]
    sigmoid: Callable[..., Any]
    array: Any  # a module like NumPy
    max: Callable[..., Any]
    min: Callable[..., Any]
    sum: Callable[..., Any]
    where: Callable[..., Any]
    greater: Callable[..., Any]
    stop_gradient: Callable[[Any], Any]
    constant: Callable[[Any], Any] = numpy.asarray  # makes an array of this library


def absent(*_: Any) -> Any:
    """What a library lacks that nothing which is measured needs."""
    raise NotImplementedError


def written_out(stack: Callable[[Any], Any]) -> Callable[..., Any]:
    """A `scan` for libraries without one: a loop of Python, each round of which is recorded."""

    def scan(step: Callable[[Any, Any], Any], state: Any, rows: Any) -> Any:
        results = []
        for row in zip(*rows, strict=True):
            state, result = step(state, row)
            results.append(result)
        return state, stack(results)

    return scan


def lorenz(library: Library, steps: int) -> Callable[[Any], Any]:
    """The end of so many steps of Runge and Kutta's method, by the parameters of the system."""

    def slopes(point: Any, parameters: Any) -> Any:
        (x, y, z), (a, b, c) = point, parameters
        return a * (y - x), x * (b - z) - y, x * y - c * z

    def moved(point: Any, by: Any, time: float) -> Any:
        return [p + time * slope for p, slope in zip(point, by, strict=True)]

    def end(parameters: Any) -> Any:
        def step(_: Any, point: Any) -> Any:
            first = slopes(point, parameters)
            second = slopes(moved(point, first, 0.5 * STEP), parameters)
            third = slopes(moved(point, second, 0.5 * STEP), parameters)
            fourth = slopes(moved(point, third, STEP), parameters)
            parts = zip(point, first, second, third, fourth, strict=True)
            return tuple(p + STEP / 6.0 * (k + 2.0 * m + 2.0 * n + o) for p, k, m, n, o in parts)

        return library.fori_loop(0, steps, step, (1.0, 1.0, 1.0))[0]

    return end


def lstm(library: Library) -> Callable[[Any, Any], Any]:
    """A loss of an LSTM over a sequence of inputs."""
    sigmoid, tanh = library.sigmoid, library.array.tanh

    def loss(parameters: Any, inputs: Any) -> Any:
        def step(state: Any, x: Any) -> Any:
            hidden, cell = state
            net = parameters["weights"] @ library.array.concatenate([x, hidden]) + parameters["biases"]
            enter, forget, leave, new = (net[i * WIDTH : (i + 1) * WIDTH] for i in range(4))
            cell = sigmoid(forget) * cell + sigmoid(enter) * tanh(new)
            hidden = sigmoid(leave) * tanh(cell)
            return (hidden, cell), (hidden * hidden).sum()

        start = library.array.zeros(WIDTH)
        return library.scan(step, (start, start), inputs)[1].sum()

    return loss


def lstm_arguments(length: int) -> tuple[Any, Any]:
    """Parameters, and a sequence of this length."""
    generator = numpy.random.default_rng(0)
    weights = 0.1 * generator.normal(size=(4 * WIDTH, INPUTS + WIDTH))
    return {"weights": weights, "biases": numpy.zeros(4 * WIDTH)}, generator.normal(size=(length, INPUTS))


def log_sum_exp(library: Library) -> Callable[[Any], Any]:
    """The logarithm of a sum of exponentials, from which the largest is taken first: a constant, since it cancels."""

    def function(numbers: Any) -> Any:
        largest = library.stop_gradient(library.max(numbers))
        return largest + library.array.log(library.sum(library.array.exp(numbers - largest)))

    return function


def ode(library: Library, steps: int) -> Callable[[Any], Any]:
    """The end, at the time 2, of so many steps of Runge and Kutta's method for y₀' = x₀, yᵢ' = xᵢ yᵢ₋₁ from 0."""
    time, array = 2.0 / steps, library.array

    def end(x: Any) -> Any:
        def slopes(y: Any) -> Any:
            return x * array.concatenate([array.ones(1), y[:-1]])

        def step(_: Any, y: Any) -> Any:
            first = slopes(y)
            second = slopes(y + 0.5 * time * first)
            third = slopes(y + 0.5 * time * second)
            fourth = slopes(y + time * third)
            return y + time / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)

        return library.fori_loop(0, steps, step, array.zeros(len(x)))

    return end


def ode_rates(count: int) -> Any:
    """The x of it."""
    return numpy.random.default_rng(0).uniform(size=count)


def squared_distance(library: Library) -> Callable[[Any, Any], Any]:
    """The square of the distance of a point from the centroid that is nearest to it."""

    def distance(centroids: Any, point: Any) -> Any:
        return library.min([library.sum((centroid - point) ** 2) for centroid in centroids])

    return distance


def clusters(count: int, centroids: int = 100, dimensions: int = 8) -> tuple[Any, Any]:
    """Centroids and points; each centroid has a point, as GradBench has it."""
    points = numpy.random.default_rng(0).uniform(size=(count, dimensions))
    return points[-centroids:], points


def numbers(count: int) -> Any:
    """Some numbers."""
    return 3.0 * numpy.random.default_rng(0).normal(size=count)
