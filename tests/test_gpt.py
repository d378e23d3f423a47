"""The GPT in scalars, beside C that was written by hand."""

import ctypes
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from autograd import value_and_grad
from nn.examples.gpt import BOUNDARY, predictions, sampled_names
from tests.benchmarks import gpt

SOURCE = Path(__file__).parent / "benchmarks" / "programs" / "gpt.c"


def flat(parameters: gpt.Parameters) -> gpt.Array:
    return numpy.concatenate([numpy.ravel(parameters[name]) for name in gpt.SHAPES])


def by_hand(folder: Path, name: str) -> tuple[float, gpt.Array]:
    library = folder / "gpt.so"
    command = ["gcc", "-O1", "-ffp-contract=off", "-Wno-psabi", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
    subprocess.run([*command, "-lm"], check=True)
    function = ctypes.CDLL(str(library)).gpt
    function.restype = ctypes.c_double
    inputs, targets, weights = gpt.document(name)
    parameters = flat(gpt.initial_parameters())
    gradients = numpy.zeros_like(parameters)
    tokens = [numpy.ascontiguousarray(rows.argmax(axis=1), dtype=numpy.intc) for rows in (inputs, targets)]
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (parameters, gradients, *tokens, weights)]
    return function(*pointers), gradients


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("gcc") is None, reason="this needs gcc on Linux")
@pytest.mark.parametrize("name", ["abcdefghijklmno", "emma"])
def test_loss_and_gradients_are_those_of_hand_written_c(name: str, tmp_path: Path) -> None:
    loss, gradients = by_hand(tmp_path, name)
    ours, by_name = value_and_grad(gpt.loss)(gpt.initial_parameters(), *gpt.document(name))
    assert ours == pytest.approx(loss, rel=1e-14)
    assert flat(by_name) == pytest.approx(gradients, rel=1e-12, abs=1e-17)


def test_positions_of_no_weight_change_nothing() -> None:
    document = gpt.document("emma")
    run = value_and_grad(gpt.loss)
    padded, padded_gradients = run(gpt.initial_parameters(), *document)
    trimmed, gradients = run(gpt.initial_parameters(), *gpt.trimmed(document))
    assert (len(document.weights), len(gpt.trimmed(document).weights)) == (16, 5)
    assert padded == pytest.approx(trimmed, rel=1e-14)
    assert flat(padded_gradients) == pytest.approx(flat(gradients), rel=1e-12, abs=1e-17)


@pytest.mark.engine_independent
def test_a_step_is_that_of_the_optimizer() -> None:
    expected, losses = gpt.train_eagerly(2, 1000)
    parameters, means, squares = gpt.initial_parameters(), gpt.zeros(), gpt.zeros()
    rounds = zip(*gpt.schedule(1000), gpt.made_up_names(1000)[:2], strict=False)
    for (rate, correction, square_correction, name), loss in zip(rounds, losses, strict=True):
        settings = rate, correction, square_correction, *gpt.trimmed(gpt.document(name))
        parameters, means, squares, error = gpt.training_step(parameters, means, squares, *settings)
        assert error == pytest.approx(loss, rel=1e-14)
    assert flat(parameters) == pytest.approx(flat(expected), rel=1e-9, abs=1e-15)


def test_names_are_the_same_at_each_run() -> None:
    names = gpt.made_up_names(1000)
    assert names == gpt.made_up_names(1000)
    assert {len(name) for name in names} == set(range(3, 11))
    assert all(name.isascii() and name.islower() and name.isalpha() for name in names)
    assert sum(numpy.prod(shape) for shape in gpt.SHAPES.values()) == 4192


@pytest.mark.engine_independent
def test_predictions_are_what_the_loss_measures_and_look_at_no_later_token() -> None:
    parameters, (inputs, targets, weights) = gpt.initial_parameters(), gpt.document("emma")
    rows = numpy.array([[logit.data for logit in logits] for logits in predictions(parameters, inputs)])
    probabilities = numpy.exp(rows) / numpy.exp(rows).sum(axis=1, keepdims=True)
    expected = -(weights * numpy.log((probabilities * targets).sum(axis=1) + (weights == 0.0))).sum()
    assert gpt.loss(parameters, inputs, targets, weights).data == pytest.approx(expected, rel=1e-12)
    inputs[3:] = gpt.document("emir").inputs[3:]
    other = numpy.array([[logit.data for logit in logits] for logits in predictions(parameters, inputs)])
    assert (other[:3] == rows[:3]).all()
    assert (other[3] != rows[3]).any()


def test_samples_end_where_the_model_ends_them() -> None:
    """A model whose logits do not depend on the tokens: it ends each name at once, or never."""
    parameters = {name: numpy.zeros(shape) for name, shape in gpt.SHAPES.items()}
    parameters["position_embedding"][:] = 1.0
    parameters["head"][BOUNDARY] = 100.0
    assert sampled_names(parameters, 2, random.Random(1)) == ["", ""]
    parameters["head"][BOUNDARY], parameters["head"][2] = -100.0, 100.0
    assert sampled_names(parameters, 2, random.Random(1)) == ["c" * 16] * 2
