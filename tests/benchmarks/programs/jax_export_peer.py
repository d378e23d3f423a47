"""Programs of this package exported to JAX, and run as hand-written code for JAX is."""

from collections.abc import Callable
from typing import Any

import jax

from autograd import compile, value_and_grad
from tests.benchmarks import gpt
from tests.benchmarks.programs import functions
from tests.benchmarks.programs.jax_peer import gpt_compiling, gpt_task, mean_of
from tests.benchmarks.programs.serving import Task


def arguments() -> list[Any]:
    """The parameters, and one document."""
    return [gpt.initial_parameters(), *[part[0] for part in functions.gpt_documents(1)]]


def exported(function: Any) -> Callable[..., Any]:
    """A function of parameters and a document, recorded and exported."""
    on_jax: Callable[..., Any] = function.program(*arguments()).to_jax()
    return on_jax


def gpt_step(_: int) -> Task:
    """Loss and gradients of one document: the program has the gradients in it."""
    return gpt_task(exported(compile(value_and_grad(gpt.loss))), arguments())


def gpt_differentiated(_: int) -> Task:
    """The same, but JAX differentiates the exported loss."""
    return gpt_task(jax.value_and_grad(exported(compile(gpt.loss))), arguments())


def gpt_batch(count: int) -> Task:
    """The mean over documents, by the transformations of JAX."""
    batch = [gpt.initial_parameters(), *functions.gpt_documents(count)]
    return gpt_task(mean_of(exported(compile(gpt.loss))), batch, count)


def gpt_compiled(_: int) -> Task:
    """What JAX does with the exported step before the first call."""
    return gpt_compiling(exported(compile(value_and_grad(gpt.loss))), arguments())


PROGRAMS: dict[str, Callable[[int], Task]] = {
    "gpt": gpt_step,
    "gpt differentiated": gpt_differentiated,
    "gpt batch": gpt_batch,
    "gpt compiled": gpt_compiled,
}
