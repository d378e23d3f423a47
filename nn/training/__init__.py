"""`fit` and what it is made of.

`options` checks its arguments, and `cases` what it trains with. `loop` runs the rounds, each in `steps` that are done
as a whole or not at all, and `progress` shows them. `penalties` changes gradients before a step. In a compiled
training, `case_rows` holds the cases as one array, `masks` is what Dropouts multiply by, `training_programs` what is
recorded of network, loss and optimizer, and `compiled_steps` runs that.
"""

from nn.training.loop import fit

__all__ = ["fit"]
