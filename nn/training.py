"""Training: rounds of forward pass, backward pass and step, which may be watched, stopped, saved and resumed.

>>> from nn.modules import MLP
>>> network = MLP(2, [3, 1], "tanh", generator=random.Random(1))
>>> history = fit(network, [([0, 1], 1), ([1, 1], 0)], rounds=200)
>>> history.rounds, history.errors[-1] < history.errors[0] / 100
(200, True)
"""

from __future__ import annotations

import functools
import math
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import autograd
from autograd import LivePage, Value, no_grad
from autograd.saving import check_folder
from nn.checkpoints import Checkpoint, save_network
from nn.checkpoints import resume as resume_from
from nn.losses import half_squared_error
from nn.optimizers import SGD, Optimizer, Update
from nn.pages import network_page
from nn.parameters import Module

Case = tuple[Sequence[float], Any]  # the inputs of the network, and the target as the loss takes it
Loss = Callable[[Any, Any], Value]


@dataclass
class History:
    """What happened in a training.

    Attributes:
        rounds: the number of rounds done, including those before a resume.
        errors: the error of each round of this training, before its step.
        interrupted: whether it was stopped by Ctrl-C.
    """

    rounds: int = 0
    errors: list[float] = field(default_factory=list)
    interrupted: bool = False
    _page: Callable[..., LivePage] | None = field(default=None, repr=False, compare=False)

    def page(self, title: str | None = None) -> LivePage:
        """The trained network as a live page, with its cases and its loss, to step through it and to train on.

        Args:
            title: the heading.

        Raises:
            ValueError: if this history is not one that `fit` returned.
            TypeError: as `network_page`.
        """
        if self._page is None:
            raise ValueError("only a history that fit returned knows its network; use network_page(network, cases)")
        return self._page(title=title)


def fit(
    network: Module,
    cases: Sequence[Case],
    *,
    loss: Loss = half_squared_error,
    optimizer: Optimizer | None = None,
    rounds: int = 1000,
    pick: random.Random | None = None,
    progress: bool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 1000,
    resume: bool = False,
) -> History:
    """Train a network.

    Ctrl-C stops the training after a whole round and returns; what was learned stays in the network.

    Args:
        network: called with the inputs of a case, it gives what `loss` takes.
        cases: pairs of inputs and target.
        loss: a function of the network's output and the target.
        optimizer: changes the parameters; gradient descent with a learning rate of 0.5 when not given.
        rounds: the number of rounds to be done at the end, including those before a resume.
        pick: picks one case at random for each round; when not given, each round takes the mean over all cases.
        progress: whether to show a progress bar; when not given, if the standard error is a terminal.
        checkpoint: a file that the network and the state of its training are saved to, at the end too.
        checkpoint_every: after how many rounds.
        resume: whether to go on from that file, if it is there: to the last bit as if there had been no break.

    Returns:
        The history of the training.

    Raises:
        ValueError: for no cases, a negative number of rounds, or a checkpoint of another network; nothing is changed.
        FloatingPointError: if an error, a gradient or a parameter is no longer finite; it names the round, and the
            network is as it was before that round.
        OSError: if the checkpoint cannot be written.
    """
    if not cases:
        raise ValueError("there is nothing to train on: give at least one case, a pair of inputs and target")
    if rounds < 0 or checkpoint_every < 1:
        raise ValueError(f"rounds must be at least 0 and checkpoint_every at least 1, got {rounds}, {checkpoint_every}")
    if resume and checkpoint is None:
        raise ValueError("there is no file to resume from: give its name as checkpoint")
    optimizer = optimizer or SGD(network.parameters(), learning_rate=0.5)
    if checkpoint is not None:
        check_folder(checkpoint)
    behind = 0
    if resume and checkpoint is not None and Path(checkpoint).exists():
        behind = resume_from(network, optimizer, pick, checkpoint).rounds
    training = _Training(network, cases, loss, optimizer, pick, behind)

    def write() -> None:
        if checkpoint is not None:
            save_network(network, checkpoint, training.checkpoint())

    from tqdm import tqdm

    disable = None if progress is None else not progress
    try:
        with tqdm(total=rounds, initial=behind, disable=disable, unit=" rounds") as bar:
            while training.history.rounds < rounds:
                training.round()
                bar.update()
                if training.history.rounds % 100 == 0:
                    bar.set_postfix_str(f"error {training.history.errors[-1]:.3g}", refresh=False)
                if training.history.rounds % checkpoint_every == 0 and training.history.rounds < rounds:
                    write()
        write()
    except KeyboardInterrupt:
        training.history.interrupted = True
        training.settle()
        write()
    except BaseException:
        training.settle()
        raise
    return training.history


class _Committed(NamedTuple):
    """The state after a whole round: all that a round changes."""

    rounds: int
    error: float | None  # of that round; None before the first
    update: Update
    pick_state: tuple[Any, ...] | None


class _Training:
    """The rounds of a training.

    The commit point of a round is the assignment of `committed`. After an interrupt, `settle` undoes the round if that
    has not happened, and completes it otherwise. `settle` may be repeated.
    """

    def __init__(
        self,
        network: Module,
        cases: Sequence[Case],
        loss: Loss,
        optimizer: Optimizer,
        pick: random.Random | None,
        behind: int,
    ) -> None:
        self.network, self.cases, self.loss, self.optimizer, self.pick = network, cases, loss, optimizer, pick
        shown = functools.partial(
            network_page, network, cases, loss, learning_rate=optimizer.learning_rate, pick=pick is not None
        )
        self.history = History(behind, _page=shown)
        self.behind = behind
        numbers = [parameter.data for parameter in optimizer.parameters]
        start = Update(numbers, optimizer.memory, optimizer.steps)
        self.committed = _Committed(behind, None, start, pick.getstate() if pick else None)

    def round(self) -> None:
        """One round: forward pass, backward pass and step.

        Raises:
            FloatingPointError: if the error, a gradient or a new parameter is not finite.
        """
        cases = self.cases if self.pick is None else [self.pick.choice(self.cases)]
        error = _mean_loss(self.network, cases, self.loss)
        self.optimizer.zero_grad()
        error.backward()
        self._check_finite("the error", [error.data])
        self._check_finite("a gradient", [parameter.grad for parameter in self.optimizer.parameters])
        update = self.optimizer.update()
        self._check_finite("a parameter after the step", update.numbers)
        pick_state = self.pick.getstate() if self.pick else None
        self.committed = _Committed(self.committed.rounds + 1, error.data, update, pick_state)
        self._apply()

    def settle(self) -> None:
        """Bring everything to the state after the last committed round."""
        if self.pick is not None and self.committed.pick_state is not None:
            self.pick.setstate(self.committed.pick_state)
        self._apply()

    def _apply(self) -> None:
        committed = self.committed
        self.optimizer.apply(committed.update)
        if committed.error is not None:
            self.history.errors[committed.rounds - self.behind - 1 :] = [committed.error]
        self.history.rounds = committed.rounds

    def checkpoint(self) -> Checkpoint:
        """What a checkpoint holds of the training, besides the network."""
        return Checkpoint(self.committed.rounds, self.optimizer.state_dict(), self.committed.pick_state)

    def _check_finite(self, what: str, numbers: Sequence[float]) -> None:
        if not all(map(math.isfinite, numbers)):
            wrong = [number for number in numbers if not math.isfinite(number)]
            raise FloatingPointError(
                f"the training diverged at round {self.committed.rounds + 1}: {what} is {wrong[0]}; lower the learning "
                f"rate (now {self.optimizer.learning_rate:g}) and train again"
            )


def average_error(network: Module, cases: Sequence[Case], loss: Loss = half_squared_error) -> float:
    """The mean of the loss over cases, without recording a graph."""
    with no_grad():
        return _mean_loss(network, cases, loss).data


def _mean_loss(network: Module, cases: Sequence[Case], loss: Loss) -> Value:
    losses = [loss(network(inputs), target) for inputs, target in cases]
    return losses[0] if len(losses) == 1 else autograd.sum(losses) / len(losses)
