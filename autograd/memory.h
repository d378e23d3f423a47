/* How the compiled engine keeps its nodes in memory.
 *
 * A node is made after its parents and never changes them, so nodes alone form no cycle: the cyclic collector need not
 * know of them. And a node that dies while another one is being freed waits its turn in a line, so that the depth of a
 * graph costs no stack. The memory of some dead nodes is kept for the next ones.
 *
 * All of this happens under the interpreter's lock.
 */

#include <stdint.h>

typedef struct __pyx_obj_8autograd_5value_Value Node;
typedef struct __pyx_obj_8autograd_5value__WideValue WideNode;

enum { MOST_SPARE_NODES = 256 };
static Node *spare_nodes = NULL, *dead_nodes = NULL; /* lines of nodes, linked through `_mark` */
static int spare_count = 0, freeing = 0;
static PyTypeObject *wide_kind = NULL;

static inline void put_first(Node **line, Node *node) {
    node->_mark = (PY_LONG_LONG)(intptr_t)*line;
    *line = node;
}

static inline Node *take_first(Node **line) {
    Node *node = *line;
    *line = (Node *)(intptr_t)node->_mark;
    return node;
}

static PyObject *new_node(PyTypeObject *kind, Py_ssize_t items) {
    Node *node;
    (void)items; /* a node has none */
    if (kind != wide_kind && spare_nodes != NULL) {
        node = take_first(&spare_nodes);
        --spare_count;
        node->_data = node->_grad = node->_x = node->_y = 0.0;
        node->_mark = 0;
        Py_SET_TYPE(node, kind);
        Py_SET_REFCNT(node, 1);
        return (PyObject *)node;
    }
    node = (Node *)PyObject_Calloc(1, (size_t)kind->tp_basicsize);
    return node == NULL ? PyErr_NoMemory() : PyObject_Init((PyObject *)node, kind);
}

/* Let go of an object that may well be None: the count of None is changed once for a node, not for each of its fields. */
static inline void let_go(PyObject *object, int *nones) {
    if (object == Py_None) ++*nones;
    else Py_DECREF(object);
}

/* Free the memory of a node, then let go of what it held: its parents may join the line of the dead. */
static void free_node(Node *node) {
    PyTypeObject *kind = Py_TYPE(node);
    PyObject *label = node->label, *primitive = (PyObject *)node->_primitive, *next = (PyObject *)node->_next;
    PyObject *left = (PyObject *)node->_left, *right = (PyObject *)node->_right;
    int nones = 0;
    if (kind == wide_kind) {
        Py_DECREF(((WideNode *)node)->_parents);
        Py_DECREF(((WideNode *)node)->_operands);
        PyObject_Free(node);
    } else if (kind->tp_alloc != new_node) { /* a subclass of Python's */
        kind->tp_free((PyObject *)node);
    } else if (spare_count < MOST_SPARE_NODES) {
        put_first(&spare_nodes, node);
        ++spare_count;
    } else {
        PyObject_Free(node);
    }
    let_go(label, &nones);
    let_go(primitive, &nones);
    let_go(left, &nones);
    let_go(right, &nones);
    let_go(next, &nones);
#if PY_VERSION_HEX < 0x030C0000 /* since then None is not counted */
    Py_SET_REFCNT(Py_None, Py_REFCNT(Py_None) - nones);
#endif
}

static void node_died(PyObject *object) {
    Node *node = (Node *)object;
    if (!freeing) {
        freeing = 1;
        free_node(node);
        while (dead_nodes != NULL) free_node(take_first(&dead_nodes));
        freeing = 0;
    } else if (Py_TYPE(object)->tp_alloc == new_node) {
        put_first(&dead_nodes, node);
    } else { /* a subclass of Python's, a leaf: its class may go with it, so it cannot wait */
        free_node(node);
    }
}

static int keep(PyObject *kinds) {
    for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(kinds); ++place) {
        PyTypeObject *kind = (PyTypeObject *)PyTuple_GET_ITEM(kinds, place);
        kind->tp_flags &= ~Py_TPFLAGS_HAVE_GC;
        kind->tp_traverse = NULL;
        kind->tp_clear = NULL;
        kind->tp_alloc = new_node;
        kind->tp_dealloc = node_died;
        kind->tp_free = PyObject_Free;
        kind->tp_hash = PyBaseObject_Type.tp_hash; /* a type that compares is left without one */
        if (kind->tp_basicsize == sizeof(WideNode)) wide_kind = kind;
        PyType_Modified(kind);
    }
    return 0;
}

/* One walk over a graph at a time. The interpreter's lock guards these two; it passes to another thread in the middle of a
 * walk only while a rule is run as Python. */
static unsigned long walker = 0;
static int walks_begun = 0; /* of that thread: a rule run as Python may walk itself */

static int begin_walk(void) {
    unsigned long thread = PyThread_get_thread_ident();
    while (walks_begun > 0 && walker != thread) {
        static PyThread_type_lock never = NULL; /* nobody lets it go: waiting for it takes the time given */
        if (never == NULL) {
            never = PyThread_allocate_lock();
            if (never == NULL) {
                PyErr_NoMemory();
                return -1;
            }
            PyThread_acquire_lock(never, WAIT_LOCK);
        }
        Py_BEGIN_ALLOW_THREADS
        PyThread_acquire_lock_timed(never, 100, 0);
        Py_END_ALLOW_THREADS
        if (PyErr_CheckSignals() < 0) return -1;
    }
    walker = thread;
    return walks_begun++ > 0;
}

static void end_walk(void) { --walks_begun; }
