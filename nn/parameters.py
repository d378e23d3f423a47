"""`Module`: whatever holds parameters, and how they are found, named, saved, summed up and shown.

>>> class Line(Module):
...     def __init__(self):
...         self.slope, self.offset = Value(2.0), Value(-1.0)
...     def __call__(self, x):
...         return self.slope * x + self.offset
>>> Line().state_dict()
{'slope': 2.0, 'offset': -1.0}
"""

from __future__ import annotations

import contextlib
import html
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from autograd import Constant, Value
from autograd.floats import as_float
from nn.calls import Instead

if TYPE_CHECKING:
    from typing_extensions import Self

DISPLAYED_LINES = 100  # of a summary in a notebook

stand_ins: set[Value] = set()  # what stands for parameters during a `functional_call`


class Module:
    """A part of a network: whatever holds parameters, itself or in other modules.

    A parameter is a leaf of a graph that training changes: a `Parameter`, or a plain `Value` that is not the result of
    an operation. A leaf that must not learn is a `Constant`.

    Parameters are found in the attributes, and in lists, tuples, deques, sets, dicts and arrays there; nothing needs to
    be registered. A parameter that is used several times counts once, under the first of its names. In a set, where
    there is no order, each parameter needs a label of its own.

    Attributes:
        setting_names: of the attributes that decide what the module computes, besides parameters: they are saved with
            the network and compared when it is loaded. Their values must be strings, numbers, booleans or None.
        training: whether the module computes as in training, where `Dropout` computes something else; False at first.
    """

    setting_names: tuple[str, ...] = ()
    training: bool = False

    if not TYPE_CHECKING:  # else a class could not define them
        predict = Instead("network(inputs), which gives Values; network(inputs).data is the number of a single one")
        fit = Instead("nn.fit(network, cases), where cases are pairs (inputs, target), of X and y list(zip(X, y))")
        save = Instead("nn.save_network(network, 'network.json')")
        load = Instead("nn.load_network('network.json')")

    def __call__(self, inputs: Any) -> Any:
        """Compute what the module does from its inputs; a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define what it computes: define __call__")

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield each parameter with its path, such as `layers.0.neurons.1.weights.0`; no two paths are the same."""
        for path, thing in within(self):
            if isinstance(thing, Value):
                yield path, thing

    def parameters(self) -> list[Value]:
        """Return every parameter, each once."""
        return [thing for _, _, thing in _found(self) if isinstance(thing, Value)]

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return what else decides on the results, such as activation functions: for each module by its path."""
        modules = [(path, thing) for path, thing in within(self) if isinstance(thing, Module)]
        found = {path: {name: getattr(module, name) for name in module.setting_names} for path, module in modules}
        return {path: settings for path, settings in found.items() if settings}

    def train(self, mode: bool = True) -> Self:
        """Let this module and all within it compute as in training, until `eval()`. `fit` does so by itself.

        Args:
            mode: False for the same as `eval()`.

        Returns:
            This module.
        """
        set_training(modules_of(self), bool(mode))
        return self

    def eval(self) -> Self:
        """Let this module and all within it compute as outside training, and return it."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, before the next `backward()` adds to them."""
        for parameter in self.parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, float]:
        """Return the number of each parameter, by its path."""
        return {path: parameter.data for path, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Give each parameter the number that stands under its path; all of them, or none if one does not fit.

        Args:
            state: numbers by path, as from `state_dict` of a module of the same form.

        Raises:
            ValueError: if a parameter is missing, or there is one too many.
            TypeError: if one is not a number.
        """
        parameters = dict(self.named_parameters())
        missing, unknown = sorted(parameters.keys() - state.keys()), sorted(state.keys() - parameters.keys())
        if missing or unknown:
            raise ValueError(
                f"these parameters are of a network of another form: {len(missing)} missing {missing[:3]}, "
                f"{len(unknown)} unknown {unknown[:3]}; load them into a network built like the one they are from"
            )
        numbers = {path: as_float(state[path]) for path in parameters}
        for path, parameter in parameters.items():
            parameter.data = numbers[path]

    def summary(self) -> str:
        """Describe the module and its parts, each once and on a line, with the numbers of their parameters."""
        return "\n".join(self._summary_lines(set()))

    def __repr__(self) -> str:
        try:
            return f"<{self._caption()}>"
        except Exception:  # a module that is half made is shown too
            return f"<{type(self).__name__}>"

    def _repr_html_(self) -> str | None:
        """Return the picture, where there is one, and the summary for a notebook; None where there can be none."""
        try:
            lines = list(itertools.islice(self._summary_lines(set()), DISPLAYED_LINES + 1))
            if len(lines) > DISPLAYED_LINES:
                lines[-1] = "…"
            return f"{self._picture()}<pre>{html.escape(chr(10).join(lines))}</pre>"
        except Exception:  # an exception in a display would fail the whole notebook; the repr is shown instead
            return None

    def _arguments(self) -> dict[str, Any]:
        """Return the arguments that build such a module, but for its numbers; a file holds them."""
        raise NotImplementedError

    def _picture(self) -> str:
        """Return the picture as HTML; nothing where a module has none."""
        return ""

    def _caption(self) -> str:
        """Return the module in a few words."""
        return self._heading()

    def _summary_lines(self, seen: set[int]) -> Iterator[str]:
        seen.add(id(self))
        yield self._heading()
        for attribute in vars(self).values():
            for _, part in _items(attribute) or [("", attribute)]:
                if isinstance(part, Module) and id(part) not in seen:
                    yield from ("  " + line for line in part._summary_lines(seen))

    def _heading(self) -> str:
        """Return the module's line in a summary."""
        return f"{type(self).__name__}: {counted(len(self.parameters()), 'parameter')}"


def counted(count: int, noun: str) -> str:
    """Return a number of things in words: `1 neuron`, `2 neurons`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def is_parameter(thing: object) -> bool:
    """Return whether something is a leaf that training may change, or a Value that stands for one."""
    return isinstance(thing, Value) and (
        (thing.primitive is None and not isinstance(thing, Constant)) or thing in stand_ins
    )


def is_module(thing: object) -> bool:
    """Return whether something is a `Module`, or an object of a class of one's own with the method `parameters`."""
    return isinstance(thing, Module) or (
        hasattr(thing, "__dict__") and callable(getattr(type(thing), "parameters", None))
    )


def modules_of(root: object) -> list[Module]:
    """Return every `Module` within a module or an object of a class of one's own, each once, itself if it is one."""
    return [thing for _, _, thing in _found(root, are_modules=True) if isinstance(thing, Module)]


def set_training(modules: Iterable[Module], mode: bool) -> None:
    """Let modules compute as in training or not, unless one has another use for the attribute `training`."""
    for module in modules:
        if isinstance(module.training, bool):
            vars(module)["training"] = mode


@contextlib.contextmanager
def training_mode(modules: Sequence[Module], mode: bool) -> Iterator[None]:
    """Let modules compute as in training or not in a block, and as before it afterwards."""
    before = [module.training for module in modules]
    try:
        set_training(modules, mode)
        yield
    finally:
        try:
            _restore_training(modules, before)
        finally:  # again, since an interrupt may come before the first one is done
            _restore_training(modules, before)


def _restore_training(modules: Sequence[Module], before: Sequence[bool]) -> None:
    for module, mode in zip(modules, before, strict=True):
        set_training([module], mode)


def within(root: Module) -> Iterator[tuple[str, Value | Module]]:
    """Yield a module and every module and parameter within it, each once, with the path that leads to it.

    Two things of the same path, which keys of dicts can lead to, get `(2)`, `(3)`, … behind it.
    """
    taken: set[str] = set()
    for prefix, name, thing in _found(root):
        path = unique = f"{prefix}{name}"
        for count in itertools.count(2):
            if unique not in taken:
                break
            unique = f"{path}({count})"
        taken.add(unique)
        yield unique, thing


def _found(root: object, are_modules: bool = False) -> Iterator[tuple[str, object, Value | Module]]:
    """Yield a module and all modules and parameters within it, each once, after the path it stands in and its name.

    Of modules alone, which takes a fraction of the time, if `are_modules`.
    """
    values: set[Value] = set()
    seen: dict[int, object] = {}  # by id; it keeps them alive, so that no other thing gets it
    waiting: list[tuple[str, Iterator[tuple[object, object]]]] = [("", iter([("", root)]))]
    while waiting:
        prefix, items = waiting[-1]
        for name, thing in items:
            if isinstance(thing, Value):
                if not are_modules and thing not in values:
                    values.add(thing)
                    if is_parameter(thing):
                        yield prefix, name, thing
                continue
            if id(thing) in seen:
                continue
            seen[id(thing)] = thing
            if isinstance(thing, Module):
                yield prefix, name, thing
            is_searched = isinstance(thing, Module) or (are_modules and is_module(thing))
            within = _items(vars(thing) if is_searched else thing, are_modules)
            if within:
                waiting.append((f"{prefix}{name}." if thing is not root else "", iter(within)))
                break
        else:
            waiting.pop()


def _items(thing: object, are_modules: bool = False) -> Iterable[tuple[object, object]]:
    """Return what a collection holds, with names; no Values of a set if `are_modules`."""
    if isinstance(thing, Mapping):
        return list(thing.items())
    if isinstance(thing, list | tuple | deque):
        return enumerate(tuple(thing))
    if isinstance(thing, Set):
        members = [item for item in thing if not isinstance(item, Value) or (is_parameter(item) and not are_modules)]
        labels = [item.label if isinstance(item, Value) else None for item in members]
        if any(isinstance(item, Value | Module) for item in members):
            if None in labels or len(set(labels)) < len(labels):
                raise TypeError(
                    "a set has no order to name its parameters by: give each a label of its own, or use a list"
                )
            return sorted(zip(labels, members, strict=True), key=lambda pair: str(pair[0]))
    if hasattr(type(thing), "dtype") and getattr(thing.dtype, "hasobject", False):  # type: ignore[attr-defined]  # a NumPy array of Values
        return enumerate(getattr(thing, "flat", ()))
    return ()
