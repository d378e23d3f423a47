"""Which module may import which, in every language, and which files say why they are long."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import autograd
import nn

ROOT = Path(__file__).parent.parent
LAYERS = [  # from the bottom up; a module imports those before it, and no other
    *("autograd.hooks", "autograd.saving", "autograd.floats", "autograd.primitives"),
    *("autograd.native.languages", "autograd.native.c_rules", "autograd.native.loops", "autograd.native"),
    *("autograd.native.rows", "autograd.trees"),
    *("autograd.modes", "autograd.native.runtime", "autograd.value", "autograd.tape", "autograd.native.selection"),
    *("autograd.arrays", "autograd.reductions", "autograd.copying", "autograd.notation"),
    "autograd.given_slopes",
    *(
        "autograd.calculus.recorded_slopes",
        "autograd.calculus.reverse_and_forward",
        "autograd.calculus.signatures",
        "autograd.calculus.sparse_matrices",
        "autograd.calculus.recorded_calls",
        "autograd.calculus.derivatives",
        "autograd.calculus.checks",
        "autograd.calculus.custom_primitives",
        "autograd.calculus.precise_numbers",
    ),
    *(
        "autograd.calculus",
        "autograd.programs.groups",
        "autograd.programs.scanning",
        "autograd.programs.program",
        "autograd.programs.recorded_loops",
        "autograd.programs.passes",
        "autograd.programs.sharing",
        "autograd.programs.tiles",
        "autograd.programs.loop_layout",
        "autograd.programs.layout",
        "autograd.programs.array_rules",
        "autograd.programs.array_execution",
        "autograd.programs.execution",
        "autograd.programs.listing",
        "autograd.programs.exports",
        "autograd.programs.c_text",
        "autograd.programs.c_functions",
        "autograd.programs.c_source",
        "autograd.programs.rows",
        "autograd.programs.recording",
        "autograd.programs.control_flow",
        "autograd.programs.batching",
        "autograd.programs.compilation",
        "autograd.programs",
        "autograd.views.naming",
        "autograd.views.tracing",
        "autograd.views.writing",
        "autograd.views.paths",
        "autograd.views.derivation",
        "autograd.views.diagnosis",
        "autograd.views.remedies",
        "autograd.views.rounding",
        "autograd.views.rendering",
        "autograd.views.appearance",
        "autograd.views.folding",
    ),
    *(
        "autograd.views.live_page.stations",
        "autograd.views.live_page.templates",
        "autograd.views.live_page.neurons",
        "autograd.views.live_page.placement",
        "autograd.views.live_page.content",
        "autograd.views.live_page.rules",
        "autograd.views.live_page.story",
        "autograd.views.live_page.page",
        "autograd.views.live_page",
    ),
    *("autograd.views.drawing", "autograd.views.replay", "autograd.views.widget"),
    *("autograd.views.stepping", "autograd.views.explanation"),
    "autograd.views.program_drawing",
    *("autograd.views", "autograd", "autograd.__main__", "autograd.core", "autograd.numpy"),
    *(
        "nn.calls",
        "nn.parameters",
        "nn.functional",
        "nn.drawing",
        "nn.dropout",
        "nn.modules",
        "nn.losses",
        "nn.optimizers",
        "nn.metrics",
        "nn.history",
    ),
    *("nn.checkpoints", "nn.pages"),
    *("nn.training.progress", "nn.training.cases", "nn.training.options", "nn.training.penalties", "nn.training.steps"),
    *("nn.training.case_rows", "nn.training.masks"),
    *("nn.training.training_programs", "nn.training.compiled_steps"),
    *("nn.training.standstill", "nn.training.loop", "nn.training"),
    "nn.examples",
    *("nn.examples.digits", "nn.examples.mnist_files", "nn.examples.digit_pictures", "nn.examples.gpt"),
    *(
        "nn.examples.worked_example",
        "nn.examples.pages",
        "nn.examples.article",
        "nn.examples.command_options",
        "nn.examples.story",
        "nn",
    ),
    *("nn.examples.digits_command", "nn.examples.gpt_command", "nn.examples.command_line", "nn.__main__"),
]


GENERATED = {  # files that are not in the repository, and the modules that write them
    "rules.h": "autograd.native.c_rules",
    "loops.h": "autograd.native.loops",
    "rules.js": "autograd.views.live_page.rules",
}
FILES = [
    path
    for package in ("autograd", "nn")
    for path in sorted((ROOT / package).rglob("*"))
    if path.suffix in (".py", ".pyx", ".pxd", ".c", ".h", ".js", ".css") and "vendor" not in path.parts
]


def path_of(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    if path.is_dir():
        return path / "__init__.py"
    return path.with_suffix(".pyx" if path.with_suffix(".pyx").exists() else ".py")


def module_of(name: str) -> str | None:
    """The module on the list that a dotted name belongs to."""
    while name and name not in LAYERS:
        name = name.rpartition(".")[0]
    return name or None


def imported(module: str) -> set[str]:
    """The modules of the project that a module imports when it is loaded or run; not those for types alone."""
    path = path_of(module)
    tree = ast.parse(path.read_text() if path.suffix == ".py" else "")
    for_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and id(node) not in for_types:
            assert node.level == 0, "a relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    for suffix in (".pyx", ".pxd"):
        if (file := path.with_suffix(suffix)).exists():
            names += cimported(file.read_text(encoding="utf-8"))
    return {found for name in names if (found := module_of(name))}


def cimported(text: str) -> list[str]:
    """What a Cython file imports and cimports, and what writes the generated headers that it includes."""
    text = re.sub(r"\(\s*|,\s*\n\s*", lambda match: match[0].replace("\n", " "), text)
    names = re.findall(r"^\s*c?import ([\w.]+)", text, re.MULTILINE)
    for module, what in re.findall(r"^\s*from ([\w.]+) c?import \(?([^\n)]*)", text, re.MULTILINE):
        names += [f"{module}.{name.split()[0]}" for name in what.split(",") if name.split()]
    return names + [GENERATED[header] for header in included(text) if header in GENERATED]


def included(text: str) -> set[str]:
    """The files that a Cython, C or JavaScript file includes or imports by their names."""
    return set(re.findall(r'^\s*(?:#include|cdef extern from|import .*? from) "(?:\./)?([^"]+)"', text, re.MULTILINE))


@pytest.mark.engine_independent
@pytest.mark.parametrize("module", LAYERS)
def test_imports_point_one_way(module: str) -> None:
    assert imported(module) <= {*LAYERS[: LAYERS.index(module)], module}


def test_headers_and_scripts_import_one_another_one_way() -> None:
    graph = {
        path.name: included(path.read_text(encoding="utf-8")) for path in FILES if path.suffix in (".c", ".h", ".js")
    }
    assert {"tape.h", "page.js"} <= set(graph)
    assert graph["controls.js"] >= {"tables.js", "notation.js"}
    assert graph["schedule.h"] == {"kernels.h"}
    assert {name for names in graph.values() for name in names} <= {*graph, *GENERATED}
    graphlib.TopologicalSorter(graph).prepare()  # which raises an error at a cycle


def test_imports_of_cython_are_seen() -> None:
    text = 'from a.b cimport (\n    C, D\n)\nfrom e import f\ncimport g.h\ncdef extern from "rules.h":\n    int i\n'
    assert cimported(text) == ["g.h", "a.b.C", "a.b.D", "e.f", "autograd.native.c_rules"]


@pytest.mark.parametrize("module", [module for module in LAYERS if module.partition(".")[0] == "nn"])
def test_networks_use_what_anyone_may_use(module: str) -> None:
    """If `nn` needs more than the public names, and what views are made of, a public name is missing."""
    others = {name for name in imported(module) if name.partition(".")[0] == "autograd"}
    tools = {f"autograd.{name}" for name in ("saving", "floats", "notation", "primitives", "trees")}
    assert {name for name in others if not name.startswith("autograd.views.")} <= {"autograd", *tools}


@pytest.mark.parametrize("package", ["autograd", "nn"])
def test_the_import_needs_the_standard_library_alone(package: str) -> None:
    """NumPy takes longer to import than all of autograd, and one who only learns does not need it."""
    code = f"""
import sys
before = {{name.partition(".")[0] for name in sys.modules}}
import {package}
after = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(after - before - set(sys.stdlib_module_names)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found = {name for name in ast.literal_eval(done.stdout) if not name.startswith(("_cython", "cython_runtime"))}
    assert found == {"autograd"} | {package}


def test_the_import_is_fast() -> None:
    """It loads the nodes and their tape; derivatives, programs and views are imported when they are first used."""
    code = """
import sys, typing
before = set(sys.modules)
import autograd
print(sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name for name in ast.literal_eval(done.stdout) if not name.startswith(("_", "cython_runtime"))}
    assert {name for name in loaded if not name.startswith("autograd")} <= {
        *("array", "contextvars", "importlib", "importlib.machinery", "math", "numbers", "weakref"),
    }
    assert {name for name in loaded if name.startswith("autograd.")} <= {
        *("autograd.floats", "autograd.hooks", "autograd.modes", "autograd.native", "autograd.native.runtime"),
        *("autograd.native.selection", "autograd.primitives", "autograd.reductions", "autograd.tape", "autograd.value"),
    }


def test_every_public_name_is_found() -> None:
    names = [*autograd.calculus.__all__, *autograd.programs.__all__, *autograd.views.__all__]
    assert set(names) <= set(dir(autograd))
    code = f"from autograd import *; print({{name for name in {names} if name not in globals()}}, sum([1.0, 2.0]).data)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set() 3.0\n"
    for package in (autograd.calculus, autograd.programs, autograd.views):
        assert all(getattr(autograd, name) is getattr(package, name) for name in package.__all__)
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'gradient'"):
        autograd.gradient  # type: ignore[attr-defined]  # noqa: B018  # what is tested


def test_every_module_is_on_the_list() -> None:
    assert {path for path in FILES if path.suffix in (".py", ".pyx")} == {path_of(module) for module in LAYERS}


def test_every_module_has_its_test() -> None:
    tests = {path.stem for path in (ROOT / "tests").glob("test_*.py")}
    modules = [path_of(module).stem for module in LAYERS if not path_of(module).name.startswith("__")]
    beside = {"array_execution": "execution", "numpy": "other_distribution"}  # whose tests have another name
    assert {f"test_{beside.get(module, module)}" for module in modules} <= tests


def test_a_long_file_says_why_at_its_top() -> None:
    for path in FILES:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 500 or "500 lines" in " ".join(lines[:30]), f"{path.name} has {len(lines)} lines"


@pytest.mark.parametrize("package", [autograd, nn])
def test_no_module_or_folder_shares_its_name_with_something_else(package: ModuleType) -> None:
    """Else `import autograd.name.module` fails, or the name means one thing or the other by the order of imports."""
    folder = ROOT / package.__name__
    names = [
        path.stem for path in folder.iterdir() if "__" not in path.name and (path.suffix == ".py" or path.is_dir())
    ]
    names = [name for name in names if not name.startswith("__")]
    clashes = [name for name in names if not isinstance(getattr(package, name, package), ModuleType)]
    assert not clashes
