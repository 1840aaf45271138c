"""The roles that IAM Identity Center makes for permission sets.

It makes them under a path that only it can write to, with a suffix of 16 characters that changes when the assignment is
made anew. The role of an Identity Center in us-east-1 has no region in its path, all others have.
Source: IAM Identity Center user guide, "Referencing permission sets in resource policies".
"""

from __future__ import annotations

import re
from typing import Final

PATH: Final = "aws-reserved/sso.amazonaws.com/"
"""The path of all of these roles."""
_PREFIX: Final = "AWSReservedSSO_"
_SUFFIX: Final = 16
_PATTERN: Final = re.compile(rf"arn:[^:]+:iam::([^:]*):role/{re.escape(PATH)}(?:.+/)?{_PREFIX}(.+)_\?+")


def role_patterns(name: str, *, account: str, partition: str) -> tuple[str, ...]:
    """Patterns of the ARN of the role of a permission set, which match no other role.

    Args:
        name: The name of the permission set.
        account: The account that it is assigned in.
        partition: Its partition.
    """
    reserved = f"arn:{partition}:iam::{account}:role/{PATH}"
    role = f"{_PREFIX}{name}_{'?' * _SUFFIX}"
    return (f"{reserved}{role}", f"{reserved}*/{role}")


def permission_set_of(pattern: str) -> tuple[str, str] | None:
    """The account and the name of the permission set whose role a pattern is for; None for any other pattern.

    Args:
        pattern: The pattern of an ARN.
    """
    found = _PATTERN.fullmatch(pattern)
    return (found[1], found[2]) if found else None


def sample_role(name: str) -> str:
    """The path and name of a role that Identity Center might make.

    Args:
        name: The name of its permission set.
    """
    return f"{PATH}{_PREFIX}{name}_{'0123456789abcdef'[:_SUFFIX]}"
