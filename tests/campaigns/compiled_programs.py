"""Random programs, lowered and run in every way, compared with the same programs run one instruction after another.

The compiled engine must give the bits of `Program.run`; the plain one those of the same run with NumPy's functions.
Then code is changed at random, and must be refused or run; under gcc's address sanitizer, as in `.ci/sanitize`, that
finds places that are not checked.

    python tests/campaigns/compiled_programs.py [--count 100000] [--seed 1] [--mutations 100000] [--engine compiled]

The totals are printed in one line. If anything differs, the first few programs follow, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.random_code import mutate_and_run  # it takes the line above
from tests.random_programs import ENGINES, what_differs

SHOWN = 5


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=list(ENGINES), default=list(ENGINES)[-1])
    arguments = parser.parse_args()
    engine = ENGINES[arguments.engine]
    failures = []
    for index in range(arguments.count):
        seed = arguments.seed * 10_000_000 + index
        try:
            difference = what_differs(seed, engine)
        except ValueError as error:
            difference = f"seed {seed}: {error}"
        if difference:
            failures.append(difference)
    refused = mutate_and_run(arguments.seed, arguments.mutations, engine.execution)
    print(
        f"{arguments.count} programs with the {arguments.engine} engine, {len(failures)} failures; "
        f"{arguments.mutations} changes of code, {refused} refused"
    )
    print("\n".join(failures[:SHOWN]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
