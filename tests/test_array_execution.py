"""The rules of the table on arrays: the numbers of the rules on floats."""

import itertools
import math
import random
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograd.calculus.custom_primitives import primitive
from autograd.primitives import PRIMITIVES, Primitive
from autograd.programs.array_rules import ArrayNumber, Arrays

inf, nan = math.inf, math.nan
ARRAYS = Arrays(np)
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e-300, -5e-324, 1e300, -750.0, 710.0, inf, -inf, nan)
# Units in the last place by which NumPy's results may differ; none where only arithmetic and choices are used.
# NumPy's documentation states 4 for its vectors of sin, cos and others.
EXACT = {
    *("add", "subtract", "multiply", "divide", "negate", "remainder", "greater", "where", "maximum", "minimum"),
    *(
        "stop_gradient",
        "abs",
        "sign",
        "floor",
        "ceil",
        "sqrt",
        "erf",
        "erfc",
        "relu",
        "leaky_relu",
        "sum",
        "prod",
        "dot",
    ),
}
MOST_UNITS = 4.0
MORE_UNITS = {"sigmoid": 8.0, "softplus": 8.0, "silu": 8.0, "gelu": 8.0}  # of several functions


def points(row: Primitive) -> list[tuple[float, ...]]:
    rng = random.Random(row.name)
    arity = row.arity or 4
    found = list(itertools.product(SPECIAL, repeat=arity)) if arity <= 2 else []
    for _ in range(2000):
        scale = 10.0 ** rng.uniform(-3, 3)
        found.append(tuple([rng.choice((rng.uniform(-scale, scale), rng.choice(SPECIAL))) for _ in range(arity)]))
    return found


def units(given: float, wanted: float) -> float:
    if given == wanted or (given != given and wanted != wanted):
        return 0.0
    if not (math.isfinite(given) and math.isfinite(wanted)):
        return inf
    return abs(given - wanted) / math.ulp(wanted)


@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=list(PRIMITIVES))
def test_values_are_those_of_floats(row: Primitive) -> None:
    operands = points(row)
    columns = [np.array(column) for column in zip(*operands, strict=True)]
    given = np.broadcast_to(ARRAYS.compute(row, *columns), len(operands)).tolist()
    bound = 0.0 if row.name in EXACT else MORE_UNITS.get(row.name, MOST_UNITS)
    wrong = []
    for numbers, result in zip(operands, given, strict=True):
        wanted = row(*numbers)
        signs_agree = bound > 0.0 or wanted != 0.0 or math.copysign(1.0, wanted) == math.copysign(1.0, result)
        if units(result, wanted) > bound or not signs_agree:
            wrong.append((numbers, result, wanted))
    assert not wrong


@pytest.mark.parametrize("row", PRIMITIVES.values(), ids=list(PRIMITIVES))
def test_slopes_run_on_arrays_too(row: Primitive) -> None:
    rng = random.Random(row.name)
    operands = [tuple([rng.uniform(0.1, 0.9) for _ in range(row.arity or 4)]) for _ in range(50)]
    if row.name == "acosh":
        operands = [(1.0 + x,) for (x,) in operands]
    outs = [row(*numbers) for numbers in operands]
    columns = [np.array(column) for column in zip(*operands, strict=True)]
    for place in range(row.arity or 4):
        slopes = ARRAYS.compute(lambda out, *xs, i=place: row.local_slopes(out, *xs)[i], np.array(outs), *columns)
        wanted = [row.local_slopes(out, *numbers)[place] for out, numbers in zip(outs, operands, strict=True)]
        assert np.broadcast_to(slopes, len(outs)).tolist() == pytest.approx(wanted, rel=1e-13, abs=1e-15)


def test_plain_numbers_stand_beside_arrays() -> None:
    x = np.array([[-1.0, 2.0], [3.0, nan]])
    assert ARRAYS.compute(PRIMITIVES["maximum"], x, 0.5).tolist()[0] == [0.5, 2.0]
    assert ARRAYS.compute(lambda x: 2.0 ** abs(-x) % 3.0 - 1.0, x).tolist()[0] == [1.0, 0.0]
    assert ARRAYS.compute(lambda x: 1.0, x) == 1.0
    assert math.isnan(ARRAYS.compute(PRIMITIVES["maximum"], x, 0.5)[1, 1])
    assert ARRAYS.compute(PRIMITIVES["hypot"], x[:1], np.zeros((3, 1))).shape == (3, 2)


def test_infinities_come_without_warnings() -> None:
    zeros = np.zeros(2)
    assert ARRAYS.compute(PRIMITIVES["divide"], 1.0, zeros).tolist() == [inf, inf]
    assert ARRAYS.compute(PRIMITIVES["log"], zeros).tolist() == [-inf, -inf]
    assert ARRAYS.compute(PRIMITIVES["exp"], zeros + 1000.0).tolist() == [inf, inf]
    assert np.isnan(ARRAYS.compute(PRIMITIVES["sqrt"], zeros - 1.0)).all()


def test_a_primitive_of_one_s_own_is_called_with_each_element() -> None:
    @primitive(lambda out, x: 2.0 * x, name="exp")  # whose name does not matter
    def square(x: float) -> float:
        assert type(x) is float
        return x * x

    assert ARRAYS.compute(square, np.array([[1.0], [3.0]])).tolist() == [[1.0], [9.0]]


def other_module() -> ModuleType:
    """A module with the interface of NumPy."""
    module = ModuleType("other")
    module.__dict__.update({name: it for name, it in vars(np).items() if not name.startswith("__")})
    return module


def test_another_module_needs_no_more_than_its_own_functions() -> None:
    arrays = Arrays(other_module())
    x = np.array([0.25, 0.5])
    assert arrays.compute(PRIMITIVES["sigmoid"], x).tolist() == ARRAYS.compute(PRIMITIVES["sigmoid"], x).tolist()
    with pytest.raises(TypeError):
        arrays.compute(PRIMITIVES["erf"], x)
    other: Any = Arrays(other_module(), erf=np.sqrt, erfc=np.square)
    assert other.compute(PRIMITIVES["erf"], x).tolist() == np.sqrt(x).tolist()
    assert other.compute(PRIMITIVES["gelu"], x).shape == (2,)
    unknown = Primitive("unknown", math.sin, lambda out, x: 1.0)
    with pytest.raises(TypeError, match="only Python knows its function, which other cannot run"):
        arrays.compute(unknown, x)


def test_an_array_number_keeps_its_array() -> None:
    number = ArrayNumber(ARRAYS, np.ones(2))
    assert (-number + 3.0).array.tolist() == [2.0, 2.0]


def test_one_element_is_computed_as_many_are() -> None:
    """What tests of the runners rely on."""
    rng = random.Random(1)
    for row in PRIMITIVES.values():
        columns = [np.array([rng.uniform(-3, 3) for _ in range(40)]) for _ in range(row.arity or 2)]
        many = np.broadcast_to(ARRAYS.compute(row, *columns), 40)
        one = [float(ARRAYS.compute(row, *[column[i : i + 1] for column in columns])[0]) for i in range(40)]
        assert np.array_equal(many, one, equal_nan=True), row
        for place in range(len(columns) if len(columns) > 1 else 0):  # one number for all in its place
            shared = [column[:1] if i == place else column for i, column in enumerate(columns)]
            full = [np.repeat(column, 40) if len(column) == 1 else column for column in shared]
            given, wanted = (np.broadcast_to(ARRAYS.compute(row, *each), 40) for each in (shared, full))
            assert np.array_equal(given, wanted, equal_nan=True), row


@pytest.mark.parametrize("exponent", [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0])
def test_powers_with_one_exponent_for_all_are_those_of_floats(exponent: float) -> None:
    """NumPy has short cuts for some exponents, of which one has other infinities."""
    rng = random.Random(exponent)
    bases = [*SPECIAL, *[rng.uniform(0.0, 100.0) for _ in range(500)]]
    for shape in ((), (1,)):
        given = ARRAYS.compute(PRIMITIVES["power"], np.array(bases), np.full(shape, exponent)).tolist()
        wanted = [PRIMITIVES["power"](base, exponent) for base in bases]
        assert max(map(units, given, wanted)) <= 1.0
        assert [math.copysign(1.0, x) for x in given if x == 0.0] == [math.copysign(1.0, x) for x in wanted if x == 0.0]
