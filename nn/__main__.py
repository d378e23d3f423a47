"""The command line, as `stepgrad` or `python -m nn`: prints the worked example, or trains a network to be a gate."""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args

import autograd
from autograd import Drawing, Explanation, explain
from nn import worked_example
from nn.checkpoints import save_network
from nn.example_pages import GATE_INPUTS, GATES, gate_network, logic_gates_page, worked_example_page
from nn.modules import MLP
from nn.optimizers import SGD
from nn.training import average_error, fit

LINE_LENGTH = 80


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after the command; those of the process when not given.

    Returns:
        The exit code: 0, or 1 if a training diverged. Wrong usage exits with 2, after one line that says the remedy.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if hasattr(sys.stdout, "reconfigure"):  # a terminal without ∂ shows a substitute
        sys.stdout.reconfigure(errors="replace")
    try:
        if words and words[0].upper() in GATES:
            _train_gate(words[0].lower(), words[1:])
        elif words and words[0] == "page":
            _write_pages(words[1:])
        else:
            _tell_worked_example(words)
        sys.stdout.flush()
    except FloatingPointError as error:
        print(f"stepgrad: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader had seen enough, as in `python -m nn | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _program() -> str:
    """What the reader typed to run this."""
    return "stepgrad" if Path(sys.argv[0]).stem == "stepgrad" else "python -m nn"


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        version = f"stepgrad {autograd.__version__}, {autograd.engine} engine"
        self.add_argument("--version", action="version", version=version)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"stepgrad: {message} ('{self.prog} --help' lists what there is)\n")


def _whole_number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rounds; give an integer of at least 0")
    return number


def _positive_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a learning rate; give a number greater than 0, such as 0.5")
    return number


# The worked example.


def _tell_worked_example(words: Sequence[str]) -> None:
    parser = _Parser(
        prog=_program(),
        description='Tells Matt Mazur\'s "A Step by Step Backpropagation Example" with every number, and draws it.',
        epilog=f"'{_program()} xor' (or {', '.join(list(GATES)[1:]).lower()}) trains a 2-5-1 network instead, and "
        f"'{_program()} page' writes both as live pages; see their --help.",
    )
    parser.add_argument("--rounds", type=_whole_number, default=worked_example.ROUNDS, help="how many (10000)")
    parser.add_argument(
        "--update",
        choices=get_args(worked_example.Order),
        help="one order of update alone, instead of both side by side",
    )
    parser.add_argument(
        "--biases",
        choices=get_args(worked_example.Biases),
        default="frozen",
        help="left alone as in the article (frozen), or learning: one a layer (shared), or one a neuron (per-neuron)",
    )
    parser.add_argument(
        "--learning-rate", type=_positive_number, default=worked_example.LEARNING_RATE, metavar="η", help="(0.5)"
    )
    parser.add_argument("--out", type=Path, default=Path("worked_example"), metavar="DIR", help="where pictures go")
    parser.add_argument("--json", action="store_true", help="print the same figures as JSON, and nothing else")
    options = parser.parse_args(words)
    obstacle = _obstacle(options.out)
    if obstacle:
        parser.error(f"cannot write pictures into {str(options.out)!r}: {obstacle}; name another directory with --out")

    orders = (options.update,) if options.update else get_args(worked_example.Order)
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
        print("\n".join(_story(network, figures, pictures)))


def _obstacle(folder: Path) -> str | None:
    """Why no file could be written into a folder, which need not exist yet."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        return f"{str(existing)!r} is not a directory"
    return None if os.access(existing, os.W_OK | os.X_OK) else "it is not writable"


def _save(drawing: Drawing, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return drawing.save(path)
    except RuntimeError as error:  # no renderer: the source is still worth having
        print(f"stepgrad: {error}", file=sys.stderr)
        return drawing.save(path.with_suffix(".dot"))


def _story(network: MLP[Any], figures: dict[str, Any], pictures: dict[str, Path]) -> Iterable[str]:
    """The article, line by line."""
    number = {**figures["inputs"], **figures["parameters"], **figures["forward"]}
    gradient = figures["backward"]
    published = worked_example.PUBLISHED

    yield 'A step by step backpropagation example (after Matt Mazur, 2015; "published" is what the article prints)'
    yield from _section("The network: two inputs, two hidden neurons, two outputs, all logistic")
    yield _row("inputs", figures["inputs"])
    yield _row("targets", figures["targets"])
    names = list(figures["parameters"])
    for title, selected in (
        ("hidden layer", ["w1", "w2", "w3", "w4"]),
        ("output layer", ["w5", "w6", "w7", "w8"]),
        ("biases", [name for name in names if name.startswith("b")]),
    ):
        yield _row(title, {name: number[name] for name in selected})
    yield _row("learning rate", {"η": figures["learning_rate"]})

    yield from _section("The forward pass")
    yield "net_h1 = w1 · i1 + w2 · i2 + b1"
    yield (
        f"       = {number['w1']:g} · {number['i1']:g} + {number['w2']:g} · {number['i2']:g} + {number['b1']:g}"
        f" = {number['net_h1']:.12g}"
    )
    yield f"out_h1 = 1 / (1 + exp(−net_h1)) = {number['out_h1']:.12g}"
    for neuron in ("h2", "o1", "o2"):
        yield f"net_{neuron} = {number[f'net_{neuron}']:<14.12g}  out_{neuron} = {number[f'out_{neuron}']:.12g}"

    yield from _section("The total error")
    yield "E_o1    = ½ (target − out_o1)²"
    yield f"        = ½ ({figures['targets']['o1']:g} − {number['out_o1']:.12g})² = {number['E_o1']:.12g}"
    yield f"E_o2    = {number['E_o2']:.12g}"
    yield f"E_total = E_o1 + E_o2 = {number['E_total']:.12g}  (published {published['E_total']})"

    total = worked_example.forward(network)
    weights = {str(weight.label): weight for weight in network.parameters()}
    yield from _section("The backward pass, an output weight: w5")
    yield from _wrapped(explain(total, weights["w5"]))
    yield ""
    yield f"(published: {published['dE_total/dw5']}.) The same by the delta rule:"
    yield ""
    yield from _wrapped(explain(total, weights["w5"], form="delta"))
    yield ""
    yield f"To twelve digits: δ_o1 = {gradient['net_o1']:.12g}, δ_o2 = {gradient['net_o2']:.12g}"

    yield from _section("The backward pass, a hidden weight: w1, which reaches the error through both outputs")
    yield from _wrapped(explain(total, weights["w1"]))
    yield ""
    yield f"(published: {published['dE_total/dw1']})"

    yield from _section("All gradients, and what one round makes of the parameters")
    trained = figures["training"]
    orders = list(trained)
    learning = sorted(figures["learning"])
    yield ("     before   ∂E_total/∂…         " + "".join(f"after ({order})".ljust(24) for order in orders)).rstrip()
    for name in sorted(learning, key=lambda name: (name[0] != "w", name)):
        after = "".join(f"{trained[order]['1']['parameters'][name]:<24.12g}" for order in orders)
        yield f"{name:<5}{number[name]:<9.12g}{gradient[name]:< 20.12g}{after}".rstrip()

    rounds = figures["rounds"]
    yield from _section(f"After one round, and after {rounds:,}" if rounds != 1 else "After one round")
    yield "The article describes the simultaneous order, in which all weights change at once from the original ones,"
    yield "but its figures after training come from the sequential order, in which the hidden layer's gradients are"
    yield "formed with output weights that have already changed. The article's method and its end figures disagree;"
    yield "here are both, each by its name."
    yield ""
    comparable = figures["biases"] == "frozen" and figures["learning_rate"] == worked_example.LEARNING_RATE
    yield (" " * 29 + "".join(order.ljust(20) for order in orders) + ("published" if comparable else "")).rstrip()
    lines = [("E_total", "1"), *((name, str(rounds)) for name in ("E_total", "out_o1", "out_o2"))]
    for name, count in lines[: 1 if rounds == 1 else None]:
        title = f"{name} after {int(count):,} round{'' if count == '1' else 's'}"
        printed = published.get(title.replace(",", ""), "") if comparable else ""
        values = "".join(f"{trained[order][count][name]:<20.12g}" for order in orders)
        yield f"{title:<29}{values}{printed}".rstrip()

    yield from _section("Pictures")
    yield f"the network, neurons and weights:       {pictures['network']}"
    yield f"the computation graph of one round:     {pictures['graph']}"


def _wrapped(explanation: Explanation) -> Iterable[str]:
    """The lines of an explanation; a long equation has a line for each side."""
    for line in str(explanation).splitlines():
        left, *others = line.split(" = ")
        yield line if len(line) <= LINE_LENGTH else left + " = " + ("\n" + " " * len(left) + " = ").join(others)


def _section(title: str) -> Iterable[str]:
    return "", title, "─" * len(title)


def _row(title: str, numbers: dict[str, float]) -> str:
    return f"{title:<15}" + "   ".join(f"{name} = {number:g}" for name, number in numbers.items())


# Logic gates.


def _train_gate(gate: str, words: Sequence[str]) -> None:
    parser = _Parser(
        prog=f"{_program()} {gate}",
        description="Trains the 2-5-1 network of the article's companion script: logistic neurons, one bias a layer "
        "that is left alone, initial numbers from [0, 1), and one case picked at random in each round.",
    )
    parser.add_argument("--rounds", type=_whole_number, default=10_000, help="how many (10000)")
    parser.add_argument("--seed", type=int, default=1, help="of the initial weights and the picked cases (1)")
    parser.add_argument("--learning-rate", type=_positive_number, default=0.5, metavar="η", help="(0.5)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="save the network as JSON")
    options = parser.parse_args(words)
    obstacle = _obstacle(options.save.parent) if options.save else None
    if options.save and (obstacle or not options.save.parent.exists()):
        obstacle = obstacle or "its directory does not exist"
        parser.error(f"cannot save to {str(options.save)!r}: {obstacle}; name another file")

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
    parser = _Parser(
        prog=f"{_program()} page",
        description="Writes the worked example and logic gates as pages for a browser: step through every number, ask "
        "why a gradient is what it is, change anything, and train.",
    )
    parser.add_argument("--out", type=Path, default=Path("pages"), metavar="FOLDER", help="where they go (pages)")
    options = parser.parse_args(words)
    obstacle = _obstacle(options.out)
    if obstacle:
        parser.error(f"cannot write pages into {str(options.out)!r}: {obstacle}; name another directory with --out")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        written = [
            worked_example_page().save(options.out / "worked_example.html"),
            logic_gates_page().save(options.out / "logic_gates.html"),
        ]
    except OSError as error:
        parser.error(f"cannot write pages: {error}; name another directory with --out")
    print("Open these in a browser, from the folder or with the address; they need neither a server nor a network:")
    for path in written:
        print(f"  {path}    {path.resolve().as_uri()}")


if __name__ == "__main__":
    sys.exit(main())
