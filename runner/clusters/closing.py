"""Closes Dask clusters without what Dask logs of every connection and every worker that is still waited for."""

import logging
import sys
from collections.abc import Callable


def quietly(close: Callable[[], object]) -> None:
    """Close a cluster; what goes wrong is one sentence.

    Args:
        close: closes it.
    """
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado", "asyncio")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        close()
    except Exception as error:  # noqa: BLE001 how the flow ended stays as it was; what workers are in goes in any case
        print(f"penstock: Dask did not close cleanly ({type(error).__name__}: {error})", file=sys.stderr)
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
