"""JAX in float64 on one thread, on arrays rather than scalars. Its arguments are on its device beforehand."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy

from tests.benchmarks import gpt
from tests.benchmarks.programs import functions, loops, objectives
from tests.benchmarks.programs.serving import Task, repeated

jax.config.update("jax_cpu_enable_async_dispatch", False)  # a call takes 73 µs instead of 87


def task(call: Callable[[], Any], units: int = 1) -> Task:
    """A task of one call, which is waited for."""
    return Task(repeated(lambda: jax.block_until_ready(call())), lambda: functions.flat(call()), units)


def normalized(x: Any) -> Any:
    """Rows scaled to a mean square of 1."""
    return x / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def gpt_loss(w: Any, tokens: Any, targets: Any, weights: Any) -> Any:
    """The loss of a document; tokens are looked up by index."""
    size = gpt.WIDTH // gpt.HEADS
    x = normalized(w["token_embedding"][tokens] + w["position_embedding"])
    a = normalized(x)
    q, k, v = [(a @ w[name].T).reshape(-1, gpt.HEADS, size) for name in ("query", "key", "value")]
    scores = jnp.einsum("thd,shd->hts", q, k) / size**0.5
    exponentials = jnp.exp(scores) * jnp.tril(jnp.ones(scores.shape[1:]))
    shares = exponentials / exponentials.sum(-1, keepdims=True)
    x = x + jnp.einsum("hts,shd->thd", shares, v).reshape(-1, gpt.WIDTH) @ w["output"].T
    x = x + jax.nn.relu(normalized(x) @ w["widen"].T) @ w["narrow"].T
    logits = x @ w["head"].T
    errors = jnp.log(jnp.exp(logits).sum(-1)) - jnp.take_along_axis(logits, targets[:, None], 1)[:, 0]
    return weights @ errors


def mean_of(loss: Callable[..., Any]) -> Callable[..., Any]:
    """The mean of a loss over documents, and its gradient by the parameters."""

    def mean(w: Any, *documents: Any) -> Any:
        return jax.vmap(loss, (None, 0, 0, 0))(w, *documents).mean()

    both: Callable[..., Any] = jax.value_and_grad(mean)
    return both


def gpt_arguments(count: int) -> list[Any]:
    """The parameters and documents, with tokens as indices."""
    inputs, targets, weights = functions.gpt_documents(count)
    return [gpt.initial_parameters(), inputs.argmax(-1), targets.argmax(-1), weights]


def gpt_numbers(results: Any) -> Any:
    """A loss and its gradients in the order that all peers give them in."""
    value, gradients = results
    return functions.flat((value, {name: gradients[name] for name in gpt.SHAPES}))


def gpt_task(function: Callable[..., Any], arguments: list[Any], units: int = 1) -> Task:
    """Calls of a function that gives a loss and its gradients."""
    program, on_device = jax.jit(function), jax.device_put(arguments)
    run = repeated(lambda: jax.block_until_ready(program(*on_device)))
    return Task(run, lambda: gpt_numbers(program(*on_device)), units)


def gpt_compiling(function: Callable[..., Any], arguments: list[Any]) -> Task:
    """What JAX does before the first call of such a function, each time anew: tracing and compiling."""

    def compiled() -> Any:
        jax.clear_caches()
        return jax.jit(function).lower(*arguments).compile()

    return Task(repeated(compiled), lambda: gpt_numbers(compiled()(*arguments)), clock=time.perf_counter)


def gpt_mean(count: int) -> Task:
    """The mean over documents."""
    return gpt_task(mean_of(gpt_loss), gpt_arguments(count), count)


def gpt_compiled(_: int) -> Task:
    """The mean over documents, compiled."""
    return gpt_compiling(mean_of(gpt_loss), gpt_arguments(1))


def network(activation: Callable[[Any], Any]) -> Callable[[int], Task]:
    """The mean error of a network over many rows, and its gradient."""

    def build(rows: int) -> Task:
        def mean(w: Any, inputs: Any, targets: Any) -> Any:
            first = activation(inputs @ w["first"].T + w["first_bias"])
            second = activation(first @ w["second"].T + w["second_bias"])
            return (0.5 * (targets - (second @ w["third"].T + w["third_bias"])[:, 0]) ** 2).mean()

        parameters = functions.network_parameters()
        arguments = jax.device_put([parameters, *functions.network_cases(rows)])
        program = jax.jit(jax.value_and_grad(mean))

        def result() -> Any:
            value, gradients = program(*arguments)
            return functions.flat((value, {name: gradients[name] for name in parameters}))

        return Task(repeated(lambda: jax.block_until_ready(program(*arguments))), result)

    return build


def worked_example(rounds: int) -> Task:
    """Rounds of training in a loop of JAX's."""
    inputs, targets = jnp.array([0.05, 0.1]), jnp.array([0.01, 0.99])

    def error(weights: Any) -> Any:
        hidden, output = weights
        outs = jax.nn.sigmoid(output @ jax.nn.sigmoid(hidden @ inputs + 0.35) + 0.6)
        return (0.5 * (targets - outs) ** 2).sum()

    def step(_: Any, weights: Any) -> Any:
        return weights - 0.5 * jax.grad(error)(weights)

    program = jax.jit(lambda weights: jax.lax.fori_loop(0, rounds, step, weights))
    weights = jnp.array(functions.WORKED_EXAMPLE.reshape(2, 2, 2))
    return task(lambda: program(weights), units=rounds)


def rosenbrock(count: int) -> Task:
    """The gradient of the chained Rosenbrock function."""
    program = jax.jit(jax.grad(lambda x: (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()))
    x = jnp.array(functions.rosenbrock_point(count))
    return task(lambda: program(x))


LIBRARY = loops.Library(
    fori_loop=jax.lax.fori_loop,
    scan=jax.lax.scan,
    map=jax.lax.map,
    sigmoid=jax.nn.sigmoid,
    array=jnp,
    max=jnp.max,
    min=jnp.min,
    sum=jnp.sum,
    where=jnp.where,
    greater=jnp.greater,
    stop_gradient=jax.lax.stop_gradient,
    constant=jnp.asarray,
)


def lorenz(steps: int) -> Task:
    """The gradient of the end by the parameters."""
    program = jax.jit(jax.grad(loops.lorenz(LIBRARY, steps)))
    return task(lambda: program(loops.LORENZ))


def lstm(length: int) -> Task:
    """The loss of an LSTM, and its gradient by the parameters."""
    program, arguments = jax.jit(jax.value_and_grad(loops.lstm(LIBRARY))), jax.device_put(loops.lstm_arguments(length))

    def result() -> Any:
        value, gradients = program(*arguments)
        return functions.flat((value, {name: gradients[name] for name in ("weights", "biases")}))

    return Task(repeated(lambda: jax.block_until_ready(program(*arguments))), result)


def log_sum_exp(count: int) -> Task:
    """The value and the gradient."""
    program, given = jax.jit(jax.value_and_grad(loops.log_sum_exp(LIBRARY))), jax.device_put(loops.numbers(count))
    return task(lambda: program(given))


def ode(count: int) -> Task:
    """The gradient of the sum of all numbers after a hundred steps."""
    end = loops.ode(LIBRARY, loops.STEPS)
    program, x = jax.jit(jax.grad(lambda x: end(x).sum())), jax.device_put(loops.ode_rates(count))
    return task(lambda: program(x))


def clusters(count: int) -> Task:
    """The gradient, and the diagonal of the matrix of second derivatives, which is its product with ones."""

    def cost(centroids: Any, points: Any) -> Any:
        squares = (centroids**2).sum(1) + (points**2).sum(1)[:, None] - 2.0 * points @ centroids.T
        return squares.min(1).sum()

    def both(centroids: Any, points: Any) -> Any:
        return jax.jvp(lambda c: jax.grad(cost)(c, points), (centroids,), (jnp.ones_like(centroids),))

    program, arguments = jax.jit(both), jax.device_put(loops.clusters(count))
    return task(lambda: program(*arguments))


def sparse_bundle_adjustment(count: int) -> Task:
    """The entries of the Jacobian of a whole problem."""
    error = objectives.reprojection_error(LIBRARY)

    def entries(cameras: Any, points: Any, weights: Any, pairs: Any, features: Any) -> Any:
        numbers = jnp.concatenate([cameras[pairs[:, 0]], points[pairs[:, 1]], weights[:, None]], axis=1)
        of_errors = jax.vmap(jax.jacrev(error))(numbers, features)
        return jnp.concatenate([of_errors.ravel(), jax.vmap(jax.grad(objectives.weight_error))(weights)])

    program, arguments = jax.jit(entries), jax.device_put(tuple(objectives.bundle(count)))
    return task(lambda: program(*arguments), units=count)


def mixture(count: int) -> Task:
    """The likelihood of a mixture, and its gradient."""
    program = jax.jit(jax.value_and_grad(objectives.mixture_likelihood_arrays(LIBRARY), (0, 1, 2)))
    arguments = jax.device_put(tuple(objectives.mixture(count)))
    return task(lambda: program(*arguments))


def text(count: int) -> Task:
    """The loss of a model of characters, and its gradient."""
    program = jax.jit(jax.value_and_grad(objectives.text_loss(LIBRARY), (0, 1)))
    arguments = jax.device_put(tuple(objectives.text(count)))
    return task(lambda: program(*arguments))


def hand(count: int) -> Task:
    """The Jacobian of the errors of hand tracking: 28 columns, those of places for all points at once."""
    model = objectives.hand(count)
    errors = objectives.hand_errors_arrays(LIBRARY, model)
    angles, places = objectives.hand_directions(count)

    def jacobian(*arguments: Any) -> Any:
        return jax.vmap(lambda *ways: jax.jvp(errors, arguments, ways)[1], out_axes=-1)(angles, places)

    program, arguments = jax.jit(jacobian), jax.device_put((model.angles, model.places))
    return task(lambda: program(*arguments))


assert numpy.float64 == jnp.zeros(1).dtype  # by the environment variable that a Peer sets
PROGRAMS: dict[str, Callable[[int], Task]] = {
    "gpt": gpt_mean,
    "gpt compiled": gpt_compiled,
    "network tanh": network(jnp.tanh),
    "network relu": network(jax.nn.relu),
    "worked example": worked_example,
    "lorenz": lorenz,
    "lstm": lstm,
    "log-sum-exp": log_sum_exp,
    "ode": ode,
    "clusters": clusters,
    "sparse bundle adjustment": sparse_bundle_adjustment,
    "mixture": mixture,
    "text": text,
    "hand": hand,
    "rosenbrock": rosenbrock,
}
