"""The cases of a training as two arrays of numbers, for programs that take a row of each.

>>> arrays = CaseArrays.of([([0, 1], 0.5), ([2, 3], 1.5)], "cases")
>>> arrays.inputs.tolist(), arrays.targets.tolist()
([[2.0, 3.0], [0.0, 1.0]], [[1.5], [0.5]])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd import Value
from autograd.saving import shortened
from autograd.trees import Structure, flatten, numbers_of
from nn.cases import is_plain
from nn.metrics import Case

Numbers: TypeAlias = NDArray[np.float64]

REMEDY = "leave out compiled=True to train with any Python"


class CaseArrays(NamedTuple):
    """The numbers of cases of one form. The rows stand in the reverse order of the cases.

    `backward()` adds the gradients of the last case first, a program those of the first row: so both round alike.

    Attributes:
        input_form: how the numbers of the inputs of a case are nested.
        target_form: likewise for its target.
        inputs: a row of numbers for each case, the last case first.
        targets: likewise.
    """

    input_form: Any
    target_form: Any
    inputs: Numbers
    targets: Numbers

    @classmethod
    def of(cls, cases: Sequence[Case], name: str) -> CaseArrays:
        """The arrays of cases.

        Args:
            cases: pairs of inputs and target.
            name: what the messages call them.

        Raises:
            TypeError: if the cases have not all the same form, or hold what is no number.
        """
        input_form, inputs = _rows([inputs for inputs, _ in cases], "inputs", name)
        target_form, targets = _rows([target for _, target in cases], "target", name)
        return cls(input_form, target_form, inputs, targets)

    def check_like(self, other: CaseArrays, name: str, other_name: str) -> None:
        """Check that these cases have the form of others.

        Raises:
            TypeError: if not.
        """
        for what, here, there in (
            ("inputs", self.input_form, other.input_form),
            ("target", self.target_form, other.target_form),
        ):
            if _shape(here) != _shape(there):
                raise _other_form(f"the {what} of {name}[0]", here, f"{other_name}[0]", there)


def _rows(things: Sequence[Any], what: str, name: str) -> tuple[Any, Numbers]:
    """The form that things share, and their numbers: a row for each, the last one first."""
    form = shape = None
    rows = np.empty((0, 0))
    for place, thing in enumerate(things):
        if shape == ("numbers", _plain_length(thing)):  # the usual case
            rows[-1 - place] = thing
            continue
        try:
            found, numbers = _row(thing)
        except TypeError as error:
            raise TypeError(
                f"the {what} of {name}[{place}] cannot be recorded: expected numbers, or lists, tuples, dicts and "
                f"arrays of them, got {shortened(thing)}; {REMEDY}"
            ) from error
        if place == 0:
            form, shape, rows = found, _shape(found), np.empty((len(things), len(numbers)))
        if _shape(found) != shape:
            raise _other_form(f"the {what} of {name}[{place}]", found, f"{name}[0]", form)
        rows[-1 - place] = numbers
    return form, rows


def _plain_length(thing: Any) -> int | None:
    """How many numbers there are in a list, a tuple or an array that NumPy converts like `as_float`; else None."""
    if type(thing) in (list, tuple) or isinstance(thing, np.ndarray):
        return len(thing) if is_plain(thing) and getattr(thing, "ndim", 1) == 1 else None
    return None


def _row(thing: Any) -> tuple[Structure, list[float]]:
    """The structure of anything, and its numbers."""
    leaves, structure = flatten(thing, Value, (str, bool, type(None)))
    return structure, [number.data if isinstance(number, Value) else number for number in numbers_of(leaves)]


def _shape(form: Any) -> Any:
    """A form without the classes of its lists and arrays."""
    if form.shape or (form.size and not form.parts and form.shape is None):
        return "numbers", *(form.shape or (form.size,))
    return (form.keys, tuple(map(_shape, form.parts))) if form.parts or form.keys else form


def _other_form(what: str, form: Any, other: str, other_form: Any) -> TypeError:
    return TypeError(
        f"{what} is {form}, and that of {other} {other_form}: a compiled training records one "
        f"case and runs all of them by its program, so they need the same form; give cases of one form, or {REMEDY}"
    )
