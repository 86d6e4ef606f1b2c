"""Follows a run in a thread, and waits for what it prints, for what it waits for, and for its end."""

import threading
import time
from dataclasses import dataclass, field

from runner.launch.base import Launcher
from runner.outcome import Outcome


@dataclass
class Run:
    """A run, with what its follower got."""

    launcher: Launcher
    run_id: str
    output: bytearray = field(default_factory=bytearray)
    notices: list[str] = field(default_factory=list)
    outcome: Outcome | None = None
    ended_at: float = 0.0
    error: BaseException | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def follow(self) -> Outcome:
        """Follow to the end."""
        self.start_following()
        return self.end()

    def start_following(self) -> None:
        """Follow in a thread."""

        def follow() -> None:
            try:
                outcome = self.launcher.follow(self.run_id, self.take, notice=self._tell)
                with self._changed:
                    self.outcome, self.ended_at = outcome, time.time()
            except BaseException as error:  # noqa: BLE001 the test's own thread raises it
                self.error = error
            with self._changed:
                self._changed.notify_all()

        self._thread = threading.Thread(target=follow, daemon=True)
        self._thread.start()

    def end(self, seconds: float = 90) -> Outcome:
        """The outcome of a run that is followed."""
        with self._changed:
            self._changed.wait_for(lambda: self.outcome is not None or self.error is not None, seconds)
        if self.error is not None:
            raise self.error
        assert self.outcome is not None, f"no end within {seconds} s; notices: {self.notices}"
        return self.outcome

    def await_output(self, text: bytes, seconds: float = 60, *, times: int = 1) -> None:
        """Wait until the flow has printed something, so and so often."""

        def is_there() -> bool:
            return self.output.count(text) >= times or self.outcome is not None or self.error is not None

        with self._changed:
            self._changed.wait_for(is_there, seconds)
            assert self.output.count(text) >= times, (bytes(self.output), self.notices, self.outcome, self.error)

    def await_notice(self, text: str, seconds: float = 60) -> str:
        """Wait until the follower has been told something."""
        with self._changed:
            self._changed.wait_for(lambda: any(text in each for each in self.notices), seconds)
        found = [each for each in self.notices if text in each]
        assert found, f"{text!r} is not in {self.notices}; outcome {self.outcome}, error {self.error}"
        return found[0]

    def take(self, data: bytes) -> None:
        with self._changed:
            self.output += data
            self._changed.notify_all()

    def _tell(self, sentence: str) -> None:
        with self._changed:
            self.notices.append(sentence)
            self._changed.notify_all()


def told(outcome: Outcome) -> tuple[str, int | None]:
    """Failure class and exit code of a run that failed."""
    assert outcome.failure is not None, outcome
    return outcome.failure.failure_class.value, outcome.exit_code
