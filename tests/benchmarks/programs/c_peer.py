"""Hand-written C: "exact" where each operation is rounded, as it is written; `fast_c_peer` with gcc's -ffast-math."""

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from tests.benchmarks import gpt
from tests.benchmarks.programs import functions
from tests.benchmarks.programs.serving import ROOT, Array, Skipped, Task, repeated

EXACT = ("-ffp-contract=off",)
FAST = ("-ffast-math",)
NUMBERS = ctypes.POINTER(ctypes.c_double)
INDICES = ctypes.POINTER(ctypes.c_int)


def library(source: str, *flags: str) -> ctypes.CDLL:
    """A C file of this folder, compiled; what was compiled is kept in `build`."""
    if shutil.which("gcc") is None:
        raise Skipped("there is no gcc")
    path = Path(__file__).parent / source
    options = ["-O3", "-march=native", "-Wno-psabi", *flags]
    digest = hashlib.sha256(path.read_bytes() + repr(options).encode()).hexdigest()[:16]
    target = ROOT / "build" / "benchmarks" / f"{path.stem}-{digest}.so"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        made = target.with_suffix(f".{os.getpid()}")
        subprocess.run(["gcc", *options, "-shared", "-fPIC", "-o", str(made), str(path), "-lm"], check=True)
        made.rename(target)
    return ctypes.CDLL(str(target))


def numbers(array: Array) -> Any:
    """A pointer to floats."""
    return array.ctypes.data_as(NUMBERS)


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
        function = library("small.c", *flags).worked_example

        def run(times: int) -> Array:
            weights = functions.WORKED_EXAMPLE.copy()
            function(ctypes.c_long(times * rounds), numbers(weights))
            return weights

        return Task(run, lambda: run(1), units=rounds)

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

    return {
        "gpt": gpt_mean,
        "gpt descend": gpt_descend,
        "network tanh": network("TANH"),
        "network relu": network("RELU"),
        "worked example": worked_example,
        "rosenbrock": rosenbrock,
        "chain": chain,
    }


PROGRAMS = programs(EXACT)
