"""CasADi's expressions of scalars (SX), evaluated by its virtual machine on buffers that stay where they are."""

from collections.abc import Callable
from typing import Any

import casadi
import numpy

from tests.benchmarks.programs import functions
from tests.benchmarks.programs.serving import Array, Task, repeated


def task(function: Any, argument: Array, sizes: list[int], units: int = 1) -> Task:
    """A function of one array; the sizes are those of its results."""
    buffer, evaluate = function.buffer()
    results = [numpy.zeros(size) for size in sizes]
    buffer.set_arg(0, argument.data)
    for index, result in enumerate(results):
        buffer.set_res(index, result.data)

    kept = buffer, argument  # which `evaluate` reads, and does not keep alive

    def numbers() -> Array:
        assert kept
        evaluate()
        return numpy.concatenate(results)

    def run(times: int) -> None:
        for _ in range(times):
            evaluate()

    return Task(run, numbers, units)


def rosenbrock(count: int) -> Task:
    """The gradient of the chained Rosenbrock function."""
    x = casadi.SX.sym("x", count)
    value = casadi.sum1(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
    function = casadi.Function("gradient", [x], [casadi.gradient(value, x)])
    return task(function, functions.rosenbrock_point(count), [count])


def brusselator(states: int) -> Any:
    """The Jacobian of the Brusselator."""
    y, count = casadi.SX.sym("y", states), states // 2
    u, v, rate = y[:count], y[count:], functions.brusselator_rate(count)
    uuv = u * u * v
    of_u = rate * (casadi.vertcat(1.0, u[:-1]) - 2.0 * u + casadi.vertcat(u[1:], 1.0))
    of_v = rate * (casadi.vertcat(3.0, v[:-1]) - 2.0 * v + casadi.vertcat(v[1:], 3.0))
    value = casadi.vertcat(1.0 + uuv - 4.0 * u + of_u, 3.0 * u - uuv + of_v)
    return casadi.Function("jacobian", [y], [casadi.jacobian(value, y)])


def rosenbrock_hessian(count: int) -> Any:
    """The Hessian of the chained Rosenbrock function."""
    x = casadi.SX.sym("x", count)
    value = casadi.sum1(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
    return casadi.Function("hessian", [x], [casadi.hessian(value, x)[0]])


def sparse(made: Callable[[int], Any], point: Callable[[int], Array], way: str) -> Callable[[int], Task]:
    """The entries of a sparse derivative, into a buffer or a new matrix; or all that comes before the first ones."""

    def build(count: int) -> Task:
        function, x = made(count), point(count)
        pattern = function.sparsity_out(0)
        rows, columns = pattern.get_triplet()
        order = numpy.lexsort((columns, rows))
        filled = task(function, x, [pattern.nnz()])
        runs = {
            "filled": filled.run,
            "new": repeated(lambda: function(x)),
            "recorded": repeated(lambda: made(count)(x)),
        }
        return Task(runs[way], lambda: filled.result()[order])  # compared row by row

    return build


def chain(rounds: int) -> Task:
    """Value and derivative of a long chain."""
    x = casadi.SX.sym("x")
    y = x
    for _ in range(rounds):
        y = (y + casadi.sin(y) * 0.0001) * 1.0001 - y * 0.0001
    function = casadi.Function("chain", [x], [y, casadi.gradient(y, x)])
    return task(function, numpy.array([functions.FIRST]), [1, 1])


def worked_example(rounds: int) -> Task:
    """Rounds of training by CasADi's `mapaccum`."""

    def sigmoid(x: Any) -> Any:
        return 1.0 / (1.0 + casadi.exp(-x))

    w = casadi.SX.sym("w", 8)
    h1, h2 = sigmoid(w[0] * 0.05 + w[1] * 0.1 + 0.35), sigmoid(w[2] * 0.05 + w[3] * 0.1 + 0.35)
    o1, o2 = sigmoid(w[4] * h1 + w[5] * h2 + 0.6), sigmoid(w[6] * h1 + w[7] * h2 + 0.6)
    error = 0.5 * (0.01 - o1) ** 2 + 0.5 * (0.99 - o2) ** 2
    step = casadi.Function("step", [w], [w - 0.5 * casadi.gradient(error, w)])
    loop = step.fold(rounds)
    return task(loop, functions.WORKED_EXAMPLE.copy(), [8], units=rounds)


PROGRAMS: dict[str, Callable[[int], Task]] = {
    "rosenbrock": rosenbrock,
    **{
        f"{name} {way}": sparse(made, point, way)
        for name, made, point in (
            ("brusselator", brusselator, functions.brusselator_point),
            ("rosenbrock hessian", rosenbrock_hessian, functions.rosenbrock_point),
        )
        for way in ("filled", "new", "recorded")
    },
    "chain": chain,
    "worked example": worked_example,
}
