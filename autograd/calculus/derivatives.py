"""Derivatives of functions: first and higher ones, forward and reverse, all from the slopes of the table.

>>> from autograd import sin
>>> grad(sin)(0.0), grad(grad(grad(sin)))(0.0)
(1.0, -1.0)
>>> hessian(lambda x, y: x**2 * y, argnums=(0, 1))(3.0, 2.0)
((4.0, 6.0), (6.0, 0.0))

A function takes numbers, or trees of them: lists, tuples, dicts, dataclasses and arrays, nested at will. A derivative
comes back in the same tree, where a leaf that is not a number stands as itself. Transformations may be nested. What
`grad`, `value_and_grad`, `jacobian` and `hessian` make hands on arguments with a keyword, and does not differentiate by
them.

They compute by IEEE 754. If a result or a derivative is not finite, they raise the error of an operation outside its
domain (a ValueError, or a ZeroDivisionError) that it depends on through operands that were chosen, if there is one.

Each goes through the tape of the recorded graph. Reverse mode passes gradients from a node to its operands, forward
mode passes tangents from the operands to the node, and both multiply by the same slopes. Where a derivative is to be
differentiated again, the slopes are computed from Values, so that it is a graph itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar, overload

from autograd.calculus.recorded_calls import RecordedCall, argument_numbers
from autograd.calculus.reverse_and_forward import Kept, Number, as_value, pull_each, push
from autograd.calculus.signatures import (
    Floats,
    Gradient,
    GradientByOne,
    GradientBySeveral,
    Hessian,
    Jacobian,
    Mixed,
    OfList,
    OfNumber,
    Plain,
    PullBack,
    ValueAndGradient,
    Values,
)
from autograd.modes import is_recording, recording
from autograd.tape import Tape
from autograd.trees import flat, nested, unflatten
from autograd.value import Value

Argnums: TypeAlias = "int | Sequence[int]"
P = ParamSpec("P")
ResultT = TypeVar("ResultT")
TreeT = TypeVar("TreeT")


def _records(function: Callable[P, ResultT]) -> Callable[P, ResultT]:
    """Let a transformation record for itself, also under `no_grad()`; its results are constants there."""

    @functools.wraps(function)
    def recorded(*arguments: P.args, **settings: P.kwargs) -> ResultT:
        if is_recording.get():
            return function(*arguments, **settings)
        with recording():
            result = function(*arguments, **settings)
        return stop_gradient(result)

    return recorded


def _with_signature(made: Callable[..., ResultT], function: Callable[..., Any]) -> Callable[..., ResultT]:
    """Let what was made of a function have the signature of that function, so that its arguments have names."""
    return functools.update_wrapper(made, function, (), ())


def _one_or_all(argnums: int | Sequence[int], parts: Sequence[Any]) -> Any:
    return parts[0] if isinstance(argnums, int) else tuple(parts)


def _chosen(argnums: Argnums, argnum: Argnums | None) -> int | tuple[int, ...]:
    """Return the numbers of the arguments to differentiate by, which have two names."""
    if argnum is None:
        return argument_numbers(argnums, "argnums")
    if not isinstance(argnums, int) or argnums != 0:
        raise TypeError(f"argnums and argnum mean the same, got {argnums!r:.80} and {argnum!r:.80}; give one of them")
    return argument_numbers(argnum, "argnum")


@overload
def value_and_grad(function: Callable[..., Any], argnums: Literal[0] = 0) -> ValueAndGradient: ...
@overload
def value_and_grad(
    function: Callable[..., Any], argnums: Argnums = 0, *, argnum: Argnums | None = None, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]: ...
def value_and_grad(
    function: Callable[..., Any], argnums: Argnums = 0, *, argnum: Argnums | None = None, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """Make a function that returns the value of a function and its gradient, and runs it once.

    Args:
        function: takes numbers, or trees of them, and returns one number.
        argnums: the position of the argument to differentiate with respect to, or several; negative from the end.
        argnum: another name for argnums.
        has_aux: whether the function returns a pair of that number and an auxiliary result of any kind.

    Returns:
        A function of the same arguments, which returns the value and the gradient. If the function has an auxiliary
        result, the pair of both stands in place of the value.

    Raises:
        TypeError: when called, if the result is not one number.
    """
    argnums = _chosen(argnums, argnum)

    @_records
    def differentiated(*arguments: Any, **keywords: Any) -> tuple[Any, Any]:
        run = RecordedCall(function, arguments, argnums, keywords, has_aux)
        output = run.scalar("grad")
        found = run.pull({output: 1.0}, run.recorded)
        run.check([output], found)
        grads = _one_or_all(argnums, run.like_inputs([run.finished(grad) for grad in found]))
        return (run.result(), run.auxiliary()) if has_aux else run.result(), grads

    return _with_signature(differentiated, function)


@overload
def grad(function: Callable[..., Any], argnums: Literal[0] = 0) -> Gradient: ...
@overload
def grad(function: Callable[..., Any], argnums: int) -> GradientByOne: ...
@overload
def grad(function: Callable[..., Any], argnums: Sequence[int]) -> GradientBySeveral: ...
@overload
def grad(
    function: Callable[..., Any], argnums: Argnums = 0, *, argnum: Argnums | None = None, has_aux: bool = False
) -> Callable[..., Any]: ...
def grad(
    function: Callable[..., Any], argnums: Argnums = 0, *, argnum: Argnums | None = None, has_aux: bool = False
) -> Callable[..., Any]:
    """Make a function that returns the gradient of a function whose result is one number, by reverse mode.

    Args:
        function: takes numbers, or trees of them.
        argnums: the position of the argument to differentiate with respect to, or several; negative from the end.
        argnum: another name for argnums.
        has_aux: whether the function returns a pair of that number and an auxiliary result of any kind.

    Returns:
        A function of the same arguments. It returns the gradient as a tree like that argument (a tuple of trees for
        several arguments). The numbers are floats, or Values if it is called with Values or within another
        transformation. It costs a small multiple of the function, for any number of inputs. If the function has an
        auxiliary result, it returns the pair of the gradient and that.

    Raises:
        TypeError: when called, if the result is not one number.
    """
    differentiated = value_and_grad(function, argnums, argnum=argnum, has_aux=has_aux)
    if not has_aux:
        return _with_signature(lambda *arguments, **keywords: differentiated(*arguments, **keywords)[1], function)

    def gradient_and_aux(*arguments: Any, **keywords: Any) -> tuple[Any, Any]:
        (_, aux), grads = differentiated(*arguments, **keywords)
        return grads, aux

    return _with_signature(gradient_and_aux, function)


def elementwise_grad(
    function: Callable[..., Any], argnums: Argnums = 0, *, argnum: Argnums | None = None
) -> Callable[..., Any]:
    """Make a function that returns the gradient of the sum of all numbers of a result, by reverse mode.

    If each number of the result depends on one number of the argument, as the points of a curve do, these are their
    derivatives. The name is that of HIPS autograd.

    >>> from autograd import sin
    >>> elementwise_grad(lambda angles: [sin(angle) for angle in angles])([0.0, 1.0])
    [1.0, 0.5403023058681398]

    Args:
        function: takes and returns numbers, or trees of them.
        argnums: the position of the argument to differentiate with respect to, or several; negative from the end.
        argnum: another name for argnums.

    Returns:
        A function of the same arguments, which returns the gradient as a tree like that argument, as `grad` does.
    """
    argnums = _chosen(argnums, argnum)

    @_records
    def differentiated(*arguments: Any, **keywords: Any) -> Any:
        run = RecordedCall(function, arguments, argnums, keywords)
        seeds: dict[Value, Number] = {}
        for output in run.outputs:
            seeds[output] = seeds.get(output, 0.0) + 1.0
        found = run.pull(seeds, run.recorded)
        run.check(run.outputs, found)
        return _one_or_all(argnums, run.like_inputs([run.finished(grad) for grad in found]))

    return _with_signature(differentiated, function)


@overload
def jvp(function: OfNumber, primals: Plain, tangents: Plain) -> tuple[float, float]: ...
@overload
def jvp(function: OfNumber, primals: Mixed, tangents: Mixed) -> tuple[Value, Value]: ...
@overload
def jvp(function: OfList, primals: Plain, tangents: Plain) -> tuple[list[float], list[float]]: ...
@overload
def jvp(function: OfList, primals: Mixed, tangents: Mixed) -> tuple[list[Value], list[Value]]: ...
@overload
def jvp(function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]: ...
@_records
def jvp(function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Compute the value of a function and its derivative in one direction, by forward mode.

    Args:
        function: takes numbers, or trees of them.
        primals: its arguments.
        tangents: for each argument the direction, in the same tree.

    Returns:
        The result of the function, and a tree like it with the derivative of each of its numbers along the direction.

    Raises:
        ValueError: if the tangents do not have as many numbers as the primals.
    """
    run = RecordedCall(function, primals, range(len(primals)))
    direction = _direction(run, tangents)
    pushed = push(run.tape, run.outputs, direction, run.recorded)
    for output, tangent in zip(run.outputs, pushed, strict=True):
        run.check([output], [tangent])
    return run.result(), run.like_output([run.finished(tangent) for tangent in pushed])


def _direction(run: RecordedCall, tangents: Sequence[Any]) -> dict[Value, Number]:
    """Return the tangents of the inputs; if one of them is a Value, what is computed with them is recorded."""
    direction, _ = flat(list(tangents), Value)
    if len(direction) != len(run.inputs):
        raise ValueError(f"a direction needs one number for each input, got {len(direction)} for {len(run.inputs)}")
    run.recorded = run.recorded or any(isinstance(number, Value) for number in direction)
    return dict(zip(run.inputs, direction, strict=True))


@overload
def vjp(function: OfNumber, *primals: float) -> tuple[float, PullBack[float, float]]: ...
@overload
def vjp(function: OfNumber, *primals: Value | float) -> tuple[Value, PullBack[Value | float, Value]]: ...
@overload
def vjp(function: OfNumber, *primals: Floats) -> tuple[float, PullBack[float, list[float]]]: ...
@overload
def vjp(function: OfNumber, *primals: Values) -> tuple[Value, PullBack[Value | float, list[Value]]]: ...
@overload
def vjp(function: OfList, *primals: float) -> tuple[list[float], PullBack[Floats, float]]: ...
@overload
def vjp(function: OfList, *primals: Value | float) -> tuple[list[Value], PullBack[Values | Floats, Value]]: ...
@overload
def vjp(function: OfList, *primals: Floats) -> tuple[list[float], PullBack[Floats, list[float]]]: ...
@overload
def vjp(function: OfList, *primals: Values) -> tuple[list[Value], PullBack[Values | Floats, list[Value]]]: ...
@overload
def vjp(function: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]: ...
@_records
def vjp(function: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Compute the value of a function, and make a function that pulls gradients back from its result to its arguments.

    Args:
        function: takes numbers, or trees of them.
        primals: its arguments.

    Returns:
        The result of the function, and a function that takes a tree like it, with the gradient of each of its numbers,
        and returns the gradient for each argument.
    """
    run = RecordedCall(function, primals, range(len(primals)))

    @_records
    def pull_back(cotangents: Any) -> tuple[Any, ...]:
        given, _ = flat(cotangents, Value)
        if len(given) != len(run.outputs):
            raise ValueError(f"one number for each output is needed, got {len(given)} for {len(run.outputs)}")
        seeds: dict[Value, Number] = {}
        for output, number in zip(run.outputs, given, strict=True):
            seeds[output] = seeds[output] + number if output in seeds else number
        recorded = run.recorded or any(isinstance(number, Value) for number in given)
        grads = run.pull(seeds, recorded)
        run.check(run.outputs, grads)
        return run.like_inputs([as_value(g) if recorded else run.finished(g) for g in grads])

    for output in run.outputs:
        run.check([output])
    return run.result(), pull_back


@overload
def jacobian(function: OfNumber, argnums: Literal[0] = 0) -> Gradient: ...
@overload
def jacobian(function: OfNumber, argnums: int) -> GradientByOne: ...
@overload
def jacobian(function: OfNumber, argnums: Sequence[int]) -> GradientBySeveral: ...
@overload
def jacobian(function: OfList, argnums: Literal[0] = 0) -> Jacobian: ...
@overload
def jacobian(
    function: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    sparse: bool = False,
    argnum: Argnums | None = None,
    has_aux: bool = False,
) -> Callable[..., Any]: ...
def jacobian(
    function: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    sparse: bool = False,
    argnum: Argnums | None = None,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """Make a function that returns the derivative of each number of the result with respect to each of the argument.

    It goes through the part of the graph that each output depends on (reverse mode), or once through the graph for each
    input (forward mode), whichever is less. Of a function whose outputs each depend on a few inputs alone, the cost
    grows with the number of entries that are not 0 by structure.

    Args:
        function: takes and returns numbers, or trees of them.
        argnums: the position of the argument to differentiate with respect to, or several; negative from the end.
        sparse: whether to return a sparse matrix.
        argnum: another name for argnums.
        has_aux: whether the function returns a pair of what is differentiated and an auxiliary result of any kind.

    Returns:
        A function of the same arguments. It returns a tree like the result. In place of each number and each array it
        has a tree like the argument, or a tuple of trees for several arguments. In place of an array of the result this
        tree has arrays, whose shape is that of the array followed by that of the part of the argument. If the function
        has an auxiliary result, it returns the pair of the tree and that.

        If sparse, it returns one `scipy.sparse.csr_array` of float64, with a row for each number of the result and a
        column for each number of the argument, or of several one after another, in the order of their trees. It has an
        entry where an output is computed from an input, also if that derivative is 0 at these numbers. Nothing else is
        computed. Compiled, it has the same pattern and the same bits at each call; a loop counts as one operation then,
        whose results are computed from all that goes into it. Where it is called with Values, as within a function that
        is compiled, it returns a matrix whose `data` is an array of Values.

    Raises:
        ImportError: when called, if it is to be sparse and SciPy is not installed.
        TypeError: when called, if it is to be sparse and another transformation around it differentiates it.
        ValueError: when called, if it is to be sparse and `argnums` names an argument twice.
    """
    argnums = _chosen(argnums, argnum)

    @_records
    def differentiated(*arguments: Any, **keywords: Any) -> Any:
        run = RecordedCall(function, arguments, argnums, keywords, has_aux)
        if sparse:
            run.refuse_differentiation("jacobian")
        rows = run.rows()
        for output, (start, end) in zip(run.outputs, pairwise(rows.ends), strict=True):
            run.check([output], rows.entries[start:end])
        if sparse:
            found = run.sparse(rows)
        else:
            trees = run.like_both(run.output_structure, run.full(rows))
            found = unflatten(run.output_structure, [_one_or_all(argnums, tree) for tree in trees])
        return (found, run.auxiliary()) if has_aux else found

    return _with_signature(differentiated, function)


@overload
def hessian(function: Callable[..., Any], argnums: Literal[0] = 0, *, sparse: Literal[False] = False) -> Hessian: ...
@overload
def hessian(
    function: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    sparse: bool = False,
    argnum: Argnums | None = None,
    has_aux: bool = False,
) -> Callable[..., Any]: ...
def hessian(
    function: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    sparse: bool = False,
    argnum: Argnums | None = None,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """Make a function that returns all second derivatives of a function whose result is one number.

    It is reverse mode over reverse mode. Each row takes one pass over the graph of one component of the gradient, and
    costs as much as the part of the function on which that component depends. So for a sum of small terms the cost
    grows with the number of non-zeros.

    Args:
        function: takes numbers, or trees of them.
        argnums: the position of the argument to differentiate with respect to, or several; negative from the end.
        sparse: whether to return a sparse matrix.
        argnum: another name for argnums.
        has_aux: whether the function returns a pair of one number and an auxiliary result of any kind.

    Returns:
        A function of the same arguments. It returns the Jacobian, as `jacobian` has it, of the gradient, as `grad` has
        it: for a list of numbers, a list of lists, and for an array, an array whose shape is that of the argument
        twice; if sparse, one `scipy.sparse.csr_array`. If the function has an auxiliary result, it returns the pair of
        these and that.

    Raises:
        ImportError: when called, if it is to be sparse and SciPy is not installed.
        TypeError: when called, if the result is not one number; or if it is to be sparse and another transformation
            around it differentiates it.
        ValueError: when called, if it is to be sparse and `argnums` names an argument twice.
    """
    argnums = _chosen(argnums, argnum)

    @_records
    def differentiated(*arguments: Any, **keywords: Any) -> Any:
        run = RecordedCall(function, arguments, argnums, keywords, has_aux)
        output = run.scalar("hessian")
        if sparse:
            run.refuse_differentiation("hessian")
        kept: Kept = {}
        firsts = [as_value(first) for first in run.pull({output: 1.0}, recorded=True, kept=kept)]
        rows = pull_each(Tape(*firsts, since=run.since), firsts, run.inputs, run.recorded, kept)
        run.check([output], rows.entries)
        if sparse:
            found = run.sparse(rows)
        else:
            trees = run.like_both(run.input_structure, run.full(rows))
            found = run.in_order(unflatten(run.input_structure, [_one_or_all(argnums, tree) for tree in trees]))
            found = _one_or_all(argnums, found)
        return (found, run.auxiliary()) if has_aux else found

    return _with_signature(differentiated, function)


@overload
def hvp(function: OfNumber, primals: tuple[float], tangents: Sequence[float]) -> float: ...
@overload
def hvp(function: OfNumber, primals: tuple[Value | float], tangents: Sequence[Value | float]) -> Value: ...
@overload
def hvp(function: OfNumber, primals: tuple[Floats], tangents: Sequence[Floats]) -> list[float]: ...
@overload
def hvp(function: OfNumber, primals: tuple[Values], tangents: Sequence[Values | Floats]) -> list[Value]: ...
@overload
def hvp(function: OfNumber, primals: tuple[float, float], tangents: tuple[float, float]) -> tuple[float, float]: ...
@overload
def hvp(function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any: ...
@_records
def hvp(function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Compute the Hessian of a function times a direction, by forward mode over reverse mode, without the Hessian.

    It goes through the graph of the gradient once. If the product is recorded, it adds about two nodes for each node of
    that graph.

    Args:
        function: takes numbers, or trees of them, and returns one number.
        primals: its arguments.
        tangents: for each argument the direction, in the same tree.

    Returns:
        The product as a tree like the argument, or a tuple of trees if there are several arguments.

    Raises:
        TypeError: if the result is not one number.
        ValueError: if the tangents do not have as many numbers as the primals.
    """
    run = RecordedCall(function, primals, range(len(primals)))
    output = run.scalar("hvp")
    firsts = [as_value(first) for first in run.pull({output: 1.0}, recorded=True)]
    direction = _direction(run, tangents)
    pushed = push(Tape(*firsts, since=run.since), firsts, direction, run.recorded)
    run.check([output], pushed)
    products = run.like_inputs([run.finished(tangent) for tangent in pushed])
    return products[0] if len(products) == 1 else products


def stop_gradient(tree: TreeT) -> TreeT:
    """Return a number, or a tree of them, as constants: no gradient flows through it.

    It returns constants, as `Value.detach` does, instead of nodes of the primitive `stop_gradient`, which keep their
    parents. In a compiled function it returns such nodes, since their numbers change from call to call.
    """
    numbers, structure = flat(tree, Value)
    detached: TreeT = nested(structure, [n.detach() if isinstance(n, Value) else n for n in numbers])
    return detached
