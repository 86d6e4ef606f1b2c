"""A log that goes through Docker's awslogs driver comes out byte by byte."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.awslogs import LONGEST_PIECE, MARK, Encoder, decoded

BUFFER_BYTES = 16 * 1024
"""What containerd gives log drivers at a time."""
MARKED = MARK.decode()
TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from(["\n", MARKED, "\r", "ü", "🏔"]), max_size=40)
STREAMS = st.lists(
    TEXTS
    | st.builds(
        # Long lines around where they are cut, of characters of one to four bytes, and marks of the flow's own there.
        lambda start, letter, end: start * (LONGEST_PIECE - 4) + letter * 8 + end,
        st.sampled_from(["", "x"]),
        st.sampled_from(["x", "ü", "€", "🏔", MARKED]),
        st.sampled_from(["", "\n", "\n\n", f"{MARKED}\n"]),
    ),
    max_size=4,
).map("".join)


def chunks(data: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes in pieces, which may end inside a character."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


def encoded(pieces: list[bytes]) -> bytes:
    encoder = Encoder()
    return b"".join(map(encoder.feed, pieces))


def through_the_driver(written: bytes) -> list[str]:
    """The events that the driver makes: one for each line, none for an empty one, and one for what has no end."""
    return [line.decode() for line in written.split(b"\n") if line]


@given(STREAMS, st.lists(st.integers(0), max_size=5))
@example("", [])
@example(MARKED, [0])
@example(f"a{MARKED}\n{MARKED}\n\n", [1, 2, 3])
@example("🏔" * 10_000, [15_361])
def test_what_is_utf8_comes_back_as_it_was_in_whatever_pieces_it_is_written(text: str, cuts: list[int]) -> None:
    data = text.encode()

    written = encoded([*chunks(data, cuts), b"" if data.endswith(b"\n") else b"\n"])

    whole = data if data.endswith(b"\n") else data + b"\n"
    assert b"".join(map(decoded, through_the_driver(written))) == whole


@given(STREAMS, st.lists(st.integers(0), max_size=5))
def test_no_line_is_empty_or_longer_than_the_drivers_buffer_and_no_character_is_cut(text: str, cuts: list[int]) -> None:
    written = encoded([*chunks(text.encode(), cuts), b"\n"])

    assert written.endswith(b"\n")
    for line in written[:-1].split(b"\n"):
        assert 0 < len(line) <= BUFFER_BYTES
        line.decode()


@given(STREAMS, st.lists(st.integers(0), max_size=5))
def test_the_pieces_in_which_it_is_written_make_no_difference(text: str, cuts: list[int]) -> None:
    data = text.encode()

    assert encoded(chunks(data, cuts)) == encoded([data])


@given(st.binary(max_size=200), st.lists(st.integers(0), max_size=3))
def test_short_lines_that_are_not_utf8_are_written_as_they_are(data: bytes, cuts: list[int]) -> None:
    written = encoded([*chunks(data, cuts), b"\n"])

    lines = written[:-1].split(b"\n")
    assert b"\n" not in b"".join(lines)
    assert b"".join(lines).replace(MARK, b"") == data.replace(b"\n", b"").replace(MARK, b"")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("a", "a"),
        ("a\n", "a\n"),
        ("\n", f"{MARKED}\n"),
        ("a\n\nb\n", f"a\n{MARKED}\nb\n"),
        (f"{MARKED}x\n", f"{MARKED}x\n"),
        (f"x{MARKED}\n", f"x{MARKED}{MARKED}\n{MARKED}\n"),
        (f"{MARKED}\n", f"{MARKED}{MARKED}\n{MARKED}\n"),
        ("x" * LONGEST_PIECE + "\n", "x" * LONGEST_PIECE + "\n"),
        ("x" * (LONGEST_PIECE + 1) + "\n", "x" * LONGEST_PIECE + f"{MARKED}\nx\n"),
    ],
    ids=range(10),
)
def test_what_is_written(text: str, written: str) -> None:
    assert encoded([text.encode()]) == written.encode()


@pytest.mark.parametrize("letter", ["x", "ü", "€", "🏔", MARKED])
@pytest.mark.parametrize("before", range(LONGEST_PIECE - 5, LONGEST_PIECE + 2))
def test_a_long_line_is_cut_between_characters_and_put_together_again(before: int, letter: str) -> None:
    data = ("x" * before + letter * 20_000 + "\n").encode()

    events = through_the_driver(encoded([data]))

    assert b"".join(map(decoded, events)) == data
    assert max(len(event.encode()) for event in events) < BUFFER_BYTES
    assert len(events) <= 2 + len(data) // (LONGEST_PIECE - 4)
