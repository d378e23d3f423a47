# The C types of the compiled engine. The code is in tape.py, and runs as it stands where there is no compiler: a line
# here only declares a type.

cimport cython

from autograd.native cimport runtime
from autograd.primitives cimport Primitive
from autograd.value cimport Constant, Value, _binary, _WideValue, advance

cdef Primitive add, largest, maximum, minimum, multiply, smallest, stop_gradient, where


cdef class Tape:
    cdef readonly list nodes
    cdef readonly object operands, starts

    @cython.locals(recorded=list, indices=list, others=dict, index=Py_ssize_t)
    cpdef list indices_of(self, object nodes)

    @cython.locals(node=Value, found=bytearray, index=Py_ssize_t, edge=Py_ssize_t, start=Py_ssize_t, end=Py_ssize_t,
                   starts="const unsigned int *", operands="const unsigned int *")
    cpdef bytearray dependents(self, object inputs)

    @cython.locals(found=list, place=Py_ssize_t, edge=Py_ssize_t, start=Py_ssize_t, operand=Py_ssize_t,
                   starts="const unsigned int *", operands="const unsigned int *")
    cpdef list below(self, Py_ssize_t index, bytearray wanted)

    @cython.locals(node=Value, seen=set, ends=list, path=list, rest=list, index=Py_ssize_t,
                   starts="const unsigned int *")
    cpdef bint reaches(self, set known, unsigned long long since) except -1


@cython.locals(node=Value, parent=Value)
cdef tuple _record(object outputs, unsigned long long since)

cpdef unsigned long long begin() except 0


cdef class Slopes:
    cdef public object guarded

    @cython.locals(primitive=Primitive)
    cpdef object of(self, Value node, int which)

    cpdef tuple of_all(self, Value node)


@cython.locals(nodes=list, node=Value, primitive=Primitive, many=tuple, are_numbers=bint, are_plain=bint,
               count=Py_ssize_t, place=Py_ssize_t, index=Py_ssize_t, edge=Py_ssize_t, start=Py_ssize_t,
               operand=Py_ssize_t, starts="const unsigned int *", operands="const unsigned int *")
cpdef object accumulate(Tape tape, list grads, bytearray wanted, Slopes slopes, list indices=*)

@cython.locals(node=Value, is_nan=bint)
cpdef object guarded_product(Primitive primitive, int which, object grad, object slope, Slopes slopes)

cpdef object plus(object a, object b)

cpdef object times(object a, object b)

cpdef object chosen_parents(Value node)
