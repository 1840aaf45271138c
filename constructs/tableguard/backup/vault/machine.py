"""The state machines that seal exports, as definitions in the Amazon States Language. Free of aws_cdk.

The sealing machine gets `{"bucket", "key"}` of an export's manifest-summary.json in the intake. It waits until every
file has arrived, copies each pinned version once into the sealed bucket, and closes the export with its entry in the
catalogue. Every step may be repeated: copies are made where nothing is yet, an entry is written once, and an execution
that died is taken up by the next one. So an event that comes twice, or a sweep that overtakes an event, does no harm.

The sweeping machine looks for manifests without an entry and starts the sealing machine for each, at most once an hour.
Then it counts the windows that are missing between those that are sealed; its output names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tableguard.backup.states.builders import (
    JSONATA,
    catch,
    choice,
    ended,
    expression,
    fail,
    machine,
    succeed,
)
from tableguard.backup.states.maps import distributed, inline_map
from tableguard.backup.states.retries import at_once, never, retry
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.backup.sealing_names import METRICS
from tableguard.policy.documents import Json

NAMESPACE: Final = METRICS
SEALED: Final = "SealedExports"
SEALED_BYTES: Final = "SealedBytes"
MISSING: Final = "MissingWindows"
OVER_QUOTA: Final = "ExportsOverQuota"
REJECTED: Final = "RejectedExports"
VAULT: Final = "Vault"
ACCOUNT: Final = "Account"
TABLE: Final = "Table"
MANIFEST: Final = "/manifest-summary.json"

_FUNCTION_SECONDS: Final = 900  # as long as a function can run; Source: Lambda developer guide, quotas
_LONGEST_SECONDS: Final = 86_400  # a run that hangs is a failure that rings
# What the functions raise where trying again cannot help.
_FINAL: Final = ("Rejected", "QuotaExceeded")
_NOT_YET: Final = retry("NotYetComplete", attempts=40, interval=30, most=900)
# A large file takes more than one invocation; what was reached is stored.
_UNFINISHED: Final = at_once("Unfinished", attempts=500)
_NEVER: Final = never(*_FINAL)
_ANYTHING: Final = retry("States.ALL", interval=5, most=300)
_REFUSED: Final = catch("CountRefused", *_FINAL)
# What is known of the failure stays what is said, whatever else goes wrong.
_HOWEVER: Final = catch("NotSealed", Output=expression("$states.input"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """What the definitions name.

    Args:
        tasks: Builds tasks for the machines' partition.
        open_function: The ARN of the function that checks an export and lists its files.
        copy_function: The ARN of the function that copies one file.
        close_function: The ARN of the function that writes the catalogue's entry.
        problem_function: The ARN of the function that says what the copies have met.
        sweep_function: The ARN of the function that finds exports that are not sealed.
        holes_function: The ARN of the function that finds windows that are missing.
        work_bucket: The name of the bucket with the list of files.
        vault: The name of the sealed bucket, which the metrics are told apart by.
        at_once: How many files are copied at the same time.
    """

    tasks: Tasks
    open_function: str
    copy_function: str
    close_function: str
    problem_function: str
    sweep_function: str
    holes_function: str
    work_bucket: str
    vault: str
    at_once: int

    def definition(self) -> Json:
        """The sealing machine's definition."""
        moment = f"{{'now': {_NOW}, 'execution': $states.context.Execution.Id}}"
        states = {
            "Open": self._invoke(
                self.open_function,
                f"$merge([{_REQUEST}, {moment}])",
                retries=[_NOT_YET, _NEVER, _ANYTHING],
                catches=[_REFUSED],
                assign={"request": expression(_REQUEST), "opened": expression("$states.result.Payload")},
                then="IsSealed",
            ),
            "IsSealed": choice([("$opened.already_sealed", "Sealed")], "CopyFiles"),
            "CopyFiles": self._copies(),
            "Close": self._invoke(
                self.close_function,
                "$merge([$opened, $request])",
                retries=[_NOT_YET, _NEVER, _ANYTHING],
                catches=[_REFUSED],
                then="Report",
            ),
            "Report": self._report(),
            "Sealed": succeed(),
            # The map says no more than that too many of its children failed.
            "Problem": self._invoke(
                self.problem_function,
                f"$merge([$states.input, $request, {_EXECUTION}])",
                catches=[_HOWEVER],
                then="IsRefused",
            ),
            "IsRefused": choice([(f"$states.input.Error in {list(_FINAL)}", "CountRefused")], "NotSealed"),
            "CountRefused": self._refusal(),
            "NotSealed": fail(expression("$states.input.Error"), expression("$states.input.Cause")),
        }
        what = "Seals one export: checks it, copies each file once, writes its entry in the catalogue."
        return machine(what, states, start="Open", seconds=_LONGEST_SECONDS)

    def sweep_definition(self, sealing_machine: str) -> Json:
        """The sweeping machine's definition.

        Args:
            sealing_machine: The ARN of the sealing machine.
        """
        states = {
            "Sweep": self._invoke(self.sweep_function, "{}", then="Start"),
            "Start": inline_map(
                expression("$states.input.exports"),
                {"StartOne": self._start_one(sealing_machine), "IsStarted": succeed()},
                start="StartOne",
                concurrency=5,
                output={},
                then="Holes",
            ),
            "Holes": self._invoke(self.holes_function, "{}", then="Count"),
            "Count": inline_map(
                expression("$states.input.counts"),
                {"PutCounts": self._counts()},
                start="PutCounts",
                output={"holes": expression("$states.input.holes")},
                then=None,
            ),
        }
        what = "Starts the sealing of exports that arrived and have no entry in the catalogue."
        return machine(what, states, start="Sweep", seconds=_LONGEST_SECONDS, language=JSONATA)

    def _counts(self) -> Json:
        """How many windows are missing, none included: of accounts, and of tables."""
        always = f"{{'Name': '{VAULT}', 'Value': '{self.vault}'}}, {{'Name': '{ACCOUNT}', 'Value': account}}"
        table = f"{{'Name': '{TABLE}', 'Value': table}}"
        data = (
            f"$states.input.{{'MetricName': '{MISSING}', 'Unit': 'Count', 'Value': missing,"
            f" 'Dimensions': $exists(table) ? [{always}, {table}] : [{always}]}}"
        )
        return self.tasks.metrics(NAMESPACE, expression(f"[{data}]"), retries=[_ANYTHING], output={}, then=None)

    def _copies(self) -> Json:
        """One child execution a file: a function may run longer than an express workflow, and is retried by itself."""
        copy = self._invoke(
            self.copy_function,
            "$merge([$states.input.item, {'execution': $states.input.execution}])",
            retries=[_UNFINISHED, _NEVER, _ANYTHING],
            then=None,
        )
        state: Json = {
            "Type": "Map",
            # The output of as many files as an export has would not fit into a state; it stays in the work bucket.
            "ItemReader": self.tasks.read_file(self.work_bucket, "$.work_key"),
            "ResultWriter": self.tasks.write_files(
                self.work_bucket, {"Prefix.$": "States.Format('{}/copies', $.export_id)"}
            ),
            "ItemSelector": {"item.$": "$$.Map.Item.Value", "execution.$": "$$.Execution.Name"},
            "MaxConcurrency": self.at_once,
            "ItemProcessor": distributed({"CopyFile": copy}, start="CopyFile"),
            "ResultPath": None,
        }
        return ended(state, "Close", catches=[catch("Problem")])

    def _refusal(self) -> Json:
        """Counts what a source sent in vain, so that it is told apart from a failure of the vault's."""
        datum = {
            "MetricName": expression(f"$states.input.Error = 'QuotaExceeded' ? '{OVER_QUOTA}' : '{REJECTED}'"),
            "Unit": "Count",
            "Value": 1,
            "Dimensions": [
                _dimension(VAULT, self.vault),
                _dimension(ACCOUNT, expression("$split($states.context.Execution.Input.key, '/')[0]")),
            ],
        }
        return self.tasks.metrics(
            NAMESPACE,
            [datum],
            retries=[_ANYTHING],
            catches=[_HOWEVER],
            output=expression("$states.input"),
            then="NotSealed",
        )

    def _report(self) -> Json:
        """Counts what was sealed: for the whole vault, for an account, for a table."""
        every = (_dimension(VAULT, self.vault), _dimension(ACCOUNT, _SOURCE), _dimension(TABLE, _OF_TABLE))
        counted = ((SEALED, "Count", 1), (SEALED_BYTES, "Bytes", expression("$states.input.bytes")))
        data = [
            {"MetricName": name, "Unit": unit, "Value": value, "Dimensions": list(every[:number])}
            for number in range(1, len(every) + 1)
            for name, unit, value in counted
        ]
        return self.tasks.metrics(NAMESPACE, data, retries=[_ANYTHING], then=None)

    def _invoke(self, function: str, payload: str, *, retries: Sequence[Json] = (_ANYTHING,), **more: Any) -> Json:
        return self.tasks.function(
            function, expression(payload), seconds=_FUNCTION_SECONDS, retries=list(retries), **more
        )

    def _start_one(self, sealing_machine: str) -> Json:
        started = "StepFunctions.ExecutionAlreadyExistsException"
        return self.tasks.task(
            "states:startExecution",
            {
                "StateMachineArn": sealing_machine,
                # One an hour for an export: a name is taken for 90 days, and a failed one has to be tried again.
                "Name": expression(f"{_EXPORT} & '-' & {_HOUR}"),
                "Input": expression("$states.input"),
            },
            retries=[never(started), _ANYTHING],
            catches=[catch("IsStarted", started, Output={})],
            output={},
            then=None,
        )


# Keys are `account/region/table/AWSDynamoDB/export/manifest-summary.json`.
_SOURCE: Final = expression("$split($request.key, '/')[0]")
_OF_TABLE: Final = expression("$split($request.key, '/')[2]")
_REQUEST: Final = "{'bucket': $states.input.bucket, 'key': $states.input.key}"
_EXECUTION: Final = "{'execution': $states.context.Execution.Name}"
_NOW: Final = "$states.context.State.EnteredTime"
# Of account and export: another account may send an export of the same id. 12 and at most 40 characters.
_EXPORT: Final = "$split($states.input.key, '/')[0] & '-' & $split($states.input.key, '/')[-2]"
_HOUR: Final = f"$substring({_NOW}, 0, 13)"


def _dimension(name: str, value: str) -> Json:
    return {"Name": name, "Value": value}
