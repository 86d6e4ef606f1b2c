"""`python -m runner.cli` is `penstock`."""

import sys

from runner.cli import main

if __name__ == "__main__":
    sys.exit(main())
