/* Lowered programs as steps: pointers into the memory of one runner, and the function that runs them.
 *
 * Nothing is checked here: running.pyx has checked every place before it makes a step.
 */

#include <math.h>
#include <string.h>
#include <time.h>

#include "kernels.h"

enum { LOOP, MAP, EACH, COPY, SUMS, SUMS_EACH, DOTS, DOTS_EACH, GATHER, TRANSPOSE, MATRIX, MATRIX_EACH, BLAS, CALL, TAPE };

/* dgemm of BLAS, in the order of Fortran: c = alpha · op(a) · op(b) + beta · c, with columns one after another. It adds in an
 * order of its own. */
typedef void (*Product)(char *op_a, char *op_b, int *m, int *n, int *k, double *alpha, const double *a, int *a_step,
                        const double *b, int *b_step, double *beta, double *c, int *c_step);

static void product(Product dgemm, char op_a, size_t m, size_t n, size_t k, const double *a, int a_step, const double *b,
                    int b_step, double beta, double *c, size_t c_step) {
    int m_ = (int)m, n_ = (int)n, k_ = (int)k, c_step_ = (int)c_step;
    double alpha = 1.0;
    dgemm(&op_a, "N", &m_, &n_, &k_, &alpha, a, &a_step, b, &b_step, &beta, c, &c_step_);
}

typedef struct {
    int kind;
    Loop loop;
    double *out;
    size_t n, arity, lanes; /* members; operands or terms; lanes of each member */
    const double *a, *b, *c;
    Source *sources;         /* of each operand; of SUMS_EACH and DOTS_EACH for each member */
    const double **pointers; /* of EACH and CALL: for each member its operands; of MATRIX: the rows */
    const double **columns;
    const uint32_t *index;
    size_t row_count, offset, out_step, first;
    ptrdiff_t row_step;
    double *scratch; /* of a long matrix product; else NULL */
    const TapeStep *tape;
    PyObject *primitive; /* borrowed from the program */
    Product product;     /* of BLAS, with the distance of rows and of columns */
    int row_distance, column_distance;
} Step;

/* Python's own function for each member and lane; `valid` lanes are in use. */
static int call_python(const Step *step, size_t valid) {
    PyGILState_STATE state = PyGILState_Ensure();
    size_t i, j, lane, lanes = step->lanes == 1 ? 1 : valid;
    int failed = 0;
    for (i = 0; i < step->n && !failed; ++i)
        for (lane = 0; lane < lanes && !failed; ++lane) {
            PyObject *arguments = PyTuple_New((Py_ssize_t)step->arity), *result = NULL;
            for (j = 0; arguments != NULL && j < step->arity; ++j) {
                const double *operand = step->pointers[i * step->arity + j];
                PyObject *number = PyFloat_FromDouble(operand[lane * step->sources[j].step]);
                if (number == NULL) Py_CLEAR(arguments);
                else PyTuple_SET_ITEM(arguments, (Py_ssize_t)j, number);
            }
            if (arguments != NULL) result = PyObject_Call(step->primitive, arguments, NULL);
            Py_XDECREF(arguments);
            step->out[i * step->lanes + lane] = result == NULL ? NAN : PyFloat_AsDouble(result);
            failed = result == NULL || PyErr_Occurred() != NULL;
            Py_XDECREF(result);
        }
    PyGILState_Release(state);
    return failed ? -1 : 0;
}

static int run_steps(const Kernels *kernels, double *memory, const Step *steps, size_t count, size_t valid) {
    const Step *end = steps + count;
    for (const Step *step = steps; step < end; ++step) {
        size_t i, lanes = step->lanes;
        switch (step->kind) {
        case LOOP: step->loop(step->out, step->a, step->b, step->c, step->n); break;
        case MAP: kernels->map(step->loop, step->out, step->sources, step->arity, step->n); break;
        case EACH: {
            const double **p = step->pointers;
            for (i = 0; i < step->n; ++i, p += 3) step->loop(step->out + i * lanes, p[0], p[1], p[2], lanes);
            break;
        }
        case COPY:
            for (i = 0; i < step->n; ++i) {
                const Source *source = step->sources;
                const double number =
                    source->index == NULL ? source->base[i * source->step] : source->base[source->index[i]];
                for (size_t lane = 0; lane < lanes; ++lane) step->out[i * lanes + lane] = number;
            }
            break;
        case SUMS: kernels->sums(step->out, step->sources, step->arity, step->n); break;
        case SUMS_EACH:
            for (i = 0; i < step->n; ++i)
                kernels->sums(step->out + i * lanes, step->sources + i * step->arity, step->arity, lanes);
            break;
        case DOTS: kernels->dots(step->out, step->sources, step->sources + step->arity, step->arity, step->n); break;
        case DOTS_EACH:
            for (i = 0; i < step->n; ++i) {
                const Source *sources = step->sources + 2 * i * step->arity;
                kernels->dots(step->out + i * lanes, sources, sources + step->arity, step->arity, lanes);
            }
            break;
        case GATHER: kernels->gather(step->out, memory, step->index, step->n); break;
        case TRANSPOSE: kernels->transpose(step->out, step->out_step, step->pointers, step->n, step->arity); break;
        case MATRIX:
            kernels->matrix(step->out, step->out_step, step->pointers, step->row_step, step->row_count, step->columns,
                            step->offset, step->n, step->arity, step->scratch);
            break;
        case MATRIX_EACH:
            kernels->matrix_each(step->out, step->pointers, step->row_count, step->columns, step->n, step->arity, lanes);
            break;
        case BLAS: /* the lanes of each result are a column of Fortran's */
            product(step->product, 'N', step->n, step->row_count, step->arity, step->columns[0], step->column_distance,
                    step->pointers[0], step->row_distance, 0.0, step->out, step->out_step);
            break;
        case CALL:
            if (call_python(step, valid) < 0) return -1;
            break;
        case TAPE: kernels->tape(memory, step->tape, step->n, step->first, step->index); break;
        }
    }
    return 0;
}

/* Sums over the lanes in use, which are added to those of the blocks before: of numbers, or of the products of each of `n`
 * numbers with each of others. */
typedef struct {
    double *out;
    size_t n, columns, row_step;
    const uint32_t *outs; /* from `out`, of sums of numbers */
    const double **lefts, **rights;
    Product product; /* that computes it, if not NULL, with the distance of the numbers of a side */
    int left_distance, right_distance;
} Total;

static void run_totals(const Kernels *kernels, double *panel, const Total *totals, size_t count, size_t lanes,
                       int is_first) {
    const size_t tile = kernels->tile;
    for (const Total *total = totals; total < totals + count; ++total) {
        size_t first;
        if (total->product != NULL && lanes > 0) {
            product(total->product, 'T', total->columns, total->n, lanes, total->rights[0], total->right_distance,
                    total->lefts[0], total->left_distance, is_first ? 0.0 : 1.0, total->out, total->row_step);
            continue;
        }
        if (total->columns == 0) {
            for (first = 0; is_first && first < total->n; ++first) total->out[total->outs[first]] = -0.0;
            kernels->add_lanes(total->out, total->outs, total->lefts, total->n, lanes);
        }
        for (first = 0; first < total->columns; first += tile) {
            size_t width = total->columns - first < tile ? total->columns - first : tile;
            kernels->transpose(panel, tile, total->rights + first, width, lanes);
            kernels->panel_matrix(total->out + first, total->row_step, total->lefts, 0, total->n, panel, width, lanes,
                                  !is_first);
        }
    }
}

/* Copy examples into the lanes: numbers of row r are at data + rows[r] * width; lanes beyond `count` get the last one. */
static void fill_lanes(const Kernels *kernels, double *out, const double *data, size_t width, const int64_t *rows,
                       size_t first, size_t count, size_t lanes) {
    enum { SIDE_BY_SIDE = 8 };
    for (size_t from = 0; from < lanes; from += SIDE_BY_SIDE) {
        const double *examples[SIDE_BY_SIDE];
        size_t size = lanes - from < SIDE_BY_SIDE ? lanes - from : SIDE_BY_SIDE;
        for (size_t k = 0; k < size; ++k) {
            size_t row = first + (from + k < count ? from + k : count - 1);
            examples[k] = data + (rows == NULL ? row : (size_t)rows[row]) * width;
        }
        kernels->transpose(out + from, lanes, examples, size, width);
    }
}

static void prefetch(const double *numbers, size_t count) {
    for (size_t i = 0; i < count; i += 8) PREFETCH(numbers + i, 0);
}

/* Whether the handler of a signal, such as Ctrl-C, raised an exception, which is set: asked at most every 20 ms or so. */
static int is_interrupted(double *last) {
    struct timespec time;
    PyGILState_STATE state;
    double now;
    int waiting;
    timespec_get(&time, TIME_UTC); /* which takes 20 ns where clock() takes 400 */
    now = (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
    if (now >= *last && now - *last < 0.02) return 0;
    *last = now;
    state = PyGILState_Ensure();
    waiting = PyErr_CheckSignals() < 0;
    PyGILState_Release(state);
    return waiting;
}

/* Let the exception that a signal's handler raised go on to the caller. */
static int raise_waiting(void) { return -1; }

/* The kernels of the widest instruction set that the processor has: 0, at most the baseline; 1, AVX2; 2, AVX-512 with
 * tiles of half vectors; 3, AVX-512. Processors that compute a vector in two halves spread a number to a whole one slowly,
 * which takes a third of the time of a tile: they get at most 2, if they may have 3. */
static const Kernels *choose_kernels(int widest, int is_best) {
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
    __builtin_cpu_init();
#ifdef HAS_AVX512
    if (widest >= 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        if (widest == 2 || (is_best && __builtin_cpu_is("amdfam19h"))) return kernels_avx512_halves();
        return kernels_avx512();
    }
#endif
#ifdef HAS_AVX2
    if (widest >= 1 && __builtin_cpu_supports("avx2")) return kernels_avx2();
#endif
#endif
    (void)is_best;
    (void)widest;
    return kernels_baseline();
}
