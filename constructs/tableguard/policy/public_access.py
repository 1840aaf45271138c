"""Which statements make a policy public, in the eyes of Block Public Access and in fact.

DynamoDB refuses a public policy. Its idea of "not public" is wider than anybody would want, though: a statement for
everybody counts as closed when it is limited to a VPC, or to calls by AWS services, whoever drives them. So a
statement that allows everybody must be limited to identities here.
Source: DynamoDB developer guide, "Blocking public access with DynamoDB resource-based policies".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tableguard.policy.errors import PublicPolicyError

# Keys of which one fixed value makes a policy non-public. In lower case: IAM does not tell cases of keys apart.
_IDENTITY: Final = frozenset(
    f"aws:{key}" for key in ("principalaccount", "principalarn", "principalorgid", "principalorgpaths", "userid")
)
_NETWORK: Final = frozenset(f"aws:{key}" for key in ("sourcevpc", "sourcevpce", "ec2instancesourcevpc"))
_SERVICE: Final = frozenset(
    f"aws:{key}"
    for key in (
        "principalisawsservice", "principalservicename", "principalservicenameslist",
        "sourceaccount", "sourcearn", "sourceorgid", "sourceorgpaths",
    )
)  # fmt: skip
_FIXED: Final = frozenset(
    ("stringequals", "stringlike", "arnequals", "arnlike", "foranyvalue:stringequals", "foranyvalue:stringlike", "bool")
)


def check_not_public(document: Mapping[str, Any], *, owner: str) -> None:
    """Check that no statement allows everybody.

    Args:
        document: The whole document, resolved.
        owner: Whose policy it is, for the message.

    Raises:
        PublicPolicyError: A statement allows everybody, or everybody within a network or through a service.
    """
    statements = document.get("Statement", [])
    for position, statement in enumerate([statements] if isinstance(statements, Mapping) else statements):
        problem = _problem(statement)
        if problem:
            raise PublicPolicyError(
                f"statement {position} of the policy of {owner} {problem} Allowed: named principals, or everybody "
                "limited by a fixed value of aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalOrgID or "
                "aws:PrincipalOrgPaths. Use a TableGrant to an Account, a Role or an Organization."
            )


def _problem(statement: Mapping[str, Any]) -> str:
    if statement.get("Effect") != "Allow":
        return ""
    if "NotPrincipal" in statement:
        return "allows everybody but the principals it names, so it is public."
    if not _everybody(statement.get("Principal")):
        return ""
    keys = {key for key, values in _conditions(statement) if _fixed(key, values)}
    if keys & _IDENTITY:
        return ""
    if keys & _NETWORK:
        return "allows everybody in a network: not public for Block Public Access, yet any account can have callers there."
    if keys & _SERVICE:
        return "allows calls by AWS services for everybody: not public for Block Public Access, yet anybody drives them."
    return "allows everybody; Block Public Access refuses it."


def _everybody(principal: object) -> bool:
    if isinstance(principal, Mapping):
        return any(_everybody(value) for key, value in principal.items() if key in ("AWS", "*"))
    if isinstance(principal, str):
        return "*" in principal
    return isinstance(principal, list | tuple) and any(_everybody(value) for value in principal)


def _conditions(statement: Mapping[str, Any]) -> Iterable[tuple[str, list[object]]]:
    for operator, keys in (statement.get("Condition") or {}).items():
        # IfExists and ForAllValues hold when the key is absent, negations whenever it is anything else.
        if operator.lower() in _FIXED and isinstance(keys, Mapping):
            for key, values in keys.items():
                yield key.lower(), list(values) if isinstance(values, list | tuple) else [values]


def _fixed(key: str, values: list[object]) -> bool:
    if not values:
        return False
    if key == "aws:principalisawsservice":
        return all(str(value).lower() == "true" for value in values)
    # A wildcard or variable may stand for anything. A value that only the deployment knows is taken for a fixed one.
    return not any(isinstance(value, str) and re.search(r"[*?]|\$\{(?!Token\[)", value) for value in values)
