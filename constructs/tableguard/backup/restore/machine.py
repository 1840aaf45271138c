"""The machine that rebuilds a table, as a dict.

Plan, create, load in order, count, compare, and only then what would change items or close the door behind the loader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tableguard.backup.restore.counting_states import counting
from tableguard.backup.restore.creating import creating, resuming
from tableguard.backup.restore.finishing import finishing
from tableguard.backup.restore.loading import loading
from tableguard.backup.restore.tags import INCOMPLETE, STATE_TAG
from tableguard.backup.restore.templates import PLACEHOLDER, without_braces
from tableguard.backup.states.builders import catch, choice, expression, fail, machine, passing
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """The ARNs of the functions that do the work.

    Args:
        load: Writes one file of an export.
        digest: Reads one segment of the table.
        check: Compares.
        problem: Says why the loading, or the reading, failed.
    """

    load: str
    digest: str
    check: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreMachine:
    """Everything that the definition of a restore says.

    Args:
        tasks: Builds tasks for the machine's partition.
        source: The account, region and name of the table whose items are restored.
        table_arn: The ARN of the restored table with PLACEHOLDER for its name.
        arguments: The arguments of CreateTable that follow from the blueprint.
        deletion_protection: Whether the table refuses to be deleted.
        tags: Its tags, those of the restore aside.
        policy: Its policy while it is restored, with PLACEHOLDER; None for none.
        final_policy: Its policy afterwards; None for none.
        stream_policy: The policy of its stream; None for none.
        recovery_days: The window of point-in-time recovery; None for none.
        time_to_live: The attribute that says when items expire; None for none.
        insights: Modes of contributor insights, by index; the table itself under "".
        sealed: Whether it takes sealed exports, which `sealed_by` chooses among.
        planning: States that end in the state "Planned" with a plan as their output, "Plan" the first of them.
        functions: The functions.
        work_bucket: The name of the work bucket.
        files_at_once: How many files are loaded at the same time.
        segments: In how many segments the table is read.
        clearing: The ARN of the function that removes the export that the restore made; None where it made none.
        timeout_seconds: How long an execution may take.
    """

    tasks: Tasks
    source: Mapping[str, str]
    table_arn: str
    arguments: Json
    deletion_protection: bool
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: Json | None
    final_policy: Json | None
    stream_policy: Json | None
    recovery_days: int | None
    time_to_live: str | None
    insights: Mapping[str, str] = field(default_factory=dict)
    sealed: bool
    planning: Mapping[str, Json]
    functions: Functions
    work_bucket: str
    files_at_once: int
    segments: int
    clearing: str | None
    timeout_seconds: int

    def definition(self) -> Json:
        """The definition."""
        return machine(
            "Rebuilds a table from a backup and compares every item with it. It never overwrites a table.",
            {
                **self._starting(),
                **self.planning,
                **creating(
                    self.tasks,
                    arguments=self.arguments,
                    deletion_protection=self.deletion_protection,
                    tags=self.tags,
                    with_policy=self.policy is not None,
                    recovery_days=self.recovery_days,
                ),
                **loading(
                    self.tasks,
                    self.functions.load,
                    problem=self.functions.problem,
                    work_bucket=self.work_bucket,
                    files_at_once=self.files_at_once,
                ),
                **self._checking(),
                **finishing(
                    self.tasks,
                    with_stream_policy=self.stream_policy is not None,
                    time_to_live=self.time_to_live,
                    insights=self.insights,
                    policy_changes=self.final_policy is not None and self.policy != self.final_policy,
                    clearing=self.clearing,
                ),
            },
            start="Start",
            seconds=self.timeout_seconds,
        )

    def _starting(self) -> dict[str, Json]:
        asked = "$states.input"
        same = " and ".join(f"{asked}.source.{part} = $source.{part}" for part in ("account", "region", "table"))
        return {
            # What was rendered before the execution is set first: expressions see variables as they were on entry.
            "Start": passing(
                "Asked",
                assign={
                    "source": dict(self.source),
                    "template": {
                        name: without_braces(policy)
                        for name, policy in (
                            ("policy", self.policy),
                            ("final", self.final_policy),
                            ("stream", self.stream_policy),
                        )
                        if policy is not None
                    },
                    "execution": expression("$states.context.Execution.Id"),
                    "isolated": expression(f"$exists({asked}.isolated) ? {asked}.isolated = true : false"),
                    "resumes": expression(f"$exists({asked}.resume) ? {asked}.resume : ''"),
                    "until": expression(f"$exists({asked}.until) ? {asked}.until : null"),
                    "sealed_by": expression(f"$exists({asked}.sealed_by) ? {asked}.sealed_by : null"),
                },
            ),
            "Asked": choice(
                [
                    (f"$type({asked}.table) != 'string' or $length({asked}.table) < 3", "NoName"),
                    (f"$exists({asked}.source) and $not({same})", "OtherSource"),
                    *([] if self.sealed else [("$sealed_by != null", "NotSealed")]),
                ],
                "Named",
            ),
            "NoName": fail("NoName", 'Say the new table\'s name: {"table": "…"}.'),
            "OtherSource": fail(
                "OtherSource", "This machine restores another table: leave source out, or name its own."
            ),
            **(
                {}
                if self.sealed
                else {"NotSealed": fail("NotSealed", "This machine restores no sealed exports: leave sealed_by out.")}
            ),
            "Named": passing(
                "Resumes",
                assign={
                    "table": expression(f"{asked}.table"),
                    "arn": expression(f"'{self.table_arn.removesuffix(PLACEHOLDER)}' & {asked}.table"),
                },
            ),
            **resuming(self.tasks, then="Plan"),
            "Refused": fail(
                expression("$states.input.Error"),
                expression("'Nothing was made: ' & $states.input.Cause"),
            ),
        }

    def _checking(self) -> dict[str, Json]:
        return {
            **counting(self.tasks, self.functions.digest, segments=self.segments, then="Check", problem="Problem"),
            "Check": self.tasks.function(
                self.functions.check,
                {"expected": expression("$expected"), "segments": expression("$states.input.counted")},
                seconds=120,
                then="Verified",
                catches=[catch("Incomplete")],
                assign={"restored": expression("$states.result.Payload")},
            ),
            "Incomplete": fail(
                expression("$states.input.Error"),
                expression(
                    f"'Table ' & $table & ' is left as it is, tagged "
                    f"{STATE_TAG} = {INCOMPLETE}: ' & $states.input.Cause"
                ),
            ),
        }
