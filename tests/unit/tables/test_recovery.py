"""The window of point-in-time recovery, on every construct that makes a table."""

from typing import Any

import pytest
from aws_cdk import aws_dynamodb as dynamodb

import tableguard as tg
from tests.unit.tables.support import PK, REGION, Documents, stack

INSIDE: Any = {"perimeter": tg.Perimeter(networks=[tg.FromVpcEndpoint("vpce-1a2b3c4d")])}
MAKERS: Any = {"CrossAccountTable": (tg.CrossAccountTable, {}), "VpcOnlyTable": (tg.VpcOnlyTable, INSIDE)}


def window(days: int) -> dynamodb.PointInTimeRecoverySpecification:
    return dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True, recovery_period_in_days=days)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("days", [1, 35, None])
def test_windows_from_1_to_35_days_pass_and_recovery_is_on_without_one(kind: str, days: int | None) -> None:
    make, more = MAKERS[kind]
    data = stack()
    recovery = {} if days is None else {"point_in_time_recovery_specification": window(days)}
    make(data, "Orders", partition_key=PK, table_name="orders", **more, **recovery)
    found = Documents.of(data).replica(REGION)["PointInTimeRecoverySpecification"]
    assert found["PointInTimeRecoveryEnabled"] is True
    assert found.get("RecoveryPeriodInDays") == days


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("days", [0, 36, -1])
def test_other_windows_are_refused(kind: str, days: int) -> None:
    make, more = MAKERS[kind]
    with pytest.raises(tg.InvalidInputError, match="1 to 35 days"):
        make(stack(), "Orders", partition_key=PK, point_in_time_recovery_specification=window(days), **more)
