"""PyTorch in float64 on one thread, eager."""

from collections.abc import Callable
from typing import Any

import torch

from tests.benchmarks.programs import functions
from tests.benchmarks.programs.serving import Array, Task, repeated

torch.set_num_threads(1)


def network(activation: Callable[[Any], Any]) -> Callable[[int], Task]:
    """The mean error of a network over many rows, and its gradient."""

    def build(rows: int) -> Task:
        w = {name: torch.tensor(array, requires_grad=True) for name, array in functions.network_parameters().items()}
        inputs, targets = map(torch.tensor, functions.network_cases(rows))

        def call() -> Any:
            first = activation(inputs @ w["first"].T + w["first_bias"])
            second = activation(first @ w["second"].T + w["second_bias"])
            error = (0.5 * (targets - (second @ w["third"].T + w["third_bias"])[:, 0]) ** 2).mean()
            for parameter in w.values():
                parameter.grad = None
            error.backward()
            return error

        def result() -> Array:
            error = call()
            return functions.flat((error.item(), {name: parameter.grad.numpy() for name, parameter in w.items()}))

        return Task(repeated(call), result)

    return build


PROGRAMS: dict[str, Callable[[int], Task]] = {"network tanh": network(torch.tanh), "network relu": network(torch.relu)}
