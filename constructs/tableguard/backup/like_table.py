"""A blueprint taken from a table of the same app, as it stands when the template is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tableguard.backup.blueprint_policy import policy_document
from tableguard.backup.table_blueprint import Capacity, Index, TableBlueprint
from tableguard.policy import InvalidInputError, TableReference
from tableguard.policy.documents import Json
from tableguard.policy.recovery import MOST_RECOVERY_DAYS
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.attachable import AnyTable, Instead, table_resource, unwrapped
from tableguard.tables.facts import is_own_region
from tableguard.tables.overlay import properties_below
from tableguard.tables.policies import TablePolicies

_DEFAULT_INSIGHTS = "ACCESSED_AND_THROTTLED_KEYS"


def like(table: AnyTable, **changes: Any) -> LikeTable:
    """A blueprint that follows a table of the same app, whatever is added to it later.

    Everything that `TableBlueprint` holds is taken from the table: its keys, indexes, capacity, policies and so on, as
    they stand when the templates are written. Where capacity scales by itself, the restored table gets what a new table
    of that kind starts with.

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
        read = from_properties(properties, region=resource.home.region, path=resource.path)
        if self.policies.guarded or resource.policies_in(properties):
            read = replace(read, policy=LikePolicy(self.policies))
        return replace(read, **self.changes)


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
            for statement in _listed(policy.document["Statement"])
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


def from_properties(properties: Mapping[str, Any], *, region: str, path: str) -> TableBlueprint:
    """The blueprint of a table resource, its policies aside.

    Args:
        properties: The resolved properties of an `AWS::DynamoDB::Table` or `AWS::DynamoDB::GlobalTable`, under the
            names that the L1 construct has for them ("keySchema").
        region: The region of its stack.
        path: The path of the resource, for messages.

    Raises:
        InvalidInputError: It has something that cannot be restored as it is.
    """
    replicas = _listed(properties.get("replicas") or [])
    own = next((replica for replica in replicas if is_own_region(replica.get("region"), region)), None)
    # What a global table says of a replica, a single-region table says of itself.
    settings = {**properties, **own} if own is not None else properties
    types = {entry["attributeName"]: entry["attributeType"] for entry in _listed(properties["attributeDefinitions"])}
    keys = _keys(properties["keySchema"], types)
    provisioned = properties.get("billingMode", "PROVISIONED") == "PROVISIONED"
    in_replica = {index["indexName"]: index for index in _listed((own or {}).get("globalSecondaryIndexes") or [])}
    indexes = []
    for index in _listed(properties.get("globalSecondaryIndexes") or []):
        partition, sort = _keys(index["keySchema"], types)
        merged = {**index, **in_replica.get(index["indexName"], {})}
        indexes.append(
            Index(
                name=index["indexName"],
                partition_key=partition,
                sort_key=sort,
                capacity=_capacity(merged, provisioned=provisioned, path=path),
                contributor_insights=_insights(merged),
                **_projection(index),
            )
        )
    encryption = settings.get("sseSpecification") or {}
    top = properties.get("sseSpecification") or {}
    stream = properties.get("streamSpecification") or {}
    lives = properties.get("timeToLiveSpecification") or {}
    recovery = settings.get("pointInTimeRecoverySpecification") or {}
    return TableBlueprint(
        partition_key=keys[0],
        sort_key=keys[1],
        local_indexes=tuple(
            Index(name=index["indexName"], sort_key=_keys(index["keySchema"], types)[1], **_projection(index))
            for index in _listed(properties.get("localSecondaryIndexes") or [])
        ),
        global_indexes=tuple(indexes),
        capacity=_capacity(settings, provisioned=provisioned, path=path),
        table_class=settings.get("tableClass") or "STANDARD",
        # An AWS-managed key is nobody's to keep either: a customer-managed one takes its place.
        customer_managed_key=bool(
            encryption.get("kmsMasterKeyId") or top.get("kmsMasterKeyId") or top.get("sseEnabled") is True
        ),
        stream=stream.get("streamViewType") or ("NEW_AND_OLD_IMAGES" if len(replicas) > 1 else None),
        deletion_protection=settings.get("deletionProtectionEnabled") is True,
        tags=dict(_tags(settings.get("tags"), path)),
        time_to_live=lives.get("attributeName") if lives.get("enabled") is True else None,
        recovery_days=(recovery.get("recoveryPeriodInDays") or MOST_RECOVERY_DAYS)
        if recovery.get("pointInTimeRecoveryEnabled") is True
        else None,
        contributor_insights=_insights(settings),
    )


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _keys(schema: Any, types: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    parts = _listed(schema)
    partition = {part["attributeName"]: types[part["attributeName"]] for part in parts if part["keyType"] == "HASH"}
    sort = {part["attributeName"]: types[part["attributeName"]] for part in parts if part["keyType"] == "RANGE"}
    return partition, sort


def _projection(index: Mapping[str, Any]) -> dict[str, Any]:
    projection = index["projection"]
    return {
        "projection": projection.get("projectionType", "ALL"),
        "attributes": tuple(projection.get("nonKeyAttributes") or ()),
    }


def _insights(settings: Mapping[str, Any]) -> str | None:
    insights = settings.get("contributorInsightsSpecification") or {}
    return (insights.get("mode") or _DEFAULT_INSIGHTS) if insights.get("enabled") is True else None


def _capacity(settings: Mapping[str, Any], *, provisioned: bool, path: str) -> Capacity:
    warm = settings.get("warmThroughput") or {}
    ready: dict[str, Any] = {"warm_read": warm.get("readUnitsPerSecond"), "warm_write": warm.get("writeUnitsPerSecond")}
    if not provisioned:
        most = settings.get("onDemandThroughput") or {}
        reads = settings.get("readOnDemandThroughputSettings") or {}
        writes = settings.get("writeOnDemandThroughputSettings") or {}
        return Capacity(
            read=_limit(most.get("maxReadRequestUnits", reads.get("maxReadRequestUnits"))),
            write=_limit(most.get("maxWriteRequestUnits", writes.get("maxWriteRequestUnits"))),
            **ready,
        )
    fixed = settings.get("provisionedThroughput") or {}
    reads = settings.get("readProvisionedThroughputSettings") or {}
    writes = settings.get("writeProvisionedThroughputSettings") or {}
    read = fixed.get("readCapacityUnits", reads.get("readCapacityUnits"))
    write = fixed.get("writeCapacityUnits", writes.get("writeCapacityUnits"))
    return Capacity(
        read=_scaled(read, reads.get("readCapacityAutoScalingSettings"), path),
        write=_scaled(write, writes.get("writeCapacityAutoScalingSettings"), path),
        provisioned=True,
        **ready,
    )


def _limit(units: Any) -> int | None:
    """A limit on demand; -1 takes one away, as DynamoDB has it."""
    return None if units in {None, -1} else int(units)


def _scaled(units: Any, scaling: Mapping[str, Any] | None, path: str) -> int:
    """Units that are given, or that scaling starts with."""
    found = units if units is not None else (scaling or {}).get("seedCapacity", (scaling or {}).get("minCapacity"))
    if not isinstance(found, int | float):
        raise InvalidInputError(
            f"the provisioned capacity of {path}",
            value=found,
            allowed="units that are known before deployment",
            fix="Pass capacity=Capacity(read=…, write=…, provisioned=True) to TableBlueprint.like.",
        )
    return int(found)


def _tags(tags: Any, path: str) -> Iterator[tuple[str, str]]:
    pairs = tags.items() if isinstance(tags, Mapping) else ((tag["key"], tag["value"]) for tag in tags or ())
    for key, value in pairs:
        if not isinstance(value, str):
            raise InvalidInputError(
                f"the tag {key!r} of {path}", value=value, allowed="a text that is known before deployment"
            )
        yield key, value
