"""Lines that Dask workers print, as they are shown: each with its worker, on every platform."""


def marked(worker: str, line: bytes) -> bytes:
    """A line of a worker.

    Args:
        worker: its number.
        line: what it has printed, with or without a newline.
    """
    return b"worker %b | %b\n" % (worker.encode(), line.rstrip(b"\n"))
