# The C types of the compiled engine. The code is in trees.py, and runs as it stands where there is no compiler: a line
# here only declares a type.

cimport cython

from autograd.native cimport rows


cdef class Structure:
    cdef readonly int tag
    cdef readonly object kind, shape, leaf, keys, rest
    cdef readonly Py_ssize_t size
    cdef readonly tuple parts
    cdef object _pieces

cdef int NUMBER_TAG, NUMBERS_TAG, ARRAY_TAG, STATIC_TAG, CONTAINER_TAG

cdef tuple _contents(object tree)

@cython.locals(found=Structure, contents=tuple)
cdef Structure _flatten(object tree, object number, object static_leaves, list leaves)

@cython.locals(parts=list, numbers=list)
cdef object _unflatten(Structure structure, object leaves)

@cython.locals(fits=bint)
cpdef list leaves_of(Structure structure, object tree)

cpdef bint fill(Structure structure, object tree, object row)

@cython.locals(part=Structure)
cdef Py_ssize_t _fill(Structure structure, object tree, double *row, Py_ssize_t place) except -2
