"""Compiled programs of this package."""

import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy

import autograd
from autograd import compile, grad, hessian, jacobian, jvp, value_and_grad
from tests.benchmarks import gpt
from tests.benchmarks.programs import eager_peer, functions, image_trainings, images, loops, objectives
from tests.benchmarks.programs.serving import ROOT, Array, Task, repeated

LIBRARY = loops.Library(
    fori_loop=autograd.fori_loop,
    scan=autograd.scan,
    map=autograd.map,
    sigmoid=autograd.sigmoid,
    array=numpy,
    max=autograd.max,
    min=autograd.min,
    sum=autograd.sum,
    where=autograd.where,
    greater=autograd.greater,
    stop_gradient=autograd.stop_gradient,
)


def task(call: Callable[[], Any], units: int = 1) -> Task:
    """A task of one call whose result is flattened for the comparison."""
    return Task(repeated(call), lambda: functions.flat(call()), units)


def gpt_called(_: int) -> Task:
    """Loss and gradients of one document, arrays in and out."""
    program = compile(value_and_grad(gpt.loss))
    arguments = [gpt.initial_parameters(), *[part[0] for part in functions.gpt_documents(1)]]
    return task(lambda: program(*arguments))


def gpt_descend(rounds: int) -> Task:
    """Steps of gradient descent, each with another document."""

    def step(parameters: Any, inputs: Any, targets: Any, weights: Any) -> Any:
        gradients = grad(gpt.loss)(parameters, inputs, targets, weights)
        return {name: parameters[name] - 0.1 * numpy.asarray(gradients[name]) for name in parameters}

    program = compile(step)
    parameters, documents = gpt.initial_parameters(), functions.gpt_documents(rounds)
    return task(lambda: program.repeat(rounds, parameters, each=documents), units=rounds)


def gpt_batch(count: int) -> Task:
    """The mean over documents."""
    program = compile(value_and_grad(gpt.loss))
    arguments = [gpt.initial_parameters(), *functions.gpt_documents(count)]
    return task(lambda: program.batch(*arguments, over=(1, 2, 3), reduce="mean"), units=count)


def network(activation: str, exact: bool = True) -> Callable[[int], Task]:
    """The mean error of a network over many rows, and its gradient."""

    def build(rows: int) -> Task:
        error = functools.partial(functions.network_error, activation=activation)
        program = compile(value_and_grad(error), exact=exact)
        arguments = [functions.network_parameters(), *functions.network_cases(rows)]
        return task(lambda: program.batch(*arguments, over=(1, 2), reduce="mean"))

    return build


def worked_example(rounds: int) -> Task:
    """Rounds of training of the worked example."""
    program, weights = compile(functions.worked_example_round), functions.WORKED_EXAMPLE
    return Task(
        lambda times: program.repeat(times * rounds, weights),
        lambda: functions.flat(program.repeat(rounds, weights)),
        units=rounds,
    )


def rosenbrock(count: int) -> Task:
    """The gradient of the chained Rosenbrock function."""
    program, x = compile(grad(functions.rosenbrock)), functions.rosenbrock_point(count)
    return task(lambda: program(x))


def sparse(differentiated: Any, point: Callable[[int], Any], way: str) -> Callable[[int], Task]:
    """The entries of a sparse derivative, into an earlier result or a new one; or all that comes before the first."""

    def build(count: int) -> Task:
        x = point(count)
        program = compile(differentiated)
        matrix = program(x)
        ways: dict[str, Callable[[], Any]] = {
            "filled": lambda: program(x, out=matrix),
            "new": lambda: program(x),
            "recorded": lambda: compile(differentiated)(x),
        }
        return Task(repeated(ways[way]), lambda: ways[way]().data)

    return build


def chain(rounds: int) -> Task:
    """Value and derivative of a long chain."""
    program = compile(value_and_grad(functools.partial(functions.chain, rounds=rounds)))
    return task(lambda: program(functions.FIRST))


def gpt_training(steps: int) -> Task:
    """A training in a process of its own, from start to exit; its imports and the recording count."""
    compile(functions.two_variables)  # skipped where nothing can be compiled
    command = [sys.executable, "tests/benchmarks/gpt.py", "--steps", str(steps)]
    environment = {
        name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }  # as by default
    run = functools.partial(subprocess.run, command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=environment)
    return Task(repeated(run), lambda: gpt.train(steps)[1], clock=time.perf_counter)


def fit_compiled(rows: int) -> Task:
    """Rounds of fit, compiled."""
    return eager_peer.fit_task(rows, units=100, compiled=True)


def two_variables(_: int) -> Task:
    """A call with floats."""
    program = compile(functions.two_variables)

    def run(times: int) -> None:
        for _ in range(times):
            program(0.5, 1.5)

    return Task(run, lambda: functions.flat(program(0.5, 1.5)))


def two_variables_repeated(rounds: int) -> Task:
    """Rounds of it, each with the result of the last."""

    def step(x: Any, y: Any) -> Any:
        return functions.two_variables(x, y), y

    program = compile(step)
    return Task(
        lambda times: program.repeat(times * rounds, 0.5, 0.9),
        lambda: functions.flat(program.repeat(rounds, 0.5, 0.9)),
        units=rounds,
    )


def lorenz(steps: int) -> Task:
    """The gradient of the end by the parameters."""
    program = compile(grad(loops.lorenz(LIBRARY, steps)))
    return task(lambda: program(loops.LORENZ))


def lorenz_memory(steps: int) -> Task:
    """Bytes that the process grows by when such a gradient runs, recording included, in a fresh one."""
    command = (
        "import resource; from tests.benchmarks.programs import stepgrad_peer as peer; few = peer.lorenz(10).result()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"peer.lorenz({steps}).result(); print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))"
    )

    def measured() -> float:
        done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=True, capture_output=True, text=True)
        return float(done.stdout)

    found: list[float] = []
    return Task(
        lambda times: found.extend(measured() for _ in range(times)), lambda: numpy.ones(1), clock=lambda: sum(found)
    )


def newton(rounds: int) -> Task:
    """Roots of x³ + p x = 1 by Newton's method with their derivatives by p, which moves a little each time."""

    def root(p: Any) -> Any:
        def residual(x: Any) -> Any:
            return x * x * x + p * x - 1.0

        return autograd.while_loop(
            lambda x: abs(residual(x)) > 1e-12, lambda x: x - residual(x) / (3.0 * x * x + p), 0.7
        )

    program = compile(lambda p: (p + loops.SLOPES, *value_and_grad(root)(p)))
    return task(lambda: program.repeat(rounds, 1.0), units=rounds)


def lstm(exact: bool = True) -> Callable[[int], Task]:
    """The loss of an LSTM, and its gradient by the parameters."""

    def build(length: int) -> Task:
        program = compile(value_and_grad(loops.lstm(LIBRARY)), exact=exact)
        arguments = loops.lstm_arguments(length)
        return task(lambda: program(*arguments))

    return build


def log_sum_exp(count: int) -> Task:
    """The value and the gradient."""
    program, given = compile(value_and_grad(loops.log_sum_exp(LIBRARY))), loops.numbers(count)
    return task(lambda: program(given))


def log_sum_exp_recorded(count: int) -> Task:
    """All that comes before the first result."""
    given = loops.numbers(count)
    return task(lambda: compile(value_and_grad(loops.log_sum_exp(LIBRARY)))(given))


def ode(count: int) -> Task:
    """The gradient of the sum of all numbers after a hundred steps."""
    end = loops.ode(LIBRARY, loops.STEPS)
    program, x = compile(grad(lambda x: end(x).sum())), loops.ode_rates(count)
    return task(lambda: program(x))


def distance_slopes(centroids: Any, point: Any) -> Any:
    """The gradient of a distance, and the diagonal of its second derivatives, which is their product with ones."""
    first = functools.partial(grad(loops.squared_distance(LIBRARY)), point=point)
    return jvp(first, (centroids,), (numpy.ones(centroids.shape),))


def clusters(count: int) -> Task:
    """The sum of these over points."""
    program, (centroids, points) = compile(distance_slopes), loops.clusters(count)
    return task(lambda: program.batch(centroids, points, over=1, reduce="sum"))


def bundle_adjustment(count: int) -> Task:
    """The Jacobian of each of many observations."""
    bundle = objectives.bundle(count)
    program, observations = compile(jacobian(objectives.reprojection_error(LIBRARY))), bundle.numbers()
    out = numpy.zeros((count, 2, 15))
    return task(lambda: program.batch(observations, bundle.features, out=out), units=count)


def bundle_entries(bundle: objectives.Bundle) -> Callable[[], Array]:
    """What computes the entries of the Jacobian of a whole problem: of two errors an observation, then of weights."""
    program = compile(jacobian(objectives.reprojection_error(LIBRARY)))
    of_weight, entries, count = compile(grad(objectives.weight_error)), bundle.entries(), len(bundle.weights)
    of_errors, of_weights = entries[: 30 * count].reshape(count, 2, 15), entries[30 * count :]

    def call() -> Array:
        program.batch(bundle.numbers(), bundle.features, out=of_errors)
        of_weight.batch(bundle.weights, out=of_weights)
        return entries

    return call


def sparse_bundle_adjustment(count: int) -> Task:
    """The entries of the Jacobian of a whole problem."""
    return task(bundle_entries(objectives.bundle(count)), units=count)


def mixture_in_a_batch(
    transform: Callable[..., Any], mixture: objectives.Mixture, wishart: objectives.Wishart = objectives.PRIOR
) -> Callable[[], Array]:
    """What computes the likelihoods of many points, and what does not depend on them, or derivatives; in a row."""
    *parameters, points = mixture
    each = compile(transform(objectives.point_likelihood(LIBRARY)))
    rest = compile(transform(objectives.prior(LIBRARY, wishart)), static_argnums=3)

    def call() -> Array:
        totals = each.batch(*parameters, points, over=3, reduce="sum")
        return functions.flat(totals) + functions.flat(rest(*parameters, len(points)))

    return call


def mixture_batch(count: int) -> Task:
    """The likelihood and the gradient."""
    return task(mixture_in_a_batch(functools.partial(value_and_grad, argnums=(0, 1, 2)), objectives.mixture(count)))


def mixture(looped: bool = True) -> Callable[[int], Task]:
    """The likelihood and the gradient in one call; with the points by `map`, or each of them recorded."""

    def build(count: int) -> Task:
        library = LIBRARY if looped else LIBRARY._replace(map=lambda function, rows: [function(row) for row in rows])
        program = compile(value_and_grad(objectives.mixture_likelihood(library), (0, 1, 2)))
        arguments = objectives.mixture(count)
        return task(lambda: program(*arguments))

    return build


def text(exact: bool = True) -> Callable[[int], Task]:
    """The loss of a model of characters, and its gradient."""

    def build(count: int) -> Task:
        program = compile(value_and_grad(objectives.text_loss(LIBRARY), (0, 1)), exact=exact)
        arguments = objectives.text(count)
        return task(lambda: program(*arguments))

    return build


def hand(count: int) -> Task:
    """The sparse Jacobian of the errors of hand tracking, into an earlier one."""
    model = objectives.hand(count)
    program = compile(jacobian(objectives.hand_errors(LIBRARY, model), (0, 1), sparse=True))
    arguments = model.angles, model.places
    matrix = program(*arguments)
    run = repeated(lambda: program(*arguments, out=matrix))
    return Task(run, lambda: objectives.compressed(program(*arguments, out=matrix).toarray()).ravel())


PROGRAMS: dict[str, Callable[[int], Task]] = {
    "gpt called": gpt_called,
    "gpt descend": gpt_descend,
    "gpt batch": gpt_batch,
    "gpt training": gpt_training,
    "network tanh": network("tanh"),
    "network tanh, not exact": network("tanh", exact=False),
    "network relu": network("relu"),
    "worked example": worked_example,
    "bundle adjustment": bundle_adjustment,
    "sparse bundle adjustment": sparse_bundle_adjustment,
    "mixture batch": mixture_batch,
    "mixture": mixture(),
    "mixture recorded": mixture(looped=False),
    "text": text(),
    "text, not exact": text(exact=False),
    "hand": hand,
    "rosenbrock": rosenbrock,
    **{
        f"{name} {way}": sparse(differentiated, point, way)
        for name, differentiated, point in (
            ("brusselator", jacobian(functions.brusselator, sparse=True), functions.brusselator_point),
            ("rosenbrock hessian", hessian(functions.rosenbrock, sparse=True), functions.rosenbrock_point),
        )
        for way in ("filled", "new", "recorded")
    },
    "chain": chain,
    "fit": fit_compiled,
    "lorenz": lorenz,
    "lorenz memory": lorenz_memory,
    "newton": newton,
    "lstm": lstm(),
    "lstm, not exact": lstm(exact=False),
    "log-sum-exp": log_sum_exp,
    "log-sum-exp recorded": log_sum_exp_recorded,
    "ode": ode,
    "clusters": clusters,
    "two variables": two_variables,
    "two variables repeated": two_variables_repeated,
    "small digits": functools.partial(image_trainings.small_digits, compiled=True),
    **{name: image_trainings.large(name, compiled=True) for name in images.LARGE},
    "images 300 by BLAS": image_trainings.large("images 300", compiled=True, exact=False),
    "recording time": image_trainings.recording("images 300", "seconds"),
    "recording memory": image_trainings.recording("images 300", "bytes"),
}
