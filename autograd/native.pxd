# What the compiled engine does in its own way, by the names of native.py. Rules are run by C that is generated from the
# table. Where that gives a number that is not finite, or nan because a row has no C, the row itself is asked: a slope
# here, a value in value.py, which also knows what to say of an error.

from libc.math cimport NAN, isfinite

from autograd.primitives cimport Primitive


cdef extern from "rules.h":
    int PLACE_OF_sum, PLACE_OF_dot
    double c_value_of_one "value_of_one" (int place, double x)
    double c_value_of_two "value_of_two" (int place, double x, double y)
    double c_slope_of_one "slope_of_one" (int place, double out, double x)
    double c_left_slope_of_two "left_slope_of_two" (int place, double out, double x, double y)
    double c_right_slope_of_two "right_slope_of_two" (int place, double out, double x, double y)


cdef inline double value_of_one(Primitive primitive, double x) noexcept:
    return c_value_of_one(primitive.place, x)


cdef inline double value_of_two(Primitive primitive, double x, double y) noexcept:
    return c_value_of_two(primitive.place, x, y)


cdef inline double slope_of_one(Primitive primitive, double out, double x) except? -1.0:
    cdef double slope = c_slope_of_one(primitive.place, out, x)
    return slope if isfinite(slope) else primitive.slopes[0](out, x)


cdef inline double left_slope_of_two(Primitive primitive, double out, double x, double y) except? -1.0:
    cdef double slope = c_left_slope_of_two(primitive.place, out, x, y)
    return slope if isfinite(slope) else primitive.slopes[0](out, x, y)


cdef inline double right_slope_of_two(Primitive primitive, double out, double x, double y) except? -1.0:
    cdef double slope = c_right_slope_of_two(primitive.place, out, x, y)
    return slope if isfinite(slope) else primitive.slopes[1](out, x, y)


# Rows of any number of operands: the values of a sum and of a dot product are written here by hand, and held to the table
# to the last bit by tests/test_native.py; slopes are the row's own.


cdef inline double value_of_many(Primitive primitive, list operands) except? -1.0:
    cdef Py_ssize_t place, half = len(operands) // 2
    cdef double out
    if primitive.place == PLACE_OF_sum:
        out = operands[0]
        for place in range(1, len(operands)):
            out += <double>operands[place]
        return out
    if primitive.place == PLACE_OF_dot:
        out = <double>operands[0] * <double>operands[half]
        for place in range(1, half):
            out += <double>operands[place] * <double>operands[half + place]
        return out
    return NAN


cdef inline tuple slopes_of_many(Primitive primitive, double out, tuple operands):
    return primitive.local_slopes(out, *operands)


cdef extern from "memory.h":
    int keep(tuple kinds) except -1
    bint begin_walk() except -1
    void end_walk() noexcept
