/* The loss of a model of characters of long short-term memories, and the gradient, by hand; of objectives.py. */

#include <math.h>
#include <string.h>

enum { X, HIDDEN, CELL, KEPT, TAKEN, LEFT, NEW, SQUASHED, STORED }; /* what each step keeps of a layer */

static double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }

/* Gates stand in the order forget, enter, leave, change; weights before biases. `work` holds what all steps keep, and
   the slopes by the states. */
static double loss_and_gradient(long count, long layers, long bits, const double *main, const double *extra,
                                const double *state, const double *characters, double *gradient, double *work) {
    const long steps = count - 1, block = STORED * bits;
    const double scale = -1.0 / (steps * bits);
    double hidden[layers * bits], cell[layers * bits], x[bits], guess[bits], g[bits], total = 0.0;
    double *by_extra = gradient + layers * 8 * bits, *shares = work + steps * layers * block;
    double *by_hidden = shares + steps * bits, *by_cell = by_hidden + layers * bits;
    memset(gradient, 0, (layers * 8 + 3) * bits * sizeof *gradient);
    for (long l = 0; l < layers; l++) {
        memcpy(hidden + l * bits, state + 2 * l * bits, bits * sizeof *state);
        memcpy(cell + l * bits, state + (2 * l + 1) * bits, bits * sizeof *state);
    }
    for (long t = 0; t < steps; t++) {
        const double *in = characters + t * bits, *target = in + bits;
        double sum = 2.0;
        for (long i = 0; i < bits; i++) x[i] = in[i] * extra[i];
        for (long l = 0; l < layers; l++) {
            const double *w = main + l * 8 * bits, *b = w + 4 * bits;
            double *kept = work + (t * layers + l) * block, *h = hidden + l * bits, *c = cell + l * bits;
            for (long i = 0; i < bits; i++) {
                kept[X * bits + i] = x[i], kept[HIDDEN * bits + i] = h[i], kept[CELL * bits + i] = c[i];
                const double forget = sigmoid(x[i] * w[i] + b[i]);
                const double enter = sigmoid(h[i] * w[bits + i] + b[bits + i]);
                const double leave = sigmoid(x[i] * w[2 * bits + i] + b[2 * bits + i]);
                const double change = tanh(h[i] * w[3 * bits + i] + b[3 * bits + i]);
                c[i] = c[i] * forget + enter * change;
                const double squashed = tanh(c[i]);
                x[i] = h[i] = leave * squashed;
                kept[KEPT * bits + i] = forget, kept[TAKEN * bits + i] = enter, kept[LEFT * bits + i] = leave;
                kept[NEW * bits + i] = change, kept[SQUASHED * bits + i] = squashed;
            }
        }
        for (long i = 0; i < bits; i++) {
            guess[i] = x[i] * extra[bits + i] + extra[2 * bits + i];
            sum += shares[t * bits + i] = exp(guess[i]);
        }
        const double logarithm = log(sum);
        for (long i = 0; i < bits; i++) {
            total += target[i] * (guess[i] - logarithm);
            shares[t * bits + i] /= sum;
        }
    }
    memset(by_hidden, 0, 2 * layers * bits * sizeof *by_hidden);
    for (long t = steps; t--;) {
        const double *in = characters + t * bits, *target = in + bits;
        const double *last = work + (t * layers + layers - 1) * block;
        double targets = 0.0;
        for (long i = 0; i < bits; i++) targets += target[i];
        for (long i = 0; i < bits; i++) {
            const double slope = scale * (target[i] - targets * shares[t * bits + i]);
            by_extra[bits + i] += slope * last[LEFT * bits + i] * last[SQUASHED * bits + i];
            by_extra[2 * bits + i] += slope;
            g[i] = slope * extra[bits + i];
        }
        for (long l = layers; l--;) {
            const double *w = main + l * 8 * bits, *kept = work + (t * layers + l) * block;
            double *dw = gradient + l * 8 * bits, *db = dw + 4 * bits, *dh = by_hidden + l * bits, *dc = by_cell + l * bits;
            for (long i = 0; i < bits; i++) {
                const double x = kept[X * bits + i], h = kept[HIDDEN * bits + i], c = kept[CELL * bits + i];
                const double forget = kept[KEPT * bits + i], enter = kept[TAKEN * bits + i], leave = kept[LEFT * bits + i];
                const double change = kept[NEW * bits + i], squashed = kept[SQUASHED * bits + i];
                const double out = g[i] + dh[i], inner = dc[i] + out * leave * (1.0 - squashed * squashed);
                const double by_leave = out * squashed * leave * (1.0 - leave);
                const double by_forget = inner * c * forget * (1.0 - forget);
                const double by_enter = inner * change * enter * (1.0 - enter);
                const double by_change = inner * enter * (1.0 - change * change);
                dw[i] += by_forget * x, db[i] += by_forget;
                dw[bits + i] += by_enter * h, db[bits + i] += by_enter;
                dw[2 * bits + i] += by_leave * x, db[2 * bits + i] += by_leave;
                dw[3 * bits + i] += by_change * h, db[3 * bits + i] += by_change;
                dc[i] = inner * forget;
                dh[i] = by_enter * w[bits + i] + by_change * w[3 * bits + i];
                g[i] = by_forget * w[i] + by_leave * w[2 * bits + i];
            }
        }
        for (long i = 0; i < bits; i++) by_extra[i] += g[i] * in[i];
    }
    return scale * total;
}

/* The same several times over, for a measurement. */
double text(long times, long count, long layers, long bits, const double *main, const double *extra, const double *state,
            const double *characters, double *gradient, double *work) {
    double loss = 0.0;
    while (times--) loss = loss_and_gradient(count, layers, bits, main, extra, state, characters, gradient, work);
    return loss;
}
