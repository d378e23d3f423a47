"""What a compiled training runs: a program for one case, and one for the step of one parameter.

Both are recorded once. The first runs with the cases as its examples, the second with the parameters as its examples.
Both take and give float64 arrays.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd import Value, gradients, no_grad
from autograd.native import selection
from autograd.programs.recording import RecordedFunction, place_of
from autograd.trees import NUMBER, container
from nn.case_arrays import REMEDY, CaseArrays, Numbers
from nn.losses import Loss
from nn.metrics import Case, error_of, mean_loss
from nn.optimizers import Optimizer, Update
from nn.parameters import Module

# Cases that the program of a case is compared with the network for; and as many with targets of their own. Fewer, if
# the network has so many parameters that they would take longer than the recording.
TRIED, FEWEST_TRIED, MOST_NUMBERS = 8, 2, 500_000
MOST_LANES = 256  # parameters that are changed side by side: their numbers stay in the first cache


class _Program:
    """A function of one case as a program.

    Args:
        function: takes plain numbers, the inputs and the target.
        plain: how many plain numbers.
        cases: what gives the forms of inputs and target.
        totals: whether results are summed up over the cases.
        parameters: the leaves whose numbers are given at each run; others are read by `refresh`.
        exact: False if results may differ from those of an eager training by rounding.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        plain: int,
        cases: CaseArrays,
        totals: bool,
        parameters: Sequence[Value],
        exact: bool,
    ) -> None:
        forms = [NUMBER] * plain + [cases.input_form, cases.target_form]
        failure = "the network and the loss cannot be recorded as a program"
        self.recorded = _record(function, forms, failure, parameters, exact)
        varies = (False,) * plain + (True,) * (cases.inputs.shape[1] + cases.targets.shape[1])
        self.plain, self.totals = plain, totals
        self.code = self.recorded.code(varies, totals)
        self.parameters = len(parameters)
        self.runners: dict[int, tuple[Any, list[Numbers]]] = {}  # by the count of cases, with the parts of its inputs
        self.sums = np.empty((1, len(self.code.outputs)))
        self.refresh()

    def refresh(self) -> None:
        """Read the leaves that the training does not change."""
        self.others = [leaf.data for leaf in self.recorded.captured]

    def runner(self, count: int) -> tuple[Any, list[Numbers]]:
        """What runs so many cases, and its memory of the plain numbers, of the parameters and of other leaves."""
        if count not in self.runners:
            lanes = selection.running().lanes_for(self.code, count)
            made = selection.running().Runner(self.code, lanes, self.recorded.exact)
            self.runners[count] = made, np.split(made.inputs, [self.plain, self.plain + self.parameters])
        return self.runners[count]

    def run(self, numbers: Numbers, cases: Sequence[Numbers], rows: Any, *plain: float) -> tuple[Numbers, bool]:
        """The results, and whether they are finite.

        Args:
            numbers: those of the parameters. They are not copied, if they are the memory for them.
            cases: the inputs and the targets, with a row for each case.
            rows: the rows to take, all when None.
            plain: the plain numbers.

        Returns:
            A row for each case, or one row of the sums over the cases, in use until the next run.
        """
        count = len(cases[0] if rows is None else rows)
        runner, (plain_memory, parameter_memory, other_memory) = self.runner(count)
        plain_memory[:], other_memory[:] = plain, self.others
        if numbers is not parameter_memory:
            parameter_memory[:] = numbers
        if self.totals and runner.results is not None and self.code.output_varies.all():
            return runner.results[None], runner.batch(None, list(cases), rows, None)
        results = self.sums if self.totals else np.empty((count, len(self.code.outputs)))
        are_finite = runner.batch(None, list(cases), rows, results)
        if self.totals:
            results[0, ~self.code.output_varies] = _added_up(results[0, ~self.code.output_varies], count)
        return results, are_finite


class CasePrograms:
    """The error of a case, its gradients and the outputs of the network, as programs.

    Args:
        network: called with the inputs of a case.
        loss: a function of the network's output and the target.
        optimizer: whose parameters the error is differentiated by.
        cases: the cases of the training.
        arrays: the same as arrays.
        exact: False if results may differ from those of an eager training by rounding.

    Raises:
        TypeError: if network and loss cannot be recorded, or compute something else than what was recorded.
    """

    def __init__(
        self,
        network: Module,
        loss: Loss,
        optimizer: Optimizer,
        cases: Sequence[Case],
        arrays: CaseArrays,
        exact: bool = True,
    ) -> None:
        self.network, self.loss, self.arrays, self.exact = network, loss, arrays, exact
        self.parameters = optimizer.parameters
        self._gradient = _Program(self._error_and_gradients, 1, arrays, True, self.parameters, exact)
        self._forward: _Program | None = None
        self._check(cases)

    def memory(self, count: int) -> Numbers:
        """An array for the numbers of the parameters that need not be copied for the gradients of so many cases."""
        _, (_, numbers, _) = self._gradient.runner(count)
        return numbers

    def error_and_gradients(self, numbers: Numbers, rows: slice | Any) -> tuple[float, Numbers, bool]:
        """The sum of the errors of some cases, the gradients of their mean, and whether all are finite.

        The gradients are in use until the next call.

        Args:
            numbers: those of the parameters.
            rows: the rows of the arrays, as a slice or an array.
        """
        parts, chosen = [self.arrays.inputs, self.arrays.targets], None if isinstance(rows, slice) else rows
        if isinstance(rows, slice):
            parts = [part[rows] for part in parts]
        count = len(parts[0] if chosen is None else chosen)
        results, are_finite = self._gradient.run(numbers, parts, chosen, 1.0 / count)
        return float(results[0, 0]), results[0, 1:], are_finite

    def errors_and_outputs(self, numbers: Numbers, arrays: CaseArrays) -> tuple[Numbers, Numbers]:
        """The error of each case, and the outputs of the network for it, in the order of the cases."""
        if self._forward is None:
            self._forward = _Program(self._error_and_output, 0, self.arrays, False, self.parameters, self.exact)
        results, _ = self._forward.run(numbers, [arrays.inputs, arrays.targets], None)
        results = results[::-1]
        return results[:, 0], results[:, 1:]

    def gives_numbers(self) -> bool:
        """Whether the network gives a number or a list of numbers."""
        assert self._forward is not None, "the outputs were asked for"
        form = self._forward.recorded.result.parts[1]
        if form.shape is not None:
            return len(form.shape) <= 1
        return bool(form.size) and not form.parts

    def refresh(self) -> None:
        """Read the leaves that the training does not change."""
        self._gradient.refresh()
        if self._forward is not None:
            self._forward.refresh()

    def _error_and_gradients(self, share: Value, inputs: Any, target: Any) -> list[Value]:
        error = error_of(self.loss, self.network(inputs), target)
        return [error, *gradients(error * share, self.parameters)]

    def _error_and_output(self, inputs: Any, target: Any) -> dict[str, Any]:
        output = self.network(inputs)
        return {"error": error_of(self.loss, output, target), "output": output}

    def _check(self, cases: Sequence[Case]) -> None:
        """Compare the program with the network and the loss for some cases.

        So a comparison by `==`, which is one of identity for a Value, is found out, and a number drawn at random.
        """
        count = len(cases)
        tried = max(FEWEST_TRIED, min(TRIED, MOST_NUMBERS // len(self.parameters)))
        chosen = {place * (count - 1) // (tried - 1) for place in range(tried)}
        _, first = np.unique(self.arrays.targets[::-1], axis=0, return_index=True)
        chosen.update(first[:tried].tolist())
        numbers = np.array([parameter.data for parameter in self.parameters])
        for place in sorted(chosen):
            row = count - 1 - place
            error, _, _ = self.error_and_gradients(numbers, slice(row, row + 1))
            try:
                with no_grad():
                    expected = mean_loss(self.network, [cases[place]], self.loss).data
            except (ValueError, ArithmeticError):  # outside a domain, of which the training will tell
                continue
            if not _agree(error, expected):
                raise TypeError(
                    f"the network and the loss give {expected!r} for cases[{place}], and the program recorded of them "
                    f"{error!r}: what they compute depends on something that a program does not record, such as random "
                    f"numbers, the number of calls or a comparison with ==; write it with where, greater and abs, or "
                    f"{REMEDY}"
                )


class UpdateProgram:
    """The step of an optimizer for one parameter as a program. It is recorded again when a setting has changed.

    Args:
        optimizer: whose class states its step by `_rule`.

    Raises:
        TypeError: if it does not, or its rule cannot be recorded.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        for name in ("_moves", "_assign", "update", "apply", "step"):
            if getattr(type(optimizer), name) is not getattr(Optimizer, name):
                kind = type(optimizer).__name__
                raise TypeError(
                    f"the step of {kind} cannot be recorded as a program: it defines {name}; state the step of one "
                    f"parameter by _rule, as SGD does, or {REMEDY}"
                )
        self.settings: dict[str, Any] | None = None
        self.refresh()

    def refresh(self) -> None:
        """Record the step again if a setting has changed."""
        settings = _settings(self.optimizer)
        if settings == self.settings:
            return
        count = 2 + len(self.optimizer.memory)
        recorded = _record(
            self._step, [NUMBER] * (2 + count), f"the step of {type(self.optimizer).__name__} cannot be recorded"
        )
        self.recorded, self.settings = recorded, settings
        parameters = len(self.optimizer.parameters)
        code = recorded.code((False, False) + (True,) * count)
        # What is remembered may be the gradient, the second of the inputs. Then it need not be written, unless what was
        # remembered before is read.
        self.is_grad = code.output_varies & (code.outputs == 1)
        self.is_grad[0] = False
        self.is_grad[1:] &= ~code.varying_reads()[2:count]
        code = replace(code, outputs=code.outputs[~self.is_grad], output_varies=code.output_varies[~self.is_grad])
        self.runner = selection.running().Runner(code, min(MOST_LANES, parameters + -parameters % 8))
        self._check()

    def run(self, update: Update, grads: Numbers) -> tuple[Update, bool]:
        """Change a state; the next state, which has the same arrays, and whether all its numbers are finite.

        What it remembers may be the array of the gradients.

        Args:
            update: the state now, with arrays.
            grads: the gradient of each parameter.
        """
        inputs = self.recorded.inputs(np.array([self.optimizer.learning_rate, float(update.steps)]))
        state = [update.numbers, *update.memory]
        computed = [row for row, is_grad in zip(state, self.is_grad, strict=True) if not is_grad]
        are_finite = self.runner.each(inputs, [update.numbers, grads, *update.memory], computed)
        numbers, *memory = [grads if is_grad else row for row, is_grad in zip(state, self.is_grad, strict=True)]
        return Update(numbers, memory, update.steps + 1), are_finite

    def _step(self, learning_rate: Value, steps: Value, *numbers: Value) -> list[Value]:
        results = list(self._rule(learning_rate, steps)(*numbers))
        if len(results) != len(numbers) - 1:
            raise TypeError(f"_rule gives {len(results)} numbers for a parameter with {len(numbers) - 2} to remember")
        return results

    def _rule(self, learning_rate: Any, steps: Any) -> Callable[..., Any]:
        """The rule with other numbers in place of these."""
        stand_in = copy.copy(self.optimizer)
        vars(stand_in).update(learning_rate=learning_rate, steps=steps)  # without the checks of an assignment
        return stand_in._rule()

    def _check(self) -> None:
        """Compare the program with the rule for some numbers, as is done for the network."""
        rate, memory = self.optimizer.learning_rate, len(self.optimizer.memory)
        for grad in (0.0, 0.25, -1.5):
            for steps, remembered in ((0, 0.0), (3, 0.125)):
                numbers = [0.5, grad] + [remembered] * memory
                try:
                    expected = self._rule(rate, steps)(*numbers)
                except (ValueError, ArithmeticError):
                    continue
                given = Update(np.array(numbers[:1]), np.array(numbers[2:]).reshape(memory, 1), steps)
                made, _ = self.run(given, np.array([grad]))
                for one, other in zip(np.ravel([made.numbers, *made.memory]).tolist(), expected, strict=True):
                    if not _agree(one, other):
                        raise TypeError(
                            f"the rule of {type(self.optimizer).__name__} gives {other!r} for a gradient of {grad}, "
                            f"and the program recorded of it {one!r}: it depends on something that a program does not "
                            f"record, such as a comparison with ==; write it with where, greater and abs, or {REMEDY}"
                        )


def _added_up(numbers: Numbers, count: int) -> Numbers:
    """So many times each number, added one after another, as for cases that have it in common."""
    total = numbers.copy()
    for _ in range(count - 1 if numbers.any() else 0):
        total += numbers
    return total


def _settings(optimizer: Optimizer) -> dict[str, Any]:
    """What decides on a step besides the state and the learning rate."""
    state = ("parameters", "memory", "steps", "learning_rate", "_made")
    return {name: copy.copy(value) for name, value in vars(optimizer).items() if name not in state}


def _agree(a: float, b: float) -> bool:
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.isfinite(a) == math.isfinite(b)
    return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


def _record(
    function: Callable[..., Any],
    forms: list[Any],
    failure: str,
    parameters: Sequence[Value] = (),
    exact: bool = True,
) -> RecordedFunction:
    """A recorded function; or an error that says on which line it cannot be recorded."""

    def one_case(*arguments: Any) -> Any:
        return function(*arguments)

    one_case.__name__ = "a training"
    try:
        call = container(tuple, [container(tuple, forms), container(dict, (), ())])
        return RecordedFunction(one_case, call, parameters, exact)
    except Exception as error:
        place = "" if " at line " in str(error) else place_of(error)
        kind = "" if isinstance(error, TypeError) else f"{type(error).__name__}: "
        raise TypeError(f"{failure}: {kind}{error}{place}; or {REMEDY}") from error
