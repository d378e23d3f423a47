"""The worked example from the start of a process to its exit, and what importing costs: `make bench`.

Every program trains the article's network for 10,000 rounds, simultaneous, with the error of each round, in a process
of its own; the rounds of measurement alternate.
"""

import os
import statistics
import subprocess
import sys
import time

ROUNDS = 9

LAYER = """class Layer:
    def __init__(self, *neurons):
        self.neurons = neurons

    def compute(self, inputs):
        return [neuron.compute(inputs) for neuron in self.neurons]

"""

TRAINING = """
network = Network(
    Layer(Neuron([0.15, 0.2], 0.35), Neuron([0.25, 0.3], 0.35)),
    Layer(Neuron([0.4, 0.45], 0.6), Neuron([0.5, 0.55], 0.6)),
)
for _ in range(10_000):
    error = network.train([0.05, 0.1], [0.01, 0.99])
"""

NEURON_OBJECTS = (
    '''
import math

class Neuron:
    """Its output, and the derivatives worked out by hand."""

    def __init__(self, weights, bias):
        self.weights = weights
        self.bias = bias

    def net(self):
        total = 0
        for place in range(len(self.inputs)):
            total += self.inputs[place] * self.weights[place]
        return total + self.bias

    def compute(self, inputs):
        self.inputs = inputs
        self.output = self.squash(self.net())
        return self.output

    def squash(self, net):
        return 1 / (1 + math.exp(-net))

    def error(self, target):
        return 0.5 * (target - self.output) ** 2

    def slope_of_error(self, target):
        return -(target - self.output)

    def slope_of_output(self):
        return self.output * (1 - self.output)

    def slope_of_net(self, place):
        return self.inputs[place]

    def signal(self, target):
        return self.slope_of_error(target) * self.slope_of_output()

'''
    + LAYER
    + """class Network:
    def __init__(self, hidden, output):
        self.hidden = hidden
        self.output = output

    def train(self, inputs, targets):
        self.output.compute(self.hidden.compute(inputs))
        total = sum(neuron.error(target) for neuron, target in zip(self.output.neurons, targets))
        signals = [neuron.signal(target) for neuron, target in zip(self.output.neurons, targets)]
        carried = []
        for place, neuron in enumerate(self.hidden.neurons):
            back = 0
            for signal, other in zip(signals, self.output.neurons):
                back += signal * other.weights[place]
            carried.append(back * neuron.slope_of_output())
        for layer, errors in ((self.output, signals), (self.hidden, carried)):
            for neuron, error in zip(layer.neurons, errors):
                for place in range(len(neuron.weights)):
                    neuron.weights[place] -= 0.5 * error * neuron.slope_of_net(place)
        return total
"""
    + TRAINING
    + """network.output.compute(network.hidden.compute([0.05, 0.1]))
print(network.output.neurons[0].output)
"""
)

VALUES = (
    '''
from autograd import Value

class Neuron:
    """Its output; the derivatives are the engine's."""

    def __init__(self, weights, bias):
        self.weights = [Value(weight) for weight in weights]
        self.bias = bias

    def compute(self, inputs):
        w1, w2 = self.weights
        x1, x2 = inputs
        return (w1 * x1 + w2 * x2 + self.bias).sigmoid()

'''
    + LAYER
    + """class Network:
    def __init__(self, hidden, output):
        self.hidden = hidden
        self.output = output
        self.weights = [weight for layer in (hidden, output) for neuron in layer.neurons for weight in neuron.weights]

    def train(self, inputs, targets):
        first, second = self.output.compute(self.hidden.compute(inputs))
        total = 0.5 * (targets[0] - first) ** 2 + 0.5 * (targets[1] - second) ** 2
        for weight in self.weights:
            weight.grad = 0.0
        total.backward()
        for weight in self.weights:
            weight.data -= 0.5 * weight.grad
        return total.data
"""
    + TRAINING
    + """print(network.output.compute(network.hidden.compute([0.05, 0.1]))[0].data)
"""
)

MODULES = """
from nn.examples.worked_example import forward, train
print(forward(train("simultaneous")).parents[0].operands)
"""

PYTORCH = """
import torch
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
hidden = torch.tensor([[0.15, 0.2], [0.25, 0.3]], requires_grad=True)
output = torch.tensor([[0.4, 0.45], [0.5, 0.55]], requires_grad=True)
inputs, targets = torch.tensor([0.05, 0.1]), torch.tensor([0.01, 0.99])
optimizer = torch.optim.SGD([hidden, output], lr=0.5)

def forward():
    return torch.sigmoid(output @ torch.sigmoid(hidden @ inputs + 0.35) + 0.6)

for _ in range(10_000):
    optimizer.zero_grad()
    total = 0.5 * ((targets - forward()) ** 2).sum()
    total.backward()
    optimizer.step()
    error = total.item()
print(forward()[0].item())
"""

PROGRAMS = {
    "neuron objects, by hand": NEURON_OBJECTS,
    "neuron objects of Values": VALUES,
    "nn.examples.worked_example": MODULES,
    "PyTorch, one thread": PYTORCH,
    "python -c pass": "pass",
    "import autograd": "import autograd",
    "import nn": "import nn",
}


def seconds(program: str) -> float:
    """The time from the start of a process to its exit."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for number in range(ROUNDS + 1):
        for name, program in PROGRAMS.items():
            measured = seconds(program)
            if number:  # the first round warms up
                times[name].append(measured)
    hand = times["neuron objects, by hand"]
    print(f"\nthe worked example's 10,000 rounds, from start to exit; {ROUNDS} rounds of measurement")
    print(f"{'':26}{'best':>10}{'median':>10}   time relative to neuron objects by hand (best, median)")
    for name, taken in times.items():
        best, median = min(taken), statistics.median(taken)
        relative = f"{best / min(hand):.3g}, {median / statistics.median(hand):.3g}"
        print(f"{name:26}{best * 1e3:>7.0f} ms{median * 1e3:>7.0f} ms   {relative}")
    bare = times["python -c pass"]
    for name in ("import autograd", "import nn"):
        more = [there - here for there, here in zip(times[name], bare, strict=True)]
        print(f"{name}: {min(times[name]) * 1e3 - min(bare) * 1e3:.0f} ms over a bare start by the best, "
              f"{statistics.median(more) * 1e3:.0f} ms by the median")  # fmt: skip


if __name__ == "__main__":
    main()
