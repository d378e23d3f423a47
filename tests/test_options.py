"""The arguments of fit(): what does not fit is refused, with the remedy, before anything is changed."""

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import Value
from nn import MLP, Adam, binary_cross_entropy, fit, softmax_cross_entropy
from tests.test_loop import XOR, small_network


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cases": []}, "at least one case"),
        ({"rounds": -1}, "rounds must be at least 0"),
        ({"checkpoint_every": 0}, "checkpoint_every must be at least 1, got 0"),
        ({"resume": True}, "no file to resume from"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"shuffle": random.Random(1)}, "shuffle has no effect .* give a batch_size"),
        ({"pick": random.Random(1), "batch_size": 2}, "either pick, or batch_size and shuffle"),
        ({"validation": []}, "validation is empty"),
        ({"validation": XOR, "validation_split": 0.5}, "give either validation, or validation_split"),
        ({"validation_split": 0.0}, r"greater than 0 and below 1, such as validation_split=0\.2, got 0\.0"),
        ({"validation_split": 1}, "validation_split must be a number greater than 0 and below 1, .*got 1"),
        ({"validation_split": math.nan}, "validation_split must be a number .*got nan"),
        ({"patience": 0}, "patience must be at least 1, got 0"),
        ({"patience": 3, "pick": random.Random(1)}, r"patience needs a validation set .*add validation_split=0\.2"),
        ({"clip_norm": 0.0}, r"clip_norm must be a finite number greater than 0, such as clip_norm=1\.0, got 0\.0"),
        ({"clip_norm": math.inf}, "clip_norm must be a finite number greater than 0, .*got inf"),
        ({"l1": -0.1}, r"l1 must be a finite number of at least 0, such as l1=0\.001, got -0\.1"),
        ({"l2": 10**400}, "l2 must be a finite number of at least 0, .*got 1"),
        ({"validation_split": 0.1}, r"validation_split=0\.1 holds out 0 of 4 cases; .*give another share"),
        ({"validation_split": 0.9}, "holds out 4 of 4 cases"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(small_network(), **{"cases": XOR, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "hinge"}, r"function, got 'hinge' of type str; .*from nn import hinge, then loss=hinge"),
        ({"loss": "mse"}, "from nn import mean_squared_error"),
        ({"loss": None}, "the loss must be a function, got None"),
        ({"optimizer": Adam}, r"got the class Adam; write optimizer=Adam\(network\.parameters\(\), learning"),
        ({"optimizer": "adam"}, r"got 'adam' of type str; write optimizer=Adam\("),
        ({"pick": True}, r"pick must be a generator .*got True of type bool; write pick=random\.Random\(1\)"),
        ({"pick": random}, "pick must be a generator of random numbers or None, got <module 'random'"),
        ({"shuffle": 1, "batch_size": 2}, r"shuffle must be a generator .*write shuffle=random\.Random\(1\)"),
        ({"rounds": 10.0}, r"rounds must be an integer of at least 0, got 10\.0 of type float"),
        ({"rounds": "10"}, "rounds must be an integer of at least 0, got '10' of type str"),
        ({"rounds": True}, "rounds must be an integer of at least 0, got True of type bool"),
        ({"batch_size": 2.5}, r"batch_size must be an integer of at least 1, got 2\.5"),
        ({"metric": "accuracy"}, r"metric must be a function, such as metric=nn\.accuracy, got 'accuracy'"),
        ({"schedule": 0.1}, r"schedule must be a function, such as schedule=lambda .*, got 0\.1 of type float"),
        ({"callback": [print]}, "callback must be a function, such as callback=lambda"),
        ({"cases": 5}, r"cases must be a list of pairs \(inputs, target\), got 5 of type int"),
        ({"cases": np.zeros((4, 3))}, r"cases\[0\] must be a pair .*got an array of shape \(3,\); .*zip\(X, y\)"),
        ({"validation_split": "20 %"}, r"must be a number .*validation_split=0\.2, got '20 %' of type str"),
        ({"validation_split": True}, "validation_split must be a number .*got True of type bool"),
        ({"patience": 2.5}, r"patience must be an integer of at least 1, got 2\.5"),
        ({"clip_norm": "1"}, "clip_norm must be a finite number greater than 0.*got '1' of type str"),
        ({"l2": None}, "l2 must be a finite number of at least 0.*got None"),
        ({"network": "net"}, r"the network must be a Module, such as MLP\(2, \[4, 1\]\), got 'net' of type str"),
    ],
)  # fmt: skip
def test_arguments_of_the_wrong_kind_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        fit(**{"network": small_network(), "cases": XOR, **arguments})


def test_a_refused_call_changes_nothing(tmp_path: Path) -> None:
    """Whatever it is that is refused, also where it stands in the last case."""
    network, shuffle = small_network(), random.Random(3)
    optimizer = Adam(network.parameters(), 0.1)
    fit(network, XOR, optimizer=optimizer, rounds=2)
    path = tmp_path / "training.json"

    def state() -> Any:
        return network.state_dict(), optimizer.state_dict(), shuffle.getstate(), list(tmp_path.iterdir())

    before = state()
    stranger = Adam(small_network().parameters())
    refused: list[tuple[dict[str, Any], str]] = [
        ({"cases": [*XOR, ([1.0], [1.0])]}, r"cases\[4\] does not fit: this network takes 2 inputs, got 1"),
        ({"cases": [*XOR, ([1.0, math.nan], [1.0])]}, r"hold nan in the inputs of cases\[4\]; .*leave the case out"),
        ({"cases": [*XOR, ([1.0, 1.0], "1")]}, r"cases\[4\] does not fit: .*'1' of type str"),
        ({"cases": [*XOR, [1.0, 1.0, 1.0]]}, r"cases\[4\] must be a pair"),
        ({"cases": [([0, 0], [2])], "loss": binary_cross_entropy}, r"cases\[0\] does not fit: .*got 2\.0"),
        ({"validation": [*XOR, ([1.0], [1.0])]}, r"validation\[4\] does not fit"),
        ({"cases": [*XOR, ([1.0], [1.0])], "validation_split": 0.2}, r"cases\[4\] does not fit"),
        ({"optimizer": stranger}, r"of another network: 17 of the 17 .*Adam\(network\.parameters\(\), …\)"),
        ({"checkpoint": tmp_path / "missing" / "file.json"}, "missing"),
        ({"rounds": -1}, "rounds"),
        ({"loss": "hinge"}, "loss"),
    ]
    for arguments, message in refused:
        given = {"optimizer": optimizer, "shuffle": shuffle, "batch_size": 2, "checkpoint": path, **arguments}
        with pytest.raises((ValueError, TypeError, OSError), match=message):
            fit(network, **{"cases": XOR, **given})
        assert state() == before, message
    fit(network, XOR, optimizer=optimizer, shuffle=shuffle, batch_size=2, checkpoint=path, rounds=1)
    assert state() != before


def test_one_target_for_several_outputs_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"cases\[0\] .*one target for each output, got 1 for 3; give a list of as many"
    ):
        fit(MLP(1, [3]), [([1.0], 1.0)])
    with pytest.raises(ValueError, match=r"cases\[0\] .*a list of logits, one for each class"):
        fit(MLP(1, [1]), [([1.0], 0)], loss=softmax_cross_entropy)


def test_a_network_that_holds_nan_is_refused_as_such() -> None:
    network = small_network()
    network.parameters()[2].data = math.nan
    with pytest.raises(ValueError, match=r"the network holds Parameter\(nan.* before the training"):
        fit(network, XOR)


def test_a_loss_that_gives_no_value_is_refused() -> None:
    losses: list[Any] = [lambda output, target: 0.5, lambda output, target: None]
    for loss in losses:
        with pytest.raises(TypeError, match="a loss must return a Value, computed from what the network gives; got"):
            fit(small_network(), XOR, loss=loss)


def test_cases_of_any_iterable_are_listed_once() -> None:
    from_list, from_generator, from_zip, from_arrays = (small_network() for _ in range(4))
    expected = fit(from_list, XOR, rounds=5)
    assert fit(from_generator, (case for case in XOR), rounds=5) == expected
    inputs, targets = zip(*XOR, strict=True)
    assert fit(from_zip, zip(map(iter, inputs), map(iter, targets), strict=True), rounds=5) == expected
    arrays = zip(np.array(inputs, float), np.array(targets, float), strict=True)
    assert fit(from_arrays, arrays, rounds=np.int64(5)).errors == expected.errors  # type: ignore[arg-type]  # an integer too
    for network in (from_generator, from_zip, from_arrays):
        assert network.state_dict() == from_list.state_dict()


def test_a_checkpoint_of_what_is_no_module_is_refused(tmp_path: Path) -> None:
    class Alike:
        def __init__(self) -> None:
            self.weight = Value(1.0)

        def __call__(self, inputs: list[float]) -> Value:
            return self.weight * inputs[0]

        def parameters(self) -> list[Value]:
            return [self.weight]

    alike: Any = Alike()
    assert fit(alike, [([1.0], 2.0)], rounds=3).rounds == 3
    with pytest.raises(
        TypeError, match=r"a checkpoint needs a network whose class is made from nn\.Module, got .*Alike"
    ):
        fit(alike, [([1.0], 2.0)], checkpoint=tmp_path / "training.json")
    assert not list(tmp_path.iterdir())
