"""Primitives of your own: a function and its slopes, checked when they are defined.

>>> from autograd import cos, grad
>>> import math
>>> @primitive(lambda out, x: 2.0 * x * cos(x * x))
... def chirp(x):
...     return math.sin(x * x)
>>> grad(chirp)(0.5) == math.cos(0.25)
True
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.calculus.checks import wrong_slope
from autograd.floats import as_float
from autograd.primitives import Primitive, Rule

SAMPLES = (0.37, -0.61, 1.43, -1.9, 2.71, 0.05)  # where a slope is checked, unless other points are given


def primitive(
    *slopes: Rule,
    name: str | None = None,
    samples: Sequence[Sequence[float]] | None = None,
    check: bool = True,
    plain: str = "",
    latex: str = "",
    domain: str = "",
) -> Callable[[Rule], Primitive]:
    """Make a function of floats a primitive, to be used like those of the table.

    >>> @primitive(lambda out, x: 3.0 * x**2)
    ... def cube(x):
    ...     return x**3
    >>> from autograd import grad
    >>> grad(cube)(2.0), grad(grad(cube))(2.0)
    (12.0, 12.0)

    A function whose slope is meant to be another one, such as a straight-through or a clipped gradient, is made with
    `check=False`:

    >>> @primitive(lambda out, x: 1.0, check=False)
    ... def rounded(x):
    ...     return float(round(x))
    >>> grad(lambda x: rounded(x) ** 2)(1.8)
    4.0

    Args:
        slopes: for each operand the rule `slope(out, *operands)`. For higher derivatives and the written form it must
            take numbers of any kind: use operators, and functions from `autograd` rather than `math`.
        name: how it is called in drawings and formulas; the function's own name when not given.
        samples: points, each with a number for each operand, where the slopes are compared with numerical derivatives.
        check: whether to compare them.
        plain: the written form, a template as in the table; `name(…)` when not given.
        latex: the same in LaTeX.
        domain: what the operands must satisfy, in words, for the error when the function raises a ValueError.

    Returns:
        A decorator for a function of floats.

    Raises:
        TypeError: if there is no slope.
        ValueError: if a slope is wrong; the message names the point and both numbers. Or if the function has a value at
            none of the samples.
    """
    if not slopes:
        raise TypeError("a primitive needs a slope for each of its operands, as in @primitive(lambda out, x: …)")

    def decorate(function: Rule) -> Primitive:
        title = name or getattr(function, "__name__", "function").strip("<>")
        result = Primitive(
            title,
            lambda *operands: as_float(function(*operands)),
            *slopes,
            plain=plain,
            latex=latex,
            domain=domain,
            description=function.__doc__ or "",
        )
        if check:
            count = len(SAMPLES)
            usual = [[SAMPLES[(i + index) % count] for index in range(len(slopes))] for i in range(count)]
            _check_slopes(result, usual if samples is None else samples)
        return result

    return decorate


def _check_slopes(result: Primitive, samples: Sequence[Sequence[float]]) -> None:
    compared = 0
    for point in samples:
        wrong = wrong_slope(result, [as_float(x) for x in point])
        if wrong is None:
            continue
        compared += 1
        if wrong:
            index, slope, numerical = wrong
            at = ", ".join(map(repr, point))
            raise ValueError(
                f"the slope of {result.name} with respect to operand {index} is wrong: at {at} the rule gives "
                f"{slope!r}, a numerical derivative {numerical!r}; correct it, or say check=False if that is intended"
            )
    if not compared:
        raise ValueError(f"{result.name} has no value at any sample point; give points of its domain with samples=[…]")
