"""Networks of neurons: each weight and bias a `Parameter`, each neuron a few nodes of the graph.

>>> network = MLP(2, [3, 1], generator=random.Random(1))
>>> score = network([1.0, -2.0])
>>> score.backward()
>>> len(network.parameters()), network.layers[0].neurons[2].weights[1].label
(13, 'w6')
"""

from __future__ import annotations

import itertools
import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Generic, Literal

from autograd import Constant, Drawing, Parameter, Value, dot
from autograd.floats import as_float
from autograd.primitives import PRIMITIVES
from autograd.views.drawing import draw_layers

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # whose variables have a default, before Python 3.13 too

    OutputsT = TypeVar("OutputsT", Value, list[Value], default=Value)
else:
    from typing import TypeVar

    OutputsT = TypeVar("OutputsT", Value, list[Value])

Bias = Literal["per-neuron", "shared"] | None

ACTIVATIONS: dict[str, Callable[[Value], Value]] = {  # the method of Value where there is one, which is faster
    **{name: getattr(Value, name, row) for name, row in PRIMITIVES.items() if row.arity == 1},
    "leaky_relu": Value.leaky_relu,
}
SUMMARY_WEIGHTS = 8  # of a neuron that a summary shows
DRAWN_BIASES = 4  # that get a circle of their own in a drawing


class Module:
    """A part of a network: whatever holds parameters, itself or in other modules.

    Parameters are found in the attributes, and in lists, tuples, deques, sets and dicts there; nothing needs to be
    registered. A parameter that is used several times counts once, under the first of its names. In a set, where there
    is no order, each parameter needs a label of its own.

    Attributes:
        setting_names: of the attributes that decide what the module computes, besides parameters: they are saved with
            the network and compared when it is loaded. Their values must be strings, numbers, booleans or None.
    """

    setting_names: tuple[str, ...] = ()

    def __call__(self, inputs: Any) -> Any:
        """What the module computes from its inputs; a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define what it computes: define __call__")

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Each parameter with its path, such as `layers.0.neurons.1.weights.0`; no two paths are the same."""
        for path, thing in _within(self):
            if isinstance(thing, Parameter):
                yield path, thing

    def parameters(self) -> list[Parameter]:
        """Every parameter, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    def settings(self) -> dict[str, dict[str, Any]]:
        """What else decides what the network computes, such as activation functions: for each module by its path."""
        modules = [(path, thing) for path, thing in _within(self) if isinstance(thing, Module)]
        found = {path: {name: getattr(module, name) for name in module.setting_names} for path, module in modules}
        return {path: settings for path, settings in found.items() if settings}

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters, before the next `backward()` adds to them."""
        for parameter in self.parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, float]:
        """The number of each parameter, by its path."""
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
        """The module and its parts, each once and on a line, with the numbers of their parameters."""
        return "\n".join(self._summary_lines(set()))

    def _summary_lines(self, seen: set[int]) -> Iterator[str]:
        seen.add(id(self))
        yield self._heading()
        for part in _parts(vars(self)):
            if isinstance(part, Module) and id(part) not in seen:
                yield from ("  " + line for line in part._summary_lines(seen))

    def _heading(self) -> str:
        return f"{type(self).__name__}: {_counted(len(self.parameters()), 'parameter')}"


class Neuron(Module):
    """A weighted sum of the inputs, plus a bias, through an activation function.

    Args:
        inputs: how many inputs it takes.
        activation: the name of a function of the table, such as "sigmoid", "tanh" or "relu"; None for none.
        bias: whether it has a bias; or a parameter to use as bias, which other neurons may share.
        generator: where the initial numbers come from; a fresh `random.Random()` when not given. As in PyTorch's
            `Linear`, they are uniform between -1/√inputs and 1/√inputs.
        name: names the neuron's nodes in the graph, as in `net_h1` and `out_h1`.

    Raises:
        ValueError: for less than one input, or an activation that is not in the table.
    """

    setting_names = ("activation",)

    def __init__(
        self,
        inputs: int,
        activation: str | None = "relu",
        bias: bool | Parameter = True,
        generator: random.Random | None = None,
        name: str | None = None,
    ) -> None:
        if inputs < 1:
            raise ValueError(f"a neuron needs at least one input, got {inputs}")
        if activation is not None and activation not in ACTIVATIONS:
            raise ValueError(
                f"unknown activation {activation!r}: choose None or one of {', '.join(sorted(ACTIVATIONS))}"
            )
        generator = generator or random.Random()
        self.name = name
        self.activation = activation
        self.weights = [Parameter(_initial(generator, inputs)) for _ in range(inputs)]
        self.bias = Parameter(_initial(generator, inputs)) if bias is True else bias or None

    def net(self, inputs: Sequence[Value | float]) -> Value:
        """The weighted sum of the inputs plus the bias, before the activation."""
        net = dot(self.weights, inputs)
        if self.bias is not None:
            net = net + self.bias
        net.label = f"net_{self.name}" if self.name else None
        return net

    def __call__(self, inputs: Sequence[Value | float]) -> Value:
        """The output of the neuron.

        Raises:
            ValueError: if the number of inputs is not the neuron's.
        """
        net = self.net(inputs)
        if self.activation is None:
            return net
        out = ACTIVATIONS[self.activation](net)
        out.label = f"out_{self.name}" if self.name else None
        return out

    def _heading(self) -> str:
        shown = self.weights[:SUMMARY_WEIGHTS]
        words = [f"{weight.label or 'w'} = {weight.data:.9g}" for weight in shown]
        if len(shown) < len(self.weights):
            words.append(f"… {len(self.weights) - len(shown)} more weights")
        if self.bias is not None:
            words.append(f"{self.bias.label or 'b'} = {self.bias.data:.9g}")
        return f"{self.name or 'neuron'}: {', '.join(words)}"


class Layer(Module):
    """Neurons side by side, all with the same inputs.

    Args:
        inputs: how many inputs each neuron takes.
        outputs: how many neurons there are.
        activation: as for a `Neuron`.
        bias: "per-neuron", "shared" (one for the whole layer), or None.
        generator: where the initial numbers come from.
        names: a name for each neuron.

    Raises:
        ValueError: for less than one input or output, or an unknown activation or kind of bias.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        activation: str | None = "relu",
        bias: Bias = "per-neuron",
        generator: random.Random | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        if outputs < 1:
            raise ValueError(f"a layer needs at least one neuron, got {outputs}")
        if bias not in ("per-neuron", "shared", None):
            raise ValueError(f"unknown kind of bias {bias!r}: choose 'per-neuron', 'shared' or None")
        generator = generator or random.Random()
        self.bias = Parameter(_initial(generator, max(inputs, 1))) if bias == "shared" else None
        self.neurons = [
            Neuron(inputs, activation, self.bias or bias == "per-neuron", generator, names[index] if names else None)
            for index in range(outputs)
        ]

    @property
    def biases(self) -> list[Parameter]:
        """The biases of the layer, each once."""
        return list(dict.fromkeys(neuron.bias for neuron in self.neurons if neuron.bias is not None))

    def __call__(self, inputs: Sequence[Value | float]) -> list[Value]:
        """The outputs of the neurons.

        Raises:
            ValueError: if the number of inputs is not the layer's.
        """
        return [neuron(inputs) for neuron in self.neurons]

    def _heading(self) -> str:
        return f"{_counted(len(self.neurons), 'neuron')}, {self.neurons[0].activation or 'linear'}"


class MLP(Module, Generic[OutputsT]):
    """A multi-layer perceptron: a sequence of layers, each the input of the next.

    Weights are labelled w1, w2, … and biases b1, b2, … through the whole network, neurons h1, h2, … (h1.1, h2.1, … in
    several hidden layers) and o1, o2, …: for a 2-2-2 network these are the names of Mazur's article.

    A type checker takes an `MLP` for one with one output. `MLP[list[Value]]` is the type of one with several.

    Args:
        inputs: how many inputs the network takes.
        sizes: how many neurons each layer has, the output layer last.
        activation: of the hidden layers, as for a `Neuron`.
        output_activation: of the output layer; None for the plain weighted sum.
        bias: "per-neuron", "shared" (one a layer), or None.
        generator: where the initial numbers come from.

    Raises:
        ValueError: for no layer, or as for a `Layer`.
    """

    def __init__(
        self,
        inputs: int,
        sizes: Sequence[int],
        activation: str | None = "relu",
        output_activation: str | None = None,
        bias: Bias = "per-neuron",
        generator: random.Random | None = None,
    ) -> None:
        if not sizes:
            raise ValueError("a network needs at least one layer: give the number of neurons of each, as in [16, 1]")
        generator = generator or random.Random()
        self.inputs = inputs
        self.layers = []
        for depth, (fan_in, size) in enumerate(zip([inputs, *sizes], sizes, strict=False)):
            is_output = depth == len(sizes) - 1
            prefix = "o" if is_output else "h" if len(sizes) <= 2 else f"h{depth + 1}."
            names = [f"{prefix}{index + 1}" for index in range(size)]
            function = output_activation if is_output else activation
            self.layers.append(Layer(fan_in, size, function, bias, generator, names))
        neurons = [neuron for layer in self.layers for neuron in layer.neurons]
        for number, weight in enumerate((weight for neuron in neurons for weight in neuron.weights), start=1):
            weight.label = f"w{number}"
        for number, parameter in enumerate((bias for layer in self.layers for bias in layer.biases), start=1):
            parameter.label = f"b{number}"

    def forward(self, inputs: Sequence[Value | float]) -> list[Value]:
        """Compute the outputs, as a list however many there are; a plain number becomes a labelled constant.

        Raises:
            ValueError: if the number of inputs is not the network's.
        """
        if len(inputs) != self.inputs:
            raise ValueError(f"this network takes {_counted(self.inputs, 'input')}, got {len(inputs)}")
        signals: Sequence[Value | float] = [
            x if isinstance(x, Value) else Constant(x, f"i{index}") for index, x in enumerate(inputs, start=1)
        ]
        for layer in self.layers:
            signals = layer(signals)
        return list(signals)  # type: ignore[arg-type]  # a layer gives Values

    def __call__(self, inputs: Sequence[Value | float]) -> OutputsT:
        """The list of outputs; of a network with one output, that output itself.

        Raises:
            ValueError: if the number of inputs is not the network's.
        """
        outputs = self.forward(inputs)
        return outputs[0] if len(outputs) == 1 else outputs  # type: ignore[return-value]  # as many as there are

    @property
    def clusters(self) -> dict[str, tuple[str, str]]:
        """A frame around each neuron and each layer, for `autograd.draw(…, clusters=network.clusters)`."""
        titles = [f"hidden layer {depth + 1}" for depth in range(len(self.layers) - 1)] + ["output layer"]
        if len(self.layers) == 2:
            titles[0] = "hidden layer"
        return {
            f"{node}_{neuron.name}": (title, str(neuron.name))
            for title, layer in zip(titles, self.layers, strict=True)
            for neuron in layer.neurons
            for node in ("net", "out")
        }

    def draw(self, notes: Mapping[str, str] | None = None) -> Drawing:
        """Draw the network as circles in columns with the weights on the edges; biases too, unless there are many.

        Args:
            notes: a line to write into some circles, by their name, such as {"i1": "0.05"}.
        """
        columns: list[list[str | None]] = [[f"i{index + 1}" for index in range(self.inputs)]]
        columns += [[neuron.name for neuron in layer.neurons] for layer in self.layers]
        connections: list[tuple[str, str, Value]] = []
        for column, layer in zip(list(columns), self.layers, strict=False):
            for neuron in layer.neurons:
                for source, weight in zip(column, neuron.weights, strict=True):
                    connections.append((str(source), str(neuron.name), weight))
        if sum(len(layer.biases) for layer in self.layers) <= DRAWN_BIASES:
            for column, layer in zip(columns, self.layers, strict=False):
                column += [bias.label for bias in layer.biases]
                connections += [(str(n.bias.label), str(n.name), n.bias) for n in layer.neurons if n.bias is not None]
            columns[-1] += [None] * (len(columns[-2]) - len(columns[-1]))  # so that the last column stands level
        return draw_layers(columns, connections, notes)

    def _heading(self) -> str:
        sizes = [self.inputs, *(len(layer.neurons) for layer in self.layers)]
        return f"MLP {'-'.join(map(str, sizes))}: {_counted(len(self.parameters()), 'parameter')}"


def _initial(generator: random.Random, inputs: int) -> float:
    return generator.uniform(-1.0, 1.0) / math.sqrt(inputs)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _parts(attributes: Mapping[str, Any]) -> Iterator[Any]:
    for attribute in attributes.values():
        if isinstance(attribute, Mapping):
            yield from attribute.values()
        elif isinstance(attribute, list | tuple):
            yield from attribute
        else:
            yield attribute


def _within(root: Module) -> Iterator[tuple[str, Parameter | Module]]:
    """A module and every module and parameter within it, each once, with the path that leads to it.

    Two things of the same path, which keys of dicts can lead to, get `(2)`, `(3)`, … behind it.
    """
    seen: set[int] = set()
    taken: set[str] = set()
    waiting: list[tuple[str, object]] = [("", root)]
    while waiting:
        path, thing = waiting.pop()
        if id(thing) in seen or not isinstance(thing, Parameter | Module | Mapping | list | tuple | deque | Set):
            continue
        seen.add(id(thing))
        if isinstance(thing, Parameter | Module):
            unique = path
            for count in itertools.count(2):
                if unique not in taken:
                    break
                unique = f"{path}({count})"
            taken.add(unique)
            yield unique, thing
        prefix = f"{path}." if path else ""
        waiting += [(f"{prefix}{name}", item) for name, item in reversed(_items(thing))]


def _items(thing: object) -> list[tuple[object, object]]:
    """What a module or a collection holds, with names."""
    if isinstance(thing, Module):
        return list(vars(thing).items())
    if isinstance(thing, Mapping):
        return list(thing.items())
    if isinstance(thing, list | tuple | deque):
        return list(enumerate(thing))
    if isinstance(thing, Set):
        labels = [item.label if isinstance(item, Parameter) else None for item in thing]
        if any(isinstance(item, Parameter | Module) for item in thing):
            if None in labels or len(set(labels)) < len(labels):
                raise TypeError(
                    "a set has no order to name its parameters by: give each a label of its own, or use a list"
                )
            return sorted(zip(labels, thing, strict=True), key=lambda pair: str(pair[0]))
    return []
