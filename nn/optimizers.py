"""How the gradients change the parameters: a `step()` after each `backward()`.

>>> weight = Value(1.0)
>>> optimizer = SGD([weight], learning_rate=0.5)
>>> (weight * weight).backward()
>>> optimizer.step()
>>> weight.data
0.0
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

from autograd import Value
from autograd.floats import as_float
from autograd.primitives import divide, sqrt, where  # of floats they give floats
from autograd.saving import finite_number, shortened
from nn.calls import check_call, warn
from nn.parameters import counted, is_parameter

Rule: TypeAlias = Callable[..., tuple[Any, ...]]  # of a number, its gradient and its memory: the new number and memory

STATE = ("parameters", "memory", "steps", "missed", "_made")  # the attributes that are not settings


class Update(NamedTuple):
    """What a step changes: the new numbers of the parameters, the new memory, and the number of steps then."""

    numbers: Any  # a list of floats; in a compiled training an array
    memory: Any  # a list of such lists; likewise
    steps: int
    missed: Any  # a list of integers; likewise


class Optimizer:
    """What all optimizers share. A subclass defines `_rule`; it may set attributes of its own in its `__init__`.

    A subclass whose step looks at all gradients at once defines `_moves` instead, which a compiled training cannot run.

    A parameter that no gradient reached (its `has_grad` is False) takes no step: it and what is remembered for it stay
    as they are, whatever the momentum and the weight decay, as in PyTorch.

    Args:
        parameters: what to change: leaves of a graph, such as `network.parameters()`.
        learning_rate: the size of a step; it may be assigned between steps.
        memory: how many numbers the optimizer remembers for each parameter.

    Attributes:
        steps: how many steps were taken.
        memory: the remembered numbers: rows of one number for each parameter.
        missed: for each parameter, how many of the steps no gradient reached it in.

    Raises:
        ValueError: for no parameters, or a setting that is out of its range; also when one is assigned.
        TypeError: if the parameters are not a list of leaves.
        AttributeError: when an attribute is assigned that the optimizer does not have.
    """

    learning_rate: float
    _made: ClassVar[bool] = False  # whether `__init__` is done; then of the object
    _ranges: ClassVar[Mapping[str, tuple[float, float]]] = {  # of settings: from the first number to below the second
        "learning_rate": (0.0, math.inf),
        "momentum": (0.0, 1.0),
        "betas": (0.0, 1.0),
        "epsilon": (0.0, math.inf),
        "weight_decay": (0.0, math.inf),
    }
    _squares: ClassVar[int | None] = None  # which row of the memory holds means of squares

    def __init__(self, parameters: Iterable[Value], learning_rate: float, memory: int) -> None:
        self.parameters = _checked_parameters(type(self).__name__, parameters)
        self.learning_rate = learning_rate
        self.steps = 0
        self.memory = [[0.0] * len(self.parameters) for _ in range(memory)]
        self.missed = [0] * len(self.parameters)

    def __init_subclass__(cls) -> None:
        """Check the arguments of a subclass's `__init__`, and note when it is done: then no attribute can be added."""
        super().__init_subclass__()
        if "__init__" in vars(cls):
            make = cls.__init__

            @functools.wraps(make)
            def noted(self: Optimizer, *arguments: Any, **settings: Any) -> None:
                is_outermost = type(self).__init__ is noted
                if is_outermost:
                    kind = type(self)
                    check_call(kind, arguments, settings, f"{kind.__name__}(network.parameters(), learning_rate=0.1)")
                make(self, *arguments, **settings)
                if is_outermost:
                    vars(self)["_made"] = True

            cls.__init__ = noted  # type: ignore[method-assign]  # it does what the method does

    if not TYPE_CHECKING:  # a type checker that sees these accepts any name

        def __setattr__(self, name: str, value: object) -> None:
            if self._made and name not in vars(self) and not hasattr(type(self), name):
                raise AttributeError(_unknown_attribute(self, name))
            super().__setattr__(name, _checked(name, value, self._ranges) if name in self._ranges else value)

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(_unknown_attribute(self, name))

    def step(self) -> None:
        """Change every parameter by its gradient; warn if no gradient has reached any, as before a `backward()`.

        An interrupt is raised before all changes or after them.
        """
        if not any(parameter.has_grad for parameter in self.parameters):
            warn(
                f"{type(self).__name__}.step() changes nothing: no gradient has reached any of its "
                f"{counted(len(self.parameters), 'parameter')}; in each round write zero_grad(), then backward() of "
                f"the error, then step()"
            )
        self.apply(self.update())

    def update(self) -> Update:
        """Compute what the next step would change; nothing is changed yet."""
        reached = [parameter.has_grad for parameter in self.parameters]
        numbers, memory = self._moves([parameter.grad for parameter in self.parameters])
        missed = self.missed
        if not all(reached):
            rows = [[parameter.data for parameter in self.parameters], *self.memory]
            numbers, *memory = [
                [new if has else old for has, old, new in zip(reached, *pair, strict=True)]
                for pair in zip(rows, [numbers, *memory], strict=True)
            ]
            missed = [count + (not has) for count, has in zip(missed, reached, strict=True)]
        return Update(numbers, memory, self.steps + 1, missed)

    def apply(self, update: Update) -> None:
        """Make the changes of a step. An interrupt is raised after them. Making them twice has no further effect."""
        try:
            self._assign(update)
        except KeyboardInterrupt:
            self._assign(update)
            raise

    def zero_grad(self) -> None:
        """Forget the gradients, before the next `backward()` adds to them."""
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Return the settings of the optimizer and what it remembers from step to step.

        Of an optimizer of one's own, settings are its attributes that are numbers, text, None, or lists of them.
        """
        settings = {}
        for name, value in self.settings().items():
            with contextlib.suppress(TypeError):
                settings[name] = _plain(value)
        return {
            "kind": type(self).__name__,
            "settings": settings,
            "steps": self.steps,
            "memory": [list(row) for row in self.memory],
            "missed": list(self.missed),
        }

    def settings(self) -> dict[str, Any]:
        """Return what decides on a step besides the state, such as `learning_rate`, by the names of the attributes."""
        return {name: value for name, value in vars(self).items() if name not in STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the settings of another optimizer of the same kind, and what it remembers.

        Args:
            state: as from `state_dict`. Settings that it lacks stay as they are.

        Raises:
            ValueError: if it is damaged, of another kind, or for another number of parameters. Nothing is changed then.
        """
        state = self.checked_state(state)
        vars(self).update(state.pop("settings"))
        del state["kind"]
        vars(self).update(state)

    def checked_state(self, state: object) -> dict[str, Any]:
        """Return a state as from `state_dict`; raise a ValueError if it does not fit this optimizer."""
        damaged = "the state of the optimizer is damaged: "
        if not isinstance(state, Mapping) or not isinstance(state.get("memory"), list):
            raise ValueError(f"{damaged}{shortened(state)}")
        unknown = state.keys() - {"kind", "settings", "steps", "memory", "missed"}
        if unknown:
            raise ValueError(f"{damaged}it holds {shortened(sorted(map(str, unknown)))}, which no optimizer has")
        kind, steps, memory = state.get("kind"), state.get("steps"), state["memory"]
        if kind != type(self).__name__:
            raise ValueError(
                f"the state is of the optimizer {shortened(kind)}, not of {type(self).__name__}; go on with the kind "
                f"of optimizer that saved it"
            )
        if type(steps) is not int or not 0 <= steps < 2**53:
            raise ValueError(f"{damaged}its number of steps is {shortened(steps)}")
        if [len(row) if isinstance(row, list) else None for row in memory] != [len(row) for row in self.memory]:
            raise ValueError(f"the state of the optimizer is not one of {len(self.parameters)} parameters")
        try:
            memory = [[finite_number(number) for number in row] for row in memory]
            if self._squares is not None and min(memory[self._squares]) < 0.0:
                raise ValueError(f"{min(memory[self._squares])} is not the mean of a square")
            settings = self._checked_settings(state.get("settings", {}))
        except ValueError as error:
            raise ValueError(f"{damaged}{error}") from None
        missed = state.get("missed", self.missed)
        if not isinstance(missed, list) or len(missed) != len(self.parameters):
            raise ValueError(f"{damaged}its steps without a gradient are {shortened(missed)}")
        for count in missed:
            if type(count) is not int or not 0 <= count <= steps:
                raise ValueError(f"{damaged}a parameter has {shortened(count)} of {steps} steps without a gradient")
        return {"kind": kind, "settings": settings, "steps": steps, "memory": memory, "missed": list(missed)}

    def _checked_settings(self, saved: object) -> dict[str, Any]:
        """Return the settings of a state; raise a ValueError if this optimizer has no such."""
        if not isinstance(saved, Mapping):
            raise ValueError(f"its settings are {shortened(saved)}")
        settings, here = {}, self.settings()
        for name, value in saved.items():
            if name not in here:
                raise ValueError(f"{type(self).__name__} has no setting {shortened(name)}")
            try:
                is_checked = name in self._ranges
                settings[name] = _checked(name, value, self._ranges) if is_checked else _like(here[name], value)
            except (TypeError, OverflowError) as error:
                raise ValueError(f"its setting {name}: {error}") from None
        return settings

    def _assign(self, update: Update) -> None:
        for parameter, number in zip(self.parameters, update.numbers, strict=True):
            parameter.data = number
        vars(self).update(memory=update.memory, steps=update.steps, missed=update.missed)  # without checks

    def _moves(self, grads: list[float]) -> tuple[list[float], list[list[float]]]:
        """Compute the new number of each parameter, and the new memory."""
        numbers = [parameter.data for parameter in self.parameters]
        rows = numbers, grads, *self.memory
        moves: Iterable[tuple[Any, ...]]
        if any(self.missed):
            rules = {missed: self._rule_at(self.steps - missed, self.learning_rate) for missed in set(self.missed)}
            moves = (rules[missed](*row) for missed, *row in zip(self.missed, *rows, strict=True))
        else:
            moves = map(self._rule(), *rows)
        moved, *memory = map(list, zip(*moves, strict=True))
        return moved, memory

    def _rule_at(self, steps: Any, learning_rate: Any) -> Rule:
        """Return the rule with other numbers in place of these, which may be Values."""
        stand_in = copy.copy(self)
        vars(stand_in).update(learning_rate=learning_rate, steps=steps)  # without the checks of an assignment
        return stand_in._rule()

    def _rule(self) -> Rule:
        """Return the step of one parameter: a function of its number, its gradient and its memory.

        A compiled training records it with Values for these, `learning_rate` and `steps`, so it cannot decide by them.
        """
        raise NotImplementedError


class SGD(Optimizer):
    """Gradient descent, with momentum and weight decay: g ← g + λ w, v ← μ v + g, then w ← w − η v.

    This is PyTorch's form of momentum (Polyak 1964). The weight decay is part of the gradient, as if ½ λ w² were added
    to the error.

    Args:
        parameters: what to change.
        learning_rate: η.
        momentum: μ, from 0 (none) to below 1.
        weight_decay: λ, at least 0.

    Raises:
        ValueError: if one of them is out of its range.
    """

    def __init__(
        self, parameters: Iterable[Value], learning_rate: float, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, learning_rate, memory=1)
        self.momentum = momentum
        self.weight_decay = weight_decay

    def _rule(self) -> Rule:
        rate, momentum, weight_decay = self.learning_rate, self.momentum, self.weight_decay

        def moved(number: Any, grad: Any, velocity: Any) -> tuple[Any, ...]:
            if weight_decay:
                grad = grad + weight_decay * number
            velocity = momentum * velocity + grad if momentum else grad
            return number - rate * velocity, velocity

        return moved


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square (Kingma and Ba 2015, as at the end of section 2).

    Args:
        parameters: what to change.
        learning_rate: about how far a parameter moves in one step.
        betas: how slowly the two means forget, each from 0 to below 1.
        epsilon: keeps the division from one by zero.

    Raises:
        ValueError: if one of them is out of its range.
    """

    _squares = 1

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(parameters, learning_rate, memory=2)
        self.betas = betas
        self.epsilon = epsilon

    def _rule(self) -> Rule:
        (beta1, beta2), count, rate, epsilon = self.betas, self.steps + 1, self.learning_rate, self.epsilon
        of_first, of_second = 1.0 - beta1**count, _root(1.0 - beta2**count)  # both means began at 0
        step, least, decay = rate * of_second / of_first, epsilon * of_second, vars(self).get("weight_decay", 0.0)
        kept = 1.0 - rate * decay if decay else 1.0

        def moved(number: Any, grad: Any, first: Any, second: Any) -> tuple[Any, ...]:
            first = beta1 * first + (1.0 - beta1) * grad
            second = beta2 * second + (1.0 - beta2) * (grad * grad)
            return number * kept - step * _ratio(first, _root(second) + least, epsilon), first, second

        return moved


class AdamW(Adam):
    """Adam with weight decay that is kept apart from the gradient (Loshchilov and Hutter 2019).

    Args:
        parameters, learning_rate, betas, epsilon: as for `Adam`.
        weight_decay: the share of itself, times the learning rate, that a parameter loses in each step.

    Raises:
        ValueError: if one of them is out of its range.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, learning_rate, betas, epsilon)
        self.weight_decay = weight_decay


class RMSprop(Optimizer):
    """Steps scaled by a running mean of the square of the gradient (Hinton 2012), in the form of PyTorch.

    With g ← g + λ w it is s ← α s + (1 − α) g², then v ← μ v + g / (√s + ε), then w ← w − η v, from s = v = 0. There is
    no centred form.

    Args:
        parameters: what to change.
        learning_rate: η, about how far a parameter moves in one step, where its gradients are of one size.
        alpha: α, how slowly the mean forgets, from 0 to below 1; `rho` in Keras.
        epsilon: ε, which keeps the division from one by zero.
        momentum: μ, from 0 (none) to below 1.
        weight_decay: λ, at least 0.

    Raises:
        ValueError: if one of them is out of its range.
    """

    _ranges: ClassVar = {**Optimizer._ranges, "alpha": (0.0, 1.0)}
    _squares = 0

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.01,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate, memory=2)
        self.alpha = alpha
        self.epsilon = epsilon
        self.momentum = momentum
        self.weight_decay = weight_decay

    def _rule(self) -> Rule:
        rate, alpha, epsilon = self.learning_rate, self.alpha, self.epsilon
        momentum, weight_decay = self.momentum, self.weight_decay

        def moved(number: Any, grad: Any, square: Any, velocity: Any) -> tuple[Any, ...]:
            if weight_decay:
                grad = grad + weight_decay * number
            square = alpha * square + (1.0 - alpha) * (grad * grad)
            ratio = _ratio(grad, _root(square) + epsilon, epsilon)
            velocity = momentum * velocity + ratio if momentum else ratio
            return number - rate * velocity, square, velocity

        return moved


def _ratio(number: Any, size: Any, epsilon: float) -> Any:
    """Return a number over the size of the gradients; without epsilon 0 where every gradient was."""
    return number / size if epsilon else where(size, divide(number, size), 0.0)


def _root(number: Any) -> Any:
    return math.sqrt(number) if type(number) is float else sqrt(number)  # for floats it is four times faster


def _checked(name: str, number: Any, ranges: Mapping[str, tuple[float, float]]) -> Any:
    """Return the value of a setting, if it is in its range."""
    if name == "betas":
        pair = list(number) if isinstance(number, Iterable) else []
        if len(pair) != 2:
            raise TypeError(f"the betas are a pair of numbers, such as (0.9, 0.999), got {shortened(number)}")
        return _in_range("first beta", pair[0], *ranges[name]), _in_range("second beta", pair[1], *ranges[name])
    number = _in_range(name.replace("_", " "), number, *ranges[name])
    if name == "learning_rate" and number == 0.0:
        raise ValueError("the learning rate must be greater than 0, got 0.0")
    return number


def _plain(setting: object) -> Any:
    """Return a setting as a file can hold it; raise a TypeError if it is not a number, text, None or a list."""
    if isinstance(setting, list | tuple):
        return [*map(_plain, setting)]
    if setting is None or type(setting) in (bool, int, str):
        return setting
    number = as_float(setting)
    return number if math.isfinite(number) else repr(number)


def _like(here: object, saved: object) -> Any:
    """Return a setting of one's own from a file, if it is of the same kind as here; else raise a TypeError."""
    if type(here) is float and saved in ("inf", "-inf", "nan"):
        return float(saved)
    if isinstance(here, tuple) and isinstance(saved, list):
        return tuple(saved)
    numbers = (int, float)
    if here is None or saved is None or type(here) is type(saved) or (type(here) in numbers and type(saved) in numbers):
        return saved
    raise TypeError(f"it is {shortened(saved)}, here {shortened(here)}")


def _in_range(words: str, number: float, least: float, below: float) -> float:
    number = as_float(number)
    if not least <= number < below:
        raise ValueError(f"the {words} must be at least {least:g} and below {below:g}, got {number}")
    return number


def _checked_parameters(kind: str, parameters: object) -> list[Value]:
    remedy = f"give it the parameters, as in {kind}(network.parameters(), …)"
    if callable(getattr(parameters, "parameters", None)):
        raise TypeError(f"{kind} got a network, {shortened(parameters)}; {remedy}")
    if not isinstance(parameters, Iterable):
        raise TypeError(f"{kind} needs a list of parameters to change, got {shortened(parameters)}; {remedy}")
    found = list(parameters)
    if not found:
        raise ValueError(
            f"{kind} needs at least one parameter to change, got none; {remedy}, of a network that has Parameters or "
            f"Values in its attributes"
        )
    for thing in found:
        if not is_parameter(thing):
            what = "the result of an operation, " if getattr(thing, "primitive", None) is not None else ""
            raise TypeError(
                f"{kind} changes leaves of a graph, Parameters and Values, got {what}{shortened(thing)} of type "
                f"{type(thing).__name__}; {remedy}"
            )
    return found


def _unknown_attribute(optimizer: Optimizer, name: str) -> str:
    kind = type(optimizer)
    settings = [setting for setting in inspect.signature(kind).parameters if setting != "parameters"]
    return (
        f"{kind.__name__} has no attribute {name!r}; its settings are {', '.join(settings)}, of which learning_rate is "
        f"the size of a step"
    )
