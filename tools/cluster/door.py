"""Forwards connections: `python3 -I door.py HOST PORT`, with a listening socket as its stdin.

The socket was made outside the node's network namespace and this process runs inside: whoever connects to it reaches
HOST:PORT of the node from outside. Bytes go through as they are, and the end of each direction by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import sys

CHUNK = 64 * 1024


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: tuple[str, int]) -> None:
    writers = [writer]
    try:
        there_reader, there_writer = await asyncio.open_connection(*address)
        writers.append(there_writer)
        async with asyncio.TaskGroup() as both:
            both.create_task(_pass_on(reader, there_writer))
            both.create_task(_pass_on(there_reader, writer))
    except* OSError:
        # Either side has broken the connection off: so does this one to the other.
        for each in writers:
            each.transport.abort()
    finally:
        for each in writers:
            each.close()


async def forward(listening: socket.socket, address: tuple[str, int]) -> None:
    """Serves until the process is ended.

    Args:
        listening: The socket on which connections arrive.
        address: Host and port to which each of them is connected.
    """
    server = await asyncio.start_server(
        lambda reader, writer: _forward(reader, writer, address), sock=listening, backlog=socket.SOMAXCONN
    )
    async with server:
        await server.serve_forever()


def main() -> None:
    """Runs the command line."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    host, port = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(forward(socket.socket(fileno=0), (host, int(port))))


if __name__ == "__main__":
    main()
