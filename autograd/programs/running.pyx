# Running lowered programs, compiled: running.py does the same with NumPy. It has more than 500 lines since all of it
# works on the same C structures.

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint8_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy
from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer
from cpython.buffer cimport PyBUF_STRIDED_RO, PyBuffer_IsContiguous, PyBuffer_Release, PyObject_GetBuffer

import numpy as np

from autograd.value cimport Constant, Value

from autograd.programs.groups import (
    CONTIGUOUS, GATHERED, SINGLE, Dots, Map, Matrix, OuterTotals, Sum, Tape, Totals, blocks_of, step_of,
)
from autograd.primitives import PRIMITIVES
from autograd.programs.nesting import NUMBER, Array, Fixed, Floats, Nested
from autograd.programs.validation import validate

FLOAT64 = np.dtype(np.float64)


cdef extern from "kernels.h":
    ctypedef void (*Loop)(double *, const double *, const double *, const double *, size_t) noexcept nogil
    ctypedef struct Source:
        const double *base
        const uint32_t *index
        size_t step
    enum: MOST_TILE, LEAST_TERMS, LEAST_ROWS, SCRATCH
    ctypedef struct TapeStep:
        uint32_t code
        uint32_t operands[3]
    ctypedef struct Kernels:
        const char *name
        size_t tile
        Loop (*loop)(uint32_t, int, int) noexcept nogil
        int (*all_finite)(const double *, size_t) noexcept nogil


cdef extern from "running.h":
    enum: LOOP, MAP, EACH, COPY, SUMS, SUMS_EACH, DOTS, DOTS_EACH, GATHER, TRANSPOSE, MATRIX, MATRIX_EACH, BLAS, CALL, TAPE
    ctypedef void (*Product)(char *, char *, int *, int *, int *, double *, const double *, int *, const double *, int *,
                             double *, double *, int *) noexcept nogil
    ctypedef struct Step:
        int kind
        Loop loop
        double *out
        size_t n, arity, lanes
        const double *a
        const double *b
        const double *c
        Source *sources
        const double **pointers
        const double **columns
        const uint32_t *index
        size_t row_count, offset, out_step, first
        ptrdiff_t row_step
        double *scratch
        const TapeStep *tape
        void *primitive
        Product product
        int row_distance, column_distance
    ctypedef struct Total:
        double *out
        size_t n, columns, row_step
        const uint32_t *outs
        const double **lefts
        const double **rights
        Product product
        int left_distance, right_distance
    int run_steps(const Kernels *, double *, const Step *, size_t, size_t) except? -1 nogil
    void run_totals(const Kernels *, double *, const Total *, size_t, size_t, bint) noexcept nogil
    void fill_lanes(const Kernels *, double *, const double *, size_t, const int64_t *, size_t, size_t, size_t) noexcept nogil
    void prefetch(const double *, size_t) noexcept nogil
    bint is_interrupted(double *) noexcept nogil
    int raise_waiting() except -1
    const Kernels *choose_kernels(int, bint) noexcept


cdef const Kernels *kernels = choose_kernels(3, True)
cdef uint32_t PRIMITIVE_CODES = len(PRIMITIVES) + 1  # what PRIMITIVES is in the C of the loops
cdef enum: CACHE_LINE = 64
LEAST_FOR_BLAS = 1 << 12  # numbers of a matrix that is multiplied with the lanes
LANE_MEMORY, MOST_LANES = 3 << 16, 64  # the numbers of a block of examples, so that they stay in the cache; its lanes
LARGE = 1 << 14  # totals, which are far away after each block: then blocks are larger, of these numbers and lanes
LARGE_LANE_MEMORY, MOST_LARGE_LANES = 1 << 19, 128


INSTRUCTION_SETS = ("baseline", "avx2", "avx512_halves", "avx512")  # from the narrowest


def instruction_set():
    """The name of the kernels that run: at first those that are the fastest on this processor."""
    return kernels.name.decode().removeprefix("kernels_")


def use_instruction_set(str widest):
    """Let new runners use the kernels of an instruction set; of the next narrower one that is there, if it is not."""
    global kernels
    kernels = choose_kernels(INSTRUCTION_SETS.index(widest), False)


cdef Product blas_product():
    """The function of SciPy's BLAS that multiplies matrices of doubles; NULL if SciPy is not installed."""
    try:
        from scipy.linalg import cython_blas
    except ImportError:
        return NULL
    capsule = cython_blas.__pyx_capi__["dgemm"]
    return <Product>PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule))


cdef int distance_of(places, size_t size) except -1:
    """The distance of numbers in memory, of which each place holds `size`, if it is the same for all; else 0."""
    step = step_of(places[None]) if len(places) > 1 else 1
    return 0 if step is None or step < 1 or step * size >= 2**31 else step * size


cdef bint fills(object form, object tree, double[::1] numbers, Py_ssize_t *place) except -1:
    """Copy the numbers of a nesting, if it has this form and no other kinds of numbers than floats and float64 arrays."""
    cdef Py_ssize_t i, size
    cdef Py_buffer view
    cdef object kind
    cdef bint fits
    if form is NUMBER:
        if type(tree) is not float:
            return False
        numbers[place[0]] = tree
        place[0] += 1
        return True
    kind = type(form)
    if kind is Array:
        if type(tree) is not np.ndarray or tree.dtype is not FLOAT64 or tree.shape != form.shape:
            return False
        size = tree.size
        if size:
            PyObject_GetBuffer(tree, &view, PyBUF_STRIDED_RO)
            fits = PyBuffer_IsContiguous(&view, b"C")
            if fits:
                memcpy(&numbers[place[0]], view.buf, size * sizeof(double))
            PyBuffer_Release(&view)
            if not fits:
                return False
        place[0] += size
        return True
    if kind is Floats:
        if type(tree) is not form.kind or len(tree) != form.length:
            return False
        for number in tree:
            if type(number) is not float:
                return False
            numbers[place[0]] = number
            place[0] += 1
        return True
    if kind is Nested and type(tree) is form.kind and len(tree) == len(form.parts):
        if form.keys is not None:
            if type(tree) is not dict or tuple(tree) != form.keys:
                return False
            tree = tree.values()
        for part, branch in zip(form.parts, tree):
            if not fills(part, branch, numbers, place):
                return False
        return True
    return kind is Fixed and type(tree) is form.kind and tree == form.thing


def filled(tuple forms, tuple arguments, double[::1] numbers):
    """Copy the numbers of arguments, if they have these forms: see running.py."""
    cdef Py_ssize_t place = 0
    if len(forms) != len(arguments):
        return False
    for form, argument in zip(forms, arguments):
        if not fills(form, argument, numbers, &place):
            return False
    return True


def has_tape_step(code):
    """Whether a primitive can be a step of a tape, by its code: a sum, a dot product, and what C has."""
    return code in (Tape.SUM, Tape.DOT) or kernels.loop(code, 1, True) != NULL


@cython.boundscheck(False)
@cython.wraparound(False)
def columns(list nodes):
    """Of each node of a tape the code of its primitive, its number, and whether it is a constant: see running.py."""
    cdef Py_ssize_t size = len(nodes), i
    cdef Value node
    cdef dict others = {}
    cdef object primitive
    codes_array, numbers_array, constant_array = np.zeros(size, np.int64), np.empty(size), np.empty(size, np.uint8)
    cdef int64_t[::1] codes = codes_array
    cdef double[::1] numbers = numbers_array
    cdef uint8_t[::1] constant = constant_array
    for i in range(size):
        node = nodes[i]
        if node._primitive is not None:
            codes[i] = node._primitive.index
            if codes[i] == 0:
                codes[i] = others.setdefault(node._primitive, len(PRIMITIVES) + 1 + len(others))
        numbers[i] = node._data
        constant[i] = isinstance(node, Constant)
    return codes_array, numbers_array, constant_array.view(bool), list(others)


@cython.boundscheck(False)
@cython.wraparound(False)
def analyse(const int64_t[::1] codes, const int64_t[::1] starts, const int64_t[::1] operands,
            const int64_t[::1] outputs, varies):
    """The level of each slot, whether it varies, and whether an output needs it: see running.py."""
    cdef Py_ssize_t size = len(codes), slot, edge, count = len(operands)
    cdef int64_t level
    cdef bint fits = len(starts) == size + 1 and len(varies) == size
    for slot in range(len(starts)):
        fits &= 0 <= starts[slot] <= count
    for edge in range(count):
        fits &= 0 <= operands[edge] < size
    for slot in range(len(outputs)):
        fits &= 0 <= outputs[slot] < size
    if not fits:
        raise ValueError("the operands and outputs of instructions are not within their slots")
    levels_array = np.zeros(size, np.int64)
    varies_array = np.array(varies, np.uint8)
    needed_array = np.zeros(size, np.uint8)
    cdef int64_t[::1] levels = levels_array
    cdef uint8_t[::1] vary = varies_array, needed = needed_array
    for slot in range(size):
        level = 0
        for edge in range(starts[slot], starts[slot + 1]):
            if levels[operands[edge]] >= level:
                level = levels[operands[edge]] + 1
            vary[slot] |= vary[operands[edge]]
        levels[slot] = level
    for slot in range(len(outputs)):
        needed[outputs[slot]] = 1
    for slot in range(size - 1, -1, -1):
        if needed[slot]:
            for edge in range(starts[slot], starts[slot + 1]):
                needed[operands[edge]] = 1
    return levels_array, varies_array.view(bool), needed_array.view(bool)


cdef class Runner:
    """Runs a lowered program; by one thread at a time. See running.py."""

    cdef readonly object code
    cdef double *uniform
    cdef double *varying
    cdef double *panel
    cdef double *scratch  # of long matrix products, if there are any
    cdef double *packed[2]  # the rows and the columns of the matrix product that is computed
    cdef size_t packed_room[2]
    cdef readonly size_t lanes
    cdef size_t inputs_count, uniform_size, varying_size
    cdef Step *steps
    cdef Step *blocks
    cdef Total *totals
    cdef size_t step_count, block_count, total_groups, step_room, block_room
    cdef list memory  # addresses of what is freed with the runner
    cdef uint32_t *output_places
    cdef uint8_t *output_varies
    cdef size_t *spans
    cdef size_t span_count
    cdef uint8_t *is_read  # of each input that varies
    cdef Py_ssize_t shape  # of the buffer
    cdef readonly size_t output_count
    cdef size_t work
    cdef bint has_varying_outputs
    cdef bint exact
    cdef Product product  # that computes large matrix products, if they need not be exact

    def __cinit__(self, code, Py_ssize_t lanes=0, bint exact=True):
        self.memory = []
        self.exact, self.product = exact, NULL if exact else blas_product()
        validate(code, lanes)
        lanes += -lanes % 8  # whole vectors
        self.code = code
        self.inputs_count = code.inputs
        self.uniform_size, self.varying_size = code.uniform_size, code.varying_size
        self.lanes = lanes
        self.uniform = <double *>self.keep((self.uniform_size + MOST_TILE) * sizeof(double))
        self.varying = <double *>self.keep((self.varying_size * max(lanes, 1) + MOST_TILE) * sizeof(double))
        self.panel = <double *>self.keep((max(lanes, 1) * MOST_TILE + MOST_TILE) * sizeof(double))
        for place, number in code.constants.items():
            self.uniform[place] = number
        self._prepare(code)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        """The memory of the numbers that do not vary."""
        self.shape = self.uniform_size
        buffer.buf = self.uniform
        buffer.itemsize, buffer.len, buffer.ndim = sizeof(double), self.shape * sizeof(double), 1
        buffer.shape, buffer.strides, buffer.suboffsets, buffer.internal = &self.shape, &buffer.itemsize, NULL, NULL
        buffer.format = "d"
        buffer.readonly, buffer.obj = False, self

    @property
    def inputs(self):
        """The memory of the inputs that do not vary: see running.py."""
        return np.frombuffer(self)[: self.inputs_count] if self.inputs_count else np.empty(0)

    @property
    def results(self):
        """The memory of outputs that do not vary: see running.py."""
        if self.span_count != 1 or self.has_varying_outputs:
            return None
        return np.frombuffer(self)[self.output_places[0] : self.output_places[0] + self.output_count]

    def __dealloc__(self):
        for address in self.memory or ():
            free(<void *><size_t>address)

    cdef void *keep(self, size_t size) except NULL:
        """Memory of zeros that lives as long as the runner, from the beginning of a line of the cache."""
        cdef void *block = calloc(size + CACHE_LINE, 1)
        if block == NULL:
            raise MemoryError(f"there is no memory for {size} bytes")
        self.memory.append(<size_t>block)
        return <void *>(<size_t>block + CACHE_LINE - <size_t>block % CACHE_LINE)

    cdef double *_panel(self, group, bint is_column, size_t size) except NULL:
        """Memory for the packed rows or columns of a matrix product."""
        if group.varies:  # they are packed once, and read for each block of examples
            return <double *>self.keep(size * sizeof(double))
        if self.packed_room[is_column] < size:
            self.packed[is_column] = <double *>self.keep(size * sizeof(double))
            self.packed_room[is_column] = size
        return self.packed[is_column]

    # How groups become steps.

    cdef const uint32_t *_index(self, places) except NULL:
        """Places as an index into a memory."""
        cdef int64_t[::1] view = np.ascontiguousarray(places, np.int64).reshape(-1)
        cdef uint32_t *index = <uint32_t *>self.keep(len(view) * sizeof(uint32_t))
        cdef Py_ssize_t i
        for i in range(len(view)):
            index[i] = <uint32_t>view[i]
        return index

    cdef int _source(self, Source *source, operand) except -1:
        """An operand in the uniform memory."""
        source.index = NULL
        source.step = operand.mode != SINGLE
        source.base = self.uniform + <size_t>operand.place
        if operand.mode == GATHERED:
            source.base = self.uniform
            source.index = self._index(operand.gathered)
        return 0

    cdef double *_out(self, group) noexcept:
        return <double *>self._pointer(group.varies, group.out)

    cdef const double *_pointer(self, bint varies, size_t place) noexcept:
        return self.varying + place * self.lanes if varies else self.uniform + place

    cdef Step *_new(self, bint in_block) except NULL:
        cdef Step *grown
        cdef size_t room = self.block_room if in_block else self.step_room
        cdef size_t count = self.block_count if in_block else self.step_count
        if count == room:
            grown = <Step *>self.keep((2 * room + 16) * sizeof(Step))
            if count:
                memcpy(grown, self.blocks if in_block else self.steps, count * sizeof(Step))
            if in_block:
                self.blocks, self.block_room = grown, 2 * room + 16
            else:
                self.steps, self.step_room = grown, 2 * room + 16
        if in_block:
            self.block_count += 1
            return &self.blocks[count]
        self.step_count += 1
        return &self.steps[count]

    cdef int _prepare(self, code) except -1:
        cdef size_t i
        for group in code.groups:
            self._add(group)
        for group in code.varying_groups:
            self._add(group)
        is_read = code.varying_reads()
        self.is_read = <uint8_t *>self.keep(code.varying_inputs)
        for i in range(code.varying_inputs):
            self.is_read[i] = is_read[i]
        self.total_groups = len(code.totals)
        self.totals = <Total *>self.keep(self.total_groups * sizeof(Total))
        for i, total in enumerate(code.totals):
            self._add_total(&self.totals[i], total)
        self.output_count = len(code.outputs)
        self.output_places = <uint32_t *>self._index(code.outputs)
        self.output_varies = <uint8_t *>self.keep(self.output_count)
        for i in range(self.output_count):
            self.output_varies[i] = code.output_varies[i] and not code.totals
            self.has_varying_outputs |= self.output_varies[i]
        self._find_spans()
        return 0

    cdef int _find_spans(self) except -1:
        """Where outputs stand one after another in the uniform memory, too."""
        cdef size_t i
        self.spans = <size_t *>self.keep((self.output_count + 1) * sizeof(size_t))
        self.span_count = 0
        for i in range(self.output_count):
            if i == 0 or self.output_places[i] != self.output_places[i - 1] + 1:
                self.spans[self.span_count] = i
                self.span_count += 1
        self.spans[self.span_count] = self.output_count
        return 0

    cdef void _copy_outputs(self, double *out) noexcept nogil:
        """Copy the outputs, none of which varies."""
        cdef size_t i, span, first
        if self.span_count * 8 > self.output_count:
            for i in range(self.output_count):
                out[i] = self.uniform[self.output_places[i]]
            return
        for span in range(self.span_count):
            first = self.spans[span]
            memcpy(out + first, self.uniform + self.output_places[first],
                   (self.spans[span + 1] - first) * sizeof(double))

    cdef int _add(self, group) except -1:
        self.work += group.work()
        if isinstance(group, Map):
            self._add_map(group)
        elif isinstance(group, Matrix):
            self._add_matrix(group)
        elif isinstance(group, Sum):
            self._add_reduction(group, group.terms, SUMS)
        elif isinstance(group, Dots):
            self._add_reduction(group, [*group.lefts, *group.rights], DOTS)
        else:
            self._add_tape(group)
        return 0

    cdef int _add_map(self, group) except -1:
        cdef double *out = self._out(group)
        cdef size_t count = group.count, arity = len(group.operands), i, j
        cdef int arrays = 0
        cdef Step *step
        step = self._new(group.varies)
        step.out, step.n, step.arity, step.lanes = out, count, arity, self.lanes if group.varies else 1
        step.sources = <Source *>self.keep(arity * sizeof(Source))
        if group.primitive is None:
            step.kind = COPY
            self._source(&step.sources[0], group.operands[0])
            return 0
        is_single = [operand.mode == SINGLE and not operand.varies for operand in group.operands]
        if all(is_single):  # one operand becomes an array, of one number for each member
            operand = group.operands[0]
            is_single[0] = False
        for i in range(arity):
            arrays |= (0 if is_single[i] else 1) << i
        step.loop = kernels.loop(group.code, arrays, self.exact) if arity <= 3 else NULL
        if step.loop == NULL:
            return self._add_call(step, group)
        if not group.varies:
            simple = True
            for i in range(arity):
                self._source(&step.sources[i], group.operands[i])
                if group.operands[i].mode == GATHERED or (step.sources[i].step == 0 and not is_single[i]):
                    simple = False
            if not simple:
                if all(operand.mode == SINGLE for operand in group.operands):
                    step.sources[0].base, step.sources[0].step = self.uniform, 1
                    step.sources[0].index = self._index(np.full(count, group.operands[0].place))
                step.kind = MAP
                return 0
        elif all(operand.mode == (CONTIGUOUS if operand.varies else SINGLE) for operand in group.operands):
            for i in range(arity):
                step.sources[i].base = self._pointer(group.operands[i].varies, group.operands[i].place)
            step.n = count * self.lanes
        else:
            step.kind = EACH
            arrays = 0
            for i in range(arity):
                arrays |= <int>group.operands[i].varies << i
            step.loop = kernels.loop(group.code, arrays, self.exact)
            step.pointers = self._pointers(group.operands, count, 3)
            return 0
        step.kind = LOOP
        step.a = step.sources[0].base
        step.b = step.sources[1].base if arity > 1 else NULL
        step.c = step.sources[2].base if arity > 2 else NULL
        return 0

    cdef const double **_pointers(self, operands, size_t count, size_t width) except NULL:
        """For each member the address of each operand."""
        cdef const double **pointers = <const double **>self.keep(count * width * sizeof(double *))
        cdef int64_t[::1] places
        cdef size_t i, j
        cdef bint varies
        for j, operand in enumerate(operands):
            places = np.ascontiguousarray(operand.places(count), np.int64)
            varies = operand.varies
            for i in range(count):
                pointers[i * width + j] = self._pointer(varies, <size_t>places[i])
        return pointers

    cdef int _add_call(self, Step *step, group) except -1:
        """A primitive that C lacks: Python's own function."""
        cdef size_t i
        step.kind = CALL
        step.primitive = <void *>group.primitive
        step.pointers = self._pointers(group.operands, group.count, max(step.arity, 1))
        for i, operand in enumerate(group.operands):
            step.sources[i].step = operand.varies
        return 0

    cdef int _add_reduction(self, group, operands, int kind) except -1:
        cdef double *out = self._out(group)
        cdef size_t count = group.count, width = len(operands), i, j
        cdef const double **pointers
        cdef Step *step = self._new(group.varies)
        step.out, step.n, step.arity, step.lanes = out, count, width // (1 if kind == SUMS else 2), 1
        step.kind = kind
        if not group.varies:
            step.sources = <Source *>self.keep(width * sizeof(Source))
            for i in range(width):
                self._source(&step.sources[i], operands[i])
            return 0
        step.lanes = self.lanes
        if all(operand.varies and operand.mode == CONTIGUOUS for operand in operands):
            step.sources = <Source *>self.keep(width * sizeof(Source))
            step.n = count * self.lanes
            for i in range(width):
                step.sources[i].base, step.sources[i].step = self._pointer(True, operands[i].place), 1
            return 0
        step.kind = SUMS_EACH if kind == SUMS else DOTS_EACH
        step.sources = <Source *>self.keep(count * width * sizeof(Source))
        pointers = self._pointers(operands, count, width)
        for i in range(count):
            for j in range(width):
                step.sources[i * width + j].base = pointers[i * width + j]
                step.sources[i * width + j].step = operands[j].varies
        return 0

    cdef int _add_matrix(self, group) except -1:
        cdef double *out = self._out(group)
        cdef size_t terms = group.rows.shape[1], lanes = self.lanes, done = 0, c, start, count, first, length
        cdef const double **rows
        cdef const double **columns = NULL
        cdef const double **packed = NULL
        cdef Step *step
        blocks = list(blocks_of(group.runs))
        if group.rows_vary:
            rows, row_steps = self._table(group.rows[group.runs[:, 0]]), None
        else:
            rows = <const double **>self.keep(len(group.runs) * sizeof(double *))
            row_steps = self._find_rows(rows, group, blocks)
        by_term = np.ascontiguousarray(group.columns.T, np.int64)  # a row for each term
        if group.varies:
            columns = self._table(group.columns)
        else:
            in_place = group.columns_in_place()
            packed = NULL if all(in_place) else self._pack_columns(group, by_term)
        for i, (start, count, first, length) in enumerate(blocks):
            if not group.varies:
                columns = packed
                if in_place[i]:
                    columns = self._places(by_term[:, first])
                    first = 0
            for c in range(length if group.varies and not group.rows_vary else 1):
                step = self._new(group.varies)
                step.kind, step.arity, step.row_count = MATRIX, terms, count
                step.pointers, step.row_step, step.out = rows + start, row_steps[i] if row_steps else 1, out + done
                step.columns, step.offset, step.n, step.out_step = columns, first, length, length
                if group.rows_vary:
                    step.kind, step.lanes, step.pointers = MATRIX_EACH, lanes, rows + start * terms
                    step.columns, step.out = columns + first * terms, out + done * lanes
                elif group.varies:
                    step.columns, step.offset, step.n = columns + (first + c) * terms, 0, lanes
                    step.out, step.out_step = out + (done + c) * lanes, length * lanes
                    if self.product != NULL and step.row_step == 1 and count * terms >= <size_t>LEAST_FOR_BLAS:
                        step.row_distance = distance_of(group.rows[group.runs[start:start + count, 0], 0], 1)
                        step.column_distance = distance_of(group.columns[first + c], lanes)
                        if <size_t>step.row_distance >= terms and step.column_distance > 0:
                            step.kind, step.product = BLAS, self.product
                if step.kind == MATRIX and terms >= <size_t>LEAST_TERMS and count >= <size_t>LEAST_ROWS:
                    if self.scratch == NULL:
                        self.scratch = <double *>self.keep(SCRATCH * sizeof(double))
                    step.scratch = self.scratch
            done += count * length
        return 0

    cdef list _find_rows(self, const double **rows, group, list blocks):
        """The address of the row of each run, and for each block the step from one term to the next.

        A row stands where it is, if the places of all in its block go up by the same step; else it is packed.
        """
        cdef const double *panel = NULL
        cdef size_t terms = group.rows.shape[1], start, count, run
        cdef int64_t[::1] places
        numbers, steps = group.runs[:, 0], group.row_steps()
        to_pack = [range(block[0], block[0] + block[1]) for block, step in zip(blocks, steps) if step is None]
        if to_pack:
            packed = np.unique(numbers[np.concatenate(to_pack)])
            panel = self._panel(group, False, len(packed) * terms + MOST_TILE)
            self._add_gather(<double *>panel, np.ascontiguousarray(group.rows[packed], np.int64))
        place_of = dict(zip(packed.tolist(), range(len(packed)))) if to_pack else {}
        places = np.ascontiguousarray(group.rows[numbers, 0], np.int64)
        for (start, count, _, _), step in zip(blocks, steps):
            for run in range(start, start + count):
                if step is None:
                    rows[run] = panel + <size_t>place_of[int(numbers[run])] * terms
                else:
                    rows[run] = self.uniform + <size_t>places[run]
        return [1 if step is None else step for step in steps]

    cdef const double **_pack_columns(self, group, by_term) except NULL:
        """Pack the columns; the address of the numbers of each term."""
        cdef size_t terms = by_term.shape[0], column_count = by_term.shape[1], j
        cdef size_t width = column_count + (-column_count) % 8
        cdef double *panel = self._panel(group, True, width * terms + MOST_TILE)
        cdef const double **columns = <const double **>self.keep(terms * sizeof(double *))
        cdef bint down = step_of(by_term.T) == -1
        if down or step_of(by_term.T) == 1:
            self._add_transpose(panel, by_term[terms - 1] if down else by_term[0], width, terms)
        else:
            self._add_gather(panel, np.pad(by_term, ((0, 0), (0, width - column_count)), mode="edge"))
        for j in range(terms):
            columns[j] = panel + (terms - 1 - j if down else j) * width
        return columns

    cdef const double **_places(self, places) except NULL:
        """The addresses of uniform numbers."""
        cdef int64_t[::1] view = np.ascontiguousarray(places, np.int64)
        cdef Py_ssize_t i
        cdef const double **table = <const double **>self.keep(len(view) * sizeof(double *))
        for i in range(len(view)):
            table[i] = self.uniform + <size_t>view[i]
        return table

    cdef const double **_table(self, places) except NULL:
        """The addresses of numbers that vary."""
        cdef const uint32_t *index = self._index(places)
        cdef size_t i, count = places.size
        cdef const double **table = <const double **>self.keep(count * sizeof(double *))
        for i in range(count):
            table[i] = self.varying + <size_t>index[i] * self.lanes
        return table

    cdef int _add_transpose(self, double *panel, places, size_t width, size_t terms) except -1:
        """A step that packs columns, of which each has its uniform numbers one after another."""
        cdef Step *step = self._new(False)
        cdef const uint32_t *index = self._index(places)
        cdef size_t i
        step.kind, step.out, step.n, step.arity, step.out_step = TRANSPOSE, panel, len(places), terms, width
        step.pointers = <const double **>self.keep(step.n * sizeof(double *))
        for i in range(step.n):
            step.pointers[i] = self.uniform + index[i]
        return 0

    cdef int _add_gather(self, double *panel, places) except -1:
        """A step that packs uniform numbers."""
        cdef Step *step = self._new(False)
        step.kind, step.out, step.n = GATHER, panel, places.size
        step.index = self._index(places)
        return 0

    cdef int _add_tape(self, group) except -1:
        cdef int64_t[::1] codes = np.ascontiguousarray(group.codes, np.int64)
        cdef int64_t[::1] starts = np.ascontiguousarray(group.starts, np.int64)
        cdef int64_t[::1] operands = np.ascontiguousarray(group.operands, np.int64)
        cdef Py_ssize_t size = len(codes), i, j, wide_count = 0, count
        cdef size_t first = group.out
        cdef TapeStep *tape = <TapeStep *>self.keep(size * sizeof(TapeStep))
        cdef uint32_t *wide = <uint32_t *>self.keep((size + len(operands)) * sizeof(uint32_t))
        cdef Step *step
        cdef uint32_t INDEX_OF_sum = group.SUM, INDEX_OF_dot = group.DOT
        for i in range(size):
            count = starts[i + 1] - starts[i]
            tape[i].code = <uint32_t>codes[i]
            if codes[i] == INDEX_OF_sum or codes[i] == INDEX_OF_dot:
                tape[i].operands[0] = <uint32_t>wide_count
                wide[wide_count] = <uint32_t>(count // (1 if codes[i] == INDEX_OF_sum else 2))
                for j in range(count):
                    wide[wide_count + 1 + j] = <uint32_t>operands[starts[i] + j]
                wide_count += count + 1
            elif count > 3 or kernels.loop(<uint32_t>codes[i], 1, True) == NULL:
                raise ValueError(f"a tape has no step for the primitive {codes[i]} of {count} operands")
            else:
                for j in range(count):
                    tape[i].operands[j] = <uint32_t>operands[starts[i] + j]
                    if i > 0 and tape[i].operands[j] == first + i - 1:
                        tape[i].code += <uint32_t>PRIMITIVE_CODES << j
        step = self._new(False)
        step.kind, step.tape, step.n, step.first, step.index = TAPE, tape, size, first, wide
        return 0

    cdef int _add_total(self, Total *made, total) except -1:
        outer = isinstance(total, OuterTotals)
        if outer:
            made.out, made.row_step = self.uniform + <size_t>total.out, total.row_step
        else:
            made.out, made.outs = self.uniform, self._index(total.outs)
        made.lefts = self._table(total.lefts if outer else total.places)
        made.n = len(total.lefts) if outer else len(total.places)
        if outer:
            made.rights, made.columns = self._table(total.rights), len(total.rights)
            if self.product != NULL and made.n * made.columns >= <size_t>LEAST_FOR_BLAS:
                made.left_distance = distance_of(total.lefts, self.lanes)
                made.right_distance = distance_of(total.rights, self.lanes)
                if made.left_distance > 0 and made.right_distance > 0:
                    made.product = self.product
        return 0

    # Running.

    def call_floats(self, tuple arguments):
        """Run it with one float for each input, and give the first output."""
        cdef size_t i
        if <size_t>len(arguments) != self.inputs_count or not self.output_count:
            raise ValueError(f"{len(arguments)} arguments, not {self.inputs_count}; {self.output_count} outputs")
        self._refuse_varying()
        for i in range(self.inputs_count):
            self.uniform[i] = arguments[i]
        run_steps(kernels, self.uniform, self.steps, self.step_count, 1)
        return self.uniform[self.output_places[0]]

    cdef int _refuse_varying(self) except -1:
        if self.has_varying_outputs:
            raise ValueError("an output varies over the examples: run the program for a batch")
        return 0

    def call(self, const double[::1] inputs not None, double[::1] outputs not None):
        """Run it: see running.py."""
        cdef bint are_finite
        if <size_t>len(inputs) != self.inputs_count or <size_t>len(outputs) != self.output_count:
            raise ValueError(f"{len(inputs)} inputs and {len(outputs)} outputs, not {self.inputs_count} and {self.output_count}")
        self._refuse_varying()
        with nogil:
            if self.inputs_count:
                memcpy(self.uniform, &inputs[0], self.inputs_count * sizeof(double))
            run_steps(kernels, self.uniform, self.steps, self.step_count, 1)
            if self.output_count:
                self._copy_outputs(&outputs[0])
            are_finite = self.output_count == 0 or kernels.all_finite(&outputs[0], self.output_count)
        return are_finite

    def repeat(self, size_t times, double[::1] inputs not None, size_t state, const double[:, ::1] each not None,
               double[:, ::1] records not None):
        """Run it again and again: see running.py."""
        cdef size_t done = 0, each_count = each.shape[1], record_count = self.output_count - state
        cdef size_t interval = 1 + 200_000 // (self.work + 1)  # rounds between looks for a signal
        cdef double *results
        cdef double last = 0.0
        cdef bint interrupted = False
        if <size_t>len(inputs) != self.inputs_count or state + each_count > self.inputs_count or self.output_count < state:
            raise ValueError("the state and the inputs do not fit the program")
        if (each_count and <size_t>each.shape[0] < times) or (
            record_count and (<size_t>records.shape[0] < times or <size_t>records.shape[1] != record_count)
        ):
            raise ValueError(f"there are not rows for {times} rounds")
        self._refuse_varying()
        results = <double *>malloc((self.output_count + 1) * sizeof(double))
        if results == NULL:
            raise MemoryError()
        try:
            with nogil:
                if self.inputs_count:
                    memcpy(self.uniform, &inputs[0], self.inputs_count * sizeof(double))
                while done < times:
                    if done % interval == 0 and is_interrupted(&last):
                        interrupted = True
                        break
                    if each_count:
                        memcpy(self.uniform + state, &each[done, 0], each_count * sizeof(double))
                    run_steps(kernels, self.uniform, self.steps, self.step_count, 1)
                    self._copy_outputs(results)
                    if record_count:
                        memcpy(&records[done, 0], results + state, record_count * sizeof(double))
                    if state:
                        memcpy(self.uniform, results, state * sizeof(double))
                    done += 1
        finally:
            if state:
                memcpy(&inputs[0], self.uniform, state * sizeof(double))
            free(results)
        if interrupted:
            try:
                raise_waiting()
            except KeyboardInterrupt:
                pass
        return done, interrupted

    def batch(self, const double[::1] inputs, list parts not None, const int64_t[::1] rows, double[:, ::1] outputs):
        """Run it for many examples: see running.py."""
        if rows is None and not parts:
            raise ValueError("there are no examples")
        cdef size_t count = len(rows) if rows is not None else len(parts[0]), first, valid, i, k, place
        cdef size_t part_count = len(parts), width = 0
        cdef const int64_t *row = &rows[0] if rows is not None and count else NULL
        cdef int64_t lowest = 0, highest = 0
        cdef const double[:, ::1] part
        cdef const double **data = <const double **>malloc((part_count + 1) * sizeof(double *))
        cdef size_t *widths = <size_t *>malloc((part_count + 1) * sizeof(size_t))
        cdef double last = 0.0
        cdef bint are_finite = True, are_copied = outputs is not None
        cdef bint each = (
            are_copied and not self.total_groups and self.output_count > 0 and <size_t>outputs.shape[0] == count
        )
        try:
            if data == NULL or widths == NULL:
                raise MemoryError()
            for i in range(count if row != NULL else 0):
                lowest, highest = min(lowest, row[i]), max(highest, row[i])
            for k in range(part_count):
                part = parts[k]
                if rows is None and <size_t>part.shape[0] != count:
                    raise ValueError("the arguments have not the same number of examples")
                if row != NULL and (lowest < 0 or highest >= part.shape[0]):
                    raise ValueError("an example is not there")
                data[k] = &part[0, 0] if part.shape[0] and part.shape[1] else NULL
                widths[k] = part.shape[1]
                width += widths[k]
            if (
                (inputs is not None and <size_t>len(inputs) != self.inputs_count)
                or width != self.code.varying_inputs or not self.lanes
            ):
                raise ValueError("the inputs do not fit the program")
            if (self.has_varying_outputs and not each) or (are_copied and (
                <size_t>outputs.shape[1] != self.output_count or outputs.shape[0] != (count if each else 1)
            )):
                raise ValueError("there is no room for the outputs")
            with nogil:
                if self.inputs_count and inputs is not None:
                    memcpy(self.uniform, &inputs[0], self.inputs_count * sizeof(double))
                run_steps(kernels, self.uniform, self.steps, self.step_count, 1)
                if count == 0:
                    run_totals(kernels, self.panel, self.totals, self.total_groups, 0, True)
                first = 0
                while first < count:
                    if is_interrupted(&last):
                        with gil:
                            raise_waiting()
                    valid = min(self.lanes, count - first)
                    place = 0
                    for k in range(part_count):
                        fill_lanes(kernels, self.varying + place * self.lanes, data[k], widths[k], row, first, valid,
                                   self.lanes)
                        place += widths[k]
                    run_steps(kernels, self.uniform, self.blocks, self.block_count, valid)
                    run_totals(kernels, self.panel, self.totals, self.total_groups, valid, first == 0)
                    if each:
                        for i in range(self.output_count):
                            for k in range(valid):
                                if self.output_varies[i]:
                                    outputs[first + k, i] = self.varying[self.output_places[i] * self.lanes + k]
                                else:
                                    outputs[first + k, i] = self.uniform[self.output_places[i]]
                    first += valid
                if not are_copied:
                    for i in range(self.span_count):
                        place = self.spans[i]
                        are_finite &= kernels.all_finite(self.uniform + self.output_places[place], self.spans[i + 1] - place)
                elif self.output_count and (count or not each):
                    if not each:
                        self._copy_outputs(&outputs[0, 0])
                    are_finite = kernels.all_finite(&outputs[0, 0], outputs.shape[0] * outputs.shape[1])
        finally:
            free(data)
            free(widths)
        return are_finite

    def each(self, const double[::1] inputs not None, list columns not None, list results not None):
        """Run it for many examples, whose numbers stand in columns: see running.py."""
        if not columns:
            raise ValueError("there are no examples")
        cdef size_t count = len(columns[0]), first, valid, i, k, column_count = len(columns)
        cdef const double[::1] column
        cdef double[::1] result
        cdef const double **data = <const double **>malloc((column_count + 1) * sizeof(double *))
        cdef double **out = <double **>malloc((self.output_count + 1) * sizeof(double *))
        cdef double *lane
        cdef double last = 0.0
        cdef size_t interval = 16 * max(self.lanes, 1)  # examples between looks for a signal
        cdef bint are_finite = True
        try:
            if data == NULL or out == NULL:
                raise MemoryError()
            if (<size_t>len(inputs) != self.inputs_count or column_count != self.code.varying_inputs or not self.lanes
                    or self.total_groups or <size_t>len(results) != self.output_count):
                raise ValueError("the inputs and results do not fit the program")
            for i in range(column_count):
                column = columns[i]
                if <size_t>len(column) != count:
                    raise ValueError("the columns have not the same number of examples")
                data[i] = &column[0] if count else NULL
            for i in range(self.output_count):
                result = results[i]
                if <size_t>len(result) != count:
                    raise ValueError("there is no room for the results")
                out[i] = &result[0] if count else NULL
            with nogil:
                if self.inputs_count:
                    memcpy(self.uniform, &inputs[0], self.inputs_count * sizeof(double))
                run_steps(kernels, self.uniform, self.steps, self.step_count, 1)
                first = 0
                while first < count:
                    if first % interval == 0 and is_interrupted(&last):
                        with gil:
                            raise_waiting()
                    valid = min(self.lanes, count - first)
                    for i in range(column_count):
                        if self.is_read[i]:
                            memcpy(self.varying + i * self.lanes, data[i] + first, valid * sizeof(double))
                            prefetch(data[i] + first + valid, min(self.lanes, count - first - valid))
                    for i in range(self.output_count):
                        prefetch(out[i] + first, valid)
                    run_steps(kernels, self.uniform, self.blocks, self.block_count, valid)
                    for i in range(self.output_count):
                        if self.output_varies[i]:
                            lane = self.varying + self.output_places[i] * self.lanes
                            memcpy(out[i] + first, lane, valid * sizeof(double))
                            are_finite &= kernels.all_finite(lane, valid)
                        else:
                            for k in range(valid):
                                out[i][first + k] = self.uniform[self.output_places[i]]
                            are_finite &= kernels.all_finite(&self.uniform[self.output_places[i]], 1)
                    first += valid
        finally:
            free(data)
            free(out)
        return are_finite


def lanes_for(code, size_t count):
    """How many examples are run side by side: see running.py."""
    cdef bint is_large = sum([total.count for total in code.totals]) > LARGE
    cdef size_t room = <size_t>(LARGE_LANE_MEMORY if is_large else LANE_MEMORY) // max(code.varying_size, 1)
    cdef size_t most = max(8, min(room - room % 8, <size_t>(MOST_LARGE_LANES if is_large else MOST_LANES)))
    cdef size_t blocks = max(1, (count + most - 1) // most)
    cdef size_t lanes = (count + blocks - 1) // blocks
    return max(8, lanes + (-lanes) % 8)
