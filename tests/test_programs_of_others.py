"""Programs in the style of micrograd's descendants, whose text is run with another class in place of their own."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from autograd import Value


class Reference:
    """The node of the scalar GPTs in 200 lines, as they have it."""

    __slots__ = ("data", "grad", "_children", "_local_grads")

    def __init__(self, data: Any, children: Any = (), local_grads: Any = ()) -> None:
        self.data = data
        self.grad: Any = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other: Any) -> Any:
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: Any) -> Any:
        other = other if isinstance(other, type(self)) else type(self)(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other: Any) -> Any:
        return type(self)(self.data**other, (self,), (other * self.data ** (other - 1),))

    def log(self) -> Any:
        return type(self)(math.log(self.data), (self,), (1 / self.data,))

    def exp(self) -> Any:
        return type(self)(math.exp(self.data), (self,), (math.exp(self.data),))

    def relu(self) -> Any:
        return type(self)(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self) -> Any:
        return self * -1

    def __radd__(self, other: Any) -> Any:
        return self + other

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rmul__(self, other: Any) -> Any:
        return self * other

    def __truediv__(self, other: Any) -> Any:
        return self * other**-1

    def backward(self) -> None:
        topo: list[Any] = []
        visited = set()

        def build_topo(v: Any) -> None:
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build_topo(child)
                topo.append(v)

        build_topo(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local_grad in zip(v._children, v._local_grads, strict=True):
                child.grad += local_grad * v.grad


MEMBERS = {name: it for name, it in vars(Reference).items() if callable(it) and name != "__init__"}


def derived(with_backward: bool) -> Any:
    """The class of the program derived from `Value`: with its own operators, and with its own backward or without."""
    members = {name: it for name, it in MEMBERS.items() if with_backward or name != "backward"}

    def construct(self: Any, data: Any, children: Any = (), local_grads: Any = ()) -> None:
        Value.__init__(self, data, children, local_grads)

    return type("Derived", (Value,), {"__slots__": (), "__init__": construct, "__hash__": Value.__hash__, **members})


def train(node: Any, dot: Any, steps: int) -> tuple[list[float], list[float]]:
    """A small GPT with one layer, trained by Adam; the losses, and the last gradients."""
    generator = random.Random(42)
    documents, size, block, heads = ["anna", "emma", "olivia"], 4, 6, 2
    letters = sorted(set("".join(documents)))
    begin, count, width = len(letters), len(letters) + 1, size // heads

    def matrix(rows: int, columns: int) -> Any:
        return [[node(generator.gauss(0, 0.2)) for _ in range(columns)] for _ in range(rows)]

    state = {"wte": matrix(count, size), "wpe": matrix(block, size), "lm_head": matrix(count, size)}
    state |= {f"attn_{name}": matrix(size, size) for name in ("wq", "wk", "wv", "wo")}
    state |= {"mlp_fc1": matrix(2 * size, size), "mlp_fc2": matrix(size, 2 * size)}
    parameters = [p for rows in state.values() for row in rows for p in row]

    def linear(x: Any, weights: Any) -> Any:
        return [dot(row, x) for row in weights]

    def softmax(logits: Any) -> Any:
        largest = max(value.data for value in logits)
        exponentials = [(value - largest).exp() for value in logits]
        total = sum(exponentials)
        return [e / total for e in exponentials]

    def normalized(x: Any) -> Any:
        scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    def logits_at(token: int, position: int, keys: Any, values: Any) -> Any:
        x = normalized([t + p for t, p in zip(state["wte"][token], state["wpe"][position], strict=True)])
        before, x = x, normalized(x)
        query = linear(x, state["attn_wq"])
        keys.append(linear(x, state["attn_wk"]))
        values.append(linear(x, state["attn_wv"]))
        attended: list[Any] = []
        for head in range(0, size, width):
            q = query[head : head + width]
            scores = [dot(q, key[head : head + width]) / width**0.5 for key in keys]
            weights = softmax(scores)
            attended += [sum(w * v[head + j] for w, v in zip(weights, values, strict=True)) for j in range(width)]
        x = [a + b for a, b in zip(linear(attended, state["attn_wo"]), before, strict=True)]
        before, x = x, normalized(x)
        x = linear([xi.relu() for xi in linear(x, state["mlp_fc1"])], state["mlp_fc2"])
        return linear([a + b for a, b in zip(x, before, strict=True)], state["lm_head"])

    first, second = [0.0] * len(parameters), [0.0] * len(parameters)
    losses, grads = [], []
    for step in range(1, steps + 1):
        tokens = [begin, *(letters.index(letter) for letter in documents[step % 3]), begin]
        keys: list[Any] = []
        values: list[Any] = []
        terms = []
        for position in range(min(block, len(tokens) - 1)):
            probabilities = softmax(logits_at(tokens[position], position, keys, values))
            terms.append(-probabilities[tokens[position + 1]].log())
        loss = sum(terms) * (1 / len(terms))
        loss.backward()
        losses.append(loss.data)
        grads = [float(p.grad) for p in parameters]
        for i, p in enumerate(parameters):
            first[i] = 0.85 * first[i] + 0.15 * p.grad
            second[i] = 0.99 * second[i] + 0.01 * p.grad**2
            p.data -= 0.01 * (first[i] / (1 - 0.85**step)) / ((second[i] / (1 - 0.99**step)) ** 0.5 + 1e-8)
            p.grad = 0
    return losses, grads


def by_operators(a: Any, b: Any) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))


def fused(node: Any) -> Any:
    """A product of two lists as one node, as faster versions of these programs have it."""

    def dot(a: Any, b: Any) -> Any:
        numbers, others = [x.data for x in a], [y.data for y in b]
        total = sum(x * y for x, y in zip(numbers, others, strict=True))
        return node(total, (*a, *b), (*others, *numbers))

    return dot


STEPS = 4
WANTED = train(Reference, by_operators, STEPS)


@pytest.mark.parametrize(
    ("node", "dot"),
    [
        pytest.param(Value, by_operators, id="changed import"),
        pytest.param(Value, fused(Value), id="changed import, fused products"),
        pytest.param(derived(False), by_operators, id="derived class"),
        pytest.param(derived(True), by_operators, id="derived class with its own backward"),
    ],
)
def test_a_scalar_gpt_of_200_lines(node: Any, dot: Any) -> None:
    losses, grads = train(node, dot, STEPS)
    assert losses == pytest.approx(WANTED[0], rel=1e-12)
    assert grads == pytest.approx(WANTED[1], rel=1e-9, abs=1e-14)


def test_a_walk_that_prints_operations() -> None:
    def lines(v: Any, depth: int = 0) -> list[str]:
        found = [" " * depth + f"{v._op or 'leaf'} {v.data:g}"]
        for child in v._prev:
            found += lines(child, depth + 1)
        return found

    x = Value(2.0)
    assert lines(-x + x.relu() / 4 - 3 * x**-1) == [
        *("- -3", " + -1.5", "  neg -2", "   leaf 2", "  / 0.5", "   ReLU 2", "    leaf 2", "   leaf 4"),
        *(" * 1.5", "  leaf 3", "  **-1 0.5", "   leaf 2", "   leaf -1"),
    ]
    assert [v._op for v in (x**3, x**0.5, x**x, x % 2.0, x.tanh())] == ["**3", "**0.5", "**", "%", "tanh"]
