"""Which engine runs."""

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib import import_module
from pathlib import Path

import pytest

import autograd
from autograd.native.selection import MODULES

FOLDER = Path(autograd.__file__).parent
TYPES = [path for pattern in ("*.pxd", "*.h", "*.c", "*.pyx") for path in FOLDER.rglob(pattern)]


def run_python(choice: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "STEPGRAD_ENGINE"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    if choice is not None:
        environment["STEPGRAD_ENGINE"] = choice
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)


def say(choice: str | None) -> subprocess.CompletedProcess[str]:
    return run_python(choice, "-m", "autograd")


def test_the_plain_engine_can_be_asked_for() -> None:
    result = say("plain")
    assert "runs its plain engine" in result.stdout
    assert result.stdout.splitlines()[0].endswith("value.py")
    assert "STEPGRAD_ENGINE=plain asks for it" in result.stdout


@pytest.mark.skipif(autograd.engine != "compiled", reason="the engine that runs is not the compiled one")
def test_the_compiled_engine_runs_by_itself() -> None:
    assert "runs its compiled engine" in say(None).stdout
    assert say("compiled").returncode == 0


def test_the_attribute_tells_the_truth() -> None:
    for module in MODULES:
        is_source = str(import_module(f"autograd.{module}").__file__).endswith(".py")
        assert is_source is (autograd.engine == "plain")


RUNNING = "import sys, autograd; assert 'numpy' not in sys.modules; from autograd.native.selection import execution; "


def runs(choice: str | None, program: str) -> str:
    result = run_python(choice, "-c", RUNNING + program)
    assert not result.stderr, result.stderr
    return result.stdout.strip()


@pytest.mark.engine_independent
def test_the_plain_engine_runs_programs_from_source() -> None:
    assert runs("plain", "print(execution().__file__)").endswith("array_execution.py")
    assert runs("plain", "import autograd.calculus.recorded_slopes as it; print(it.__file__)").endswith(".py")
    assert runs("plain", "import autograd.programs.scanning as it; print(it.__file__)").endswith(".py")


@pytest.mark.skipif(autograd.engine != "compiled", reason="the engine that runs is not the compiled one")
def test_the_compiled_engine_runs_programs_in_c() -> None:
    for choice in (None, "compiled"):
        assert not runs(choice, "print(execution().__file__)").endswith(".py")


IN_ANOTHER_INTERPRETER = """
try:
    import _interpreters
except ImportError:  # its name before Python 3.13
    import _xxsubinterpreters as _interpreters
import autograd

failure = _interpreters.run_string(_interpreters.create(), '''
import autograd
from autograd import Value, grad, jacobian
x = Value(3.0)
(x * x).backward()
print(autograd.engine, x.grad, grad(lambda x: x**3)(2.0), jacobian(lambda x: [x, x * x])(2.0))
from autograd.programs import scanning
print(scanning.__file__)
''')
if failure is not None:
    raise RuntimeError(failure)
print(autograd.engine, autograd.grad(lambda x: x**3)(2.0))
"""


@pytest.mark.skipif(autograd.engine != "compiled", reason="the engine that runs is not the compiled one")
def test_another_interpreter_of_the_process_runs_the_plain_engine() -> None:
    """The compiled modules are loaded into one interpreter of a process alone."""
    result = run_python(None, "-c", IN_ANOTHER_INTERPRETER)
    assert not result.stderr, result.stderr
    of_another, file, own = result.stdout.splitlines()
    assert of_another == "plain 6.0 12.0 [1.0, 4.0]"
    assert file.endswith("scanning.py")
    assert own == "compiled 12.0"


FIRST_CALLS = """
import sys, threading
import autograd
def run(task):
    barrier.wait()
    try:
        task()
    except BaseException as error:
        print(type(error).__name__, error)
v = autograd.Value(2.0)
tasks = [
    *[lambda: autograd.compile(lambda x: x * x)(2.0)] * 4, lambda: autograd.compile(lambda x: x * x).batch([1.0, 2.0]),
    lambda: autograd.explain(v * v, v), lambda: autograd.live_page(v * v), lambda: autograd.grad(autograd.sin)(2.0),
]
barrier = threading.Barrier(len(tasks))
sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=run, args=[task]) for task in tasks]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_what_is_imported_at_first_use_is_imported_once_by_many_threads() -> None:
    result = run_python(autograd.engine, "-c", FIRST_CALLS)
    assert result.stdout + result.stderr == ""


def test_another_choice_is_refused() -> None:
    result = say("quick")
    assert result.returncode == 1
    assert "STEPGRAD_ENGINE is 'quick': set it to 'plain' or 'compiled', or leave it out" in result.stderr


@pytest.mark.skipif(autograd.engine != "compiled", reason="the engine that runs is not the compiled one")
def test_the_compiled_engine_is_of_this_source() -> None:
    if not TYPES:
        pytest.skip("installed from a wheel, without the source of the compiled engine")
    native = [FOLDER / "native" / name for name in ("languages.py", "c_rules.py", "loops.py")]
    sources = [*TYPES, *native, *(FOLDER / f"{module.replace('.', '/')}.py" for module in MODULES)]
    built = min(Path(str(import_module(f"autograd.{module}").__file__)).stat().st_mtime for module in MODULES)
    newer = [path.name for path in sources if path.stat().st_mtime > built]
    assert not newer, "run `make native`"


def test_a_reader_may_leave_early() -> None:
    program = f"{sys.executable} -m autograd | head -c 1"
    result = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("s", "")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no /dev/full here")
def test_a_full_disk_is_told_in_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run([sys.executable, "-m", "autograd"], stdout=full, stderr=-1, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "stepgrad: cannot write the standard output: No space left on device\n"


@pytest.mark.engine_independent
def test_without_a_compiler_the_engine_of_another_environment_is_left_in_place(tmp_path: Path) -> None:
    """An installation that cannot compile must not remove what lies beside the source."""
    if not (FOLDER.parent / "setup.py").exists():
        pytest.skip("installed without the source of the compiled engine")
    pytest.importorskip(
        "setuptools", minversion="77", reason="no setuptools that reads this pyproject.toml is installed"
    )
    copy = tmp_path / "copy"
    shutil.copytree(FOLDER, copy / "autograd", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copytree(FOLDER.parent / "nn", copy / "nn")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(FOLDER.parent / name, copy)
    (copy / "Cython").mkdir()  # in place of the true one, which takes most of a minute to write the C
    (copy / "Cython" / "__init__.py").touch()
    (copy / "Cython" / "Build.py").write_text(
        "def cythonize(extensions, **settings):\n"
        "    for extension in extensions:\n"
        "        extension.sources = ['module.c']\n"
        "    return extensions\n"
    )
    (copy / "module.c").touch()
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    others = [copy / "autograd" / f"{module.replace('.', '/')}{suffix}" for module in MODULES]
    for other in others:
        other.write_bytes(b"compiled elsewhere")
    environment = {**os.environ, "CC": "/bin/false"}
    for command in (["build_ext", "--inplace"], ["build"]):
        result = subprocess.run(
            [sys.executable, "setup.py", "-q", *command], cwd=copy, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert "the engine cannot be compiled" in result.stderr, result.stderr
        assert all(other.read_bytes() == b"compiled elsewhere" for other in others)
    assert not list((copy / "build").rglob(f"*{suffix}"))
