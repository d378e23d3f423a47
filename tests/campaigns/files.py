"""Damaged files, given to `load_network` and to `fit(…, resume=True)`.

Good files are made of a small network, by `save_network` and by trainings with SGD and Adam, with and without a
generator that picks cases. Each is damaged: its bytes are flipped, deleted, inserted, truncated, doubled or spliced
with those of another file; or hostile values, wrong keys and missing parts are put anywhere into its JSON.

Then either everything is loaded, finite and just what the JSON says; or there is exactly a ValueError with a short
message, and the network, the optimizer and the generator are what they were.

    python tests/campaigns/files.py [--count 100000] [--seed 1] [--only INDEX]

The totals are printed in one line. If a promise is broken, the first few cases of each kind follow, and the exit status
is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import math
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import autograd
from nn import MLP, SGD, Adam, Optimizer, fit, load_network, save_network

CASES = [([0.0, 1.0], [1.0]), ([1.0, 1.0], [0.0])]
LONGEST = 600  # of a message, besides the path
SHOWN = 3  # failures of a kind
BATCH = 500
ROUNDS = 4
HOSTILE = [  # as they stand in the file
    "1e999", "-1e999", "NaN", "Infinity", "-Infinity", "9" * 400, "-" + "9" * 400, "9" * 5000, "1e308", "-1e308",
    "5e-324", "0", "-0.0", "1", "-1", "2", "3", "624", "625", "4294967295", "4294967296", "9007199254740993", "0.5",
    "1.0", "3.0", "true", "false", "null", '""', '"0"', '"1.5"', '"nan"', '"\\ud800"', '"\\u0000"',
    '"' + "x" * 3000 + '"', "[]", "{}", "[[]]", "[1]", "[null]", '[[1, 2], {"a": [true]}]', '{"": null}', '{"0": 1}',
    '{"kind": "SGD"}', "[" * 60 + "]" * 60, "[" * 3000 + "]" * 3000, "[" + "0," * 3000 + "0]",
    '{"' + "k" * 3000 + '": 1}',
]  # fmt: skip
KEYS = ["", "x", "k" * 3000, "\ud800", "\n\0", "parameters", "training", "pick", "steps", "rounds", "memory", "kind"]
MARK = "hostile value "
OPTIMIZERS: list[Callable[[MLP], Optimizer]] = [
    lambda network: SGD(network.parameters(), 0.1, momentum=0.9),
    lambda network: Adam(network.parameters(), 0.03),
]


def small_network(seed: int) -> MLP:
    return MLP(2, [2, 1], "tanh", generator=random.Random(seed))


class Victim:
    """What a file is loaded into."""

    def __init__(self, optimizer: int, is_picked: bool) -> None:
        self.network = small_network(1)
        self.optimizer = OPTIMIZERS[optimizer](self.network)
        self.pick = random.Random(1) if is_picked else None
        fit(self.network, CASES, optimizer=self.optimizer, rounds=1, pick=self.pick)
        self.before = self.state()

    def state(self) -> tuple[Any, ...]:
        state = self.network.state_dict(), self.optimizer.state_dict(), self.pick and self.pick.getstate()
        return repr(state[0]), repr(state[1]), state[2]

    def restore(self, other: Victim) -> None:
        self.network.load_state_dict(other.network.state_dict())
        self.optimizer.load_state_dict(other.optimizer.state_dict())
        if self.pick is not None and other.pick is not None:
            self.pick.setstate(other.pick.getstate())


def good_files(folder: Path) -> list[bytes]:
    """First a network alone, then a training for each optimizer, without and with a generator."""
    files = [save_network(small_network(2), folder / "network.json").read_bytes()]
    for index, make in enumerate(OPTIMIZERS):
        for is_picked in (False, True):
            network, path = small_network(3), folder / f"{index}{is_picked}.json"
            pick = random.Random(5) if is_picked else None
            fit(network, CASES, optimizer=make(network), rounds=ROUNDS, pick=pick, checkpoint=path)
            files.append(path.read_bytes())
    return files


def damaged_bytes(content: bytes, other: bytes, generator: random.Random) -> tuple[str, bytes]:
    kind = generator.choice(["flip", "flip", "digit", "delete", "insert", "truncate", "double", "splice"])
    head = 400 if generator.random() < 0.7 else len(content)  # the states of generators are most of a file
    start = (
        generator.randrange(min(head, len(content))) if generator.random() < 0.5 else generator.randrange(len(content))
    )
    end = min(len(content), start + generator.choice([1, 1, 2, 5, 50, 1000]))
    if kind == "flip":
        return kind, content[:start] + bytes([content[start] ^ 1 << generator.randrange(8)]) + content[start + 1 :]
    if kind == "digit":
        return kind, content[:start] + generator.choice(b'0123456789-+.eE[]{},:"').to_bytes(1, "big") + content[
            start + 1 :
        ]
    if kind == "delete":
        return kind, content[:start] + content[end:]
    if kind == "insert":
        return kind, content[:start] + generator.randbytes(end - start) + content[start:]
    if kind == "truncate":
        return kind, content[:start]
    if kind == "double":
        return kind, content[:end] + content[start:]
    return kind, content[:start] + other[generator.randrange(len(other)) :]


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container with a key or index in it, at any depth."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        here = waiting.pop()
        for key in list(here) if isinstance(here, dict) else range(len(here)):
            found.append((here, key))
            if isinstance(here[key], dict | list):
                waiting.append(here[key])
    return found


def damaged_tree(good: Any, generator: random.Random) -> tuple[str, bytes]:
    tree = copy.deepcopy(good)
    values: list[str] = []
    names = []
    for _ in range(generator.choice([1, 1, 1, 2, 3])):
        found = places(tree)
        few = [place for place in found if not (isinstance(place[0], list) and len(place[0]) > 100)]
        here, key = generator.choice(few if few and generator.random() < 0.8 else found or [({"a": 0}, "a")])
        kind = generator.choice(["value", "value", "value", "delete", "add", "rename", "swap"])
        names.append(f"{kind} at {str(key)[:40]}")
        if kind == "value":
            here[key] = f"{MARK}{len(values)}"
            values.append(generator.choice(HOSTILE))
        elif kind == "delete":
            del here[key]
        elif isinstance(here, list):
            here.insert(key, generator.choice(found)[1] if kind == "add" else here[key])
        elif kind == "add":
            here[generator.choice(KEYS)] = copy.deepcopy(here[key])
        elif kind == "rename":
            here[generator.choice([*KEYS, key + "_", key[:-1]])] = here.pop(key)
        else:
            other = generator.choice(list(here))
            here[key], here[other] = here[other], here[key]
    text = json.dumps(tree)
    for index, value in enumerate(values):
        text = text.replace(f'"{MARK}{index}"', value)
    if generator.random() < 0.1:  # a key twice
        name, value = generator.choice(["parameters", "training", "version", "settings"]), generator.choice(HOSTILE)
        text = f'{text[:-1]}, "{name}": {value}}}' if generator.random() < 0.5 else f'{{"{name}": {value}, {text[1:]}'
        names.append(f"{name} twice")
    return ", ".join(names), text.encode("utf-8", "surrogatepass")


def parameters_of(content: Any) -> dict[str, float]:
    return {name: float(number) for name, number in content["parameters"].items()}


def check_loaded(victim: Victim, content: Any) -> str | None:
    """What is wrong with a network after its file was accepted."""
    state = victim.network.state_dict()
    if not all(map(math.isfinite, state.values())):
        return f"a parameter is not finite: {state}"
    return None if state == parameters_of(content) else f"the parameters are {state}, not those of the file"


def check_resumed(victim: Victim, content: Any, rounds: int) -> str | None:
    """What is wrong with a training after its file was accepted."""
    training, state = content["training"], victim.optimizer.state_dict()
    saved = training["optimizer"]
    memory = [list(map(float, row)) for row in saved["memory"]]
    expected = [training["rounds"], saved["kind"], saved["steps"], memory]
    if [rounds, state["kind"], state["steps"], state["memory"]] != expected:
        return f"{rounds} rounds and {state} are not those of the file"
    said = {**state["settings"], **saved.get("settings", {})}
    if json.loads(json.dumps(said), parse_int=float) != json.loads(json.dumps(state["settings"]), parse_int=float):
        return f"the settings {state['settings']} are not those of the file"
    if saved.get("missed", state["missed"]) != state["missed"]:
        return f"the missed steps {state['missed']} are not those of the file"
    if not all(math.isfinite(number) for row in state["memory"] for number in row):
        return f"the memory is not finite: {state}"
    if victim.pick is not None:
        _, words, gauss = victim.pick.getstate()
        if [list(words), gauss] != [[int(word) for word in training["pick"][1]], training["pick"][2]]:
            return "the state of the generator is not that of the file"
    return None


def attempt(victim: Victim, fresh: Victim, path: Path, is_resumed: bool, has_bar: bool) -> tuple[str, str | None]:
    """Load a file; what happened, and what is wrong with that."""
    raw = path.read_bytes()
    result, problem = "refused", None
    try:
        if is_resumed:
            with contextlib.redirect_stderr(io.StringIO()) if has_bar else contextlib.nullcontext():
                history = fit(
                    victim.network, CASES, optimizer=victim.optimizer, rounds=0, pick=victim.pick, progress=has_bar,
                    checkpoint=path, resume=True,
                )  # fmt: skip
        else:
            load_network(victim.network, path)
    except ValueError as error:
        message = str(error)
        if type(error) is not ValueError:
            problem = f"raised {error!r:.300}"
        elif len(message) >= LONGEST + len(str(path)):
            problem = f"the message has {len(message)} characters: {message[:300]}"
        elif victim.state() != victim.before:
            problem = f"was refused ({message[:200]}), and yet something changed"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        problem = f"raised {error!r:.300}"
    else:
        result = "accepted"
        content = json.loads(raw)
        problem = check_loaded(victim, content)
        if problem is None and is_resumed:
            again = json.loads(path.read_bytes())
            problem = check_resumed(victim, content, history.rounds)
            if problem is None and parameters_of(again) != parameters_of(content):
                problem = "the file that was written at the end holds other parameters"
    victim.restore(fresh)
    return result, problem


def run_batch(task: tuple[int, range]) -> tuple[Counter[str], dict[str, list[str]]]:
    """Counts, and the failures by the first words of what is wrong."""
    seed, indices = task
    counts: Counter[str] = Counter()
    failures: dict[str, list[str]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = good_files(folder)
        trees = [json.loads(content) for content in files]
        victims = {(kind, is_picked): Victim(kind, is_picked) for kind in (0, 1) for is_picked in (False, True)}
        fresh = {key: Victim(*key) for key in victims}
        path = folder / "damaged.json"
        for index in indices:
            generator = random.Random((seed << 40) + index)
            source = generator.randrange(len(files))
            if generator.random() < 0.4:
                damage, content = damaged_bytes(files[source], generator.choice(files), generator)
            else:
                damage, content = damaged_tree(trees[source], generator)
            path.write_bytes(content)
            own = divmod(max(source - 1, 0), 2)  # the optimizer and the picking that the file is from
            key = (own[0], bool(own[1])) if generator.random() < 0.9 else generator.choice(list(victims))
            has_bar = generator.random() < 0.05
            for is_resumed in (False, True):
                result, problem = attempt(victims[key], fresh[key], path, is_resumed, has_bar)
                counts[f"{'resuming' if is_resumed else 'loading'} {result}"] += 1
                if problem is not None:
                    counts["failed"] += 1
                    doing = f"{'resuming' if is_resumed else 'loading'}{' with a progress bar' if has_bar else ''}"
                    failures[problem[:40]].append(f"file {index} of source {source} ({damage}), {doing}: {problem}")
            counts["files"] += 1
        left = set(folder.iterdir()) - {path}
        if any(other.suffix == ".part" for other in left):
            counts["failed"] += 1
            failures["temporary"].append(f"files {indices}: a temporary file was left behind")
    return counts, failures


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=100_000, help="how many files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the index of one file to load again")
    arguments = parser.parse_args()
    start = time.perf_counter()
    wanted = range(arguments.count) if arguments.only is None else range(arguments.only, arguments.only + 1)
    tasks = [(arguments.seed, wanted[i : i + BATCH]) for i in range(0, len(wanted), BATCH)]
    counts: Counter[str] = Counter()
    failures: dict[str, list[str]] = defaultdict(list)
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for found, messages in pool.imap(run_batch, tasks):
            counts.update(found)
            for kind, some in messages.items():
                failures[kind] += some
    print(
        f"{counts['files']} damaged files ({autograd.engine} engine, seed {arguments.seed}): load_network accepted "
        f"{counts['loading accepted']} and refused {counts['loading refused']}, fit accepted "
        f"{counts['resuming accepted']} and refused {counts['resuming refused']}; {counts['failed']} failures, "
        f"{time.perf_counter() - start:.0f} s"
    )
    for some in failures.values():
        print(f"{len(some)} alike, the first ones:", *some[:SHOWN], sep="\n    ")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
