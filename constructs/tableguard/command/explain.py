"""`tableguard explain`: why a request is allowed or denied."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tableguard.command import Subparsers
    from tableguard.review.assembly import SynthesizedStack

_DESCRIPTION = """\
Decide one request with the policies of a cloud assembly, and say why: what every layer says, which statement decides
and where it stands, and for a denial what is missing. Statements are counted from 0.
"""
_EPILOG = """\
names:
  --principal  an ARN (role, user, role session, federated user, account root), a service such as
               replication.dynamodb.amazonaws.com, or the name of a role or user in the templates
  --resource   an ARN, or TABLE, TABLE/index/INDEX, TABLE/stream
  --action     dynamodb:GetItem, or GetItem
  What CloudFormation names has a placeholder: '{STACK.LOGICALID}', quoted for the shell, in place of the name.

The request is made on --today over TLS; say --context aws:SecureTransport= to leave a key out.

Exit status: 0 whatever the answer, 2 unusable input or arguments.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand.

    Args:
        subparsers: The subcommands of `tableguard`.
    """
    from tableguard.command.inputs import add_inputs, day

    parser = subparsers.add_parser(
        "explain",
        help="why a request is allowed or denied",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_inputs(parser, optional=True)
    parser.add_argument("--principal", required=True, metavar="WHO")
    parser.add_argument("--action", required=True, metavar="WHAT")
    parser.add_argument("--resource", required=True, metavar="WHERE")
    parser.add_argument(
        "--context", metavar="KEY=VALUE", action="append", default=[], help="a condition key; repeat it for more values"
    )
    parser.add_argument("--today", type=day, metavar="YYYY-MM-DD", help="decide for this day; by default today in UTC")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="for a terminal, or a program")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the explanation.

    Args:
        args: The parsed arguments.

    Returns:
        0, or 2 when the input cannot be used.
    """
    import json
    import sys

    from tableguard.command import FINE, UNUSABLE
    from tableguard.command.inputs import read_stacks, terminal_color, terminal_width, today
    from tableguard.policy.errors import TableguardError
    from tableguard.review import lookup
    from tableguard.review.collect import collect
    from tableguard.review.explained import explained, explained_as_json
    from tableguard.review.question import answer

    stacks: Sequence[SynthesizedStack] = ()
    try:
        stacks, parameters = read_stacks(args)
        picture = collect(stacks, parameters=parameters)
        explanation, notes = answer(
            picture,
            principal=lookup.principal(args.principal, picture),
            action=lookup.action(args.action),
            resource=lookup.resource(args.resource, picture),
            context=_context(args.context),
            today=today(args.today),
        )
    except TableguardError as error:
        print(f"tableguard: {error}{_left_out(stacks)}", file=sys.stderr)
        return UNUSABLE
    if args.format == "json":
        print(json.dumps(explained_as_json(explanation, notes=notes), indent=2))
    else:
        print(explained(explanation, notes=notes, width=terminal_width(), color=terminal_color()))
    return FINE


def _left_out(stacks: Sequence[SynthesizedStack]) -> str:
    """What may be why something is not found: its stack does not say where it goes."""
    names = ", ".join(stack.name for stack in stacks if stack.account is None or stack.region is None)
    return f" Left out: {names}, which says no account or region; --account and --region do." if names else ""


def _context(given: Sequence[str]) -> dict[str, list[str]]:
    from tableguard.policy.errors import InvalidInputError

    found: dict[str, list[str]] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or ":" not in key:
            raise InvalidInputError("--context", value=each, allowed="KEY=VALUE, as in aws:SourceIp=192.0.2.1")
        found.setdefault(key, [])
        found[key] += [value] if value else []
    return found
