"""The policies of a restored table: grants and restrictions, rendered for the new table's ARN."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.network.denying import Denying, denied
from tableguard.policy import InvalidInputError, Role, TableGrant, TableReference, document
from tableguard.policy.documents import VERSION, Json

_PRINCIPAL_ARN: Final = "aws:PrincipalArn"
_POLICY: Final = "dynamodb:PutResourcePolicy"
# What denies these together with the policy is about people, or about services: nobody has to be left alone there.
_ITEMS: Final = {"dynamodb:GetItem", "dynamodb:GetRecords"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueprintPolicy:
    """Grants and restrictions for a restored table, written down. `TableBlueprint.like(table)` takes them from a table.

    Args:
        table_grants: What is granted.
        restrictions: What denies: a `Perimeter`, or a `NoPeople`. The roles of a restore are exempt until its table has
            been verified; nobody has to exempt them here.

    Raises:
        InvalidInputError: Something else than grants to principals of this library, or than restrictions.
    """

    table_grants: Sequence[TableGrant] = ()
    restrictions: Sequence[Denying] = ()

    def __post_init__(self) -> None:
        for grant in self.table_grants:
            if not isinstance(grant, TableGrant):
                raise InvalidInputError("a grant of a BlueprintPolicy", value=grant, allowed="a TableGrant")
        for restriction in self.restrictions:
            if not hasattr(restriction, "table_statements") or not hasattr(restriction, "stream_statements"):
                raise InvalidInputError(
                    "a restriction of a BlueprintPolicy", value=restriction, allowed="a Perimeter or NoPeople"
                )
        object.__setattr__(self, "table_grants", tuple(self.table_grants))
        object.__setattr__(self, "restrictions", tuple(self.restrictions))

    def statements(self, table: TableReference, *, stream: bool) -> list[Json]:
        """The statements of the policy of a table, or of its stream.

        Args:
            table: The table that the policy is for.
            stream: Whether it is the policy of the stream.
        """
        rendering = TableGrant.stream_statements if stream else TableGrant.table_statements
        for grant in self.table_grants:
            grant.check(table)
        granted = [statement for grant in self.table_grants for statement in rendering(grant, table)]
        return [
            *(document(granted)["Statement"] if granted else []),
            *(denial for restriction in self.restrictions for denial in denied(restriction, table, stream=stream)),
        ]


def policy_document(statements: Iterable[Json]) -> Json | None:
    """A policy of these statements; None where there is none, since an empty policy is invalid.

    Args:
        statements: The statements.
    """
    listed = list(statements)
    return {"Version": VERSION, "Statement": listed} if listed else None


def exempting(policy: Json, roles: Sequence[str]) -> Json:
    """The same policy with its denials leaving some roles alone: while a table is being restored.

    Without it, a restriction would keep out whoever fills and checks the table. It allows nothing: what these roles may
    do is in their identity policies.

    Args:
        policy: The policy.
        roles: ARNs of the roles.
    """
    return {**policy, "Statement": [_exempt(statement, roles) for statement in policy["Statement"]]}


def deployable(policy: Json, role: Role | None, *, table: TableReference, owner: str) -> Json:
    """The same policy with a role free to change it: a policy that nobody can change would lock its owner out.

    Args:
        policy: The policy.
        role: The role that deploys in the account of the restored table, which stays kept from the items; None where
            nobody knows it.
        table: The restored table.
        owner: The path of the restore, for messages.

    Raises:
        InvalidInputError: The role is not known, and the policy would leave nobody of the account to change it.
    """
    restricted = [each for each in policy["Statement"] if _keeps_the_policy(each)]
    if role is None:
        if all(_exempts(each, table.account) for each in restricted):
            return policy
        raise InvalidInputError(
            f"deployed_by of {owner}",
            value=None,
            allowed="the role that deploys there, since the stack's synthesizer does not tell: the policy of a restored"
            " table would let nobody change it, and only the account's root user could",
            fix='Pass deployed_by=Role(account=…, name="cdk-…-cfn-exec-role-…").',
        )
    arn = role.arn(table.partition_id)
    return {
        **policy,
        "Statement": [_exempt(each, [arn]) if each in restricted else each for each in policy["Statement"]],
    }


def _keeps_the_policy(statement: Json) -> bool:
    """Whether a statement keeps everybody from the policy, and not people or services alone."""
    actions = _actions(statement)
    return statement["Effect"] == "Deny" and _POLICY in actions and not _ITEMS & set(actions)


def _exempts(statement: Json, account: str) -> bool:
    """Whether a denial leaves somebody of an account alone: nobody of another one may change a table's policy."""
    conditions = statement.get("Condition", {})
    exempt = [value for operator in ("ArnNotEquals", "ArnNotLike") for value in _principals(conditions, operator)[1]]
    ours = f":iam::{account}:"
    return any(ours in arn and "/aws-service-role/" not in arn for arn in exempt)


def _actions(statement: Json) -> Sequence[str]:
    actions: str | Sequence[str] = statement.get("Action", ())
    return (actions,) if isinstance(actions, str) else actions


def _exempt(statement: Json, roles: Sequence[str]) -> Json:
    if statement["Effect"] != "Deny" or not roles:
        return statement
    conditions = statement.get("Condition", {})
    # A negated operator matches when none of its values does, and all operators have to match for the denial to hold.
    key, listed = _principals(conditions, "ArnNotEquals")
    values = [*listed, *(role for role in roles if role not in listed)]
    operator = {**conditions.get("ArnNotEquals", {}), key: values}
    return {**statement, "Condition": {**conditions, "ArnNotEquals": operator}}


def _principals(conditions: Json, operator: str) -> tuple[str, Sequence[str]]:
    """The key of the principal's ARN as an operator writes it, and its values."""
    keys = conditions.get(operator, {})
    key = next((key for key in keys if key.lower() == _PRINCIPAL_ARN.lower()), _PRINCIPAL_ARN)
    found = keys.get(key, [])
    return key, found if isinstance(found, list) else [found]
