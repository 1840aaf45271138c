"""`tableguard disaster`: what is left of each table after the worst, and what to do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tableguard.command import Subparsers

_DESCRIPTION = """\
Say, for each table of a cloud assembly and each of eight disasters, what is left, what to do, how long that takes and
the most that is lost. It is derived from the templates: what they do not tell is said to be not known. Print it before
the day, and keep it where you get at it without the accounts that it is about.
"""
_EPILOG = """\
Exit status: 0 whatever the answer, 2 unusable input or arguments.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand.

    Args:
        subparsers: The subcommands of `tableguard`.
    """
    from tableguard.command.inputs import add_inputs

    parser = subparsers.add_parser(
        "disaster",
        help="what is left of each table after the worst, and what to do",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_inputs(parser, optional=True)
    parser.add_argument(
        "--format",
        choices=("text", "json", "markdown"),
        default="text",
        help="for a terminal, a program, a page to print",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the disasters.

    Args:
        args: The parsed arguments.

    Returns:
        0, or 2 when the input cannot be used.
    """
    import json
    import sys

    from tableguard.command import FINE, UNUSABLE
    from tableguard.command.inputs import read_stacks, terminal_width
    from tableguard.policy.errors import TableguardError
    from tableguard.review.collect import collect
    from tableguard.review.disaster import disasters
    from tableguard.review.disaster_output import disasters_as_json, disasters_as_markdown, disasters_as_text

    try:
        stacks, parameters = read_stacks(args)
        found = disasters(collect(stacks, parameters=parameters))
    except TableguardError as error:
        print(f"tableguard: {error}", file=sys.stderr)
        return UNUSABLE
    if args.format == "json":
        print(json.dumps(disasters_as_json(found)))
    elif args.format == "markdown":
        print(disasters_as_markdown(found))
    else:
        print(disasters_as_text(found, width=terminal_width()))
    return FINE
