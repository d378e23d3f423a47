/* The allocator of nodes in the compiled engine.
 *
 * A node is made after its parents and never changes them. Nodes alone therefore form no cycle, and the cyclic collector
 * does not track them. Nodes that die while another one is being freed are put on a list, so freeing a deep graph
 * does not recurse. The memory of some dead nodes is kept for the next ones.
 *
 * All of this happens under the interpreter's lock.
 */

#include <string.h>

typedef struct __pyx_obj_8autograd_5value_Value Node;
typedef struct __pyx_obj_8autograd_5value__WideValue WideNode;

enum { MOST_SPARE_NODES = 256 };
static Node *spare_nodes = NULL; /* a linked list, through the memory of `_grad` */
static int spare_count = 0;

/* Each thread has its own list of dead nodes: a finalizer that waits in one thread must not stop the others. */
#if defined(_MSC_VER)
#define PER_THREAD static __declspec(thread)
#elif defined(__GLIBC__) /* one instruction instead of a call */
#define PER_THREAD static __thread __attribute__((tls_model("initial-exec")))
#else
#define PER_THREAD static __thread
#endif
PER_THREAD Node *dead_nodes = NULL;
PER_THREAD int freeing = 0;

static PyTypeObject *wide_kind = NULL;

static inline void push(Node **list, Node *node) {
    memcpy(&node->_grad, list, sizeof *list);
    *list = node;
}

static inline Node *pop(Node **list) {
    Node *node = *list;
    memcpy(list, &node->_grad, sizeof *list);
    return node;
}

static PyObject *new_node(PyTypeObject *kind, Py_ssize_t items) {
    Node *node;
    (void)items; /* a node has none */
    if (kind != wide_kind && spare_nodes != NULL) {
        node = pop(&spare_nodes);
        --spare_count;
        node->_float = node->_grad = node->_x = node->_y = 0.0;
        node->_index = 0;
        node->_has_grad = node->_is_fixed = 0;
        node->_recording = 0;
        Py_SET_TYPE(node, kind);
        Py_SET_REFCNT(node, 1);
        return (PyObject *)node;
    }
    node = (Node *)PyObject_Calloc(1, (size_t)kind->tp_basicsize);
    return node == NULL ? PyErr_NoMemory() : PyObject_Init((PyObject *)node, kind);
}

/* Release an object that is often None: the reference count of None is changed once for each node, not for each field. */
static inline void release(PyObject *object, int *nones) {
    if (object == Py_None) ++*nones;
    else Py_DECREF(object);
}

/* Free the memory of a node, then release what it held: its parents may join the list of dead nodes. */
static void free_node(Node *node) {
    PyTypeObject *kind = Py_TYPE(node);
    PyObject *label = node->_label, *primitive = (PyObject *)node->_primitive;
    PyObject *left = (PyObject *)node->_left, *right = (PyObject *)node->_right;
    int nones = 0;
    if (kind == wide_kind) {
        Py_DECREF(((WideNode *)node)->_parents);
        Py_DECREF(((WideNode *)node)->_operands);
        PyObject_Free(node);
    } else if (kind->tp_alloc != new_node) { /* a subclass defined in Python */
        kind->tp_free((PyObject *)node);
    } else if (spare_count < MOST_SPARE_NODES) {
        push(&spare_nodes, node);
        ++spare_count;
    } else {
        PyObject_Free(node);
    }
    release(label, &nones);
    release(primitive, &nones);
    release(left, &nones);
    release(right, &nones);
#if PY_VERSION_HEX < 0x030C0000 /* since then None is not counted */
    Py_SET_REFCNT(Py_None, Py_REFCNT(Py_None) - nones);
#endif
}

static void node_died(PyObject *object) {
    Node *node = (Node *)object;
    if (!freeing) {
        freeing = 1;
        free_node(node);
        while (dead_nodes != NULL) free_node(pop(&dead_nodes));
        freeing = 0;
    } else if (Py_TYPE(object)->tp_alloc == new_node) {
        push(&dead_nodes, node);
    } else { /* a subclass defined in Python, a leaf: its class may die with it, so it cannot wait */
        free_node(node);
    }
}

static inline int allocate(PyObject *kinds) {
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(kinds); ++index) {
        PyTypeObject *kind = (PyTypeObject *)PyTuple_GET_ITEM(kinds, index);
        kind->tp_flags &= ~Py_TPFLAGS_HAVE_GC;
        kind->tp_traverse = NULL;
        kind->tp_clear = NULL;
        kind->tp_alloc = new_node;
        kind->tp_dealloc = node_died;
        kind->tp_free = PyObject_Free;
        kind->tp_hash = PyBaseObject_Type.tp_hash; /* Cython leaves types with comparisons without one */
        if (kind->tp_basicsize == sizeof(WideNode)) wide_kind = kind;
        PyType_Modified(kind);
    }
    return 0;
}
