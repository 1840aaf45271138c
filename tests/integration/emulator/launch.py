"""Runs the emulator, extended, until it is told to stop or whoever started it is gone.

Usage: launch.py FOLDER, in the emulator's environment, with a pipe as its standard input. FOLDER holds all that it
writes. When the pipe ends without a signal before, nobody is left to stop it: it removes the folder and ends.

A copy that `forking` makes reads this file, too, under another name, and runs nothing of it.
"""

import gc
import os
import shutil
import sys
import threading
from pathlib import Path


def end_with_whoever_started_it(folder: str) -> None:
    """Wait for the end of the pipe."""
    os.read(sys.stdin.fileno(), 1)  # nothing is ever written into it; a buffered read would hold a lock at the end
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


# ruff: noqa: PLC0415 - a copy imports nothing of the emulator
def run(folder: str) -> None:
    """Run the emulator."""
    gc.disable()  # nothing of what is imported is garbage
    threading.Thread(target=end_with_whoever_started_it, args=[folder], daemon=True).start()
    functions_path = sys.path[1:]  # what a process of a function finds besides its code
    # The policies' language needs nothing but Python: the emulator's environment takes it from here.
    sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "constructs"))
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
    arguments, sys.argv[1:] = sys.argv[1:], []  # the emulator has options of its own
    run(*arguments)
