"""The machines of backup plans, run: which backups are left, what is counted, and what AWS Backup is told."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tableguard.backup.aws_backup.job_machine import counting_machine, validating_machine
from tableguard.backup.on_demand.machine import on_demand_machine
from tests.project.machine import ROOT

_PYTHON: Final = ROOT / ".venv-emulator" / "bin" / "python"
_RUN: Final = Path(__file__).with_name("run_machine.py")
ORDERS: Final = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"
USERS: Final = "arn:aws:dynamodb:us-east-1:000000000000:table/users"
CHECK: Final = "arn:aws:states:us-east-1:000000000000:stateMachine:check"


def run(definition: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Run a machine to its end."""
    whole = {
        "definition": definition,
        "input": {},
        "backups": [],
        "faults": {},
        "status": "CREATING",
        "page": 100,
        "validation": None,
        **given,
    }
    done = subprocess.run([_PYTHON, _RUN], input=json.dumps(whole), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def machine(*tables: str, keep_at_least: int = 2) -> dict[str, Any]:
    return on_demand_machine(
        tables=tables or (ORDERS,), prefix="nightly", keep_days=7, keep_at_least=keep_at_least, hours=1, partition="aws"
    )


def backup(days: float, name: str | None = None, *, status: str = "AVAILABLE", table: str = ORDERS) -> dict[str, Any]:
    made = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    return {
        "BackupArn": f"{table}/backup/{int(days * 1000):014d}-aaaaaaaa",
        "BackupName": name or f"nightly-{made:%Y%m%dT%H%M%SZ}",
        "BackupStatus": status,
        "TableArn": table,
        "BackupCreationDateTime": made.isoformat(),
    }


def left(done: dict[str, Any], table: str = ORDERS) -> list[int]:
    """How many days old those are that are left, the one that was just made as 0."""
    now = dt.datetime.now(dt.UTC)
    return sorted(
        (now - dt.datetime.fromisoformat(each["BackupCreationDateTime"])).days
        for each in done["backups"]
        if each["TableArn"] == table
    )


CASES: Final = [
    ("the first one", [], [0]),
    ("old ones go", [backup(30), backup(8), backup(3)], [0, 3]),
    ("young ones stay", [backup(6), backup(3)], [0, 3, 6]),
    ("too few young ones: nothing goes", [backup(30), backup(8)], [0, 8, 30]),
    ("young ones that are no good do not count", [backup(8), backup(3, status="DELETED")], [0, 3, 8]),
    ("young ones of others do not count", [backup(8), backup(3, "manual")], [0, 3, 8]),
    ("those of others stay", [backup(30, "manual"), backup(29), backup(3)], [0, 3, 30]),
    ("names that only begin alike stay", [backup(30, "nightly-by-hand"), backup(29, "nightly-20261101T000000Zx"),
                                          backup(28, "my-nightly-20261101T000000Z"), backup(3)], [0, 3, 28, 29, 30]),
    ("those of other tables stay", [backup(30, table=USERS), backup(3)], [0, 3]),
    ("those that are being deleted are left alone", [backup(30, status="DELETED"), backup(3)], [0, 3, 30]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [each[1:] for each in CASES], ids=[each[0] for each in CASES])
def test_only_its_own_old_ones_are_removed(before: list[dict[str, Any]], after: list[int]) -> None:
    done = run(machine(), backups=before)
    assert done["status"] == "SUCCEEDED"
    assert left(done) == after
    of_others = [[each for each in backups if each["TableArn"] == USERS] for backups in (before, done["backups"])]
    assert of_others[0] == of_others[1]


def test_what_small_pages_leave_the_next_runs_remove() -> None:
    backups = [backup(40, "manual"), backup(41, "manual"), *(backup(20 + day) for day in range(6)), backup(3)]
    for _ in range(3):
        # Another second, another name: two runs of one second would make the same.
        backups = run(machine(), backups=backups, page=2)["backups"]
    assert left({"backups": backups}) == [0, 0, 0, 3, 40, 41]


def test_its_backup_has_the_prefix_and_the_time_of_the_run() -> None:
    (made,) = run(machine())["backups"]
    prefix, time = made["BackupName"].split("-")
    assert prefix == "nightly"
    assert abs(dt.datetime.strptime(time, "%Y%m%dT%H%M%S%z") - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=2)


FAULTS: Final = [
    ("throttled for a while", {"CreateBackup": ["ThrottlingException"] * 3}, True, {0, 3}),
    ("always throttled", {"CreateBackup": ["ThrottlingException"] * 99}, False, {3, 30}),
    ("no such table", {"CreateBackup": ["TableNotFoundException"]}, False, {3, 30}),
    ("not to be described", {"DescribeBackup": ["InternalServerError"] * 99}, False, {0, 3, 30}),
    ("not to be listed", {"ListBackups": ["InternalServerError"] * 99}, False, {0, 3, 30}),
    ("gone already", {"DeleteBackup": ["BackupNotFoundException"]}, True, {0, 3, 30}),
    ("deletion is slow", {"DeleteBackup": ["LimitExceededException"] * 2}, True, {0, 3}),
    ("not to be deleted", {"DeleteBackup": ["BackupInUseException"] * 99}, False, {0, 3, 30}),
]


@pytest.mark.parametrize(
    ("faults", "succeeds", "after"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS]
)
def test_a_fault_is_survived_or_fails_the_run(faults: dict[str, list[str]], succeeds: bool, after: set[int]) -> None:
    done = run(machine(), backups=[backup(30), backup(3)], faults=faults)
    assert (done["status"] == "SUCCEEDED") is succeeds
    assert set(left(done)) == after


def test_a_table_that_fails_does_not_stop_the_others_and_fails_the_run() -> None:
    done = run(machine(USERS, ORDERS), faults={f"CreateBackup {USERS}": ["TableNotFoundException"]})
    assert done["status"] == "FAILED"
    assert (left(done, ORDERS), left(done, USERS)) == ([0], [])


def test_a_backup_that_does_not_come_about_fails_the_run_and_removes_nothing() -> None:
    done = run(machine(), backups=[backup(30), backup(3), backup(2)], status="DELETED")
    assert done["status"] == "FAILED"
    assert "DeleteBackup" not in done["calls"]


@pytest.mark.parametrize("vault", [None, "arn:aws:backup:us-east-1:222233334444:backup-vault:safe"])
def test_a_job_is_counted_by_table_and_vault(vault: str | None) -> None:
    given = {"metric": "CompletedCopies", "table": ORDERS, **({"vault": vault} if vault else {})}
    done = run(counting_machine(partition="aws"), input=given)
    assert done["status"] == "SUCCEEDED"
    dimensions = [{"Name": "Table", "Value": ORDERS}, *([{"Name": "Vault", "Value": vault}] if vault else [])]
    datum = {"MetricName": "CompletedCopies", "Dimensions": dimensions, "Value": 1, "Unit": "Count"}
    assert done["beyond"] == [["putMetricData", {"Namespace": "tableguard/backup", "MetricData": [datum]}]]


EVENT: Final = {
    "restoreJobId": "job-1",
    "status": "COMPLETED",
    "createdResourceArn": ORDERS.replace("orders", "awsbackup-restore-test-1"),
    "sourceResourceArn": ORDERS,
    "recoveryPointArn": "arn:aws:backup:us-east-1:000000000000:recovery-point:1",
}


@pytest.mark.parametrize(
    ("end", "status", "says"),
    [
        ({"Type": "Succeed"}, "SUCCESSFUL", "The validation has passed"),
        ({"Type": "Fail", "Error": "Different", "Cause": "3 items are missing"}, "FAILED", "3 items are missing"),
    ],
)
def test_aws_backup_is_told_what_the_validation_found(end: dict[str, str], status: str, says: str) -> None:
    check = {"StartAt": "End", "States": {"End": end}}
    definition = validating_machine(validation=CHECK, hours=8, partition="aws")
    done = run(definition, input=EVENT, validation=check)
    assert done["status"] == ("SUCCEEDED" if status == "SUCCESSFUL" else "FAILED")
    ((operation, told),) = done["beyond"]
    assert operation == "putRestoreValidationResult"
    assert (told["RestoreJobId"], told["ValidationStatus"]) == ("job-1", status)
    assert says in told["ValidationStatusMessage"]
    assert len(told["ValidationStatusMessage"]) <= 500
    (heard,) = done["validated"]
    assert {name: heard[name] for name in ("table", "source", "recovery_point", "restore_job")} == {
        "table": "awsbackup-restore-test-1",
        "source": ORDERS,
        "recovery_point": EVENT["recoveryPointArn"],
        "restore_job": "job-1",
    }
