"""Programs of this package that were written as C, compiled as hand-written C is, and called in a loop of C."""

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy

from autograd import CSource, compile, jacobian, value_and_grad
from tests.benchmarks import gpt
from tests.benchmarks.programs import functions, objectives, stepgrad_peer
from tests.benchmarks.programs.c_peer import BUILD, EXACT, bundle_task, library, numbers, worked_example_task
from tests.benchmarks.programs.serving import Array, Task

# The loops around the functions, which stand in files of their own.
TRAINING = """#include "training_round.h"
void repeated(long times, double *weights) {
    double work[TRAINING_ROUND_WORK];
    while (times--) training_round(weights, weights, work);
}
"""
OBSERVATIONS = """#include "reprojection.h"
void repeated(long times, long count, const double *observations, const double *features, double *jacobians) {
    double work[REPROJECTION_WORK];
    while (times--)
        for (long i = 0; i < count; i++)
            reprojection(observations + 15 * i, features + 2 * i, jacobians + 30 * i, work);
}
"""
DOCUMENT = """#include "gpt_loss.h"
static double work[GPT_LOSS_WORK];
void repeated(long times, const double *parameters, const double *inputs, const double *targets, const double *weights,
              double *result) {
    while (times--) gpt_loss(parameters, inputs, targets, weights, result, result + 1, work);
}
"""


def repeated(code: CSource, loop: str) -> ctypes.CDLL:
    """A library of a program and the loop around it."""
    BUILD.mkdir(parents=True, exist_ok=True)
    path: Path = BUILD / f"{code.name}_loop.c"
    path.write_text(loop)
    return library(path, *EXACT, others=[code.save(BUILD / f"{code.name}.c")])


def worked_example(rounds: int) -> Task:
    """Rounds of training of the worked example."""
    code = compile(functions.worked_example_round).program(functions.WORKED_EXAMPLE).to_c("training_round")
    return worked_example_task(repeated(code, TRAINING).repeated, rounds)


def bundle_adjustment(count: int) -> Task:
    """The Jacobian of each of many observations."""
    error = objectives.reprojection_error(stepgrad_peer.LIBRARY)
    program = compile(jacobian(error)).program(numpy.zeros(15), numpy.zeros(2))
    return bundle_task(repeated(program.to_c("reprojection"), OBSERVATIONS).repeated, count)


def gpt_called(_: int) -> Task:
    """Loss and gradients of one document."""
    arguments = [gpt.initial_parameters(), *[part[0] for part in functions.gpt_documents(1)]]
    code = compile(value_and_grad(gpt.loss)).program(*arguments).to_c("gpt_loss")
    function, flat = repeated(code, DOCUMENT).repeated, list(map(functions.flat, arguments))
    result = numpy.zeros(1 + len(flat[0]))

    def run(times: int) -> Array:
        function(ctypes.c_long(times), *map(numbers, (*flat, result)))
        return result

    return Task(run, lambda: run(1))


PROGRAMS: dict[str, Callable[[int], Task]] = {
    "worked example": worked_example,
    "bundle adjustment": bundle_adjustment,
    "gpt": gpt_called,
}
