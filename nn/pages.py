"""A network and its cases as a live page.

>>> import random
>>> from nn import MLP
>>> network = MLP(2, [3, 1], "tanh", generator=random.Random(1))
>>> network_page(network, [([0, 1], 1), ([1, 1], 0)], title="Two cases").title
'Two cases'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index
from typing import Any, SupportsIndex

from autograd import Constant, LivePage, Value, live_page, topological_order
from autograd.floats import as_float
from nn.checkpoints import file_of
from nn.losses import Loss, half_squared_error, softmax_cross_entropy
from nn.parameters import Module


def network_page(
    network: Module,
    cases: Iterable[tuple[Sequence[float], Any]],
    loss: Loss = half_squared_error,
    *,
    title: str | None = None,
    learning_rate: float = 0.5,
    pick: bool = False,
) -> LivePage:
    """Make a page of a network: its forward and backward pass with one case, and its training with all of them.

    Args:
        network: what is shown; an `MLP` is drawn in layers.
        cases, loss: as for `fit`.
        title: the heading.
        learning_rate: the size of a step of the training, which can be changed on the page.
        pick: whether a round of the training takes one case, picked at random, instead of the mean over all.

    Raises:
        ValueError: for no cases, or cases of different lengths; the message names the case.
        TypeError: if a case holds something that is no number, or the network applies a primitive of one's own, whose
            function only Python knows.
    """
    pairs = [([as_float(number) for number in inputs], target) for inputs, target in cases]
    if not pairs:
        raise ValueError("there is nothing to show: give at least one case, a pair of inputs and target")
    inputs = [Constant(number, f"i{count}") for count, number in enumerate(pairs[0][0], start=1)]
    result = network(inputs)
    outputs = [result] if isinstance(result, Value) else list(result)
    rows = [row + _target_numbers(target, loss, len(outputs)) for row, target in pairs]
    for number, ((row, _), all_of_it) in enumerate(zip(pairs, rows, strict=True)):
        if len(row) != len(inputs) or len(all_of_it) != len(rows[0]):
            raise ValueError(
                f"case {number} has {len(row)} inputs and {len(all_of_it) - len(row)} targets, case 0 has "
                f"{len(inputs)} and {len(rows[0]) - len(inputs)}; give as many in each case"
            )
    labels = [output.label or f"o{count}" for count, output in enumerate(outputs, start=1)]
    names = [label.removeprefix("out_").removeprefix("net_") for label in labels]
    count = len(rows[0]) - len(inputs)
    labels = ["target"] if count == 1 else [f"target_{name}" for name in [*names, *map(str, range(count))][:count]]
    targets = [Constant(number, label) for number, label in zip(rows[0][len(inputs) :], labels, strict=True)]
    is_list = isinstance(pairs[0][1], Iterable) or not isinstance(result, Value)
    error = loss(result, targets if is_list else targets[0])
    _label_errors(error, names)
    order, parameters = topological_order(error), set(network.parameters())
    nodes = set(order)
    columns = [(leaf, place) for place, leaf in enumerate([*inputs, *targets]) if leaf in nodes]
    compared = [pair for pair in zip(outputs, targets, strict=False) if nodes.issuperset(pair)]
    return live_page(
        error,
        [{leaf: row[place] for leaf, place in columns} for row in rows] if columns else None,
        title=title or f"{type(network).__name__}, {len(rows)} case{'s' if len(rows) != 1 else ''}",
        learning=[node for node in order if node in parameters],
        learning_rate=learning_rate,
        pick=pick,
        predictions=compared if loss is half_squared_error else (),
        file=file_of(network),
    )


def _target_numbers(target: Any, loss: Loss, outputs: int) -> list[float]:
    """Return the numbers of a target; a class becomes a probability for each class."""
    if loss is softmax_cross_entropy and isinstance(target, SupportsIndex) and not isinstance(target, bool):
        return [float(place == index(target)) for place in range(outputs)]
    is_list = isinstance(target, Iterable) and not isinstance(target, str)
    return [as_float(number) for number in (target if is_list else [target])]


def _label_errors(error: Value, names: Sequence[str]) -> None:
    """Call the error E_total and its terms E_o1, …, where there is one for each output; else call it E."""
    terms = [term for term in error.parents if term.primitive is not None]
    has_terms = error.primitive is not None and error.primitive.is_sum and len(terms) == len(names) > 1
    for term, name in zip(terms if has_terms else (), names, strict=False):
        term.label = term.label or f"E_{name}"
    error.label = error.label or ("E_total" if has_terms else "E")
