"""Explanations: the article's derivations line by line, and on any graph numbers that multiply up to the gradient."""

import pytest

from autograd import Constant, Value, explain
from nn.examples.worked_example import build_network, forward


def explained(weight: str, form: str = "chain", detail: str = "stations") -> list[str]:
    total = forward(build_network())
    return str(explain(total, weight, form=form, detail=detail)).splitlines()  # type: ignore[arg-type]  # any of the words


def test_the_derivation_of_w5_is_the_article_s() -> None:
    assert explained("w5") == [
        "∂E_total/∂w5 = ∂E_total/∂out_o1 · ∂out_o1/∂net_o1 · ∂net_o1/∂w5",
        "             = 0.74136507 · 0.186815602 · 0.593269992",
        "             = 0.0821670406",
        "",
        "∂E_total/∂out_o1 = −(target_o1 − out_o1) = −(0.01 − 0.75136507) = 0.74136507",
        "∂out_o1/∂net_o1 = out_o1 · (1 − out_o1) = 0.75136507 · (1 − 0.75136507) = 0.186815602",
        "∂net_o1/∂w5 = out_h1 = 0.593269992",
    ]


def test_the_derivation_of_w1_is_the_article_s() -> None:
    assert explained("w1") == [
        "∂E_total/∂w1 = (∂E_o1/∂out_h1 + ∂E_o2/∂out_h1) · ∂out_h1/∂net_h1 · ∂net_h1/∂w1",
        "             = (0.0553994247 + (−0.0190491183)) · 0.241300709 · 0.05",
        "             = 0.0363503064 · 0.241300709 · 0.05",
        "             = 0.000438567734",
        "",
        "∂out_h1/∂net_h1 = out_h1 · (1 − out_h1) = 0.593269992 · (1 − 0.593269992) = 0.241300709",
        "∂net_h1/∂w1 = i1 = 0.05",
        "",
        "∂E_o1/∂out_h1 = ∂E_o1/∂out_o1 · ∂out_o1/∂net_o1 · ∂net_o1/∂out_h1",
        "              = 0.74136507 · 0.186815602 · 0.4",
        "              = 0.0553994247",
        "",
        "∂E_o1/∂out_o1 = −(target_o1 − out_o1) = −(0.01 − 0.75136507) = 0.74136507",
        "∂out_o1/∂net_o1 = out_o1 · (1 − out_o1) = 0.75136507 · (1 − 0.75136507) = 0.186815602",
        "∂net_o1/∂out_h1 = w5 = 0.4",
        "",
        "∂E_o2/∂out_h1 = ∂E_o2/∂out_o2 · ∂out_o2/∂net_o2 · ∂net_o2/∂out_h1",
        "              = −0.217071535 · 0.175510053 · 0.5",
        "              = −0.0190491183",
        "",
        "∂E_o2/∂out_o2 = −(target_o2 − out_o2) = −(0.99 − 0.772928465) = −0.217071535",
        "∂out_o2/∂net_o2 = out_o2 · (1 − out_o2) = 0.772928465 · (1 − 0.772928465) = 0.175510053",
        "∂net_o2/∂out_h1 = w7 = 0.5",
    ]


def test_the_delta_rule() -> None:
    assert explained("w5", form="delta")[0] == "∂E_total/∂w5 = δ_o1 · out_h1 = 0.138498562 · 0.593269992 = 0.0821670406"
    lines = explained("w1", form="delta")
    assert lines[0] == "∂E_total/∂w1 = δ_h1 · i1 = 0.00877135469 · 0.05 = 0.000438567734"
    assert lines[2].startswith("δ_h1 = (δ_o1 · w5 + δ_o2 · w7) · out_h1 · (1 − out_h1) = (0.138498562 · 0.4 + ")
    assert lines[4].startswith("δ_o1 = −(target_o1 − out_o1) · out_o1 · (1 − out_o1) = ")
    assert lines[4].endswith(" = 0.138498562")
    assert lines[6].endswith(" = −0.0380982365")


@pytest.mark.parametrize(
    ("weight", "form", "rows"),
    [("w5", "delta", [1, 3]), ("w1", "delta", [1, 3, 3, 3]), ("w5", "chain", [3, 1, 1, 1])],
)
def test_a_long_equation_breaks_at_its_signs_of_equality(weight: str, form: str, rows: list[int]) -> None:
    """In LaTeX: a row of some 100 characters is as wide as a notebook. The text of the delta form stays on one line."""
    total = forward(build_network())
    explanation = explain(total, weight, form=form)  # type: ignore[arg-type]  # either of the two
    lines = [line for paragraph in explanation.paragraphs for line in paragraph]
    assert [line.latex.count(" \\\\\n&= ") + 1 for line in lines] == rows
    assert all(line.latex.count("&=") == count for line, count in zip(lines, rows, strict=True))
    parts = [formula.plain for line in lines for formula in line.formulas[1:]]
    assert max(map(len, parts)) < 100


def test_full_detail_names_every_operation() -> None:
    lines = explained("w5", detail="full")
    assert lines[0].count("·") == 6
    assert "v4 = target_o1 − out_o1 = −0.74136507" in lines


def test_a_shared_bias_is_a_sum_over_both_outputs() -> None:
    assert explained("b2")[:3] == [
        "∂E_total/∂b2 = ∂E_o1/∂b2 + ∂E_o2/∂b2",
        "             = 0.138498562 + (−0.0380982365)",
        "             = 0.100400325",
    ]


def test_the_numbers_are_those_of_the_forward_pass() -> None:
    w, x = Value(2.0, "w"), Value(3.0, "x")
    output = (w * x) ** 2
    output.label = "E"
    w.data = x.data = 100.0
    w.grad = 7.0
    assert str(explain(output, w)) == "∂E/∂w = 2 · w · x · x = 2 · 2 · 3 · 3 = 36"
    assert (w.grad, output.has_grad) == (7.0, False)


def test_ends() -> None:
    a, b = Value(1.0, "a"), Value(2.0, "b")
    assert str(explain(a, a)) == "∂a/∂a = 1"
    assert str(explain(a, b)) == "∂a/∂b = 0\n\na was not computed from b."
    assert explain(Constant(1.0), a).gradient == 0.0
    assert str(explain(Value(2.0) * 3.0, Value(1.0))).startswith("∂output/∂input = 0")
    with pytest.raises(ValueError, match="detail must be 'stations' or 'full', got 'all'"):
        explain(a, a, detail="all")  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ValueError, match="form must be 'chain' or 'delta', got 'path'"):
        explain(a, a, form="path")  # type: ignore[arg-type]  # what is tested


def test_markdown_and_hostile_labels() -> None:
    a = Value(2.0, label="<script>$$\\end{aligned}\x1b[31m")
    explanation = explain(a * a, a)
    markdown = explanation._repr_markdown_()
    assert markdown.startswith("$$\n\\begin{aligned}")
    assert "<script" not in markdown
    assert markdown.count("\\end{aligned}") == 1
    assert "\x1b" not in str(explanation)
    assert "$$" not in markdown[2:-2]


def test_a_graph_too_large_for_the_delta_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd.views.explanation.DELTA_NODES", 3)
    with pytest.raises(ValueError, match=r"nodes lie between the two, too many for the delta form \(at most 3\)"):
        explained("w1", form="delta")


def test_nothing_passes_through_stop_gradient() -> None:
    w, a = Value(2.0, "w"), Value(3.0, "a")
    assert str(explain(w * a + w.stop_gradient(), w)) == "∂output/∂w = a = 3"
    assert str(explain(w.stop_gradient() * a, w)).startswith("∂output/∂w = 0\n")
    square = w**2
    square.label = "square"
    assert str(explain(w * a + square.stop_gradient(), w)) == "∂output/∂w = a = 3"
