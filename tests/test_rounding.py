"""Rounding: right digits by the exact numbers of other formulas, and losses that are planted and found."""

import math
import random
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext

import mpmath
import pytest

import autograd
from autograd import Value, check_rounding, diagnose, dot, floor, no_grad, where
from autograd.primitives import greater, minimum
from autograd.views.rounding import right_digits
from nn.examples.worked_example import build_network, forward

CONTEXT = mpmath.MPContext()
CONTEXT.dps = 60


def labelled(**numbers: float) -> list[Value]:
    return [Value(number, name) for name, number in numbers.items()]


def called(name: str, node: Value) -> Value:
    node.label = name
    return node


@pytest.mark.parametrize("seed", range(300))
def test_right_digits_are_those_within_half_a_unit_of_the_last(seed: int) -> None:
    draw = random.Random(seed)
    exact = draw.choice([1.0, 9.99999, 0.001, 1e-300, 7.3e200, draw.uniform(1, 10), 10.0 ** draw.randint(0, 9)])
    number = exact * (1.0 + draw.choice([0.0, 1.0, -1.0]) * 10.0 ** draw.uniform(-17, 1))
    with localcontext() as context:
        context.prec = 800
        error = abs(Decimal(number) - Decimal(exact))
        leading = Decimal(exact).adjusted()  # the exponent of the first digit
        right = [n for n in range(1, 17) if error <= Decimal(10) ** (leading - n + 1) / 2]
    assert right_digits(number, CONTEXT.mpf(exact)) == max(right, default=0)


def test_what_is_not_finite_has_digits_only_if_it_is_meant_to() -> None:
    assert right_digits(math.inf, CONTEXT.mpf("1e400")) == 0
    assert right_digits(math.nan, CONTEXT.mpf(1)) == 0
    assert right_digits(1e-20, CONTEXT.mpf(0)) == 0
    assert right_digits(math.inf, CONTEXT.inf) == right_digits(0.0, CONTEXT.mpf(0)) == 16


def test_the_worked_example_has_all_of_its_digits() -> None:
    report = check_rounding(forward(build_network()), digits=15)
    assert len(report.gradients) >= 8
    assert report.sentence == "The output, labelled numbers and gradients have 15 or 16 right digits."


def test_a_constant_has_no_gradient() -> None:
    with no_grad():
        output = Value(0.1).exp()
    report = check_rounding(output)
    assert (report.digits, report.gradients) == (16, {})


def test_a_difference_of_equal_numbers_and_its_gradient() -> None:
    (x,) = labelled(x=1e-5)
    y = called("y", (1.0 - x.cos()) / x**2)
    report = check_rounding(y)
    at = CONTEXT.mpf(1e-5)
    exact, slope = (1 - CONTEXT.cos(at)) / at**2, (at * CONTEXT.sin(at) - 2 * (1 - CONTEXT.cos(at))) / at**3
    assert abs(report.values[y].exact / exact - 1) < 1e-30
    assert abs(report.gradients[x].exact / slope - 1) < 1e-30
    y.backward()
    assert report.gradients[x].number == x.grad
    assert (report.values[y].digits, report.gradients[x].digits, report.digits) == (7, 0, 0)
    assert report.sentence == (
        "∂y/∂x has no right digit: v2 = 1 − cos(x) loses 9 (its operands agree in 10 digits); write "
        "2 · sin(x / 2) ** 2 instead. Then the sum of the contributions to ∂y/∂x loses 11 (they cancel in 11 digits)."
    )


def variance() -> Value:
    draw = random.Random(1)
    xs = [Value(1e6 + draw.random(), f"x{place}") for place in range(5)]
    return called("variance", sum([x * x for x in xs], Value(0.0)) / 5 - (sum(xs, Value(0.0)) / 5) ** 2)


def softmax() -> Value:
    a, b, c = labelled(a=800.0, b=1.0, c=2.0)
    return called("p", a.exp() / (a.exp() + b.exp() + c.exp()))


def surprise() -> Value:
    a, b = labelled(a=30.0, b=1.0)
    return called("loss", -(a.exp() / (a.exp() + b.exp())).log())


def root() -> Value:
    a, b, c = labelled(a=1.0, b=1e8, c=1.0)
    return called("root", (-b + (b**2 - 4 * a * c).sqrt()) / (2 * a))


def norm() -> Value:
    a, b = labelled(a=1e200, b=1e200)
    return called("norm", (a * a + b * b).sqrt())


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (variance, "(its operands agree in 13 digits); for a variance, subtract the mean from each number before"),
        (softmax, "p has no right digit: v1 = exp(a) overflows (it is 2.73e+347); in a softmax, subtract the largest"),
        (surprise, "; write −softplus(b − a) instead"),
        (root, "(its terms cancel in 15 digits); write −4 · a · c / (b + sqrt(b · b − 4 · a · c)) instead"),
        (norm, "v1 = a · a overflows (it is 1.0e+400); write hypot(a, b) for norm"),
        (
            lambda: called("y", Value(40.0, "x").sigmoid()),
            "∂y/∂x = y · (1 − y) loses 16; write 1 − sigmoid(−x) instead",
        ),
        (lambda: called("y", (1.0 + Value(1e-9, "x")).log()), "write log1p(x) instead"),
    ],
)
def test_classic_losses_are_named_with_their_remedy(build: Callable[[], Value], said: str) -> None:
    assert said in check_rounding(build()).sentence


@pytest.mark.parametrize(
    ("number", "build", "said"),
    [
        (1e-300, lambda x: x * 1e200 * 1e200, "∂y/∂x overflows (it is 1.0e+400)"),
        (1e300, lambda x: x * 1e-200 * 1e-200, "∂y/∂x underflows (it is 1.0e-400)"),
        (1e-320, lambda x: x.log(), "the slope ∂y/∂x = 1 / x overflows (it is 1.0e+320)"),
        (1.0, lambda x: dot([x, x, x], [1e16, 1.0, -1e16]), "(its terms cancel in 16 digits)"),
        (0.7, lambda x: floor(x * 10.0), "(it jumps between the exact operand and the float)"),
        (0.3, lambda x: x * 10.0 % 3.0, "(it jumps between the exact operand and the float)"),
        (0.1, lambda x: (x * 3.0 - 0.3 - 3e-17).sqrt(), "(it has no value at the exact operands)"),
        (0.1, lambda x: sum([x * 0.1] * 999, x), "and no operation loses two or more by itself"),
        (0.1, lambda x: autograd.sum([x] * 10000), "y loses 3 (10000 terms)"),
    ],
)
def test_the_reason_is_that_of_the_operation(number: float, build: Callable[[Value], Value], said: str) -> None:
    assert said in check_rounding(called("y", build(Value(number, "x")))).sentence


def test_an_operand_that_is_not_chosen_is_not_the_culprit() -> None:
    x, y = labelled(x=1e-5, y=0.1)
    lost = 1.0 - x.cos()
    for node in (minimum(lost, y + 1e8), autograd.min([y + 1e8, lost]), where(0.0, y + 1e8, lost)):
        sentence = check_rounding(node).sentence
        assert "right digits: v" in sentence
        assert "= 1 − cos(x) loses 9 (its" in sentence
    terms = [(y * 3.0 + 1e9) - 1e9 for _ in range(10)]
    small = ((x + 1e9) - 1e9) * 1e-3  # with a larger relative error than these, and a smaller absolute one
    assert "= y · 3 + 1e+09 − 1e+09 loses" in check_rounding(autograd.sum([*terms, small])).sentence
    beside = y * 3.0 - 0.3  # the floats choose another operand
    sentence = check_rounding(where(greater(beside, 4e-17), x * 5.0, x * 7.0)).sentence
    assert "= y · 3 − 0.3 loses 16" in sentence


def test_infinite_terms_have_no_agreement() -> None:
    x = Value(-0.0, "x")
    assert check_rounding((x * 0.5).sqrt()).digits == 0  # floats tell −0 from 0: its slope is −inf
    y = Value(1e308, "y")
    check_rounding(dot([y, y, x - math.inf], [y, y, y]))


def test_no_remedy_is_named_that_does_not_help() -> None:
    x = Value(1.0, "x")
    for node in ((x + 1e-12).exp() - x.exp(), (x + 1e-12).sin() - x.sin()):  # the step itself has four right digits
        sentence = check_rounding(node).sentence
        assert "loses 12" in sentence
        assert "write" not in sentence


Operation = Callable[[Value, Value], Value]
OPERATIONS: list[Operation] = [
    lambda a, b: a * b,
    lambda a, b: a + b,
    lambda a, b: a / b,
    lambda a, b: a.tanh() + b * b,
    lambda a, b: (a * 0.3).exp() / b,
]


def positive_graph(draw: random.Random, count: int, operations: Sequence[Operation] = OPERATIONS) -> list[Value]:
    """The nodes of sums, products and roots of positive numbers, which lose no digits."""
    nodes = [Value(draw.uniform(0.5, 2.0), f"x{place}") for place in range(4)]
    for _ in range(count):
        nodes.append(draw.choice(operations)(*draw.sample(nodes[-6:], 2)) ** 0.5)
    return nodes


@pytest.mark.parametrize("seed", range(60))
def test_a_planted_loss_is_found(seed: int) -> None:
    draw = random.Random(seed)
    digits = draw.randint(4, 14)
    nodes = positive_graph(draw, 12)
    planted = called("planted", (nodes[-1] + 10.0**digits) - 10.0**digits)
    output = planted * draw.choice(nodes)
    for node in nodes[-4:]:
        output = draw.choice(OPERATIONS)(output, node) ** 0.5
    report = check_rounding(called("y", output))
    found = report.values[planted]
    assert found.digits <= 19 - digits  # by chance the float nearest to the sum is one or two digits nearer to it
    assert digits - 4 < found.lost <= digits + 1
    assert "planted = " in report.sentence


def test_nothing_is_found_where_nothing_is_lost() -> None:
    for seed in range(40):
        report = check_rounding(positive_graph(random.Random(seed), 40, OPERATIONS[:2])[-1])  # no gradients cancel
        assert "loses" not in report.sentence
        assert report.digits >= 14


def test_without_mpmath_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpmath", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'stepgrad\[rounding\]'"):
        check_rounding(Value(2.0).exp())


def test_too_few_digits_are_an_error_that_names_the_operation() -> None:
    (x,) = labelled(x=1e-5)
    y = called("y", 1.0 - x.cos())
    with pytest.raises(
        AssertionError, match=r"y has 7 right digits: y = 1 − cos\(x\) loses 9 .* 8 right digits were asked for"
    ):
        check_rounding(y, digits=8)
    assert check_rounding(y, digits=7).digits == 7


def test_the_table_has_the_output_labels_and_gradients() -> None:
    x, w = labelled(x=3.0, w=2.0)
    net = called("net", w * x)
    text = str(check_rounding(called("out", net.tanh() + 1.0)))
    rows = [line.split("  ")[0] for line in text.splitlines()]
    assert rows[:7] == ["", "net = w · x", "out = tanh(net) + 1", "∂out/∂w", "∂out/∂x", "∂out/∂net", ""]
    assert check_rounding(net).ascii.isascii()


def test_a_long_table_has_the_numbers_with_the_fewest_digits() -> None:
    node = Value(0.3, "x")
    for place in range(60):
        node = called(f"y{place}", (node * 1.01 + 0.1).sin())
    lost = called("lost", (node + 1e6) - 1e6)
    text = str(check_rounding(lost * 2.0))
    assert "lost = " in text
    assert " more, with at least " in text
    assert len(text.splitlines()) < 40


def test_received_and_added_errors_make_up_the_error() -> None:
    x, y = labelled(x=0.1, y=0.7)
    node = called("z", (x * y - 0.07).exp() * y)
    for number in (*(report := check_rounding(node)).values.values(), *report.gradients.values()):
        if number.exact:
            error = float(abs(CONTEXT.mpf(number.number) - number.exact) / abs(number.exact))
            assert abs(number.received - number.added) <= error * 1.001 + 1e-30
            assert error <= (number.received + number.added) * 1.001


def test_gradients_are_left_as_they_are() -> None:
    (x,) = labelled(x=2.0)
    y = x * x
    y.backward()
    check_rounding(y)
    assert (x.grad, y.grad) == (4.0, 1.0)


def test_a_diagnosis_mentions_sums_that_cancel() -> None:
    (x,) = labelled(x=1e-5)
    y = called("y", (1.0 - x.cos()) / x**2)
    assert str(diagnose(y, x)).endswith(
        "The terms of v2 = 1 − v1 cancel in six digits or more: check_rounding says how many are right."
    )
    assert "check_rounding" not in str(diagnose(x * x - x, x))
    assert "check_rounding" not in str(diagnose(x - x, x))
    far = Value(1.0 + 1e-9, "far")
    z = far * 1.0 + 1.0 / far  # its contributions are 1 and −1 / far²
    assert "The contributions to far cancel in six digits or more" in str(diagnose(z, far))


def test_wrong_arguments() -> None:
    (x,) = labelled(x=2.0)
    y = x * x
    with pytest.raises(TypeError, match="expected a Value as output"):
        check_rounding(4.0)  # type: ignore[arg-type]  # a wrong one
    with pytest.raises(TypeError, match="digits must be an integer, got '8'"):
        check_rounding(y, digits="8")  # type: ignore[arg-type]  # likewise
    for digits in (0, 17):
        with pytest.raises(ValueError, match=f"digits must be from 1 to 16.* got {digits}"):
            check_rounding(y, digits=digits)
    x.data = 3.0
    with pytest.raises(RuntimeError, match="was assigned another number since: compute the graph again first"):
        check_rounding(y)
