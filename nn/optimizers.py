"""How the gradients change the parameters: a `step()` after each `backward()`.

>>> weight = Value(1.0)
>>> optimizer = SGD([weight], learning_rate=0.5)
>>> (weight * weight).backward()
>>> optimizer.step()
>>> weight.data
0.0
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

from autograd import Value
from autograd.floats import as_float
from autograd.primitives import divide, sqrt, where  # of floats they give floats
from autograd.saving import finite_number, shortened
from nn.calls import check_call
from nn.parameters import is_parameter

RANGES = {  # of each setting: from the first number to below the second
    "learning_rate": (0.0, math.inf),
    "momentum": (0.0, 1.0),
    "epsilon": (0.0, math.inf),
    "weight_decay": (0.0, math.inf),
}

Rule: TypeAlias = Callable[..., tuple[Any, ...]]  # of a number, its gradient and its memory: the new number and memory


class Update(NamedTuple):
    """What a step changes: the new numbers of the parameters, the new memory, and the number of steps then."""

    numbers: Any  # a list of floats; in a compiled training an array
    memory: Any  # a list of such lists; likewise
    steps: int


class Optimizer:
    """What all optimizers share. A subclass defines `_rule`; it may set attributes of its own in its `__init__`.

    A subclass whose step looks at all gradients at once defines `_moves` instead, which a compiled training cannot run.

    Args:
        parameters: what to change: leaves of a graph, such as `network.parameters()`.
        learning_rate: the size of a step; it may be assigned between steps.
        memory: how many numbers the optimizer remembers for each parameter.

    Attributes:
        steps: how many steps were taken.
        memory: the remembered numbers: rows of one number for each parameter.

    Raises:
        ValueError: for no parameters, or a learning rate that is not positive and finite; also when one is assigned.
        TypeError: if the parameters are no list of leaves.
        AttributeError: when an attribute is assigned that the optimizer does not have.
    """

    learning_rate: float
    _made: ClassVar[bool] = False  # whether `__init__` is done; then of the object

    def __init__(self, parameters: Iterable[Value], learning_rate: float, memory: int) -> None:
        self.parameters = _checked_parameters(type(self).__name__, parameters)
        self.learning_rate = learning_rate
        self.steps = 0
        self.memory = [[0.0] * len(self.parameters) for _ in range(memory)]

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
            super().__setattr__(name, _checked(name, value) if name in (*RANGES, "betas") else value)

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(_unknown_attribute(self, name))

    def step(self) -> None:
        """Change every parameter by its gradient. An interrupt is raised before all changes or after them."""
        self.apply(self.update())

    def update(self) -> Update:
        """Compute what the next step would change; nothing is changed yet."""
        numbers, memory = self._moves([parameter.grad for parameter in self.parameters])
        return Update(numbers, memory, self.steps + 1)

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
        """Return what the optimizer remembers from step to step, as numbers and lists."""
        return {"kind": type(self).__name__, "steps": self.steps, "memory": [list(row) for row in self.memory]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what another optimizer of the same kind remembers.

        Args:
            state: as from `state_dict`.

        Raises:
            ValueError: if it is damaged, of another kind, or for another number of parameters. Nothing is changed then.
        """
        state = self.checked_state(state)
        self.steps, self.memory = state["steps"], state["memory"]

    def checked_state(self, state: object) -> dict[str, Any]:
        """Return a state as from `state_dict`; raise a ValueError if it is none of this optimizer."""
        damaged = "the state of the optimizer is damaged: "
        if not isinstance(state, Mapping) or not isinstance(state.get("memory"), list):
            raise ValueError(f"{damaged}{shortened(state)}")
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
            self._check_memory(memory)
        except ValueError as error:
            raise ValueError(f"{damaged}{error}") from None
        return {"kind": kind, "steps": steps, "memory": memory}

    def _assign(self, update: Update) -> None:
        for parameter, number in zip(self.parameters, update.numbers, strict=True):
            parameter.data = number
        vars(self).update(memory=update.memory, steps=update.steps)  # without the checks of an assignment

    def _moves(self, grads: list[float]) -> tuple[list[float], list[list[float]]]:
        """Compute the new number of each parameter, and the new memory."""
        numbers = [parameter.data for parameter in self.parameters]
        moved, *memory = map(list, zip(*map(self._rule(), numbers, grads, *self.memory), strict=True))
        return moved, memory

    def _rule(self) -> Rule:
        """Return the step of one parameter: a function of its number, its gradient and its memory.

        A compiled training records it with Values for these, `learning_rate` and `steps`, so it cannot decide by them.
        """
        raise NotImplementedError

    def _check_memory(self, memory: list[list[float]]) -> None:
        """Raise a ValueError if the numbers cannot be the memory of such an optimizer."""


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
            size = _root(second) + least
            ratio = first / size if epsilon else where(size, divide(first, size), 0.0)  # 0 where every gradient was
            return number * kept - step * ratio, first, second

        return moved

    def _check_memory(self, memory: list[list[float]]) -> None:
        if min(memory[1]) < 0.0:
            raise ValueError(f"{min(memory[1])} is not the mean of a square")


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


def _root(number: Any) -> Any:
    return math.sqrt(number) if type(number) is float else sqrt(number)  # for floats it is four times faster


def _checked(name: str, number: Any) -> Any:
    """Return the value of a setting, if it is in its range."""
    if name == "betas":
        pair = list(number) if isinstance(number, Iterable) else []
        if len(pair) != 2:
            raise TypeError(f"the betas are a pair of numbers, such as (0.9, 0.999), got {shortened(number)}")
        return _in_range("first beta", pair[0], 0.0, 1.0), _in_range("second beta", pair[1], 0.0, 1.0)
    number = _in_range(name.replace("_", " "), number, *RANGES[name])
    if name == "learning_rate" and number == 0.0:
        raise ValueError("the learning rate must be greater than 0, got 0.0")
    return number


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
