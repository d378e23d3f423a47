"""`functional_call`: a module called with other numbers in place of its parameters, as a function of them.

>>> from autograd import grad
>>> from nn.modules import MLP
>>> network = MLP(2, [1], bias=None)
>>> grad(lambda weights: functional_call(network, weights, [3.0, 4.0]))([0.5, 0.25])
[3.0, 4.0]
"""

from __future__ import annotations

import copy
import itertools
import operator
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, TypeAlias

from autograd import Constant, Value
from autograd.floats import as_float
from nn.parameters import is_module, is_parameter, stand_ins

Change: TypeAlias = tuple[dict[str, Any], str, Any, Any]  # attributes, the name of one, what is there before and during

_replacing = threading.RLock()  # two calls of one module must not restore its attributes in another order


def functional_call(module: Callable[..., Any], parameters: Any, *inputs: Any, **keywords: Any) -> Any:
    """Call a module with other numbers in place of its parameters, which stay as they are.

    The result is a function of the numbers that are given, so that `grad` and `compile` take it as one. It is what
    `torch.func.functional_call` is for PyTorch. Until the call ends, also by an exception, the attributes of the module
    and of the modules within it hold these numbers; meanwhile other threads must not use the module but by this
    function, which lets one of them call at a time.

    Args:
        module: a network or any other module.
        parameters: a number or a Value for each parameter: a list or an array of one dimension in the order of
            `module.parameters()`; or a dict by name, as `named_parameters` has them, or by the parameters themselves,
            where those that are missing keep their own number.
        inputs: the arguments of the module.
        keywords: those with a name.

    Returns:
        What the module returns.

    Raises:
        ValueError: if a name is unknown, or a list has not one number for each parameter.
        TypeError: if something given is no number.
    """
    with _replacing:
        given = _by_parameter(module, parameters)
        changes, added = _changes(module, given), set(itertools.filterfalse(is_parameter, given.values()))
        try:
            try:
                stand_ins.update(added)
                for attributes, name, _, during in changes:
                    attributes[name] = during
                return module(*inputs, **keywords)
            finally:
                _restore(changes, added)
        finally:  # again, since an interrupt may come before the first one is done
            _restore(changes, added)


def _by_parameter(module: Any, parameters: Any) -> Mapping[Value, Value]:
    """Return what takes the place of each parameter."""
    if isinstance(parameters, Mapping):
        if _are_values(parameters) and _are_values(parameters.values()):
            return parameters
        own, numbers = list(parameters), list(parameters.values())
        if not _are_values(own):
            names: dict[Any, Value] = dict(module.named_parameters())
            unknown = sorted({name for name in own if not isinstance(name, Value)} - names.keys())
            if unknown:
                raise ValueError(
                    f"there is no parameter {', '.join(unknown[:3])} in the module; take the names from "
                    f"named_parameters()"
                )
            own = [names.get(name, name) for name in own]
    else:
        own, numbers = module.parameters(), list(parameters)
        if len(numbers) != len(own):
            raise ValueError(
                f"the module has {len(own)} parameters, and {len(numbers)} numbers were given; give one for each, in "
                f"the order of parameters(), or a dict by name"
            )
    if not _are_values(numbers):
        numbers = [number if isinstance(number, Value) else Constant(as_float(number)) for number in numbers]
    return dict(zip(own, numbers, strict=True))


def _are_values(things: Iterable[Any]) -> bool:
    return all(issubclass(kind, Value) for kind in set(map(type, things)))


def _restore(changes: Sequence[Change], added: set[Value]) -> None:
    stand_ins.difference_update(added)
    for attributes, name, before, _ in changes:
        attributes[name] = before


def _changes(module: object, given: Mapping[Value, Value]) -> list[Change]:
    """List the attributes, of a module and of those within it, that hold what is to be replaced."""
    seen: dict[int, object] = {id(module): module}  # what takes the place of each module and collection
    modules = [module]

    def swapped(thing: Any) -> Any:
        if isinstance(thing, Value):
            return given.get(thing, thing)
        if id(thing) in seen:
            return seen[id(thing)]
        if is_module(thing):
            modules.append(thing)
            seen[id(thing)] = thing
            return thing
        is_array = getattr(getattr(thing, "dtype", None), "hasobject", False)
        if not (is_array or isinstance(thing, list | tuple | deque | Mapping | Set)):
            return thing
        seen[id(thing)] = thing
        parts = list(thing.values() if isinstance(thing, Mapping) else thing.flat if is_array else thing)
        others = list(map(given.get, parts, parts) if _are_values(parts) else map(swapped, parts))
        if not all(map(operator.is_, parts, others)):
            seen[id(thing)] = _refilled(thing, others)
        return seen[id(thing)]

    changes: list[Change] = []
    for owner in modules:  # which grows meanwhile
        for name, before in vars(owner).items():
            during = swapped(before)
            if during is not before:
                changes.append((vars(owner), name, before, during))
    return changes


def _refilled(collection: Any, parts: list[Any]) -> Any:
    """Return a collection of the same kind that holds other things."""
    if isinstance(collection, tuple):
        return tuple.__new__(type(collection), parts)
    if isinstance(collection, frozenset):
        return frozenset(parts)
    made = copy.copy(collection)
    if isinstance(collection, Mapping):
        made.update(zip(collection, parts, strict=True))
    elif isinstance(collection, Set | deque):
        made.clear()
        made.update(parts) if isinstance(collection, Set) else made.extend(parts)
    elif isinstance(collection, list):
        made[:] = parts
    else:
        made.flat[:] = parts
    return made
