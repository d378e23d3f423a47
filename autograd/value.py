"""`Value`: a node of a computation graph.

>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> c = (a * b + a**2).tanh()
>>> c.backward()                            # one backward pass computes every gradient
>>> a.grad == (1 - c.data**2) * (b.data + 2 * a.data)
True

A node keeps the primitive that made it, its parents in the order of the operands, and the numbers that they held at
that moment. A gradient therefore belongs to the forward pass that happened, whatever is assigned to `data` later.

This module is run as plain Python, or compiled with the types of `value.pxd`; `native/runtime` holds the differences.
It has more than 500 lines because the class has a method for each operator and each primitive, and whatever makes a
node reads and writes its C fields.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from numbers import Number, Real
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex, cast, overload

from autograd import primitives
from autograd.floats import as_float, as_operand
from autograd.hooks import hooks
from autograd.modes import (
    domain_failures,
    is_recording,
    is_recording_program,
    note_source,
    program_recordings,
    recording_number,
    watchers,
)
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

if TYPE_CHECKING:
    from inspect import Signature

__all__ = ["Value", "Constant", "Parameter", "where"]

NUMBER, MADE_WHILE_RECORDING = 1, 2  # kinds of constants that are part of a program: of an operator; of a function
MICROGRAD_SYMBOLS = {add: "+", subtract: "-", multiply: "*", divide: "/", negate: "neg", remainder: "%", relu: "ReLU"}


class _ConstructorSignature:
    """The attribute `__signature__` of `Value`, which `inspect.signature` reads; a subclass may have its own."""

    def __get__(self, instance: object, kind: type) -> Signature:
        import inspect

        if kind.__init__ is not Value.__init__:  # type: ignore[misc]  # only compared
            raise AttributeError("__signature__")
        data = inspect.Parameter("data", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="float")
        label = inspect.Parameter(
            "label", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="str | None", default=None
        )
        return inspect.Signature([data, label])


class Value:
    """A scalar in a computation graph. `Value(data)` makes a *variable*: a leaf that receives a gradient.

    A Value and a number compare as numbers. Two Values are equal only if they are the same node, and their hash is that
    of the node. Every Value is true, also if its number is 0.

    `Value(data, parents, slopes)`, as in some programs in the style of micrograd, makes a node with given slopes; see
    `autograd.given_slopes`.

    Args:
        data: the number, stored as a float64.
        label: a name for drawings, explanations and error messages, which may be assigned at any time.

    Raises:
        TypeError: if `data` is not a real number, or `label` is not a string.
    """

    __slots__ = (
        "_float", "_grad", "_has_grad", "_is_fixed", "_recording", "_label", "_primitive", "_left", "_right", "_x",
        "_y", "_time",
    )  # fmt: skip

    __signature__ = _ConstructorSignature()
    _float: float  # not `_data`, which NumPy's masked arrays would read
    _grad: float  # 0.0 while it is not known
    _has_grad: bool
    _is_fixed: int  # of a leaf: 0, or the kind of a constant whose number is part of a program
    _recording: int  # of a node whose number is not meant, the number of the recording that it was made in; else 0
    _label: str | None
    _primitive: Primitive | None  # None: a leaf
    _left: Any  # the operands of an inner node, and the numbers that they held when it was computed; None where these
    _right: Value | None  # stand in tuples: of a `_WideValue`, its own, of another node, those of one in `_right`
    _x: float
    _y: float
    _time: int  # what `clock` was when the node was made: no node depends on a later one

    if TYPE_CHECKING:

        @overload
        def __init__(self, data: float, label: str | None = None) -> None: ...
        @overload
        def __init__(
            self, data: float, children: Iterable[Value], local_grads: Sequence[float], *, label: str | None = None
        ) -> None: ...
        def __init__(  # type: ignore[misc]  # the second argument is a label or parents, and is called what it is
            self, data: Any, label: Any = None, local_grads: Any = None, children: Any = None
        ) -> None: ...
    else:

        def __init__(self, data=..., children=None, local_grads=None, op=None, label=None, _children=None, _op=None):
            if isinstance(data, Value):
                raise TypeError(f"{data!r} is a Value already: use it as it is, or make a new leaf with Value(v.data)")
            if children is not None and label is None and isinstance(children, str):  # the second argument is a label
                label, children = children, None
            given = None
            if (
                (children is not None or local_grads is not None or op is not None)
                or (_children is not None or _op is not None or data is ...)
                or (label is not None and not isinstance(label, str))
            ):
                children = _children if children is None else children
                label, given = hooks.constructor_arguments(self, data, children, local_grads, op or _op, label)
            self._float, self._grad, self._has_grad = as_float(data), 0.0, False
            self._label, self._primitive, self._time = label, None, clock
            self._is_fixed = self._recording = 0
            if program_recordings and isinstance(self, Constant) and is_recording_program():
                self._is_fixed = MADE_WHILE_RECORDING
            if given is not None:
                primitive, parents, operands = given
                _attach(self, primitive, parents, operands)

    @property
    def data(self) -> float:
        """The number. It may be assigned to a leaf; graphs that exist keep the number with which they were computed."""
        if program_recordings or self._recording:
            hooks.refuse(self, "branch on a number, compare it or read it")
        return self._float

    @data.setter
    def data(self, number: float) -> None:
        if program_recordings or self._recording:
            hooks.refuse(self, "assign a number")
        if self._primitive is not None:
            raise AttributeError(
                f"cannot assign data to {_described(self)}: it was computed by {self._primitive.name}; "
                f"assign to the leaves that it was computed from and compute it again, or make a new Value"
            )
        if self._is_fixed == MADE_WHILE_RECORDING:
            raise AttributeError(
                f"cannot assign data to {_described(self)}: a function made this constant while it was recorded to be "
                f"compiled, and its program holds the number; make the constant outside of the function, and each call "
                f"reads its number anew"
            )
        self._float = as_float(number)

    @property
    def grad(self) -> float:
        """The derivative of the output of the last `backward()` with respect to this node; 0.0 before one."""
        if program_recordings or self._recording:
            hooks.refuse(self, "read a grad")
        return self._grad

    @grad.setter
    def grad(self, number: float | None) -> None:
        if program_recordings or self._recording:
            hooks.refuse(self, "assign a grad")
        self._grad = 0.0 if number is None else as_float(number)
        self._has_grad = number is not None

    @property
    def has_grad(self) -> bool:
        """Whether the gradient is known: by a `backward()` or an assignment. Assigning None forgets it."""
        return bool(self._has_grad)

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
        return self._right.parents if self._left is None else (self._left, self._right)

    @property
    def operands(self) -> tuple[float, ...]:
        """The numbers that the parents held when this node was computed."""
        if program_recordings or self._recording:
            hooks.refuse(self, "read the operands")
        if self._primitive is None:
            return ()
        if self._right is None:
            return (self._x,)
        return self._right.operands if self._left is None else (self._x, self._y)

    @property
    def slopes(self) -> tuple[float, ...]:
        """The partial derivative of this node with respect to each parent, at the numbers of its forward pass."""
        return () if self._primitive is None else self._primitive.local_slopes(self._float, *self.operands)

    def backward(self) -> None:
        """Compute the gradient of this node with respect to each node on which it depends, and write it to its `grad`.

        In leaves it is added to the gradient that they have, as in PyTorch; set that to 0 between rounds of training.
        In other nodes it replaces the gradient. Constants get none. All gradients are written at the end, or none if a
        rule raises an error or an interrupt arrives. Several threads may call it at once, and so may rules.

        Raises:
            RuntimeError: if this node is a constant, which depends on nothing.
        """
        if isinstance(self, Constant):
            raise RuntimeError(
                f"cannot run backward from the constant {_described(self)}: it records no operation, since it is a "
                f"plain number, was detached, or was computed under no_grad()"
            )
        if program_recordings or self._recording:
            hooks.refuse(self, "run backward")
        hooks.backward(self)

    def propagate(self) -> None:
        """Add the gradient of this node, times the slope of each parent, to the gradient of that parent.

        This is one step of a backward pass by hand. For a whole pass, set the gradient of the output to 1, and call it
        for each node in reverse topological order. Constants get no gradient. A leaf, and a node whose gradient is not
        known, pass nothing on. Each call adds again, while `backward()` starts anew.
        """
        primitive = self._primitive
        if self._has_grad and primitive is not None and primitive is not primitives.stop_gradient:
            for index, (parent, slope) in enumerate(zip(self.parents, self.slopes, strict=True)):
                if not isinstance(parent, Constant):
                    part = self._grad * slope
                    is_nan = part != part
                    parent.grad += primitive.guard(index)(self._grad, slope) if is_nan else part

    # The names that micrograd and its descendants give to these: programs written for them walk and draw graphs by
    # `_prev` and `_op`, and go backward by `_backward()`, or by `_children` and `_local_grads`.

    @property
    def _prev(self) -> tuple[Value, ...]:
        return self.parents

    @property
    def _children(self) -> tuple[Value, ...]:
        return self.parents

    @property
    def _local_grads(self) -> tuple[float, ...]:
        return self.slopes

    @property
    def _op(self) -> str:
        primitive = self._primitive
        if primitive is power:
            return f"**{self._y!r}".removesuffix(".0") if isinstance(self._right, Constant) else "**"
        return "" if primitive is None else MICROGRAD_SYMBOLS.get(primitive, primitive.name)

    @property
    def _backward(self) -> Callable[[], None]:
        return self.propagate

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]  # of a class of the user's, which has one
        raise AttributeError(
            "a Value has no __dict__ and takes no other attributes: make a subclass for leaves that have some, and "
            "keep what belongs to other nodes in a dict by node; data, grad, label and parents are read by name"
        )

    if not TYPE_CHECKING:

        @property
        def item(self):  # PyTorch's name
            """Refuse to be read: the number is `data`."""
            raise AttributeError("a Value has no method item: its number is the attribute data; write loss.data")

    def detach(self) -> Value:
        """Return a constant with the same number and label, through which no gradient flows.

        In a compiled function it is a node of the primitive `stop_gradient`, since its number changes. Within
        `ieee_arithmetic` it is one, too, if it is not finite after an operation outside its domain.
        """
        if is_recording_program():
            return self.stop_gradient()
        number = self.data
        if number - number != 0.0 and domain_failures.get():
            return self.stop_gradient()
        return Constant(number, self._label)

    # fmt: off
    # Operators. The other operand may be a number, or an array that maps over it.

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Value | float) -> Value:
        """Apply a primitive as calling it with a Value does: see `apply`."""
        return apply(primitive, *operands)
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
    def __floordiv__(self, other: Any) -> Value: return _floor_quotient(self, other)
    def __rfloordiv__(self, other: Any) -> Value: return _floor_quotient(other, self)
    def __neg__(self) -> Value: return _unary(negate, self)
    def __pos__(self) -> Value: return self
    def __abs__(self) -> Value: return _unary(absolute, self)
    def __round__(self, digits: SupportsIndex | None = None) -> Value:
        """Return the number rounded to so many decimal digits, as a Value. Halves become even, as NumPy has it."""
        scale = 10.0 ** index(digits or 0)
        return _rounded(self) if scale == 1.0 else _rounded(self * scale) / scale

    # Functions: a method for each primitive of the table.

    def exp(self) -> Value: """Return the exponential function."""; return _unary(primitives.exp, self)
    def expm1(self) -> Value: """Return exp(x) - 1, exact near 0 too."""; return _unary(primitives.expm1, self)
    def log(self) -> Value: """Return the natural logarithm."""; return _unary(primitives.log, self)
    def log1p(self) -> Value: """Return log(1 + x), exact near 0 too."""; return _unary(primitives.log1p, self)
    def exp2(self) -> Value: """Return 2 to the power of the number."""; return _unary(primitives.exp2, self)
    def log2(self) -> Value: """Return the logarithm to base 2."""; return _unary(primitives.log2, self)
    def log10(self) -> Value: """Return the logarithm to base 10."""; return _unary(primitives.log10, self)
    def sqrt(self) -> Value: """Return the square root."""; return _unary(primitives.sqrt, self)
    def sin(self) -> Value: """Return the sine of an angle in radians."""; return _unary(primitives.sin, self)
    def cos(self) -> Value: """Return the cosine of an angle in radians."""; return _unary(primitives.cos, self)
    def tan(self) -> Value: """Return the tangent of an angle in radians."""; return _unary(primitives.tan, self)
    def one_minus_square(self) -> Value:
        """Return 1 − x², as (1 − x) · (1 + x)."""
        return _unary(primitives.one_minus_square, self)
    def asin(self) -> Value: """Return the arc sine, in radians."""; return _unary(primitives.asin, self)
    def acos(self) -> Value: """Return the arc cosine, in radians."""; return _unary(primitives.acos, self)
    def atan(self) -> Value: """Return the arc tangent, in radians."""; return _unary(primitives.atan, self)
    def atan2(self, x: Value | float) -> Value:
        """Return the angle in radians, between -π and π, of the point (x, y) with this value as y."""
        return _function(primitives.atan2, self, x)
    def sinh(self) -> Value: """Return the hyperbolic sine."""; return _unary(primitives.sinh, self)
    def cosh(self) -> Value: """Return the hyperbolic cosine."""; return _unary(primitives.cosh, self)
    def tanh(self) -> Value: """Return the hyperbolic tangent."""; return _unary(primitives.tanh, self)
    def asinh(self) -> Value: """Return the inverse of sinh."""; return _unary(primitives.asinh, self)
    def acosh(self) -> Value: """Return the inverse of cosh for x ≥ 1."""; return _unary(primitives.acosh, self)
    def atanh(self) -> Value: """Return the inverse of tanh for -1 < x < 1."""; return _unary(primitives.atanh, self)
    def sigmoid(self) -> Value: """Return the logistic 1 / (1 + exp(-x))."""; return _unary(primitives.sigmoid, self)
    def relu(self) -> Value: """Return the positive part: x if x > 0, else 0."""; return _unary(relu, self)
    def leaky_relu(self, negative_slope: Value | float = 0.01) -> Value:
        """Return positive numbers unchanged, others times `negative_slope`, which may itself be a Value that learns."""
        return _function(primitives.leaky_relu, self, negative_slope)
    def softplus(self) -> Value: """Return log(1 + exp(x)), a smooth relu."""; return _unary(primitives.softplus, self)
    def gelu(self) -> Value:
        """Return the number times the standard normal distribution function at it (exact, not the tanh form)."""
        return _unary(primitives.gelu, self)
    def silu(self) -> Value: """Return the number times its sigmoid."""; return _unary(primitives.silu, self)
    def erf(self) -> Value: """Return the error function."""; return _unary(primitives.erf, self)
    def erfc(self) -> Value: """Return 1 - erf(x), exact for large x too."""; return _unary(primitives.erfc, self)
    def hypot(self, other: Value | float) -> Value:
        """Return the length of the hypotenuse over two sides, sqrt(x² + y²) without overflow on the way."""
        return _function(primitives.hypot, self, other)
    def maximum(self, other: Value | float) -> Value:
        """Return the larger of two numbers; nan if either is."""
        return _function(primitives.maximum, self, other)
    def minimum(self, other: Value | float) -> Value:
        """Return the smaller of two numbers; nan if either is."""
        return _function(primitives.minimum, self, other)
    def clip(self, low: Value | float, high: Value | float, out: None = None) -> Value:
        """Return the number, or the bound that it lies beyond; at a bound the number gets the gradient, as in PyTorch.

        Args:
            low, high: the bounds.
            out: np.clip(v, low, high) gives None here; nothing else is possible.

        Raises:
            ValueError: if `low` is greater than `high`.
        """
        if not (is_recording_program() or _is_array(low) or _is_array(high)) and low > high:
            raise ValueError(f"clip needs a low bound that is not above the high one, got {low!r} and {high!r}")
        at_most = primitives.where(primitives.greater(self, high), high, self)
        return primitives.where(primitives.greater(low, self), low, at_most)
    def fmod(self, other: Value | float) -> Value:
        """Return the remainder of a division with the sign of the dividend; `%` has the sign of the divisor."""
        size = abs(other)
        return primitives.where(primitives.greater(0.0, self), -(-self % size), self % size)
    def sign(self) -> Value: """Return -1, 0 or 1."""; return _unary(primitives.sign, self)
    def floor(self) -> Value: """Return the largest integer ≤ x."""; return _unary(primitives.floor, self)
    def stop_gradient(self) -> Value: """Return x; gradients stop."""; return _unary(primitives.stop_gradient, self)
    def ceil(self) -> Value: """Return the smallest integer ≥ x."""; return _unary(primitives.ceil, self)

    # Comparing and copying. With a number the data is compared; two Values are equal only if they are the same node.

    __hash__ = object.__hash__
    def __lt__(self, other: Any) -> Any:
        if _is_array(other):
            return NotImplemented
        return hooks.compared("less", self, other) if program_recordings else self.data < _number(other)
    def __le__(self, other: Any) -> Any:
        if _is_array(other):
            return NotImplemented
        return hooks.compared("less_equal", self, other) if program_recordings else self.data <= _number(other)
    def __gt__(self, other: Any) -> Any:
        if _is_array(other):
            return NotImplemented
        return hooks.compared("greater", self, other) if program_recordings else self.data > _number(other)
    def __ge__(self, other: Any) -> Any:
        if _is_array(other):
            return NotImplemented
        return hooks.compared("greater_equal", self, other) if program_recordings else self.data >= _number(other)
    def __eq__(self, other: object) -> Any:
        if isinstance(other, Value) or not isinstance(other, Number):
            return self is other or NotImplemented
        if program_recordings:
            return hooks.compared("equal", self, other)
        return self.data == cast(Any, other)  # a real number, a complex one or a Decimal
    def __ne__(self, other: object) -> Any:
        if isinstance(other, Value) or not isinstance(other, Number):
            return False if self is other else NotImplemented
        return hooks.compared("not_equal", self, other) if program_recordings else self.data != cast(Any, other)
    def __bool__(self) -> bool: return self.data is not None  # reading the number may be refused
    def __reduce__(self) -> Any: return hooks.reduce(self)
    def __copy__(self) -> Value: return hooks.shallow_copy(self)
    def __deepcopy__(self, memo: dict[int, Any]) -> Value: return hooks.deep_copy(self, memo)

    # Converting to a number: refused.

    def __float__(self) -> float: raise _plain_refusal(self, "float")
    def __int__(self) -> int: raise _plain_refusal(self, "int")

    # fmt: on

    __floor__, __ceil__ = floor, ceil  # math.floor(v), np.floor(v)
    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2  # the names that NumPy looks for in arrays of objects
    arcsinh, arccosh, arctanh, rint, conjugate = asinh, acosh, atanh, __round__, __pos__

    def __array_ufunc__(self, function: Any, method: str, *arguments: Any, **settings: Any) -> Any:
        return hooks.array_ufunc(function, method, arguments, settings)

    def __array_function__(self, function: Any, types: Any, arguments: Any, settings: Any) -> Any:
        return hooks.array_function(function, arguments, settings)

    # Being shown.

    def __format__(self, specification: str) -> str:
        return format(self.data, specification) if specification else repr(self)

    def __repr__(self) -> str:
        name = "Value" if self._primitive is not None else type(self).__name__
        data = "recorded" if self._recording else repr(self._float)
        grad = f", grad={self._grad!r}" if self._has_grad else ""
        label = f", label={self._label!r}" if self._label is not None else ""
        return f"{name}({data}{grad}{label})"

    def _repr_html_(self) -> str | None:
        """Return the picture of the graph for a notebook, or None where there can be none (the text is shown then)."""
        try:
            return hooks.display(self)
        except Exception:  # an exception in a display would fail the whole notebook
            return None


class Constant(Value):
    """A leaf without a gradient, such as a number in an expression, or a result that was taken out of its graph."""

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
        if program_recordings or self._recording:
            hooks.refuse(self, "read the operands")
        return () if self._primitive is None else self._operands


runtime.allocate((Value, Constant, Parameter, _WideValue))

clock = 0  # a logical clock: how often `advance` was called


def advance() -> int:
    """Advance the clock, and return the time of the nodes that are made from now on."""
    global clock  # noqa: PLW0603  # each node reads it
    clock += 1
    return clock


def is_constant(node: Value) -> bool:
    """Return whether a node is a constant, of a subclass too: no gradient is wanted for it."""
    return isinstance(node, Constant)


def _constant(number: Any) -> Constant:
    node = Constant.__new__(Constant)
    node._float, node._grad, node._has_grad, node._label, node._primitive = as_operand(number), 0.0, False, None, None
    node._is_fixed, node._recording, node._time = NUMBER, 0, clock
    return node


def is_fixed(node: Value) -> bool:
    """Return whether a node is a constant that is part of a program, rather than read anew at each call.

    Such are the numbers that an operator wrapped, and constants that a function makes while it is recorded.
    """
    return node._primitive is None and node._is_fixed != 0


def placeholder(number: float, recording: int) -> Value:
    """Return a leaf that stands for a number of an argument in the recording with a number."""
    node = Value.__new__(Value)
    node._float, node._grad, node._has_grad, node._label, node._primitive = number, 0.0, False, None, None
    node._is_fixed, node._recording, node._time = 0, recording, clock
    return node


def recording_of(node: Value) -> int:
    """Return the number of the recording that a node was made in, if it has no number of its own; else 0."""
    return node._recording


def _unary(primitive: Primitive, operand: Any) -> Value:
    parent = operand if isinstance(operand, Value) else _constant(operand)
    x = parent._float
    data = runtime.value_of_one(primitive, x)
    if not math.isfinite(data):
        data = _value_or_limit(primitive, (parent,))
    node = Value.__new__(Value)
    node._float, node._grad, node._has_grad, node._label, node._primitive = data, 0.0, False, None, primitive
    node._left, node._right, node._x, node._time = parent, None, x, clock
    node._recording = parent._recording
    return _watched(node) if watchers or program_recordings else node


def _binary(primitive: Primitive, left_operand: Any, right_operand: Any) -> Value:
    left = left_operand if isinstance(left_operand, Value) else _constant_or_none(left_operand)
    right = right_operand if isinstance(right_operand, Value) else _constant_or_none(right_operand)
    if left is None or right is None:
        return NotImplemented  # type: ignore[no-any-return]  # Python then asks the other operand
    x, y = left._float, right._float
    data = runtime.value_of_two(primitive, x, y)
    if not math.isfinite(data):
        data = _value_or_limit(primitive, (left, right))
    node = Value.__new__(Value)
    node._float, node._grad, node._has_grad, node._label, node._primitive = data, 0.0, False, None, primitive
    node._left, node._right, node._x, node._y, node._time = left, right, x, y, clock
    node._recording = left._recording or right._recording
    return _watched(node) if watchers or program_recordings else node


def _function(primitive: Primitive, left: Any, right: Any) -> Value:
    """Apply a primitive of two operands as a function; over an array, element by element."""
    result = _binary(primitive, left, right)
    return hooks.over_arrays(primitive, left, right) if result is NotImplemented else result


def _constant_or_none(operand: Any) -> Constant | None:
    """Return the other side of an operator as a constant; None if it has operators of its own, as an array has."""
    kind = type(operand)
    is_known = kind is float or kind is int or kind is bool
    if is_known or isinstance(operand, Real | complex) or not hasattr(operand, "__radd__"):
        return _constant(operand)
    if hasattr(operand, "__array_finalize__"):
        hooks.plain_array(operand)  # which refuses masked arrays and matrices
    return None


def _floor_quotient(a: Any, b: Any) -> Value:
    """Return the largest integer that is not above a / b, as floats of Python do."""
    quotient = (a - a % b) / b  # a whole number, but for rounding; a / b may be rounded up to the next one
    whole = primitives.floor(quotient)
    return cast(Value, whole + primitives.greater(quotient - whole, 0.5))


def _rounded(x: Value) -> Value:
    """Return the nearest integer, of two the even one."""
    whole = x.floor()
    rest = x - whole
    return whole + primitives.where(whole % 2.0, 1.0 - primitives.greater(0.5, rest), primitives.greater(rest, 0.5))


def _is_array(other: Any) -> bool:
    """Return whether the other side of a comparison is an array, which compares its elements itself."""
    kind = type(other)
    if kind is float or kind is int or isinstance(other, Value):
        return False
    return bool(getattr(other, "shape", None))


def _number(other: Any) -> Any:
    return other.data if isinstance(other, Value) else other


def _described(node: Value) -> str:
    data = "a recorded number" if node._recording else repr(node._float)
    return data if node._label is None else f"{data} (node {node._label!r:.80})"


def _watched(node: Value) -> Value:
    """Apply the modes in force to a new node."""
    if program_recordings and not node._recording:  # it is computed from leaves that the function refers to
        node._recording = recording_number()
    if not watchers:
        return node
    if not is_recording.get():
        return node if node._primitive is primitives.stop_gradient else node.detach()
    note = note_source.get()
    if note is not None:
        note(node)
    return node


def apply(primitive: Primitive, *operands: Value | float) -> Value:
    """Apply a primitive to Values and numbers, which become constants, and record the node that results.

    Where the primitive has no value, the ValueError or ZeroDivisionError names the operand and its label. A result too
    large for a float is infinite, as IEEE 754 has it.
    """
    if primitive.arity is not None and primitive.arity != len(operands):
        raise TypeError(f"{primitive.name} takes {primitive.arity} operand(s), got {len(operands)}")
    if primitive.arity == 1:
        return _unary(primitive, operands[0])
    if primitive.arity == 2:
        return _function(primitive, operands[0], operands[1])
    return apply_wide(primitive, operands)


def apply_wide(primitive: Primitive, operands: tuple[Value | float, ...]) -> Value:
    """Apply a primitive of any number of operands, as `apply` does."""
    parents: list[Value] = []
    numbers: list[float] = []
    recording = 0
    for operand in operands:
        parent = operand if isinstance(operand, Value) else _constant_or_none(operand)
        if parent is None:
            return hooks.over_arrays(primitive, *operands)  # type: ignore[no-any-return]  # an array
        recording = recording or parent._recording
        parents.append(parent)
        numbers.append(parent._float)
    data = runtime.value_of_many(primitive, numbers)
    if not math.isfinite(data):
        data = _value_or_limit(primitive, tuple(parents))
    node = _WideValue.__new__(_WideValue)
    node._float, node._grad, node._has_grad, node._label, node._primitive = data, 0.0, False, None, primitive
    node._parents, node._operands, node._recording = tuple(parents), tuple(numbers), recording
    node._left, node._time = None, clock
    return _watched(node) if watchers or program_recordings else node


def _value_or_limit(primitive: Primitive, nodes: tuple[Value, ...]) -> float:
    """Return a value that may not be finite: infinite on an overflow, an error outside the domain.

    Where `ieee_arithmetic` is in force it is what IEEE 754 says, and the failure is noted.
    """
    numbers = []
    for node in nodes:
        numbers.append(node._float)  # noqa: PERF401  # a comprehension has no types; `data` is refused while recording
    try:
        return float(primitive.value(*numbers))
    except (ValueError, ArithmeticError) as error:
        failures = domain_failures.get()
        if failures is None and not isinstance(error, OverflowError):
            raise domain_error(primitive, nodes, error) from None
        if not isinstance(error, OverflowError):
            failures.append((primitive, nodes, error))
        return float(primitive.limit(*numbers))


def rebuild(
    kind: type[Value],
    data: float,
    grad: float | None,
    label: str | None,
    primitive: Primitive | None,
    parents: tuple[Value, ...],
    operands: tuple[float, ...],
) -> Value:
    """Make a node of these parts, for copies and pickles; a ValueError if they do not fit together."""
    node = kind.__new__(kind)
    arity = 0 if primitive is None else primitive.arity or max(len(parents), 1)
    is_narrow = primitive is not None and primitive.arity in (1, 2)  # a sum of two numbers is wide
    is_sum = primitive is not None and primitive.index > 0 and primitive.arity is None  # or the like
    fits = arity == len(parents) == len(operands) and not (is_narrow if isinstance(node, _WideValue) else is_sum)
    for parent in parents:
        fits = fits and isinstance(parent, Value)
    if not fits:
        raise ValueError(f"damaged copy of a node: {primitive!r} of {len(parents)} parents, {len(operands)} operands")
    node._is_fixed = node._recording = 0
    node._float, node._label, node._primitive, node.grad, node._time = data, label, None, grad, clock
    if primitive is not None:
        _attach(node, primitive, parents, operands)
    return node


def _attach(node: Value, primitive: Primitive, parents: tuple[Value, ...], operands: tuple[float, ...]) -> None:
    """Make a leaf the result of a primitive, of these parents and the numbers that they held."""
    node._primitive, node._left, node._right = primitive, None, None
    if isinstance(node, _WideValue):
        wide = node  # the compiled engine knows its type
        wide._parents, wide._operands = parents, operands
    elif primitive.arity == 1 or primitive.arity == 2:
        node._left, node._x = parents[0], operands[0]
        if primitive.arity == 2:
            node._right, node._y = parents[1], operands[1]
    else:  # a node of the user's making, whose memory holds two operands: another one holds all of them
        node._right = rebuild(_WideValue, node._float, None, None, primitive, parents, operands)


def where(condition: Value | float | bool, a: Value | float, b: Value | float) -> Value:
    """Choose `a` where the condition holds, else `b`; no gradient goes to the other one, nor to the condition.

    The primitive `where` of plain numbers gives a plain number; this function gives a Value.

    Args:
        condition: a truth value such as `x > 0`, or a number that holds unless it is 0.
        a, b: Values or numbers; or arrays of them, as the condition may be one, which map element by element.
    """
    return apply(primitives.where, condition, a, b)


# Errors.


def domain_error(primitive: Primitive, nodes: tuple[Value, ...], error: Exception) -> Exception:
    """Return the error for operands outside a domain; what a function without a domain raised is returned as it is."""
    return type(error)(primitive.refusal(*map(_described, nodes))) if primitive.domain else error


def _plain_refusal(node: Value, kind: str) -> TypeError:
    if program_recordings or node._recording:
        hooks.refuse(node, f"turn a value into a plain {kind}")
    return TypeError(
        f"turning {_described(node)} into a plain {kind} would drop its gradient: use v.data for the number, or "
        f"the method (v.exp() instead of math.exp(v)) to stay in the graph"
    )


def label_refusal(label: Any) -> TypeError:
    """Return the error for a label that is neither a string nor None."""
    return TypeError(
        f"expected a string or None as label, got {label!r:.80} of type {type(label).__name__}; use str(…)"
    )
