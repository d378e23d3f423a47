"""Builds the compiled engine, where there is a C compiler; everything else is said in pyproject.toml."""

import os
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
from autograd.native.selection import MODULES  # noqa: E402  # likewise


class BuildEngine(build_ext):
    """Write the rules of the table as C, and compile."""

    def build_extensions(self) -> None:
        """Compile the modules of the engine: all of them, or none where there is no compiler."""
        folder = Path(self.build_temp)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rules.h").write_text(header())
        for extension in self.extensions:
            extension.include_dirs += [str(folder), "autograd/native"]
            if self.compiler.compiler_type != "msvc":
                extension.extra_compile_args.append("-ffp-contract=off")  # round every operation, as Python does
            if self.compiler.compiler_type != "msvc" and "CFLAGS" not in os.environ:
                extension.extra_compile_args.append("-g0")  # what a debugger needs is most of a wheel
        self.force = True  # the rules may have changed, and no list of files says so
        try:
            super().build_extensions()
        except (OSError, BaseError, CCompilerError) as error:
            print(f"warning: the engine cannot be compiled ({error}); it is installed as plain Python", file=sys.stderr)
            for extension in self.extensions:  # not those beside the source, which another environment may use
                (Path(self.build_lib) / self.get_ext_filename(extension.name)).unlink(missing_ok=True)
            self.extensions = []


setup(
    cmdclass={"build_ext": BuildEngine},
    ext_modules=cythonize(
        [Extension(f"autograd.{module}", [f"autograd/{module}.py"]) for module in MODULES if IS_SUPPORTED],
        build_dir="build/cython",
        compiler_directives={
            "language_level": "3",
            "annotation_typing": False,  # the C types are those of the .pxd files
            "preliminary_late_includes_cy28": True,  # memory.h and recording.h use the structures of nodes
        },
    ),
)
