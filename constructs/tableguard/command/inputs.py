"""What `review` and `explain` read: an assembly or a template, values for parameters, the day, the terminal."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tableguard.review.assembly import SynthesizedStack

_FEW = 3


def add_inputs(parser: argparse.ArgumentParser, *, optional: bool) -> None:
    """Add the arguments that say what to read.

    Args:
        parser: The subcommand's parser.
        optional: Whether the assembly may be left out, for cdk.out.
    """
    parser.add_argument(
        "assembly",
        nargs="?",
        default=None,
        help="the folder cdk synth wrote" + ('; "cdk.out" if left out' if optional else ""),
    )
    parser.add_argument("--template", metavar="FILE", help="read one CloudFormation template instead")
    parser.add_argument("--account", metavar="ID", help="the account of the template, or of stacks without an env")
    parser.add_argument("--region", metavar="REGION", help="the region of the template, or of stacks without an env")
    parser.add_argument(
        "--parameter",
        metavar="STACK.NAME=VALUE",
        action="append",
        default=[],
        help="the value of a template's parameter; may be repeated. Otherwise it is not known, whatever its default",
    )


def read_stacks(args: argparse.Namespace) -> tuple[Sequence[SynthesizedStack], Mapping[str, str]]:
    """Read what the arguments say.

    Args:
        args: The parsed arguments.

    Raises:
        TableguardError: The input or the arguments cannot be used.
    """
    from tableguard.review.assembly import UnusableAssemblyError, read_assembly, read_template

    if args.template is None:
        if (args.account is None) is not (args.region is None):
            raise UnusableAssemblyError("--account and --region go together: say both, for stacks without an env.")
        account, region = _environment(args) if args.account is not None else (None, None)
        stacks = read_assembly(folder(args), account=account, region=region)
        if all(stack.account is None or stack.region is None for stack in stacks):
            names = ", ".join(stack.name for stack in stacks[:_FEW]) + (", …" if len(stacks) > _FEW else "")
            raise UnusableAssemblyError(
                f"No stack of {folder(args)} says which account and region it is for ({names}), so nobody can tell who"
                " shares what. Give the stacks an env, or say --account and --region for them."
            )
    elif args.assembly is not None:
        raise UnusableAssemblyError("Say an assembly or --template, not both.")
    elif args.account is None or args.region is None:
        raise UnusableAssemblyError("--template needs --account and --region: a template does not say where it goes.")
    else:
        account, region = _environment(args)
        stacks = read_template(Path(args.template), account=account, region=region)
    return stacks, _parameters(args.parameter, stacks)


def _environment(args: argparse.Namespace) -> tuple[str, str]:
    from tableguard.policy import names

    return names.account_id("--account", args.account), names.region("--region", args.region)


def folder(args: argparse.Namespace) -> Path:
    """The folder of the assembly.

    Args:
        args: The parsed arguments.
    """
    return Path(args.assembly if args.assembly is not None else "cdk.out")


def day(text: str) -> dt.date:
    """A day, as argparse converts it.

    Args:
        text: ISO 8601.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day. Allowed: YYYY-MM-DD, as in 2027-01-31") from None


def today(given: dt.date | None) -> dt.date:
    """The day of a review.

    Args:
        given: What the arguments say.
    """
    return given if given is not None else dt.datetime.now(dt.UTC).date()


def terminal_width() -> int:
    """How many characters fit in a line: COLUMNS, the terminal's width, or 80."""
    return shutil.get_terminal_size().columns


def terminal_color() -> bool:
    """Whether to use colours: only on a terminal, and not if NO_COLOR says otherwise."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _parameters(given: Sequence[str], stacks: Sequence[SynthesizedStack]) -> Mapping[str, str]:
    from tableguard.policy.names import suggestion
    from tableguard.review.assembly import UnusableAssemblyError

    declared = {
        f"{stack.name}.{name}"
        for stack in stacks
        if isinstance(parameters := stack.template.get("Parameters"), Mapping)
        for name in parameters
    }
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise UnusableAssemblyError(f"--parameter {each}: say STACK.NAME=VALUE.")
        if name not in declared:
            raise UnusableAssemblyError(
                f"--parameter {name}: no template declares it. {suggestion(name, declared)}".rstrip()
            )
        found[name] = value
    return found
