"""Nodes with slopes that a program gives as numbers, and what else programs in the style of micrograd give to `Value`.

>>> from autograd import Value, explain
>>> x = Value(0.5, label="x")
>>> y = Value(x.data**2, (x,), (2 * x.data,))
>>> y.backward()
>>> x.grad
1.0
>>> print(explain(y, x))
∂output/∂x = given slope = 1

Such programs write `Value(data, children, local_grads)`, also by these names. Empty parents and the name of an
operation without parents mean nothing. Parents without slopes are refused, since there is nothing to multiply by.

A given slope is a number, which says nothing about how it changes. So it has no derivative of its own, and the node is
not computed again: recorded derivatives of it, and programs with it, are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NoReturn

from autograd.floats import as_float
from autograd.modes import is_recording, is_recording_program, note_source, watchers
from autograd.primitives import Primitive
from autograd.value import Constant, Parameter, Value, label_refusal, recording_of

REMEDY = "make the function an operation with @primitive, whose slopes are rules rather than numbers"
CONTAINERS = list, tuple, set, frozenset
Given = tuple["GivenSlopes", tuple[Value, ...], tuple[float, ...]]  # the primitive, the parents, and their numbers


class GivenSlope:
    """The rule of a slope that is a number."""

    def __init__(self, number: float) -> None:
        self.number = number

    def __call__(self, out: Any, *operands: Any) -> float:
        """Return the number; a TypeError where the slope is to be differentiated again."""
        if isinstance(out, Value):
            raise TypeError(f"the derivatives of a slope that was given as {self.number!r} are not known: {REMEDY}")
        return self.number


class GivenSlopes(Primitive):
    """The primitive of one node whose slopes were given as numbers."""

    def __init__(self, numbers: Sequence[float]) -> None:
        self.numbers = numbers
        plain, latex = _forms(len(numbers))
        super().__init__("given slopes", _not_computed_again, *map(GivenSlope, numbers), plain=plain, latex=latex)

    def __call__(self, *operands: Any) -> NoReturn:
        """Refuse to compute a node again."""
        _not_computed_again()

    def __reduce__(self) -> Any:
        return GivenSlopes, (self.numbers,)


@cache
def _forms(count: int) -> tuple[str, str]:
    """Return how such a node is written, with so many parents: as templates."""
    operands = ", ".join(["{:0}"] * count)
    return f"given slopes({operands})", rf"\text{{{{given slopes}}}}\left({operands}\right)"


def _not_computed_again(*operands: Any) -> NoReturn:
    raise TypeError(f"a node that was made by Value(data, parents, slopes) cannot be computed again: {REMEDY}")


def constructor_arguments(
    node: Value, data: Any, parents: Any, slopes: Any, operation: Any, label: Any
) -> tuple[str | None, Given | None]:
    """Read the arguments of `Value`, beyond a number and a label.

    Args:
        node: what is being made.
        data: the number; an ellipsis if it is missing.
        parents: a container of Values.
        slopes: a number for each of them; or, as the third argument, the name of an operation, before a label.
        operation: the name of an operation, which says nothing.
        label: the label.

    Returns:
        The label; and what the node is made of if it has parents.

    Raises:
        TypeError: for anything else. The message says what was given and what to do.
        ValueError: if there are not as many slopes as parents.
    """
    original = {"data": data, "parents": parents, "slopes": slopes, "operation": operation, "label": label}
    if isinstance(slopes, str):
        if label is None and isinstance(operation, str):
            label = operation
        slopes, operation = None, slopes
    if not parents and not slopes and data is not ... and (parents is None or isinstance(parents, CONTAINERS)):
        if not isinstance(label, str | None):
            raise label_refusal(label)
        if isinstance(operation, str | None) and (slopes is None or isinstance(slopes, CONTAINERS)):
            return label, None
    is_ordered = isinstance(parents, list | tuple) or (isinstance(parents, CONTAINERS) and len(parents) < 2)
    if data is ... or not is_ordered or not slopes or not isinstance(slopes, list | tuple):
        raise _refusal(type(node).__name__, original)
    return label, _given(node, tuple(parents), tuple([as_float(slope) for slope in slopes]))


def _given(node: Value, parents: tuple[Value, ...], slopes: tuple[float, ...]) -> Given | None:
    """Return what a node with given slopes is made of; None where nothing is recorded."""
    if isinstance(node, Constant | Parameter):
        raise TypeError(f"a {type(node).__name__} is a leaf and has no parents; write Value(data, parents, slopes)")
    if len(parents) != len(slopes):
        raise ValueError(f"a node needs a slope for each parent, got {len(slopes)} for {len(parents)} parents")
    numbers = []
    for parent in parents:
        if not isinstance(parent, Value):
            raise TypeError(f"expected Values as parents, got {parent!r:.80} of type {type(parent).__name__}")
        if is_recording_program() or recording_of(parent):
            raise TypeError(f"a function that is compiled cannot make nodes by Value(data, parents, slopes): {REMEDY}")
        numbers.append(parent.data)
    if watchers:
        if not is_recording.get():
            return None
        note = note_source.get()
        if note is not None:
            note(node)
    return GivenSlopes(slopes), parents, tuple(numbers)


def _refusal(kind: str, given: Mapping[str, Any]) -> TypeError:
    """Return the error for arguments that make no node."""
    written = [f"{name}={it!r:.80}" for name, it in given.items() if it is not None and it is not ...]
    return TypeError(
        f"expected Value(data, label), a number and an optional string, or Value(data, parents, slopes) with a number "
        f"for each parent as its slope, got {kind}({', '.join(written)}). Operators and methods record parents and "
        f"operation by themselves: make a function of your own an operation with @primitive, and let the __init__ of a "
        f"subclass call super().__init__(data)"
    )
