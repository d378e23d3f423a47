"""What is said of calls whose arguments do not fit."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value
from nn import MLP, SGD, Adam, AdamW, Optimizer, fit
from nn.calls import explained

NETWORK = MLP(2, [1])
WEIGHTS = NETWORK.parameters()
X, Y = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([0.0, 1.0])
train: Any = fit  # type checkers refuse these calls, too
sgd: Any = SGD
adam: Any = Adam
adamw: Any = AdamW


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
        (lambda: train(NETWORK), "fit got <MLP 2-1: 3 parameters>: missing", "fit(network, cases, rounds=100)"),
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
