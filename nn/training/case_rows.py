"""The cases of a training as one array of numbers, for compiled functions that take a row of it.

>>> cases = CaseRows.of([([0, 1], 0.5), ([2, 3], 1.5)], "cases")
>>> cases.rows.tolist(), cases.rebuilt([10.0, 20.0, 30.0])
([[2.0, 3.0, 1.5], [0.0, 1.0, 0.5]], ([10.0, 20.0], 30.0))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd import Value
from autograd.saving import shortened
from autograd.trees import Structure, flat, flatten, nested
from nn.metrics import Case
from nn.training.cases import PLAIN, is_plain

PARTS = ("inputs", "target")  # of a case
REMEDY = "leave out compiled=True to train with any Python"


class CaseRows(NamedTuple):
    """The numbers of cases of one structure.

    `backward()` adds the gradients of the last case first, a batch those of the first row. So that both round alike,
    the last case stands first.

    Attributes:
        first: the first case, whose structure the others have.
        rows: for each case the numbers of its inputs and of its target.
    """

    first: Case
    rows: NDArray[np.float64]

    @property
    def targets(self) -> NDArray[np.float64]:
        """The columns of the targets."""
        return self.rows[:, self.rows.shape[1] - len(_flat(self.first[1])[1]) :]

    @classmethod
    def of(cls, cases: Sequence[Case], name: str) -> CaseRows:
        """Make the rows of cases.

        Args:
            cases: pairs of inputs and target.
            name: what the messages call them.

        Raises:
            TypeError: if the cases do not all have the same structure, or hold something that is not a number.
        """
        columns = [_rows([case[part] for case in cases], f"the {PARTS[part]} of {name}") for part in range(2)]
        return cls(cases[0], np.concatenate(columns, axis=1))

    def check_like(self, other: CaseRows, name: str, other_name: str) -> None:
        """Raise a TypeError unless these cases have the structure of others."""
        for part, here, there in zip(PARTS, self.first, other.first, strict=True):
            if _flat(here)[0] != _flat(there)[0]:
                raise _other_structure(f"the {part} of {name}[0]", here, f"{other_name}[0]", there)

    def rebuilt(self, numbers: Iterable[Any]) -> Case:
        """Return the inputs and the target of a case around the numbers of a row, or what stands for these."""
        inputs, target = nested(flatten(self.first, Value)[1], list(numbers))
        return inputs, target


def _rows(things: Sequence[Any], name: str) -> NDArray[np.float64]:
    """Return the numbers of things of one structure: a row for each, that of the last one first."""
    if PLAIN.issuperset(map(type, things)):
        return np.array(things[::-1], np.float64)[:, None]
    structure, numbers = _checked(things[0], f"{name}[0]")
    rows = np.empty((len(things), len(numbers)))
    is_list = structure == _flat(numbers)[0]
    for place, thing in enumerate(things):
        if not (is_list and _is_list(thing) and len(thing) == len(numbers)):  # what is left is converted by NumPy
            found, thing = _checked(thing, f"{name}[{place}]")
            if found != structure:
                raise _other_structure(f"{name}[{place}]", things[place], f"{name.rpartition(' ')[2]}[0]", things[0])
        rows[-1 - place] = thing
    return rows


def _checked(thing: Any, name: str) -> tuple[Structure, list[float]]:
    """Return the same as `_flat`; or raise an error that names the thing."""
    try:
        return _flat(thing)
    except TypeError as error:
        raise TypeError(
            f"{name} cannot be recorded: expected numbers, or lists, tuples, dicts and arrays of them, got "
            f"{shortened(thing)}; {REMEDY}"
        ) from error


def _flat(thing: Any) -> tuple[Structure, list[float]]:
    """Return the structure of a thing, in which tuples and arrays of one dimension count as lists, and its numbers."""
    numbers, structure = flat(_with_lists(thing), Value, (str, bool, type(None)))
    return structure, [number.data if isinstance(number, Value) else number for number in numbers]


def _with_lists(thing: Any) -> Any:
    if isinstance(thing, Mapping):
        return {key: _with_lists(part) for key, part in thing.items()}
    if isinstance(thing, list | tuple):
        return [_with_lists(part) for part in thing]
    return thing.tolist() if _is_list(thing) else thing


def _is_list(thing: Any) -> bool:
    """Return whether something is a list, a tuple or an array of one dimension of numbers that NumPy converts."""
    return is_plain(thing) and getattr(thing, "ndim", 1) == 1


def _other_structure(what: str, thing: Any, other: str, other_thing: Any) -> TypeError:
    here, there = flatten(thing, Value)[1], flatten(other_thing, Value)[1]
    return TypeError(
        f"{what} is {here}, and that of {other} {there}: a compiled training records one case and runs all of them by "
        f"its program, so they need the same form; give cases of one form, or {REMEDY}"
    )
