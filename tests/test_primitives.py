"""Every primitive of the table against mpmath, over the whole range of floats.

A new primitive is tested here without a new test. Where mpmath has a function of its name, that is the truth; elsewhere
the closed form below is.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import pytest
from mpmath import mpf

from autograd import Value
from autograd.notation import Formula
from autograd.primitives import PRIMITIVES, Primitive
from autograd.value import apply

inf, nan = math.inf, math.nan
LARGEST, SMALLEST = math.nextafter(inf, 0), math.nextafter(0, 1)


@pytest.fixture(autouse=True)
def many_digits() -> Iterator[None]:
    with mpmath.workdps(900):  # enough to see cos(5e-324) change
        yield


def greater(a: Any, b: Any) -> Any:
    return mpf(a > b)


def erfc(x: Any) -> Any:
    return mpmath.erfc(x) if abs(x) < 10000 else mpf(0) if x > 0 else mpf(2)  # mpmath overflows there


CLOSED_FORMS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "strong_multiply": lambda a, b: a * b,
    "select_multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negate": lambda x: -x,
    "stop_gradient": lambda x: x,
    "power": lambda x, y: mpf(1) if y == 0 else mpf(0) if x == 0 and y > 0 else mpmath.power(x, y),
    "atan2": lambda y, x: mpmath.atan2(y, x) if y or x > 0 else nan,  # mpmath has no -0 to tell the cut's sides apart
    "remainder": lambda a, b: a - b * mpmath.floor(a / b),
    "exp2": lambda x: mpmath.power(2, x),
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "log1p": lambda x: mpmath.log(1 + x),
    "expm1": lambda x: mpmath.exp(x) - 1,
    "one_minus_square": lambda x: 1 - x * x,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "erfc": erfc,
    "relu": lambda x: x if x > 0 else mpf(0),
    "leaky_relu": lambda x, a: x if x > 0 else a * x,
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)) if x > -200 else mpmath.exp(x),  # equal to over 80 digits
    "gelu": lambda x: x * erfc(-x / mpmath.sqrt(2)) / 2,
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "abs": lambda x: x if x > 0 else -x,
    "maximum": max,
    "minimum": min,
    "greater": greater,
    "where": lambda condition, a, b: a if condition != 0 else b,
    "sum": lambda *xs: mpmath.fsum(xs),
    "prod": lambda *xs: mpmath.fprod(xs),
    "dot": lambda *xs: mpmath.fdot(xs[: len(xs) // 2], xs[len(xs) // 2 :]),
    "max": lambda *xs: max(xs),
    "min": lambda *xs: min(xs),
}

# The slopes of a primitive whose jumps are too near to each other for a difference, None at a jump; and of the one
# whose slope is not its derivative.
CLOSED_SLOPES: dict[str, Callable[..., Any]] = {
    "remainder": lambda a, b: None if a == b * mpmath.floor(a / b) else (mpf(1), -mpmath.floor(a / b)),
    "stop_gradient": lambda x: (mpf(0),),
}


def truth(primitive: Primitive) -> Callable[..., Any]:
    reference = CLOSED_FORMS.get(primitive.name) or getattr(mpmath, primitive.name, None)
    assert reference, f"mpmath has no function {primitive.name}: state its closed form in CLOSED_FORMS"
    return reference


MAGNITUDES = [
    0.0, SMALLEST, 2.3e-308, 1e-200, 1e-20, 1e-9, 1e-3, 0.1, 0.25, 0.5, 0.7, 0.9999999, math.nextafter(1, 0), 1.0,
    math.nextafter(1, 2), 1.2784645427610738, 1.5, 2.0, 3.0, math.pi, 4.5, 6.0, 7.5, 10.0, 17.25, 20.0, 26.0, 30.0,
    36.7, 37.5, 100.0, 345.6, 700.0, 709.7, 710.4, 745.0, 746.0, 1e4, 1e8, 123456789.125, 1e16, 1e22, 1e100, 1e200,
    LARGEST,
]  # fmt: skip
FEW = [0.0, SMALLEST, 1e-160, 1e-9, 0.3, 0.5, 1.0, 1.75, 2.0, 3.0, 7.0, 100.5, 1e9, 1e160, LARGEST]


def both_signs(magnitudes: list[float]) -> list[float]:
    return [sign * magnitude for magnitude in magnitudes for sign in (1.0, -1.0)]


def points(primitive: Primitive) -> list[tuple[float, ...]]:
    if primitive.arity == 1:
        return [(x,) for x in both_signs(MAGNITUDES)]
    if primitive.arity == 2:
        return list(itertools.product(both_signs(FEW), repeat=2))
    if primitive.arity == 3:
        return list(itertools.product([-1.0, 0.0, 2.0, 1e300], repeat=3))
    return [(2.0,) * 2, (1.5, -2.0, 0.25, 3.0), (0.1, 0.7, 1e-3, 5.0), (3.0, 0.0, 2.0, -7.0), (0.0, 0.0, 1.0, 2.0)]


TABLE = pytest.mark.parametrize("primitive", PRIMITIVES.values(), ids=PRIMITIVES)


def exact(primitive: Primitive, xs: tuple[float, ...]) -> Any:
    """The true value, or None outside the domain and at a pole."""
    try:
        result = truth(primitive)(*map(mpf, xs))
    except (ZeroDivisionError, ValueError):
        return None
    return None if isinstance(result, mpmath.mpc) or not mpmath.isfinite(result) else result


def smooth_points(primitive: Primitive) -> list[tuple[float, ...]]:
    return [xs for xs in points(primitive) if exact(primitive, xs) is not None]


def ordinary_points(primitive: Primitive) -> list[tuple[float, ...]]:
    if primitive.arity is None:
        return [(2.5, 0.75), (0.5, 2.0, -1.5, 0.25)]
    candidates: list[tuple[float, ...]] = [(0.3,), (0.8,), (1.7,), (2.5, 0.75), (1.25, -2.0), (1.0, 2.0, 3.0)]
    return [xs for xs in candidates if len(xs) == primitive.arity and exact(primitive, xs) is not None]


def exact_slope(primitive: Primitive, xs: tuple[float, ...], place: int) -> Any:
    """The true slope by a central difference of 900 digits, or None where the function is not smooth."""
    if primitive.name in CLOSED_SLOPES:
        slopes = CLOSED_SLOPES[primitive.name](*map(mpf, xs))
        return None if slopes is None else slopes[place]
    step = min(abs(mpf(xs[place])) or mpf(SMALLEST), mpf(1)) * mpf(10) ** -40

    def at(offset: Any) -> Any:
        moved = [mpf(x) + (offset if i == place else 0) for i, x in enumerate(xs)]
        return truth(primitive)(*moved)

    try:
        below, here, above = at(-step), at(0), at(step)
    except (ZeroDivisionError, ValueError):
        return None
    if any(isinstance(y, mpmath.mpc) or not mpmath.isfinite(y) for y in (below, here, above)):
        return None
    left, right = (here - below) / step, (above - here) / step
    if abs(left - right) > mpf(10) ** -20 * (abs(left) + abs(right)) or abs(left) > mpf(10) ** 350:
        return None  # a kink or a jump
    return (above - below) / (2 * step)


def exact_second_slope(primitive: Primitive, x: float) -> Any:
    """The true slope of the slope of one operand, by differences; None at a kink or the edge of the domain."""
    found = []
    for size in (1, 2):
        step = min(max(abs(mpf(x)), mpf(10) ** -20), mpf(1)) * mpf(10) ** -60 * size
        try:
            below, here, above = (truth(primitive)(mpf(x) + offset) for offset in (-step, 0, step))
        except (ZeroDivisionError, ValueError):
            return None
        if any(isinstance(y, mpmath.mpc) or not mpmath.isfinite(y) for y in (below, here, above)):
            return None
        found.append((below - 2 * here + above) / step**2)
    return found[0] if abs(found[0] - found[1]) <= mpf(10) ** -20 * abs(found[0]) + mpf(10) ** -400 else None


def units(got: float, true: Any) -> float:
    """How far a float is from the true result, in units in the last place of it."""
    if abs(true) > mpf(LARGEST):
        return 0.0 if got == math.copysign(inf, true) or abs(got) == LARGEST else inf
    if not math.isfinite(got):
        return 0.0 if abs(true) >= mpf(LARGEST) * (1 - mpf(2) ** -50) else inf
    return float(abs(mpf(got) - true) / mpf(math.ulp(float(true))))


# Primitives that cannot keep to 2 units (values) or 8 (slopes) everywhere, and why: the bound at a point, in units.

SMALLEST_NORMAL = 2.0**-1022  # below it, floats have fewer digits


def magnified(x: float) -> float:
    """The square of x is rounded, and exp(-x²) magnifies that by x² itself."""
    return 1.0 + 2.0 * x * x


def absolute(true: Any, size: float = 1.0) -> float:
    """A few roundings of terms of this size, which cancel: in units of what they leave."""
    return 4.0 * math.ulp(size) / math.ulp(float(true))


def subnormal_factor(x: float) -> float:
    """sigmoid(x) has lost digits, and is multiplied by x."""
    return abs(x) if x < -700.0 else 0.0


def hypotenuse_out_of_range(x: float, y: float) -> float:
    return 0.0 if SMALLEST_NORMAL < math.hypot(x, y) < inf else inf


def power_slope_of_base(x: float, y: float) -> float:
    """y - 1 is rounded, and the power magnifies that by log|x|; or the power alone leaves the range of floats."""
    factor = abs(apply(PRIMITIVES["power"], x, y - 1).data) if x else inf
    return abs(math.log(abs(x))) if SMALLEST_NORMAL < factor < inf else inf


VALUE_BOUNDS: dict[str, Callable[..., float]] = {
    "gelu": lambda true, x: 2.0 + magnified(x),
    "silu": lambda true, x: 4.0 + subnormal_factor(x),  # four roundings in a row
}
SLOPE_BOUNDS: dict[str, Callable[..., float]] = {
    "power": lambda true, x, y: 8.0 + power_slope_of_base(x, y),
    "atan2": lambda true, y, x: 8.0 + hypotenuse_out_of_range(x, y),
    "hypot": lambda true, x, y: 8.0 + hypotenuse_out_of_range(x, y),
    "atan": lambda true, x: 8.0 if abs(x) < 1e154 else inf,  # x * x overflows
    "sigmoid": lambda true, x: 8.0 + absolute(true) if x > 1.0 else 8.0,  # formed from out, which is rounded near 1
    "tanh": lambda true, x: 8.0 + absolute(true) if abs(x) > 1.0 else 8.0,  # likewise
    "silu": lambda true, x: 8.0 + subnormal_factor(x) + absolute(true, 0.25),  # a root near -1.28
    "gelu": lambda true, x: 8.0 + magnified(x) + (absolute(true, 0.25) if abs(x) < 1.5 else 0.0),  # near -0.75
    "erf": lambda true, x: 8.0 + magnified(x),
    "erfc": lambda true, x: 8.0 + magnified(x),
}


def failures(bounds: dict[str, Callable[..., float]], usual: float, cases: Any, primitive: Primitive) -> list[Any]:
    def usual_bound(true: Any, *xs: float) -> float:
        return usual

    bound: Callable[..., float] = bounds.get(primitive.name, usual_bound)
    return [
        (xs, got, mpmath.nstr(true, 20), f"{units(got, true):.1f} units")
        for xs, got, true in cases
        if true is not None and not units(got, true) <= bound(true, *xs)
    ]


@TABLE
def test_value_is_the_true_one(primitive: Primitive) -> None:
    cases = [(xs, apply(primitive, *xs).data, exact(primitive, xs)) for xs in smooth_points(primitive)]
    assert len(cases) > 3
    assert not failures(VALUE_BOUNDS, 2.0, cases, primitive)


@TABLE
def test_slopes_are_the_true_ones(primitive: Primitive) -> None:
    cases = [
        (xs, slope, exact_slope(primitive, xs, place))
        for xs in smooth_points(primitive)
        for place, slope in enumerate(apply(primitive, *xs).slopes)
    ]
    smooth = {xs for xs, _, true in cases if true is not None}
    assert all(len({xs[place] for xs in smooth}) > 1 for place in range(primitive.arity or 2)), "nothing was compared"
    assert len(smooth) > 3
    assert not failures(SLOPE_BOUNDS, 8.0, cases, primitive)


@TABLE
def test_slopes_are_recorded_as_a_graph_that_has_slopes_itself(primitive: Primitive) -> None:
    """The rules run on Values: the gradient of each slope is the second derivative."""
    for xs in ordinary_points(primitive):
        operands = [Value(x) for x in xs]
        for place, slope in enumerate(primitive.local_slopes(apply(primitive, *operands), *operands)):
            for operand in operands:
                operand.grad = None
            if isinstance(slope, Value):
                slope.backward()

            def truth_of_slope(x: Any, varied: int, place: int = place, xs: Any = xs) -> Any:
                moved = [x if i == varied else mpf(y) for i, y in enumerate(xs)]
                order = tuple(1 if i == place else 0 for i in range(len(xs)))
                return mpmath.diff(truth(primitive), tuple(moved), order, h=mpf(10) ** -100)

            for varied, operand in enumerate(operands):
                true = mpmath.diff(lambda x: truth_of_slope(x, varied), mpf(xs[varied]), h=mpf(10) ** -50)  # noqa: B023  # called at once
                assert operand.grad == pytest.approx(float(true), rel=1e-12, abs=1e-14), (xs, place, varied)


def textbook(true: Any, x: float) -> float:
    """Of a slope that is formed from a rounded output: an absolute error of a few roundings of terms of 0.25."""
    return 64.0 + absolute(true, 0.25)


SECOND_BOUNDS: dict[str, Callable[..., float]] = {
    "sigmoid": textbook,
    "tanh": textbook,
    "softplus": textbook,  # its slope is sigmoid
    "silu": lambda true, x: 64.0 + subnormal_factor(-abs(x)),
    "gelu": lambda true, x: 64.0 + magnified(x),
}


@pytest.mark.parametrize(
    "name", [name for name, row in PRIMITIVES.items() if row.arity == 1 and name != "stop_gradient"]
)
def test_second_slopes_are_the_true_ones(name: str) -> None:
    """From tiny numbers to large ones: what cancels in a slope that is right may be all of its own slope."""
    primitive = PRIMITIVES[name]
    cases = []
    for x in both_signs([0.0, *(size for size in MAGNITUDES if 1e-20 <= size <= 1e22)]):
        true = exact_second_slope(primitive, x) if exact(primitive, (x,)) is not None else None
        if true is not None:
            operand = Value(x)
            slope = primitive.slopes[0](apply(primitive, operand), operand)
            if isinstance(slope, Value):
                slope.backward()
            cases.append(((x,), operand.grad, true))
    assert len(cases) > 15
    assert not failures(SECOND_BOUNDS, 64.0, cases, primitive)


@pytest.mark.parametrize("x", [0.5, 3.0, 10.0, 30.0, 300.0])
def test_saturated_functions_can_be_written_with_all_digits_of_their_slopes(x: float) -> None:
    """As the table says where it says that the slopes of sigmoid and tanh lose digits."""
    forms: list[tuple[str, float, Callable[[Value], Value]]] = [
        ("sigmoid", x, lambda v: 1.0 - (-v).sigmoid()),
        ("tanh", x, lambda v: 1.0 - 2.0 * (-2.0 * v).sigmoid()),
        ("tanh", -x, lambda v: 2.0 * (2.0 * v).sigmoid() - 1.0),
    ]
    for name, at, form in forms:
        operand = Value(at)
        result = form(operand)
        result.backward()
        assert result.data == pytest.approx(PRIMITIVES[name](at), rel=1e-15)
        assert units(operand.grad, exact_slope(PRIMITIVES[name], (at,), 0)) < 8.0


@pytest.mark.parametrize("operands", [(7.3, 2.0), (-7.3, 2.0), (7.3, -2.0), (-7.3, -0.3), (0.4, 5.0)])
def test_closed_slopes_are_those_of_a_difference(operands: tuple[float, float]) -> None:
    a, b = map(mpf, operands)
    step, of = mpf(10) ** -40, CLOSED_FORMS["remainder"]
    differences = [(of(a + step, b) - of(a - step, b)) / (2 * step), (of(a, b + step) - of(a, b - step)) / (2 * step)]
    assert [float(slope) for slope in CLOSED_SLOPES["remainder"](a, b)] == list(map(float, differences))
    assert list(apply(PRIMITIVES["remainder"], *operands).slopes) == list(map(float, differences))


# Kinks, infinities and nan: the conventions, stated here for each primitive.


@pytest.mark.parametrize(
    ("name", "operands", "slopes"),
    [
        ("relu", (0.0,), (0.0,)), ("relu", (-0.0,), (0.0,)), ("leaky_relu", (0.0, 0.01), (0.01, 0.0)),
        ("abs", (0.0,), (0.0,)), ("abs", (-0.0,), (0.0,)), ("sign", (0.0,), (0.0,)), ("floor", (2.0,), (0.0,)),
        ("ceil", (2.0,), (0.0,)), ("maximum", (3.0, 3.0), (0.5, 0.5)), ("minimum", (3.0, 3.0), (0.5, 0.5)),
        ("maximum", (inf, inf), (0.5, 0.5)), ("maximum", (inf, -inf), (1.0, 0.0)),
        ("where", (1.0, 5.0, 6.0), (0.0, 1.0, 0.0)), ("where", (0.0, 5.0, 6.0), (0.0, 0.0, 1.0)),
        ("sqrt", (0.0,), (inf,)), ("asin", (1.0,), (inf,)), ("acos", (-1.0,), (-inf,)),
        ("power", (0.0, 0.0), (0.0, 0.0)), ("power", (0.0, 1.0), (1.0, 0.0)), ("power", (0.0, 2.0), (0.0, 0.0)),
        ("power", (0.0, 0.5), (inf, 0.0)), ("power", (-2.0, 3.0), (12.0, nan)), ("hypot", (0.0, 0.0), (nan, nan)),
        ("hypot", (3.0, 4.0), (0.6, 0.8)), ("atan2", (0.0, 0.0), (nan, nan)), ("atan2", (-0.0, -1.0), (-1.0, 0.0)),
        ("remainder", (7.0, 2.0), (1.0, -3.0)), ("remainder", (-7.0, 2.0), (1.0, 4.0)),
        ("remainder", (7.0, -2.0), (1.0, 4.0)), ("remainder", (-7.0, -2.0), (1.0, -3.0)),
        ("remainder", (6.0, 2.0), (1.0, -3.0)),  # at a jump: the quotient that the value belongs to
        ("remainder", (-6.0, 2.0), (1.0, 3.0)),
        ("remainder", (1.0, 0.1), (1.0, -9.0)),  # 1.0 / 0.1 is rounded up to 10.0
        ("acosh", (1.0,), (inf,)), ("atanh", (0.0,), (1.0,)), ("prod", (0.0, 0.0, 5.0), (0.0, 0.0, 0.0)),
        ("prod", (0.0, 3.0, 5.0), (15.0, 0.0, 0.0)), ("prod", (7.0,), (1.0,)),
        ("silu", (inf,), (1.0,)), ("silu", (-inf,), (0.0,)), ("gelu", (inf,), (1.0,)), ("gelu", (-inf,), (0.0,)),
    ],
)  # fmt: skip
def test_convention_at_a_kink(name: str, operands: tuple[float, ...], slopes: tuple[float, ...]) -> None:
    assert apply(PRIMITIVES[name], *operands).slopes == pytest.approx(slopes, rel=0, abs=0, nan_ok=True)


@pytest.mark.parametrize(
    ("name", "operands", "value"),
    [
        ("exp", (1000.0,), inf), ("exp", (inf,), inf), ("exp", (-inf,), 0.0), ("exp", (-1000.0,), 0.0),
        ("expm1", (1000.0,), inf), ("expm1", (-inf,), -1.0),
        ("sinh", (-1000.0,), -inf), ("sinh", (1000.0,), inf), ("cosh", (-1000.0,), inf), ("tanh", (-inf,), -1.0),
        ("log2", (8.0,), 3.0), ("log10", (1000.0,), 3.0), ("log2", (inf,), inf), ("log10", (inf,), inf),
        ("exp2", (10.0,), 1024.0), ("exp2", (-1074.0,), SMALLEST), ("exp2", (1024.0,), inf), ("exp2", (-inf,), 0.0),
        ("asinh", (-inf,), -inf), ("acosh", (inf,), inf), ("acosh", (1.0,), 0.0),
        ("remainder", (5.5, 2.0), 1.5), ("remainder", (-5.5, 2.0), 0.5), ("remainder", (5.5, -2.0), -0.5),
        ("remainder", (-5.5, -2.0), -1.5), ("remainder", (5.5, inf), 5.5), ("remainder", (-5.5, inf), inf),
        ("remainder", (inf, 2.0), nan), ("remainder", (1e300, 7.0), float(int(1e300) % 7)),
        ("log", (inf,), inf), ("log1p", (inf,), inf), ("sqrt", (inf,), inf), ("atan", (-inf,), -math.pi / 2),
        ("sigmoid", (-1000.0,), 0.0), ("sigmoid", (1000.0,), 1.0), ("sigmoid", (-inf,), 0.0), ("sigmoid", (inf,), 1.0),
        ("softplus", (1000.0,), 1000.0), ("softplus", (-inf,), 0.0), ("softplus", (inf,), inf),
        ("relu", (-inf,), 0.0), ("relu", (inf,), inf), ("leaky_relu", (-inf, 0.5), -inf),
        ("erf", (inf,), 1.0), ("erfc", (inf,), 0.0), ("erfc", (-inf,), 2.0), ("abs", (-inf,), inf),
        ("sign", (-inf,), -1.0), ("sign", (inf,), 1.0), ("floor", (-inf,), -inf), ("ceil", (inf,), inf),
        ("floor", (1e300,), 1e300), ("hypot", (inf, nan), inf), ("hypot", (1e308, 1e308), math.sqrt(2) * 1e308),
        ("power", (-10.0, 309.0), -inf), ("power", (-10.0, 310.0), inf), ("power", (10.0, 400.0), inf),
        ("power", (nan, 0.0), 1.0), ("power", (1.0, nan), 1.0), ("power", (inf, -1.0), 0.0), ("power", (0.5, inf), 0.0),
        ("silu", (-inf,), 0.0), ("silu", (inf,), inf), ("gelu", (-inf,), 0.0), ("gelu", (inf,), inf),
        ("multiply", (1e308, 10.0), inf), ("multiply", (0.0, inf), nan), ("add", (inf, -inf), nan),
        ("maximum", (nan, 1.0), nan), ("maximum", (1.0, nan), nan), ("minimum", (nan, 1.0), nan),
        ("minimum", (1.0, nan), nan), ("where", (nan, 1.0, 2.0), 1.0), ("where", (0.0, nan, 2.0), 2.0),
        ("atan2", (0.0, -0.0), math.pi), ("atan2", (-0.0, -0.0), -math.pi), ("atan2", (inf, inf), math.pi / 4),
    ],
)  # fmt: skip
def test_value_beyond_the_ordinary(name: str, operands: tuple[float, ...], value: float) -> None:
    assert apply(PRIMITIVES[name], *operands).data == pytest.approx(value, rel=2e-16, nan_ok=True)


@pytest.mark.parametrize(
    "name",
    [
        *("floor", "ceil", "sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh"),
        *("sqrt", "sign", "erf", "expm1", "log1p", "silu"),
    ],
)
def test_sign_of_zero_is_kept(name: str) -> None:
    assert math.copysign(1.0, apply(PRIMITIVES[name], -0.0).data) == -1.0


@pytest.mark.parametrize("name", ["silu", "gelu"])
def test_the_limit_is_a_negative_zero(name: str) -> None:
    assert math.copysign(1.0, apply(PRIMITIVES[name], -inf).data) == -1.0


@pytest.mark.parametrize("name", [name for name, row in PRIMITIVES.items() if row.arity == 1])
def test_nan_in_nan_out(name: str) -> None:
    assert math.isnan(apply(PRIMITIVES[name], nan).data)


# Domains.


@pytest.mark.parametrize(
    ("name", "operands", "error", "limit"),
    [
        ("log", (-0.5,), ValueError, nan), ("log", (0.0,), ValueError, -inf), ("log", (-inf,), ValueError, nan),
        ("log1p", (-1.0,), ValueError, -inf), ("log1p", (-1.5,), ValueError, nan),
        ("sqrt", (-SMALLEST,), ValueError, nan), ("asin", (1.0000000000000002,), ValueError, nan),
        ("acos", (-2.0,), ValueError, nan), ("sin", (inf,), ValueError, nan), ("cos", (-inf,), ValueError, nan),
        ("tan", (inf,), ValueError, nan), ("log2", (0.0,), ValueError, -inf), ("log2", (-0.5,), ValueError, nan),
        ("log10", (0.0,), ValueError, -inf), ("log10", (-0.5,), ValueError, nan),
        ("acosh", (0.9999999999999999,), ValueError, nan), ("atanh", (1.0,), ValueError, inf),
        ("atanh", (-1.0,), ValueError, -inf), ("atanh", (1.5,), ValueError, nan),
        ("remainder", (1.0, 0.0), ZeroDivisionError, nan), ("remainder", (1.0, -0.0), ZeroDivisionError, nan),
        ("divide", (1.0, 0.0), ZeroDivisionError, inf), ("power", (-0.0, -3.0), ValueError, -inf),
        ("power", (-0.0, -0.9999999999999999), ValueError, inf), ("divide", (1.0, -0.0), ZeroDivisionError, -inf),
        ("divide", (0.0, 0.0), ZeroDivisionError, nan), ("power", (0.0, -1.0), ValueError, inf),
        ("power", (-8.0, 1 / 3), ValueError, nan),
    ],
)  # fmt: skip
def test_outside_the_domain(name: str, operands: tuple[float, ...], error: type[Exception], limit: float) -> None:
    """A Value refuses, and says what was given and what is needed; a primitive called with floats follows IEEE 754."""
    primitive = PRIMITIVES[name]
    with pytest.raises(error) as refusal:
        apply(primitive, *[Value(x, label="p") for x in operands])
    for text in (*map(repr, operands), "(node 'p')", f"{name} needs {primitive.domain}"):
        assert text in str(refusal.value)
    assert primitive(*operands) == pytest.approx(limit, nan_ok=True)


def test_outside_the_domain_reads_as_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^cannot take log of -0.5 \(node 'p'\): log needs a positive input$"):
        Value(-0.5, label="p").log()
    with pytest.raises(ZeroDivisionError, match=r"^cannot divide 1.0 by 0.0 \(node 'q'\): divide needs a divisor"):
        1 / Value(0, label="q")


# The written forms.


def evaluated(text: str, names: dict[str, Any]) -> float:
    functions = {name: lambda *xs, row=row: row(*map(float, xs)) for name, row in PRIMITIVES.items()}
    return float(eval(text.replace("·", "*").replace("−", "-"), {**functions, "inf": inf, "nan": nan}, names))


@TABLE
def test_plain_text_evaluates_to_the_same_number(primitive: Primitive) -> None:
    """Of the value and of every slope, with operands whose own forms bind loosely and tightly."""
    for xs in ordinary_points(primitive):
        names = dict(zip("abcd", xs, strict=False))
        leaves = [Formula(name) for name in names]
        value = primitive(*leaves)
        out = primitive(*xs)
        assert evaluated(value.plain, names) == out
        for formula, slope in zip(
            primitive.local_slopes(Formula("out"), *leaves), primitive.local_slopes(out, *xs), strict=True
        ):
            assert evaluated(Formula.of(formula).plain, {**names, "out": out}) == slope
        nested = [-(leaf * leaf) + 2.0 * leaf - leaf / 3.0 for leaf in leaves]  # and where operands need brackets
        inner = [-(x * x) + 2.0 * x - x / 3.0 for x in xs]
        if exact(primitive, tuple(inner)) is not None:
            assert evaluated(primitive(*nested).plain, names) == primitive(*inner)


@TABLE
def test_latex_is_balanced(primitive: Primitive) -> None:
    leaves = [Formula("a_1") - 1.5e-7, Formula("b") ** -2.0, -Formula("c")][: primitive.arity or 2]
    for formula in [primitive(*leaves), *map(Formula.of, primitive.local_slopes(Formula("out"), *leaves))]:
        text = formula.latex
        assert text.count("{") == text.count("}")
        assert len(re.findall(r"\\left(?![a-z])", text)) == len(re.findall(r"\\right(?![a-z])", text))
        assert not re.search("{:|−|·", text)
