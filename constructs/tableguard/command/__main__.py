"""Runs the command with `python -m tableguard.command`."""

import sys

from tableguard.command import main

sys.exit(main())
