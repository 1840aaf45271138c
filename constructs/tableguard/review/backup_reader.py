"""Reads buckets and the machines of backups from templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypedDict

from tableguard.aws.partitions import partition_of
from tableguard.policy.evaluation import Document
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.aws_backup import key_of_backups, plans, restore_tests, vaults
from tableguard.review.backup_facts import (
    COMPLIANCE,
    GOVERNANCE,
    NO_LOCK,
    BackupFacts,
    Bucket,
    Drill,
    Export,
    Lock,
    OnDemand,
    Replication,
    Restore,
    SealedClaim,
    SourceClaim,
)
from tableguard.review.naming import placeholder
from tableguard.review.reader import Properties, Reader, get, place
from tableguard.review.values import text_of, texts_of, whole

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
    )


def _buckets(reader: Reader) -> Iterator[Bucket]:
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
        yield Bucket(
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


def _lock(properties: Properties) -> Lock:
    """The default retention of a bucket. Without the lock enabled a rule means nothing."""
    stated = get(properties, "ObjectLockConfiguration", "Rule", "DefaultRetention")
    enabled = get(properties, "ObjectLockEnabled") in (True, "true", "True")
    mode = get(stated, "Mode")
    if not enabled or mode not in (COMPLIANCE, GOVERNANCE):
        return Lock(mode=NO_LOCK, days=None)
    years = whole(get(stated, "Years"))
    return Lock(mode=str(mode), days=years * _YEAR if years is not None else whole(get(stated, "Days")))


def _claimed_lock(claims: Mapping[str, Any]) -> Lock | None:
    for kind in ("sealed", "immutable"):
        mode, days = get(claims, kind, "mode"), whole(get(claims, kind, "days"))
        if mode in (COMPLIANCE, GOVERNANCE) and days is not None:
            return Lock(mode=str(mode), days=days)
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


def _landing_vault(claims: Mapping[str, Any]) -> tuple[str, str] | None:
    account, intake = (text_of(get(claims, "landing", "vault", key)) for key in ("account", "intake"))
    return (account, intake) if account is not None and intake is not None else None


def _sealed(claims: Mapping[str, Any]) -> SealedClaim | None:
    intake = text_of(get(claims, "sealed", "intake"))
    if intake is None:
        return None
    listed = get(claims, "sealed", "sources")
    sources = []
    for each in listed if isinstance(listed, list) else []:
        account, role = text_of(get(each, "account")), text_of(get(each, "role"))
        if account is not None and role is not None:
            tables = get(each, "tables")
            sources.append(
                SourceClaim(account=account, role=role, tables=None if tables is None else texts_of(tables)[0])
            )
    return SealedClaim(intake=intake, sources=tuple(sources), readers=texts_of(get(claims, "sealed", "readers"))[0])


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
        for kind, made in (("export", _export), ("restore", _restore), ("drill", _drill), ("on_demand", _on_demand)):
            if kind in claims:
                said = claims[kind]
                if isinstance(said, Mapping):
                    yield made(said, common)
                else:
                    reader.note(stack, logical_id, f"what its metadata says of its {kind}")


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


def _export(said: Mapping[str, Any], common: _Common) -> Export:
    tables, unknown = texts_of(said.get("tables"))
    return Export(
        **common,
        tables=tables,
        unknown_tables=unknown,
        every_minutes=whole(said.get("every_minutes")),
        full_every_minutes=whole(said.get("full_every_minutes")),
        alarm_after_minutes=whole(said.get("alarm_after_minutes")),
        landing=text_of(said.get("landing")),
    )


def _restore(said: Mapping[str, Any], common: _Common) -> Restore:
    source = text_of(said.get("source")) or text_of(said.get("point_in_time"))
    return Restore(
        **common,
        tables=(source,) if source is not None else (),
        unknown_tables=source is None,
        sealed=text_of(get(said, "sealed", "bucket")),
        targets=texts_of(said.get("targets"))[0],
    )


def _drill(said: Mapping[str, Any], common: _Common) -> Drill:
    account, region, table = (text_of(get(said, "source", key)) for key in ("account", "region", "table"))
    known = account is not None and region is not None and table is not None
    minutes = whole(said.get("every_minutes"))
    return Drill(
        **common,
        tables=(f"arn:{partition_of(str(region))}:dynamodb:{region}:{account}:table/{table}",) if known else (),
        unknown_tables=not known,
        schedule=text_of(said.get("schedule")) or (f"rate({minutes} minutes)" if minutes else None),
        canary=said.get("canary") is True,
        sealed_by=text_of(said.get("sealed_by")),
        alarm_after_minutes=whole(said.get("alarm_after_minutes")),
    )


def _on_demand(said: Mapping[str, Any], common: _Common) -> OnDemand:
    tables, unknown = texts_of(said.get("tables"))
    return OnDemand(
        **common,
        tables=tables,
        unknown_tables=unknown,
        schedule=text_of(said.get("schedule")) or text_of(said.get("every")),
        keep_days=whole(said.get("keep_days")),
        alarm_after_minutes=whole(said.get("alarm_after_minutes")),
    )
