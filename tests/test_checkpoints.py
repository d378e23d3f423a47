"""Files of networks and trainings: written and read back, or refused as a whole."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograd import Constant, Value, topological_order
from nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    History,
    Layer,
    Module,
    Neuron,
    RMSprop,
    fit,
    half_squared_error,
    load_network,
    save_network,
)
from tests.test_loop import XOR, Interrupting, small_network


def test_a_network_goes_to_a_file_and_back(tmp_path: Path) -> None:
    network, other = small_network(1), small_network(2)
    path = save_network(network, tmp_path / "network.json")
    load_network(other, path)
    assert other.state_dict() == network.state_dict()
    assert list(tmp_path.iterdir()) == [path]


BUILT_BY = {
    "class": "MLP",
    "arguments": {
        "inputs": 2, "sizes": [4, 1], "activation": "tanh", "output_activation": "sigmoid", "bias": "per-neuron"
    },
}  # fmt: skip


def good_file() -> dict[str, Any]:
    network = MLP(2, [4, 1], "tanh", "sigmoid", generator=random.Random(1))
    return {
        "format": "stepgrad network", "version": 5, "network": BUILT_BY,
        "settings": network.settings(), "parameters": network.state_dict()
    }  # fmt: skip


def damaged_files() -> dict[str, tuple[str, str]]:
    good = json.dumps(good_file())
    number = good[: good.rindex(":")]
    return {
        "truncated": (good[: len(good) // 2], "is damaged"),
        "empty": ("", "is damaged"),
        "binary": ("\x00\xff\x00", "is damaged"),
        "deep": ("[" * 100_000, "is damaged"),
        "a list": ("[1, 2]", "holds no network"),
        "another format": ('{"format": "weights"}', "holds no network"),
        "no parameters": ('{"format": "stepgrad network", "version": 5}', "holds no network"),
        "of the future": (
            good.replace('"version": 5', '"version": 6'),
            "has version 6, this stepgrad reads versions 1 to 5",
        ),
        "no version": (good.replace('"version": 5', '"version": true'), "has version True"),
        "nan": (number + ": NaN}}", "it holds NaN"),
        "infinite": (number + ": 1e999}}", "inf is not a finite number"),
        "an integer of 400 digits": (number + ": " + "9" * 400 + "}}", "9+...9+ is not a finite number"),
        "an integer of 10,000 digits": (number + ": " + "9" * 10_000 + "}}", "is damaged"),
        "text": (number + ': "big"}}', "'big' is not a finite number"),
        "long text": (number + ': "' + "x" * 10_000 + '"}}', "'x+...x+' is not a finite number"),
        "truth": (number + ": true}}", "True is not a finite number"),
        "of another form": (good.replace("layers.1", "layers.2"), "network of another form"),
        "of another activation": (good.replace("tanh", "relu"), "has activation 'relu', here it has 'tanh'"),
        "without settings": (good.replace("settings", "setting"), "lacks the settings"),
        "unknown keys": (good[:-1] + ', "junk": [1]}', r"holds \['junk'\], which this stepgrad does not know"),
        "an unknown setting of null": (
            good.replace('{"activation": "tanh"}', '{"activation": "tanh", "x": null}', 1),
            "has x None",
        ),
        "settings of what is not there": (good.replace('"settings": {', '"settings": {"layers.9": {}, '), "layers.9"),
        "unknown keys of a training": (good[:-1] + ', "training": {"junk": 1}}', r"holds \['junk'\]"),
        "damaged settings": (good.replace('{"activation": "tanh"}', "3", 1), "lacks the settings"),
    }


@pytest.mark.parametrize(("content", "message"), damaged_files().values(), ids=damaged_files())
def test_a_bad_file_is_named_and_changes_nothing(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "network.json"
    path.write_bytes(content.encode("latin-1"))
    network = small_network()
    before = network.state_dict()
    with pytest.raises(ValueError, match=message) as error:
        load_network(network, path)
    assert "network.json" in str(error.value)
    assert len(str(error.value)) < 500 + len(str(path))
    assert network.state_dict() == before


@pytest.mark.parametrize(
    "make",
    [
        lambda: MLP(2, [3, 2, 1], "sigmoid"),
        lambda: MLP(3, [2], output_activation="tanh", bias="shared"),
        lambda: MLP(1, [4, 4], "leaky_relu", "softplus", bias=None),
        lambda: Layer(2, 3, "tanh", bias="shared", names=["a", "b", "c"]),
        lambda: Layer(2, 3, None),
        lambda: Neuron(2, "sigmoid", name="out"),
        lambda: Neuron(2, bias=False),
    ],
)
def test_a_file_builds_the_network_that_it_is_of(tmp_path: Path, make: Callable[[], Any]) -> None:
    network = make()
    path = save_network(network, tmp_path / "network.json")
    state = random.getstate()
    built: Any = load_network(path)
    assert random.getstate() == state
    assert type(built) is type(network)
    assert (built.state_dict(), built.settings()) == (network.state_dict(), network.settings())
    inputs = [Value(0.25 * (index + 1)) for index in range(getattr(network, "inputs", 2))]
    assert explanation_of(built(inputs)) == explanation_of(network(inputs))
    other = make()
    assert load_network(other, path) is None
    assert other.state_dict() == network.state_dict()


def explanation_of(outputs: Any) -> list[str]:
    """All formulas of an output, with the labels and the numbers of the nodes."""
    output: Any = sum(outputs) if isinstance(outputs, list) else outputs
    return [f"{node!r} of {[parent.label for parent in node.parents]}" for node in topological_order(output)]


def test_a_checkpoint_builds_its_network(tmp_path: Path) -> None:
    network = small_network()
    fit(network, XOR, rounds=2, checkpoint=tmp_path / "training.json")
    assert load_network(tmp_path / "training.json").state_dict() == network.state_dict()


class Pair(Module):
    """A class of the user's own, of networks of this package."""

    def __init__(self) -> None:
        self.left, self.right = MLP(2, [2, 1]), Neuron(2)


class Bounded(MLP):
    """Likewise, made from one of this package."""


def changed(change: Callable[[Any], object]) -> MLP:
    network = MLP(2, [2, 2, 1])
    change(network)
    return network


@pytest.mark.parametrize(
    "network",
    [
        Pair(),
        Bounded(2, [1]),
        changed(lambda network: setattr(network.layers[0].neurons[1], "activation", "tanh")),
        changed(lambda network: setattr(network.layers[1], "neurons", network.layers[1].neurons[:1])),
        changed(lambda network: setattr(network.layers[0].neurons[0], "bias", Constant(1.0))),
        changed(lambda network: setattr(network.layers[1].neurons[0], "bias", network.layers[0].neurons[0].bias)),
        changed(lambda network: network.layers.append(Bounded(1, [1]))),
        changed(lambda network: network.layers.clear()),
        changed(lambda network: network.layers[1].neurons.clear()),
    ],
    ids=range(9),
)
def test_what_no_file_can_build_has_its_numbers_saved(tmp_path: Path, network: Module) -> None:
    path = save_network(network, tmp_path / "network.json")
    assert "network" not in json.loads(path.read_text())
    with pytest.raises(ValueError, match=r"json holds the numbers of a network, .*; build it .* load_network\("):
        load_network(path)
    before = network.state_dict()
    for parameter in network.parameters():
        parameter.data = 7.0
    load_network(network, path)
    assert network.state_dict() == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("class", "Bounded"),
        ("class", "os.system"),
        ("class", ["MLP"]),
        ("class", "Neuron"),
        ("arguments", None),
        ("arguments", {}),
        ("arguments", {"generator": "rm"}),
        ("inputs", 10**12),
        ("inputs", 0),
        ("inputs", "2"),
        ("inputs", True),
        ("inputs", 3),
        ("sizes", [10**12, 1]),
        ("sizes", [16, 16]),
        ("sizes", [4.0, 1]),
        ("sizes", "ab"),
        ("sizes", [[4], 1]),
        ("sizes", 4),
        ("sizes", []),
        ("activation", "__import__"),
        ("activation", ["tanh"]),
        ("bias", True),
        ("bias", "each"),
        ("others", 1),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    content = json.loads(json.dumps(good_file()))
    part = content["network"]
    (part if key in part else part["arguments"])[key] = value
    path = tmp_path / "network.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"is damaged: no network can be built from|of another form"):
        load_network(path)


@pytest.mark.parametrize("setting", ["relu", "os.system"])
def test_a_network_that_its_settings_contradict_is_refused(tmp_path: Path, setting: str) -> None:
    path = tmp_path / "network.json"
    path.write_text(json.dumps(good_file()).replace('{"activation": "tanh"}', f'{{"activation": "{setting}"}}'))
    with pytest.raises(ValueError, match="is of another network"):
        load_network(path)


loading: Any = load_network  # type checkers refuse these calls, too
saving: Any = save_network


@pytest.mark.parametrize(
    ("call", "remedy"),
    [
        (lambda: saving("net.json", small_network()), r"write save_network\(network, 'net.json'\)$"),
        (lambda: saving(small_network()), r"write save_network\(network, 'network.json'\)\. It takes"),
        (lambda: saving(small_network(), 3), r"got <MLP 2-4-1: 17 parameters>, 3: .* write save_network\(network, "),
        (lambda: saving([1.0], "net.json"), r"got \[1.0\], 'net.json': it takes a network whose class is made from"),
        (lambda: loading("net.json", small_network()), r"write load_network\(network, 'net.json'\), or load_network\("),
        (lambda: loading(small_network()), r"write load_network\(network, 'network.json'\), or load_network\('net"),
        (loading, "load_network got no argument: it takes a network"),
    ],
)
def test_a_slip_says_what_to_write(call: Callable[[], Any], remedy: str) -> None:
    with pytest.raises(TypeError, match=remedy):
        call()


def test_a_path_may_be_given_by_its_name(tmp_path: Path) -> None:
    path = save_network(small_network(), path=tmp_path / "network.json")
    assert loading(path=path).state_dict() == small_network().state_dict()
    load_network(small_network(2), path=path)


@pytest.mark.parametrize(("version", "lacking"), [(1, ("network", "settings")), (4, ("network",))])
def test_a_file_without_what_an_older_version_lacks_is_read(
    tmp_path: Path, version: int, lacking: tuple[str, ...]
) -> None:
    """Version 1 holds no activation functions; up to version 4 nothing says what builds the network."""
    file = {name: content for name, content in good_file().items() if name not in lacking} | {"version": version}
    path = tmp_path / "network.json"
    path.write_text(json.dumps(file))
    network = small_network(2)
    load_network(network, path)
    assert network.state_dict() == file["parameters"]
    with pytest.raises(ValueError, match="holds the numbers of a network, but not what builds it: it is from an older"):
        load_network(path)
    training = {
        "rounds": 3,
        "optimizer": SGD(network.parameters(), 0.5).state_dict(),
        "pick": random.Random(1).getstate(),
    }
    path.write_text(json.dumps({**file, "training": training}))
    assert fit(network, XOR, rounds=5, checkpoint=path, resume=True, pick=random.Random(2)).rounds == 5


@pytest.mark.parametrize("version", [2, 3])
def test_a_file_of_an_older_version_is_read(tmp_path: Path, version: int) -> None:
    """Those of version 2 know no batches, those of version 3 no settings of the optimizer."""
    path, network = tmp_path / "training.json", small_network(2)
    fit(network, XOR, rounds=3, checkpoint=path)
    content = json.loads(path.read_text()) | {"version": version}
    for name in ("settings", "missed"):
        del content["training"]["optimizer"][name]
    path.write_text(json.dumps(content))
    rest, whole = small_network(1), small_network(2)
    assert fit(rest, XOR, rounds=5, checkpoint=path, resume=True).rounds == 5
    fit(whole, XOR, rounds=5)
    assert rest.state_dict() == whole.state_dict()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("learning_rate", 0.04),
        ("weight_decay", 0.5),
        ("epsilon", 1e-3),
        ("betas", (0.5, 0.6)),
        ("momentum", 0.1),
        ("alpha", 0.5),
    ],
)
def test_a_setting_that_a_callback_changed_is_resumed(tmp_path: Path, name: str, changed: Any, compiled: bool) -> None:
    path = tmp_path / "training.json"

    def train(rounds: int, **settings: Any) -> Any:
        network = small_network(2)
        parameters = network.parameters()
        kinds: dict[str, Any] = {"momentum": lambda: SGD(parameters, 0.4, 0.9), "alpha": lambda: RMSprop(parameters)}
        optimizer = kinds.get(name, lambda: AdamW(parameters, 0.4))()

        def change(history: History) -> None:
            if history.rounds == 2:
                setattr(optimizer, name, changed)

        fit(network, XOR, optimizer=optimizer, rounds=rounds, callback=change, compiled=compiled, **settings)
        return optimizer.state_dict(), network.state_dict()

    whole = train(6)
    train(4, checkpoint=path)
    assert train(6, checkpoint=path, resume=True) == whole
    assert whole[0]["settings"][name] == pytest.approx(changed)


def test_a_schedule_that_goes_on_from_the_last_rate_is_resumed_within_a_round(tmp_path: Path) -> None:
    path = tmp_path / "training.json"

    def train(loss: Any = half_squared_error, **settings: Any) -> Any:
        network = small_network(2)
        optimizer = SGD(network.parameters(), 0.4)
        fit(network, XOR, optimizer=optimizer, loss=loss, rounds=4, batch_size=1,
            schedule=lambda done: optimizer.learning_rate * 0.5, **settings)  # fmt: skip
        return optimizer.learning_rate, network.state_dict()

    train(Interrupting(6), checkpoint=path)
    assert train(checkpoint=path, resume=True) == train()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("position", 3, "the position in its last round is 3"),
        ("position", {"batches": 1}, "the position in its last round is {'batches': 1}"),
        ("batches", 0, "its number of batches is 0"),
        ("batches", 2, "its number of batches is 2"),
        ("batches", True, "its number of batches is True"),
        ("order", [0, 1, 2, 2], r"the order of its cases is \[0, 1, 2, 2\]"),
        ("order", [0, 1, 2, True], "the order of its cases is"),
        ("order", ["0", 1, 2, 3], "the order of its cases is"),
        ("order", {"0": 1}, "the order of its cases is"),
        ("order", None, "cases that were not shuffled"),
        ("total", None, "the error of its last round: None is not a finite number"),
        ("total", 10**400, "is not a finite number"),
        ("batch_size", 3, "with batches of 3, here it is 2"),
        ("cases", None, "with cases in all: None, here it is 4"),
        ("shuffle", [3, [1, 2], None], "the state of its generator"),
    ],
)
def test_a_damaged_position_is_refused_and_changes_nothing(tmp_path: Path, key: str, value: Any, message: str) -> None:
    path = tmp_path / "training.json"
    settings: dict[str, Any] = {"rounds": 3, "batch_size": 2, "checkpoint": path}
    fit(small_network(), XOR, loss=Interrupting(3), shuffle=random.Random(1), **settings)
    content = json.loads(path.read_text())
    part = content["training"]
    (part["position"] if key in ("batches", "order", "total") else part)[key] = value
    path.write_text(json.dumps(content))
    network, shuffle = small_network(), random.Random(5)
    before = network.state_dict(), shuffle.getstate()
    with pytest.raises(ValueError, match=message):
        fit(network, XOR, shuffle=shuffle, resume=True, **settings)
    assert (network.state_dict(), shuffle.getstate()) == before


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("rounds", -3, "its number of rounds is -3"),
        ("rounds", "7", "its number of rounds is '7'"),
        ("rounds", 1.5, "its number of rounds is 1.5"),
        ("rounds", True, "its number of rounds is True"),
        ("rounds", None, "its number of rounds is None"),
        ("optimizer", {"kind": "Adam"}, "optimizer is damaged"),
        ("optimizer", {"kind": "Adam", "steps": -1, "memory": []}, "number of steps is -1"),
        ("pick", [3, [1, 2], None], "the state of its generator"),
        ("pick", [3, [2**40] * 625, None], "the state of its generator"),
        ("pick", [3, [*random.Random(1).getstate()[1][:-2], 2**40, 624], None], "the state of its generator"),
        ("pick", [*random.Random(1).getstate()[:2], "1.5"], "the state of its generator"),
        ("pick", "x" * 5_000, "the state of its generator"),
        ("rounds", [[[["x" * 100] * 7] * 7] * 7] * 7, "its number of rounds is"),
        ("pick", None, "the state of its generator is None"),
    ],
)
def test_a_training_that_cannot_be_resumed_changes_nothing(tmp_path: Path, key: str, value: Any, message: str) -> None:
    def optimizer(network: MLP) -> Adam:
        return Adam(network.parameters(), 0.1)

    path, trained = tmp_path / "training.json", small_network(2)
    fit(trained, XOR, rounds=3, checkpoint=path, optimizer=optimizer(trained), pick=random.Random(1))
    content = json.loads(path.read_text())
    content["training"][key] = value
    path.write_text(json.dumps(content))
    network, pick = small_network(), random.Random(5)
    adam = optimizer(network)
    before = network.state_dict(), adam.state_dict(), pick.getstate()
    with pytest.raises(ValueError, match=message) as error:
        fit(network, XOR, checkpoint=path, resume=True, optimizer=adam, pick=pick)
    assert len(str(error.value)) < 500 + len(str(path))
    assert (network.state_dict(), adam.state_dict(), pick.getstate()) == before


def test_a_network_with_lost_parameters_is_not_saved(tmp_path: Path) -> None:
    network = small_network()
    path = save_network(network, tmp_path / "network.json")
    before = path.read_text()
    network.parameters()[0].data = math.nan
    with pytest.raises(ValueError, match=r"cannot save the network: layers\.0\.neurons\.0\.weights\.0 is nan"):
        save_network(network, path)
    assert path.read_text() == before
    with pytest.raises(FileNotFoundError):
        save_network(small_network(), tmp_path / "missing" / "network.json")
