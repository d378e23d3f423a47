"""Random programs, written as C, compiled and run, compared bit for bit with Python.

Each program is written in one of four forms: as statements, as loops with statements, as loops alone, and with tables
of instructions. Each batch is compiled with gcc and with clang, where they are installed, from -O0 to -O3; -O0 and -O2
under the sanitizers of addresses and of undefined behaviour. A program runs for four rows of inputs, one of them of
zeros, ones and huge numbers.

    python tests/campaigns/exported_c.py [--count 1000] [--seed 1]

The totals are printed in one line. If anything differs, the first few programs follow, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.c_programs import (  # it takes the line above
    FORMS,
    SANITIZED,
    WARNINGS,
    compilers,
    differences,
    random_case,
    run,
)

BATCH = 40
LEVELS = (("-O0", *SANITIZED), ("-O1",), ("-O2", *SANITIZED), ("-O3",))
SHOWN = 5


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    names, start = compilers(), time.perf_counter()
    if not names:
        parser.error("neither gcc nor clang is installed")
    failures: list[str] = []
    runs = 0
    for first in range(0, arguments.count, BATCH):
        seeds = range(first, min(first + BATCH, arguments.count))
        cases = [random_case(arguments.seed * 10_000_000 + seed, FORMS[seed % len(FORMS)]) for seed in seeds]
        for compiler in names:
            for flags in LEVELS:
                with tempfile.TemporaryDirectory() as folder:
                    found = differences(cases, run(Path(folder), cases, compiler, [*WARNINGS, *flags]))
                failures += [f"{compiler} {flags[0]}: {difference}" for difference in found]
                runs += sum(len(case.rows) for case in cases)
    print(
        f"{arguments.count} programs with {' and '.join(names)}, {runs} runs, {len(failures)} failures, "
        f"{time.perf_counter() - start:.0f} s"
    )
    print("\n".join(failures[:SHOWN]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
