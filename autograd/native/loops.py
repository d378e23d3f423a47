"""The loops of the compiled programs as C, written when the engine is built: for each primitive, over arrays.

A loop computes a primitive's value for many operands, of which each is one array, or one number for all. The bodies are
the rules of the table as text, so nothing is stated again. The file is compiled for each instruction set, by what
`kernels.c` defines.
"""

from __future__ import annotations

import re
from itertools import count, product

from autograd.native.languages import C
from autograd.primitives import PRIMITIVES, Primitive

NAMES = "x", "y", "z"  # of the operands in the rules
POINTERS = "a", "b", "c"  # of what the loops read
FAST = re.compile(r"\b(exp|tanh)\(")  # what fast_functions.h has another function for
WIDE = [primitive for primitive in PRIMITIVES.values() if primitive.arity is None]  # whose loops are in kernels.c


def source() -> str:
    """Return the text of the loops, and of chains: a step for each primitive, for deep and narrow programs."""
    loops, rows, fast_rows = [], [], []
    steps: dict[str, str] = {}
    for primitive in PRIMITIVES.values():
        if primitive.arity is None:
            continue
        try:
            statements, (text,) = C.write([primitive(*map(C.variable, NAMES[: primitive.arity]))])
        except TypeError:  # a rule that needs a function which C lacks
            continue
        entries = []
        for mixture in product((True, False), repeat=primitive.arity):
            name = f"{primitive.name}_{''.join('v' if is_array else 's' for is_array in mixture)}"
            if not any(mixture):
                continue
            loops.append(_loop(name, primitive, mixture, statements, text))
            entries.append((sum(is_array << i for i, is_array in enumerate(mixture)), name))
            if primitive.arity == 1 and (loop := FAST.sub(r"fast_\1(", loops[-1])) != loops[-1]:
                loops.append(loop.replace(f" {name}(", f" fast_{name}("))
                fast_rows.append(f"    [{primitive.index}] = fast_{name},")
        rows.append(
            f"    [{primitive.index}] = {{{', '.join(f'[{mask}] = {name}' for mask, name in sorted(entries))}}},"
        )
        for are_last in product((False, True), repeat=primitive.arity):
            mask = sum(is_last << i for i, is_last in enumerate(are_last))
            steps[f"{primitive.index}, {mask}"] = _step(are_last, statements, text)
    text = "\n".join(loops)
    size = max(primitive.index for primitive in PRIMITIVES.values()) + 1
    return "\n".join(
        [
            C.helpers_of(text),
            text,
            f"enum {{ PRIMITIVES = {size} }};",
            *(f"#define INDEX_OF_{primitive.name} {primitive.index}" for primitive in WIDE),
            "",
            "/* By the index of the primitive, and by which operands are arrays: 1 for the first, 2, 4. */",
            "static const Loop loops[PRIMITIVES][8] = {",
            *rows,
            "};\n",
            "/* Those of one operand that need not have the bits of the C library. */",
            "static const Loop fast_loops[PRIMITIVES] = {",
            *fast_rows,
            "};\n",
            "#define CHAIN_STEPS \\",
            " \\\n".join(f"    STEP({key}) {body}" for key, body in steps.items()),
            "",
            "#define CHAIN_LABELS \\",
            " \\\n".join(f"    LABEL({key})" for key in steps),
            "",
        ]
    )


def _step(are_last: tuple[bool, ...], statements: list[str], text: str) -> str:
    """Return a step of a chain. Its operands are in the memory, or the last result, which is in a register."""
    places = count(1)
    reads = [
        f"const double {name} = {'last' if is_last else f'memory[words[{next(places)}]]'};"
        for name, is_last in zip(NAMES, are_last, strict=False)
    ]
    return f"{{ {' '.join([*reads, *statements])} last = {text}; NEXT({next(places)}) }}"


def _loop(name: str, primitive: Primitive, mixture: tuple[bool, ...], statements: list[str], text: str) -> str:
    before = [f"    const double {NAMES[i]} = *{POINTERS[i]};\n" for i, is_array in enumerate(mixture) if not is_array]
    within = [f"const double {NAMES[i]} = {POINTERS[i]}[i];" for i, is_array in enumerate(mixture) if is_array]
    unused = "".join(f"    (void){pointer};\n" for pointer in POINTERS[len(mixture) :])
    body = " ".join([*within, *statements, f"out[i] = {text};"])
    return (
        f"static void {name}(double *restrict out, const double *a, const double *b, const double *c, size_t n) {{\n"
        f"{unused}{''.join(before)}    for (size_t i = 0; i < n; ++i) {{ {body} }}\n}}\n"
    )
