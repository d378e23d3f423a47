/* The loops that run lowered programs. This file is compiled once for each instruction set; KERNELS is its function.
 *
 * Every sum is added in the order of its terms, and every product is rounded, so that results have the bits of the eager
 * engine. What is computed side by side are different sums. This file has more than 500 lines, since whatever is compiled
 * for each instruction set stands together.
 */

#include "kernels.h"

#include <math.h>
#include <string.h>

#include "fast_functions.h"
#include "loops.h"

#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline)) /* its arguments are constants at each call */
#else
#define ALWAYS_INLINE static inline
#endif

/* V holds WIDTH numbers. A tile of a matrix product is ROWS rows of VECTORS vectors T, of which each holds TILE_WIDTH. */
#if defined(__GNUC__) && defined(__AVX512F__)
enum { WIDTH = 8 };
typedef double V __attribute__((vector_size(64), aligned(8), may_alias));
#if defined(HALF_TILES)
enum { TILE_WIDTH = 4, ROWS = 4, VECTORS = 6 };
typedef double T __attribute__((vector_size(32), aligned(8), may_alias));
#else
enum { TILE_WIDTH = 8, ROWS = 8, VECTORS = 3 };
typedef V T;
#endif
#elif defined(__GNUC__) && defined(__AVX__)
enum { WIDTH = 4, TILE_WIDTH = 4, ROWS = 4, VECTORS = 3 };
typedef double V __attribute__((vector_size(32), aligned(8), may_alias));
typedef V T;
#elif defined(__GNUC__)
enum { WIDTH = 2, TILE_WIDTH = 2, ROWS = 4, VECTORS = 3 };
typedef double V __attribute__((vector_size(16), aligned(8), may_alias));
typedef V T;
#else
enum { WIDTH = 1, TILE_WIDTH = 1, ROWS = 4, VECTORS = 2 };
typedef double V;
typedef V T;
#endif
#if defined(__GNUC__)
#define MINUS_ZERO(Vector) (-(Vector){0.0}) /* in each */
#else
#define MINUS_ZERO(Vector) (-0.0)
#endif
enum { TILE = TILE_WIDTH * VECTORS, BLOCK = 256, SHORT = 4, SUMS = 4, SPAN = SUMS * WIDTH, EACH_ROWS = 4, EACH_COLUMNS = 3 };

static Loop find_loop(uint32_t code, int arrays, int exact) {
    if (code >= PRIMITIVES) return NULL;
    return !exact && arrays == 1 && fast_loops[code] != NULL ? fast_loops[code] : loops[code][arrays];
}

static void gather(double *restrict out, const double *memory, const uint32_t *index, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = memory[index[i]];
}

/* The numbers of an operand for a block of members. */
static inline const double *block_of(Spaces spaces, const Source *source, size_t start, size_t size, double *buffer) {
    if (source->index == NULL) return spaces[source->space] + source->place + start * source->step;
    gather(buffer, spaces[source->space], source->index + start, size);
    return buffer;
}

static void map(Loop loop, double *out, Spaces spaces, const Source *operands, size_t arity, size_t n) {
    for (size_t start = 0; start < n; start += BLOCK) {
        double buffers[3][BLOCK];
        const double *blocks[3] = {NULL, NULL, NULL};
        size_t size = n - start < BLOCK ? n - start : BLOCK;
        for (size_t i = 0; i < arity; ++i) blocks[i] = block_of(spaces, &operands[i], start, size, buffers[i]);
        loop(out + start, blocks[0], blocks[1], blocks[2], size);
    }
}

static inline double at(Spaces spaces, const Source *source, size_t i) {
    return spaces[source->space][source->index == NULL ? source->place + i * source->step : source->index[i]];
}

/* Sums of some vectors, which stay in registers while their terms are added. */
ALWAYS_INLINE void span_of_sums(double *out, Spaces spaces, const Source *lefts, const Source *rights, size_t count, size_t start,
                                size_t vectors) {
    double left_buffer[SPAN], right_buffer[SPAN];
    V acc[SUMS];
    for (size_t v = 0; v < vectors; ++v) acc[v] = MINUS_ZERO(V);
    for (size_t j = 0; j < count; ++j) {
        const double *left = block_of(spaces, &lefts[j], start, vectors * WIDTH, left_buffer);
        const double *right = rights == NULL ? NULL : block_of(spaces, &rights[j], start, vectors * WIDTH, right_buffer);
#define EACH(term) for (size_t v = 0; v < vectors; ++v) acc[v] += term;
#define OF(numbers) *(const V *)(numbers + v * WIDTH)
        if (right == NULL && lefts[j].step) EACH(OF(left))
        else if (right == NULL) EACH(*left)
        else if (lefts[j].step && rights[j].step) EACH(OF(left) * OF(right))
        else if (lefts[j].step) EACH(OF(left) * *right)
        else if (rights[j].step) EACH(*left * OF(right))
        else EACH(*left * *right)
#undef OF
#undef EACH
    }
    for (size_t v = 0; v < vectors; ++v) *(V *)(out + start + v * WIDTH) = acc[v];
}

static void sums(double *out, Spaces spaces, const Source *lefts, const Source *rights, size_t count, size_t n) {
    size_t i = 0;
    for (; i + SPAN <= n; i += SPAN) span_of_sums(out, spaces, lefts, rights, count, i, SUMS);
    for (; i + WIDTH <= n; i += WIDTH) span_of_sums(out, spaces, lefts, rights, count, i, 1);
    if (i < n && n >= WIDTH) span_of_sums(out, spaces, lefts, rights, count, n - WIDTH, 1); /* a whole vector: some once more */
    else
        for (; i < n; ++i) {
            double acc = -0.0;
            for (size_t j = 0; j < count; ++j)
                acc += rights == NULL ? at(spaces, &lefts[j], i) : at(spaces, &lefts[j], i) * at(spaces, &rights[j], i);
            out[i] = acc;
        }
}

/* Some sums side by side, so that one need not wait for its own last addition. */
ALWAYS_INLINE void few_dots(double *out, const double *left, const uint32_t *lefts, ptrdiff_t left_step, const double *right,
                            const uint32_t *rights, ptrdiff_t right_step, size_t n, size_t terms) {
    double acc[SHORT];
    const double *a[SHORT], *b[SHORT];
    for (size_t i = 0; i < n; ++i) {
        acc[i] = -0.0;
        a[i] = left + lefts[i];
        b[i] = rights == NULL ? NULL : right + rights[i];
    }
    for (ptrdiff_t j = 0; j < (ptrdiff_t)terms; ++j)
        for (size_t i = 0; i < n; ++i)
            acc[i] += rights == NULL ? a[i][j * left_step] : a[i][j * left_step] * b[i][j * right_step];
    for (size_t i = 0; i < n; ++i) out[i] = acc[i];
}

static void dots(double *out, const double *left, const uint32_t *lefts, ptrdiff_t left_step, const double *right,
                 const uint32_t *rights, ptrdiff_t right_step, size_t n, size_t terms) {
    size_t i = 0;
    if (rights == NULL) {
        for (; i + SHORT <= n; i += SHORT) few_dots(out + i, left, lefts + i, left_step, NULL, NULL, 0, SHORT, terms);
        for (; i < n; ++i) few_dots(out + i, left, lefts + i, left_step, NULL, NULL, 0, 1, terms);
        return;
    }
    for (; i + SHORT <= n; i += SHORT)
        few_dots(out + i, left, lefts + i, left_step, right, rights + i, right_step, SHORT, terms);
    for (; i < n; ++i) few_dots(out + i, left, lefts + i, left_step, right, rights + i, right_step, 1, terms);
}

/* A vector of the first numbers. */
ALWAYS_INLINE T some_of(const double *numbers, size_t count) {
    double found[TILE_WIDTH] = {0.0};
    memcpy(found, numbers, count * sizeof(double));
    return *(const T *)found;
}

/* One tile: `height` rows and `vectors` vectors of columns, of which `width` numbers are kept. Numbers after them are read
 * from columns, up to the end of a vector. Sums start from −0; if it `adds`, from what is in `out`. If it is a `panel`, the numbers of
 * rows stand side by side, and those of columns in rows of TILE from `right` on. */
ALWAYS_INLINE void tile(double *out, size_t out_step, const double *left, const uint32_t *rows, size_t offset,
                        ptrdiff_t row_step, size_t height, const double *right, const uint32_t *columns, size_t first,
                        size_t vectors, size_t width, size_t terms, int adds, int panel) {
    T acc[ROWS][VECTORS];
    const double *row[ROWS], *column = right + columns[0] + first;
    for (size_t r = 0; r < height; ++r) {
        row[r] = left + rows[r] + offset;
        for (size_t v = 0; v < vectors; ++v) {
            const double *start = out + r * out_step + v * TILE_WIDTH;
            if (!adds) acc[r][v] = MINUS_ZERO(T);
            else if (v + 1 < vectors || width == vectors * TILE_WIDTH) acc[r][v] = *(const T *)start;
            else acc[r][v] = some_of(start, width - v * TILE_WIDTH); /* nothing is read after the last result */
        }
        if (panel) /* of the next tile */
            for (size_t v = 0; v < vectors; v += 2) PREFETCH(out + (height + r) * out_step + v * TILE_WIDTH, 1);
    }
    for (size_t j = 0; j < terms; ++j) {
        T b[VECTORS];
        if (!panel) column = right + columns[j] + first;
        for (size_t v = 0; v < vectors; ++v) b[v] = *(const T *)(column + v * TILE_WIDTH);
        for (size_t r = 0; r < height; ++r) {
            const double a = panel ? row[r][j] : *row[r];
            for (size_t v = 0; v < vectors; ++v) acc[r][v] += a * b[v];
            if (!panel) row[r] += row_step;
        }
        if (panel) column += TILE;
    }
    for (size_t r = 0; r < height; ++r) {
        double *place = out + r * out_step;
        size_t v = 0;
        for (; v + 1 < vectors; ++v) *(T *)(place + v * TILE_WIDTH) = acc[r][v];
        if (width == vectors * TILE_WIDTH) *(T *)(place + v * TILE_WIDTH) = acc[r][v];
        else {
            double last[TILE_WIDTH];
            *(T *)last = acc[r][v];
            memcpy(place + v * TILE_WIDTH, last, (width - v * TILE_WIDTH) * sizeof(double));
        }
    }
}

/* All rows, and the columns of one tile. */
ALWAYS_INLINE void strip(double *out, size_t out_step, const double *left, const uint32_t *rows, size_t offset,
                         ptrdiff_t row_step, size_t row_count, const double *right, const uint32_t *columns, size_t first,
                         size_t width, size_t terms, int adds, int panel) {
    const size_t vectors = (width + TILE_WIDTH - 1) / TILE_WIDTH;
    size_t row = 0;
#define TILES(height, count) \
    for (; row + height <= row_count; row += height) \
        tile(out + row * out_step, out_step, left, rows + row, offset, row_step, height, right, columns, first, count, \
             width, terms, adds, panel);
#define STRIP(count) \
    if (vectors == count) { \
        TILES(ROWS, count) \
        if (ROWS > 4) TILES(4, count) \
        TILES(1, count) \
    }
    STRIP(1)
    STRIP(2)
#if defined(__GNUC__)
    STRIP(3)
#endif
#if defined(HALF_TILES)
    STRIP(4)
    STRIP(5)
    STRIP(6)
#endif
#undef STRIP
#undef TILES
}

static void panel_matrix(double *out, size_t out_step, const double *left, const uint32_t *rows, size_t offset,
                         size_t row_count, const double *panel, size_t width, size_t terms, int adds) {
    static const uint32_t beginning = 0;
    if (adds) strip(out, out_step, left, rows, offset, 1, row_count, panel, &beginning, 0, width, terms, 1, 1);
    else strip(out, out_step, left, rows, offset, 1, row_count, panel, &beginning, 0, width, terms, 0, 1);
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAS_SHUFFLE
typedef double Four __attribute__((vector_size(32), aligned(8), may_alias));
#endif
#endif

static void transpose(double *restrict panel, ptrdiff_t width, const double *const *numbers, size_t count, size_t terms) {
    size_t i = 0;
#ifdef HAS_SHUFFLE
    for (; i + 4 <= count; i += 4) {
        const double *a = numbers[i], *b = numbers[i + 1], *c = numbers[i + 2], *d = numbers[i + 3];
        double *out = panel + i;
        size_t t = 0;
        for (; t + 4 <= terms; t += 4, out += 4 * width) {
            const Four va = *(const Four *)(a + t), vb = *(const Four *)(b + t);
            const Four vc = *(const Four *)(c + t), vd = *(const Four *)(d + t);
            const Four ab_even = __builtin_shufflevector(va, vb, 0, 4, 2, 6);
            const Four ab_odd = __builtin_shufflevector(va, vb, 1, 5, 3, 7);
            const Four cd_even = __builtin_shufflevector(vc, vd, 0, 4, 2, 6);
            const Four cd_odd = __builtin_shufflevector(vc, vd, 1, 5, 3, 7);
            *(Four *)out = __builtin_shufflevector(ab_even, cd_even, 0, 1, 4, 5);
            *(Four *)(out + width) = __builtin_shufflevector(ab_odd, cd_odd, 0, 1, 4, 5);
            *(Four *)(out + 2 * width) = __builtin_shufflevector(ab_even, cd_even, 2, 3, 6, 7);
            *(Four *)(out + 3 * width) = __builtin_shufflevector(ab_odd, cd_odd, 2, 3, 6, 7);
        }
        for (; t < terms; ++t, out += width) {
            out[0] = a[t];
            out[1] = b[t];
            out[2] = c[t];
            out[3] = d[t];
        }
    }
#endif
    for (; i < count; ++i)
        for (size_t t = 0; t < terms; ++t) panel[(ptrdiff_t)t * width + (ptrdiff_t)i] = numbers[i][t];
}

/* packed[r][j] = left[rows[r] + (from + j) · row_step] */
static void pack_rows(double *packed, const double *left, const uint32_t *rows, ptrdiff_t row_step, size_t row_count,
                      size_t from, size_t terms) {
    enum { SIDE_BY_SIDE = 16 };
    size_t r = 1;
    while (r < row_count && rows[r] == rows[0] + r) ++r;
    if (r < row_count) {
        for (r = 0; r < row_count; ++r)
            for (size_t j = 0; j < terms; ++j) packed[r * PACKED_STEP + j] = left[rows[r] + (ptrdiff_t)(from + j) * row_step];
        return;
    }
    for (size_t j = 0; j < terms; j += SIDE_BY_SIDE) { /* the rows are columns of a matrix */
        const double *numbers[SIDE_BY_SIDE];
        size_t size = terms - j < SIDE_BY_SIDE ? terms - j : SIDE_BY_SIDE;
        for (size_t k = 0; k < size; ++k) numbers[k] = left + rows[0] + (ptrdiff_t)(from + j + k) * row_step;
        transpose(packed + j, PACKED_STEP, numbers, size, row_count);
    }
}

/* As many terms at a time as let a panel of columns stay in a near cache, and so few rows are multiplied with all panels that
 * they stay there too. */
static void long_matrix(double *out, size_t out_step, const double *left, const uint32_t *rows, ptrdiff_t row_step,
                        size_t row_count, const double *right, const uint32_t *columns, size_t column_count, size_t terms,
                        double *scratch) {
    enum { COLUMNS = PACKED_COLUMNS / TILE * TILE };
    const int is_packed = row_step != 1;
    double *panels = scratch, *packed = scratch + PACKED_COLUMNS * PACKED_TERMS;
    uint32_t packed_rows[PACKED_ROWS];
    for (size_t r = 0; r < PACKED_ROWS; ++r) packed_rows[r] = (uint32_t)(r * PACKED_STEP);
    for (size_t from = 0; from < terms; from += PACKED_TERMS)
        for (size_t begin = 0; begin < column_count; begin += COLUMNS) {
            const size_t size = terms - from < PACKED_TERMS ? terms - from : PACKED_TERMS;
            const size_t end = column_count - begin < COLUMNS ? column_count : begin + COLUMNS;
            for (size_t j = 0; j < size; ++j)
                for (size_t first = begin; first < end; first += TILE) {
                    const double *column = right + columns[from + j] + first;
                    double *panel = panels + (first - begin) * PACKED_TERMS + j * TILE;
                    if (end - first >= TILE) memcpy(panel, column, sizeof(double[TILE])); /* of a known size */
                    else memcpy(panel, column, (end - first) * sizeof(double));
                }
            for (size_t row = 0; row < row_count; row += PACKED_ROWS) {
                const size_t count = row_count - row < PACKED_ROWS ? row_count - row : PACKED_ROWS;
                if (is_packed) pack_rows(packed, left, rows + row, row_step, count, from, size);
                for (size_t first = begin; first < end; first += TILE)
                    panel_matrix(out + row * out_step + first, out_step, is_packed ? packed : left,
                                 is_packed ? packed_rows : rows + row, is_packed ? 0 : from, count, panels + (first - begin) * PACKED_TERMS,
                                 end - first < TILE ? end - first : TILE, size, from > 0);
            }
        }
}

static void matrix(double *out, size_t out_step, const double *left, const uint32_t *rows, ptrdiff_t row_step,
                   size_t row_count, const double *right, const uint32_t *columns, size_t column_count, size_t terms,
                   double *scratch) {
    if (scratch != NULL)
        long_matrix(out, out_step, left, rows, row_step, row_count, right, columns, column_count, terms, scratch);
    else
        for (size_t first = 0; first < column_count; first += TILE) {
            size_t width = column_count - first < TILE ? column_count - first : TILE;
            strip(out + first, out_step, left, rows, 0, row_step, row_count, right, columns, first, width, terms, 0, 0);
        }
}

/* Four rows, or fewer, of which each has columns of its own. Whole vectors are stored, if they end before the results of the
 * last row do: what is too much is then written over by the rows that follow. */
ALWAYS_INLINE void tile_of_rows(double *out, const uint32_t *outs, size_t end, const double *left, const uint32_t *rows,
                                ptrdiff_t row_step, size_t height, const double *right, const uint32_t *columns,
                                const uint32_t *firsts, size_t vectors, size_t terms) {
    T acc[SHORT][VECTORS];
    const double *row[SHORT], *column[SHORT];
    for (size_t r = 0; r < SHORT; ++r) {
        const size_t i = r < height ? r : height - 1;
        row[r] = left + rows[i];
        column[r] = right + firsts[i];
        for (size_t v = 0; v < vectors; ++v) acc[r][v] = MINUS_ZERO(T);
    }
    for (size_t j = 0; j < terms; ++j)
        for (size_t r = 0; r < SHORT; ++r) {
            const double a = row[r][(ptrdiff_t)j * row_step];
            for (size_t v = 0; v < vectors; ++v) acc[r][v] += a * *(const T *)(column[r] + columns[j] + v * TILE_WIDTH);
        }
    for (size_t r = 0; r < height; ++r) {
        double numbers[VECTORS * TILE_WIDTH], *place = out + outs[r];
        const int is_whole = outs[r] + vectors * TILE_WIDTH <= end;
        for (size_t v = 0; v < vectors; ++v) *(T *)((is_whole ? place : numbers) + v * TILE_WIDTH) = acc[r][v];
        if (!is_whole) memcpy(place, numbers, (outs[r + 1] - outs[r]) * sizeof(double));
    }
}

static void matrix_of_rows(double *out, const uint32_t *outs, const double *left, const uint32_t *rows, ptrdiff_t row_step,
                           size_t row_count, const double *right, const uint32_t *columns, const uint32_t *firsts,
                           size_t terms) {
    for (size_t r = 0; r < row_count; r += SHORT) {
        const size_t height = row_count - r < SHORT ? row_count - r : SHORT;
        size_t width = 0;
        for (size_t i = r; i < r + height; ++i) width = outs[i + 1] - outs[i] > width ? outs[i + 1] - outs[i] : width;
#define TILE_OF_ROWS(vectors) \
    case vectors: \
        tile_of_rows(out, outs + r, outs[row_count], left, rows + r, row_step, height, right, columns, firsts + r, vectors, \
                     terms); \
        break;
        switch ((width + TILE_WIDTH - 1) / TILE_WIDTH) {
            TILE_OF_ROWS(1)
            TILE_OF_ROWS(2)
#if defined(__GNUC__)
            TILE_OF_ROWS(3)
#endif
#if defined(HALF_TILES)
            TILE_OF_ROWS(4)
            TILE_OF_ROWS(5)
            TILE_OF_ROWS(6)
#endif
        }
#undef TILE_OF_ROWS
    }
}

/* Dot products of each of some rows with each of some columns, for each lane. */
ALWAYS_INLINE void tile_of_each(double *out, size_t out_step, const double *memory, const uint32_t *rows, size_t height,
                                const uint32_t *columns, size_t width, size_t terms, size_t lanes) {
    for (size_t lane = 0; lane < lanes; lane += WIDTH) {
        V acc[EACH_ROWS][EACH_COLUMNS];
        for (size_t i = 0; i < height; ++i)
            for (size_t k = 0; k < width; ++k) acc[i][k] = MINUS_ZERO(V);
        for (size_t j = 0; j < terms; ++j) {
            V b[EACH_COLUMNS];
            for (size_t k = 0; k < width; ++k) b[k] = *(const V *)(memory + columns[k * terms + j] + lane);
            for (size_t i = 0; i < height; ++i) {
                const V a = *(const V *)(memory + rows[i * terms + j] + lane);
                for (size_t k = 0; k < width; ++k) acc[i][k] += a * b[k];
            }
        }
        for (size_t i = 0; i < height; ++i)
            for (size_t k = 0; k < width; ++k) *(V *)(out + (i * out_step + k) * lanes + lane) = acc[i][k];
    }
}

static void matrix_each(double *out, const double *memory, const uint32_t *rows, size_t row_count,
                        const uint32_t *columns, size_t column_count, size_t terms, size_t lanes) {
    size_t r = 0;
#define EACH_TILES(height, width) \
    for (; c + width <= column_count; c += width) \
        tile_of_each(out + (r * column_count + c) * lanes, column_count, memory, rows + r * terms, height, \
                     columns + c * terms, width, terms, lanes);
#define EACH_STRIPS(height) \
    for (; r + height <= row_count; r += height) { \
        size_t c = 0; \
        EACH_TILES(height, EACH_COLUMNS) \
        EACH_TILES(height, 1) \
    }
    EACH_STRIPS(EACH_ROWS)
    EACH_STRIPS(1)
#undef EACH_STRIPS
#undef EACH_TILES
}

/* Eight totals side by side, so that one need not wait for its own last addition. */
static void add_lanes(double *results, const uint32_t *totals, const double *memory, const uint32_t *numbers, size_t count,
                      size_t lanes) {
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        double total[8];
        const double *number[8];
        for (size_t k = 0; k < 8; ++k) total[k] = results[totals[i + k]], number[k] = memory + numbers[i + k];
        for (size_t lane = 0; lane < lanes; ++lane)
            for (size_t k = 0; k < 8; ++k) total[k] += number[k][lane];
        for (size_t k = 0; k < 8; ++k) results[totals[i + k]] = total[k];
    }
    for (; i < count; ++i) {
        double total = results[totals[i]];
        for (size_t lane = 0; lane < lanes; ++lane) total += memory[numbers[i] + lane];
        results[totals[i]] = total;
    }
}

static int all_finite(const double *numbers, size_t count) {
    V a = MINUS_ZERO(V), b = a, c = a, d = a; /* sums that need not wait for each other; 0 times what is not finite is nan */
    double ends[WIDTH], sum = 0.0;
    size_t i = 0;
    for (; i + 4 * WIDTH <= count; i += 4 * WIDTH) {
        const double *block = numbers + i;
        a += *(const V *)block * 0.0;
        b += *(const V *)(block + WIDTH) * 0.0;
        c += *(const V *)(block + 2 * WIDTH) * 0.0;
        d += *(const V *)(block + 3 * WIDTH) * 0.0;
    }
    for (; i < count; ++i) sum += numbers[i] * 0.0;
    *(V *)ends = (a + b) + (c + d);
    for (i = 0; i < WIDTH; ++i) sum += ends[i];
    return sum == 0.0;
}

/* The words of a step are its code and the places of its operands; those of a sum or a dot product its code, the number of
 * terms and the places. The code is that of the primitive, and PRIMITIVES more for the first operand, two times and four times
 * as many for the second and third, if it is the result of the step before, which then has no place: waiting until that can
 * be read again would take longer than most steps. The code 0 ends the chain, and PRIMITIVES prefetches words. Each code has
 * a step, and as many operands as that reads: `Code.check` has seen to it. */
static void chain(double *memory, const uint32_t *words, size_t first) {
    double *out = memory + first, last = 0.0;
#define NEXT(size) \
    *out++ = last; \
    words += size; \
    JUMP
#if defined(__GNUC__) /* each step jumps by itself: one jump for all of them, as of a switch, takes half as long again */
#define LABEL(code, mask) [code + mask * PRIMITIVES] = &&step_##code##_##mask,
#define STEP(code, mask) step_##code##_##mask:
#define JUMP goto *steps[*words];
    static const void *const steps[8 * PRIMITIVES] = {
        CHAIN_LABELS LABEL(0, 0) LABEL(0, 1) LABEL(INDEX_OF_sum, 0) LABEL(INDEX_OF_dot, 0)
    };
    JUMP
#else
#define STEP(code, mask) case code + mask * PRIMITIVES:
#define JUMP goto next;
next:
    switch (*words)
#endif
    {
        CHAIN_STEPS
        STEP(INDEX_OF_sum, 0) {
            const size_t terms = words[1];
            last = -0.0;
            for (size_t j = 2; j < terms + 2; ++j) last += memory[words[j]];
            NEXT(terms + 2)
        }
        STEP(INDEX_OF_dot, 0) {
            const size_t terms = words[1];
            last = -0.0;
            for (size_t j = 2; j < terms + 2; ++j) last += memory[words[j]] * memory[words[terms + j]];
            NEXT(2 * terms + 2)
        }
        STEP(0, 0) return;
        STEP(0, 1) { /* lets words come into the cache that are read later */
            PREFETCH(words + 512, 0);
            PREFETCH(words + 528, 0);
            ++words;
            JUMP
        }
    }
}

#define NAME_OF(name) #name
#define TEXT_OF(name) NAME_OF(name)

const Kernels *KERNELS(void) {
    static const Kernels kernels = {TEXT_OF(KERNELS), TILE,         find_loop,   gather,    map,       sums,       dots, matrix,
                                    matrix_of_rows,   panel_matrix, matrix_each, transpose, add_lanes, all_finite, chain};
    return &kernels;
}
