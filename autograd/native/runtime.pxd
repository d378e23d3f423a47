# The functions of runtime.py for the compiled engine. They run C that is generated from the table. value.py computes every
# result that is not finite again in Python, also the nan of a primitive without C.

from cpython cimport array
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport isfinite, NAN

from autograd.primitives cimport Primitive


cdef extern from "rules.h":
    int INDEX_OF_sum, INDEX_OF_dot
    double c_value_of_one "value_of_one" (int index, double x)
    double c_value_of_two "value_of_two" (int index, double x, double y)
    double c_slope_of_one "slope_of_one" (int index, double out, double x)
    double c_left_slope_of_two "left_slope_of_two" (int index, double out, double x, double y)
    double c_right_slope_of_two "right_slope_of_two" (int index, double out, double x, double y)


cdef inline double value_of_one(Primitive primitive, double x) noexcept:
    return c_value_of_one(primitive.index, x)


cdef inline double value_of_two(Primitive primitive, double x, double y) noexcept:
    return c_value_of_two(primitive.index, x, y)


# The values of a sum and of a dot product are written by hand; the tests hold them to the table.


cdef inline double value_of_many(Primitive primitive, list operands) except? -1.0:
    cdef Py_ssize_t index, half = len(operands) // 2
    cdef double out
    if primitive.index == INDEX_OF_sum:
        out = operands[0]
        for index in range(1, len(operands)):
            out += <double>operands[index]
        return out
    if primitive.index == INDEX_OF_dot:
        out = <double>operands[0] * <double>operands[half]
        for index in range(1, half):
            out += <double>operands[index] * <double>operands[half + index]
        return out
    return NAN


# A slope that is not finite is computed again in Python, as is one without C.


cdef inline object slope_of_one(Primitive primitive, double out, double x):
    cdef double slope = c_slope_of_one(primitive.index, out, x)
    return slope if isfinite(slope) else primitive.slopes[0](out, x)


cdef inline object slope_of_two(Primitive primitive, int which, double out, double x, double y):
    cdef int index = primitive.index
    cdef double slope = c_right_slope_of_two(index, out, x, y) if which else c_left_slope_of_two(index, out, x, y)
    return slope if isfinite(slope) else primitive.slopes[which](out, x, y)


cdef inline int handle_signals() except -1:
    return PyErr_CheckSignals()


cdef extern from "memory.h":
    int allocate(tuple kinds) except -1


cdef extern from "tape.h":
    int prepare(type constant, type wide) except -1
    tuple record(tuple outputs, unsigned long long since)
    bint backward(object output) except -1
    Py_ssize_t last_index(object node)


cdef inline const unsigned int *indices(array.array numbers) noexcept:
    return numbers.data.as_uints


cdef inline const long long[::1] integers(object numbers):
    return numbers
