"""The command `gpt`: trains the GPT in scalars on a list of names, and lets it make up others."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from nn.examples.command_options import Parser, integer
from nn.training.progress import progress_bar

SLICE = 500  # steps between two changes of the progress bar
LAST = 100  # steps whose mean loss is told
COLUMNS, WIDTH = 4, 18  # of the names that are printed

LISTED = """
    ada adam agnes albert alice alma amelia amir amos amy andrea andrew angela anita anna anton antonia aria arthur
    astrid august aurora barbara basil beata ben benjamin bernard bertha boris brigitte bruno camilla carl carla
    carlos carmen caroline cecilia charles charlotte chloe christian clara claudia clemens conrad cora cornelia
    cyrus dagmar daniel daria david delia denis diana diego dora doris dorothea edgar edith edmund edward eleanor
    elena elias elisa eliza ella ellen elmar elsa emil emilia emma enrico erich erik erna ernst esther eugene eva
    evelyn fabian fatima felix ferdinand fiona flora florian frances francis frank frederick frida gabriel george
    gerda gerald gilbert greta gustav hanna hannah harald harold harriet hector hedwig heidi helen helena helga
    henrietta henry herbert hilda hugo ida ines ingrid irene iris isaac isabel ivan ivo jacob james jan jana jasmin
    jasper joan johanna john jonas jonathan josef julia julian juliet julius karim karin karl katharina kira klara
    konrad lara laura lea leila lena leo leon leonora lilian lily linda lisa livia lorenz louis louise lucas lucia
    lucy ludwig luisa lydia magda malik manuel mara marco margaret maria marian marie marina mario marion mark marta
    martha martin mary mathilda matthias max maya michael mila mira miriam mona monica moritz nadia naomi natalia
    nathan nelson nina noah nora norbert olga oliver olivia omar oscar oskar otto pablo patricia paul paula paulina
    peter petra philip rachel ralph raphael rebecca regina renata richard rita robert robin roland rosa rosalind
    ruben rudolf ruth sabina samuel sandra sara sebastian selma serena silvia simon sofia sonja sophia stefan stella
    susan sven sylvia tamara tanja teresa theo theodora thomas tilda tim tobias tom ulrich ursula valentin vera
    verena victor victoria vincent viola vivian walter wanda werner wilhelm willa william yara yasmin yusuf zara
    zelda zoe
"""
NAMES = LISTED.split()


def run_gpt(words: Sequence[str]) -> None:
    """Run the command with the words after `gpt`."""
    parser = Parser(
        "gpt",
        description=f"Trains a GPT of scalar nodes, with 4,192 parameters, to spell {len(NAMES)} first names, and lets "
        "it make up others. A training step is recorded once, as a program of 500,000 instructions, and runs in C.",
    )
    parser.add_argument(
        "--steps", type=integer(1), default=5000, metavar="N", help="how many, each with one name (5000)"
    )
    parser.add_argument(
        "--seed", type=integer(0), default=1, help="of the initial parameters and all that is picked (1)"
    )
    parser.add_argument("--samples", type=integer(1), default=24, metavar="N", help="how many names it makes up (24)")
    options = parser.parse_args(words)

    from autograd import compile
    from nn.examples import gpt  # which needs NumPy

    generator = random.Random(options.seed)
    documents = gpt.documents(generator.choices(NAMES, k=options.steps))
    settings = (*gpt.schedule(options.steps), *documents)
    state = gpt.initial_parameters(options.seed), gpt.zeros(), gpt.zeros()
    start = time.perf_counter()
    losses: list[float] = []
    step = compile(gpt.training_step)
    with progress_bar(options.steps, 0, None, "steps") as bar:
        while len(losses) < options.steps:
            chosen = slice(len(losses), min(len(losses) + SLICE, options.steps))
            *state, found = step.repeat(chosen.stop - chosen.start, *state, each=[part[chosen] for part in settings])
            if len(found) < chosen.stop - chosen.start:  # by Ctrl-C, which `repeat` keeps to itself
                raise KeyboardInterrupt
            losses += found.tolist()
            bar.update(len(found))
    last, seconds = losses[-LAST:], time.perf_counter() - start
    print(f"{len(losses):,} steps in {seconds:.1f} s, 4,192 parameters")
    print(f"loss {losses[0]:.3f} at first, {sum(last) / len(last):.3f} as the mean of the last {len(last)} steps\n")
    made_up = gpt.sampled_names(state[0], options.samples, generator)
    made_up = [f"{name}*" if name in NAMES else name for name in made_up]
    for first in range(0, len(made_up), COLUMNS):
        print("".join(f"{name:<{WIDTH}}" for name in made_up[first : first + COLUMNS]).rstrip())
    print("\n* one of the names that it was trained with")
