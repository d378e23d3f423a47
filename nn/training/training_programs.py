"""What a compiled training calls: the error of a case, with its gradients or with the outputs, and an optimizer's step.

Each is a function of numbers that `compile` records, of one case or of one parameter, and `batch` runs it for all.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Collection, Sequence
from itertools import compress
from operator import is_, is_not
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd import Program, Value, compile, gradients, ieee_arithmetic, no_grad, topological_order
from autograd.primitives import stop_gradient
from autograd.saving import shortened
from nn.functional import functional_call
from nn.losses import Loss
from nn.metrics import Case, error_of, mean_loss
from nn.optimizers import Optimizer, Update
from nn.parameters import Module
from nn.training.case_rows import REMEDY, CaseRows
from nn.training.masks import Masks
from nn.training.options import Options

Numbers: TypeAlias = NDArray[np.float64]

# Cases that the compiled function is compared with the network for; and as many with targets of their own. Fewer, if
# the network has so many parameters that they would take longer than the recording.
TRIED, FEWEST_TRIED, MOST_NUMBERS = 8, 2, 500_000
FAILURE = "the network and the loss cannot be recorded as a program"


class _Graph:
    """What a compiled function records for some arguments, and the leaves that it refers to, to be compared later."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.program: Program = function.program(*arguments)
        self.read: list[Value] = function.parameters(*arguments)

    def is_like(self, other: _Graph, parameters: Collection[Value] = ()) -> bool:
        """Return whether the same is computed, whatever numbers the leaves hold that both refer to.

        Another leaf with the same number is as good, since it was made by the function, unless it takes the place of a
        parameter.
        """
        one, two = self.program, other.program
        parts = ("codes", "starts", "operands", "inputs", "parameters", "outputs")
        if one.others != two.others or not all(np.array_equal(getattr(one, p), getattr(two, p)) for p in parts):
            return False
        compared = one.is_constant
        if not all(map(is_, self.read, other.read)):
            replaced = np.array(list(map(is_not, self.read, other.read)))
            if not set(compress(other.read, replaced)).isdisjoint(parameters):
                return False
            compared[one.parameters[replaced]] = True
        return one.numbers[compared].tobytes() == two.numbers[compared].tobytes()


class _Case:
    """The network and the loss as a module: of the inputs and the target it makes the error and the output."""

    def __init__(self, network: Module, loss: Loss) -> None:
        self.network, self.loss = network, loss

    def __call__(self, inputs: Any, target: Any) -> tuple[Value, Any]:
        output = self.network(inputs)
        return error_of(self.loss, output, target), output


class CasePrograms:
    """The error of a case, its gradients and the outputs of the network, compiled.

    Args:
        options: of the training.
        rows: the numbers of its cases.
        may_change: whether functions that are called between rounds may change what network and loss compute.

    Attributes:
        numbers: those of the parameters: those that the optimizer does not change stand first.
        masks: what its Dropouts multiply by.
        error_and_gradients: the mean of the errors of the last cases, followed by its gradients.
        watched: the numbers that the optimizer changes, followed by these.
        reached: of each number that the optimizer changes, whether a gradient reaches it.

    Raises:
        TypeError: if network and loss cannot be recorded, or compute something else than what was recorded.
    """

    def __init__(self, options: Options, rows: CaseRows, may_change: bool = False) -> None:
        self.case, self.rows = _Case(options.network, options.loss), rows
        self.frozen, self.parameters = len(options.frozen), [*options.frozen, *options.optimizer.parameters]
        self.exact, self.cases = options.exact, options.cases
        # What each error is multiplied by, for each count of cases. These are arrays, because a batch multiplies a
        # gradient that all cases have in common by their count, and `backward()` adds it up.
        self.shares: dict[int, Numbers] = {}
        count = len(self.parameters)
        memory = np.empty(2 * count - self.frozen + 1)
        self.numbers, self.error_and_gradients, self.watched = memory[:count], memory[count:], memory[self.frozen :]
        self.numbers[:] = [parameter.data for parameter in self.parameters]
        self.masks = Masks(options.network, rows.first[0])
        self._record()
        self.graph = self._graph() if may_change else None

    def run(self, rows: Numbers, masks: tuple[Numbers, ...]) -> None:
        """Compute the mean of the errors of some cases, and its gradients, with masks from `self.masks.drawn`."""
        count = len(rows)
        if count not in self.shares:
            self.shares[count] = np.full(count, 1.0 / count)
        out = self.error_and_gradients
        over = (1, 2, 3) if masks else (1, 2)
        self._gradient.batch(self.numbers, self.shares[count], rows, *masks, over=over, reduce="sum", out=out)

    def errors_and_outputs(self, rows: CaseRows) -> tuple[Numbers, list[Any] | None]:
        """Compute the error of each case, and the outputs of the network as they are or in a list; None for others."""
        errors, output = self._forward.batch(self.numbers, rows.rows, over=1, reduce="each")
        return errors[::-1], _outputs_by_case(output)

    def refresh(self) -> None:
        """Read the parameters that the optimizer does not change, and record again what is computed otherwise now."""
        self.numbers[: self.frozen] = [parameter.data for parameter in self.parameters[: self.frozen]]
        if self.graph is not None:
            self.masks = Masks(self.case.network, self.rows.first[0])
            graph = self._graph()
            if not graph.is_like(self.graph, set(self.parameters)):
                self._record()
                self.graph = graph

    def _graph(self) -> _Graph:
        """Return how the error of a case is computed, which takes a fraction of the time that the gradients take."""

        def error_of_case(row: Any, *masks: Any) -> Value:
            with self.masks.given(*masks):
                return self.case(*self.rows.rebuilt(row))[0]

        try:
            return _Graph(compile(_named(error_of_case)), self.rows.rows[-1], *self.masks.neutral)
        except Exception as error:
            raise _not_recorded(FAILURE, error) from error

    def _error_and_gradients(self, numbers: Any, share: Any, row: Any, *masks: Any) -> Any:
        with self.masks.given(*masks):
            error = self._error_and_output(numbers, row)[0] * share
        inputs = numbers[self.frozen :].tolist()
        self.reached = np.isin(list(map(id, inputs)), list(map(id, _reached(error))))
        # As value_and_grad, which records a node more for each number.
        nodes = [error, *gradients(error, inputs)]
        return np.fromiter(nodes, object, len(nodes))

    def _error_and_output(self, numbers: Any, row: Any) -> tuple[Value, Any]:
        given = dict(zip(self.parameters, numbers.tolist(), strict=True))
        for parameter, number in given.items():
            number.label = parameter.label  # by which messages name it
        result: tuple[Value, Any] = functional_call(self.case, given, *self.rows.rebuilt(row))
        return result

    def _record(self) -> None:
        """Record the gradients of a case, and find parameters that are not reached by attributes."""
        self._gradient = compile(_named(self._error_and_gradients), exact=self.exact)
        self._forward = compile(_named(self._error_and_output), exact=self.exact)
        try:
            read = self._gradient.parameters(self.numbers, 1.0, self.rows.rows[-1], *self.masks.neutral)
        except Exception as error:
            raise _not_recorded(FAILURE, error) from error
        strays = set(read).intersection(self.parameters)
        if strays:
            raise TypeError(
                f"the network or the loss reads the parameter {shortened(strays.pop())} otherwise than from an "
                f"attribute of the network, so that it cannot be an argument of a program; read it as "
                f"network.…, or {REMEDY}"
            )

        self._check(self.cases)

    def _check(self, cases: Sequence[Case]) -> None:
        """Compare the compiled function with the network and the loss for some cases.

        So a comparison by `==`, which is one of identity for a Value, is found out, and a number drawn at random.
        """
        count = len(cases)
        tried = max(FEWEST_TRIED, min(TRIED, MOST_NUMBERS // len(self.parameters)))
        chosen = {place * (count - 1) // (tried - 1) for place in range(tried)}
        _, first = np.unique(self.rows.targets[::-1], axis=0, return_index=True)
        chosen.update(first[:tried].tolist())
        for place in sorted(chosen):
            try:
                with no_grad(), ieee_arithmetic(), self.masks.given(*self.masks.neutral):
                    expected = mean_loss(self.case.network, [cases[place]], self.case.loss).data
                row = count - 1 - place
                self.run(self.rows.rows[row : row + 1], tuple(mask[None] for mask in self.masks.neutral))
            except (ValueError, ArithmeticError):  # outside a domain, of which the training will tell
                continue
            said = f"the network and the loss give {expected!r} for cases[{place}]"
            _check_same(float(self.error_and_gradients[0]), expected, said)


class UpdateProgram:
    """The step of an optimizer, compiled. It is recorded again when it has changed.

    Raises:
        TypeError: if the class of the optimizer does not state its step by `_rule`, or that cannot be recorded.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.settings: dict[str, Any] | None = None
        self.recorded: _Graph | None = None
        for name in ("_moves", "_assign", "update", "apply", "step"):
            if getattr(type(optimizer), name) is not getattr(Optimizer, name):
                kind = type(optimizer).__name__
                raise TypeError(
                    f"the step of {kind} cannot be recorded as a program: it defines {name}; state the step of one "
                    f"parameter by _rule, as SGD does, or {REMEDY}"
                )
        self.over = tuple(range(2, 4 + len(optimizer.memory)))
        self.refresh()

    def refresh(self) -> None:
        """Record the step again if a setting has changed, or the rule of a class of one's own."""
        settings = self.optimizer.settings() | {"learning_rate": None}  # which is an argument
        if settings == self.settings and type(self.optimizer).__module__ == Optimizer.__module__:
            return
        step, memory = compile(self._step), [0.0] * len(self.optimizer.memory)
        arguments = (self.optimizer.learning_rate, 0.0, 0.5, 0.25, *memory)
        try:
            recorded = _Graph(step, *arguments)
            if self.recorded is not None and recorded.is_like(self.recorded):
                self.settings = settings
                return
            made = step(*arguments)
        except Exception as error:
            raise _not_recorded(f"the step of {type(self.optimizer).__name__} cannot be recorded", error) from error
        self.step, self.settings, self.recorded = step, settings, recorded
        self.grad_places = [place for place, number in enumerate(made) if number is None]
        self._check()

    def run(self, update: Update, grads: Numbers, reached: NDArray[np.bool_]) -> Update:
        """Take a step in the arrays of a state.

        Args:
            update: the state before it. Its arrays are written to, but for that of the missed steps.
            grads: the gradient of each parameter.
            reached: whether it has one.

        Returns:
            The state after the step. What it remembers may be the array of the gradients.
        """
        (numbers, memory, steps, missed), rate = update, self.optimizer.learning_rate
        if missed.any() or not reached.all():
            for count in np.unique(missed[reached]).tolist():
                places = np.flatnonzero(reached & (missed == count))
                chosen = [row[places] for row in (numbers, grads, *memory)]
                made = self.step.batch(rate, float(steps - count), *chosen, over=self.over)
                for row, new in zip((numbers, *memory), made, strict=True):
                    row[places] = chosen[1] if new is None else new
            return Update(numbers, memory, steps + 1, missed + ~reached)
        out: list[Any] = [None if place in self.grad_places else row for place, row in enumerate((numbers, *memory))]
        self.step.batch(rate, float(steps), numbers, grads, *memory, over=self.over, out=out)
        return Update(numbers, [grads if row is None else row for row in out[1:]], steps + 1, missed)

    def _step(self, learning_rate: Value, steps: Value, number: Value, grad: Value, *memory: Value) -> list[Any]:
        """Return the new number and memory of a parameter.

        What is remembered may be the gradient. Then it is None, and need not be written, unless what was remembered
        before is read.
        """
        made, *remembered = self.optimizer._rule_at(steps, learning_rate)(number, grad, *memory)
        if len(remembered) != len(memory):
            raise TypeError(f"_rule gives {1 + len(remembered)} numbers for a parameter with {len(memory)} to remember")
        read = {node for row in (made, *remembered) if isinstance(row, Value) for node in topological_order(row)}
        pairs = zip(remembered, memory, strict=True)
        return [made, *(None if row is grad and before not in read else row for row, before in pairs)]

    def _check(self) -> None:
        """Compare the compiled step with the rule for some numbers, as is done for the network."""
        rate, memory = self.optimizer.learning_rate, len(self.optimizer.memory)
        for grad in (0.0, 0.25, -1.5):
            for steps, remembered in ((0, 0.0), (3, 0.125)):
                numbers = [0.5, grad] + [remembered] * memory
                try:
                    expected = self.optimizer._rule_at(steps, rate)(*numbers)
                    made = self.step(rate, float(steps), *numbers)
                except (ValueError, ArithmeticError):
                    continue
                for one, other in zip(made, expected, strict=True):
                    said = f"the rule of {type(self.optimizer).__name__} gives {other!r} for a gradient of {grad}"
                    _check_same(grad if one is None else one, other, said)


def _outputs_by_case(output: Any) -> list[Any] | None:
    """Return the outputs of each case in their order, if they are one number or a list of numbers; else None."""
    if isinstance(output, np.ndarray):
        return output[::-1].tolist() if output.ndim <= 2 else None
    if not isinstance(output, list | tuple) or not all(getattr(column, "ndim", 0) == 1 for column in output):
        return None
    return list(zip(*(column[::-1].tolist() for column in output), strict=True))


def _reached(output: Value) -> set[Value]:
    """Return the nodes that the gradient of an output reaches."""
    reached = {output}
    for node in reversed(topological_order(output)):
        if node in reached and node.primitive is not stop_gradient:
            reached.update(node.parents)
    return reached


def _check_same(found: float, expected: float, said: str) -> None:
    """Raise a TypeError if a program gives another number than what it was recorded of, of which is said what it is."""
    if math.isfinite(found) and math.isfinite(expected):
        is_same = abs(found - expected) <= 1e-9 * max(1.0, abs(found), abs(expected))
    else:
        is_same = math.isfinite(found) == math.isfinite(expected)
    if not is_same:
        raise TypeError(
            f"{said}, and the program recorded of it {found!r}: what is computed depends on something that a program "
            f"does not record, such as random numbers, the number of calls or a comparison with ==; write it with "
            f"where, greater and abs, or {REMEDY}"
        )


def _named(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that messages call a training."""

    def called(*arguments: Any) -> Any:
        return function(*arguments)

    called.__name__ = "a training"
    return called


def _not_recorded(failure: str, error: Exception) -> TypeError:
    """Return the error for what cannot be recorded, with the last line outside of this package that led to it."""
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__ if " at line " not in str(error) else None):
        if frame.f_globals.get("__name__", "").partition(".")[0] not in ("autograd", "nn"):
            place = f", at line {line} of {frame.f_code.co_filename}"
    kind = "" if isinstance(error, TypeError) else f"{type(error).__name__}: "
    return TypeError(f"{failure}: {kind}{error}{place}; or {REMEDY}")
