"""`compile`: a function recorded once, and then run at the speed of C.

>>> from autograd import grad, sin
>>> slope = compile(grad(lambda x: x * sin(x)))
>>> slope(0.5) == grad(lambda x: x * sin(x))(0.5)
True
>>> slope.repeat(100, 1.0)          # x becomes the slope at x, a hundred times
1.3065423741887985
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from autograd.value import Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from autograd.programs.program import Program
    from autograd.programs.recorded import Recorded

    Floats = NDArray[np.float64]

__all__ = ["compile"]


class Compiled:
    """A function that is recorded as a program at its first call, and run as such; made by `compile`."""

    def __init__(self, function: Callable[..., Any], static_argnums: Sequence[int]) -> None:
        functools.update_wrapper(self, function)
        self.function, self.static = function, frozenset(static_argnums)
        self._programs: dict[Hashable, Recorded] = {}
        self._last: Recorded | None = None  # of the last call with positional arguments
        self._fast: dict[int, Any] = {}  # for so many floats as arguments, what runs them

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """The result of the function.

        Args:
            arguments: numbers, and lists, tuples, dicts and NumPy arrays of them. With a Value among them the function
                itself is called, so that its result is part of the graph.
            keywords: the same.

        Returns:
            What the function returns, with floats instead of Values, and float64 arrays instead of arrays of them.

        Raises:
            TypeError: if the function cannot be recorded; the message says what it did, on which line, and what to
                write instead.
        """
        for argument in arguments:
            if type(argument) is not float:
                return self._call(arguments, keywords)
        fast = None if keywords else self._fast.get(len(arguments))
        if fast is None:
            return self._call(arguments, keywords)
        return fast(arguments)

    def _call(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        last = self._last
        if last is not None and not keywords:
            numbers = last.room()
            if last.takes(arguments, numbers):  # as most calls do
                return self._run(last, numbers, arguments, keywords)
        if _has_value(arguments) or _has_value(tuple(keywords.values())):
            return self.function(*arguments, **keywords)
        from autograd.programs.nesting import NUMBER, flat

        recorded, parts = self._recorded(arguments, keywords)
        result = self._run(recorded, flat(parts), arguments, keywords)
        if not keywords and not self.static:
            self._last = recorded
            is_plain = all(type(argument) is float for argument in arguments)
            if is_plain and recorded.form is NUMBER and not recorded.captured and arguments:
                self._fast[len(arguments)] = functools.partial(self._call_floats, recorded, recorded.code())
        return result

    def _run(self, recorded: Recorded, numbers: Floats, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        import numpy as np

        from autograd.programs.nesting import rebuilt_from

        code = recorded.code()
        outputs = np.empty(len(code.outputs))
        runner = recorded.runner(code)
        try:
            is_finite = runner.call(recorded.inputs(numbers), outputs)
        finally:
            recorded.release(runner)
        if not is_finite:
            self._run_eagerly(arguments, keywords)
        return rebuilt_from(recorded.form, outputs)

    def _call_floats(self, recorded: Recorded, code: Any, arguments: tuple[float, ...]) -> float:
        """The call of a function of floats with one number as its result."""
        runner = recorded.runner(code)
        result: float = runner.call_floats(arguments)
        recorded.release(runner)
        if result - result != 0.0:  # infinite, or nan
            self._run_eagerly(arguments, {})
        return result

    def batch(
        self,
        *arguments: Any,
        over: int | Sequence[int] | None = None,
        reduce: Literal["mean", "sum", "each"] = "mean",
    ) -> Any:
        """The results for many examples, computed side by side.

        Args:
            arguments: those of the function; of the arguments in `over`, arrays or lists with one entry for each
                example.
            over: the numbers of the arguments that differ from example to example, counted from 0; all of them when not
                given.
            reduce: what to give: the mean of the results over the examples, their sum, or each.

        Returns:
            The result of the function with, for each number, its mean or its sum; or an array with one entry for each
            example. Examples are added one after another, in their order.

        Raises:
            ValueError: if there are no examples, or not as many in each argument.
            TypeError: as for a call.
        """
        import numpy as np

        from autograd.programs.nesting import flat, form_of, rebuilt_from, size_of

        if reduce not in ("mean", "sum", "each"):
            raise ValueError(f"reduce must be 'mean', 'sum' or 'each', got {reduce!r}")
        varying = self._places("over", over, len(arguments))
        forms: list[Any] = []
        uniform: list[Any] = []
        parts: list[Floats] = []
        varies: list[bool] = []
        for place, argument in enumerate(arguments):
            if place in self.static:
                forms.append(("static", argument))
            elif place in varying:
                form, arrays = _examples(argument, place)
                forms.append(form)
                parts += arrays
                varies += [True] * size_of(form)
            else:
                forms.append(form_of(argument, uniform))
                varies += [False] * size_of(forms[-1])
        counts = {len(part) for part in parts}
        if len(counts) != 1 or not all(counts):
            raise ValueError(
                f"a batch needs as many examples in each argument of over={sorted(varying)}, and at least one; got "
                f"{sorted(counts) or 'none'}"
            )
        (count,) = counts
        recorded = self._record(forms, {})
        code = recorded.code(tuple(varies), totals=reduce != "each")
        inputs = recorded.inputs(flat(uniform))
        outputs = np.empty((count if reduce == "each" else 1, len(code.outputs)))
        if code.output_varies.any():
            runner = recorded.runner(code, count)
            try:
                runner.batch(inputs, parts, None, outputs)
            finally:
                recorded.release(runner)
        else:  # no example matters
            runner = recorded.runner(code)
            runner.call(inputs, outputs[0])
            outputs[:] = outputs[0]
        if reduce == "each":
            return rebuilt_from(recorded.form, outputs, count)
        if reduce == "mean":
            outputs[0, code.output_varies] /= count
        else:
            outputs[0, ~code.output_varies] *= count
        return rebuilt_from(recorded.form, outputs[0])

    def repeat(self, times: int, *state: Any, each: Sequence[Any] = ()) -> Any:
        """Call the function again and again, its results as the next arguments, without Python between the calls.

        Args:
            times: how often.
            state: the arguments of the first call. The function gives what takes their place in the next one, in the
                same nesting: one result for one argument, a tuple of them for several. More results than arguments are
                a record.
            each: further arguments, which follow the state: arrays or lists with one entry for each call.

        Returns:
            The state after the last call, followed by each record as an array with one entry for each call. One state
            without records is given as it is, not in a tuple. After Ctrl-C it is the state after the last whole call,
            with a RuntimeWarning.

        Raises:
            ValueError: if the results do not have the form of the state, or `each` has not enough entries.
            TypeError: as for a call.
        """
        import operator

        import numpy as np

        from autograd.programs.nesting import NUMBER, Array, Nested, flat, form_of, rebuilt_from, size_of

        times = operator.index(times)
        if times < 0:
            raise ValueError(f"times must be at least 0, got {times}")
        numbers: list[Any] = []
        forms = [form_of(argument, numbers) for argument in state]
        start = flat(numbers)
        rows: list[Floats] = []
        each_forms = []
        for place, argument in enumerate(each):
            form, arrays = _examples(argument, len(state) + place)
            each_forms.append(form)
            rows += arrays
            for array in arrays:
                if len(array) < times:
                    raise ValueError(f"each needs {times} entries, one for each call; entry {place} has {len(array)}")
        recorded = self._record([*forms, *each_forms], {})
        result = recorded.form
        if len(forms) == 1 and result == forms[0]:
            found, is_bare = (result,), True
        else:
            found, is_bare = _entries(result), False
        if list(found[: len(forms)]) != forms:
            raise ValueError(
                f"repeat needs a function whose results have the form of the state, {_shown(forms)}, and may have "
                f"records after them; its result has the form {_shown([result])}"
            )
        size = len(start)
        code = recorded.code()
        inputs = recorded.inputs(np.concatenate([start, np.zeros(sum(map(size_of, each_forms)))]))
        sequence = np.ascontiguousarray(np.concatenate([array[:times] for array in rows], axis=1)) if rows else np.empty((times, 0))
        records = np.empty((times, len(code.outputs) - size))
        runner = recorded.runner(code)
        try:
            done, is_interrupted = runner.repeat(times, inputs, size, sequence, records)
        finally:
            recorded.release(runner)
        if is_interrupted:
            warnings.warn(f"repeat was interrupted after {done} of {times} calls", RuntimeWarning, stacklevel=2)
        results = []
        at = 0
        for form in forms:
            results.append(rebuilt_from(form, inputs[at : at + size_of(form)]))
            at += size_of(form)
        at = 0
        for form in found[len(forms) :]:
            end = at + size_of(form)
            results.append(rebuilt_from(form, records[:done, at:end], done))
            at = end
        return results[0] if is_bare else tuple(results)

    def program(self, *arguments: Any, **keywords: Any) -> Program:
        """The program that a call with these arguments runs, before it is lowered."""
        return self._recorded(arguments, keywords)[0].program

    def __repr__(self) -> str:
        return f"<compiled {getattr(self.function, '__name__', repr(self.function))}>"

    def _places(self, name: str, given: int | Sequence[int] | None, count: int) -> set[int]:
        if given is None:
            return set(range(count)) - self.static
        places = {given} if isinstance(given, int) else set(given)
        for place in places:
            if not -count <= place < count:
                raise ValueError(f"there is no argument {place} as in {name}={given}: {count} were given")
        return {place % count for place in places}

    def _recorded(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Recorded, list[Any]]:
        from autograd.programs.nesting import form_of

        numbers: list[Any] = []
        forms = [
            ("static", argument) if place in self.static else form_of(argument, numbers)
            for place, argument in enumerate(arguments)
        ]
        named = {name: form_of(argument, numbers) for name, argument in keywords.items()}
        return self._record(forms, named), numbers

    def _record(self, forms: list[Any], keywords: dict[str, Any]) -> Recorded:
        key = (tuple(forms), tuple(keywords.items()))
        try:
            recorded = self._programs.get(key)
        except TypeError:
            raise TypeError("a static argument must be hashable, such as a number, a string or a tuple") from None
        if recorded is None:
            from autograd.programs.recorded import Recorded

            recorded = self._programs[key] = Recorded(self.function, forms, keywords)
        return recorded

    def _run_eagerly(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Run the function with Values, after a result that is not finite: the engine's error says what happened."""
        from autograd.programs.nesting import form_of, rebuilt

        def as_values(argument: Any) -> Any:
            numbers: list[Any] = []
            form = form_of(argument, numbers)
            plain = [x for part in numbers for x in (part.tolist() if hasattr(part, "tolist") else [part])]
            return rebuilt(form, map(Value, plain))

        values = [x if place in self.static else as_values(x) for place, x in enumerate(arguments)]
        self.function(*values, **{name: as_values(argument) for name, argument in keywords.items()})


def compile(function: Callable[..., Any], *, static_argnums: int | Sequence[int] = ()) -> Compiled:
    """Record a function once for each form of its arguments, and run what was recorded as a program.

    The function is called with Values, once. What it computes with them is recorded, lowered to a few groups of equal
    instructions, and from then on run by loops in C. The results have the bits of the eager engine (the sign of a zero
    apart). Leaves that the function refers to, such as the parameters of a network, are read anew at each call.

    A function that decides by a number, or reads `v.data`, cannot be recorded: an error names the line. While it is
    recorded, IEEE 754 holds, so that an error in a branch that `where` does not choose raises nothing.

    Args:
        function: of numbers, and lists, tuples, dicts and NumPy arrays of them; also one that `grad`, `value_and_grad`
            or `hessian` made. An array reaches it as an array of Values.
        static_argnums: the arguments that are no numbers to compute with, but decide on what is computed, such as a
            count; the function is recorded for each of their values.

    Returns:
        A `Compiled` function, with the methods `batch`, `repeat` and `program`.
    """
    if not callable(function):
        raise TypeError(f"compile needs a function, got {function!r:.80} of type {type(function).__name__}")
    if isinstance(function, Compiled):
        return function
    return Compiled(function, [static_argnums] if isinstance(static_argnums, int) else static_argnums)


def _has_value(arguments: tuple[Any, ...]) -> bool:
    """Whether there is a Value in some arguments."""
    for argument in arguments:
        if isinstance(argument, Value):
            return True
        if isinstance(argument, list | tuple) and _has_value(tuple(argument)):
            return True
        if isinstance(argument, dict) and _has_value(tuple(argument.values())):
            return True
        if getattr(argument, "dtype", None) == object and _has_value(tuple(argument.ravel())):
            return True
    return False


def _examples(argument: Any, place: int) -> tuple[Any, list[Floats]]:
    """The form of one example, and the numbers of all of them as arrays of one row for each example."""
    import numpy as np

    from autograd.programs.nesting import NUMBER, Array, Nested

    if isinstance(argument, dict):
        pairs = [_examples(part, place) for part in argument.values()]
        form = Nested(type(argument), tuple(argument), tuple([form for form, _ in pairs]))
        return form, [array for _, arrays in pairs for array in arrays]
    if isinstance(argument, tuple):
        pairs = [_examples(part, place) for part in argument]
        return Nested(type(argument), None, tuple([form for form, _ in pairs])), [a for _, arrays in pairs for a in arrays]
    try:
        array = np.ascontiguousarray(argument, np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"argument {place} must be an array with one entry for each example, or a tuple or dict of such arrays, got "
            f"{argument!r:.80} of type {type(argument).__name__}"
        ) from None
    if not array.shape or getattr(argument, "shape", None) == ():
        raise TypeError(f"argument {place} must be an array with one entry for each example, got {argument!r:.80}")
    rows = array.reshape(len(array), -1) if array.size else array.reshape(len(array), 0)
    return (NUMBER if array.ndim == 1 else Array(array.shape[1:])), [rows]


def _entries(form: Any) -> tuple[Any, ...]:
    """The forms of the entries of a tuple or a list."""
    from autograd.programs.nesting import NUMBER, Floats, Nested

    if isinstance(form, Nested) and form.keys is None:
        return form.parts
    if isinstance(form, Floats):
        return (NUMBER,) * form.count
    return (form,)


def _shown(forms: Sequence[Any]) -> str:
    return ", ".join(map(str, forms))
