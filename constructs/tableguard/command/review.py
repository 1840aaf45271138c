"""`tableguard review`: who may do what with which table."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tableguard.command import Subparsers

_DESCRIPTION = """\
Show, for each table of a cloud assembly, who may do what with it, under which conditions, until when and why; what is
wrong, what deserves a look, and what the templates do not tell. Every access that is shown was decided: there is a
request that the policies allow, and --format json shows it.
"""
_EPILOG = """\
Exit status: 0 fine (warnings are no findings), 1 a finding, 2 unusable input or arguments.

Findings: a grant of which one side is missing, metadata that disagrees with the policies, a policy that cannot be
understood, a statement that allows everybody.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand.

    Args:
        subparsers: The subcommands of `tableguard`.
    """
    from tableguard.command.inputs import add_inputs, day

    parser = subparsers.add_parser(
        "review",
        help="who may do what with which table",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_inputs(parser, optional=True)
    parser.add_argument("--today", type=day, metavar="YYYY-MM-DD", help="decide for this day; by default today in UTC")
    parser.add_argument(
        "--format",
        choices=("text", "json", "markdown"),
        default="text",
        help="for a terminal, a program, a pull request",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the review.

    Args:
        args: The parsed arguments.

    Returns:
        0 when all is fine, 1 when there is a finding, 2 when the input cannot be used.
    """
    import json
    import sys

    from tableguard.command import FINDING, FINE, UNUSABLE
    from tableguard.command.inputs import folder, read_stacks, terminal_color, terminal_width, today
    from tableguard.policy.errors import TableguardError
    from tableguard.review.acknowledgements import acknowledgements
    from tableguard.review.as_json import as_json
    from tableguard.review.as_markdown import as_markdown
    from tableguard.review.as_text import as_text
    from tableguard.review.collect import collect
    from tableguard.review.review import review

    try:
        stacks, parameters = read_stacks(args)
        found = review(
            collect(stacks, parameters=parameters),
            stacks,
            today=today(args.today),
            acknowledged=[] if args.template is not None else acknowledgements(folder(args)),
        )
    except TableguardError as error:
        print(f"tableguard: {error}", file=sys.stderr)
        return UNUSABLE
    if args.format == "json":
        print(json.dumps(as_json(found)))
    elif args.format == "markdown":
        print(as_markdown(found))
    else:
        print(as_text(found, width=terminal_width(), color=terminal_color()))
    return FINDING if found.findings else FINE
