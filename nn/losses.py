"""How wrong a prediction is: functions of the outputs of a network and their targets.

Each takes one output and its target, or a list of each, and returns one Value to run `backward()` from. A target is a
number, or a labelled `Constant` that shows in drawings and explanations. While a program is recorded, targets are its
inputs, and are not checked.

>>> half_squared_error([Value(0.75), Value(0.5)], [0.25, 1.0])
Value(0.25)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from operator import index
from typing import Any, SupportsIndex, TypeAlias

import autograd
from autograd import Value, sign, stop_gradient, where
from autograd.floats import as_float
from autograd.primitives import sigmoid
from nn.calls import warn

Outputs: TypeAlias = Value | Sequence[Value]
Targets: TypeAlias = Value | float | Sequence[Value | float]
Loss: TypeAlias = Callable[[Any, Any], Value]


def half_squared_error(outputs: Outputs, targets: Targets) -> Value:
    """Return half the sum of the squared errors, Σ ½ (target − output)²: E_total of Mazur's article.

    Args:
        outputs: what the network gives.
        targets: what it should give.

    Raises:
        ValueError: if there is not one target for each output.
    """
    errors = [0.5 * (target - output) ** 2 for output, target in _pairs(outputs, targets)]
    return errors[0] if len(errors) == 1 else autograd.sum(errors)


def mean_squared_error(outputs: Outputs, targets: Targets) -> Value:
    """Return the mean of the squared errors, (1/n) Σ (target − output)².

    Args:
        outputs: what the network gives.
        targets: what it should give.

    Raises:
        ValueError: if there is not one target for each output.
    """
    return mean_of([(target - output) ** 2 for output, target in _pairs(outputs, targets)])


def binary_cross_entropy(logits: Outputs, targets: Targets) -> Value:
    """Return the mean cross-entropy of yes-or-no predictions, −t log σ(z) − (1 − t) log(1 − σ(z)).

    It is computed from the logits as t softplus(−z) + (1 − t) softplus(z), which is the same, and exact for logits of
    any size, also where the prediction is all but certain.

    Args:
        logits: what the network gives before a sigmoid, which this function includes. A warning tells of a logit that
            is the result of one.
        targets: probabilities from 0 to 1.

    Raises:
        ValueError: if there is not one target for each logit, or one is not a probability.
    """
    pairs = _pairs(logits, targets)
    if any(logit.primitive is sigmoid for logit, _ in pairs):
        warn(
            "binary_cross_entropy takes logits and includes the sigmoid, and got what a sigmoid gave: a network learns "
            'next to nothing that way; leave out output_activation="sigmoid", or .sigmoid()'
        )
    for target in _known(target for _, target in pairs):
        if not 0.0 <= target <= 1.0:
            raise ValueError(f"the target of a binary cross-entropy is a probability from 0 to 1, got {target}")
    return mean_of([_entropy(logit, target) for logit, target in pairs])


def _entropy(logit: Value, target: Any) -> Value:
    if not isinstance(target, Value) and target in (0.0, 1.0):  # one term is 0
        return (-logit).softplus() if target else logit.softplus()
    error: Value = target * (-logit).softplus() + (1.0 - target) * logit.softplus()
    return error


def softmax_cross_entropy(logits: Iterable[Value], target: SupportsIndex | Sequence[float]) -> Value:
    """Return the cross-entropy of a choice among several classes, −Σ t log softmax(z).

    It is computed from the logits as log Σ exp(z) − Σ t z, with the largest logit taken out of both, so it is exact for
    logits of any size. For a class it is log(1 + Σ exp(z − z of the class)), summed over the others: a loss and
    gradients close to 0 have all their digits, too.

    Args:
        logits: what the network gives for each class, before a softmax, which this function includes.
        target: the index of the right class; or a probability for each class, which add up to 1.

    Raises:
        ValueError: if the class does not exist, or there is not one probability for each class.
    """
    if isinstance(logits, Value):
        raise ValueError(
            "a choice needs a list of logits, one for each class, got a single one; give the network an output for "
            "each class, or use binary_cross_entropy for a choice of two"
        )
    logits = list(logits)
    if not logits:
        raise ValueError("a choice needs at least one class, got no logits")
    numbers = _known(logits)
    largest = max(numbers) if numbers else stop_gradient(autograd.max(logits))
    is_array = bool(getattr(target, "shape", ()))  # which has a method for an index, too
    if isinstance(target, SupportsIndex) and not (isinstance(target, bool) or is_array):
        label = index(target)
        if not 0 <= label < len(logits):
            raise ValueError(f"the target class must be an index of the logits, 0 to {len(logits) - 1}, got {label}")
        return _of_class(logits, largest, [float(place == label) for place in range(len(logits))])
    if isinstance(target, Value) and not _known([target]):
        return _of_class(logits, largest, _one_hot(target, len(logits)))
    pairs = _pairs(logits, target)  # type: ignore[arg-type]  # no index
    probabilities = _known(target for _, target in pairs)
    if probabilities and (min(probabilities) < 0.0 or abs(sum(probabilities) - 1.0) > 1e-9):
        raise ValueError(f"the target probabilities must be at least 0 and add up to 1, got {probabilities}")
    shifted = [logit - largest for logit in logits]
    log_sum = autograd.sum([logit.exp() for logit in shifted]).log()
    return log_sum - autograd.dot(shifted, [probability for _, probability in pairs])


def _of_class(logits: Sequence[Value], largest: Value | float, one_hot: Sequence[Value | float]) -> Value:
    """Return log(1 + Σ exp(z − y)), where y is the logit of the class and the sum that over the others.

    With the constant c = y − max z, it is log1p(exp(c) − 1 + Σ exp(z − y + c)) − c, where nothing overflows. Whether
    the class is known or an input of a program, the graph has the logits in their order, so that gradients round alike.
    """
    marks, kept = one_hot, logits
    if not all(map(math.isfinite, _known(logits))):  # leave out −inf where it would be multiplied by 0
        known = zip(one_hot, logits, strict=True)
        marks, kept = zip(*[(mark, z) for mark, z in known if mark or math.isfinite(z.data)], strict=True)
    below = autograd.dot(marks, [logit - largest for logit in kept])
    constant = stop_gradient(below)
    shift = (constant - below) - largest  # the number is that of −max z
    terms = []
    for mark, logit in zip(one_hot, logits, strict=True):
        if isinstance(mark, Value):
            terms.append(where(mark, constant.expm1(), (shift + logit).exp()))
        else:
            terms.append(constant.expm1() if mark else (shift + logit).exp())
    return autograd.sum(terms).log1p() - constant


def hinge(scores: Outputs, targets: Targets) -> Value:
    """Return the mean hinge loss of a support-vector machine, max(0, 1 − t s).

    Args:
        scores: what the network gives: positive for yes, negative for no.
        targets: 1 for yes, -1 for no.

    Raises:
        ValueError: if there is not one target for each score, or one is neither 1 nor -1.
    """
    pairs = _pairs(scores, targets)
    for target in _known(target for _, target in pairs):
        if target not in (1.0, -1.0):
            raise ValueError(f"the target of a hinge loss is 1 or -1, got {target}")
    return mean_of([(1.0 - target * score).relu() for score, target in pairs])


def _pairs(outputs: Outputs, targets: Targets) -> list[tuple[Value, Value | float]]:
    outputs = [outputs] if isinstance(outputs, Value) else list(outputs)
    targets = list(targets) if isinstance(targets, Iterable) else [targets]
    if len(outputs) != len(targets) or not outputs:
        raise ValueError(
            f"a loss needs one target for each output, got {len(targets)} for {len(outputs)}; give a list of as many "
            f"targets as there are outputs"
        )
    return [(o, t if isinstance(t, Value) else as_float(t)) for o, t in zip(outputs, targets, strict=True)]


def _known(values: Iterable[Value | float]) -> list[float]:
    """Return the numbers of Values; none while a program is recorded, which has others at each call."""
    try:
        return [value.data if isinstance(value, Value) else value for value in values]
    except TypeError:
        return []


def _one_hot(target: Value, classes: int) -> list[Value | float]:
    """Return 1 for the target class and 0 for others, without a comparison: the target is an input of a program."""
    return [1.0] if classes == 1 else [1.0 - abs(sign(target - label)) for label in range(classes)]


def mean_of(terms: list[Value]) -> Value:
    """Return the mean of some Values."""
    return terms[0] if len(terms) == 1 else autograd.sum(terms) / len(terms)
