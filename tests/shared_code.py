"""Settings for properties of what the engines share: its code is the same with each."""

from hypothesis import settings

import autograd


def examples(count: int) -> settings:
    """So many random examples; a tenth of them with the plain engine, since `make test` runs the compiled one, too."""
    return settings(max_examples=count if autograd.engine == "compiled" else count // 10, deadline=None)
