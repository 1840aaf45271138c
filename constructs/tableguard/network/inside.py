"""VPCs of the app as networks of a perimeter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from tableguard.policy import FromVpc, InvalidInputError
from tableguard.policy.perimeter import Perimeter
from tableguard.policy.tokens import is_unresolved


def from_vpc(vpc: ec2.IVpc, stack: cdk.Stack) -> FromVpc:
    """Return the network of a VPC, for the policy of a table.

    Args:
        vpc: The VPC, made in the app or imported.
        stack: The stack of the table.

    Raises:
        InvalidInputError: `vpc` is not a VPC, or its id is not known in the table's template.
    """
    # isinstance does not recognize a VPC implemented in Python as an ec2.IVpc. It needs an id and an environment.
    vpc_id, env = getattr(vpc, "vpc_id", None), getattr(vpc, "env", None)
    if not isinstance(vpc_id, str) or env is None:
        raise InvalidInputError("a VPC of a perimeter", value=vpc, allowed="an ec2.IVpc", fix="See ec2.Vpc.")
    return of_app(vpc_id, env.account, env.region, vpc, stack)


def of_app(vpc_id: str, account: str, region: str, construct: Any, stack: cdk.Stack) -> FromVpc:
    """Return the network of a VPC by its id, which may be known only at deployment.

    Args:
        vpc_id: The id.
        account: The VPC's account.
        region: The VPC's region.
        construct: The construct that the id comes from, for the message.
        stack: The stack of the table.

    Raises:
        InvalidInputError: The id is known at deployment only, and the table is in another account or region.
    """
    if is_unresolved(vpc_id) and (account, region) != (stack.account, stack.region):
        raise InvalidInputError(
            f"the VPC of {construct.node.path}",
            value=f"an id that is known only at deployment, in {_words(account)} {_words(region)}",
            allowed=f"an id that is written down, since the table is in {_words(stack.account)} {_words(stack.region)}",
            fix='Pass it in the perimeter: Perimeter(networks=[FromVpc("vpc-…", region="…")]).',
        )
    return FromVpc(vpc_id, region=region)


def with_vpcs(what: str, perimeter: Perimeter | None, vpcs: Iterable[FromVpc]) -> Perimeter:
    """Return a perimeter with further VPCs inside.

    Args:
        what: Whose perimeter it is, for the message.
        perimeter: The perimeter to extend; an empty one when None.
        vpcs: The VPCs.

    Raises:
        InvalidInputError: Nothing is inside, or `perimeter` is not a Perimeter.
    """
    more = tuple(dict.fromkeys(vpcs))
    if perimeter is None and more:
        return Perimeter(networks=more)
    if not isinstance(perimeter, Perimeter):
        raise InvalidInputError(
            f"the perimeter of {what}",
            value=perimeter,
            allowed="a Perimeter, unless vpcs or endpoints say what is inside",
            fix="Pass vpcs=[vpc], or perimeter=Perimeter(networks=[…]).",
        )
    return replace(perimeter, networks=(*perimeter.networks, *(vpc for vpc in more if vpc not in perimeter.networks)))


def _words(value: str) -> str:
    return "an unknown environment" if is_unresolved(value) else value
