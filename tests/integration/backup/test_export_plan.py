"""What an export machine decides to do next, by the JSONata that it decides with."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tableguard.backup.export.plan import ANOTHER_ATTEMPT, LONGER_CHAIN, PREFIX, RECOVERY, plan, read, stored

_ROOT = Path(__file__).resolve().parents[3]
_PYTHON = _ROOT / ".venv-emulator" / "bin" / "python"

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
TABLE = "arn:aws:dynamodb:us-east-1:444455556666:table/orders"
DAY = 24 * 60
WEEK = 7 * DAY


def at(minutes_ago: float) -> str:
    """A time before noon, as the machine writes it."""
    return (NOON - dt.timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def millis(minutes_ago: float) -> int:
    return int((NOON - dt.timedelta(minutes=minutes_ago)).timestamp() * 1000)


def recovery(*, earliest: float = 30 * DAY, latest: float = 5) -> dict[str, int]:
    return {"earliest": millis(earliest), "latest": millis(latest)}


def chain(covered: float, *, full: float | None = None, **more: str) -> dict[str, str]:
    return {
        "table_id": "id-1",
        "bucket": "landing",
        "vault": "safe",
        "covered_to": at(covered),
        "full_at": at(covered if full is None else full),
        **more,
    }


def pending(start: float, end: float, **more: str) -> dict[str, str]:
    claimed = {"type": "INCREMENTAL", "from": at(start), "to": at(end), "table_id": "id-1", "bucket": "landing"}
    return {**claimed, "vault": "safe", "attempt": "1", "token": "t", **more}


def evaluated(expression: str, **variables: Any) -> Any:
    result, now = variables.pop("result", None), variables.pop("now", NOON)
    case = {
        "expression": expression,
        "variables": {
            "table": TABLE,
            "table_id": "id-1",
            "bucket": "landing",
            "vault": "safe",
            "target": "landing||",
            **variables,
        },
        "now": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "result": result,
    }
    done = subprocess.run(
        [_PYTHON, Path(__file__).with_name("evaluating.py")],
        input=json.dumps([case]),
        capture_output=True,
        check=True,
        text=True,
    )
    (value,) = json.loads(done.stdout.splitlines()[-1])
    return value


def planned(**variables: Any) -> tuple[Any, ...]:
    """What is done next: and which export, if one is claimed."""
    given = {"chain": None, "pending": None, "recovery": recovery(), **variables}
    said = evaluated(plan(full_every_minutes=WEEK), **given)
    claim = said.get("pending")
    return (said["do"], claim["type"], claim["from"], claim["to"]) if claim else (said["do"],)


INCREMENT, FULL = "INCREMENTAL", "FULL"


@pytest.mark.parametrize(
    ("variables", "next_"),
    [
        pytest.param({}, ("claim", FULL, at(5), at(5)), id="nothing yet"),
        pytest.param({"recovery": recovery(latest=2)}, ("claim", FULL, at(5), at(5)), id="machine behind"),
        pytest.param({"recovery": recovery(latest=9.5)}, ("claim", FULL, at(10), at(10)), id="DynamoDB behind"),
        pytest.param({"recovery": recovery(earliest=3)}, ("idle",), id="nothing restorable yet"),
        pytest.param({"recovery": None}, ("off",), id="recovery off"),
        pytest.param({"chain": chain(65)}, ("claim", INCREMENT, at(65), at(5)), id="an hour"),
        pytest.param({"chain": chain(20)}, ("claim", INCREMENT, at(20), at(5)), id="15 minutes"),
        pytest.param({"chain": chain(19)}, ("idle",), id="14 minutes"),
        pytest.param({"chain": chain(-60)}, ("idle",), id="the clock went back"),
        pytest.param({"chain": chain(5 + DAY)}, ("claim", INCREMENT, at(5 + DAY), at(5)), id="a day"),
        pytest.param({"chain": chain(3 * DAY)}, ("claim", INCREMENT, at(3 * DAY), at(2 * DAY)), id="three days"),
        pytest.param({"chain": chain(5 + DAY + 10)}, ("claim", INCREMENT, at(15 + DAY), at(15)), id="a day and a bit"),
        pytest.param({"chain": chain(60, full=60 + WEEK)}, ("claim", FULL, at(60), at(60)), id="a full export is due"),
        pytest.param(
            {"chain": chain(60, full=59 + WEEK)}, ("claim", INCREMENT, at(60), at(5)), id="one is not due yet"
        ),
        pytest.param(
            {"chain": chain(60), "recovery": recovery(earliest=59)}, ("claim", FULL, at(5), at(5)), id="a hole"
        ),
        pytest.param(
            {"chain": chain(60), "recovery": recovery(earliest=60)}, ("claim", INCREMENT, at(60), at(5)), id="no hole"
        ),
        pytest.param(
            {"chain": chain(60, full=40 * DAY), "recovery": recovery(earliest=61)},
            ("claim", FULL, at(60), at(60)),
            id="a full export is due of a chain that goes back longer than recovery",
        ),
        pytest.param({"chain": chain(60, table_id="id-0")}, ("claim", FULL, at(5), at(5)), id="another table"),
        pytest.param({"chain": chain(60, bucket="other")}, ("claim", FULL, at(5), at(5)), id="another bucket"),
        pytest.param({"chain": chain(60, vault="other")}, ("claim", FULL, at(5), at(5)), id="another vault"),
        pytest.param({"chain": chain(60), "pending": pending(60, 5)}, ("start",), id="claimed"),
        pytest.param({"chain": chain(60), "pending": pending(60, 5, export="e")}, ("poll",), id="started"),
        pytest.param(
            {"chain": chain(60), "pending": pending(60, 5, export="e"), "recovery": None}, ("poll",), id="started, off"
        ),
        pytest.param({"chain": chain(60), "pending": pending(60, 5), "recovery": None}, ("off",), id="claimed, off"),
        pytest.param(
            {"chain": chain(60), "pending": pending(60, 5), "recovery": recovery(earliest=59)},
            ("forget",),
            id="claimed before a hole",
        ),
        pytest.param({"pending": pending(60, 5, table_id="id-0")}, ("forget",), id="claimed for another table"),
        pytest.param({"pending": pending(60, 5, bucket="other")}, ("forget",), id="claimed for another bucket"),
        pytest.param({"pending": pending(60, 5, vault="other")}, ("forget",), id="claimed for another vault"),
    ],
)
def test_the_next_step(variables: dict[str, Any], next_: tuple[Any, ...]) -> None:
    assert planned(**variables) == next_


def test_the_windows_of_a_pause_adjoin() -> None:
    covered, windows = 4 * DAY + 7, []
    while (step := planned(chain=chain(covered)))[0] == "claim":
        windows.append(step[2:])
        covered = int((NOON - dt.datetime.fromisoformat(step[3])).total_seconds() / 60)
    assert [start for start, _ in windows[1:]] == [end for _, end in windows[:-1]]
    assert (windows[0][0], windows[-1][1]) == (at(4 * DAY + 7), at(7))


def claimed(**variables: Any) -> dict[str, str]:
    said = evaluated(plan(full_every_minutes=WEEK), **{"pending": None, "recovery": recovery(), **variables})
    found: dict[str, str] = said["pending"]
    return found


def test_a_window_has_one_token_and_every_other_request_another() -> None:
    first = claimed(chain=chain(60))
    assert claimed(chain=chain(60, full=61))["token"] == first["token"]
    others = [
        claimed(chain=chain(61)),
        claimed(chain=chain(60), recovery=recovery(latest=6)),
        claimed(chain=chain(60, table_id="id-2"), table_id="id-2"),
        claimed(chain=chain(60), target="landing||key"),
        claimed(chain=chain(60), table=f"{TABLE}2"),
        evaluated(ANOTHER_ATTEMPT, pending=first),
    ]
    assert len({each["token"] for each in (first, *others)}) == len(others) + 1


def test_another_attempt_is_of_the_same_window() -> None:
    first = {**claimed(chain=chain(60)), "export": "e"}
    again = evaluated(ANOTHER_ATTEMPT, pending=first)
    assert again.pop("token") != first["token"]
    assert again.pop("attempt") == "2"
    assert again == {name: first[name] for name in ("type", "from", "to", "table_id", "bucket", "vault")}


def test_another_attempt_is_no_claim_for_another_place() -> None:
    first = pending(60, 5, export="e", bucket="other", vault="another")
    again = evaluated(ANOTHER_ATTEMPT, pending=first)
    assert (again["bucket"], again["vault"]) == ("other", "another")


def test_the_chain_is_of_the_place_that_its_last_export_went_to() -> None:
    longer = evaluated(LONGER_CHAIN, chain=chain(60), pending=pending(60, 5, export="e", vault="another"))
    assert (longer["bucket"], longer["vault"], longer["last_export"]) == ("landing", "another", "e")


def test_what_is_stored_is_read_again() -> None:
    first = claimed(chain=chain(60))
    item = {"Item": {"pending": {"M": evaluated(stored("$pending"), pending=first)}}}
    assert evaluated(read("pending"), result=item) == first
    assert evaluated(read("chain"), result=item) is None
    assert evaluated(read("chain"), result={}) is None


def test_a_table_has_a_prefix_of_its_own() -> None:
    assert evaluated(PREFIX) == "444455556666/us-east-1/orders"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (
            {
                "PointInTimeRecoveryStatus": "ENABLED",
                "EarliestRestorableDateTime": at(60),
                "LatestRestorableDateTime": at(5),
            },
            recovery(earliest=60),
        ),
        ({"PointInTimeRecoveryStatus": "DISABLED"}, None),
        ({"PointInTimeRecoveryStatus": "ENABLED", "EarliestRestorableDateTime": at(60)}, None),
    ],
)
def test_what_can_be_restored(said: dict[str, Any], found: Any) -> None:
    result = {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": said}}
    assert evaluated(RECOVERY, result=result) == found
