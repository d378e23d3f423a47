/* Lowered programs as steps, which hold indices into memory that is given for each run; and what runs them.
 *
 * Nothing is checked here: the code is checked before execution.pyx makes steps of it. This file has more than 500 lines,
 * since a step of a loop runs steps of all kinds.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels.h"

enum { LOOP, MAP, EACH, COPY, SUMS, SUMS_EACH, DOTS, GATHER, TRANSPOSE, MATRIX, MATRIX_OF_ROWS, MATRIX_EACH, BLAS, CALL, CHAIN,
       ROUNDS };

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
    size_t out, n, arity, lanes;   /* place of the results; members; operands or terms; lanes of each member */
    Source operands[3];             /* of LOOP, MAP, EACH and COPY */
    Source *sources;                /* of CALL each operand; of SUMS each term; of SUMS_EACH for each member */
    Source *factors;                /* of SUMS and SUMS_EACH a second factor of each term; NULL for none */
    const uint32_t *rows, *columns; /* of EACH and CALL: for each member its operands; of GATHER and TRANSPOSE: the places;
                                       of CHAIN: its words */
    const uint32_t *firsts, *outs;  /* of MATRIX_OF_ROWS */
    size_t row_count, out_step;
    ptrdiff_t row_step, column_step;
    int row_space, column_space;
    size_t scratch; /* the place of that of a long matrix product; 0 for none */
    PyObject *primitive; /* borrowed from the code */
    Product product;     /* of BLAS, with the distance of rows and of columns */
    int row_distance, column_distance;
    const struct Rounds *rounds;
} Step;

/* Numbers that stand side by side, and are copied from one place to another; or each of them to as many lanes. */
typedef struct {
    size_t to, from, count, lanes; /* lanes: 0, or to how many each goes */
} Piece;

typedef struct {
    const Piece *items;
    size_t count;
} Pieces;

/* The states that a loop had before each round. A place of the memory holds it; the numbers are made when it runs. */
typedef struct {
    double *numbers;
    size_t room, rounds;
} Store;

/* What ends a loop: its count, known beforehand or read; a condition; the count of the rounds that were kept. */
enum { KNOWN, COUNTED, WHILE, KEPT };

/* A loop: the steps of a round, which have a part of the memory for themselves. */
typedef struct Rounds {
    const Step *first, *once, *each; /* those before all rounds */
    size_t first_count, once_count, each_count, memory, lanes; /* lanes: 1 for uniform numbers */
    Pieces begin, next, end;                      /* to the round, from its results to its state, to the results */
    Pieces stage;                                 /* before `next`, if results are written over */
    Pieces keep, keep_after, recall;              /* from the state, and what is costly, to a row of the store, and back */
    const uint32_t *rows;                         /* for each round where its row is */
    const uint32_t *row_places;                   /* where it goes */
    const uint32_t *row_kinds;                    /* for each round: 0 to copy one, 1 to all lanes, 2 lanes to lanes */
    const uint32_t *results, *result_kinds;       /* of a round; likewise */
    size_t row, result_count, out;                /* how many; where the results of the first row go */
    size_t rounds, head, head_step, interval;     /* the count, or where it is, or where it says if there is a first one */
    size_t more, more_step, going, active;        /* in the memory of a round: if there is a next one; of each lane */
    size_t store, kept, counts; /* the place of the store, numbers of a row of it, where it counts the rounds of lanes */
    int ends, backward, reversed, keeps, masked;
    /* Totals over all rounds: what a round gives for them, rows of that, and the program that adds them up. */
    const uint32_t *trace_places, *trace_steps;
    size_t beside; /* how many rounds run side by side; 0 for one after another */
    const uint32_t *parts; /* then: where a part of a row begins whose numbers stand one after another; and the end */
    size_t part_count;
    size_t trace_count, trace, sums_memory, sums_varying, sums_at, sums_panel, sums_out, total_count;
    size_t sums_from; /* the place of the memory of what is added up; 0 for the one around the loop */
    const Step *sum_steps;
    const void *sums;
    size_t sum_step_count, sum_count;
    Pieces sums_end;
} Rounds;

enum { TRACED = 64 };

static int run_steps(const Kernels *kernels, double *memory, Spaces spaces, const Step *steps, size_t count, size_t valid);
static int is_interrupted(double *last);

static void copy_pieces(double *to, const double *from, const Pieces *pieces) {
    for (const Piece *piece = pieces->items, *end = piece + pieces->count; piece < end; ++piece) {
        double *target = to + piece->to;
        const double *source = from + piece->from;
        if (piece->lanes == 0) {
            if (piece->count < 8)
                for (size_t i = 0; i < piece->count; ++i) target[i] = source[i];
            else memcpy(target, source, piece->count * sizeof(double));
        } else
            for (size_t i = 0; i < piece->count; ++i)
                for (size_t lane = 0; lane < piece->lanes; ++lane) *target++ = source[i];
    }
}

static void copy_number(double *to, const double *from, uint32_t kind, size_t lanes) {
    if (kind == 0) *to = *from;
    else if (kind == 1)
        for (size_t lane = 0; lane < lanes; ++lane) to[lane] = *from;
    else memcpy(to, from, lanes * sizeof(double));
}

/* Make room for another row of a store. */
static int has_room(Store *store, size_t rounds, size_t width) {
    double *numbers;
    if (rounds * width <= store->room) return 1;
    if (rounds < 2 * store->rounds) rounds = 2 * store->rounds;
    numbers = realloc(store->numbers, rounds * width * sizeof(double));
    if (numbers != NULL) store->numbers = numbers, store->room = rounds * width;
    return numbers != NULL;
}

#define NO_ROOM "there is no memory for the states of a loop"

static int failed(PyObject *kind, const char *message) {
    PyGILState_STATE state = PyGILState_Ensure();
    if (!PyErr_Occurred()) PyErr_SetString(kind, message);
    PyGILState_Release(state);
    return -1;
}

static int run_rounds(const Kernels *kernels, double *memory, const Rounds *loop, size_t valid);
static int run_beside(const Kernels *kernels, double *memory, const Rounds *loop);

/* Call Python's own function for each member and lane; `valid` lanes are in use. */
static int call_python(const Step *step, double *memory, Spaces spaces, size_t valid) {
    PyGILState_STATE state = PyGILState_Ensure();
    size_t i, j, lane, lanes = step->lanes == 1 ? 1 : valid;
    int failed = 0;
    for (i = 0; i < step->n && !failed; ++i)
        for (lane = 0; lane < lanes && !failed; ++lane) {
            PyObject *arguments = PyTuple_New((Py_ssize_t)step->arity), *result = NULL;
            for (j = 0; arguments != NULL && j < step->arity; ++j) {
                const double *operand = spaces[step->sources[j].space] + step->rows[i * step->arity + j];
                PyObject *number = PyFloat_FromDouble(operand[lane * step->sources[j].step]);
                if (number == NULL) Py_CLEAR(arguments);
                else PyTuple_SET_ITEM(arguments, (Py_ssize_t)j, number);
            }
            if (arguments != NULL) result = PyObject_Call(step->primitive, arguments, NULL);
            Py_XDECREF(arguments);
            memory[step->out + i * step->lanes + lane] = result == NULL ? NAN : PyFloat_AsDouble(result);
            failed = result == NULL || PyErr_Occurred() != NULL;
            Py_XDECREF(result);
        }
    PyGILState_Release(state);
    return failed ? -1 : 0;
}

static void transpose_places(const Kernels *kernels, double *out, size_t out_step, const double *numbers,
                             const uint32_t *places, size_t count, size_t terms) {
    enum { SIDE_BY_SIDE = 16 };
    for (size_t first = 0; first < count; first += SIDE_BY_SIDE) {
        const double *pointers[SIDE_BY_SIDE];
        size_t size = count - first < SIDE_BY_SIDE ? count - first : SIDE_BY_SIDE;
        for (size_t i = 0; i < size; ++i) pointers[i] = numbers + places[first + i];
        kernels->transpose(out + first, out_step, pointers, size, terms);
    }
}

static int run_steps(const Kernels *kernels, double *memory, Spaces spaces, const Step *steps, size_t count,
                     size_t valid) {
    const Step *end = steps + count;
    for (const Step *step = steps; step < end; ++step) {
        size_t i, lanes = step->lanes;
        double *out = memory + step->out;
        const Source *s = step->operands;
        switch (step->kind) {
        case LOOP:
            step->loop(out, spaces[s[0].space] + s[0].place, spaces[s[1].space] + s[1].place,
                       spaces[s[2].space] + s[2].place, step->n);
            break;
        case MAP: kernels->map(step->loop, out, spaces, s, step->arity, step->n); break;
        case EACH: {
            const double *a = spaces[s[0].space], *b = spaces[s[1].space], *c = spaces[s[2].space];
            const uint32_t *p = step->rows;
            for (i = 0; i < step->n; ++i, p += 3) step->loop(out + i * lanes, a + p[0], b + p[1], c + p[2], lanes);
            break;
        }
        case COPY:
            for (i = 0; i < step->n; ++i) {
                const double number = spaces[s->space][s->index == NULL ? s->place + i * s->step : s->index[i]];
                for (size_t lane = 0; lane < lanes; ++lane) out[i * lanes + lane] = number;
            }
            break;
        case SUMS: kernels->sums(out, spaces, step->sources, step->factors, step->arity, step->n); break;
        case SUMS_EACH:
            for (i = 0; i < step->n; ++i)
                kernels->sums(out + i * lanes, spaces, step->sources + i * step->arity,
                              step->factors == NULL ? NULL : step->factors + i * step->arity, step->arity, lanes);
            break;
        case DOTS:
            kernels->dots(out, spaces[step->row_space], step->rows, step->row_step, spaces[step->column_space], step->columns,
                          step->column_step, step->n, step->arity);
            break;
        case GATHER: kernels->gather(out, spaces[step->row_space], step->rows, step->n); break;
        case TRANSPOSE:
            transpose_places(kernels, out, step->out_step, spaces[step->row_space], step->rows, step->n, step->arity);
            break;
        case MATRIX:
            kernels->matrix(out, step->out_step, spaces[step->row_space], step->rows, step->row_step, step->row_count,
                            memory, step->columns, step->n, step->arity,
                            step->scratch ? memory + step->scratch : NULL);
            break;
        case MATRIX_OF_ROWS:
            kernels->matrix_of_rows(out, step->outs, spaces[step->row_space], step->rows, step->row_step, step->row_count, memory,
                                    step->columns, step->firsts, step->arity);
            break;
        case MATRIX_EACH:
            kernels->matrix_each(out, memory, step->rows, step->row_count, step->columns, step->n, step->arity, lanes);
            break;
        case BLAS: /* the lanes of each result are a column of Fortran's */
            product(step->product, 'N', step->n, step->row_count, step->arity, memory + step->columns[0],
                    step->column_distance, spaces[step->row_space] + step->rows[0], step->row_distance, 0.0, out,
                    step->out_step);
            break;
        case CALL:
            if (call_python(step, memory, spaces, valid) < 0) return -1;
            break;
        case CHAIN: kernels->chain(memory, step->rows, step->out); break;
        case ROUNDS:
            if (step->rounds->beside ? run_beside(kernels, memory, step->rounds) < 0
                                     : run_rounds(kernels, memory, step->rounds, valid) < 0)
                return -1;
            break;
        }
    }
    return 0;
}

/* Sums over the lanes in use, which are added to those of the blocks before: of numbers, or of the products of each of `n`
 * numbers with each of others. */
typedef struct {
    size_t out, n, columns, row_step;
    const uint32_t *outs; /* from `out`, of sums of numbers */
    const uint32_t *lefts, *rights;
    Product product; /* that computes it, if not NULL, with the distance of the numbers of a side */
    int left_distance, right_distance;
} Sums;

static void run_totals(const Kernels *kernels, double *results, const double *memory, double *panel, const Sums *totals,
                       size_t count, size_t lanes, int is_first) {
    const size_t tile = kernels->tile;
    for (const Sums *total = totals; total < totals + count; ++total) {
        double *out = results + total->out;
        size_t first;
        if (total->product != NULL && lanes > 0) {
            product(total->product, 'T', total->columns, total->n, lanes, memory + total->rights[0],
                    total->right_distance, memory + total->lefts[0], total->left_distance, is_first ? 0.0 : 1.0, out,
                    total->row_step);
            continue;
        }
        if (total->columns == 0) {
            for (first = 0; is_first && first < total->n; ++first) results[total->outs[first]] = -0.0;
            kernels->add_lanes(results, total->outs, memory, total->lefts, total->n, lanes);
        }
        for (first = 0; first < total->columns; first += tile) {
            size_t width = total->columns - first < tile ? total->columns - first : tile;
            transpose_places(kernels, panel, tile, memory, total->rights + first, width, lanes);
            kernels->panel_matrix(out + first, total->row_step, memory, total->lefts, 0, total->n, panel, width, lanes,
                                  !is_first);
        }
    }
}

/* Where outputs are in the memory. */
typedef struct {
    size_t count, span_count;
    const uint32_t *places;
    const uint32_t *kinds; /* of each output: 2 if it is in the lanes, else 0 */
    size_t *spans;         /* the first outputs of those that stand one after another, and the count of outputs */
} Outputs;

/* Copy outputs that do not vary; whether all are finite. */
static int copy_outputs(const Kernels *kernels, const Outputs *outputs, double *out, const double *numbers, size_t first,
                        size_t end) {
    double *const begin = out;
    if (outputs->span_count * 8 > outputs->count) { /* a vector of what was just written one by one would have to wait */
        double sum = 0.0;
        for (size_t i = first; i < end; ++i) {
            const double number = numbers[outputs->places[i]];
            *out++ = number;
            sum += number * 0.0; /* nan, if it is not finite */
        }
        return sum == 0.0;
    }
    for (size_t span = 0; first < end;) {
        size_t stop;
        while (outputs->spans[span + 1] <= first) ++span;
        stop = end < outputs->spans[span + 1] ? end : outputs->spans[span + 1];
        memcpy(out, numbers + outputs->places[first], (stop - first) * sizeof(double));
        out += stop - first;
        first = stop;
    }
    return kernels->all_finite(begin, (size_t)(out - begin));
}

/* Copy them, from the first one on, to a row of the results; whether all are finite. */
static int copy_row(const Kernels *kernels, const Outputs *outputs, const double *numbers, double **results,
                    const size_t *widths, size_t row, size_t first) {
    int are_finite = 1;
    for (; first < outputs->count; first += *widths++) {
        double *out = *results++ + row * *widths;
        are_finite &= copy_outputs(kernels, outputs, out, numbers, first, first + *widths);
    }
    return are_finite;
}

/* Copy numbers to rows, one for each lane in use, which are a step apart. Those of the kind 2 stand in the lanes. */
static void copy_to_rows(const Kernels *kernels, double *rows, ptrdiff_t step, const double *numbers, const uint32_t *places,
                         const uint32_t *kinds, size_t count, size_t lanes) {
    enum { SIDE_BY_SIDE = 16 };
    for (size_t first = 0, size; first < count; first += size) {
        const double *columns[SIDE_BY_SIDE];
        for (size = 0; size < SIDE_BY_SIDE && first + size < count && kinds[first + size] == 2; ++size)
            columns[size] = numbers + places[first + size];
        if (size && step == 1) memcpy(rows, columns[0], lanes * sizeof(double));
        else if (size) kernels->transpose(rows + first, step, columns, size, lanes);
        else {
            double *row = rows + first;
            for (size_t lane = 0; lane < lanes; ++lane, row += step) *row = numbers[places[first]];
            size = 1;
        }
    }
}

/* Copy outputs to as many rows as lanes are in use; whether all are finite. */
static int copy_lanes(const Kernels *kernels, const Outputs *outputs, const double *numbers, double **results,
                      const size_t *widths, size_t row, size_t lanes) {
    int are_finite = 1;
    for (size_t output = 0; output < outputs->count; output += *widths++) {
        double *rows = *results++ + row * *widths;
        copy_to_rows(kernels, rows, (ptrdiff_t)*widths, numbers, outputs->places + output, outputs->kinds + output, *widths, lanes);
        are_finite &= kernels->all_finite(rows, lanes * *widths);
    }
    return are_finite;
}

/* Copy examples into the lanes, whose numbers stand in rows; lanes beyond `count` get the last one. */
static void fill_lanes(const Kernels *kernels, double *out, const double *rows, size_t width, size_t count, size_t lanes) {
    enum { SIDE_BY_SIDE = 8 };
    if (width == 1) {
        memcpy(out, rows, count * sizeof(double));
        for (size_t i = count; i < lanes; ++i) out[i] = rows[count - 1];
        for (size_t i = 0; i < lanes; i += 8) PREFETCH(rows + count + i, 0);
        return;
    }
    for (size_t from = 0; from < lanes; from += SIDE_BY_SIDE) {
        const double *examples[SIDE_BY_SIDE];
        size_t size = lanes - from < SIDE_BY_SIDE ? lanes - from : SIDE_BY_SIDE;
        for (size_t k = 0; k < size; ++k) examples[k] = rows + (from + k < count ? from + k : count - 1) * width;
        kernels->transpose(out + from, lanes, examples, size, width);
    }
}

/* Whether each lane takes part in a round, by its number; and whether any of those in use does. */
static int find_active(const Rounds *loop, const double *head, size_t step, size_t k, double *active, size_t valid) {
    int any = 0;
    for (size_t lane = 0; lane < loop->lanes; ++lane) {
        const double number = head[lane * step];
        const int is_active = loop->ends == WHILE ? number != 0.0 : number > (double)k;
        if (loop->ends == WHILE && k > 0 && active[lane] == 0.0) continue; /* it has ended */
        active[lane] = is_active;
        any |= is_active && lane < valid;
    }
    return any;
}

/* Add what rounds gave to the totals of a loop: the rounds are the lanes of the program that computes them. */
static void add_totals(const Kernels *kernels, double *memory, const Rounds *loop, size_t rounds, int is_first) {
    double *sums = memory + loop->sums_memory;
    const double *spaces[2] = {sums, sums};
    run_steps(kernels, sums, spaces, loop->sum_steps, loop->sum_step_count, rounds);
    run_totals(kernels, sums + loop->sums_at, memory + loop->sums_from, sums + loop->sums_panel, loop->sums, loop->sum_count,
               rounds, is_first);
}

/* Add what stands in a row for each round. */
static void add_trace(const Kernels *kernels, double *memory, const Rounds *loop, size_t rounds, int is_first) {
    double *lanes = memory + loop->sums_memory + loop->sums_varying;
    fill_lanes(kernels, lanes, memory + loop->trace, loop->trace_count, rounds, TRACED);
    add_totals(kernels, memory, loop, rounds, is_first);
}

/* Write the totals over all rounds to the results of a loop. */
static void end_trace(double *memory, const Rounds *loop, size_t rounds) {
    if (rounds) copy_pieces(memory, memory + loop->sums_memory, &loop->sums_end);
    else memset(memory + loop->sums_out, 0, loop->total_count * sizeof(double));
}

/* Rounds that carry nothing, side by side. */
static int run_beside(const Kernels *kernels, double *memory, const Rounds *loop) {
    enum { SIDE_BY_SIDE = 8 };
    double *inner = memory + loop->memory, last = 0.0;
    const double *spaces[2] = {inner, inner};
    const size_t total = loop->rounds;
    size_t first, lane, i, next_look = loop->interval;
    copy_pieces(inner, memory, &loop->begin);
    if (run_steps(kernels, inner, spaces, loop->first, loop->first_count, 1) < 0) return -1;
    if (run_steps(kernels, inner, spaces, loop->once, loop->once_count, 1) < 0) return -1;
    for (first = 0; first < total; first += loop->beside) {
        const size_t size = total - first < loop->beside ? total - first : loop->beside;
        const int goes_down = loop->backward != loop->reversed;
        if (first >= next_look * loop->beside) {
            next_look += loop->interval;
            if (is_interrupted(&last)) return -1;
        }
        for (lane = 0; lane < loop->beside; lane += SIDE_BY_SIDE) {
            const uint32_t *places[SIDE_BY_SIDE];
            for (i = 0; i < SIDE_BY_SIDE; ++i) {
                const size_t k = first + (lane + i < size ? lane + i : size - 1);
                places[i] = loop->rows + (goes_down ? total - 1 - k : k) * loop->row;
            }
            for (const uint32_t *part = loop->parts; part < loop->parts + loop->part_count; ++part) {
                const double *numbers[SIDE_BY_SIDE];
                for (i = 0; i < SIDE_BY_SIDE; ++i) numbers[i] = memory + places[i][*part];
                kernels->transpose(inner + loop->row_places[*part] + lane, (ptrdiff_t)loop->beside, numbers, SIDE_BY_SIDE,
                                   part[1] - *part);
            }
        }
        if (run_steps(kernels, inner, spaces, loop->each, loop->each_count, size) < 0) return -1;
        const size_t row = goes_down ? total - 1 - first : first;
        const ptrdiff_t step = (ptrdiff_t)loop->result_count;
        copy_to_rows(kernels, memory + loop->out + row * loop->result_count, goes_down ? -step : step, inner, loop->results,
                     loop->result_kinds, loop->result_count, size);
        for (i = 0; i < loop->trace_count; ++i) {
            double *lanes = memory + loop->sums_memory + loop->sums_varying + i * TRACED;
            const size_t to_next = loop->trace_steps[i];
            if (!loop->sums_from && (to_next || first)) continue; /* it is read where it is, or stands there already */
            for (lane = 0; lane < TRACED; ++lane)
                lanes[lane] = inner[loop->trace_places[i] + (lane < size ? lane : size - 1) * to_next];
        }
        if (loop->trace_count) add_totals(kernels, memory, loop, size, first == 0);
    }
    if (loop->trace_count) end_trace(memory, loop, total);
    return 0;
}

static int run_rounds(const Kernels *kernels, double *memory, const Rounds *loop, size_t valid) {
    double *inner = memory + loop->memory, *active = inner + loop->active, *counts = memory + loop->counts, last = 0.0;
    const double *spaces[2] = {inner, inner}, *head = memory + loop->head;
    Store *store = (Store *)(memory + loop->store);
    const size_t lanes = loop->lanes;
    size_t traced = 0, is_first = 1; /* rounds that are to be added up */
    size_t i, lane, k, head_step = loop->head_step, next_look = loop->interval, total = loop->rounds;
    if (loop->ends == KEPT) {
        total = store->rounds;
        head = counts, head_step = 1;
    }
    copy_pieces(inner, memory, &loop->begin);
    if (run_steps(kernels, inner, spaces, loop->first, loop->first_count, 1) < 0) return -1;
    if (loop->keeps) {
        store->rounds = 0;
        for (lane = 0; loop->masked && lane < lanes; ++lane) counts[lane] = 0.0;
        if (loop->ends == KNOWN && !has_room(store, total, loop->kept)) return failed(PyExc_MemoryError, NO_ROOM);
    }
    for (k = 0;; ++k) {
        const size_t time = loop->backward ? total - 1 - k : k;
        size_t row = time;
        if ((loop->ends == KNOWN || loop->ends == KEPT) && k >= total) break;
        if (loop->masked) {
            const int any = find_active(loop, head, head_step, time, active, valid);
            if (!any && loop->ends != KEPT) break;
        } else if (loop->ends == COUNTED ? !(*head > (double)k) : loop->ends == WHILE && *head == 0.0) break;
        if (k >= next_look) {
            next_look += loop->interval;
            if (is_interrupted(&last)) return -1;
        }
        if (loop->keeps) {
            if (!has_room(store, k + 1, loop->kept)) return failed(PyExc_MemoryError, NO_ROOM);
            copy_pieces(store->numbers + k * loop->kept, inner, &loop->keep);
            store->rounds = k + 1;
            for (lane = 0; loop->masked && lane < lanes; ++lane) counts[lane] += active[lane];
        } else if (loop->recall.count) copy_pieces(inner, store->numbers + time * loop->kept, &loop->recall);
        if (loop->reversed) row = loop->rounds - 1 - time;
        for (i = 0; i < loop->row; ++i)
            copy_number(inner + loop->row_places[i], memory + loop->rows[row * loop->row + i], loop->row_kinds[row * loop->row + i],
                        lanes);
        if (run_steps(kernels, inner, spaces, loop->once, loop->once_count, 1) < 0) return -1;
        if (loop->each_count && run_steps(kernels, inner, spaces, loop->each, loop->each_count, valid) < 0) return -1;
        if (loop->keeps) copy_pieces(store->numbers + k * loop->kept, inner, &loop->keep_after);
        for (i = 0; i < loop->result_count; ++i)
            copy_number(memory + loop->out + (row * loop->result_count + i) * lanes, inner + loop->results[i],
                        loop->result_kinds[i], lanes);
        if (loop->trace_count) {
            double *row = memory + loop->trace + traced * loop->trace_count;
            for (i = 0; i < loop->trace_count; ++i) row[i] = inner[loop->trace_places[i]];
            if (++traced == TRACED) {
                add_trace(kernels, memory, loop, traced, is_first);
                traced = is_first = 0;
            }
        }
        if (loop->ends == WHILE) {
            inner[loop->going] = inner[loop->more];
            for (lane = 1; loop->masked && lane < lanes; ++lane)
                inner[loop->going + lane] = inner[loop->more + lane * loop->more_step];
            head = inner + loop->going, head_step = 1;
        }
        copy_pieces(inner, inner, &loop->stage);
        if (!loop->masked) copy_pieces(inner, inner, &loop->next);
        else
            for (i = 0; i < loop->next.count; ++i) {
                const Piece *piece = &loop->next.items[i];
                for (size_t n = 0; n < piece->count * (piece->lanes ? lanes : 1); ++n)
                    if (active[n % lanes] != 0.0)
                        inner[piece->to + n] = inner[piece->from + (piece->lanes ? n / lanes : n)];
            }
    }
    copy_pieces(memory, inner, &loop->end);
    if (loop->trace_count) {
        if (traced) add_trace(kernels, memory, loop, traced, is_first);
        end_trace(memory, loop, k);
    }
    return 0;
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
