"""Started by `pulumi up`: load the configuration, build, export."""

import sys

import pulumi

from stacks.config import load
from stacks.program import build

try:
    for name, value in build(load()).items():
        pulumi.export(name, value)
except pulumi.RunError as error:
    pulumi.log.error(str(error))
    sys.exit(32)  # "the message has been shown": for any other code, Pulumi adds that the program ended with it
