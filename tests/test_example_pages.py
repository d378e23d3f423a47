"""The two pages that come with the package, against the article and against Python's own truth tables."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import get_args

import pytest

from nn import logic_gates_page, worked_example_page
from nn.examples.pages import GATES, gate_network
from nn.examples.worked_example import PUBLISHED, Biases, build_network, forward, learning_parameters
from tests.test_content import data_of, evaluated_at, program_of


def test_the_worked_example_begins_with_the_articles_figures() -> None:
    data = data_of(worked_example_page())
    content = data["graphs"][data["biases"]["frozen"]["graph"]]
    error, grads = evaluated_at(content, [])
    assert f"{error:.9f}" == "0.298371109"
    assert f"{grads['w5']:.9f} {grads['w1']:.9f}" == "0.082167041 0.000438568"
    assert data["learningRate"] == 0.5
    published = {(name, by, rounds): figure for name, by, rounds, figure in data["published"]}
    assert len(published) == len(PUBLISHED) == 33
    assert published["E_total", None, 0] == "0.298371109"
    assert published["E_total", "w5", 0] == "0.082167041"
    assert published["E_o2", "out_h1", 0] == "-0.019049119"
    assert published["w1", None, 1] == "0.149780716"
    assert published["out_o2", None, 10_000] == "0.984065734"
    assert {name for names in published for name in names[:2] if name} <= set(content["names"])


@pytest.mark.parametrize("kind", get_args(Biases))
def test_each_kind_of_biases_learns_what_it_says(kind: Biases) -> None:
    data = data_of(worked_example_page())
    assert set(data["biases"]) == set(get_args(Biases))
    choice = data["biases"][kind]
    content = data["graphs"][choice["graph"]]
    weights = {f"w{k}" for k in range(1, 9)}
    biases = {"frozen": set(), "shared": {"b1", "b2"}, "per-neuron": {"b1", "b2", "b3", "b4"}}[kind]
    names = content["names"]
    assert sorted(names[slot] for slot in choice["learning"]) == sorted(weights | biases)
    network = build_network(kind)
    assert {names[slot] for slot in choice["learning"]} == {p.label for p in learning_parameters(network, kind)}
    total = forward(network)
    total.backward()
    error, grads = evaluated_at(content, [])
    assert error == total.data
    for parameter in network.parameters():
        assert grads[str(parameter.label)] == parameter.grad
    program = program_of(content)
    layers = {names[slot]: layer for slot, layer in zip(program.parameters, content["program"]["layers"], strict=True)}
    assert {name for name, layer in layers.items() if layer == 0 and name.startswith("w")} == {"w1", "w2", "w3", "w4"}
    assert [len(layer) for layer in content["network"]["layers"]] == [2, 2]


def test_the_gates_are_those_of_logic() -> None:
    functions: dict[str, Callable[[bool, bool], bool]] = {
        "XOR": lambda a, b: a != b,
        "OR": lambda a, b: a or b,
        "NAND": lambda a, b: not (a and b),
        "AND": lambda a, b: a and b,
    }
    data = data_of(logic_gates_page())
    assert list(data["gates"]) == list(GATES) == list(functions)
    for gate, rows in data["gates"].items():
        assert [row[:2] for row in rows] == [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
        assert [row[2] for row in rows] == [float(functions[gate](bool(a), bool(b))) for a, b, _ in rows]


def test_the_gates_network_computes_half_the_squared_error() -> None:
    data = data_of(logic_gates_page(seed=7))
    (content,) = data["graphs"]
    names = content["names"]
    assert [names[slot] for slot in content["columns"]] == ["i1", "i2", "target"]
    assert [[names[out], names[target]] for out, target in content["predictions"]] == [["out_o1", "target"]]
    network = gate_network(random.Random(7))
    for a, b, target in data["gates"]["XOR"]:
        (output,) = network.forward([a, b])
        error, _ = evaluated_at(content, [a, b, target])
        assert error == pytest.approx(0.5 * (target - output.data) ** 2, rel=1e-15)


def test_the_gates_network_is_the_companion_scripts() -> None:
    data = data_of(logic_gates_page())
    (content,) = data["graphs"]
    names, program = content["names"], program_of(content)
    assert [len(layer) for layer in content["network"]["layers"]] == [5, 1]
    numbers = {names[slot]: program.numbers[slot] for slot in program.parameters}
    assert set(numbers) == {*(f"w{k}" for k in range(1, 16)), "b1", "b2"}  # one bias a layer
    assert all(0.0 <= number < 1.0 for number in numbers.values())
    assert {names[slot] for slot in data["biases"]["frozen"]["learning"]} == {f"w{k}" for k in range(1, 16)}
    assert {names[slot] for slot in data["biases"]["shared"]["learning"]} == set(numbers)
    assert data["pick"] is True


def test_a_seed_gives_the_same_page_and_another_one_another() -> None:
    assert logic_gates_page(3).html == logic_gates_page(3).html != logic_gates_page(4).html
    assert worked_example_page().html == worked_example_page().html
