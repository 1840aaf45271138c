"""Starts emulators by `launch`, the process that they are copies of: our side of it."""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

_PYTHON = Path(__file__).resolve().parents[3] / ".venv-emulator" / "bin" / "python"
_SCRIPT = Path(__file__).with_name("launch.py")


class EmulatorError(Exception):
    """The emulator does not run as it should."""


@functools.cache
def _server() -> socket.socket:
    """The process that all emulators of this one are copies of; it ends with the socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        # Its environment is what the system shows for each of the copies.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir()}
        process = subprocess.Popen([_PYTHON, _SCRIPT], stdin=theirs.fileno(), env=environment, start_new_session=True)
    atexit.register(process.wait)  # what it has worked is counted with ours
    atexit.register(ours.close)  # before that
    return ours


def _answered(said: str, *files: int) -> int:
    try:
        socket.send_fds(_server(), [said.encode()], files)
        return int(_server().recv(64))
    except (OSError, ValueError) as error:
        why = "What emulators are copies of has ended; where the tests print, it says why."
        raise EmulatorError(why) from error


class Launched:
    """The process of an emulator.

    Args:
        folder: What holds all that it writes; it goes when we end before it.
        runs_in: Where it runs.
        environment: Its environment variables.
        log: What takes all that it prints.

    Raises:
        EmulatorError: It has not been set up, or what it is a copy of does not run.
    """

    def __init__(self, folder: Path, *, runs_in: Path, environment: Mapping[str, str], log: IO[bytes]) -> None:
        said = {"folder": str(folder), "runs_in": str(runs_in), "environment": dict(environment)}
        if not _PYTHON.exists():
            raise EmulatorError("The emulator has not been set up here: run `make setup`.")
        (theirs, self._ours), (self._alive, alive) = os.pipe(), os.pipe()
        try:
            self.pid = _answered(json.dumps(said), theirs, log.fileno(), alive)
        finally:
            os.close(theirs)
            os.close(alive)

    def running(self) -> bool:
        """Whether it has not ended."""
        return not select.select([self._alive], [], [], 0)[0]

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.running():
            os.kill(self.pid, number)

    def close(self) -> None:
        """Wait for its end, and let go of it."""
        _answered(str(self.pid))
        os.close(self._ours)
        os.close(self._alive)
