/* The Jacobian of the errors of hand tracking, by hand; of objectives.py.

   A row has the slopes by the two coordinates of its own point, then by the 26 angles of the hand. */

#include <math.h>
#include <string.h>

enum { BONES = 22, PARTS = 4, ANGLES = 26, COLUMNS = 2 + ANGLES };

/* How a bone stands: a rotation, row by row, and an origin; and both by the angles of its finger. */
typedef struct {
    double rotation[9], origin[3], by_angle[PARTS][12];
    int angles, first;
} Frame;

static void product(const double *a, const double *b, double *out) {
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) out[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
}

static void apply(const double *a, const double *x, double *out) {
    for (int i = 0; i < 3; i++) out[i] = a[3 * i] * x[0] + a[3 * i + 1] * x[1] + a[3 * i + 2] * x[2];
}

/* The matrix of a joint, which turns around the first axis and then around the third, and its slopes. */
static void bent(double first, double second, double *matrix, double *by_first, double *by_second) {
    const double c = cos(first), s = sin(first), d = cos(second), t = sin(second);
    const double value[9] = {d, -t * c, t * s, t, d * c, -d * s, 0.0, s, c};
    const double slope[9] = {0.0, t * s, t * c, 0.0, -d * s, -d * c, 0.0, c, -s};
    const double other[9] = {-t, -d * c, d * s, d, -t * c, t * s, 0.0, 0.0, 0.0};
    memcpy(matrix, value, sizeof value), memcpy(by_first, slope, sizeof slope), memcpy(by_second, other, sizeof other);
}

/* The matrix that turns around a vector by its length: c I + s K + v r r', where K x = r × x; and its slopes. */
static void turned(const double *r, double *matrix, double slopes[3][9]) {
    const double square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2], angle = sqrt(square), c = cos(angle);
    const double s = sin(angle) / angle, v = (1.0 - c) / square, ds = (c - s) / square, dv = (s - 2.0 * v) / square;
    const double cross[9] = {0.0, -r[2], r[1], r[2], 0.0, -r[0], -r[1], r[0], 0.0};
    for (int i = 0; i < 9; i++) {
        const double both = r[i / 3] * r[i % 3], diagonal = i % 4 == 0;
        matrix[i] = c * diagonal + s * cross[i] + v * both;
        for (int k = 0; k < 3; k++)
            slopes[k][i] = r[k] * (dv * both + ds * cross[i] - s * diagonal) +
                           v * ((i / 3 == k) * r[i % 3] + (i % 3 == k) * r[i / 3]);
    }
    for (int k = 0; k < 3; k++) {
        const int next = (k + 1) % 3, after = (k + 2) % 3;
        slopes[k][3 * after + next] += s, slopes[k][3 * next + after] -= s;
    }
}

/* Each bone in the frame of the hand. */
static void pose(const long *parents, const double *relatives, const double *angles, Frame *frames) {
    for (int bone = 0; bone < BONES; bone++) {
        static const int counts[PARTS] = {0, 2, 3, 4};
        Frame *frame = frames + bone;
        const int is_finger = bone > 0 && bone < BONES - 1, part = is_finger ? (bone - 1) % PARTS : 0;
        const double *relative = relatives + 12 * bone;
        double rotation[9], origin[3], local[3][9];
        for (int i = 0; i < 3; i++) memcpy(rotation + 3 * i, relative + 4 * i, 3 * sizeof *rotation), origin[i] = relative[4 * i + 3];
        frame->angles = is_finger ? counts[part] : 0, frame->first = is_finger ? 6 + PARTS * ((bone - 1) / PARTS) : 0;
        const int before = part > 0 ? counts[part - 1] : 0;
        memcpy(local[0], rotation, sizeof rotation);
        if (part > 0) {
            double bend[9], slope[9], other[9];
            bent(angles[frame->first + before], part == 1 ? angles[frame->first + 1] : 0.0, bend, slope, other);
            product(rotation, bend, local[0]), product(rotation, slope, local[1]), product(rotation, other, local[2]);
        }
        if (parents[bone] < 0) {
            memcpy(frame->rotation, local[0], sizeof rotation), memcpy(frame->origin, origin, sizeof origin);
            continue;
        }
        const Frame *parent = frames + parents[bone];
        product(parent->rotation, local[0], frame->rotation), apply(parent->rotation, origin, frame->origin);
        for (int i = 0; i < 3; i++) frame->origin[i] += parent->origin[i];
        for (int k = 0; k < frame->angles; k++) {
            double *slopes = frame->by_angle[k];
            if (k < before) {
                product(parent->by_angle[k], local[0], slopes), apply(parent->by_angle[k], origin, slopes + 9);
                for (int i = 0; i < 3; i++) slopes[9 + i] += parent->by_angle[k][9 + i];
            } else {
                product(parent->rotation, local[1 + k - before], slopes), memset(slopes + 9, 0, 3 * sizeof *slopes);
            }
        }
    }
}

/* A corner of a triangle is a vertex, which follows the bones from starts[vertex] to starts[vertex + 1]: each by a share,
   and from a place in the frame of the bone. */
static void jacobian(long count, const long *parents, const double *relatives, const long *starts, const long *bones,
                     const double *shares, const double *rests, const long *corners, const double *angles,
                     const double *places, double *out) {
    Frame frames[BONES];
    double rotation[9], slopes[3][9];
    pose(parents, relatives, angles, frames), turned(angles, rotation, slopes);
    memset(out, 0, 3 * count * COLUMNS * sizeof *out);
    for (long n = 0; n < count; n++, out += 3 * COLUMNS) {
        const double u = places[2 * n], v = places[2 * n + 1], parts[3] = {u, v, 1.0 - u - v};
        double skin[3][3] = {{0.0}}, by_angle[ANGLES][3] = {{0.0}}, reached[3], turned_slope[3], edge[3];
        for (int corner = 0; corner < 3; corner++)
            for (long at = starts[corners[3 * n + corner]]; at < starts[corners[3 * n + corner] + 1]; at++) {
                const Frame *frame = frames + bones[at];
                const double *rest = rests + 3 * at, share = shares[at], part = share * parts[corner];
                double moved[3];
                apply(frame->rotation, rest, moved);
                for (int i = 0; i < 3; i++) skin[corner][i] += share * (moved[i] + frame->origin[i]);
                for (int k = 0; k < frame->angles; k++) {
                    apply(frame->by_angle[k], rest, moved);
                    for (int i = 0; i < 3; i++)
                        by_angle[frame->first + k][i] += part * (moved[i] + frame->by_angle[k][9 + i]);
                }
            }
        for (int i = 0; i < 3; i++) reached[i] = u * skin[0][i] + v * skin[1][i] + parts[2] * skin[2][i];
        for (int corner = 0; corner < 2; corner++) {
            for (int i = 0; i < 3; i++) edge[i] = skin[2][i] - skin[corner][i];
            apply(rotation, edge, turned_slope);
            for (int i = 0; i < 3; i++) out[i * COLUMNS + corner] = turned_slope[i];
        }
        for (int k = 0; k < 3; k++) {
            apply(slopes[k], reached, turned_slope);
            for (int i = 0; i < 3; i++) out[i * COLUMNS + 2 + k] = -turned_slope[i];
            out[k * COLUMNS + 5 + k] = -1.0;
        }
        for (int k = 6; k < ANGLES; k++) {
            apply(rotation, by_angle[k], turned_slope);
            for (int i = 0; i < 3; i++) out[i * COLUMNS + 2 + k] = -turned_slope[i];
        }
    }
}

/* The same several times over, for a measurement. */
void hand(long times, long count, const long *parents, const double *relatives, const long *starts, const long *bones,
          const double *shares, const double *rests, const long *corners, const double *angles, const double *places,
          double *out) {
    while (times--) jacobian(count, parents, relatives, starts, bones, shares, rests, corners, angles, places, out);
}
