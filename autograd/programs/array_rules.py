"""The rules of the table on arrays: a kind of number around an array, so that one run of a rule computes many numbers.

>>> import numpy as np
>>> from autograd.primitives import relu
>>> arrays, x = Arrays(np), np.array([-1.0, 0.0, 2.0])
>>> out = arrays.compute(relu, x)
>>> out.tolist(), arrays.compute(relu.slopes[0], out, x).tolist()
([0.0, 0.0, 2.0], [0.0, 0.0, 1.0])

The module of the arrays is NumPy, or another one with its functions, such as `jax.numpy`. What is stated here is how
that module calls the few primitives that rules are made of. Everything else runs the rule of the table.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from autograd import primitives
from autograd.native.languages import SAME_NAMES
from autograd.primitives import PRIMITIVES, Operators, Primitive

Function = Callable[..., Any]  # arrays and floats in, an array out


class ArrayNumber(Operators):
    """An array as a number: rules of the table run on it, element by element.

    Args:
        arrays: what the module of the array calls the primitives.
        array: the array.
    """

    __slots__ = ("array", "arrays")

    def __init__(self, arrays: Arrays, array: Any) -> None:
        self.arrays, self.array = arrays, array

    @staticmethod
    def apply_primitive(primitive: Primitive, *operands: Any) -> ArrayNumber:
        """The primitive at arrays and plain numbers.

        Raises:
            TypeError: if the rule needs a function that the module lacks.
        """
        arrays = next(operand.arrays for operand in operands if isinstance(operand, ArrayNumber))
        function = arrays.function(primitive)
        if function is None:
            result = primitive.value(*operands)
            return result if isinstance(result, ArrayNumber) else ArrayNumber(arrays, result)
        plain = [operand.array if isinstance(operand, ArrayNumber) else operand for operand in operands]
        return ArrayNumber(arrays, function(*plain))


class Arrays:
    """What a module of arrays calls the primitives that rules are made of.

    Args:
        module: the module: `numpy`, or one with its interface.
        others: functions for more primitives, by name, such as `erf` and `erfc`, which the interface of NumPy lacks.
            With NumPy itself, those two are computed by Python, element by element.
    """

    def __init__(self, module: Any, **others: Function) -> None:
        self.module = module
        self._is_numpy = module.__name__ == "numpy"
        functions = {**_functions(module), **others}
        if self._is_numpy:
            own = {"power": _power, "erf": by_element(primitives.erf), "erfc": by_element(primitives.erfc)}
            functions = {**functions, **own, **others}
        self._functions = {PRIMITIVES[name]: function for name, function in functions.items()}

    def function(self, primitive: Primitive) -> Function | None:
        """The function of arrays that computes a primitive; None if the rule of the table does.

        A primitive that is not in the table has a rule for floats alone. With NumPy it is called for each element.

        Raises:
            TypeError: for such a primitive, with another module.
        """
        found = self._functions.get(primitive)
        if found is None and not primitive.index:
            if not self._is_numpy:
                raise TypeError(
                    f"{primitive!r} is not in the table of primitives: only Python knows its function, which "
                    f"{self.module.__name__} cannot run; compose it of primitives of the table"
                )
            return by_element(primitive)
        return found

    def compute(self, rule: Primitive | Function, *operands: Any) -> Any:
        """A primitive, or a slope of one, at arrays and plain numbers: by the rules of IEEE 754, without warnings.

        Returns:
            An array; of a rule that is the same everywhere, such as the slope of a sum, a number.
        """
        numbers = [operand if type(operand) is float else ArrayNumber(self, operand) for operand in operands]
        with self.quiet():
            result = rule(*numbers)
        return result.array if isinstance(result, ArrayNumber) else result

    def take(self, array: Any, indices: Any) -> Any:
        """The numbers of an array of one dimension at some indices, which are all within it."""
        return self.module.take(array, indices)

    def quiet(self) -> AbstractContextManager[Any]:
        """A context in which the module does not warn of what is not finite."""
        return self.module.errstate(all="ignore") if self._is_numpy else nullcontext()


def by_element(primitive: Primitive) -> Function:
    """A primitive as a function of arrays of NumPy, which calls it with the floats of each element."""

    def function(*operands: Any) -> Any:
        import numpy as np

        arrays = np.broadcast_arrays(*operands)
        columns = [array.ravel().tolist() for array in arrays]
        return np.array([primitive(*numbers) for numbers in zip(*columns, strict=True)]).reshape(arrays[0].shape)

    return function


def _power(x: Any, y: Any) -> Any:
    """The power by NumPy, whatever the shapes.

    For one exponent of −1, 0.5 or 2 for all, NumPy computes something else: sqrt(−inf) for (−inf) ** 0.5, for instance.
    Hence exponents of full shape; and squares as Python's, since NumPy's powers miss the last digit of some.
    """
    import numpy as np

    return np.where(np.equal(y, 2.0), np.multiply(x, x), np.power(x, y + np.zeros_like(x)))


def _functions(module: Any) -> dict[str, Function]:
    """The functions of a module with NumPy's interface, by the name of the primitive."""
    where = module.where

    def remainder(a: Any, b: Any) -> Any:
        rest = module.fmod(a, b)  # which has the sign of a
        floored = where((rest < 0.0) != (b < 0.0), rest + b, rest)
        return where(rest == 0.0, module.copysign(0.0, b), floored)

    # The choices are written out: of 0 and −0, the functions of the modules do not choose as the table does.
    return {
        "add": module.add,
        "subtract": module.subtract,
        "multiply": module.multiply,
        "divide": module.divide,
        "negate": module.negative,
        "abs": module.abs,
        "remainder": remainder,
        "power": lambda x, y: module.where(module.equal(y, 2.0), x * x, module.power(x, y)),
        "greater": lambda a, b: where(a > b, 1.0, 0.0),
        "where": lambda condition, a, b: where(condition != 0.0, a, b),
        "maximum": lambda a, b: where((a >= b) | (a != a), a, b),
        "minimum": lambda a, b: where((a <= b) | (a != a), a, b),
        "sign": lambda x: where((x == 0.0) | (x != x), x, module.copysign(1.0, x)),
        "atan2": module.arctan2,
        "hypot": module.hypot,
        **{name: getattr(module, _numpy_name(name)) for name in SAME_NAMES},
    }


def _numpy_name(name: str) -> str:
    """NumPy's name of a function of one number: arcsin for asin."""
    return f"arc{name[1:]}" if name[0] == "a" else name
