"""Random programs of the structures that the lowering looks for, computed in every way.

A program is 1 to 4 layers, one after another: products of matrices, attention, convolutions (products with a Toeplitz
matrix), Gram and reversed products, scans and other recurrences, running sums, softmax, branches that are masked. Its
sums are written in one of several ways. A layer is written twice: with numbers and lists for the engine, with tensors
for PyTorch. Where a branch that is not chosen is infinite or outside its domain, PyTorch is given a harmless number
there, since 0 times an infinite slope is nan for it.

The value and the gradient by all inputs are computed eagerly; compiled, in C with each instruction set of this
processor and with NumPy, by a call and by a batch of a few examples (each, or their sum); and by PyTorch, if it is
installed. C must give the bits of the eager engine, the sign of a zero apart, and so must NumPy without functions that
it rounds in its own way. Otherwise the tolerance is relative to a scale: the largest number, and how far a change of
the inputs by 1e-11 moves the result. A fourth of the programs that keep their shape are also repeated.

    python tests/campaigns/structured.py [--count 20000] [--seed 1] [--only INDEX]

This file is long because each layer is written twice. The totals are printed in one line. If anything differs, the
first few programs follow, and the exit status is 1; `--only` runs one program of a seed again, and prints its inputs.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import operator
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from typing import Any, Literal, NamedTuple

import numpy as np

import autograd
from autograd import (
    Value,
    exp,
    greater,
    ieee_arithmetic,
    leaky_relu,
    log,
    maximum,
    relu,
    sigmoid,
    softplus,
    sqrt,
    tanh,
    where,
)
from autograd.native import selection

try:
    import torch
except ImportError:
    torch = None

CHANGE, SPREAD, TOLERANCE = 1e-11, 1.0, 1e-12
SHOWN = 5  # failures
CHUNK = 50  # programs of one task
SPECIAL = 0.0, 1.0, -1.0, 0.5, 2.0
VARIANTS = (*("baseline", "avx2", "avx512_halves", "avx512") * (autograd.engine == "compiled"), "numpy")
# The primitives for which NumPy promises the bits of the eager engine.
EXACT = {
    *("add", "subtract", "multiply", "divide", "negate", "greater", "where", "maximum", "minimum", "relu", "sqrt"),
    *("leaky_relu", "abs", "sign", "sum", "dot", "prod", "strong_multiply", "select_multiply", "stop_gradient"),
}
Matrix = list[list[Any]]
Sum = Callable[[Any], Any]


class FailureError(Exception):
    """Two ways to compute a program differ."""


class Layer(NamedTuple):
    """A layer: the shape of its result, its weights, and what it computes with lists and with tensors."""

    name: str
    shape: tuple[int, int]
    weights: list[Any]
    ours: Callable[..., Matrix]
    theirs: Callable[..., Any]


def numbers(rng: random.Random, rows: int, columns: int) -> Any:
    entries = [rng.choice(SPECIAL) if rng.random() < 0.15 else rng.uniform(-1.5, 1.5) for _ in range(rows * columns)]
    return np.array(entries).reshape(rows, columns)


# How sums of products are written.


def from_zero(terms: Any) -> Any:
    found: Any = 0.0
    for term in terms:
        found = found + term
    return found


SUMS: list[Sum] = [
    lambda terms: autograd.sum(list(terms)),
    lambda terms: reduce(operator.add, terms),
    lambda terms: reduce(operator.add, reversed(list(terms))),
    from_zero,
]


class Writer:
    """How one program writes its sums."""

    def __init__(self, rng: random.Random) -> None:
        self.total, self.has_dot = rng.choice(SUMS), rng.random() < 0.4

    def inner(self, xs: Any, ys: Any) -> Any:
        """The inner product."""
        xs, ys = list(xs), list(ys)
        return autograd.dot(xs, ys) if self.has_dot else self.total([x * y for x, y in zip(xs, ys, strict=True)])

    def product(self, a: Matrix, b: Matrix) -> Matrix:
        """The product of two matrices."""
        return [[self.inner(row, column) for column in zip(*b, strict=True)] for row in a]

    def softmax(self, xs: list[Any]) -> list[Any]:
        """The exponentials divided by their sum."""
        largest = reduce(maximum, xs)
        found = [exp(x - largest) for x in xs]
        total = self.total(found)
        return [x / total for x in found]


def each(function: Callable[[Any], Any]) -> Callable[..., Matrix]:
    return lambda x, *weights: [[function(entry) for entry in row] for row in x]


def safe(condition: Any, x: Any, chosen: Callable[[Any], Any], other: Any) -> Any:
    """What PyTorch has to be given: a function of 1 where it is not chosen."""
    return torch.where(condition, chosen(torch.where(condition, x, 1.0)), other)


ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "tanh": (tanh, lambda x: x.tanh()),
    "relu": (relu, lambda x: x.relu()),
    "sigmoid": (sigmoid, lambda x: x.sigmoid()),
    "softplus": (softplus, lambda x: torch.logaddexp(x, torch.zeros_like(x))),
    "leaky_relu": (lambda x: leaky_relu(x, 0.1), lambda x: torch.where(x > 0.0, x, 0.1 * x)),
    "abs": (abs, abs),
    "square": (lambda x: x * x, lambda x: x * x),
}
MASKED: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sqrt": (
        lambda x: where(greater(x, 0.0), sqrt(x), 3.0 * x),
        lambda x: safe(x > 0.0, x, lambda x: x.sqrt(), 3.0 * x),
    ),
    "log": (
        lambda x: where(greater(x, 0.5), log(x - 0.5) * x, x * x),
        lambda x: safe(x > 0.5, x, lambda x: torch.log(x - 0.5) * x, x * x),
    ),
    "quotient": (
        lambda x: where(greater(abs(x), 0.25), 1.0 / x, x),
        lambda x: safe(abs(x) > 0.25, x, lambda x: 1.0 / x, x),
    ),
    "root of relu": (
        lambda x: sqrt(relu(x)) + x,
        lambda x: safe(x > 0.0, x, lambda x: x.sqrt(), torch.zeros_like(x)) + x,
    ),
    "overflow": (
        lambda x: where(greater(x, 0.0), x, where(greater(-1e3, x * 1e6), sigmoid(x), exp(x * -1e6))),
        lambda x: torch.where(
            x > 0.0, x, safe(x * 1e6 >= -1e3, x.clamp(max=0.0), lambda x: torch.exp(x * -1e6), torch.sigmoid(x))
        ),
    ),
    "maximum": (
        lambda x: maximum(sqrt(abs(x)), 1.0) * x,
        lambda x: torch.maximum(safe(x != 0.0, x, lambda x: torch.sqrt(abs(x)), x), torch.ones_like(x)) * x,
    ),
    "power": (
        lambda x: where(greater(x, 0.0), x**0.3, relu(x - 1.0) ** 0.5),
        lambda x: safe(x > 0.0, x, lambda x: x**0.3, torch.zeros_like(x)),
    ),
}

# The layers.


def dense(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    width, (name, (ours, theirs)) = rng.randint(1, 6), rng.choice(list(ACTIVATIONS.items()))
    return Layer(
        f"dense {name}", (rows, width), [numbers(rng, columns, width), numbers(rng, 1, width)],
        lambda x, w, b: [[ours(n + c) for n, c in zip(row, b[0], strict=True)] for row in by.product(x, w)],
        lambda x, w, b: theirs(x @ w + b),
    )  # fmt: skip


def attention(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    width, is_causal = rng.randint(1, 4), rng.random() < 0.5

    def ours(x: Matrix, *weights: Matrix) -> Matrix:
        queries, keys, values = [by.product(x, w) for w in weights]
        found = []
        for i, query in enumerate(queries):
            seen = i + 1 if is_causal else rows
            chances = by.softmax([by.inner(query, key) / math.sqrt(width) for key in keys[:seen]])
            found.append([by.inner(chances, column) for column in zip(*values[:seen], strict=True)])
        return found

    def theirs(x: Any, *weights: Any) -> Any:
        queries, keys, values = [x @ w for w in weights]
        scores = queries @ keys.T / math.sqrt(width)
        if is_causal:
            scores = scores.masked_fill(torch.ones(rows, rows).triu(1) > 0, -math.inf)
        return torch.softmax(scores, 1) @ values

    weights = [numbers(rng, columns, width) for _ in range(3)]
    return Layer("causal attention" if is_causal else "attention", (rows, width), weights, ours, theirs)


def toeplitz(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    size, is_circulant = rng.randint(1, rows), rng.random() < 0.4

    def ours(x: Matrix, w: Matrix) -> Matrix:
        seen = [range(size) if is_circulant else range(min(size, i + 1)) for i in range(rows)]
        return [
            [by.inner([w[0][j] for j in seen[i]], [x[(i - j) % rows][c] for j in seen[i]]) for c in range(columns)]
            for i in range(rows)
        ]

    def theirs(x: Any, w: Any) -> Any:
        place = torch.arange(rows)[:, None] - torch.arange(rows)
        place = place % rows if is_circulant else place
        is_there = (place >= 0) & (place < size)
        return torch.where(is_there, w[0][place.clamp(0, size - 1)], 0.0) @ x

    name = "circulant" if is_circulant else "toeplitz"
    return Layer(name, (rows, columns), [numbers(rng, 1, size)], ours, theirs)


def gram(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    if rng.random() < 0.5:
        return Layer(
            "gram of rows", (rows, rows), [],
            lambda x: [[by.inner(a, b) / columns for b in x] for a in x],
            lambda x: x @ x.T / columns,
        )  # fmt: skip
    return Layer(
        "gram of columns", (columns, columns), [],
        lambda x: by.product([[n / rows for n in column] for column in zip(*x, strict=True)], x),
        lambda x: x.T / rows @ x,
    )  # fmt: skip


def reversed_product(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    if rng.random() < 0.5:
        return Layer(
            "reversed rows", (rows, columns), [],
            lambda x: [[a * b for a, b in zip(row, other, strict=True)] for row, other in zip(x, x[::-1], strict=True)],
            lambda x: x * x.flip(0),
        )  # fmt: skip
    width = rng.randint(1, 5)
    return Layer(
        "reversed product", (rows, width), [numbers(rng, columns, width)],
        lambda x, w: by.product(x, w[::-1]),
        lambda x, w: x @ w.flip(0),
    )  # fmt: skip


def recurrence(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    def ours(x: Matrix, w: Matrix) -> Matrix:
        state, found = x[0], []
        for row in x:
            state = [tanh(by.inner(weights, state) + n) for weights, n in zip(w, row, strict=True)]
            found.append(state)
        return found

    def theirs(x: Any, w: Any) -> Any:
        state, found = x[0], []
        for row in x:
            state = torch.tanh(w @ state + row)
            found.append(state)
        return torch.stack(found)

    return Layer("recurrence", (rows, columns), [numbers(rng, columns, columns)], ours, theirs)


def gate(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    def ours(x: Matrix, w: Matrix) -> Matrix:
        state: list[Any] = [0.0] * columns
        found = []
        for row in x:
            opens = [sigmoid(n * weight) for n, weight in zip(row, w[0], strict=True)]
            state = [o * s + (1.0 - o) * n for o, s, n in zip(opens, state, row, strict=True)]
            found.append(state)
        return found

    def theirs(x: Any, w: Any) -> Any:
        state, found = torch.zeros(columns, dtype=torch.float64), []
        for row in x:
            opens = torch.sigmoid(row * w[0])
            state = opens * state + (1.0 - opens) * row
            found.append(state)
        return torch.stack(found)

    return Layer("gated scan", (rows, columns), [numbers(rng, 1, columns)], ours, theirs)


def cumulative(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    def ours(x: Matrix, function: Callable[[Any, Any], Any]) -> Matrix:
        columns = [list(itertools.accumulate(column, function)) for column in zip(*x, strict=True)]
        return [list(row) for row in zip(*columns, strict=True)]

    if rng.random() < 0.5:
        return Layer(
            "sums", (rows, columns), [], lambda x: ours(x, operator.add), lambda x: torch.cumsum(x, 0)
        )  # fmt: skip
    return Layer("products", (rows, columns), [], lambda x: ours(x, operator.mul), lambda x: torch.cumprod(x, 0))


def running_sum(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    lag, decay = rng.randint(0, rows - 1), rng.choice((1.0, 0.9, -0.5))

    def ours(x: Matrix) -> Matrix:
        found, total = [], x[0][0] * 0.0
        for i, row in enumerate(x):
            total = total * decay + by.inner(row, x[max(i - lag, 0)])
            found.append([total])
        return found

    def theirs(x: Any) -> Any:
        found, total = [], torch.zeros((), dtype=torch.float64)
        for i in range(rows):
            total = total * decay + x[i] @ x[max(i - lag, 0)]
            found.append(total)
        return torch.stack(found)[:, None]

    return Layer(f"running sum of {decay} with lag {lag}", (rows, 1), [], ours, theirs)


def window(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    size = rng.randint(1, rows)
    return Layer(
        f"window {size}", (rows - size + 1, columns), [],
        lambda x: [[by.total(c) for c in zip(*x[i : i + size], strict=True)] for i in range(rows - size + 1)],
        lambda x: x.unfold(0, size, 1).sum(2),
    )  # fmt: skip


def horner(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    degree = rng.randint(1, 4)

    def polynomial(x: Any, w: Any) -> Any:
        found = w[0][0]
        for i in range(1, degree + 1):
            found = found * x * 0.5 + w[0][i]
        return found

    weights = [numbers(rng, 1, degree + 1)]
    return Layer(
        "horner", (rows, columns), weights,
        lambda x, w: [[polynomial(n, w) for n in row] for row in x],
        polynomial,
    )  # fmt: skip


def softmax(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    if rng.random() < 0.5:
        return Layer(
            "softmax", (rows, columns), [],
            lambda x: [by.softmax(row) for row in x],
            lambda x: torch.softmax(x, 1),
        )  # fmt: skip

    def ours(x: Matrix) -> Matrix:
        largest = [reduce(maximum, row) for row in x]
        return [[log(by.total([exp(n - m) for n in row])) + m] for row, m in zip(x, largest, strict=True)]

    return Layer("logsumexp", (rows, 1), [], ours, lambda x: torch.logsumexp(x, 1, keepdim=True))


def norm(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    def ours(x: Matrix, w: Matrix) -> Matrix:
        found = []
        for row in x:
            mean = by.total(row) / columns
            parts = [n - mean for n in row]
            size = sqrt(by.inner(parts, parts) / columns + 0.01)
            found.append([part / size * weight for part, weight in zip(parts, w[0], strict=True)])
        return found

    def theirs(x: Any, w: Any) -> Any:
        return torch.nn.functional.layer_norm(x, (columns,), w[0], None, 0.01)

    return Layer("norm", (rows, columns), [numbers(rng, 1, columns)], ours, theirs)


def distances(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    def ours(x: Matrix) -> Matrix:
        apart = [[[a - b for a, b in zip(row, other, strict=True)] for other in x] for row in x]
        return [[by.inner(parts, parts) for parts in row] for row in apart]

    return Layer("distances", (rows, rows), [], ours, lambda x: ((x[:, None] - x) ** 2).sum(2))


def transposed(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    return Layer("transposed", (columns, rows), [], lambda x: [list(c) for c in zip(*x, strict=True)], lambda x: x.T)


def masked(rng: random.Random, rows: int, columns: int, by: Writer) -> Layer:
    name, (ours, theirs) = rng.choice(list(MASKED.items()))
    return Layer(f"masked {name}", (rows, columns), [], each(ours), theirs)


LAYERS = [
    *(dense, attention, toeplitz, gram, reversed_product, recurrence, gate, cumulative, running_sum, window, horner),
    *(softmax, norm, distances, transposed, masked, masked, masked),
]


# A program, and the ways to compute it.


class Program:
    """One program, made from a seed."""

    def __init__(self, seed: int, index: int) -> None:
        self.rng = random.Random((seed << 40) + index)
        self.by = Writer(self.rng)
        shape = self.rng.randint(1, 6), self.rng.randint(1, 6)
        self.arrays, self.layers = [numbers(self.rng, *shape)], []
        for _ in range(self.rng.randint(1, 4)):
            self.layers.append(self.rng.choice(LAYERS)(self.rng, *shape, self.by))
            shape = self.layers[-1].shape
            self.arrays += self.layers[-1].weights
        self.seeds = numbers(self.rng, *shape)

    def state(self, *arrays: Any) -> Matrix:
        """What the layers compute with lists."""
        x: Matrix
        x, *weights = [array.tolist() for array in arrays]
        for layer in self.layers:
            x = layer.ours(x, *[weights.pop(0) for _ in layer.weights])
        return x

    def loss(self, *arrays: Any) -> Any:
        """The sum of the results, each times a number."""
        return self.by.inner(itertools.chain.from_iterable(self.state(*arrays)), self.seeds.ravel().tolist())

    def step(self, x: Any) -> Any:
        """What is repeated: the layers, and then tanh, so that numbers stay small."""
        return np.array([[tanh(n) for n in row] for row in self.state(x, *self.arrays[1:])])

    def torch(self, arrays: list[Any]) -> Any:
        """The value and the gradient by PyTorch, as one row."""
        inputs = [torch.tensor(array, requires_grad=True) for array in arrays]
        x, *weights = inputs
        for layer in self.layers:
            x = layer.theirs(x, *[weights.pop(0) for _ in layer.weights])
        value = (x * torch.tensor(self.seeds)).sum()
        grads = torch.autograd.grad(value, inputs, materialize_grads=True)
        return row_of((value.item(), [grad.numpy() for grad in grads]))

    def changed(self) -> list[Any]:
        """The inputs, changed a little."""
        return [
            np.array([n * (1.0 + CHANGE * self.rng.choice((-1.0, 1.0))) for n in array.flat]).reshape(array.shape)
            for array in self.arrays
        ]


def row_of(result: Any) -> Any:
    """A value and gradients as one row."""
    value, grads = result
    return np.concatenate([np.ravel(value), *map(np.ravel, grads)])


def data_of(numbers: Any, kind: Callable[[Any], Any] = operator.attrgetter("data")) -> Any:
    """The array of the numbers of Values, or of Values of numbers."""
    return np.array([kind(number) for number in numbers.flat]).reshape(numbers.shape)


def same(given: Any, wanted: Any) -> bool:
    return np.array_equal(given, wanted, equal_nan=True)


@contextmanager
def running(variant: str, *functions: Any) -> Iterator[bool]:
    """Let compiled functions run by an instruction set, or by NumPy; whether that is there."""
    engine, before = selection.engine, selection.execution().instruction_set()
    for function in functions:  # they keep schedules
        function._last_batch = None
        for recorded in function._recorded.values():
            for one in (recorded, recorded._guarded):
                if one is not None:
                    one._schedules.clear()
    try:
        if variant == "numpy":
            selection.engine = "plain"
        else:
            selection.execution().use_instruction_set(variant)
        yield selection.execution().instruction_set() == variant
    finally:
        selection.engine = engine
        if engine == "compiled":
            selection.execution().use_instruction_set(before)


def run(program: Program, counts: Counter[str]) -> None:
    """Compute a program in every way, and compare the results."""
    arrays, rng = program.arrays, program.rng
    function = autograd.value_and_grad(program.loss, argnums=tuple(range(len(arrays))))
    examples = [arrays, *[[numbers(rng, *array.shape) for array in arrays] for _ in range(rng.randint(0, 4))]]
    rows = [row_of(function(*example)) for example in examples]
    tables = [np.array(table) for table in zip(*examples, strict=True)]
    reference, scale = rows[0], np.zeros_like(rows[0])
    counts["numbers"] += reference.size
    if torch is not None:
        reference = program.torch(arrays)
        with np.errstate(invalid="ignore"):
            scale = np.max([abs(program.torch(program.changed()) - reference) for _ in range(2)], axis=0)
    finite = reference[np.isfinite(reference)]
    counts["not finite"] += len(finite) < len(reference)
    tolerance = SPREAD * np.nan_to_num(scale) + TOLERANCE * max([1.0, *abs(finite)])
    compare("eagerly", rows[0], reference, tolerance)

    compiled = autograd.compile(function)
    is_repeated = rng.random() < 0.25 and program.layers[-1].shape == arrays[0].shape
    states = autograd.compile(program.step)
    names = {primitive.name for primitive in compiled.program(*arrays).primitives if primitive is not None}
    reduction: Literal["each", "sum"] = rng.choice(("each", "sum"))
    wanted = np.array(rows) if reduction == "each" else reduce(operator.add, rows)[None]
    state = arrays[0]
    with ieee_arithmetic():
        for _ in range(3 * is_repeated):
            state = data_of(program.step(data_of(state, Value)))
    for variant in VARIANTS:
        with running(variant, compiled, states) as is_there:
            if not is_there:
                continue
            counts[variant] += 1
            is_exact = variant != "numpy" or names <= EXACT
            allowed = None if is_exact else tolerance
            compare(f"{variant}: a call", row_of(compiled(*arrays)), rows[0], allowed)
            values, grads = compiled.batch(*tables, reduce=reduction)
            found = np.column_stack([np.ravel(values), *[grad.reshape(len(wanted), -1) for grad in grads]])
            for i, (given, row) in enumerate(zip(found, wanted, strict=True)):
                if is_exact or (i == 0 and reduction == "each"):  # the tolerance is that of the first example
                    compare(f"{variant}: row {i} of a batch of {len(rows)} ({reduction})", given, row, allowed)
            if is_repeated:
                counts["repeated"] += 1
                found = states.repeat(3, arrays[0])
                compare(f"{variant}: repeated", found, state, None if variant != "numpy" else math.inf)


def compare(name: str, given: Any, wanted: Any, tolerance: Any) -> None:
    """Raise an error if results differ by more than a tolerance, or at all without one."""
    if same(given, wanted):
        return
    with np.errstate(invalid="ignore"):
        difference = np.where((given == wanted) | (np.isnan(given) & np.isnan(wanted)), 0.0, abs(given - wanted))
    if tolerance is None or not (difference <= tolerance).all():
        worst = int(np.nanargmax(np.nan_to_num(difference, nan=math.inf)))
        raise FailureError(f"{name}: number {worst} is {given.flat[worst]!r}, not {wanted.flat[worst]!r}")


def run_chunk(task: tuple[int, range]) -> tuple[Counter[str], list[str]]:
    if torch is not None:
        torch.set_num_threads(1)
    seed, indices = task
    counts: Counter[str] = Counter()
    failures = []
    for index in indices:
        program = Program(seed, index)
        counts["programs"] += 1
        counts.update([layer.name.split()[0] for layer in program.layers])
        try:
            run(program, counts)
        except Exception as error:
            counts["failed"] += 1
            names = ", ".join([layer.name for layer in program.layers])
            failures.append(f"program {index} of {program.arrays[0].shape} ({names}): {error!r:.500}")
    return counts, failures


def main() -> int:
    """Run the campaign."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=20_000, help="how many programs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the index of one program to run")
    arguments = parser.parse_args()
    start = time.perf_counter()
    wanted = range(arguments.count) if arguments.only is None else range(arguments.only, arguments.only + 1)
    tasks = [(arguments.seed, wanted[i : i + CHUNK]) for i in range(0, len(wanted), CHUNK)]
    counts: Counter[str] = Counter()
    failures: list[str] = []
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for found, messages in pool.imap(run_chunk, tasks):
            counts.update(found)
            failures += messages
    ways = ", ".join([f"{counts[variant]} by {variant}" for variant in VARIANTS if counts[variant]])
    peer = "and by PyTorch" if torch is not None else "not by PyTorch, which is not installed"
    print(
        f"{counts['programs']} programs ({autograd.engine} engine, seed {arguments.seed}): {counts['numbers']} numbers "
        f"eagerly {peer}, {ways}, {counts['repeated']} repeated, {counts['masked']} masked layers, "
        f"{counts['not finite']} not finite; {counts['failed']} failures, {time.perf_counter() - start:.0f} s"
    )
    for message in itertools.islice(failures, SHOWN):
        print(message)
    if arguments.only is not None:
        print(*Program(arguments.seed, arguments.only).arrays, sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
