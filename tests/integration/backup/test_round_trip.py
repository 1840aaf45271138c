"""A table is written, exported, sealed, destroyed with its account's means, and comes back item by item the same.

What is the extension's, and what the emulator's: the deployed state machines, functions, replication and schedules are
the library's own, run by the emulator; the extension writes the exported files, lets time pass, and carries every
request to tableguard, so that roles, bucket policies and tags bind.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.integration.backup import items, organization as org
from tests.integration.backup.flow import Flow
from tests.integration.backup.items import Item, Key, identity, make, plain

COUNT = 100_000
NEW = f"{org.RESTORED}orders"
NEW_ARN = f"arn:aws:dynamodb:{org.REGION}:{org.RECOVERY}:table/{NEW}"


class Writer:
    """Writes into the table, and remembers what is to be in it: nothing of it is read from anywhere."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.there: dict[Key, Item] = {}

    def begin(self, count: int) -> None:
        """The first items, of which five are as large as they may be."""
        made = [items.large(number) if number % (count // 5) == 0 else make(number) for number in range(count)]
        self._write(made)

    def change(self, version: int, count: int) -> None:
        """A round: some items are changed, some deleted, some made and some of those deleted again; one comes back."""
        changed = [make(number, version) for number in range(version, count, 40)]
        new = [make(number, version) for number in range(count + 100 * version, count + 100 * version + 100)]
        gone = [items.key(make(number)) for number in range(version * 7, count, 311)]
        self._write([*changed, *new, make(7, version)], [*gone, *map(items.key, new[:20])])

    def _write(self, put: list[Item], remove: list[Item] | None = None) -> None:
        self.flow.write(put, remove or [])
        self.there |= {identity(item): item for item in put}
        for each in remove or ():
            self.there.pop(identity(each), None)


def back_up(flow: Flow, writer: Writer, count: int, increments: int) -> None:
    """Write rounds, and let the deployed machines export and seal after each."""
    flow.advance(minutes=30)
    writer.begin(count)
    flow.advance(minutes=30)
    flow.export()
    for version in range(1, increments + 1):
        writer.change(version, count)
        flow.advance(hours=1)
        flow.export()
    entries = flow.sealed(1 + increments)
    assert [entry["export"]["type"] for entry in entries] == ["FULL", *["INCREMENTAL"] * increments]
    ends = [entry["export"]["to"] for entry in entries]
    assert [entry["export"]["from"] for entry in entries] == [None, *ends[:-1]]


def assert_same(found: list[Item], wanted: Mapping[Key, Item]) -> None:
    """Item by item, attribute by attribute."""
    there = {identity(item): item for item in found}
    assert len(there) == len(found)
    assert there.keys() == wanted.keys()
    different = [key for key, item in there.items() if plain(item) != plain(wanted[key])]
    assert different == []


def settings(flow: Flow) -> dict[str, Any]:
    """What a restored table has besides items."""
    dynamodb = flow.client("dynamodb", org.RECOVERY)
    table = dynamodb.describe_table(TableName=NEW)["Table"]
    tags = dynamodb.list_tags_of_resource(ResourceArn=NEW_ARN)["Tags"]
    return {
        "items": table["ItemCount"],
        "protected": table["DeletionProtectionEnabled"],
        "indexes": sorted(
            index["IndexName"] for kind in ("Local", "Global") for index in table[f"{kind}SecondaryIndexes"]
        ),
        "policy": json.loads(dynamodb.get_resource_policy(ResourceArn=NEW_ARN)["Policy"]),
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
    }


def readers(settings: Mapping[str, Any]) -> set[str]:
    """The roles that the policy lets in, and nobody else."""
    statements = settings["policy"]["Statement"]
    assert all(each["Effect"] == "Allow" and each["Principal"] == {"AWS": org.CONSUMER} for each in statements)
    assert all(NEW_ARN in each["Resource"] for each in statements)
    return {each["Condition"]["ArnEquals"]["aws:PrincipalArn"] for each in statements}


def test_a_table_comes_back_from_the_vault_as_it_was(flow: Flow) -> None:
    writer = Writer(flow)
    began = time.monotonic()
    back_up(flow, writer, COUNT, increments=3)
    flow.destroy_data()
    assert flow.client("dynamodb", org.DATA).list_tables()["TableNames"] == [flow.output("Data", "Ledger")]
    exported = time.monotonic()

    # It dies when the table has been made, and nothing loaded: whatever protects the items is there before them.
    machine = flow.output("Recovery", "RestoreMachine").rpartition(":")[2]
    flow.controls.inject("states:Execution", "kill", f"{machine}/Steps")
    died = flow.restore(NEW, "ABORTED")
    empty = settings(flow)
    assert empty["items"] == 0
    assert empty["protected"] is True
    assert empty["indexes"] == ["by-kind", "by-owner"]
    assert readers(empty) == {f"arn:aws:iam::{org.CONSUMER}:role/reader"}
    assert empty["tags"]["cost-centre"] == "4711"
    assert empty["tags"]["tableguard:restore-state"] == "incomplete"

    told = flow.restore(NEW, resume=died["executionArn"])
    restored = time.monotonic()
    assert json.loads(told["output"])["restored"]["count"] == len(writer.there)
    full = settings(flow)
    assert full["policy"] == empty["policy"]  # a restriction would have let the loader in until now; there is none
    assert full["tags"]["tableguard:restore-state"] == "verified"
    assert_same(flow.items(NEW, org.RECOVERY), writer.there)
    assert_indexes_answer(flow, writer)
    print(  # noqa: T201  the figures of this machine, shown with -s
        f"{len(writer.there)} items: exported and sealed in {exported - began:.0f} s, restored in "
        f"{restored - exported:.0f} s, compared in {time.monotonic() - restored:.0f} s"
    )


def assert_indexes_answer(flow: Flow, writer: Writer) -> None:
    """Both indexes find what they should, in the order of their sort keys."""
    client = flow.client("dynamodb", org.RECOVERY)
    customer, owner = "customer 6", "owner 4"
    asked: dict[str, dict[str, Any]] = {
        "by-kind": {"pk": customer, "kind": "box"},
        "by-owner": {"owner": owner},
    }
    for index, keys in asked.items():
        answer = client.query(
            TableName=NEW,
            IndexName=index,
            KeyConditionExpression=" AND ".join(f"#{name} = :{name}" for name in keys),
            ExpressionAttributeNames={f"#{name}": name for name in keys},
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in keys.items()},
        )
        needed = {*keys, "amount"} if index == "by-owner" else set(keys)
        wanted = {
            key
            for key, item in writer.there.items()
            if needed <= item.keys() and all(item[name] == {"S": value} for name, value in keys.items())
        }
        assert wanted
        assert {identity(item) for item in answer["Items"]} == wanted
        if index == "by-owner":
            amounts = [int(item["amount"]["N"]) for item in answer["Items"]]
            assert amounts == sorted(amounts)


@pytest.fixture(scope="module")
def small(shared_flow: Flow) -> Writer:
    """A full export and three increments of a small table, sealed."""
    writer = Writer(shared_flow)
    back_up(shared_flow, writer, 500, increments=3)
    return writer


def test_a_restore_stops_at_the_moment_that_is_asked_for(small: Writer) -> None:
    entries = small.flow.catalogue()
    until = entries[1]["export"]["to"]
    told = small.flow.restore(f"{org.RESTORED}until", until=until)
    found = small.flow.items(f"{org.RESTORED}until", org.RECOVERY)
    assert json.loads(told["output"])["reached"] == until
    assert {item["version"]["N"] for item in found} == {"0", "1"}


@pytest.mark.parametrize("number", [1, 2])
def test_a_restore_without_one_increment_fails_and_says_which(small: Writer, number: int) -> None:
    """A negative control: the round trip cannot succeed with a part missing."""
    flow, table = small.flow, f"{org.RESTORED}broken{number}"
    entry = flow.catalogue()[number]
    with flow.controls.rotten(org.SEALED, entry["key"], "lose"):
        told = flow.restore(table, "FAILED")
    assert told["error"] == "BrokenChain"
    assert entry["export"]["from"] in told["cause"]
    assert table not in flow.client("dynamodb", org.RECOVERY).list_tables()["TableNames"]


def test_an_altered_file_is_noticed_before_anything_of_it_is_written(small: Writer) -> None:
    """A negative control: S3 itself says nothing of it, since the checksum that it tells is that of the upload."""
    flow, table = small.flow, f"{org.RESTORED}altered"
    row = max(flow.catalogue()[2]["files"], key=lambda row: int(row["records"]))
    with flow.controls.rotten(org.SEALED, row["key"], "alter"):
        told = flow.restore(table, "FAILED")
    # The Distributed Map says no more than that too many of its children failed; the workers have said why.
    assert told["error"] == "Damaged"
    assert row["key"] in told["cause"]
    assert f"{table} is left as it is, tagged tableguard:restore-state = incomplete" in told["cause"]
    # The emulated Map goes on with the increments after that one, which AWS does not start: the table says which state
    # it is in, and nobody takes it for restored. What it has left is taken up where the file can be read again.
    told = flow.restore(table, resume=told["executionArn"])
    assert_same(flow.items(table, org.RECOVERY), small.there)
