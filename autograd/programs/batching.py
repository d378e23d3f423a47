"""Many examples computed side by side: what `batch` of a compiled function does.

>>> from autograd.programs.nesting import described
>>> form, rows = examples_of(([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0]), "argument 0")
>>> described(form), [part.tolist() for part in rows]
('(a list of 2 numbers, a number)', [[[1.0, 2.0], [3.0, 4.0]], [[5.0], [6.0]]])
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.native import selection
from autograd.programs.nesting import (
    NUMBER,
    Array,
    CallForm,
    Fixed,
    Form,
    Leaf,
    Nested,
    Row,
    Rows,
    as_floats,
    flat,
    form_of,
    has_value,
    holds_value,
    rebuilt_from_rows,
    size_of,
)
from autograd.programs.recorded import Recorded
from autograd.saving import shortened
from autograd.value import Value

LOOKED_AT = 10  # examples that are computed again one by one, where a result is not finite


class Batch:
    """The runs of a function for many examples, whose arguments have the same forms each time.

    Args:
        function: the function.
        recorded: what was recorded of it.
        varying: the numbers of the arguments that hold examples.
        reduce: what to give: "mean", "sum" or "each".
    """

    def __init__(self, function: Callable[..., Any], recorded: Recorded, varying: Collection[int], reduce: str) -> None:
        self.function, self.recorded, self.reduce = function, recorded, reduce
        forms = recorded.call.positional
        self.varies = np.repeat([place in varying for place in range(len(forms))], list(map(size_of, forms)))
        self.places = [place for place in range(len(forms)) if place not in varying], sorted(varying)
        self.forms, self.example_forms = [tuple([forms[place] for place in places]) for places in self.places]
        self.code = recorded.code(tuple(self.varies.tolist()), totals=reduce != "each")
        does_vary = self.code.output_varies
        self.outputs_that_vary = slice(None) if does_vary.all() else np.flatnonzero(does_vary)
        self.other_outputs = np.flatnonzero(~does_vary)

    def filled(self, arguments: Sequence[Any]) -> tuple[Row, list[Rows]] | None:
        """The numbers of arguments as `run` takes them, if it is seen at once that they have these forms; or None."""
        if len(arguments) != len(self.recorded.call.positional):
            return None
        uniform, examples = [tuple([arguments[place] for place in places]) for places in self.places]
        parts = list(map(_rows_of, self.example_forms, examples))
        count = len(parts[0]) if parts and parts[0] is not None else 0
        rows = [part for part in parts if part is not None and len(part) == count]
        numbers = np.empty(len(self.varies) - np.count_nonzero(self.varies))
        if not count or len(rows) != len(parts) or not selection.running().filled(self.forms, uniform, numbers):
            return None
        return numbers, rows

    def run(self, uniform: Row, parts: list[Rows]) -> Any:
        """The results.

        Args:
            uniform: the numbers of the arguments that are the same for all examples.
            parts: those of the others, with a row for each example.
        """
        results = self._outputs(uniform, parts)
        if not np.isfinite(results).all():
            each = results if self.reduce == "each" else self._each(uniform, parts)
            numbers = np.empty(len(self.varies))
            numbers[~self.varies] = uniform
            for example in _not_finite(each):
                numbers[self.varies] = np.concatenate([part[example] for part in parts])
                own, _ = self.recorded.call.rebuilt(map(Value, numbers.tolist()))
                self.function(*own)  # whose error says what happened
        if self.reduce == "each":
            return rebuilt_from_rows(self.recorded.form, results)
        return self.recorded.rebuild(results[0])

    def _each(self, uniform: Row, parts: list[Rows]) -> Rows:
        """The outputs for each example."""
        return Batch(self.function, self.recorded, self.places[1], "each")._outputs(uniform, parts)

    def _outputs(self, uniform: Row, parts: list[Rows]) -> Rows:
        """The outputs of the program: a row for each example, or one row."""
        code, count = self.code, len(parts[0])
        inputs = self.recorded.inputs(uniform)
        outputs = np.empty((count if self.reduce == "each" else 1, len(code.outputs)))
        does_vary = len(self.other_outputs) < len(code.outputs)
        runners = self.recorded.runners(code, count if does_vary else 0)
        runner = runners.take()
        if does_vary:
            runner.batch(inputs, parts, None, outputs)
        else:
            runner.call(inputs, outputs[0])
            outputs[:] = outputs[0]
        runners.give_back(runner)
        if self.reduce == "mean":
            outputs[0, self.outputs_that_vary] /= count if does_vary else 1
        elif self.reduce == "sum":
            outputs[0, self.other_outputs] *= count
        return outputs


def batch_of(
    function: Callable[..., Any],
    record: Callable[[CallForm], Recorded],
    arguments: Sequence[Any],
    static: Collection[int],
    varying: Collection[int],
    reduce: str,
) -> tuple[Batch, Row, list[Rows]]:
    """How a function is run for some examples, and the numbers of these, as `Batch.run` takes them.

    Args:
        function: the function.
        record: gives what was recorded of it for arguments of some form.
        arguments: its arguments.
        static: the numbers of those that are part of the form.
        varying: the numbers of those that hold examples.
        reduce: what to give: "mean", "sum" or "each".
    """
    forms: list[Form] = []
    uniform = [np.empty(0)]
    parts: list[Rows] = []
    for place, argument in enumerate(arguments):
        if place in static:
            form: Form = Fixed(type(argument), argument)
        elif place in varying:
            form, rows = examples_of(argument, f"argument {place}")
            parts += rows
        else:
            form, numbers = plain_form_of(argument, f"argument {place}")
            uniform.append(numbers)
        forms.append(form)
    counts = {len(part) for part in parts}
    if len(counts) != 1 or not all(counts):
        raise ValueError(
            f"a batch needs as many examples in each argument of over={sorted(varying)}, and at least one; got "
            f"{sorted(counts) or 'none'}"
        )
    return Batch(function, record(CallForm(tuple(forms))), varying, reduce), np.concatenate(uniform), parts


def _not_finite(rows: Rows) -> list[int]:
    """Some examples whose results are not finite; first those with a result that is nan."""
    is_nan, is_infinite = np.isnan(rows).any(axis=1), np.isinf(rows).any(axis=1)
    return [*np.flatnonzero(is_nan).tolist(), *np.flatnonzero(is_infinite & ~is_nan).tolist()][:LOOKED_AT]


def _rows_of(form: Form, examples: Any) -> Rows | None:
    """The numbers of examples of a form as rows, if they are an array of float64; else None."""
    if type(examples) is not np.ndarray or examples.dtype != np.float64 or not examples.flags.c_contiguous:
        return None
    shape = () if form is NUMBER else form.shape if isinstance(form, Array) else None
    return examples.reshape(len(examples), -1) if examples.ndim and examples.shape[1:] == shape else None


def plain_form_of(argument: Any, name: str) -> tuple[Form, Row]:
    """The form of an argument that is the same for every example, and its numbers.

    Raises:
        TypeError: if it is none, or holds a Value.
    """
    numbers: list[Leaf] = []
    form = form_of(argument, numbers)
    if has_value(numbers):
        raise _value_refusal(name)
    return form, flat(numbers)


def examples_of(argument: Any, name: str) -> tuple[Form, list[Rows]]:
    """The form of one example, and the numbers of all of them: arrays with a row for each example.

    Args:
        argument: an array or a list with an entry for each example; or a tuple or a dict of such.
        name: what to call it in a message.

    Raises:
        TypeError: if it is something else, or if examples have not the same form.
    """
    if isinstance(argument, Mapping):
        pairs = [examples_of(part, name) for part in argument.values()]
        keys = tuple(argument)
    elif isinstance(argument, tuple):
        pairs, keys = [examples_of(part, name) for part in argument], None
    elif isinstance(argument, np.ndarray) and argument.ndim and not holds_value([argument]):
        array = as_floats(argument)
        form: Form = NUMBER if array.ndim == 1 else Array(array.shape[1:])
        return form, [array.reshape(len(array), size_of(form))]
    elif isinstance(argument, list):
        return _listed(argument, name)
    else:
        raise _value_refusal(name) if holds_value([argument]) else _refusal(argument, name)
    return Nested(type(argument), keys, tuple([form for form, _ in pairs])), [row for _, rows in pairs for row in rows]


def _listed(examples: list[Any], name: str) -> tuple[Form, list[Rows]]:
    """The same of a list of examples."""
    form: Form = NUMBER
    rows: list[Row] = []
    for place, example in enumerate(examples):
        numbers: list[Leaf] = []
        found = form_of(example, numbers)
        if has_value(numbers):
            raise _value_refusal(name)
        if place and found != form:
            raise TypeError(f"the examples of {name} have not the same form: see numbers 0 and {place}")
        form = found
        rows.append(flat(numbers))
    if isinstance(form, Fixed):
        raise _refusal(examples, name)
    return form, [np.array(rows, np.float64).reshape(len(rows), size_of(form))]


def _refusal(argument: Any, name: str) -> TypeError:
    return TypeError(
        f"{name} must be an array or a list with an entry for each example, or a tuple or a dict of such, got "
        f"{shortened(argument)} of type {type(argument).__name__}"
    )


def _value_refusal(name: str) -> TypeError:
    return TypeError(
        f"{name} holds a Value, but many examples, or many calls, are run without a graph: pass plain numbers "
        f"(v.data); for gradients, compile the function that grad or value_and_grad gives"
    )
