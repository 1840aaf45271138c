"""The command `tableguard`: one module for each subcommand, with `add_parser(subparsers)` and `run(args) -> int`.

Modules import what they need inside `run`, so that `tableguard --help` stays quick. None of them imports aws_cdk.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    # argparse gives its type no public name.
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

FINE: Final = 0
FINDING: Final = 1
UNUSABLE: Final = 2
# What shells report for a program that SIGINT or SIGPIPE ended.
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141

SUBCOMMANDS: Final = ("disaster", "evaluate", "explain", "policies", "review", "summary")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: The arguments after the program's name. By default those of the process.

    Returns:
        0 when all is fine, 1 when there is a finding, 2 when the input or the arguments cannot be used; 130 after
        Ctrl-C and 141 when the reader of the output has gone, as shells have it.
    """
    parser = argparse.ArgumentParser(
        prog="tableguard",
        description="Share, restrict and audit DynamoDB tables across AWS accounts.",
        epilog="Exit status: 0 fine, 1 a finding, 2 unusable input or arguments.",
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in SUBCOMMANDS:
        importlib.import_module(f"{__name__}.{name}").add_parser(subparsers)
    try:
        args = parser.parse_args(argv)
    except SystemExit as stop:
        # argparse leaves by itself after --help and after an error; whoever calls main gets the status instead.
        return stop.code if isinstance(stop.code, int) else UNUSABLE
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more on its way out, which would fail again, and loudly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return status
