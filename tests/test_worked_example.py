"""Every figure of the worked example, each order of update and each choice of biases by its name.

The figures are not this project's: they were worked out apart from it, with 40 digits, from the article's method, and
agree with what the article prints to all the digits it prints.
"""

import math

import pytest

from autograd import find_node
from nn.examples.worked_example import (
    PUBLISHED,
    Biases,
    Order,
    Published,
    build_network,
    figures,
    forward,
    learning_parameters,
    train,
    train_round,
)

FORWARD = {
    "net_h1": 0.3775, "net_h2": 0.3925, "out_h1": 0.593269992107, "out_h2": 0.59688437826,
    "net_o1": 1.10590596706, "net_o2": 1.2249214041, "out_o1": 0.751365069552, "out_o2": 0.772928465321,
    "E_o1": 0.274811083176, "E_o2": 0.0235600255838, "E_total": 0.29837110876,
}  # fmt: skip
GRADIENTS = {
    "w1": 0.000438567734474, "w2": 0.000877135468949, "w3": 0.000497712735261, "w4": 0.000995425470522,
    "w5": 0.0821670405642, "w6": 0.0826676278475, "w7": -0.0226025404775, "w8": -0.022740242216,
    "net_o1": 0.138498561629, "net_o2": -0.0380982365166, "out_o1": 0.741365070, "out_h1": 0.0363503063931,
}  # fmt: skip
AFTER_ONE_ROUND = {
    "w1": 0.149780716133, "w2": 0.199561432266, "w3": 0.249751143632, "w4": 0.299502287265,
    "w5": 0.358916479718, "w6": 0.408666186076, "w7": 0.511301270239, "w8": 0.561370121108,
}  # fmt: skip
CHAIN_OF_W5 = {"dE_total/dout_o1": "0.741365070", "dout_o1/dnet_o1": "0.186815602", "dnet_o1/dw5": "0.593269992"}
CHAIN_OF_W1 = {
    "dE_o1/dout_h1": 0.0553994246515, "dE_o2/dout_h1": -0.0190491182583, "dE_total/dout_h1": 0.0363503063931,
    "dout_h1/dnet_h1": 0.241300708592, "dnet_h1/dw1": 0.05,
}  # fmt: skip
# E_total after 1 and 10,000 rounds, out_o1 and out_o2
TRAINING: dict[tuple[Order, Biases], tuple[float, float, float, float]] = {
    ("simultaneous", "frozen"): (0.291027773694, 3.51018778298e-05, 0.0159136204436, 0.984064273515),
    ("sequential", "frozen"): (0.291027923905, 3.50847862963e-05, 0.015912196326, 0.984065734486),
    ("simultaneous", "shared"): (0.285750886699, 4.35532106616e-06, 0.0121021591235, 0.98792838972),
    ("simultaneous", "per-neuron"): (0.280471446791, 2.44756223593e-06, 0.0115875273909, 0.988458935026),
}


def close(expected: object) -> object:
    return pytest.approx(expected, rel=1e-9, abs=0)


def test_forward_pass() -> None:
    total = forward(build_network())
    assert {name: find_node(total, name).data for name in FORWARD} == close(FORWARD)


def test_backward_pass() -> None:
    total = forward(build_network())
    total.backward()
    assert {name: find_node(total, name).grad for name in GRADIENTS} == close(GRADIENTS)
    assert not find_node(total, "b1").parents


def test_chain_rule_factor_by_factor() -> None:
    chain = figures(rounds=1)["chain"]
    assert list(chain["w5"]) == list(CHAIN_OF_W5)
    assert list(chain["w1"]) == list(CHAIN_OF_W1)
    assert {name: f"{factor:.9f}" for name, factor in chain["w5"].items()} == CHAIN_OF_W5
    assert math.prod(chain["w5"].values()) == close(GRADIENTS["w5"])
    assert chain["w1"] == close(CHAIN_OF_W1)


def test_one_round_changes_all_weights_from_the_original_ones() -> None:
    network = train("simultaneous", 1)
    weights = {str(parameter.label): parameter.data for parameter in network.parameters()}
    assert {name: weights[name] for name in AFTER_ONE_ROUND} == close(AFTER_ONE_ROUND)
    assert (weights["b1"], weights["b2"]) == (0.35, 0.6)


@pytest.mark.engine_independent
@pytest.mark.parametrize(("order", "biases"), TRAINING)
def test_training(order: Order, biases: Biases) -> None:
    after_one, after_all, out_o1, out_o2 = TRAINING[order, biases]
    assert forward(train(order, 1, biases)).data == close(after_one)
    total = forward(train(order, 10_000, biases))
    reached = [find_node(total, name).data for name in ("E_total", "out_o1", "out_o2")]
    assert reached == close([after_all, out_o1, out_o2])


@pytest.mark.engine_independent
def test_every_published_figure_is_ours_to_its_own_digits_but_for_the_misprint() -> None:
    computed = figures()["computed"]
    assert list(computed) == list(PUBLISHED)
    different = [key for key, number in computed.items() if not Published.of(key).equals(number)]
    assert different == ["dE_o2/dout_h1"]
    assert computed["dE_o2/dout_h1"] == close(-0.0190491182583)


@pytest.mark.engine_independent
def test_the_published_figures_after_training_are_those_of_the_sequential_order() -> None:
    one, all_rounds = (figures(["sequential"])["training"]["sequential"][count] for count in ("1", "10000"))
    assert f"{one['E_total']:.9f}" == PUBLISHED["E_total after 1 round"]
    for name in ("E_total", "out_o1", "out_o2"):
        assert f"{all_rounds[name]:.9f}" == PUBLISHED[f"{name} after 10000 rounds"]
    assert f"{TRAINING['simultaneous', 'frozen'][0]:.9f}" != PUBLISHED["E_total after 1 round"]


def test_figures_are_compared_only_where_they_are_about_the_articles_run() -> None:
    untrained = {key for key in PUBLISHED if "after" not in key}
    assert set(figures(["simultaneous"], 5)["computed"]) == untrained | {f"w{k} after 1 round" for k in range(1, 9)}
    assert set(figures(biases="shared", rounds=1)["computed"]) == untrained
    assert set(figures(learning_rate=0.4, rounds=1)["computed"]) == untrained


def test_the_sequential_order_changes_the_same_output_weights() -> None:
    one, other = train("simultaneous", 1), train("sequential", 1)
    for ours, theirs in zip(one.layers[1].parameters(), other.layers[1].parameters(), strict=True):
        assert ours.data == theirs.data
    for neuron, its_twin in zip(one.layers[0].neurons, other.layers[0].neurons, strict=True):
        assert neuron.weights[0].data != its_twin.weights[0].data


def test_a_round_returns_the_error_before_it() -> None:
    network = build_network()
    assert train_round(network, "simultaneous", 0.5, learning_parameters(network)) == close(FORWARD["E_total"])


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown order 'random': choose simultaneous or sequential"):
        train("random")  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ValueError, match="unknown biases 'none'"):
        train(biases="none")  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ValueError, match="at least 0, got -1"):
        train(rounds=-1)
