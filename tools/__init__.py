"""What `make` runs: set-up of the checkout, the tools it needs, the demo, the tests and the checks.

Standard library only: the system's Python runs these modules before anything is installed.
"""

import sys

MINIMUM_PYTHON = (3, 11)

if sys.version_info[:2] < MINIMUM_PYTHON:
    sys.exit(
        "Python %d.%d was found where 3.11 or newer is needed. " % sys.version_info[:2]  # noqa: UP031 old Pythons read this
        + "Install a newer one and name it: make PYTHON=python3.11 ..."
    )
