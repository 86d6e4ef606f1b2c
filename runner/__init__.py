"""Run Python flows in the environments that Penstock's Pulumi stacks provision."""

__version__ = "0.1.0"
