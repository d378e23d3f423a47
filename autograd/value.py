"""`Value`: a number that remembers how it was computed, and can therefore say how it depends on its inputs.

>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> c = (a * b + a**2).tanh()
>>> c.backward()                            # one walk back through the graph, and every gradient is known
>>> a.grad == (1 - c.data**2) * (b.data + 2 * a.data)
True

A node keeps the primitive that made it, its parents in the order of the operands, and the numbers that they held at
that moment. So a gradient always belongs to the forward pass that happened, whatever is assigned to `data` later.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from typing import Any, ClassVar

from autograd import primitives as rows
from autograd.primitives import Primitive, as_float


class Value:
    """A scalar in a computation graph; made by the user, it is a *variable*, a leaf that gradients are wanted for.

    Args:
        data: the number, held as a float64.
        label: a name for drawings, explanations and error messages.

    Attributes:
        label: that name; it may be assigned at any time.

    Raises:
        TypeError: if `data` is no real number, or `label` no text.
    """

    __slots__ = ("_data", "_grad", "label", "_primitive", "_left", "_right", "_x", "_y")

    # Called to show a Value as HTML in a notebook; set by the package, since a drawing is made further down the house.
    display: ClassVar[Callable[[Value], str | None] | None] = None

    label: str | None
    _data: float
    _grad: float | None  # None: not known yet
    _primitive: Primitive | None  # None: a leaf
    _left: Value  # the parents, and the numbers that they held when this node was computed
    _right: Value | None
    _x: float
    _y: float

    def __init__(self, data: float, label: str | None = None) -> None:
        if isinstance(data, Value):
            raise TypeError(f"{data!r} is a Value already: use it as it is, or make a new leaf with Value(v.data)")
        if label is not None and not isinstance(label, str):
            raise TypeError(f"expected a text as label, got {label!r:.80} of type {type(label).__name__}; use str(…)")
        self._data = as_float(data)
        self._grad = None
        self.label = label
        self._primitive = None

    @property
    def data(self) -> float:
        """The number. A leaf may be given another one; the graphs that it is part of keep what it was."""
        return self._data

    @data.setter
    def data(self, number: float) -> None:
        if self._primitive is not None:
            raise AttributeError(
                f"cannot assign data to {_described(self)}: it was computed by {self._primitive.name}; "
                f"assign to the leaves that it was computed from and compute it again, or make a new Value"
            )
        self._data = as_float(number)

    @property
    def grad(self) -> float:
        """The derivative of the output of the last `backward()` with respect to this node; 0.0 before one."""
        return 0.0 if self._grad is None else self._grad

    @grad.setter
    def grad(self, number: float | None) -> None:
        self._grad = None if number is None else as_float(number)

    @property
    def has_grad(self) -> bool:
        """Whether the gradient is known: by a `backward()` or an assignment; assigning None forgets it."""
        return self._grad is not None

    @property
    def primitive(self) -> Primitive | None:
        """The primitive that made this node; None for a leaf."""
        return self._primitive

    @property
    def parents(self) -> tuple[Value, ...]:
        """The nodes that this one was computed from, in the order of the operands, repeats kept."""
        if self._primitive is None:
            return ()
        return (self._left,) if self._right is None else (self._left, self._right)

    @property
    def operands(self) -> tuple[float, ...]:
        """The numbers that the parents held when this node was computed."""
        if self._primitive is None:
            return ()
        return (self._x,) if self._right is None else (self._x, self._y)

    @property
    def slopes(self) -> tuple[float, ...]:
        """The partial derivative of this node with respect to each parent, at the numbers of its forward pass."""
        return () if self._primitive is None else self._primitive.local_slopes(self._data, *self.operands)

    def backward(self) -> None:
        """Compute the gradient of this node with respect to every node that it depends on, into their `grad`.

        Leaves add it to the gradient they hold, as in PyTorch (so set that to 0 between rounds of training); the
        gradients of the other nodes are made afresh. A constant gets none. Reverse-mode differentiation: each node
        hands its own gradient, times its local slope, to each of its parents.

        Raises:
            RuntimeError: if this node is a constant, which depends on nothing.
        """
        if isinstance(self, Constant):
            raise RuntimeError(
                f"cannot run backward from the constant {_described(self)}: it records no operation, since it is a "
                f"plain number, was detached, or was computed under no_grad()"
            )
        order = topological_order(self)
        leaves = [(node, node._grad) for node in order if node._primitive is None]
        try:
            for node in order:
                node._grad = 0.0
            self._grad = 1.0
            for node in reversed(order):
                primitive = node._primitive
                if primitive is None:
                    continue
                grad = node._grad
                if isinstance(node, _WideValue):
                    for parent, slope in zip(node._parents, node.slopes, strict=True):
                        parent._grad += grad * slope  # type: ignore[operator]  # every node in the order has a number
                    continue
                left, right = node._left, node._right
                if right is None:
                    left._grad += grad * primitive.slopes[0](node._data, node._x)
                    continue
                if type(left) is not Constant:
                    left._grad += grad * primitive.slopes[0](node._data, node._x, node._y)
                if type(right) is not Constant:
                    right._grad += grad * primitive.slopes[1](node._data, node._x, node._y)
        except BaseException:  # an interrupt: no leaf may keep half a gradient
            for leaf, before in leaves:
                leaf._grad = before
            raise
        for leaf, before in leaves:
            if type(leaf) is Constant:
                leaf._grad = None
            elif before is not None:
                leaf._grad = before + leaf.grad

    def detach(self) -> Constant:
        """A constant of the same number and label: gradients do not flow through it."""
        return Constant(self._data, self.label)

    # Operators: each names its row of the table. The other operand may be a number, or an array that maps over it.

    apply_primitive: ClassVar[Callable[..., Any]]

    def __add__(self, other: Any) -> Value:
        return _binary(rows.add, self, other)

    def __radd__(self, other: Any) -> Value:
        return _binary(rows.add, other, self)

    def __sub__(self, other: Any) -> Value:
        return _binary(rows.subtract, self, other)

    def __rsub__(self, other: Any) -> Value:
        return _binary(rows.subtract, other, self)

    def __mul__(self, other: Any) -> Value:
        return _binary(rows.multiply, self, other)

    def __rmul__(self, other: Any) -> Value:
        return _binary(rows.multiply, other, self)

    def __truediv__(self, other: Any) -> Value:
        return _binary(rows.divide, self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return _binary(rows.divide, other, self)

    def __pow__(self, other: Any) -> Value:
        return _binary(rows.power, self, other)

    def __rpow__(self, other: Any) -> Value:
        return _binary(rows.power, other, self)

    def __neg__(self) -> Value:
        return _unary(rows.negate, self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return _unary(rows.absolute, self)

    # Functions: each method is a row of the table.

    def exp(self) -> Value:
        """The exponential function."""
        return _unary(rows.exp, self)

    def expm1(self) -> Value:
        """exp(x) - 1, exact near 0 too."""
        return _unary(rows.expm1, self)

    def log(self) -> Value:
        """The natural logarithm."""
        return _unary(rows.log, self)

    def log1p(self) -> Value:
        """The natural logarithm of 1 + x, exact near 0 too."""
        return _unary(rows.log1p, self)

    def sqrt(self) -> Value:
        """The square root."""
        return _unary(rows.sqrt, self)

    def sin(self) -> Value:
        """The sine of an angle in radians."""
        return _unary(rows.sin, self)

    def cos(self) -> Value:
        """The cosine of an angle in radians."""
        return _unary(rows.cos, self)

    def tan(self) -> Value:
        """The tangent of an angle in radians."""
        return _unary(rows.tan, self)

    def asin(self) -> Value:
        """The angle in radians, between -π/2 and π/2, of a sine."""
        return _unary(rows.asin, self)

    def acos(self) -> Value:
        """The angle in radians, between 0 and π, of a cosine."""
        return _unary(rows.acos, self)

    def atan(self) -> Value:
        """The angle in radians, between -π/2 and π/2, of a tangent."""
        return _unary(rows.atan, self)

    def atan2(self, x: Value | float) -> Value:
        """The angle in radians, between -π and π, of the point with this value as y and the given x."""
        return apply(rows.atan2, self, x)

    def sinh(self) -> Value:
        """The hyperbolic sine."""
        return _unary(rows.sinh, self)

    def cosh(self) -> Value:
        """The hyperbolic cosine."""
        return _unary(rows.cosh, self)

    def tanh(self) -> Value:
        """The hyperbolic tangent."""
        return _unary(rows.tanh, self)

    def sigmoid(self) -> Value:
        """The logistic function 1 / (1 + exp(-x))."""
        return _unary(rows.sigmoid, self)

    def relu(self) -> Value:
        """The positive part: x if x > 0, else 0."""
        return _unary(rows.relu, self)

    def leaky_relu(self, negative_slope: Value | float = 0.01) -> Value:
        """Positive numbers unchanged, others times `negative_slope`, which may itself be a Value that learns."""
        return apply(rows.leaky_relu, self, negative_slope)

    def softplus(self) -> Value:
        """log(1 + exp(x)), a smooth relu."""
        return _unary(rows.softplus, self)

    def gelu(self) -> Value:
        """The number times the standard normal distribution function at it (exact, not the tanh form)."""
        return _unary(rows.gelu, self)

    def silu(self) -> Value:
        """The number times its sigmoid."""
        return _unary(rows.silu, self)

    def erf(self) -> Value:
        """The error function."""
        return _unary(rows.erf, self)

    def erfc(self) -> Value:
        """1 - erf(x), exact for large x too."""
        return _unary(rows.erfc, self)

    def hypot(self, other: Value | float) -> Value:
        """The length of the hypotenuse over two sides, sqrt(x² + y²) without overflow on the way."""
        return apply(rows.hypot, self, other)

    def maximum(self, other: Value | float) -> Value:
        """The larger of two numbers; nan if either is."""
        return apply(rows.maximum, self, other)

    def minimum(self, other: Value | float) -> Value:
        """The smaller of two numbers; nan if either is."""
        return apply(rows.minimum, self, other)

    def sign(self) -> Value:
        """-1, 0 or 1."""
        return _unary(rows.sign, self)

    def floor(self) -> Value:
        """The largest integer that is no larger."""
        return _unary(rows.floor, self)

    def ceil(self) -> Value:
        """The smallest integer that is no smaller."""
        return _unary(rows.ceil, self)

    __floor__, __ceil__ = floor, ceil  # math.floor(v), np.floor(v)
    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2  # the names by which np.arcsin(v) looks for them

    # Comparing, and being shown. `==` and `hash` are those of the node itself.

    def __lt__(self, other: Any) -> Any:
        return self._data < _number(other)

    def __le__(self, other: Any) -> Any:
        return self._data <= _number(other)

    def __gt__(self, other: Any) -> Any:
        return self._data > _number(other)

    def __ge__(self, other: Any) -> Any:
        return self._data >= _number(other)

    def __float__(self) -> float:
        raise TypeError(
            f"turning {_described(self)} into a plain float would drop its gradient: use v.data for the number, or "
            f"the method (v.exp() instead of math.exp(v)) to stay in the graph"
        )

    def __format__(self, specification: str) -> str:
        return format(self._data, specification) if specification else repr(self)

    def __repr__(self) -> str:
        name = "Value" if self._primitive is not None else type(self).__name__
        grad = f", grad={self._grad!r}" if self._grad is not None else ""
        label = f", label={self.label!r}" if self.label is not None else ""
        return f"{name}({self._data!r}{grad}{label})"

    def _repr_html_(self) -> str | None:
        """The picture of the graph for a notebook, or None where there can be none (the text is shown then)."""
        try:
            return None if Value.display is None else Value.display(self)
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
        return self._parents

    @property
    def operands(self) -> tuple[float, ...]:
        return self._operands


# Recording. `_watchers` holds an entry for each no_grad() and each record_sources() that is in force in any thread, so
# that the common case costs one look at a set; only then is the context asked what holds in this thread.

_watchers: set[object] = set()
_recording: ContextVar[bool] = ContextVar("recording", default=True)
_ieee: ContextVar[bool] = ContextVar("ieee", default=False)
_note_source: ContextVar[Callable[[Value], None] | None] = ContextVar("note_source", default=None)


@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing within a `with` block, in this thread: the results of operations are constants."""
    with _watching(_recording, False):
        yield


@contextmanager
def _watching(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    watcher = object()
    _watchers.add(watcher)
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
        _watchers.discard(watcher)


def _watched(node: Value) -> Value:
    """What becomes of a new node while it matters what holds in this thread."""
    if not _recording.get():
        return Constant(node._data)
    note = _note_source.get()
    if note is not None:
        note(node)
    return node


@contextmanager
def ieee_arithmetic() -> Iterator[None]:
    """Within a `with` block and in this thread, let a pole be infinite and a value outside a domain be nan."""
    token = _ieee.set(True)
    try:
        yield
    finally:
        _ieee.reset(token)


@contextmanager
def record_sources() -> Iterator[dict[Value, tuple[str, int]]]:
    """Note, within a `with` block and in this thread, which line of whose program makes each node.

    Yields:
        A dict that fills up: the file and the line of each node that an operation makes. The line is the nearest one
        outside the packages `autograd` and `nn`.
    """
    sources: dict[Value, tuple[str, int]] = {}

    def note(node: Value) -> None:
        frame = sys._getframe(2)
        while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("autograd", "nn"):
            frame = frame.f_back
        sources[node] = frame.f_code.co_filename, frame.f_lineno

    with _watching(_note_source, note):
        yield sources


def apply(primitive: Primitive, *operands: Value | float) -> Value:
    """Apply a primitive to Values and numbers, and record the node that results.

    Args:
        primitive: a row of the table.
        operands: as many as the row takes; a plain number becomes a constant.

    Returns:
        The new node; under `no_grad()`, a constant.

    Raises:
        TypeError: for an operand that is no real number, or the wrong count of them.
        ValueError, ZeroDivisionError: if the primitive has no value there; the message names the operand and its label.
            A result too large for a float is infinite, as IEEE 754 has it, and raises nothing.
    """
    if primitive.arity not in (None, len(operands)):
        raise TypeError(f"{primitive.name} takes {primitive.arity} operand(s), got {len(operands)}")
    nodes = tuple([operand if isinstance(operand, Value) else Constant(operand) for operand in operands])
    if primitive.arity == 1:
        return _unary(primitive, nodes[0])
    if primitive.arity == 2:
        return _binary(primitive, nodes[0], nodes[1])
    numbers = tuple([node._data for node in nodes])
    try:
        data = primitive.value(*numbers)
    except (ValueError, ArithmeticError) as error:
        data = _limit(error, primitive, *nodes)
    node = _new(_WideValue)
    node._data, node._grad, node.label, node._primitive = data, None, None, primitive
    node._parents, node._operands = nodes, numbers
    return _watched(node) if _watchers else node


Value.apply_primitive = staticmethod(apply)
_new = object.__new__


def _unary(primitive: Primitive, operand: Value) -> Value:
    x = operand._data
    try:
        data = primitive.value(x)
    except (ValueError, ArithmeticError) as error:
        data = _limit(error, primitive, operand)
    node = _new(Value)
    node._data, node._grad, node.label, node._primitive = data, None, None, primitive
    node._left, node._right, node._x = operand, None, x
    return _watched(node) if _watchers else node


def _binary(primitive: Primitive, left: Any, right: Any) -> Value:
    if not isinstance(left, Value):
        if _is_foreign(left):
            return NotImplemented  # type: ignore[no-any-return]  # an operator hands it on to Python
        left = Constant(left)
    if not isinstance(right, Value):
        if _is_foreign(right):
            return NotImplemented  # type: ignore[no-any-return]  # an operator hands it on to Python
        right = Constant(right)
    x, y = left._data, right._data
    try:
        data = primitive.value(x, y)
    except (ValueError, ArithmeticError) as error:
        data = _limit(error, primitive, left, right)
    node = _new(Value)
    node._data, node._grad, node.label, node._primitive = data, None, None, primitive
    node._left, node._right, node._x, node._y = left, right, x, y
    return _watched(node) if _watchers else node


def _is_foreign(operand: object) -> bool:
    """Whether the other side of an operator is no number but has operators of its own: an array, for instance."""
    if type(operand) in (float, int):
        return False
    return hasattr(operand, "__radd__") and not isinstance(operand, Real | complex)


def _limit(error: Exception, primitive: Primitive, *nodes: Value) -> float:
    """What a primitive is where Python's floats raise: infinite on an overflow, an error outside the domain.

    Within a gradient that is recorded as a graph it is what IEEE 754 says, as in a gradient that is a float.
    """
    if isinstance(error, OverflowError) or _ieee.get():
        return float(primitive.limit(*[node._data for node in nodes]))
    if primitive.domain:
        raise type(error)(primitive.refusal(*map(_described, nodes))) from None
    raise error


def _described(node: Value) -> str:
    return f"{node._data!r}" if node.label is None else f"{node._data!r} (node {node.label!r:.80})"


def _number(operand: Any) -> Any:
    return operand._data if isinstance(operand, Value) else operand


def topological_order(output: Value) -> list[Value]:
    """Every node that the output depends on, itself included: parents before children, each once.

    The order is that of a depth-first walk which takes parents in the order of the operands, so it is the same on every
    run. The walk keeps its own stack: the depth of a graph is limited by memory alone.
    """
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Value | None] = [output]
    while stack:
        node = stack.pop()
        if node is None:  # the parents of the node below this mark are done
            order.append(stack.pop())  # type: ignore[arg-type]  # a mark lies on a node
        elif node not in seen:
            seen.add(node)
            if node._primitive is None:
                order.append(node)
            elif isinstance(node, _WideValue):
                stack += (node, None)
                stack += reversed(node._parents)
            elif node._right is None:
                stack += (node, None, node._left)
            else:
                stack += (node, None, node._right, node._left)
    return order


def dependents(order: Iterable[Value], inputs: Iterable[Value]) -> set[Value]:
    """Those nodes of a topological order that depend on some inputs, and the inputs themselves."""
    found = set(inputs)
    for node in order:
        if not found.isdisjoint(node.parents):
            found.add(node)
    return found


def sum(values: Iterable[Value | float]) -> Value:
    """The sum of values as one node, added from left to right; that of no values is the constant 0."""
    operands = tuple(values)
    return apply(rows.summation, *operands) if operands else Constant(0.0)


def prod(values: Iterable[Value | float]) -> Value:
    """The product of values as one node, multiplied from left to right; that of no values is the constant 1."""
    operands = tuple(values)
    return apply(rows.product, *operands) if operands else Constant(1.0)


def dot(left: Iterable[Value | float], right: Iterable[Value | float]) -> Value:
    """The sum of the products of two lists' members, as one node.

    Raises:
        ValueError: if the lists differ in length.
    """
    left, right = tuple(left), tuple(right)
    if len(left) != len(right):
        raise ValueError(f"dot needs two lists of the same length, got {len(left)} and {len(right)} values")
    return apply(rows.dot_product, *left, *right) if left else Constant(0.0)


def where(condition: Value | float | bool, a: Value | float, b: Value | float) -> Value:
    """Choose `a` where the condition holds, else `b`; no gradient goes to the other one, nor to the condition.

    Args:
        condition: a truth value such as `x > 0`, or a number that holds unless it is 0.
        a: the Value or number to choose where the condition holds.
        b: the one to choose where it does not.
    """
    if isinstance(condition, bool) or hasattr(condition, "dtype"):  # a truth value of Python or of NumPy
        condition = float(condition)
    return apply(rows.where, condition, a, b)
