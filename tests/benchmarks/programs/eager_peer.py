"""The eager engine, with the same functions."""

import functools
import random
from collections.abc import Callable
from typing import Any

import numpy

from nn import MLP, fit
from tests.benchmarks import gpt
from tests.benchmarks.programs import functions, image_trainings
from tests.benchmarks.programs.serving import Array, Task, repeated


def gpt_mean(count: int) -> Task:
    """The mean of some documents; its gradient by the parameters."""
    documents = functions.gpt_documents(count)
    parameters, leaves = gpt.variables(gpt.initial_parameters())

    def result() -> Array:
        for leaf in leaves:
            leaf.grad = None
        losses = []
        for document in zip(*documents, strict=True):
            error = gpt.loss(parameters, *document)
            error.backward()
            losses.append(error.data)
        return numpy.array([sum(losses), *[leaf.grad for leaf in leaves]]) / count

    return Task(repeated(result), result, units=count)


def gpt_training(steps: int) -> Task:
    """The first steps of a training of 1,000."""
    run = functools.partial(gpt.train_eagerly, steps, 1000)
    return Task(repeated(run), lambda: run()[1], units=steps)


def fit_task(rows: int, units: int = 1, **settings: Any) -> Task:
    """Rounds of fit, in trainings of so many times as many rounds; the time before the first round counts with them."""
    inputs, targets = functions.network_cases(rows)
    cases = list(zip(inputs.tolist(), targets.tolist(), strict=True))

    def trained(rounds: int) -> Array:
        network: MLP = MLP(2, [16, 16, 1], "tanh", generator=random.Random(1))
        history = fit(network, cases, rounds=rounds, progress=False, **settings)
        return numpy.array([*history.errors, *[parameter.data for parameter in network.parameters()]])

    return Task(lambda times: trained(times * units), lambda: trained(2), units)


PROGRAMS: dict[str, Callable[[int], Task]] = {
    "gpt": gpt_mean,
    "gpt training": gpt_training,
    "fit": fit_task,
    "small digits": image_trainings.small_digits,
}
