"""Waiting for what a process brings about: for as long as it gets on, however slow a busy machine lets it be."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

STILL = 300.0
"""Seconds without any progress after which there will be none: a step takes a hundredth of that on an idle machine."""

_LONGER = 1.25  # each pause is so many times the one before
_LONGEST = 0.5  # seconds

T = TypeVar("T")


class StillError(AssertionError):
    """What was waited for has not come, and nothing goes on any more that could bring it."""


def until(
    found: Callable[[], T],
    progress: Callable[[], object],
    what: Callable[[], str],
    *,
    pause: float = 0.1,
    still: float | None = None,
) -> T:
    """Ask again and again until something is found, and say it.

    Args:
        found: Says what is waited for, or nothing that is true.
        progress: Says something that changes while whoever brings it about gets on; raises when they have ended.
        what: Says what was waited for, and what is there instead.
        pause: Seconds between the first two questions, which take some work; the later ones come more slowly.
        still: Seconds without progress after which nobody waits any longer; STILL when left out.

    Raises:
        StillError: For so long, there was no progress.
    """
    still = STILL if still is None else still
    there, since = progress(), time.monotonic()
    while not (told := found()):
        now = progress()
        if now != there:
            there, since = now, time.monotonic()
        elif time.monotonic() - since > still:
            raise StillError(f"{what()}: nothing has moved for {still:.0f} seconds")
        time.sleep(pause)
        pause = min(pause * _LONGER, _LONGEST)
    return told


def ended(process: subprocess.Popen[bytes], *, still: float | None = None) -> int:
    """Wait until a process has ended, for as long as it works, and say how.

    Raises:
        StillError: It neither works nor ends.
    """
    until(
        lambda: process.poll() is not None,
        lambda: processor_seconds(process.pid),
        lambda: f"the end of {process.args!r}",
        pause=0.02,
        still=still,
    )
    return process.wait()


def processor_seconds(pid: int) -> float:
    """How long a process has worked, in hundredths of a second; where nobody says so, nothing."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / 100
