"""Tables and their policies, as templates make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tableguard.aws.limits import RECOVERY_DAYS
from tableguard.aws.partitions import partition_of
from tableguard.policy.metadata.source import whole
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.functions import is_function
from tableguard.review.naming import placeholder
from tableguard.review.picture import RestrictionKind, Table
from tableguard.review.reader import Properties, Reader, get, place
from tableguard.review.restrictions import key_arn
from tableguard.review.unknown import UnknownKind

_TABLE = "AWS::DynamoDB::Table"
_GLOBAL_TABLE = "AWS::DynamoDB::GlobalTable"
_POLICY = ("ResourcePolicy", "PolicyDocument")


def tables(reader: Reader) -> Iterator[Table]:
    """The tables of all stacks; of a global table each replica.

    Args:
        reader: What reads the stacks.
    """
    for stack, logical_id, properties in reader.resources(_TABLE):
        has_stream = properties.get("StreamSpecification") is not None
        yield _table(
            reader,
            stack,
            logical_id,
            properties,
            region=str(stack.region),
            stream="StreamSpecification",
            has_stream=has_stream,
        )
    for stack, logical_id, properties in reader.resources(_GLOBAL_TABLE):
        replicas = properties.get("Replicas")
        if not isinstance(replicas, list):
            reader.note(stack, logical_id, UnknownKind.REPLICAS, "Replicas")
            continue
        for number in range(len(replicas)):
            at = ("Replicas", str(number))
            region = reader.text(stack, logical_id, properties, *at, "Region")
            if region is None:
                reader.note(stack, logical_id, UnknownKind.REPLICA_REGION, *at)
                continue
            # A global table of several replicas has streams, whether somebody asked for them or not.
            has_stream = properties.get("StreamSpecification") is not None or len(replicas) > 1
            yield _table(
                reader,
                stack,
                logical_id,
                properties,
                region=region,
                stream="ReplicaStreamSpecification",
                has_stream=has_stream,
                at=at,
            )


def _table(
    reader: Reader,
    stack: SynthesizedStack,
    logical_id: str,
    properties: Properties,
    *,
    region: str,
    stream: str,
    has_stream: bool,
    at: tuple[str, ...] = (),
) -> Table:
    name = reader.resolver.name(stack, logical_id)
    encryption = get(properties, *at, "SSESpecification") or get(properties, "SSESpecification")
    if encryption is not None and (not isinstance(encryption, Mapping) or is_function(encryption)):
        reader.note(stack, logical_id, UnknownKind.TABLE_KEY, *at, "SSESpecification")
    stated = get(encryption, "KMSMasterKeyId")
    key = key_arn(reader, stack, stated, region)
    if stated is not None and key is None:
        reader.note(stack, logical_id, UnknownKind.TABLE_KEY, *at, "SSESpecification", "KMSMasterKeyId")
    claims = reader.claims(stack, logical_id)
    stated_restrictions = {RestrictionKind.PERIMETER: claims.perimeter, RestrictionKind.PEOPLE: claims.people}
    return Table(
        arn=f"arn:{partition_of(region)}:dynamodb:{region}:{stack.account}:table/{name}",
        account=str(stack.account),
        region=region,
        name=name,
        indexes=tuple(_indexes(reader, stack, logical_id, properties)),
        policy=reader.optional(stack, logical_id, properties, *at, *_POLICY),
        stream_policy=reader.optional(stack, logical_id, properties, *at, stream, *_POLICY),
        has_stream=has_stream,
        stream_label=placeholder(stack, logical_id),
        key_arn=key,
        aws_managed_key=stated is None and get(encryption, "SSEEnabled") in (True, "true"),
        stated_grants=tuple(reader.stated(stack, logical_id)),
        stated_restrictions={kind: claim for kind, claim in stated_restrictions.items() if claim is not None},
        recovery_days=_recovery_days(reader, stack, logical_id, properties, at),
        deletion_protection=_flag(get(properties, *at, "DeletionProtectionEnabled")),
        replica_of=reader.text(stack, logical_id, properties, "GlobalTableSourceArn") or f"{stack.name}/{logical_id}",
        place=place(stack, logical_id),
    )


def _recovery_days(
    reader: Reader, stack: SynthesizedStack, logical_id: str, properties: Properties, at: tuple[str, ...]
) -> int | None:
    """How far point-in-time recovery goes back, in days."""
    path = (*at, "PointInTimeRecoverySpecification")
    stated = get(properties, *path)
    if stated is None:
        return 0
    on = _flag(get(stated, "PointInTimeRecoveryEnabled")) if not is_function(stated) else None
    days = get(stated, "RecoveryPeriodInDays")
    known = RECOVERY_DAYS.most if days is None else whole(days)
    if on is None or (on and known is None):
        reader.note(stack, logical_id, UnknownKind.RECOVERY, *path)
        return None
    return known if on else 0


def _flag(value: object) -> bool | None:
    """A switch of a template, off where it does not stand there; None where it is not known."""
    if value is None or value in (False, "false", "False"):
        return False
    return True if value in (True, "true", "True") else None


def _indexes(reader: Reader, stack: SynthesizedStack, logical_id: str, properties: Properties) -> Iterator[str]:
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for index in reader.texts(stack, logical_id, properties, kind):
            name = get(index, "IndexName")
            if isinstance(name, str):
                yield name
