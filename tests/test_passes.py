"""The passes: what each removes or joins, and that results keep their bits, whatever passes are left out."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Constant, Value, compile, cos, dot, exp, grad, primitive, sin, tanh
from autograd import sum as total_of
from autograd.primitives import PRIMITIVES
from autograd.programs.layout import lower
from autograd.programs.passes import (
    MOST_SEARCHES,
    PASSES,
    with_constants_folded,
    with_dot_products,
    with_sums,
    without_dead_code,
    without_identities,
    without_repeated_functions,
)
from autograd.programs.program import Program
from tests.random_code import square
from tests.random_programs import EACH_ENGINE, Engine, by_python, random_program, run_by, same

stop_gradient = PRIMITIVES["stop_gradient"]


def program_of(function: Callable[..., Any], *numbers: float) -> Program:
    inputs = [Value(number) for number in numbers]
    results = function(*inputs)
    return Program.of(results if isinstance(results, list) else [results], inputs=inputs)


def names(program: Program) -> list[str]:
    """The names of the primitives of the instructions that are needed, in order."""
    return sorted(primitive.name for primitive in without_dead_code(program).primitives if primitive is not None)


def constants(program: Program) -> list[float]:
    """The constants that are needed."""
    is_needed = program.is_constant & program.needed()
    return sorted(program.numbers[is_needed].tolist())


def outputs_of(engine: Engine, program: Program, passes: Any, given: Any) -> Any:
    schedule = engine.execution.Schedule(lower(program, passes=passes, deep=engine.deep))
    results = np.empty((1, len(program.outputs)))
    schedule.run(1, np.array([*given, *program.numbers[program.parameters]]), [], [results])
    return results[0]


# All together.


@EACH_ENGINE
@pytest.mark.parametrize("left_out", [*PASSES, None], ids=lambda each: each.__name__ if each else "none left out")
def test_without_one_pass_the_results_are_the_same(engine: Engine, left_out: object) -> None:
    passes = [each for each in PASSES if each is not left_out]
    for seed in range(1000, 1030):
        rng = random.Random(seed)
        program = random_program(rng)
        given = [rng.uniform(-2, 2) for _ in program.inputs]
        outputs = outputs_of(engine, program, passes, given)
        if engine.compute is by_python or left_out is not with_constants_folded:
            assert same(run_by(engine.compute, program, given), outputs), seed
        else:  # what depends on constants alone is then computed by NumPy
            assert np.allclose(program.run(given), outputs, rtol=1e-9, equal_nan=True), seed


def test_each_pass_leaves_a_program_that_computes_the_same() -> None:
    for seed in range(40):
        rng = random.Random(seed)
        program = changed = random_program(rng)
        given = [rng.uniform(-2, 2) for _ in program.inputs]
        for change in PASSES:
            changed = change(changed)
            assert same(program.run(given), changed.run(given)), (seed, change)
            assert changed.inputs.tolist() == program.inputs.tolist()


@EACH_ENGINE
@pytest.mark.parametrize("count", range(len(PASSES) + 1))
def test_the_passes_may_stop_anywhere(engine: Engine, count: int) -> None:
    for seed in range(2000, 2012):
        rng = random.Random(seed)
        program = random_program(rng)
        if not len(program.inputs):
            continue
        uniform = program.numbers[program.parameters]
        varies = np.array([True] * len(program.inputs) + [False] * len(uniform))
        table = np.array([[rng.uniform(-2, 2) for _ in program.inputs] for _ in range(9)])
        totals = np.empty((2, len(program.outputs)))
        for row, passes in enumerate((PASSES, PASSES[:count] if count > 1 else PASSES[1 : 2 + count])):
            code = lower(program, varies, totals=True, passes=passes)
            engine.execution.Schedule(code, 4).run(9, uniform, [table], [totals[row : row + 1]])
        assert same(totals[0], totals[1]), seed


def test_passes_make_fewer_groups() -> None:
    programs = [random_program(random.Random(seed)) for seed in range(100)]
    with_all, without = (sum(len(lower(each, passes=passes).groups) for each in programs) for passes in (PASSES, ()))
    assert with_all < 0.9 * without


# What is left out.


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 1.0,
        lambda x: 1.0 * x,
        lambda x: x / 1.0,
        lambda x: x**1.0,
        stop_gradient,
        lambda x: ((1.0 * x) / 1.0) ** 1.0 * 1.0,
    ],
)
def test_identities_are_left_out(function: Callable[..., Any]) -> None:
    program = without_identities(program_of(function, 2.0))
    assert program.outputs.tolist() == program.inputs.tolist()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + 0.0,  # which makes 0 of −0
        lambda x: x - 0.0,
        lambda x: 1.0 / x,
        lambda x: 1.0**x,
        lambda x: x * -1.0,
        lambda x: x * 0.0,
        lambda x: x * 2.0,
    ],
)
def test_what_changes_a_number_stays(function: Callable[..., Any]) -> None:
    before = program_of(function, 2.0)
    after = without_identities(before)
    assert after.outputs.tolist() == before.outputs.tolist()
    assert after.operands.tolist() == before.operands.tolist()


def test_stops_stay_for_a_program_that_is_differentiated_by_something_else() -> None:
    given = program_of(lambda x: stop_gradient(x * 1.0) * 3.0, 2.0)
    kept = without_identities(given, keeps_stops=True)
    assert without_identities(given).operands_of(5).tolist() == [0, 4]
    assert [kept.operands_of(slot).tolist() for slot in (3, 5)] == [[0], [3, 4]]


def test_a_parameter_of_one_is_no_constant() -> None:
    w = Value(1.0)
    before = program_of(lambda x: x * w, 2.0)
    assert without_identities(before).outputs.tolist() == before.outputs.tolist()


def test_constants_are_computed_once_and_merged() -> None:
    two, other_two = Constant(2.0), Constant(2.0)
    folded = with_constants_folded(program_of(lambda x: x * two.exp() + x * other_two.exp() + square(other_two), 3.0))
    assert constants(folded) == [4.0, math.exp(2.0)]
    assert names(folded) == ["add", "add", "multiply", "multiply"]


def test_constants_of_other_bits_stay_apart() -> None:
    given = program_of(lambda x: x * Constant(0.0) + x * Constant(-0.0) + Constant(math.nan), 3.0)
    folded = with_constants_folded(given)
    assert [math.copysign(1.0, number) for number in constants(folded) if number == 0.0] in ([1.0, -1.0], [-1.0, 1.0])
    assert len(np.unique(folded.operands)) == len(np.unique(given.operands))


@pytest.mark.parametrize("function", [lambda x: x**0.0, lambda x: x**-0.0, lambda x: 1.0**x, lambda x: (x / x) ** 0.0])
def test_powers_that_are_one_whatever_the_other_operand_is(function: Callable[..., Any]) -> None:
    folded = with_constants_folded(program_of(function, 2.0))
    assert folded.is_constant[folded.outputs].all()
    compiled = compile(lambda x: function(x) * x.exp())
    for x in (0.0, -0.0, -2.5, math.inf, -math.inf):
        assert compiled(x) == math.exp(x)
    assert function(Value(math.nan)).data == compile(function)(math.nan) == 1.0


def test_the_second_derivative_of_a_square_takes_no_power() -> None:
    second = compile(grad(grad(lambda x: x**2)))
    program = second.program(1.0)
    for change in PASSES:
        program = change(program)
    assert program.numbers[program.outputs].tolist() == [2.0]
    assert second.batch([-1.5, 0.0, math.inf]).tolist() == [2.0, 2.0, 2.0]


def test_a_power_of_a_parameter_is_computed() -> None:
    w = Value(0.0)
    compiled = compile(lambda x: x**w)
    assert compiled(3.0) == 1.0
    w.data = 2.0
    assert compiled(3.0) == 9.0


def test_an_output_may_be_a_constant() -> None:
    folded = with_constants_folded(program_of(lambda: Constant(2.0).exp()))
    assert folded.numbers[folded.outputs].tolist() == [math.exp(2.0)]
    assert folded.is_constant[folded.outputs].all()


def test_an_operation_outside_its_domain_folds_to_its_limit() -> None:
    program = program_of(lambda x: x + Constant(0.0).exp(), 1.0)
    exp, log = PRIMITIVES["exp"].index, PRIMITIVES["log"].index
    program = program.replaced(codes=np.where(program.codes == exp, log, program.codes))
    assert constants(with_constants_folded(program)) == [-math.inf]


def test_a_long_chain_of_constants_is_folded_in_one_go() -> None:
    node: Value = Constant(1.0)
    for _ in range(20_000):
        node = node * 1.0000001
    folded = with_constants_folded(program_of(lambda x: x + node, 1.0))
    assert names(folded) == ["add"]
    assert constants(folded) == [node.data]


def shared(function: Callable[..., Any], *numbers: float) -> list[str]:
    return names(without_repeated_functions(program_of(function, *numbers)))


def test_equal_functions_are_computed_once() -> None:
    assert shared(lambda x: sin(x) * sin(x), 2.0) == ["multiply", "sin"]
    assert shared(lambda x: tanh(exp(x)) - tanh(exp(x)), 2.0) == ["exp", "subtract", "tanh"], "also those of equal ones"
    assert shared(lambda x, y: x**y + x**y, 2.0, 3.0) == ["add", "power"]


def test_the_search_for_equal_functions_takes_a_few_rounds() -> None:
    def chain(x: Any) -> Any:
        for _ in range(100):
            x = tanh(x)
        return x

    assert shared(lambda x: chain(x) - chain(x), 2.0).count("tanh") == 200 - MOST_SEARCHES, "else it is quadratic"


def test_functions_of_other_numbers_are_not_shared() -> None:
    assert shared(lambda x, y: sin(x) + sin(y), 2.0, 2.0).count("sin") == 2
    assert shared(lambda x, y: x**y + y**x, 2.0, 2.0).count("power") == 2
    assert shared(lambda x: sin(x) + exp(x), 2.0) == ["add", "exp", "sin"]


def test_functions_of_python_are_not_shared() -> None:
    @primitive(lambda out, x: 1.0, check=False)
    def counted(x: float) -> float:
        return x

    assert shared(lambda x: counted(x) + counted(x), 2.0) == ["add", "counted", "counted"]


def test_a_derivative_takes_no_second_sine() -> None:
    program = compile(grad(lambda x: sin(x) * cos(x))).program(0.5)
    assert sorted(each for each in names(without_repeated_functions(program)) if each in ("sin", "cos")) == [
        "cos",
        "sin",
    ]


def test_dead_code_uses_nothing() -> None:
    given = program_of(lambda x, y: [x * y, (x + y).exp()], 2.0, 3.0)
    dead = without_dead_code(given.replaced(outputs=given.outputs[:1]))
    assert names(dead) == ["multiply"]
    assert dead.uses()[dead.inputs].tolist() == [1, 1]
    assert without_dead_code(given).primitives == given.primitives


# What is joined.


def joined(function: Callable[..., Any], count: int) -> list[tuple[str, list[int]]]:
    """The instructions that both passes make of a function, with operands by the number of the input; −1 for others."""
    found = without_dead_code(with_dot_products(with_sums(program_of(function, *range(count)))))
    number = {slot: i for i, slot in enumerate(found.inputs.tolist())}
    return [
        (primitive.name, [number.get(operand, -1) for operand in found.operands_of(slot).tolist()])
        for slot, primitive in enumerate(found.primitives)
        if primitive
    ]


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (lambda a, b, c, d: a + b + c + d, [("sum", [0, 1, 2, 3])]),
        (lambda a, b, c, d: total_of([a, b]) + c + d, [("sum", [0, 1, 2, 3])]),
        (lambda a, b, c, d: total_of([a + b, c, d]), [("sum", [0, 1, 2, 3])]),
        # Another order of the additions would be another number.
        (lambda a, b, c, d: a + (b + (c + d)), [("add", [2, 3]), ("add", [1, -1]), ("add", [0, -1])]),
        (lambda a, b, c, d: (a + b) + (c + d), [("add", [2, 3]), ("sum", [0, 1, -1])]),
        # A partial sum that something else uses stays.
        (lambda a, b, c, d: [s := a + b, s + c + d], [("add", [0, 1]), ("sum", [-1, 2, 3])]),
        (lambda a, b, c, d: [(s := a + b) + s, c, d], [("add", [0, 1]), ("add", [-1, -1])]),
        (lambda a, b, c, d: a + b, [("add", [0, 1])]),
        # Products.
        (lambda a, b, c, d: a * b + c * d, [("dot", [0, 2, 1, 3])]),
        (lambda a, b, c, d: a * b + c * d + a * d, [("dot", [0, 2, 0, 1, 3, 3])]),
        (lambda a, b, c, d: a * b + c * d + a, [("dot", [0, 2, 0, 1, 3, -1])]),  # a · 1
        (lambda a, b, c, d: a * b + c, [("multiply", [0, 1]), ("add", [-1, 2])]),  # no more than half are products
        (lambda a, b, c, d: [p := a * b, p + c * d], [("multiply", [0, 1]), ("multiply", [2, 3]), ("add", [-1, -1])]),
        (lambda a, b, c, d: dot([a, b], [c, d]), [("dot", [0, 1, 2, 3])]),
        (lambda a, b, c, d: a * a + a * a, [("dot", [0, 0, 0, 0])]),
    ],
)
def test_what_is_joined(function: Callable[..., Any], wanted: list[tuple[str, list[int]]]) -> None:
    assert joined(function, 4) == wanted


def test_a_long_chain_is_one_sum() -> None:
    found = with_sums(program_of(lambda *xs: sum(xs[1:], start=xs[0]), *[1.0] * 5000))
    assert found.operands_of(int(found.outputs[0])).tolist() == found.inputs.tolist()
    assert np.count_nonzero(found.codes) == 1


def test_a_constant_of_one_is_used_where_there_is_one() -> None:
    one = Constant(1.0)
    given = with_sums(program_of(lambda a, b: [a * b + b * b + a, one], 2.0, 3.0))
    assert len(with_dot_products(given)) == len(given)


@EACH_ENGINE
@pytest.mark.parametrize("passes", [(), (with_sums,), (with_dot_products,), (with_sums, with_dot_products)])
def test_the_order_of_rounding_is_kept(engine: Engine, passes: Any) -> None:
    """Terms whose sum depends on their order, and zeros whose sign depends on where a sum starts."""
    numbers = [1e16, 1.0, -1e16, 1.0, 1e-3, -1e16, 3.0, 1e16]
    inputs = [Value(number) for number in numbers]
    total, products = inputs[0], inputs[0] * inputs[1]
    for each, other in zip(inputs[1:], [*inputs[2:], inputs[0]], strict=True):
        total, products = total + each, products + each * other
    program = Program.of([total, products], inputs=inputs)
    outputs = outputs_of(engine, program, passes, numbers)
    assert outputs.tolist() == [total.data, products.data] == list(program.run())
    outputs = outputs_of(engine, program, passes, [-0.0] * 8)
    assert math.copysign(1.0, outputs[0]) == -1.0
    assert program.run([-0.0] * 8) == tuple(outputs)
