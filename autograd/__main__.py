"""Say which engine runs, and why: `python -m autograd`."""

import os
import sys

import autograd
from autograd import value
from autograd.native.selection import VARIABLE


def advice() -> str:
    """Say why this engine runs, and how to get the other."""
    if autograd.engine == "compiled":
        return f"Set {VARIABLE}=plain to run the same source as plain Python."
    if os.environ.get(VARIABLE) == "plain":
        return f"{VARIABLE}=plain asks for it; leave the variable out to run the compiled engine where it was built."
    version = ".".join(map(str, sys.version_info[:2]))
    return (
        f"No compiled engine was built here for {sys.implementation.name} {version}. To get it, install a C compiler "
        f"and Python's headers (Debian: gcc and python3-dev), then install stepgrad again: "
        f"'pip install --force-reinstall --no-deps stepgrad', or 'make native' in a clone."
    )


def main() -> None:
    """Print the engine and the advice."""
    try:
        print(
            f"stepgrad {autograd.__version__} runs its {autograd.engine} engine, {value.__file__}\n{advice()}",
            flush=True,
        )
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # as in `python -m autograd | head -1`
            sys.exit(f"stepgrad: cannot write the standard output: {error.strerror}")


if __name__ == "__main__":
    main()
