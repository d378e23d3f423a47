"""What comes with the package besides the library: examples to learn from and to start from.

`worked_example` is Mazur's 2-2-2 network with its figures, and `story` tells it line by line. `digits`, `mnist_files`
and `digit_pictures` read handwritten digits. `gpt` is a GPT as functions of numbers. `pages` shows the first two and
logic gates in a browser. `command_line` and the modules named `…_command` are the commands of `python -m nn`.
"""
