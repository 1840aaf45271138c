"""A blueprint taken from a table of the same app, as it stands when the template is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tableguard.backup.blueprint_policy import policy_document
from tableguard.backup.read_table import from_properties, listed
from tableguard.backup.table_blueprint import TableBlueprint
from tableguard.policy import InvalidInputError, TableReference
from tableguard.policy.documents import Json
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.attachable import AnyTable, Instead, table_resource, unwrapped
from tableguard.tables.overlay import properties_below
from tableguard.tables.policies import TablePolicies


def like(table: AnyTable, **changes: Any) -> LikeTable:
    """A blueprint that follows a table of the same app, whatever is added to it later.

    Everything that `TableBlueprint` holds is taken from the table: its keys, indexes, capacity, policies and so on, as
    they stand when the templates are written. Where capacity scales by itself, the restored table gets what a new table
    of that kind starts with. What only the deployment knows (a condition, a parameter) is refused unless it is among
    the changes. Property overrides (`add_property_override`) cannot be seen: what they set has to be a change as well.

    Args:
        table: The table: `TableV2`, `Table`, `CfnTable`, `CfnGlobalTable`, or a construct of this library around one.
        **changes: Values of `TableBlueprint` that are to differ, such as deletion_protection=False.

    Raises:
        InvalidInputError: It is no table of this app, or a change has a name that no blueprint knows.
    """
    unknown = sorted(set(changes) - set(TableBlueprint.__dataclass_fields__))
    if unknown:
        raise InvalidInputError(
            "a change to a TableBlueprint", value=unknown, allowed=", ".join(TableBlueprint.__dataclass_fields__)
        )
    resource = table_resource(
        unwrapped(table),
        "TableBlueprint",
        instead=lambda _: Instead(
            table=None, stream=None, besides=", or write it down: TableBlueprint(partition_key=…)"
        ),
    )
    return LikeTable(TablePolicies.of(resource), changes)


@dataclass(frozen=True, slots=True)
class LikeTable:
    """A blueprint that follows a table.

    Args:
        policies: The table's policies, which know its resource.
        changes: What is to differ.
    """

    policies: TablePolicies
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> TableReference:
        """The table that it follows."""
        return self.policies.reference

    def blueprint(self) -> TableBlueprint:
        """The blueprint as the table stands at the moment.

        Raises:
            InvalidInputError: The table has something that cannot be restored as it is.
        """
        resource = self.policies.table_resource
        # Tags come out of the resource's tag manager, so that those of `Tags.of(…)` are among them.
        properties = resource.home.stack.resolve(properties_below(resource.resource, resource.overlays))
        given: dict[str, Any] = dict(self.changes)
        if self.policies.guarded or resource.policies_in(properties):
            given = {"policy": LikePolicy(self.policies), **given}
        return from_properties(properties, region=resource.home.region, path=resource.path, given=given)


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
