"""The same C with gcc's -ffast-math."""

from tests.benchmarks.programs.c_peer import FAST, programs

PROGRAMS = programs(FAST)
