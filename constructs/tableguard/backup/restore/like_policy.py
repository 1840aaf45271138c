"""The policies of a table, for another one like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tableguard.backup.restore.blueprint_policy import policy_document
from tableguard.backup.restore.read_table import listed
from tableguard.policy import InvalidInputError, TableReference
from tableguard.policy.documents import Json
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.attachment.overlay import properties_below
from tableguard.tables.attachment.policies import TablePolicies


@dataclass(frozen=True, slots=True)
class LikePolicy:
    """Renders the policies of a table for another one like it.

    Args:
        policies: The table's policies.
    """

    policies: TablePolicies

    def statements(self, table: TableReference, *, stream: bool) -> list[Json]:
        """The statements of the policy of a table, or of its stream.

        Args:
            table: The table that the policy is for.
            stream: Whether it is the policy of the stream.

        Raises:
            InvalidInputError: A statement that somebody else added holds a value that only the deployment knows.
        """
        resource = self.policies.table_resource
        properties = resource.home.stack.resolve(properties_below(resource.resource, resource.overlays))
        kind = "stream" if stream else "table"
        theirs = [
            _moved(statement, self.policies, table)
            for policy in resource.policies_in(properties)
            if policy.kind == kind and policy.region == resource.home.region
            for statement in listed(policy.document["Statement"])
        ]
        ours = self.policies.statements_for(table, stream=stream)
        found = policy_document([*theirs, *ours])
        return list(found["Statement"]) if found else []


def _moved(value: Any, policies: TablePolicies, table: TableReference) -> Any:
    """A statement of somebody else with the ARN of the new table in place of the old one's."""
    resource = policies.table_resource
    home = resource.home
    source = policies.reference
    if isinstance(value, Mapping):
        if set(value) & {"Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub", "Fn::ImportValue", "Fn::GetStackOutput"}:
            known = _known(value, {"AWS::Partition": source.partition_id, "AWS::AccountId": home.account})
            if known is None:
                raise InvalidInputError(
                    f"a statement in the policy of {resource.path}",
                    value=value,
                    allowed="literal values: the restored table has its policy before anything is deployed again",
                    fix="Name principals by their ARNs and give the table a name, or pass policy=BlueprintPolicy(…).",
                )
            value = known
        else:
            return {key: _moved(inner, policies, table) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, policies, table) for inner in value]
    named = isinstance(value, str) and not is_unresolved(source.name)
    if named and (value == source.arn or value.startswith(f"{source.arn}/")):
        return table.arn + value.removeprefix(source.arn)
    return value


def _known(value: Any, names: Mapping[str, str]) -> str | None:
    """The text of a value that the template leaves to the deployment, where it is known all the same."""
    if isinstance(value, str):
        return value
    match value:
        case {"Ref": name} if not is_unresolved(names.get(name, "${Token[]}")):
            return names[name]
        case {"Fn::Join": [str(separator), list(parts)]}:
            texts = [_known(part, names) for part in parts]
            return None if None in texts else separator.join(text for text in texts if text is not None)
    return None
