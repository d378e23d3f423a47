"""How good a network is over a list of cases: functions of the network, the cases and the loss, which `fit` can call.

>>> from nn.modules import Neuron
>>> neuron = Neuron(1, "sigmoid")
>>> neuron.weights[0].data, neuron.bias.data = 2.0, -1.0
>>> accuracy(neuron, [([0.0], 0), ([1.0], 1), ([2.0], 0), ([3.0], 1)])
0.75
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from operator import index
from typing import Any, SupportsIndex

from autograd import Value, no_grad
from autograd.floats import as_float
from nn.calls import explained
from nn.losses import Loss, binary_cross_entropy, half_squared_error, hinge, mean_of, softmax_cross_entropy
from nn.parameters import Module

Case = tuple[Any, Any]  # the inputs of the network, and the target as the loss takes it
Metric = Callable[[Module, Sequence[Case], Loss], float]


@explained("accuracy(network, cases), where cases are pairs (inputs, target)")
def accuracy(
    network: Module, cases: Iterable[Case], loss: Loss = half_squared_error, *, threshold: float | None = None
) -> float:
    """Return the share of the cases that a network gets right, without recording a graph.

    The loss says what an output means. With `softmax_cross_entropy`, the largest logit must be that of the target; so
    too with other losses where each case has several outputs and exactly one target above 0.5. Else, and where a
    threshold is given, each output must be on the same side of the threshold as its target is of 0.5.

    Args:
        network, cases: as for `fit`.
        loss: the loss that the network is trained with.
        threshold: what an output is compared with; 0 for `binary_cross_entropy` and `hinge`, whose outputs are logits
            and scores, and else 0.5 when not given.

    Returns:
        A number from 0 to 1. An output that is nan is wrong.

    Raises:
        ValueError: for no cases; if there is not one target for each output; or if a target is below 0 or above 1 and
            0.5 is the threshold only because none was given.
    """
    with no_grad():
        answers = [(_numbers(network(inputs)), target) for inputs, target in cases]
    if not answers:
        raise ValueError("there is no accuracy of no cases; give at least one, a pair of inputs and target")
    if loss is softmax_cross_entropy:
        return sum(_largest(outputs) == _class(target) for outputs, target in answers) / len(answers)
    pairs = [(outputs, _numbers(target)) for outputs, target in answers]
    for outputs, targets in pairs:
        if len(outputs) != len(targets):
            raise ValueError(f"accuracy needs one target for each output, got {len(targets)} for {len(outputs)}")
    if threshold is None:
        if all(len(targets) > 1 and sum(target > 0.5 for target in targets) == 1 for _, targets in pairs):
            return sum(_largest(outputs) == _largest(targets) for outputs, targets in pairs) / len(pairs)
        threshold = 0.0 if loss in (binary_cross_entropy, hinge) else 0.5
        for _, targets in pairs:
            if threshold == 0.5 and not all(0.0 <= target <= 1.0 for target in targets):
                raise ValueError(
                    f"accuracy compares outputs with 0.5, which does not suit a target of {targets[0]:g}; use "
                    f"functools.partial(accuracy, threshold=…), with 0 for targets of -1 and 1"
                )
    sides = [
        [not math.isnan(out) and (out > threshold) == (target > 0.5) for out, target in zip(*pair, strict=True)]
        for pair in pairs
    ]
    return sum(map(all, sides)) / len(sides)


@explained("average_error(network, cases), where cases are pairs (inputs, target)")
def average_error(network: Module, cases: Iterable[Case], loss: Loss = half_squared_error) -> float:
    """Return the mean of the loss over cases, without recording a graph.

    Args:
        network, cases, loss: as for `fit`.

    Raises:
        ValueError: for no cases.
    """
    rows = list(cases)
    if not rows:
        raise ValueError("there is no average of no cases; give at least one, a pair of inputs and target")
    with no_grad():
        return mean_loss(network, rows, loss).data


def mean_loss(network: Module, cases: Sequence[Case], loss: Loss) -> Value:
    """Return the mean of the loss over cases, as a node."""
    return mean_of([error_of(loss, network(inputs), target) for inputs, target in cases])


def error_of(loss: Loss, output: Any, target: Any) -> Value:
    """Return the loss of one output; raise a TypeError if it is no Value."""
    error: Any = loss(output, target)
    if not isinstance(error, Value):
        raise TypeError(f"a loss must return a Value, computed from what the network gives; got {error!r:.80}")
    return error


def _numbers(thing: Any) -> list[float]:
    """Return the numbers of outputs or targets: of one, or of a list."""
    items = thing if isinstance(thing, Iterable) and not isinstance(thing, str) else [thing]
    return [item.data if isinstance(item, Value) else as_float(item) for item in items]


def _class(target: Any) -> int | None:
    if isinstance(target, SupportsIndex) and not isinstance(target, bool):
        return index(target)
    return _largest(_numbers(target))


def _largest(numbers: list[float]) -> int | None:
    """Return the place of the largest number, the first one of equal ones; None if there is nan."""
    return None if any(map(math.isnan, numbers)) else numbers.index(max(numbers))
