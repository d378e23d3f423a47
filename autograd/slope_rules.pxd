# The C types of the compiled engine. The code is in slope_rules.py, and runs as it stands where there is no compiler.

cimport cython

from autograd.nodes cimport apply_wide
from autograd.primitives cimport Primitive
from autograd.value cimport Constant, Parameter, Value, _binary, _unary, _WideValue


cdef class TracedRule:
    cdef readonly int count, result
    cdef readonly list instructions
    cdef readonly tuple needed
    cdef readonly object rule, number
    cdef readonly dict at_numbers

    cpdef TracedRule at_number(self, double number)


cdef list _rules

@cython.locals(traced=TracedRule)
cpdef object slope_of_one(Primitive primitive, object out, object x)

@cython.locals(traced=TracedRule, at_number=TracedRule)
cpdef object slope_of_two(Primitive primitive, int which, object out, object x, object y)

@cython.locals(place=int)
cdef bint _are_values(tuple places, list numbers) except -1

cpdef bint is_plain_value(object number) except -1

@cython.locals(instruction=tuple, count=Py_ssize_t)
cdef object _carry_out(TracedRule traced, list numbers)
