"""The worked example as a page that tells its story, in the article's order and in words of our own.

>>> article_page().title
'A step by step backpropagation example'
"""

from __future__ import annotations

from autograd import LivePage
from autograd.views.live_page.story import Item
from nn.examples import pages

STORY: list[Item] = [
    (
        "start",
        """# Eight numbers to learn

        Here is the whole machine: two numbers go in at the top, two come out at the bottom. Between them stand two
        hidden neurons, $h1$ and $h2$, and two output neurons, $o1$ and $o2$.

        Eight weights, $w1$ to $w8$, say how much of each number passes on; two biases, $b1$ and $b2$, are added. Given
        {i1} and {i2}, the network is to answer 0.01 and 0.99. The weights begin anywhere.

        Learning means to find weights with which the answer is right. Every number with a dotted line can be changed;
        the text follows.""",
    ),
    ("start", "How many weights lead into the hidden neuron $h1$?", "2"),
    (
        "net_h1",
        """# Down: a first guess

        $h1$ weighs its two inputs, adds a bias, and squeezes the sum into a number between 0 and 1. First the sum:
        > $net_h1$ = {w1} × {i1} + {w2} × {i2} + {b1} = {net_h1 = 0.3775}""",
    ),
    (
        "out_h1",
        """The logistic function does the squeezing, $1 / (1 + e$ to the power of $−net_h1)$. A large sum ends near 1, a
        very negative one near 0.
        > $out_h1$ = {out_h1 = 0.593269992}""",
    ),
    (
        "out_h2",
        """$h2$ does the same with its own weights.
        > $net_h2$ = {w3} × {i1} + {w4} × {i2} + {b1} = {net_h2}
        > $out_h2$ = {out_h2 = 0.596884378}""",
    ),
    (
        "net_o1",
        """The output neurons take what the hidden ones put out.
        > $net_o1$ = {w5} × {out_h1} + {w6} × {out_h2} + {b2} = {net_o1 = 1.105905967}""",
    ),
    ("net_o1", "$net_o1$ is {net_o1}. What does $o1$ put out?", "out_o1"),
    (
        "out_o2",
        """So the first guess is this, where 0.01 and 0.99 are wanted:
        > $out_o1$ = {out_o1 = 0.75136507}
        > $net_o2$ = {w7} × {out_h1} + {w8} × {out_h2} + {b2} = {net_o2}
        > $out_o2$ = {out_o2 = 0.772928465}""",
    ),
    (
        "E_o1",
        """# How wrong is it?

        The guess was {out_o1} where {target_o1} was wanted; we square such misses so that none can hide behind another,
        and halve the square, which makes its slope simple.
        > $E_o1$ = ½ × ({target_o1} − {out_o1})² = {E_o1 = 0.274811083}""",
    ),
    ("E_o1", "The second output is {out_o2} where {target_o2} is wanted. What is its error, $E_o2$?", "E_o2"),
    (
        "E_total",
        """The total error is the sum of both.
        > $E_o2$ = ½ × ({target_o2} − {out_o2})² = {E_o2 = 0.023560026}
        > $E_total$ = {E_o1} + {E_o2} = {E_total = 0.298371109}""",
    ),
    (
        "out_o1.grad",
        """# One weight, three factors

        Turn $w5$ a little: what happens to the error? It moves $net_o1$, that moves $out_o1$, and that moves the error.
        Three factors say how much each moves the next. The first: if $out_o1$ grows, so does the error, since it is too
        large already.
        > $∂E_total/∂out_o1$ = −({target_o1} − {out_o1}) = {dE_total/dout_o1 = 0.74136507}""",
    ),
    (
        "net_o1.grad",
        """The second is the slope of the logistic function, which is made of its own output.
        > $∂out_o1/∂net_o1$ = {out_o1} × (1 − {out_o1}) = {dout_o1/dnet_o1 = 0.186815602}

        The product of the two is the share of $net_o1$ in the error. It is called δ and serves every weight of $o1$.
        > δ = {dE_total/dout_o1} × {dout_o1/dnet_o1} = {dE_o1/dnet_o1 = 0.138498562}""",
    ),
    (
        "w5.grad",
        """The third is what $w5$ is multiplied by.
        > $∂net_o1/∂w5$ = {dnet_o1/dw5 = 0.593269992}

        Together:
        > $∂E_total/∂w5$ = {dE_total/dout_o1} × {dout_o1/dnet_o1} × {dnet_o1/dw5} = {w5.grad = 0.082167041}""",
    ),
    (
        "w5.grad",
        "$w5$ is {w5}, and it moves against its gradient by half of it: the learning rate is 0.5. Where will it stand?",
        "w5.next",
    ),
    (
        "w5.grad",
        """It waits there: no weight moves before all gradients are known.
        > $w5$ next = {w5} − 0.5 × {w5.grad} = {w5.next = 0.35891648}""",
    ),
    (
        "w6.grad",
        """# Three more, the same way

        For $w6$ only the last factor changes; for $w7$ and $w8$ the sign does too. $w6$ is multiplied by $out_h2$.
        > $∂E_total/∂w6$ = {dE_o1/dnet_o1} × {out_h2} = {w6.grad}
        > $w6$ next = {w6.next = 0.408666186}""",
    ),
    (
        "net_o2.grad",
        "$o2$ put out {out_o2}, which is too little. What is the gradient of $w7$, with its sign?",
        "w7.grad",
    ),
    (
        "w8.grad",
        """Too little means that the error shrinks when the weight grows: the gradients are negative, the weights go up.
        > $w7$ next = {w7.next = 0.511301270}
        > $w8$ next = {w8.next = 0.561370121}""",
    ),
    (
        "out_h1.grad from net_o1",
        """# One weight, two roads

        $w1$ never touches an output directly. It moves $h1$, and $h1$ speaks to both outputs. So the blame comes back
        along two roads, and we add what they bring.

        ❶ Over $o1$: its share of the blame, times the weight it came through.
        > $∂E_o1/∂out_h1$ = {dE_o1/dnet_o1} × {dnet_o1/dout_h1 = 0.40} = {dE_o1/dout_h1 = 0.055399425}""",
    ),
    (
        "out_h1.grad from net_o2",
        """❷ Over $o2$ the sign turns: this output is too small and wants $h1$ to grow.
        > $∂E_o2/∂out_h1$ = {dE_o2/dnet_o2} × {dnet_o2/dout_h1} = {dE_o2/dout_h1 = −0.019049119}

        Together:
        > $∂E_total/∂out_h1$ = {dE_o1/dout_h1} + ({dE_o2/dout_h1}) = {out_h1.grad = 0.036350306}
        ≠ The article prints −0.019049119, one unit too much in its last digit. ✓ means equal in all the digits it
        prints.""",
    ),
    ("out_h1.grad", "$h1$ puts out {out_h1}. How steep is its curve there, $∂out_h1/∂net_h1$?", "dout_h1/dnet_h1"),
    (
        "net_h1.grad",
        """Now through $h1$ itself: its own steepness, then the input that $w1$ multiplies.
        > $∂out_h1/∂net_h1$ = {out_h1} × (1 − {out_h1}) = {dout_h1/dnet_h1 = 0.241300709}
        > $∂net_h1/∂w1$ = $i1$ = {dnet_h1/dw1 = 0.05}""",
    ),
    (
        "w1.grad",
        """Three factors, as before; only the first one came along two roads.
        > $∂E_total/∂w1$ = {out_h1.grad} × {dout_h1/dnet_h1} × {dnet_h1/dw1} = {w1.grad = 0.000438568}""",
    ),
    (
        "w4.grad",
        """The other hidden weights need no new idea: $w2$ is multiplied by $i2$, and $w3$ and $w4$ lead into $h2$.
        > $∂E_total/∂w2$ = {w2.grad}
        > $∂E_total/∂w3$ = {w3.grad}
        > $∂E_total/∂w4$ = {w4.grad}""",
    ),
    ("w4.grad", "All gradients are known, and that of $w1$ is {w1.grad}. Where does $w1$ move?", "w1.next"),
    (
        "w8.next",
        """# All eight move at once

        No weight may move before every gradient is known. Now each takes its step against its gradient.
        > $w1$ next = {w1.next = 0.149780716}, $w2$ next = {w2.next = 0.19956143}
        > $w3$ next = {w3.next = 0.24975114}, $w4$ next = {w4.next = 0.29950229}
        > $w5$ next = {w5.next}, $w6$ next = {w6.next}
        > $w7$ next = {w7.next}, $w8$ next = {w8.next}""",
    ),
    (
        "after 1 round",
        """# Again, ten thousand times

        One round takes the error from {E_total} to {E_total after 1 round}. The article prints another figure:
        > $E_total$ = {E_total after 1 round, sequential = 0.291027924}

        It comes out if the output weights move first and the hidden gradients are formed with the new ones. The
        article's text describes the other order, in which all move at once, and its weights above are of that one.""",
    ),
    (
        "after 10,000 rounds",
        """After 10,000 rounds the error is {E_total after 10,000 rounds}, all at once. In the order that the article's
        figures come from, where 0.01 and 0.99 are wanted:
        > $E_total$ = {E_total after 10,000 rounds, sequential = 0.000035085}
        > $out_o1$ = {out_o1 after 10,000 rounds, sequential = 0.015912196}
        > $out_o2$ = {out_o2 after 10,000 rounds, sequential = 0.984065734}""",
    ),
    (
        "after 10,000 rounds",
        """# What the article leaves out

        The biases never moved; let them, and the error after 10,000 rounds is eight times smaller.
        > $E_total$ = {E_total after 10,000 rounds, shared}

        With a bias of its own for every neuron it is smaller still.
        > $E_total$ = {E_total after 10,000 rounds, per-neuron}

        Below, train it yourself, in either order and with any kind of biases.""",
    ),
]


def article_page() -> LivePage:
    """Make the page of the worked example with its story beside the picture."""
    return pages.worked_example_page(STORY)
