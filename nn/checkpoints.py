"""Networks and trainings as JSON files, which are validated as a whole before anything is changed.

>>> from nn.modules import MLP
>>> network = MLP(2, [3, 1])
>>> import tempfile, pathlib
>>> with tempfile.TemporaryDirectory() as folder:
...     path = save_network(network, pathlib.Path(folder, "network.json"))
...     load_network(path)
<MLP 2-3-1: 13 parameters>
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, overload

from autograd.saving import finite_number, parsed, save, shortened
from nn.calls import explained
from nn.dropout import dropouts_of
from nn.modules import MLP, Layer, Neuron
from nn.optimizers import Optimizer
from nn.parameters import Module, within

FORMAT, VERSION = "stepgrad network", 5
KEYS = {"format", "version", "network", "settings", "parameters", "training"}
CLASSES: dict[str, type[Module]] = {kind.__name__: kind for kind in (MLP, Layer, Neuron)}  # that a file may name

File: TypeAlias = str | os.PathLike[str]


class Position(NamedTuple):
    """How far a round in batches has come."""

    batches: int = 0
    order: tuple[int, ...] | None = None  # of the cases in this round; None for that of the list
    total: float = 0.0  # of the errors of the cases in those batches


class Best(NamedTuple):
    """The round with the lowest error so far, and the parameters that belong to it."""

    error: float
    rounds: int  # how many were done then
    numbers: Any  # a list of floats; in a compiled training an array


@dataclass
class Checkpoint:
    """What a checkpoint holds of a training, besides the network; the position and counts only within a round."""

    rounds: int
    optimizer: dict[str, Any]  # from `Optimizer.state_dict`
    pick: tuple[Any, ...] | None = None  # the state of the generator, if there is one
    shuffle: tuple[Any, ...] | None = None  # likewise
    position: Position | None = None
    batch_size: int | None = None
    cases: int | None = None  # how many there are
    best: Best | None = None  # of a training with patience
    dropout: list[tuple[Any, ...]] | None = None  # the state of the generator of each Dropout, if there is one


class Plan(NamedTuple):
    """Which cases each step of a training takes, as far as a checkpoint must fit it."""

    pick: random.Random | None
    shuffle: random.Random | None
    batch_size: int
    cases: int  # how many there are


def file_of(network: Module) -> dict[str, Any]:
    """Return what a file holds of a network, where each parameter stands for its number."""
    parameters = dict(network.named_parameters())
    built_by = _built_by(network, len(parameters))
    return {
        "format": FORMAT,
        "version": VERSION,
        **({"network": built_by} if built_by else {}),
        "settings": network.settings(),
        "parameters": parameters,
    }


@explained("save_network(network, 'network.json')")
def save_network(network: Module, path: File, training: Checkpoint | None = None) -> Path:
    """Save the parameters and settings of a network as JSON; and of an `MLP`, a `Layer` or a `Neuron` what builds it.

    Args:
        network: what to save.
        path: the file; one that is there is replaced as a whole.
        training: what else to save, for a training to resume from.

    Returns:
        The path written.

    Raises:
        ValueError: if a parameter is infinite or nan.
        TypeError: if the network is not a `Module`, or the path is not one.
        OSError: if the file cannot be written. Nothing half written is left.
    """
    _check_arguments("save_network", network, path)
    content = file_of(network)
    parameters = content["parameters"] = {name: parameter.data for name, parameter in content["parameters"].items()}
    lost = [name for name, number in parameters.items() if not math.isfinite(number)]
    if lost:
        raise ValueError(f"cannot save the network: {lost[0]} is {parameters[lost[0]]}; train it again, more slowly")
    if training is not None:
        content["training"] = {name: value for name, value in vars(training).items() if value is not None}
        if training.position is not None:
            content["training"]["position"] = training.position._asdict()
        if training.best is not None:
            error, rounds, numbers = training.best
            saved = {"error": error if math.isfinite(error) else None, "rounds": rounds, "numbers": list(numbers)}
            content["training"]["best"] = saved
    return save(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


@overload
def load_network(path: File, /) -> Module: ...
@overload
def load_network(network: Module, path: File) -> None: ...
def load_network(network: Any = None, path: Any = None) -> Module | None:
    """Build the network that was saved; or give a network the parameters that were saved.

    A file names what builds an `MLP`, a `Layer` or a `Neuron`, unless it was written by an older release, or the
    network was changed by hand. Nothing else that a file names is built, and nothing is imported.

    Args:
        path: the file, alone or second.
        network: where the parameters go: of the same form and with the same activation functions as the one saved.

    Returns:
        The network if none was given; else None.

    Raises:
        ValueError: if the file is damaged, or of another network, which is unchanged then; or if there is no network
            given, and the file does not say what builds it.
        TypeError: if the network is not a `Module`, or the path is not one.
        OSError: if the file cannot be read.
    """
    if path is None:
        network, path = None, network
    _check_arguments("load_network", network, path)
    try:
        content = _read(path)
        loaded = _built(content) if network is None else network
        loaded.load_state_dict(_numbers(loaded, content))
    except _UnfitError as error:
        raise ValueError(f"{os.fspath(path)} {error}") from None
    return loaded if network is None else None


def _check_arguments(function: str, network: object, path: object) -> None:
    """Raise a TypeError with the correct call unless these are a network, or None to load one, and a path."""
    is_path = isinstance(path, str | os.PathLike)
    if is_path and (isinstance(network, Module) or (network is None and function == "load_network")):
        return
    given = [shortened(thing) for thing in (network, path) if thing is not None]
    file = next((shortened(thing) for thing in (path, network) if isinstance(thing, str)), "'network.json'")
    alone = f", or load_network({file}) to build the network that it holds" if function == "load_network" else ""
    raise TypeError(
        f"{function} got {', '.join(given) or 'no argument'}: it takes a network whose class is made from nn.Module, "
        f"then a path; write {function}(network, {file}){alone}"
    )


class _Zeros(random.Random):
    """A generator of zeros, of so many numbers at most."""

    left = 0

    def uniform(self, a: float, b: float) -> float:
        self.left -= 1
        if self.left < 0:
            raise ValueError("there are more parameters than expected")
        return 0.0


def _made(kind: type[Any], arguments: Mapping[str, Any], parameters: int) -> Any:
    """Build a network with a number of parameters, at most; draw no random numbers."""
    generator = _Zeros(0)
    generator.left = parameters
    return kind(**arguments, generator=generator)


def _built_by(network: Module, parameters: int) -> dict[str, Any] | None:
    """Return what a file says of how a network is built; None if such a network would not be like this one."""
    name = type(network).__name__
    if type(network) is not CLASSES.get(name):
        return None
    try:
        arguments = network._arguments()
        made = _made(type(network), arguments, parameters)
    except (AttributeError, LookupError, TypeError, ValueError):  # it was changed by hand
        return None
    pairs = zip_longest(_forms(network), _forms(made))
    return {"class": name, "arguments": arguments} if all(one == other for one, other in pairs) else None


def _forms(module: Module) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each parameter within a module, and of each module that with its class and its settings."""
    for path, it in within(module):
        yield (path, type(it), [getattr(it, name) for name in it.setting_names]) if isinstance(it, Module) else (path,)


def _built(content: dict[str, Any]) -> Module:
    """Build the network of a file, without its numbers."""
    saved, parameters = content.get("network"), len(content["parameters"])
    if saved is None:
        raise _UnfitError(
            "holds the numbers of a network, but not what builds it: it is from an older release, or its class is not "
            "MLP, Layer or Neuron, or it was changed by hand; build it as it was built, and write "
            "load_network(network, path)"
        )
    try:
        kind, arguments = CLASSES[saved["class"]], saved["arguments"]
        for name, argument in arguments.items():
            for part in argument if isinstance(argument, list) else [argument]:
                is_count = type(part) is int and 0 < part <= parameters  # so that a file cannot ask for a huge one
                if not (is_count or part is None or type(part) is str or (name == "bias" and type(part) is bool)):
                    raise ValueError
        network: Module = _made(kind, arguments, parameters)
        if network._arguments() != arguments:
            raise ValueError
    except (AttributeError, LookupError, TypeError, ValueError):
        raise _UnfitError(f"is damaged: no network can be built from {shortened(saved)}; save it again") from None
    return network


def resume(network: Module, optimizer: Optimizer, plan: Plan, path: File) -> Checkpoint:
    """Restore the network, the optimizer and the generators of a training, and return what else the file holds of it.

    Raises:
        ValueError: if the file is damaged, or of another network, optimizer or way of picking; or if it was written in
            the middle of a round and the batches or cases are others. Nothing is changed then.
        OSError: if the file cannot be read.
    """
    try:
        content = _read(path)
        numbers = _numbers(network, content)
        training = content.get("training")
        if not isinstance(training, dict):
            raise _UnfitError("holds a network, but no training to resume")
        rounds = training.get("rounds")
        if type(rounds) is not int or rounds < 0:
            raise _UnfitError(f"is damaged: its number of rounds is {shortened(rounds)}")
        try:
            state = optimizer.checked_state(training.get("optimizer"))
        except (ValueError, TypeError) as error:
            raise _UnfitError(f"does not fit: {error}") from None
        picked, shuffled = (
            None if generator is None else _generator_state(training.get(name))
            for name, generator in (("pick", plan.pick), ("shuffle", plan.shuffle))
        )
        dropouts = dropouts_of(network)
        saved = training.get("dropout") or []
        if not isinstance(saved, list) or len(saved) != len(dropouts):
            raise _UnfitError(
                f"does not hold the state of a generator for each Dropout, of which here are {len(dropouts)}"
            )
        dropped = [*map(_generator_state, saved)]
        position, best = _position(training, plan), _best(training, rounds, len(optimizer.parameters))
    except _UnfitError as error:
        raise ValueError(
            f"cannot resume from {os.fspath(path)}: it {error}; remove the file to start from the beginning"
        ) from None
    network.load_state_dict(numbers)
    optimizer.load_state_dict(state)
    states = [(dropout.generator, state) for dropout, state in zip(dropouts, dropped, strict=True)]
    for generator, generator_state in ((plan.pick, picked), (plan.shuffle, shuffled), *states):
        if generator is not None and generator_state is not None:
            generator.setstate(generator_state)
    return Checkpoint(rounds, state, picked, shuffled, position, best=best, dropout=dropped)


class _UnfitError(Exception):
    """A file that does not fit; the message is the predicate of a sentence about it."""


def _read(path: File) -> dict[str, Any]:
    try:
        content = parsed(Path(path).read_bytes())
    except ValueError as error:
        raise _UnfitError(f"is damaged ({error}); save the network again, or use another file") from None
    content = content if isinstance(content, dict) else {}
    if content.get("format") != FORMAT or not isinstance(content.get("parameters"), dict):
        raise _UnfitError("holds no network; it should be a file written by save_network or fit")
    version = content.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise _UnfitError(
            f"has version {shortened(version)}, this stepgrad reads versions 1 to {VERSION}; use the release that "
            f"wrote it"
        )
    return content


def _check_keys(content: Mapping[str, Any], known: Set[str]) -> None:
    unknown = content.keys() - known
    if unknown:
        raise _UnfitError(
            f"is damaged: it holds {shortened(sorted(unknown))}, which this stepgrad does not know; save it again"
        )


def _numbers(network: Module, content: dict[str, Any]) -> dict[str, float]:
    """Return the parameters of a file, if they and the settings are those of such a network."""
    saved = content["parameters"]
    expected = network.state_dict()
    missing, unknown = sorted(expected.keys() - saved.keys()), sorted(saved.keys() - expected.keys())
    if missing or unknown:
        examples = ", ".join(f"{name:.60}" for name in (missing + unknown)[:2])
        raise _UnfitError(
            f"is of a network of another form: {len(missing)} parameters missing and {len(unknown)} unknown, such as "
            f"{examples}; load it into a network built like the one it is from"
        )
    if content["version"] > 1:
        _compare_settings(network.settings(), content.get("settings"))
    numbers, name = {}, ""
    try:
        for name in expected:
            numbers[name] = finite_number(saved[name])
    except ValueError as error:
        raise _UnfitError(f"is damaged: its parameter {name:.60}: {error}") from None
    _check_keys(content, KEYS)
    if isinstance(content.get("training"), dict):
        _check_keys(content["training"], {field.name for field in dataclasses.fields(Checkpoint)})
    return numbers


def _compare_settings(expected: Mapping[str, Mapping[str, Any]], saved: Any) -> None:
    if not isinstance(saved, dict) or not all(isinstance(part, dict) for part in saved.values()):
        raise _UnfitError("is damaged: it lacks the settings of the network")
    for path in [*expected, *saved]:
        here, there = expected.get(path, {}), saved.get(path, {})
        for name in [*here, *there]:
            if name not in here or name not in there or here[name] != there[name]:
                raise _UnfitError(
                    f"is of another network: {path:.60} has {name:.40} {shortened(there.get(name))}, here it has "
                    f"{shortened(here.get(name))}; load it into a network built like the one it is from"
                )
    _check_keys(saved, expected.keys())


def _position(training: dict[str, Any], plan: Plan) -> Position | None:
    """Return how far the last round of a training has come, if that fits the batches and cases of now."""
    saved = training.get("position")
    if saved is None:
        return None
    if not isinstance(saved, dict) or saved.keys() != {*Position._fields}:
        raise _UnfitError(f"is damaged: the position in its last round is {shortened(saved)}")
    for name, what, here in (("batch_size", "batches of", plan.batch_size), ("cases", "cases in all:", plan.cases)):
        if training.get(name) != here:
            raise _UnfitError(
                f"was written in the middle of a round with {what} {shortened(training.get(name))}, here it is {here}; "
                f"go on with the same cases and batch_size to the end of the round"
            )
    batches, order = saved["batches"], saved["order"]
    if type(batches) is not int or not 0 < batches * plan.batch_size < plan.cases:
        raise _UnfitError(f"is damaged: its number of batches is {shortened(batches)}")
    if (order is None) is not (plan.shuffle is None):
        raise _UnfitError(
            f"was written in the middle of a round with cases that were {'not ' if order is None else ''}shuffled; go "
            f"on in the same way to the end of the round"
        )
    if order is not None:
        are_places = isinstance(order, list) and all(type(place) is int for place in order)
        if not are_places or sorted(order) != list(range(plan.cases)):
            raise _UnfitError(f"is damaged: the order of its cases is {shortened(order)}")
        order = tuple(order)
    try:
        return Position(batches, order, finite_number(saved["total"]))
    except ValueError as error:
        raise _UnfitError(f"is damaged: the error of its last round: {error}") from None


def _best(training: dict[str, Any], rounds: int, count: int) -> Best | None:
    """Return the best round of a training, if the file holds one."""
    saved = training.get("best")
    if saved is None:
        return None
    try:
        if not isinstance(saved, dict) or saved.keys() != {*Best._fields}:
            raise ValueError(shortened(saved))
        error, done, numbers = saved["error"], saved["rounds"], saved["numbers"]
        if type(done) is not int or not 0 <= done <= rounds:
            raise ValueError(f"{shortened(done)} of {rounds} rounds")
        if not isinstance(numbers, list) or len(numbers) != count:
            raise ValueError(f"{shortened(numbers)} is not a list of {count} numbers")
        return Best(math.inf if error is None else finite_number(error), done, [*map(finite_number, numbers)])
    except ValueError as error:
        raise _UnfitError(f"is damaged: its best round: {error}") from None


def _generator_state(state: Any) -> tuple[Any, ...]:
    try:
        version, words, gauss = state
        if gauss is not None and not (type(gauss) is float and math.isfinite(gauss)):
            raise ValueError
        if not all(type(word) is int and 0 <= word < 2**32 for word in words):
            raise ValueError
        result = (version, tuple(words), gauss)
        random.Random().setstate(result)
    except (ValueError, TypeError, OverflowError):
        raise _UnfitError(f"is damaged: the state of its generator is {shortened(state)}") from None
    return result
