"""HIPS autograd, which has the import name of this package: it is read from a folder of its own.

pip install --target FOLDER autograd && STEPGRAD_HIPS_AUTOGRAD=FOLDER python -m tests.benchmarks.adbench
"""

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy

from tests.benchmarks.programs import loops, objectives
from tests.benchmarks.programs.serving import Array, Skipped, Task, repeated

FOLDER = os.environ.get("STEPGRAD_HIPS_AUTOGRAD")
if FOLDER is None:
    raise Skipped("STEPGRAD_HIPS_AUTOGRAD names no folder that it is installed in")
assert "autograd" not in sys.modules, "this package was imported before"
sys.path.insert(0, FOLDER)
hips: Any = importlib.import_module("autograd")
array: Any = importlib.import_module("autograd.numpy")
tracer: Any = importlib.import_module("autograd.tracer")
builtins: Any = importlib.import_module("autograd.builtins")

LIBRARY = loops.Library(
    fori_loop=loops.absent,
    scan=loops.written_out(array.stack),
    map=map,
    sigmoid=lambda x: 1.0 / (1.0 + array.exp(-x)),
    array=array,
    max=array.max,
    min=array.min,
    sum=array.sum,
    where=array.where,
    greater=array.greater,
    stop_gradient=tracer.getval,
)


def flat(parts: Any) -> Array:
    """The numbers of arrays, one after another."""
    return numpy.concatenate([numpy.ravel(part) for part in parts])


def gradient_task(objective: Any, arguments: Any, by: int) -> Task:
    """The value of a function, and its gradient by the first arguments."""
    function = hips.value_and_grad(lambda parameters: objective(*parameters, *arguments[by:]))

    def call() -> Any:
        value, gradient = function(builtins.tuple(arguments[:by]))
        return value, *gradient

    return Task(repeated(call), lambda: flat(call()))


def mixture(count: int) -> Task:
    """The likelihood of a mixture, and its gradient."""
    return gradient_task(objectives.mixture_likelihood_arrays(LIBRARY), objectives.mixture(count), 3)


def text(count: int) -> Task:
    """The loss of a model of characters, and its gradient."""
    return gradient_task(objectives.text_loss(LIBRARY), objectives.text(count), 2)


def sparse_bundle_adjustment(count: int) -> Task:
    """The entries of the Jacobian: each error depends on its own observation alone, so two sums have all of it."""
    bundle, error = objectives.bundle(count), objectives.reprojection_error(LIBRARY)
    rows = [hips.grad(lambda numbers, row=row: error(numbers, bundle.features.T)[row].sum()) for row in (0, 1)]
    of_weights = hips.elementwise_grad(objectives.weight_error)

    def call() -> Array:
        numbers = bundle.numbers().T
        of_errors = numpy.stack([row(numbers) for row in rows])
        return flat((of_errors.transpose(2, 0, 1), of_weights(bundle.weights)))

    return Task(repeated(call), call, units=count)


def hand(count: int) -> Task:
    """The Jacobian of the errors of hand tracking."""
    model = objectives.hand(count)
    errors = objectives.hand_errors_arrays(LIBRARY, model)
    by_angle, by_place = hips.jacobian(errors, 0), hips.jacobian(errors, 1)

    def call() -> Array:
        parts = (by_angle, objectives.ANGLES), (by_place, 2 * count)
        slopes = [part(model.angles, model.places).reshape(3 * count, columns) for part, columns in parts]
        return objectives.compressed(numpy.concatenate(slopes, axis=1)).ravel()

    return Task(repeated(call), call)


PROGRAMS: dict[str, Callable[[int], Task]] = {
    "mixture": mixture,
    "text": text,
    "sparse bundle adjustment": sparse_bundle_adjustment,
    "hand": hand,
}
