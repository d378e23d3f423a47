"""What can be said and shown of a graph: steps, explanations, diagnoses, drawings."""

from autograd.value import hooks
from autograd.views.derivation import Derivative
from autograd.views.diagnosis import Diagnosis, diagnose
from autograd.views.drawing import Drawing, display, draw
from autograd.views.explanation import Explanation, explain
from autograd.views.stepping import Step, Steps, steps

__all__ = [
    "Step",
    "Steps",
    "steps",
    "Derivative",
    "Explanation",
    "explain",
    "Diagnosis",
    "diagnose",
    "Drawing",
    "draw",
]

hooks.display = display
