"""Starts and stops the emulator: on loopback, on a free port, with all that it writes in a folder that goes with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests import waiting
from tests.integration.emulator.launching import EmulatorError, Launched

_HOST = "127.0.0.1"
_KEPT = ("state", "s3")  # folders


@dataclass(frozen=True)
class Kept:
    """The state of an emulator that was stopped, in a folder that stays."""

    folder: Path


class Emulator:
    """An emulated AWS. Use it in a `with` statement.

    An access key of twelve digits is the root user of that account. It checks no policy itself; what is asked about
    requests to DynamoDB and S3, and who decides, say `binding` and `s3_binding`.

    Args:
        like: What another one has kept, which it begins with; nothing when left out.
        within: The folder for its own folder; the system's for temporary ones when left out.
        pauses: What share of their length state machines wait, and pause between tries, on their way to the minute.
    """

    def __init__(self, like: Kept | None = None, *, within: Path | None = None, pauses: float = 0.05) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tableguard-emulator-", dir=within))
        self._like = like
        self._pauses = pauses
        self._port = _free_port()
        self._process: Launched | None = None

    def __enter__(self) -> Self:
        try:
            for kept in _KEPT:
                if self._like is None:
                    (self.folder / kept).mkdir()
                else:
                    shutil.copytree(self._like.folder / kept, self.folder / kept)
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._end(signal.SIGKILL)  # what it would keep is not needed any more
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://{_HOST}:{self._port}"

    @property
    def log(self) -> str:
        """What it has printed since it was started."""
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start it with the state that it was stopped with.

        Raises:
            EmulatorError: It ends at once, does not answer, or has not been set up.
        """
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        with (self.folder / "log").open("wb") as log:
            environment = self._environment(temporary)
            self._process = Launched(self.folder, runs_in=temporary, environment=environment, log=log)
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop it, and whatever it has started; it keeps its state for the next start."""
        self._end(signal.SIGTERM)

    def keep(self, folder: Path) -> None:
        """Stop it, and leave a copy of its state in a folder, for others to begin with."""
        self.stop()
        for kept in _KEPT:
            shutil.copytree(self.folder / kept, folder / kept)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        with contextlib.suppress(waiting.StillError):
            waiting.until(
                lambda: not process.running(),
                lambda: waiting.processor_seconds(process.pid),
                lambda: "the end of an emulator",
                pause=0.02,
            )
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the functions that it runs
        process.close()

    def _environment(self, temporary: Path) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(temporary),
            "TMPDIR": str(temporary),
            "LANG": "C.UTF-8",
            "AUTH": "false",
            "BIND_HOST": _HOST,
            "MINISTACK_HOST": _HOST,
            "GATEWAY_PORT": str(self._port),
            "LAMBDA_EXECUTOR": "local",
            "DOCKER_HOST": f"unix://{temporary}/none",  # it is to look for none
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "STATE_DIR": str(self.folder / _KEPT[0]),
            "S3_DATA_DIR": str(self.folder / _KEPT[1]),
            "SFN_WAIT_SCALE": str(self._pauses),
            "TABLEGUARD_CLOCK": str(self.folder / "clock"),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
        }

    def _wait_until_ready(self) -> None:
        process = self._process
        assert process is not None

        def worked() -> float:
            if not process.running():
                raise EmulatorError(f"The emulator has ended by itself:\n{self.log}")
            return waiting.processor_seconds(process.pid)

        waiting.until(self._answers, worked, lambda: f"An emulator that is ready:\n{self.log}", pause=0.05)

    def _answers(self) -> bool:
        # Its own word first: whoever else may have taken the port would answer, too.
        if f"Running on {self.endpoint}" not in self.log:
            return False
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.endpoint}/_ministack/ready"):  # noqa: S310
            return True
        return False

    def processor_seconds(self) -> float:
        """How long it has worked, without the functions that it runs."""
        return waiting.processor_seconds(self._process.pid) if self._process else 0.0


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind((_HOST, 0))
        port: int = listening.getsockname()[1]
        return port
