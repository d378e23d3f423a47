# A graph recorded and swept in C, by the names of recording.py.

cdef extern from "recording.h":
    int prepare(type value, type constant, type wide) except -1
    tuple record(tuple outputs)
    int backward(object output) except -1
    Py_ssize_t last_index(object node)
