"""Each diagnosis provoked, and what it says read."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import (
    Constant,
    Value,
    diagnose,
    dot,
    find_node,
    no_grad,
    prod,
    record_sources,
    sum,
    topological_order,
    where,
)
from autograd.primitives import PRIMITIVES
from autograd.value import apply
from nn import MLP


def named(value: Value, label: str) -> Value:
    value.label = label
    return value


def leaves(labels: str) -> list[Value]:
    return [Value(0.5, label) for label in labels]


def scaled(w: Value, factor: float, times: int) -> Value:
    for _ in range(times):
        w = w * factor
    return w


CASES: list[tuple[str, float, Callable[[Value], Value], list[str]]] = [
    ("dead relu", 2.0, lambda w: named((w * -3).relu(), "h") * 5,
        ["is 0.", "dies at h = relu(v1)", "input is −6", "dead relu"]),
    ("saturated sigmoid", 2.0, lambda w: (w * 400).sigmoid(), ["is 0.", "input is 800", "saturated (its output is 1)"]),
    ("fading sigmoid", 2.0, lambda w: (w * 12).sigmoid(), ["4.53", "fades at output = sigmoid(v1)", "slope 3.775"]),
    ("saturated tanh", 2.0, lambda w: (w * -30).tanh(), ["is 0.", "tanh is saturated (its output is −1)"]),
    ("overflow", 2.0, lambda w: (w * 500).exp(),
        ["is inf.", "infinite at output = exp(v1)", "overflows to inf at 1000"]),
    ("0 · inf", 2.0, lambda w: (w * 500).exp() * 0.0,
        ["is 0. v2 = exp(v1) has no influence here: it is multiplied by 0.", "0 · inf contributes 0: what was not"]),
    ("inf · 0", 0.0, lambda w: (w**3) ** (1 / 3), ["is nan.", "nan at v1 = w ** 3", "inf · 0 is not defined"]),
    ("nan beside what was not chosen", 0.0, lambda w: (w.relu() + 1.0) * math.inf + (w**3) ** (1 / 3),
        ["is nan. The gradient turns nan at v4 = w ** 3: inf · 0", "At v1 = relu(w) inf · 0 contributes 0"]),
    ("root at 0", 0.0, lambda w: w.sqrt(), ["is inf.", "infinite at output = sqrt(w)", "input is 0"]),
    ("tiny divisor", 1e-9, lambda w: 1 / w, ["is −1e+18.", "at output = 1 / w", "divides by 1e−09, which is tiny"]),
    ("tiny logarithm", 1e-12, lambda w: w.log(), ["is 1e+12.", "explodes at output = log(w)", "its input is 1e−12"]),
    ("cancelling", 2.0, lambda w: w * 3 - 3 * w, ["is 0.", "contributions of all paths cancel"]),
    ("side branch", 2.0, lambda w: dot([(w * 3).sin(), (w * -3).relu()], [0.0, 1.0]), ["is 0.", "a dead relu"]),
    ("underflow", 2.0, lambda w: w * 1e-200 * 1e-200, ["is 0.", "1e−200 · (1e−200) is too small for a float"]),
    ("a step", 2.5, lambda w: w.floor(), ["is 0.", "floor is a step function"]),
    ("not chosen", 2.0, lambda w: w.maximum(5.0), ["is 0.", "dies at output = maximum(w, 5): w was not chosen"]),
    ("the other branch", 2.0, lambda w: where(Value(0.0, "c"), w * w, 3.0), ["c, v1, 3): v1 = w · w was not chosen"]),
    ("a condition", 2.0, lambda w: where(w, Value(1.0, "a"), 3.0), ["its condition only chooses between the others"]),
    ("no factor", 2.0, lambda w: w * 0.0, ["is 0. w has no influence here: it is multiplied by 0."]),
    ("an input of 0", 2.0, lambda w: (w * Value(0.0, "i1") + 1.0).sigmoid(),
        ["is 0. w has no influence here: it is multiplied by i1 = 0."]),
    ("of many inputs one of 0", 2.0, lambda w: dot([w, *leaves("ab")], [Value(0.0, "i1"), *leaves("cd")]).sigmoid(),
        ["is 0. w has no influence here: it is multiplied by i1 = 0."]),
    ("of two lists", 2.0, lambda w: dot([Value(3.0, "a"), Value(0.0, "i2")], [Value(5.0, "i1"), w]),
        ["is 0. w has no influence here: it is multiplied by i2 = 0."]),
    ("of many factors one of 0", 2.0, lambda w: prod([*leaves("ab"), w, Value(0.0, "i1"), Value(3.0, "c")]),
        ["is 0. w has no influence here: it is multiplied by i1 = 0."]),
    ("a factor that died", 2.0, lambda w: w * (Value(-1.0, "u") * 3.0).relu(),
        ["is 0. w has no influence here: it is multiplied by v2 = relu(v1) = 0."]),
    ("a weight that is computed", 2.0, lambda w: dot([named(w.exp(), "g"), *leaves("a")], [Value(0.0, "i1"), 3.0]),
        ["is 0. g = exp(w) has no influence here: it is multiplied by i1 = 0."]),
    ("a weight without a label", 2.0, lambda w: dot([w.exp(), *leaves("a")], [Value(0.0, "i1"), 3.0]).tanh(),
        ["is 0. v1 = exp(w) has no influence here: it is multiplied by i1 = 0."]),
    ("a square", 0.0, lambda w: w**2, ["is 0. The gradient dies at output = w ** 2: its base is 0 and its exponent 2"]),
    ("a quotient", 2.0, lambda w: Value(0.0, "x") / w, ["dies at output = x / w: it divides 0 by 2: slope 0."]),
    ("a minimum", 0.0, lambda w: w.cosh(), ["dies at output = cosh(w): its input is 0: slope 0."]),
    ("small factors", 2.0, lambda w: prod([w, Value(1e-5, "a"), Value(-1e-5, "b")]),
        ["fades at output = w · a · b: w is multiplied by factors whose product is −1e−10."]),
    ("factors that underflow", 2.0, lambda w: prod([w, Value(1e-200, "a"), Value(1e-200, "b")]),
        ["dies at output = w · a · b: w is multiplied by factors whose product is 0."]),
    ("a small input", 2.0, lambda w: dot([w, Value(1.0, "a")], [Value(1e-9, "i1"), Value(1.0, "i2")]),
        ["is 1e−09. The gradient fades at output = w · i1 + a · i2: w is multiplied by i1 = 1e−09."]),
    ("a large input", 2.0, lambda w: dot([w, Value(1.0, "a")], [Value(1e9, "i1"), Value(1.0, "i2")]),
        ["is 1e+09. The gradient explodes at output = w · i1 + a · i2: w is multiplied by i1 = 1e+09."]),
    ("an infinite input", 2.0, lambda w: dot([w, Value(1.0, "a")], [math.inf, Value(1.0, "i2")]),
        ["is inf. The gradient becomes infinite at output = w · inf + a · i2: w is multiplied by inf."]),
    ("a product that overflows", 2.0, lambda w: w * 1e200 * 1e200, ["at v1 = w · (1e+200): 1e+200 · (1e+200) is too"]),
    ("a sum that overflows", 0.1, lambda w: sum([w * 1e308, w * 1e308]),
        ["is inf. The contributions to w add up to more than a float holds."]),
    ("an output that overflows", 1e200, lambda w: w * Value(1e200, "i1"), ["is 1e+200. output itself is inf."]),
    ("cancelling beside a branch", 2.0, lambda w: sum([w * 3, -3 * w, (w * -3).relu()]), ["of all paths cancel"]),
    ("a factor beside a sum", 2.0, lambda w: sum([w * 0.0, (w * -3).relu()]), ["w has no influence", "by 0."]),
    ("stopped", 2.0, lambda w: w.stop_gradient() * Value(3.0, "a"), ["dies at v1 = stop_gradient(w): nothing passes"]),
    ("a constant that is nan", 2.0, lambda w: w * math.nan, ["is nan.", "the first nan is a constant."]),
    ("not defined", 0.0, lambda w: w.hypot(0.0), ["is nan.", "its slope at 0, 0 is not defined"]),
    ("nan given", math.nan, lambda w: w * 2.0 * w, ["is nan.", "the first nan is w"]),
    ("nan computed", 2.0, lambda w: named(w * math.inf, "i") - named(w * math.inf, "j"), ["is nan.", "nan"]),
    ("many small factors", 2.0, lambda w: scaled(w, 0.1, 40), ["is 1e−40.", "No slope on the way is smaller than 0.1"]),
    ("many large factors", 2.0, lambda w: scaled(w, 10.0, 40), ["is 1e+40.", "No slope on the way is larger than 10"]),
    ("nothing", 2.0, lambda w: w * 3, ["is 3. Nothing is wrong with it."]),
]  # fmt: skip


@pytest.mark.parametrize(("at", "build", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_diagnosis(at: float, build: Callable[[Value], Value], words: list[str]) -> None:
    w = Value(at, "w")
    output = build(w)
    diagnosis = diagnose(output, w)
    for word in words:
        assert word in diagnosis.text
    assert "\n" not in str(diagnosis)
    output.backward()
    assert diagnosis.gradient == w.grad or (math.isnan(diagnosis.gradient) and math.isnan(w.grad))
    assert str(diagnose(output, w)) == str(diagnosis)  # a first backward() is as it should be


def test_an_input_that_is_not_reached() -> None:
    w, other = Value(2.0, "w"), Value(2.0, "w")
    assert diagnose(Value(1.0, "u") * 2, w).text == "∂output/∂w is 0: output was not computed from w."
    assert "another node that is called w" in diagnose(other * 2, w).text
    assert "constant copy of w (detached" in diagnose(w.detach() * Value(1.0), w).text
    with no_grad():
        cut = w * 2
    assert "is a constant, and records nothing" in diagnose(cut, w).text
    assert "is a constant, and gets no gradient" in diagnose(w * 3, Constant(3.0)).text


def test_backward_that_ran_twice() -> None:
    w = Value(2.0, "w")
    output = w * 3
    output.backward()
    output.backward()
    text = diagnose(output, w).text
    assert "w.grad is 6, 2 times as much: backward() ran 2 times" in text
    assert "set grad to 0 in between" in text


def test_one_dead_neuron_of_many() -> None:
    network = MLP(2, [3, 1])
    for parameter in network.parameters():
        parameter.data = -1.0
    output = network([1.0, 1.0])
    diagnosis = diagnose(output, network.parameters()[0])
    assert diagnosis.gradient == 0.0
    assert diagnosis.node is not None
    assert diagnosis.node.label == "out_h1"


def test_the_line_that_made_the_node() -> None:
    w = Value(2.0, "w")
    with record_sources() as sources:
        hidden = (w * -3).relu()  # the culprit
        output = hidden * 2
    text = diagnose(output, w, sources).text
    assert f"{__file__}, line" in text
    assert text.endswith("hidden = (w * -3).relu()  # the culprit")
    assert len(sources) == 3
    (w * 2).exp()
    assert len(sources) == 3  # recorded within the block alone
    with record_sources() as sources:
        output = MLP(1, [1])([w])  # by a network
    assert {file for file, _ in sources.values()} == {__file__}


def test_recording_and_no_grad_together() -> None:
    w = Value(2.0)
    with record_sources() as sources, no_grad():
        result: Any = w * 2
    assert isinstance(result, Constant)
    assert not sources


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1.01e-8, "is wrong"), (0.99e-8, "fades"), (-0.99e-8, "fades"), (0.99e8, "is wrong"), (1.01e8, "explodes")],
)
def test_a_gradient_below_1e_8_or_above_1e_8_is_worth_a_word(factor: float, words: str) -> None:
    w = Value(2.0, "w")
    assert words in diagnose(w * factor, w).text


def test_a_slope_below_1e_4_or_above_1e4_is_named() -> None:
    w = Value(2.0, "w")
    assert "No slope on the way is smaller than 0.00011" in diagnose(w * 1.1e-4 * 1.1e-4 * 0.1, w).text
    assert "fades at v1 = w · (9e−05)" in diagnose(w * 0.9e-4 * 1.1e-4 * 0.1, w).text
    assert "No slope on the way is larger than 9999" in diagnose(w * 9999.0 * 9999.0 * 9.0, w).text
    assert "explodes at v1 = w · 10001" in diagnose(w * 10001.0 * 9999.0 * 9.0, w).text


@pytest.mark.parametrize("grad", [math.inf, -math.inf, math.nan])
def test_a_gradient_that_is_not_finite_is_no_multiple_of_another(grad: float) -> None:
    w = Value(2.0, "w")
    w.grad = grad
    assert diagnose(w * 3.0, w).text == "∂output/∂w is 3. Nothing is wrong with it."
    infinite = w * math.inf
    assert "∂output/∂w is inf. The gradient becomes infinite at output = w · inf" in diagnose(infinite, w).text


@pytest.mark.parametrize("name", [name for name, primitive in PRIMITIVES.items() if primitive.when_flat])
def test_each_primitive_says_why_it_is_flat(name: str) -> None:
    """A template of the table may use only what a diagnosis gives."""
    primitive = PRIMITIVES[name]
    others = {"remainder": (3.0, 50.0), "divide": (0.0, 50.0)}
    numbers = others.get(name, (-40.0, 0.0, 50.0)[: primitive.arity or 2])
    inputs = [Value(x, f"x{i}") for i, x in enumerate(numbers)]
    output = apply(primitive, *inputs)
    diagnoses = [diagnose(output, x) for x in inputs]
    said = ("The gradient dies at", "fades", "has no influence here")
    assert any(words in diagnosis.text for diagnosis in diagnoses for words in said)
    assert not any("{" in diagnosis.text for diagnosis in diagnoses)


def test_a_nan_that_was_replaced_since_the_forward_pass() -> None:
    x, w = Value(math.nan, "x"), Value(2.0, "w")
    output = x * w
    assert "the first nan is x." in diagnose(output, w).text
    x.data = 1.0
    assert "is nan already in the forward pass" in diagnose(output, w).text


FACTORS = st.lists(st.sampled_from([0.0, 1.0, -2.0]), min_size=4, max_size=4)


@given(FACTORS, st.sampled_from(["dot", "prod", "multiply"]))
def test_a_factor_that_is_said_to_be_0_is_another_operand_that_is_0(numbers: list[float], name: str) -> None:
    xs = [Value(x, f"x{place}") for place, x in enumerate(numbers)]
    build = {"dot": lambda: dot(xs[:2], xs[2:]), "prod": lambda: prod(xs), "multiply": lambda: xs[0] * xs[1] * xs[2]}
    output = build[name]()
    for x in topological_order(output)[:-1]:
        diagnosis = diagnose(output, x)
        sentence = r"(\w+)(?: = .*)? has no influence here: it is multiplied by (\w+) = (?:.* = )?−?0"
        influence = re.search(sentence, diagnosis.text)
        assert (influence is not None) == (diagnosis.gradient == 0.0)
        if influence is not None:
            assert diagnosis.node is not None
            pairs = zip(diagnosis.node.parents, diagnosis.node.operands, strict=True)
            zeros = {find_node(output, node.label or "v1").label or "v1" for node, number in pairs if number == 0.0}
            assert influence[2] in zeros - {influence[1]}


def test_the_input_is_named_by_its_label() -> None:
    w, x = Value(2.0, "w"), Value(0.0, "x")
    output = w * x
    assert str(diagnose(output, "w")) == str(diagnose(output, w))
    with pytest.raises(ValueError, match="no node of this graph is called 'z'; it has w, x"):
        diagnose(output, "z")
