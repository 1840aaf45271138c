"""The time in the emulator: the machine's own, shifted by what a test asks for.

It reaches the log of changes, exports and what a table can be restored to, Step Functions' context, TTL, schedules, the
age of what S3 holds and its retention, and the functions' `time.time` and `datetime.now`. Not shifted: sessions,
signatures and waiting; `Wait` with a Timestamp waits for the shifted time.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import dynamodb, s3, scheduler, stepfunctions

_NAME = "TABLEGUARD_CLOCK"  # names the file, for the functions as well
_lock = threading.Lock()


class _State:
    offset = 0.0
    latest = 0


# Put before what a function's process runs: nothing has imported datetime by then.
_IN_A_FUNCTION = f"""
def _shift_the_clock():
    import datetime, os, time
    real, path = time.time, os.environ.get("{_NAME}", "")
    def offset():
        try:
            with open(path) as file:
                return float(file.read())
        except (OSError, ValueError):
            return 0.0
    def shifted():
        return real() + offset()
    class Kind(type):
        def __instancecheck__(cls, value):
            return isinstance(value, original)
    original = datetime.datetime
    class Shifted(original, metaclass=Kind):
        @classmethod
        def now(cls, tz=None):
            return original.fromtimestamp(shifted(), tz)
        @classmethod
        def utcnow(cls):
            return original.fromtimestamp(shifted(), datetime.timezone.utc).replace(tzinfo=None)
    Shifted.__name__ = Shifted.__qualname__ = "datetime"
    time.time, datetime.datetime = shifted, Shifted
_shift_the_clock()
"""


class _Datetime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        return dt.datetime.fromtimestamp(now(), tz)


def install() -> None:
    """Give the emulated services this clock, and take up the offset of an earlier run."""
    path = _file()
    if path.is_file():
        _State.offset = float(path.read_text())
    ours = ModuleType("time")
    ours.__dict__.update(vars(time), time=now)
    for module in (dynamodb, s3, scheduler, stepfunctions):
        module.time = ours
        if hasattr(module, "now_iso"):
            module.now_iso = now_iso
    s3._dt = SimpleNamespace(**{**vars(dt), "datetime": _Datetime})
    stepfunctions._sleep_until = _sleep_until
    lambda_runtime._PYTHON_WORKER_SCRIPT = _IN_A_FUNCTION + lambda_runtime._PYTHON_WORKER_SCRIPT


def shift(seconds: float) -> None:
    """Let all be this much later than it is."""
    _State.offset = seconds
    beside = _file().with_suffix(".new")  # a function may be reading it
    beside.write_text(str(seconds))
    beside.rename(_file())


def offset() -> float:
    """How much later it is than on the machine, in seconds."""
    return _State.offset


def now() -> float:
    """Seconds since 1970."""
    return time.time() + _State.offset


def now_iso() -> str:
    """As AWS writes a time, to the millisecond."""
    return iso(now())


def iso(seconds: float) -> str:
    """A time as AWS writes it, to the millisecond."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def tick() -> int:
    """Microseconds since 1970, later than any that was given before while the clock is not put back."""
    with _lock:
        here = int(now() * 1_000_000)
        back = here < _State.latest - 1_000_000
        _State.latest = here if here > _State.latest or back else _State.latest + 1
        return _State.latest


def _file() -> Path:
    return Path(os.environ.get(_NAME, os.devnull))


def _sleep_until(stamp: str) -> None:
    parsed = stepfunctions._parse_ts(stamp)
    if parsed is not None:
        stepfunctions._scaled_sleep(max(0.0, parsed.timestamp() - now()))
