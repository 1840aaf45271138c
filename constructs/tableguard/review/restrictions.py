"""What bears on access besides tables and identities: keys, VPC endpoints, organization policies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tableguard.aws.partitions import partition_of
from tableguard.evaluation import Document
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.functions import has_unknown
from tableguard.review.picture import Endpoint, Key, OrganizationPolicy
from tableguard.review.reader import Reader, get, place
from tableguard.review.unknown import UnknownKind

_KEY: Final = "AWS::KMS::Key"
_REPLICA_KEY: Final = "AWS::KMS::ReplicaKey"
_SERVICES: Final = (".dynamodb", ".dynamodb-fips", ".dynamodb-streams")
_TARGETS: Final = "TargetIds"
_KNOWN_TARGET: Final = re.compile(r"\d{12}|r-[a-z0-9]+|.*@RootId\}", re.ASCII)


def endpoints(reader: Reader) -> Iterator[Endpoint]:
    """The VPC endpoints for DynamoDB.

    Args:
        reader: What reads the stacks.
    """
    for stack, logical_id, properties in reader.resources("AWS::EC2::VPCEndpoint"):
        service = properties.get("ServiceName")
        if not isinstance(service, str) or has_unknown(service):
            reader.note(stack, logical_id, UnknownKind.ENDPOINT_SERVICE, "ServiceName")
        elif service.endswith(_SERVICES):
            vpc = properties.get("VpcId")
            yield Endpoint(
                endpoint_id=reader.resolver.name(stack, logical_id),
                vpc_id=vpc if isinstance(vpc, str) else None,
                account=str(stack.account),
                region=str(stack.region),
                policy=reader.optional(stack, logical_id, properties, "PolicyDocument"),
                in_doubt=reader.resolver.exists(stack, logical_id) is None,
                place=place(stack, logical_id),
            )


def organization_policies(reader: Reader) -> Iterator[OrganizationPolicy]:
    """The service and resource control policies.

    Args:
        reader: What reads the stacks.
    """
    for stack, logical_id, properties in reader.resources("AWS::Organizations::Policy"):
        listed = reader.texts(
            stack,
            logical_id,
            properties,
            _TARGETS,
            whole=UnknownKind.TARGETS,
            entry=UnknownKind.TARGET_ENTRY,
        )
        targets = [target for target in listed if isinstance(target, str)]
        for target in targets:
            if not _KNOWN_TARGET.fullmatch(target):
                reader.note(stack, logical_id, UnknownKind.TARGET_ACCOUNTS, _TARGETS, about=[target])
        yield OrganizationPolicy(
            kind=str(properties.get("Type")),
            document=reader.document(stack, logical_id, properties, "Content"),
            targets=tuple(targets),
            managed_from=str(stack.account),
            name=properties["Name"] if isinstance(properties.get("Name"), str) else logical_id,
            stated=reader.claims(stack, logical_id).control,
            place=place(stack, logical_id),
        )


def keys(reader: Reader) -> Iterator[Key]:
    """The KMS keys.

    Args:
        reader: What reads the stacks.
    """
    for stack, logical_id, properties in reader.resources(_KEY, _REPLICA_KEY):
        arn = reader.resolver.arn(stack, logical_id)
        if arn is not None:
            stated = reader.optional(stack, logical_id, properties, "KeyPolicy")
            yield Key(
                arn=arn,
                account=str(stack.account),
                policy=stated or Document(_default_key_policy(stack), place(stack, logical_id)),
                place=place(stack, logical_id),
            )


def key_arn(reader: Reader, stack: SynthesizedStack, stated: Any, region: str) -> str | None:
    """The ARN of a key that a table names by its ARN, its id or an alias of either; None where that is not known.

    Args:
        reader: What reads the stacks.
        stack: The stack of the table.
        stated: What the table says.
        region: The region that the key is in.
    """
    if not isinstance(stated, str) or has_unknown(stated):
        return None
    prefix = f"arn:{partition_of(region)}:kms:{region}:{stack.account}:"
    if stated.startswith("arn:") and ":key/" in stated:
        return stated
    if stated.startswith(("alias/", f"{prefix}alias/")) or _is_alias(reader, stack, stated):
        return _behind_alias(reader, stack, stated.removeprefix(prefix), region)
    return None if stated.startswith("arn:") else f"{prefix}key/{stated}"


def _is_alias(reader: Reader, stack: SynthesizedStack, name: str) -> bool:
    return any(reader.resolver.name(stack, logical_id) == name for logical_id, _ in stack.resources("AWS::KMS::Alias"))


def _behind_alias(reader: Reader, stack: SynthesizedStack, alias: str, region: str) -> str | None:
    for other, logical_id, properties in reader.resources("AWS::KMS::Alias"):
        same_place = (other.account, other.region) == (stack.account, region)
        if same_place and reader.resolver.name(other, logical_id) == alias:
            return key_arn(reader, other, get(properties, "TargetKeyId"), region)
    return None


def _default_key_policy(stack: SynthesizedStack) -> Mapping[str, Any]:
    """What a key gets that states no policy: its account's identity policies decide."""
    root = f"arn:{partition_of(str(stack.region))}:iam::{stack.account}:root"
    statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}
