"""Programs written as C, compiled and run, beside the same programs run by Python: for tests and a campaign."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import math
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import CSource
from autograd.primitives import Primitive
from autograd.programs.c_source import to_c
from autograd.programs.program import Program
from tests.random_programs import by_python, random_program, run_by

NUMBERS = ctypes.POINTER(ctypes.c_double)
EXACT = ("-std=c99", "-ffp-contract=off")
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FORMS: tuple[dict[str, int], ...] = (
    {},
    {"straight": 0},
    {"straight": 0, "least_loop": 1},
    {"straight": 0, "statements": 0},
)  # of what is written


class Case(NamedTuple):
    """A program, what it is written as, and numbers for its inputs."""

    program: Program
    code: CSource
    rows: list[list[float]]


def compilers() -> list[str]:
    """The compilers that are installed, of those that are tried."""
    return [name for name in ("gcc", "clang") if shutil.which(name)]


def each_compiler() -> pytest.MarkDecorator:
    """A parameter `compiler` for tests, which are skipped where it is missing."""
    return pytest.mark.parametrize(
        "compiler",
        [
            pytest.param(name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed"))
            for name in ("gcc", "clang")
        ],
    )


def build(folder: Path, sources: Sequence[CSource], main: str, compiler: str, flags: Sequence[str]) -> Path:
    """Compile sources and a main function, and return the path of the program."""
    for source in sources:
        source.save(folder / f"{source.name}.c")
    (folder / "main.c").write_text(main)
    files = ["main.c", *[f"{source.name}.c" for source in sources]]
    command = [compiler, *EXACT, *flags, "-o", "program", *files, "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "program"


def loaded(folder: Path, code: CSource, *flags: str) -> Callable[..., int]:
    """Compile a program with gcc, and return its function: arrays as pointers, floats as numbers."""
    code.save(folder / f"{code.name}.c")
    command = ["gcc", *EXACT, *WARNINGS, "-O2", "-shared", "-fPIC", *flags, "-o", f"{code.name}.so", f"{code.name}.c"]
    done = subprocess.run([*command, "-lm"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    library = ctypes.CDLL(str(folder / f"{code.name}.so"))
    function = getattr(library, code.name)
    size = int(re.findall(r"_WORK (\d+)", code.header)[0])

    def call(*arguments: Any) -> int:
        kept = [*arguments, np.full(size, np.nan)]
        pointers = [each.ctypes.data_as(NUMBERS) if hasattr(each, "ctypes") else ctypes.c_double(each) for each in kept]
        return int(function(*pointers))

    return call


def run(folder: Path, cases: Sequence[Case], compiler: str, flags: Sequence[str]) -> list[list[list[float]]]:
    """Run programs as C: of each, for each row of inputs, the status and the outputs."""
    calls = []
    for case in cases:
        name, inputs, outputs = case.code.name, len(case.program.inputs), len(case.program.outputs)
        given = ["x"] * (inputs > 0) + [f"{name}_parameters"] * (len(case.program.parameters) > 0)
        given += ["out"] * (outputs > 0)
        call = f"{name}({', '.join([*given, 'work'])})"
        calls.append(f"    RUN({len(case.rows)}, {inputs}, {outputs}, {name.upper()}_WORK, {call})")
    main = "\n".join(
        [
            "#include <stdio.h>\n#include <stdlib.h>",
            *[f'#include "{case.code.name}.h"' for case in cases],
            "#define RUN(rows, inputs, outputs, size, call) \\",
            "    for (i = 0; i < rows; ++i) { \\",
            "        double *x = malloc(sizeof(double[inputs + 1])), *out = malloc(sizeof(double[outputs + 1])); \\",
            "        double *work = malloc(sizeof(double[size])), status; \\",
            "        if (fread(x, sizeof *x, inputs, stdin) != inputs) return 1; \\",
            "        status = call; \\",
            "        fwrite(&status, sizeof status, 1, stdout), fwrite(out, sizeof *out, outputs, stdout); \\",
            "        free(x), free(out), free(work); \\",
            "    }",
            "int main(void) {\n    int i;",
            *calls,
            "    return 0;\n}\n",
        ]
    )
    program = build(folder, [case.code for case in cases], main, compiler, flags)
    numbers = b"".join(np.array(row, float).tobytes() for case in cases for row in case.rows)
    done = subprocess.run([str(program)], input=numbers, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found, place = np.frombuffer(done.stdout), 0
    results: list[list[list[float]]] = []
    for case in cases:
        size = 1 + len(case.program.outputs)
        rows = found[place : place + len(case.rows) * size].reshape(len(case.rows), size)
        results.append(rows.tolist())
        place += rows.size
    assert place == len(found)
    return results


@functools.cache
def c_library() -> ctypes.CDLL:
    """The functions of the C library, by the machine's own rounding."""
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    for name, count in (("hypot", 2), ("erf", 1), ("erfc", 1)):
        function = getattr(library, name)
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * count
    return library


def by_c_library(primitive: Primitive, *numbers: float) -> float:
    """A primitive as the eager engine computes it, but with those functions of C that Python rounds in its own way."""
    if primitive.name in ("hypot", "erf", "erfc"):
        return float(getattr(c_library(), primitive.name)(*numbers))
    if primitive.name == "gelu":
        (x,) = numbers
        return 0.5 * (x if x >= -40.0 or x != x else -40.0) * by_c_library_erfc(-math.sqrt(0.5) * x)
    return by_python(primitive, *numbers)


def by_c_library_erfc(x: float) -> float:
    """The complementary error function of C."""
    return float(c_library().erfc(x))


def random_case(seed: int, form: dict[str, int]) -> Case:
    """A random program, what it is written as in some form, and numbers for its inputs: ordinary, zeros and huge."""
    rng = random.Random(seed)
    program = random_program(rng)
    rows = [[rng.uniform(-2.0, 2.0) for _ in program.inputs] for _ in range(3)]
    rows.append([rng.choice([0.0, -0.0, 1.0, -1.0, 1e300, -1e300, 1e-300]) for _ in program.inputs])
    return Case(program, to_c(program, f"p{seed}", **form), rows)


def differences(cases: Sequence[Case], results: Sequence[list[list[float]]]) -> list[str]:
    """What differs between results of C and those of Python, instruction after instruction."""
    found = []
    for case, rows in zip(cases, results, strict=True):
        for inputs, (status, *outputs) in zip(case.rows, rows, strict=True):
            wanted = run_by(by_c_library, case.program, inputs)
            if not np.array_equal(wanted, outputs, equal_nan=True):
                found.append(f"{case.code.name} at {inputs}: {outputs}, not {wanted}")
            if status != (not all(map(math.isfinite, wanted))):
                found.append(f"{case.code.name} at {inputs}: status {status} with {wanted}")
    return found
