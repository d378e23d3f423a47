/* The loss and the gradients of nn/examples/gpt.py, forward and backward written by hand.

   Every sum is added in the order of the scalar program. The numbers of a feature lie side by side for all positions, and
   a matrix product keeps a sum for each position in registers: with plain loops, gcc 12 takes twice as long. Tokens are
   looked up by index, where the scalar program multiplies by rows of zeros and a one. */

#include <math.h>
#include <string.h>

enum { TOKENS = 27, POSITIONS = 16, WIDTH = 16, HEADS = 4, SIZE = WIDTH / HEADS, WIDE = 4 * WIDTH };

typedef struct {
    double token_embedding[TOKENS][WIDTH];
    double position_embedding[POSITIONS][WIDTH];
    double query[WIDTH][WIDTH], key[WIDTH][WIDTH], value[WIDTH][WIDTH], output[WIDTH][WIDTH];
    double widen[WIDE][WIDTH];
    double narrow[WIDTH][WIDE];
    double head[TOKENS][WIDTH];
} Parameters;

typedef double Row[POSITIONS]; /* one feature at all positions */
typedef double Vector __attribute__((vector_size(POSITIONS * sizeof(double)), aligned(8))); /* the same in registers */

/* y = W x */
static inline void linear(int outputs, int inputs, const double *W, const Row *x, Row *y) {
    for (int o = 0; o < outputs; o++) {
        Vector sum = {0};
        for (int i = 0; i < inputs; i++) {
            sum += W[o * inputs + i] * *(const Vector *)x[i];
        }
        *(Vector *)y[o] = sum;
    }
}

/* dx += Wᵀ dy and dW += dy xᵀ */
static inline void linear_backward(int outputs, int inputs, const double *W, const Row *x, const Row *dy, Row *dx, double *dW) {
    double across[POSITIONS][WIDE];
    for (int i = 0; i < inputs; i++)
        for (int p = 0; p < POSITIONS; p++) across[p][i] = x[i][p];
    for (int i = 0; i < inputs; i++) {
        Vector sum = *(Vector *)dx[i];
        for (int o = 0; o < outputs; o++) sum += W[o * inputs + i] * *(const Vector *)dy[o];
        *(Vector *)dx[i] = sum;
    }
    for (int o = 0; o < outputs; o++)
        for (int first = 0; first < inputs; first += WIDTH) {
            Vector sum = *(Vector *)(dW + o * inputs + first);
            for (int p = 0; p < POSITIONS; p++) sum += dy[o][p] * *(const Vector *)(across[p] + first);
            *(Vector *)(dW + o * inputs + first) = sum;
        }
}

static inline void normalise(const Row *x, Row scale, Row *y) {
    Row squares = {0};
    for (int i = 0; i < WIDTH; i++)
        for (int p = 0; p < POSITIONS; p++) squares[p] += x[i][p] * x[i][p];
    for (int p = 0; p < POSITIONS; p++) scale[p] = 1.0 / sqrt(squares[p] / WIDTH + 1e-5);
    for (int i = 0; i < WIDTH; i++)
        for (int p = 0; p < POSITIONS; p++) y[i][p] = x[i][p] * scale[p];
}

/* dx += the gradient through y = x * scale(x) */
static inline void normalise_backward(const Row *x, const Row scale, const Row *dy, Row *dx) {
    Row product = {0};
    for (int i = 0; i < WIDTH; i++)
        for (int p = 0; p < POSITIONS; p++) product[p] += x[i][p] * dy[i][p];
    for (int p = 0; p < POSITIONS; p++) product[p] *= scale[p] * scale[p] * scale[p] / WIDTH;
    for (int i = 0; i < WIDTH; i++)
        for (int p = 0; p < POSITIONS; p++) dx[i][p] += dy[i][p] * scale[p] - x[i][p] * product[p];
}

/* The loss; the gradients are added to `g`. */
double gpt(const Parameters *w, Parameters *g, const int *tokens, const int *targets, const double *weights) {
    Row embedded[WIDTH], x1[WIDTH], a[WIDTH], q[WIDTH], k[WIDTH], v[WIDTH], heads[WIDTH], x2[WIDTH], b[WIDTH];
    Row wide[WIDE], relu[WIDE], x3[WIDTH], logits[TOKENS], scale0, scale1, scale2;
    double shares[HEADS][POSITIONS][POSITIONS];

    for (int p = 0; p < POSITIONS; p++)
        for (int i = 0; i < WIDTH; i++)
            embedded[i][p] = w->token_embedding[tokens[p]][i] + w->position_embedding[p][i];
    normalise(embedded, scale0, x1);
    normalise(x1, scale1, a);
    linear(WIDTH, WIDTH, &w->query[0][0], a, q);
    linear(WIDTH, WIDTH, &w->key[0][0], a, k);
    linear(WIDTH, WIDTH, &w->value[0][0], a, v);
    for (int h = 0; h < HEADS; h++)
        for (int t = 0; t < POSITIONS; t++) {
            Row score = {0};
            for (int d = h * SIZE; d < (h + 1) * SIZE; d++)
                for (int s = 0; s < POSITIONS; s++) score[s] += q[d][t] * k[d][s];
            double total = 0.0, *share = shares[h][t];
            for (int s = 0; s <= t; s++) share[s] = exp(score[s] / 2.0); /* √SIZE is 2 */
            for (int s = 0; s <= t; s++) total += share[s];
            for (int s = 0; s <= t; s++) share[s] /= total;
            for (int d = h * SIZE; d < (h + 1) * SIZE; d++) {
                double sum = 0.0;
                for (int s = 0; s <= t; s++) sum += share[s] * v[d][s];
                heads[d][t] = sum;
            }
        }
    linear(WIDTH, WIDTH, &w->output[0][0], heads, x2);
    for (int i = 0; i < WIDTH; i++)
        for (int p = 0; p < POSITIONS; p++) x2[i][p] = x1[i][p] + x2[i][p];
    normalise(x2, scale2, b);
    linear(WIDE, WIDTH, &w->widen[0][0], b, wide);
    for (int i = 0; i < WIDE; i++)
        for (int p = 0; p < POSITIONS; p++) relu[i][p] = wide[i][p] > 0.0 ? wide[i][p] : 0.0;
    linear(WIDTH, WIDE, &w->narrow[0][0], relu, x3);
    for (int i = 0; i < WIDTH; i++)
        for (int p = 0; p < POSITIONS; p++) x3[i][p] = x2[i][p] + x3[i][p];
    linear(TOKENS, WIDTH, &w->head[0][0], x3, logits);

    double loss = 0.0;
    Row d_logits[TOKENS], totals = {0};
    for (int c = 0; c < TOKENS; c++)
        for (int p = 0; p < POSITIONS; p++) d_logits[c][p] = exp(logits[c][p]);
    for (int c = 0; c < TOKENS; c++)
        for (int p = 0; p < POSITIONS; p++) totals[p] += d_logits[c][p];
    for (int p = 0; p < POSITIONS; p++) {
        loss += weights[p] * (log(totals[p]) - logits[targets[p]][p]);
        totals[p] = weights[p] / totals[p];
    }
    for (int c = 0; c < TOKENS; c++)
        for (int p = 0; p < POSITIONS; p++) d_logits[c][p] *= totals[p];
    for (int p = 0; p < POSITIONS; p++) d_logits[targets[p]][p] -= weights[p];

    Row dx[WIDTH] = {0}, d_wide[WIDE] = {0}, d_b[WIDTH] = {0}, d_heads[WIDTH] = {0}, d_a[WIDTH] = {0};
    Row d_q[WIDTH] = {0}, d_k[WIDTH] = {0}, d_v[WIDTH] = {0}, d_embedded[WIDTH] = {0};
    linear_backward(TOKENS, WIDTH, &w->head[0][0], x3, d_logits, dx, &g->head[0][0]);
    linear_backward(WIDTH, WIDE, &w->narrow[0][0], relu, dx, d_wide, &g->narrow[0][0]);
    for (int i = 0; i < WIDE; i++)
        for (int p = 0; p < POSITIONS; p++) d_wide[i][p] = wide[i][p] > 0.0 ? d_wide[i][p] : 0.0;
    linear_backward(WIDE, WIDTH, &w->widen[0][0], b, d_wide, d_b, &g->widen[0][0]);
    normalise_backward(x2, scale2, d_b, dx);
    linear_backward(WIDTH, WIDTH, &w->output[0][0], heads, dx, d_heads, &g->output[0][0]);
    for (int h = 0; h < HEADS; h++)
        for (int t = 0; t < POSITIONS; t++) {
            const double *share = shares[h][t];
            Row d_share = {0};
            double product = 0.0;
            for (int d = h * SIZE; d < (h + 1) * SIZE; d++) {
                double d_head = d_heads[d][t];
                for (int s = 0; s <= t; s++) {
                    d_share[s] += d_head * v[d][s];
                    d_v[d][s] += d_head * share[s];
                }
            }
            for (int s = 0; s <= t; s++) product += d_share[s] * share[s];
            for (int s = 0; s <= t; s++) d_share[s] = share[s] * (d_share[s] - product) / 2.0;
            for (int d = h * SIZE; d < (h + 1) * SIZE; d++) {
                double sum = 0.0, q_d = q[d][t];
                for (int s = 0; s <= t; s++) {
                    sum += d_share[s] * k[d][s];
                    d_k[d][s] += d_share[s] * q_d;
                }
                d_q[d][t] = sum;
            }
        }
    linear_backward(WIDTH, WIDTH, &w->query[0][0], a, d_q, d_a, &g->query[0][0]);
    linear_backward(WIDTH, WIDTH, &w->key[0][0], a, d_k, d_a, &g->key[0][0]);
    linear_backward(WIDTH, WIDTH, &w->value[0][0], a, d_v, d_a, &g->value[0][0]);
    normalise_backward(x1, scale1, d_a, dx);
    normalise_backward(embedded, scale0, dx, d_embedded);
    for (int p = 0; p < POSITIONS; p++)
        for (int i = 0; i < WIDTH; i++) {
            g->token_embedding[tokens[p]][i] += d_embedded[i][p];
            g->position_embedding[p][i] += d_embedded[i][p];
        }
    return loss;
}

/* The mean loss of some documents and its gradients; the same several times over, for a measurement. */
double gpt_mean(long times, long count, const Parameters *w, Parameters *g, const int *tokens, const int *targets, const double *weights) {
    double loss = 0.0;
    while (times--) {
        loss = 0.0;
        memset(g, 0, sizeof *g);
        for (long n = 0; n < count; n++)
            loss += gpt(w, g, tokens + n * POSITIONS, targets + n * POSITIONS, weights + n * POSITIONS);
        if (count > 1) {
            double *numbers = (double *)g;
            for (long i = 0; i < (long)(sizeof *g / sizeof(double)); i++) numbers[i] /= count;
        }
    }
    return loss / count;
}

/* A step of gradient descent with each document; the loss before the last step. */
double gpt_descend(long count, Parameters *w, Parameters *g, const int *tokens, const int *targets, const double *weights, double rate) {
    double loss = 0.0, *numbers = (double *)w, *slopes = (double *)g;
    for (long n = 0; n < count; n++) {
        memset(g, 0, sizeof *g);
        loss = gpt(w, g, tokens + n * POSITIONS, targets + n * POSITIONS, weights + n * POSITIONS);
        for (long i = 0; i < (long)(sizeof *g / sizeof(double)); i++) numbers[i] -= rate * slopes[i];
    }
    return loss;
}
