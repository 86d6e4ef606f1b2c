"""Writes to file descriptors whose readers may be slow, or gone."""

import os
import select


def write_all(fd: int, data: bytes) -> bool:
    """Write all of it, however slowly it is read; false when the disk is full or the reader is gone."""
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:  # whoever shares the descriptor has made it non-blocking
            waiting = select.poll()
            waiting.register(fd, select.POLLOUT)
            waiting.poll()
        except OSError:
            return False
    return True
