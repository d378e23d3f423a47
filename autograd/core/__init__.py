"""Says that this package is not HIPS autograd, whose modules `core` and `numpy` programs import; no part of stepgrad.

`pip install autograd` installs HIPS autograd over this package without a word, its `__init__.py` in place of the one
here. That one imports `autograd.core` first. Since Python finds a folder before a file, it then finds this one, and the
error says what happened. The folder holds nothing else.
"""

import autograd

if hasattr(autograd, "Value"):
    raise ImportError(
        "this autograd is the one of stepgrad, not HIPS autograd, and has no autograd.numpy, autograd.core and the "
        "like: write `import numpy as np`, whose functions take the arrays that grad hands to a function, and see "
        "'Coming from HIPS autograd, JAX, PyTorch' in the documentation; for HIPS autograd itself, install it into "
        "another environment"
    )
raise ImportError(
    f"another distribution, HIPS autograd (pip install autograd), has overwritten files of stepgrad, whose package has "
    f"the same name, in {autograd.__path__[0]}: keep one of them. For stepgrad: pip uninstall autograd, then "
    f"pip install --force-reinstall --no-deps stepgrad. For HIPS autograd: pip uninstall stepgrad, then pip install "
    f"--force-reinstall --no-deps autograd"
)
