"""Hand-written C: "exact" where each operation is rounded, as it is written; `fast_c_peer` with gcc's -ffast-math."""

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy

from tests.benchmarks import gpt
from tests.benchmarks.programs import functions, loops, objectives
from tests.benchmarks.programs.serving import ROOT, Array, Skipped, Task, repeated

BUILD = ROOT / "build" / "benchmarks"
EXACT = ("-ffp-contract=off",)
FAST = ("-ffast-math",)
NUMBERS = ctypes.POINTER(ctypes.c_double)
INDICES = ctypes.POINTER(ctypes.c_int)
PLACES = ctypes.POINTER(ctypes.c_long)


def library(source: str | Path, *flags: str, others: Sequence[Path] = ()) -> ctypes.CDLL:
    """C files, the first one of this folder, compiled; what was compiled is kept in `build`."""
    if shutil.which("gcc") is None:
        raise Skipped("there is no gcc")
    paths = [Path(__file__).parent / source, *others]
    options = ["-O3", "-march=native", "-Wno-psabi", *flags]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths) + repr(options).encode()).hexdigest()[:16]
    target = BUILD / f"{paths[0].stem}-{digest}.so"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        made = target.with_suffix(f".{os.getpid()}")
        subprocess.run(["gcc", *options, "-shared", "-fPIC", "-o", str(made), *map(str, paths), "-lm"], check=True)
        made.rename(target)
    return ctypes.CDLL(str(target))


def numbers(array: Array) -> Any:
    """A pointer to floats."""
    return array.ctypes.data_as(NUMBERS)


def places(array: Any) -> Any:
    """A pointer to whole numbers."""
    return numpy.ascontiguousarray(array, dtype=numpy.int_).ctypes.data_as(PLACES)


def bundle_task(function: Any, count: int) -> Task:
    """The Jacobian of each of many observations, by a function of C."""
    bundle = objectives.bundle(count)
    observations, jacobians = bundle.numbers(), numpy.zeros((count, 30))

    def run(times: int) -> Array:
        pointers = map(numbers, (observations, bundle.features, jacobians))
        function(ctypes.c_long(times), ctypes.c_long(count), *pointers)
        return jacobians

    return Task(run, lambda: run(1).ravel(), units=count)


def worked_example_task(function: Any, rounds: int) -> Task:
    """Rounds of training of the worked example, by a function of C."""

    def run(times: int) -> Array:
        weights = functions.WORKED_EXAMPLE.copy()
        function(ctypes.c_long(times * rounds), numbers(weights))
        return weights

    return Task(run, lambda: run(1), units=rounds)


def programs(flags: tuple[str, ...]) -> dict[str, Callable[[int], Task]]:
    """The programs, compiled with some flags."""

    def gpt_arguments(count: int) -> tuple[Any, ...]:
        documents = functions.gpt_documents(count)
        tokens = [
            numpy.ascontiguousarray(rows.argmax(axis=-1), dtype=numpy.intc)
            for rows in (documents.inputs, documents.targets)
        ]
        return *[array.ctypes.data_as(INDICES) for array in tokens], numbers(documents.weights), (tokens, documents)

    def gpt_mean(count: int) -> Task:
        function = library("gpt.c", *flags).gpt_mean
        function.restype = ctypes.c_double
        parameters = functions.flat(gpt.initial_parameters())
        gradients = numpy.zeros_like(parameters)
        *arguments, kept = gpt_arguments(count)

        def run(times: int) -> float:
            return float(
                function(
                    ctypes.c_long(times), ctypes.c_long(count), numbers(parameters), numbers(gradients), *arguments
                )
            )

        def result() -> Array:
            assert kept
            return numpy.array([run(1), *gradients])

        return Task(run, result, units=count)

    def gpt_descend(rounds: int) -> Task:
        function = library("gpt.c", *flags).gpt_descend
        function.restype = ctypes.c_double
        parameters = functions.flat(gpt.initial_parameters())
        gradients = numpy.zeros_like(parameters)
        *arguments, kept = gpt_arguments(rounds)

        def descended() -> Array:
            moved = parameters.copy()
            function(ctypes.c_long(rounds), numbers(moved), numbers(gradients), *arguments, ctypes.c_double(0.1))
            assert kept
            return moved

        return Task(repeated(descended), descended, units=rounds)

    def network(activation: str) -> Callable[[int], Task]:
        def build(rows: int) -> Task:
            function = library("network.c", f"-D{activation}", *flags).network_mean
            function.restype = ctypes.c_double
            parameters, (inputs, targets) = (
                functions.flat(functions.network_parameters()),
                functions.network_cases(rows),
            )
            gradients = numpy.zeros_like(parameters)

            def run(times: int) -> float:
                pointers = map(numbers, (parameters, gradients, inputs, targets))
                return float(function(ctypes.c_long(times), ctypes.c_long(rows), *pointers))

            return Task(run, lambda: numpy.array([run(1), *gradients]))

        return build

    def worked_example(rounds: int) -> Task:
        return worked_example_task(library("small.c", *flags).worked_example, rounds)

    def rosenbrock(count: int) -> Task:
        function = library("small.c", *flags).rosenbrock
        x = functions.rosenbrock_point(count)
        gradient = numpy.zeros(count)

        def run(times: int) -> Array:
            function(ctypes.c_long(times), ctypes.c_long(count), numbers(x), numbers(gradient))
            return gradient

        return Task(run, lambda: run(1))

    def chain(rounds: int) -> Task:
        function = library("small.c", *flags).chain
        output = numpy.zeros(2)

        def run(times: int) -> Array:
            function(ctypes.c_long(times), ctypes.c_long(rounds), ctypes.c_double(functions.FIRST), numbers(output))
            return output

        return Task(run, lambda: run(1))

    def bundle_adjustment(count: int) -> Task:
        return bundle_task(library("bundle.c", *flags).bundle, count)

    def called(source: str, function: str, *arguments: Any) -> Callable[[int], float]:
        """What calls a function, which takes how often first; its result is a float, or none."""
        call = library(source, *flags)[function]
        call.restype = ctypes.c_double
        given = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
        return lambda times: float(call(ctypes.c_long(times), *given))

    def sparse_bundle_adjustment(count: int) -> Task:
        bundle = objectives.bundle(count)
        entries, (*given, pairs, features) = bundle.entries(), bundle
        run = called(
            "bundle.c", "sparse", count, *map(numbers, given), places(pairs), *map(numbers, (features, entries))
        )
        return Task(run, lambda: (run(1), entries)[1], units=count)

    def mixture(count: int) -> Task:
        given, wishart = objectives.mixture(count), objectives.Wishart()
        sizes = count, given.means.shape[1], len(given.means)
        constants = numpy.array([wishart.gamma, wishart.m, objectives.mixture_constant(*sizes, wishart)])
        gradient = numpy.zeros(sum(part.size for part in given[:3]))
        run = called("mixture.c", "mixture", *sizes, *map(numbers, (*given, constants, gradient)))
        return Task(run, lambda: numpy.array([run(1), *gradient]))

    def text(count: int) -> Task:
        given = objectives.text(count)
        (rows, bits), layers = given.state.shape, len(given.state) // 2
        gradient = numpy.zeros(given.main.size + given.extra.size)
        work = numpy.zeros((count * (9 * layers + 1) + rows) * bits)
        run = called("text.c", "text", count, layers, bits, *map(numbers, (*given, gradient, work)))
        return Task(run, lambda: numpy.array([run(1), *gradient]))

    def hand(count: int) -> Task:
        model = objectives.hand(count)
        vertices, bones = numpy.nonzero(model.weights)
        starts = numpy.searchsorted(vertices, range(len(model.vertices) + 1))
        rests = numpy.ascontiguousarray(model.at_rest()[bones, vertices])
        slopes = numpy.zeros((3 * count, 2 + objectives.ANGLES))
        run = called(
            "hand.c", "hand", count, places(model.parents), numbers(model.relatives), places(starts), places(bones),
            *map(numbers, (model.weights[vertices, bones], rests)), places(model.corners),
            *map(numbers, (model.angles, model.places, slopes)),
        )  # fmt: skip
        return Task(run, lambda: (run(1), slopes.ravel())[1])

    def log_sum_exp(count: int) -> Task:
        gradient = numpy.zeros(count)
        run = called("small.c", "log_sum_exp", count, numbers(loops.numbers(count)), numbers(gradient))
        return Task(run, lambda: numpy.array([run(1), *gradient]))

    def clusters(count: int) -> Task:
        centroids, points = map(numpy.ascontiguousarray, loops.clusters(count))
        found = numpy.zeros((2, *centroids.shape))
        run = called("small.c", "clusters", count, *centroids.shape, *map(numbers, (centroids, points, *found)))
        return Task(run, lambda: (run(1), found.ravel())[1])

    return {
        "gpt": gpt_mean,
        "gpt descend": gpt_descend,
        "network tanh": network("TANH"),
        "network relu": network("RELU"),
        "worked example": worked_example,
        "bundle adjustment": bundle_adjustment,
        "sparse bundle adjustment": sparse_bundle_adjustment,
        "mixture": mixture,
        "text": text,
        "hand": hand,
        "rosenbrock": rosenbrock,
        "chain": chain,
        "log-sum-exp": log_sum_exp,
        "clusters": clusters,
    }


PROGRAMS = programs(EXACT)
