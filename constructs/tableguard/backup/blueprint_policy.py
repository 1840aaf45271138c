"""The policies of a restored table: grants and fences, rendered for the new table's ARN."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.network.fenced import Denying, denied
from tableguard.policy import InvalidInputError, TableGrant, TableReference, document
from tableguard.policy.documents import VERSION, Json

_PRINCIPAL_ARN: Final = "aws:PrincipalArn"
_POLICY: Final = "dynamodb:PutResourcePolicy"
_ITEM: Final = "dynamodb:GetItem"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueprintPolicy:
    """Grants and fences for a restored table, written down. `TableBlueprint.like(table)` takes them from a table.

    Args:
        table_grants: What is granted.
        fences: What denies: a `Perimeter`, or a `NoPeople`. The roles of a restore are exempt until its table has been
            verified; nobody has to exempt them here.

    Raises:
        InvalidInputError: Something else than grants to principals of this library, or than fences.
    """

    table_grants: Sequence[TableGrant] = ()
    fences: Sequence[Denying] = ()

    def __post_init__(self) -> None:
        for grant in self.table_grants:
            if not isinstance(grant, TableGrant):
                raise InvalidInputError("a grant of a BlueprintPolicy", value=grant, allowed="a TableGrant")
        for fence in self.fences:
            if not hasattr(fence, "table_statements") or not hasattr(fence, "stream_statements"):
                raise InvalidInputError("a fence of a BlueprintPolicy", value=fence, allowed="a Perimeter or NoPeople")
        object.__setattr__(self, "table_grants", tuple(self.table_grants))
        object.__setattr__(self, "fences", tuple(self.fences))

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
            *(denial for fence in self.fences for denial in denied(fence, table, stream=stream)),
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

    Without it, a fence would keep out whoever fills and checks the table. It allows nothing: what these roles may do is
    in their identity policies.

    Args:
        policy: The policy.
        roles: ARNs of the roles.
    """
    return {**policy, "Statement": [_exempt(statement, roles) for statement in policy["Statement"]]}


def deployable(policy: Json, role: str) -> Json:
    """The same policy with a role free to change it: a policy that nobody can change would lock its owner out.

    Args:
        policy: The policy.
        role: The ARN of the role that deploys in the account of the restored table. It stays kept from the items.
    """
    return {
        **policy,
        "Statement": [
            _exempt(statement, [role])
            if _POLICY in _actions(statement) and _ITEM not in _actions(statement)
            else statement
            for statement in policy["Statement"]
        ],
    }


def _actions(statement: Json) -> Sequence[str]:
    actions: str | Sequence[str] = statement.get("Action", ())
    return (actions,) if isinstance(actions, str) else actions


def _exempt(statement: Json, roles: Sequence[str]) -> Json:
    if statement["Effect"] != "Deny" or not roles:
        return statement
    conditions = statement.get("Condition", {})
    # A negated operator matches when none of its values does, and all operators have to match for the denial to hold.
    operator = conditions.get("ArnNotEquals", {})
    key = next((key for key in operator if key.lower() == _PRINCIPAL_ARN.lower()), _PRINCIPAL_ARN)
    before = operator.get(key, [])
    listed = before if isinstance(before, list) else [before]
    values = [*listed, *(role for role in roles if role not in listed)]
    return {**statement, "Condition": {**conditions, "ArnNotEquals": {**operator, key: values}}}
