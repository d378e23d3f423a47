# The functions of rows.py for the compiled engine.

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_STRIDED_RO, PyBUF_WRITABLE, PyBuffer_IsContiguous, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.string cimport memcpy


cdef inline double *memory(object row) except? NULL:
    cdef Py_buffer view
    PyObject_GetBuffer(row, &view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
    cdef double *numbers = <double *>view.buf
    PyBuffer_Release(&view)
    return numbers


cdef inline Py_ssize_t copy_array(object array, double *row, Py_ssize_t place) except -2:
    cdef Py_buffer view
    cdef Py_ssize_t after = -1
    PyObject_GetBuffer(array, &view, PyBUF_STRIDED_RO)
    if PyBuffer_IsContiguous(&view, b"C"):
        after = place + view.len // <Py_ssize_t>sizeof(double)
        if view.len:
            memcpy(row + place, view.buf, view.len)
    PyBuffer_Release(&view)
    return after
