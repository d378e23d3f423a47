"""A network as a page: with each case the error and the gradients of the network itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import LivePage, Parameter, Value
from nn import (
    MLP,
    Module,
    binary_cross_entropy,
    half_squared_error,
    hinge,
    mean_squared_error,
    network_page,
    softmax_cross_entropy,
)
from tests.test_content import data_of, evaluated_at

XOR: list[tuple[Sequence[float], Any]] = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]
Loss = Callable[[Any, Any], Value]


def network_of(sizes: list[int], **arguments: Any) -> MLP:
    return MLP(2, sizes, "tanh", generator=random.Random(5), **arguments)


def check(page: LivePage, network: Module, cases: Iterable[tuple[Sequence[float], Any]], loss: Loss) -> dict[str, Any]:
    """Compare the page's numbers with each case to those that the network and the loss compute."""
    data = data_of(page)
    (content,) = data["graphs"]
    cases = list(cases)
    assert len(data["cases"]) == len(cases)
    for (inputs, target), row in zip(cases, data["cases"], strict=True):
        for parameter in network.parameters():
            parameter.grad = None
        error = loss(network(inputs), target)
        error.backward()
        value, grads = evaluated_at(content, row)
        assert value == pytest.approx(error.data, rel=1e-12)
        for parameter in network.parameters():
            if parameter.has_grad:
                assert grads[str(parameter.label)] == pytest.approx(parameter.grad, rel=1e-12, abs=1e-15)
        given = dict(zip([content["names"][slot] for slot in content["columns"]], row, strict=True))
        shown = {name: number for name, number in given.items() if name.startswith("i")}
        assert shown == {name: inputs[int(name[1:]) - 1] for name in shown}
    learning = [content["names"][slot] for slot in content["learning"]]
    assert sorted(learning) == sorted(str(parameter.label) for parameter in network.parameters())
    assert not {*content["learning"]} & {*content["columns"]}
    return data


@pytest.mark.parametrize("loss", [half_squared_error, mean_squared_error, binary_cross_entropy])
@pytest.mark.parametrize("outputs", [1, 3])
def test_the_page_computes_what_the_network_computes(loss: Loss, outputs: int) -> None:
    network = network_of([4, outputs])
    cases: list[tuple[Sequence[float], Any]] = (
        XOR if outputs == 1 else [([0.5, -1], [0, 1, 0.25]), ([2, 0.1], [1, 0.5, 0])]
    )
    (content,) = check(network_page(network, cases, loss), network, cases, loss)["graphs"]
    names = content["names"]
    columns = ["i1", "i2", *(["target"] if outputs == 1 else ["target_o1", "target_o2", "target_o3"])]
    assert [names[slot] for slot in content["columns"]] == columns
    assert [len(layer) for layer in content["network"]["layers"]] == [4, outputs]
    compared = [[names[out], names[target]] for out, target in content["predictions"]]
    expected = [[f"net_o{k + 1}", column] for k, column in enumerate(columns[2:])]
    assert compared == (expected if loss is half_squared_error else [])


def test_the_errors_have_the_articles_names() -> None:
    for sizes, targets, expected in (([2, 2], [0.0, 1.0], {"E_o1", "E_o2", "E_total"}), ([1], [1.0], {"E"})):
        page = network_page(network_of(sizes), [([0.5, 1.0], targets)])
        names = data_of(page)["graphs"][0]["names"]
        assert {name for name in names if name.startswith("E")} == expected
        assert names[-1] == max(expected, key=len)


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (hinge, 1, [1, -1]),
        (softmax_cross_entropy, 3, [2, 0]),
        (softmax_cross_entropy, 3, np.array([2, 0])),
        (softmax_cross_entropy, 3, [[0.25, 0.5, 0.25], [1.0, 0.0, 0.0]]),
    ],
)
def test_targets_of_other_kinds(loss: Any, outputs: int, targets: Any) -> None:
    network = network_of([4, outputs])
    cases = list(zip([[0.5, -1.0], [2.0, 0.0]], targets, strict=True))
    check(network_page(network, cases, loss), network, cases, loss)


def test_cases_from_a_generator_from_arrays_and_of_lists_of_one() -> None:
    network = network_of([3, 1])
    expected = data_of(network_page(network, XOR))
    assert data_of(network_page(network, (case for case in XOR))) == expected
    arrays = zip(np.array([inputs for inputs, _ in XOR]), np.array([target for _, target in XOR]), strict=True)
    assert data_of(network_page(network, arrays)) == expected
    assert data_of(network_page(network, [(inputs, [target]) for inputs, target in XOR])) == expected
    assert data_of(network_page(network, [(tuple(inputs), np.float32(target)) for inputs, target in XOR])) == expected


def test_settings_and_title() -> None:
    network = network_of([3, 1])
    data = data_of(network_page(network, XOR, title="Mine", learning_rate=0.25, pick=True))
    assert (data["title"], data["learningRate"], data["pick"]) == ("Mine", 0.25, True)
    assert network_page(network, XOR).title == "MLP, 4 cases"
    assert network_page(network, XOR[:1]).title == "MLP, 1 case"


def test_the_network_is_left_as_it_is() -> None:
    network = network_of([3, 1])
    for parameter in network.parameters():
        parameter.grad = 7.0
    before = network.state_dict()
    network_page(network, XOR)
    assert network.state_dict() == before
    assert {parameter.grad for parameter in network.parameters()} == {7.0}


# Networks of one's own.


class Polynomial(Module):
    """w0 + w1 x + w2 x², which ignores a second input."""

    def __init__(self) -> None:
        self.coefficients = [Parameter(0.5 * k - 0.25, f"w{k}") for k in range(3)]

    def __call__(self, inputs: Sequence[Any]) -> Any:
        x = inputs[0]
        return autograd.sum([w * x**k for k, w in enumerate(self.coefficients)])


class Pair(Module):
    def __init__(self) -> None:
        self.weight = Parameter(2.0, "w")

    def __call__(self, inputs: Sequence[Any]) -> Any:
        product, total = inputs[0] * self.weight, inputs[0] + self.weight
        product.label, total.label = "speed", "size"
        return product, total


def test_a_module_of_ones_own() -> None:
    network, cases = Polynomial(), [([0.5], 1.0), ([-2.0], 0.0)]
    data = check(network_page(network, cases), network, cases, half_squared_error)
    assert "network" not in data["graphs"][0]
    pair, cases_of_two = Pair(), [([0.5], [1.0, 2.0])]
    check(network_page(pair, cases_of_two), pair, cases_of_two, half_squared_error)


def test_targets_are_told_apart_by_their_outputs() -> None:
    content = data_of(network_page(Pair(), [([0.5], [1.0, 2.0])]))["graphs"][0]
    names = {content["names"][slot] for pair in content["predictions"] for slot in pair}
    assert {"speed", "size"} < names
    targets = names - {"speed", "size"}
    assert len(targets) == 2
    assert not any(name.endswith(("_", ")")) for name in targets)


def test_inputs_and_outputs_that_the_error_ignores() -> None:
    cases: list[tuple[Sequence[float], Any]] = [([0.5, 7.0], 1.0), ([0.25, 3.0], 1.0)]
    network = Polynomial()
    check(network_page(network, cases), network, cases, half_squared_error)


def test_outputs_that_the_error_ignores() -> None:
    def first(outputs: Any, targets: Any) -> Value:
        return half_squared_error(outputs[0], targets[0])

    network = network_of([2, 2])
    network_page(network, [([0.5, 1.0], [1.0, 0.0])], first)


def test_a_loss_gets_the_target_in_the_form_of_the_case() -> None:
    """As `fit` gives it: a list where the case has a list."""

    def squared(output: Value, targets: Sequence[float]) -> Value:
        return (output - targets[0]) ** 2

    network = network_of([2, 1])
    cases = [(inputs, [target]) for inputs, target in XOR]
    check(network_page(network, cases, squared), network, cases, squared)


# What is refused.


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([], "at least one case"),
        ([([0, 1, 2], 1)], "takes 2 inputs, got 3"),
        ([([0, 1], 1), ([0], 1)], "case 1"),
        ([([0, 1], 1), ([0, 1], [1, 2])], "case 1"),
        ([([0, 1], [1, 2])], "one target for each output, got 2 for 1"),
    ],
)
def test_cases_that_do_not_fit_are_named(cases: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_page(network_of([2, 1]), cases)


def test_one_target_for_several_outputs_is_refused() -> None:
    for target in (1.0, [1.0], [1.0, 2.0]):
        with pytest.raises(ValueError, match=r"one target for each output, got [12] for 3"):
            network_page(network_of([3]), [([0, 1], target)])


@pytest.mark.parametrize("case", [(["0", "1"], 1), ([0, 1], "1"), ([0, None], 1), ([0, 1], None)])
def test_what_is_no_number_is_refused_as_by_fit(case: Any) -> None:
    with pytest.raises(TypeError, match=r"got ('0'|'1'|None)"):
        network_page(network_of([2, 1]), [case])


def test_a_primitive_of_ones_own_is_named() -> None:
    cube = autograd.primitive(lambda out, y: 3.0 * y**2, name="cube")(lambda y: y**3)

    class Cubic(Polynomial):
        def __call__(self, inputs: Sequence[Any]) -> Any:
            return cube(super().__call__(inputs))

    with pytest.raises(TypeError, match="<primitive cube>"):
        network_page(Cubic(), [([0.5], 1.0)])
