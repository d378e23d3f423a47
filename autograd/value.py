"""`Value`: a number that remembers how it was computed, and can therefore say how it depends on its inputs.

>>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
>>> c = (a * b + a**2).tanh()
>>> c.backward()                            # one walk back through the graph, and every gradient is known
>>> a.grad == (1 - c.data**2) * (b.data + 2 * a.data)
True

A node keeps the primitive that made it, its parents in the order of the operands, and the numbers that they held at
that moment. So a gradient always belongs to the forward pass that happened, whatever is assigned to `data` later.

This is the whole engine, and plain Python. Where there is a C compiler it is also compiled, with the types that
`value.pxd` gives; `native.py` holds the few things that the two do differently.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from typing import Any, TypeAlias

from autograd import native
from autograd.primitives import (
    Primitive,
    absolute,
    acos,
    add,
    as_float,
    asin,
    atan,
    atan2,
    ceil,
    cos,
    cosh,
    divide,
    dot_product,
    erf,
    erfc,
    exp,
    expm1,
    floor,
    gelu,
    hypot,
    leaky_relu,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    negate,
    power,
    product,
    relu,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softplus,
    sqrt,
    subtract,
    summation,
    tan,
    tanh,
)
from autograd.primitives import where as where_row


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

    __slots__ = ("_data", "_grad", "label", "_primitive", "_left", "_right", "_x", "_y", "_mark", "_next")

    label: str | None
    _data: float
    _grad: float
    _primitive: Primitive | None  # None: a leaf
    _left: Value  # the parents, and the numbers that they held when this node was computed
    _right: Value | None
    _x: float  # (in a leaf, what a walk keeps of its gradient)
    _y: float
    _mark: int  # twice the number of the last walk that came by, plus 1 if the gradient is known
    _next: Value | None  # where that walk goes on

    def __init__(self, data: float, label: str | None = None) -> None:
        if isinstance(data, Value):
            raise TypeError(f"{data!r} is a Value already: use it as it is, or make a new leaf with Value(v.data)")
        if label is not None and not isinstance(label, str):
            raise TypeError(f"expected a text as label, got {label!r:.80} of type {type(label).__name__}; use str(…)")
        self._data, self._grad, self.label, self._primitive = as_float(data), 0.0, label, None
        self._x, self._y, self._mark = 0.0, 0.0, 0

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
        return self._grad if self._mark & 1 else 0.0

    @grad.setter
    def grad(self, number: float | None) -> None:
        self._grad = 0.0 if number is None else as_float(number)
        self._mark = self._mark & -2 if number is None else self._mark | 1

    @property
    def has_grad(self) -> bool:
        """Whether the gradient is known: by a `backward()` or an assignment; assigning None forgets it."""
        return self._mark & 1 == 1

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

        Leaves add it to the gradient they hold, as in PyTorch (so set that to 0 between rounds of training); the
        gradients of the other nodes are made afresh. A constant gets none. Reverse-mode differentiation: each node
        hands its own gradient, times its local slope, to each of its parents. Threads take turns, so gradients add up
        in parameters that they share; a gradient that another thread assigns meanwhile may be overwritten.

        Raises:
            RuntimeError: if this node is a constant, which depends on nothing.
        """
        if isinstance(self, Constant):
            raise RuntimeError(
                f"cannot run backward from the constant {_described(self)}: it records no operation, since it is a "
                f"plain number, was detached, or was computed under no_grad()"
            )
        _run_backward(self)

    def detach(self) -> Constant:
        """A constant of the same number and label: gradients do not flow through it."""
        return Constant(self._data, self.label)

    # Operators: each names its row of the table. The other operand may be a number, or an array that maps over it.

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Value | float) -> Value:
        """Let a row that is called with a Value record a node: see `apply`."""
        return apply(primitive, *operands)

    def __add__(self, other: Any) -> Value:
        return _binary(add, self, other)

    def __radd__(self, other: Any) -> Value:
        return _binary(add, other, self)

    def __sub__(self, other: Any) -> Value:
        return _binary(subtract, self, other)

    def __rsub__(self, other: Any) -> Value:
        return _binary(subtract, other, self)

    def __mul__(self, other: Any) -> Value:
        return _binary(multiply, self, other)

    def __rmul__(self, other: Any) -> Value:
        return _binary(multiply, other, self)

    def __truediv__(self, other: Any) -> Value:
        return _binary(divide, self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return _binary(divide, other, self)

    def __pow__(self, other: Any) -> Value:
        return _binary(power, self, other)

    def __rpow__(self, other: Any) -> Value:
        return _binary(power, other, self)

    def __neg__(self) -> Value:
        return _unary(negate, self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return _unary(absolute, self)

    # Functions: each method is a row of the table.

    def exp(self) -> Value:
        """The exponential function."""
        return _unary(exp, self)

    def expm1(self) -> Value:
        """exp(x) - 1, exact near 0 too."""
        return _unary(expm1, self)

    def log(self) -> Value:
        """The natural logarithm."""
        return _unary(log, self)

    def log1p(self) -> Value:
        """The natural logarithm of 1 + x, exact near 0 too."""
        return _unary(log1p, self)

    def sqrt(self) -> Value:
        """The square root."""
        return _unary(sqrt, self)

    def sin(self) -> Value:
        """The sine of an angle in radians."""
        return _unary(sin, self)

    def cos(self) -> Value:
        """The cosine of an angle in radians."""
        return _unary(cos, self)

    def tan(self) -> Value:
        """The tangent of an angle in radians."""
        return _unary(tan, self)

    def asin(self) -> Value:
        """The angle in radians, between -π/2 and π/2, of a sine."""
        return _unary(asin, self)

    def acos(self) -> Value:
        """The angle in radians, between 0 and π, of a cosine."""
        return _unary(acos, self)

    def atan(self) -> Value:
        """The angle in radians, between -π/2 and π/2, of a tangent."""
        return _unary(atan, self)

    def atan2(self, x: Value | float) -> Value:
        """The angle in radians, between -π and π, of the point with this value as y and the given x."""
        return apply(atan2, self, x)

    def sinh(self) -> Value:
        """The hyperbolic sine."""
        return _unary(sinh, self)

    def cosh(self) -> Value:
        """The hyperbolic cosine."""
        return _unary(cosh, self)

    def tanh(self) -> Value:
        """The hyperbolic tangent."""
        return _unary(tanh, self)

    def sigmoid(self) -> Value:
        """The logistic function 1 / (1 + exp(-x))."""
        return _unary(sigmoid, self)

    def relu(self) -> Value:
        """The positive part: x if x > 0, else 0."""
        return _unary(relu, self)

    def leaky_relu(self, negative_slope: Value | float = 0.01) -> Value:
        """Positive numbers unchanged, others times `negative_slope`, which may itself be a Value that learns."""
        return apply(leaky_relu, self, negative_slope)

    def softplus(self) -> Value:
        """log(1 + exp(x)), a smooth relu."""
        return _unary(softplus, self)

    def gelu(self) -> Value:
        """The number times the standard normal distribution function at it (exact, not the tanh form)."""
        return _unary(gelu, self)

    def silu(self) -> Value:
        """The number times its sigmoid."""
        return _unary(silu, self)

    def erf(self) -> Value:
        """The error function."""
        return _unary(erf, self)

    def erfc(self) -> Value:
        """1 - erf(x), exact for large x too."""
        return _unary(erfc, self)

    def hypot(self, other: Value | float) -> Value:
        """The length of the hypotenuse over two sides, sqrt(x² + y²) without overflow on the way."""
        return apply(hypot, self, other)

    def maximum(self, other: Value | float) -> Value:
        """The larger of two numbers; nan if either is."""
        return apply(maximum, self, other)

    def minimum(self, other: Value | float) -> Value:
        """The smaller of two numbers; nan if either is."""
        return apply(minimum, self, other)

    def sign(self) -> Value:
        """-1, 0 or 1."""
        return _unary(sign, self)

    def floor(self) -> Value:
        """The largest integer that is no larger."""
        return _unary(floor, self)

    def ceil(self) -> Value:
        """The smallest integer that is no smaller."""
        return _unary(ceil, self)

    __floor__, __ceil__ = floor, ceil  # math.floor(v), np.floor(v)
    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2  # the names by which np.arcsin(v) looks for them

    # Comparing, copying, and being shown. `==` and `hash` are those of the node itself.

    __hash__ = object.__hash__

    def __reduce__(self) -> Any:
        """What `pickle`, `copy` and `deepcopy` make a node of: of the nodes below it, parents first, however deep."""
        below: list[Value] | None = None
        if self._primitive is not None and not _is_listed(self):
            below = _listed(self)
        grad = self._grad if self._mark & 1 else None
        parts = type(self), self._data, grad, self.label, self._primitive, self.parents, self.operands
        return _rebuilt, (below, *parts), getattr(self, "__dict__", None)

    def __lt__(self, other: Any) -> Any:
        return self._data < (other.data if isinstance(other, Value) else other)

    def __le__(self, other: Any) -> Any:
        return self._data <= (other.data if isinstance(other, Value) else other)

    def __gt__(self, other: Any) -> Any:
        return self._data > (other.data if isinstance(other, Value) else other)

    def __ge__(self, other: Any) -> Any:
        return self._data >= (other.data if isinstance(other, Value) else other)

    def __float__(self) -> float:
        raise TypeError(
            f"turning {_described(self)} into a plain float would drop its gradient: use v.data for the number, or "
            f"the method (v.exp() instead of math.exp(v)) to stay in the graph"
        )

    def __format__(self, specification: str) -> str:
        return format(self._data, specification) if specification else repr(self)

    def __repr__(self) -> str:
        name = "Value" if self._primitive is not None else type(self).__name__
        grad = f", grad={self._grad!r}" if self._mark & 1 else ""
        label = f", label={self.label!r}" if self.label is not None else ""
        return f"{name}({self._data!r}{grad}{label})"

    def _repr_html_(self) -> str | None:
        """The picture of the graph for a notebook, or None where there can be none (the text is shown then)."""
        try:
            return None if _display is None else _display(self)
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

    __slots__ = ("_parents", "_operands", "_seen", "_turn")

    _parents: tuple[Value, ...]
    _operands: tuple[float, ...]
    _turn: int  # the walk that came by last, and how many of the parents it has seen
    _seen: int

    @property
    def parents(self) -> tuple[Value, ...]:
        return self._parents

    @property
    def operands(self) -> tuple[float, ...]:
        return self._operands


native.keep((Value, Constant, Parameter, _WideValue))

# How a notebook shows a Value, as HTML: a drawing is made further down the house, and handed up through this.
_display: Callable[[Value], str | None] | None = None


def show_by(display: Callable[[Value], str | None]) -> None:
    """Let a function show Values in notebooks: given one, it returns HTML, or None to show the text."""
    global _display  # noqa: PLW0603  # set once, by the package
    _display = display


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
        frame = sys._getframe()
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
    if primitive.arity is not None and primitive.arity != len(operands):
        raise TypeError(f"{primitive.name} takes {primitive.arity} operand(s), got {len(operands)}")
    if primitive.arity == 1:
        return _unary(primitive, operands[0])
    if primitive.arity == 2:
        return _binary(primitive, _node(operands[0]), _node(operands[1]))
    return _wide(primitive, operands)


def _node(operand: Value | float) -> Value:
    return operand if isinstance(operand, Value) else _constant(operand)


def _wide(primitive: Primitive, operands: tuple[Value | float, ...]) -> Value:
    parents: list[Value] = []
    numbers: list[float] = []
    for operand in operands:
        parent = operand if isinstance(operand, Value) else _constant(operand)
        parents.append(parent)
        numbers.append(parent._data)
    data = native.value_of_many(primitive, numbers)
    if data - data != 0.0:
        data = _value_or_limit(primitive, *parents)
    node = _WideValue.__new__(_WideValue)
    node._data, node.label, node._primitive, node._mark = data, None, primitive, 0
    _fill(node, tuple(parents), tuple(numbers))
    return _watched(node) if _watchers else node


def _fill(node: _WideValue, parents: tuple[Value, ...], operands: tuple[float, ...]) -> None:
    node._parents, node._operands, node._turn = parents, operands, 0


def _constant(number: Any) -> Constant:
    node = Constant.__new__(Constant)
    node._data, node._grad, node.label, node._primitive = as_float(number), 0.0, None, None
    node._x, node._y, node._mark = 0.0, 0.0, 0
    return node


def _unary(primitive: Primitive, operand: Any) -> Value:
    parent = operand if isinstance(operand, Value) else _constant(operand)
    x = parent._data
    data = native.value_of_one(primitive, x)
    if data - data != 0.0:
        data = _value_or_limit(primitive, parent)
    node = Value.__new__(Value)
    node._data, node.label, node._primitive, node._mark = data, None, primitive, 0
    node._left, node._right, node._x = parent, None, x
    return _watched(node) if _watchers else node


def _binary(primitive: Primitive, left_operand: Any, right_operand: Any) -> Value:
    left = left_operand if isinstance(left_operand, Value) else _constant_or_none(left_operand)
    right = right_operand if isinstance(right_operand, Value) else _constant_or_none(right_operand)
    if left is None or right is None:
        return NotImplemented  # type: ignore[no-any-return]  # an operator hands it on to Python
    x, y = left._data, right._data
    data = native.value_of_two(primitive, x, y)
    if data - data != 0.0:
        data = _value_or_limit(primitive, left, right)
    node = Value.__new__(Value)
    node._data, node.label, node._primitive, node._mark = data, None, primitive, 0
    node._left, node._right, node._x, node._y = left, right, x, y
    return _watched(node) if _watchers else node


def _constant_or_none(operand: Any) -> Constant | None:
    """The other side of an operator as a constant; None if it has operators of its own, as an array has."""
    kind = type(operand)
    if kind is float or kind is int or isinstance(operand, Real | complex) or not hasattr(operand, "__radd__"):
        return _constant(operand)
    return None


def _value_or_limit(primitive: Primitive, *nodes: Value) -> float:
    """What a primitive is where it may not be finite: infinite on an overflow, an error outside the domain.

    Within a gradient that is recorded as a graph it is what IEEE 754 says, as in a gradient that is a float.
    """
    numbers = [node.data for node in nodes]
    try:
        return float(primitive.value(*numbers))
    except (ValueError, ArithmeticError) as error:
        if isinstance(error, OverflowError) or _ieee.get():
            return float(primitive.limit(*numbers))
        if primitive.domain:
            raise type(error)(primitive.refusal(*map(_described, nodes))) from None
        raise


def _described(node: Value) -> str:
    return f"{node._data!r}" if node.label is None else f"{node._data!r} (node {node.label!r:.80})"


def topological_order(output: Value) -> list[Value]:
    """Every node that the output depends on, itself included: parents before children, each once.

    The order is that of a depth-first walk which takes parents in the order of the operands, so it is the same on every
    run. The depth of a graph is limited by memory alone.

    Raises:
        TypeError: if `output` is no Value.
    """
    if not isinstance(output, Value):
        raise TypeError(f"expected a Value as output, got {output!r:.80} of type {type(output).__name__}")
    order: list[Value] = []
    displaced: _Displaced = [] if native.begin_walk() else None
    try:
        _tie(output, displaced, constants=True)
        node: Value | None = output
        while node is not None:
            order.append(node)
            node = node._next
    finally:
        _untie(output, displaced)
        native.end_walk()
    order.reverse()
    return order


# A walk. It ties the graph together through the nodes themselves and leaves its number in them, so there is one at a
# time. Where a rule that a walk runs walks itself, what that displaces is noted, and put back.

_walks = 1  # the number of the last one; 1 stands for one of long ago
_Displaced: TypeAlias = "list[tuple[Value, Value | None, float, float]] | None"


def _tie(output: Value, displaced: _Displaced, constants: bool) -> None:
    """From the output lead `_next` to every node of the graph, children before parents; leaves keep what grad they had.

    A depth-first walk. On its way `_next` leads from a node to the one that it was reached from, so it needs no memory
    of its own, however deep the graph is. Constants are left out unless they are asked for.
    """
    global _walks  # noqa: PLW0603  # a count that all walks share
    _walks += 1
    mark = 2 * _walks
    if displaced is not None:
        _note(displaced, output)
    output._mark, output._next = mark | output._mark & 1, None
    if output._primitive is None:
        output._x, output._y = output._grad, output._mark & 1
        return
    last: Value | None = None
    node: Value | None = output
    while node is not None:
        done = False
        if type(node) is _WideValue:
            parent = _unseen_parent(node, mark)
            done = parent is node
        elif node._left._mark < mark:
            parent = node._left
        elif node._right is not None and node._right._mark < mark:
            parent = node._right
        else:
            done = True
        if done:
            below = node._next
            node._next = last
            last = node
            node = below
            continue
        if displaced is not None:
            _note(displaced, parent)
        parent._mark = mark | parent._mark & 1
        if parent._primitive is None:
            if constants or type(parent) is not Constant:
                parent._x, parent._y = parent._grad, parent._mark & 1
                parent._next = last
                last = parent
        else:
            parent._next = node
            node = parent


def _note(displaced: list[tuple[Value, Value | None, float, float]], node: Value) -> None:
    if node._mark > 1:  # else no walk has come by before
        x, y = (node._x, node._y) if node._primitive is None else (0.0, 0.0)
        displaced.append((node, node._next, x, y))


def _unseen_parent(node: _WideValue, mark: int) -> Value:
    """The next parent of a node of many operands that the walk under way has not seen; the node itself at the end."""
    if node._turn != mark:
        node._turn, node._seen = mark, 0
    while node._seen < len(node._parents):
        parent = node._parents[node._seen]
        node._seen += 1
        if parent._mark < mark:
            return parent
    return node


def _untie(output: Value, displaced: _Displaced) -> None:
    """Take the tie off a graph, and let the walk go on that this one came into."""
    node: Value | None = output
    while node is not None:
        below = node._next
        node._next = None
        node = below
    if displaced is not None:
        for node, below, x, y in displaced:
            node._next = below
            if node._primitive is None:
                node._x, node._y = x, y


def _run_backward(output: Value) -> None:
    displaced: _Displaced = [] if native.begin_walk() else None
    try:
        _tie(output, displaced, constants=False)
        try:
            node: Value | None = output
            while node is not None:
                node._grad = 0.0
                node = node._next
            output._grad = 1.0
            node = output
            while node is not None:
                primitive = node._primitive
                if primitive is None:
                    node._grad += node._x  # what it had
                elif type(node) is _WideValue:
                    _hand_back(node, primitive)
                elif node._right is None:
                    if type(node._left) is not Constant:
                        slope = native.slope_of_one(primitive, node._data, node._x)
                        node._left._grad += node._grad * slope
                else:
                    if type(node._left) is not Constant:
                        slope = native.left_slope_of_two(primitive, node._data, node._x, node._y)
                        node._left._grad += node._grad * slope
                    if type(node._right) is not Constant:
                        slope = native.right_slope_of_two(primitive, node._data, node._x, node._y)
                        node._right._grad += node._grad * slope
                node._mark |= 1
                node = node._next
        except BaseException:  # an interrupt: no leaf may keep half a gradient
            node = output
            while node is not None:
                if node._primitive is None:
                    node.grad = node._x if node._y else None
                node = node._next
            raise
    finally:
        _untie(output, displaced)
        native.end_walk()


def _hand_back(node: _WideValue, primitive: Primitive) -> None:
    """Hand the gradient of a node of many operands, times its slopes, to its parents."""
    slopes = native.slopes_of_many(primitive, node._data, node._operands)
    for place, parent in enumerate(node._parents):
        if type(parent) is not Constant:
            parent._grad += node._grad * slopes[place]


def dependents(order: Iterable[Value], inputs: Iterable[Value]) -> set[Value]:
    """Those nodes of a topological order that depend on some inputs, and the inputs themselves."""
    found = set(inputs)
    for node in order:
        if not found.isdisjoint(node.parents):
            found.add(node)
    return found


# Copying. A node comes with a list of the nodes below it, parents first; when their own turn comes, they need none. If
# a copy is broken off, what is left in its list may come without one later on: it is then copied by recursion.
_listing = -1  # the walk that made the last list


def _listed(output: Value) -> list[Value]:
    global _listing  # noqa: PLW0603  # what the nodes of the list are known by
    order = topological_order(output)
    order.pop()
    _listing = output._mark >> 1
    output._mark = 2 | output._mark & 1
    return order


def _is_listed(node: Value) -> bool:
    """Whether a node is in the last list; each is asked for once."""
    listed = node._mark >> 1 == _listing
    if listed:
        node._mark = 2 | node._mark & 1
    return listed


def _rebuilt(
    below: list[Value] | None,
    kind: type[Value],
    data: float,
    grad: float | None,
    label: str | None,
    primitive: Primitive | None,
    parents: tuple[Value, ...],
    operands: tuple[float, ...],
) -> Value:
    """The node that `Value.__reduce__` took apart."""
    node = kind.__new__(kind)
    node._data, node.label, node._primitive, node._mark = data, label, primitive, 0
    node._x, node._y, node.grad = 0.0, 0.0, grad
    if isinstance(node, _WideValue):
        _fill(node, parents, operands)
    elif primitive is not None:
        node._left, node._x = parents[0], operands[0]
        node._right = None
        if len(parents) == 2:
            node._right, node._y = parents[1], operands[1]
    return node


def sum(values: Iterable[Value | float]) -> Value:
    """The sum of values as one node, added from left to right; that of no values is the constant 0."""
    operands = tuple(values)
    return _wide(summation, operands) if operands else Constant(0.0)


def prod(values: Iterable[Value | float]) -> Value:
    """The product of values as one node, multiplied from left to right; that of no values is the constant 1."""
    operands = tuple(values)
    return _wide(product, operands) if operands else Constant(1.0)


def dot(left: Iterable[Value | float], right: Iterable[Value | float]) -> Value:
    """The sum of the products of two lists' members, as one node.

    Raises:
        ValueError: if the lists differ in length.
    """
    left, right = tuple(left), tuple(right)
    if len(left) != len(right):
        raise ValueError(f"dot needs two lists of the same length, got {len(left)} and {len(right)} values")
    return _wide(dot_product, left + right) if left else Constant(0.0)


def where(condition: Value | float | bool, a: Value | float, b: Value | float) -> Value:
    """Choose `a` where the condition holds, else `b`; no gradient goes to the other one, nor to the condition.

    Args:
        condition: a truth value such as `x > 0`, or a number that holds unless it is 0.
        a: the Value or number to choose where the condition holds.
        b: the one to choose where it does not.
    """
    if isinstance(condition, bool) or hasattr(condition, "dtype"):  # a truth value of Python or of NumPy
        condition = float(condition)
    return apply(where_row, condition, a, b)
