"""`Program.to_jax`: a program as a function on arrays of JAX.

Values and slopes are the rules of the table, run on arrays of JAX. Each primitive is given to JAX together with its
slopes, so `jax.grad` gives the gradients of this package, also at kinks and poles, and derivatives of any order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from autograd.primitives import Primitive, stop_gradient
from autograd.programs.array_functions import ArrayFunction
from autograd.programs.array_rules import ArrayNumber, Arrays, Function
from autograd.programs.lowering import PASSES, lower
from autograd.programs.lowering.simplification import without_identities
from autograd.trees import Structure, array_structure, container, leaves_of, misfit, unflatten

if TYPE_CHECKING:
    from autograd.programs.program import Program

# Those of a program that is run; but stop_gradient stays, since JAX may differentiate the program.
DIFFERENTIABLE = [
    partial(without_identities, keeps_stops=True) if each is without_identities else each for each in PASSES
]


def to_jax(program: Program) -> Callable[..., Any]:
    """The program as a function on arrays of JAX, as `Program.to_jax` says."""
    try:
        import jax
    except ImportError as error:
        raise ImportError(
            "to_jax() needs JAX, which is not installed here; get it with pip install 'stepgrad[jax]'"
        ) from error
    call, result = _forms_of(program)
    shapes = call.shapes
    positional, named = call.parts
    expected = list(shapes)
    has_parameters = bool(program.parameters)  # the first argument, but the last inputs of the code
    if has_parameters:
        shapes.append(shapes.pop(0))
    # Each array is read as it is, and numbers that follow each other as one array.
    pieces = [list(members) for _, members in groupby(range(len(shapes)), lambda i: i if shapes[i] else None)]
    sizes = [sum(math.prod(shapes[i]) for i in piece) for piece in pieces]
    code = lower(program, passes=DIFFERENTIABLE, deep=1, shares_places=False)
    compute = ArrayFunction(code, sizes, result.shapes, JaxArrays())

    def run(leaves: Sequence[Any]) -> list[Any]:
        dtype = jax.numpy.result_type(float, *leaves)
        if not jax.numpy.issubdtype(dtype, jax.numpy.floating):
            raise TypeError(f"expected real numbers, got numbers of the type {dtype}")
        flat = [jax.numpy.asarray(leaf, dtype).reshape(-1) for leaf in leaves]
        return compute([jax.numpy.concatenate([flat[i] for i in piece]) for piece in pieces], dtype)

    compiled = jax.jit(run)

    def function(*arguments: Any, **keywords: Any) -> Any:
        if len(arguments) != len(positional.entries) or set(keywords) != set(named.keys or ()):
            given = [f"{len(arguments)} argument{'s' if len(arguments) != 1 else ''}", *keywords]
            raise TypeError(f"this program takes {_described(call)}; got {', '.join(given)}")
        leaves = leaves_of(call, (arguments, keywords))
        for leaf, wanted in zip(leaves, expected, strict=True):
            if leaf is None or isinstance(leaf, str | list | tuple | dict) or getattr(leaf, "shape", ()) != wanted:
                raise misfit(f"an array of shape {wanted}" if wanted else "a number", leaf)
        if has_parameters:
            leaves.append(leaves.pop(0))
        return unflatten(result, compiled(leaves))

    function.__doc__ = f"A program of stepgrad that takes {_described(call)}, and gives {result}."
    return function


class JaxArrays(Arrays):
    """What `jax.numpy` calls the primitives, each of which JAX differentiates by the slopes of the table."""

    def __init__(self) -> None:
        import jax
        from jax.scipy.special import erf, erfc

        super().__init__(jax.numpy, erf=erf, erfc=erfc, stop_gradient=jax.lax.stop_gradient)

    def take(self, array: Any, indices: Any) -> Any:
        """The numbers of an array at some indices, which JAX need not check."""
        return array.at[indices].get(mode="promise_in_bounds")

    def function(self, primitive: Primitive) -> Function:
        """The function of arrays that computes a primitive, with its derivative.

        Raises:
            TypeError: if it is not in the table.
        """
        known = super().function(primitive)
        if known is not None and primitive is stop_gradient:
            return known
        value: Function = known or partial(self.compute, primitive.value)
        return lambda *operands: self._differentiable(primitive, value, operands)

    def _differentiable(self, primitive: Primitive, value: Function, operands: tuple[Any, ...]) -> Any:
        """The value at some operands; JAX is told the slopes by those that are no plain floats."""
        import jax
        from jax.custom_derivatives import SymbolicZero

        places = [place for place, operand in enumerate(operands) if type(operand) is not float]

        def filled(arrays: Sequence[Any]) -> list[Any]:
            """All operands."""
            found = dict(zip(places, arrays, strict=True))
            return [found.get(place, operand) for place, operand in enumerate(operands)]

        function = jax.custom_jvp(lambda *arrays: value(*filled(arrays)))

        def push(arrays: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
            out = function(*arrays)
            moving = {place: t for place, t in zip(places, tangents, strict=True) if not isinstance(t, SymbolicZero)}
            numbers = [each if type(each) is float else ArrayNumber(self, each) for each in (out, *filled(arrays))]
            slopes = primitive.some_slopes(list(moving), *numbers)
            plain = [slope.array if isinstance(slope, ArrayNumber) else slope for slope in slopes]
            total = sum(slope * tangent for slope, tangent in zip(plain, moving.values(), strict=True))
            return out, self.module.broadcast_to(self.module.asarray(total, out.dtype), out.shape)

        function.defjvp(push, symbolic_zeros=True)
        return function(*[operands[place] for place in places])


def _forms_of(program: Program) -> tuple[Structure, Structure]:
    """The structures of the function's arguments, those for the parameters included, and of its result."""
    if program.forms is not None:
        call, result = program.forms
        positional, named = call.parts[0].entries, call.parts[1]
    else:
        positional, named = (_array(program.inputs),) if program.inputs else (), container(dict, (), ())
        result = _array(program.outputs)
    parameters = (_array(program.parameters),) if program.parameters else ()
    return container(tuple, [container(tuple, [*parameters, *positional]), named]), result


def _array(slots: Sequence[int]) -> Structure:
    return array_structure((len(slots),))


def _described(call: Structure) -> str:
    """The arguments in words."""
    positional, named = call.parts
    parts = [*map(str, positional.entries), *map("{}={}".format, named.keys or (), named.parts)]
    return ", ".join(parts) or "no arguments"
