"""Waiting ends with what was waited for, at once when nobody is left to bring it about, and when nothing moves."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from itertools import count

import pytest

from tests import waiting
from tests.integration.emulator.controls import Controls
from tests.integration.emulator.server import Emulator

WORKING = "sum(range(10**7))"
HANGING = "import time; time.sleep(600)"


def test_waits_for_as_long_as_something_moves() -> None:
    steps, asked = count(), count()
    began = time.monotonic()
    found = waiting.until(lambda: next(asked) > 10, lambda: next(steps), lambda: "it", pause=0.05, still=0.2)
    assert found is True
    assert time.monotonic() - began > 0.8  # four times as long as it waits for what stands still


def test_gives_up_what_never_moves_and_says_what() -> None:
    with pytest.raises(waiting.StillError, match=r"the tide: nothing has moved for 0 seconds"):
        waiting.until(lambda: False, lambda: 7, lambda: "the tide", pause=0.01, still=0.1)


def test_reports_at_once_what_progress_raises() -> None:
    def gone() -> int:
        raise ProcessLookupError

    with pytest.raises(ProcessLookupError):
        waiting.until(lambda: False, gone, lambda: "it")


def test_a_process_that_works_is_waited_for_and_one_that_hangs_is_not() -> None:
    with subprocess.Popen([sys.executable, "-c", WORKING]) as process:
        assert waiting.ended(process) == 0
    with subprocess.Popen([sys.executable, "-c", HANGING]) as process:
        with pytest.raises(waiting.StillError, match=r"time\.sleep"):
            waiting.ended(process, still=0.5)
        process.kill()


def test_an_emulator_that_has_died_or_does_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator() as emulator:
        controls = Controls(emulator)
        with monkeypatch.context() as impatient:
            impatient.setattr(waiting, "STILL", 0.5)
            with pytest.raises(waiting.StillError, match="what never comes"):
                controls.until(lambda: False, lambda: "what never comes")
        assert emulator._process
        emulator._process.send_signal(signal.SIGKILL)
        with pytest.raises(OSError, match=r"refused|reset|closed"):
            controls.until(lambda: False, lambda: "what never comes")
