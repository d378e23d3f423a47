# The C types of the compiled engine. The code is in reverse_and_forward.py, and runs as it stands where there is no
# compiler.

cimport cython

from autograd.native cimport runtime
from autograd.primitives cimport Primitive
from autograd.tape cimport Slopes, Tape, accumulate, begin, guarded_product, plus
from autograd.value cimport Constant, Value, _WideValue

@cython.locals(node=Value)
cdef unsigned long long _first_time(list nodes) except? 0

@cython.locals(dependents=bytearray, numbers=list)
cdef list _passed(object run, Tape tape, object seeds, object inputs, Slopes slopes)

@cython.locals(slopes=Slopes, indices_of_inputs=list, wanted=bytearray, columns=dict, grads=list, ends=list,
               found_columns=list, entries=list, output=Py_ssize_t, indices=list, found=list, column=Py_ssize_t)
cpdef object pull_each(Tape tape, object outputs, object inputs, bint recorded, object kept=*)

@cython.locals(nodes=list, node=Value, primitive=Primitive, many=tuple, index=Py_ssize_t, edge=Py_ssize_t,
               start=Py_ssize_t, operand=Py_ssize_t, starts="const unsigned int *", operands="const unsigned int *")
cpdef object _push(Tape tape, list pushed, bytearray reached, Slopes slopes)

cdef Primitive divide, power

@cython.locals(node=Value, primitive=Primitive, last=Value, number=double)
cpdef bint may_fail(Tape tape)

@cython.locals(node=Value, wide=_WideValue, parent=Value, operand=double, index=Py_ssize_t, i=Py_ssize_t,
               starts="const unsigned int *")
cpdef object check_fresh(Tape tape)

cpdef object _stale(Value parent, double operand)
