"""Which module may import which, and how long a file may be."""

import ast
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
    *("autograd.hooks", "autograd.saving", "autograd.floats", "autograd.introspection", "autograd.primitives"),
    *("autograd.native.languages", "autograd.native.c_rules", "autograd.native.loops", "autograd.native"),
    *("autograd.hooks", "autograd.modes", "autograd.native.runtime", "autograd.value", "autograd.value"),
    *("autograd.native.recording", "autograd.tape", "autograd.slope_rules", "autograd.sweeping"),
    "autograd.native.selection",
    *("autograd.arrays", "autograd.reductions", "autograd.copying", "autograd.notation"),
    *(
        "autograd.calculus.accumulation",
        "autograd.calculus.signatures",
        "autograd.calculus.recorded_calls",
        "autograd.calculus.derivatives",
        "autograd.calculus.checks",
        "autograd.calculus.custom_primitives",
    ),
    *(
        "autograd.calculus",
        "autograd.programs.program",
        "autograd.programs.groups",
        "autograd.programs.array_rules",
        "autograd.programs.validation",
        "autograd.programs.array_steps",
        "autograd.programs.running",
        "autograd.programs.lowering.instructions",
        "autograd.programs.lowering.simplification",
        "autograd.programs.lowering.sums",
        "autograd.programs.lowering.products",
        "autograd.programs.lowering.layout",
        "autograd.programs.lowering.sharing",
        "autograd.programs.lowering",
        "autograd.programs.profile",
        "autograd.programs.listing",
        "autograd.programs.nesting",
        "autograd.programs.array_reads",
        "autograd.programs.array_functions",
        "autograd.programs.jax_export",
        "autograd.programs.refusals",
        "autograd.programs.recorded",
        "autograd.programs.batching",
        "autograd.programs.repetition",
        "autograd.programs.compilation",
        "autograd.programs",
        "autograd.views.tracing",
        "autograd.views.writing",
        "autograd.views.paths",
        "autograd.views.derivation",
        "autograd.views.rendering",
    ),
    *(
        "autograd.views.live_page.stations",
        "autograd.views.live_page.templates",
        "autograd.views.live_page.placement",
        "autograd.views.live_page.content",
        "autograd.views.live_page.rules",
        "autograd.views.live_page.page",
        "autograd.views.live_page",
    ),
    *("autograd.views.stepping", "autograd.views.explanation", "autograd.views.diagnosis", "autograd.views.drawing"),
    *("autograd.views.layer_drawing", "autograd.views.program_drawing"),
    *("autograd.views", "autograd", "autograd.__main__"),
    *("nn.calls", "nn.parameters", "nn.modules", "nn.losses", "nn.pages", "nn.optimizers", "nn.metrics", "nn.history"),
    *("nn.checkpoints", "nn.cases", "nn.rounds"),
    *("nn.case_arrays", "nn.training_programs", "nn.compiled_rounds", "nn.progress", "nn.training"),
    *("nn.digits", "nn.mnist_files", "nn.digit_pictures", "nn.gpt"),
    *("nn.worked_example", "nn.example_pages", "nn.story", "nn"),
    *("nn.command_options", "nn.digits_command", "nn.gpt_command", "nn.__main__"),
]


def path_of(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imported(module: str) -> set[str]:
    """The modules of the project that a module imports when it is loaded or run; not those for types alone."""
    found = set()
    tree = ast.parse(path_of(module).read_text())
    for_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and id(node) not in for_types:
            assert node.level == 0, "a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            while name and name not in LAYERS:
                name = name.rpartition(".")[0]
            if name:
                found.add(name)
    return found


@pytest.mark.parametrize("module", LAYERS)
def test_imports_point_one_way(module: str) -> None:
    assert imported(module) <= set(LAYERS[: LAYERS.index(module)])


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


def test_every_module_is_on_the_list() -> None:
    files = {path for package in ("autograd", "nn") for path in (ROOT / package).rglob("*.py")}
    assert files == {path_of(module) for module in LAYERS}


def test_every_module_has_its_test() -> None:
    tests = {path.stem for path in (ROOT / "tests").glob("test_*.py")}
    modules = [path_of(module).stem.strip("_") for module in LAYERS if path_of(module).name != "__init__.py"]
    assert {f"test_{module}" for module in modules} <= tests


def test_no_file_is_too_long_and_the_long_ones_are_listed() -> None:
    """CONTRIBUTING lists the files over 350 lines, with the reason; none has more than 450."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for package in ("autograd", "nn")
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".pxd", ".h", ".js", ".css") and "vendor" not in path.parts
    }
    assert {path: length for path, length in lengths.items() if length > 450} == {}
    listed = re.findall(r"^\| `([^`]+)` \|", text_between("Those over 350 lines", "\n## "), re.MULTILINE)
    assert sorted(listed) == sorted(path for path, length in lengths.items() if length > 350)


def text_between(start: str, end: str) -> str:
    """A part of CONTRIBUTING."""
    return (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition(start)[2].partition(end)[0]


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
