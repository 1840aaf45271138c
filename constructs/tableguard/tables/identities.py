"""The border between the CDK's principals and this library's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from tableguard.policy import (
    Account,
    Clause,
    FederatedUser,
    InvalidInputError,
    Organization,
    Principal,
    PublicPolicyError,
    Role,
    RoleSession,
    TableGrant,
    TableReference,
    User,
)
from tableguard.policy.principals import ArnIdentity
from tableguard.policy.tokens import is_unresolved

_ARN: Final = re.compile(r"arn:[^:]+:(iam|sts)::(\d{12}):(.+)")


@dataclass(frozen=True, slots=True)
class Converted:
    """A grant to a principal of this library.

    Args:
        grant: The grant.
        grantee: The CDK principal that it was made for, if it was.
    """

    grant: TableGrant
    grantee: iam.IPrincipal | None = None


def converted(grant: TableGrant, stack: cdk.Stack, table: TableReference) -> tuple[Converted, ...]:
    """Turn a grant to an `iam.IGrantable` into grants to principals of this library; others stay as they are.

    A composite principal becomes several grants; the conditions of a principal join those of the grant.

    Args:
        grant: The grant.
        stack: The stack of the table.
        table: The table.

    Raises:
        InvalidInputError: A principal whose account is not known, whose name only its own stack knows, or of a kind
            that DynamoDB does not accept.
        PublicPolicyError: A principal that stands for everybody.
    """
    if isinstance(grant.principal, Principal):
        return (Converted(grant),)
    grantee: iam.IPrincipal = grant.principal.grant_principal
    fragment = grantee.policy_fragment
    conditions = _clauses(fragment.conditions)
    organization = [c for c in conditions if (c.operator, c.key) == ("StringEquals", "aws:PrincipalOrgID")]
    result = []
    for kind, values in fragment.principal_json.items():
        for value in values:
            if kind != "AWS":
                raise _unsupported(kind, value)
            if value == "*":
                if len(organization) != 1 or len(organization[0].values) != 1:
                    raise PublicPolicyError(
                        "the principal of a TableGrant stands for everybody. Allowed: a named principal, an Account "
                        "or an Organization."
                    )
                rest = [clause for clause in conditions if clause is not organization[0]]
                result.append(Converted(grant.given_to(Organization(organization[0].values[0]), rest), grantee))
            else:
                result.append(
                    Converted(grant.given_to(_principal(grantee, value, stack, table), conditions), grantee)
                )
    return tuple(result)


def _clauses(conditions: Mapping[str, Any]) -> list[Clause]:
    return [
        Clause(operator, key, tuple(values) if isinstance(values, list | tuple) else (values,))
        for operator, keys in conditions.items()
        for key, values in keys.items()
    ]


def _unsupported(kind: str, value: str) -> InvalidInputError:
    fix = "Use AwsService(service, source_account=…)." if kind == "Service" else "Grant to the role that it assumes."
    return InvalidInputError(
        "the principal of a TableGrant", value=f"{kind} {value}", allowed="accounts, roles, users and sessions", fix=fix
    )


def _principal(grantee: iam.IPrincipal, value: str, stack: cdk.Stack, table: TableReference) -> Principal:
    if re.fullmatch(r"\d{12}", value):
        return Account(value)
    try:
        text = _text(stack.resolve(value), table.partition_id)
    except RuntimeError:
        raise InvalidInputError(
            "the principal of a TableGrant",
            value=_path(grantee),
            allowed="a role or user whose name is known in the table's account",
            fix="Give it a physical name (role_name=…), or grant to tg.Role(account=…, name=…).",
        ) from None
    match = _ARN.fullmatch(text) if text is not None else None
    if match is None:
        # The ARN is known at deployment only, which is fine inside one account.
        account = grantee.principal_account
        if account is None or (is_unresolved(account) and account != table.account):
            raise InvalidInputError(
                "the principal of a TableGrant",
                value=_path(grantee) if text is None else text,
                allowed="a principal whose account is known",
                fix="Set env=Environment(account=…, region=…) on its stack, or use tg.Role(account=…, name=…).",
            )
        return ArnIdentity(account=account, principal_arn=value, described_as=_path(grantee))
    service, account, resource = match.groups()
    if resource == "root":
        return Account(account)
    kind, _, rest = resource.partition("/")
    path, _, name = f"/{rest}".rpartition("/")
    if (service, kind) == ("iam", "role"):
        return Role(account=account, name=name, path=f"{path}/")
    if (service, kind) == ("iam", "user"):
        return User(account=account, name=name, path=f"{path}/")
    if (service, kind) == ("sts", "assumed-role"):
        role, _, session = rest.partition("/")
        return RoleSession(account=account, role=role, session=session)
    if (service, kind) == ("sts", "federated-user"):
        return FederatedUser(account=account, name=rest)
    raise _unsupported("AWS", text or value)


def _text(value: Any, partition: str) -> str | None:
    """The resolved value as text, if it is known before deployment but for the partition."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and set(value) == {"Fn::Join"}:
        separator, parts = value["Fn::Join"]
        known = [partition if part == {"Ref": "AWS::Partition"} else part for part in parts]
        if all(isinstance(part, str) for part in known):
            return str(separator).join(known)
    return None


def _path(grantee: object) -> str:
    node = getattr(grantee, "node", None)
    return node.path if node is not None else type(grantee).__name__


def add_identity_statements(grantee: iam.IPrincipal, statements: Iterable[Mapping[str, Any]]) -> None:
    """Add statements to the identity policy of a principal of the table's own account.

    Raises:
        InvalidInputError: The principal takes no policy, such as an ARN that was written down.
    """
    for statement in statements:
        result = grantee.add_to_principal_policy(iam.PolicyStatement.from_json(statement))
        if not result.statement_added:
            raise InvalidInputError(
                "the principal of a TableGrant inside the table's own account",
                value=_path(grantee),
                allowed="a role, user or group of this app, which an identity policy can be attached to",
                fix="Grant to the role itself, or set name_principal=True to name it in the table's policy.",
            )
