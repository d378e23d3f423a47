"""Say which engine runs: `python -m autograd`."""

import autograd
from autograd import value
from autograd.native.selection import VARIABLE

ADVICE = {
    "compiled": f"Set {VARIABLE}=plain to run the same source as plain Python.",
    "plain": f"Installed on a machine with a C compiler, it runs the compiled engine, unless {VARIABLE}=plain is set.",
}

print(f"stepgrad {autograd.__version__} runs its {autograd.engine} engine, {value.__file__}")
print(ADVICE[autograd.engine])
