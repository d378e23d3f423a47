/* What runs lowered programs: one table of functions for each instruction set. */

#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(_MSC_VER)
#define restrict __restrict
#endif

/* Let the line of a number come into the cache, while others are computed; to be read (0) or written to (1). */
#if defined(__GNUC__)
#define PREFETCH(number, writes) __builtin_prefetch(number, writes)
#else
#define PREFETCH(number, writes) ((void)(number))
#endif

typedef void (*Loop)(double *out, const double *a, const double *b, const double *c, size_t n);

/* Where the members of a group find an operand, in one of two spaces, the memory and the inputs of the caller: one after
 * another from a place on (step 1), all at the place (0), or at the place that the index has for each. */
typedef struct {
    size_t place;
    const uint32_t *index;
    uint32_t step, space;
} Source;

typedef const double *const *Spaces;

enum { MOST_TILE = 24 }; /* the columns of a tile, at most: so many numbers after the last one may be read */

/* A matrix product is long from so many terms and rows on. Then its factors are packed in scratch memory: at most so many
 * terms at a time, of so many columns and rows, which are PACKED_STEP apart. */
enum { LEAST_TERMS = 64, LEAST_ROWS = 32 };
enum { PACKED_TERMS = 256, PACKED_COLUMNS = 6 * MOST_TILE, PACKED_ROWS = 64, PACKED_STEP = PACKED_TERMS + 8 };
enum { SCRATCH = PACKED_COLUMNS * PACKED_TERMS + PACKED_ROWS * PACKED_STEP };

typedef struct {
    const char *name;
    size_t tile; /* the columns of a tile of a matrix product */
    /* The loop of a primitive, by which of its operands are arrays (1 for the first, 2, 4), and whether it has to have the
     * bits of the C library; NULL if it has no C. */
    Loop (*loop)(uint32_t code, int arrays, int exact);
    void (*gather)(double *out, const double *memory, const uint32_t *index, size_t n);
    /* A loop over operands that may be gathered. */
    void (*map)(Loop loop, double *out, Spaces spaces, const Source *operands, size_t arity, size_t n);
    /* out[i] = (l[0][i] · r[0][i] + l[1][i] · r[1][i]) + …; if `rights` is NULL, the sum of the lefts. */
    void (*sums)(double *out, Spaces spaces, const Source *lefts, const Source *rights, size_t count, size_t n);
    /* out[i] = Σ_j left[lefts[i] + j · left_step] · right[rights[i] + j · right_step]; if `rights` is NULL, of the lefts. */
    void (*dots)(double *out, const double *left, const uint32_t *lefts, ptrdiff_t left_step, const double *right,
                 const uint32_t *rights, ptrdiff_t right_step, size_t n, size_t terms);
    /* out[r][c] = Σ_j left[rows[r] + j · row_step] · right[columns[j] + c]; with scratch memory, if it is long. */
    void (*matrix)(double *out, size_t out_step, const double *left, const uint32_t *rows, ptrdiff_t row_step,
                   size_t row_count, const double *right, const uint32_t *columns, size_t column_count, size_t terms,
                   double *scratch);
    /* The same, of at most `tile` columns, where each row has columns of its own, from firsts[r] on, and its results stand
     * from outs[r] to outs[r + 1]. */
    void (*matrix_of_rows)(double *out, const uint32_t *outs, const double *left, const uint32_t *rows, ptrdiff_t row_step,
                           size_t row_count, const double *right, const uint32_t *columns, const uint32_t *firsts,
                           size_t terms);
    /* out[r][c] = start + Σ_j left[rows[r] + offset + j] · panel[j][c], for at most `tile` columns: the start is −0, or
     * what is in out. */
    void (*panel_matrix)(double *out, size_t out_step, const double *left, const uint32_t *rows, size_t offset,
                         size_t row_count, const double *panel, size_t width, size_t terms, int adds);
    /* The same where both sides vary: at rows[r * terms + j] and columns[c * terms + j] are arrays of lanes, and so is the
     * result, at out + (r * column_count + c) * lanes. */
    void (*matrix_each)(double *out, const double *memory, const uint32_t *rows, size_t row_count,
                        const uint32_t *columns, size_t column_count, size_t terms, size_t lanes);
    /* panel[t][i] = numbers[i][t] */
    void (*transpose)(double *panel, ptrdiff_t width, const double *const *numbers, size_t count, size_t terms);
    void (*add_lanes)(double *results, const uint32_t *totals, const double *memory, const uint32_t *numbers, size_t count,
                      size_t lanes);
    /* Whether none is infinite or nan. */
    int (*all_finite)(const double *numbers, size_t count);
    void (*chain)(double *memory, const uint32_t *words, size_t first);
} Kernels;

const Kernels *kernels_baseline(void);
#ifdef HAS_AVX2
const Kernels *kernels_avx2(void);
#endif
#ifdef HAS_AVX512
const Kernels *kernels_avx512(void);
const Kernels *kernels_avx512_halves(void);
#endif
