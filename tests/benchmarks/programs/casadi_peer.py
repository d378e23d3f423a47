"""CasADi's expressions of scalars (SX), evaluated by its virtual machine on buffers that stay where they are."""

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import casadi
import numpy

from tests.benchmarks.programs import functions, loops, objectives
from tests.benchmarks.programs.serving import Array, Task, repeated


class Number:
    """An expression that NumPy takes for a number: an array holds it, and functions are applied to it."""

    __neg__: Callable[[Any], Any]

    def __init__(self, expression: Any) -> None:
        self.expression = expression


def unwrapped(x: Any) -> Any:
    """The expression of a number."""
    return x.expression if isinstance(x, Number) else x


def of_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function on numbers; an array applies it to each of its own."""

    def applied(*operands: Any) -> Any:
        if any(isinstance(operand, numpy.ndarray) for operand in operands):
            return NotImplemented
        return Number(function(*map(unwrapped, operands)))

    return applied


for name in ("add", "sub", "mul", "truediv", "pow"):
    operation = of_numbers(getattr(operator, name))
    setattr(Number, f"__{name}__", operation)
    setattr(Number, f"__r{name}__", lambda x, y, operation=operation: operation(y, x))
Number.__neg__ = of_numbers(operator.neg)
for name in ("exp", "log", "sqrt", "sin", "cos", "tanh"):  # which NumPy looks for
    setattr(Number, name, of_numbers(getattr(casadi, name)))


def one_by_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two operands on all of a row."""
    return lambda row: functools.reduce(of_numbers(function), row)


LIBRARY = loops.Library(
    fori_loop=loops.absent,
    scan=loops.written_out(numpy.array),
    map=lambda function, rows: [function(row) for row in rows],
    sigmoid=lambda x: 1.0 / (1.0 + numpy.exp(-x)),
    array=numpy,
    max=one_by_one(casadi.fmax),
    min=one_by_one(casadi.fmin),
    sum=sum,
    where=of_numbers(casadi.if_else),
    greater=of_numbers(casadi.gt),
    stop_gradient=lambda x: x,
)


def symbols(*shapes: tuple[int, ...]) -> tuple[Any, list[Any]]:
    """So many unknown numbers in a row, and as arrays of these shapes."""
    row = casadi.SX.sym("x", sum(map(math.prod, shapes)))
    rest = numpy.array([Number(x) for x in casadi.vertsplit(row)])
    arrays = []
    for shape in shapes:
        arrays.append(rest[: math.prod(shape)].reshape(shape))
        rest = rest[math.prod(shape) :]
    return row, arrays


def listed(numbers: Any) -> Any:
    """Expressions, one below another."""
    return casadi.vertcat(*map(unwrapped, numpy.ravel(numbers)))


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


def sparse_bundle_adjustment(count: int) -> Task:
    """The entries of the Jacobian of a whole problem: a function of an observation, mapped."""
    bundle = objectives.bundle(count)
    row, (numbers, feature) = symbols((15,), (2,))
    weight, error = row[14], listed(objectives.reprojection_error(LIBRARY)(numbers, feature))
    slopes = casadi.densify(casadi.jacobian(error, row)[:, :15]).T
    of_weight = casadi.gradient(objectives.weight_error(weight), weight)
    each = casadi.Function("observation", [row[:15], row[15:]], [slopes, of_weight]).map(count)
    buffer: Any
    buffer, evaluate = each.buffer()
    entries = bundle.entries()
    buffer.set_arg(1, bundle.features.data)
    buffer.set_res(0, entries[: 30 * count].data)
    buffer.set_res(1, entries[30 * count :].data)

    def call() -> Array:
        numbers = bundle.numbers()
        buffer.set_arg(0, numbers.data)
        evaluate()
        return entries

    return Task(repeated(call), call, units=count)


def gradient_task(objective: Any, arguments: Any, by: int) -> Task:
    """The value of a function, and its gradient by the first arguments."""
    row, symbolic = symbols(*(argument.shape for argument in arguments[:by]))
    value = unwrapped(objective(*symbolic, *arguments[by:]))
    function = casadi.Function("gradient", [row], [value, casadi.gradient(value, row)])
    return task(function, functions.flat(tuple(arguments[:by])), [1, row.numel()])


def mixture(count: int) -> Task:
    """The likelihood of a mixture, and its gradient."""
    return gradient_task(objectives.mixture_likelihood(LIBRARY), objectives.mixture(count), 3)


def text(count: int) -> Task:
    """The loss of a model of characters, and its gradient."""
    return gradient_task(objectives.text_loss(LIBRARY), objectives.text(count), 2)


def hand(count: int) -> Task:
    """The sparse Jacobian of the errors of hand tracking."""
    model = objectives.hand(count)
    row, symbolic = symbols((objectives.ANGLES,), (count, 2))
    errors = listed(objectives.hand_errors(LIBRARY, model)(*symbolic))
    slopes = casadi.jacobian(errors, row)
    function = casadi.Function("jacobian", [row], [slopes])
    filled = task(function, numpy.concatenate([model.angles, model.places.ravel()]), [slopes.nnz()])

    def result() -> Array:
        matrix = casadi.DM(slopes.sparsity(), filled.result()).full()
        return objectives.compressed(matrix).ravel()

    return Task(filled.run, result)


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
    "sparse bundle adjustment": sparse_bundle_adjustment,
    "mixture": mixture,
    "text": text,
    "hand": hand,
    "worked example": worked_example,
}
