"""Derivatives of functions, checks of derivatives, and primitives of your own."""

from autograd.calculus.checks import check_gradients
from autograd.calculus.custom_primitives import primitive
from autograd.calculus.derivatives import (
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)
from autograd.calculus.reverse_and_forward import gradients

__all__ = [
    "grad",
    "value_and_grad",
    "elementwise_grad",
    "jvp",
    "vjp",
    "jacobian",
    "hessian",
    "hvp",
    "gradients",
    "stop_gradient",
    "check_gradients",
    "primitive",
]
