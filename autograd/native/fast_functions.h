/* exp and tanh without a branch, so that a loop computes whole vectors: for programs that need not have the bits of the C
 * library. Each is within 2 units in the last place, and has the same bits on every processor. */

#pragma once

#include <math.h>
#include <stdint.h>

#define ROUNDING 0x1.8p52 /* added and taken away again, it rounds a number below 2^51 to a whole one */

/* 2^k, for a whole number k from -1022 to 1023. */
static inline double power_of_two(double k) {
    union {
        double number;
        uint64_t bits;
    } sum = {k + (ROUNDING + 1023.0)}; /* whose lowest bits are those of the exponent */
    sum.bits <<= 52;
    return sum.number;
}

/* k and exp(r) - 1, where x = k log 2 + r with |r| <= log(2) / 2: by the series of the exponential function up to r^13 / 13!,
 * which leaves out 1e-17 of the sum. log 2 is taken in two parts, of which the first has so few digits that k times it is
 * exact. */
static inline double reduced_expm1(double x, double *k, double *rest) {
    double r, square, fourth, low, middle, high, sum, power;
    *k = (x * 0x1.71547652b82fep0 + ROUNDING) - ROUNDING;
    r = (x - *k * 0x1.62e42feep-1) - *k * 0x1.a39ef35793c76p-33;
    square = r * r; /* sums of four terms, which need not wait for each other */
    fourth = square * square;
    low = (1.0 / 2.0 + 1.0 / 6.0 * r) + (1.0 / 24.0 + 1.0 / 120.0 * r) * square;
    middle = (1.0 / 720.0 + 1.0 / 5040.0 * r) + (1.0 / 40320.0 + 1.0 / 362880.0 * r) * square;
    high = (1.0 / 3628800.0 + 1.0 / 39916800.0 * r) + (1.0 / 479001600.0 + 1.0 / 6227020800.0 * r) * square;
    sum = (low + (middle + high * fourth) * fourth) * square;
    power = r + sum;
    *rest = (r - power) + sum; /* which the rounding of the sum leaves out */
    return power;
}

static inline double fast_exp(double x) {
    double k, half, power, rest;
    x = x > 710.0 ? 710.0 : x; /* beyond are infinity and 0; nan stays */
    x = x < -746.0 ? -746.0 : x;
    power = reduced_expm1(x, &k, &rest);
    half = (0.5 * k + ROUNDING) - ROUNDING; /* 2^k itself may be too large, or too small */
    return (1.0 + power) * power_of_two(half) * power_of_two(k - half);
}

/* As -e / (e + 2), where e = exp(-2 |x|) - 1 is at least -1. What the roundings of e and of e + 2 leave out is added at the
 * end, by the derivative (1 + t)^2 / 2 of the quotient t. */
static inline double fast_tanh(double x) {
    double k, r, power, scale, e, rest, sum, t;
    const double twice = -2.0 * fabs(x);
    power = reduced_expm1(twice < -60.0 ? -60.0 : twice, &k, &rest); /* from there on it is 1 */
    scale = power_of_two(k);
    r = scale * power;
    e = (scale - 1.0) + r;
    rest = (r - (e - (scale - 1.0))) + scale * rest;
    sum = e + 2.0;
    t = -e / sum;
    return copysign(t - 0.5 * (1.0 + t) * (rest * (1.0 + t) + t * (e - (sum - 2.0))), x);
}

#undef ROUNDING
