/* The likelihood of a Gaussian mixture with its prior, and the gradient, by hand; of objectives.py. */

#include <math.h>
#include <string.h>

/* Shares that add up to 1 in place of their logarithms, and the logarithm of the sum. */
static double log_sum_exp(long count, double *terms) {
    double largest = terms[0], sum = 0.0;
    for (long k = 1; k < count; k++) largest = fmax(largest, terms[k]);
    for (long k = 0; k < count; k++) sum += terms[k] = exp(terms[k] - largest);
    for (long k = 0; k < count; k++) terms[k] /= sum;
    return largest + log(sum);
}

/* A factor is lower triangular: the logarithms of the diagonal, then the columns below it. The gradient has the order of
   the parameters. The constants are those of the prior, and all that does not depend on the parameters. */
static double likelihood(long count, long size, long components, const double *weights, const double *means,
                         const double *factors, const double *points, const double *constants, double *gradient) {
    const double gamma = constants[0], m = constants[1];
    const long length = size * (size + 1) / 2;
    double *by_weight = gradient, *by_mean = by_weight + components, *by_factor = by_mean + components * size;
    double diagonal[components * size], logarithms[components], y[components * size], z[components * size];
    double shares[components], total = constants[2];
    memset(gradient, 0, (components * (1 + size + length)) * sizeof *gradient);
    for (long k = 0; k < components; k++) {
        logarithms[k] = 0.0;
        for (long i = 0; i < size; i++) {
            diagonal[k * size + i] = exp(factors[k * length + i]);
            logarithms[k] += factors[k * length + i];
        }
    }
    for (long n = 0; n < count; n++) {
        for (long k = 0; k < components; k++) {
            const double *x = points + n * size, *mean = means + k * size, *below = factors + k * length + size;
            double *yk = y + k * size, *zk = z + k * size, square = 0.0;
            for (long i = 0; i < size; i++) {
                yk[i] = x[i] - mean[i];
                zk[i] = diagonal[k * size + i] * yk[i];
            }
            for (long j = 0; j < size; j++)
                for (long i = j + 1; i < size; i++) zk[i] += *below++ * yk[j];
            for (long i = 0; i < size; i++) square += zk[i] * zk[i];
            shares[k] = weights[k] + logarithms[k] - 0.5 * square;
        }
        total += log_sum_exp(components, shares);
        for (long k = 0; k < components; k++) {
            const double *below = factors + k * length + size, *yk = y + k * size, share = shares[k];
            double *zk = z + k * size, *mean = by_mean + k * size, *factor = by_factor + k * length;
            by_weight[k] += share;
            for (long i = 0; i < size; i++) {
                zk[i] *= share;
                const double scaled = diagonal[k * size + i] * zk[i];
                *factor++ += share - scaled * yk[i];
                mean[i] += scaled;
            }
            for (long j = 0; j < size; j++) {
                double sum = 0.0;
                for (long i = j + 1; i < size; i++) {
                    *factor++ -= zk[i] * yk[j];
                    sum += *below++ * zk[i];
                }
                mean[j] += sum;
            }
        }
    }
    memcpy(shares, weights, sizeof shares);
    total -= count * log_sum_exp(components, shares);
    for (long k = 0; k < components; k++) {
        by_weight[k] -= count * shares[k];
        for (long i = 0; i < length; i++) {
            const double q = factors[k * length + i], entry = i < size ? diagonal[k * size + i] : q;
            total += (i < size ? m * q : 0.0) - 0.5 * gamma * gamma * entry * entry;
            by_factor[k * length + i] += i < size ? m - gamma * gamma * entry * entry : -gamma * gamma * entry;
        }
    }
    return total;
}

/* The same several times over, for a measurement. */
double mixture(long times, long count, long size, long components, const double *weights, const double *means,
               const double *factors, const double *points, const double *constants, double *gradient) {
    double total = 0.0;
    while (times--)
        total = likelihood(count, size, components, weights, means, factors, points, constants, gradient);
    return total;
}
