"""What CreateTable is asked for, from a blueprint: names and values as the Step Functions integration spells them."""

from __future__ import annotations

from typing import Any, Final

from tableguard.backup.restore.table_blueprint import TableBlueprint
from tableguard.backup.restore.table_parts import Capacity, Index
from tableguard.policy.documents import Json

# The integration speaks the words of the AWS SDK for Java 2: SseSpecification, not SSESpecification. Source: Step
# Functions developer guide, "Learning to use AWS service SDK integrations".
_ON_DEMAND: Final = "PAY_PER_REQUEST"


def create_table(blueprint: TableBlueprint, *, key_arn: str | None) -> Json:
    """The arguments of CreateTable that follow from a blueprint; name, tags and policy are the execution's.

    Args:
        blueprint: The blueprint.
        key_arn: The customer-managed key of the new table; None for the AWS-owned one.
    """
    arguments: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": type_} for name, type_ in blueprint.attributes.items()
        ],
        "KeySchema": _key_schema(blueprint.partition_key, blueprint.sort_key),
        "BillingMode": "PROVISIONED" if blueprint.capacity.provisioned else _ON_DEMAND,
        "TableClass": blueprint.table_class,
        **_throughput(blueprint.capacity),
    }
    if blueprint.local_indexes:
        arguments["LocalSecondaryIndexes"] = [
            _index(index, partition_key=blueprint.partition_key) for index in blueprint.local_indexes
        ]
    if blueprint.global_indexes:
        arguments["GlobalSecondaryIndexes"] = [
            {**_index(index, partition_key=index.partition_key or {}), **_throughput(index.capacity)}
            for index in blueprint.global_indexes
        ]
    if blueprint.stream is not None:
        arguments["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": blueprint.stream}
    if key_arn is not None:
        arguments["SseSpecification"] = {"Enabled": True, "SseType": "KMS", "KmsMasterKeyId": key_arn}
    return arguments


def _key_schema(partition: Any, sort: Any) -> list[Json]:
    return [
        *({"AttributeName": name, "KeyType": "HASH"} for name in partition),
        *({"AttributeName": name, "KeyType": "RANGE"} for name in sort),
    ]


def _index(index: Index, *, partition_key: Any) -> Json:
    projection: Json = {"ProjectionType": index.projection}
    if index.attributes:
        projection["NonKeyAttributes"] = list(index.attributes)
    return {
        "IndexName": index.name,
        "KeySchema": _key_schema(partition_key, index.sort_key),
        "Projection": projection,
    }


def _throughput(capacity: Capacity) -> Json:
    found: Json = {}
    if capacity.provisioned:
        found["ProvisionedThroughput"] = {"ReadCapacityUnits": capacity.read, "WriteCapacityUnits": capacity.write}
    elif capacity.read is not None or capacity.write is not None:
        most = {"MaxReadRequestUnits": capacity.read, "MaxWriteRequestUnits": capacity.write}
        found["OnDemandThroughput"] = {name: units for name, units in most.items() if units is not None}
    warm = {"ReadUnitsPerSecond": capacity.warm_read, "WriteUnitsPerSecond": capacity.warm_write}
    ready = {name: units for name, units in warm.items() if units is not None}
    return {**found, **({"WarmThroughput": ready} if ready else {})}
