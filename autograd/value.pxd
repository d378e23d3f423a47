# The C types of the compiled engine. The code is in value.py, and runs as it stands where there is no compiler: a line
# here only declares a type.

cimport cython
from libc cimport math

from autograd.native cimport runtime
from autograd.floats cimport as_float, as_operand
from autograd.primitives cimport Primitive


cdef class Value:
    cdef double _float, _grad, _x, _y
    cdef object _label
    cdef Primitive _primitive
    cdef Value _left, _right
    cdef unsigned long long _time
    cdef unsigned int _index  # in the tape that recorded the node last: see tape.h
    cdef unsigned short _recording
    cdef unsigned char _has_grad, _is_fixed


cdef class Constant(Value):
    pass


cdef class Parameter(Value):
    pass


cdef class _WideValue(Value):
    cdef tuple _parents, _operands


# The primitives of the operators: C globals, which are found without a look into the module.
cdef Primitive add, subtract, multiply, divide, remainder, power, negate, absolute

cdef set watchers, program_recordings

cdef unsigned long long clock

cpdef unsigned long long advance()

@cython.locals(node=Constant)
cpdef Constant _constant(object number)

cpdef bint is_fixed(Value node)

@cython.locals(node=Value)
cpdef Value placeholder(double number, int recording)

cpdef int recording_of(Value node)

@cython.locals(parent=Value, node=Value, x=double, data=double)
cpdef object _unary(Primitive primitive, object operand)

@cython.locals(left=Value, right=Value, node=Value, x=double, y=double, data=double)
cpdef object _binary(Primitive primitive, object left_operand, object right_operand)

cpdef object _described(Value node)

cpdef object _watched(Value node)

cdef Constant _constant_or_none(object operand)

@cython.locals(parent=Value, node=_WideValue, parents=list, numbers=list, data=double,
               recording=int)
cpdef object apply_wide(Primitive primitive, tuple operands)

@cython.locals(node=Value, numbers=list)
cpdef object _value_or_limit(Primitive primitive, tuple nodes)

@cython.locals(node=Value)
cpdef object rebuild(object kind, double data, object grad, object label, Primitive primitive, tuple parents,
                     tuple operands)

@cython.locals(wide=_WideValue)
cdef object _attach(Value node, Primitive primitive, tuple parents, tuple operands)

cdef bint _is_array(object other)

cdef object _number(object other)

cdef object _plain_refusal(Value node, str kind)
