"""The drill as it is deployed: what passes, what does not, and what is told of it. And exports after a pause.

The machines, the roles, the canary's writer and its schedule are the library's; the emulator runs them; the extension
delivers the schedule's request and lets time pass.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from tests.integration.backup import items, organization as org
from tests.integration.backup.flow import Flow
from tests.integration.backup.forged import Forged
from tests.integration.backup.items import identity, make, plain

COUNT = 200


def export(flow: Flow, sealed: int, *, canary: bool = True) -> None:
    """An hour later. The export ends five minutes before that, with the canary as its writer would have left it."""
    flow.advance(minutes=52)
    if canary:
        flow.canary()
    flow.advance(minutes=8)
    flow.export()
    flow.sealed(sealed)


def told(flow: Flow, name: str) -> list[float]:
    """The values of a metric of the drill."""
    drill = flow.output("Recovery", "DrillParameter").rpartition("/")[2]
    return flow.metrics(name, "Recovery", Drill=drill)


def tables(flow: Flow) -> list[str]:
    found: list[str] = flow.client("dynamodb", org.RECOVERY).list_tables()["TableNames"]
    return found


@pytest.fixture
def backed(flow: Flow) -> Flow:
    """A small table, exported and sealed."""
    flow.write([make(number) for number in range(COUNT)])
    export(flow, 1)
    return flow


def problem(run: dict[str, Any]) -> str:
    assert run["error"] == "DrillFailed"
    return str(run["cause"])


def test_a_good_backup_passes_and_leaves_nothing(backed: Flow) -> None:
    run = backed.drill()
    assert json.loads(run["output"])["count"] == COUNT + 1
    assert tables(backed) == []
    assert (sum(told(backed, "DrillSucceeded")), sum(told(backed, "DrillFailed"))) == (1, 0)
    kept = backed.client("ssm", org.RECOVERY).get_parameter(Name=backed.output("Recovery", "DrillParameter"))
    assert json.loads(kept["Parameter"]["Value"])["count"] == COUNT + 1


def test_the_backup_of_an_emptied_table_does_not_pass(backed: Flow) -> None:
    """Its restore agrees with its digest: nothing but the last good drill tells."""
    backed.drill()
    backed.write((), [items.key(make(number)) for number in range(COUNT)])
    export(backed, 2)
    assert json.loads(backed.restore(f"{org.RESTORED}emptied")["output"])["restored"]["count"] == 1
    assert "Shrunk" in problem(backed.drill("FAILED"))
    assert tables(backed) == [f"{org.RESTORED}emptied"]
    assert (sum(told(backed, "DrillSucceeded")), sum(told(backed, "DrillFailed"))) == (1, 1)
    # The figures of the last good drill stay: the next one is not compared with the emptied table.
    assert "Shrunk" in problem(backed.drill("FAILED"))


def test_an_old_canary_and_a_missing_one_do_not_pass(backed: Flow) -> None:
    backed.drill()
    backed.write([make(number, 1) for number in range(COUNT)])
    export(backed, 2, canary=False)
    assert "CanaryMissing" in problem(backed.drill("FAILED"))
    backed.write((), [org.CANARY])
    export(backed, 3, canary=False)
    assert "CanaryMissing" in problem(backed.drill("FAILED"))
    export(backed, 4)
    backed.drill()
    assert (sum(told(backed, "DrillSucceeded")), sum(told(backed, "DrillFailed"))) == (2, 2)


def test_a_backup_that_stopped_does_not_pass_however_well_it_was_kept(backed: Flow) -> None:
    """The table lives on, and so does its canary, and nobody exports it any more."""
    backed.drill()
    backed.advance(hours=24 * 3)
    backed.write([make(number, 7) for number in range(COUNT)])
    backed.canary()
    assert "Stale" in problem(backed.drill("FAILED"))
    assert (sum(told(backed, "DrillSucceeded")), sum(told(backed, "DrillFailed"))) == (1, 1)


def last_good(flow: Flow) -> dict[str, Any]:
    """What the next drill is compared with."""
    name = flow.output("Recovery", "DrillParameter")
    kept: dict[str, Any] = json.loads(flow.client("ssm", org.RECOVERY).get_parameter(Name=name)["Parameter"]["Value"])
    return kept


def trust(flow: Flow, moment: str) -> None:
    """What deploying `RestoreDrill(sealed_by=…)` changes: unit tests see that it is this."""
    states, machine = flow.client("stepfunctions", org.RECOVERY), flow.output("Recovery", "DrillMachine")
    definition = json.loads(states.describe_state_machine(stateMachineArn=machine)["definition"])
    said = definition["States"]["Start"]["Assign"]
    assert said["sealed_by"].endswith(": null %}")
    said["sealed_by"] = said["sealed_by"].replace(": null %}", f": '{moment}' %}}")
    states.update_state_machine(stateMachineArn=machine, definition=json.dumps(definition))


def test_after_a_takeover_drills_prove_what_was_sealed_before_it(backed: Flow) -> None:
    flow = backed
    flow.write([make(number, 1) for number in range(0, COUNT, 3)])
    export(flow, 2)
    flow.drill()
    good = last_good(flow)
    flow.advance(minutes=2)
    takeover = flow.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    # Whoever has the account sends a full export of a moment long ago, and goes on exporting an emptied table.
    ends = [dt.datetime.fromisoformat(entry["export"]["to"]) for entry in flow.catalogue()]
    deployer = f"cdk-hnb659fds-cfn-exec-role-{org.DATA}-{org.REGION}"
    flow.client("s3", org.DATA, deployer).delete_bucket_policy(Bucket=org.LANDING)
    Forged(1, ends[0] + dt.timedelta(minutes=1)).send(flow.client("s3", org.DATA))
    flow.sealed(3)
    flow.write((), [items.key(make(number)) for number in range(COUNT)])
    export(flow, 4)
    assert "contradict each other" in problem(flow.drill("FAILED"))

    # By hand: it tells that the backup of then is good, and the next scheduled one fails all the same.
    tried = flow.drill(sealed_by=takeover)
    assert json.loads(tried["output"])["count"] == COUNT + 1
    assert last_good(flow) == good
    assert "contradict each other" in problem(flow.drill("FAILED"))
    later = (flow.now() + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "still to come" in problem(flow.drill("FAILED", sealed_by=later))
    assert (sum(told(flow, "DrillSucceeded")), sum(told(flow, "DrillFailed"))) == (1, 3)

    # Trusting what was sealed since lets the emptied table through to the comparison with the last good drill.
    trust(flow, takeover)
    assert "Shrunk" in problem(flow.drill("FAILED", sealed_by=flow.now().strftime("%Y-%m-%dT%H:%M:%SZ")))
    flow.advance(hours=24 * 3)  # what is left out on purpose may be old
    flow.drill()
    kept = last_good(flow)
    assert (kept["reached"], kept["count"]) == (good["reached"], good["count"])
    assert kept["drilled"] > good["drilled"]
    assert (sum(told(flow, "DrillSucceeded")), sum(told(flow, "DrillFailed"))) == (2, 4)
    assert tables(flow) == []


def test_a_backup_that_was_never_made_does_not_pass(flow: Flow) -> None:
    said = problem(flow.drill("FAILED"))
    assert "NoBackup" in said
    assert "was not removed" not in said  # there was no table
    assert sum(told(flow, "DrillFailed")) == 1


def test_the_canary_is_written_by_its_schedule_and_its_role_alone(flow: Flow) -> None:
    flow.switch_schedules(on=True, only="Canary")
    began = flow.now()
    flow.advance(minutes=6)
    found = _awaited(flow)
    written = dt.datetime.fromisoformat(found["written_at"]["S"])
    assert began < written <= flow.now()
    assert {name: found[name] for name in org.CANARY} == org.CANARY
    assert flow.controls.failures() == []
    # The negative control: without its role's policy, the same request is refused, and nothing else has written it.
    iam = flow.client("iam", org.DATA)
    (role,) = [each["RoleName"] for each in iam.list_roles()["Roles"] if "CanaryRole" in each["RoleName"]]
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    flow.advance(minutes=6)
    flow.until(flow.controls.failures, lambda: "the refusal of the request that writes it")
    assert "AccessDenied" in "".join(flow.controls.failures()) or "not authorized" in "".join(flow.controls.failures())
    assert _awaited(flow) == found


def _awaited(flow: Flow) -> dict[str, Any]:
    return dict(flow.until(flow.items, lambda: f"the canary, written: {flow.controls.failures()}")[0])


def test_after_a_pause_of_days_exports_catch_up_and_a_restore_has_it_all(backed: Flow) -> None:
    there = {identity(item): item for item in backed.items()}
    for day in range(1, 4):
        changed = [make(number, day) for number in range(day, COUNT, 5)]
        backed.write(changed)
        there |= {identity(item): item for item in changed}
        backed.advance(hours=23)
    backed.export()
    windows = [entry["export"] for entry in backed.sealed(4)[1:]]
    lengths = [
        dt.datetime.fromisoformat(window["to"]) - dt.datetime.fromisoformat(window["from"]) for window in windows
    ]
    assert {window["type"] for window in windows} == {"INCREMENTAL"}
    assert max(lengths) <= dt.timedelta(hours=24)
    assert dt.timedelta(hours=69) <= sum(lengths, dt.timedelta()) < dt.timedelta(hours=70)  # and what the test took
    assert [window["from"] for window in windows[1:]] == [window["to"] for window in windows[:-1]]
    backed.restore(f"{org.RESTORED}late")
    found = {identity(item): plain(item) for item in backed.items(f"{org.RESTORED}late", org.RECOVERY)}
    assert found == {key: plain(item) for key, item in there.items()}
