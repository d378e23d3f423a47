"""The steps of a compiled training: as `steps`, by compiled functions, with a state that is kept in arrays."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import partial
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd import compile
from autograd.saving import shortened
from nn.checkpoints import Checkpoint, Position
from nn.dropout import dropouts_of
from nn.metrics import Case, Metric, accuracy
from nn.optimizers import Update
from nn.training.case_rows import CaseRows
from nn.training.options import Options
from nn.training.penalties import clip_factor, penalty_slope
from nn.training.steps import STEPPED, Generators, Training
from nn.training.training_programs import CasePrograms, Numbers, UpdateProgram

# Steps, and cases in them, between two copies of the state: copies take little beside that, and no more is computed
# again after an interrupt.
MOST_STEPS, MOST_CASES = 16, 1600


class _Mark(NamedTuple):
    """What a state is computed from again, when a step after it was interrupted."""

    update: Update  # a copy of an earlier state
    steps: list[tuple[Sequence[int], tuple[Numbers, ...], float]]  # since: the cases, their masks, the learning rate


def recorded(options: Options) -> Callable[..., Training]:
    """Record a training, and return what makes its steps. The generators stay as they were.

    Raises:
        TypeError: if it cannot be recorded; the message says why, and what to do.
    """
    plan, cases, validation = options.plan, CaseRows.of(options.cases, "cases"), None
    if options.validation is not None:
        validation = CaseRows.of(options.validation, "validation")
        validation.check_like(cases, "validation", "cases")
    drawing = (plan.pick, plan.shuffle, *(dropout.generator for dropout in dropouts_of(options.network)))
    generators = [(generator, generator.getstate()) for generator in drawing if generator]
    try:
        case = CasePrograms(options, cases, bool(_changing(options)) or _refers_to_objects(options.callback))
    finally:
        for generator, state in generators:
            generator.setstate(state)
    return partial(CompiledTraining, case, UpdateProgram(options.optimizer), validation)


class CompiledTraining(Training):
    """The steps of a training that was recorded.

    The state is that of `committed.update`, in arrays that a step changes in place. `show` writes it to the network and
    the optimizer. `settle` undoes a step that was not committed: it computes the state before it from a copy that was
    made some steps earlier.

    Args:
        case, update: what is recorded of a case, and of the optimizer's step.
        validation: the numbers of the validation set, if there is one.
        options, done: as for `Training`.
    """

    def __init__(
        self,
        case: CasePrograms,
        update: UpdateProgram,
        validation: CaseRows | None,
        options: Options,
        done: Checkpoint | None = None,
    ) -> None:
        self.case, self.update, self.validation = case, update, validation
        self.shown: Update | None = None  # the state that network and optimizer hold
        self.held: Update | None = None  # the state that the arrays hold; None while they are changed
        size = 1 if options.plan.pick else min(options.plan.batch_size, options.plan.cases)
        self.interval = max(1, min(MOST_STEPS, MOST_CASES // size))  # steps between two copies of the state
        count, rows = len(options.optimizer.parameters), len(options.optimizer.memory)
        self.grads = case.error_and_gradients[1:]
        none = np.zeros(count, int)
        self.arrays = Update(case.numbers[case.frozen :], [*np.empty((rows, count))], 0, none)  # what a step changes
        # Of two copies one is in use while the other is written.
        self.copies = [Update(np.empty(count), [*np.empty((rows, count))], 0, none) for _ in range(2)]
        self.changing = _changing(options)
        self.weights = np.array(options.weights, int)
        self.penalty = compile(lambda weight: penalty_slope(weight, options.l1, options.l2))
        self.are_weights = np.isin(np.arange(count), self.weights)
        case.refresh()
        update.refresh()  # its settings may be those of a file
        super().__init__(options, done)

    def show(self) -> None:
        """Write the state to the network and the optimizer."""
        if self.shown is not self.committed.update:
            self._write(self.committed.update)

    def adopt(self) -> None:
        """Commit what a callback changed: parameters, the optimizer and its settings, the generator."""
        super().adopt()
        self.shown = self.committed.update
        self._refresh("the callback", self.options.callback)

    def _begin(self) -> Position:
        if self.changing:
            self.committed = self.committed._replace(update=self._owned(self.committed.update))
        if self.options.schedule is not None:
            self.show()
        position = super()._begin()
        if self.changing:
            self._refresh("the schedule or the metric", self.changing[0])
        return position

    def _refresh(self, name: str, function: object) -> None:
        """Record again what a function changed that was called meanwhile."""
        try:
            self.case.refresh()
            self.update.refresh()
        except TypeError as error:
            raise TypeError(
                f"after the call of {name} {getattr(function, '__name__', shortened(function))}, the training computes "
                f"something else, which cannot be recorded again: {error}"
            ) from error

    def _computed(self, places: Sequence[int], total: float) -> tuple[float, float, Update]:
        state = self.committed.update
        masks = self.case.masks.drawn(len(places))
        self._note(places, masks, state)
        self.held = None
        try:
            reached = self._run(places, masks)
        except (ValueError, ZeroDivisionError):  # an operation outside its domain
            self._write(state)
            self._examine(self.options.cases, places)
            raise
        error = float(self.case.error_and_gradients[0])
        total += error * len(places)
        if not math.isfinite(total):  # as the error then
            self._check_finite("the error", (error, total))
        update = self.update.run(state, self.grads, reached)
        if np.count_nonzero(np.isfinite(self.case.watched)) < len(self.case.watched):  # twice as fast as all()
            self._check_finite("a gradient", self.grads.tolist())
            self._check_finite(STEPPED, update.numbers.tolist())
        self.held = update
        return error, total, update

    def _settle(self) -> None:
        self.shown = None  # a callback may have changed what was shown
        if self.held is not self.committed.update:
            self._go_back()
        super()._settle()

    def _note(self, places: Sequence[int], masks: tuple[Numbers, ...], state: Update) -> None:
        """Note the cases and masks of the next step, and at times copy the state first."""
        done = state.steps - self.mark.update.steps
        if done >= self.interval:
            self._copy(state)
            done = 0
        self.mark.steps[done:] = [(places, masks, self.optimizer.learning_rate)]

    def _copy(self, state: Update) -> None:
        copied = self.copies[0]
        _assign(copied, state)
        self.mark = _Mark(copied._replace(steps=state.steps, missed=state.missed), [])
        self.copies.reverse()

    def _go_back(self) -> None:
        """Compute the committed state again."""
        self.held = None
        state = self.arrays._replace(steps=self.mark.update.steps, missed=self.mark.update.missed)
        _assign(state, self.mark.update)
        for places, masks, learning_rate in self.mark.steps[: self.committed.update.steps - state.steps]:
            self.optimizer.learning_rate = learning_rate
            reached = self._run(places, masks)
            state = self.update.run(state, self.grads, reached)
        self.committed = self.committed._replace(update=state)
        self.held = state

    def _run(self, places: Sequence[int], masks: tuple[Numbers, ...]) -> NDArray[np.bool_]:
        """Compute the error and the gradients of a step, and return which parameters these reach."""
        self.case.run(self._rows(places), masks)
        options, reached = self.options, self.case.reached
        if options.l1 or options.l2:
            weights = self.weights
            self.grads[weights] += self.penalty.batch(self.arrays.numbers[weights])
            reached = reached | self.are_weights
        if options.clip_norm is not None:
            self.grads *= clip_factor(self.grads, options.clip_norm)
        return reached

    def _rows(self, places: Sequence[int]) -> Numbers:
        """Return the rows of some cases, the last case first."""
        rows = self.case.rows.rows
        if len(places) == len(rows) and isinstance(places, range):
            return rows
        last = len(rows) - 1
        if isinstance(places, range) or len(places) == 1:
            return rows[last - places[-1] : last - places[0] + 1]
        return rows.take(last - np.array(places[::-1]), 0)

    # What is measured after a round; `tried` is the update.

    def _try_out(self, update: Update) -> None:
        self.tried = update
        self.measured: dict[int, tuple[Numbers, list[Any] | None]] = {}  # by the id of the rows

    def _errors_and_outputs(self, rows: CaseRows) -> tuple[Numbers, list[Any] | None]:
        if id(rows) not in self.measured:
            self.measured[id(rows)] = self.case.errors_and_outputs(rows)
        return self.measured[id(rows)]

    def _validation_error(self, validation: Sequence[Case]) -> float:
        assert self.validation is not None
        try:
            errors, _ = self._errors_and_outputs(self.validation)
        except (ValueError, ZeroDivisionError):  # likewise
            self._write(self.tried)
            self._examine(validation, range(len(validation)))
            raise
        return float(np.cumsum(errors)[-1]) / len(errors)  # added one after another, as everywhere

    def _metric(self, metric: Metric, cases: Sequence[Case]) -> float:
        if _is_accuracy(metric):
            rows = self.case.rows if cases is self.options.cases else self.validation
            assert rows is not None
            _, outputs = self._errors_and_outputs(rows)
            if outputs is not None:
                rest = iter(outputs)
                known: Any = lambda inputs: next(rest)  # noqa: E731  # accuracy calls a network case after case
                return metric(known, cases, self.options.loss)
        if self.shown is not self.tried:
            self._write(self.tried)
        return super()._metric(metric, cases)

    def _write(self, update: Update) -> None:
        self.shown = None
        memory = [row.tolist() for row in update.memory]
        self.optimizer.apply(Update(update.numbers.tolist(), memory, update.steps, update.missed.tolist()))
        self.shown = update

    def _change(self, update: Update) -> None:
        """Leave the state in `committed`; network and optimizer are written to when someone looks."""

    def _state(self) -> tuple[Update, float, Generators]:
        update, learning_rate, generators = super()._state()
        return self._owned(update), learning_rate, generators

    def _owned(self, update: Update) -> Update:
        """Return a state in the arrays of this training, none of which is that of the gradients, and copy it."""
        self.held = None
        state = self.arrays._replace(steps=update.steps, missed=np.array(update.missed))
        _assign(state, update)
        self._copy(state)
        self.held = state
        return state


def _changing(options: Options) -> list[object]:
    """Return the schedule and the metric, if they may change what is computed."""
    metric, schedule = options.metric, options.schedule
    metrics = [] if metric is None or _is_accuracy(metric) else [metric]
    return [*metrics, schedule] if _refers_to_objects(schedule) else [*metrics]


def _is_accuracy(metric: Metric) -> bool:
    return metric is accuracy or (type(metric) is partial and metric.func is accuracy)


def _refers_to_objects(function: Any) -> bool:
    """Return whether a function refers to more than numbers, modules and builtins, so that it may change something."""
    if function is None:
        return False
    if not isinstance(function, FunctionType) or any(map(inspect.iscode, function.__code__.co_consts)):
        return True
    found = inspect.getclosurevars(function)
    things = [*found.nonlocals.values(), *found.globals.values(), *(function.__defaults__ or ())]
    return not all(isinstance(thing, int | float | str | ModuleType | BuiltinFunctionType) for thing in things)


def _assign(state: Update, other: Update) -> None:
    state.numbers[:] = other.numbers
    for row, numbers in zip(state.memory, other.memory, strict=True):
        row[:] = numbers
