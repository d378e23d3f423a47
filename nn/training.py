"""Training: rounds of forward pass, backward pass and step, which may be watched, stopped, saved and resumed.

>>> from nn.modules import MLP
>>> network = MLP(2, [3, 1], "tanh", generator=random.Random(1))
>>> history = fit(network, [([0, 1], 1), ([1, 1], 0)], rounds=200)
>>> history.rounds, history.errors[-1] < history.errors[0] / 100
(200, True)
"""

from __future__ import annotations

import difflib
import math
import os
import random
from collections.abc import Callable, Iterable
from functools import partial
from operator import index
from pathlib import Path
from typing import Any

from autograd.saving import check_folder, shortened
from nn.calls import explained
from nn.cases import LOSSES, check, listed
from nn.checkpoints import Plan, save_network
from nn.checkpoints import resume as resume_from
from nn.history import History
from nn.losses import Loss, half_squared_error
from nn.metrics import Case, Metric, average_error
from nn.optimizers import SGD, Optimizer
from nn.parameters import Module
from nn.progress import progress_bar
from nn.rounds import Measures, Rounds

__all__ = ["fit", "History", "average_error"]


@explained("fit(network, cases, rounds=100), where cases are pairs (inputs, target), of X and y list(zip(X, y))")
def fit(
    network: Module,
    cases: Iterable[Case],
    *,
    loss: Loss = half_squared_error,
    optimizer: Optimizer | None = None,
    rounds: int = 1000,
    batch_size: int | None = None,
    shuffle: random.Random | None = None,
    pick: random.Random | None = None,
    schedule: Callable[[int], float] | None = None,
    metric: Metric | None = None,
    validation: Iterable[Case] | None = None,
    callback: Callable[[History], object] | None = None,
    progress: bool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 1000,
    resume: bool = False,
    compiled: bool = False,
    exact: bool = True,
) -> History:
    """Train a network.

    A round is one pass over all cases (an epoch). It is one step with the mean of the loss over them, or, with a
    `batch_size`, a step for each batch. Ctrl-C stops the training after a whole step and returns; what was learned
    stays in the network.

    All arguments are checked before the first round. For that the network is called once for each length of inputs.

    A compiled training records the network, the loss and their gradients for one case, and the optimizer's step for one
    parameter, and runs these programs in C. It is hundreds of times faster, and gives the parameters of an eager one to
    the last bit where the network uses each parameter once for a case; else, and in the errors of the history, sums may
    round otherwise. Callback, schedule and a metric of one's own are called between rounds and find the state in the
    network, which a callback may change. Cases are read once. What the network, the loss or the rule of the optimizer
    decides by a number cannot be recorded; a few cases are computed both ways before the first round.

    Args:
        network: called with the inputs of a case, it gives what `loss` takes.
        cases: pairs of inputs and target, from a list or anything else that can be iterated over.
        loss: a function of the network's output and the target.
        optimizer: changes the parameters; gradient descent with a learning rate of 0.5 when not given.
        rounds: the number of rounds to be done at the end, including those before a resume.
        batch_size: the number of cases that each step takes; the last batch of a round may be smaller.
        shuffle: shuffles the cases before each round, for other batches; when not given, they stay in their order.
        pick: picks one case at random for each round, which then is one step with that case alone.
        schedule: called with the number of rounds done, it gives the learning rate of the next round.
        metric: called with the network, cases and the loss after each round, it gives a number to keep, as `accuracy`
            does.
        validation: cases that are not trained with, whose error and metric are kept too.
        callback: called with the history after each round; the training ends if what it returns is true. It may change
            the learning rate and the parameters.
        progress: whether to show a progress bar; when not given, in a notebook and on a terminal.
        checkpoint: a file that the network and the state of its training are saved to, at the end too.
        checkpoint_every: after how many rounds.
        resume: whether to go on from that file, if it is there: to the last bit as if there had been no break, also
            from the middle of a round. Cases, batches and the schedule must be the same for that.
        compiled: whether to record the steps as programs, which needs cases of one form.
        exact: of a compiled training, whether it has the bits of an eager one. False is faster, and the last digits
            differ: `exp` and `tanh` are within 2 units in the last place, and large matrix products are left to SciPy's
            BLAS, if it is installed (with the extra `stepgrad[blas]`), which adds in an order of its own. It has no
            effect on the plain engine.

    Returns:
        The history of the training.

    Raises:
        ValueError: for no cases, a number out of its range, cases that do not fit the network or the loss or are not
            finite, an optimizer of another network, or a checkpoint of another training; nothing is changed.
        TypeError: for an argument of the wrong kind, such as a name or a class instead of a function or an object; or
            if a training that is to be compiled cannot be recorded, with the line. Nothing is changed.
        FloatingPointError: if an error, a gradient or a parameter is no longer finite; it names the round, and the
            network is as it was before that step.
        OSError: if the checkpoint cannot be written; before the first round if its folder is missing.
    """
    if not callable(network) or not callable(getattr(network, "parameters", None)):
        raise TypeError(f"the network must be a Module, such as MLP(2, [4, 1]), got {_said(network)}")
    rounds = _integer("rounds", rounds, 0)
    checkpoint_every = _integer("checkpoint_every", checkpoint_every, 1)
    _check_loss(loss)
    cases = listed(cases, "cases")
    plan = _plan(len(cases), batch_size, shuffle, pick)
    for name, function, example in (
        ("schedule", schedule, "lambda rounds: 0.5 / (1 + rounds)"),
        ("metric", metric, "nn.accuracy"),
        ("callback", callback, "lambda history: history.errors[-1] < 0.01"),
    ):
        if function is not None and (not callable(function) or isinstance(function, type)):
            raise TypeError(f"{name} must be a function, such as {name}={example}, got {_said(function)}")
    measures = Measures(schedule, metric, None if validation is None else listed(validation, "validation"))
    if optimizer is None:
        optimizer = SGD(network.parameters(), learning_rate=0.5)
    _check_optimizer(optimizer, network)
    if resume and checkpoint is None:
        raise ValueError("there is no file to resume from: give its name as checkpoint")
    if checkpoint is not None:
        if not isinstance(network, Module):
            raise TypeError(f"a checkpoint needs a network whose class is made from nn.Module, got {_said(network)}")
        check_folder(checkpoint)
    check(network, cases, loss, "cases", compiled)
    check(network, measures.validation or (), loss, "validation", compiled)
    rounds_of: Callable[..., Rounds] = Rounds
    if compiled:
        rounds_of = _recorded(network, cases, loss, optimizer, plan, measures, exact)
    elif not exact:
        raise TypeError("exact=False is of a compiled training: add compiled=True, or leave it out")
    done = None
    if resume and checkpoint is not None and Path(checkpoint).exists():
        done = resume_from(network, optimizer, plan, checkpoint)
    else:
        _check_parameters(optimizer)
    training = rounds_of(network, cases, loss, optimizer, plan, measures, done)
    history = training.history

    def write() -> None:
        if checkpoint is not None:
            save_network(network, checkpoint, training.checkpoint())

    try:
        with progress_bar(rounds, history.rounds, progress) as bar:
            while history.rounds < rounds:
                training.step()
                if history.batches:
                    continue
                bar.update()
                if not bar.disable:
                    bar.set_postfix_str(f"error {history.errors[-1]:.3g}", refresh=False)
                if callback is not None:
                    training.show()
                    is_end = callback(history)
                    training.adopt()
                    if is_end:
                        break
                if history.rounds % checkpoint_every == 0 and history.rounds < rounds:
                    write()
        training.show()
        write()
    except KeyboardInterrupt:
        history.interrupted = True
        training.settle()
        write()
    except BaseException:
        training.settle()
        raise
    return history


def _recorded(
    network: Module,
    cases: list[Case],
    loss: Loss,
    optimizer: Optimizer,
    plan: Plan,
    measures: Measures,
    exact: bool,
) -> Callable[..., Rounds]:
    """What makes the rounds of a compiled training, after it was recorded. The generators stay as they were."""
    from nn.compiled_rounds import CompiledRounds, Programs

    generators = {generator: generator.getstate() for generator in (plan.pick, plan.shuffle) if generator is not None}
    try:
        programs = Programs.of(network, cases, loss, optimizer, measures, exact)
    finally:
        for generator, state in generators.items():
            generator.setstate(state)
    return partial(CompiledRounds, programs)


def _integer(name: str, number: object, least: int) -> int:
    try:
        if isinstance(number, bool):
            raise TypeError
        whole = index(number)  # type: ignore[arg-type]  # what is found out
    except TypeError:
        raise TypeError(f"{name} must be an integer of at least {least}, got {_said(number)}") from None
    if whole < least:
        raise ValueError(f"{name} must be at least {least}, got {whole}")
    return whole


def _check_loss(loss: object) -> None:
    if callable(loss) and not isinstance(loss, type):
        return
    names = [function.__name__ for function in LOSSES]
    text = str(loss).lower()
    matches = [name for name in names if text == "".join(word[0] for word in name.split("_"))]  # such as "mse"
    matches = matches or difflib.get_close_matches(text, names, 1, 0.4)
    example = matches[0] if matches else names[0]
    raise TypeError(
        f"the loss must be a function, got {_said(loss)}; give the function itself, without quotes: from nn import "
        f"{example}, then loss={example}"
    )


def _check_optimizer(optimizer: object, network: Any) -> None:
    if isinstance(optimizer, Optimizer):
        parameters = set(network.parameters())
        strays = [parameter for parameter in optimizer.parameters if parameter not in parameters]
        if strays:
            raise ValueError(
                f"the optimizer is of another network: {len(strays)} of the {len(optimizer.parameters)} parameters "
                f"that it changes are not among those of {shortened(network)}; make one with "
                f"{type(optimizer).__name__}(network.parameters(), …)"
            )
        return
    kind = optimizer.__name__ if isinstance(optimizer, type) else "Adam"
    what = f"the class {kind}" if isinstance(optimizer, type) else _said(optimizer)
    raise TypeError(
        f"the optimizer must be an object that changes the network's parameters, got {what}; write "
        f"optimizer={kind}(network.parameters(), learning_rate=0.01)"
    )


def _plan(cases: int, batch_size: int | None, shuffle: object, pick: object) -> Plan:
    for name, generator in (("shuffle", shuffle), ("pick", pick)):
        if generator is not None and not isinstance(generator, random.Random):
            raise TypeError(
                f"{name} must be a generator of random numbers or None, got {_said(generator)}; write "
                f"{name}=random.Random(1)"
            )
    if pick is not None and (shuffle is not None or batch_size is not None):
        raise ValueError("pick takes one case a round, so give either pick, or batch_size and shuffle")
    if shuffle is not None and batch_size is None:
        raise ValueError("shuffle has no effect on one batch of all cases: give a batch_size too")
    size = cases if batch_size is None else _integer("batch_size", batch_size, 1)
    return Plan(pick, shuffle, size, cases)  # type: ignore[arg-type]  # checked above


def _check_parameters(optimizer: Optimizer) -> None:
    for parameter in optimizer.parameters:
        if not math.isfinite(parameter.data):
            raise ValueError(
                f"the network holds {parameter!r:.80} before the training; give its parameters finite numbers, or "
                f"build it again"
            )


def _said(thing: object) -> str:
    return f"{shortened(thing)} of type {type(thing).__name__}"
