"""Errors for wrong arguments, which suggest the correct call; warnings that name the line of the user's program.

>>> @explained("scaled(number, factor=2.0)")
... def scaled(number: float, *, factor: float) -> float:
...     return number * factor
>>> scaled(1.0, fctor=3.0)
Traceback (most recent call last):
  ...
TypeError: scaled got fctor=3.0: it takes no such argument; write factor=3.0. It takes number, and by name factor
"""

from __future__ import annotations

import difflib
import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, ParamSpec, TypeVar

from autograd.saving import shortened

P = ParamSpec("P")
ResultT = TypeVar("ResultT")

OTHER_NAMES = {  # of arguments that other libraries have, and that of a parameter, where there is one of this name
    "lr": "learning_rate",
    "eps": "epsilon",
    "epochs": "rounds",
    "criterion": "loss",
    "loss_fn": "loss",
    "p": "rate",
    "rho": "alpha",
    "validation_fraction": "validation_split",
}

OTHER_LIBRARIES = {  # what they have in `nn`, and what to write
    "Linear": "nn.Layer(inputs, outputs, activation=None)",
    "Sequential": 'nn.MLP(2, [4, 1], "tanh"), or a class made from nn.Module',
    "ModuleList": "a list: a Module finds the parameters in it",
    **{name: f'activation="{name.lower()}" of nn.MLP, nn.Layer or nn.Neuron' for name in ("ReLU", "Tanh", "Sigmoid")},
    "Softmax": "loss=nn.softmax_cross_entropy, which includes it",
    "MSELoss": "nn.mean_squared_error, which is a function of outputs and targets",
    "BCELoss": "nn.binary_cross_entropy, which takes logits: outputs before a sigmoid",
    "BCEWithLogitsLoss": "nn.binary_cross_entropy, which is a function of logits and targets",
    "CrossEntropyLoss": "nn.softmax_cross_entropy, which is a function of logits and a target",
    "optim": "nn.SGD, nn.Adam, nn.AdamW or nn.RMSprop",
}


def explained(example: str) -> Callable[[Callable[P, ResultT]], Callable[P, ResultT]]:
    """Let a function say what to write instead of a call that its parameters do not fit; type checkers see no change.

    Args:
        example: what to write, where no other name of an argument is meant.
    """

    def decorate(function: Callable[P, ResultT]) -> Callable[P, ResultT]:
        @functools.wraps(function)
        def checked(*arguments: P.args, **settings: P.kwargs) -> ResultT:
            try:
                return function(*arguments, **settings)
            except TypeError:
                check_call(function, arguments, settings, example)
                raise

        return checked

    return decorate


def check_call(
    function: Callable[..., Any], arguments: Sequence[Any], settings: Mapping[str, Any], example: str
) -> None:
    """Raise a TypeError with the correct call if arguments do not fit the parameters of a function or a class.

    Of `__init__` and `__call__` the first argument is the object, and the message names its class.
    """
    called = function.__name__
    if arguments and called in ("__init__", "__call__"):
        called = function.__qualname__.split(".")[-2]
        function, arguments = function.__get__(arguments[0]), arguments[1:]
    signature = inspect.signature(function)
    try:
        signature.bind(*arguments, **settings)
    except TypeError as error:
        reason = str(error)
    else:
        return
    unknown = [name for name in settings if name not in signature.parameters]
    if unknown:
        reason = "it takes no such argument"
        free = [name for name in signature.parameters if name not in settings]
        meant = {name: _meant(name, free) for name in unknown}
        if all(meant.values()):
            example = ", ".join(_written(name, str(meant[name]), settings[name]) for name in unknown)
    given = [] if unknown else [*map(shortened, arguments)]
    given += [f"{name}={shortened(settings[name])}" for name in unknown or settings]
    shown = " ".join(", ".join(given).split()) or "no argument"  # on one line, also arrays
    by_position: list[str] = []
    by_name: list[str] = []
    for name, parameter in signature.parameters.items():
        (by_name if parameter.kind is parameter.KEYWORD_ONLY else by_position).append(name)
    taken = ", and by name ".join(", ".join(names) for names in (by_position, by_name) if names)
    raise TypeError(f"{called} got {shown}: {reason}; write {example}. It takes {taken}") from None


class Instead:
    """A name that other libraries have: reading it raises an AttributeError that says what to write."""

    def __init__(self, remedy: str) -> None:
        self.remedy = remedy

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__} has no attribute {self.name!r}: write {self.remedy}")


def warn(message: str) -> None:
    """Warn at the line outside of this package that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("autograd", "nn"):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def _written(name: str, meant: str, given: object) -> str:
    """Return an argument by the name that is meant."""
    is_list = name == f"{meant}s" and isinstance(given, list | tuple)
    return f"{meant}=…, with a single {meant} and no list" if is_list else f"{meant}={shortened(given)}"


def _meant(name: str, free: Sequence[str]) -> str | None:
    """Return the parameter that another name stands for, among those that are not given."""
    if OTHER_NAMES.get(name) in free:
        return OTHER_NAMES[name]
    return next(iter(difflib.get_close_matches(name, free, 1, 0.85)), None)
