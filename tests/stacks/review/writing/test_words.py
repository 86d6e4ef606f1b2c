"""What previews failed of, in as many words as a reader has patience for."""

import pytest

from stacks.review.writing.words import error_lines

PYTHON = """Program failed with an unhandled exception:
Traceback (most recent call last):
  File "/home/somebody/flows/__main__.py", line 3, in <module>
    build()
    ~~~~~^^
  File "/home/somebody/flows/place.py", line 9, in build
    raise KeyError(name)
KeyError: 'lake'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/home/somebody/flows/__main__.py", line 5, in <module>
    raise ValueError("no lake")
ValueError: no lake"""


@pytest.mark.parametrize("margin", ["", "    "])
def test_of_a_traceback_its_end_is_told_and_nothing_of_the_machine(margin: str) -> None:
    text = "\n".join(f"{margin}{line}" for line in PYTHON.splitlines())

    assert [line.strip() for line in error_lines([text])] == [
        "Program failed with an unhandled exception:",
        "KeyError: 'lake'",
        "During handling of the above exception, another exception occurred:",
        "ValueError: no lake",
    ]


def test_what_is_no_traceback_stays() -> None:
    text = "Traceback (most recent call last):\nmeans nothing here\n  and this is indented"
    assert error_lines([text]) == text.splitlines()


def test_more_than_anybody_reads_is_cut() -> None:
    lines = error_lines(["x" * 600, *(f"line {number}: {'y' * 400}" for number in range(100))])

    assert lines[0].endswith("x... (600 characters in all)")
    assert lines[-1] == "..."
    assert len(lines) < 12
