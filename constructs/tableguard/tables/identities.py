"""Converts the CDK's principals to those of this library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
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

_ARN: Final = re.compile(r"arn:([^:]+):(iam|sts)::(\d{12}):(.+)")
_WHAT: Final = "the principal of a TableGrant"
_STAR: Final = "LiteralString"  # what iam.StarPrincipal calls its kind
_INSTEAD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Group": "Grant to its users, or leave name_principal out and give the group an identity policy.",
        "Service": "Use AwsService(service=…, source_account=…).",
    }
)
_IMMUTABLE: Final = "ImmutableRole"


@dataclass(frozen=True, slots=True)
class Converted:
    """A grant to a principal of this library.

    Args:
        grant: The grant.
        grantee: The CDK principal that the grant was made for; None if it was made for a principal of this library.
    """

    grant: TableGrant
    grantee: iam.IPrincipal | None = None


def converted(grant: TableGrant, stack: cdk.Stack, table: TableReference) -> tuple[Converted, ...]:
    """Convert a grant to an `iam.IGrantable` to grants to principals of this library; others stay as they are.

    A composite principal becomes several grants. The conditions of a principal are added to those of the grant.

    Args:
        grant: The grant.
        stack: The stack of the table.
        table: The table.

    Raises:
        InvalidInputError: The principal's account or name is not known in the table's stack, DynamoDB does not accept
            its kind, or it is in the table's account and no identity policy can be attached to it.
        PublicPolicyError: The principal stands for everybody.
    """
    if isinstance(grant.principal, Principal):
        return (Converted(grant),)
    grantee: iam.IPrincipal = grant.principal.grant_principal
    try:
        fragment = grantee.policy_fragment
    except RuntimeError as error:
        raise InvalidInputError(
            _WHAT,
            value=_path(grantee),
            allowed="a principal that a policy can name",
            fix=f"Grant to each of its principals by itself. The CDK says: {error}",
        ) from None
    conditions = _clauses(fragment.conditions)
    result = tuple(
        Converted(_given(grant, kind, value, grantee=grantee, conditions=conditions, stack=stack, table=table), grantee)
        for kind, values in fragment.principal_json.items()
        for value in values
    )
    _check_takes_policy(grantee, [one.grant for one in result], table)
    if grant.name_principal and is_unresolved(table.name) and _is_of_another_stack(grantee, stack):
        raise InvalidInputError(
            "name_principal of a TableGrant",
            value=_path(grantee),
            allowed="a principal of the table's own stack, while the table has no name",
            fix="Give the table a name (table_name=…): otherwise the two stacks depend on each other.",
        )
    return result


def _given(
    grant: TableGrant,
    kind: str,
    value: str,
    *,
    grantee: iam.IPrincipal,
    conditions: Sequence[Clause],
    stack: cdk.Stack,
    table: TableReference,
) -> TableGrant:
    """The grant for one entry of a principal's JSON."""
    if kind not in ("AWS", _STAR):
        raise _unsupported(kind, str(stack.resolve(value)))
    if value != "*":
        return grant.given_to(_principal(grantee, value, stack, table), conditions)
    organization = [c for c in conditions if (c.operator, c.key) == ("StringEquals", "aws:PrincipalOrgID")]
    if len(organization) != 1 or len(organization[0].values) != 1:
        raise PublicPolicyError(
            f"{_WHAT} stands for everybody. Allowed: a named principal, an Account or an Organization."
        )
    rest = [clause for clause in conditions if clause is not organization[0]]
    return grant.given_to(Organization(organization[0].values[0]), rest)


def _check_takes_policy(grantee: iam.IPrincipal, grants: Sequence[TableGrant], table: TableReference) -> None:
    """Check that the grants can be written to the policies that they need."""
    if _is_group(grantee) and any(grant.on_resource_side(table.account) for grant in grants):
        raise _unsupported("Group", _path(grantee))
    inside = [grant for grant in grants if not grant.on_resource_side(table.account)]
    if inside and isinstance(grantee, iam.ArnPrincipal | iam.CompositePrincipal):
        raise _takes_no_policy(grantee)
    if is_immutable(grantee) and inside:
        raise InvalidInputError(
            f"{_WHAT} inside the table's own account",
            value=_path(grantee),
            allowed="a principal that an identity policy can be attached to, not an immutable role",
            fix="Import the role without mutable=False, or set name_principal=True to name it in the table's policy.",
        )


def is_immutable(grantee: object) -> bool:
    """Whether the CDK silently attaches no policy to this role (`mutable=False`, `without_policy_updates()`).

    Such a role reports every statement as added. The CDK does not mark it, but keeps the mutable role next to it, under
    one of two ids.

    Args:
        grantee: A role, or any other principal.
    """
    node = getattr(grantee, "node", None)
    if node is None or node.scope is None:
        return False
    name, siblings = node.id, node.scope.node
    without = name.removeprefix(_IMMUTABLE)
    return siblings.try_find_child(f"MutableRole{name}") is not None or (
        without != name and siblings.try_find_child(without) is not None
    )


def _is_group(grantee: object) -> bool:
    # A group can have an identity policy, but a resource-based policy cannot name a group.
    return hasattr(grantee, "group_arn")


def _clauses(conditions: Mapping[str, Any]) -> list[Clause]:
    return [
        Clause(operator, key, tuple(map(_literal, values if isinstance(values, list | tuple) else (values,))))
        for operator, keys in conditions.items()
        for key, values in keys.items()
    ]


def _literal(value: Any) -> Any:
    """A value of a condition as IAM compares it: CDK principals may give booleans and numbers too."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _unsupported(kind: str, value: str) -> InvalidInputError:
    return InvalidInputError(
        _WHAT,
        value=f"{kind} {value}",
        allowed="accounts, roles, users and sessions",
        fix=_INSTEAD.get(kind, "Grant to the role that it assumes."),
    )


def _principal(grantee: iam.IPrincipal, value: str, stack: cdk.Stack, table: TableReference) -> Principal:
    if re.fullmatch(r"\d{12}", value):
        return Account(value)
    # A literal ARN may hold a token in its name; its account is known nevertheless.
    text = value if _ARN.fullmatch(value) else _resolved_text(grantee, value, stack, table)
    match = _ARN.fullmatch(text) if text is not None and not _is_group(grantee) else None
    if match is None:
        return _of_this_app(grantee, value, text, stack, table.account)
    partition, *parts = match.groups()
    if partition != table.partition_id and not is_unresolved(partition + table.partition_id):
        raise InvalidInputError(
            _WHAT, value=value, allowed=f"a principal of the table's partition, {table.partition_id}"
        )
    return _from_arn(*parts, text=value)


def _resolved_text(grantee: iam.IPrincipal, value: str, stack: cdk.Stack, table: TableReference) -> str | None:
    try:
        return known_text(stack.resolve(value), table.partition_id)
    except RuntimeError:
        account = grantee.principal_account
        raise InvalidInputError(
            _WHAT,
            value=_path(grantee),
            allowed="a role or user whose account and name are known in the table's account",
            fix="Set env=Environment(account=…, region=…) on its stack."
            if account is None or is_unresolved(account)
            else "Give it a physical name (role_name=…), or grant to tg.Role(account=…, name=…).",
        ) from None


def _of_this_app(grantee: iam.IPrincipal, value: str, text: str | None, stack: cdk.Stack, owner: str) -> Principal:
    """A principal whose ARN is known at deployment only; its account must be known."""
    account = grantee.principal_account or _account_of_reference(value)
    # Stacks without an env are taken to share one unknown account, as in the CDK's own references.
    if account is None or (is_unresolved(account) and account != owner):
        raise InvalidInputError(
            _WHAT,
            value=_path(grantee) if text is None else text,
            allowed="a principal whose account is known",
            fix="Set env=Environment(account=…, region=…) on its stack, or use tg.Role(account=…, name=…).",
        )
    return _named_elsewhere(grantee, account, stack) or ArnIdentity(
        account=account, principal_arn=value, described_as=_path(grantee)
    )


def _named_elsewhere(grantee: iam.IPrincipal, account: str, stack: cdk.Stack) -> Principal | None:
    """A named role or user of another stack: identified by its name, so that the templates need no reference."""
    resource = _resource_of(grantee)
    if resource is None or not _is_of_another_stack(grantee, stack):
        return None
    kind, stated = (Role, resource.role_name) if isinstance(resource, iam.CfnRole) else (User, resource.user_name)
    name = cdk.Stack.of(resource).resolve(stated or "")
    if not isinstance(name, str) or not name or is_unresolved(account):
        return None
    return kind(account=account, name=name, path=resource.path or "/")


def _resource_of(grantee: object) -> iam.CfnRole | iam.CfnUser | None:
    node = getattr(grantee, "node", None)
    resource = node.default_child if node is not None else None
    return resource if isinstance(resource, iam.CfnRole | iam.CfnUser) else None


def _is_of_another_stack(grantee: object, stack: cdk.Stack) -> bool:
    resource = _resource_of(grantee)
    return resource is not None and cdk.Stack.of(resource) is not stack


def _account_of_reference(value: str) -> str | None:
    """The account of the construct that an ARN refers to: a composite principal has no account of its own."""
    reference = cdk.Tokenization.reverse(value, fail_concat=False)
    return cdk.Stack.of(reference.target).account if isinstance(reference, cdk.Reference) else None


def is_user_of_this_app(arn: str) -> bool:
    """Whether an ARN that only the deployment knows is that of an IAM user of the app.

    Args:
        arn: The ARN, or the token of one.
    """
    reference = cdk.Tokenization.reverse(arn, fail_concat=False) if is_unresolved(arn) else None
    return isinstance(reference, cdk.Reference) and isinstance(reference.target, iam.CfnUser)


def _from_arn(service: str, account: str, resource: str, *, text: str) -> Principal:
    kind, _, rest = resource.partition("/")
    path, _, name = f"/{rest}".rpartition("/")
    role, _, session = rest.partition("/")
    match service, kind:
        case "iam", "root":
            return Account(account)
        case "iam", "role":
            return Role(account=account, name=name, path=f"{path}/")
        case "iam", "user":
            return User(account=account, name=name, path=f"{path}/")
        case "sts", "assumed-role":
            return RoleSession(account=account, role=role, session=session)
        case "sts", "federated-user":
            return FederatedUser(account=account, name=rest)
    raise _unsupported("AWS", text)


def known_text(value: Any, partition: str) -> str | None:
    """A resolved value as text; None if more of it than the partition is unknown before deployment.

    Args:
        value: What `Stack.resolve` returned.
        partition: The partition to fill in.
    """
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


def add_identity_statements(
    grantee: iam.IPrincipal, statements: Iterable[Mapping[str, Any]], *, required: bool = True
) -> None:
    """Add statements to the identity policy of a principal of the table's own account.

    Args:
        grantee: The principal.
        statements: The statements.
        required: Whether the identity policy is the only policy that grants the access.

    Raises:
        InvalidInputError: `required`, and no policy can be attached to the principal (a literal ARN, for example).
    """
    for statement in statements:
        result = grantee.add_to_principal_policy(iam.PolicyStatement.from_json(statement))
        if required and not result.statement_added:
            raise _takes_no_policy(grantee)


def _takes_no_policy(grantee: iam.IPrincipal) -> InvalidInputError:
    return InvalidInputError(
        f"{_WHAT} inside the table's own account",
        value=_path(grantee),
        allowed="a role, user or group of this app, which an identity policy can be attached to",
        fix="Grant to the role itself, or set name_principal=True to name it in the table's policy.",
    )
