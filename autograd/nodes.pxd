# The C types of the compiled engine. The code is in nodes.py, and runs as it stands where there is no compiler.

cimport cython
from libc cimport math

from autograd.native cimport runtime
from autograd.primitives cimport Primitive
from autograd.value cimport Value, _binary, _constant, _described, _unary, _watched, _WideValue

@cython.locals(parent=Value, node=_WideValue, parents=list, numbers=list, data=double)
cpdef object apply_wide(Primitive primitive, tuple operands)

@cython.locals(node=Value, numbers=list)
cpdef object _value_or_limit(Primitive primitive, tuple nodes)

cdef void _fill(_WideValue node, tuple parents, tuple operands) except *

@cython.locals(node=Value)
cpdef object rebuild(object kind, double data, object grad, object label, Primitive primitive, tuple parents,
                     tuple operands)
