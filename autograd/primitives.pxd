# The C types of the compiled engine. The code is in primitives.py, and runs as it stands where there is no compiler.

cdef class Primitive:
    cdef readonly object name, value, slopes, arity, all_slopes, limit, symbol, plain, latex, binds, domain, action, \
        when_flat, when_steep, neutral, is_exact, is_sum, lists, selects, description
    cdef readonly int index

cdef Primitive _primitive
