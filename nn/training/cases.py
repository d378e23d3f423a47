"""The cases of a training: listed once, and checked before anything is changed.

>>> listed(zip([[0.0], [1.0]], [0.5, 1.5]), "cases")
[([0.0], 0.5), ([1.0], 1.5)]
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

from autograd import Value, no_grad
from autograd.floats import as_float
from autograd.saving import shortened
from nn.losses import (
    Loss,
    binary_cross_entropy,
    half_squared_error,
    hinge,
    mean_squared_error,
    softmax_cross_entropy,
)
from nn.metrics import Case, error_of
from nn.modules import MLP, Layer, Neuron
from nn.parameters import Module

PLAIN = {float, int}
LOSSES = (half_squared_error, mean_squared_error, binary_cross_entropy, softmax_cross_entropy, hinge)


def listed(cases: Iterable[Case], name: str) -> list[Case]:
    """List the cases of anything that can be iterated over, once, as pairs; the messages call them `name`.

    Raises:
        TypeError: if they cannot be iterated over, or one is not a pair.
        ValueError: if there are none.
    """
    if isinstance(cases, str | Mapping) or not isinstance(cases, Iterable) or getattr(cases, "shape", None) == ():
        raise TypeError(f"{name} must be a list of pairs (inputs, target), got {said(cases)}")
    found = []
    case: Any
    for number, case in enumerate(cases):
        is_array = hasattr(case, "dtype") and not getattr(case.dtype, "hasobject", False)
        is_pair = isinstance(case, Iterable) and not (isinstance(case, str | Mapping) or is_array)
        pair = list(case) if is_pair else []
        if len(pair) != 2:
            raise TypeError(
                f"{name}[{number}] must be a pair (inputs, target), got {said(case)}; of two arrays or lists X and y "
                f"make pairs with list(zip(X, y))"
            )
        inputs, target = (list(part) if isinstance(part, Iterator) else part for part in pair)
        found.append((inputs, target))
    if not found:
        raise ValueError(
            f"{name} is empty: there is nothing to train on; give at least one case, a pair of inputs and target"
        )
    return found


def is_plain(data: Any) -> bool:
    """Return whether data are a list or a tuple of floats and ints, or an array of such, which is quick to convert."""
    kind = type(data)
    if kind is list or kind is tuple:
        return PLAIN.issuperset(map(type, data))
    return getattr(getattr(data, "dtype", None), "kind", None) in ("f", "i", "u") and data.shape != ()


def check(network: Module, cases: Sequence[Case], loss: Loss, name: str, tries_any_loss: bool = False) -> None:
    """Check that a network takes the inputs of all cases, and its loss their targets, and that all are finite.

    The network is called once for each length of inputs that there is, under `no_grad()`. Targets are tried with the
    losses of this package, and with others if `tries_any_loss`. The messages call the cases `name`.

    Raises:
        ValueError, TypeError: as the network or the loss raises it, with the case in front; or if a number is nan or
            infinite.
    """
    for number, (inputs, target) in enumerate(cases):
        for what, data in (("inputs", inputs), ("target", target)):
            for entry in () if _is_plainly_finite(data) else numbers_in(data):
                if not math.isfinite(entry):
                    raise ValueError(
                        f"the data hold {entry} in the {what} of {name}[{number}]; a training needs finite numbers: "
                        f"leave the case out, or put a number there"
                    )
    outputs: dict[int | None, Any] = {}
    fitting: set[tuple[int | None, type, object]] = set()  # numbers that are known as targets of outputs
    takes_numbers, tries_loss = isinstance(network, MLP | Layer | Neuron), tries_any_loss or loss in LOSSES
    what = name
    try:
        with no_grad():
            for number, (inputs, target) in enumerate(cases):
                what = f"{name}[{number}]"
                length = len(inputs) if hasattr(inputs, "__len__") else None
                if length not in outputs:
                    outputs[length] = network(inputs)
                for entry in inputs if takes_numbers and not is_plain(inputs) else ():
                    if not isinstance(entry, Value):
                        as_float(entry)
                known = (length, type(target), target) if type(target) in PLAIN else None
                if tries_loss and (known is None or known not in fitting):
                    error_of(loss, outputs[length], target)
                    if known is not None:
                        fitting.add(known)
    except (ValueError, TypeError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{what} does not fit: {error}") from error


def _is_plainly_finite(data: Any) -> bool:
    """Return whether data are plain and finite: asked first, since walking through them takes twenty times as long."""
    if type(data) in PLAIN:
        data = [data]
    if not is_plain(data):
        return False
    if not isinstance(data, list | tuple):
        from numpy import isfinite  # they are an array of it

        return bool(isfinite(data).all())
    try:
        return all(map(math.isfinite, data))
    except OverflowError:  # an int beyond the range of floats
        return False


def numbers_in(data: Any) -> Iterator[float]:
    """Yield all numbers in some data, however deep in lists, dicts and arrays."""
    if getattr(data, "shape", None) == ():  # an array without axes
        data = data.item()
    if isinstance(data, Value):
        yield data.data
    elif isinstance(data, Real):
        try:
            yield float(data)
        except OverflowError:
            yield math.inf
    elif isinstance(data, Mapping):
        for entry in data.values():
            yield from numbers_in(entry)
    elif isinstance(data, Iterable) and hasattr(data, "__len__") and not isinstance(data, str | bytes):
        for entry in data:
            yield from numbers_in(entry)


def said(thing: object) -> str:
    """Return what was given and its type, for a message."""
    if hasattr(thing, "dtype"):
        return f"an array of shape {getattr(thing, 'shape', '')}"
    return f"{shortened(thing)} of type {type(thing).__name__}"
