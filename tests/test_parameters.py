"""Modules: how their parameters are found, named, saved, summed up and shown."""

import html
import random
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import Constant, Parameter, Value, dot
from nn import MLP, Adam, Module, Neuron, fit, load_network, network_page, save_network
from tests.test_content import data_of


class Custom(Module):
    """Parameters in an attribute, a list, a dict, and other modules, one of them used twice."""

    def __init__(self) -> None:
        self.scale = Parameter(2.0)
        self.shifts = [Parameter(1.0), Parameter(-1.0)]
        self.named = {"gain": Parameter(0.5)}
        self.twice = [self.scale, Neuron(1)]
        self.text = "no parameter"


def test_parameters_are_found_wherever_they_are() -> None:
    assert [name for name, _ in Custom().named_parameters()] == [
        "scale", "shifts.0", "shifts.1", "named.gain", "twice.1.weights.0", "twice.1.bias",
    ]  # fmt: skip
    with pytest.raises(NotImplementedError, match="Custom does not define"):
        Custom()(1.0)


def test_zero_grad() -> None:
    network = MLP(2, [2, 1], "tanh")
    network([1.0, 2.0]).backward()
    assert any(parameter.grad for parameter in network.parameters())
    network.zero_grad()
    assert not any(parameter.has_grad for parameter in network.parameters())


def test_state_dict_goes_there_and_back() -> None:
    network, other = MLP(2, [2, 1]), MLP(2, [2, 1])
    other.load_state_dict(network.state_dict())
    assert other.state_dict() == network.state_dict()
    assert list(network.state_dict())[:3] == [
        f"layers.0.neurons.0.{name}" for name in ("weights.0", "weights.1", "bias")
    ]


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    network = MLP(2, [2, 1])
    before = network.state_dict()
    for state, message in (
        (MLP(2, [3, 1]).state_dict(), r"0 missing \[\], 4 unknown \['layers\.0\.neurons\.2\.bias'"),
        (MLP(2, [1, 1]).state_dict(), "another form: 4 missing"),
    ):
        with pytest.raises(ValueError, match=message):
            network.load_state_dict(state)
    with pytest.raises(TypeError, match="got 'high' of type str"):
        network.load_state_dict({**before, "layers.1.neurons.0.bias": "high"})  # type: ignore[dict-item]  # what is tested
    assert network.state_dict() == before


# Where parameters are found.


class Holder(Module):
    """A module that holds whatever it is given."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


def test_no_parameter_is_lost_where_paths_are_the_same() -> None:
    p, q, r, s = (Parameter(float(i)) for i in range(4))
    holder = Holder(parts={"a.b": p, "a": {"b": q}, 1: r, "1": s})
    state = holder.state_dict()
    assert state == {"parts.a.b": 0.0, "parts.a.b(2)": 1.0, "parts.1": 2.0, "parts.1(2)": 3.0}
    holder.load_state_dict({name: number + 10.0 for name, number in state.items()})
    assert [parameter.data for parameter in (p, q, r, s)] == [10.0, 11.0, 12.0, 13.0]


def test_parameters_in_deques_and_sets() -> None:
    a, b, c = Parameter(1.0, "a"), Parameter(2.0, "b"), Parameter(3.0)
    holder = Holder(queue=deque([c, [a]]), chosen={b, a}, names={"x", "y"}, frozen=frozenset([1, 2]))
    assert holder.state_dict() == {"queue.0": 3.0, "queue.1.0": 1.0, "chosen.b": 2.0}
    for things in ({c, a}, {a, Parameter(0.0, "a")}):
        with pytest.raises(TypeError, match="a set has no order to name its parameters by"):
            Holder(chosen=things).parameters()


def test_shared_modules_and_references_to_a_parent_are_looked_into_once() -> None:
    part = Holder(weight=Parameter(0.5))
    for _ in range(200):
        part = Holder(left=part, right=part)
    part.parent = part  # type: ignore[attr-defined]  # a module takes any attribute
    part.left.parent = part  # type: ignore[attr-defined]  # likewise
    assert len(part.parameters()) == 1
    assert len(part.summary().splitlines()) == 201
    cyclic: list[Any] = [Parameter(1.0)]
    cyclic.append(cyclic)
    assert len(Holder(parts=cyclic).parameters()) == 1


def test_settings_are_those_of_every_module() -> None:
    network = MLP(2, [2, 1], "tanh")
    assert network.settings() == {
        "layers.0.neurons.0": {"activation": "tanh"},
        "layers.0.neurons.1": {"activation": "tanh"},
        "layers.1.neurons.0": {"activation": None},
    }


# Modules of programs of one's own, which hold plain Values.


class Line(Module):
    """Plain Values as in micrograd; a constant, a result and an input that a case gives are no parameters."""

    def __init__(self) -> None:
        self.slopes = [Value(0.5), Value(-0.25)]
        self.offset = Value(0.125, "offset")
        self.scale = Constant(2.0)
        self.doubled = self.offset * 2.0
        self.past = [self.offset]

    def __call__(self, inputs: Any) -> Value:
        return self.scale * (dot(self.slopes, inputs) + self.offset)


LINE = {"slopes.0": 0.5, "slopes.1": -0.25, "offset": 0.125}
CASES = [([1.0, 0.0], 1.0), ([0.0, 1.0], -1.0), ([1.0, 1.0], 0.5)]


def test_plain_values_are_parameters() -> None:
    line = Line()
    assert line.parameters() == [*line.slopes, line.offset]
    assert line.state_dict() == LINE
    assert line.summary() == "Line: 3 parameters"
    assert repr(line) == "<Line: 3 parameters>"
    assert line._repr_html_() == "<pre>Line: 3 parameters</pre>"
    line([1.0, 2.0]).backward()
    line.zero_grad()
    assert not any(parameter.has_grad for parameter in line.parameters())


def test_plain_values_learn_and_are_saved(tmp_path: Path) -> None:
    line, other = Line(), Line()
    history = fit(line, CASES, optimizer=Adam(line.parameters(), 0.1), rounds=500)
    assert history.errors[-1] < 0.1 * history.errors[0]
    assert (line.scale.data, line.doubled.data) == (2.0, 0.25)
    load_network(other, save_network(line, tmp_path / "line.json"))
    assert other.state_dict() == line.state_dict() != LINE


def test_plain_values_beside_parameters_learn_on_a_page() -> None:
    class Mixed(Module):
        def __init__(self) -> None:
            self.neuron = Neuron(1, None, generator=random.Random(1))
            self.neuron.weights[0].label, self.gain = "weight", Value(2.0, "gain")
            self.unused = Value(1.0, "unused")

        def __call__(self, inputs: Any) -> Any:
            return self.gain * self.neuron(inputs)

    mixed = Mixed()
    assert mixed.neuron.bias is not None
    mixed.neuron.bias.label = "bias"
    (content,) = data_of(network_page(mixed, [([1.0], 1.0)]))["graphs"]
    assert sorted(content["names"][slot] for slot in content["learning"]) == ["bias", "gain", "weight"]


def test_arrays_of_values_are_looked_into() -> None:
    values = [Value(1.0), Value(2.0), Parameter(3.0), Constant(4.0)]
    holder = Holder(matrix=np.array(values).reshape(2, 2), numbers=np.zeros((2, 2)), few=[np.array(values[:2])])
    assert holder.state_dict() == {"matrix.0": 1.0, "matrix.1": 2.0, "matrix.2": 3.0}


def test_constants_in_a_set_need_no_label() -> None:
    assert Holder(things={Constant(1.0), Constant(2.0), Value(3.0, "v")}).state_dict() == {"things.v": 3.0}


def test_a_summary_in_a_notebook_is_escaped_and_never_raises() -> None:
    shown = Holder(part=Neuron(1, name="<b>&"))._repr_html_()
    assert shown is not None
    assert html.escape("<b>&") in shown
    assert "<b>" not in shown
    unnamed = Holder(chosen={Value(1.0), Value(2.0)})
    assert (repr(unnamed), unnamed._repr_html_()) == ("<Holder>", None)


def test_modules_in_a_dict_stand_in_the_summary() -> None:
    class Pair(Module):
        def __init__(self) -> None:
            self.parts = {"left": Neuron(1), "right": Neuron(2)}

    assert [line.count("neuron") for line in str(Pair()._repr_html_()).splitlines()] == [0, 1, 1]
