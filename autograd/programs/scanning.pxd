# The C types of the compiled engine. The code is in scanning.py, and runs as it stands where there is no compiler.

cimport cython

from autograd.native cimport runtime
from autograd.primitives cimport Primitive
from autograd.value cimport Constant, Value, is_fixed

cdef Py_ssize_t TABLE_SIZE

@cython.locals(size=Py_ssize_t, slot=Py_ssize_t, node=Value, primitive=Primitive, others=dict, codes="long long[::1]",
               numbers="double[::1]", constant=bytearray)
cpdef tuple columns(list nodes)

@cython.locals(size=Py_ssize_t, edges=Py_ssize_t, slot=Py_ssize_t, edge=Py_ssize_t, operand=Py_ssize_t, level="long long",
               fits=bint, firsts="const long long[::1]", flat="const long long[::1]", results="const long long[::1]",
               levels="long long[::1]", vary=bytearray, needed=bytearray)
cpdef tuple analyse(object starts, object operands, object outputs, object varies)
