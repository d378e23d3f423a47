# The C types of the compiled engine. The code is in sweeping.py, and runs as it stands where there is no compiler.

cimport cython

from autograd.native cimport runtime
from autograd.primitives cimport Primitive
from autograd.slope_rules cimport is_plain_value, slope_of_one, slope_of_two
from autograd.tape cimport Tape
from autograd.value cimport Constant, Value, _binary, _WideValue

cdef Primitive add, multiply

@cython.locals(found=list)
cdef list _of_each(Tape tape, object numbers)

@cython.locals(index=Py_ssize_t)
cdef bytearray _marked(Tape tape, object nodes)

@cython.locals(nodes=list, found=dict, node=Value, primitive=Primitive, index=Py_ssize_t, edge=Py_ssize_t, operand=Py_ssize_t,
               starts="const unsigned int *", operands="const unsigned int *")
cdef dict _pulled(Tape tape, list grads, bytearray is_input, bytearray reached, bint recorded)

@cython.locals(nodes=list, node=Value, primitive=Primitive, index=Py_ssize_t, edge=Py_ssize_t, operand=Py_ssize_t,
               starts="const unsigned int *", operands="const unsigned int *")
cdef int _push(Tape tape, list pushed, bytearray is_given, bytearray reached, bint recorded) except -1

cdef object _slopes(Primitive primitive, Value node, const unsigned int *operands, Py_ssize_t edge, bytearray reached,
                    bint recorded)

@cython.locals(parent=Value, slopes=tuple, count=Py_ssize_t, i=Py_ssize_t)
cdef object _slopes_of_wide(Primitive primitive, _WideValue node, const unsigned int *operands, Py_ssize_t edge,
                            bytearray reached, bint recorded)

cdef object _operand(Value parent, double number, bint recorded)

@cython.locals(node=Value, wide=_WideValue, parent=Value, operand=double, i=Py_ssize_t)
cpdef object _check_fresh(Tape tape)

cpdef object _stale(Value parent, double operand)

cdef object _plus(object a, object b)

cdef object _times(object a, object b)
