"""The command line, as `stepgrad` or `python -m nn`: the worked example, logic gates, pages, and the way to others."""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import random
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from autograd import Drawing
from autograd.notation import in_ascii
from autograd.saving import check_folder
from nn.checkpoints import save_network
from nn.examples import worked_example
from nn.examples.article import article_page
from nn.examples.command_options import Parser, integer, positive_number, program
from nn.examples.digits_command import run_digits
from nn.examples.gpt_command import run_gpt
from nn.examples.pages import GATE_INPUTS, GATES, digit_page, gate_network, logic_gates_page, worked_example_page
from nn.examples.story import story
from nn.metrics import average_error
from nn.optimizers import SGD
from nn.training import fit

EXAMPLES = {  # what to type after the program's name, and what it does
    "": "the worked example: every number of one round, and what training makes of it",
    "xor": "a 2-5-1 network that learns a logic gate; also or, nand, and",
    "digits": "a 64-32-10 network that reads 1,797 real digits, tested with five parts",
    "digits --mnist FOLDER": "a 784-300-10 network that reads MNIST",
    "gpt": "a GPT of scalar nodes that makes up names",
    "page": "live pages: the article told, the worked example, gates, digits",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after the command; those of the process when not given.

    Returns:
        The exit code: 0, 1 if a training diverged, 2 if something cannot be read or written, or 130 after Ctrl-C. Wrong
        usage exits with 2, after one line that says the remedy.
    """
    if sys.stdout is None:
        print("stepgrad: the standard output is closed; redirect it to a file, or to /dev/null", file=sys.stderr)
        return 2
    codecs.register_error("stepgrad", _substitute)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="stepgrad")
    try:
        try:
            _run(list(sys.argv[1:] if arguments is None else arguments))
        finally:
            sys.stdout.flush()
    except FloatingPointError as error:
        print(f"stepgrad: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print(f"stepgrad: {str(stop) or 'stopped; nothing was written after the interrupt'}", file=sys.stderr)
        return 130
    except OSError as error:
        with contextlib.suppress(OSError):  # so that nothing is left to be written at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # the reader had not seen enough, as in `python -m nn | head`
            where = "the standard output" if error.filename is None else error.filename
            print(f"stepgrad: cannot read or write {where}: {error.strerror or error}", file=sys.stderr)
            return 2
    return 0


def _substitute(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks in ASCII, as a handler of errors of `codecs`."""
    assert isinstance(error, UnicodeEncodeError)
    return in_ascii(error.object[error.start : error.end]), error.end


def _run(words: Sequence[str]) -> None:
    commands = {"page": _write_pages, "digits": run_digits, "gpt": run_gpt, "list": _list_examples}
    name = words[0] if words else ""
    if name.upper() in GATES:
        _train_gate(name.lower(), words[1:])
    elif name in commands:
        commands[name](words[1:])
    elif not name or name.startswith("-"):
        _tell_worked_example(words)
    else:
        names = [*map(str.lower, GATES), *commands]
        near = get_close_matches(name.lower(), names, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(names)}"
        Parser("").error(f"there is no example {name!r}; {remedy}")


def _list_examples(words: Sequence[str]) -> None:
    Parser("list", description="Lists the examples that come with the package.").parse_args(words)
    for arguments, said in EXAMPLES.items():
        print(f"{program()} {arguments}".rstrip(), f"  {said}", sep="\n")


# The worked example.


def _tell_worked_example(words: Sequence[str]) -> None:
    parser = Parser(
        "",
        description='Tells Matt Mazur\'s "A Step by Step Backpropagation Example" with every number, and draws it.',
        epilog=f"Other examples are {', '.join(list(GATES)).lower()}, digits, gpt and page, as in '{program()} xor'; "
        f"'{program()} list' says what each does, and each has a --help.",
    )
    orders, biases = get_args(worked_example.Order), get_args(worked_example.Biases)
    kinds = "left alone as in the article (frozen), or learning: one a layer (shared), or one a neuron (per-neuron)"
    rate = worked_example.LEARNING_RATE
    parser.add_argument("--rounds", type=integer(0), default=worked_example.ROUNDS, help="how many (10000)")
    parser.add_argument("--update", choices=orders, help="one order of update alone, instead of both side by side")
    parser.add_argument("--biases", choices=biases, default="frozen", help=kinds)
    parser.add_argument("--learning-rate", type=positive_number, default=rate, metavar="η", help="(0.5)")
    parser.add_argument("--out", type=Path, default=Path("worked_example"), metavar="DIR", help="where pictures go")
    parser.add_argument("--json", action="store_true", help="print the same figures as JSON, and nothing else")
    options = parser.parse_args(words)
    parser.check_out(options.out, "pictures")

    if options.update:
        orders = (options.update,)
    figures = worked_example.figures(orders, options.rounds, options.biases, options.learning_rate)
    network = worked_example.build_network(options.biases)
    try:
        pictures = {
            "network": _save(worked_example.draw_network(network), options.out / "network.svg"),
            "graph": _save(worked_example.draw_graph(network), options.out / "graph.svg"),
        }
    except OSError as error:
        parser.error(f"cannot write pictures: {error}; name another directory with --out")
    if options.json:
        print(json.dumps({**figures, "pictures": {name: str(path) for name, path in pictures.items()}}, indent=1))
    else:
        print("\n".join(story(network, figures, pictures)))


def _save(drawing: Drawing, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return drawing.save(path)
    except RuntimeError as error:  # no renderer: the source is still worth having
        print(f"stepgrad: {error}", file=sys.stderr)
        return drawing.save(path.with_suffix(".dot"))


# Logic gates.


def _train_gate(gate: str, words: Sequence[str]) -> None:
    parser = Parser(
        gate,
        description="Trains the 2-5-1 network of the article's companion script: logistic neurons, one bias a layer "
        "that is left alone, initial numbers from [0, 1), and one case picked at random in each round.",
    )
    parser.add_argument("--rounds", type=integer(0), default=10_000, help="how many (10000)")
    parser.add_argument("--seed", type=int, default=1, help="of the initial weights and the picked cases (1)")
    parser.add_argument("--learning-rate", type=positive_number, default=0.5, metavar="η", help="(0.5)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="save the network as JSON")
    options = parser.parse_args(words)
    try:
        if options.save:
            check_folder(options.save)
    except OSError as error:
        parser.error(f"{error}; name another file")

    generator = random.Random(options.seed)
    network = gate_network(generator)
    weights = [parameter for parameter in network.parameters() if str(parameter.label).startswith("w")]
    cases = [(inputs, [target]) for inputs, target in zip(GATE_INPUTS, GATES[gate.upper()], strict=True)]
    history = fit(network, cases, optimizer=SGD(weights, options.learning_rate), rounds=options.rounds, pick=generator)

    stopped = " (stopped)" if history.interrupted else ""
    print(f"{gate} after {history.rounds:,} rounds{stopped}: average error {average_error(network, cases):.9g}\n")
    print("input 1  input 2  target  prediction")
    for inputs, (target,) in cases:
        print(f"{inputs[0]:<9}{inputs[1]:<9}{target:<8}{network(inputs):.9f}")
    if options.save:
        print(f"\nsaved: {save_network(network, options.save)}")


# Live pages.


def _write_pages(words: Sequence[str]) -> None:
    parser = Parser(
        "page",
        description="Writes pages for a browser: the article told beside its picture, the worked example, logic gates "
        "and a network that reads digits. Step through every number, ask why a gradient is what it is, change anything "
        "and train. The last page needs scikit-learn, and is left out without it.",
    )
    parser.add_argument("--out", type=Path, default=Path("pages"), metavar="FOLDER", help="where they go (pages)")
    options = parser.parse_args(words)
    parser.check_out(options.out, "pages")
    pages = {"article": article_page, "worked_example": worked_example_page, "logic_gates": logic_gates_page}
    has_digits = find_spec("sklearn") is not None
    if has_digits:
        pages["digits"] = digit_page
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        written = [make().save(options.out / f"{name}.html") for name, make in pages.items()]
    except OSError as error:
        parser.error(f"cannot write pages: {error}; name another directory with --out")
    print("Open these in a browser, from the folder or with the address; they need neither a server nor a network:")
    for path in written:
        print(f"  {path}    {path.resolve().as_uri()}")
    if not has_digits:
        print("A page of digits needs scikit-learn, which is not installed here: pip install 'stepgrad[digits]'")
