r"""The table of primitives: every function that can be differentiated, one entry each.

An entry states a function once: its value, its slopes (the partial derivative with respect to each operand, as a rule
of the output and the operands), and how it is written down. The rules are branch-free expressions over anything that
behaves like a number, so the same entry serves every kind of number:

>>> sigmoid(0.0)                                        # a float: its value
0.5
>>> from autograd.notation import Formula
>>> x = Formula("x")                                    # a formula: how it is written
>>> print(sigmoid(x).plain, "has the slope", sigmoid.slopes[0](Formula("out"), x).plain)
sigmoid(x) has the slope out · (1 − out)

Nothing else in the project states a derivative. To add a primitive, add an entry here and an operator or method
in `value.py`. The tests find the entry by themselves.

It has more than 500 lines because every primitive stands here, with the reason for each of its conventions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from math import inf, nan
from typing import TYPE_CHECKING, Any, overload

from autograd import floats
from autograd.hooks import hooks

if TYPE_CHECKING:
    from autograd.value import Value

Rule = Callable[..., Any]  # numbers of one kind in, a number of the same kind out

SUM, NEGATION, PRODUCT, POWER, ATOM = range(1, 6)  # how tightly a form binds; a template asks for a level by "{:2}"


class _Documentation:
    """The attribute `__doc__` of primitives: of the class its own text, of a primitive what it computes."""

    def __init__(self, text: str | None) -> None:
        self.text = text

    def __get__(self, primitive: Primitive | None, kind: type) -> str | None:
        return self.text if primitive is None else hooks.described(primitive)


class Primitive:
    """One entry of the table: a function, its slopes, how it is written, and what is known about it.

    Attributes:
        name: the name of the primitive, a key of `PRIMITIVES`.
        value: the function. On floats it may raise, as Python's own functions do.
        slopes: for each operand, the rule `slope(out, *operands)`; empty for a primitive of any number of operands.
        arity: how many operands the primitive takes; None for any number.
        all_slopes: of a primitive of any number of operands, one rule `all_slopes(out, *operands)` for every slope.
        limit: what IEEE 754 says of floats for which `value` raises.
        symbol: a few characters for drawings.
        plain, latex: templates of the written forms; None where the expression that `value` computes is written.
        binds: how tightly the written form binds.
        domain: what the operands must satisfy, in words.
        action: what the primitive does to its operands, in words, for error messages.
        when_flat: why a slope is zero or tiny, a template, or one for each operand: of {name}, the operands {0}, {1}, …
            and {out} by their numbers, and of {operand}, the one in question by its name. A template of {factor} says
            that it is multiplied by the others, or, of two lists, by its partner in the other list.
        when_steep: likewise why a slope is huge or infinite. {tiny} stands for ", which is tiny" unless it is infinite.
        neutral: for each of two operands the number that leaves the other one as it is, or None.
        is_exact: whether formulas carry the operation out on plain numbers, as 2 − 1 is 1.
        is_sum: whether the operands are terms, which explanations treat one by one.
        lists: of a primitive of any number of operands, of how many lists of one length the operands are.
        selects: for each operand whether a slope of 0 means that it was not chosen, so that nothing passes to it; one
            entry for all, of a primitive of any number of operands.
        description: what it computes, in words; empty where a method of `Value` says so.
        index: the index in the table, from 1; 0 for a primitive that is not in the table.
    """

    __slots__ = (
        "name", "value", "slopes", "all_slopes", "arity", "limit", "symbol", "plain", "latex", "binds", "domain",
        "action", "when_flat", "when_steep", "neutral", "is_exact", "is_sum", "lists", "selects", "description",
        "index",
    )  # fmt: skip
    __doc__ = _Documentation(__doc__)

    def __init__(
        self,
        name: str,
        value: Rule,
        *slopes: Rule,
        all_slopes: Rule | None = None,
        limit: Rule = lambda *operands: nan,
        symbol: str = "",
        plain: str | None = "",
        latex: str | None = "",
        binds: int = ATOM,
        domain: str = "",
        action: str = "",
        when_flat: str | tuple[str, ...] = "",
        when_steep: str = "",
        neutral: tuple[float | None, float | None] = (None, None),
        is_exact: bool = False,
        is_sum: bool = False,
        lists: int = 1,
        selects: bool | tuple[bool, ...] = False,
        description: str = "",
    ) -> None:
        operands = ", ".join(["{:0}"] * len(slopes))
        self.name, self.value, self.limit = name, value, limit
        self.slopes, self.all_slopes, self.arity = slopes, all_slopes, len(slopes) or None
        self.symbol, self.binds = symbol or name, binds
        self.plain = f"{name}({operands})" if plain == "" else plain
        if latex is not None and not ("{:" in latex or "{0:" in latex):  # the name of a function, not a template
            head = latex or r"\operatorname{" + name.replace("_", r"\_") + "}"
            latex = head.replace("{", "{{").replace("}", "}}") + rf"\left({operands}\right)"
        self.latex = latex
        self.domain, self.action = domain, action or f"take {name} of {{}}"
        self.when_flat, self.when_steep = when_flat, when_steep
        self.neutral, self.is_exact, self.is_sum, self.lists = neutral, is_exact, is_sum, lists
        self.selects = selects if isinstance(selects, tuple) else (selects,) * max(len(slopes), 1)
        self.description, self.index = description, 0

    @overload
    def __call__(self, *operands: float) -> float: ...  # type: ignore[overload-overlap]  # floats are no Values
    @overload
    def __call__(self, *operands: Value | float) -> Value: ...
    @overload
    def __call__(self, *operands: Any) -> Any: ...
    def __call__(self, *operands: Any) -> Any:
        """Apply the primitive to numbers of any kind.

        Plain numbers give a float by the rules of IEEE 754: infinite at a pole, nan outside the domain, no exception.
        Another kind of number defines what applying means by a static method `apply_primitive(primitive, *operands)`;
        a `Value` records a node. Arrays map element by element.
        """
        for operand in operands:
            if type(operand) is not float:
                return self._apply(operands)
        try:
            return self.value(*operands)
        except (ValueError, ArithmeticError):
            return self.limit(*operands)

    def _apply(self, operands: tuple[Any, ...]) -> Any:
        for operand in operands:
            apply = getattr(type(operand), "apply_primitive", None)
            if apply is not None:
                return apply(self, *operands)
        for operand in operands:
            if getattr(operand, "shape", None):
                return hooks.over_arrays(self, *operands)
        return self(*map(floats.as_operand, operands))

    def takes(self, count: int) -> bool:
        """Return whether the primitive can be applied to so many operands."""
        return count == self.arity if self.arity is not None else count > 0 and count % self.lists == 0

    def local_slopes(self, out: Any, *operands: Any) -> tuple[Any, ...]:
        """Return the slope with respect to each operand, at an output and its operands."""
        if self.all_slopes is None:
            return tuple([slope(out, *operands) for slope in self.slopes])
        slopes = tuple(self.all_slopes(out, *operands))
        if len(slopes) != len(operands):
            raise ValueError(
                f"{self!r} gives {len(slopes)} slopes for {len(operands)} operands; its rule must give one for each"
            )
        return slopes

    def some_slopes(self, indices: Sequence[int], out: Any, *operands: Any) -> list[Any]:
        """Return the slopes with respect to the operands with these indices; separate rules of others are not run."""
        slopes = self.local_slopes(out, *operands) if self.all_slopes is not None else None
        return [self.slopes[i](out, *operands) if slopes is None else slopes[i] for i in indices]

    def guard(self, which: int) -> Primitive:
        """Return the product of a gradient and the slope by an operand, to be used where the plain product is nan.

        A gradient of 0 contributes 0, also through a slope that is infinite or nan: a branch that is not chosen counts
        nothing, whatever it computes. A slope of 0 contributes 0 if this primitive selects, as `where` and `relu` do.
        Any other slope of 0 multiplies plainly: x³ has the slope 0 at 0, but (x³)^⅓ has the derivative 1 there, not 0.
        Everything that accumulates gradients or tangents follows this rule.
        """
        return select_multiply if self.does_select(which) else strong_multiply

    def does_select(self, which: int) -> bool:
        """Return whether a slope of 0 by an operand means that the operand was not chosen."""
        return bool(self.selects[which if self.arity else 0])

    def refusal(self, *operands: str) -> str:
        """Return the message that the primitive has no value at these operands (given as text)."""
        return f"cannot {self.action.format(*operands)}: {self.name} needs {self.domain}"

    def __deepcopy__(self, memo: object) -> Primitive:
        return self  # a copied graph is made of the same primitives

    def __reduce__(self) -> Any:
        if not self.index:
            raise TypeError(
                f"cannot pickle {self!r}, which is not in the table of primitives, nor a graph that it is part of; "
                f"pickle the numbers of the graph's leaves, and compute the graph again"
            )
        return _from_table, (self.name,)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


class Operators:
    """The arithmetic that rules may use on a kind of number: each operator calls `apply_primitive`."""

    __slots__ = ()
    apply_primitive: Rule

    # fmt: off
    def __add__(self, other: Any) -> Any: return add(self, other)
    def __radd__(self, other: Any) -> Any: return add(other, self)
    def __sub__(self, other: Any) -> Any: return subtract(self, other)
    def __rsub__(self, other: Any) -> Any: return subtract(other, self)
    def __mul__(self, other: Any) -> Any: return multiply(self, other)
    def __rmul__(self, other: Any) -> Any: return multiply(other, self)
    def __truediv__(self, other: Any) -> Any: return divide(self, other)
    def __rtruediv__(self, other: Any) -> Any: return divide(other, self)
    def __pow__(self, other: Any) -> Any: return power(self, other)
    def __rpow__(self, other: Any) -> Any: return power(other, self)
    def __mod__(self, other: Any) -> Any: return remainder(self, other)
    def __rmod__(self, other: Any) -> Any: return remainder(other, self)
    def __neg__(self) -> Any: return negate(self)
    def __abs__(self) -> Any: return absolute(self)
    # fmt: on


def _choose(condition: Any, a: Any, b: Any) -> Any:
    """Apply `where`; but a condition that is a float chooses at once, so the other branch is not recorded."""
    return floats.chosen(condition, a, b) if type(condition) is float else where(condition, a, b)


def _raised(x: Any, y: Any) -> Any:
    """Apply `power`; but x ** 1 and x ** 0 of a float exponent are x and 1, so nothing is recorded."""
    return (x if y else 1.0) if type(y) is float and y in (0.0, 1.0) else power(x, y)


def _shares(are_chosen: Sequence[Any]) -> list[Any]:
    """Return the slopes of a choice among many: 1, shared equally by those that are chosen."""
    share = divide(1.0, summation(*are_chosen))
    return [is_chosen * share for is_chosen in are_chosen]


def _counted(x: Any, factor: Any) -> Any:
    """Return x as it counts in a product with this factor: 0 if the factor is 0 and x is not finite."""
    return where(factor, x, where(x - x, 0.0, x))


# Why a slope is tiny or huge, in words that several primitives share.
FLAT = "{name} is a step function, flat between its steps"
SATURATED = "its input is {0}, where {name} is saturated (its output is {out})"
CHOICE = "{operand} was not chosen"
FACTOR = "{operand} is multiplied by {factor}"
POLE = "its input is {0}{tiny}"
POWER_OF = "its base is {0} and its exponent {1}"

# The table. The convention at a kink stands beside the rule, and follows PyTorch.
# A rule divides by what may be zero with `divide(…)`, which is infinite there, and by anything else with `/`.
# fmt: off

# Arithmetic.

add = Primitive("add", operator.add,
    lambda out, a, b: 1.0, lambda out, a, b: 1.0,
    symbol="+", plain="{:1} + {:3}", latex="{:1} + {:3}", binds=SUM, neutral=(0.0, 0.0), is_exact=True, is_sum=True)

subtract = Primitive("subtract", operator.sub,
    lambda out, a, b: 1.0, lambda out, a, b: -1.0,
    symbol="−", plain="{:1} − {:3}", latex="{:1} - {:3}", binds=SUM, neutral=(None, 0.0), is_exact=True)

multiply = Primitive("multiply", operator.mul,
    lambda out, a, b: b,
    lambda out, a, b: a,
    symbol="×", plain="{:2} · {:4}", latex=r"{:2} \cdot {:4}", binds=PRODUCT,
    when_flat=FACTOR, when_steep=FACTOR, neutral=(1.0, 1.0), is_exact=True)

divide: Primitive = Primitive("divide", operator.truediv,
    lambda out, a, b: divide(1.0, b),
    lambda out, a, b: divide(-out, b),
    limit=lambda a, b: a * math.copysign(inf, b),
    symbol="÷", plain="{:2} / {:4}", latex=r"\frac{{{:0}}}{{{:0}}}", binds=PRODUCT,
    domain="a divisor other than 0", action="divide {} by {}",
    when_flat="it divides {0} by {1}", when_steep="it divides by {1}{tiny}", neutral=(None, 1.0))

negate = Primitive("negate", operator.neg,
    lambda out, x: -1.0,
    symbol="−", plain="−{:3}", latex="-{:3}", binds=NEGATION, is_exact=True)

# The sign is that of b, as with Python's `%`. It jumps where b divides a; the slopes there are those of the side that
# the value is on. The slope of b is -floor(a / b), formed from out: a / b alone may be rounded up to an integer.
remainder = Primitive("remainder", operator.mod,
    lambda out, a, b: 1.0,
    lambda out, a, b: -floor(divide(a - out, b) + 0.5),
    symbol="%", plain="{:4} % {:4}", latex=r"{:4} \bmod {:4}", binds=SUM,
    selects=True, domain="a divisor other than 0", action="take the remainder of {} divided by {}",
    when_flat="the divisor {1} does not fit into {0}", when_steep="the divisor {1} fits into {0} very often")

# slope of x: 0 at 0 ** 0, its sign is lost for x < 0 and y > 2**53; slope of y: 0 for x = 0, nan for x < 0
power: Primitive = Primitive("power", floats.power_of,
    lambda out, x, y: y * _raised(_choose(y, x, _choose(x, x, 1.0)), y - 1.0),
    lambda out, x, y: out * log(_choose(x, x, 1.0)),
    limit=floats.power_limit,
    symbol="xʸ", plain="{:5} ** {:5}", latex="{:5}^{{{:0}}}", binds=POWER,
    domain="a positive base, or an integer exponent (not a negative one for a base of 0)",
    action="raise {} to the power {}", when_flat=POWER_OF, when_steep=POWER_OF, neutral=(None, 1.0))

# Choosing and rounding.

greater = Primitive("greater", lambda a, b: float(a > b),  # 1 where a > b, else 0
    lambda out, a, b: 0.0, lambda out, a, b: 0.0,
    selects=True, symbol=">", plain="({:1} > {:1})", latex=r"\left[{:1} > {:1}\right]", when_flat=FLAT, is_exact=True)

where: Primitive = Primitive("where", floats.chosen,  # a where the condition is not 0, else b
    lambda out, condition, a, b: 0.0,
    lambda out, condition, a, b: where(condition, 1.0, 0.0),
    lambda out, condition, a, b: where(condition, 0.0, 1.0),
    latex=r"\begin{{cases}} {1:0} & \text{{if }} {0:1} \ne 0 \\ {2:0} & \text{{otherwise}} \end{{cases}}",
    selects=True, when_flat=("its condition only chooses between the others", CHOICE, CHOICE), is_exact=True)

maximum = Primitive("maximum", floats.larger,  # a tie shares the gradient equally
    lambda out, a, b: 0.5 * (1.0 + greater(a, b) - greater(b, a)),
    lambda out, a, b: 0.5 * (1.0 + greater(b, a) - greater(a, b)),
    selects=True, symbol="max", latex=r"\max", when_flat=CHOICE)

minimum = Primitive("minimum", floats.smaller,  # a tie shares the gradient equally
    lambda out, a, b: 0.5 * (1.0 + greater(b, a) - greater(a, b)),
    lambda out, a, b: 0.5 * (1.0 + greater(a, b) - greater(b, a)),
    selects=True, symbol="min", latex=r"\min", when_flat=CHOICE)

# Products of a gradient, which stands first, and a slope, in which 0 times what is not finite is 0: see `guard`.
strong_multiply: Primitive = Primitive("strong_multiply", lambda a, b: a * _counted(b, a),
    lambda out, a, b: b,
    lambda out, a, b: a,
    selects=(False, True), symbol="×", plain="{:2} · {:4}", latex=r"{:2} \cdot {:4}", binds=PRODUCT,
    when_flat=FACTOR, when_steep=FACTOR, neutral=(1.0, 1.0),
    description="Return a · b; it is 0 where a is 0, even if b is not finite.")

select_multiply: Primitive = Primitive("select_multiply", lambda a, b: _counted(a, b) * _counted(b, a),
    lambda out, a, b: b,
    lambda out, a, b: a,
    selects=True, symbol="×", plain="{:2} · {:4}", latex=r"{:2} \cdot {:4}", binds=PRODUCT,
    when_flat=FACTOR, when_steep=FACTOR, neutral=(1.0, 1.0),
    description="Return a · b; it is 0 where one of them is 0, even if the other is not finite.")

# The number itself. Nothing passes through a node of it, not even an infinite gradient times 0: see `Tape.dependents`.
stop_gradient = Primitive("stop_gradient", lambda x: x,
    lambda out, x: 0.0,
    selects=True, when_flat="nothing passes through {name}")

absolute = Primitive("abs", operator.abs,
    lambda out, x: sign(x),  # 0 at 0
    selects=True, latex=r"\left|{:0}\right|")

sign: Primitive = Primitive("sign", floats.sign_of,
    lambda out, x: 0.0,
    selects=True, when_flat=FLAT)

floor: Primitive = Primitive("floor", floats.floor_of,
    lambda out, x: 0.0,
    selects=True, latex=r"\left\lfloor {:0} \right\rfloor", when_flat=FLAT)

ceil = Primitive("ceil", lambda x: -floor(-x),
    lambda out, x: 0.0,
    selects=True, latex=r"\left\lceil {:0} \right\rceil", when_flat=FLAT)

# Exponentials and logarithms.

exp = Primitive("exp", math.exp,
    lambda out, x: out,
    limit=lambda x: inf, latex="e^{{{:0}}}", binds=POWER)

expm1 = Primitive("expm1", math.expm1,
    lambda out, x: exp(x),
    limit=lambda x: inf)

log: Primitive = Primitive("log", math.log,
    lambda out, x: divide(1.0, x),
    limit=lambda x: nan if x else -inf,
    latex=r"\ln", domain="a positive input", when_steep=POLE)

exp2 = Primitive("exp2", lambda x: power(2.0, x),
    lambda out, x: math.log(2.0) * out,
    latex="2^{{{:0}}}", binds=POWER)

log2 = Primitive("log2", math.log2,
    lambda out, x: divide(1.0 / math.log(2.0), x),
    limit=lambda x: nan if x else -inf,
    latex=r"\log_{2}", domain="a positive input", when_steep=POLE)

log10 = Primitive("log10", math.log10,
    lambda out, x: divide(1.0 / math.log(10.0), x),
    limit=lambda x: nan if x else -inf,
    latex=r"\log_{10}", domain="a positive input", when_steep=POLE)

log1p = Primitive("log1p", math.log1p,
    lambda out, x: divide(1.0, 1.0 + x),
    limit=lambda x: nan if x + 1.0 else -inf, domain="an input greater than -1",
    when_steep="its input is {0}, close to −1")

sqrt = Primitive("sqrt", math.sqrt,
    lambda out, x: divide(0.5, out),
    symbol="√", latex=r"\sqrt{{{:0}}}", domain="an input of at least 0", when_steep=POLE)

# Angles, in radians; hyperbolic functions; the error function.

sin = Primitive("sin", math.sin,
    lambda out, x: cos(x),
    latex=r"\sin", domain="a finite input")

cos: Primitive = Primitive("cos", math.cos,
    lambda out, x: -sin(x),
    latex=r"\cos", domain="a finite input")

tan = Primitive("tan", math.tan,
    lambda out, x: 1.0 + out * out,
    latex=r"\tan", domain="a finite input")

# What the slopes of asin, acos and atanh divide by. The product keeps the digits of x near 1 and −1; its own slope as
# a product would be (1 − x) − (1 + x), which loses those near 0.
one_minus_square = Primitive("one_minus_square", lambda x: (1.0 - x) * (1.0 + x),
    lambda out, x: -2.0 * x,
    plain=None, latex=None)

asin = Primitive("asin", math.asin,
    lambda out, x: divide(1.0, sqrt(one_minus_square(x))),
    latex=r"\arcsin", domain="an input between -1 and 1")

acos = Primitive("acos", math.acos,
    lambda out, x: divide(-1.0, sqrt(one_minus_square(x))),
    latex=r"\arccos", domain="an input between -1 and 1")

atan = Primitive("atan", math.atan,
    lambda out, x: 1.0 / (1.0 + x * x),
    latex=r"\arctan")

hypot = Primitive("hypot", math.hypot,  # both slopes are nan at the origin
    lambda out, a, b: divide(a, out),
    lambda out, a, b: divide(b, out))

atan2 = Primitive("atan2", math.atan2,  # both slopes are nan at the origin
    lambda out, y, x: divide(divide(x, hypot(x, y)), hypot(x, y)),
    lambda out, y, x: -divide(divide(y, hypot(x, y)), hypot(x, y)))

sinh = Primitive("sinh", math.sinh,
    lambda out, x: cosh(x),
    limit=lambda x: math.copysign(inf, x), latex=r"\sinh")

cosh: Primitive = Primitive("cosh", math.cosh,
    lambda out, x: sinh(x),
    limit=lambda x: inf, latex=r"\cosh")

tanh = Primitive("tanh", math.tanh,
    lambda out, x: 1.0 - out * out,
    latex=r"\tanh", when_flat=SATURATED)

asinh = Primitive("asinh", math.asinh,
    lambda out, x: 1.0 / hypot(1.0, x),
    latex=r"\operatorname{arsinh}")

acosh = Primitive("acosh", math.acosh,
    lambda out, x: divide(divide(1.0, sqrt(x - 1.0)), sqrt(x + 1.0)),
    latex=r"\operatorname{arcosh}", domain="an input of at least 1", when_steep="its input is {0}, close to 1")

atanh = Primitive("atanh", math.atanh,
    lambda out, x: divide(1.0, one_minus_square(x)),
    limit=lambda x: math.copysign(inf, x) if abs(x) == 1.0 else nan,
    latex=r"\operatorname{artanh}", domain="an input between -1 and 1, both excluded",
    when_steep="its input is {0}, close to −1 or 1")

erf = Primitive("erf", math.erf,
    lambda out, x: 2.0 / math.sqrt(math.pi) * exp(-(x * x)),
    when_flat=SATURATED)

erfc = Primitive("erfc", math.erfc,
    lambda out, x: -2.0 / math.sqrt(math.pi) * exp(-(x * x)),
    when_flat=SATURATED)

# Activation functions.

# The slopes of sigmoid and tanh are those of the textbooks, of the output alone. They lose digits where it is rounded
# near 1 or −1: 0.1 % of sigmoid's at 30, and all of it from 37 on; of tanh's from 19.1 on. The same functions with all
# digits of their slopes are 1 − sigmoid(−x) and 1 − 2 sigmoid(−2 x) for x > 0, and 2 sigmoid(2 x) − 1 for x < 0.
sigmoid = Primitive("sigmoid", lambda x: where(greater(0.0, x), e := exp(-abs(x)), 1.0) / (1.0 + e),
    lambda out, x: out * (1.0 - out),
    symbol="σ", latex=r"\sigma", when_flat=SATURATED)

relu = Primitive("relu", lambda x: maximum(x, 0.0),
    lambda out, x: greater(x, 0.0),  # 0 at 0
    selects=True, when_flat="its input is {0}, where relu is flat (a dead relu)")

leaky_relu = Primitive("leaky_relu", lambda x, a: maximum(x, 0.0) + a * minimum(x, 0.0),
    lambda out, x, a: where(greater(x, 0.0), 1.0, a),  # a at 0
    lambda out, x, a: minimum(x, 0.0),
    selects=True, when_flat="its input is {0}, and its slope for negative ones {1}")

softplus = Primitive("softplus", lambda x: maximum(x, 0.0) + log1p(exp(-abs(x))),
    lambda out, x: sigmoid(x))

# A factor of silu and gelu is bounded where the other one is 0, since 0 times an infinity is nan. The first sigmoid in
# the slope of silu is written so that its own slope keeps its digits.
silu = Primitive("silu", lambda x: maximum(x, -800.0) * sigmoid(x),
    lambda out, x: _choose(greater(x, 0.0), 1.0 - sigmoid(-x), sigmoid(x)) + minimum(out, 800.0) * sigmoid(-x))

# x times the normal distribution function (Hendrycks and Gimpel 2016), by erfc so that its left tail keeps its digits
gelu = Primitive("gelu", lambda x: 0.5 * maximum(x, -40.0) * erfc(-math.sqrt(0.5) * x),
    lambda out, x: 0.5 * erfc(-math.sqrt(0.5) * x)
    + (t := minimum(maximum(x, -40.0), 40.0)) * (1.0 / math.sqrt(2.0 * math.pi)) * exp(-0.5 * t * t))

# Primitives of any number of operands. They add and multiply from left to right, with the same bits as the operators.

summation = Primitive("sum", lambda *xs: reduce(operator.add, xs),
    all_slopes=lambda out, *xs: (1.0,) * len(xs),
    symbol="Σ", plain=None, latex=None, is_sum=True)

product = Primitive("prod", lambda *xs: reduce(operator.mul, xs),
    all_slopes=lambda out, *xs: floats.products_of_others(*xs),
    symbol="Π", plain=None, latex=None, when_flat=FACTOR, when_steep=FACTOR)

dot_product = Primitive("dot",  # the operands are first all of one list, then all of the other
    lambda *xs: reduce(operator.add, map(operator.mul, xs[:len(xs) // 2], xs[len(xs) // 2:])),
    all_slopes=lambda out, *xs: xs[len(xs) // 2:] + xs[:len(xs) // 2],
    symbol="w·x", plain=None, latex=None, lists=2, when_flat=FACTOR, when_steep=FACTOR)

# The largest and the smallest of many numbers, of which nan wins; ties share the gradient equally.

largest = Primitive("max", lambda *xs: reduce(maximum, xs),
    all_slopes=lambda out, *xs: _shares([1.0 - greater(out, x) for x in xs]),
    plain="max({:0})", latex=r"\max\left({:0}\right)", selects=True, when_flat=CHOICE)

smallest = Primitive("min", lambda *xs: reduce(minimum, xs),
    all_slopes=lambda out, *xs: _shares([1.0 - greater(x, out) for x in xs]),
    plain="min({:0})", latex=r"\min\left({:0}\right)", selects=True, when_flat=CHOICE)

# fmt: on


def _from_table(name: str) -> Primitive:
    return PRIMITIVES[name]


# Every primitive by its name, in the order of the table.
PRIMITIVES = {entry.name: entry for entry in list(globals().values()) if isinstance(entry, Primitive)}
for _index, _primitive in enumerate(PRIMITIVES.values(), start=1):
    _primitive.index = _index
