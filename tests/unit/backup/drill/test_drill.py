from __future__ import annotations

from typing import Any

import pytest

from tableguard.backup.lambdas import drill
from tableguard.backup.lambdas.errors import CanaryMissing, Shrunk, Stale
from tests.unit.backup.aws import DynamoDB
from tests.unit.backup.conftest import Context

NOW = "2026-11-23T02:00:00Z"
REACHED = "2026-11-23T00:00:00Z"
CANARY = {"table": "new", "key": {"pk": {"S": "canary"}}, "not_before": "2026-11-22T00:00:00Z"}


def event(count: int, size: int, **more: Any) -> dict[str, Any]:
    return {
        "restored": {"count": count, "bytes": size, "digest": ""},
        "previous": {"count": 100, "bytes": 1000},
        "reached": REACHED,
        "fresh_at": "2026-11-23T01:00:00Z",
        "oldest_seconds": 3600,
        "now": NOW,
        **more,
    }


@pytest.mark.parametrize(
    ("count", "size", "share"), [(80, 800, 0.2), (200, 2000, 0.2), (100, 1000, 0), (1, 10, 0.99), (80, 1000, 0.2)]
)
def test_a_table_that_has_not_shrunk_by_more_passes(count: int, size: int, share: float) -> None:
    found = drill.check(event(count, size, largest_fall=share), Context())
    assert found == {"ok": True, "count": count, "bytes": size, "canary": None}


@pytest.mark.parametrize(
    ("count", "size", "share", "why"),
    [
        (79, 1000, 0.2, "count fell from 100 to 79"),
        (100, 799, 0.2, "bytes fell"),
        (0, 0, 0.99, "to 0"),
        (99, 1000, 0, "99"),
    ],
)
def test_a_table_that_has_shrunk_does_not(count: int, size: int, share: float, why: str) -> None:
    with pytest.raises(Shrunk, match=why):
        drill.check(event(count, size, largest_fall=share), Context())


def test_the_first_drill_has_nothing_to_compare_with() -> None:
    assert drill.check({**event(0, 0), "previous": None}, Context())["ok"]


@pytest.mark.parametrize("share", [-0.1, 1, 20])
def test_refuses_a_share_that_lets_everything_through(share: float) -> None:
    with pytest.raises(ValueError, match="largest_fall"):
        drill.check(event(100, 1000, largest_fall=share), Context())


def put(dynamodb: DynamoDB, **attributes: Any) -> None:
    one = {**CANARY["key"], **attributes}  # type: ignore[dict-item]
    dynamodb.items[dynamodb._key(one)] = one


def test_where_any_age_will_do_the_canary_has_to_be_there(dynamodb: DynamoDB) -> None:
    asked = event(100, 1000, canary={**CANARY, "not_before": None})
    with pytest.raises(CanaryMissing, match="is not in new"):
        drill.check(asked, Context())
    put(dynamodb, written_at={"S": "2001-01-01T00:00:00Z"})
    assert drill.check(asked, Context())["canary"] == "2001-01-01T00:00:00Z"


@pytest.mark.parametrize("written", ["2026-11-22T00:00:00Z", "2026-11-22T01:00:00+01:00", "2026-11-23T00:00:00Z"])
def test_the_canary_came_back(dynamodb: DynamoDB, written: str) -> None:
    put(dynamodb, written_at={"S": written})
    assert drill.check(event(100, 1000, canary=CANARY), Context())["canary"] >= "2026-11-22T00:00:00Z"


@pytest.mark.parametrize(
    "attributes",
    [None, {}, {"written_at": {"S": "2026-11-21T23:59:59Z"}}, {"written_at": {"N": "1"}}, {"written_at": {"S": "now"}},
     {"other": {"S": "2026-11-23T00:00:00Z"}}],
)  # fmt: skip
def test_a_canary_that_is_missing_or_old_fails_the_drill(dynamodb: DynamoDB, attributes: dict[str, Any] | None) -> None:
    if attributes is not None:
        put(dynamodb, **attributes)
    with pytest.raises(CanaryMissing):
        drill.check(event(100, 1000, canary=CANARY), Context())


def test_the_moment_may_stand_in_another_attribute(dynamodb: DynamoDB) -> None:
    put(dynamodb, at={"S": "2026-11-23T00:00:00Z"})
    assert drill.check(event(100, 1000, canary={**CANARY, "attribute": "at"}), Context())["ok"]


@pytest.mark.parametrize(
    ("reached", "oldest", "fresh_at"),
    [
        (REACHED, 3599, "2026-11-23T01:00:00Z"),
        ("2026-10-23T00:00:00Z", 172_800, "2026-11-23T01:00:00Z"),
        ("2026-11-20T23:59:59Z", 172_800, "2026-11-23T00:00:00Z"),
        ("2026-11-23T02:05:01Z", 172_800, "2026-11-23T01:00:00Z"),
        ("2099-01-01T00:00:00Z", 172_800, "2026-11-23T01:00:00Z"),
    ],
)
def test_a_backup_that_stopped_or_is_still_to_come_fails_the_drill(
    dynamodb: DynamoDB, reached: str, oldest: int, fresh_at: str
) -> None:
    put(dynamodb, written_at={"S": reached})
    asked = event(
        100, 1000, reached=reached, oldest_seconds=oldest, fresh_at=fresh_at, canary={**CANARY, "not_before": reached}
    )
    with pytest.raises(Stale, match=reached):
        drill.check(asked, Context())


@pytest.mark.parametrize("reached", [REACHED, "2026-11-23T02:05:00Z", None])
def test_a_fresh_backup_passes_and_so_does_one_of_which_nothing_is_known(reached: str | None) -> None:
    assert drill.check(event(100, 1000, reached=reached), Context())["ok"]


@pytest.mark.parametrize(
    ("written", "reached", "good"),
    [
        ("2026-11-23T00:05:00Z", REACHED, True),
        ("2026-11-23T00:05:01Z", REACHED, False),
        ("2099-01-01T00:00:00Z", REACHED, False),
        ("2026-11-23T02:05:00Z", None, True),
        ("2099-01-01T00:00:00Z", None, False),
    ],
)
def test_a_canary_of_after_the_backup_is_none(
    dynamodb: DynamoDB, written: str, reached: str | None, good: bool
) -> None:
    put(dynamodb, written_at={"S": written})
    asked = event(100, 1000, canary=CANARY, reached=reached)
    if good:
        assert drill.check(asked, Context())["canary"] == written
        return
    with pytest.raises(CanaryMissing, match="after what the backup reaches"):
        drill.check(asked, Context())
