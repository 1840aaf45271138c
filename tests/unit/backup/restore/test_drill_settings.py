"""What a drill is told reaches the machine and the function that decide."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_scheduler as scheduler, aws_sns as sns

import tableguard as tg
from tests.unit.backup.restore.support import Json, definitions, restore, vault_stack

KEY = {"pk": {"S": "canary"}}


def machines(*, told: bool = False, **options: Any) -> tuple[dict[str, Json], dict[str, Json]]:
    """The states of the drill and of what checks."""
    scope = vault_stack()
    if told:
        options["alarms_topic"] = sns.Topic(scope, "Topic")
    tg.RestoreDrill(
        scope,
        "Drill",
        restore=restore(scope),
        schedule=scheduler.ScheduleExpression.rate(cdk.Duration.days(1)),
        alarm_after=cdk.Duration.days(2),
        **options,
    )
    found = definitions(scope)
    drill, check = (
        next(each["States"] for comment, each in found.items() if comment.startswith(begins))
        for begins in ("Restores a backup, checks it", "Checks a restored table")
    )
    return drill, check


def asked_of_function(check: dict[str, Json]) -> Json:
    payload: Json = check["Check"]["Arguments"]["Payload"]
    return payload


def test_the_function_is_given_what_the_drill_was_told() -> None:
    canary = tg.Canary(key=KEY, every_minutes=7)
    drill, check = machines(canary=canary, largest_fall=0.35, oldest=cdk.Duration.hours(5))
    asked = asked_of_function(check)
    assert (asked["largest_fall"], asked["oldest_seconds"]) == (0.35, 5 * 3600)
    assert asked["canary"] == {"table": "{% $table %}", "key": KEY, "not_before": "{% $oldest %}"}
    # As old as the time between two writings, and five minutes.
    age = (7 * 60 + 300) * 1000
    assert drill["Restore"]["Assign"]["oldest"] == (
        f"{{% $fromMillis($toMillis($states.result.Output.reached) - {age}) %}}"
    )
    assert drill["Check"]["Arguments"]["Input"]["not_before"] == "{% $oldest %}"


def test_without_a_canary_none_is_looked_for() -> None:
    drill, check = machines()
    asked = asked_of_function(check)
    assert asked["canary"] is None
    assert (asked["largest_fall"], asked["oldest_seconds"]) == (0.2, 2 * 24 * 3600)
    assert drill["Restore"]["Assign"]["oldest"] == "{% null %}"


def test_the_age_of_a_backup_is_that_of_the_drills_beginning_by_the_machines_clock() -> None:
    drill, check = machines()
    given = drill["Check"]["Arguments"]["Input"]
    assert drill["Restore"]["Assign"]["reached"] == "{% $states.result.Output.reached %}"
    assert given["reached"] == "{% $reached %}"
    assert given["fresh_at"] == "{% $sealed_by != null ? $sealed_by : $began %}"
    assert drill["Name"]["Assign"]["began"] == "{% $states.context.Execution.StartTime %}"
    taken = check["Asked"]["Assign"]
    assert taken["reached"] == "{% $exists($states.input.reached) ? $states.input.reached : null %}"
    assert taken["fresh_at"].startswith("{% $exists($states.input.fresh_at) ? $states.input.fresh_at :")
    asked = asked_of_function(check)
    assert (asked["reached"], asked["fresh_at"]) == ("{% $reached %}", "{% $fresh_at %}")
    assert asked["now"] == "{% $states.context.State.EnteredTime %}"


@pytest.mark.parametrize("oldest", [cdk.Duration.minutes(29), cdk.Duration.seconds(0)])
def test_a_backup_cannot_be_fresher_than_an_export_is(oldest: cdk.Duration) -> None:
    with pytest.raises(tg.InvalidInputError, match="30 minutes at least"):
        machines(oldest=oldest)
    machines(oldest=cdk.Duration.minutes(30))


def test_a_drill_says_how_long_the_restore_took_and_what_it_reached() -> None:
    drill, _ = machines(told=True)
    assert (drill["Restore"]["Next"], drill["Took"]["Next"]) == ("Took", "Check")
    assert drill["Took"]["Assign"]["took"] == (
        "{% $round(($toMillis($states.context.State.EnteredTime) - $toMillis($began)) / 1000) %}"
    )
    (told,) = drill["Event"]["Arguments"]["Entries"]
    assert (told["Detail"]["seconds"], told["Detail"]["reached"]) == ("{% $took %}", "{% $reached %}")
    (took,) = [each for each in drill["Report"]["Arguments"]["MetricData"] if each["MetricName"] == "DrillSeconds"]
    assert (took["Value"], took["Unit"]) == ("{% $took = null ? 0 : $took %}", "Seconds")
    message = drill["Tell"]["Arguments"]["Message"]
    assert "' items as of ' & $reached & ' in ' & $string($took) & ' seconds.'" in message
    # A drill that fails before it has restored anything says so without them.
    assert {drill["Start"]["Assign"][name] for name in ("took", "reached")} == {None}
