"""Compresses the files that travel in a run's log, and expands them within a bound: who wrote them may mean harm."""

import zlib

MAX_EXPANDED_BYTES = 8 * 1024 * 1024
"""Most bytes of the files that travel in one log, each and in all, as they are when they are not compressed."""


def compressed(data: bytes) -> bytes:
    """The data in zlib's format."""
    return zlib.compress(data)


def expanded(data: bytes, room: int) -> bytes | None:
    """What was compressed; null when it is more than there is room for, or nothing that was compressed."""
    expander = zlib.decompressobj()
    try:
        whole = expander.decompress(data, room + 1)
    except zlib.error:
        return None
    return whole if len(whole) <= room and expander.eof and not expander.unused_data else None
