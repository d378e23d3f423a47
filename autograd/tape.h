/* Recording a graph as a flat list, and the backward pass: what tape.py does in Python.
 *
 * Recorded nodes form a sparse set (Briggs and Torczon 1993): a node keeps an index, and is recorded if the entry at that
 * index is this node. Indices of other recordings need not be cleared. No index is read after the recording is finished,
 * so a rule that runs as Python may record the same nodes again.
 *
 * Recording runs no Python code but the handlers of signals, such as Ctrl-C, and what other threads do meanwhile. If they
 * record too, nodes get their indices again.
 */

#include <stdint.h>
#include <string.h>

#include "rules.h"

typedef struct __pyx_obj_8autograd_5value_Value Node;
typedef struct __pyx_obj_8autograd_5value__WideValue WideNode;

typedef struct {
    Node *node; /* borrowed: the output keeps its whole graph alive */
    double grad;
    uint32_t operands[2]; /* their indices; of a wide node, where they start in `wide` */
} Entry;

typedef struct {
    Entry *entries; /* parents before children */
    uint32_t *wide; /* the indices of the operands of wide nodes, node after node */
    Node **path;    /* of the depth-first search, from the output down */
    size_t *next;   /* for each wide node on the path, the operand to look at next */
    unsigned long long since; /* an older node is recorded without its operands */
    size_t looked_at;         /* how often the search looked at a node */
    size_t count, wide_count, depth, wide_depth, capacity, wide_capacity, path_capacity, next_capacity;
} Recording;

enum { SPARE_CAPACITY = 65536, BETWEEN_SIGNALS = 65536 };
static const uint32_t NO_INDEX = UINT32_MAX; /* of a constant that was left out, and of an operand that is not there */
static Recording spare;                      /* the memory of the last small recording, for the next one */
static unsigned long begun;                  /* how many recordings there were */
static PyTypeObject *constant_type, *wide_type;

static inline int prepare(PyTypeObject *constant, PyTypeObject *wide) {
    constant_type = constant;
    wide_type = wide;
    return 0;
}

static inline int is_leaf(const Node *node) { return (PyObject *)node->_primitive == Py_None; }

static inline int is_unary(const Node *node) { return (PyObject *)node->_right == Py_None; }

static inline int is_constant(Node *node) {
    PyTypeObject *type = Py_TYPE(node);
    return type == constant_type || (type->tp_flags & Py_TPFLAGS_HEAPTYPE && PyType_IsSubtype(type, constant_type));
}

/* Of an inner node: whether it has its operands in tuples, its own or, of one of the user's making, those of `_right`. */
static inline int is_wide(const Node *node) { return (PyObject *)node->_left == Py_None; }

static inline PyObject *wide_parents(const Node *node) {
    return ((const WideNode *)(Py_TYPE(node) == wide_type ? node : node->_right))->_parents;
}

static inline int is_recorded(const Recording *recording, const Node *node) {
    return node->_index < recording->count && recording->entries[node->_index].node == node;
}

static inline uint32_t index_of(const Recording *recording, const Node *node) {
    return is_recorded(recording, node) ? node->_index : NO_INDEX;
}

/* The index of a node in what recorded it last; below another recording's count it may be any node's. */
static inline Py_ssize_t last_index(PyObject *node) { return ((const Node *)node)->_index; }

static inline int grow(void **items, size_t size, size_t wanted, size_t *capacity) {
    void *moved;
    if (wanted >= NO_INDEX) {
        PyErr_SetString(PyExc_OverflowError, "a graph of more than 4,294,967,294 nodes or operands cannot be recorded");
        return -1;
    }
    wanted += wanted / 2 + 64;
    moved = PyMem_RawRealloc(*items, wanted * size);
    if (moved == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *items = moved;
    *capacity = wanted;
    return 0;
}

#define RESERVE(items, count, capacity) \
    ((count) <= (capacity) ? 0 : grow((void **)&(items), sizeof *(items), (count), &(capacity)))

static inline int append(Recording *recording, Node *node, uint32_t left, uint32_t right) {
    Entry *entry;
    if (RESERVE(recording->entries, recording->count + 1, recording->capacity) < 0) return -1;
    entry = &recording->entries[recording->count];
    entry->node = node;
    entry->grad = 0.0;
    entry->operands[0] = left;
    entry->operands[1] = right;
    node->_index = (uint32_t)recording->count++;
    return 0;
}

static inline int append_wide(Recording *recording, Node *node) {
    PyObject *parents = wide_parents(node);
    size_t i, count = (size_t)PyTuple_GET_SIZE(parents), start = recording->wide_count;
    if (RESERVE(recording->wide, start + count, recording->wide_capacity) < 0) return -1;
    for (i = 0; i < count; ++i)
        recording->wide[start + i] = index_of(recording, (Node *)PyTuple_GET_ITEM(parents, i));
    recording->wide_count += count;
    return append(recording, node, (uint32_t)start, NO_INDEX);
}

static inline int descend(Recording *recording, Node *node) {
    if (RESERVE(recording->path, recording->depth + 1, recording->path_capacity) < 0) return -1;
    recording->path[recording->depth++] = node;
    if (!is_wide(node)) return 0;
    if (RESERVE(recording->next, recording->wide_depth + 1, recording->next_capacity) < 0) return -1;
    recording->next[recording->wide_depth++] = 0;
    return 0;
}

/* Record a parent: 1 if it is recorded or need not be, 0 if the search has to descend to it first, -1 on an error. */
static inline int visit(Recording *recording, Node *parent, int with_constants) {
    if (is_recorded(recording, parent)) return 1;
    if (!is_leaf(parent) && parent->_time >= recording->since) return descend(recording, parent);
    if (!with_constants && is_constant(parent)) return 1;
    return append(recording, parent, NO_INDEX, NO_INDEX) < 0 ? -1 : 1;
}

static inline int handle_signals(const Recording *recording) {
    unsigned long before = begun;
    size_t index;
    if (PyErr_CheckSignals() < 0) return -1;
    for (index = 0; begun != before && index < recording->count; ++index)
        recording->entries[index].node->_index = (uint32_t)index;
    return 0;
}

/* Record what an output depends on, by a depth-first search that takes parents in the order of the operands. */
static inline int record_output(Recording *recording, Node *output, int with_constants) {
    int done = visit(recording, output, with_constants);
    while (done >= 0 && recording->depth > 0) {
        Node *node = recording->path[recording->depth - 1];
        if (++recording->looked_at % BETWEEN_SIGNALS == 0 && handle_signals(recording) < 0) return -1;
        if (is_wide(node)) {
            PyObject *parents = wide_parents(node);
            size_t level = recording->wide_depth - 1, next = recording->next[level];
            for (done = 1; done == 1 && next < (size_t)PyTuple_GET_SIZE(parents); ++next)
                done = visit(recording, (Node *)PyTuple_GET_ITEM(parents, next), with_constants);
            recording->next[level] = next;
            if (done == 1) done = append_wide(recording, node) < 0 ? -1 : 1;
            if (done == 1) --recording->wide_depth;
        } else {
            done = visit(recording, node->_left, with_constants);
            if (done == 1 && !is_unary(node)) done = visit(recording, node->_right, with_constants);
            if (done == 1) {
                uint32_t right = is_unary(node) ? NO_INDEX : index_of(recording, node->_right);
                done = append(recording, node, index_of(recording, node->_left), right) < 0 ? -1 : 1;
            }
        }
        if (done == 1) --recording->depth;
    }
    return done < 0 ? -1 : 0;
}

static inline Recording begin(unsigned long long since) {
    Recording recording = spare;
    memset(&spare, 0, sizeof spare);
    recording.count = recording.wide_count = recording.depth = recording.wide_depth = recording.looked_at = 0;
    ++begun;
    recording.since = since;
    return recording;
}

static inline void end(Recording *recording) {
    if (spare.entries == NULL && recording->capacity <= SPARE_CAPACITY && recording->wide_capacity <= SPARE_CAPACITY &&
        recording->path_capacity <= SPARE_CAPACITY && recording->next_capacity <= SPARE_CAPACITY) {
        spare = *recording;
    } else {
        PyMem_RawFree(recording->entries);
        PyMem_RawFree(recording->wide);
        PyMem_RawFree(recording->path);
        PyMem_RawFree(recording->next);
    }
}

/* The operands' indices of one entry. */
static inline const uint32_t *operands_of(const Recording *recording, const Entry *entry, size_t *count) {
    if (entry->operands[0] == NO_INDEX) *count = 0; /* a leaf, or an older node */
    else if (is_wide(entry->node)) {
        *count = (size_t)PyTuple_GET_SIZE(wide_parents(entry->node));
        return recording->wide + entry->operands[0];
    } else *count = is_unary(entry->node) ? 1 : 2;
    return entry->operands;
}

/* The nodes that outputs depend on, and as bytes the start of each node's operands and the operands' indices. */
static inline PyObject *record(PyObject *outputs, unsigned long long since) {
    Recording recording = begin(since);
    PyObject *nodes = NULL, *starts = NULL, *operands = NULL, *result = NULL;
    size_t index, count, total = 0;
    Py_ssize_t i;
    for (i = 0; i < PyTuple_GET_SIZE(outputs); ++i)
        if (record_output(&recording, (Node *)PyTuple_GET_ITEM(outputs, i), 1) < 0) goto done;
    for (index = 0; index < recording.count; ++index) {
        operands_of(&recording, &recording.entries[index], &count);
        total += count;
    }
    if (total >= NO_INDEX) {
        PyErr_SetString(PyExc_OverflowError, "a graph of more than 4,294,967,294 operands cannot be recorded");
        goto done;
    }
    nodes = PyList_New((Py_ssize_t)recording.count);
    starts = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)((recording.count + 1) * sizeof(uint32_t)));
    operands = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(total * sizeof(uint32_t)));
    if (nodes == NULL || starts == NULL || operands == NULL) goto done;
    for (index = 0, total = 0; index <= recording.count; ++index) {
        uint32_t start = (uint32_t)total;
        memcpy(PyBytes_AS_STRING(starts) + index * sizeof start, &start, sizeof start);
        if (index < recording.count) {
            Entry *entry = &recording.entries[index];
            const uint32_t *indices = operands_of(&recording, entry, &count);
            memcpy(PyBytes_AS_STRING(operands) + total * sizeof *indices, indices, count * sizeof *indices);
            total += count;
            Py_INCREF(entry->node);
            PyList_SET_ITEM(nodes, (Py_ssize_t)index, (PyObject *)entry->node);
        }
    }
    result = PyTuple_Pack(3, nodes, starts, operands);
done:
    end(&recording);
    Py_XDECREF(nodes);
    Py_XDECREF(starts);
    Py_XDECREF(operands);
    return result;
}

/* A gradient times a slope; one that is nan is guarded: see `guard` in primitives.py. */
static inline double product_of(const Node *node, Py_ssize_t which, double grad, double slope) {
    double product = grad * slope;
    PyObject *selects = node->_primitive->selects;
    if (product == product) return product;
    if (node->_primitive->arity == Py_None) which = 0; /* all operands of it select, or none */
    if (which < PyTuple_GET_SIZE(selects) && PyTuple_GET_ITEM(selects, which) == Py_True)
        return value_of_two(INDEX_OF_select_multiply, grad, slope);
    return value_of_two(INDEX_OF_strong_multiply, grad, slope);
}

/* The slope by the table's own rule, where C has none or it is not finite. */
static inline int slope_by_python(const Node *node, Py_ssize_t i, double *slope) {
    PyObject *rule = PyTuple_GET_ITEM(node->_primitive->slopes, i), *result;
    if (is_unary(node)) result = PyObject_CallFunction(rule, "dd", node->_float, node->_x);
    else result = PyObject_CallFunction(rule, "ddd", node->_float, node->_x, node->_y);
    if (result == NULL) return -1;
    *slope = PyFloat_AsDouble(result);
    Py_DECREF(result);
    return *slope == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static inline int accumulate_wide(Recording *recording, const Entry *entry) {
    const uint32_t *operands = recording->wide + entry->operands[0];
    PyObject *slopes = PyObject_GetAttrString((PyObject *)entry->node, "slopes");
    Py_ssize_t i, count = slopes == NULL ? 0 : PyTuple_GET_SIZE(slopes);
    for (i = 0; i < count; ++i) {
        double slope;
        if (operands[i] == NO_INDEX) continue;
        slope = PyFloat_AsDouble(PyTuple_GET_ITEM(slopes, i));
        if (slope == -1.0 && PyErr_Occurred()) Py_CLEAR(slopes);
        if (slopes == NULL) break;
        recording->entries[operands[i]].grad += product_of(entry->node, i, entry->grad, slope);
    }
    Py_XDECREF(slopes);
    return slopes == NULL ? -1 : 0;
}

/* Reverse accumulation: each node passes its gradient, times its slopes, to its operands. */
static inline int accumulate(Recording *recording) {
    Entry *entries = recording->entries, *entry;
    for (entry = entries + recording->count; entry-- > entries;) {
        Node *node = entry->node;
        double slope, grad = entry->grad;
        if (is_leaf(node)) continue;
        if (is_wide(node)) {
            if (accumulate_wide(recording, entry) < 0) return -1;
        } else if (is_unary(node)) {
            if (entry->operands[0] == NO_INDEX || node->_primitive->index == INDEX_OF_stop_gradient) continue;
            slope = slope_of_one(node->_primitive->index, node->_float, node->_x);
            if (!isfinite(slope) && slope_by_python(node, 0, &slope) < 0) return -1;
            entries[entry->operands[0]].grad += product_of(node, 0, grad, slope);
        } else {
            int index = node->_primitive->index;
            double out = node->_float, x = node->_x, y = node->_y;
            if (entry->operands[0] != NO_INDEX) {
                slope = left_slope_of_two(index, out, x, y);
                if (!isfinite(slope) && slope_by_python(node, 0, &slope) < 0) return -1;
                entries[entry->operands[0]].grad += product_of(node, 0, grad, slope);
            }
            if (entry->operands[1] != NO_INDEX) {
                slope = right_slope_of_two(index, out, x, y);
                if (!isfinite(slope) && slope_by_python(node, 1, &slope) < 0) return -1;
                entries[entry->operands[1]].grad += product_of(node, 1, grad, slope);
            }
        }
    }
    return 0;
}

/* Record, accumulate, and write the gradients: 1, or -1 and none is written if a rule raises. */
static inline int backward(PyObject *output) {
    Recording recording = begin(0);
    Entry *entry;
    int failed = record_output(&recording, (Node *)output, 0) < 0;
    if (!failed) {
        recording.entries[recording.count - 1].grad = 1.0; /* the output is the last */
        failed = accumulate(&recording) < 0;
    }
    for (entry = recording.entries; !failed && entry < recording.entries + recording.count; ++entry) {
        Node *node = entry->node;
        node->_grad = is_leaf(node) ? node->_grad + entry->grad : entry->grad;
        node->_has_grad = 1;
    }
    end(&recording);
    return failed ? -1 : 1;
}
