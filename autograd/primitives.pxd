# The C types of the compiled engine. The code is in primitives.py, and runs as it stands where there is no compiler.

cdef class Primitive:
    cdef readonly object name, value, slopes, arity, all_slopes, limit, symbol, plain, latex, binds, domain, action, \
        when_flat, when_steep, neutral, is_exact, is_sum, lists
    cdef readonly int index

cpdef double as_float(object number) except? -1.0

cdef Primitive _primitive
