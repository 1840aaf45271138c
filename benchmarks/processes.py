"""Measuring in fresh processes, so that no side finds what the other has warmed up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]


def called(call: str) -> dict[str, float]:
    """What a function of a benchmark returns, called in a process of its own.

    Args:
        call: Module, function and arguments, such as "bench_review.figures()".
    """
    module = call.split(".", maxsplit=1)[0]
    code = f"import json; from benchmarks import {module}; print('\\n' + json.dumps({call}))"
    run = subprocess.run([sys.executable, "-c", code], env=_environment(), cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return found


def waited(*command: str) -> float:
    """Seconds until a command of this Python has ended, as its user waits for it.

    Args:
        command: The arguments of the interpreter.
    """
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], env=_environment(), cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def _environment() -> dict[str, Any]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in (str(ROOT), *sys.path) if path)}


class Usage:
    """What this process and all its children have used since the object was made: Python, and the Node behind the CDK.

    It reads /proc, and so runs on Linux only.
    """

    def __init__(self) -> None:
        self._seconds = time.perf_counter()
        self._processor = _processor_seconds()

    def read(self) -> dict[str, float]:
        """Seconds that passed, those of the processor in main threads, and the sum of the memory peaks in megabytes."""
        return {
            "seconds": time.perf_counter() - self._seconds,
            "processor": _processor_seconds() - self._processor,
            "megabytes": sum(_peak_kilobytes(process) for process in _family()) / 1024,
        }


def _family() -> list[int]:
    """This process, its children and theirs."""
    found = [os.getpid()]
    for process in found:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            found.extend(map(int, children.read_text().split()))
    return found


def _processor_seconds() -> float:
    ticks = 0
    for process in _family():
        # The main thread's: Python and Node wait for each other, so that these add up to the time on an idle machine.
        # What V8 does on the side, such as collecting garbage, is none of it.
        text = Path(f"/proc/{process}/task/{process}/stat").read_text()
        # The name, in parentheses, may hold blanks; user and system time are the 12th and 13th field after it.
        fields = text.rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _peak_kilobytes(process: int) -> int:
    (line,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])
