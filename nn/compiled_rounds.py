"""The rounds of a compiled training: as `rounds`, with steps that are programs, and a state that is kept in arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from autograd import no_grad
from nn.case_arrays import CaseArrays, Numbers
from nn.checkpoints import Checkpoint, Position
from nn.losses import Loss
from nn.metrics import Case, Metric, accuracy, mean_loss
from nn.optimizers import Optimizer, Update
from nn.parameters import Module
from nn.rounds import STEPPED, Measures, Rounds
from nn.training_programs import CasePrograms, UpdateProgram

LOOKED_AT = 100  # cases that are computed again one by one, when an error is not finite
# Steps, and cases in them, between two copies of the state: copies take little beside that, and no more is computed
# again after an interrupt.
MOST_STEPS, MOST_CASES = 16, 1600


class Programs(NamedTuple):
    """What is recorded before the first round.

    Attributes:
        case: the programs of a case.
        update: the program of the optimizer's step.
        cases: the cases as arrays.
        validation: likewise.
    """

    case: CasePrograms
    update: UpdateProgram
    cases: CaseArrays
    validation: CaseArrays | None

    @classmethod
    def of(
        cls,
        network: Module,
        cases: Sequence[Case],
        loss: Loss,
        optimizer: Optimizer,
        measures: Measures,
        exact: bool = True,
    ) -> Programs:
        """Record a training.

        Raises:
            TypeError: if that is not possible; the message says why, and what to do.
        """
        arrays = CaseArrays.of(cases, "cases")
        validation = None
        if measures.validation is not None:
            validation = CaseArrays.of(measures.validation, "validation")
            validation.check_like(arrays, "validation", "cases")
        programs = CasePrograms(network, loss, optimizer, cases, arrays, exact)
        return cls(programs, UpdateProgram(optimizer), arrays, validation)


class Mark(NamedTuple):
    """What a state is computed from again, when a step after it was interrupted.

    Attributes:
        update: a copy of an earlier state.
        steps: the places of the cases of each step since, and its learning rate.
    """

    update: Update
    steps: list[tuple[Sequence[int], float]]


class CompiledRounds(Rounds):
    """The rounds of a training that was recorded.

    The state is that of `committed.update`, in arrays that a step changes in place. `show` writes it to the network and
    the optimizer. `settle` undoes a step that was not committed: it computes the state before it from a copy that was
    made some steps earlier.

    Args:
        programs: what was recorded.
        arguments: those of `Rounds`.
    """

    def __init__(self, programs: Programs, *arguments: Any) -> None:
        self.programs = programs
        self.shown: Update | None = None  # the state that network and optimizer hold
        self.held: Update | None = None  # the state that the arrays hold; None while they are changed
        super().__init__(*arguments)
        self.programs.case.refresh()

    @cached_property
    def size(self) -> int:
        """How many cases a step takes; the last one of a round may take fewer."""
        return 1 if self.plan.pick is not None else min(self.plan.batch_size, self.plan.cases)

    @cached_property
    def arrays(self) -> Update:
        """The arrays that a step changes."""
        return self._with_memory(self.programs.case.memory(self.size))

    @cached_property
    def copies(self) -> list[Update]:
        """Those of two copies of a state, of which one is in use while the other is written."""
        return [self._with_memory(np.empty_like(self.arrays.numbers)) for _ in range(2)]

    def show(self) -> None:
        """Write the state to the network and the optimizer."""
        if self.shown is not self.committed.update:
            self._write(self.committed.update)

    def adopt(self) -> None:
        """Commit what a callback changed: parameters, the optimizer and its settings, the generator."""
        super().adopt()
        self.shown = self.committed.update
        self.programs.case.refresh()
        self.programs.update.refresh()

    def checkpoint(self) -> Checkpoint:
        """What a checkpoint holds of the training, besides the network, which is written to here."""
        self.show()
        return super().checkpoint()

    def _begin(self) -> Position:
        if self.measures.schedule is not None:
            self.show()
        return super()._begin()

    def _computed(self, places: Sequence[int], total: float) -> tuple[float, float, Update]:
        state = self.committed.update
        self._note(places, state)
        self.held = None
        error, grads, are_finite = self.programs.case.error_and_gradients(state.numbers, self._rows(places))
        error /= len(places)
        total += error * len(places)
        if not math.isfinite(error):
            self._look_at(places)
        self._check_finite("the error", [error, total])
        if not are_finite:
            self._check_finite("a gradient", grads.tolist())
        update, are_finite = self.programs.update.run(state, grads)
        if not are_finite:
            self._check_finite(STEPPED, update.numbers.tolist())
        self.held = update
        return error, total, update

    def _with_memory(self, numbers: Numbers) -> Update:
        return Update(numbers, [np.empty_like(numbers) for _ in self.optimizer.memory], 0)

    def _settle(self) -> None:
        self.shown = None  # a callback may have changed what was shown
        if self.held is not self.committed.update:
            self._go_back()
        super()._settle()

    def _note(self, places: Sequence[int], state: Update) -> None:
        """Note the cases of the next step, and at times copy the state first."""
        done = state.steps - self.mark.update.steps
        if done >= max(1, min(MOST_STEPS, MOST_CASES // self.size)):
            self._copy(state)
            done = 0
        self.mark.steps[done:] = [(places, self.optimizer.learning_rate)]

    def _copy(self, state: Update) -> None:
        copied = self.copies[0]
        _assign(copied, state)
        self.mark = Mark(copied._replace(steps=state.steps), [])
        self.copies.reverse()

    def _go_back(self) -> None:
        """Compute the committed state again."""
        self.held = None
        state = self.arrays._replace(steps=self.mark.update.steps)
        _assign(state, self.mark.update)
        for places, learning_rate in self.mark.steps[: self.committed.update.steps - state.steps]:
            self.optimizer.learning_rate = learning_rate
            _, grads, _ = self.programs.case.error_and_gradients(state.numbers, self._rows(places))
            state, _ = self.programs.update.run(state, grads)
        self.committed = self.committed._replace(update=state)
        self.held = state

    def _rows(self, places: Sequence[int]) -> Any:
        """The rows of some cases, the last case first."""
        last = len(self.cases) - 1
        if isinstance(places, range) or len(places) == 1:
            return slice(last - places[-1], last - places[0] + 1)
        return last - np.array(places[::-1], np.int64)

    def _look_at(self, places: Sequence[int]) -> None:
        """Compute the cases whose error is not finite eagerly: outside a domain that raises an error which names it."""
        self.show()
        errors, _ = self.programs.case.errors_and_outputs(self.committed.update.numbers, self.programs.cases)
        with no_grad():
            for place in [place for place in places if not np.isfinite(errors[place])][:LOOKED_AT]:
                mean_loss(self.network, [self.cases[place]], self.loss)

    # What is measured after a round; `tried` is the update.

    def _try_out(self, update: Update) -> None:
        self.tried = update
        self.found: dict[int, tuple[Numbers, Numbers]] = {}  # errors and outputs, by the id of the arrays

    def _measured_by_program(self, arrays: CaseArrays) -> tuple[Numbers, Numbers]:
        if id(arrays) not in self.found:
            self.found[id(arrays)] = self.programs.case.errors_and_outputs(self.tried.numbers, arrays)
        return self.found[id(arrays)]

    def _validation_error(self, validation: Sequence[Case]) -> float:
        assert self.programs.validation is not None
        errors, _ = self._measured_by_program(self.programs.validation)
        return float(np.cumsum(errors)[-1]) / len(errors)  # added one after another, as everywhere

    def _metric(self, metric: Metric, cases: Sequence[Case]) -> float:
        if metric is accuracy or (type(metric) is partial and metric.func is accuracy):
            arrays = self.programs.cases if cases is self.cases else self.programs.validation
            assert arrays is not None
            _, outputs = self._measured_by_program(arrays)
            if self.programs.case.gives_numbers():
                rows = iter(outputs.tolist())
                known: Any = lambda inputs: next(rows)  # noqa: E731  # accuracy calls a network case after case
                return metric(known, cases, self.loss)
        if self.shown is not self.tried:
            self._write(self.tried)
        return super()._metric(metric, cases)

    def _write(self, update: Update) -> None:
        self.shown = None
        memory = [row.tolist() for row in update.memory]
        self.optimizer.apply(Update(update.numbers.tolist(), memory, update.steps))
        self.shown = update

    def _change(self, update: Update) -> None:
        """The state is in `committed`; network and optimizer are written to when someone looks."""

    def _state(self) -> tuple[Update, float, tuple[Any, ...] | None]:
        update, learning_rate, generator_state = super()._state()
        self.held = None
        state = self.arrays._replace(steps=update.steps)
        _assign(state, update)
        self._copy(state)
        self.held = state
        return state, learning_rate, generator_state


def _assign(state: Update, other: Update) -> None:
    """Copy the numbers of another state into the arrays of a state."""
    state.numbers[:] = other.numbers
    for row, numbers in zip(state.memory, other.memory, strict=True):
        row[:] = numbers
