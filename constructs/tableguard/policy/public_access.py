"""Finds statements that make a policy public, by the rules of Block Public Access and by stricter ones.

DynamoDB rejects a public policy. But its rules do not count a statement for everybody as public if it is limited to a
VPC, or to calls by AWS services for any account. This library requires that such a statement is limited to identities.
Source: DynamoDB developer guide, "Blocking public access with DynamoDB resource-based policies".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tableguard.policy.errors import PublicPolicyError

# Keys of which one fixed value makes a policy non-public, in lower case: IAM ignores the case of condition keys.
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
_VARIABLE: Final = r"\$\{(?!Token\[)"


def check_not_public(document: Mapping[str, Any], *, owner: object) -> None:
    """Check that no statement allows everybody.

    Args:
        document: The whole document, resolved.
        owner: Whose policy it is, for the message: a text, or an object whose str() is called only for an error.

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
    return "" if keys & _IDENTITY else _limited_to(keys)


def _limited_to(keys: set[str]) -> str:
    if keys & _NETWORK:
        return "allows a network's callers: Block Public Access lets it pass, yet any account may have callers there."
    if keys & _SERVICE:
        return "allows calls by AWS services for everybody: Block Public Access lets it pass, yet anybody drives them."
    return "allows everybody; Block Public Access refuses it."


def _everybody(principal: object) -> bool:
    if isinstance(principal, Mapping):
        return any(map(_everybody, principal.values()))
    if isinstance(principal, list | tuple):
        return any(map(_everybody, principal))
    return isinstance(principal, str) and "*" in principal


def _conditions(statement: Mapping[str, Any]) -> Iterable[tuple[str, list[object]]]:
    for operator, keys in (statement.get("Condition") or {}).items():
        # IfExists and ForAllValues are true without the key; negations are true for any other value.
        if operator.lower() in _FIXED and isinstance(keys, Mapping):
            for key, values in keys.items():
                yield key.lower(), list(values) if isinstance(values, list | tuple) else [values]


def _fixed(key: str, values: list[object]) -> bool:
    if key == "aws:principalisawsservice":
        return all(str(value).lower() == "true" for value in values)
    # A wildcard or variable may stand for anything. A value that is known only at deployment counts as fixed.
    return bool(values) and not any(_open(value, _VARIABLE) for value in values)


def _open(value: object, variable: str) -> bool:
    """Whether a value contains a pattern, also in the literal parts of CloudFormation's functions."""
    if isinstance(value, str):
        return re.search(rf"[*?]|{variable}", value) is not None
    if isinstance(value, Mapping):
        # Fn::Sub replaces ${…} itself; ${!…} is what it leaves to IAM.
        return any(_open(inner, r"\$\{!" if key == "Fn::Sub" else variable) for key, inner in value.items())
    return isinstance(value, list | tuple) and any(_open(inner, variable) for inner in value)
