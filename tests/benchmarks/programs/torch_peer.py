"""PyTorch in float64 on one thread, eager."""

import random
from collections.abc import Callable
from typing import Any

import numpy
import torch

from tests.benchmarks.programs import functions, images, loops, objectives
from tests.benchmarks.programs.images import Images, Training
from tests.benchmarks.programs.serving import Array, Task, repeated

torch.set_num_threads(1)
LIBRARY = loops.Library(
    fori_loop=loops.absent,
    scan=loops.written_out(torch.stack),
    map=torch.func.vmap,
    sigmoid=torch.sigmoid,
    array=torch,
    max=lambda x, axis: x.amax(axis),
    min=lambda x, axis: x.amin(axis),
    sum=torch.sum,
    where=torch.where,
    greater=torch.greater,
    stop_gradient=torch.Tensor.detach,
    constant=torch.from_numpy,
)


def network(activation: Callable[[Any], Any]) -> Callable[[int], Task]:
    """The mean error of a network over many rows, and its gradient."""

    def build(rows: int) -> Task:
        w = {name: torch.tensor(array, requires_grad=True) for name, array in functions.network_parameters().items()}
        inputs, targets = map(torch.tensor, functions.network_cases(rows))

        def call() -> Any:
            first = activation(inputs @ w["first"].T + w["first_bias"])
            second = activation(first @ w["second"].T + w["second_bias"])
            error = (0.5 * (targets - (second @ w["third"].T + w["third_bias"])[:, 0]) ** 2).mean()
            for parameter in w.values():
                parameter.grad = None
            error.backward()
            return error

        def result() -> Array:
            error = call()
            return functions.flat((error.item(), {name: parameter.grad.numpy() for name, parameter in w.items()}))

        return Task(repeated(call), result)

    return build


class ImageTraining:
    """A training of PyTorch's own layers and optimizers; they are fused, which is the fastest here.

    Args:
        training: how.
        data: what to train with.
        layers: the weights and biases of the untrained network.
    """

    def __init__(self, training: Training, data: Images, layers: list[tuple[Array, Array]]) -> None:
        self.pixels, self.labels = torch.from_numpy(data.pixels), torch.from_numpy(data.labels)
        self.batch_size = training.batch_size
        modules: list[Any] = []
        for weights, biases in layers:
            module = torch.nn.Linear(*reversed(weights.shape), dtype=torch.float64)
            with torch.no_grad():
                module.weight.copy_(torch.from_numpy(weights))
                module.bias.copy_(torch.from_numpy(biases))
            modules += [module, torch.nn.ReLU()]
        self.network = torch.nn.Sequential(*modules[:-1])
        optimizer = getattr(torch.optim, training.optimizer)
        self.optimizer = optimizer(self.network.parameters(), lr=training.learning_rate, fused=True)

    def round(self, order: Any) -> float:
        """Train with all images, in some order; the mean of their errors."""
        total = 0.0
        for places in order.split(self.batch_size):
            self.optimizer.zero_grad()
            error = torch.nn.functional.cross_entropy(self.network(self.pixels[places]), self.labels[places])
            error.backward()
            self.optimizer.step()
            total += error.item() * len(places)
        return total / len(order)

    def rounds(self, count: int) -> None:
        """Train for some rounds, in random orders."""
        for _ in range(count):
            self.round(torch.randperm(len(self.labels)))

    def errors(self, rounds: int) -> Array:
        """Train in the orders that `fit` takes; the errors of the rounds."""
        generator = random.Random(images.SEED)
        errors = []
        for _ in range(rounds):
            order = list(range(len(self.labels)))
            generator.shuffle(order)
            errors.append(self.round(torch.tensor(order)))
        return numpy.array(errors)


def small_digits(rounds: int) -> Task:
    """A whole training of so many rounds."""
    data = images.small_digits()
    layers = images.layers(images.SMALL.network(data))

    def made() -> ImageTraining:
        return ImageTraining(images.SMALL, data, layers)

    return Task(repeated(lambda: made().rounds(rounds)), lambda: made().errors(rounds))


def large(name: str) -> Callable[[int], Task]:
    """Rounds of a training with made-up images."""

    def build(count: int) -> Task:
        training, data = images.LARGE[name], images.made_up_images(count)
        made = ImageTraining(training, data, images.layers(training.network(data)))
        return Task(made.rounds, lambda: made.errors(images.COMPARED_ROUNDS))

    return build


def gradient_task(objective: Any, arguments: Any, by: int) -> Task:
    """The value of a function, and its gradient by the first arguments."""
    tensors = [torch.tensor(argument, requires_grad=place < by) for place, argument in enumerate(arguments)]

    def call() -> Any:
        value = objective(*tensors)
        return value.detach(), *torch.autograd.grad(value, tensors[:by])

    return Task(repeated(call), lambda: functions.flat(call()))


def mixture(count: int) -> Task:
    """The likelihood of a mixture, and its gradient."""
    return gradient_task(objectives.mixture_likelihood_arrays(LIBRARY), objectives.mixture(count), 3)


def text(count: int) -> Task:
    """The loss of a model of characters, and its gradient."""
    return gradient_task(objectives.text_loss(LIBRARY), objectives.text(count), 2)


def sparse_bundle_adjustment(count: int) -> Task:
    """The entries of the Jacobian of a whole problem."""
    cameras, points, weights, pairs, features = map(torch.from_numpy, objectives.bundle(count))
    of_errors = torch.func.vmap(torch.func.jacrev(objectives.reprojection_error(LIBRARY)))
    of_weights = torch.func.vmap(torch.func.grad(objectives.weight_error))

    def call() -> Any:
        numbers = torch.cat([cameras[pairs[:, 0]], points[pairs[:, 1]], weights[:, None]], 1)
        return torch.cat([of_errors(numbers, features).ravel(), of_weights(weights)])

    return Task(repeated(call), lambda: functions.flat(call()), units=count)


def hand(count: int) -> Task:
    """The Jacobian of the errors of hand tracking: 28 columns, those of places for all points at once."""
    model = objectives.hand(count)
    errors, arguments = objectives.hand_errors_arrays(LIBRARY, model), (model.angles, model.places)
    tensors, directions = (
        tuple(map(torch.from_numpy, arguments)),
        tuple(map(torch.from_numpy, objectives.hand_directions(count))),
    )
    columns = torch.func.vmap(lambda *ways: torch.func.jvp(errors, tensors, ways)[1], out_dims=-1)
    return Task(repeated(lambda: columns(*directions)), lambda: functions.flat(columns(*directions)))


PROGRAMS: dict[str, Callable[[int], Task]] = {
    "network tanh": network(torch.tanh),
    "network relu": network(torch.relu),
    "mixture": mixture,
    "text": text,
    "sparse bundle adjustment": sparse_bundle_adjustment,
    "hand": hand,
    "small digits": small_digits,
    **{name: large(name) for name in images.LARGE},
}
