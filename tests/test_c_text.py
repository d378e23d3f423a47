"""How C is written: expressions, names and lines."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from autograd.primitives import PRIMITIVES
from autograd.programs.c_text import NUMBERED, OF_LIBRARY, RESERVED, Text, array_of, bare, harmless, wrapped

pytestmark = pytest.mark.engine_independent


def test_sums_and_products_are_written_in_their_order() -> None:
    text, names = Text(), ["a", "b", "c", "d"]
    assert text.expression(PRIMITIVES["sum"], names) == "a + b + c + d"
    assert text.expression(PRIMITIVES["prod"], names) == "a * b * c * d"
    assert text.expression(PRIMITIVES["dot"], names) == "a * c + b * d"
    assert text.expression(PRIMITIVES["dot"], ["a", "b", "1.0", "d"]) == "a + b * d"


def test_every_primitive_is_an_expression_or_a_function() -> None:
    """Each compiles, and its function, if it has one, is defined once; trees take the place of two of them."""
    text, trees = Text(), [PRIMITIVES["max"], PRIMITIVES["min"]]
    for primitive in trees:
        with pytest.raises(KeyError):
            text.expression(primitive, ["x", "y", "z"])
    for primitive in PRIMITIVES.values():
        if primitive in trees:
            continue
        for _ in range(2):
            expression = text.expression(primitive, ["x", "y", "z", "w"][: primitive.arity or 4])
            assert expression.count("(") == expression.count(")")
    definitions = text.definitions("hypot(power(x, y))")
    functions = re.findall(r"static (?:inline )?double (\w+)\(", definitions)
    assert len(functions) == len(set(functions))
    assert {"sigmoid_value", "softplus_value", "greater", "where", "power"} <= set(functions)


def test_a_square_is_a_product() -> None:
    assert Text().expression(PRIMITIVES["power"], ["x", "2.0"]) == "(x * x)"
    assert Text().expression(PRIMITIVES["power"], ["x", "3.0"]) == "power(x, 3.0)"


def test_tables_of_the_same_places_are_one_and_as_small_as_they_can_be() -> None:
    text = Text()
    assert [text.table(np.array([1, 2])), text.table([1, 2]), text.table([2, 1])] == ["t0", "t0", "t1"]
    assert "typedef unsigned short Place;" in text.definitions("")
    text.table([65_536])
    assert "typedef unsigned int Place;" in text.definitions("")


def test_parentheses_around_all_are_left_out() -> None:
    assert [bare("(a + b)"), bare("(a) + (b)"), bare("((a) * b)"), bare("-a")] == [
        "a + b",
        "(a) + (b)",
        "(a) * b",
        "-a",
    ]


def test_lines_are_not_too_long_and_hold_whole_declarations() -> None:
    line = "int f(" + ", ".join(f"const double *argument_{i}" for i in range(20)) + ");"
    lines = wrapped(line, "    ").split("\n")
    assert max(map(len, lines)) <= 120
    assert all(each.strip().startswith(("int f(", "const double *")) for each in lines)
    assert " ".join(each.strip() for each in lines) == line
    numbers = [repr(i / 7.0) for i in range(100)]
    array = array_of("double a", numbers)
    assert max(map(len, array.split("\n"))) <= 120
    assert array.partition("{")[2].partition("}")[0].split() == [f"{number}," for number in numbers[:-1]] + numbers[-1:]


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize(
    "label", ["a */ b /* c \\\n d", "*\\", "*\\/", "/\\*", "why??/", "*??/", "\u202e b", "\x00", "\ud800", "größe"]
)
def test_no_label_ends_a_comment_or_a_line_or_makes_a_compiler_warn(label: str, tmp_path: Path) -> None:
    text = harmless(label)
    (tmp_path / "label.c").write_text(f"/* {text}\n * {text} */\nint x;\n/* {text} */\n", encoding="utf-8")
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-c", "label.c"], cwd=tmp_path, check=True)
    assert harmless("größe of a·b, 10 %") == "größe of a·b, 10 %"


def seen_by_gcc(*flags: str, headers: str) -> str:
    """What the preprocessor leaves of headers."""
    text = "".join(f"#include <{name}.h>\n" for name in headers.split())
    return subprocess.run(["gcc", "-E", *flags, "-"], input=text, capture_output=True, text=True, check=True).stdout


def of_the_user(names: Iterable[str]) -> set[str]:
    """Names without those that begin with an underscore, which belong to compilers."""
    return {name for name in names if not name.startswith("_")}


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("standard", ["c99", "gnu17"])
def test_what_math_declares_and_defines_is_reserved(standard: str) -> None:
    """A macro that stands for something else than its own name would be put in the place of a parameter."""
    text = seen_by_gcc(f"-std={standard}", headers="math")
    declared = of_the_user(re.findall(r"extern double (\w+) \(", text))
    assert {"exp", "atan2", "fmod"} <= declared
    defined = re.findall(r"#define (\w+) (.*)", seen_by_gcc(f"-std={standard}", "-dM", headers="math"))
    macros = of_the_user(name for name, meaning in defined if meaning != name)
    assert {"NAN", "INFINITY", "FP_NAN"} <= macros
    assert (declared | macros) - RESERVED == set()


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_no_function_may_have_the_name_of_one_of_the_library() -> None:
    """All that C99 declares for plain characters and for numbers."""
    text = seen_by_gcc("-std=c99", headers="complex ctype locale math setjmp signal stdio stdlib string time")
    taken = of_the_user(re.findall(r"\bextern\b[^;{(]*?\b(\w+) *\(", text))
    assert {"system", "signal", "printf", "expf", "memcpy", "time"} <= taken
    assert taken - RESERVED - OF_LIBRARY == set()


def test_own_names_are_reserved() -> None:
    assert {"int", "class", "matrix", "power", "exp", "floored", "work", "Place", "isnan"} <= RESERVED
    assert all(map(NUMBERED.fullmatch, ["v1", "t0", "part3", "constants0", "sigmoid_value"]))
    assert not any(map(NUMBERED.fullmatch, ["v", "x1", "value", "table"]))
