"""The steps of a training: each is done as a whole or not at all, whatever interrupts it."""

from __future__ import annotations

import copy
import functools
import itertools
import math
import random
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from autograd import Value, ieee_arithmetic, no_grad
from autograd.floats import as_float
from nn.checkpoints import Best, Checkpoint, Position, save_network
from nn.dropout import Dropout
from nn.history import History
from nn.metrics import Case, Metric, average_error, mean_loss
from nn.modules import MLP, Layer, Neuron
from nn.optimizers import Update
from nn.pages import network_page
from nn.parameters import modules_of, set_training
from nn.training.options import Options
from nn.training.penalties import clip_factor, penalty_slope

Generators: TypeAlias = list[tuple[random.Random, tuple[Any, ...]]]  # that of the plan and of Dropouts, with states

BEGINNING = Position()
STEPPED = "a parameter after the step"  # what may not be finite


class _Record(NamedTuple):
    """What the history keeps of a round, in lists that are called as here."""

    errors: float
    metrics: float | None
    validation_errors: float | None
    validation_metrics: float | None
    learning_rates: float | None


class _Committed(NamedTuple):
    """The state after a whole step: all that a step changes."""

    rounds: int
    record: _Record | None  # of the last of these rounds; None before the first of this training
    position: Position  # in the next round
    best: Best | None  # if there is patience
    update: Update
    learning_rate: float
    generators: Generators


class Training:
    """A training in steps of one batch each.

    The commit point of a step is the assignment of `committed`. After an interrupt, `settle` undoes the step if that
    has not happened, and completes it otherwise. `settle` may be repeated. What is measured after a round belongs to
    its last step.

    Args:
        options: what `fit` was called with.
        done: what was done before, of a training that is resumed.

    Attributes:
        history: what happened, up to the last step.
    """

    def __init__(self, options: Options, done: Checkpoint | None = None) -> None:
        self.options, self.plan, self.optimizer = options, options.plan, options.optimizer
        self._find_modules()
        # The error of a round in one step is that of the parameters before the step.
        self.keeps_before = (
            bool(options.patience) and options.validation is None and self.plan.batch_size >= self.plan.cases
        )
        self.adjusts = bool(options.l1 or options.l2 or options.clip_norm)
        self.behind = done.rounds if done else 0
        position = (done.position if done else None) or BEGINNING
        metric, validation, schedule = options.metric, options.validation, options.schedule
        page = functools.partial(
            network_page,
            options.network,
            options.cases,
            options.loss,
            learning_rate=self.optimizer.learning_rate,
            pick=self.plan.pick is not None,
        )
        name = getattr(metric, "__name__", "metric").replace("_", " ")
        self.history = History(self.behind, batches=position.batches, _metric_name=name, _page=page)
        used = (True, metric, validation, metric and validation, schedule)
        self.kept: list[tuple[list[float | None], int]] = [
            (getattr(self.history, name), place) for place, name in enumerate(_Record._fields) if used[place]
        ]
        if done and position.batches and schedule is not None and not done.optimizer["settings"]:  # of an older file
            self.optimizer.learning_rate = schedule(self.behind)
        update, learning_rate, generators = self._state()
        best = None
        if options.patience is not None:
            best = (done and done.best) or Best(math.inf, self.behind, copy.copy(update.numbers))
        self.committed = _Committed(self.behind, None, position, best, update, learning_rate, generators)
        self._note_best()

    def step(self) -> None:
        """Take one step: forward pass, backward pass and update with a batch; after the last of a round, measure.

        Raises:
            ValueError: if it depends on an operation outside its domain; also a ZeroDivisionError.
            FloatingPointError: if the error, a gradient or a new parameter is not finite for another reason.
        """
        position = self.committed.position
        if not position.batches:
            position = self._begin()
        first = position.batches * self.plan.batch_size
        last = min(first + self.plan.batch_size, self.plan.cases)
        places: Sequence[int] = range(first, last)
        if self.plan.pick is not None:
            places, last = [self.plan.pick.choice(range(self.plan.cases))], self.plan.cases
        elif position.order is not None:
            places = position.order[first:last]
        before = copy.copy(self.committed.update.numbers) if self.keeps_before else None
        error, total, update = self._computed(places, position.total)
        rounds, record, _, best, *_ = self.committed
        if last < self.plan.cases:
            position = Position(position.batches + 1, position.order, total)
        else:
            mean = total / self.plan.cases if position.batches else error
            rounds, record, position = rounds + 1, self._measured(mean, update), BEGINNING
            monitored = record.errors if record.validation_errors is None else record.validation_errors
            if best is not None and monitored < best.error:
                best = Best(monitored, rounds, copy.copy(update.numbers) if before is None else before)
        self.committed = _Committed(
            rounds, record, position, best, update, self.optimizer.learning_rate, self._generators()
        )
        self._apply()

    def settle(self) -> None:
        """Bring everything to the state after the last committed step. An interrupt meanwhile is raised after that."""
        try:
            self._settle()
        except KeyboardInterrupt:
            self.settle()
            raise

    def _settle(self) -> None:
        set_training(self.modules, False)
        for generator, state in self.committed.generators:
            generator.setstate(state)
        self.optimizer.learning_rate = self.committed.learning_rate
        self._apply()
        self.show()

    def show(self) -> None:
        """Write the state to network and optimizer, where it is not there already; `fit` asks before others look."""

    def adopt(self) -> None:
        """Commit what a callback changed: parameters, the optimizer, generators."""
        self._find_modules()
        self.committed = _Committed(*self.committed[:4], *self._state())

    @property
    def has_settled(self) -> bool:
        """Whether as many rounds as there is patience for brought no lower error."""
        best, patience = self.committed.best, self.options.patience
        return best is not None and patience is not None and self.committed.rounds - best.rounds >= patience

    def finish(self) -> None:
        """Give the network the best parameters, if they were kept. What was committed stays as it is."""
        if self.committed.best is not None:
            optimizer, numbers = self.optimizer, map(float, self.committed.best.numbers)
            optimizer.apply(Update([*numbers], optimizer.memory, optimizer.steps, optimizer.missed))

    def save(self) -> None:
        """Write the network and the state of the training to the checkpoint, if there is to be one."""
        if self.options.checkpoint is not None:
            self.show()
            save_network(self.options.network, self.options.checkpoint, self._checkpoint())

    def _checkpoint(self) -> Checkpoint:
        done = self.committed
        checkpoint = Checkpoint(done.rounds, self.optimizer.state_dict())
        states = [state for _, state in done.generators]
        if self.plan.pick is not None:
            checkpoint.pick = states.pop(0)
        elif self.plan.shuffle is not None:
            checkpoint.shuffle = states.pop(0)
        checkpoint.dropout = states or None
        if done.best is not None:
            checkpoint.best = done.best._replace(numbers=[*map(float, done.best.numbers)])
        if done.position.batches:
            checkpoint.position = done.position
            checkpoint.batch_size, checkpoint.cases = self.plan.batch_size, self.plan.cases
        return checkpoint

    def _computed(self, places: Sequence[int], total: float) -> tuple[float, float, Update]:
        """Compute a step, without taking it: the mean of its errors, the sum of those of this round, and the update.

        Args:
            places: of its cases.
            total: the sum of the errors of the cases before them in this round.
        """
        options = self.options
        cases = [options.cases[place] for place in places]
        set_training(self.modules, True)
        try:
            with ieee_arithmetic() as failures:
                error = mean_loss(options.network, cases, options.loss)
        finally:
            set_training(self.modules, False)
        total += error.data * len(cases)
        self.optimizer.zero_grad()
        error.backward()
        grads = [parameter.grad for parameter in self.optimizer.parameters]
        if failures and not all(map(math.isfinite, (error.data, *grads))):
            self._examine(options.cases, places)
            failures.check(error)  # which may depend on what a Dropout left out
        if self.adjusts:
            grads = self._adjusted(grads)
        self._check_finite("the error", [error.data, total])
        self._check_finite("a gradient", grads)
        update = self.optimizer.update()
        self._check_finite(STEPPED, update.numbers)
        return error.data, total, update

    def _adjusted(self, grads: list[float]) -> list[float]:
        """Add the penalties to the gradients, limit their norm, and give them to the parameters."""
        options, parameters = self.options, self.optimizer.parameters
        reached = [parameter.has_grad for parameter in parameters]
        if options.l1 or options.l2:
            for place in options.weights:
                grads[place] += penalty_slope(parameters[place].data, options.l1, options.l2)
                reached[place] = True
        if options.clip_norm is not None:
            factor = clip_factor(grads, options.clip_norm)
            grads = [grad * factor for grad in grads]
        for parameter, grad in itertools.compress(zip(parameters, grads, strict=True), reached):
            parameter.grad = grad
        return grads

    def _examine(self, cases: Sequence[Case], places: Sequence[int]) -> None:
        """Raise the error of an operation outside its domain that the error of one of some cases depends on."""
        for place in places:
            with ieee_arithmetic() as failures:
                error = mean_loss(self.options.network, [cases[place]], self.options.loss)
            try:
                failures.check(error)
            except (ValueError, ZeroDivisionError) as failure:
                raise type(failure)(f"{failure} (in case {place})") from None

    def _begin(self) -> Position:
        """Begin a round: set its learning rate, and put its cases in order."""
        if self.options.schedule is not None:
            self.optimizer.learning_rate = self.options.schedule(self.committed.rounds)
        if self.plan.shuffle is None:
            return BEGINNING
        order = list(range(self.plan.cases))
        self.plan.shuffle.shuffle(order)
        return Position(order=tuple(order))

    def _measured(self, error: float, update: Update) -> _Record:
        """Return what the history keeps of a round. The update is made for that, but not yet committed."""
        options = self.options
        metric, validation = options.metric, options.validation
        if metric is not None or validation is not None:
            self._try_out(update)
        return _Record(
            error,
            None if metric is None else self._metric(metric, options.cases),
            None if validation is None else self._validation_error(validation),
            None if metric is None or validation is None else self._metric(metric, validation),
            None if options.schedule is None else self.optimizer.learning_rate,
        )

    def _try_out(self, update: Update) -> None:
        self.optimizer.apply(update)

    def _validation_error(self, validation: Sequence[Case]) -> float:
        with ieee_arithmetic() as failures:
            error = average_error(self.options.network, validation, self.options.loss)
        if failures and not math.isfinite(error):
            self._examine(validation, range(len(validation)))
        return error

    def _metric(self, metric: Metric, cases: Sequence[Case]) -> float:
        with no_grad(), ieee_arithmetic():
            result: Any = metric(self.options.network, cases, self.options.loss)
        return result.data if isinstance(result, Value) else as_float(result)

    def _apply(self) -> None:
        done = self.committed
        self._change(done.update)
        if done.record is not None:
            for numbers, place in self.kept:
                numbers[done.rounds - self.behind - 1 :] = [done.record[place]]
        self.history.rounds, self.history.batches = done.rounds, done.position.batches
        self._note_best()

    def _note_best(self) -> None:
        best = self.committed.best
        self.history.best_round = None if best is None or best.error == math.inf else best.rounds

    def _change(self, update: Update) -> None:
        self.optimizer.apply(update)

    def _state(self) -> tuple[Update, float, Generators]:
        """Return the state of the parameters, the optimizer and the generators as it is."""
        optimizer = self.optimizer
        numbers = [parameter.data for parameter in optimizer.parameters]
        update = Update(numbers, optimizer.memory, optimizer.steps, optimizer.missed)
        return update, optimizer.learning_rate, self._generators()

    def _find_modules(self) -> None:
        """Find the modules that may compute otherwise in a step, and the generators that a step draws from."""
        modules = modules_of(self.options.network)
        set_training(modules, False)
        self.modules = [module for module in modules if type(module) not in (MLP, Layer, Neuron)]  # most are such
        of_dropouts = [module.generator for module in modules if isinstance(module, Dropout)]
        self.drawn_from = [generator for generator in (self.plan.pick, self.plan.shuffle, *of_dropouts) if generator]

    def _generators(self) -> Generators:
        return [(generator, generator.getstate()) for generator in self.drawn_from]

    def _check_finite(self, what: str, numbers: Sequence[float]) -> None:
        if not all(map(math.isfinite, numbers)):
            wrong = [number for number in numbers if not math.isfinite(number)]
            remedy = f"lower the learning rate (now {self.optimizer.learning_rate:g}) and train again"
            if not self.committed.update.steps and what != STEPPED:
                remedy = "no step was taken yet, so look at the loss, and at the size of the data and the parameters"
            raise FloatingPointError(
                f"the training diverged at round {self.committed.rounds + 1}: {what} is {wrong[0]}; {remedy}"
            )
