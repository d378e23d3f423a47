"""The bodies of functions in C: statements for small programs, loops for others. `test_c_source` runs them."""

import random
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autograd import Value, compile, dot, exp, grad, sin, tanh, value_and_grad
from autograd.programs.c_functions import Loops
from autograd.programs.c_source import Interface, to_c
from autograd.programs.c_text import Text
from autograd.programs.groups import Total
from autograd.programs.layout import lower
from autograd.programs.program import Program
from nn import MLP
from tests.benchmarks.programs import functions

pytestmark = pytest.mark.engine_independent


def body_of(source: str, name: str) -> list[str]:
    """The lines of a function, of which long ones may be continued."""
    return source.partition(f"\nint {name}(")[2].partition("\n}")[0].splitlines()[1:]


def test_a_small_program_is_written_without_loops() -> None:
    code = compile(functions.worked_example_round).program(functions.WORKED_EXAMPLE).to_c("training_round")
    assert "Place" not in code.source
    assert "#define TRAINING_ROUND_WORK 8\n" in code.header  # for the weights, should a result not be finite


def test_what_is_computed_already_is_not_computed_again() -> None:
    x = Value(0.5)
    lines = body_of(Program.of([exp(x) * exp(x) + sin(x) * sin(x)], inputs=[x]).to_c("f").source, "f")
    assert sum("exp(" in line for line in lines) == sum("sin(" in line for line in lines) == 1


def test_an_input_that_is_an_output_is_read_once_before_results_are_written() -> None:
    x = Value(0.5)
    lines = body_of(Program.of([x, dot([x], [1.0]), x], inputs=[x]).to_c("f").source, "f")
    assert [line for line in lines if "inputs[0]" in line] == ["    const double v1 = inputs[0];"]
    assert [line for line in lines if "outputs" in line] == [f"    outputs[{i}] = v1;" for i in range(3)]


def test_a_large_program_is_a_few_loops() -> None:
    """256 neurons of 64 inputs with their derivatives: 100,000 operations are some dozens of lines, besides tables."""

    def error(weights: Any, x: Any) -> Any:
        return dot(signals := [tanh(dot(row, x)) for row in weights], signals)

    weights = np.random.default_rng(1).uniform(-1.0, 1.0, (256, 64))
    program = compile(grad(error)).program(weights, weights[0])
    assert np.count_nonzero(program.codes) > 32_000
    assert len(body_of(program.to_c("f").source, "f")) < 40


def test_a_deep_program_is_a_table_of_instructions() -> None:
    def deep(x: Any) -> Any:
        for _ in range(5_000):
            x = x + sin(x) * 0.001
        return x

    code = compile(deep).program(0.5).to_c("deep")
    lines = body_of(code.source, "deep")
    assert len(lines) < 20
    assert any("/* sin */" in line for line in lines)


def test_few_instructions_beside_loops_are_statements() -> None:
    """And none of them takes more than a line for each instruction."""
    network: MLP = MLP(4, [24, 24, 1], "tanh", generator=random.Random(1))
    point = [Value(0.25 * i) for i in range(4)]
    program = Program.of([network(point)], inputs=point)
    source = to_c(program, "answer", straight=0).source
    assert re.search(r"^    work\[\d+\] = ", source, re.MULTILINE)
    assert "switch" not in source
    assert "switch" in to_c(program, "answer", straight=0, statements=0).source


def test_what_is_called_where_a_result_is_not_finite_has_the_arguments_as_they_were() -> None:
    """Results may stand where the arguments did, so these are copied; but not numbers, nor without such a function."""
    lines = body_of(compile(grad(lambda x, y: exp(x[0] * y) * x[1])).program([1.0, 2.0], 3.0).to_c("f").source, "f")
    assert lines[1] == "    for (item = 0; item < 2; ++item) work[item] = x[item];"
    assert lines[-1].endswith(" ? 0 : f_guarded(work, y, result, work);")
    lines = body_of(compile(lambda x: x[0] * x[1]).program([1.0, 2.0]).to_c("f").source, "f")
    assert not any("work[" in line for line in lines)


def test_a_kind_of_group_without_a_loop_in_c_is_refused() -> None:
    """None of it is left out."""

    class Loop(Total):
        pass

    x = Value(1.0)
    program = Program.of([exp(x)], inputs=[x])
    other: Any = Loop(np.zeros(1, np.int64), None, np.zeros(1, np.int64))
    code = replace(lower(program), groups=[other])
    loops = Loops(code, Interface("f", program, [], []), np.zeros(0, np.int64), Text(), 4, 1_000)
    with pytest.raises(TypeError, match="cannot write a group of the kind Loop as C"):
        loops.body(None)


def test_arguments_that_are_not_read_are_no_warning() -> None:
    lines = body_of(compile(value_and_grad(lambda x, unused: exp(x))).program(1.0, 2.0).to_c("f").source, "f")
    assert "    (void)unused;" in lines
