"""Up to when drills trust what was sealed: who says so, and what counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_scheduler as scheduler
from aws_cdk.assertions import Annotations, Match, Template

import tableguard as tg
from tests.unit.backup.restore.support import (
    SOURCE,
    Json,
    definitions,
    followers,
    restore,
    vault_stack,
)
from tests.unit.tables.support import app, stack

TAKEN_OVER = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=2)))
SHOWN = "2026-11-22T10:00:00Z"


def drilled(scope: cdk.Stack, made: tg.TableRestore | None = None, **options: Any) -> cdk.Stack:
    tg.RestoreDrill(
        scope,
        "Drill",
        restore=made or restore(scope),
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        alarm_after=cdk.Duration.days(2),
        **options,
    )
    return scope


def states(scope: cdk.Stack) -> dict[str, Json]:
    found: dict[str, Json] = definitions(scope)[
        "Restores a backup, checks it, says what it found and removes what it made"
    ]["States"]
    return found


def test_the_moment_is_the_machines_own_and_not_its_schedules() -> None:
    scope = drilled(vault_stack(), sealed_by=TAKEN_OVER)
    assert states(scope)["Start"]["Assign"]["sealed_by"].endswith(f": '{SHOWN}' %}}")
    assert states(drilled(vault_stack()))["Start"]["Assign"]["sealed_by"].endswith(": null %}")
    template = Template.from_stack(scope).to_json()["Resources"]
    inputs = {
        each["Properties"]["Target"]["Input"]
        for each in template.values()
        if each["Type"] == "AWS::Scheduler::Schedule"
    }
    assert inputs == {"{}"}


def test_only_a_drill_that_counts_is_kept() -> None:
    found = states(drilled(vault_stack()))
    assert [name for name, state in found.items() if "Keep" in followers(state)] == ["Counts"]
    (rule,) = found["Counts"]["Choices"]
    assert (rule["Condition"], rule["Next"], found["Counts"]["Default"]) == ("{% $counts %}", "Keep", "Tried")
    good, bad, *_ = found["Report"]["Arguments"]["MetricData"]
    assert (good["Value"], bad["Value"]) == ("{% $passed and $counts ? 1 : 0 %}", "{% $passed ? 0 : 1 %}")


def test_whoever_reads_the_synthesis_or_the_review_is_told() -> None:
    scope = drilled(vault_stack(app()), sealed_by=TAKEN_OVER)
    found = Annotations.from_stack(scope)
    assert len(found.find_warning("*", Match.string_like_regexp(f"leave out what was sealed after {SHOWN}"))) == 1
    machines = Template.from_stack(scope).find_resources("AWS::StepFunctions::StateMachine").values()
    metadata = [each.get("Metadata", {}).get("tableguard", {}) for each in machines]
    said = [each["drill"] for each in metadata if "drill" in each]
    assert [each["sealed_by"] for each in said] == [SHOWN]
    without = Annotations.from_stack(drilled(vault_stack(app())))
    assert without.find_warning("*", Match.string_like_regexp("leave out")) == []


@pytest.mark.parametrize("moment", [SHOWN, datetime(2026, 11, 22)])  # noqa: DTZ001
def test_what_is_no_moment_is_refused(moment: Any) -> None:
    with pytest.raises(tg.InvalidInputError, match="offset from UTC"):
        drilled(vault_stack(), sealed_by=moment)


def test_a_restore_of_a_living_table_trusts_no_seal() -> None:
    living = stack(app())
    made = restore(living, sealed=None, point_in_time=SOURCE)
    with pytest.raises(tg.InvalidInputError, match="no sealed exports"):
        drilled(living, made, sealed_by=datetime(2026, 11, 22, tzinfo=UTC))
    asked = definitions(living)["Rebuilds a table from a backup and compares every item with it"]["States"]["Asked"]
    assert "NotSealed" in followers(asked)
    sealed = vault_stack()
    restore(sealed)
    asked = definitions(sealed)["Rebuilds a table from a backup and compares every item with it"]["States"]["Asked"]
    assert "NotSealed" not in followers(asked)
