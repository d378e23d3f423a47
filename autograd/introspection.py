"""What `inspect`, `help` and errors say of the engine's classes, the same in both engines.

Python and Cython word their own messages differently. So the constructor of a `Value` takes what those of other engines
for scalars take, and a `refusal` says what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any


class Documentation:
    """The attribute `__doc__` of primitives: of the class its own text, of a primitive what it computes."""

    of_primitive: Callable[[Any], str]  # registered by the module that writes formulas

    def __init__(self, text: str | None) -> None:
        self.text = text

    def __get__(self, primitive: object, kind: type) -> str | None:
        return self.text if primitive is None else type(self).of_primitive(primitive)


class ConstructorSignature:
    """The attribute `__signature__` of `Value`, which `inspect.signature` reads; a subclass may have its own."""

    def __get__(self, instance: object, kind: type) -> Signature:
        stated = next(base for base in kind.__mro__ if vars(base).get("__signature__") is self)
        if kind.__init__ is not stated.__init__:  # type: ignore[misc]  # only compared
            raise AttributeError("__signature__")
        data = Parameter("data", Parameter.POSITIONAL_OR_KEYWORD, annotation="float")
        label = Parameter("label", Parameter.POSITIONAL_OR_KEYWORD, annotation="str | None", default=None)
        return Signature([data, label])


def label_refusal(label: Any) -> TypeError:
    """The error for a label that is neither a string nor None."""
    return TypeError(
        f"expected a string or None as label, got {label!r:.80} of type {type(label).__name__}; use str(…)"
    )


def refusal(kind: str, data: Any, label: Any, others: Mapping[str, Any]) -> TypeError:
    """The error for arguments that are not a number and a label.

    Args:
        kind: the name of the class.
        data: what was given as the number; an ellipsis for nothing.
        label: what was given as the label.
        others: further arguments by name; None for those that were not given.
    """
    others = {name: argument for name, argument in others.items() if argument is not None}
    if data is not ... and not others and not isinstance(label, tuple | list | set | frozenset):
        return label_refusal(label)
    given = {"data": None if data is ... else data, "label": label, **others}
    written = ", ".join(f"{name}={argument!r:.80}" for name, argument in given.items() if argument is not None)
    return TypeError(
        f"expected Value(data, label), a number and an optional string, got {kind}({written}). Operators and methods "
        f"record parents and operation by themselves: make a function of your own an operation with @primitive, and "
        f"let the __init__ of a subclass call super().__init__(data)"
    )
