# Running lowered programs, compiled: array_execution.py does the same with NumPy, and documents it.
#
# This file has over 500 lines, since the steps of all kinds of groups refer to one memory that one class lays out.

cimport cython
from libc.math cimport isfinite, NAN
from libc.stdint cimport int64_t, uint32_t, uint8_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset
from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer

import numpy as np

from autograd.primitives import PRIMITIVES
from autograd.programs.groups import CONTIGUOUS, DOT, GATHERED, MOST_LANES, SINGLE, SUM, TRACED, Chain, Loop as LoopGroup, Map, Matrix, Sum, Terms, blocks_of, step_of


cdef extern from "kernels.h":
    ctypedef void (*Loop)(double *, const double *, const double *, const double *, size_t) noexcept nogil
    ctypedef struct Source:
        size_t place
        const uint32_t *index
        uint32_t step, space
    ctypedef const double *const *Spaces
    enum: MOST_TILE, LEAST_TERMS, LEAST_ROWS, SCRATCH
    ctypedef struct Kernels:
        const char *name
        size_t tile
        Loop (*loop)(uint32_t, int, int) noexcept nogil
        int (*all_finite)(const double *, size_t) noexcept nogil


cdef extern from "schedule.h":
    enum: LOOP, MAP, EACH, COPY, SUMS, SUMS_EACH, DOTS, GATHER, TRANSPOSE, MATRIX, MATRIX_OF_ROWS, MATRIX_EACH, BLAS, CALL
    enum: CHAIN, ROUNDS
    ctypedef void (*Product)(char *, char *, int *, int *, int *, double *, const double *, int *, const double *, int *,
                             double *, double *, int *) noexcept nogil
    ctypedef struct Step:
        int kind, row_space, column_space, row_distance, column_distance
        Loop loop
        size_t out, n, arity, lanes, row_count, out_step, scratch
        Source operands[3]
        Source *sources
        Source *factors
        const uint32_t *rows
        const uint32_t *columns
        const uint32_t *firsts
        const uint32_t *outs
        ptrdiff_t row_step, column_step
        void *primitive
        Product product
        const void *rounds
    ctypedef struct Piece:
        size_t to, count, lanes
        size_t origin "from"
    ctypedef struct Pieces:
        const Piece *items
        size_t count
    ctypedef struct Store:
        double *numbers
    enum: KNOWN, COUNTED, WHILE, KEPT
    ctypedef struct Rounds:
        const Step *first
        const Step *once
        const Step *each
        size_t first_count, once_count, each_count, memory, lanes, row, result_count, out, rounds, head, head_step, interval
        size_t more, more_step, going, active, store, kept, counts
        Pieces begin, next, end, stage, keep, keep_after, recall
        const uint32_t *rows
        const uint32_t *row_places
        const uint32_t *row_kinds
        const uint32_t *results
        const uint32_t *result_kinds
        int ends, backward, reversed, keeps, masked
        const uint32_t *trace_places
        const uint32_t *trace_steps
        size_t beside, part_count
        const uint32_t *parts
        size_t trace_count, trace, sums_memory, sums_from, sums_varying, sums_at, sums_panel, sums_out, total_count
        const Step *sum_steps
        const void *sums
        size_t sum_step_count, sum_count
        Pieces sums_end
    ctypedef struct Sums:
        size_t out, n, columns, row_step
        const uint32_t *outs
        const uint32_t *lefts
        const uint32_t *rights
        Product product
        int left_distance, right_distance
    int run_steps(const Kernels *, double *, Spaces, const Step *, size_t, size_t) except? -1 nogil
    void run_totals(const Kernels *, double *, const double *, double *, const Sums *, size_t, size_t, bint) noexcept nogil
    ctypedef struct Outputs:
        size_t count, span_count
        const uint32_t *places
        const uint32_t *kinds
        size_t *spans
    bint copy_outputs(const Kernels *, const Outputs *, double *, const double *, size_t, size_t) noexcept nogil
    bint copy_row(const Kernels *, const Outputs *, const double *, double **, const size_t *, size_t, size_t) noexcept nogil
    bint copy_lanes(const Kernels *, const Outputs *, const double *, double **, const size_t *, size_t, size_t) noexcept nogil
    void fill_lanes(const Kernels *, double *, const double *, size_t, size_t, size_t) noexcept nogil
    bint is_interrupted(double *) noexcept nogil
    int raise_waiting() except -1
    const Kernels *choose_kernels(int, bint) noexcept


cdef struct Steps:
    Step *items
    size_t count, room


cdef const Kernels *kernels = choose_kernels(3, True)
cdef uint32_t PRIMITIVE_CODES = len(PRIMITIVES) + 1  # what PRIMITIVES is in the C of the loops
cdef enum: CACHE_LINE = 64, LINE = 8  # in bytes, in numbers
cdef enum: LONG_CHAIN = 1 << 16, BETWEEN_PREFETCHES = 8  # steps that do not fit a near cache; and then from one prefetch to the next
cdef enum: PACK = -1  # a step that gathers what is the same in all rounds
TILE = 1 << 13  # numbers that a tile of groups writes, so that they stay in a near cache
LEAST_FOR_BLAS = 1 << 12  # numbers of a matrix that is multiplied with the lanes
LEAST_IN_PLACE = 1 << 12  # inputs that are read, and totals that are added up, where the caller has them, if that can be
LEAST_PART = 64  # columns that are packed together, if there are so many
LEAST_STRIDED = 3  # terms of sums that are added up one by one
FEW_ROWS = 4  # of a block of a matrix product, below which blocks are run together
BETWEEN_LOOKS = 200_000  # operations, or so, between two looks for a signal

INSTRUCTION_SETS = ("baseline", "avx2", "avx512_halves", "avx512")  # from the narrowest


def instruction_set():
    """Return the name of the kernels that run: at first those that are the fastest on this processor."""
    return kernels.name.decode().removeprefix("kernels_")


def use_instruction_set(str widest):
    """Let new schedules use the kernels of an instruction set; of the next narrower one that is there, if it is not."""
    global kernels
    kernels = choose_kernels(INSTRUCTION_SETS.index(widest), False)


def has_chain_step(code):
    """Return whether a primitive, by its code, can be a step of a chain: a sum, a dot product, and what C has."""
    return code in (SUM, DOT) or kernels.loop(code, 1, True) != NULL


cdef Product blas_product():
    """Return the function of SciPy's BLAS that multiplies matrices of doubles; NULL if SciPy is not installed."""
    try:
        from scipy.linalg import cython_blas
    except ImportError:
        return NULL
    capsule = cython_blas.__pyx_capi__["dgemm"]
    return <Product>PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule))


cdef int distance_of(places, size_t size) except -1:
    """Return the distance of numbers in memory, of which each place holds `size`, if it is the same for all; else 0."""
    step = step_of(places[None]) if len(places) > 1 else 1
    return 0 if step is None or step < 1 or step * size >= 2**31 else step * size


cdef bint can_be_in_place(code):
    """Return whether each part of the code reads inputs alone or none: then inputs need not be copied to the memory.

    Columns of a matrix product are read beyond their end, which is only possible within the memory.
    """
    if code.inputs < LEAST_IN_PLACE or (code.outputs[~code.outputs_in_lanes()] < code.inputs).any():
        return False
    for group in code.all_groups():
        if isinstance(group, (Chain, LoopGroup)) or (isinstance(group, Matrix) and not group.varies and group.columns.min() < code.inputs):
            return False
        if group.count == 1 and isinstance(group, (Map, Sum)):  # each operand is a number by itself
            continue
        for varies, places in group.reads():
            if not varies and len(places) and places.min() < code.inputs <= places.max():
                return False
    return True


cdef class Memory:
    """The numbers of one run, from the beginning of a line of the cache."""

    cdef void *block
    cdef double *numbers
    cdef tuple stores  # the places of those of the states of loops

    def __cinit__(self, size_t size, tuple stores):
        self.stores = stores
        self.block = calloc(size * sizeof(double) + CACHE_LINE, 1)
        if self.block == NULL:
            raise MemoryError(f"there is no memory for {size} numbers")
        self.numbers = <double *>(<size_t>self.block + CACHE_LINE - <size_t>self.block % CACHE_LINE)

    def __dealloc__(self):
        cdef size_t place
        for place in self.stores or ():
            if self.block != NULL:
                free((<Store *>(self.numbers + place)).numbers)
        free(self.block)


cdef class Schedule:
    """A lowered program as steps that hold indices into memory: see array_execution.py."""

    cdef readonly object code
    cdef readonly size_t lanes
    cdef size_t size, varying, panel, scratch, stage, inputs_count, varying_inputs, total_count, totals_at
    cdef size_t interval
    cdef size_t packed[2]  # where the rows and the columns of the uniform matrix product that is computed are packed
    cdef size_t packed_room[2]
    # The stage is a place for the state, where outputs are inputs: it would overwrite what is still to be read.
    cdef bint exact, in_place, totals_are_outputs
    cdef size_t fixed  # how many of the last inputs are the same in all rounds of a loop
    cdef Steps first  # that pack what is the same in all rounds; run once
    cdef Steps once, each  # those that run once, and for each block of examples
    cdef Sums *totals
    cdef Outputs outputs
    cdef Product product  # that computes large matrix products, if they need not be exact
    cdef list kept  # what the pointers of the steps point to
    cdef list blocks
    cdef list inner  # the schedules of the rounds of loops, each with the place of its memory
    cdef dict stores  # the place of each store
    cdef Memory spare  # for the next run; taken while a run goes on

    def __cinit__(self, code, Py_ssize_t lanes=0, bint exact=True, bint is_inner=False, size_t fixed=0):
        if not is_inner:
            code.check(lanes)
        self.kept, self.blocks, self.inner, self.stores = [], [], [], {}
        self.exact, self.product = exact, NULL if exact else blas_product()
        self.code, self.lanes = code, lanes + (-lanes) % 8  # whole vectors
        self.inputs_count, self.varying_inputs, self.fixed = code.inputs, code.varying_inputs, fixed
        self.reserve(code.uniform_size)
        self.varying = self.reserve(code.varying_size * self.lanes)
        self.panel = self.reserve(self.lanes * MOST_TILE)
        self.in_place = can_be_in_place(code)
        self._prepare(code)
        if not is_inner:
            self.spare = self._memory()

    def __dealloc__(self):
        free(self.first.items)
        free(self.once.items)
        free(self.each.items)
        for address in self.blocks or ():
            free(<void *><size_t>address)

    cdef size_t reserve(self, size_t count):
        """Return a place in the memory for so many numbers; some after them may be read."""
        cdef size_t place = self.size
        self.size += count + MOST_TILE
        self.size += -self.size % 8  # whole lines of the cache
        return place

    cdef void *keep(self, size_t size) except NULL:
        """Return memory of zeros that lives as long as the schedule."""
        cdef void *block = calloc(size + 1, 1)
        if block == NULL:
            raise MemoryError(f"there is no memory for {size} bytes")
        self.blocks.append(<size_t>block)
        return block

    cdef Memory _memory(self):
        cdef Memory memory = Memory(self.size, tuple(self._store_places(0)))
        self._set_constants(memory.numbers)
        return memory

    cdef list _store_places(self, size_t first):
        """Return the places of all stores, also of those in the memories of rounds, if the memory begins at a place."""
        cdef Schedule inner
        places = [first + place for place in self.stores.values()]
        for inner, place in self.inner:
            places += inner._store_places(first + place)
        return places

    cdef int _set_constants(self, double *numbers) except -1:
        cdef Schedule inner
        for place, number in self.code.constants.items():
            numbers[<size_t>place] = number
        for inner, place in self.inner:
            inner._set_constants(numbers + <size_t>place)
        return 0

    # How groups become steps.

    cdef int _prepare(self, code) except -1:
        cdef size_t i
        work = 0
        for group in code.all_groups():
            work += group.work() * max(self.lanes, 1)
            if isinstance(group, Map):
                self._add_map(group)
            elif isinstance(group, Matrix):
                self._add_matrix(group)
            elif isinstance(group, LoopGroup):
                self._add_loop(group)
            elif isinstance(group, Chain):
                self._add_varying_chain(group) if group.varies else self._add_chain(group)
            else:
                self._add_sum(group)
        self.interval = 1 + BETWEEN_LOOKS // (work + 1)
        self.total_count = len(code.totals)
        self.totals = <Sums *>self.keep(self.total_count * sizeof(Sums))
        self.totals_at = min([int(total.outs.min()) for total in code.totals], default=0)
        for i, total in enumerate(code.totals):
            self._add_total(&self.totals[i], total)
        in_lanes = code.outputs_in_lanes()
        self.outputs.count = len(code.outputs)
        if self.total_count and self.outputs.count >= <size_t>LEAST_IN_PLACE:
            results = np.concatenate([total.results() for total in code.totals]) - self.totals_at
            in_order = np.array_equal(code.outputs - self.totals_at, np.arange(self.outputs.count))
            self.totals_are_outputs = in_order and np.array_equal(np.sort(results), np.arange(self.outputs.count))
        if not self.lanes and (code.outputs < code.inputs).any():
            self.stage = self.reserve(self.outputs.count)
        outputs = np.where(in_lanes, self.varying + code.outputs * self.lanes, code.outputs)
        self.outputs.places = self._index(outputs, False)
        self.outputs.kinds = self._index(np.where(in_lanes, 2, 0), False)
        starts = np.flatnonzero(np.concatenate([[self.outputs.count > 0], np.diff(outputs) != 1]))
        self.outputs.span_count = len(starts)
        self.outputs.spans = <size_t *>self.keep((len(starts) + 1) * sizeof(size_t))
        for i, start in enumerate([*starts.tolist(), self.outputs.count]):
            self.outputs.spans[i] = start
        return 0

    cdef size_t _at(self, bint varies, size_t place) noexcept:
        return self.varying + place * self.lanes if varies else place

    cdef int _space(self, bint varies, size_t place) noexcept:
        """Return 1 for an input that is read where the caller has it, 0 for the memory."""
        return self.in_place and not varies and place < self.inputs_count

    cdef const uint32_t *_index(self, places, bint varies) except NULL:
        """Return places as indices into the memory."""
        cdef const uint32_t[::1] view
        places = np.append(np.ravel(places), 0)
        array = np.ascontiguousarray(self.varying + places * self.lanes if varies else places, np.uint32)
        self.kept.append(array)
        view = array
        return &view[0]

    cdef const uint32_t *_table(self, operands, size_t count, size_t width) except NULL:
        """Return for each member the index of each operand."""
        table = np.zeros((count, width), np.int64)
        for column, operand in zip(table.T, operands):
            places = operand.places(count)
            column[:] = self.varying + places * self.lanes if operand.varies else places
        return self._index(table, False)

    cdef int _set_sources(self, Source *sources, operands) except -1:
        """Note where members one after another find their operands."""
        cdef size_t i
        for i, operand in enumerate(operands):
            sources[i].step = operand.mode != SINGLE
            sources[i].place = self._at(operand.varies, operand.place)
            sources[i].space = self._space(operand.varies, operand.place)
            if operand.mode == GATHERED:
                sources[i].index = self._index(operand.gathered, operand.varies)
        return 0

    cdef int _set_sources_of_terms(self, Source *sources, operands) except -1:
        """Note likewise where they find operands that are one array."""
        cdef const int64_t[:, ::1] rows = np.ascontiguousarray(operands.rows, np.int64)
        cdef const uint8_t[::1] are_single, go_up
        cdef size_t count = rows.shape[1], i
        cdef const uint32_t *index = self._index(operands.rows, False) if count > 1 else NULL
        are_single, go_up = [found.view(np.uint8) for found in operands.steps()]
        for i in range(<size_t>rows.shape[0]):
            sources[i].step = count == 1 or not are_single[i]
            sources[i].place = rows[i, 0]
            sources[i].space = self._space(False, rows[i, 0])
            sources[i].index = NULL if count == 1 or are_single[i] or go_up[i] else index + i * count
        return 0

    cdef Step *_new(self, bint in_block, int kind) except NULL:
        cdef Steps *steps = &self.first if kind == PACK else &self.each if in_block else &self.once
        cdef Step *step
        if steps.count == steps.room:
            step = <Step *>realloc(steps.items, (2 * steps.room + 16) * sizeof(Step))
            if step == NULL:
                raise MemoryError()
            steps.items, steps.room = step, 2 * steps.room + 16
        step = &steps.items[steps.count]
        memset(step, 0, sizeof(Step))
        step.kind, step.lanes = GATHER if kind == PACK else kind, 1
        steps.count += 1
        return step

    cdef int _add_map(self, group) except -1:
        cdef size_t count = group.count, arity = len(group.operands), i
        cdef int arrays = 0
        cdef bint is_simple = True
        cdef Step *step = self._new(group.varies, COPY)
        step.out, step.n, step.arity = self._at(group.varies, group.out), count, arity
        step.lanes = self.lanes if group.varies else 1
        if arity <= 3:
            self._set_sources(step.operands, group.operands)
        if group.primitive is None:
            return 0
        is_single = [operand.mode == SINGLE and not operand.varies for operand in group.operands]
        if all(is_single) and arity <= 3:  # one operand becomes an array, of one number for each member
            is_single[0] = is_simple = False
            step.operands[0].step, step.operands[0].index = 1, self._index(np.full(count, group.operands[0].place), False)
        for i in range(arity):
            arrays |= (not is_single[i]) << i
        step.loop = kernels.loop(group.code, arrays, self.exact) if arity <= 3 else NULL
        if step.loop == NULL:  # Python's own function
            step.kind, step.primitive = CALL, <void *>group.primitive
            step.sources = <Source *>self.keep(arity * sizeof(Source))
            self._set_sources(step.sources, group.operands)
            step.rows = self._table(group.operands, count, max(arity, 1))
            for i, operand in enumerate(group.operands):
                step.sources[i].step = operand.varies
        elif not group.varies:
            step.kind = LOOP if is_simple and all(operand.mode != GATHERED for operand in group.operands) else MAP
        elif all(operand.mode == (CONTIGUOUS if operand.varies else SINGLE) for operand in group.operands):
            step.kind, step.n = LOOP, count * self.lanes
        else:
            step.kind, arrays = EACH, 0
            for i in range(arity):
                arrays |= <int>group.operands[i].varies << i
            step.loop = kernels.loop(group.code, arrays, self.exact)
            step.rows = self._table(group.operands, count, 3)
        return 0

    cdef int _add_sum(self, group) except -1:
        cdef size_t count = group.count, terms = len(group.terms)
        cdef Py_ssize_t side
        cdef Step *step
        if not group.varies and self._add_strided_sum(group):
            return 0
        step = self._new(group.varies, SUMS)
        step.out, step.n, step.arity = self._at(group.varies, group.out), count, terms
        if isinstance(group.terms, Terms):
            step.sources = <Source *>self.keep(len(group.sides()) * terms * sizeof(Source))
            for side, operands in enumerate(group.sides()):
                self._set_sources_of_terms(step.sources + side * terms, operands)
            step.factors = step.sources + terms if group.factors else NULL
            return 0
        operands = group.all_operands()
        if not group.varies or all(operand.varies and operand.mode == CONTIGUOUS for operand in operands):
            step.n = count * self.lanes if group.varies else count
            step.sources = <Source *>self.keep(len(operands) * sizeof(Source))
            self._set_sources(step.sources, operands)
            step.factors = step.sources + terms if group.factors else NULL
        else:
            step.kind, step.lanes = SUMS_EACH, self.lanes
            step.sources = self._sources_of_each(group.terms, count)
            step.factors = self._sources_of_each(group.factors, count) if group.factors else NULL
        return 0

    cdef bint _add_strided_sum(self, group) except -1:
        """Add sums one by one, if most terms are gathered, but the numbers of each sum are equally far from each other.

        Of few products of many terms, one side may be packed for that.
        """
        if group.count == 1 or len(group.terms) < LEAST_STRIDED:
            return False
        if not any([2 * np.count_nonzero(side) > len(side) for side in group.are_gathered()]):
            return False
        sides = [np.ascontiguousarray(places.T) for places in group.places()]
        steps = [step_of(side) for side in sides]
        if steps.count(None) > (len(steps) > 1 and group.count <= len(group.terms)):
            return False
        if self.in_place and any([side.min() < self.inputs_count <= side.max() for side in sides]):
            return False
        starts, spaces = [side[:, 0] for side in sides], [self._space(False, side[0, 0]) for side in sides]
        if None in steps:
            i = steps.index(None)
            panel = self._panel(group, i, sides[i].size)
            self._add_gather(panel, sides[i])
            starts[i], steps[i], spaces[i] = panel + np.arange(group.count) * len(group.terms), 1, 0
        self._add_dots(group, len(group.terms), starts, steps, spaces)
        return True

    cdef int _add_dots(self, group, size_t terms, starts, steps, spaces) except -1:
        """Add a step for sums one by one; of each side the first places are given, the distance of terms, and the space."""
        cdef Step *step = self._new(False, DOTS)
        step.out, step.n, step.arity = group.out, group.count, terms
        step.rows, step.row_step, step.row_space = self._index(starts[0], False), steps[0], spaces[0]
        if len(starts) > 1:
            step.columns, step.column_step, step.column_space = self._index(starts[1], False), steps[1], spaces[1]
        return 0

    cdef Source *_sources_of_each(self, operands, size_t count) except NULL:
        """Return for each member where its lanes find each operand."""
        cdef size_t width = len(operands), i, j
        cdef Source *sources = <Source *>self.keep(count * width * sizeof(Source))
        cdef const uint32_t *table = self._table(operands, count, width)
        cdef bint varies
        cdef int space
        for j, operand in enumerate(operands):
            varies, space = operand.varies, self._space(operand.varies, operand.place)
            for i in range(count):
                sources[i * width + j] = Source(place=table[i * width + j], index=NULL, step=varies, space=space)
        return sources

    cdef int _add_matrix(self, group) except -1:
        cdef size_t terms = group.rows.shape[1], lanes = self.lanes, out = self._at(group.varies, group.out)
        cdef size_t done = 0, begin = 0, end = 0, c, start, count, first, length, width
        cdef const uint32_t *rows
        cdef const uint32_t *columns = NULL
        cdef Step *step
        blocks = list(blocks_of(group.runs))
        steps = [1] * len(blocks) if group.rows_vary else group.row_steps()
        if not group.varies and self._add_strided_matrix(group, blocks, steps):
            return 0
        if group.rows_vary:
            rows = self._index(group.rows[group.runs[:, 0]], True)
        else:
            rows = self._index(self._places_of_rows(group, blocks, steps), False)
        is_striped = not group.varies and self._fits_strips(group, blocks)
        places = [] if group.varies else [self._strips(group)] if is_striped else self._places_of_columns(group, blocks)
        if group.varies:
            columns = self._index(group.columns, True)
        for i, (start, count, first, length) in enumerate(blocks):
            if not group.varies:
                if i >= end:
                    begin, end = i, self._end_of_alike(blocks, steps, places, i)
                    if end > i + 1:
                        self._add_matrix_of_rows(group, blocks[i:end], places[i:end], rows + start, out + done, steps[i])
                if end > begin + 1:
                    done += count * length
                    continue
            width = kernels.tile if is_striped else length if group.rows_vary or not group.varies else 1
            for c in range(0, length, width):  # the columns of a step
                step = self._new(group.varies, MATRIX)
                step.arity, step.row_count, step.row_step = terms, count, 1 if steps[i] is None else steps[i]
                step.rows, step.out, step.n, step.out_step = rows + start, out + done + c, min(width, length - c), length
                step.columns = columns if group.varies else self._index(places[i] + c * terms, False)
                if steps[i] is not None and not group.rows_vary:
                    step.row_space = self._space(False, group.rows[group.runs[start, 0], 0])
                if group.rows_vary:
                    step.kind, step.lanes, step.rows = MATRIX_EACH, lanes, rows + start * terms
                    step.columns, step.out = columns + first * terms, out + done * lanes
                elif group.varies:
                    step.columns, step.n = columns + (first + c) * terms, lanes
                    step.out, step.out_step = out + (done + c) * lanes, length * lanes
                    if self.product != NULL and step.row_step == 1 and count * terms >= <size_t>LEAST_FOR_BLAS:
                        step.row_distance = distance_of(group.rows[group.runs[start:start + count, 0], 0], 1)
                        step.column_distance = distance_of(group.columns[first + c], lanes)
                        if <size_t>step.row_distance >= terms and step.column_distance > 0:
                            step.kind, step.product = BLAS, self.product
                if step.kind == MATRIX and terms >= <size_t>LEAST_TERMS and count >= <size_t>LEAST_ROWS:
                    if self.scratch == 0:
                        self.scratch = self.reserve(SCRATCH)
                    step.scratch = self.scratch
            done += count * length
        return 0

    cdef size_t _end_of_alike(self, list blocks, list steps, list places, size_t i) except 0:
        """Return the end of the blocks, from one on, of a few rows each, of which the columns are equally far from its own."""
        cdef size_t end = i, count = len(blocks), tile = kernels.tile
        while end < count and blocks[end][1] < FEW_ROWS and blocks[end][3] <= tile and steps[end] == steps[i]:
            if np.ptp(places[end] - places[i]):
                break
            end += 1
        return max(end, i + 1)

    cdef int _add_matrix_of_rows(self, group, list blocks, list places, const uint32_t *rows, size_t out, row_step) except -1:
        """Add a step for the rows of some blocks, which have columns of their own."""
        cdef Step *step = self._new(False, MATRIX_OF_ROWS)
        counts, lengths = np.array([(block[1], block[3]) for block in blocks]).T
        lowest = min(places, key=lambda place: place[0])
        step.out, step.arity, step.row_count, step.rows = out, len(lowest), counts.sum(), rows
        step.row_step, step.columns = 1 if row_step is None else row_step, self._index(lowest, False)
        step.firsts = self._index(np.repeat([place[0] - lowest[0] for place in places], counts), False)
        step.outs = self._index(np.cumsum([0, *np.repeat(lengths, counts)]), False)
        if row_step is not None:
            step.row_space = self._space(False, group.rows[group.runs[blocks[0][0], 0], 0])
        return 0

    cdef bint _add_strided_matrix(self, group, list blocks, list steps) except -1:
        """Add a matrix product as dot products, if its columns would have to be packed, and are read once on average."""
        step = step_of(group.columns)
        if step is None or len(set(steps)) > 1 or group.count > len(group.columns) or self._is_fixed(group.columns):
            return False
        if all(group.columns_in_place()):
            return False
        row, first, length = group.runs.T
        rows = np.repeat(self._places_of_rows(group, blocks, steps), length)
        columns = group.columns[np.repeat(first - np.cumsum(length) + length, length) + np.arange(group.count), 0]
        space = steps[0] is not None and self._space(False, rows[0])
        self._add_dots(group, group.rows.shape[1], (rows, columns), (1 if steps[0] is None else steps[0], step), (space, 0))
        return True

    cdef size_t _panel(self, group, bint is_column, size_t size):
        """Return a place for the packed rows or columns of a matrix product."""
        if group.varies:  # they are packed once, and read for each block of examples
            return self.reserve(size)
        if self.packed_room[is_column] < size:
            self.packed[is_column], self.packed_room[is_column] = self.reserve(size), size
        return self.packed[is_column]

    cdef object _places_of_rows(self, group, list blocks, list steps):
        """Return the place of the row of each run: where it stands, or, if its places have no step, where it is packed."""
        cdef size_t terms = group.rows.shape[1], panel
        numbers = group.runs[:, 0]
        places = group.rows[numbers, 0]
        to_pack = [np.arange(block[0], block[0] + block[1]) for block, step in zip(blocks, steps) if step is None]
        if to_pack:
            runs = np.concatenate(to_pack)
            packed = np.unique(numbers[runs])
            panel = self._panel(group, False, len(packed) * terms)
            self._add_gather(panel, group.rows[packed])
            places[runs] = panel + np.searchsorted(packed, numbers[runs]) * terms
        return places

    cdef bint _is_fixed(self, places) except -1:
        """Return whether some numbers are the same in all rounds of a loop."""
        return places.min() >= self.inputs_count - self.fixed and places.max() < self.inputs_count

    cdef bint _fits_strips(self, group, list blocks) except -1:
        """Return whether a product of few rows has to pack all columns, once for all rounds of a loop."""
        is_fixed = len(blocks) == 1 and blocks[0][1] < LEAST_ROWS and self._is_fixed(group.columns)
        return is_fixed and not group.columns_in_place()[0]

    cdef object _strips(self, group):
        """Pack columns in strips as wide as a tile, which is read in order, and return the places of the first strip."""
        cdef size_t terms = group.columns.shape[1], count = len(group.columns), tile = kernels.tile, first
        cdef size_t panel = self.reserve(terms * (count + tile))
        for first in range(0, count, tile):
            self._add_packing(panel + first * terms, group.columns.T[:, first:first + tile], tile, PACK)
        return panel + np.arange(terms) * tile

    cdef int _add_packing(self, size_t panel, by_term, size_t width, int kind=GATHER) except -1:
        """Add a step that packs columns, with so many numbers for each term."""
        return self._add_gather(panel, np.pad(by_term, ((0, 0), (0, width - by_term.shape[1])), mode="edge"), kind)

    cdef list _places_of_columns(self, group, list blocks):
        """Return for each block the place of its first column for each term: where that stands, or where it is packed.

        Blocks are packed by themselves, unless they are narrow or share columns.
        """
        cdef size_t terms = group.columns.shape[1], panel = 0
        by_term = np.ascontiguousarray(group.columns.T, np.int64)  # a row for each term
        places, parts = [by_term[:, block[2]] for block in blocks], []
        to_pack = [i for i, is_there in enumerate(group.columns_in_place()) if not is_there]
        for i in sorted(to_pack, key=lambda i: blocks[i][2]):
            _, _, first, length = blocks[i]
            if not parts or first >= max(parts[-1][1], parts[-1][0] + LEAST_PART):
                parts.append([first, first, []])
            parts[-1][1] = max(parts[-1][1], first + length)
            parts[-1][2].append(i)
        if parts:
            panel = self._panel(group, True, terms * sum([end - first + 7 for first, end, _ in parts]))
        for first, end, members in parts:
            packed = self._packed_columns(by_term[:, first:end], panel)
            panel += terms * (end - first + (first - end) % 8)
            for i in members:
                places[i] = packed + (blocks[i][2] - first)
        return places

    cdef object _packed_columns(self, by_term, size_t panel):
        """Pack columns at a place, and return the place of the numbers of each term."""
        cdef size_t terms = by_term.shape[0], column_count = by_term.shape[1]
        cdef size_t width = column_count + (-column_count) % 8
        cdef Step *step
        if self._is_fixed(by_term):
            panel = self.reserve(width * terms)
            self._add_packing(panel, by_term, width, PACK)
            return panel + np.arange(terms) * width
        across = step_of(by_term.T)
        if across in (1, -1):
            step = self._new(False, TRANSPOSE)
            places = by_term[0 if across == 1 else terms - 1]
            step.out, step.n, step.arity, step.out_step = panel, column_count, terms, width
            step.rows, step.row_space = self._index(places, False), self._space(False, places[0])
        else:
            self._add_packing(panel, by_term, width)
        order = np.arange(terms)
        return panel + (order[::-1] if across == -1 else order) * width

    cdef int _add_gather(self, size_t panel, places, int kind=GATHER) except -1:
        """Add a step that packs uniform numbers."""
        cdef Step *step = self._new(False, kind)
        step.out, step.n, step.rows = panel, places.size, self._index(places, False)
        step.row_space = self._space(False, places.flat[0])
        return 0

    cdef int _add_chain(self, group) except -1:
        cdef int64_t[::1] codes = np.ascontiguousarray(group.codes, np.int64)
        cdef int64_t[::1] starts = np.ascontiguousarray(group.starts, np.int64)
        cdef int64_t[::1] operands = np.ascontiguousarray(group.operands, np.int64)
        cdef uint32_t INDEX_OF_sum = SUM, INDEX_OF_dot = DOT
        cdef Py_ssize_t size = len(codes), i, j, count
        cdef size_t first = group.out
        cdef bint is_wide
        cdef uint32_t *code
        cdef uint32_t *word = <uint32_t *>self.keep((3 * size + len(operands) + 1) * sizeof(uint32_t))  # 0 is the end
        cdef Step *step = self._new(False, CHAIN)
        step.rows, step.out = word, first
        for i in range(size):
            if size >= LONG_CHAIN and i % BETWEEN_PREFETCHES == 0:
                word[0], word = PRIMITIVE_CODES, word + 1
            count, code, word = starts[i + 1] - starts[i], word, word + 1
            code[0], is_wide = <uint32_t>codes[i], codes[i] == INDEX_OF_sum or codes[i] == INDEX_OF_dot
            if is_wide:
                word[0], word = <uint32_t>(count // (1 if codes[i] == INDEX_OF_sum else 2)), word + 1
            elif count > 3 or kernels.loop(<uint32_t>codes[i], 1, True) == NULL:
                raise ValueError(f"a chain has no step for the primitive {codes[i]} of {count} operands")
            for j in range(count):
                if i > 0 and not is_wide and <size_t>operands[starts[i] + j] == first + i - 1:
                    code[0] += PRIMITIVE_CODES << j
                else:
                    word[0], word = <uint32_t>operands[starts[i] + j], word + 1
        return 0

    cdef int _add_varying_chain(self, group) except -1:
        """Add a step for each instruction, over the lanes."""
        cdef int64_t[::1] codes = np.ascontiguousarray(group.codes, np.int64)
        cdef int64_t[::1] starts = np.ascontiguousarray(group.starts, np.int64)
        cdef int64_t[::1] operands = np.ascontiguousarray(group.operands, np.int64)
        cdef int64_t[::1] outs = np.ascontiguousarray(group.outs, np.int64)
        cdef const uint8_t[::1] vary = group.operands_vary.view(np.uint8)
        cdef Py_ssize_t i, j, first, count
        cdef Source *sources = <Source *>self.keep(len(operands) * sizeof(Source))
        cdef Step *step
        cdef int arrays
        cdef int64_t INDEX_OF_sum = SUM, INDEX_OF_dot = DOT
        for j in range(len(operands)):
            sources[j] = Source(place=self._at(vary[j], operands[j]), index=NULL, step=vary[j], space=0)
        for i in range(len(codes)):
            first, count, arrays = starts[i], starts[i + 1] - starts[i], 0
            step = self._new(True, SUMS)
            step.out, step.n, step.arity, step.sources = self._at(True, outs[i]), self.lanes, count, sources + first
            if codes[i] == INDEX_OF_dot:
                step.arity = count // 2
                step.factors = step.sources + step.arity
            elif codes[i] != INDEX_OF_sum:
                for j in range(min(count, 3)):
                    step.operands[j] = step.sources[j]
                    arrays |= vary[first + j] << j
                step.kind, step.loop = LOOP, kernels.loop(<uint32_t>codes[i], arrays, self.exact)
                if count > 3 or step.loop == NULL:
                    raise ValueError(f"a chain has no step for the primitive {codes[i]} of {count} operands")
        return 0

    cdef int _add_loop(self, group) except -1:
        """Add a step that runs the rounds of a loop, in a part of the memory that is theirs."""
        cdef Rounds *made = <Rounds *>self.keep(sizeof(Rounds))
        cdef Schedule inner = Schedule(
            group.body, group.beside or (self.lanes if group.varies else 0), self.exact, True,
            np.count_nonzero(~group.inputs_vary[len(group.inputs_vary) - group.sizes[3]:]),
        )
        cdef Py_ssize_t size = group.sizes[0], from_store = group.sizes[1], width = group.sizes[2], results = group.sizes[4]
        cdef Py_ssize_t count = size + group.sizes[3], first = size + from_store
        cdef size_t work = 1
        cdef size_t stage = inner.reserve(size * max(inner.lanes, 1))
        made.going, made.active = inner.reserve(max(inner.lanes, 1)), inner.reserve(max(inner.lanes, 1))
        made.memory = self.reserve(inner.size)
        self.inner.append((inner, made.memory))
        made.once, made.once_count, made.each, made.each_count = (
            inner.once.items, inner.once.count, inner.each.items, inner.each.count
        )
        made.first, made.first_count = inner.first.items, inner.first.count
        made.lanes, made.beside = 1 if group.beside else max(inner.lanes, 1), group.beside
        vary, body = group.inputs_vary, group.body
        targets = inner._absolute(group.input_places(), vary)
        sources = self._absolute(group.operands, group.operands_vary)
        own = np.concatenate([np.arange(size), np.arange(first + width, len(targets))])
        made.begin = self._pieces(targets[own], vary[own], sources[:count], group.operands_vary[:count])
        results_at, do_vary = inner._absolute(body.outputs, body.output_varies), body.output_varies
        state, is_state = targets[:size], vary[:size]
        changes = results_at[:size] != state
        if np.isin(results_at[:size][changes], state).any():  # they would be overwritten before they are read
            staged = stage + np.arange(size) * (inner.lanes if inner.lanes else 1)
            made.stage = self._pieces(staged[changes], is_state[changes], results_at[:size][changes], do_vary[:size][changes])
            made.next = self._pieces(state[changes], is_state[changes], staged[changes], is_state[changes])
        else:
            made.next = self._pieces(state[changes], is_state[changes], results_at[:size][changes], do_vary[:size][changes])
        made.out = self._at(group.varies, group.out)
        ends = made.out + np.arange(size) * made.lanes
        made.end = self._pieces(ends, np.full(size, group.varies), state, is_state)
        made.rows, made.row = self._index(sources[count:], False), width
        made.row_places = self._index(targets[first:first + width], False)
        if group.beside and width:
            is_end = (np.diff(sources[count:].reshape(-1, width), axis=1) != 1).any(axis=0)
            is_end |= np.diff(targets[first:first + width]) != inner.lanes
            parts = np.concatenate([[0], np.flatnonzero(is_end) + 1, [width]])
            made.parts, made.part_count = self._index(parts, False), len(parts) - 1
        rows_vary = group.operands_vary[count:].reshape(-1, width) if width else vary[:0]
        made.row_kinds = self._index(np.where(vary[first:first + width], 1 + rows_vary, 0), False)
        made.result_count, made.out = results, made.out + size * made.lanes
        made.results = self._index(results_at[size:size + results], False)
        made.result_kinds = self._index(np.where(do_vary[size:size + results], 2, group.varies), False)
        made.masked, made.reversed = group.rounds_vary, group.is_reversed
        made.backward, made.keeps = group.is_backward, group.kept is not None and group.store is not None
        made.ends = KNOWN if group.rounds is not None else KEPT if group.reads_store else WHILE if group.has_condition else COUNTED
        made.rounds = group.rounds or 0
        if group.head is not None:
            made.head, made.head_step = self._at(group.head[0], group.head[1]), group.head[0]
        if group.has_condition:
            made.more, made.more_step = results_at[len(results_at) - 1], do_vary[len(do_vary) - 1]
        if group.store is not None:
            if group.store not in self.stores:  # and after it the counts of the lanes
                self.stores[group.store] = self.reserve(LINE + made.lanes)
            made.store = self.stores[group.store]
            made.counts = made.store + LINE
            if made.keeps:
                costly = slice(size + results, size + results + group.costly)
                numbers = np.concatenate([targets[group.kept], results_at[costly]])
                numbers_vary = np.concatenate([vary[group.kept], do_vary[costly]])
            else:
                numbers, numbers_vary = targets[size:first], vary[size:first]
            widths = np.where(numbers_vary, inner.lanes, 1)
            at = np.cumsum(widths) - widths
            made.kept = widths.sum()
            if made.keeps:
                i = len(group.kept)
                made.keep = self._pieces(at[:i], numbers_vary[:i], numbers[:i], numbers_vary[:i])
                made.keep_after = self._pieces(at[i:], numbers_vary[i:], numbers[i:], numbers_vary[i:])
            else:
                made.recall = self._pieces(numbers, numbers_vary, at, numbers_vary)
        if group.totals is not None:
            traced = slice(size + results, size + results + group.traced)
            self._add_trace(made, group, results_at[traced], do_vary[traced])
        for part in body.all_groups():
            work += part.work() * max(inner.lanes, 1)
        made.interval = 1 + <size_t>BETWEEN_LOOKS // work
        cdef Step *step = self._new(group.varies, ROUNDS)
        step.rounds = made
        return 0

    cdef int _add_trace(self, Rounds *made, group, traced, do_vary) except -1:
        """Set what adds up the totals over all rounds; of rounds side by side, the numbers in lanes where they are."""
        cdef Schedule sums = Schedule(group.totals, TRACED, self.exact, True)
        cdef Sums *totals = sums.totals
        cdef size_t i
        made.trace_places, made.trace_count = self._index(traced, False), group.traced
        made.trace_steps = self._index(do_vary, False)
        made.trace, made.sums_memory = self.reserve(TRACED * made.trace_count), self.reserve(sums.size)
        made.sums_from = made.sums_memory
        if group.beside and not sums.each.count:
            made.sums_from, totals = 0, <Sums *>self.keep(sums.total_count * sizeof(Sums))
            copies = made.sums_memory + sums.varying + np.arange(group.traced) * TRACED
            for i, total in enumerate(group.totals.totals):
                sums._add_total(&totals[i], total, np.where(do_vary, made.memory + traced, copies))
        self.inner.append((sums, made.sums_memory))
        made.sums_varying, made.sums_at, made.sums_panel = sums.varying, sums.totals_at, sums.panel
        made.sum_steps, made.sum_step_count, made.sums, made.sum_count = (
            sums.each.items, sums.each.count, totals, sums.total_count
        )
        made.total_count = len(group.totals.outputs)
        made.sums_out = self._at(False, group.out + group.count - made.total_count)
        none = np.zeros(made.total_count, bool)
        made.sums_end = self._pieces(made.sums_out + np.arange(made.total_count), none, group.totals.outputs, none)
        return 0

    cdef object _absolute(self, places, vary):
        """Return the places of numbers of both memories as indices into the memory."""
        return np.where(vary, self.varying + places * self.lanes, places)

    cdef Pieces _pieces(self, targets, targets_vary, sources, sources_vary) except *:
        """Return what copies numbers; those that stand side by side in both places as one piece."""
        cdef Pieces made
        cdef Piece *items
        cdef size_t lanes = max(self.lanes, 1), i
        if not len(targets):
            made.items, made.count = NULL, 0
            return made
        spread = np.asarray(targets_vary, bool) & ~np.asarray(sources_vary, bool)
        of_lanes = np.asarray(sources_vary, bool)
        from_step, to_step = np.where(of_lanes, lanes, 1), np.where(targets_vary, lanes, 1)
        joins = (np.diff(targets) == to_step[:-1]) & (np.diff(sources) == from_step[:-1])
        joins &= (spread[1:] == spread[:-1]) & (of_lanes[1:] == of_lanes[:-1])
        starts = np.flatnonzero(np.concatenate([[True], ~joins]))
        counts = np.diff([*starts, len(targets)])
        items = <Piece *>self.keep(len(starts) * sizeof(Piece))
        for i, start in enumerate(starts.tolist()):
            items[i].to, items[i].origin = targets[start], sources[start]
            items[i].count = counts[i] * (lanes if of_lanes[start] else 1)
            items[i].lanes = lanes if spread[start] else 0
        made.items, made.count = items, len(starts)
        return made

    cdef int _add_total(self, Sums *made, total, at=None) except -1:
        """Set a total of numbers that vary, or of numbers whose indices are given."""
        if at is None:
            at = self.varying + np.arange(self.code.varying_size) * self.lanes
        made.lefts, made.n = self._index(at[total.terms], False), len(total.terms)
        if total.factors is None:
            made.outs = self._index(total.outs - self.totals_at, False)
            return 0
        made.rights, made.columns = self._index(at[total.factors], False), len(total.factors)
        made.out, made.row_step = int(total.outs[0]) - self.totals_at, total.row_step
        if self.product != NULL and made.n * made.columns >= <size_t>LEAST_FOR_BLAS:
            # Of one number any distance will do that is not less than the lanes.
            made.left_distance = distance_of(at[total.terms], 1) if made.n > 1 else MOST_LANES
            made.right_distance = distance_of(at[total.factors], 1) if made.columns > 1 else MOST_LANES
            if made.left_distance > 0 and made.right_distance > 0:
                made.product = self.product
        return 0

    # Running.

    cdef Memory _take(self):
        """Return memory that no other run uses."""
        cdef Memory memory = self.spare
        self.spare = None
        return self._memory() if memory is None else memory

    def call_floats(self, tuple arguments):
        """Run it once with one float for each input, and return the first output: see array_execution.py."""
        cdef Memory memory
        cdef const double *spaces[2]
        cdef size_t i
        cdef double result
        if <size_t>len(arguments) != self.inputs_count or not self.outputs.count or self.lanes:
            raise ValueError(f"{len(arguments)} arguments, not {self.inputs_count}; {self.outputs.count} outputs")
        memory = self._take()
        spaces[0] = spaces[1] = memory.numbers
        for i in range(self.inputs_count):
            memory.numbers[i] = arguments[i]
        if self.inner:  # a loop may take long
            with nogil:
                run_steps(kernels, memory.numbers, spaces, self.once.items, self.once.count, 1)
        else:
            run_steps(kernels, memory.numbers, spaces, self.once.items, self.once.count, 1)
        result = memory.numbers[self.outputs.places[0]]
        for i in range(1, self.outputs.count):  # those that are checked
            if not isfinite(memory.numbers[self.outputs.places[i]]):
                result = NAN
        self.spare = memory
        return result

    def run(self, size_t count, double[::1] inputs not None, list tables not None, list results not None, size_t state=0):
        """Run it for so many examples, or so many times: see array_execution.py."""
        cdef size_t table_count = len(tables), result_count = len(results), width = 0, done = 0, k, next_look = self.interval
        cdef size_t size, place, wanted = 1 if self.total_count else count
        cdef const double[:, ::1] table
        cdef double[:, ::1] result
        cdef Memory memory = None
        cdef double *numbers = NULL
        cdef double *given = NULL
        cdef double *totals
        cdef const double *spaces[2]
        cdef const double *few[16]
        cdef const double **many = NULL
        cdef const double **rows = few
        if 2 * (table_count + result_count) > 16:
            rows = many = <const double **>calloc(2 * (table_count + result_count), sizeof(double *))
        cdef double **out = <double **>rows + table_count
        cdef size_t *widths = <size_t *>(out + result_count)
        cdef double last = 0.0
        # Numbers of tables are written to inputs that are read in place only if the caller has them for this run alone.
        cdef bint in_place = self.in_place and (self.lanes or state or not table_count)
        cdef bint are_finite = True, interrupted = False
        try:
            if rows == NULL:
                raise MemoryError()
            for k in range(table_count):
                table = tables[k]
                if <size_t>table.shape[0] < count:
                    raise ValueError(f"there are {table.shape[0]} rows for {count} examples")
                rows[k] = &table[0, 0] if table.shape[0] and table.shape[1] else &last  # nothing is read there
                widths[k] = table.shape[1]
                width += widths[k]
            if <size_t>len(inputs) != self.inputs_count or (
                (width != self.varying_inputs or state) if self.lanes
                else state + width > self.inputs_count or self.outputs.count < state
            ):
                raise ValueError("the inputs, or the state, do not fit the program")
            if self.total_count and not count:
                raise ValueError("there are no examples")
            place = state
            for k in range(result_count):
                result = results[k]
                if <size_t>result.shape[0] != wanted:
                    raise ValueError(f"there is room for {result.shape[0]} rows of results, not {wanted}")
                out[k] = &result[0, 0] if result.shape[0] and result.shape[1] else &last
                widths[table_count + k] = result.shape[1]
                place += widths[table_count + k]
            if place != self.outputs.count:
                raise ValueError(f"there is room for {place} outputs, not {self.outputs.count}")
            memory = self._take()
            numbers = memory.numbers
            with nogil:
                given = &inputs[0] if in_place and self.inputs_count else numbers
                spaces[0], spaces[1] = numbers, given
                if self.inputs_count and not in_place:
                    memcpy(numbers, &inputs[0], self.inputs_count * sizeof(double))
                elif state:  # those that tables take the place of, which are written back in the end
                    memcpy(numbers + state, given + state, width * sizeof(double))
                totals = out[0] if self.totals_are_outputs and result_count == 1 else numbers + self.totals_at
                if self.lanes:
                    run_steps(kernels, numbers, spaces, self.once.items, self.once.count, 1)
                while done < count:
                    if done >= next_look * max(self.lanes, 1):
                        next_look += self.interval
                        if is_interrupted(&last):
                            interrupted = True
                            break
                    size, place = 1, state
                    if not self.lanes:
                        for k in range(table_count):
                            memcpy(given + place, rows[k] + done * widths[k], widths[k] * sizeof(double))
                            place += widths[k]
                        run_steps(kernels, numbers, spaces, self.once.items, self.once.count, 1)
                        are_finite &= copy_row(kernels, &self.outputs, numbers, out, widths + table_count, done, state)
                        if state:
                            are_finite &= copy_outputs(kernels, &self.outputs, numbers + self.stage if self.stage else given,
                                                       numbers, 0, state)
                            if self.stage:
                                memcpy(given, numbers + self.stage, state * sizeof(double))
                    else:
                        size, place = min(self.lanes, count - done), 0
                        for k in range(table_count):
                            fill_lanes(kernels, numbers + self.varying + place * self.lanes,
                                       rows[k] + done * widths[k], widths[k], size, self.lanes)
                            place += widths[k]
                        run_steps(kernels, numbers, spaces, self.each.items, self.each.count, size)
                        if self.total_count:
                            run_totals(kernels, totals, numbers, numbers + self.panel, self.totals, self.total_count,
                                       size, done == 0)
                        else:
                            are_finite &= copy_lanes(kernels, &self.outputs, numbers, out, widths + table_count, done, size)
                    done += size
                if self.total_count:
                    if totals == numbers + self.totals_at:
                        are_finite = copy_row(kernels, &self.outputs, numbers, out, widths + table_count, 0, 0)
                    else:
                        are_finite = kernels.all_finite(totals, self.outputs.count)
        except KeyboardInterrupt:  # within Python's own function
            if not state:
                raise
        finally:
            if memory is not None and state:
                if in_place:
                    memcpy(given + state, numbers + state, width * sizeof(double))
                else:
                    memcpy(&inputs[0], numbers, state * sizeof(double))
            free(many)
        self.spare = memory
        if interrupted:
            try:
                raise_waiting()
            except KeyboardInterrupt:
                if not state:
                    raise
        return done, are_finite
