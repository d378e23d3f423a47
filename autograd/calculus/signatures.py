"""What the transformations of functions return, for type checkers: the kind of number that goes in comes out.

A checker knows a float where plain numbers are given, and a Value where one of them is a Value. Within another
transformation numbers are Values whatever a checker says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar, overload

from autograd.value import Value

Floats: TypeAlias = "list[float] | list[int]"
Values: TypeAlias = "list[Value] | list[Value | float]"
NumbersT = TypeVar("NumbersT", bound="list[Any] | tuple[Any, ...] | dict[Any, Any]")  # any other tree of numbers
CotangentsT_contra = TypeVar("CotangentsT_contra", contravariant=True)
GradientT_co = TypeVar("GradientT_co", covariant=True)
FloatsT_co = TypeVar("FloatsT_co", covariant=True)
ValuesT_co = TypeVar("ValuesT_co", covariant=True)
OfFloatsT_co = TypeVar("OfFloatsT_co", covariant=True)
OfValuesT_co = TypeVar("OfValuesT_co", covariant=True)
AnyT_co = TypeVar("AnyT_co", covariant=True)

# Functions by their results, and arguments of functions: plain numbers alone, or Values too.
OfNumber: TypeAlias = "Callable[..., Value | float]"
OfList: TypeAlias = "Callable[..., list[Value] | list[float] | list[Value | float]]"
Plain: TypeAlias = "Sequence[float | Floats]"
Mixed: TypeAlias = "Sequence[Value | float | Values | Floats]"


class Gradient(Protocol):
    """The gradient by the first argument."""

    @overload
    def __call__(self, *arguments: float, **keywords: Any) -> float: ...
    @overload
    def __call__(self, *arguments: Value | float, **keywords: Any) -> Value: ...
    @overload
    def __call__(self, first: Floats, /, *others: Any, **keywords: Any) -> list[float]: ...
    @overload
    def __call__(self, first: Values, /, *others: Any, **keywords: Any) -> list[Value]: ...
    @overload
    def __call__(self, first: NumbersT, /, *others: Any, **keywords: Any) -> NumbersT: ...
    @overload
    def __call__(self, *arguments: Any, **keywords: Any) -> Any: ...


class ValueAndGradient(Protocol):
    """The value, and the gradient by the first argument."""

    @overload
    def __call__(self, *arguments: float, **keywords: Any) -> tuple[float, float]: ...
    @overload
    def __call__(self, *arguments: Value | float, **keywords: Any) -> tuple[Value, Value]: ...
    @overload
    def __call__(self, first: Floats, /, *others: Any, **keywords: Any) -> tuple[float, list[float]]: ...
    @overload
    def __call__(self, first: Values, /, *others: Any, **keywords: Any) -> tuple[Value, list[Value]]: ...
    @overload
    def __call__(self, first: NumbersT, /, *others: Any, **keywords: Any) -> tuple[Any, NumbersT]: ...
    @overload
    def __call__(self, *arguments: Any, **keywords: Any) -> tuple[Any, Any]: ...


class Derivative(Protocol[FloatsT_co, ValuesT_co, OfFloatsT_co, OfValuesT_co, AnyT_co]):
    """A derivative by its results: for numbers, for a list of them, and for anything else."""

    @overload
    def __call__(self, *arguments: float, **keywords: Any) -> FloatsT_co: ...
    @overload
    def __call__(self, *arguments: Value | float, **keywords: Any) -> ValuesT_co: ...
    @overload
    def __call__(self, first: Floats, /, *others: Any, **keywords: Any) -> OfFloatsT_co: ...
    @overload
    def __call__(self, first: Values, /, *others: Any, **keywords: Any) -> OfValuesT_co: ...
    @overload
    def __call__(self, *arguments: Any, **keywords: Any) -> AnyT_co: ...


GradientByOne: TypeAlias = Derivative[float, Value, Any, Any, Any]
GradientBySeveral: TypeAlias = Derivative[
    tuple[float, ...], tuple[Value, ...], tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]
]
Jacobian: TypeAlias = Derivative[list[float], list[Value], list[list[float]], list[list[Value]], Any]
Hessian: TypeAlias = Derivative[float, Value, list[list[float]], list[list[Value]], Any]


class PullBack(Protocol[CotangentsT_contra, GradientT_co]):
    """What pulls gradients of the result of a function back to its arguments."""

    @overload
    def __call__(self, cotangents: CotangentsT_contra, /) -> tuple[GradientT_co, ...]: ...
    @overload
    def __call__(self, cotangents: Any, /) -> tuple[Any, ...]: ...
