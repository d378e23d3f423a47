"""Random programs, compared with an independent reference.

A program has 1 to 4 inputs and 1 to 12 instructions over all primitives of the table. Operands are inputs, constants
and earlier results, shared and repeated at will; branches of functions outside their domain or at a pole, which are
chosen or not, are frequent. The reference is reverse mode, by the formulas and the rule of zeros in this file, which
use neither the slopes nor the backward pass of the project. Compared are the number of every node, and the gradient of
every input after `backward()`.

The number of a node is compared with that of the reference at the same operands, and both go on from the node's own. So
both differentiate at the very same points, at kinks and ties too, and rounding is not amplified from node to node. The
tolerance is relative to a scale: that of the same calculation with all signs positive, which accounts for cancellation.
A node with a finite number or slope beyond 1e±25 is compared with its slopes on its own, and the program goes on
without it. Numbers and slopes that are not finite stay in the program.

Of half of the programs an instruction outside the domain must raise in the engine, and is replaced by another. The
others are run as functions: by IEEE 754, with `value_and_grad`; of these each tenth is compiled, called and run for a
batch: with its gradient, with choices that its gradient decides, with its Hessian, or with derivatives in a direction.
They must give the numbers of the reference, or raise the error of an operation outside its domain, if a result is not
finite and depends on it through operands that were chosen. The reference has no slopes outside a domain, nor after an
overflow, and does not say what a gradient of rounding errors gives with an infinite slope: such a gradient is counted
as undecided, and the engine is compared with its compiled self there. In each 100th program the replayed steps,
`gradients`, a deep copy and a pickle are compared too.

    python tests/campaigns/programs.py [--count 1000000] [--seed 1] [--only INDEX]
    STEPGRAD_ENGINE=plain python tests/campaigns/programs.py --count 50000

This file is long because each primitive has a line for its number, its slopes, its domain and its scale. The totals are
printed in one line. If anything differs, the first few programs follow, and the exit status is 1; `--only` runs one
program of a seed again.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import math
import multiprocessing
import os
import pickle
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Constant, Value, ieee_arithmetic
from autograd.primitives import PRIMITIVES, Primitive

TOLERANCE = 1e-12
LARGEST = 1e25  # of 12 factors the product fits into a float
SHOWN = 5  # failures
BATCH = 2000
SPECIAL = 0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0
Floats = tuple[float, ...]
inf, nan = math.inf, math.nan


class FailureError(Exception):
    """The engine and the reference differ."""


# The reference: for each primitive its number and its slopes.


def product(gradient: float, slope: float, selects: bool = False) -> float:
    """The product, in which 0 counts more than what is not finite: a gradient of 0, and a slope of 0 that selects."""
    return 0.0 if not gradient or (not slope and selects) else gradient * slope


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else math.exp(x)


def normal(x: float) -> tuple[float, float]:
    """The standard normal distribution function and its density."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0)), math.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi)


def bell(x: float) -> float:
    return 2.0 / math.sqrt(math.pi) * math.exp(-x * x)


def arc(x: float) -> float:
    return 1.0 / math.sqrt(1.0 - x) / math.sqrt(1.0 + x) if abs(x) < 1.0 else inf


def extreme(a: float, b: float, is_first: bool) -> tuple[float, Floats]:
    if a == b:
        return a, (0.5, 0.5)
    return (a, (1.0, 0.0)) if is_first else (b, (0.0, 1.0))


def over(a: float, b: float) -> float:
    """The quotient by IEEE 754."""
    return a / b if b else a * math.copysign(inf, b)


def power(x: float, y: float) -> tuple[float, Floats]:
    out = math.pow(x, y)
    if x:
        base = x if abs(y) <= 2.0**53 else abs(x)  # beyond, y - 1 is y: the table says that the sign is lost
        return out, (y * out / base if y else 0.0, out * math.log(x) if x > 0.0 else nan)
    return out, (0.0 if y == 0.0 or y > 1.0 else 1.0 if y == 1.0 else inf, 0.0)


def atan2(y: float, x: float) -> tuple[float, Floats]:
    length = math.hypot(x, y)
    return math.atan2(y, x), (x / length / length, -y / length / length) if length else (nan, nan)


def hypot(a: float, b: float) -> tuple[float, Floats]:
    out = math.hypot(a, b)
    return out, (a / out, b / out) if out else (nan, nan)


def bounded(x: float) -> float:
    """x as a factor of what is 0 for large x."""
    return min(max(x, -1e4), 1e4)


def silu(x: float) -> tuple[float, Floats]:
    return max(x, -1e4) * sigmoid(x), (sigmoid(x) + bounded(x) * sigmoid(x) * sigmoid(-x),)


def gelu(x: float) -> tuple[float, Floats]:
    below, density = normal(x)
    return max(x, -1e4) * below, (below + bounded(x) * density,)


def tanh(x: float) -> tuple[float, Floats]:
    return math.tanh(x), (1.0 / math.cosh(x) ** 2 if abs(x) < 350.0 else 0.0,)


def remainder(a: float, b: float) -> tuple[float, Floats]:
    quotient = Fraction(a) // Fraction(b) if math.isfinite(a) and math.isfinite(b) else math.nan
    try:
        return a % b, (1.0, -float(quotient))
    except OverflowError:
        return a % b, (1.0, -inf if quotient > 0 else inf)


def total(*xs: float) -> tuple[float, Floats]:
    return math.fsum(xs), (1.0,) * len(xs)


def product_of_all(*xs: float) -> tuple[float, Floats]:
    return math.prod(xs), tuple([math.prod(xs[:i] + xs[i + 1 :]) for i in range(len(xs))])


def extreme_of_all(best: float, xs: Floats) -> tuple[float, Floats]:
    ties = xs.count(best)
    return best, tuple([1.0 / ties if x == best else 0.0 for x in xs])


def dot(*xs: float) -> tuple[float, Floats]:
    left, right = xs[: len(xs) // 2], xs[len(xs) // 2 :]
    return math.fsum([a * b for a, b in zip(left, right, strict=True)]), right + left


REFERENCE: dict[str, Callable[..., tuple[float, Floats]]] = {
    "add": lambda a, b: (a + b, (1.0, 1.0)),
    "subtract": lambda a, b: (a - b, (1.0, -1.0)),
    "multiply": lambda a, b: (a * b, (b, a)),
    "divide": lambda a, b: (a / b, (1.0 / b, -a / b / b)),
    "negate": lambda x: (-x, (-1.0,)),
    "remainder": remainder,
    "power": power,
    "greater": lambda a, b: (float(a > b), (0.0, 0.0)),
    "where": lambda condition, a, b: (a, (0.0, 1.0, 0.0)) if condition else (b, (0.0, 0.0, 1.0)),
    "maximum": lambda a, b: extreme(a, b, a > b),
    "minimum": lambda a, b: extreme(a, b, a < b),
    "strong_multiply": lambda a, b: (product(a, b), (b, a)),
    "select_multiply": lambda a, b: (product(a, b, True), (b, a)),
    "stop_gradient": lambda x: (x, (0.0,)),
    "abs": lambda x: (abs(x), (float(x > 0.0) - float(x < 0.0),)),
    "sign": lambda x: (float(x > 0.0) - float(x < 0.0), (0.0,)),
    "floor": lambda x: (float(math.floor(x)), (0.0,)),
    "ceil": lambda x: (float(math.ceil(x)), (0.0,)),
    "exp": lambda x: (math.exp(x), (math.exp(x),)),
    "expm1": lambda x: (math.expm1(x), (math.exp(x),)),
    "log": lambda x: (math.log(x), (1.0 / x,)),
    "exp2": lambda x: (math.pow(2.0, x), (math.pow(2.0, x) * math.log(2.0),)),
    "log2": lambda x: (math.log2(x), (1.0 / (x * math.log(2.0)),)),
    "log10": lambda x: (math.log10(x), (1.0 / (x * math.log(10.0)),)),
    "log1p": lambda x: (math.log1p(x), (1.0 / (1.0 + x),)),
    "sqrt": lambda x: (math.sqrt(x), (over(0.5, math.copysign(math.sqrt(x), x)),)),
    "sin": lambda x: (math.sin(x), (math.cos(x),)),
    "cos": lambda x: (math.cos(x), (-math.sin(x),)),
    "tan": lambda x: (math.tan(x), (1.0 / math.cos(x) ** 2,)),
    "one_minus_square": lambda x: ((1.0 - x) * (1.0 + x), (-2.0 * x,)),
    "asin": lambda x: (math.asin(x), (arc(x),)),
    "acos": lambda x: (math.acos(x), (-arc(x),)),
    "atan": lambda x: (math.atan(x), (1.0 / (1.0 + x * x),)),
    "hypot": hypot,
    "atan2": atan2,
    "sinh": lambda x: (math.sinh(x), (math.cosh(x),)),
    "cosh": lambda x: (math.cosh(x), (math.sinh(x),)),
    "tanh": tanh,
    "asinh": lambda x: (math.asinh(x), (1.0 / math.hypot(1.0, x),)),
    "acosh": lambda x: (math.acosh(x), (1.0 / math.sqrt(x - 1.0) / math.sqrt(x + 1.0) if x > 1.0 else inf,)),
    "atanh": lambda x: (math.atanh(x), (1.0 / ((1.0 - x) * (1.0 + x)),)),
    "erf": lambda x: (math.erf(x), (bell(x),)),
    "erfc": lambda x: (math.erfc(x), (-bell(x),)),
    "sigmoid": lambda x: (sigmoid(x), (sigmoid(x) * sigmoid(-x),)),
    "relu": lambda x: (x, (1.0,)) if x > 0.0 else (0.0, (0.0,)),
    "leaky_relu": lambda x, a: (x, (1.0, 0.0)) if x > 0.0 else (a * x, (a, x)),
    "softplus": lambda x: (x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x)), (sigmoid(x),)),
    "silu": silu,
    "gelu": gelu,
    "sum": total,
    "prod": product_of_all,
    "max": lambda *xs: extreme_of_all(max(xs), xs),
    "min": lambda *xs: extreme_of_all(min(xs), xs),
    "dot": dot,
}
FINITE = math.isfinite
DOMAIN: dict[str, Callable[..., bool]] = {
    "divide": lambda a, b: b != 0.0,
    "remainder": lambda a, b: b != 0.0,
    "power": lambda x, y: x > 0.0 or (y >= 0.0 if x == 0.0 else x == -inf or abs(y) == inf or y == math.floor(y)),
    "log": lambda x: x > 0.0,
    "log2": lambda x: x > 0.0,
    "log10": lambda x: x > 0.0,
    "log1p": lambda x: x > -1.0,
    "sqrt": lambda x: x >= 0.0,
    "sin": FINITE,
    "cos": FINITE,
    "tan": FINITE,
    "asin": lambda x: abs(x) <= 1.0,
    "acos": lambda x: abs(x) <= 1.0,
    "acosh": lambda x: x >= 1.0,
    "atanh": lambda x: abs(x) < 1.0,
}
QUOTIENTS = "divide", "remainder"  # outside their domain whatever is divided, and by another error
# Slopes of 0 mean that an operand was not chosen.
SELECTING = {
    *("where", "greater", "maximum", "minimum", "relu", "leaky_relu", "abs", "sign", "floor", "ceil", "remainder"),
    *("stop_gradient", "select_multiply", "max", "min"),
}
# The formulas hold for infinite operands too. Of nan they say nothing, apart from those that choose.
EXTENDED = {
    *("add", "subtract", "multiply", "divide", "negate", "greater", "where", "maximum", "minimum", "stop_gradient"),
    *("abs", "sign", "exp", "log", "sqrt", "sigmoid", "relu", "prod"),
}
CHOOSING = "greater", "where", "stop_gradient"
HIDING = {*CHOOSING, "power", "exp2", "hypot", "strong_multiply", "select_multiply"}  # nan among the operands
# What rounding is relative to, for the number and for the slopes, where it is not their own size: where terms cancel,
# or where an argument that is rounded is a large exponent.
SCALE: dict[str, Callable[..., tuple[float, Floats]]] = {
    "tanh": lambda x: (math.tanh(x), (1.0,)),
    "sigmoid": lambda x: (sigmoid(x), (sigmoid(x),)),
    "erf": lambda x: (math.erf(x), (bell(x) * (1.0 + x * x),)),
    "erfc": lambda x: (math.erfc(x), (bell(x) * (1.0 + x * x),)),
    "silu": lambda x: (silu(x)[0], (sigmoid(x) + abs(bounded(x)) * sigmoid(x) * sigmoid(-x),)),
    "gelu": lambda x: (
        gelu(x)[0] * (1.0 + x * x),
        ((normal(x)[0] + abs(bounded(x)) * normal(x)[1]) * (1.0 + bounded(x) ** 2),),
    ),
    "sum": lambda *xs: (math.fsum(map(abs, xs)), (1.0,) * len(xs)),
    "dot": lambda *xs: dot(*map(abs, xs)),
}
ROWS = {name: (name, row, REFERENCE.get(name), DOMAIN.get(name), SCALE.get(name)) for name, row in PRIMITIVES.items()}
NAMES = list(ROWS)
CHOOSE, GREATER = PRIMITIVES["where"], PRIMITIVES["greater"]
RISKY = "log", "sqrt", "divide", "power", "asin", "acosh", "atanh", "log1p", "remainder", "exp", "atan2"
assert REFERENCE.keys() == PRIMITIVES.keys()


def applied(primitive: Primitive, operands: Sequence[Value | float]) -> Value:
    """Apply a primitive; of plain numbers alone the first becomes a constant, since the result would be a float."""
    first, *others = operands
    is_plain = not any(isinstance(operand, Value) for operand in operands)
    node: Value = primitive(Constant(float(first)) if is_plain else first, *others)
    return node


class Number(NamedTuple):
    """An operand: how it is written, what the engine is given, and its place among the nodes if it has gradients."""

    text: str
    operand: Value | float
    data: float
    place: int | None


class Node(NamedTuple):
    """What the reference knows of an input or a result: slopes are None where it does not know them."""

    name: str
    operands: Sequence[Number]
    data: float
    slopes: Floats | None
    sizes: Floats
    error: type[Exception] | None


def some_number(generator: random.Random) -> float:
    share = generator.random()
    if share < 0.3:
        return SPECIAL[int(generator.random() * len(SPECIAL))]
    if share < 0.8:
        return generator.uniform(-3.0, 3.0)
    if share < 0.95:
        return generator.uniform(-1.0, 1.0) * math.pow(10.0, int(generator.uniform(-3.0, 4.0)))
    return math.pow(10.0, generator.uniform(-12.0, 12.0))


def is_tame(number: float) -> bool:
    return number == 0.0 or 1.0 / LARGEST < abs(number) < LARGEST or not math.isfinite(number)


def same(given: object, expected: object) -> bool:
    """Whether numbers are the same, and nan where nan is."""
    return str(given).replace("-0.0", "0.0") == str(expected).replace("-0.0", "0.0")


def agrees(given: float, expected: float, scale: float) -> bool:
    if not math.isfinite(expected):
        return given == expected or (given != given and expected != expected)
    return given == expected or abs(given - expected) <= TOLERANCE * scale


def is_vague(number: float, scale: float) -> bool:
    """Whether it is not known by rounding if a number is 0, and which sign it has."""
    return scale > 0.0 and abs(number) <= TOLERANCE * scale


def outcome(function: Callable[..., Any], *arguments: object) -> Any:
    """What a function gives, or the error of an operation outside its domain."""
    try:
        return function(*arguments)
    except (ValueError, ZeroDivisionError) as error:
        return error


def row_of(results: Any, row: int) -> Any:
    """The results of one example of a batch."""
    return tuple([row_of(part, row) for part in results]) if isinstance(results, tuple) else results[row].item()


class Program:
    """One program, built and compared while it is run."""

    def __init__(self, seed: int, index: int, counts: Counter[str]) -> None:
        self.generator = random.Random((seed << 40) + index)
        self.index, self.counts = index, counts
        count = 1 + int(self.generator.random() * 4)
        self.inputs = [Value(some_number(self.generator)) for _ in range(count)]
        self.numbers = [Number(f"x{i}", leaf, leaf.data, i) for i, leaf in enumerate(self.inputs)]
        self.nodes = [Node("", (), leaf.data, (), (), None) for leaf in self.inputs]
        self.lines = [f"x{i} = {leaf.data!r}" for i, leaf in enumerate(self.inputs)]
        if self.generator.random() < 0.3:
            constant = Constant(some_number(self.generator))
            self.numbers.append(Number("c", constant, constant.data, None))
            self.lines.append(f"c = Constant({constant.data!r})")
        self.is_function = self.generator.random() < 0.5

    def run(self) -> None:
        length = len(self.nodes) + 1 + int(self.generator.random() * 12)
        with ieee_arithmetic() if self.is_function else nullcontext():
            while len(self.nodes) < length:
                if self.generator.random() < 0.2:
                    self.branch()
                else:
                    self.instruct(NAMES[int(self.generator.random() * len(NAMES))])
            if self.is_function and self.generator.random() < 0.2:  # an infinite result, which is no error
                self.instruct("add", self.numbers[-1], self.instruct("exp", Number("1000.0", 1000.0, 1000.0, None)))
        output = self.numbers[-1]
        assert isinstance(output.operand, Value)
        grads, scales, are_known = self.reverse()
        twins = []
        if self.index % 100 == 0:
            graph = (output.operand, self.inputs)
            twins = [copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))]
            recorded = self.replay(output)
        output.operand.backward()
        given = [leaf.grad for leaf in self.inputs]
        self.compare("backward", given, grads, scales, are_known)
        for name, (twin, inputs) in zip(("a deep copy", "a pickle"), twins, strict=False):
            self.compare("gradients", recorded, grads, scales, are_known)
            twin.backward()
            if not same([leaf.grad for leaf in inputs], given) or not same(twin.data, output.data):
                raise FailureError(f"{name} gives {[leaf.grad for leaf in inputs]}, the graph gives {given}")
        if self.is_function:
            self.transform(grads, scales, are_known)

    def replay(self, output: Number) -> list[float]:
        assert isinstance(output.operand, Value)
        recorded = [node.data for node in autograd.gradients(output.operand, self.inputs)]
        self.counts["replayed"] += 1
        steps = autograd.steps(output.operand)
        replayed = {step.parent: step.after for step in steps if step.parent is not None}
        twin, inputs = copy.deepcopy((output.operand, self.inputs))
        twin.backward()
        after = [replayed.get(leaf, 0.0) for leaf in self.inputs]
        if not same(after, [leaf.grad for leaf in inputs]):
            raise FailureError(f"the steps give {after}, backward gives {[leaf.grad for leaf in inputs]}")
        return recorded

    def reverse(self) -> tuple[list[float], list[float], list[bool]]:
        """The gradients of the inputs, what their rounding is relative to, and whether they are known."""
        nodes = self.nodes
        grads, scales, are_known = [0.0] * len(nodes), [0.0] * len(nodes), [True] * len(nodes)
        grads[-1] = scales[-1] = 1.0
        for place in range(len(nodes) - 1, len(self.inputs) - 1, -1):
            node, grad, scale, is_known = nodes[place], grads[place], scales[place], are_known[place]
            if not grad and not scale and is_known:
                continue
            for i, operand in enumerate(node.operands):
                at = operand.place
                if at is None or node.name == "stop_gradient":
                    continue
                if node.slopes is None or not is_known:
                    are_known[at] = False
                    continue
                slope, size = node.slopes[i], abs(node.sizes[i])
                selects = node.name in SELECTING or (node.name == "strong_multiply" and i == 1)
                if not slope and not size and selects:
                    continue
                grads[at] += product(grad, slope, selects)
                scales[at] += product(scale, size)
                if (is_vague(grad, scale) and not math.isfinite(slope)) or (
                    is_vague(slope, size) and not math.isfinite(grad)
                ):
                    are_known[at] = False
        count = len(self.inputs)
        return grads[:count], scales[:count], are_known[:count]

    def compare(
        self, name: str, given: Sequence[float], grads: list[float], scales: list[float], are_known: list[bool]
    ) -> None:
        self.counts["gradients"] += len(given)
        for i, (one, other, scale) in enumerate(zip(given, grads, scales, strict=True)):
            if not are_known[i]:
                self.counts["undecided"] += 1
            elif not agrees(one, other, scale):
                raise FailureError(f"{name}: the gradient of x{i} is {one!r}, the reference has {other!r} ± {scale!r}")

    def errors(self) -> set[type[Exception]]:
        """The errors of operations outside their domain that the output depends on through chosen operands."""
        found, reached = set(), {len(self.nodes) - 1}
        for place in range(len(self.nodes) - 1, -1, -1):
            if place not in reached:
                continue
            node = self.nodes[place]
            chosen = list(node.operands)
            if node.name == "where":
                del chosen[2 if chosen[0].data else 1]
            elif node.name in ("maximum", "minimum", "max", "min"):
                chosen = [operand for operand in chosen if same(operand.data, node.data)]
            reached.update([operand.place for operand in chosen if operand.place is not None])
            if node.error is not None:
                found.add(node.error)
        return found

    def transform(self, grads: list[float], scales: list[float], are_known: list[bool]) -> None:
        """Run the program as a function, eagerly and compiled."""
        nodes, count = self.nodes, len(self.inputs)

        def function(*inputs: Value) -> Value:
            made = list(inputs)
            for node in nodes[count:]:
                operands = [o.operand if o.place is None else made[o.place] for o in node.operands]
                made.append(applied(PRIMITIVES[node.name], operands))
            return made[-1]

        differentiated = autograd.value_and_grad(function, argnums=tuple(range(count)))
        point = [leaf.data for leaf in self.inputs]
        given, errors, data = outcome(differentiated, *point), self.errors(), nodes[-1].data
        self.counts["functions"] += 1
        is_known = all(are_known) or not math.isfinite(data)
        is_finite = all(map(math.isfinite, [data, *itertools.compress(grads, are_known)]))
        if isinstance(given, Exception):
            self.counts["errors"] += 1
            if type(given) not in errors or (is_known and is_finite):
                raise FailureError(f"value_and_grad raises {given!r}; the reference has {grads}, errors {errors}")
        elif errors and not is_finite:
            raise FailureError(f"value_and_grad gives {given!r}; the reference has {grads}, and an error of {errors}")
        else:
            value, slopes = given
            if not same(value, data):
                raise FailureError(f"value_and_grad: the value is {value!r}, eagerly {data!r}")
            self.compare("value_and_grad", slopes, grads, scales, are_known)

        def deciding(*inputs: float) -> Any:  # what gradients decide that no result depends on otherwise
            value, slopes = differentiated(*inputs)
            return value, tuple([CHOOSE(GREATER(slope, 0.0), value, CHOOSE(slope, 1.0, 2.0)) for slope in slopes])

        def directional(*inputs: float) -> Any:
            return autograd.jvp(function, inputs, ones), autograd.hvp(function, inputs, ones)

        ones = [1.0] * count
        if self.index % 10 == 0:
            hessian = autograd.hessian(function, argnums=range(count))
            self.compile((differentiated, deciding, hessian, directional)[self.index // 10 % 4], point)

    def compile(self, function: Callable[..., object], point: list[float]) -> None:
        """Compare a compiled function with the function, at the point and in a batch with another one."""
        self.counts["compiled"] += 1
        compiled = autograd.compile(function)
        other = [number if self.generator.random() < 0.3 else some_number(self.generator) for number in point]
        points = point, other, point
        wanted = [outcome(function, *at) for at in points]
        for at, expected in zip(points, wanted, strict=True):
            found = outcome(compiled, *at)
            if not same(repr(found), repr(expected)):
                raise FailureError(f"compiled, {function.__name__} gives {found!r} at {at}, not {expected!r}")
        found = outcome(compiled.batch, *map(np.array, zip(*points, strict=True)))
        errors = [type(one) for one in wanted if isinstance(one, Exception)]
        if isinstance(found, Exception) or errors:
            if type(found) not in errors:
                raise FailureError(f"a batch with {other} gives {found!r}, not one of {wanted}")
            return
        for i, expected in enumerate(wanted):
            if autograd.engine == "compiled" and not same(row_of(found, i), expected):  # NumPy rounds in its own way
                raise FailureError(f"a batch with {other} gives {row_of(found, i)} in row {i}, not {expected}")

    def operand(self) -> Number:
        generator, numbers = self.generator, self.numbers
        share = generator.random()
        if share < 0.12:
            data = some_number(generator)
            plain = int(data) if share < 0.03 else data
            return Number(repr(plain), plain, float(plain), None)
        if share < 0.5:
            return numbers[-1 - int(generator.random() * min(3, len(numbers)))]
        return numbers[int(generator.random() * len(numbers))]

    def branch(self) -> None:
        """Instructions of which one may be outside its domain or at a pole, and may not be chosen."""
        generator, share = self.generator, self.generator.random()
        if share < 0.2:
            inner = self.instruct(("relu", "abs", "floor", "sign")[int(generator.random() * 4)])
            self.instruct(RISKY[int(generator.random() * len(RISKY))], inner)
            return
        risky = self.instruct(RISKY[int(generator.random() * len(RISKY))])
        if share < 0.5:
            self.instruct(("maximum", "minimum", "relu", "leaky_relu", "multiply")[int(generator.random() * 5)], risky)
        else:
            condition = self.instruct("greater")
            branches = (self.operand(), risky) if share < 0.75 else (risky, self.operand())
            self.instruct("where", condition, *branches)

    def instruct(self, name: str, *first: Number | None) -> Number | None:
        """One instruction, with the operands that are given first; the result, if the program goes on with it."""
        name, primitive, reference, domain, scale = ROWS[name]
        arity = primitive.arity
        if arity is None:
            arity = 2 * int(1 + self.generator.random() * 3) if name == "dot" else int(1 + self.generator.random() * 5)
        operands = [operand or self.operand() for operand in (*first, *[None] * (arity - len(first)))]
        data = [operand.data for operand in operands]
        has_nan, is_finite = any(x != x for x in data), all(map(math.isfinite, data))
        text = f"n{len(self.lines)}"
        self.lines.append(f"{text} = {name}({', '.join([operand.text for operand in operands])})")
        error: type[Exception] | None = None
        if domain is not None and (name in QUOTIENTS or not has_nan) and not domain(*data):
            error = ZeroDivisionError if name in QUOTIENTS else ValueError
        given = outcome(applied, primitive, [operand.operand for operand in operands])
        if isinstance(given, Exception):
            if type(given) is not error or self.is_function:
                raise FailureError(f"{name} at {data} raised {given!r}")
            self.counts["outside"] += 1
            del self.lines[-1]
            return None
        assert isinstance(given, Value)
        if error and (math.isfinite(given.data) or not self.is_function):
            raise FailureError(f"{name} at {data}, which is outside the domain, is {given!r}")
        assert reference is not None
        slopes: Floats | None = None
        sizes: Floats = ()
        if not error and (is_finite or (name in EXTENDED and (not has_nan or name in CHOOSING))):
            try:
                expected, slopes = reference(*data)
            except OverflowError:
                if abs(given.data) < 1e290:
                    raise FailureError(f"{name} at {data} is {given.data!r}, the reference overflows") from None
            else:
                size, sizes = (expected, slopes) if scale is None or not is_finite else scale(*data)
                if not agrees(given.data, expected, abs(size)) and not abs(expected) < 1e-290:
                    raise FailureError(f"{name} at {data} is {given.data!r}, the reference has {expected!r}")
        elif has_nan and given.data == given.data and name not in HIDING:
            raise FailureError(f"{name} at {data} is {given.data!r}")
        self.counts[name] += 1
        is_wild = not all(map(is_tame, (given.data, *(slopes or ()))))
        if slopes and is_finite and (is_wild or not all(map(math.isfinite, slopes))):
            self.alone(name, data, slopes, sizes)
        if is_wild:
            del self.lines[-1]
            return None
        number = Number(text, given, given.data, len(self.nodes))
        self.nodes.append(Node(name, operands, given.data, slopes, sizes, error))
        self.numbers.append(number)
        return number

    def alone(self, name: str, data: list[float], slopes: Floats, sizes: Floats) -> None:
        """Compare the slopes of one node by itself: they may be too large or small for a chain, or not finite."""
        self.counts["alone"] += 1
        leaves = [Value(number) for number in data]
        node = applied(PRIMITIVES[name], leaves)
        node.backward()
        for i, (leaf, slope, size) in enumerate(zip(leaves, slopes, sizes, strict=True)):
            is_comparable = not math.isfinite(slope) or 1e-290 < abs(slope) < 1e290
            if math.isfinite(node.data) and is_comparable and not agrees(leaf.grad, slope, abs(size)):
                raise FailureError(f"{name} at {data}: slope {i} is {leaf.grad!r}, the reference has {slope!r}")


def run_batch(task: tuple[int, range]) -> tuple[Counter[str], list[str]]:
    seed, indices = task
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for index in indices:
        program = Program(seed, index, counts)
        counts["programs"] += 1
        try:
            program.run()
        except Exception as error:
            counts["failed"] += 1
            if len(failures) < SHOWN:
                failures.append("\n    ".join([f"program {index}: {error!r:.1000}", *program.lines]))
    return counts, failures


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000, help="how many programs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the index of one program to run")
    arguments = parser.parse_args()
    start = time.perf_counter()
    wanted = range(arguments.count) if arguments.only is None else range(arguments.only, arguments.only + 1)
    tasks = [(arguments.seed, wanted[i : i + BATCH]) for i in range(0, len(wanted), BATCH)]
    counts: Counter[str] = Counter()
    failures: list[str] = []
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for found, messages in pool.imap(run_batch, tasks):
            counts.update(found)
            failures += messages
    nodes = sum(counts[name] for name in PRIMITIVES)
    rarest = min(PRIMITIVES, key=lambda name: counts[name])
    print(
        f"{counts['programs']} programs ({autograd.engine} engine, seed {arguments.seed}): {nodes} nodes, "
        f"{counts['gradients']} gradients ({counts['undecided']} undecided), {counts['alone']} nodes on their own, "
        f"{counts['outside']} outside the domain, {counts['functions']} functions with {counts['errors']} errors, "
        f"{counts['compiled']} compiled, {counts['replayed']} replayed and copied, {rarest} at least with "
        f"{counts[rarest]}; "
        f"{counts['failed']} failures, {time.perf_counter() - start:.0f} s"
    )
    for message in itertools.islice(failures, SHOWN):
        print(message)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
