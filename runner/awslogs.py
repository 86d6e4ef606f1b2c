r"""Carries a log byte by byte through Docker's awslogs driver, which keeps lines only, and not all of them.

The driver drops empty lines, cuts long ones into several, and cannot tell whether the last line was ended. So the
runner writes what it can keep, and who reads the log undoes that:

    \x1e            an empty line, or an empty end of the line before
    ...\x1e         a piece of a line, which goes on in the next event

What is not UTF-8 is lost to the driver all the same.
"""

MARK = b"\x1e"
"""ASCII's separator of records."""
LONGEST_PIECE = 15 * 1024
"""Longest line in bytes that is written as one: containerd hands lines to log drivers in buffers of 16 KiB."""


class Encoder:
    """Writes a stream of bytes for the driver."""

    def __init__(self) -> None:
        self._length = 0
        """Bytes on the driver's current line."""
        self._last = 0
        """The last of them."""

    def feed(self, data: bytes) -> bytes:
        """What to write for the next bytes of the stream."""
        written = bytearray()
        for line in _lines(data):
            ended = line.endswith(b"\n")
            self._add(line[:-1] if ended else line, written)
            if ended:
                self._end_line(written)
        return bytes(written)

    def _add(self, text: bytes, written: bytearray) -> None:
        while text:
            room = LONGEST_PIECE - self._length
            if room <= 0 and text[0] & 0xC0 != 0x80:  # never inside a character
                self._break(written)
                continue
            count = max(1, room)
            piece, text = text[:count], text[count:]
            written += piece
            self._length += len(piece)
            self._last = piece[-1]

    def _break(self, written: bytearray) -> None:
        written += MARK + b"\n"
        self._length = self._last = 0

    def _end_line(self, written: bytearray) -> None:
        if self._last == MARK[0]:  # the line's own, which must not be taken for ours
            self._break(written)
        written += (b"" if self._length else MARK) + b"\n"
        self._length = self._last = 0


def decoded(message: str) -> bytes:
    """The bytes of the stream that an event of the driver's stands for."""
    data = message.encode(errors="surrogatepass")
    if data == MARK:
        return b"\n"
    return data[:-1] if data.endswith(MARK) else data + b"\n"


def _lines(data: bytes) -> list[bytes]:
    """Lines that end with a newline and nothing else."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
