"""How numbers, names and formulas are written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Constant, Value, diagnose, explain, steps, topological_order
from autograd.notation import Formula, Names, base_and_index, cleaned, in_ascii, number, operation, product, symbol
from autograd.primitives import PRIMITIVES

x, y = Formula("x"), Formula("y")
sigmoid, power = PRIMITIVES["sigmoid"], PRIMITIVES["power"]


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        (x - (y - 1.0), "x − (y − 1)"),
        ((x - y) - 1.0, "x − y − 1"),
        ((-x) ** 2.0, "(−x) ** 2"),
        (-(x**2.0), "−x ** 2"),
        (x * -y, "x · (−y)"),
        (x * -2.5, "x · (−2.5)"),
        (2.0 / (x * y), "2 / (x · y)"),
        (x + 1e-7, "x + 1e−07"),
        (sigmoid(x - 1.0), "sigmoid(x − 1)"),
        (1.0 * x, "x"),
        (x**1.0, "x"),
        (0.0 + x, "x"),
        (x - 0.0, "x"),
        (power.slopes[0](None, x, Formula.of(2.0)), "2 · x"),
        (power.slopes[0](None, x, Formula.of(3.0)), "3 · x ** 2"),
        (PRIMITIVES["sum"](x, y, 2.0), "x + y + 2"),
        (PRIMITIVES["dot"](x, y, Formula("a"), Formula("b")), "x · a + y · b"),
    ],
)
def test_plain_text(formula: Formula, plain: str) -> None:
    assert formula.plain == plain


@pytest.mark.parametrize(
    ("formula", "latex"),
    [
        (sigmoid.slopes[0](symbol("out_o1"), x), r"\mathrm{out}_{o1} \cdot \left(1 - \mathrm{out}_{o1}\right)"),
        (sigmoid(x / y), r"\sigma\left(\frac{x}{y}\right)"),
        (1e-7 * x, r"1 \cdot 10^{-7} \cdot x"),
        ((x + y) ** 2.0, r"\left(x + y\right)^{2}"),
        (symbol("x'_1") ** 2.0, "{x'}_{1}^{2}"),
        (PRIMITIVES["sqrt"](x), r"\sqrt{x}"),
        (number(float("inf")), r"\infty"),
    ],
)
def test_latex(formula: Formula, latex: str) -> None:
    assert formula.latex == latex


def test_numbers_are_shown_to_nine_digits() -> None:
    assert [number(n).plain for n in (0.000438567734474, 0.25, -2.0, 1e-12, 123456789012.0)] == [
        "0.000438567734", "0.25", "−2", "1e−12", "1.23456789e+11",
    ]  # fmt: skip
    assert (number(2.0) * number(-3.0)).plain == "2 · (−3)"


def test_a_product_gathers_the_numbers() -> None:
    assert product([Formula.of(0.5), 2.0 * (x - y), Formula.of(-1.0)]).plain == "−(x − y)"
    assert product([x, Formula.of(3.0), -y]).plain == "−3 · x · y"
    assert product([Formula.of(0.5), Formula.of(4.0)]).plain == "2"
    assert product([x, y]).plain == "x · y"
    assert product([]).plain == "1"


def test_operations() -> None:
    a, b = Value(2.0, "a"), Value(3.0)
    assert operation(a * b, [symbol("a"), number(3.0)]).plain == "a · 3"


def test_names_follow_the_topological_order() -> None:
    a, b, c = Value(1.0, "v1"), Value(2.0), Value(3.0, "c")
    product, twin = a * b, c * 1.0
    twin.label = "c"
    output = product.exp() + twin + Constant(0.5)
    order = topological_order(output)
    names = Names(output, order)
    assert [names.of(node).plain for node in reversed(order)][::-1] == [
        "v1", "v2", "v3", "v4", "c", "1", "c(2)", "v5", "0.5", "output",
    ]  # fmt: skip
    assert names.of(Value(1.0)).plain == "input"
    assert names.of(Value(1.0, "c")).plain == "c"
    assert Names(c, [c]).of(c).plain == "c"


def test_labels_are_harmless() -> None:
    assert cleaned("a\x1b[31mred\n" + "x" * 100) == "a [31mred " + "x" * 50 + "…"
    latex = symbol(r"<b>\input{x}_$%&#^~σ").latex
    assert latex.startswith(r"{<}b{>}\backslash input\{x\}_{")
    assert r"\$\%\&\#\wedge \sim \text{σ}" in latex


@pytest.mark.parametrize(
    ("label", "latex"),
    [
        ("w5", "w_{5}"),
        ("E_total", r"E_{\mathrm{total}}"),
        ("σ", r"\text{σ}"),
        ("x'", "x'"),
        ("x'_1", "{x'}_{1}"),  # x'_{1}, raised to a power, would be a double superscript
        ("_x", r"\_x"),  # an index without a name would be that of whatever stands before
        ("x_", r"x\_"),
        ("loss of net", r"\text{loss of net}"),  # MathJax has a limit for macros, and `\ ` is one
        ("a{b c}", r"a\{\text{b c}\}"),
        ("a@b", r"\text{a@b}"),
        ("∑∫∏", "{∑}{∫}{∏}"),  # KaTeX has them in mathematics alone
        ("ℒ_net", r"\mathscr{L}_{\mathrm{net}}"),
        ("e\u0301", r"\text{é}"),
        ("x\u0302", "\\text{x\u0302}"),
        ("\u0302", "\\text{◌\u0302}"),
        ("a \u0302{\u0302", "\\text{a ◌\u0302}\\{\\text{◌\u0302}"),
        ("x\u0336", "\\text{x\N{REPLACEMENT CHARACTER}}"),  # a mark that KaTeX refuses
        ("w[3]", "w[3]"),
        ("weights_h1[3](2)", r"\mathrm{weights}_{h1}[3](2)"),
        ('p["b"]', r"p[\text{“b”}]"),  # MathJax writes a straight quote as two primes
        ('p["w_1"]["a b"]', r"p[\text{“w}\_\text{1”}][\text{“a b”}]"),  # no index of p["w
        ("m[0, 1]", r"m[0\text{, }1]"),
        ("layer.bias", r"\mathrm{layer}{.}\mathrm{bias}"),  # a dot of its own has space behind it
        ("layer_1.w[2]", r"\mathrm{layer}_{1}{.}w[2]"),
    ],
)
def test_labels_in_latex(label: str, latex: str) -> None:
    assert symbol(label).latex == latex


@pytest.mark.parametrize("label", ["w[3]", 'p["w_1"]', "w_h[3]", "layer_1.w", "m[0, 1]", 'p["w_1"](2)'])
def test_an_entry_of_a_container_has_no_index(label: str) -> None:
    assert base_and_index(label) is None
    assert symbol(label).plain == symbol(label).ascii == label


def test_labels_use_no_macro_of_a_renderer() -> None:
    """KaTeX expands a thousand macros in all, and MathJax expands them in a text of 5 kB."""
    assert symbol("a ≠ b").latex == r"\text{a }{{=}\kern-0.64em{/}\kern0.14em}\text{ b}"
    assert not set(symbol("©®‼⋮≔⟦⟧𝚤").latex) & set("©®‼⋮≔⟦⟧𝚤")


HOSTILE = [*"{}$&#%_\\^~<>'\"`@ \n\0|/()[]*-!?ax1σ的😀∑∫∏≠ℒ²’\u0302\u0336\u200f", "$$", "<script>"]


@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.characters())).map("".join))
def test_no_label_breaks_out_of_the_mathematics(label: str) -> None:
    latex = symbol(label).latex
    commands = "backslash |wedge |sim |text|mathrm|mathscr|mathfrak|kern-?0[.][0-9]{2}em|[{}$&#%_]"
    assert not re.search(rf"\\(?!{commands})", latex)
    assert not re.search(r"[$&#%~^\n]|<(?!})", re.sub(r"\\[{}$&#%_]", "", latex))
    depth = 0
    for brace in re.findall("[{}]", re.sub(r"\\[{}]", "", latex)):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    for text in re.findall(r"\\text{([^{}]*)}", latex):
        assert not re.search("(^| )[\u0300-\u036f]", text)
    assert not re.search("[∑∫∏≠\u0300-\u036f]", re.sub(r"\\text{[^{}]*}|{[∑∫∏]}", "", latex))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("∂E/∂θ = −½ · (δ − ŷ)² × 2…", "dE/dtheta = -1/2 * (delta - y)^2 * 2..."),
        ("λ Λ μ µ ς Σ ά Ω", "lambda Lambda mu u sigma Sigma alpha Omega"),
        ("√x ≠ ℋ → é", "sqrtx != H -> e"),
        ("中\udc80", "??"),
        ("w7 = 0.5 - 1", "w7 = 0.5 - 1"),
    ],
)
def test_ascii(text: str, wanted: str) -> None:
    assert in_ascii(text) == wanted


@given(st.text())
def test_ascii_of_any_text(text: str) -> None:
    assert in_ascii(text).isascii()


def test_what_is_printed_is_there_in_ascii() -> None:
    theta, other = Value(0.5, label="θ"), Value(-3.0, label="x")
    net = theta * other
    net.label = "net"
    error = net.relu() * theta
    error.label = "E"
    assert steps(error)[0].ascii == "net = theta * x = 0.5 * (-3) = -1.5"
    assert steps(error).ascii.splitlines()[-1] == "dE/dx: 0 + 0 * 0.5 = 0"
    assert diagnose(error, other).ascii == (
        "dE/dx is 0. The gradient dies at v1 = relu(net): its input is -1.5, where relu is flat (a dead relu): slope 0."
    )
    assert explain(net, theta).ascii == "dnet/dtheta = x = -3"
    hidden = (theta * other + 1.0).tanh()
    hidden.label = "η"
    output = hidden**2
    output.label = "ψ"
    assert explain(output, theta).ascii.splitlines()[:3] == [  # the lines of an equation stand one below the other
        "dpsi/dtheta = dpsi/deta * deta/dtheta",
        "            = -0.924234315 * (-2.3593432)",
        "            = 2.18058594",
    ]
