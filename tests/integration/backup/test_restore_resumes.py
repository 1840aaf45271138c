"""A restore that died goes on to the moment that its table was made for, whatever was exported meanwhile."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.backup import organization as org
from tests.integration.backup.flow import Flow
from tests.integration.backup.test_restore_dies import CHAIN, ITEMS, LIVING, Road, reached, sorted_items

TAG = "tableguard:restore-reaches"


def exported(flow: Flow, sealed: int) -> None:
    """A full export an hour later, whatever there is already: without its ledger the chain begins again."""
    flow.advance(hours=1)
    ledger = flow.client("dynamodb", org.DATA)
    ledger.delete_item(TableName=flow.output("Data", "Ledger"), Key={"table": {"S": org.TABLE_ARN}})
    flow.export()
    assert {each["export"]["type"] for each in flow.sealed(sealed)} == {"FULL"}


@pytest.mark.parametrize("road", [CHAIN, LIVING], ids=["chain", "living"])
def test_what_was_deleted_meanwhile_is_no_difference(flow: Flow, road: Road) -> None:
    flow.write(ITEMS)
    exported(flow, 1)
    tables = [f"{road.prefix}{name}" for name in ("tagged", "untagged")]
    died = [road.killed(flow, table, "Segments") for table in tables]
    before = sorted_items(flow, tables[0], road.account)
    moments = [reached(flow, table, road.account) for table in tables]
    assert len(before) == len(ITEMS)
    flow.write((), [{name: ITEMS[1][name] for name in ("pk", "sk")}])
    exported(flow, 2)

    def resumed(number: int, *statuses: str, **said: Any) -> dict[str, Any]:
        return road.restore(flow, tables[number], *statuses, resume=died[number], **said)

    earlier = resumed(1, "FAILED", until="2020-01-01T00:00:00Z")
    assert (earlier["error"], moments[1] in earlier["cause"]) == ("OtherMoment", True)
    # The negative control: without the tag it goes on to the newest, in which an item is missing that is loaded.
    arn = f"arn:aws:dynamodb:{org.REGION}:{road.account}:table/{tables[1]}"
    flow.client("dynamodb", road.account).untag_resource(ResourceArn=arn, TagKeys=[TAG])
    assert resumed(1, "FAILED")["error"] == "Different"

    later = {"until": flow.now().strftime("%Y-%m-%dT%H:%M:%SZ")} if road is CHAIN else {}
    told = json.loads(resumed(0, **later)["output"])
    assert (told["reached"], told["restored"]["count"]) == (moments[0], len(ITEMS))
    assert sorted_items(flow, tables[0], road.account) == before
    assert len(sorted_items(flow, org.TABLE, org.DATA)) == len(ITEMS) - 1
