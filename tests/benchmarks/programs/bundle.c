/* The Jacobian of the reprojection errors of bundle adjustment, by hand; of functions.py.

   A camera is a rotation (three numbers, by Rodrigues's formula), a centre, a focal length, a principal point and two
   coefficients of radial distortion. An observation has 15 numbers: those of its camera, its point and its weight. */

#include <math.h>
#include <string.h>

enum { NUMBERS = 15 };

static double inner(const double *a, const double *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

static void cross(const double *a, const double *b, double *out) {
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}

/* The derivatives of both errors by the 15 numbers: two rows. */
static void observation(const double *numbers, const double *feature, double *jacobian) {
    const double *r = numbers, *centre = numbers + 3, *principal = numbers + 7, *point = numbers + 11;
    const double focal = numbers[6], k1 = numbers[9], k2 = numbers[10], weight = numbers[14];
    const double d[3] = {point[0] - centre[0], point[1] - centre[1], point[2] - centre[2]};
    const double square = inner(r, r), along = inner(r, d);
    double turned[3], y[3], c = 1.0, s = 1.0, v = 0.5, ds = 0.0, dv = 0.0; /* cos x, sin x / x, (1 - cos x) / x^2 */
    if (square > 0.0) {
        const double angle = sqrt(square), inverse = 1.0 / square;
        c = cos(angle), s = sin(angle) / angle, v = (1.0 - c) * inverse;
        ds = (c - s) * inverse, dv = (s - 2.0 * v) * inverse;
    }
    cross(r, d, turned);
    for (int i = 0; i < 3; i++) y[i] = c * d[i] + s * turned[i] + v * along * r[i];
    const double z = 1.0 / y[2], p[2] = {y[0] * z, y[1] * z};
    const double rr = p[0] * p[0] + p[1] * p[1], scale = 1.0 + k1 * rr + k2 * rr * rr, slope = 2.0 * (k1 + 2.0 * k2 * rr);
    for (int e = 0; e < 2; e++, jacobian += NUMBERS) {
        /* By the point of the picture, and by the rotated point. */
        const double wf = weight * focal, a = wf * (p[e] * p[0] * slope + (e == 0 ? scale : 0.0)),
                     b = wf * (p[e] * p[1] * slope + (e == 1 ? scale : 0.0));
        const double g[3] = {a * z, b * z, -(a * p[0] + b * p[1]) * z}, gr = inner(g, r);
        const double first = ds * inner(g, turned) + dv * along * gr - s * inner(g, d);
        double by_rotation[3], by_point[3], side[3];
        cross(d, g, side);
        for (int i = 0; i < 3; i++) by_rotation[i] = first * r[i] + s * side[i] + v * (gr * d[i] + along * g[i]);
        cross(g, r, side);
        for (int i = 0; i < 3; i++) by_point[i] = c * g[i] + s * side[i] + v * gr * r[i];
        for (int i = 0; i < 3; i++) {
            jacobian[i] = by_rotation[i];
            jacobian[3 + i] = -by_point[i];
            jacobian[11 + i] = by_point[i];
        }
        jacobian[6] = weight * p[e] * scale;
        jacobian[7 + e] = weight, jacobian[8 - e] = 0.0;
        jacobian[9] = wf * p[e] * rr;
        jacobian[10] = wf * p[e] * rr * rr;
        jacobian[14] = focal * p[e] * scale + principal[e] - feature[e];
    }
}

/* Those of many observations, several times over, for a measurement. */
void bundle(long times, long count, const double *numbers, const double *features, double *jacobians) {
    while (times--)
        for (long i = 0; i < count; i++)
            observation(numbers + i * NUMBERS, features + 2 * i, jacobians + i * 2 * NUMBERS);
}

/* The entries of the Jacobian of a whole problem, row by row: both errors of each observation, then 1 - w^2 of each
   weight. A pair is a camera and a point. */
void sparse(long times, long count, const double *cameras, const double *points, const double *weights, const long *pairs,
            const double *features, double *entries) {
    while (times--)
        for (long i = 0; i < count; i++) {
            double numbers[NUMBERS];
            memcpy(numbers, cameras + 11 * pairs[2 * i], 11 * sizeof *numbers);
            memcpy(numbers + 11, points + 3 * pairs[2 * i + 1], 3 * sizeof *numbers);
            numbers[14] = weights[i];
            observation(numbers, features + 2 * i, entries + i * 2 * NUMBERS);
            entries[count * 2 * NUMBERS + i] = -2.0 * weights[i];
        }
}
