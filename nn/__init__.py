"""Neural networks of scalar nodes: built, trained, drawn, and small enough to follow every number.

>>> from nn import MLP, fit
>>> network = MLP(2, [4, 1], "tanh")
>>> history = fit(network, [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)], rounds=10)

The modules are `parameters` (`Module`, and how parameters are found), `modules` (neurons, layers, networks), `dropout`,
`functional` (a module as a function of its parameters), `drawing` and `pages` (networks as pictures and live pages),
`losses`, `metrics`, `optimizers`, `training` (`fit`), `history`, `checkpoints`, and `calls` (errors for wrong calls,
which suggest the right ones). The examples and the command line, `python -m nn`, stand in `nn.examples`.
"""

from typing import TYPE_CHECKING

import autograd

if not hasattr(autograd, "Value"):
    raise ImportError(
        f"nn is a part of stepgrad, and the package autograd in {list(autograd.__path__)} is not: another "
        f"distribution, such as HIPS autograd (pip install autograd), has overwritten its files, removed them, or "
        f"stands before them on sys.path. Uninstall that one (pip uninstall autograd), then install stepgrad again "
        f"(pip install --force-reinstall --no-deps stepgrad)"
    )

# isort: split

from autograd import Parameter
from nn.calls import OTHER_LIBRARIES
from nn.checkpoints import load_network, save_network
from nn.dropout import Dropout
from nn.examples.article import article_page
from nn.examples.pages import digit_page, logic_gates_page, worked_example_page
from nn.functional import functional_call
from nn.history import History
from nn.losses import binary_cross_entropy, half_squared_error, hinge, mean_squared_error, softmax_cross_entropy
from nn.metrics import accuracy, average_error
from nn.modules import MLP, Layer, Neuron
from nn.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from nn.pages import network_page
from nn.parameters import Module
from nn.training import fit

__all__ = [
    "Module",
    "Parameter",
    "Neuron",
    "Layer",
    "MLP",
    "Dropout",
    "functional_call",
    "half_squared_error",
    "mean_squared_error",
    "binary_cross_entropy",
    "softmax_cross_entropy",
    "hinge",
    "Optimizer",
    "SGD",
    "Adam",
    "AdamW",
    "RMSprop",
    "fit",
    "History",
    "average_error",
    "accuracy",
    "save_network",
    "load_network",
    "network_page",
    "worked_example_page",
    "article_page",
    "logic_gates_page",
    "digit_page",
]

if not TYPE_CHECKING:  # a type checker that sees this accepts any name

    def __getattr__(name):
        remedy = f": write {OTHER_LIBRARIES[name]}" if name in OTHER_LIBRARIES else ""
        raise AttributeError(f"module 'nn' has no attribute {name!r}{remedy}", name=name)
