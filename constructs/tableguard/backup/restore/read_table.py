"""What the properties of a table resource say about how a table like it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tableguard.aws.limits import RECOVERY_DAYS
from tableguard.backup.restore.table_parts import Capacity, Index
from tableguard.policy import InvalidInputError
from tableguard.tables.attachment.facts import is_own_region

_DEFAULT_INSIGHTS = "ACCESSED_AND_THROTTLED_KEYS"


def settings_of(
    properties: Mapping[str, Any], *, region: str, path: str, given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The values of a blueprint of a table resource, its policies aside.

    Args:
        properties: The resolved properties of an `AWS::DynamoDB::Table` or `AWS::DynamoDB::GlobalTable`, under the
            names that the L1 construct has for them ("keySchema").
        region: The region of its stack.
        path: The path of the resource, for messages.
        given: Values of the blueprint that are not read; nothing when left out.

    Raises:
        InvalidInputError: It has something that cannot be restored as it is, or that only the deployment knows.
    """
    replicas = listed(properties.get("replicas") or [])
    for replica in replicas:
        if _is_intrinsic(replica):
            raise _unknown("the replicas", replica, path, "")
    own = next((replica for replica in replicas if is_own_region(replica.get("region"), region)), None)
    # What a global table says of a replica, a single-region table says of itself.
    read = _Reading({**properties, **own} if own is not None else properties, properties, own or {}, path)
    several = len(replicas) > 1
    readers: dict[str, Callable[[], Any]] = {
        "partition_key": lambda: read.keys()[0],
        "sort_key": lambda: read.keys()[1],
        "local_indexes": read.local_indexes,
        "global_indexes": read.global_indexes,
        "capacity": read.capacity,
        "table_class": lambda: read.known("tableClass", "table_class") or "STANDARD",
        "customer_managed_key": read.has_a_key,
        "stream": lambda: read.stream() or ("NEW_AND_OLD_IMAGES" if several else None),
        "deletion_protection": lambda: read.flag(read.settings, "deletionProtectionEnabled", "deletion_protection"),
        "tags": lambda: dict(_tags(read.settings.get("tags"), path)),
        "time_to_live": read.time_to_live,
        "recovery_days": read.recovery_days,
        "contributor_insights": lambda: read.insights(read.settings),
    }
    given = given or {}
    return {**{name: reader() for name, reader in readers.items() if name not in given}, **given}


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads one value of a blueprint after the other, and refuses what only the deployment knows.

    Args:
        settings: The properties, with those of the replica in the stack's own region among them.
        properties: The properties.
        own: Those of that replica; empty for a single-region table.
        path: The path of the resource, for messages.
    """

    settings: Mapping[str, Any]
    properties: Mapping[str, Any]
    own: Mapping[str, Any]
    path: str

    def known(self, name: str, argument: str) -> Any:
        """A property without a value in it that only the deployment knows."""
        return _checked(self.settings.get(name), name, argument, self.path)

    def flag(self, section: Mapping[str, Any], name: str, argument: str) -> bool:
        """What is on or off, and off when nothing is said."""
        value = section.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise _unknown(name, value, self.path, argument)

    def keys(self, schema: Any = None, argument: str = "partition_key") -> tuple[dict[str, str], dict[str, str]]:
        """Partition and sort key of a schema; of the table's own when None."""
        schema = _checked(schema or self.properties["keySchema"], "keySchema", argument, self.path)
        attributes = _checked(self.properties["attributeDefinitions"], "attributeDefinitions", argument, self.path)
        return _keys(schema, {entry["attributeName"]: entry["attributeType"] for entry in listed(attributes)})

    def local_indexes(self) -> tuple[Index, ...]:
        indexes = _checked(
            self.properties.get("localSecondaryIndexes"), "localSecondaryIndexes", "local_indexes", self.path
        )
        return tuple(
            Index(
                name=index["indexName"],
                sort_key=self.keys(index["keySchema"], "local_indexes")[1],
                **_projection(index),
            )
            for index in listed(indexes or [])
        )

    def global_indexes(self) -> tuple[Index, ...]:
        argument = "global_indexes"
        in_replica = {
            index["indexName"]: index
            for index in listed(
                _checked(self.own.get("globalSecondaryIndexes"), "globalSecondaryIndexes", argument, self.path) or []
            )
        }
        found = []
        for index in listed(self.properties.get("globalSecondaryIndexes") or []):
            if _is_intrinsic(index):
                raise _unknown("globalSecondaryIndexes", index, self.path, argument)
            partition, sort = self.keys(index["keySchema"], argument)
            _checked(index["projection"], "projection", argument, self.path)
            merged = {**index, **in_replica.get(index["indexName"], {})}
            found.append(
                Index(
                    name=index["indexName"],
                    partition_key=partition,
                    sort_key=sort,
                    capacity=_capacity(merged, provisioned=self.provisioned(), path=self.path),
                    contributor_insights=self.insights(merged, argument),
                    **_projection(index),
                )
            )
        return tuple(found)

    def provisioned(self) -> bool:
        mode = _checked(self.properties.get("billingMode"), "billingMode", "capacity", self.path)
        return (mode or "PROVISIONED") == "PROVISIONED"

    def capacity(self) -> Capacity:
        return _capacity(self.settings, provisioned=self.provisioned(), path=self.path)

    def has_a_key(self) -> bool:
        """Whether it has a key of KMS. An AWS-managed one is nobody's to keep: one of its own follows."""
        argument = "customer_managed_key"
        for of in (self.settings, self.properties):
            section = self._section(of, "sseSpecification", argument)
            key = section.get("kmsMasterKeyId")
            if isinstance(key, Mapping) and "Fn::If" in key:
                raise _unknown("kmsMasterKeyId", key, self.path, argument)
            if self.flag(section, "sseEnabled", argument) or key is not None:
                return True
        return False

    def stream(self) -> str | None:
        section = self._section(self.properties, "streamSpecification", "stream")
        found: str | None = _checked(section.get("streamViewType"), "streamViewType", "stream", self.path)
        return found

    def time_to_live(self) -> str | None:
        section = self._section(self.properties, "timeToLiveSpecification", "time_to_live")
        found: str | None = _checked(section.get("attributeName"), "attributeName", "time_to_live", self.path)
        return found if self.flag(section, "enabled", "time_to_live") else None

    def recovery_days(self) -> int | None:
        argument = "recovery_days"
        section = self._section(self.settings, "pointInTimeRecoverySpecification", argument)
        days: int | None = _checked(section.get("recoveryPeriodInDays"), "recoveryPeriodInDays", argument, self.path)
        return (days or RECOVERY_DAYS.most) if self.flag(section, "pointInTimeRecoveryEnabled", argument) else None

    def insights(self, settings: Mapping[str, Any], argument: str = "contributor_insights") -> str | None:
        section = self._section(settings, "contributorInsightsSpecification", argument)
        mode: str = _checked(section.get("mode"), "mode", argument, self.path) or _DEFAULT_INSIGHTS
        return mode if self.flag(section, "enabled", argument) else None

    def _section(self, settings: Mapping[str, Any], name: str, argument: str) -> Mapping[str, Any]:
        section = settings.get(name) or {}
        if _is_intrinsic(section):
            raise _unknown(name, section, self.path, argument)
        return dict(section)


def _is_intrinsic(value: Any) -> bool:
    """Whether it is a function of CloudFormation, which the deployment works out."""
    return isinstance(value, Mapping) and len(value) == 1 and all(key == "Ref" or key[:4] == "Fn::" for key in value)


def _checked(value: Any, name: str, argument: str, path: str) -> Any:
    """A value, unless it has one in it that only the deployment knows."""
    if _is_intrinsic(value):
        raise _unknown(name, value, path, argument)
    if isinstance(value, Mapping):
        for inner in value.values():
            _checked(inner, name, argument, path)
    if isinstance(value, list):
        for inner in value:
            _checked(inner, name, argument, path)
    return value


def _unknown(name: str, value: Any, path: str, argument: str) -> InvalidInputError:
    return InvalidInputError(
        f"{name} of {path}",
        value=value,
        allowed="a value that is known before deployment: otherwise the restored table might be without it",
        fix=f"Pass {argument}=… to TableBlueprint.like." if argument else "",
    )


def listed(value: Any) -> Sequence[Any]:
    """A list, or the one thing that stands in its place."""
    return value if isinstance(value, list) else [value]


def _keys(schema: Any, types: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    parts = listed(schema)
    partition = {part["attributeName"]: types[part["attributeName"]] for part in parts if part["keyType"] == "HASH"}
    sort = {part["attributeName"]: types[part["attributeName"]] for part in parts if part["keyType"] == "RANGE"}
    return partition, sort


def _projection(index: Mapping[str, Any]) -> dict[str, Any]:
    projection = index["projection"]
    return {
        "projection": projection.get("projectionType", "ALL"),
        "attributes": tuple(projection.get("nonKeyAttributes") or ()),
    }


def _capacity(settings: Mapping[str, Any], *, provisioned: bool, path: str) -> Capacity:
    warm = _checked(settings.get("warmThroughput"), "warmThroughput", "capacity", path) or {}
    ready: dict[str, Any] = {"warm_read": warm.get("readUnitsPerSecond"), "warm_write": warm.get("writeUnitsPerSecond")}
    if not provisioned:
        most, reads, writes = (
            _checked(settings.get(name), name, "capacity", path) or {}
            for name in ("onDemandThroughput", "readOnDemandThroughputSettings", "writeOnDemandThroughputSettings")
        )
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
