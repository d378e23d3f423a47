"""Programs: the same bits as the graph they come from, and nothing but well-formed ones."""

import json
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Constant, Parameter, Value, topological_order
from autograd.primitives import PRIMITIVES
from autograd.programs.program import Program, from_edges
from nn.examples.worked_example import build_network, forward
from tests.random_code import square
from tests.random_programs import random_program
from tests.test_value import expressions, run

DOT, EXP, SUM = (PRIMITIVES[name].index for name in ("dot", "exp", "sum"))


@settings(max_examples=200, deadline=None)
@given(expressions(), st.lists(st.floats(-3, 3), min_size=4, max_size=4))
def test_a_program_computes_what_its_graph_computes_to_the_last_bit(
    expression: tuple[list[float], list[tuple[Any, ...]]], others: list[float]
) -> None:
    """For the numbers that the graph was built with, and for others, also by way of JSON."""
    numbers, instructions = expression
    rows: dict[str, Callable[..., Any]] = {**PRIMITIVES}
    try:
        inputs = [Value(x) for x in numbers]
        program = Program.of([run(inputs, instructions, rows)], inputs)
    except (ZeroDivisionError, ValueError):  # outside a domain
        return
    for at in (numbers, others[: len(numbers)]):
        leaves = [Value(x) for x in at]
        try:
            output = run(leaves, instructions, rows)
        except (ZeroDivisionError, ValueError):
            continue
        output.backward()
        for same in (program, Program.from_json(program.to_json())):
            assert repr(same.run(at)) == repr((output.data,))
            assert repr(same.gradient(at)) == repr((tuple(leaf.grad for leaf in leaves), ()))


def test_the_worked_example_as_a_program() -> None:
    network = build_network()
    total = forward(network)
    parameters = {node: node for node in topological_order(total) if isinstance(node, Parameter)}
    program = Program.of([total])
    total.backward()
    assert program.run() == (total.data,)
    assert program.gradient() == ((), tuple(parameter.grad for parameter in parameters))
    assert [program.labels[slot] for slot in program.parameters] == [parameter.label for parameter in parameters]
    assert "E_total" in program.labels.values()
    changed = [parameter.data + 0.01 for parameter in parameters]
    before = program.run()
    for parameter, number in zip(parameters, changed, strict=True):
        parameter.data = number
    assert program.run(parameters=changed) == (forward(network).data,)
    assert program.run() == before  # a program refers to no node


def test_inputs_may_be_inner_nodes_unused_or_constants() -> None:
    x, k, unused = Value(2.0, "x"), Constant(5.0, "k"), Value(7.0)
    inner = x * 3.0
    program = Program.of([inner * k + inner], [inner, k, unused])
    assert program.run() == (36.0,)
    assert program.run([1.0, 10.0, 0.0]) == (11.0,)
    assert program.gradient([1.0, 10.0, 0.0]) == ((11.0, 1.0, 0.0), ())
    assert not len(program.parameters)  # x is left out
    assert Program.of([x], [x]).gradient() == ((1.0,), ())
    assert Program.of([x * x, x]).run() == (4.0, 2.0)


def test_wide_nodes_and_custom_primitives() -> None:
    x = Value(0.5)
    cube = autograd.primitive(lambda out, y: 3.0 * y**2, name="cube")(lambda y: y**3)
    output = autograd.sum([cube(x), x, x, 2.0]) * autograd.dot([x, 3.0], [x, x]) + autograd.prod([x, x, x])
    program = Program.of([output], [x])
    output.backward()
    assert (program.run(), program.gradient()) == ((output.data,), ((x.grad,), ()))
    with pytest.raises(TypeError, match="cannot write <primitive cube> as JSON"):
        program.to_json()


def test_numbers_that_are_not_finite() -> None:
    x = Value(2.0)
    program = Program.of([x * math.inf - autograd.sum([math.nan, -math.inf])], [x])
    text = program.to_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert repr(Program.from_json(text).run()) == repr(program.run()) == "(nan,)"
    assert Program.of([x.log()], [x]).run([0.0]) == (-math.inf,)
    assert math.isnan(Program.of([x.log()], [x]).run([-1.0])[0])


def test_a_program_reads_like_a_listing() -> None:
    a = Value(2.0, "a")
    square = a * a
    square.label = "square"
    program = Program.of([square - 1.0], [a])
    assert str(program).splitlines() == [
        "0: input a = 2.0", "1: multiply 0 0 -> square", "2: constant = 1.0", "3: subtract 1 2", "outputs: 3",
    ]  # fmt: skip
    assert repr(program) == "<Program of 2 instructions, 1 inputs, 0 parameters, 1 outputs>"


def test_lists_of_operands_have_one_length() -> None:
    """The table says of how many lists the operands are; a program with a dot product of odd width is refused."""
    assert {name for name, primitive in PRIMITIVES.items() if primitive.lists != 1} == {"dot"}
    xs = [Value(float(k)) for k in range(6)]
    assert Program.of([autograd.dot(xs[:3], xs[3:])]).run() == (0.0 * 3.0 + 1.0 * 4.0 + 2.0 * 5.0,)


def test_a_large_graph() -> None:
    node = x = Value(1.0)
    for _ in range(20_000):
        node = node * 1.0 + x
    program = Program.from_json(Program.of([node], [x]).to_json())
    assert (len(program), program.run(), program.gradient()) == (60_001, (20_001.0,), ((20_001.0,), ()))


def test_what_a_program_is_run_with() -> None:
    x, w = Value(2.0), Parameter(3.0)
    program = Program.of([x * w], [x])
    with pytest.raises(ValueError, match="a number for each input, 1; got 2"):
        program.run([1.0, 2.0])
    with pytest.raises(ValueError, match="a number for each parameter, 1; got 0"):
        program.gradient(parameters=[])
    with pytest.raises(TypeError, match="got '1' of type str"):
        program.run(["1"])  # type: ignore[list-item]  # what is tested
    with pytest.raises(ValueError, match="a program with one output, this one has 2"):
        Program.of([x, w]).gradient()


GOOD = json.loads(Program.of([(Value(2.0, "x") * Parameter(3.0, "w")).tanh() + 1.0]).to_json())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "weights"}, "not of the format"),
        ({"version": 2}, "it has version 2, this stepgrad reads version 1"),
        ({"version": True}, "it has version True"),
        ({"primitives": ["multiply", "tanh", "explode"]}, "there is no primitive 'explode'"),
        ({"primitives": "add"}, "its primitives are 'add'"),
        ({"primitives": ["add"]}, "an instruction has no primitive"),
        ({"instructions": [0, 0, 1, 2, 0, 9]}, "an instruction has no primitive"),
        ({"instructions": [0, 0, 1, 2, 0, -1]}, "an instruction has no primitive"),
        ({"instructions": [0, 0, 1, 2, 0, 3.0]}, "its instructions are"),
        ({"instructions": []}, "0 leaves have 3 numbers"),
        ({"counts": [0, 0, 2, 1, 0, 3]}, "do not fit 6 slots and 5 operands"),
        ({"counts": [0, 0, 1, 2, 0, 2]}, "slot 2 applies <primitive multiply> to 1 operands"),
        ({"counts": [0, 0, 2, 1, 0, -2], "operands": [0, 1, 2]}, "do not fit 6 slots and 3 operands"),
        ({"operands": [0, 1, 3, 3, 4]}, "an operand of slot 3 is 3, which is not an earlier slot"),
        ({"operands": [0, 1, 2, 3, 5]}, "an operand of slot 5 is 5"),
        ({"operands": [0, -1, 2, 3, 4]}, "an operand of slot 2 is -1"),
        ({"operands": [0, True, 2, 3, 4]}, "its operands are"),
        ({"operands": [0, 1, 2, 3, 10**30]}, "its operands are .0, 1, 2, 3, 1000"),
        ({"numbers": [2.0, 3.0]}, "3 leaves have 2 numbers"),
        ({"numbers": [2.0, 3.0, "one"]}, "'one' is not a finite number"),
        ({"numbers": [2.0, 3.0, None]}, "None is not a finite number"),
        ({"numbers": [2.0, 3.0, 10**400]}, "is not a finite number"),
        ({"inputs": [5]}, "input 5 is the result of an instruction"),
        ({"inputs": [0]}, "an input or parameter twice"),
        ({"inputs": [99]}, "input 99 is not a slot"),
        ({"parameters": [0, 0, 1]}, "an input or parameter twice"),
        ({"outputs": [-1]}, "output -1 is not a slot"),
        ({"outputs": [[0]]}, "its outputs are"),
        ({"labels": {"0": 3}}, "the label of slot 0 is 3"),
        ({"labels": {"17": "x"}}, "the label of slot 17"),
        ({"labels": {"x": "x"}}, "its labels do not belong to slots"),
        ({"labels": []}, "its labels do not belong to slots"),
        ({"operands": "x" * 10_000}, "its operands are 'x"),
    ],
)
def test_a_program_that_is_not_well_formed_is_refused(changes: dict[str, Any], message: str) -> None:
    assert len(Program.from_json(json.dumps(GOOD))) == 6
    with pytest.raises(ValueError, match=message) as error:
        Program.from_json(json.dumps({**GOOD, **changes}))
    assert str(error.value).startswith("this is not a well-formed program: ")
    assert len(str(error.value)) < 250


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, "NaN", '{"format": NaN}', "[1, 2]", "null", "9" * 10_000])
def test_text_that_is_not_a_program_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this is not a well-formed program"):
        Program.from_json(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codes": [0, 999]}, "slot 1 applies a primitive with the code 999, which there is not"),
        ({"codes": [0, -1]}, "slot 1 applies a primitive with the code -1, which there is not"),
        ({"codes": [0, 1.0]}, "its primitives are .0, 1.0., which are no slots"),
        ({"codes": [[0, EXP]]}, "which are no slots"),
        ({"codes": [EXP, EXP]}, "slot 0 applies <primitive exp> to 0 operands"),
        ({"codes": [0, 0]}, "slot 1 applies nothing to 1 operands"),
        ({"codes": [0, len(PRIMITIVES) + 1], "others": ["cube"]}, "it applies 'cube', which is not a primitive"),
        ({"starts": [0, 1]}, "the starts of its operands do not fit 2 slots and 1 operands"),
        ({"starts": [1, 0, 1]}, "the starts of its operands do not fit"),
        ({"starts": [0, 0, 2]}, "the starts of its operands do not fit"),
        ({"starts": [0, 2, 1]}, "the operands of slot 1 end before they start"),
        ({"starts": [0, 1, 1]}, "an operand of slot 0 is 0, which is not an earlier slot"),
        ({"operands": [1]}, "an operand of slot 1 is 1, which is not an earlier slot"),
        ({"operands": [-1]}, "an operand of slot 1 is -1"),
        ({"codes": [0, DOT], "starts": [0, 0, 3], "operands": [0, 0, 0]}, "<primitive dot> to 3 operands"),
        ({"codes": [0, SUM], "starts": [0, 0, 0], "operands": []}, "<primitive sum> to 0 operands"),
        ({"numbers": [1.0]}, "2 slots have 1 numbers"),
        ({"numbers": [[1.0, 2.0]]}, "2 slots have 2 numbers"),
        ({"inputs": [1]}, "input 1 is the result of an instruction"),
        ({"parameters": [0]}, "an input or parameter twice"),
        ({"outputs": [2]}, "output 2 is not a slot"),
        ({"labels": {2: "x"}}, "the label of slot 2 is 'x'"),
        ({"labels": {0: 1}}, "the label of slot 0 is 1"),
    ],
)
def test_whatever_makes_a_program_is_checked(changes: dict[str, Any], message: str) -> None:
    parts: dict[str, Any] = {
        "codes": [0, EXP], "starts": [0, 0, 1], "operands": [0], "numbers": [1.0, 0.0], "inputs": [0],
        "parameters": [], "outputs": [1], "labels": {},
    }  # fmt: skip
    assert Program(**parts).run([0.0]) == (1.0,)
    with pytest.raises(ValueError, match=message):
        Program(**{**parts, **changes})


def test_a_program_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd.programs.program.MOST_SLOTS", 2)
    with pytest.raises(ValueError, match="it has 3 slots, at most 2 are possible"):
        Program([0] * 3, [0] * 4, [], [0.0] * 3, [], [], [])


# What is known of slots.


def test_slots_of_random_programs() -> None:
    for seed in range(50):
        program = random_program(random.Random(seed))
        assert program.owners().tolist() == np.repeat(np.arange(len(program)), np.diff(program.starts)).tolist()
        assert program.primitives == tuple(
            [program.primitive(code) if code else None for code in program.codes.tolist()]
        )
        is_leaf = program.codes == 0
        assert np.flatnonzero(is_leaf & ~program.is_constant).tolist() == sorted(program.leaves.tolist())
        assert program.needed()[program.outputs].all()


def test_uses_count_operands_and_outputs() -> None:
    x, y = Value(2.0), Value(3.0)
    program = Program.of([x * y + x, x * Constant(2.0)], inputs=[x, y])
    assert program.uses()[program.inputs].tolist() == [3, 1]
    assert program.uses()[program.outputs].tolist() == [1, 1]


def test_primitives_of_one_s_own_follow_the_table() -> None:
    x = Value(2.0)
    program = Program.of([square(x) + square(x)], inputs=[x])
    assert program.codes.max() == len(PRIMITIVES) + 1
    assert program.primitive(len(PRIMITIVES) + 1) is square
    assert program.others == (square,)


def test_parts_are_replaced_and_others_kept() -> None:
    x = Value(2.0)
    program = Program.of([x + x], inputs=[x])
    other = program.replaced(outputs=np.array([0]))
    assert (other.run(), program.run()) == ((2.0,), (4.0,))
    assert other.operands is program.operands


def test_edges_keep_their_order() -> None:
    starts, operands = from_edges(np.array([2, 1, 2, 2]), np.array([9, 8, 7, 9]), 4)
    assert starts.tolist() == [0, 0, 1, 4, 4]
    assert operands.tolist() == [8, 9, 7, 9]


def test_slots_become_leaves() -> None:
    x = Value(2.0)
    program = Program.of([(x.exp() * x + x.sin()) * x], inputs=[x])
    chosen = np.array([primitive is not None and primitive.name == "multiply" for primitive in program.primitives])
    other = program.with_leaves(chosen)
    kept = [[] if is_chosen else program.operands_of(slot).tolist() for slot, is_chosen in enumerate(chosen)]
    assert [other.operands_of(slot).tolist() for slot in range(len(other))] == kept
    assert np.flatnonzero(other.codes == 0).tolist() == [0, *np.flatnonzero(chosen)]
