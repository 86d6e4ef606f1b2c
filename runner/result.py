"""Makes what a flow returned fit into its outcome."""

import json
import os

from runner import contract
from runner.errors import ContractError
from runner.outcome import MAX_RESULT_BYTES, RESULT_ARTIFACT

REPR_LENGTH = 200


def fit(value: object, *, artifacts: str | None) -> tuple[object, str | None]:
    """The result as JSON, or null with a description of what was returned.

    A result that is JSON but too large is written to the artifact folder, so that it is not lost.
    """
    if value is None:
        return None, None
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except Exception as error:  # noqa: BLE001 subclasses of the user's may raise anything, and the flow has succeeded
        return None, f"{_described(value)}: not JSON ({_plain(str(error))})"
    if len(text) <= MAX_RESULT_BYTES:
        return _as_read(value, text)
    size = f"{len(text):,} bytes of JSON, more than the {MAX_RESULT_BYTES:,} that an outcome carries"
    if artifacts is not None:
        try:
            with open(os.path.join(artifacts, RESULT_ARTIFACT), "wb") as file:  # noqa: PTH118, PTH123
                file.write(text)
        except OSError as error:
            return None, f"{_described(value)}: {size}, and it could not be kept ({error.strerror})"
        return None, f"{_described(value)}: {size}; kept as the artifact {RESULT_ARTIFACT}"
    return None, f"{_described(value)}: {size}"


def _as_read(value: object, text: bytes) -> tuple[object, str | None]:
    """The result, unless a reader of the outcome would refuse it: for its nesting, or for keys that became equal."""
    try:
        outcome = contract.parse_json(b'{"result":%b}' % text, subject="outcome")
    except ContractError as error:
        return None, f"{_described(value)}: not JSON that an outcome carries ({error.found}, expected {error.expected})"
    assert isinstance(outcome, dict)  # noqa: S101 it is in braces
    return outcome["result"], None


def _described(value: object) -> str:
    try:
        text = _plain(repr(value))
    except Exception as error:  # noqa: BLE001 the user's __repr__ may raise anything, and the flow has succeeded
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= REPR_LENGTH else f"{text[:REPR_LENGTH]}…"


def _plain(text: str) -> str:
    """Text that any JSON reader takes: no NUL, no lone surrogates."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()
