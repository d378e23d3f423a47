/* The small functions of functions.py, by hand. Each runs several times over, for a measurement. */

#include <math.h>
#include <string.h>

static double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }

/* Rounds of training of the worked example's network, which has eight weights. */
void worked_example(long times, double *w) {
    const double x1 = 0.05, x2 = 0.1, t1 = 0.01, t2 = 0.99, rate = 0.5;
    double w1 = w[0], w2 = w[1], w3 = w[2], w4 = w[3], w5 = w[4], w6 = w[5], w7 = w[6], w8 = w[7];
    while (times--) {
        double h1 = sigmoid(w1 * x1 + w2 * x2 + 0.35), h2 = sigmoid(w3 * x1 + w4 * x2 + 0.35);
        double o1 = sigmoid(w5 * h1 + w6 * h2 + 0.6), o2 = sigmoid(w7 * h1 + w8 * h2 + 0.6);
        double d1 = (o1 - t1) * o1 * (1.0 - o1), d2 = (o2 - t2) * o2 * (1.0 - o2);
        double e1 = (d1 * w5 + d2 * w7) * h1 * (1.0 - h1), e2 = (d1 * w6 + d2 * w8) * h2 * (1.0 - h2);
        w1 -= rate * (e1 * x1), w2 -= rate * (e1 * x2), w3 -= rate * (e2 * x1), w4 -= rate * (e2 * x2);
        w5 -= rate * (d1 * h1), w6 -= rate * (d1 * h2), w7 -= rate * (d2 * h1), w8 -= rate * (d2 * h2);
    }
    w[0] = w1, w[1] = w2, w[2] = w3, w[3] = w4, w[4] = w5, w[5] = w6, w[6] = w7, w[7] = w8;
}

/* The gradient of the chained Rosenbrock function. */
void rosenbrock(long times, long count, const double *x, double *g) {
    while (times--) {
        g[0] = -400.0 * x[0] * (x[1] - x[0] * x[0]) - 2.0 * (1.0 - x[0]);
        for (long i = 1; i < count - 1; i++)
            g[i] = 200.0 * (x[i] - x[i - 1] * x[i - 1]) - 400.0 * x[i] * (x[i + 1] - x[i] * x[i]) - 2.0 * (1.0 - x[i]);
        g[count - 1] = 200.0 * (x[count - 1] - x[count - 2] * x[count - 2]);
    }
}

/* A chain of six operations a round, and its derivative. */
void chain(long times, long rounds, double first, double *result) {
    while (times--) {
        double x = first, slope = 1.0;
        for (long i = 0; i < rounds; i++) {
            slope = (slope + cos(x) * slope * 0.0001) * 1.0001 - slope * 0.0001;
            x = (x + sin(x) * 0.0001) * 1.0001 - x * 0.0001;
        }
        result[0] = x, result[1] = slope;
    }
}

/* The logarithm of a sum of exponentials, and its gradient. */
double log_sum_exp(long times, long count, const double *x, double *gradient) {
    double result = 0.0;
    while (times--) {
        double largest = x[0], sum = 0.0;
        for (long i = 1; i < count; i++) largest = x[i] > largest ? x[i] : largest;
        for (long i = 0; i < count; i++) sum += gradient[i] = exp(x[i] - largest);
        for (long i = 0; i < count; i++) gradient[i] /= sum;
        result = largest + log(sum);
    }
    return result;
}

/* Where the sum of squared distances of points from their nearest centroids falls: its gradient, and the diagonal of its
   matrix of second derivatives. */
void clusters(long times, long count, long centroids, long size, const double *places, const double *points,
              double *gradient, double *seconds) {
    while (times--) {
        memset(gradient, 0, centroids * size * sizeof *gradient), memset(seconds, 0, centroids * size * sizeof *seconds);
        for (long n = 0; n < count; n++, points += size) {
            double least = INFINITY;
            long nearest = 0;
            for (long k = 0; k < centroids; k++) {
                double distance = 0.0;
                for (long i = 0; i < size; i++) {
                    const double apart = places[k * size + i] - points[i];
                    distance += apart * apart;
                }
                if (distance < least) least = distance, nearest = k;
            }
            for (long i = 0; i < size; i++) {
                gradient[nearest * size + i] += 2.0 * (places[nearest * size + i] - points[i]);
                seconds[nearest * size + i] += 2.0;
            }
        }
        points -= count * size;
    }
}
