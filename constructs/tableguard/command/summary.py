"""`tableguard summary`: a short table of a cloud assembly."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tableguard.command import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand.

    Args:
        subparsers: The subcommands of `tableguard`.
    """
    parser = subparsers.add_parser(
        "summary",
        help="a short table of what was synthesized",
        description="Print, for each stack of a cloud assembly, its tables, its grants, and the policy that uses most "
        "of its limit.",
    )
    parser.add_argument(
        "assembly", nargs="?", default="cdk.out", help='the folder cdk synth wrote; "cdk.out" if left out'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table.

    Args:
        args: The parsed arguments.

    Returns:
        0, or 2 when the folder is no cloud assembly.
    """
    from pathlib import Path

    from tableguard.command import FINE, UNUSABLE
    from tableguard.review.assembly import UnusableAssemblyError, read_assembly
    from tableguard.review.summary import rendered, summarize

    try:
        stacks = read_assembly(Path(args.assembly))
    except UnusableAssemblyError as error:
        print(f"tableguard: {error}", file=sys.stderr)
        return UNUSABLE
    print(rendered(map(summarize, stacks)))
    return FINE
