"""Random programs, what they compute, and both modules that run lowered programs: for tests and campaigns."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, dot, gradients, prod
from autograd import sum as total_of
from autograd.modes import ieee_arithmetic
from autograd.native import selection
from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs import array_execution, array_rules
from autograd.programs.layout import DEEP, lower
from autograd.programs.program import Program

Compute = Callable[..., float]  # takes a primitive and its operands
ORDINARY = [row for row in PRIMITIVES.values() if row.arity is not None]
NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0)  # plain numbers among the operands


def by_python(primitive: Primitive, *numbers: float) -> float:
    """A primitive as the eager engine computes it."""
    return float(primitive(*numbers))


def by_numpy(primitive: Primitive, *numbers: float) -> float:
    """A primitive as NumPy computes it for one element: exp, tanh and others are rounded in its own way."""
    if not primitive.index:
        return by_python(primitive, *numbers)
    return float(np.asarray(array_rules.ARRAYS.compute(primitive, *[np.array([number]) for number in numbers]))[0])


class Engine:
    """A module that runs lowered programs, how the primitives are computed there one by one, and from which depth on
    a program is a chain: never with NumPy, where Python would compute its numbers."""

    def __init__(self, execution: ModuleType, compute: Compute, deep: float) -> None:
        self.execution, self.compute, self.deep = execution, compute, deep


ENGINES = {"plain": Engine(array_execution, by_numpy, 1.0)}
if selection.engine == "compiled":
    ENGINES["compiled"] = Engine(selection.execution(), by_python, DEEP)
IN_USE = list(ENGINES)[-1]  # the tests run with each engine, so each run tries its own
EACH_ENGINE = pytest.mark.parametrize("engine", [ENGINES[IN_USE]], ids=[IN_USE])


def run_by(compute: Compute, program: Program, inputs: Sequence[float]) -> tuple[float, ...]:
    """What a program computes, one instruction after another; what depends on constants alone by Python."""
    numbers = program.numbers.tolist()
    constant = set(np.flatnonzero(program.is_constant).tolist())
    for slot, number in zip(program.inputs.tolist(), inputs, strict=True):
        numbers[slot] = number
    for slot, primitive in enumerate(program.primitives):
        if primitive is not None:
            operands = program.operands_of(slot).tolist()
            is_constant = constant.issuperset(operands)
            if is_constant:
                constant.add(slot)
            chosen = by_python if is_constant else compute
            numbers[slot] = chosen(primitive, *[numbers[operand] for operand in operands])
    return tuple([numbers[slot] for slot in program.outputs])


def same(wanted: Any, given: Any) -> bool:
    """Whether floats are the same, nan at the same places."""
    return bool(np.array_equal(np.asarray(wanted, float), np.asarray(given, float), equal_nan=True))


def rounding(compute: Compute, program: Program, inputs: Sequence[float]) -> tuple[Any, Any]:
    """What a program computes, and how far a result may be from that which is rounded in another way.

    Where terms cancel, roundings of theirs show. The inputs are changed a little to see how much.
    """
    wanted = np.array(run_by(compute, program, inputs))
    changed = [run_by(compute, program, [x * (1.0 + i * 1e-11) for x in inputs]) for i in (-2, -1, 1, 2)]
    with np.errstate(all="ignore"):
        spread = np.abs(np.array(changed) - wanted).max(axis=0)
        return wanted, 10.0 * spread + 1e-12 * np.maximum(1.0, np.abs(wanted))


def total_in_order(numbers: Sequence[float]) -> float:
    """The sum from left to right."""
    total = -0.0
    for number in numbers:
        total += number
    return total


def random_graph(rng: random.Random) -> tuple[list[Value], list[Value]]:
    """Inputs and outputs of a graph of sums, dot products, products of matrices and single operations."""
    inputs = [Value(rng.uniform(-2.0, 2.0)) for _ in range(rng.randint(1, 12))]
    nodes = [*inputs, Value(rng.uniform(-1.0, 1.0)), Value(rng.uniform(-1.0, 1.0))]
    size = rng.randint(1, 40)

    def pick() -> Value:
        return rng.choice(nodes[-30:] if rng.random() < 0.7 else nodes)

    def several(most: int) -> list[Any]:
        return [pick() for _ in range(rng.randint(1, most))]

    def mixed(least: float = 0.85) -> Any:
        return pick() if rng.random() < least else rng.choice(NUMBERS)

    def chain() -> Value:
        result = pick()
        for _ in range(rng.randint(1, 6)):
            result = result + (pick() * pick() if rng.random() < 0.7 else pick())
        return result

    def layer() -> list[Value]:
        x = [pick() for _ in range(4)]
        rows = [[pick() for _ in range(4)] for _ in range(5)]
        return [dot(x, row) + row[0] for row in rows]

    def single() -> Value:
        primitive = rng.choice(ORDINARY)
        operands = [mixed() for _ in range(primitive.arity or 1)]
        if not any(isinstance(operand, Value) for operand in operands):
            operands[0] = pick()
        node: Value = primitive(*operands)
        return node

    with ieee_arithmetic():
        for _ in range(size):
            kind = rng.random()
            if kind < 0.2:
                nodes.append(total_of(several(9)))
            elif kind < 0.4:
                left = several(9)
                nodes.append(dot(left, [mixed(0.9) for _ in left]))
            elif kind < 0.6:
                nodes.append(chain())
            elif kind < 0.7:
                nodes.extend(layer())
            elif kind < 0.73:
                of_many: Any = rng.choice([prod, autograd.max, autograd.min])
                nodes.append(of_many(several(5)))
            else:
                nodes.append(single())
        outputs = rng.sample(nodes, min(len(nodes), rng.randint(1, 8)))
        if rng.random() < 0.5:
            firsts = gradients(outputs[0], inputs)
            outputs += firsts
            if rng.random() < 0.3 and size < 30:
                outputs += gradients(firsts[0], inputs)
    return inputs, outputs


def random_program(rng: random.Random) -> Program:
    """A program of such a graph. Its leaves that are no inputs are parameters."""
    inputs, outputs = random_graph(rng)
    return Program.of(outputs, inputs=inputs)


def what_differs(seed: int, engine: Engine) -> str:
    """Run a random program in every way and compare it with itself run one instruction after another.

    Returns:
        What differs; empty if nothing does.
    """
    rng = random.Random(seed)
    program = random_program(rng)
    parameters = program.numbers[program.parameters].tolist()
    schedule = engine.execution.Schedule(lower(program, deep=engine.deep))
    given: list[float] = []
    outputs = np.empty((1, len(program.outputs)))
    for _ in range(2):
        given = [rng.uniform(-2.0, 2.0) for _ in program.inputs]
        schedule.run(1, np.array([*given, *parameters]), [], [outputs])
        if not same(run_by(engine.compute, program, given), outputs[0]):
            return f"seed {seed}: one call"
    varies = np.array([rng.random() < 0.6 for _ in program.inputs] + [False] * len(parameters))
    if not varies.any():
        return ""
    count, lanes = rng.randint(1, 70), rng.choice([*range(1, 20), 24, 40, 128])
    table = np.array([[rng.uniform(-2.0, 2.0) for _ in range(int(varies.sum()))] for _ in range(count)])
    cut = rng.randint(0, table.shape[1])
    tables = list(map(np.ascontiguousarray, np.split(table, [cut], axis=1)))
    uniform = np.array([*given, *parameters])[~varies]
    wanted = []
    for row in table:
        numbers = iter(row.tolist())
        example = [next(numbers) if vary else number for vary, number in zip(varies, given, strict=False)]
        wanted.append(run_by(engine.compute, program, example))
    code = lower(program, varies, deep=engine.deep)
    cut = rng.randint(0, len(code.outputs))
    if code.output_varies.any():
        results = [np.empty((count, width)) for width in (cut, len(code.outputs) - cut)]
        engine.execution.Schedule(code, lanes).run(count, uniform, tables, results)
        if not same(wanted, np.concatenate(results, axis=1)):
            return f"seed {seed}: {count} examples in {lanes} lanes"
    code = lower(program, varies, totals=True, deep=engine.deep)
    if not code.totals:
        return ""
    results = [
        np.empty((1, width))
        for width in ((len(code.outputs),) if rng.random() < 0.5 else (cut, len(code.outputs) - cut))
    ]
    engine.execution.Schedule(code, lanes).run(count, uniform, tables, results)
    sums = [
        total_in_order(column) if vary else column[0]
        for column, vary in zip(zip(*wanted, strict=True), code.output_varies, strict=True)
    ]
    totals = np.concatenate(results, axis=1)[0]
    return "" if same(sums, totals) else f"seed {seed}: totals of {count} examples in {lanes} lanes"
