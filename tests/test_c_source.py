"""Programs written as C: compiled by gcc and clang, run, and compared bit for bit with the programs."""

import doctest
import random
import re
import shutil
import subprocess
import tempfile
from builtins import compile as compile_python
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd
from autograd import (
    Constant,
    Value,
    compile,
    dot,
    exp,
    fori_loop,
    grad,
    greater,
    hessian,
    jacobian,
    log,
    primitive,
    sin,
    sqrt,
    tanh,
    value_and_grad,
    where,
)
from autograd.programs.c_source import to_c
from autograd.programs.program import Program
from nn import MLP, mean_squared_error
from tests.benchmarks.programs import functions
from tests.c_programs import (
    EXACT,
    FORMS,
    SANITIZED,
    WARNINGS,
    build,
    differences,
    each_compiler,
    loaded,
    random_case,
    run,
)

pytestmark = pytest.mark.engine_independent
NEEDS_GCC = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
PROGRAMS = 12  # of each compiler and each level
LEVELS = (("-O0", *SANITIZED), ("-O1",), ("-O2", *SANITIZED), ("-O3",))


# The bits.


@pytest.mark.parametrize("level", range(len(LEVELS)), ids=[flags[0] for flags in LEVELS])
@each_compiler()
def test_random_programs_have_the_bits_of_python(compiler: str, level: int, tmp_path: Path) -> None:
    """In each form: as statements, as loops with statements, as loops alone, and with tables of instructions.

    Each compiler gets other programs at each level, since most of the time goes to compiling them.
    """
    seeds = range(level * PROGRAMS, (level + 1) * PROGRAMS)
    cases = [random_case(seed, FORMS[seed % len(FORMS)]) for seed in seeds]
    assert differences(cases, run(tmp_path, cases, compiler, [*WARNINGS, *LEVELS[level]])) == []


def test_what_a_compiler_knows_about_powers_changes_no_bit(tmp_path: Path) -> None:
    """Left alone, clang makes 2^x an exp2, and 10^x an exp10, which are rounded otherwise than pow."""
    compilers = [name for name in ("gcc", "clang") if shutil.which(name)]
    if not compilers:
        pytest.skip("neither gcc nor clang is installed")
    x = Value(0.5)
    program = Program.of([2.0**x, 10.0**x, x**0.5, x**2.0, x**-1.0], inputs=[x])
    rng = random.Random(1)
    rows = [[rng.uniform(0.0, 300.0)] for _ in range(2000)]
    case = random_case(0, {})._replace(program=program, code=program.to_c("powers"), rows=rows)
    for compiler in compilers:
        assert differences([case], run(tmp_path, [case], compiler, ["-O3"])) == []


def training_step(weights: Any, x: Any, target: Any) -> Any:
    gradient = grad(lambda w: (tanh(dot(w, x)) - target) ** 2)(weights)
    return weights - 0.5 * np.asarray(gradient)


def network_error(parameters: dict[str, Any], inputs: Any, target: Any) -> Any:
    return functions.network_error(parameters, inputs, target)


def deep(x: Any) -> Any:
    for _ in range(700):
        x = x + sin(x) * 0.001
    return x


ARRAYS = [np.array([0.5, -0.25, 1.5]), np.array([1.0, 2.0, -0.5])]
FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "training_step": (training_step, (*ARRAYS, 0.25)),
    "curvature": (hessian(lambda x: exp(x[0] * x[1]) / x[2] + sin(x[2])), (ARRAYS[0],)),
    "network": (value_and_grad(network_error), (functions.network_parameters(), np.array([0.5, -0.5]), 1.0)),
    "wide": (
        lambda x, y: dot(list(x), list(y)) + sum(list(x)),
        (np.arange(200.0) / 7.0, np.arange(200.0) / 3.0 - 20.0),
    ),
    "outer": (lambda x, y: np.outer(x, y) @ y, (np.arange(40.0) / 7.0, np.arange(40.0) / 3.0 - 5.0)),
    "deep": (value_and_grad(deep), (0.5,)),
    "rosenbrock": (grad(functions.rosenbrock), (functions.rosenbrock_point(700),)),
    "swap": (lambda x: (x[1], np.array([x[0], 2.0]), 3.0), (np.array([1.0, 2.0]),)),
}


def numbers_of(arguments: tuple[Any, ...]) -> list[Any]:
    """What the C function takes: an array for each argument, or a number."""
    return [argument if isinstance(argument, float) else functions.flat(argument).copy() for argument in arguments]


@NEEDS_GCC
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_bits_of_python(name: str, tmp_path: Path) -> None:
    function, arguments = FUNCTIONS[name]
    compiled = compile(function)
    program, result = compiled.program(*arguments), compiled(*arguments)
    parts = result if isinstance(result, tuple) else (result,)
    results = [np.full(functions.flat(part).shape, np.nan) for part in parts]
    assert loaded(tmp_path, program.to_c(name))(*numbers_of(arguments), *results) == 0
    assert np.array_equal(np.concatenate(results), program.run(functions.flat(arguments).tolist()))


@NEEDS_GCC
def test_a_result_may_be_written_over_an_argument(tmp_path: Path) -> None:
    step = loaded(tmp_path, compile(training_step).program(*ARRAYS, 0.25).to_c("step"))
    weights = ARRAYS[0].copy()
    for _ in range(100):
        assert step(weights, ARRAYS[1], 0.25, weights) == 0
    wanted = ARRAYS[0]
    for _ in range(100):
        wanted = training_step(wanted, ARRAYS[1], 0.25)
    assert weights.tobytes() == wanted.tobytes()
    for form in FORMS:
        x = Value(1.0), Value(2.0)
        swap = loaded(tmp_path, to_c(Program.of([x[1], x[0]], inputs=x), f"swap{len(form)}_{len(str(form))}", **form))
        numbers = np.array([3.0, 4.0])
        assert swap(numbers, numbers) == 0
        assert numbers.tolist() == [4.0, 3.0]


@NEEDS_GCC
def test_the_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python, the C, the command and the output of docs/how_to/export_c.md."""
    page = (Path(__file__).parent.parent / "docs" / "how_to" / "export_c.md").read_text(encoding="utf-8")
    (main,), (command,), (output,) = [
        re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) for kind in ("c", "sh", "text")
    ]
    monkeypatch.setattr(tempfile, "mkdtemp", lambda: str(tmp_path))
    names: dict[str, Any] = {}
    for example in doctest.DocTestParser().get_examples(page):
        exec(compile_python(example.source, "export_c.md", "single"), names)
    (tmp_path / "main.c").write_text(main)
    assert subprocess.check_output(["sh", "-e", "-c", command], cwd=tmp_path, text=True) == output
    assert output == "height {:.10f}, rate {:.10f}\n".format(*names["curve"])


@NEEDS_GCC
@pytest.mark.parametrize("count", [2, 3, 40])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_largest_and_the_smallest_of_many(form: dict[str, int], count: int, tmp_path: Path) -> None:
    def function(x: Any) -> Any:
        highest, lowest = autograd.max(list(x)), autograd.min(list(x))
        return np.array([highest, lowest, highest * lowest])

    x = [float((7 * i) % count) - 3.0 for i in range(count)]
    top, bottom = max(x), min(x)
    function_in_c, result = loaded(tmp_path, to_c(compile(function).program(x), "f", **form)), np.zeros(3)
    assert (function_in_c(np.array(x), result), result.tolist()) == (0, [top, bottom, top * bottom])
    program = compile(grad(lambda x: autograd.max(list(x)) * 2.0)).program(x)
    slopes, found = loaded(tmp_path, to_c(program, "slopes", **form)), np.full(count, np.nan)
    assert (slopes(np.array(x), found), found.tolist()) == (0, [2.0 * (number == top) for number in x])


# Results that are not finite.


@NEEDS_GCC
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_status_says_whether_all_results_are_finite(form: dict[str, int], tmp_path: Path) -> None:
    """Where Python raises, it is 1, and the results are those of IEEE 754."""
    x, y = Value(1.0), Value(1.0)
    program = Program.of([log(x), x / y, exp(y), x * 2.0], inputs=[x, y])
    function, results = loaded(tmp_path, to_c(program, "f", **form)), np.zeros(4)
    assert function(np.array([2.0, 1.0]), results) == 0
    assert results.tolist() == [np.log(2.0), 2.0, np.exp(1.0), 4.0]
    assert function(np.array([-1.0, 0.0]), results) == 1
    assert np.array_equal(results, [np.nan, -np.inf, 1.0, -2.0], equal_nan=True)
    assert function(np.array([0.0, 1000.0]), results) == 1
    assert results.tolist() == [-np.inf, 0.0, np.inf, 0.0]
    largest = float(np.finfo(float).max)
    assert function(np.array([largest / 2.0, 1.0]), results) == 0  # finite results whose sum is not
    assert results[3] == largest


@NEEDS_GCC
def test_what_is_not_chosen_contributes_nothing(tmp_path: Path) -> None:
    """The slope of sqrt is infinite at 0; where Python computes again with guarded products, so does C."""
    slope = compile(grad(lambda x: where(greater(x, 0.0), sqrt(x), 3.0 * x)))
    assert slope(0.0) == 3.0
    function, result = loaded(tmp_path, slope.program(0.0).to_c("slope")), np.zeros(1)
    assert (function(0.0, result), result[0]) == (0, 3.0)
    assert (function(0.25, result), result[0]) == (0, 1.0)


@NEEDS_GCC
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_it_is_computed_again_from_the_arguments_though_results_stand_there(
    form: dict[str, int], tmp_path: Path
) -> None:
    rate = Value(2.0)
    slope = compile(grad(lambda x: where(greater(x[0], 0.0), sqrt(x[0]) * rate, 3.0 * x[0]) + x[1] * x[1]))
    function = loaded(tmp_path, to_c(slope.program(np.zeros(2)), "slope", **form))
    for x, wanted in (([0.0, 5.0], [3.0, 10.0]), ([4.0, 5.0], [0.5, 10.0])):
        assert slope(np.array(x)).tolist() == wanted
        numbers = np.array(x)
        assert function(numbers, np.array([2.0]), numbers) == 0
        assert numbers.tolist() == wanted


@NEEDS_GCC
def test_the_value_of_what_is_differentiated_counts(tmp_path: Path) -> None:
    """The derivative of log is finite at -1, where log is not: Python raises."""
    slope = compile(grad(log))
    with pytest.raises(ValueError, match=r"cannot take log of -1\.0"):
        slope(-1.0)
    function, result = loaded(tmp_path, slope.program(1.0).to_c("slope")), np.zeros(1)
    assert (function(2.0, result), result[0]) == (0, 0.5)
    assert (function(-1.0, result), result[0]) == (1, -1.0)


# What it needs, and who may call it.


@NEEDS_GCC
@pytest.mark.skipif(shutil.which("nm") is None, reason="nm, which comes with gcc, is not installed")
@pytest.mark.parametrize("name", ["network", "deep", "curvature"])
def test_it_needs_the_functions_of_math_alone_and_has_no_state(name: str, tmp_path: Path) -> None:
    function, arguments = FUNCTIONS[name]
    code = compile(function).program(*arguments).to_c(name)
    assert set(re.findall("#include (.*)", code.source)) == {f'"{name}.h"', "<math.h>"}
    code.save(tmp_path / "f.c")
    subprocess.run(["gcc", *EXACT, "-O1", "-c", "f.c"], cwd=tmp_path, check=True)
    symbols = [
        line.split()[-2:] for line in subprocess.check_output(["nm", "f.o"], cwd=tmp_path, text=True).splitlines()
    ]
    assert {kind for kind, _ in symbols} <= set("TtRrU")  # functions, constants, and what math.h declares
    assert {symbol for kind, symbol in symbols if kind == "U"} <= {"exp", "tanh", "sin", "cos", "sincos"}
    assert [symbol for kind, symbol in symbols if kind == "T"] == [name]


@NEEDS_GCC
@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_it_can_be_called_from_cplusplus(tmp_path: Path) -> None:
    compile(exp).program(1.0).to_c("growth").save(tmp_path / "growth.c")
    (tmp_path / "main.cpp").write_text(
        '#include <cstdio>\n#include "growth.h"\n'
        'int main() { double y, work[GROWTH_WORK]; int s = growth(1.0, &y, work); std::printf("%d %.17g\\n", s, y); }\n'
    )
    subprocess.run(["gcc", *EXACT, "-c", "growth.c"], cwd=tmp_path, check=True)
    subprocess.run(["g++", "-Wall", "-Werror", "-o", "main", "main.cpp", "growth.o", "-lm"], cwd=tmp_path, check=True)
    assert subprocess.check_output([tmp_path / "main"], text=True) == "0 2.7182818284590451\n"


@NEEDS_GCC
def test_parameters_have_the_numbers_of_the_leaves_when_it_is_written(tmp_path: Path) -> None:
    network: MLP = MLP(2, [3, 1], "tanh", generator=random.Random(1))
    error = compile(lambda inputs, target: mean_squared_error(network(inputs), target))
    point = np.array([0.5, -1.0])
    error(point, 1.0)
    for leaf in network.parameters():
        leaf.data += 0.125
    code = error.program(point, 1.0).to_c("error")
    leaves = error.parameters(point, 1.0)
    numbers = [
        float(number) for number in code.source.partition("error_parameters[13] = {")[2].partition("}")[0].split(",")
    ]
    assert numbers == [leaf.data for leaf in leaves]
    main = (
        '#include <stdio.h>\n#include "error.h"\n'
        "int main(void) { double x[] = {0.5, -1.0}, y, work[ERROR_WORK];\n"
        'int s = error(x, 1.0, error_parameters, &y, work); printf("%d %.17g\\n", s, y); return 0; }\n'
    )
    assert subprocess.check_output([build(tmp_path, [code], main, "gcc", WARNINGS)], text=True) == (
        f"0 {mean_squared_error(network(point.tolist()), 1.0).data:.17g}\n"
    )
    assert all(leaf.label in code.header for leaf in leaves if leaf.label)


# Names, and the form of the arguments.


class Rates(NamedTuple):
    growth: Any
    double: Any


def test_arguments_keep_their_names_where_c_allows_them() -> None:
    def function(int: Any, exp: Any, v1: Any, rates: Any, *more: Any, work: Any, **others: Any) -> Any:
        return int + exp + v1 + rates.growth + more[0] + work + others["größe"]

    program = compile(function).program(1.0, 2.0, 3.0, Rates(4.0, 5.0), 6.0, größe=7.0, work=8.0)
    header = program.to_c("named").header
    declared = (
        "double int_, double exp_, double v1_, const double *rates, double more_0, double gr__e, double work_, "
        "double *result, double *work"
    )
    assert f"int named({declared});" in header.replace("\n    ", " ")
    assert "rates: 2 numbers, one after another: Rates(a number, a number)" in header
    assert " *     rates[0] rates.growth\n *     rates[1] rates.double\n" in header


@NEEDS_GCC
@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_no_macro_stands_for_an_argument(compiler: str, tmp_path: Path) -> None:
    """Those of its own header, and those of headers that stand before it."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")

    def function(F_WORK: Any, F_H: Any, I: Any, NULL: Any, M_SQRT2: Any, FP_NAN: Any) -> Any:  # noqa: N803  # so that they are macros
        return F_WORK + F_H + I + NULL + M_SQRT2 + FP_NAN

    compile(function).program(*map(float, range(6))).to_c("f").save(tmp_path / "f.c")
    headers = "".join(f"#include <{name}.h>\n" for name in ("complex", "errno", "math", "stdio", "stdlib", "string"))
    (tmp_path / "main.c").write_text(f'{headers}#include "f.h"\n#include "f.h"\nint main(void) {{ return 0; }}\n')
    files = ["main.c", *["f.c"][: compiler == "gcc"]]
    subprocess.run([compiler, *WARNINGS, "-c", *files], cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    "transformation",
    [grad, value_and_grad, hessian, lambda f: grad(grad(f))],
    ids=["grad", "value", "hessian", "second"],
)
def test_derivatives_have_the_arguments_of_the_function(transformation: Callable[..., Any]) -> None:
    def curve(height: Any, rate: Any) -> Any:
        return height * height * rate

    assert "double height, double rate" in compile(transformation(curve)).program(1.0, 2.0).to_c("slope").header


def test_each_entry_of_a_tuple_or_a_dict_is_a_result_of_its_own() -> None:
    code = compile(lambda x: {"double": x * 2.0, "all": [x, np.array([x, x])], "none": None}).program(1.0).to_c("f")
    assert "int f(double x, double *result_double, double *result_all, double *work);" in code.header
    assert " *     result_all[1] result['all'][1]\n" in code.header
    assert "none" not in code.header
    code = compile(lambda x: Rates([x * 2.0, [x]], x)).program(1.0).to_c("f")
    assert "int f(double x, double *result_growth, double *result_double, double *work);" in code.header
    assert " *     result_growth[1] result.growth[1][0]\n" in code.header
    assert "result_1[1] result[1][1]" in compile(lambda x: (x, [x, x, [x]])).program(1.0).to_c("f").header


def quadratic(x: Any) -> Any:
    return x[1:] ** 2 - x[:-1]


@NEEDS_GCC
def test_a_sparse_matrix_is_its_entries_wherever_it_stands(tmp_path: Path) -> None:
    pytest.importorskip("scipy.sparse", reason="SciPy, which holds sparse matrices, is not installed here")
    slopes, x, entries = jacobian(quadratic, sparse=True), np.array([1.0, 2.0, 5.0]), [-1.0, 4.0, -1.0, 10.0]
    alone = loaded(tmp_path, compile(slopes).program(x).to_c("alone"))
    result = np.zeros(4)
    assert (alone(x, result), result.tolist()) == (0, entries)
    code = compile(lambda x: (quadratic(x), {"slopes": [slopes(x)]})).program(x).to_c("both")
    assert ' *     result_1[0] result[1]["slopes"][0].data\n' in code.header
    both, values = loaded(tmp_path, code), np.zeros(2)
    result = np.zeros(4)
    assert (both(x, values, result), values.tolist(), result.tolist()) == (0, [3.0, 23.0], entries)


def test_comments_cannot_be_left() -> None:
    x = Value(1.0, label="x */ int y; /* \\")
    code = Program.of([x * 2.0], inputs=[x]).to_c("f")
    assert code.header.count("*/") == code.header.count("/*") == 1
    assert " *     inputs[0] x * / int y; / * /\n" in code.header


@pytest.mark.parametrize(
    "name", ["int", "class", "exp", "power", "main", "t12", "relu_value", "isnan", "Place", "system", "expf", "M_PI_2"]
)
def test_names_that_mean_something_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' has a meaning of its own in C"):
        Program.of([Value(1.0) * 2.0]).to_c(name)


@pytest.mark.parametrize("name", ["", "2x", "a-b", "größe", "f.c", "_x", "a\n", None])
def test_names_that_are_none_in_c_are_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="a function of C needs a name of letters, digits and _, got"):
        Program.of([Value(1.0) * 2.0]).to_c(name)


def test_a_primitive_of_ones_own_is_refused() -> None:
    @primitive(lambda out, x: 2.0 * x)
    def square(x: float) -> float:
        return x * x

    with pytest.raises(TypeError, match="cannot write <primitive square> as C: it is not in the table"):
        compile(square).program(1.0).to_c("f")


def test_functions_that_c_rounds_otherwise_are_named() -> None:
    header = compile(lambda x, y: (x.hypot(y), x.erf())).program(1.0, 2.0).to_c("f").header
    assert "But erf, hypot of C may differ from Python's in the last digits." in header
    assert "But" not in compile(exp).program(1.0).to_c("f").header


# Files.


def test_both_files_are_saved_under_the_name_that_is_given(tmp_path: Path) -> None:
    code = compile(lambda x: x * x).program(1.0).to_c("square")
    path = code.save(tmp_path / "my square.c")
    assert path.read_text() == code.source.replace('"square.h"', '"my square.h"')
    assert (tmp_path / "my square.h").read_text() == code.header
    assert sorted(each.name for each in tmp_path.iterdir()) == ["my square.c", "my square.h"]
    assert repr(code) == f"<C of square: {len(code.source.splitlines())} lines>"


def test_a_file_that_cannot_be_written_leaves_none_behind(tmp_path: Path) -> None:
    code = compile(lambda x: x * x).program(1.0).to_c("square")
    for name in ("square", 'a"b.c', "a\nb.c"):
        with pytest.raises(ValueError, match=r"expected the name of a C file, such as 'square\.c', got '"):
            code.save(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        code.save(tmp_path / "missing" / "square.c")
    (tmp_path / "square.c").mkdir()
    with pytest.raises(IsADirectoryError):
        code.save(tmp_path / "square.c")
    assert not (tmp_path / "square.h").exists()


def test_the_same_program_gives_the_same_text() -> None:
    texts = {compile(value_and_grad(deep)).program(0.5).to_c("deep") for _ in range(2)}
    assert len(texts) == 1


def test_a_constant_that_is_not_finite_is_written_as_one() -> None:
    code = Program.of([Constant(float("inf")) * 1.0, Constant(float("nan")) * 1.0]).to_c("f")
    assert "outputs[0] = INFINITY;" in code.source
    assert "outputs[1] = NAN;" in code.source


def test_a_loop_is_refused() -> None:
    compiled = compile(lambda x: fori_loop(0, 9, lambda i, state: state * x, x))
    with pytest.raises(TypeError, match="with loops is not written as C: write what a round computes, and call it"):
        compiled.program(1.5).to_c("ninth_power")
