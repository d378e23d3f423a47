"""Loops as nodes: what becomes of them in a program, by themselves."""

from functools import partial
from typing import Any

import pytest

from autograd import compile, cos, fori_loop, grad, hessian, jacobian, scan, sin, while_loop
from autograd.programs.recorded_loops import PICK, RecordedLoop, has_code, slots_of


def loops_of(program: Any) -> list[RecordedLoop]:
    return [other for other in program.others if isinstance(other, RecordedLoop)]


def test_a_loop_is_a_node_and_a_pick_for_each_result() -> None:
    def step(s: Any, r: Any) -> Any:
        return (s[0] * 2.0 + r, s[1]), (r * s[1], r)

    program = compile(lambda x: scan(step, (x, 3.0), [1.0, 2.0, 4.0])).program(1.0)
    (loop,) = loops_of(program)
    assert (loop.name, loop.count, loop.operand_count()) == ("scan", 3, 2 + 3)
    assert slots_of(program, RecordedLoop).sum() == 1
    assert sum(primitive is PICK for primitive in program.primitives) == 2 + 3 * 2
    assert program.run([1.0]) == (1.0 * 8 + 4 + 4 + 4, 3.0, 3.0, 6.0, 12.0, 1.0, 2.0, 4.0)
    assert loop(1.0, 3.0, 1.0, 2.0, 4.0) == (20.0, 3.0, 3.0, 1.0, 6.0, 2.0, 12.0, 4.0)  # round by round


def test_a_loop_refers_to_what_is_older_than_its_round() -> None:
    def function(x: Any, y: Any) -> Any:
        outside = x * y
        return fori_loop(0, 5, lambda i, s: s * outside + sin(y) + 2.0 * i, x)

    (loop,) = loops_of(compile(function).program(1.0, 2.0))
    assert len(loop.body.constants) == 2
    assert loop.body.program.inputs.size == 2 + 2  # the number of the round, the state; x · y, and y


def power_of_sines(rounds: int, x: Any) -> Any:
    return fori_loop(0, rounds, lambda i, s: sin(s) * x, x)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_are_loops_again(order: int) -> None:
    """Whose programs do not grow with the count of the rounds."""
    sizes = []
    for rounds in (5, 500):
        function: Any = partial(power_of_sines, rounds)
        for _ in range(order):
            function = grad(function)
        sizes.append(len(compile(function).program(0.3)))
    assert sizes[0] == sizes[1] < 100 * 3**order


def test_each_row_of_a_matrix_of_derivatives_is_that_of_its_output_alone() -> None:
    """Rows share slopes: what one adds up is not that of the next."""

    def totals(x: Any) -> Any:
        _, found = scan(lambda total, number: (total + number, total + number), 0.0, x)
        return [found[0] + found[1] + found[2], found[0], found[0] + found[2]]

    for sparse in (False, True):
        rows = compile(jacobian(totals, sparse=sparse))([1.0, 2.0, 4.0])
        assert (rows.toarray().tolist() if sparse else rows) == [[3.0, 2.0, 1.0], [1.0, 0.0, 0.0], [2.0, 1.0, 1.0]]

    def cubic(x: Any) -> Any:  # x · (x + y)²
        return fori_loop(0, 2, lambda i, s: (s[0] * s[1], s[1]), (x[0], x[0] + x[1]))[0]

    x, y = 2.0, 3.0
    mixed = 4.0 * x + 2.0 * y
    assert compile(hessian(cubic))([x, y]) == [[6.0 * x + 4.0 * y, mixed], [mixed, 2.0 * x]]


def test_a_loop_that_is_not_differentiated_has_no_other() -> None:
    compiled = compile(lambda x, y: grad(lambda x: x * x)(x) + fori_loop(0, 3, lambda i, s: s * y, y))
    assert [loop.name for loop in loops_of(compiled.program(1.0, 2.0))] == ["fori_loop"]


def test_codes_are_found_within_rounds() -> None:
    program = compile(lambda x: while_loop(lambda s: s < 9.0, lambda s: s + sin(s), x)).program(1.0)
    assert has_code(program, [sin.index])
    assert not has_code(program, [cos.index])
