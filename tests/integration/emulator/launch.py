"""Runs emulators, extended: each is a copy of this process, which has imported what is the same for all of them.

Usage: launch.py, in the emulator's environment, with a socket as its standard input. A message there says, as JSON, the
folder that holds all that an emulator writes, the folder in it where it runs, and its environment variables. With the
message come a pipe, the file for what it prints, and another pipe; the answer is the number of the process. A message
that is such a number, and comes with nothing, is answered when that process has ended.

An emulator runs until it is told to stop or whoever started it is gone. When the first pipe, its standard input, ends
without a signal before, nobody is left to stop it: it removes its folder and ends. The second pipe ends with it.

A copy that `forking` makes reads this file, too, under another name, and runs nothing of it.
"""

import gc
import importlib
import json
import os
import shutil
import socket
import sys
import threading
from pathlib import Path

# Nothing of ministack, which takes its settings from the environment while it is imported.
_FIRST = (
    *("botocore.client", "botocore.serialize", "botocore.session", "email.mime.multipart", "hypercorn.asyncio"),
    *("jsonata", "tableguard.evaluation", "yaml"),
)


# ruff: noqa: PLC0415 - a copy that is a function's imports nothing of the emulator
def serve() -> None:
    """Start emulators until nobody is left to ask for one."""
    gc.disable()  # nothing of what is imported is garbage
    functions_path = sys.path[1:]  # what a process of a function finds besides its code
    # The policies' language needs nothing but Python: the emulator's environment takes it from here.
    sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "constructs"))
    for name in _FIRST:
        importlib.import_module(name)
    gc.freeze()
    asked = socket.socket(fileno=sys.stdin.fileno())
    while True:
        said, files, _, _ = socket.recv_fds(asked, 1 << 16, 3)
        if not said:
            return
        if not files:
            os.waitpid(int(said), 0)
            asked.send(said)
            continue
        number = os.fork()
        if number == 0:
            asked.detach()
            begin(files, **json.loads(said))
            run(functions_path)
            return
        for file in files:
            os.close(file)
        asked.send(str(number).encode())


def begin(files: list[int], folder: str, runs_in: str, environment: dict[str, str]) -> None:
    """Be a process of its own, as one is that a program starts."""
    os.setsid()  # an interrupt at the terminal is for whoever started it to answer
    pipe, log, _ = files
    for number, file in enumerate((pipe, log, log)):
        os.dup2(file, number)
    os.close(pipe)
    os.close(log)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(runs_in)
    threading.Thread(target=end_with_whoever_started_it, args=[folder], daemon=True).start()


def end_with_whoever_started_it(folder: str) -> None:
    """Wait for the end of the pipe."""
    os.read(sys.stdin.fileno(), 1)  # nothing is ever written into it; a buffered read would hold a lock at the end
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def run(functions_path: list[str]) -> None:
    """Run the emulator."""
    import extension  # type: ignore[import-not-found]  # its neighbour: run as a script, this has no package
    import forking  # type: ignore[import-not-found]
    from ministack.app import main
    from ministack.core import lambda_runtime

    extension.install()
    forking.install(lambda_runtime, functions_path)
    gc.freeze()
    gc.enable()
    gc.set_threshold(100_000, 50, 50)  # 100,000 items are no garbage, and are not to be searched for it
    main()


if __name__ == "__main__":
    serve()
