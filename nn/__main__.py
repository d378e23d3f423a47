"""Run the command line, as `python -m nn` and `stepgrad` do."""

import sys

from nn.examples.command_line import main

if __name__ == "__main__":
    sys.exit(main())
