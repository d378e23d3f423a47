"""Builds the compiled engine, where there is a C compiler; everything else is said in pyproject.toml."""

import os
import platform
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

ROOT = Path(__file__).parent
IS_SUPPORTED = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")  # by memory.h
sys.path.insert(0, str(ROOT))
os.environ["STEPGRAD_ENGINE"] = "plain"  # which is there before anything is compiled

from autograd.native.c_rules import header  # noqa: E402  # it takes the line above
from autograd.native.loops import source  # noqa: E402  # likewise
from autograd.native.selection import EXECUTION, MODULES  # noqa: E402  # likewise

AVX512 = ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mprefer-vector-width=512"]
# The kernels of the compiled programs are compiled for each of these; which one runs is chosen at import.
INSTRUCTION_SETS = {
    "baseline": [],
    "avx2": ["-mavx2"],
    "avx512": AVX512,
    "avx512_halves": [*AVX512, "-DHALF_TILES"],
}
# The time of a chain depends on where its steps stand in memory, so labels and functions are aligned.
ALIGNED = ["-falign-functions=64", "-falign-labels=32"]
KERNEL_FLAGS = ["-O3", "-g0", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", *ALIGNED]
IS_X86 = platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")


class BuildEngine(build_ext):
    """Write the rules of the table as C, and compile."""

    def build_extensions(self) -> None:
        """Compile the modules of the engine: all of them, or none where there is no compiler."""
        folder = Path(self.build_temp)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rules.h").write_text(header())
        (folder / "loops.h").write_text(source())
        for extension in self.extensions:
            extension.include_dirs += [str(folder), "autograd", "autograd/native"]
            if self.compiler.compiler_type != "msvc":
                extension.extra_compile_args.append("-ffp-contract=off")  # round every operation, as Python does
            if self.compiler.compiler_type != "msvc" and "CFLAGS" not in os.environ:
                extension.extra_compile_args.append("-g0")  # what a debugger needs is most of a wheel
        self.force = True  # the rules may have changed, and no list of files says so
        try:
            for extension in self.extensions:
                if extension.name == f"autograd.{EXECUTION}":
                    self.add_kernels(extension, folder)
            super().build_extensions()
        except (OSError, BaseError, CCompilerError) as error:
            print(f"warning: the engine cannot be compiled ({error}); it is installed as plain Python", file=sys.stderr)
            for extension in self.extensions:  # not those beside the source, which another environment may use
                (Path(self.build_lib) / self.get_ext_filename(extension.name)).unlink(missing_ok=True)
            self.extensions = []

    def add_kernels(self, extension, folder) -> None:
        """Compile the kernels once for each instruction set."""
        flags = ["/O2", "/fp:precise"] if self.compiler.compiler_type == "msvc" else KERNEL_FLAGS
        for name, own in INSTRUCTION_SETS.items():
            if name != "baseline" and (self.compiler.compiler_type == "msvc" or not IS_X86):
                continue
            (folder / f"kernels_{name}.c").write_text(f'#define KERNELS kernels_{name}\n#include "kernels.c"\n')
            extension.extra_objects += self.compiler.compile(
                [str(folder / f"kernels_{name}.c")],
                output_dir=self.build_temp,  # not the folder of the source
                include_dirs=[str(folder), "autograd/native"],
                extra_postargs=[*flags, *own],
            )
            if name != "baseline":
                extension.define_macros.append((f"HAS_{name.upper()}", None))


setup(
    cmdclass={"build_ext": BuildEngine},
    ext_modules=cythonize(
        [
            *[
                Extension(f"autograd.{module}", [f"autograd/{module.replace('.', '/')}.py"])
                for module in MODULES
                if IS_SUPPORTED
            ],
            *[Extension(f"autograd.{EXECUTION}", ["autograd/programs/execution.pyx"]) for _ in range(IS_SUPPORTED)],
        ],
        build_dir="build/cython",
        compiler_directives={
            "language_level": "3",
            "annotation_typing": False,  # the C types are those of the .pxd files
            "preliminary_late_includes_cy28": True,  # memory.h and tape.h use the structures of nodes
        },
    ),
)
