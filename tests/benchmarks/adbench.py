"""The objectives of ADBench beside C by hand, JAX, CasADi, PyTorch and HIPS autograd.

    python -m tests.benchmarks.adbench

The objectives and their data stand in `programs/objectives.py`, and the C, whose derivatives are written by hand, in
`programs/*.c`. It measures as `make bench` does, with the same options. Results agree to 1e-10 before anything is
measured.

The C is plain scalar code, as ADBench's own is, of which gcc vectorizes what it can. Programs of this package compute
several points, or several numbers of an array, in the lanes of a processor. CasADi computes one number after another.
JAX, PyTorch and HIPS autograd compute on arrays, and call a routine for each operation where these are small.
"""

from tests.benchmarks.programs.__main__ import main
from tests.benchmarks.programs.rows import adbench_rows

if __name__ == "__main__":
    main(adbench_rows(), "The objectives of ADBench beside their peers.")
