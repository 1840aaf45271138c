"""Reads the facts about a table from its L1 properties."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

from aws_cdk import aws_dynamodb as dynamodb

from tableguard.policy import InvalidInputError, TableReference
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.attachment.overlay import PropertyOverlay, properties_below
from tableguard.tables.attachment.stack_policies import StackPolicies

CfnAnyTable: TypeAlias = dynamodb.CfnTable | dynamodb.CfnGlobalTable

_AWS_MANAGED: Final = re.compile(r"(arn:[^:]+:kms:[^:]+:[^:]+:)?alias/aws/dynamodb")
_KEY_ARN: Final = re.compile(r"arn:[^:]+:kms:[^:]+:[^:]+:key/")


@dataclass(frozen=True, slots=True)
class PolicyInPlace:
    """A policy as the template would contain it now.

    Args:
        kind: "table" or "stream".
        region: The region of the replica that the policy belongs to.
        document: The whole policy document.
    """

    kind: str
    region: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TableFacts:
    """The present properties of a table.

    Args:
        name: The table's name; None if it is not known before deployment.
        indexes: The names of the secondary indexes.
        key_attributes: The key attributes of the table (under "") and of each index (under its name).
        has_stream: Whether the table has a stream.
        key: The KMS key as the template names it; None if the table names no key.
        aws_managed_key: Whether the table is encrypted with the AWS-managed key, which other accounts cannot use.
        replica_regions: The regions of the replicas, without the table's own region.
    """

    name: str | None
    indexes: tuple[str, ...]
    key_attributes: Mapping[str, tuple[str, ...]]
    has_stream: bool
    key: Any
    aws_managed_key: bool
    replica_regions: tuple[str, ...]


class TableResource:
    """An L1 table. What never changes is read only once, since every read is a call to the CDK's process.

    Args:
        resource: The L1 resource of the table.
        home: The policies of the table's stack.
    """

    def __init__(self, resource: CfnAnyTable, home: StackPolicies) -> None:
        self.resource = resource
        self.home = home
        self.overlays: tuple[PropertyOverlay, ...] = ()

    @cached_property
    def path(self) -> str:
        """The path of the resource, for messages."""
        return str(self.resource.node.path)

    def __str__(self) -> str:
        return self.path

    def facts(self) -> TableFacts:
        """Read the present facts about the table.

        Raises:
            InvalidInputError: The CDK cannot render the table's properties.
        """
        try:
            below = self.home.stack.resolve(properties_below(self.resource, self.overlays))
        except RuntimeError as error:
            # A property that the CDK cannot render, such as a replica without a key of its own.
            raise InvalidInputError(
                f"the properties of {self.path}",
                value=str(error),
                allowed="properties that the CDK can render",
                fix="Replicas need a key each: TableEncryptionV2.customer_managed_key(key, {region: key_arn, …})."
                if "replicaKeyArns" in str(error)
                else "",
            ) from None
        return self.stated(below)

    def stated(self, properties: Mapping[str, Any]) -> TableFacts:
        """Read the facts about the table from its properties.

        Args:
            properties: The resolved properties.
        """
        indexes = [
            index
            for kind in ("globalSecondaryIndexes", "localSecondaryIndexes")
            for index in _entries(properties.get(kind))
            if isinstance(index.get("indexName"), str)
        ]
        replicas = _entries(properties.get("replicas"))
        own = next((replica for replica in replicas if is_own_region(replica.get("region"), self.home.region)), {})
        regions = (replica.get("region") for replica in replicas if replica is not own)
        others = tuple(region for region in regions if isinstance(region, str))
        encryption = properties.get("sseSpecification") or {}
        key = ((own.get("sseSpecification") or {}) if replicas else encryption).get("kmsMasterKeyId")
        name = properties.get("tableName")
        return TableFacts(
            name=name if isinstance(name, str) else None,
            indexes=tuple(index["indexName"] for index in indexes),
            key_attributes={
                "": _key_attributes(properties),
                **{index["indexName"]: _key_attributes(index) for index in indexes},
            },
            # A table with replicas always has a stream: replication uses it.
            has_stream=bool(others) or bool(properties.get("streamSpecification")),
            key=key,
            aws_managed_key=encryption.get("sseEnabled") is True
            and (key is None or bool(_AWS_MANAGED.fullmatch(str(key)))),
            replica_regions=others,
        )

    def reference(self, facts: TableFacts) -> TableReference:
        """The table as a reference, with literal values where they are known. It does not create a physical name.

        Args:
            facts: The facts about the table.
        """
        return TableReference(
            account=self.home.account,
            region=self.home.region,
            partition=self.home.stack.partition if is_unresolved(self.home.region) else None,
            name=facts.name or self.resource.ref,
            indexes=facts.indexes,
            customer_managed_key=facts.key is not None and not facts.aws_managed_key,
            # None if the table names its key by an alias or an id: policies need the ARN of the key.
            key_arn=facts.key if isinstance(facts.key, str) and _KEY_ARN.match(facts.key) else None,
            replica_regions=facts.replica_regions,
        )

    def policies_in(self, properties: Mapping[str, Any]) -> list[PolicyInPlace]:
        """The policies of table and stream, in every region of the table.

        Args:
            properties: The table's resolved properties.
        """
        found = []
        for holder, stream in (
            (properties, "streamSpecification"),
            *((replica, "replicaStreamSpecification") for replica in _entries(properties.get("replicas"))),
        ):
            where = holder.get("region", self.home.region)
            region = where if isinstance(where, str) else self.home.region
            for kind, policy in (
                ("table", holder.get("resourcePolicy")),
                ("stream", (holder.get(stream) or {}).get("resourcePolicy")),
            ):
                document = (policy or {}).get("policyDocument")
                if document:
                    found.append(PolicyInPlace(kind, region, document))
        return found


def is_own_region(value: object, region: str) -> bool:
    """Whether the resolved region of a replica is the region of its stack."""
    return value in (region, {"Ref": "AWS::Region"})


def _entries(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _key_attributes(keyed: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(entry["attributeName"] for entry in _entries(keyed.get("keySchema")) if "attributeName" in entry)
