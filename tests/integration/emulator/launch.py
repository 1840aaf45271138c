"""Runs the emulator, extended, until it is told to stop or whoever started it is gone.

Usage: launch.py FOLDER, in the emulator's environment, with a pipe as its standard input. FOLDER holds all that it
writes. When the pipe ends without a signal before, nobody is left to stop it: it removes the folder and ends.
"""

import os
import shutil
import sys
import threading
from pathlib import Path

# The policies' language needs nothing but Python: the emulator's environment takes it from here.
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "constructs"))

import extension  # type: ignore[import-not-found]  # its neighbour: run as a script, this has no package
from ministack.app import main


def end_with_whoever_started_it(folder: str) -> None:
    """Wait for the end of the pipe."""
    os.read(sys.stdin.fileno(), 1)  # nothing is ever written into it; a buffered read would hold a lock at the end
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_whoever_started_it, args=sys.argv[1:], daemon=True).start()
    del sys.argv[1:]  # the emulator has options of its own
    extension.install()
    main()
