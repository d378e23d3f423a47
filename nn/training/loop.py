"""Training: rounds of forward pass, backward pass and step, which may be watched, stopped, saved and resumed.

>>> from nn.modules import MLP
>>> network = MLP(2, [3, 1], "tanh", generator=random.Random(1))
>>> history = fit(network, [([0, 1], 1), ([1, 1], 0)], rounds=200)
>>> history.rounds, history.errors[-1] < history.errors[0] / 100
(200, True)
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from nn.calls import explained
from nn.checkpoints import resume as resume_from
from nn.history import History
from nn.losses import Loss, half_squared_error
from nn.metrics import Case, Metric
from nn.optimizers import Optimizer
from nn.parameters import Module
from nn.training.options import Options
from nn.training.progress import Curve, progress_bar
from nn.training.standstill import warn_of_standstill
from nn.training.steps import Training


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
    clip_norm: float | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    schedule: Callable[[int], float] | None = None,
    metric: Metric | None = None,
    validation: Iterable[Case] | None = None,
    validation_split: float | None = None,
    patience: int | None = None,
    callback: Callable[[History], object] | None = None,
    progress: bool | Literal["curve"] | None = None,
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

    All arguments are checked before the first round. For that the network is called once for each length of inputs. A
    training that does not move, for example with dead relus, ends with a warning.

    The network is in training only during the forward pass of a step, so that a `Dropout` acts there: `errors` are
    measured with dropout, everything else without, and the network is left as after `network.eval()`.

    A compiled training records the network, the loss and their gradients for one case, and the optimizer's step for one
    parameter, and runs these programs in C. It is hundreds of times faster, and gives the parameters of an eager one to
    the last bit where the network uses each parameter once for a case; else, and in the errors of the history, sums may
    round otherwise. Callback, schedule and a metric of one's own are called between rounds and find the state in the
    network, which a callback may change. After a call of one that refers to more than numbers, the error of a case is
    recorded again, and where something else is computed now, as with another weight of the loss, the training goes on
    with that, or refuses it.
    Cases are read once. The network and the loss must read parameters from the attributes of the network, as for
    `functional_call`. What they, or the rule of the optimizer, decide by a number cannot be recorded; a few cases are
    computed both ways before the first round, and after such a change.

    Args:
        network: called with the inputs of a case, it gives what `loss` takes.
        cases: pairs of inputs and target, from a list or anything else that can be iterated over.
        loss: a function of the network's output and the target.
        optimizer: changes the parameters; gradient descent with a learning rate of 0.5 when not given.
        rounds: the total number of rounds; a resume runs only the missing ones.
        batch_size: the number of cases that each step takes; the last batch of a round may be smaller.
        shuffle: shuffles the cases before each round, for other batches; when not given, they stay in their order.
        pick: picks one case at random for each round, which then is one step with that case alone.
        clip_norm: the largest norm of the gradients of a step, √(Σ g²) over all parameters that the optimizer changes,
            penalties included. If it is larger, each is multiplied by clip_norm / (norm + 1e-6), as by PyTorch's
            `clip_grad_norm_`.
        l1, l2: penalties of large weights, in Keras' form: each step takes the gradients of the error plus
            l1 Σ abs(w) + l2 Σ w², so l1 sign(w) + 2 l2 w is added to the gradient of w. The sums go over the parameters
            that the optimizer changes, but for those in an attribute `bias` of a `Module`. The errors that are kept do
            not contain them, so that they can be compared with those of other penalties. (The `weight_decay` λ of `SGD`
            is as l2 = λ/2, for biases too.)
        schedule: takes the number of rounds done, and returns the learning rate of the next round.
        metric: takes the network, cases and the loss after each round, and returns a number to keep, as `accuracy`
            does.
        validation: cases that are not trained with, whose error and metric are kept too.
        validation_split: in place of a validation set, the share of the cases to hold out as one, such as 0.2, rounded
            to whole cases. As in Keras they are the last ones of the list, whatever `shuffle` does, so that a resumed
            training holds out the same; a list that is in the order of its targets must be shuffled first.
        patience: after how many rounds without a lower error to end the training: the error on the validation set if
            there is one. Unless the training ends by an exception, the network then gets the parameters with the lowest
            error. Without a validation set that is the error of a round. It is measured before the step of the round,
            and the parameters are those before it; in batches it is a mean while they change, and the parameters are
            those after the round, as in Keras. A checkpoint holds the last parameters and the best.
        callback: called with the history after each round; the training ends if what it returns is true. It may change
            the learning rate, the parameters, and what the network and the loss compute.
        progress: whether to show a progress bar; when not given, in a notebook and on a terminal. With "curve", a
            notebook shows the plot of the history instead, which is drawn anew while the training goes on.
        checkpoint: a file that the network and the state of its training are saved to, at the end too.
        checkpoint_every: after how many rounds.
        resume: whether to go on from that file, if it is there: to the last bit as if there had been no break, also
            from the middle of a round. All else that decides on the steps must be the same for that, such as cases,
            batches, penalties, patience and the schedule; the settings of the optimizer are those of the file.
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
            network is as it was before that step. If it is so because of an operation outside its domain, a ValueError
            or ZeroDivisionError instead, which names the operation and the case.
        OSError: if the checkpoint cannot be written; before the first round if its folder is missing.
    """
    options = Options.checked(**locals())
    training = _prepared(options)
    history = training.history
    try:
        with _progress(options, history) as bar:
            while history.rounds < options.rounds and not training.has_settled:
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
                if history.rounds % options.checkpoint_every == 0 and history.rounds < options.rounds:
                    training.save()
        training.show()
        training.save()
        training.finish()
        warn_of_standstill(options, history)
    except KeyboardInterrupt:
        history.interrupted = True
        training.settle()
        training.save()
        training.finish()
    except BaseException:
        training.settle()
        raise
    return history


def _progress(options: Options, history: History) -> Any:
    if options.progress == "curve":
        return Curve(history, options.rounds)
    return progress_bar(options.rounds, history.rounds, options.progress)


def _prepared(options: Options) -> Training:
    """Return the steps of a training, recorded if it is to be compiled, and resumed if that was asked for."""
    make: Callable[..., Training] = Training
    if options.compiled:
        from nn.training.compiled_steps import recorded  # which needs NumPy

        make = recorded(options)
    path = options.checkpoint
    if options.resume and path is not None and Path(path).exists():
        return make(options, resume_from(options.network, options.optimizer, options.plan, path))
    options.check_parameters()
    return make(options)
