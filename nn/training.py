"""Training: rounds of forward pass, backward pass and step, which may be watched, stopped, saved and resumed.

>>> from nn.modules import MLP
>>> network = MLP(2, [3, 1], "tanh", generator=random.Random(1))
>>> history = fit(network, [([0, 1], 1), ([1, 1], 0)], rounds=200)
>>> history.rounds, history.errors[-1] < history.errors[0] / 100
(200, True)
"""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import autograd
from autograd import Value, no_grad
from autograd.saving import save
from nn.losses import half_squared_error
from nn.modules import Module
from nn.optimizers import SGD, Optimizer

Case = tuple[Sequence[float], Any]  # the inputs of the network, and the target as the loss takes it
Loss = Callable[[Any, Any], Value]

FORMAT, VERSION = "stepgrad network", 1


@dataclass
class History:
    """What happened in a training.

    Attributes:
        rounds: how many rounds the network has behind it, those of an earlier training that was resumed included.
        errors: the error of each round of this training, before its step.
        interrupted: whether it was stopped by Ctrl-C.
    """

    rounds: int = 0
    errors: list[float] = field(default_factory=list)
    interrupted: bool = False


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
        rounds: how many rounds the network is to have behind it at the end.
        pick: picks one case at random for each round; when not given, each round takes the mean over all cases.
        progress: whether to show a progress bar; when not given, if the standard error is a terminal.
        checkpoint: a file that the network and the state of its training are saved to, at the end too.
        checkpoint_every: after how many rounds.
        resume: whether to go on from that file, if it is there: to the last bit as if there had been no break.

    Returns:
        The history of the training.

    Raises:
        ValueError: for no cases, a negative number of rounds, or a checkpoint of another network; nothing is changed.
        FloatingPointError: if the error or a gradient is no longer finite; it names the round.
        OSError: if the checkpoint cannot be written.
    """
    if not cases:
        raise ValueError("there is nothing to train on: give at least one case, a pair of inputs and target")
    if rounds < 0 or checkpoint_every < 1:
        raise ValueError(f"rounds must be at least 0 and checkpoint_every at least 1, got {rounds}, {checkpoint_every}")
    if resume and checkpoint is None:
        raise ValueError("there is no file to resume from: give its name as checkpoint")
    optimizer = optimizer or SGD(network.parameters(), learning_rate=0.5)
    history = History()
    if resume and checkpoint is not None and Path(checkpoint).exists():
        history.rounds = _resume(network, optimizer, pick, checkpoint)

    def write() -> None:
        if checkpoint is not None:
            training = {"rounds": history.rounds, "optimizer": optimizer.state_dict()}
            if pick is not None:
                training["pick"] = pick.getstate()
            save_network(network, checkpoint, training)

    from tqdm import tqdm

    disable = None if progress is None else not progress
    uncounted = history.rounds - optimizer.steps
    before = None
    with tqdm(total=rounds, initial=history.rounds, disable=disable, unit=" rounds") as bar:
        try:
            while history.rounds < rounds:
                if pick is not None and checkpoint is not None:
                    before = pick.getstate()
                error = _round(network, cases if pick is None else [pick.choice(cases)], loss, optimizer, history)
                history.errors.append(error)
                history.rounds += 1
                bar.update()
                if history.rounds % 100 == 0:
                    bar.set_postfix_str(f"error {error:.3g}", refresh=False)
                if history.rounds % checkpoint_every == 0 and history.rounds < rounds:
                    write()
        except KeyboardInterrupt:
            history.interrupted = True
            if pick is not None and before is not None and history.rounds == optimizer.steps + uncounted:
                pick.setstate(before)  # the case was picked for a round that did not take place
            history.rounds = optimizer.steps + uncounted
    write()
    return history


def average_error(network: Module, cases: Sequence[Case], loss: Loss = half_squared_error) -> float:
    """The mean of the loss over cases, without recording a graph."""
    with no_grad():
        return _mean_loss(network, cases, loss).data


def save_network(network: Module, path: str | os.PathLike[str], training: dict[str, Any] | None = None) -> Path:
    """Save the parameters of a network as JSON.

    Args:
        network: what to save.
        path: the file; one that is there is replaced as a whole.
        training: what else to save, for a training to resume from.

    Returns:
        The path written.

    Raises:
        ValueError: if a parameter is infinite or nan.
        OSError: if the file cannot be written. Nothing half written is left.
    """
    parameters = network.state_dict()
    lost = [name for name, number in parameters.items() if not math.isfinite(number)]
    if lost:
        raise ValueError(f"cannot save the network: {lost[0]} is {parameters[lost[0]]}; train it anew, more slowly")
    content = {"format": FORMAT, "version": VERSION, "parameters": parameters}
    if training is not None:
        content["training"] = training
    return save(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def load_network(network: Module, path: str | os.PathLike[str]) -> None:
    """Give a network the parameters that were saved.

    Args:
        network: of the same form as the one that was saved.
        path: the file.

    Raises:
        ValueError: if the file is damaged, or of a network of another form. The network is unchanged then.
        OSError: if the file cannot be read.
    """
    content = _read(path)
    try:
        network.load_state_dict(content["parameters"])
    except (ValueError, TypeError) as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None


def _read(path: str | os.PathLike[str]) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"it holds {constant}")

    try:
        content = json.loads(Path(path).read_bytes(), parse_constant=refuse)
    except (ValueError, RecursionError) as error:  # a decoding error is a ValueError
        raise ValueError(
            f"{os.fspath(path)} is damaged ({error}); save the network again, or use another file"
        ) from None
    if (
        not isinstance(content, dict)
        or content.get("format") != FORMAT
        or not isinstance(content.get("parameters"), dict)
    ):
        raise ValueError(f"{os.fspath(path)} holds no network; it should be a file written by save_network or fit")
    if content.get("version") != VERSION:
        raise ValueError(
            f"{os.fspath(path)} has version {content.get('version')!r}, this stepgrad reads version {VERSION}; "
            f"use the release that wrote it"
        )
    return content


def _resume(network: Module, optimizer: Optimizer, pick: random.Random | None, path: str | os.PathLike[str]) -> int:
    """Restore the state of a training, all of it or nothing, and return the rounds that it has behind it."""
    training = _read(path).get("training")
    before = network.state_dict(), optimizer.state_dict()
    try:
        if not isinstance(training, dict):
            raise ValueError("it holds a network, but no training to resume")
        rounds = int(training["rounds"])
        load_network(network, path)
        optimizer.load_state_dict(training["optimizer"])
        if pick is not None:
            version, words, gauss = training["pick"]
            pick.setstate((version, tuple(words), gauss))
    except (ValueError, TypeError, KeyError) as error:
        network.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
        raise ValueError(f"cannot resume from {os.fspath(path)}: {error}; remove the file to begin anew") from None
    return rounds


def _round(network: Module, cases: Sequence[Case], loss: Loss, optimizer: Optimizer, history: History) -> float:
    error = _mean_loss(network, cases, loss)
    optimizer.zero_grad()
    error.backward()
    if not math.isfinite(error.data) or not all(math.isfinite(parameter.grad) for parameter in optimizer.parameters):
        what = f"the error is {error.data}" if not math.isfinite(error.data) else "a gradient is not finite"
        raise FloatingPointError(
            f"the training diverged at round {history.rounds + 1}: {what}; lower the learning rate "
            f"(now {optimizer.learning_rate:g}) and train anew"
        )
    optimizer.step()
    return error.data


def _mean_loss(network: Module, cases: Sequence[Case], loss: Loss) -> Value:
    losses = [loss(network(inputs), target) for inputs, target in cases]
    return losses[0] if len(losses) == 1 else autograd.sum(losses) / len(losses)
