"""What becomes of a container's output, and the pages in which CloudWatch Logs gives it."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import Bed
from tests.testbed.aws.driver import LONGEST_EVENT, events
from tests.testbed.aws.faults import Kind
from tests.testbed.aws.log_pattern import matcher

pytestmark = pytest.mark.aws

WRITES = """
import sys
out = sys.stdout.buffer
out.write(b"first\\n\\n\\r\\n" + b"\\xff\\xe2\\x82 bad\\n" + b"no newline at the end")
"""


def test_lines_become_events_and_empty_ones_are_dropped(bed: Bed) -> None:
    arn = bed.run(WRITES)
    bed.until(arn)

    assert bed.lines(arn) == ["first", "\r", "\ufffd\ufffd\ufffd bad", "no newline at the end"]


def test_what_is_printed_to_both_channels_is_there(bed: Bed) -> None:
    arn = bed.run("import sys; print('out'); print('err', file=sys.stderr)")
    bed.until(arn)

    assert bed.lines(arn) == ["out", "err"]


def test_a_long_line_becomes_several_events(bed: Bed) -> None:
    arn = bed.run(f"print('x' * {2 * LONGEST_EVENT + 7})")
    bed.until(arn)

    assert [len(line) for line in bed.lines(arn)] == [LONGEST_EVENT, LONGEST_EVENT, 7]


def test_replaced_bytes_are_split_between_characters() -> None:
    found = list(events(b"\xff" * LONGEST_EVENT))

    assert "".join(found) == "\ufffd" * LONGEST_EVENT
    assert all(len(text.encode()) <= LONGEST_EVENT for text in found)


def test_the_last_lines_can_come_after_the_end(bed: Bed) -> None:
    bed.aws.delay(log=1.0)
    arn = bed.run("print('late')")

    bed.until(arn)

    assert bed.lines(arn) == []
    bed.until_line(arn, "late")


def test_a_group_that_is_not_there_keeps_a_task_from_starting_unless_it_may_be_made(bed: Bed) -> None:
    options = {"awslogs-group": f"{bed.log_group}/other", "awslogs-region": bed.aws.region}
    configuration = {"logDriver": "awslogs", "options": {**options, "awslogs-stream-prefix": "bed"}}
    task = bed.until(bed.run("print(1)", logConfiguration=configuration))
    assert task["stopCode"] == "TaskFailedToStart"
    assert "The specified log group does not exist" in task["stoppedReason"]
    assert task["stoppedReason"].startswith("ResourceInitializationError: failed to validate logger args")

    configuration["options"] = {**options, "awslogs-stream-prefix": "bed", "awslogs-create-group": "true"}
    task = bed.until(bed.run("print(1)", logConfiguration=configuration))
    assert task["containers"][0]["exitCode"] == 0
    bed.logs.delete_log_group(logGroupName=options["awslogs-group"])


def put(bed: Bed, messages: list[str], stream: str = "s") -> None:
    """Write events, a millisecond after the other, into a new stream."""
    bed.logs.create_log_stream(logGroupName=bed.log_group, logStreamName=stream)
    begin = int(time.time() * 1000) - len(messages)
    entries = [{"timestamp": begin + number, "message": text} for number, text in enumerate(messages)]
    bed.logs.put_log_events(logGroupName=bed.log_group, logStreamName=stream, logEvents=entries)


def page(bed: Bed, stream: str = "s", **options: Any) -> tuple[list[str], str, str]:
    answer = bed.logs.get_log_events(logGroupName=bed.log_group, logStreamName=stream, **options)
    return [item["message"] for item in answer["events"]], answer["nextForwardToken"], answer["nextBackwardToken"]


def test_the_token_of_the_end_is_answered_with_itself_until_there_is_more(bed: Bed) -> None:
    put(bed, ["a", "b", "c"])

    first, forward, _ = page(bed, limit=2, startFromHead=True)
    second, end, _ = page(bed, limit=2, nextToken=forward)
    nothing, same, _ = page(bed, limit=2, nextToken=end)

    assert (first, second, nothing) == (["a", "b"], ["c"], [])
    assert forward != end == same
    last = bed.logs.describe_log_streams(logGroupName=bed.log_group)["logStreams"][0]["lastEventTimestamp"]
    bed.logs.put_log_events(
        logGroupName=bed.log_group, logStreamName="s", logEvents=[{"timestamp": last + 1, "message": "d"}]
    )
    assert page(bed, nextToken=end)[0] == ["d"]


def test_without_a_token_the_newest_come_first_and_one_can_go_back(bed: Bed) -> None:
    put(bed, ["a", "b", "c"])

    newest, forward, backward = page(bed, limit=2)
    older, between, start = page(bed, limit=2, nextToken=backward)

    assert (newest, older) == (["b", "c"], ["a"])
    assert page(bed, nextToken=forward)[0] == []
    assert page(bed, nextToken=between)[0] == ["b", "c"]
    assert page(bed, nextToken=start) == ([], page(bed, startFromHead=True, limit=1)[2].replace("b/", "f/"), start)


def test_a_page_holds_a_megabyte(bed: Bed) -> None:
    put(bed, ["x" * 200_000] * 7)

    first, forward, _ = page(bed, startFromHead=True)
    second, *_ = page(bed, nextToken=forward)

    assert (len(first), len(second)) == (5, 2)


def test_a_page_can_be_empty_though_there_is_more(bed: Bed) -> None:
    put(bed, ["a"])
    bed.aws.inject(Kind.EMPTY_PAGE, action="GetLogEvents")

    nothing, forward, _ = page(bed, startFromHead=True)

    assert nothing == []
    found, end, _ = page(bed, nextToken=forward)
    assert (found, end != forward) == (["a"], True)


def test_tokens_and_streams_that_are_none_are_refused(bed: Bed) -> None:
    put(bed, ["a"])
    with pytest.raises(ClientError, match="nextToken is invalid"):
        page(bed, nextToken="f/1")
    with pytest.raises(ClientError, match="log stream does not exist"):
        page(bed, "other")


def found(bed: Bed, **options: Any) -> tuple[list[tuple[str, str]], str | None]:
    answer = bed.logs.filter_log_events(logGroupName=bed.log_group, **options)
    return [(item["logStreamName"], item["message"]) for item in answer["events"]], answer.get("nextToken")


def test_events_of_many_streams_are_found_in_the_order_of_time(bed: Bed) -> None:
    put(bed, ['a {"outcome": 1}', "b"], "bed/flow/1")
    put(bed, ['c {"outcome": 2}'], "bed/flow/2")
    put(bed, ['d {"outcome": 3}'], "bed/proxy/1")

    by_prefix, end = found(bed, logStreamNamePrefix="bed/flow/", filterPattern='"{\\"outcome\\": "')
    first, token = found(bed, limit=1)
    assert token is not None
    rest, last = found(bed, nextToken=token)

    assert (by_prefix, end) == (
        [("bed/flow/1", 'a {"outcome": 1}'), ("bed/flow/2", 'c {"outcome": 2}')],
        None,
    )
    assert (len(first), len(rest), last) == (1, 3, None)
    bed.aws.inject(Kind.EMPTY_PAGE, action="FilterLogEvents")
    nothing, token = found(bed)
    assert (nothing, token is not None) == ([], True)
    assert len(found(bed, nextToken=token)[0]) == 4


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR", True),
        ("ERROR", "an error", False),
        ('"two words"', "of two words here", True),
        ("one two", "two and one", True),
        ("one two", "one", False),
        ("?one ?two", "two", True),
        ("?one ?two", "three", False),
        ("one -two", "one two", False),
        ("%[0-9]{3}%", "code 404", True),
    ],
)
def test_patterns_are_terms_phrases_and_expressions(pattern: str, message: str, matches: bool) -> None:
    assert matcher(pattern)(message) is matches


@pytest.mark.parametrize("pattern", ["{ $.a = 1 }", "[a, b]", "penstock.dev/x", '"open'])
def test_patterns_that_are_not_known_are_refused(bed: Bed, pattern: str) -> None:
    with pytest.raises(ClientError, match="Invalid filter pattern"):
        found(bed, filterPattern=pattern)
