"""The state machines that seal exports, as definitions in the Amazon States Language. Free of aws_cdk.

The sealing machine gets `{"bucket", "key"}` of an export's manifest-summary.json in the intake. It waits until every
file has arrived, copies each pinned version once into the sealed bucket, and closes the export with its entry in the
catalogue. Every step may be repeated: copies are made where nothing is yet, an entry is written once, and an execution
that died is taken up by the next one. So an event that comes twice, or a sweep that overtakes an event, does no harm.

The sweeping machine looks for manifests without an entry and starts the sealing machine for each, at most once an hour.
Then it counts the windows that are missing between those that are sealed; its output names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tableguard.backup.states.retries import at_once, never, retry
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

_INVOKE: Final = "arn:aws:states:::lambda:invoke"
_FUNCTION_SECONDS: Final = 900  # as long as a function can run; Source: Lambda developer guide, quotas
_LONGEST_SECONDS: Final = 86_400  # a run that hangs is a failure that rings
# What the functions raise where trying again cannot help.
_FINAL: Final = ("Rejected", "QuotaExceeded")
_NOT_YET: Final = retry("NotYetComplete", attempts=40, interval=30, most=900)
# A large file takes more than one invocation; what was reached is stored.
_UNFINISHED: Final = at_once("Unfinished", attempts=500)
_NEVER: Final = never(*_FINAL)
_ANYTHING: Final = retry("States.ALL", interval=5, most=300)
_REFUSED: Final[Json] = {"ErrorEquals": list(_FINAL), "Next": "CountRefused"}
# What is known of the failure stays what is said, whatever else goes wrong.
_HOWEVER: Final[Json] = {"ErrorEquals": ["States.ALL"], "Output": "{% $states.input %}", "Next": "NotSealed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """What the definitions name.

    Args:
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
        return {
            "Comment": "Seals one export: checks it, copies each file once, writes its entry in the catalogue.",
            # The other way round, a JSONata machine takes no state that is not.
            "QueryLanguage": "JSONPath",
            "TimeoutSeconds": _LONGEST_SECONDS,
            "StartAt": "Open",
            "States": {
                "Open": {
                    **_invoke(
                        self.open_function,
                        f"{{% $merge([{_REQUEST}, {{'now': {_NOW}, 'execution': $states.context.Execution.Id}}]) %}}",
                    ),
                    "Retry": [_NOT_YET, _NEVER, _ANYTHING],
                    "Catch": [_REFUSED],
                    "Assign": {
                        "request": f"{{% {_REQUEST} %}}",
                        "opened": "{% $states.result.Payload %}",
                    },
                    "Next": "IsSealed",
                },
                "IsSealed": {
                    "Type": "Choice",
                    "QueryLanguage": "JSONata",
                    "Choices": [{"Condition": "{% $opened.already_sealed %}", "Next": "Sealed"}],
                    "Default": "CopyFiles",
                },
                "CopyFiles": self._copies(),
                "Close": {
                    **_invoke(self.close_function, "{% $merge([$opened, $request]) %}"),
                    "Retry": [_NOT_YET, _NEVER, _ANYTHING],
                    "Catch": [_REFUSED],
                    "Next": "Report",
                },
                "Report": self._report(),
                "Sealed": {"Type": "Succeed"},
                # The map says no more than that too many of its children failed.
                "Problem": {
                    **_invoke(self.problem_function, f"{{% $merge([$states.input, $request, {_EXECUTION}]) %}}"),
                    "Retry": [_ANYTHING],
                    "Catch": [_HOWEVER],
                    "Next": "IsRefused",
                },
                "IsRefused": {
                    "Type": "Choice",
                    "QueryLanguage": "JSONata",
                    "Choices": [
                        {"Condition": f"{{% $states.input.Error in {list(_FINAL)} %}}", "Next": "CountRefused"}
                    ],
                    "Default": "NotSealed",
                },
                "CountRefused": self._refusal(),
                "NotSealed": {
                    "Type": "Fail",
                    "QueryLanguage": "JSONata",
                    "Error": "{% $states.input.Error %}",
                    "Cause": "{% $states.input.Cause %}",
                },
            },
        }

    def sweep_definition(self, sealing_machine: str) -> Json:
        """The sweeping machine's definition.

        Args:
            sealing_machine: The ARN of the sealing machine.
        """
        return {
            "Comment": "Starts the sealing of exports that arrived and have no entry in the catalogue.",
            "QueryLanguage": "JSONata",
            "TimeoutSeconds": _LONGEST_SECONDS,
            "StartAt": "Sweep",
            "States": {
                "Sweep": {
                    **_invoke(self.sweep_function, "{% {} %}"),
                    "Retry": [_ANYTHING],
                    "Next": "Start",
                },
                "Start": {
                    "Type": "Map",
                    "Items": "{% $states.input.exports %}",
                    "MaxConcurrency": 5,
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "INLINE"},
                        "StartAt": "StartOne",
                        "States": {"StartOne": _start_one(sealing_machine), "IsStarted": {"Type": "Succeed"}},
                    },
                    "Output": {},
                    "Next": "Holes",
                },
                "Holes": {**_invoke(self.holes_function, "{% {} %}"), "Retry": [_ANYTHING], "Next": "Count"},
                "Count": {
                    "Type": "Map",
                    "Items": "{% $states.input.counts %}",
                    "ItemProcessor": {
                        "ProcessorConfig": {"Mode": "INLINE"},
                        "StartAt": "PutCounts",
                        "States": {"PutCounts": self._counts()},
                    },
                    "Output": {"holes": "{% $states.input.holes %}"},
                    "End": True,
                },
            },
        }

    def _counts(self) -> Json:
        """How many windows are missing, none included: of accounts, and of tables."""
        always = f"{{'Name': '{VAULT}', 'Value': '{self.vault}'}}, {{'Name': '{ACCOUNT}', 'Value': account}}"
        table = f"{{'Name': '{TABLE}', 'Value': table}}"
        data = (
            f"$states.input.{{'MetricName': '{MISSING}', 'Unit': 'Count', 'Value': missing,"
            f" 'Dimensions': $exists(table) ? [{always}, {table}] : [{always}]}}"
        )
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:cloudwatch:putMetricData",
            "Arguments": {"Namespace": NAMESPACE, "MetricData": f"{{% [{data}] %}}"},
            "Output": {},
            "TimeoutSeconds": 60,
            "Retry": [_ANYTHING],
            "End": True,
        }

    def _copies(self) -> Json:
        """One child execution a file: a function may run longer than an express workflow, and is retried by itself."""
        return {
            "Type": "Map",
            # The output of as many files as an export has would not fit into a state; it stays in the work bucket.
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Parameters": {"Bucket": self.work_bucket, "Key.$": "$.work_key"},
            },
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Parameters": {"Bucket": self.work_bucket, "Prefix.$": "States.Format('{}/copies', $.export_id)"},
            },
            "ItemSelector": {"item.$": "$$.Map.Item.Value", "execution.$": "$$.Execution.Name"},
            "MaxConcurrency": self.at_once,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "CopyFile",
                "States": {
                    "CopyFile": {
                        **_invoke(
                            self.copy_function,
                            "{% $merge([$states.input.item, {'execution': $states.input.execution}]) %}",
                        ),
                        "Retry": [_UNFINISHED, _NEVER, _ANYTHING],
                        "End": True,
                    }
                },
            },
            "ResultPath": None,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Problem"}],
            "Next": "Close",
        }

    def _refusal(self) -> Json:
        """Counts what a source sent in vain, so that it is told apart from a failure of the vault's."""
        return {
            "Type": "Task",
            "QueryLanguage": "JSONata",
            "Resource": "arn:aws:states:::aws-sdk:cloudwatch:putMetricData",
            "Arguments": {
                "Namespace": NAMESPACE,
                "MetricData": [
                    {
                        "MetricName": f"{{% $states.input.Error = 'QuotaExceeded' ? '{OVER_QUOTA}' : '{REJECTED}' %}}",
                        "Unit": "Count",
                        "Value": 1,
                        "Dimensions": [
                            _dimension(VAULT, self.vault),
                            _dimension(ACCOUNT, "{% $split($states.context.Execution.Input.key, '/')[0] %}"),
                        ],
                    }
                ],
            },
            "TimeoutSeconds": 60,
            "Retry": [_ANYTHING],
            "Catch": [_HOWEVER],
            "Output": "{% $states.input %}",
            "Next": "NotSealed",
        }

    def _report(self) -> Json:
        """Counts what was sealed: for the whole vault, for an account, for a table."""
        sets = (
            [_dimension(VAULT, self.vault)],
            [_dimension(VAULT, self.vault), _dimension(ACCOUNT, _PART.format(0))],
            [_dimension(VAULT, self.vault), _dimension(ACCOUNT, _PART.format(0)), _dimension(TABLE, _PART.format(2))],
        )
        return {
            "Type": "Task",
            "QueryLanguage": "JSONata",
            "Resource": "arn:aws:states:::aws-sdk:cloudwatch:putMetricData",
            "Arguments": {
                "Namespace": NAMESPACE,
                "MetricData": [
                    {"MetricName": name, "Unit": unit, "Value": value, "Dimensions": dimensions}
                    for dimensions in sets
                    for name, unit, value in (
                        (SEALED, "Count", 1),
                        (SEALED_BYTES, "Bytes", "{% $states.input.bytes %}"),
                    )
                ],
            },
            "TimeoutSeconds": 60,
            "Retry": [_ANYTHING],
            "End": True,
        }


# Keys are `account/region/table/AWSDynamoDB/export/manifest-summary.json`.
_PART: Final = "{{% $split($request.key, '/')[{}] %}}"
_REQUEST: Final = "{'bucket': $states.input.bucket, 'key': $states.input.key}"
_EXECUTION: Final = "{'execution': $states.context.Execution.Name}"
_NOW: Final = "$states.context.State.EnteredTime"
# Of account and export: another account may send an export of the same id. 12 and at most 40 characters.
_EXPORT: Final = "$split($states.input.key, '/')[0] & '-' & $split($states.input.key, '/')[-2]"
_HOUR: Final = f"$substring({_NOW}, 0, 13)"


def _dimension(name: str, value: str) -> Json:
    return {"Name": name, "Value": value}


def _invoke(function: str, payload: str) -> Json:
    return {
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": _INVOKE,
        "Arguments": {"FunctionName": function, "Payload": payload},
        "Output": "{% $states.result.Payload %}",
        "TimeoutSeconds": _FUNCTION_SECONDS,
    }


def _start_one(sealing_machine: str) -> Json:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Arguments": {
            "StateMachineArn": sealing_machine,
            # One an hour for an export: a name is taken for 90 days, and a failed one has to be tried again.
            "Name": f"{{% {_EXPORT} & '-' & {_HOUR} %}}",
            "Input": "{% $states.input %}",
        },
        "Output": {},
        "TimeoutSeconds": 60,
        "Retry": [never("StepFunctions.ExecutionAlreadyExistsException"), _ANYTHING],
        "Catch": [
            {
                "ErrorEquals": ["StepFunctions.ExecutionAlreadyExistsException"],
                "Output": {},
                "Next": "IsStarted",
            }
        ],
        "End": True,
    }
