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

from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, overload

from autograd.calculus.checks import wrong_slope
from autograd.floats import as_float
from autograd.primitives import Operators, Primitive, Rule

SAMPLES = (0.37, -0.61, 1.43, -1.9, 2.71, 0.05)  # where a slope is checked, unless other points are given


@overload
def primitive(
    *slopes: Rule,
    name: str | None = None,
    samples: Sequence[Sequence[float]] | None = None,
    check: bool = True,
    plain: str = "",
    latex: str = "",
    domain: str = "",
) -> Callable[[Rule], Primitive]: ...
@overload
def primitive(
    *slopes: Sequence[Rule],
    name: str | None = None,
    samples: Sequence[Sequence[float]] | None = None,
    check: bool = True,
    domain: str = "",
) -> Callable[[Rule], Callable[..., tuple[Any, ...]]]: ...
def primitive(
    *slopes: Rule | Sequence[Rule],
    name: str | None = None,
    samples: Sequence[Sequence[float]] | None = None,
    check: bool = True,
    plain: str = "",
    latex: str = "",
    domain: str = "",
) -> Callable[[Rule], Any]:
    """Turn a function of floats into a primitive, which is used like those of the table.

    >>> @primitive(lambda out, x: 3.0 * x**2)
    ... def cube(x):
    ...     return x**3
    >>> from autograd import grad
    >>> grad(cube)(2.0), grad(grad(cube))(2.0)
    (12.0, 12.0)

    If the slope is meant to differ from the derivative, as for a straight-through or a clipped gradient, pass
    `check=False`:

    >>> @primitive(lambda out, x: 1.0, check=False)
    ... def rounded(x):
    ...     return float(round(x))
    >>> grad(lambda x: rounded(x) ** 2)(1.8)
    4.0

    A function that returns a tuple needs a list of slopes for each result, and `out` is the tuple of all results. The
    function runs once for each point, and each result is a node. These are the roots of t² − s · t + p:

    >>> @primitive(
    ...     [lambda out, s, p: out[0] / (out[0] - out[1]), lambda out, s, p: 1.0 / (out[1] - out[0])],
    ...     [lambda out, s, p: out[1] / (out[1] - out[0]), lambda out, s, p: 1.0 / (out[0] - out[1])],
    ...     samples=[(5.0, 6.0), (1.0, -2.0)],
    ... )
    ... def roots(s, p):
    ...     distance = (s * s - 4.0 * p) ** 0.5
    ...     return (s + distance) / 2.0, (s - distance) / 2.0
    >>> grad(lambda s, p: roots(s, p)[0], argnums=(0, 1))(5.0, 6.0)
    (3.0, -1.0)

    Args:
        slopes: for each operand the rule `slope(out, *operands)`. For higher derivatives and the written form it must
            take numbers of any kind: use operators, and functions from `autograd` instead of `math`. For a function
            with several results, a list of such rules for each result.
        name: its name in drawings and formulas; by default that of the function.
        samples: points, each with a number for each operand, where the slopes are compared with numerical derivatives.
        check: whether to compare them.
        plain: the written form, a template as in the table; by default `name(…)`.
        latex: the same in LaTeX.
        domain: the condition on the operands, in words, for the error that is raised if the function raises ValueError.

    Returns:
        A decorator for a function of floats. It returns the primitive; or, for several results, a function that returns
        a tuple of them.

    Raises:
        TypeError: if there is no slope, or not one for each result and each operand.
        ValueError: if a slope is wrong; the message names the point and both numbers. Or if the function has no value
            at any of the samples.
    """
    if not slopes:
        raise TypeError("a primitive needs a slope for each of its operands, as in @primitive(lambda out, x: …)")
    rows = [list(row) for row in slopes if not callable(row)]
    if rows and (len(rows) < len(slopes) or not rows[0] or len(set(map(len, rows))) > 1 or plain or latex):
        raise TypeError(
            "a primitive with several results needs for each of them a list with a slope for each operand, as in "
            "@primitive([lambda out, x: …], [lambda out, x: …]), and is written by its name, without plain or latex"
        )

    def decorate(function: Rule) -> Any:
        title = name or getattr(function, "__name__", "function").strip("<>")
        if rows:
            made: Any = Results(title, function, rows, domain)
            primitives = made.primitives
        else:
            value = lambda *operands: _number(function(*operands))  # noqa: E731  # it has no name of its own
            rules: Any = slopes
            text = function.__doc__ or ""
            made = Primitive(title, value, *rules, plain=plain, latex=latex, domain=domain, description=text)
            primitives = [made]
        if check:
            count, arity = len(SAMPLES), primitives[0].arity or 0
            usual = [[SAMPLES[(i + index) % count] for index in range(arity)] for i in range(count)]
            for each in primitives:
                _check_slopes(each, usual if samples is None else samples)
        return made

    return decorate


class Results:
    """A function with several results: a primitive for each, of the same operands.

    Attributes:
        primitives: these, in the order of the results.
    """

    def __init__(self, title: str, function: Rule, rows: list[list[Rule]], domain: str) -> None:
        self.function, self.__doc__ = function, function.__doc__
        self._last: tuple[bytes, list[float]] = b"", []  # the operands and the results of the last run
        operands = ", ".join(["{:0}"] * len(rows[0]))
        head = title.replace("_", r"\_")
        self.primitives = [
            Primitive(
                f"{title}[{place}]",
                partial(self._result, place),
                *[partial(self._slope, place, rule) for rule in row],
                plain=f"{title}({operands})[{place}]",
                latex=rf"\operatorname{{{{{head}}}}}_{{{{{place}}}}}\left({operands}\right)",
                domain=domain,
                description=function.__doc__ or "",
            )
            for place, row in enumerate(rows)
        ]

    def __call__(self, *operands: Any) -> tuple[Any, ...]:
        """Return the results: nodes where an operand is a Value, numbers elsewhere."""
        return tuple([primitive(*operands) for primitive in self.primitives])

    def _result(self, place: int, *operands: Any) -> Any:
        if any(isinstance(operand, Operators) for operand in operands):
            return _number(self.function(*operands)[place])
        key, last = array("d", operands).tobytes(), self._last
        if last[0] != key:
            results = [as_float(result) for result in self.function(*operands)]
            if len(results) != len(self.primitives):
                raise TypeError(f"a function with slopes of {len(self.primitives)} results returned {len(results)}")
            self._last = last = key, results
        return last[1][place]

    def _slope(self, place: int, rule: Rule, out: Any, *operands: Any) -> Any:
        results = [out if it == place else primitive(*operands) for it, primitive in enumerate(self.primitives)]
        return rule(tuple(results), *operands)


def _number(result: Any) -> Any:
    """Return the float of what a function returned; a number of another kind, which it was given, as it is."""
    return result if isinstance(result, Operators) else as_float(result)


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
                f"{slope!r}, a numerical derivative {numerical!r}; correct it, or pass check=False if that is intended"
            )
    if not compared:
        raise ValueError(f"{result.name} has no value at any sample point; give points of its domain with samples=[…]")
