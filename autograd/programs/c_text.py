"""How C is written: the rules of the table as expressions, what functions have in common, and how lines are broken.

>>> text = Text()
>>> text.expression(PRIMITIVES["sigmoid"], ["m[3]"])
'sigmoid_value(m[3])'
>>> print(text.definitions("").splitlines()[-1])
}
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autograd.native.languages import C
from autograd.primitives import PRIMITIVES, Primitive, power
from autograd.programs.groups import DOT, SUM

if TYPE_CHECKING:
    from autograd.programs.groups import Integers

WIDTH = 120  # of a line
PRODUCT = PRIMITIVES["prod"].index
BETWEEN = {SUM: " + ", PRODUCT: " * "}  # operands; of the largest of many, `passes.with_trees` makes other instructions
WIDE = {SUM: "sum_of", DOT: "dot_of", PRODUCT: "product_of"}  # the helpers of those of many operands

# C rounds these differently from Python, and compilers replace a power of a base that they know by exp2 or exp10.
LANGUAGE = replace(
    C,
    functions={**C.functions, "hypot": "hypot({}, {})", "erf": "erf({})", "erfc": "erfc({})"},
    helpers={
        **C.helpers,
        "power": "static double power(double x, double y) {\n"
        "    if (y == 2.0) return x * x;\n"
        "    double (*const volatile function)(double, double) = pow; /* a compiler may know a better 2^x than pow */\n"
        "    return function(x, y);\n}",
    },
)
# Inlined helpers take long to compile, and registers from the code around them. So do functions that are rarely called.
APART = """\
#if defined(__GNUC__)
#define APART __attribute__((noinline))
#else
#define APART
#endif
"""
OTHERWISE = re.compile(r"\b(hypot|erf|erfc)\(")
SUFFIX = "_value"  # of the function of a primitive for which C has no function or operator
NAMES = "x", "y", "z"  # of its operands

# Words that mean something in C or C++, what <math.h> declares besides the functions that are called, macros that it,
# compilers and other headers define, and names within the functions.
KEYWORDS = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t char8_t class
    co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype default
    delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long
    mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch
    template this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void volatile
    wchar_t while xor xor_eq
"""
MATH = """
    canonicalize cbrt ceil copysign drem exp10 exp2 fadd fdim fdiv ffma finite fma fmax fmaximum fmaximum_mag
    fmaximum_mag_num fmaximum_num fmaxmag fmin fminimum fminimum_mag fminimum_mag_num fminimum_num fminmag fpclassify
    frexp fromfp fromfpx fsqrt fsub gamma getpayload ilogb isfinite isgreater isgreaterequal isinf isless islessequal
    islessgreater isnan isnormal isunordered j0 j1 jn ldexp lgamma lgamma_r llogb llrint llround logb lrint lround modf
    nan nearbyint nextafter nextdown nexttoward nextup pow pow10 remainder remquo rint round roundeven scalb scalbln
    scalbn setpayload setpayloadsig signbit signgam significand sincos tgamma totalorder totalordermag trunc ufromfp
    ufromfpx y0 y1 yn
"""
MACROS = """
    EDOM EILSEQ EOF ERANGE FP_ILOGB0 FP_ILOGBNAN FP_INFINITE FP_INT_DOWNWARD FP_INT_TONEAREST FP_INT_TONEARESTFROMZERO
    FP_INT_TOWARDZERO FP_INT_UPWARD FP_LLOGB0 FP_LLOGBNAN FP_NAN FP_NORMAL FP_SUBNORMAL FP_ZERO HUGE_VAL HUGE_VALF
    HUGE_VALL I INFINITY MATH_ERREXCEPT MATH_ERRNO MAXFLOAT M_1_PI M_2_PI M_2_SQRTPI M_E M_LN10 M_LN2 M_LOG10E M_LOG2E
    M_PI M_PI_2 M_PI_4 M_SQRT1_2 M_SQRT2 NAN NULL SNAN SNANF SNANL complex errno far imaginary linux math_errhandling
    max min near small unix
"""
WITHIN = "APART Place double_t float_t instruction is_finite item main places row work"

# Functions of the C library besides: a parameter may have such a name, a function may not.
COMPLEX = """
    cabs cacos cacosh carg casin casinh catan catanh ccos ccosh cexp cimag clog conj cpow cproj creal csin csinh csqrt
    ctan ctanh
"""
OTHER_FUNCTIONS = """
    abort abs asctime atexit atof atoi atol atoll bcmp bsearch calloc clearerr clock ctime difftime div exit fclose feof
    ferror fflush ffs fgetc fgetpos fgets fopen fprintf fputc fputs fread free freopen fscanf fseek fsetpos ftell fwrite
    getc getchar getenv gets gmtime index isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct
    isspace isupper isxdigit labs ldiv llabs lldiv localeconv localtime longjmp malloc mblen mbstowcs mbtowc memchr
    memcmp memcpy memmove memset mktime perror printf putc putchar puts qsort raise rand read realloc remove rename
    rewind rindex scanf setbuf setjmp setlocale setvbuf signal snprintf sprintf srand sscanf stderr stdin stdout strcat
    strchr strcmp strcoll strcpy strcspn strerror strftime strlen strncat strncmp strncpy strpbrk strrchr strspn strstr
    strtod strtof strtok strtol strtold strtoll strtoul strtoull strxfrm system time tmpfile tmpnam tolower toupper
    ungetc vfprintf vfscanf vprintf vscanf vsnprintf vsprintf vsscanf wcstombs wctomb write
"""

HELPERS = {
    "gather": """\
/* out[i] = m[places[i]] */
static void gather(double *restrict out, const double *m, const Place *places, long count) {
    long i;
    for (i = 0; i < count; ++i) out[i] = m[places[i]];
}""",
    "transpose": """\
/* out[j][i] = m[places[i] + j * step], in rows of `width` numbers */
static void transpose(double *restrict out, long width, const double *m, const Place *places, long count, long step,
                      long terms) {
    long i, j;
    for (j = 0; j < terms; ++j)
        for (i = 0; i < count; ++i) out[j * width + i] = m[(long)places[i] + j * step];
}""",
    "add_up": """\
/* out[i] = a[0] + a[1] + ..., where a[j] = m[places[j] + i * step] */
static void add_up(double *restrict out, const double *m, const Place *places, long step, long terms, long count) {
    long i, j;
    for (i = 0; i < count; ++i) out[i] = -0.0;
    for (j = 0; j < terms; ++j)
        for (i = 0; i < count; ++i) out[i] += m[places[j] + i * step];
}""",
    "add_products": """\
/* out[i] = a[0] * b[0] + a[1] * b[1] + ..., where a[j] = m[lefts[j] + i * left_step], and b likewise */
static void add_products(double *restrict out, const double *m, const Place *lefts, long left_step, const Place *rights,
                         long right_step, long terms, long count) {
    long i, j;
    for (i = 0; i < count; ++i) out[i] = -0.0;
    for (j = 0; j < terms; ++j) {
        const double *a = m + lefts[j], *b = m + rights[j];
        for (i = 0; i < count; ++i) out[i] += a[i * left_step] * b[i * right_step];
    }
}""",
    "sum_of": """\
/* m[places[0]] + m[places[1]] + ... */
static double sum_of(const double *m, const Place *places, long terms) {
    double sum = -0.0;
    long j;
    for (j = 0; j < terms; ++j) sum += m[places[j]];
    return sum;
}""",
    "dot_of": """\
/* m[lefts[0]] * m[rights[0]] + m[lefts[1]] * m[rights[1]] + ... */
static double dot_of(const double *m, const Place *lefts, const Place *rights, long terms) {
    double sum = -0.0;
    long j;
    for (j = 0; j < terms; ++j) sum += m[lefts[j]] * m[rights[j]];
    return sum;
}""",
    "product_of": """\
/* m[places[0]] * m[places[1]] * ... */
static double product_of(const double *m, const Place *places, long terms) {
    double product = m[places[0]];
    long j;
    for (j = 1; j < terms; ++j) product *= m[places[j]];
    return product;
}""",
    "matrix": """\
/* out[r][c] = the sum over j of m[rows[r] + j * row_step] * m[columns[j] + c], eight sums side by side */
static void matrix(double *restrict out, const double *m, const Place *rows, long row_step, long row_count,
                   const Place *columns, long column_offset, long column_count, long terms) {
    long r, c, j, k;
    for (r = 0; r < row_count; ++r, out += column_count) {
        const double *row = m + rows[r];
        for (c = 0; c < column_count; c += 8) {
            const double *start = m + column_offset + c;
            if (column_count - c >= 8) {
                double sums[8] = {-0.0, -0.0, -0.0, -0.0, -0.0, -0.0, -0.0, -0.0};
                for (j = 0; j < terms; ++j)
                    for (k = 0; k < 8; ++k) sums[k] += row[j * row_step] * start[columns[j] + k];
                for (k = 0; k < 8; ++k) out[c + k] = sums[k];
            } else
                for (k = 0; k < column_count - c; ++k) {
                    double sum = -0.0;
                    for (j = 0; j < terms; ++j) sum += row[j * row_step] * start[columns[j] + k];
                    out[c + k] = sum;
                }
        }
    }
}""",
    "zero_of": """\
/* 0 if all numbers are finite, else nan */
static inline double zero_of(const double *numbers, long count) {
    double sums[4] = {0.0, 0.0, 0.0, 0.0};
    long k;
    for (; count >= 4; count -= 4, numbers += 4)
        for (k = 0; k < 4; ++k) sums[k] += numbers[k] * 0.0;
    for (k = 0; k < count; ++k) sums[k] += numbers[k] * 0.0;
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}""",
    "all_finite": """\
static int all_finite(const double *m, const Place *places, long count) {
    int found = 1;
    long i;
    for (i = 0; i < count; ++i) found &= m[places[i]] - m[places[i]] == 0.0;
    return found;
}""",
}


CALLED = re.findall(r"\b([a-z_]\w*)\(", " ".join([*LANGUAGE.functions.values(), *LANGUAGE.helpers.values()]))
RESERVED = frozenset([*f"{KEYWORDS} {MATH} {MACROS} {WITHIN}".split(), *CALLED, *HELPERS])
OF_DOUBLES = [*f"{MATH} {COMPLEX}".split(), *CALLED]
OF_LIBRARY = frozenset([*OTHER_FUNCTIONS.split(), *OF_DOUBLES, *[name + kind for name in OF_DOUBLES for kind in "fl"]])
NUMBERED = re.compile(rf"(v|t|s|part|constants)\d+|\w+{SUFFIX}")  # other names within a source file


class Text:
    """What the functions of a source file have in common: functions of primitives, helpers, and tables of places."""

    def __init__(self) -> None:
        self.functions: dict[str, str] = {}
        self.helpers: dict[str, str] = {}
        self.tables: dict[tuple[int, ...], str] = {}
        self.arrays: list[str] = []
        self.largest = 0

    def expression(self, primitive: Primitive, operands: Sequence[str]) -> str:
        """Return the expression of a primitive, of operands that are names, numbers or elements of arrays."""
        if primitive.arity is None:
            half = len(operands) // 2
            if primitive.index == DOT:
                return " + ".join(map(product_of_two, operands[:half], operands[half:]))
            return BETWEEN[primitive.index].join(operands)
        if primitive is power and operands[1] == "2.0":
            return f"({operands[0]} * {operands[0]})"
        template = LANGUAGE.functions.get(primitive.name)
        if template is None:
            template = f"{self._function(primitive)}({', '.join(['{}'] * primitive.arity)})"
        return template.format(*operands)

    def _function(self, primitive: Primitive) -> str:
        """Return the name of a function that runs the rule of a primitive."""
        name = primitive.name + SUFFIX
        if name not in self.functions:
            names = NAMES[: primitive.arity]
            statements, (result,) = LANGUAGE.write([primitive.value(*map(LANGUAGE.variable, names))])
            body = "".join(f"    {statement}\n" for statement in [*statements, f"return {bare(result)};"])
            parameters = ", ".join(f"double {each}" for each in names)
            self.functions[name] = f"static inline double {name}({parameters}) {{\n{body}}}\n"
        return name

    def helper(self, name: str) -> str:
        """Return the name of a helper, which is defined from then on."""
        self.helpers[name] = HELPERS[name]
        return name

    def table(self, places: Integers | Sequence[int]) -> str:
        """Return the name of a table of places; tables of the same places are one."""
        found = np.asarray(places, np.int64).ravel()
        self.largest = max(self.largest, int(found.max(initial=0)))
        key = tuple(found.tolist())
        return self.tables.setdefault(key, f"t{len(self.tables)}")

    def definitions(self, functions: str) -> str:
        """Return the text that stands before the functions: all of these definitions, and what they need."""
        kind = "unsigned short" if self.largest < 1 << 16 else "unsigned int"
        own = "\n".join(self.functions.values())
        tables = [array_of(f"static const Place {name}", map(str, places)) for places, name in self.tables.items()]
        helpers = [
            re.sub("^static (?!inline)", "APART static ", text, flags=re.M) + "\n" for text in self.helpers.values()
        ]
        parts = [own, APART * ("APART" in "".join([functions, *helpers])), *helpers, *self.arrays, *tables]
        text = "\n".join(filter(None, parts))
        place = f"typedef {kind} Place; /* of a number in the work memory */\n\n" if "Place" in text else ""
        return f"{LANGUAGE.helpers_of(text + functions)}\n{place}{text}".lstrip("\n")


def product_of_two(left: str, right: str) -> str:
    """Return a product; of a factor of 1 the other one, which has the same bits."""
    return left if right == "1.0" else right if left == "1.0" else f"{left} * {right}"


def bare(expression: str) -> str:
    """Return an expression without the parentheses around all of it."""
    if not expression.startswith("("):
        return expression
    depth = 0
    for place, character in enumerate(expression):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return expression[1:-1] if place == len(expression) - 1 else expression
    return expression


def index_of(place: int) -> str:
    """Return the index of a member of numbers that stand from a place on."""
    return f"{place} + item" if place else "item"


def offset_by(place: int) -> str:
    """Return what is added to a pointer to memory, for a place."""
    return f" + {place}" if place else ""


def comment_of(label: str | None) -> str:
    """Return a label as a comment at the end of a line."""
    return f" /* {harmless(label)} */" if label else ""


def harmless(text: str) -> str:
    """Return a text in one line that neither ends a comment nor begins one, and of which no compiler warns."""
    shown = "".join([character if character.isprintable() else " " for character in text.replace("\\", "/")])
    return shown.replace("*/", "* /").replace("/*", "/ *").replace("??/", "? ?/")  # a trigraph, which is a backslash


def array_of(declaration: str, numbers: Iterable[str]) -> str:
    """Return the definition of an array."""
    lines, count = [""], 0
    for count, number in enumerate(numbers, start=1):  # noqa: B007  # it is how many there are
        if len(lines[-1]) + len(number) > WIDTH - 6:
            lines.append("")
        lines[-1] += f" {bare(number)},"
    body = "\n".join(f"   {line}" for line in lines)
    return f"{declaration}[{count}] = {{\n{body.rstrip(',')}\n}};\n"


def wrapped(line: str, indent: str) -> str:
    """Return a line broken into lines of at most `WIDTH` characters."""
    if len(line) <= WIDTH:
        return line
    parts = textwrap.wrap(re.sub("(?<![-,+*(]) ", "\0", line), WIDTH, subsequent_indent=indent, break_long_words=False)
    return "\n".join(parts).replace("\0", " ")
