"""Reads buckets and the machines of backups from templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypedDict

from tableguard.aws.partitions import partition_of
from tableguard.evaluation import Document, DocumentLocation
from tableguard.policy.metadata import Readable, ResourceClaims
from tableguard.policy.metadata.backups import DrillClaim, ExportClaim, OnDemandClaim, RestoreClaim, SealedClaim
from tableguard.policy.metadata.source import whole
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.aws_backup import key_of_backups, plans, restore_tests, vaults
from tableguard.review.backup_facts import (
    COMPLIANCE,
    GOVERNANCE,
    NO_LOCK,
    BackupFacts,
    BucketFacts,
    Drill,
    Export,
    OnDemand,
    Replication,
    Restore,
    VaultLockFacts,
)
from tableguard.review.naming import placeholder
from tableguard.review.reader import Properties, Reader, get, place
from tableguard.review.values import text_of

_BUCKET: Final = "AWS::S3::Bucket"
_BUCKET_POLICY: Final = "AWS::S3::BucketPolicy"
_MACHINE: Final = "AWS::StepFunctions::StateMachine"
_SCHEDULE: Final = "AWS::Scheduler::Schedule"
_RULE: Final = "AWS::Events::Rule"
_YEAR: Final = 365

_Starts = Mapping[str, list[tuple[str, str]]]


def backup_facts(reader: Reader) -> BackupFacts:
    """What the templates say of backups.

    Args:
        reader: What reads the stacks.
    """
    found = list(_machines(reader))
    return BackupFacts(
        buckets=tuple(_buckets(reader)),
        exports=tuple(each for each in found if isinstance(each, Export)),
        restores=tuple(each for each in found if isinstance(each, Restore)),
        drills=tuple(each for each in found if isinstance(each, Drill)),
        on_demand=tuple(each for each in found if isinstance(each, OnDemand)),
        plans=tuple(plans(reader)),
        vaults=tuple(vaults(reader)),
        restore_tests=tuple(restore_tests(reader)),
        unread=tuple(_unread(reader)),
    )


def _buckets(reader: Reader) -> Iterator[BucketFacts]:
    policies = {
        (stack.name, bucket): reader.document(stack, logical_id, properties, "PolicyDocument")
        for stack, logical_id, properties in _quietly(reader, _BUCKET_POLICY)
        if (bucket := text_of(properties.get("Bucket"))) is not None
    }
    for stack, logical_id, properties in _quietly(reader, _BUCKET):
        name = reader.resolver.name(stack, logical_id)
        claims = reader.claims(stack, logical_id)
        encryption = get(properties, "BucketEncryption", "ServerSideEncryptionConfiguration", "0")
        key = get(encryption, "ServerSideEncryptionByDefault", "KMSMasterKeyID")
        yield BucketFacts(
            name=name,
            account=str(stack.account),
            region=str(stack.region),
            lock=_lock(properties),
            claimed_lock=_claimed_lock(claims),
            replications=tuple(_replications(properties)),
            expires_days=_expires(properties),
            key=key_of_backups(reader, stack, key),
            policy=_policy(policies, stack, name),
            landing_vault=_landing_vault(claims),
            sealed=_sealed(claims),
            place=place(stack, logical_id),
        )


def _quietly(reader: Reader, kind: str) -> Iterator[tuple[SynthesizedStack, str, Properties]]:
    """Resources of which what is not known bears on no access: nothing of them is put on the list."""
    for stack in reader.stacks:
        for logical_id, _ in stack.resources(kind):
            if reader.resolver.exists(stack, logical_id) is not False:
                yield stack, logical_id, reader.resolver.properties(stack, logical_id)


def _policy(policies: Mapping[tuple[str, str], Document], stack: SynthesizedStack, name: str) -> Document | None:
    return policies.get((stack.name, name)) or next((d for (_, bucket), d in policies.items() if bucket == name), None)


def _lock(properties: Properties) -> VaultLockFacts:
    """The default retention of a bucket. Without the lock enabled a rule means nothing."""
    stated = get(properties, "ObjectLockConfiguration", "Rule", "DefaultRetention")
    enabled = get(properties, "ObjectLockEnabled") in (True, "true", "True")
    mode = get(stated, "Mode")
    if not enabled or mode not in (COMPLIANCE, GOVERNANCE):
        return VaultLockFacts(mode=NO_LOCK, days=None)
    years = whole(get(stated, "Years"))
    return VaultLockFacts(mode=str(mode), days=years * _YEAR if years is not None else whole(get(stated, "Days")))


def _claimed_lock(claims: ResourceClaims) -> VaultLockFacts | None:
    for claim in (claims.sealed, claims.immutable):
        if claim is not None and claim.mode in (COMPLIANCE, GOVERNANCE) and claim.days is not None:
            return VaultLockFacts(mode=claim.mode, days=claim.days)
    return None


def _expires(properties: Properties) -> int | None:
    """When objects of any name expire: a rule for some of them says nothing of the others."""
    rules = get(properties, "LifecycleConfiguration", "Rules")
    narrow = ("Prefix", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
    found = (
        whole(get(rule, "ExpirationInDays"))
        for rule in (rules if isinstance(rules, list) else [])
        if get(rule, "Status") == "Enabled" and not any(get(rule, key) for key in narrow)
    )
    return min((days for days in found if days is not None), default=None)


def _replications(properties: Properties) -> Iterator[Replication]:
    rules = get(properties, "ReplicationConfiguration", "Rules")
    role = text_of(get(properties, "ReplicationConfiguration", "Role"))
    for rule in rules if isinstance(rules, list) else []:
        bucket = text_of(get(rule, "Destination", "Bucket"))
        if bucket is not None and get(rule, "Status") == "Enabled":
            yield Replication(
                bucket=bucket.rpartition(":")[2],
                role=role,
                prefix=text_of(get(rule, "Filter", "Prefix")) or text_of(get(rule, "Prefix")) or "",
                account=text_of(get(rule, "Destination", "Account")),
            )


def _landing_vault(claims: ResourceClaims) -> tuple[str, str] | None:
    vault = claims.landing.vault if claims.landing is not None else None
    if vault is None or vault.account is None or vault.intake is None:
        return None
    return vault.account, vault.intake


def _sealed(claims: ResourceClaims) -> SealedClaim | None:
    return claims.sealed if claims.sealed is not None and claims.sealed.intake is not None else None


def _machines(reader: Reader) -> Iterator[Export | Restore | Drill | OnDemand]:
    starts = _starts(reader)
    for stack, logical_id, properties in _quietly(reader, _MACHINE):
        claims = reader.claims(stack, logical_id)
        common: _Common = {
            "account": str(stack.account),
            "region": str(stack.region),
            "starts": tuple(_starts_of(starts, stack, logical_id, properties)),
            "place": place(stack, logical_id),
        }
        if claims.export is not None:
            yield _export(claims.export, common)
        if claims.restore is not None:
            yield _restore(claims.restore, common)
        if claims.drill is not None:
            yield _drill(claims.drill, common)
        if claims.on_demand is not None:
            yield _on_demand(claims.on_demand, common)


def _unread(reader: Reader) -> Iterator[DocumentLocation]:
    """Buckets and machines of which nobody can tell whether they keep backups."""
    for kind in (_BUCKET, _MACHINE):
        for stack, logical_id, _ in _quietly(reader, kind):
            if reader.reading(stack, logical_id).readable is not Readable.ALL:
                yield place(stack, logical_id)


class _Common(TypedDict):
    account: str
    region: str
    starts: tuple[tuple[str, str], ...]
    place: Any


def _starts(reader: Reader) -> _Starts:
    """For each target of an enabled schedule: the expressions of the schedules, and their inputs."""
    found: dict[str, list[tuple[str, str]]] = {}
    for _, _, properties in _quietly(reader, _SCHEDULE):
        target = text_of(get(properties, "Target", "Arn"))
        expression = text_of(properties.get("ScheduleExpression"))
        if target is not None and expression is not None and properties.get("State") != "DISABLED":
            given = text_of(get(properties, "Target", "Input")) or ""
            found.setdefault(target, []).append((expression, given))
    for _, _, properties in _quietly(reader, _RULE):
        expression, targets = text_of(properties.get("ScheduleExpression")), properties.get("Targets")
        if expression is not None and properties.get("State") != "DISABLED":
            for each in targets if isinstance(targets, list) else []:
                target = text_of(get(each, "Arn"))
                if target is not None:
                    found.setdefault(target, []).append((expression, text_of(get(each, "Input")) or ""))
    return found


def _starts_of(
    starts: _Starts, stack: SynthesizedStack, logical_id: str, properties: Properties
) -> Iterator[tuple[str, str]]:
    """The schedules that start a machine, by any of the ways in which a template names it."""
    name = text_of(properties.get("StateMachineName"))
    partition = partition_of(str(stack.region))
    arn = f"arn:{partition}:states:{stack.region}:{stack.account}:stateMachine:{name}"
    for known in (placeholder(stack, logical_id), placeholder(stack, logical_id, "Arn"), arn):
        yield from starts.get(known, ())


def _export(said: ExportClaim, common: _Common) -> Export:
    return Export(
        **common,
        tables=said.tables,
        unknown_tables=said.unknown_tables,
        every_minutes=said.every_minutes,
        full_every_minutes=said.full_every_minutes,
        alarm_after_minutes=said.alarm_after_minutes,
        landing=said.landing,
    )


def _restore(said: RestoreClaim, common: _Common) -> Restore:
    return Restore(
        **common,
        tables=(said.source,) if said.source is not None else (),
        unknown_tables=said.source is None,
        sealed=said.sealed.bucket if said.sealed is not None else None,
        targets=said.targets,
    )


def _drill(said: DrillClaim, common: _Common) -> Drill:
    account, region, table = said.source.account, said.source.region, said.source.table
    known = account is not None and region is not None and table is not None
    return Drill(
        **common,
        tables=(f"arn:{partition_of(str(region))}:dynamodb:{region}:{account}:table/{table}",) if known else (),
        unknown_tables=not known,
        schedule=said.schedule,
        canary=said.canary,
        sealed_by=said.sealed_by,
        alarm_after_minutes=said.alarm_after_minutes,
    )


def _on_demand(said: OnDemandClaim, common: _Common) -> OnDemand:
    return OnDemand(
        **common,
        tables=said.tables,
        unknown_tables=said.unknown_tables,
        schedule=said.schedule,
        keep_days=said.keep_days,
        alarm_after_minutes=said.alarm_after_minutes,
    )
