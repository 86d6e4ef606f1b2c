"""Flows that end, or behave, in every way that a run has to cope with."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def succeed(number: int = 1) -> dict[str, int]:
    print("working")
    return {"number": number}


def fail() -> None:
    raise ValueError("the input is empty")


def exit_with(code: int) -> None:
    sys.exit(code)


def exit_with_words() -> None:
    sys.exit("no input today")


def exit_at_once(code: int) -> None:
    os._exit(code)


def crash() -> None:
    ctypes.string_at(0)


def kill_itself(number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), number)


def fill_memory() -> None:
    blocks = []
    while True:
        blocks.append(bytearray(16 * 1024 * 1024))


def wait(ready: Path) -> None:
    ready.write_text(str(os.getpid()))
    time.sleep(60)


def wait_deaf(ready: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ready.write_text(str(os.getpid()))
    time.sleep(60)


def wait_and_tidy(ready: Path, tidied: Path) -> str:
    try:
        wait(ready)
    except KeyboardInterrupt as notice:
        tidied.write_text(type(notice).__name__)
        return "tidied"
    return "never"


async def answer(seconds: float = 0.0) -> int:
    await asyncio.sleep(seconds)
    return 42


async def wait_async(ready: Path) -> None:
    ready.write_text(str(os.getpid()))
    await asyncio.sleep(60)


def leave_a_child(pid_file: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pid_file.write_text(str(child.pid))
    child.returncode = 0


def fork_and_return() -> int:
    if os.fork() == 0:
        return 13
    os.wait()
    return 12


def print_much(lines: int) -> None:
    for number in range(lines):
        print(f"line {number} of standard output")
        print(f"line {number} of standard error", file=sys.stderr)


def print_bytes() -> None:
    sys.stdout.buffer.write(b"\x00\xff not text\r\n\x1b[1mbold\x1b[0m no newline at the end")


def print_slowly(ready: Path, go: Path) -> None:
    print("first", end="")
    ready.touch()
    while not go.exists():
        time.sleep(0.01)
    print(" second")


def not_json() -> object:
    return {1, 2, 3}


def large() -> str:
    return "x" * 300_000


def show_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(("PENSTOCK_", "COLOUR"))}


def keep_artifacts() -> None:
    folder = Path(os.environ["PENSTOCK_ARTIFACTS"])
    (folder / "charts").mkdir()
    (folder / "charts" / "delays.svg").write_text("<svg/>")
    (folder / "table.csv").write_text("a,b\n")


def log_something() -> None:
    import logging

    logging.getLogger("mine").info("at info")
    logging.getLogger("mine").debug("at debug")
    logging.getLogger("chatty.library").debug("library at debug")


def zombies(count: int) -> int:
    """Orphan some processes: as PID 1 the runner inherits them."""
    for _ in range(count):
        subprocess.run([sys.executable, "-c", "import os; os.fork() or os._exit(0)"], check=True)
    time.sleep(0.2)
    states = [path / "stat" for path in Path("/proc").iterdir() if path.name.isdigit()]
    return sum(path.read_text().rpartition(")")[2].split()[0] == "Z" for path in states if path.exists())


def wait_until(moment: float) -> str:
    """End at a time, in seconds since 1970, whoever has begun it."""
    print("up", flush=True)
    while time.time() < moment:
        time.sleep(0.05)
    return "waited"


def keep_a_large_artifact(size: int) -> int:
    print("first\nsecond")
    data = os.urandom(size)
    (Path(os.environ["PENSTOCK_ARTIFACTS"]) / "noise.bin").write_bytes(data)
    return sum(data)


def give_back(words: str) -> str:
    return words


def count(lines: int, pause: float = 0.0) -> int:
    for number in range(lines):
        print(f"line {number} {'x' * (number % 50)}")
        time.sleep(pause)
    return lines


def echo(words: str) -> None:
    print(words, end="", flush=True)
