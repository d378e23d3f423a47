"""The live page's derivations, beside those of `explain`; and its predictions."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from autograd import Explanation, Value, diagnose, explain, live_page, topological_order
from nn.examples import worked_example
from tests.driven_page import Driven, close, diamond, projectile, python_numbers
from tests.test_diagnosis import CASES

DERIVATION = """() => [...document.querySelectorAll("#derivation .paragraph")].map((paragraph) =>
  [...paragraph.querySelectorAll(".equation")].map((equation) => {
    const copy = equation.cloneNode(true);
    for (const power of copy.querySelectorAll("sup")) power.prepend(" ** ");
    return copy.textContent;
  }))"""


# Explain.


def comparable(equation: str) -> str:
    """Without spaces, the underscores that indices replace, and brackets around negative numbers."""
    return re.sub(r"\((−[\d.]+(e[−+]\d+)?)\)", r"\1", re.sub(r"[\s_]", "", equation))


def of_python(explanation: Explanation) -> list[list[str]]:
    return [
        [comparable(" = ".join(formula.plain for formula in line.formulas)) for line in lines]
        for lines in explanation.paragraphs
    ]


def of_page(driven: Driven) -> list[list[str]]:
    return [[comparable(line) for line in lines] for lines in driven.root.evaluate(DERIVATION)]


def ask(driven: Driven, output: str, name: str) -> None:
    driven.root.get_by_role("combobox", name="Why is", exact=True).select_option(label=f"∂{output}/∂{name}")


def example(changes: dict[str, float] | None = None) -> Value:
    """The worked example's graph, with other numbers of some parameters."""
    network = worked_example.build_network()
    for parameter in network.parameters():
        parameter.data = (changes or {}).get(str(parameter.label), parameter.data)
    return worked_example.forward(network)


def explained(output: Value, name: str) -> list[list[str]]:
    node = next(node for node in topological_order(output) if node.label == name)
    return of_python(explain(output, node))


def test_a_derivation_of_the_worked_example_is_that_of_explain(worked: Driven) -> None:
    for name in ("w5", "w1", "w8", "b1", "b2", "net_h1", "out_h2", "out_o1", "E_o2"):
        ask(worked, "E_total", name)
        assert of_page(worked) == explained(example(), name), name


@pytest.mark.parametrize(
    ("make", "names"),
    [(diamond, ["x", "a", "b"]), (projectile, ["t", "α", "v_0", "h0", "v_y", "fall"])],
    ids=["diamond", "projectile"],
)
def test_a_derivation_of_a_formula_is_that_of_explain(
    make: Callable[[], Value], names: list[str], driven: Driven
) -> None:
    driven.open(live_page(make()))
    for name in names:
        ask(driven, str(make().label), name)
        assert of_page(driven) == explained(make(), name), name


def test_a_derivation_of_operations_without_labels_ends_with_the_gradient(driven: Driven) -> None:
    x, y = Value(0.5, "x"), Value(-2.0, "y")
    output = (x * y).tanh() + x / y
    driven.open(live_page(output))
    _, grads = python_numbers(output)
    for name in ("x", "y"):
        ask(driven, "output", name)
        assert driven.number(name, "derivation") == close(grads[name])
        assert of_page(driven)[0][0].startswith(f"∂output/∂{name}=")


def test_a_derivation_follows_an_edit_and_a_training(worked: Driven) -> None:
    ask(worked, "E_total", "w1")
    changes = {}
    for name, number in (("w5", -0.9), ("w1", 1.25), ("b2", 0.0)):
        changes[name] = number
        worked.edit(name, number)
        assert of_page(worked) == explained(example(changes), "w1"), name
    worked.press("Reset")
    ask(worked, "E_total", "w1")
    worked.train(10)
    output = worked_example.forward(worked_example.train(rounds=10))
    assert of_page(worked) == explained(output, "w1")
    worked.slide("Round", 0)
    assert of_page(worked) == explained(example(), "w1")


def test_what_is_said_of_a_gradient_is_what_diagnose_says(driven: Driven) -> None:
    for name, at, build, _ in CASES:
        w = Value(at, "w")
        output = build(w)
        diagnosis = diagnose(output, w)
        driven.open(live_page(output))
        ask(driven, output.label or "output", "w")
        shown = driven.root.locator("#diagnosis").text_content()
        assert shown == ("" if name == "nothing" else f"⚠ {diagnosis.text}")


def test_a_name_in_the_graph_asks_too(worked: Driven) -> None:
    worked.press("Explain w5")
    assert of_page(worked) == explained(example(), "w5")


# Predict. The figures are those of the article.


@pytest.fixture
def predicting(worked: Driven) -> Driven:
    worked.check("Predict first")
    return worked


def hidden_numbers(driven: Driven) -> bool:
    """Whether the line of this step shows no number."""
    return all(value == "" for _, _, value, _ in driven.shown("#line"))


def guess(driven: Driven, number: str) -> str:
    """What the page says of a prediction."""
    driven.field("Your prediction").fill(number)
    driven.press("Check")
    return driven.root.locator("#sentence").inner_text()


def test_a_right_prediction_goes_on(predicting: Driven) -> None:
    predicting.press("Next step")
    assert hidden_numbers(predicting)
    assert predicting.known_steps() == 0
    assert "0.3775" not in predicting.text()
    assert predicting.list_of_steps()[0][1:] == ("", "?")
    assert predicting.field("Your prediction").evaluate("e => e === document.activeElement")
    assert "Right" not in guess(predicting, "0.3797")
    assert "✓ Right." in guess(predicting, "0.379")  # within half a percent
    assert predicting.known_steps() == 1
    assert predicting.number("net_h1") == close(0.3775)


def test_enter_checks_a_prediction(predicting: Driven) -> None:
    predicting.press("Next step")
    predicting.edit("Your prediction", "0.3775")
    assert predicting.known_steps() == 1
    assert "✓ Right." in predicting.text()


def to_step_before(driven: Driven, name: str, count: int) -> None:
    """Go to where the count-th step that gives a node a gradient comes next, and ask for it."""
    driven.press("Last step")
    places = [place for place, (its_name, _, _) in enumerate(driven.list_of_steps()) if its_name == name]
    driven.slide("Step", [place for place in places if place >= 11][count])
    driven.press("Next step")


def test_the_wrong_sign(predicting: Driven) -> None:
    to_step_before(predicting, "w7", 0)
    assert "The size is right, the sign is not." in guess(predicting, "0.0226")
    assert hidden_numbers(predicting)
    assert "Right" in guess(predicting, "−0.0226")


def test_the_sum_over_branches(predicting: Driven) -> None:
    to_step_before(predicting, "out_h1", 1)
    assert "The factors are right; add what was there before." in guess(predicting, "−0.0190491182582")
    assert "Right" in guess(predicting, "0.0363503063931")
    assert predicting.number("out_h1", "grad") == close(0.0363503063931, 1e-11)


def test_one_factor_or_none_is_right(predicting: Driven) -> None:
    to_step_before(predicting, "w5", 0)
    for factor in ("0.138498562", "0.593269992"):
        assert "factor is right" in guess(predicting, factor)
    said = guess(predicting, "17")
    assert "factor" not in said
    assert "Right" not in said
    assert "number" in guess(predicting, "abc")
    assert hidden_numbers(predicting)
    assert "Right" in guess(predicting, "0.082167")


def test_the_factors_and_the_result_are_shown_on_request(predicting: Driven) -> None:
    to_step_before(predicting, "w5", 0)
    predicting.press("Show factors")
    line = predicting.root.locator("#line").inner_text()
    assert "0.138498562" in line
    assert "0.593269992" in line
    assert "0.0821670" not in line
    assert not predicting.digits("grad")["w5"]
    known = predicting.known_steps()
    predicting.press("Show it")
    assert predicting.known_steps() == known + 1
    assert predicting.number("w5", "grad") == close(0.0821670405642, 1e-11)


def test_the_next_number_is_shown_nowhere_while_it_is_to_be_predicted(predicting: Driven) -> None:
    ask(predicting, "E_total", "w5")
    to_step_before(predicting, "w5", 0)
    assert not predicting.digits("grad")["w5"]
    shown = [value for _, _, value, _ in predicting.shown() if value]
    assert not [value for value in shown if abs(float(value) - 0.0821670405642) < 1e-9]


def test_predicting_can_be_left(predicting: Driven) -> None:
    predicting.press("Next step", "Previous step")
    assert predicting.known_steps() == 0
    predicting.press("Next step")
    predicting.check("Predict first", checked=False)
    predicting.press("Next step")
    assert predicting.number("net_h1") == close(0.3775)
