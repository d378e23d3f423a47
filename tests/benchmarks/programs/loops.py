"""Functions with loops, for whichever library has them: their names and results are those of JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

STEP = 1e-4  # of time, of the Lorenz system
LORENZ = (10.0, 28.0, 8.0 / 3.0)
WIDTH, INPUTS = 128, 32  # of the LSTM
SLOPES = 1e-6  # how far the parameter of an equation moves from one root to the next


class Library(NamedTuple):
    """What the functions take from a library."""

    fori_loop: Callable[..., Any]
    scan: Callable[..., Any]
    map: Callable[..., Any]
    sigmoid: Callable[..., Any]
    array: Any  # a module like NumPy
    max: Callable[..., Any]
    sum: Callable[..., Any]


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
    """The logarithm of a sum of exponentials, which are computed by `map`."""

    def function(numbers: Any) -> Any:
        largest = library.max(numbers)
        return largest + library.array.log(library.sum(library.map(lambda x: library.array.exp(x - largest), numbers)))

    return function


def numbers(count: int) -> Any:
    """Some numbers."""
    return 3.0 * numpy.random.default_rng(0).normal(size=count)
