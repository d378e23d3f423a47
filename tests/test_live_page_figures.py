"""The figures of the live page, as the browser computes them, beside Python's and those of the document."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import get_args

import pytest

from autograd import Constant, Value, greater, ieee_arithmetic, live_page, steps, topological_order, where
from nn import MLP, SGD, fit, network_page
from nn.examples import worked_example
from nn.examples.pages import GATE_INPUTS, GATES, gate_network
from nn.examples.worked_example import Biases, Order
from nn.losses import half_squared_error
from tests.driven_page import Driven, check_numbers, close, diamond, gates_page, projectile, python_numbers
from tests.test_worked_example import AFTER_ONE_ROUND, FORWARD, GRADIENTS, TRAINING

ORDERS: tuple[Order, ...] = get_args(Order)
KINDS: tuple[Biases, ...] = get_args(Biases)


def trained(rounds: int, order: Order = "simultaneous", biases: Biases = "frozen") -> Value:
    """The worked example's graph after a training in Python."""
    return worked_example.forward(worked_example.train(order, rounds, biases))


# The worked example.


def test_the_figures_are_those_of_the_document(worked: Driven) -> None:
    worked.press("Last step")
    data, grads = worked.numbers("data"), worked.numbers("grad")
    assert {name: data[name] for name in FORWARD} == close(FORWARD, 1e-11)
    assert {name: grads[name] for name in GRADIENTS} == close(GRADIENTS, 1e-9)
    assert f"{worked.error():.9f}" == "0.298371109"
    worked.train(1)
    assert {name: worked.number(name) for name in AFTER_ONE_ROUND} == close(AFTER_ONE_ROUND, 1e-11)


@pytest.mark.parametrize(("order", "biases"), TRAINING)
def test_the_figures_after_training_are_those_of_the_document(order: Order, biases: Biases, worked: Driven) -> None:
    one, many, out_o1, out_o2 = TRAINING[order, biases]
    worked.choose("Order of update", order)
    worked.choose("Biases", biases)
    worked.train(1)
    assert worked.error() == close(one, 1e-11)
    worked.press("Reset")
    worked.train(10_000)
    worked.press("Last step")
    assert (worked.error(), worked.number("out_o1"), worked.number("out_o2")) == close((many, out_o1, out_o2), 1e-9)
    if order == "sequential":
        assert (f"{worked.error():.9f}", f"{worked.number('out_o1'):.9f}") == ("0.000035085", "0.015912196")


@pytest.mark.parametrize("biases", KINDS)
@pytest.mark.parametrize("order", ORDERS)
def test_the_figures_after_training_are_those_of_python(order: Order, biases: Biases, worked: Driven) -> None:
    worked.choose("Order of update", order)
    worked.choose("Biases", biases)
    for rounds in (0, 1, 100, 10_000):
        worked.press("Reset")
        if rounds:
            worked.train(rounds)
        output = trained(rounds, order, biases)
        rel = 1e-9 if rounds == 10_000 else 1e-12
        check_numbers(worked, output, rel)
        assert worked.error() == close(output.data, rel)
        assert worked.number("round", "rounds") == rounds


EDITS = [
    ("i1", "INPUTS", "i1", -0.3),
    ("i2", "INPUTS", "i2", 0.0),
    ("target_o2", "TARGETS", "o2", 0.2),
    ("w6", "WEIGHTS", "w6", -0.85),
    ("w1", "WEIGHTS", "w1", 2.5),
    ("b1", "", "HIDDEN_BIAS", 0.1),
    ("b2", "", "OUTPUT_BIAS", -1e-3),
]


@pytest.mark.parametrize("order", ORDERS)
def test_the_figures_after_edits_are_those_of_python(
    order: Order, worked: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each edit before any training, and then trained with; in the end with all of them."""
    worked.choose("Order of update", order)
    for count, (field, table, key, number) in enumerate(EDITS):
        if table:
            monkeypatch.setitem(getattr(worked_example, table), key, number)
        else:
            monkeypatch.setattr(worked_example, key, number)
        if count:
            worked.slide("Round", 0)
        worked.edit(field, number)
        check_numbers(worked, trained(0))
        worked.train(100)
        check_numbers(worked, trained(100, order))


def test_edits_during_a_training(worked: Driven) -> None:
    """Of a weight, the learning rate and the order, each at a round of its own."""
    network = worked_example.build_network()
    learning = worked_example.learning_parameters(network)

    def both(rounds: int, order: Order, rate: float) -> None:
        worked.train(*[1] * rounds)
        for _ in range(rounds):
            worked_example.train_round(network, order, rate, learning)
        check_numbers(worked, worked_example.forward(network))

    both(4, "simultaneous", 0.5)
    worked.edit("w3", -0.7)
    next(parameter for parameter in learning if parameter.label == "w3").data = -0.7
    both(3, "simultaneous", 0.5)
    worked.edit("Learning rate", 2)
    both(3, "simultaneous", 2.0)
    worked.choose("Order of update", "sequential")
    both(3, "sequential", 2.0)
    assert worked.number("round", "rounds") == 13


def test_after_a_training_the_graph_is_that_of_the_new_parameters_at_its_first_step(worked: Driven) -> None:
    worked.press("Last step")
    worked.train(10)
    assert worked.known_steps() == 0
    network = worked_example.train(rounds=10)
    weights = {str(parameter.label): parameter.data for parameter in network.parameters()}
    assert {name: worked.number(name) for name in weights} == close(weights)
    worked.press("Next step")
    assert worked.number("net_h1") == close(python_numbers(worked_example.forward(network))[0]["net_h1"])


def test_reset_gives_back_the_first_numbers(worked: Driven) -> None:
    worked.press("Last step")
    before = worked.digits("data"), worked.digits("grad")
    worked.edit("i1", 3)
    worked.edit("w5", 1)
    worked.edit("Learning rate", 7)
    worked.train(10)
    worked.press("Reset", "Last step")
    assert (worked.digits("data"), worked.digits("grad")) == before
    assert worked.number("learning rate", "rate") == 0.5
    assert worked.number("round", "rounds") == 0


# Logic gates.


@pytest.mark.parametrize(
    ("gate", "biases"), [("XOR", "frozen"), ("OR", "shared"), ("NAND", "frozen"), ("AND", "shared")]
)
def test_gates_over_all_cases_are_trained_as_by_fit(gate: str, biases: str, driven: Driven) -> None:
    driven.open(gates_page(3))
    driven.choose("Gate", gate)
    driven.choose("Biases", biases)
    driven.choose("A round takes", "all")
    network = gate_network(random.Random(3))
    cases = [(row, [target]) for row, target in zip(GATE_INPUTS, GATES[gate], strict=True)]
    learning = [p for p in network.parameters() if biases == "shared" or str(p.label).startswith("w")]
    errors = fit(network, cases, rounds=101, optimizer=SGD(learning, 0.5), progress=False).errors
    assert driven.error() == close(errors[0])
    driven.train(100)
    assert driven.error() == close(errors[100])
    driven.train(1)
    parameters = {str(parameter.label): parameter.data for parameter in network.parameters()}
    assert {name: driven.number(name) for name in parameters} == close(parameters)


# The reader's own graphs.


def with_changes(output: Value, changes: dict[str, float]) -> Value:
    """A graph computed anew with other numbers of some leaves."""
    copies: dict[Value, Value] = {}
    for node in topological_order(output):
        if node.primitive is None:
            copies[node] = type(node)(changes.get(str(node.label), node.data), node.label)
        else:
            with ieee_arithmetic():  # as a page computes
                copies[node] = node.primitive(*[copies[parent] for parent in node.parents])
            copies[node].label = node.label
    return copies[output]


def masked() -> Value:
    x, k = Value(2.0, label="x"), Value(0.5, label="k")
    root = x.sqrt()
    root.label = "root"
    output = where(greater(x, 0.0), root * k, 3.0 * x + k) + (root * k).relu()
    output.label = "y"
    return output


@pytest.mark.parametrize(
    ("make", "edits"),
    [
        (diamond, {"x": -1.3, "k": 0.25}),
        (projectile, {"t": 2.5, "g": 1.62, "α": 0.4, "v_0": 12.0, "h0": 0.0}),
        (masked, {"k": 0.25, "x": 0.0}),  # where the root, which is not chosen then, has an infinite slope
    ],
)
def test_a_formula_of_the_reader(make: Callable[[], Value], edits: dict[str, float], driven: Driven) -> None:
    driven.open(live_page(make(), learning_rate=0.01))
    check_numbers(driven, make())
    assert driven.error() == close(make().data)
    so_far: dict[str, float] = {}
    for name, number in edits.items():
        driven.edit(name, number)
        so_far[name] = number
        check_numbers(driven, with_changes(make(), so_far))
    output = with_changes(make(), edits)
    for _ in range(5):
        data, grads = python_numbers(output)
        variables = [str(n.label) for n in topological_order(output) if n.primitive is None and n.label in grads]
        output = with_changes(make(), {**edits, **{name: data[name] - 0.01 * grads[name] for name in variables}})
    driven.train(*[1] * 5)
    check_numbers(driven, output)


def test_a_step_says_that_what_was_not_chosen_contributes_nothing(driven: Driven) -> None:
    driven.open(live_page(with_changes(masked(), {"x": 0.0})))
    driven.press("Last step")
    assert driven.root.get_by_text("what was not chosen contributes 0").first.is_visible()


XOR: list[tuple[Sequence[float], list[float]]] = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]


def deep_network() -> MLP:
    return MLP(2, [8, 8, 1], "tanh", "sigmoid", generator=random.Random(5))


def loss_of(network: MLP, case: int, changes: dict[str, float] | None = None) -> Value:
    """The graph of one case as `network_page` names its nodes."""
    (i1, i2), (target,) = XOR[case]
    given = {"i1": i1, "i2": i2, "target": target, **(changes or {})}
    output = network([Constant(given["i1"], "i1"), Constant(given["i2"], "i2")])
    error = half_squared_error(output, Constant(given["target"], "target"))
    error.label = "E"
    return error


def test_a_network_of_the_reader(driven: Driven) -> None:
    driven.open(network_page(deep_network(), XOR, title="Deep"))
    network = deep_network()
    check_numbers(driven, loss_of(network, 0))
    driven.edit("i2", 0.5)
    check_numbers(driven, loss_of(network, 0, {"i2": 0.5}))
    driven.root.get_by_role("radio", name="Case 3", exact=True).check()
    check_numbers(driven, loss_of(network, 2))
    driven.press("Reset")
    history = fit(network, XOR, rounds=31, progress=False)
    driven.train(10, 10, 10)
    assert driven.error() == close(history.errors[30])
    driven.train(1)
    check_numbers(driven, loss_of(network, 2))


def test_the_page_of_a_history_begins_with_what_was_learned(driven: Driven) -> None:
    network = deep_network()
    driven.open(fit(network, XOR, rounds=20, progress=False).page("Trained"))
    check_numbers(driven, loss_of(network, 0))
    driven.train(10)
    fit(network, XOR, rounds=10, progress=False)
    check_numbers(driven, loss_of(network, 0))


def test_the_steps_of_a_network_are_those_of_python(driven: Driven) -> None:
    driven.open(network_page(deep_network(), XOR))
    walked = steps(loss_of(deep_network(), 0))
    count = len(walked) + len(list(deep_network().parameters()))
    driven.check("Every operation")
    assert driven.root.get_by_text(f"All {count:,} steps", exact=True).is_visible()
    for position in (1, len(walked) // 2, len(walked)):
        driven.slide("Step", position)
        step = walked[position - 1]
        current = driven.shown("ol [aria-current=step]")
        name = walked.names.of(step.parent or step.node).plain
        number = step.node.data if step.parent is None else step.after
        assert [(row[0], float(row[2])) for row in current] == [(name, close(number))]
