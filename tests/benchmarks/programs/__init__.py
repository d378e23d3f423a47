"""Compiled programs beside C, JAX, CasADi, PyTorch and the eager engine: `python -m tests.benchmarks.programs`."""
