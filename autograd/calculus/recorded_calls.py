"""One call of a function of numbers, recorded: what every derivative of a function starts from.

>>> run = Recording(lambda point: point["x"] * point["y"], [{"x": 2.0, "y": 3.0}], [0])
>>> run.outputs, run.like_inputs(run.pull({run.outputs[0]: 1.0}, recorded=False))
([Value(6.0)], ({'x': 3.0, 'y': 2.0},))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from autograd.calculus.reverse_and_forward import Number, as_value, pull
from autograd.floats import as_float
from autograd.modes import is_recording_program
from autograd.tape import Tape
from autograd.value import Value

# The inputs of the transformations that are under way around this one: a result that depends on one of them is going to
# be differentiated again.
_live: ContextVar[tuple[Value, ...]] = ContextVar("live", default=())


def is_differentiated(leaves: Sequence[Value]) -> bool:
    """Whether a transformation that is under way around this call differentiates by one of some leaves."""
    around = _live.get()
    return bool(around) and bool(leaves) and not set(leaves).isdisjoint(Tape(*around).nodes)


class Recording:
    """One call of a function, recorded.

    Attributes:
        inputs: new nodes, one for each number to differentiate by, also where arguments are the same Value.
        outputs: the numbers of its result.
        recorded: whether its derivatives are to be differentiated again.
    """

    def __init__(self, function: Callable[..., Any], arguments: Sequence[Any], argnums: Sequence[int]) -> None:
        for index in argnums:
            if not -len(arguments) <= index < len(arguments):
                raise TypeError(f"there is no argument {index} to differentiate by: {len(arguments)} were given")
        indices = [index % len(arguments) for index in argnums]
        flat = [flatten(arguments[index]) for index in indices]
        self.rebuild_input = [rebuild for _, rebuild in flat]
        self.counts = [len(numbers) for numbers, _ in flat]
        given = [number for numbers, _ in flat for number in numbers]
        self.inputs = [number * 1.0 if isinstance(number, Value) else Value(as_float(number)) for number in given]
        values = iter(self.inputs)
        new = list(arguments)
        for index, (numbers, rebuild) in zip(indices, flat, strict=True):
            new[index] = rebuild([next(values) for _ in numbers])
        around = _live.get()
        token = _live.set((*around, *self.inputs))
        try:
            result = function(*new)
        finally:
            _live.reset(token)
        outputs, self.rebuild_output = flatten(result)
        self.outputs = [as_value(output if isinstance(output, Value) else as_float(output)) for output in outputs]
        self.tape = Tape(*self.outputs)
        self.recorded = (
            is_recording_program()
            or any(isinstance(number, Value) for number in given)
            or (bool(around) and not set(around).isdisjoint(self.tape.nodes))
        )

    def scalar(self, name: str) -> Value:
        """The one number of the result; a TypeError in the name of a transformation if there are more, or none."""
        if len(self.outputs) != 1:
            raise TypeError(
                f"{name} needs a function with one number as its result, got {len(self.outputs)}; use jacobian"
            )
        return self.outputs[0]

    def result(self) -> Any:
        """The result of the function: Values where it is differentiated again, floats elsewhere."""
        return self.rebuild_output([self.finished(output) for output in self.outputs])

    def finished(self, number: Number) -> Number:
        """A number as it is given to the caller: a Value where it is differentiated again, a float elsewhere."""
        if self.recorded:
            return as_value(number)
        return number.data if isinstance(number, Value) else number

    def like_inputs(self, numbers: Sequence[Any]) -> tuple[Any, ...]:
        """Numbers in the nesting of the arguments."""
        rest = iter(numbers)
        pairs = zip(self.rebuild_input, self.counts, strict=True)
        return tuple([rebuild([next(rest) for _ in range(count)]) for rebuild, count in pairs])

    def pull(self, seeds: Mapping[Value, Number], recorded: bool) -> list[Number]:
        """The gradients of the inputs, from those of some outputs."""
        grads = pull(self.tape, self.inputs, seeds, recorded)
        return [grads.get(node, 0.0) for node in self.inputs]


def flatten(tree: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """The numbers of a nesting of lists, tuples, dicts and arrays, and what rebuilds the nesting around others."""
    if isinstance(tree, Mapping):
        keys, parts = list(tree), [flatten(tree[key]) for key in tree]
    elif isinstance(tree, list | tuple):
        keys, parts = None, [flatten(part) for part in tree]
    elif hasattr(tree, "tolist") and getattr(tree, "shape", None):  # an array
        return tree.ravel().tolist(), lambda numbers: _array(numbers, tree.shape)
    else:
        return [tree], lambda numbers: numbers[0]

    def rebuild(numbers: Sequence[Any]) -> Any:
        rebuilt, start = [], 0
        for leaves, rebuild_part in parts:
            rebuilt.append(rebuild_part(numbers[start : start + len(leaves)]))
            start += len(leaves)
        if keys is not None:
            return dict(zip(keys, rebuilt, strict=True))
        if hasattr(tree, "_fields"):
            return type(tree)(*rebuilt)
        return tuple(rebuilt) if isinstance(tree, tuple) else rebuilt

    return [leaf for leaves, _ in parts for leaf in leaves], rebuild


def _array(numbers: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """An array of floats; of objects, if not all are floats; or of both shapes, if all are arrays of one shape."""
    import numpy

    if numbers and all(type(number) is numpy.ndarray and number.shape == numbers[0].shape for number in numbers):
        return numpy.stack(numbers).reshape(*shape, *numbers[0].shape)
    if all(type(number) is float for number in numbers):
        return numpy.array(numbers).reshape(shape)
    array = numpy.empty(len(numbers), object)
    array[:] = numbers
    return array.reshape(shape)
