"""Steps, explanations, diagnoses, drawings and live pages of a graph."""

from autograd.views.derivation import Derivative
from autograd.views.diagnosis import Diagnosis, diagnose
from autograd.views.drawing import Drawing, draw
from autograd.views.explanation import Explanation, explain
from autograd.views.live_page import LivePage, NeuronNodes, live_page
from autograd.views.naming import find_node, name_values
from autograd.views.program_drawing import draw_program
from autograd.views.rounding import RoundedNumber, RoundingReport, check_rounding
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
    "RoundedNumber",
    "RoundingReport",
    "check_rounding",
    "Drawing",
    "draw",
    "draw_program",
    "find_node",
    "name_values",
    "LivePage",
    "NeuronNodes",
    "live_page",
]
