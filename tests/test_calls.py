"""What is said of calls whose arguments do not fit."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, draw, live_page, steps
from nn import MLP, SGD, Adam, AdamW, History, Module, Optimizer, binary_cross_entropy, fit
from nn.calls import OTHER_LIBRARIES, explained
from nn.modules import ACTIVATIONS

NETWORK = MLP(2, [1])
WEIGHTS = NETWORK.parameters()
X, Y = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([0.0, 1.0])
train: Any = fit  # type checkers refuse these calls, too
sgd: Any = SGD
adam: Any = Adam
adamw: Any = AdamW
network: Any = NETWORK
module: Any = nn
history: Any = History(2, [0.5, 0.25])


@pytest.mark.parametrize(
    ("call", "given", "remedy"),
    [
        (lambda: sgd(WEIGHTS, lr=0.1), "SGD got lr=0.1: it takes no such argument", "learning_rate=0.1"),
        (lambda: adam(WEIGHTS, lr=0.1), "Adam got lr=0.1: ", "learning_rate=0.1"),
        (lambda: adamw(WEIGHTS, lr=0.1, eps=1e-9), "AdamW got lr=0.1, eps=1e-09: ", "learning_rate=0.1, epsilon=1e-09"),
        (lambda: adam(WEIGHTS, learning_rte=0.1), "Adam got learning_rte=0.1: ", "learning_rate=0.1"),
        (lambda: sgd(WEIGHTS, 0.1, betas=(0.9, 0.9)), "SGD got betas=(0.9, 0.9): ", "SGD(network"),
        (lambda: sgd(WEIGHTS, learning_rate=0.1, lr=0.2), "SGD got lr=0.2: ", "SGD(network"),
        (lambda: sgd([]), "SGD got []: missing a required argument: 'learning_rate'", "SGD(network"),
        (sgd, "SGD got no argument: missing", "SGD(network"),
        (lambda: train(NETWORK, X, Y), "fit got <MLP 2-1: 3 parameters>, array([[0., 1.], [1., 1.]])", "fit(network"),
        (lambda: train(NETWORK, [[0, 1]], [1]), "3 parameters>, [[0, 1]], [1]: too many positional", "fit(network"),
        (lambda: train(NETWORK, X=[[0, 1]], y=[1]), "fit got X=[[0, 1]], y=[1]: it takes no such", "fit(network"),
        (lambda: train(NETWORK, [([0, 1], 1)], epochs=9), "fit got epochs=9: it takes no such", "rounds=9"),
        (
            lambda: train(NETWORK, [([0, 1], 1)], callbacks=[]),
            "fit got callbacks=[]: ",
            "callback=…, with a single ",
        ),
        (
            lambda: train(NETWORK, [([0, 1], 1)], metrics=["accuracy"]),
            "fit got metrics=",
            "metric=…, with a ",
        ),
        (lambda: train(NETWORK), "fit got <MLP 2-1: 3 parameters>: missing", "fit(network, cases, rounds=100)"),
        (
            lambda: train(NETWORK, [([0, 1], 1)], validation_fraction=0.5),
            "fit got validation_fraction=0.5: ",
            "validation_split=0.5",
        ),
        (lambda: module.RMSprop(WEIGHTS, rho=0.9), "RMSprop got rho=0.9: ", "alpha=0.9"),
        (lambda: adam(WEIGHTS, rho=0.9), "Adam got rho=0.9: ", "Adam(network.parameters()"),
        (lambda: module.Dropout(p=0.25), "Dropout got p=0.25: it takes no such argument", "rate=0.25. It takes rate, "),
        (lambda: network(1, 0), "MLP got 1, 0: too many positional", "network([x1, x2])"),
        (network, "MLP got no argument: missing", "network([x1, x2])"),
        (lambda: module.accuracy(NETWORK), "accuracy got <MLP 2-1: 3 parameters>: missing", "accuracy(network, cases)"),
        (lambda: module.average_error(NETWORK), "average_error got <MLP", "average_error(network, cases)"),
    ],
)
def test_a_call_that_does_not_fit_says_what_to_write(call: Callable[[], Any], given: str, remedy: str) -> None:
    with pytest.raises(TypeError) as refused:
        call()
    message = str(refused.value)
    assert given in message
    assert f"; write {remedy}" in message
    assert "\n" not in message


def test_the_message_says_what_is_taken() -> None:
    with pytest.raises(TypeError, match=r"\. It takes parameters, learning_rate, momentum, weight_decay$"):
        sgd(WEIGHTS, lr=0.1)
    with pytest.raises(TypeError, match=r"of X and y list\(zip\(X, y\)\)\. It takes network, cases, and by name "):
        train(NETWORK, X, Y)


def test_an_optimizer_of_one_s_own_is_named() -> None:
    class Halving(Optimizer):
        def __init__(self, parameters: list[Value], *, factor: float = 0.5) -> None:
            super().__init__(parameters, 0.1, memory=0)
            self.factor = factor

    class Same(Halving):
        pass

    own: Any = Same
    with pytest.raises(TypeError, match=r"^Same got fctor=2: .*; write factor=2\. It takes parameters, and by name "):
        own(WEIGHTS, fctor=2)
    assert Same(WEIGHTS, factor=0.25).factor == 0.25


def test_an_error_of_the_function_itself_passes() -> None:
    @explained("failing()")
    def failing() -> None:
        raise TypeError("its own")

    with pytest.raises(TypeError, match=r"^its own$"):
        failing()


def test_signatures_and_documentation_stay() -> None:
    assert list(inspect.signature(fit).parameters)[:3] == ["network", "cases", "loss"]
    assert list(inspect.signature(Adam).parameters) == ["parameters", "learning_rate", "betas", "epsilon"]
    assert str(fit.__doc__).startswith("Train a network.")


# Names that other libraries have.


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: network.predict, r"^MLP has no attribute 'predict': write network\(inputs\)"),
        (lambda: network.fit, r"^MLP has no attribute 'fit': write nn.fit\(network, cases\)"),
        (lambda: network.save, r"^MLP has no attribute 'save': write nn.save_network\(network, "),
        (lambda: network.load, r"^MLP has no attribute 'load': write nn.load_network\("),
        (lambda: history.history, r"^History has no attribute 'history': write history.errors"),
        (
            lambda: module.Linear,
            r"^module 'nn' has no attribute 'Linear': write nn.Layer\(inputs, outputs, activ",
        ),
        (lambda: module.Sequential, r"write nn.MLP\("),
        (lambda: module.ReLU, r'write activation="relu" of nn.MLP'),
        (lambda: module.CrossEntropyLoss, "write nn.softmax_cross_entropy"),
        (lambda: module.nothing, "^module 'nn' has no attribute 'nothing'$"),
        (
            lambda: network([0, 1]).item(),
            r"^a Value has no method item: its number is .* write loss.data",
        ),
    ],
)
def test_a_name_of_another_library_says_what_to_write(read: Callable[[], Any], message: str) -> None:
    with pytest.raises(AttributeError, match=message):
        read()


def test_what_is_written_instead_is_there() -> None:
    """Each of them begins with a name of `nn`, is an argument, or speaks of a list."""
    for text in OTHER_LIBRARIES.values():
        for name in re.findall(r"nn\.(\w+)", text):
            assert name in nn.__all__
    assert set(ACTIVATIONS) >= set(re.findall(r'activation="(\w+)"', "".join(OTHER_LIBRARIES.values())))


def test_they_are_no_attributes() -> None:
    assert not any(hasattr(thing, name) for thing, name in ((network, "predict"), (Value(1.0), "item"), (nn, "Linear")))

    class Own(Module):
        def __init__(self) -> None:
            self.fit = 3

        def predict(self) -> int:
            return 4

    own: Any = Own()
    assert (own.fit, own.predict()) == (3, 4)


@pytest.mark.parametrize(
    ("key", "attribute"), [("loss", "errors"), ("val_loss", "validation_errors"), ("metrics", "metrics"), (0, "errors")]
)
def test_a_history_is_no_dict(key: object, attribute: str) -> None:
    with pytest.raises(TypeError, match=rf"a History is no dict, got \[{key!r}\]; write history\.{attribute}\. It"):
        history[key]


def test_a_history_has_no_length_and_is_true() -> None:
    with pytest.raises(TypeError, match=r"; write history\.rounds, or len\(history\.errors\)$"):
        len(history)
    assert History()


@pytest.mark.parametrize(
    ("activation", "remedy"),
    [
        ("softmax", "train with loss=softmax_cross_entropy, "),
        ("linear", "; write None for the plain"),
    ],
)
def test_what_is_no_activation_says_what_is_meant(activation: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=f"unknown activation '{activation}': .*{remedy}"):
        MLP(2, [1], output_activation=activation)


@pytest.mark.parametrize(
    ("show", "remedy"),
    [
        (
            lambda: draw(network),
            r"got <MLP 2-1: 3 parameters> of type MLP; .* write network\.draw\(\), for .* draw",
        ),
        (lambda: steps(network), "got <MLP 2-1: 3 parameters> of type MLP; call it, and give what it returns$"),
        (lambda: live_page(network), "; call it, and give what it returns$"),
    ],
)
def test_a_network_is_no_output(show: Callable[[], Any], remedy: str) -> None:
    with pytest.raises(TypeError, match=f"^expected a Value as output, {remedy}" if "draw" in remedy else remedy):
        show()


# Traps that nothing but a warning tells of.


def test_a_logit_that_a_sigmoid_gave_is_told_of() -> None:
    logit = Value(0.5)
    with pytest.warns(UserWarning, match=r'takes logits .*; leave out output_activation="sigmoid"') as told:
        binary_cross_entropy([Value(1.0), logit.sigmoid()], [1.0, 0.0])
    assert [warning.filename for warning in told] == [__file__]
    binary_cross_entropy(4.0 * logit.sigmoid() - 2.0, 1.0)  # which is one


@pytest.mark.parametrize("compiled", [False, True])
def test_a_training_with_two_sigmoids_is_told_of(compiled: bool) -> None:
    gate = MLP(1, [2, 1], "tanh", "sigmoid")
    with pytest.warns(UserWarning, match="takes logits"):
        fit(gate, [([0.0], 0), ([1.0], 1)], loss=binary_cross_entropy, rounds=3, compiled=compiled)


def test_a_step_before_a_gradient_is_told_of() -> None:
    weights = [Value(1.0), Value(2.0)]
    optimizer = SGD(weights, 0.5)
    with pytest.warns(UserWarning, match=r"SGD\.step\(\) changes nothing: no gradient has reached .* 2 parameters; "):
        optimizer.step()
    weights[1].grad = 1.0
    optimizer.step()  # as if one of them had a gradient
    assert [weight.data for weight in weights] == [1.0, 1.5]
