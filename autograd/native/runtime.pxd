# The functions of runtime.py for the compiled engine. They run C that is generated from the table. value.py computes every
# result that is not finite again in Python, also the nan of a primitive without C.

from cpython cimport array
from libc.math cimport NAN

from autograd.primitives cimport Primitive


cdef extern from "rules.h":
    int INDEX_OF_sum, INDEX_OF_dot
    double c_value_of_one "value_of_one" (int index, double x)
    double c_value_of_two "value_of_two" (int index, double x, double y)


cdef inline double value_of_one(Primitive primitive, double x) noexcept:
    return c_value_of_one(primitive.index, x)


cdef inline double value_of_two(Primitive primitive, double x, double y) noexcept:
    return c_value_of_two(primitive.index, x, y)


# The values of a sum and of a dot product are written by hand; tests/test_runtime.py holds them to the table.


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


cdef extern from "memory.h":
    int allocate(tuple kinds) except -1


cdef inline const unsigned int *indices(array.array numbers) noexcept:
    return numbers.data.as_uints


cdef inline const long long[::1] integers(object numbers):
    return numbers
