# The C types of the compiled engine. The code is in floats.py, and runs as it stands where there is no compiler.

cpdef double as_float(object number) except? -1.0

cpdef double as_operand(object number) except? -1.0
