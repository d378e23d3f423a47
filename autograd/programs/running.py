"""Running lowered programs with NumPy, where nothing was compiled; running.pyx does the same in C."""
