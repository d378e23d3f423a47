"""Lowered programs that are changed at random, as a broken pass of the lowering might: each is refused, or runs."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any

import numpy as np

from autograd import Value, dot, where
from autograd.calculus.custom_primitives import primitive
from autograd.primitives import PRIMITIVES
from autograd.programs.groups import Chain, Code, Operand
from autograd.programs.layout import lower
from autograd.programs.program import Program
from tests.random_programs import random_program

Undo = Callable[[], None]
EXTREMES = (-1, 0, 1, 2, 3, 7, 8, 63, 64, 255, 1000, 100_000, 2**31, 2**32 + 5, 2**62, -(2**40))


@primitive(lambda out, x: 2.0 * x)
def square(x: float) -> float:
    """A primitive that is not in the table."""
    return x * x


def chain_code(program: Program) -> Code:
    """A program as one chain."""
    inputs = program.inputs
    others = np.setdiff1d(np.flatnonzero(program.codes == 0), inputs)
    steps = np.flatnonzero(program.codes > 0)
    place = np.empty(len(program), np.int64)
    place[np.concatenate([inputs, others, steps])] = np.arange(len(program))
    constants = dict(zip(place[others].tolist(), program.numbers[others].tolist(), strict=True))
    groups: list[Any] = []
    if len(steps):
        starts = np.append(program.starts[steps], len(program.operands))
        vary = np.zeros(len(program.operands), bool)
        groups.append(Chain(program.codes[steps], starts, place[program.operands], vary, place[steps], False))
    added = {len(PRIMITIVES) + 1 + i: other for i, other in enumerate(program.others)}
    outputs = place[program.outputs]
    return Code(
        len(program), 0, len(inputs), 0, constants, groups, [], [], outputs, np.zeros(len(outputs), bool), added
    )


def some_code(rng: random.Random) -> tuple[Code, int]:
    """The code of a random program, and a number of lanes for it."""
    if rng.random() < 0.1:
        xs = [Value(float(i)) for i in range(5)]
        y = where(xs[0], xs[1] * 2.0 + xs[2], xs[3].exp()) % 3.0 - dot(xs, xs)
        return chain_code(Program.of([y, y * y], inputs=xs)), 0
    if rng.random() < 0.3:  # a layer, and its gradients in total
        xs, ws = [Value(1.0) for _ in range(4)], [[Value(0.5) for _ in range(4)] for _ in range(5)]
        layer = [(dot(row, xs) + square(xs[0])).tanh() for row in ws]
        program = Program.of([*layer, *[x * out for x in xs for out in layer]], inputs=xs)
    else:
        program = random_program(rng)
    if rng.random() < 0.3:
        return lower(program), 0
    varies = np.array([rng.random() < 0.6 for _ in program.inputs] + [False] * len(program.parameters))
    return lower(program, varies, totals=rng.random() < 0.5), rng.choice((1, 3, 8, 16))


def _changed(number: int, rng: random.Random) -> int:
    return rng.choice((number + rng.choice((-1, 1, 2, 5)), number + rng.randint(-30, 30), rng.choice(EXTREMES)))


def mutate(code: Code, rng: random.Random) -> Undo:
    """Change one part of code.

    Returns:
        What changes it back.
    """
    owner: Any = code
    if rng.random() < 0.8:
        parts = [*code.groups, *code.varying_groups, *code.totals]
        owner = rng.choice(parts) if parts else code
    name = rng.choice([field.name for field in fields(owner)])
    part: Any = getattr(owner, name)
    changed: Any
    if isinstance(part, np.ndarray) and part.size:
        if rng.random() < 0.3:
            changed = part[:-1] if rng.random() < 0.5 else np.concatenate([part, part[-1:]])
        else:
            changed = part.copy()
            index = rng.randrange(part.size)
            changed.flat[index] = not part.flat[index] if part.dtype == bool else _changed(int(part.flat[index]), rng)
    elif isinstance(part, bool):
        changed = not part
    elif isinstance(part, int):
        changed = _changed(part, rng)
    elif isinstance(part, dict):
        changed = {_changed(key, rng): value for key, value in part.items()}
    elif isinstance(part, list) and part:
        changed = list(part)
        index = rng.randrange(len(part))
        if isinstance(part[index], Operand) and rng.random() < 0.8:
            changed[index] = _changed_operand(part[index], rng)
        elif rng.random() < 0.5:
            del changed[index]
        else:
            changed.insert(rng.randrange(len(part)), part[index])
    elif name == "primitive":
        changed = rng.choice([*PRIMITIVES.values(), None, square])
    else:
        return lambda: None
    setattr(owner, name, changed)
    assert is_dataclass(owner)
    return lambda: setattr(owner, name, part)


def _changed_operand(operand: Operand, rng: random.Random) -> Operand:
    name = rng.choice(Operand._fields)
    if name == "varies":
        return operand._replace(varies=not operand.varies)
    if name == "gathered":
        if operand.gathered is None:
            return operand._replace(gathered=np.arange(3))
        changed = operand.gathered.copy()
        changed[rng.randrange(len(changed))] = _changed(operand.place, rng)
        return operand._replace(gathered=changed if rng.random() < 0.7 else changed[1:])
    changes: dict[str, Any] = {name: _changed(getattr(operand, name), rng)}
    return operand._replace(**changes)


def _run(schedule: Any, code: Code, rng: random.Random) -> None:
    """Run code with arrays of the sizes that it says, and with others."""
    inputs, count = np.ones(code.inputs), len(code.outputs)
    state = rng.randint(0, min(code.inputs, count))
    examples = rng.randint(1, 30)
    tables = [np.ones((examples, code.varying_inputs))]
    attempts: list[Callable[[], Any]] = [
        lambda: schedule.call_floats(tuple(inputs)),
        lambda: schedule.run(1, inputs, [], [np.empty((1, count))]),
        lambda: schedule.run(2, inputs.copy(), [], [np.empty((2, count - state))], state),
        lambda: schedule.run(examples, inputs, tables, [np.empty((1 if code.totals else examples, count))]),
        lambda: schedule.run(examples, inputs, tables, [np.empty((1, count))]),
    ]
    for attempt in attempts:
        try:
            attempt()
        except ValueError:  # noqa: PERF203  # each is tried
            continue


def mutate_and_run(seed: int, count: int, execution: ModuleType) -> int:
    """Change code at random, a few parts at a time, and run what is not refused.

    Returns:
        How often it was refused.
    """
    rng = random.Random(seed)
    refused = 0
    code, lanes = some_code(rng)
    for index in range(count):
        if index % 50 == 0:
            code, lanes = some_code(rng)
        undo = [mutate(code, rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
        own_lanes = lanes if rng.random() < 0.95 else rng.choice((0, 1, 1024, 1025, 2**40, -1))
        try:
            # Sizes alone may ask for any amount of memory.
            if 0 <= code.uniform_size + code.varying_size < 10**6:
                _run(execution.Schedule(code, own_lanes), code, rng)
        except ValueError:
            refused += 1
        for back in reversed(undo):
            back()
    return refused
