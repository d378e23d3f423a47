"""Modules: what they compute, and how their parameters are found, named, saved and summed up."""

import copy
import math
import random
from collections import deque
from typing import Any

import pytest

from autograd import Parameter, Value, explain, topological_order
from autograd.primitives import PRIMITIVES
from nn import MLP, Layer, Module, Neuron
from nn.modules import ACTIVATIONS


def test_a_neuron_is_a_weighted_sum_through_its_activation() -> None:
    neuron = Neuron(3, "tanh", name="n")
    weights, bias = [w.data for w in neuron.weights], neuron.bias
    assert bias is not None
    out = neuron([1.0, Value(-2.0), 0.5])
    net = weights[0] * 1.0 + weights[1] * -2.0 + weights[2] * 0.5 + bias.data
    assert out.data == pytest.approx(math.tanh(net), rel=1e-15)
    assert (out.label, out.parents[0].label) == ("out_n", "net_n")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_of_the_table(activation: str) -> None:
    neuron = Neuron(1, activation, bias=False)
    neuron.weights[0].data = 1.0
    out = neuron([1.25 if activation == "acosh" else 0.25])
    assert out.primitive is PRIMITIVES[activation]
    out.backward()
    assert neuron.weights[0].has_grad


def test_bad_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown activation 'sigmoidal': choose None or one of .*sigmoid"):
        Neuron(1, "sigmoidal")
    with pytest.raises(ValueError, match="at least one input, got 0"):
        Neuron(0)
    with pytest.raises(ValueError, match="at least one neuron, got 0"):
        Layer(1, 0)
    with pytest.raises(ValueError, match="unknown kind of bias 'common'"):
        Layer(1, 1, bias="common")  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ValueError, match="at least one layer"):
        MLP(1, [])
    with pytest.raises(ValueError, match="this network takes 2 inputs, got 3"):
        MLP(2, [1])([1, 2, 3])
    with pytest.raises(ValueError, match="same length, got 2 and 1"):
        Neuron(2)([1.0])


def test_biases_of_a_layer() -> None:
    shared, own, none = Layer(2, 3, bias="shared"), Layer(2, 3), Layer(2, 3, bias=None)
    assert [len(layer.biases) for layer in (shared, own, none)] == [1, 3, 0]
    assert [len(layer.parameters()) for layer in (shared, own, none)] == [7, 9, 6]
    assert shared.neurons[0].bias is shared.neurons[2].bias
    sum(shared([1.0, 2.0]), Value(0.0)).backward()
    active = [neuron.net([1.0, 2.0]).data > 0 for neuron in shared.neurons]
    assert shared.biases[0].grad == sum(active)  # each neuron that its relu lets through adds 1


def test_one_output_stands_for_itself_as_in_micrograd() -> None:
    network = MLP(2, [3, 1])
    assert isinstance(network([1.0, 2.0]), Value)
    assert [type(out) for out in network.forward([1.0, 2.0])] == [Value]
    assert len(MLP[list[Value]](2, [3, 2])([1.0, 2.0])) == 2
    assert network.layers[0].neurons[0].activation == "relu"
    assert network.layers[1].neurons[0].activation is None


def test_labels_are_those_of_the_article() -> None:
    network: MLP[list[Value]] = MLP(2, [2, 2], "sigmoid", "sigmoid", bias="shared")
    outputs = network([0.05, 0.1])
    labels = {node.label for node in topological_order(outputs[0]) + topological_order(outputs[1]) if node.label}
    assert labels == {
        "i1", "i2", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "b1", "b2", "net_h1", "out_h1", "net_h2", "out_h2",
        "net_o1", "out_o1", "net_o2", "out_o2",
    }  # fmt: skip
    assert [[neuron.name for neuron in layer.neurons] for layer in MLP(1, [2, 1, 1]).layers] == [
        ["h1.1", "h1.2"], ["h2.1"], ["o1"],
    ]  # fmt: skip


def test_initial_numbers_come_from_the_generator() -> None:
    def numbers(seed: int) -> list[float]:
        return list(MLP(3, [4, 2], generator=random.Random(seed)).state_dict().values())

    assert numbers(1) == numbers(1) != numbers(2)
    random.seed(0)
    state = random.getstate()
    MLP(3, [4, 2])
    assert random.getstate() == state
    layer = Layer(400, 10, generator=random.Random(3))
    drawn = [weight.data for neuron in layer.neurons for weight in neuron.weights]
    assert max(map(abs, drawn)) <= 1 / 20
    assert sum(x * x for x in drawn) / len(drawn) == pytest.approx(
        1 / 400 / 3, rel=0.1
    )  # the variance of uniform ±1/20


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


def test_a_copied_network_learns_on_its_own() -> None:
    network = MLP(2, [2, 1], "tanh")
    before = network.state_dict()
    twin = copy.deepcopy(network)
    assert twin.state_dict() == before
    output = twin([1.0, 2.0])
    output.backward()
    for parameter in twin.parameters():
        parameter.data -= 0.1 * parameter.grad
    assert twin.state_dict() != before == network.state_dict()
    assert not any(parameter.has_grad for parameter in network.parameters())
    copied = copy.deepcopy(output)
    assert str(explain(copied, copied.parents[0])) == str(explain(output, output.parents[0]))


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


def test_summary_layer_by_layer() -> None:
    network = MLP(2, [2, 1], "sigmoid", bias="shared")
    for parameter in network.parameters():
        parameter.data = 0.25
    assert network.summary().splitlines() == [
        "MLP 2-2-1: 8 parameters",
        "  2 neurons, sigmoid",
        "    h1: w1 = 0.25, w2 = 0.25, b1 = 0.25",
        "    h2: w3 = 0.25, w4 = 0.25, b1 = 0.25",
        "  1 neuron, linear",
        "    o1: w5 = 0.25, w6 = 0.25, b2 = 0.25",
    ]
    assert "… 12 more weights" in MLP(20, [1]).summary()
    assert Custom().summary().splitlines()[0] == "Custom: 6 parameters"


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
