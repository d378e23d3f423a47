"""The rounds of a compiled training: as `rounds`, with steps that are programs, and a state that is kept in arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
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


class CompiledRounds(Rounds):
    """The rounds of a training that was recorded.

    The state is that of `committed.update`, in arrays. `show` writes it to the network and the optimizer. A step reads
    it and makes another one; nothing else is changed, so an interrupt leaves nothing half done.

    Args:
        programs: what was recorded.
        arguments: those of `Rounds`.
    """

    def __init__(self, programs: Programs, *arguments: Any) -> None:
        self.programs = programs
        self.shown: Update | None = None  # the state that network and optimizer hold
        super().__init__(*arguments)
        self.programs.case.refresh()

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
        return error, total, update

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
        memory = [np.array(row, np.float64) for row in update.memory]
        return Update(np.array(update.numbers), memory, update.steps), learning_rate, generator_state
