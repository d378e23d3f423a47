"""Classic expressions that lose digits, each with one that keeps them.

>>> from autograd import Value
>>> from autograd.notation import Names
>>> from autograd.tape import Tape
>>> x = Value(1e-5, label="x")
>>> y = 1.0 - x.cos()
>>> remedy(y, Names(y, Tape(y).nodes).of)
'2 · sin(x / 2) ** 2'

Both sides are functions of numbers of any kind. They are equal, which the tests check with many digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autograd.notation import Formula
from autograd.primitives import (
    Operators,
    Primitive,
    add,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    expm1,
    hypot,
    log,
    log1p,
    maximum,
    multiply,
    power,
    sigmoid,
    sin,
    softplus,
    sqrt,
    tanh,
)
from autograd.value import Value, is_constant

Function = Any  # a lambda of numbers of any kind

# What loses digits, and what is equal to it. The names of the arguments are those of any nodes.
REMEDIES: list[tuple[Function, Function]] = [
    (lambda a: 1.0 - cos(a), lambda a: 2.0 * sin(a / 2.0) ** 2.0),
    (lambda a: cos(a) - 1.0, lambda a: -2.0 * sin(a / 2.0) ** 2.0),
    (lambda a, b: cos(a) - cos(b), lambda a, b: -2.0 * sin((a + b) / 2.0) * sin((a - b) / 2.0)),
    (lambda a, b: sin(a) - sin(b), lambda a, b: 2.0 * cos((a + b) / 2.0) * sin((a - b) / 2.0)),
    (lambda a: exp(a) - 1.0, expm1),
    (lambda a: 1.0 - exp(a), lambda a: -expm1(a)),
    (lambda a, b: exp(a) - exp(b), lambda a, b: exp(b) * expm1(a - b)),
    (lambda a: log(1.0 + exp(a)) - a, lambda a: softplus(-a)),
    (lambda a: log(1.0 + exp(a)), softplus),
    (lambda a: log(sigmoid(a)), lambda a: -softplus(-a)),
    (lambda a: log(1.0 + a), log1p),
    (lambda a: log(1.0 - a), lambda a: log1p(-a)),
    (lambda a, b: log(exp(a) / (exp(a) + exp(b))), lambda a, b: -softplus(b - a)),
    (lambda a, b: log(exp(a) / b), lambda a, b: a - log(b)),
    (lambda a, b: log(exp(a) + exp(b)), lambda a, b: maximum(a, b) + log1p(exp(-abs(a - b)))),
    (lambda a, b: log(a) - log(b), lambda a, b: log1p((a - b) / b)),
    (lambda a: exp(a) / (1.0 + exp(a)), sigmoid),
    (lambda a: 1.0 - sigmoid(a), lambda a: sigmoid(-a)),
    (lambda a: 1.0 - (t := tanh(a)) * t, lambda a: 1.0 / cosh(a) ** 2.0),
    (lambda a: 1.0 - erf(a), erfc),
    (lambda a, b: sqrt(a * a + b * b), hypot),
    (lambda a, b: a * a - b * b, lambda a, b: (a - b) * (a + b)),
    (lambda a: sqrt(1.0 + a) - 1.0, lambda a: a / (sqrt(1.0 + a) + 1.0)),
    (lambda a: 1.0 - sqrt(1.0 - a), lambda a: a / (1.0 + sqrt(1.0 - a))),
    (lambda a, b: sqrt(a) - sqrt(b), lambda a, b: (a - b) / (sqrt(a) + sqrt(b))),
    (lambda b, q: sqrt(b * b - q) - b, lambda b, q: -q / (sqrt(b * b - q) + b)),
    (lambda b, q: -b + sqrt(b * b - q), lambda b, q: -q / (b + sqrt(b * b - q))),
    (lambda b, q: b - sqrt(b * b - q), lambda b, q: q / (b + sqrt(b * b - q))),
    (lambda b, q: -b - sqrt(b * b - q), lambda b, q: q / (-b + sqrt(b * b - q))),
]
# What has no such formula, and what to do.
ADVICE: list[tuple[Function, str]] = [
    (lambda a, n, m: a / n - m * m, "for a variance, subtract the mean from each number before it is squared"),
    (
        lambda a, b: log(exp(a) / b),
        "for a softmax, write −log1p(s), where s is the sum of exp(b − a) of other inputs b",
    ),
]
# What keeps the digits of a slope, for a positive input and for a negative one.
SLOPES: dict[Primitive, tuple[Function, Function]] = {
    sigmoid: (lambda a: 1.0 - sigmoid(-a), sigmoid),
    tanh: (lambda a: 1.0 - 2.0 * sigmoid(-2.0 * a), lambda a: 2.0 * sigmoid(2.0 * a) - 1.0),
}
OVERFLOWS: dict[Primitive | None, str] = {exp: "in a softmax, subtract the largest input from all of them first"}


def remedy(node: Value, written: Callable[[Value], Formula], exact: Any = None) -> str:
    """Return the text of an expression that is equal to a node and keeps more digits; empty if none is known.

    Args:
        node: the node.
        written: returns the formula of a node that it is computed from.
        exact: its number with many digits. An expression is passed over unless its error, computed from the same
            floats, is less than a tenth of the node's; by default none is.
    """
    for lossy, better in REMEDIES:
        found = _matched(lossy, node)
        if found is not None and (exact is None or _helps(better, found, node.data, exact)):
            return Formula.of(better(*map(written, found))).plain
    return ""


def remedy_of_slope(node: Value, written: Callable[[Value], Formula]) -> str:
    """Return likewise an expression that is equal to a node and whose slope keeps more digits."""
    if node.primitive not in SLOPES:
        return ""
    positive, negative = SLOPES[node.primitive]
    better = positive if node.operands[0] > 0.0 else negative
    return Formula.of(better(written(node.parents[0]))).plain


def advice(node: Value) -> str:
    """Return what else to do about a node that loses digits; empty if nothing is known."""
    return next((text for lossy, text in ADVICE if _matched(lossy, node) is not None), "")


def _helps(better: Function, arguments: list[Value], number: float, exact: Any) -> bool:
    try:
        other = better(*[argument.data for argument in arguments])
    except (ValueError, ArithmeticError):
        return False
    old, new = [abs(it - exact) if math.isfinite(it) else math.inf for it in (number, other)]
    return bool(10.0 * new < old)


class _Pattern(Operators):
    """What a function applies to its arguments: a tree of primitives, arguments and numbers."""

    __slots__ = ("operands", "primitive")

    def __init__(self, primitive: Primitive | None, *operands: Any) -> None:
        self.primitive, self.operands = primitive, operands

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Any) -> _Pattern:
        return _Pattern(primitive, *operands)

    def matches(self, node: Value, found: dict[_Pattern, Value]) -> bool:
        """Return whether a node is computed like this, and note which nodes the arguments are."""
        if self.primitive is None:
            known = found.setdefault(self, node)
            return known is node or (is_constant(known) and is_constant(node) and known.data == node.data)
        parents = node.parents
        if self.primitive is multiply and node.primitive is power and self.operands[0] is self.operands[1]:
            return parents[1].data == 2.0 and is_constant(parents[1]) and _match(self.operands[:1], parents[:1], found)
        if node.primitive is not self.primitive:
            return False
        is_symmetric = self.primitive is add or self.primitive is multiply
        return _match(self.operands, parents, found) or (is_symmetric and _match(self.operands, parents[::-1], found))


def _match(patterns: tuple[Any, ...], nodes: tuple[Value, ...], found: dict[_Pattern, Value]) -> bool:
    trial = dict(found)
    for pattern, node in zip(patterns, nodes, strict=True):
        if isinstance(pattern, _Pattern):
            if not pattern.matches(node, trial):
                return False
        elif not is_constant(node) or node.data != pattern:
            return False
    found.update(trial)
    return True


def _matched(function: Function, node: Value) -> list[Value] | None:
    """Return the nodes that the arguments of a function are, if a node is computed as it does; else None."""
    arguments = [_Pattern(None) for _ in range(function.__code__.co_argcount)]
    found: dict[_Pattern, Value] = {}
    return [found[argument] for argument in arguments] if function(*arguments).matches(node, found) else None
