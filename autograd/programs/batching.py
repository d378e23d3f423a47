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
    rebuilt_from,
    rebuilt_from_rows,
    size_of,
)
from autograd.programs.recorded import Recorded
from autograd.saving import shortened
from autograd.value import Value

LOOKED_AT = 10  # examples that are computed again one by one, where a result is not finite


def batch(
    function: Callable[..., Any],
    record: Callable[[CallForm], Recorded],
    arguments: Sequence[Any],
    static: Collection[int],
    varying: Collection[int],
    reduce: str,
) -> Any:
    """The results of a function for many examples: see `Compiled.batch`.

    Args:
        function: the function.
        record: gives what was recorded of it for arguments of some form.
        arguments: its arguments.
        static: the numbers of those that are part of the form.
        varying: the numbers of those that hold examples.
        reduce: "mean", "sum" or "each".
    """
    forms: list[Form] = []
    pieces: list[Row | Rows] = []  # the numbers of the arguments, in order: for all examples, or a row for each
    varies: list[bool] = []
    for place, argument in enumerate(arguments):
        if place in static:
            forms.append(Fixed(type(argument), argument))
        elif place in varying:
            form, rows = examples_of(argument, f"argument {place}")
            forms.append(form)
            pieces += rows
        else:
            form, numbers = plain_form_of(argument, f"argument {place}")
            forms.append(form)
            pieces.append(numbers)
        varies += [place in varying] * size_of(forms[-1])
    parts = [piece for piece in pieces if piece.ndim == 2]
    counts = {len(part) for part in parts}
    if len(counts) != 1 or not all(counts):
        raise ValueError(
            f"a batch needs as many examples in each argument of over={sorted(varying)}, and at least one; got "
            f"{sorted(counts) or 'none'}"
        )
    (count,) = counts
    recorded = record(CallForm(tuple(forms)))
    uniform = recorded.inputs(np.concatenate([np.empty(0), *[piece for piece in pieces if piece.ndim == 1]]))
    results = _run(recorded, tuple(varies), uniform, parts, count, reduce)
    if not np.isfinite(results).all():
        each = _run(recorded, tuple(varies), uniform, parts, count, "each")
        for example in _not_finite(each):
            numbers = np.concatenate([piece[example] if piece.ndim == 2 else piece for piece in pieces])
            own, _ = CallForm(tuple(forms)).rebuilt(map(Value, numbers.tolist()))
            function(*own)  # whose error says what happened
    return rebuilt_from_rows(recorded.form, results) if reduce == "each" else rebuilt_from(recorded.form, results[0])


def _run(
    recorded: Recorded, varies: tuple[bool, ...], uniform: Row, parts: list[Rows], count: int, reduce: str
) -> Rows:
    """The outputs of a program: a row for each example, or one row."""
    code = recorded.code(varies, totals=reduce != "each")
    outputs = np.empty((count if reduce == "each" else 1, len(code.outputs)))
    if not code.output_varies.any():  # no example matters
        runners = recorded.runners(code)
        runner = runners.take()
        runner.call(uniform, outputs[0])
        runners.give_back(runner)
        outputs[:] = outputs[0]
        return outputs * count if reduce == "sum" else outputs
    runners = recorded.runners(code, count)
    runner = runners.take()
    runner.batch(uniform, parts, None, outputs)
    runners.give_back(runner)
    if reduce == "mean":
        outputs[0, code.output_varies] /= count
    elif reduce == "sum":
        outputs[0, ~code.output_varies] *= count
    return outputs


def _not_finite(rows: Rows) -> list[int]:
    """Some examples whose results are not finite; first those with a result that is nan."""
    is_nan, is_infinite = np.isnan(rows).any(axis=1), np.isinf(rows).any(axis=1)
    return [*np.flatnonzero(is_nan).tolist(), *np.flatnonzero(is_infinite & ~is_nan).tolist()][:LOOKED_AT]


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
    elif isinstance(argument, np.ndarray) and argument.ndim and not _holds_values(argument):
        array = as_floats(argument)
        form: Form = NUMBER if array.ndim == 1 else Array(array.shape[1:])
        return form, [array.reshape(len(array), size_of(form))]
    elif isinstance(argument, list):
        return _listed(argument, name)
    else:
        raise _value_refusal(name) if _holds_values(argument) else _refusal(argument, name)
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


def _holds_values(argument: Any) -> bool:
    if isinstance(argument, np.ndarray):
        return argument.dtype == object and has_value(argument.ravel().tolist())
    return isinstance(argument, Value)


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
