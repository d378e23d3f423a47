/* exp and tanh without a branch, so that a loop computes whole vectors: for programs that need not have the bits of the C
 * library. Each is within 2 units in the last place, and has the same bits on every processor. */

#pragma once

#include <math.h>
#include <stdint.h>

typedef union {
    double number;
    uint64_t bits;
} Bits;

static inline double number_of(uint64_t bits) {
    Bits both;
    both.bits = bits;
    return both.number;
}

static inline uint64_t bits_of(double number) {
    Bits both;
    both.number = number;
    return both.bits;
}

/* exp(x) = 2^k exp(r), where x = k log 2 + r with |r| <= log(2) / 2. log 2 is taken in two parts, of which the first has so
 * few digits that k times it is exact. The polynomial is that of degree 11 which is nearest to exp(r): within 2e-17. */
static inline double fast_exp(double x) {
    const double rounding = 0x1.8p52 + 2046.0; /* added, it leaves k + 2046 in the lowest bits: two biases of exponents */
    double sum, k, r, square, fourth, low, middle, high;
    uint64_t bits, half;
    x = x > 710.0 ? 710.0 : x; /* beyond are infinity and 0; nan stays */
    x = x < -746.0 ? -746.0 : x;
    sum = x * 0x1.71547652b82fep0 + rounding;
    k = sum - rounding;
    r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
    square = r * r; /* sums of four terms, which need not wait for each other */
    fourth = square * square;
    low = (0x1.0000000000001p-1 + 0x1.5555555555556p-3 * r) + (0x1.5555555553d68p-5 + 0x1.11111111109b5p-7 * r) * square;
    middle = (0x1.6c16c17889ef1p-10 + 0x1.a01a01a7c2efep-13 * r) + (0x1.a019b9149a41cp-16 + 0x1.71de0db2f6b19p-19 * r) * square;
    high = 0x1.28917c89a43a7p-22 + 0x1.af389ecfc4b9cp-26 * r;
    bits = bits_of(sum); /* 2^k itself may be too large, or too small */
    half = bits >> 1;
    return (1.0 + (r + (low + (middle + high * fourth) * fourth) * square)) * number_of(half << 52) *
           number_of((bits - half) << 52);
}

/* |x| = k log(2) / 2 + r, where k is even and r from -0.1 to 0.6; and tanh(r) = a / b, two polynomials that give it within
 * a share of 6e-18. Up to 0.6 k is 0, and tanh is r + (a - r b) / b, of which the second part is small and has no r in it to
 * cancel. Beyond it is 1 - 2 / (exp(2 |x|) + 1) = 1 + 2 (a - b) / (2^k (b + a) + (b - a)), with 2^(k - 1) for 2^k below.
 * Both are computed, and one is chosen by its bits: conditions would let a compiler compute all this for each outcome. */
static inline double fast_tanh(double x) {
    const double rounding = 0x1.8p53 + 1022.0; /* of which the lowest bit is 2: it leaves half of k + 1022 in the lowest ones */
    double size = fabs(x), sum, r, square, cube, p, q, a, rest, power, more, less, above, below;
    uint64_t bits, is_large;
    size = size > 20.0 ? 20.0 : size; /* from there on it is 1; nan stays */
    sum = (size * 0x1.71547652b82fep1 - 0.731) + rounding;
    r = size - (sum - rounding) * 0x1.62e42fefa39efp-2;
    square = r * r;
    cube = r * square;
    p = 0x1.0678fc90e6437p-3 + (0x1.6dfc19a1ffd39p-9 + 0x1.ed72eb8ffee54p-18 * square) * square;
    q = 0x1.d891d39dc8770p-2 + (0x1.7d960df53a2c5p-6 + 0x1.b10bc97f0c6d6p-13 * square) * square;
    a = r + cube * p;
    rest = square * q; /* b - 1 */
    bits = bits_of(sum) << 53;
    power = number_of(bits);
    more = power + 0.5;
    less = power - 0.5;
    is_large = 0 - (bits >> 62); /* all bits, if the power is 2 or more; it is 1/2 otherwise */
#define CHOSEN(large, small) number_of((bits_of(large) & is_large) | (bits_of(small) & ~is_large))
    above = CHOSEN((a - rest) - 1.0, cube * (p - q));
    below = (more * rest + less * a) + more;
    return copysign(CHOSEN(1.0, r) + above / below, x);
#undef CHOSEN
}
