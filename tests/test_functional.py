"""`functional_call`: a module as a function of its parameters, which stay as they are."""

import random
import threading
from collections import deque
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import Value, compile, dot, gradients, sin, value_and_grad
from nn import MLP, Module, functional_call


def network() -> Any:
    return MLP(2, [3, 1], "tanh", generator=random.Random(1))


def test_the_numbers_may_be_given_by_name_or_in_order() -> None:
    one, other = network(), MLP(2, [3, 1], "tanh", generator=random.Random(2))
    expected = other([0.5, -1.0]).data
    before = one.state_dict()
    by_name = other.state_dict()
    in_order = list(by_name.values())
    assert functional_call(one, by_name, [0.5, -1.0]).data == expected
    assert functional_call(one, in_order, [0.5, -1.0]).data == expected
    assert functional_call(one, np.array(in_order), inputs=[0.5, -1.0]).data == expected
    assert functional_call(one, other.parameters(), [0.5, -1.0]).data == expected
    pairs = dict(zip(one.parameters(), other.parameters(), strict=True))
    assert functional_call(one, pairs, [0.5, -1.0]).data == expected
    assert functional_call(one, {}, [0.5, -1.0]).data == one([0.5, -1.0]).data
    assert one.state_dict() == before


def test_gradients_are_those_of_backward_and_of_the_given_values() -> None:
    one = network()
    numbers = np.array([parameter.data for parameter in one.parameters()])

    def error(parameters: Any, inputs: Any) -> Any:
        return sin(functional_call(one, parameters, inputs))

    value, grads = value_and_grad(error)(numbers, [0.5, -1.0])
    sin(one([0.5, -1.0])).backward()
    assert grads.tolist() == [parameter.grad for parameter in one.parameters()]
    same_value, same_grads = compile(value_and_grad(error))(numbers, [0.5, -1.0])
    assert (same_value, same_grads.tolist()) == (value, grads.tolist())
    given = [Value(number) for number in numbers.tolist()]
    assert [node.data for node in gradients(error(given, [0.5, -1.0]), given)] == grads.tolist()


class Pair(NamedTuple):
    first: Any
    second: Any


class Table(Module):
    """Holds parameters in every kind of collection, one of them in several places."""

    def __init__(self) -> None:
        self.tied = Value(1.0, "tied")
        self.listed = [self.tied, [Value(2.0)]]
        self.named = {"a": Value(3.0), "pair": Pair(self.tied, Value(4.0))}
        self.rest = deque([Value(5.0)]), {Value(6.0, "set")}, np.array([Value(7.0), self.tied], object)
        self.inner, self.listed_again = Inner(self), self.listed
        self.scale = 2.0

    def __call__(self, inputs: Any) -> Any:
        queue, members, array = self.rest
        assert self.listed_again is self.listed
        found = [self.tied, self.listed[0], *self.listed[1], self.named["a"], *self.named["pair"], *queue, *members]  # type: ignore[misc]  # the lists are nested
        return dot([*found, *array.tolist(), self.inner.weight], inputs) * self.scale


class Inner(Module):
    def __init__(self, outer: Module) -> None:
        self.outer, self.weight = outer, Value(8.0)


def test_parameters_are_found_wherever_they_stand() -> None:
    table = Table()
    inputs = [10.0**place for place in range(11)]
    names = {name: number for number, (name, _) in enumerate(table.named_parameters())}
    before = vars(table).copy()
    tied = 2.0 * names["tied"]
    result = functional_call(table, {name: 2.0 * number for name, number in names.items()}, inputs).data
    order = [tied, tied, *(2.0 * names[name] for name in ("listed.1.0", "named.a"))]
    order += [tied, *(2.0 * names[name] for name in ("named.pair.1", "rest.0.0", "rest.1.set", "rest.2.0"))]
    assert result == 2.0 * sum(x * y for x, y in zip([*order, tied, 2.0 * names["inner.weight"]], inputs, strict=True))
    assert all(vars(table)[name] is thing for name, thing in before.items())


class Alike:
    """A network of one's own, which is no Module."""

    def __init__(self) -> None:
        self.parts = [Alike2()]

    def __call__(self, x: float) -> Any:
        return self.parts[0].weight * x

    def parameters(self) -> list[Value]:
        return [self.parts[0].weight]


class Alike2:
    def __init__(self) -> None:
        self.weight = Value(1.0)

    def parameters(self) -> list[Value]:
        return [self.weight]


def test_a_class_of_ones_own_with_parameters() -> None:
    assert functional_call(Alike(), [3.0], 2.0).data == 6.0


def test_everything_is_restored_after_an_error_and_calls_may_be_nested() -> None:
    one = network()
    before = one.state_dict()
    with pytest.raises(ValueError, match="takes 2 inputs, got 1"):
        functional_call(one, [0.0] * 13, [1.0])
    assert one.state_dict() == before

    class Twice(Module):
        def __init__(self) -> None:
            self.weight = Value(2.0)

        def __call__(self, depth: int) -> Any:
            inside = functional_call(self, [10.0 * self.weight.data], depth - 1) if depth else 0.0
            return self.weight * 1.0 + inside

    assert functional_call(Twice(), [3.0], 2).data == 3.0 + 30.0 + 300.0


def test_threads_take_turns() -> None:
    one = network()
    before = one.state_dict()
    found: dict[int, set[float]] = {count: set() for count in range(4)}

    def call(count: int) -> None:
        for _ in range(50):
            found[count].add(functional_call(one, [0.25 * count] * 13, [0.5, -1.0]).data)

    threads = [threading.Thread(target=call, args=(count,)) for count in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {count: {functional_call(one, [0.25 * count] * 13, [0.5, -1.0]).data} for count in found} == found
    assert one.state_dict() == before


@pytest.mark.parametrize(
    ("parameters", "kind", "message"),
    [
        ({"w9": 1.0}, ValueError, "there is no parameter w9 in the module; take the names from named_parameters"),
        ([1.0] * 12, ValueError, "has 13 parameters, and 12 numbers were given; give one for each, in the order"),
        (["one"] * 13, TypeError, "'one'"),
    ],
)
def test_what_does_not_fit_is_refused(parameters: Any, kind: Any, message: str) -> None:
    with pytest.raises(kind, match=message):
        functional_call(network(), parameters, [1.0, 2.0])
