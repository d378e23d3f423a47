"""Nodes made of operands: a primitive applied to them, and nodes rebuilt from their parts.

>>> from autograd import Value, hypot
>>> apply(hypot, Value(3.0), 4)
Value(5.0)

Nodes of one and of two operands are made in `value.py`, where the operators are.
"""

from __future__ import annotations

import math

from autograd.hooks import hooks
from autograd.modes import is_ieee, tracers, watchers
from autograd.native import runtime
from autograd.primitives import Primitive
from autograd.value import Value, _binary, _constant, _described, _unary, _watched, _WideValue


def apply(primitive: Primitive, *operands: Value | float) -> Value:
    """Apply a primitive to Values and numbers, and record the node that results.

    Args:
        primitive: from the table, or one of your own.
        operands: as many as the primitive takes; a plain number becomes a constant.

    Returns:
        The new node; under `no_grad()`, a constant.

    Raises:
        TypeError: for an operand that is not a real number, or the wrong number of operands.
        ValueError, ZeroDivisionError: if the primitive has no value there; the message names the operand and its label.
            A result too large for a float is infinite, as IEEE 754 has it, and raises nothing.
    """
    if primitive.arity is not None and primitive.arity != len(operands):
        raise TypeError(f"{primitive.name} takes {primitive.arity} operand(s), got {len(operands)}")
    if primitive.arity == 1:
        return _unary(primitive, operands[0])
    if primitive.arity == 2:
        left, right = [operand if isinstance(operand, Value) else _constant(operand) for operand in operands]
        return _binary(primitive, left, right)
    return apply_wide(primitive, operands)


def apply_wide(primitive: Primitive, operands: tuple[Value | float, ...]) -> Value:
    """Apply a primitive of any number of operands, as `apply` does."""
    parents: list[Value] = []
    numbers: list[float] = []
    for operand in operands:
        parent = operand if isinstance(operand, Value) else _constant(operand)
        parents.append(parent)
        numbers.append(parent._data)
    data = runtime.value_of_many(primitive, numbers)
    if not math.isfinite(data):
        data = _value_or_limit(primitive, tuple(parents))
    node = _WideValue.__new__(_WideValue)
    node._data, node._grad, node._has_grad, node._label, node._primitive = data, 0.0, False, None, primitive
    _fill(node, tuple(parents), tuple(numbers))
    return _watched(node) if watchers else node


def _fill(node: _WideValue, parents: tuple[Value, ...], operands: tuple[float, ...]) -> None:
    node._parents, node._operands = parents, operands


def _value_or_limit(primitive: Primitive, nodes: tuple[Value, ...]) -> float:
    """What a primitive is where it may not be finite: infinite on an overflow, an error outside the domain.

    Within a gradient that is recorded as a graph it is what IEEE 754 says, as in a gradient that is a float.
    """
    numbers = []
    for node in nodes:
        numbers.append(node._data)  # noqa: PERF401  # a comprehension has no types; `data` is refused while recording
    try:
        return float(primitive.value(*numbers))
    except (ValueError, ArithmeticError) as error:
        if isinstance(error, OverflowError) or is_ieee.get():
            return float(primitive.limit(*numbers))
        if primitive.domain:
            raise type(error)(primitive.refusal(*map(_described, nodes))) from None
        raise


def rebuild(
    kind: type[Value],
    data: float,
    grad: float | None,
    label: str | None,
    primitive: Primitive | None,
    parents: tuple[Value, ...],
    operands: tuple[float, ...],
) -> Value:
    """A node of these parts, for copies and pickles; a ValueError if they do not fit together."""
    node = kind.__new__(kind)
    arity = 0 if primitive is None else primitive.arity or max(len(parents), 1)
    is_wide = primitive is not None and primitive.arity not in (1, 2)
    fits = arity == len(parents) == len(operands)
    for parent in parents:
        fits = fits and isinstance(parent, Value)
    if not fits or (primitive is not None and is_wide is not isinstance(node, _WideValue)):
        raise ValueError(f"damaged copy of a node: {primitive!r} of {len(parents)} parents, {len(operands)} operands")
    node._data, node._label, node._primitive, node.grad = data, label, primitive, grad
    if isinstance(node, _WideValue):
        _fill(node, parents, operands)
    elif primitive is not None:
        node._left, node._right, node._x = parents[0], None, operands[0]
        if arity == 2:
            node._right, node._y = parents[1], operands[1]
    return node


def _plain_refusal(node: Value, kind: str) -> TypeError:
    if tracers:
        hooks.refuse(node, f"turn a node into a plain {kind}")
    return TypeError(
        f"turning {_described(node)} into a plain {kind} would drop its gradient: use v.data for the number, or "
        f"the method (v.exp() instead of math.exp(v)) to stay in the graph"
    )


hooks.apply, hooks.value_or_limit, hooks.plain_refusal = apply, _value_or_limit, _plain_refusal
