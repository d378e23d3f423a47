"""The arguments of `fit` in one object, checked before anything is changed."""

from __future__ import annotations

import difflib
import math
import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Real
from operator import index
from typing import Any, Literal

from autograd import Value
from autograd.floats import as_float
from autograd.saving import check_folder, shortened
from nn.checkpoints import Plan
from nn.history import History
from nn.losses import Loss
from nn.metrics import Case, Metric
from nn.optimizers import SGD, Optimizer
from nn.parameters import Module, modules_of, training_mode
from nn.training.cases import LOSSES, check, listed, said
from nn.training.progress import check_curve


@dataclass(frozen=True)
class Options:
    """The arguments of `fit`, which documents them.

    Attributes:
        plan: which cases each step takes, of `batch_size`, `shuffle` and `pick`.
        frozen: the parameters of the network that the optimizer does not change.
        weights: the places of those that penalties are for, among the ones that it changes; none without penalties.
    """

    network: Module
    cases: list[Case]
    loss: Loss
    optimizer: Optimizer
    frozen: list[Value]
    weights: list[int]
    rounds: int
    plan: Plan
    clip_norm: float | None
    l1: float
    l2: float
    schedule: Callable[[int], float] | None
    metric: Metric | None
    validation: list[Case] | None
    patience: int | None
    callback: Callable[[History], object] | None
    progress: bool | Literal["curve"] | None
    checkpoint: str | os.PathLike[str] | None
    checkpoint_every: int
    resume: bool
    compiled: bool
    exact: bool

    @classmethod
    def checked(
        cls,
        network: Any,
        cases: Iterable[Case],
        optimizer: Any,
        batch_size: int | None,
        shuffle: object,
        pick: object,
        validation: Iterable[Case] | None,
        validation_split: object,
        **others: Any,
    ) -> Options:
        """Check the arguments of `fit`. For that the network is called once for each length of inputs.

        Raises:
            ValueError, TypeError, OSError: as `fit` says.
        """
        if not callable(network) or not callable(getattr(network, "parameters", None)):
            raise TypeError(f"the network must be a Module, such as MLP(2, [4, 1]), got {said(network)}")
        others["rounds"] = _integer("rounds", others["rounds"], 0)
        others["checkpoint_every"] = _integer("checkpoint_every", others["checkpoint_every"], 1)
        if others["patience"] is not None:
            others["patience"] = _integer("patience", others["patience"], 1)
            if pick is not None and validation is None and validation_split is None:
                raise ValueError(
                    "patience needs a validation set where pick takes one case a round, whose error says nothing of "
                    "the others: add validation_split=0.2 or validation=…, or train with batch_size=1 instead of pick"
                )
        for name in ("l1", "l2"):
            others[name] = _number(
                name, others[name], "a finite number of at least 0", lambda x: 0.0 <= x < math.inf, 0.001
            )
        if others["clip_norm"] is not None:
            others["clip_norm"] = _number(
                "clip_norm", others["clip_norm"], "a finite number greater than 0", lambda x: 0.0 < x < math.inf, 1.0
            )
        _check_loss(others["loss"])
        _check_progress(others["progress"])
        cases = trained = listed(cases, "cases")
        held_out = None
        if validation is not None:
            held_out = listed(validation, "validation")
            if validation_split is not None:
                raise ValueError("give either validation, or validation_split to hold out some of the cases")
        elif validation_split is not None:
            trained, held_out = _split(cases, validation_split)
        plan = _plan(len(trained), batch_size, shuffle, pick)
        for name, example in (
            ("schedule", "lambda rounds: 0.5 / (1 + rounds)"),
            ("metric", "nn.accuracy"),
            ("callback", "lambda history: history.errors[-1] < 0.01"),
        ):
            function = others[name]
            if function is not None and (not callable(function) or isinstance(function, type)):
                raise TypeError(f"{name} must be a function, such as {name}={example}, got {said(function)}")
        if optimizer is None:
            optimizer = SGD(network.parameters(), learning_rate=0.5)
        frozen = _checked_optimizer(optimizer, network)
        weights = _weights(optimizer, network) if others["l1"] or others["l2"] else []
        others |= {"frozen": frozen, "weights": weights, "plan": plan, "validation": held_out}
        options = cls(network, trained, optimizer=optimizer, **others)
        options._check_files()
        with training_mode(modules_of(network), False):
            check(network, cases, options.loss, "cases", options.compiled)
            if validation is not None:
                check(network, held_out or (), options.loss, "validation", options.compiled)
        if not (options.exact or options.compiled):
            raise TypeError("exact=False is of a compiled training: add compiled=True, or leave it out")
        return options

    def check_parameters(self) -> None:
        """Raise a ValueError unless the parameters are finite."""
        for parameter in self.optimizer.parameters:
            if not math.isfinite(parameter.data):
                raise ValueError(
                    f"the network holds {parameter!r:.80} before the training; give its parameters finite numbers, or "
                    f"build it again"
                )

    def _check_files(self) -> None:
        if self.checkpoint is None:
            if self.resume:
                raise ValueError("there is no file to resume from: give its name as checkpoint")
            return
        if not isinstance(self.network, Module):
            raise TypeError(
                f"a checkpoint needs a network whose class is made from nn.Module, got {said(self.network)}"
            )
        check_folder(self.checkpoint)


def _integer(name: str, number: object, least: int) -> int:
    try:
        if isinstance(number, bool):
            raise TypeError
        whole = index(number)  # type: ignore[arg-type]  # what is found out
    except TypeError:
        raise TypeError(f"{name} must be an integer of at least {least}, got {said(number)}") from None
    if whole < least:
        raise ValueError(f"{name} must be at least {least}, got {whole}")
    return whole


def _number(name: str, number: object, words: str, fits: Callable[[float], bool], example: float) -> float:
    is_number = isinstance(number, Real) and not isinstance(number, bool)
    try:
        found = as_float(number) if is_number else math.nan
    except OverflowError:
        found = math.inf
    if not fits(found):
        raise (ValueError if is_number else TypeError)(
            f"{name} must be {words}, such as {name}={example}, got {said(number)}"
        )
    return found


def _split(cases: list[Case], fraction: object) -> tuple[list[Case], list[Case]]:
    """Return the cases to train with, and those to hold out."""
    share = _number(
        "validation_split", fraction, "a number greater than 0 and below 1", lambda share: 0.0 < share < 1.0, 0.2
    )
    count = round(share * len(cases))
    if not 0 < count < len(cases):
        raise ValueError(
            f"validation_split={share:g} holds out {count} of {len(cases)} cases; at least one must be held out, and "
            f"one left to train with: give another share, or a validation set"
        )
    return cases[:-count], cases[-count:]


def _check_loss(loss: object) -> None:
    if callable(loss) and not isinstance(loss, type):
        return
    names = [function.__name__ for function in LOSSES]
    text = str(loss).lower()
    matches = [name for name in names if text == "".join(word[0] for word in name.split("_"))]  # such as "mse"
    matches = matches or difflib.get_close_matches(text, names, 1, 0.4)
    example = matches[0] if matches else names[0]
    raise TypeError(
        f"the loss must be a function, got {said(loss)}; give the function itself, without quotes: from nn import "
        f"{example}, then loss={example}"
    )


def _check_progress(progress: object) -> None:
    if progress == "curve":
        check_curve()
    elif progress is not None and not isinstance(progress, bool):
        raise TypeError(f'progress must be True, False, None or "curve", got {said(progress)}')


def _checked_optimizer(optimizer: object, network: Any) -> list[Value]:
    """Return the parameters that an optimizer does not change; raise an error if it cannot be that of the network."""
    if isinstance(optimizer, Optimizer):
        parameters, trained = network.parameters(), set(optimizer.parameters)
        strays = trained.difference(parameters)
        if strays:
            raise ValueError(
                f"the optimizer is of another network: {len(strays)} of the {len(optimizer.parameters)} parameters "
                f"that it changes are not among those of {shortened(network)}; make one with "
                f"{type(optimizer).__name__}(network.parameters(), …)"
            )
        return [parameter for parameter in parameters if parameter not in trained]
    kind = optimizer.__name__ if isinstance(optimizer, type) else "Adam"
    what = f"the class {kind}" if isinstance(optimizer, type) else said(optimizer)
    raise TypeError(
        f"the optimizer must be an object that changes the network's parameters, got {what}; write "
        f"optimizer={kind}(network.parameters(), learning_rate=0.01)"
    )


def _weights(optimizer: Optimizer, network: Any) -> list[int]:
    named = network.named_parameters() if isinstance(network, Module) else ()
    biases = {parameter for name, parameter in named if name.rpartition(".")[2] == "bias"}
    return [place for place, parameter in enumerate(optimizer.parameters) if parameter not in biases]


def _plan(cases: int, batch_size: int | None, shuffle: object, pick: object) -> Plan:
    for name, generator in (("shuffle", shuffle), ("pick", pick)):
        if generator is not None and not isinstance(generator, random.Random):
            raise TypeError(
                f"{name} must be a generator of random numbers or None, got {said(generator)}; write "
                f"{name}=random.Random(1)"
            )
    if pick is not None and (shuffle is not None or batch_size is not None):
        raise ValueError("pick takes one case a round, so give either pick, or batch_size and shuffle")
    if shuffle is not None and batch_size is None:
        raise ValueError("shuffle has no effect on one batch of all cases: give a batch_size too")
    size = cases if batch_size is None else _integer("batch_size", batch_size, 1)
    return Plan(pick, shuffle, size, cases)  # type: ignore[arg-type]  # checked above
