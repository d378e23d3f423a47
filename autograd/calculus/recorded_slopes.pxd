# The C types of the compiled engine. The code is in recorded_slopes.py, and runs as it stands where there is no compiler.

cimport cython

from autograd.primitives cimport Primitive
from autograd.tape cimport Slopes
from autograd.value cimport Constant, Parameter, Value, _binary, _unary, _WideValue, apply_wide, is_fixed


cdef class TracedRule:
    cdef readonly int count, result
    cdef readonly list instructions
    cdef readonly tuple needed
    cdef readonly object rule, number
    cdef readonly dict at_numbers

    cpdef TracedRule at_number(self, double number)


cdef class RecordedSlopes(Slopes):
    @cython.locals(primitive=Primitive)
    cpdef object of(self, Value node, int which)

    cpdef tuple of_all(self, Value node)


cdef class KeptSlopes(RecordedSlopes):
    cdef readonly dict kept

    @cython.locals(primitive=Primitive, traced=TracedRule)
    cpdef object of(self, Value node, int which)

    cpdef tuple of_all(self, Value node)


cdef list _rules

cdef object _operand(Value parent)

cdef list _operands(tuple parents)

@cython.locals(numbers=list, traced=TracedRule, at_number=TracedRule)
cpdef object slope_of(Primitive primitive, int which, object out, object x, object y=*)

@cython.locals(place=int)
cdef bint _are_values(tuple places, list numbers) except -1

@cython.locals(instruction=tuple, count=Py_ssize_t)
cdef object _carry_out(TracedRule traced, list numbers)
