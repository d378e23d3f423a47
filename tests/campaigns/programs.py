"""Random programs, compared with an independent reference.

A program has 1 to 4 inputs and 1 to 12 instructions over all primitives of the table. Operands are inputs, constants
and earlier results, shared and repeated at will. The reference is forward mode: each number carries its derivatives by
all inputs, by the formulas in this file, which use neither the slopes nor the backward pass of the project. Compared
are the number of every node, and the gradient of every input after `backward()`.

The number of a node is compared with that of the reference at the same operands, and both go on from the node's own.
So both differentiate at the very same points, at kinks and ties too, and rounding is not amplified from node to node.
The tolerance is relative to a scale: that of the same calculation with all signs positive, which accounts for
cancellation. An instruction outside the domain must raise in the engine, and is replaced by another. A node that is not
finite or has a slope that is not finite, or one beyond 1e±25, is compared with its slopes on its own, and the program
goes on without it. In each 100th program the replayed steps, `gradients`, a deep copy and a pickle are compared too.

    python tests/campaigns/programs.py [--count 1000000] [--seed 1] [--only INDEX]
    STEPGRAD_ENGINE=plain python tests/campaigns/programs.py --count 50000

The totals are printed in one line. If anything differs, the first few programs follow, and the exit status is 1;
`--only` runs one program of a seed again.
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
from fractions import Fraction
from typing import NamedTuple

import autograd
from autograd import Constant, Value
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


def product(*xs: float) -> tuple[float, Floats]:
    return math.prod(xs), tuple([math.prod(xs[:i] + xs[i + 1 :]) for i in range(len(xs))])


def dot(*xs: float) -> tuple[float, Floats]:
    left, right = xs[: len(xs) // 2], xs[len(xs) // 2 :]
    return math.fsum([a * b for a, b in zip(left, right, strict=True)]), right + left


REFERENCE: dict[str, Callable[..., tuple[float, Floats]]] = {
    "add": lambda a, b: (a + b, (1.0, 1.0)),
    "subtract": lambda a, b: (a - b, (1.0, -1.0)),
    "multiply": lambda a, b: (a * b, (b, a)),
    "divide": lambda a, b: (a / b, (1.0 / b, -a / (b * b))),
    "negate": lambda x: (-x, (-1.0,)),
    "remainder": remainder,
    "power": power,
    "greater": lambda a, b: (float(a > b), (0.0, 0.0)),
    "where": lambda condition, a, b: (a, (0.0, 1.0, 0.0)) if condition else (b, (0.0, 0.0, 1.0)),
    "maximum": lambda a, b: extreme(a, b, a > b),
    "minimum": lambda a, b: extreme(a, b, a < b),
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
    "sqrt": lambda x: (math.sqrt(x), (0.5 / math.sqrt(x) if x else math.copysign(inf, x),)),
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
    "prod": product,
    "dot": dot,
}
DOMAIN: dict[str, Callable[..., bool]] = {
    "divide": lambda a, b: b != 0.0,
    "remainder": lambda a, b: b != 0.0,
    "power": lambda x, y: x > 0.0 or (y >= 0.0 if x == 0.0 else y == math.floor(y)),
    "log": lambda x: x > 0.0,
    "log2": lambda x: x > 0.0,
    "log10": lambda x: x > 0.0,
    "log1p": lambda x: x > -1.0,
    "sqrt": lambda x: x >= 0.0,
    "asin": lambda x: abs(x) <= 1.0,
    "acos": lambda x: abs(x) <= 1.0,
    "acosh": lambda x: x >= 1.0,
    "atanh": lambda x: abs(x) < 1.0,
}
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
ROWS = [(name, row, REFERENCE.get(name), DOMAIN.get(name), SCALE.get(name)) for name, row in PRIMITIVES.items()]
assert REFERENCE.keys() == PRIMITIVES.keys()


def applied(primitive: Primitive, operands: Sequence[Value | float]) -> Value:
    """Apply a primitive; of plain numbers alone the first becomes a constant, since the result would be a float."""
    first, *others = operands
    is_plain = not any(isinstance(operand, Value) for operand in operands)
    node: Value = primitive(Constant(float(first)) if is_plain else first, *others)
    return node


class Number(NamedTuple):
    """An operand: how it is written, what the engine is given, and what the reference knows of it."""

    text: str
    operand: Value | float
    data: float
    tangents: list[float] | None  # by each input; None for a constant
    scales: list[float]


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
    return number == 0.0 or 1.0 / LARGEST < abs(number) < LARGEST


def agrees(given: float, expected: float, scale: float) -> bool:
    return given == expected or (given != given and expected != expected) or abs(given - expected) <= TOLERANCE * scale


class Program:
    """One program, built and compared while it is run."""

    def __init__(self, seed: int, index: int, counts: Counter[str]) -> None:
        self.generator = random.Random((seed << 40) + index)
        self.index, self.counts = index, counts
        count = 1 + int(self.generator.random() * 4)
        self.inputs = [Value(some_number(self.generator)) for _ in range(count)]
        unit = [[float(i == j) for j in range(count)] for i in range(count)]
        self.zeros = [0.0] * count
        self.numbers = [
            Number(f"x{i}", leaf, leaf.data, unit[i], unit[i]) for i, leaf in enumerate(self.inputs)
        ]  # what operands are picked from
        self.lines = [f"x{i} = {leaf.data!r}" for i, leaf in enumerate(self.inputs)]
        if self.generator.random() < 0.3:
            constant = Constant(some_number(self.generator))
            self.numbers.append(Number("c", constant, constant.data, None, self.zeros))
            self.lines.append(f"c = Constant({constant.data!r})")

    def run(self) -> None:
        length, made = 1 + int(self.generator.random() * 12), 0
        while made < length:
            made += self.instruct()
        output = self.numbers[-1]
        assert isinstance(output.operand, Value)
        twins = []
        if self.index % 100 == 0:
            graph = (output.operand, self.inputs)
            twins = [copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))]
            self.replay(output)
        output.operand.backward()
        self.compare("backward", self.inputs, output)
        grads = [leaf.grad for leaf in self.inputs]
        for name, (twin, inputs) in zip(("a deep copy", "a pickle"), twins, strict=False):
            twin.backward()
            if [leaf.grad for leaf in inputs] != grads or twin.data != output.data:
                raise FailureError(f"{name} gives {[leaf.grad for leaf in inputs]}, the graph gives {grads}")

    def replay(self, output: Number) -> None:
        assert isinstance(output.operand, Value)
        recorded = [node.data for node in autograd.gradients(output.operand, self.inputs)]
        self.counts["replayed"] += 1
        steps = autograd.steps(output.operand)
        replayed = {step.parent: step.after for step in steps if step.parent is not None}
        twin, inputs = copy.deepcopy((output.operand, self.inputs))
        twin.backward()
        after = [replayed.get(leaf, 0.0) for leaf in self.inputs]
        if after != [leaf.grad for leaf in inputs]:
            raise FailureError(f"the steps give {after}, backward gives {[leaf.grad for leaf in inputs]}")
        self.compare("gradients", [Value(number) for number in recorded], output, recorded)

    def compare(self, name: str, inputs: Sequence[Value], output: Number, given: Sequence[float] | None = None) -> None:
        expected = output.tangents or self.zeros
        given = [leaf.grad for leaf in inputs] if given is None else given
        self.counts["gradients"] += len(given)
        for i, (one, other, scale) in enumerate(zip(given, expected, output.scales, strict=True)):
            if not agrees(one, other, scale):
                raise FailureError(f"{name}: the gradient of x{i} is {one!r}, the reference has {other!r} ± {scale!r}")

    def operand(self) -> Number:
        generator, numbers = self.generator, self.numbers
        share = generator.random()
        if share < 0.12:
            data = some_number(generator)
            plain = int(data) if share < 0.03 else data
            return Number(repr(plain), plain, float(plain), None, self.zeros)
        if share < 0.5:
            return numbers[-1 - int(generator.random() * min(3, len(numbers)))]
        return numbers[int(generator.random() * len(numbers))]

    def instruct(self) -> bool:
        """One instruction; whether the program goes on with its result."""
        name, primitive, reference, domain, scale = ROWS[int(self.generator.random() * len(ROWS))]
        arity = primitive.arity
        if arity is None:
            arity = 2 * int(1 + self.generator.random() * 3) if name == "dot" else int(1 + self.generator.random() * 5)
        operands = [self.operand() for _ in range(arity)]
        data = [operand.data for operand in operands]
        text = f"n{len(self.lines)}"
        self.lines.append(f"{text} = {name}({', '.join([operand.text for operand in operands])})")
        is_inside = domain is None or domain(*data)
        try:
            node = applied(primitive, [operand.operand for operand in operands])
        except (ValueError, ZeroDivisionError) as error:
            if is_inside:
                raise FailureError(f"{name} at {data} raised {error!r}") from error
            self.counts["outside"] += 1
            del self.lines[-1]
            return False
        if not is_inside:
            raise FailureError(f"{name} at {data}, which is outside the domain, is {node!r}")
        assert reference is not None
        try:
            expected, slopes = reference(*data)
        except OverflowError:
            if abs(node.data) < 1e290:
                raise FailureError(f"{name} at {data} is {node.data!r}, the reference overflows") from None
            self.counts["alone"] += 1
            del self.lines[-1]
            return False
        size, sizes = (expected, slopes) if scale is None else scale(*data)
        if not agrees(node.data, expected, abs(size)) and not abs(expected) < 1e-290:
            raise FailureError(f"{name} at {data} is {node.data!r}, the reference has {expected!r}")
        self.counts[name] += 1
        if not is_tame(node.data) or not all(map(is_tame, slopes)):
            self.alone(name, data, slopes, sizes)
            del self.lines[-1]
            return False
        tangents, scales = None, self.zeros
        for operand, slope, bound in zip(operands, slopes, sizes, strict=True):
            if operand.tangents is None:
                continue
            bound = abs(bound)
            if tangents is None:
                tangents, scales = [slope * t for t in operand.tangents], [bound * s for s in operand.scales]
            else:
                tangents = [have + slope * t for have, t in zip(tangents, operand.tangents, strict=True)]
                scales = [have + bound * s for have, s in zip(scales, operand.scales, strict=True)]
        self.numbers.append(Number(text, node, node.data, tangents, scales))
        return True

    def alone(self, name: str, data: list[float], slopes: Floats, sizes: Floats) -> None:
        """Compare the slopes of one node whose numbers are too large or small, or not finite, for a chain of them."""
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
        f"{counts['gradients']} gradients, {counts['alone']} nodes on their own, {counts['outside']} outside the "
        f"domain, {counts['replayed']} replayed and copied, {rarest} at least with {counts[rarest]}; "
        f"{counts['failed']} failures, {time.perf_counter() - start:.0f} s"
    )
    for message in itertools.islice(failures, SHOWN):
        print(message)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
