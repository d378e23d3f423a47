"""`Value`: a node of a computation graph.

>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> c = (a * b + a**2).tanh()
>>> c.backward()                            # one backward pass computes every gradient
>>> a.grad == (1 - c.data**2) * (b.data + 2 * a.data)
True

A node keeps the primitive that made it, its parents in the order of the operands, and the numbers that they held at
that moment. A gradient therefore belongs to the forward pass that happened, whatever is assigned to `data` later.

This module is run as plain Python, or compiled with the types of `value.pxd`; `native/runtime` holds the differences.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Any

from autograd import primitives
from autograd.floats import as_float
from autograd.hooks import hooks
from autograd.introspection import ConstructorSignature, label_refusal, refusal
from autograd.modes import is_recording, note_source, trace, tracers, watchers
from autograd.native import runtime
from autograd.primitives import (
    Primitive,
    absolute,
    add,
    divide,
    multiply,
    negate,
    power,
    relu,
    remainder,
    subtract,
)

__all__ = ["Value", "Constant", "Parameter"]


class Value:
    """A scalar in a computation graph. One that the user makes is a *variable*: a leaf that receives a gradient.

    Two Values are equal only if they are the same node, and every Value is true, whatever its number.

    Args:
        data: the number, held as a float64.
        label: a name for drawings, explanations and error messages; it may be assigned at any time.

    Raises:
        TypeError: if `data` is not a real number, or `label` is not a string.
    """

    __slots__ = ("_data", "_grad", "_has_grad", "_label", "_primitive", "_left", "_right", "_x", "_y")

    __signature__ = ConstructorSignature()
    _data: float
    _grad: float  # 0.0 while it is not known
    _has_grad: bool
    _label: str | None
    _primitive: Primitive | None  # None: a leaf
    _left: Value  # the operands of an inner node, and the numbers that they held when it was computed
    _right: Value | None
    _x: float
    _y: float

    if TYPE_CHECKING:

        def __init__(self, data: float, label: str | None = None) -> None: ...
    else:

        def __init__(self, data=..., label=None, _children=None, _op=None, children=None, op=None):
            if isinstance(data, Value):
                raise TypeError(f"{data!r} is a Value already: use it as it is, or make a new leaf with Value(v.data)")
            is_refused = _children is not None or _op is not None or children is not None or op is not None
            if is_refused or data is ... or (label is not None and not isinstance(label, str)):
                others = {"_children": _children, "_op": _op, "children": children, "op": op}
                raise refusal(type(self).__name__, data, label, others)
            self._data, self._grad, self._has_grad = as_float(data), 0.0, False
            self._label, self._primitive = label, None

    @property
    def data(self) -> float:
        """The number. A leaf may be given another one; the graphs that it is part of keep what it was."""
        if tracers:
            hooks.refuse(self, "read or compare a number")
        return self._data

    @data.setter
    def data(self, number: float) -> None:
        if tracers:
            hooks.refuse(self, "assign a number")
        if self._primitive is not None:
            raise AttributeError(
                f"cannot assign data to {_described(self)}: it was computed by {self._primitive.name}; "
                f"assign to the leaves that it was computed from and compute it again, or make a new Value"
            )
        self._data = as_float(number)

    @property
    def grad(self) -> float:
        """The derivative of the output of the last `backward()` with respect to this node; 0.0 before one."""
        if tracers:
            hooks.refuse(self, "read a grad")
        return self._grad

    @grad.setter
    def grad(self, number: float | None) -> None:
        if tracers:
            hooks.refuse(self, "assign a grad")
        self._grad = 0.0 if number is None else as_float(number)
        self._has_grad = number is not None

    @property
    def has_grad(self) -> bool:
        """Whether the gradient is known: by a `backward()` or an assignment. Assigning None forgets it."""
        return self._has_grad

    @property
    def label(self) -> str | None:
        """A name for drawings, explanations and error messages: a string, or None. It may be assigned at any time."""
        return self._label

    @label.setter
    def label(self, name: str | None) -> None:
        if name is not None and not isinstance(name, str):
            raise label_refusal(name)
        self._label = name

    @property
    def primitive(self) -> Primitive | None:
        """The primitive that made this node; None for a leaf."""
        return self._primitive

    @property
    def parents(self) -> tuple[Value, ...]:
        """The nodes that this one was computed from, in the order of the operands, repeats kept."""
        if self._primitive is None:
            return ()
        if self._right is None:
            return (self._left,)
        return (self._left, self._right)

    @property
    def operands(self) -> tuple[float, ...]:
        """The numbers that the parents held when this node was computed."""
        if self._primitive is None:
            return ()
        if self._right is None:
            return (self._x,)
        return (self._x, self._y)

    @property
    def slopes(self) -> tuple[float, ...]:
        """The partial derivative of this node with respect to each parent, at the numbers of its forward pass."""
        return () if self._primitive is None else self._primitive.local_slopes(self._data, *self.operands)

    def backward(self) -> None:
        """Compute the gradient of this node with respect to every node that it depends on, into their `grad`.

        Leaves add it to the gradient they hold, as in PyTorch (so set that to 0 between rounds of training). The
        gradients of the other nodes are replaced. A constant gets none. All gradients are written at the end, or none
        if a rule raises or an interrupt arrives. Threads may do this at once, and rules may call it.

        Raises:
            RuntimeError: if this node is a constant, which depends on nothing.
        """
        if isinstance(self, Constant):
            raise RuntimeError(
                f"cannot run backward from the constant {_described(self)}: it records no operation, since it is a "
                f"plain number, was detached, or was computed under no_grad()"
            )
        if tracers:
            hooks.refuse(self, "run backward")
        hooks.backward(self)

    def propagate(self) -> None:
        """Hand this node's gradient to its parents, once: add it, times the slope of each, to the gradient of each.

        This is one step of a backward pass by hand. To make all of them, set the gradient of the output to 1 and call
        this for each node in reverse topological order. Nothing is handed to a constant, by a leaf, or by a node whose
        gradient is not known. Each call adds again; `backward()` starts afresh.
        """
        if self._has_grad and self._primitive is not primitives.stop_gradient:
            for parent, slope in zip(self.parents, self.slopes, strict=True):
                if not isinstance(parent, Constant):
                    parent.grad += self._grad * slope

    # The names that micrograd gives to these: programs written for it walk and draw graphs by `_prev` and `_op`, and
    # call `_backward()` by hand.

    @property
    def _prev(self) -> tuple[Value, ...]:
        return self.parents

    @property
    def _op(self) -> str:
        return "" if self._primitive is None else self._primitive.symbol

    @property
    def _backward(self) -> Callable[[], None]:
        return self.propagate

    def detach(self) -> Value:
        """A constant of the same number and label: gradients do not flow through it.

        In a function that is compiled, it is a node of the primitive `stop_gradient`, since its number changes.
        """
        return self.stop_gradient() if tracers and trace.get() else Constant(self._data, self._label)

    # fmt: off
    # Operators. The other operand may be a number, or an array that maps over it.

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Value | float) -> Value:
        """What calling a primitive with a Value does: see `apply` in `nodes.py`."""
        return hooks.apply(primitive, *operands)
    def __add__(self, other: Any) -> Value: return _binary(add, self, other)
    def __radd__(self, other: Any) -> Value: return _binary(add, other, self)
    def __sub__(self, other: Any) -> Value: return _binary(subtract, self, other)
    def __rsub__(self, other: Any) -> Value: return _binary(subtract, other, self)
    def __mul__(self, other: Any) -> Value: return _binary(multiply, self, other)
    def __rmul__(self, other: Any) -> Value: return _binary(multiply, other, self)
    def __truediv__(self, other: Any) -> Value: return _binary(divide, self, other)
    def __rtruediv__(self, other: Any) -> Value: return _binary(divide, other, self)
    def __pow__(self, other: Any) -> Value: return _binary(power, self, other)
    def __rpow__(self, other: Any) -> Value: return _binary(power, other, self)
    def __mod__(self, other: Any) -> Value: return _binary(remainder, self, other)
    def __rmod__(self, other: Any) -> Value: return _binary(remainder, other, self)
    def __neg__(self) -> Value: return _unary(negate, self)
    def __pos__(self) -> Value: return self
    def __abs__(self) -> Value: return _unary(absolute, self)

    # Functions: a method for each primitive of the table.

    def exp(self) -> Value: """The exponential function."""; return _unary(primitives.exp, self)
    def expm1(self) -> Value: """exp(x) - 1, exact near 0 too."""; return _unary(primitives.expm1, self)
    def log(self) -> Value: """The natural logarithm."""; return _unary(primitives.log, self)
    def log1p(self) -> Value: """log(1 + x), exact near 0 too."""; return _unary(primitives.log1p, self)
    def exp2(self) -> Value: """2 to the power of the number."""; return _unary(primitives.exp2, self)
    def log2(self) -> Value: """The logarithm to base 2."""; return _unary(primitives.log2, self)
    def log10(self) -> Value: """The logarithm to base 10."""; return _unary(primitives.log10, self)
    def sqrt(self) -> Value: """The square root."""; return _unary(primitives.sqrt, self)
    def sin(self) -> Value: """The sine of an angle in radians."""; return _unary(primitives.sin, self)
    def cos(self) -> Value: """The cosine of an angle in radians."""; return _unary(primitives.cos, self)
    def tan(self) -> Value: """The tangent of an angle in radians."""; return _unary(primitives.tan, self)
    def asin(self) -> Value: """The arc sine, in radians."""; return _unary(primitives.asin, self)
    def acos(self) -> Value: """The arc cosine, in radians."""; return _unary(primitives.acos, self)
    def atan(self) -> Value: """The arc tangent, in radians."""; return _unary(primitives.atan, self)
    def atan2(self, x: Value | float) -> Value:
        """The angle in radians, between -π and π, of the point (x, y) with this value as y."""
        return _function(primitives.atan2, self, x)
    def sinh(self) -> Value: """The hyperbolic sine."""; return _unary(primitives.sinh, self)
    def cosh(self) -> Value: """The hyperbolic cosine."""; return _unary(primitives.cosh, self)
    def tanh(self) -> Value: """The hyperbolic tangent."""; return _unary(primitives.tanh, self)
    def asinh(self) -> Value: """The inverse of sinh."""; return _unary(primitives.asinh, self)
    def acosh(self) -> Value: """The inverse of cosh for x ≥ 1."""; return _unary(primitives.acosh, self)
    def atanh(self) -> Value: """The inverse of tanh for -1 < x < 1."""; return _unary(primitives.atanh, self)
    def sigmoid(self) -> Value: """The logistic function 1 / (1 + exp(-x))."""; return _unary(primitives.sigmoid, self)
    def relu(self) -> Value: """The positive part: x if x > 0, else 0."""; return _unary(relu, self)
    def leaky_relu(self, negative_slope: Value | float = 0.01) -> Value:
        """Positive numbers unchanged, others times `negative_slope`, which may itself be a Value that learns."""
        return _function(primitives.leaky_relu, self, negative_slope)
    def softplus(self) -> Value: """log(1 + exp(x)), a smooth relu."""; return _unary(primitives.softplus, self)
    def gelu(self) -> Value:
        """The number times the standard normal distribution function at it (exact, not the tanh form)."""
        return _unary(primitives.gelu, self)
    def silu(self) -> Value: """The number times its sigmoid."""; return _unary(primitives.silu, self)
    def erf(self) -> Value: """The error function."""; return _unary(primitives.erf, self)
    def erfc(self) -> Value: """1 - erf(x), exact for large x too."""; return _unary(primitives.erfc, self)
    def hypot(self, other: Value | float) -> Value:
        """The length of the hypotenuse over two sides, sqrt(x² + y²) without overflow on the way."""
        return _function(primitives.hypot, self, other)
    def maximum(self, other: Value | float) -> Value:
        """The larger of two numbers; nan if either is."""
        return _function(primitives.maximum, self, other)
    def minimum(self, other: Value | float) -> Value:
        """The smaller of two numbers; nan if either is."""
        return _function(primitives.minimum, self, other)
    def clip(self, low: Value | float, high: Value | float, out: None = None) -> Value:
        """The number, or the bound that it lies beyond; at a bound the gradient goes to the number, as in PyTorch.

        Args:
            low, high: the bounds.
            out: np.clip(v, low, high) gives None here; nothing else is possible.

        Raises:
            ValueError: if `low` is greater than `high`.
        """
        if not (tracers and trace.get()) and low > high:
            raise ValueError(f"clip needs a low bound that is not above the high one, got {low!r} and {high!r}")
        at_most = primitives.where(primitives.greater(self, high), high, self)
        return primitives.where(primitives.greater(low, self), low, at_most)
    def fmod(self, other: Value | float) -> Value:
        """The remainder of a division that has the sign of the dividend; that of `%` has the sign of the divisor."""
        size = abs(other)
        return primitives.where(primitives.greater(0.0, self), -(-self % size), self % size)
    def sign(self) -> Value: """-1, 0 or 1."""; return _unary(primitives.sign, self)
    def floor(self) -> Value: """The largest integer ≤ x."""; return _unary(primitives.floor, self)
    def stop_gradient(self) -> Value: """x, for gradients a constant."""; return _unary(primitives.stop_gradient, self)
    def ceil(self) -> Value: """The smallest integer ≥ x."""; return _unary(primitives.ceil, self)

    # Comparing and copying. Two Values are equal only if they are the same node.

    __hash__ = object.__hash__
    def __lt__(self, other: Any) -> Any: return self.data < (other.data if isinstance(other, Value) else other)
    def __le__(self, other: Any) -> Any: return self.data <= (other.data if isinstance(other, Value) else other)
    def __gt__(self, other: Any) -> Any: return self.data > (other.data if isinstance(other, Value) else other)
    def __ge__(self, other: Any) -> Any: return self.data >= (other.data if isinstance(other, Value) else other)
    def __eq__(self, other: object) -> Any:
        return self is other or ((isinstance(other, Value) or self.data is not None) and NotImplemented)
    def __bool__(self) -> bool: return self.data is not None  # reading the number may be refused
    def __reduce__(self) -> Any: return hooks.reduce(self)
    def __copy__(self) -> Value: return hooks.shallow_copy(self)
    def __deepcopy__(self, memo: dict[int, Any]) -> Value: return hooks.deep_copy(self, memo)

    # Converting to a number: refused.

    def __float__(self) -> float: raise hooks.plain_refusal(self, "float")
    def __int__(self) -> int: raise hooks.plain_refusal(self, "int")

    # fmt: on

    __floor__, __ceil__ = floor, ceil  # math.floor(v), np.floor(v)
    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2  # the names that NumPy looks for in arrays of Values
    arcsinh, arccosh, arctanh = asinh, acosh, atanh

    def __array_ufunc__(self, function: Any, method: str, *arguments: Any, **settings: Any) -> Any:
        return hooks.array_function(function, method, arguments, settings)

    # Being shown.

    def __format__(self, specification: str) -> str:
        return format(self.data, specification) if specification else repr(self)

    def __repr__(self) -> str:
        name = "Value" if self._primitive is not None else type(self).__name__
        grad = f", grad={self._grad!r}" if self._has_grad else ""
        label = f", label={self._label!r}" if self._label is not None else ""
        return f"{name}({self._data!r}{grad}{label})"

    def _repr_html_(self) -> str | None:
        """The picture of the graph for a notebook, or None where there can be none (the text is shown then)."""
        try:
            return hooks.display(self)
        except Exception:  # an exception in a display would fail the whole notebook
            return None


class Constant(Value):
    """A leaf that no gradient is wanted for: a number that an operator wrapped, or a result cut from its graph."""

    __slots__ = ()


class Parameter(Value):
    """A leaf that a module owns and that training changes."""

    __slots__ = ()


class _WideValue(Value):
    """A node of more than two operands, or of any number of them."""

    __slots__ = ("_parents", "_operands")

    _parents: tuple[Value, ...]
    _operands: tuple[float, ...]

    @property
    def parents(self) -> tuple[Value, ...]:
        return () if self._primitive is None else self._parents

    @property
    def operands(self) -> tuple[float, ...]:
        return () if self._primitive is None else self._operands


runtime.allocate((Value, Constant, Parameter, _WideValue))


def is_constant(node: Value) -> bool:
    """Whether a node is a constant, of a subclass too: no gradient is wanted for it."""
    return isinstance(node, Constant)


def _constant(number: Any) -> Constant:
    node = Constant.__new__(Constant)
    node._data, node._grad, node._has_grad, node._label, node._primitive = as_float(number), 0.0, False, None, None
    return node


def _unary(primitive: Primitive, operand: Any) -> Value:
    parent = operand if isinstance(operand, Value) else _constant(operand)
    x = parent._data
    data = runtime.value_of_one(primitive, x)
    if not math.isfinite(data):
        data = hooks.value_or_limit(primitive, (parent,))
    node = Value.__new__(Value)
    node._data, node._grad, node._has_grad, node._label, node._primitive = data, 0.0, False, None, primitive
    node._left, node._right, node._x = parent, None, x
    return _watched(node) if watchers else node


def _binary(primitive: Primitive, left_operand: Any, right_operand: Any) -> Value:
    left = left_operand if isinstance(left_operand, Value) else _constant_or_none(left_operand)
    right = right_operand if isinstance(right_operand, Value) else _constant_or_none(right_operand)
    if left is None or right is None:
        return NotImplemented  # type: ignore[no-any-return]  # Python then asks the other operand
    x, y = left._data, right._data
    data = runtime.value_of_two(primitive, x, y)
    if not math.isfinite(data):
        data = hooks.value_or_limit(primitive, (left, right))
    node = Value.__new__(Value)
    node._data, node._grad, node._has_grad, node._label, node._primitive = data, 0.0, False, None, primitive
    node._left, node._right, node._x, node._y = left, right, x, y
    return _watched(node) if watchers else node


def _function(primitive: Primitive, left: Any, right: Any) -> Value:
    """A primitive of two operands as a function; over an array, element by element."""
    result = _binary(primitive, left, right)
    return hooks.over_array(primitive, left, right) if result is NotImplemented else result


def _constant_or_none(operand: Any) -> Constant | None:
    """The other side of an operator as a constant; None if it has operators of its own, as an array has."""
    kind = type(operand)
    if kind is float or kind is int or isinstance(operand, Real | complex) or not hasattr(operand, "__radd__"):
        return _constant(operand)
    return None


def _described(node: Value) -> str:
    return f"{node._data!r}" if node._label is None else f"{node._data!r} (node {node._label!r:.80})"


def _watched(node: Value) -> Value:
    """Apply the modes in force to a new node."""
    if not is_recording.get():
        return node if node._primitive is primitives.stop_gradient else node.detach()
    note = note_source.get()
    if note is not None:
        note(node)
    return node
