/* A 2-16-16-1 network as functions.py writes it, over many rows: the mean of half the squared errors, and its gradients.

   Blocks of rows lie side by side, and every sum over features or rows stays in registers over a block. Compiled with
   -DTANH or -DRELU. */

#include <math.h>
#include <string.h>

enum { INPUTS = 2, WIDTH = 16, BLOCK = 16 };

typedef struct {
    double first[WIDTH][INPUTS], first_bias[WIDTH], second[WIDTH][WIDTH], second_bias[WIDTH], third[WIDTH], third_bias;
} Parameters;

typedef double Vector __attribute__((vector_size(BLOCK * sizeof(double)), aligned(8))); /* a number for each row */
typedef double Row[BLOCK];

#define LOAD(numbers) (*(const Vector *)(numbers))

#ifdef TANH
#define ACTIVATION(x) tanh(x)
#define BACK(gradient, out) ((gradient) * (1.0 - (out) * (out)))
#else
#define ACTIVATION(x) ((x) > 0.0 ? (x) : 0.0)
#define BACK(gradient, out) ((out) > 0.0 ? (gradient) : 0.0)
#endif

static void activate(Row *nets) {
    double *numbers = nets[0];
    for (int n = 0; n < WIDTH * BLOCK; n++) numbers[n] = ACTIVATION(numbers[n]);
}

static void back(Row *gradients, const Row *outs) {
    double *numbers = gradients[0];
    const double *out = outs[0];
    for (int n = 0; n < WIDTH * BLOCK; n++) numbers[n] = BACK(numbers[n], out[n]);
}

static double total(const Vector *numbers) {
    double sum = 0.0;
    for (int r = 0; r < BLOCK; r++) sum += (*numbers)[r];
    return sum;
}

/* The sums over the rows of what has no matrix. */
typedef struct {
    Vector first[INPUTS], first_bias, second_bias, third, third_bias, loss;
} Sums;

static void block(const Parameters *w, Parameters *g, Sums *sums, int count, const double *inputs, const double *targets) {
    Row x[INPUTS] = {0}, target = {0}, there = {0}, one[WIDTH], two[WIDTH], d_two[WIDTH], d_one[WIDTH];
    double one_across[BLOCK][WIDTH], two_across[BLOCK][WIDTH], d_across[BLOCK][WIDTH];
    for (int r = 0; r < count; r++) x[0][r] = inputs[r * INPUTS], x[1][r] = inputs[r * INPUTS + 1];
    for (int r = 0; r < count; r++) target[r] = targets[r], there[r] = 1.0;
    for (int o = 0; o < WIDTH; o++)
        *(Vector *)one[o] = w->first[o][0] * LOAD(x[0]) + w->first[o][1] * LOAD(x[1]) + w->first_bias[o];
    activate(one);
    for (int o = 0; o < WIDTH; o++) {
        Vector sum = w->second[o][0] * LOAD(one[0]);
        for (int i = 1; i < WIDTH; i++) sum += w->second[o][i] * LOAD(one[i]);
        *(Vector *)two[o] = sum + w->second_bias[o];
    }
    activate(two);
    Vector out = w->third[0] * LOAD(two[0]);
    for (int i = 1; i < WIDTH; i++) out += w->third[i] * LOAD(two[i]);
    Vector d_out = (out + w->third_bias - LOAD(target)) * LOAD(there);
    sums->loss += 0.5 * d_out * d_out;
    sums->third_bias += d_out;

    for (int i = 0; i < WIDTH; i++) *(Vector *)d_two[i] = w->third[i] * d_out;
    back(d_two, two);
    for (int i = 0; i < WIDTH; i++) {
        Vector sum = w->second[0][i] * LOAD(d_two[0]);
        for (int o = 1; o < WIDTH; o++) sum += w->second[o][i] * LOAD(d_two[o]);
        *(Vector *)d_one[i] = sum;
    }
    back(d_one, one);
    for (int i = 0; i < WIDTH; i++)
        for (int r = 0; r < BLOCK; r++) one_across[r][i] = one[i][r], two_across[r][i] = two[i][r];
    for (int o = 0; o < WIDTH; o++) { /* from here on a vector holds a number for each feature */
        Vector sum = LOAD(g->second[o]);
        for (int r = 0; r < BLOCK; r++) sum += d_two[o][r] * LOAD(one_across[r]);
        *(Vector *)g->second[o] = sum;
    }
    for (int r = 0; r < BLOCK; r++) sums->third += d_out[r] * LOAD(two_across[r]);
    for (int o = 0; o < WIDTH; o++)
        for (int r = 0; r < BLOCK; r++) d_across[r][o] = d_two[o][r];
    for (int r = 0; r < BLOCK; r++) sums->second_bias += LOAD(d_across[r]);
    for (int o = 0; o < WIDTH; o++)
        for (int r = 0; r < BLOCK; r++) d_across[r][o] = d_one[o][r];
    for (int r = 0; r < BLOCK; r++) {
        sums->first[0] += LOAD(d_across[r]) * x[0][r];
        sums->first[1] += LOAD(d_across[r]) * x[1][r];
        sums->first_bias += LOAD(d_across[r]);
    }
}

/* The same several times over, for a measurement. */
double network_mean(long times, long rows, const Parameters *w, Parameters *g, const double *inputs, const double *targets) {
    double loss = 0.0, *numbers = (double *)g;
    while (times--) {
        Sums sums;
        memset(&sums, 0, sizeof sums);
        memset(g, 0, sizeof *g);
        for (long first = 0; first < rows; first += BLOCK) {
            int count = rows - first < BLOCK ? (int)(rows - first) : BLOCK;
            block(w, g, &sums, count, inputs + first * INPUTS, targets + first);
        }
        for (int i = 0; i < INPUTS; i++)
            for (int o = 0; o < WIDTH; o++) g->first[o][i] = sums.first[i][o];
        *(Vector *)g->first_bias = sums.first_bias;
        *(Vector *)g->second_bias = sums.second_bias;
        *(Vector *)g->third = sums.third;
        g->third_bias = total(&sums.third_bias);
        loss = total(&sums.loss);
        for (long i = 0; i < (long)(sizeof *g / sizeof(double)); i++) numbers[i] /= rows;
    }
    return loss / rows;
}
