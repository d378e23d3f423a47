"""Marks on a live page where Python found that few digits are right."""

from autograd import Value, check_rounding, live_page
from tests.driven_page import Driven

MARKED = """() => [...document.querySelectorAll("#picture .inexact")].map((number) => {
  const box = number.closest(".box");
  return [box.querySelector(".title, button").textContent, number.matches(".gradient"), number.title];
})"""


def difference() -> Value:
    x = Value(1e-5, "x")
    n = 1.0 - x.cos()
    n.label = "n"
    y = n / x**2
    y.label = "y"
    return y


def test_numbers_with_few_right_digits_are_marked_until_a_number_is_changed(driven: Driven) -> None:
    output = difference()
    report = check_rounding(output)
    driven.open(live_page(output, rounding=True))
    driven.slide("Step", 0)
    assert driven.page.evaluate(MARKED) == []  # no number is known yet
    driven.press("Last step")
    marked = {(name, is_gradient): title for name, is_gradient, title in driven.page.evaluate(MARKED)}
    expected = {}
    for numbers, is_gradient in ((report.values, False), (report.gradients, True)):
        for node, number in numbers.items():
            if node.label and number.digits < 8:
                expected[node.label, is_gradient] = f"{number.digits or 'no'} right digits"
    assert marked == expected
    assert ("x", True) in marked
    said = driven.root.locator("#rounding")
    assert said.inner_text() == f"{report.sentence} Wavy lines: fewer than 8 right digits."
    driven.edit("x", 0.5)
    assert driven.page.evaluate(MARKED) == []
    assert "a number was changed" in said.inner_text()
    driven.press("Reset")
    assert said.inner_text().startswith(report.sentence)


def test_what_is_not_finite_is_marked(driven: Driven) -> None:
    driven.open(live_page(Value(800.0, "a").exp() / Value(2.0, "b"), rounding=True))
    driven.press("Last step")
    assert [name for name, is_gradient, _ in driven.page.evaluate(MARKED) if not is_gradient] == ["v1", "output"]


def test_a_page_without_it_holds_no_script_for_it() -> None:
    output = difference()
    assert "inexact" not in live_page(output).html
    assert "inexact" in live_page(output, rounding=True).html
