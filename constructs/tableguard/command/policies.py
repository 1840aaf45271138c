"""`tableguard policies`: the SCPs and RCPs of a cloud assembly, for organizations that manage them elsewhere."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tableguard.command import Subparsers
    from tableguard.review.control_policies import ControlPolicyDocument

_DESCRIPTION = """\
Print the service control policies and resource control policies of a cloud assembly, and what each is attached to:
for organizations that deploy them by other means. Nothing is deployed, and no AWS account is needed.
"""
_EPILOG = """\
One policy a line: {"type", "name", "stack", "targets", "characters", "document"}. With --out, a file for each policy
with its document alone, minified as the limits of Organizations count it:

  aws organizations create-policy --type SERVICE_CONTROL_POLICY --name NAME --description TEXT --content file://FILE

Exit status: 0 fine, 1 a policy is known at deployment only and was left out, 2 unusable input or arguments.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand.

    Args:
        subparsers: The subcommands of `tableguard`.
    """
    from tableguard.command.inputs import add_inputs

    parser = subparsers.add_parser(
        "policies",
        help="the SCPs and RCPs, as JSON",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_inputs(parser, optional=True)
    parser.add_argument("--type", choices=("scp", "rcp"), help="only these; both if left out")
    parser.add_argument("--out", metavar="FOLDER", help="write a file for each policy into this folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print or write the policies.

    Args:
        args: The parsed arguments.

    Returns:
        0, 1 when a policy is known at deployment only, or 2 when the input cannot be used.
    """
    import json
    import sys

    from tableguard.command import FINDING, FINE, UNUSABLE
    from tableguard.command.inputs import read_stacks
    from tableguard.policy.errors import TableguardError
    from tableguard.review.control_policies import TYPES, control_policies

    try:
        stacks, parameters = read_stacks(args)
    except TableguardError as error:
        print(f"tableguard: {error}", file=sys.stderr)
        return UNUSABLE
    kinds = (args.type,) if args.type else tuple(TYPES)
    found = list(control_policies(stacks, kinds=kinds, parameters=parameters))
    known = [policy for policy in found if policy.document is not None]
    for policy in found:
        if policy.document is None:
            print(f"tableguard: {policy.name} of {policy.stack} is known at deployment only.", file=sys.stderr)
    if not found:
        print("tableguard: no such policy in the assembly.", file=sys.stderr)
    if args.out is not None:
        try:
            _write(args.out, known)
        except OSError as error:
            print(f"tableguard: {error.filename} cannot be written: {error.strerror}.", file=sys.stderr)
            return UNUSABLE
    else:
        for policy in known:
            print(json.dumps(_line(policy), ensure_ascii=False))
    return FINE if len(known) == len(found) else FINDING


def _line(policy: ControlPolicyDocument) -> dict[str, object]:
    return {
        "type": policy.kind,
        "name": policy.name,
        "stack": policy.stack,
        "targets": list(policy.targets),
        "characters": policy.size,
        "document": policy.document,
    }


def _write(folder: str, policies: list[ControlPolicyDocument]) -> None:
    from pathlib import Path

    Path(folder).mkdir(parents=True, exist_ok=True)
    taken: dict[str, int] = {}
    for policy in policies:
        taken[policy.file_name] = number = taken.get(policy.file_name, 0) + 1
        name = policy.file_name if number == 1 else f"{number}-{policy.file_name}"
        file = Path(folder, name)
        # Without a line's end: white space counts.
        file.write_text(policy.text, encoding="utf-8")
        print(
            f"{file}: {policy.kind.upper()} {policy.name}, {policy.size:,} characters, "
            f"for {', '.join(policy.targets) or 'no target'}"
        )
