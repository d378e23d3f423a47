# The C types of the compiled engine. The code is in value.py, and runs as it stands where there is no compiler: a line
# here may only say of what type something there is.

cimport cython

from autograd cimport native
from autograd.primitives cimport Primitive, as_float


cdef class Value:
    cdef double _data, _grad, _x, _y
    cdef long long _mark
    cdef public object label
    cdef Primitive _primitive
    cdef Value _left, _right, _next


cdef class Constant(Value):
    pass


cdef class Parameter(Value):
    pass


cdef class _WideValue(Value):
    cdef tuple _parents, _operands
    cdef long long _turn
    cdef Py_ssize_t _seen


# Rows that are found without a look into the module: those of the operators.
cdef Primitive add, subtract, multiply, divide, power, negate, absolute

cdef set _watchers
cdef long long _walks

@cython.locals(node=Constant)
cdef Constant _constant(object number)

cdef Value _node(object operand)

@cython.locals(parent=Value, node=_WideValue, parents=list, numbers=list, data=double)
cdef object _wide(Primitive primitive, tuple operands)

@cython.locals(parent=Value, node=Value, x=double, data=double)
cdef object _unary(Primitive primitive, object operand)

@cython.locals(left=Value, right=Value, node=Value, x=double, y=double, data=double)
cdef object _binary(Primitive primitive, object left_operand, object right_operand)

cpdef object _described(Value node)

cpdef object _watched(Value node)

cdef Constant _constant_or_none(object operand)

@cython.locals(order=list, displaced=list, node=Value)
cpdef list topological_order(Value output)

@cython.locals(node=Value, parent=Value, below=Value, last=Value, mark="long long", done=bint)
cdef void _tie(Value output, list displaced, bint constants) except *

cdef void _note(list displaced, Value node) except *

@cython.locals(parent=Value)
cdef Value _unseen_parent(_WideValue node, long long mark)

@cython.locals(node=Value, below=Value, x=double, y=double)
cdef void _untie(Value output, list displaced) except *

@cython.locals(node=Value, primitive=Primitive, slope=double, displaced=list)
cdef void _run_backward(Value output) except *

@cython.locals(slopes=tuple, place=Py_ssize_t, parent=Value)
cdef void _hand_back(_WideValue node, Primitive primitive) except *

cdef long long _listing

@cython.locals(order=list)
cdef list _listed(Value output)

@cython.locals(listed=bint)
cdef bint _is_listed(Value node) except -1

cdef void _fill(_WideValue node, tuple parents, tuple operands) except *

@cython.locals(node=Value)
cpdef object _rebuilt(list below, object kind, double data, object grad, object label, Primitive primitive,
                      tuple parents, tuple operands)
