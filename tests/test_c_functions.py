"""The bodies of functions in C: statements for small programs, loops for others. `test_c_source` runs them."""

import random
import re
from typing import Any

import numpy as np
import pytest

from autograd import Value, compile, dot, exp, grad, sin, tanh, value_and_grad
from autograd.programs.c_source import to_c
from autograd.programs.program import Program
from nn import MLP
from tests.benchmarks.programs import functions

pytestmark = pytest.mark.engine_independent


def body_of(source: str, name: str) -> list[str]:
    """The lines of a function."""
    return source.partition(f"\nint {name}(")[2].partition("\n}")[0].splitlines()[1:]


def test_a_small_program_is_written_without_memory_or_loops() -> None:
    code = compile(functions.worked_example_round).program(functions.WORKED_EXAMPLE).to_c("training_round")
    assert "for (" not in code.source
    assert "#define TRAINING_ROUND_WORK 1\n" in code.header
    assert "work[" not in code.source


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


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_check_adds_in_pairs(count: int) -> None:
    x = [Value(float(i)) for i in range(count)]
    lines = body_of(Program.of(list(map(exp, x)), inputs=x).to_c("f").source, "f")
    (line,) = [line for line in lines if "const double checksum" in line]
    assert line.count("+") == count - 1


def test_what_another_output_adds_up_needs_no_check() -> None:
    """It is finite where that sum is; but 1 / x may be finite where x is not."""
    x, y = Value(1.0), Value(2.0)
    part = exp(x)
    code = Program.of([part, part + y, 1.0 / y], inputs=[x, y]).to_c("f")
    (line,) = [line for line in code.source.splitlines() if "const double checksum" in line]
    outputs = dict(re.findall(r"outputs\[(\d)\] = (\w+);", code.source))
    assert outputs["0"] not in line
    assert outputs["1"] in line
    assert outputs["2"] in line


def test_arguments_that_are_not_read_are_no_warning() -> None:
    lines = body_of(compile(value_and_grad(lambda x, unused: exp(x))).program(1.0, 2.0).to_c("f").source, "f")
    assert "    (void)unused;" in lines
