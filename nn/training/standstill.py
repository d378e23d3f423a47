"""The warning at the end of a training that does not move.

An error that no longer changes is not enough for it: after a training that has converged it does not change either, and
is above 0 if the data are noisy; and there may be dead units in both cases. The sign is that the network returns the
same output for inputs that should have different ones, while most of its parameters get no gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd import ieee_arithmetic, no_grad
from nn.calls import warn
from nn.history import History
from nn.metrics import Case, mean_loss
from nn.training.cases import numbers_in
from nn.training.options import Options

LEAST = 20  # rounds of a training that is looked at
TRIED = 100  # cases, at most
STILL = 1e-3  # the share of the error that it changes by in the last quarter of the rounds, at most
EQUAL = 1e-6  # the difference of two answers, at most, as a share of that of their targets
ALL_EQUAL = 1e-3  # likewise, where all answers are the same
APART = 0.5  # the difference of two targets, at least, as a share of the largest one: noise differs by less


def warn_of_standstill(options: Options, history: History) -> None:
    """Warn if most parameters get no gradient, and the network does not tell cases of different targets apart.

    These are two cases if the error hardly changes any more. Else, as in batches that are shuffled, they are all.
    """
    recent = history.errors[-max(LEAST, len(history.errors) // 4) :]
    if len(recent) < LEAST:
        return
    is_still = max(recent) - min(recent) <= STILL * abs(recent[-1])
    places = range(0, len(options.cases), -(-len(options.cases) // TRIED))
    cases = [options.cases[place] for place in places]
    pair = _not_told_apart(options, cases, is_still)
    dead = _dead(options, cases) if pair else 0
    if not pair or not dead:
        return
    still = f"the error is {recent[-1]:.4g} and has hardly changed for {len(recent)} rounds, " if is_still else ""
    warn(
        f"the training does not move: {still}the network gives the same answer to cases {places[pair[0]]} and "
        f"{places[pair[1]]}, whose targets differ, and {dead} of {len(options.optimizer.parameters)} parameters get a "
        f"gradient of 0 from each of the {len(cases)} cases that were tried; autograd.diagnose(error, parameter), of "
        f"the error of a case, says where it is lost; try other initial numbers, a lower learning rate, or another "
        f"activation, such as 'tanh'"
    )


def _not_told_apart(options: Options, cases: Sequence[Case], is_still: bool) -> tuple[int, int] | None:
    """Return the places of two cases with the same answer and targets that are far apart; None if there are none.

    Unless `is_still`, all answers must be the same. For inputs that have several targets, their mean counts.
    """
    inputs = [tuple(numbers_in(case[0])) for case in cases]
    targets: dict[tuple[float, ...], list[list[float]]] = {}
    for key, (_, target) in zip(inputs, cases, strict=True):
        targets.setdefault(key, []).append(list(numbers_in(target)))
    means = {key: [sum(row) / len(row) for row in zip(*rows, strict=False)] for key, rows in targets.items()}
    wanted = [means[key] for key in inputs]
    spread = max((max(column) - min(column) for column in zip(*wanted, strict=False)), default=0.0)
    if not spread > 0.0:
        return None
    answers: list[list[float]] = []
    are_same = True
    with no_grad(), ieee_arithmetic():
        for given, _ in cases:
            answers.append(list(numbers_in(options.network(given))))
            are_same = are_same and _distance(answers[-1], answers[0]) <= ALL_EQUAL * spread
            if not are_same and not is_still:
                return None
    share = ALL_EQUAL if are_same else EQUAL
    for second in range(len(cases)):
        for first in range(second):
            apart = _distance(wanted[first], wanted[second])
            is_same = answers[first] and _distance(answers[first], answers[second]) <= share * apart
            if is_same and apart >= APART * spread:
                return first, second
    return None


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    return max((abs(here - there) for here, there in zip(one, other, strict=False)), default=0.0)


def _dead(options: Options, cases: Sequence[Case]) -> int:
    """Return how many parameters get a gradient of 0 from each case; 0 if those are not more than half of them."""
    dead = list(options.optimizer.parameters)
    least = len(dead) // 2 + 1
    grads = [(leaf, leaf.grad if leaf.has_grad else None) for leaf in (*dead, *options.frozen)]
    try:
        for case in cases:
            options.optimizer.zero_grad()
            with ieee_arithmetic():
                mean_loss(options.network, [case], options.loss).backward()
            dead = [parameter for parameter in dead if parameter.grad == 0.0]
            if len(dead) < least:
                return 0
    finally:
        for leaf, grad in grads:
            leaf.grad = grad
    return len(dead)
