"""Networks of neurons: each weight and bias a `Parameter`, each neuron a few nodes of the graph.

>>> network = MLP(2, [3, 1], generator=random.Random(1))
>>> score = network([1.0, -2.0])
>>> score.backward()
>>> len(network.parameters()), network.layers[0].neurons[2].weights[1].label
(13, 'w6')
"""

from __future__ import annotations

import difflib
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal

from autograd import Constant, Drawing, Parameter, Value, dot
from autograd.primitives import PRIMITIVES
from nn.calls import explained
from nn.drawing import draw_layers
from nn.parameters import Module, counted

__all__ = ["Module", "Neuron", "Layer", "MLP"]

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


class Neuron(Module):
    """A weighted sum of the inputs, plus a bias, through an activation function.

    Args:
        inputs: how many inputs it takes.
        activation: the name of a function of the table, such as "sigmoid", "tanh" or "relu"; None for none.
        bias: whether it has a bias; or a parameter to use as bias, which other neurons may share.
        generator: where the initial numbers come from; the module `random` when not given, so `random.seed(1337)` makes
            them reproducible. As in PyTorch's `Linear`, they are uniform between -1/√inputs and 1/√inputs.
        name: names the neuron's nodes in the graph, as in `net_h1` and `out_h1`.

    Raises:
        ValueError: for less than one input, or an activation that is not in the table.
        TypeError: for a generator that is none.
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
        if activation is not None and not (isinstance(activation, str) and activation in ACTIVATIONS):
            raise ValueError(_unknown_activation(activation))
        self.name = name
        self.activation = activation
        self.weights = [Parameter(_initial(generator, inputs)) for _ in range(inputs)]
        self.bias = Parameter(_initial(generator, inputs)) if bias is True else bias or None

    @property
    def w(self) -> list[Parameter]:
        """The weights, by the name that micrograd gives to them."""
        return self.weights

    @property
    def b(self) -> Parameter | None:
        """The bias, by the name that micrograd gives to it."""
        return self.bias

    def net(self, inputs: Sequence[Value | float]) -> Value:
        """Compute the weighted sum of the inputs plus the bias, before the activation.

        Raises:
            ValueError: if the number of inputs is not the neuron's.
            TypeError: if the inputs are no list, or one is not a number.
        """
        try:
            net = dot(self.weights, inputs)
        except TypeError:
            if isinstance(inputs, Iterable):
                raise
            raise TypeError(_no_list("neuron", len(self.weights), inputs)) from None
        if self.bias is not None:
            net = net + self.bias
        net.label = f"net_{self.name}" if self.name else None
        return net

    def __call__(self, inputs: Sequence[Value | float]) -> Value:
        """Compute the output of the neuron. Errors are those of `net`."""
        net = self.net(inputs)
        if self.activation is None:
            return net
        out = ACTIVATIONS[self.activation](net)
        out.label = f"out_{self.name}" if self.name else None
        return out

    def _arguments(self) -> dict[str, Any]:
        has_bias = self.bias is not None
        return {"inputs": len(self.weights), "activation": self.activation, "bias": has_bias, "name": self.name}

    def _heading(self) -> str:
        shown = self.weights[:SUMMARY_WEIGHTS]
        words = [f"{weight.label or 'w'} = {weight.data:.9g}" for weight in shown]
        if len(shown) < len(self.weights):
            words.append(f"… {len(self.weights) - len(shown)} more weights")
        if self.bias is not None:
            words.append(f"{self.bias.label or 'b'} = {self.bias.data:.9g}")
        return f"{self.name or 'neuron'}: {', '.join(words)}"

    def _caption(self) -> str:
        name = f" {self.name}" if self.name else ""
        return f"{type(self).__name__}{name}: {counted(len(self.weights), 'input')}, {self.activation or 'linear'}"


class Layer(Module):
    """Neurons side by side, all with the same inputs.

    Args:
        inputs: how many inputs each neuron takes.
        outputs: how many neurons there are.
        activation: as for a `Neuron`.
        bias: "per-neuron", "shared" (one for the whole layer), or None.
        generator: where the initial numbers come from, as for a `Neuron`.
        names: a name for each neuron.

    Raises:
        ValueError: for less than one input or output, or an unknown activation or kind of bias.
        TypeError: for a generator that is none.
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
        """Compute the outputs of the neurons.

        Raises:
            ValueError: if the number of inputs is not the layer's.
            TypeError: if the inputs are no list, or one is not a number.
        """
        return [neuron(inputs) for neuron in self.neurons]

    def _arguments(self) -> dict[str, Any]:
        first, names = self.neurons[0], [neuron.name for neuron in self.neurons]
        return {
            "inputs": len(first.weights),
            "outputs": len(self.neurons),
            "activation": first.activation,
            "bias": "shared" if self.bias is not None else "per-neuron" if first.bias is not None else None,
            "names": names if any(names) else None,
        }

    def _heading(self) -> str:
        return f"{counted(len(self.neurons), 'neuron')}, {self.neurons[0].activation or 'linear'}"

    def _caption(self) -> str:
        return f"{type(self).__name__}: {self._heading()}"


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
        generator: where the initial numbers come from, as for a `Neuron`.

    Raises:
        ValueError: for no layer, or as for a `Layer`.
        TypeError: if the sizes are no list, or as for a `Layer`.
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
        if not isinstance(sizes, Iterable):
            given = [number for number in (sizes, activation, output_activation, bias) if isinstance(number, int)]
            raise TypeError(
                f"the sizes are a list of the number of neurons in each layer, got {sizes!r:.80}; write "
                f"{type(self).__name__}({inputs!r:.20}, {given or [16, 1]})"
            )
        sizes = list(sizes)
        if not sizes:
            raise ValueError("a network needs at least one layer: give the number of neurons of each, as in [16, 1]")
        self.inputs = inputs
        self.layers = []
        for depth, (fan_in, size) in enumerate(zip([inputs, *sizes], sizes, strict=False), start=1):
            is_output = depth == len(sizes)
            prefix = "o" if is_output else "h" if len(sizes) <= 2 else f"h{depth}."
            names = [f"{prefix}{index}" for index in range(1, size + 1)]
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
            TypeError: if the inputs are no list, or one is not a number.
        """
        try:
            count = len(inputs)
        except TypeError:
            raise TypeError(_no_list("network", self.inputs, inputs)) from None
        if count != self.inputs:
            raise ValueError(f"this network takes {counted(self.inputs, 'input')}, got {count}")
        signals: Sequence[Value | float] = [
            x if isinstance(x, Value) else Constant(x, f"i{index}") for index, x in enumerate(inputs, start=1)
        ]
        for layer in self.layers:
            signals = layer(signals)
        return list(signals)  # type: ignore[arg-type]  # a layer gives Values

    @explained("network([x1, x2]), with a list of the inputs")
    def __call__(self, inputs: Sequence[Value | float]) -> OutputsT:
        """Compute the list of outputs; of a network with one output, that output. Errors are those of `forward`."""
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

    def draw(self, notes: Mapping[str, str] | None = None, *, theme: Literal["light", "dark"] = "light") -> Drawing:
        """Draw the network as circles in columns, with the weights on the lines between them, and the biases.

        A positive weight is a blue line, a negative one is rust and dashed; the thicker, the larger. Of a layer of more
        than twelve neurons the first and the last five are drawn.

        Args:
            notes: a line to write into some circles, by their name, such as {"i1": "0.05"}.
            theme: the colours, "light" or "dark".

        Raises:
            ValueError: if the theme is neither.
        """
        columns = [[f"i{index + 1}" for index in range(self.inputs)]]
        columns += [[str(neuron.name) for neuron in layer.neurons] for layer in self.layers]
        connections: list[tuple[str, str, Value]] = [
            (source, str(neuron.name), weight)
            for column, layer in zip(columns, self.layers, strict=False)
            for neuron in layer.neurons
            for source, weight in zip(column, neuron.weights, strict=True)
        ]
        neurons = [neuron for layer in self.layers for neuron in layer.neurons]
        biases = {str(neuron.name): neuron.bias for neuron in neurons if neuron.bias is not None}
        return draw_layers(columns, connections, biases, notes, theme=theme)

    def _arguments(self) -> dict[str, Any]:
        first, last = self.layers[0]._arguments(), self.layers[-1]._arguments()
        return {
            "inputs": self.inputs,
            "sizes": [len(layer.neurons) for layer in self.layers],
            "activation": first["activation"],
            "output_activation": last["activation"],
            "bias": first["bias"],
        }

    def _heading(self) -> str:
        sizes = [self.inputs, *(len(layer.neurons) for layer in self.layers)]
        return f"{type(self).__name__} {'-'.join(map(str, sizes))}: {counted(len(self.parameters()), 'parameter')}"

    def _picture(self) -> str:
        return self.draw()._repr_html_() or ""


def _initial(generator: random.Random | None, inputs: int) -> float:
    uniform = random.uniform if generator is None else getattr(generator, "uniform", None)
    if not callable(uniform):
        raise TypeError(
            f"expected a generator of random numbers, got {generator!r:.80}; give random.Random(1), or None for the "
            f"module random"
        )
    return float(uniform(-1.0, 1.0)) / math.sqrt(inputs)


def _no_list(what: str, count: int, inputs: object) -> str:
    example = "[x]" if count == 1 else "[x1, x2]" if count == 2 else "[x1, x2, …]"
    return f"a {what} takes a list of {counted(count, 'input')}, got {inputs!r:.80}; write {what}({example})"


def _unknown_activation(activation: object) -> str:
    name = getattr(activation, "name", getattr(activation, "__name__", activation))
    matches = difflib.get_close_matches(str(name).lower(), ACTIVATIONS, 1)
    meant = f"; did you mean {matches[0]!r}?" if matches else ""
    if str(name).lower() == "softmax":
        meant = (
            "; a softmax takes all outputs at once: leave out the activation of the output layer, and train with "
            "loss=softmax_cross_entropy, which includes it"
        )
    elif str(name).lower() in ("linear", "identity"):
        meant = "; write None for the plain weighted sum"
    return f"unknown activation {activation!r:.80}: choose None or one of {', '.join(sorted(ACTIVATIONS))}{meant}"
