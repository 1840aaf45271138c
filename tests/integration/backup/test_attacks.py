"""Attacks on what is sealed, carried out: with all that protects it, and with one thing after the other taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.integration.backup import organization as org
from tests.integration.backup.attack_rows import PAGE, WORKS, Group, printed, text
from tests.integration.backup.attackers import (
    GOVERNED,
    RETAINING,
    Attackers,
    Target,
    deploy_governed,
    forbidden,
    opened,
)
from tests.integration.backup.attacks import ATTACKS
from tests.integration.backup.flow import Flow, Item
from tests.integration.backup.taken_over import EMPTIES, TRIED, TakenOver


def item(number: int) -> Item:
    """An item of the table."""
    return {"pk": {"S": f"customer {number % 7}"}, "sk": {"N": str(number)}, "amount": {"N": str(number * 31)}}


class Sealed:
    """A vault with something in it, and those who attack it."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.attackers = Attackers(flow)
        self.root = flow.client("s3", org.VAULT)
        self._number = 0

    def target(self, bucket: str, key: str, version: str) -> Target:
        return Target(bucket, key, version, self.flow.now())

    def fresh(self, bucket: str, mode: str | None = None, s3: Any = None) -> Target:
        """An object that is there for one attack."""
        self._number += 1
        now = self.flow.now()
        at = Target(bucket, f"exports/attacked/{self._number}", "", now)
        lock = {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": at.until(org.DAYS)} if mode else {}
        made = (s3 or self.root).put_object(**at.written(IfNoneMatch="*"), **lock)
        return Target(bucket, at.key, made["VersionId"], now)

    def unlocked(self, can_lock: bool) -> str:
        """A versioned bucket that lets everybody, and locks nothing."""
        self._number += 1
        name = f"unlocked-backups-{self._number}"
        self.root.create_bucket(Bucket=name, ObjectLockEnabledForBucket=can_lock)
        self.root.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        self.open(name)
        return name

    def open(self, bucket: str) -> None:
        self.root.put_bucket_policy(Bucket=bucket, Policy=opened(bucket))


def versions(flow: Flow) -> dict[tuple[str, str], Any]:
    """Every sealed version of the source with what it is and how long it is locked."""
    s3 = flow.client("s3", org.RECOVERY, org.READER)
    found = {}
    for prefix in ("exports", "catalogue"):
        for each in s3.list_object_versions(Bucket=org.SEALED, Prefix=f"{prefix}/{org.SOURCE}/").get("Versions", ()):
            head = s3.head_object(
                Bucket=org.SEALED, Key=each["Key"], VersionId=each["VersionId"], ChecksumMode="ENABLED"
            )
            lock = (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"])
            found[each["Key"], each["VersionId"]] = (head.get("ChecksumSHA256"), head["ContentLength"], *lock)
    return found


def tried(title: str) -> list[tuple[str, str]]:
    """Who tries what."""
    return [(who, what) for who, what, *_ in ATTACKS[title].rows]


def check(title: str, found: list[tuple[str, ...]]) -> None:
    """What comes of the attacks is what the table says."""
    group = ATTACKS[title]
    assert text(group, found) == text(group, group.rows)


@pytest.fixture
def sealed(flow: Flow) -> Sealed:
    flow.advance(hours=1)
    flow.write([item(number) for number in range(60)])
    flow.advance(minutes=20)
    flow.canary()
    flow.advance(minutes=10)
    flow.export()
    flow.sealed(1)
    return Sealed(flow)


def guarded(sealed: Sealed, at: Target) -> None:
    """With VaultGuardrail attached, and detached. Whatever it was that worked is undone."""
    title = "With VaultGuardrail on the vault account"
    rows = tried(title)
    detach = forbidden(sealed.flow)
    attached = list(_each(sealed, rows, at))
    detach()
    check(title, [(*row, *more) for row, *more in zip(rows, attached, _each(sealed, rows, at), strict=True)])


def _each(sealed: Sealed, rows: Sequence[tuple[str, str]], at: Target) -> Iterator[str]:
    deployment = sealed.attackers.client("a deployment of the vault")
    policy = deployment.get_bucket_policy(Bucket=org.SEALED)["Policy"]
    for row in rows:
        yield sealed.attackers.outcome(*row, at)
        deployment.put_bucket_policy(Bucket=org.SEALED, Policy=policy)


def _forged(found: Mapping[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    return {key: value for key, value in found.items() if "forged" in key[0]}


def test_what_is_sealed_is_there_after_all_attacks(sealed: Sealed) -> None:
    """In an order: each stage takes something away that protects."""
    flow, attackers = sealed.flow, sealed.attackers
    before, (entry,) = versions(flow), flow.catalogue()
    data = next(file for file in entry["files"] if file["records"])
    at = sealed.target(org.SEALED, data["key"], data["version_id"])

    title = "On what is sealed, in compliance mode"
    rows = tried(title)
    deployed = [attackers.outcome(*row, at) for row in rows]
    assert versions(flow) == {**before, **_forged(versions(flow))}

    guarded(sealed, at)
    governed(sealed)
    assert before.items() <= versions(flow).items()

    without_policy = []
    for row in rows:
        sealed.open(org.SEALED)
        without_policy.append(attackers.outcome(*row, sealed.fresh(org.SEALED, "COMPLIANCE")))
    without_lock = [attackers.outcome(*row, sealed.fresh(sealed.unlocked(row[1] in RETAINING))) for row in rows]
    check(title, [(*row, *more) for row, *more in zip(rows, deployed, without_policy, without_lock, strict=True)])
    assert before.items() <= versions(flow).items()


def governed(sealed: Sealed) -> None:
    """The same bucket with a governance lock, which the break-glass role may lift, and its own policy."""
    deploy_governed(sealed.flow)
    title = "On what is sealed, in governance mode"
    rows = tried(title)
    sealing = sealed.flow.client("s3", org.VAULT, org.SEALING)
    deployed = [sealed.attackers.outcome(*row, sealed.fresh(GOVERNED, "GOVERNANCE", sealing)) for row in rows]
    sealed.open(GOVERNED)
    without_policy = [sealed.attackers.outcome(*row, sealed.fresh(GOVERNED, "GOVERNANCE")) for row in rows]
    check(title, [(*row, *more) for row, *more in zip(rows, deployed, without_policy, strict=True)])


def test_a_source_that_is_taken_over_changes_nothing_that_is_sealed(sealed: Sealed) -> None:
    flow = sealed.flow
    before, table = versions(flow), told(flow.items())
    flow.drill()
    attacker = TakenOver(flow)
    # The drill takes the newest backup, which would be one of those that the attacker sends of his own.
    found = {EMPTIES: attacker.empties()}
    attacker.craft()  # what comes of these takes its time, in which the others are tried
    for name, attack in TRIED.items():
        found[name] = attack(attacker)
    title = "From a source that is taken over"
    check(title, [(name, *found[name]) for name, *_ in ATTACKS[title].rows])
    # It is a worker of the map that refuses this one, and the execution says why.
    assert "A line has more than" in attacker.said_of("sends a line that is a decompression bomb")

    assert before.items() <= versions(flow).items()
    said = {"until": attacker.sealed["export"]["to"], "sealed_by": attacker.since.isoformat()}
    flow.restore(f"{org.RESTORED}orders", **said)
    assert told(flow.items(f"{org.RESTORED}orders", org.RECOVERY)) == table


def told(items: Sequence[Item]) -> list[str]:
    """Items as text, in an order."""
    return sorted(json.dumps(item, sort_keys=True) for item in items)


@pytest.mark.parametrize("group", ATTACKS.values(), ids=lambda group: group.title)
def test_every_attack_works_without_what_refuses_it(group: Group) -> None:
    for row in group.rows:
        found = row[1:] if group.columns[0] == "tries" else row[2:]
        # What the emulated S3 cannot do at all, and what S3 lets nobody of another account do.
        never = "S3 NotImplemented" in found or "S3's rule: nothing allows it" in found
        # Without bypass a governance lock is one as well. What two policies refuse is in another table with one.
        twice = "governance mode" in group.title and "bypassing" not in row[1]
        twice |= "VaultGuardrail" in group.title and not found[0].startswith("SCP: ")
        assert never or twice or any(cell.startswith(WORKS) for cell in found[1:]) or found[0] == WORKS, row


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == printed(ATTACKS), "renew it: make attacks"
