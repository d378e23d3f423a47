"""`import autograd.numpy` is of HIPS autograd: the error of `autograd.core` says what to write instead."""

import autograd.core  # noqa: F401  # it raises
