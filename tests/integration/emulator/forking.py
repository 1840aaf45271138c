"""Processes of functions begin as copies of one that has imported what every function imports.

The emulator starts a Python of its own for each function, which imports boto3 and reads the models of its clients:
most of what a short run costs. multiprocessing's fork server does that once, when the first function is to run.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import IO, Any

_CONTEXT = multiprocessing.get_context("forkserver")
_FIRST = "warm"  # our neighbour, which the fork server imports
_lock = threading.Lock()


def install(module: Any, path: Sequence[str]) -> None:
    """Let a module of the emulator start Python processes this way.

    Args:
        module: The module, which starts them by `subprocess.Popen`.
        path: Where their imports are looked up, after the folder of what they run.
    """
    _CONTEXT.set_forkserver_preload([_FIRST])
    # Its socket is in the folder where the emulator runs: a path to there may be longer than sockets' paths can be.
    multiprocessing.current_process()._config["tempdir"] = "."  # type: ignore[attr-defined]
    module.subprocess = _Subprocess(path)


def _run_the_server() -> None:
    """Start the process that the others are copies of, unless it runs."""
    with _lock:
        # It finds what it imports first in our folder. No function may see that: `os.environ`, from which other threads
        # make the functions' environments meanwhile, does not have it.
        os.putenv("PYTHONPATH", str(Path(__file__).parent))
        try:
            forkserver.ensure_running()
        finally:
            os.unsetenv("PYTHONPATH")


class _Subprocess:
    """The library's `subprocess`, but for what starts a Python script."""

    def __init__(self, path: Sequence[str]) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, command: Sequence[str], **options: Any) -> Any:  # noqa: N802  the library's name
        """Start a process: a copy, when a Python is to run a script."""
        if command[0] != sys.executable or len(command) != 2:
            return subprocess.Popen(command, **options)
        return Forked(command[1], options["cwd"], options["env"], self._path)


class Forked:
    """A process as `subprocess.Popen` would show it, with pipes as text.

    Args:
        script: The Python file that it runs.
        folder: The folder in which it runs.
        environment: Its environment variables.
        path: Where its imports are looked up, after the folder of the file.
    """

    def __init__(self, script: str, folder: str, environment: Mapping[str, str], path: Sequence[str]) -> None:
        self._lock = threading.Lock()
        (in_theirs, in_ours), (out_ours, out_theirs), (err_ours, err_theirs) = (os.pipe() for _ in range(3))
        self.stdin: IO[str] = os.fdopen(in_ours, "w", buffering=1)
        self.stdout: IO[str] = os.fdopen(out_ours)
        self.stderr: IO[str] = os.fdopen(err_ours)
        theirs = [
            Connection(in_theirs, writable=False),
            Connection(out_theirs, readable=False),
            Connection(err_theirs, readable=False),
        ]
        said = (theirs, script, folder, dict(environment), list(path))
        self._process = _CONTEXT.Process(target=run, args=said, daemon=True)
        try:
            _run_the_server()
            self._process.start()
        finally:
            for each in theirs:
                each.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return int(self._process.pid or 0)

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self.poll()

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        with self._lock:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            TimeoutExpired: It runs for longer than so many seconds.
        """
        wait([self._process.sentinel], timeout)
        ended = self.poll()
        if ended is None:
            raise subprocess.TimeoutExpired("a function", timeout or 0.0)
        return ended

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it."""
        self._process.kill()


def run(
    pipes: Sequence[Connection], script: str, folder: str, environment: Mapping[str, str], path: Sequence[str]
) -> None:
    """In the copy: run a file as Python would in a process of its own."""
    for number, pipe in enumerate(pipes):
        os.dup2(pipe.fileno(), number)
        pipe.close()
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [script]
    sys.path[:] = [str(Path(script).parent), *path]
    code = compile(Path(script).read_text(), script, "exec")
    exec(code, {"__name__": "__main__", "__file__": script})  # noqa: S102  it is what the process is for
