"""Restore testing of AWS Backup, as far as a machine that validates meets it: the emulator knows nothing of it.

Plans and selections are kept, and nothing runs by them: no backup is made and no table restored. A test says that a job
has ended; EventBridge then hears what AWS Backup tells it, and what rules start may put a result to that job.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import clock  # type: ignore[import-not-found]  # its neighbour: run as a script, this has no package
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge, stepfunctions
from ministack.services.cloudformation import provisioners

_Json = dict[str, Any]
_PUT = ":aws-sdk:backup:putRestoreValidationResult"
_TAKEN = ("FAILED", "SUCCESSFUL", "TIMED_OUT", "VALIDATING")
_LEFT = {
    "AWS::Backup::BackupSelection": "SelectionName",
    "AWS::Backup::RestoreTestingPlan": "RestoreTestingPlanName",
    "AWS::Backup::RestoreTestingSelection": "RestoreTestingSelectionName",
}
_jobs: dict[str, _Json] = {}


def install() -> None:
    """Extend the emulator."""
    for kind, name in _LEFT.items():
        provisioners._RESOURCE_HANDLERS[kind] = {"create": _keep(name), "update": _again, "delete": _forget}
    stepfunctions._invoke_aws_sdk_integration = _with_results(stepfunctions._invoke_aws_sdk_integration)


def ended(said: _Json) -> _Json:
    """A restore job has ended: its `account`, `region`, `plan` (an ARN, or null), `resources` and `detail`."""
    detail = dict(said["detail"])
    _jobs[detail["restoreJobId"]] = {"tested": said["plan"] is not None, "status": detail["status"], "results": []}
    if said["plan"] is not None:
        detail["restoreTestingPlanArn"] = said["plan"]
    event = {
        "Source": "aws.backup",
        "DetailType": "Restore Job State Change",
        "Detail": json.dumps({**detail, "completionDate": clock.now_iso()}),
        "Resources": said["resources"],
    }
    with request_scope(said["account"], said["region"]):
        eventbridge._put_events({"Entries": [event]}, allow_aws_source=True)
    return {}


def results(said: _Json) -> _Json:
    """What was put to a `job`, the first first."""
    return {"results": _jobs[said["job"]]["results"]}


def _keep(name: str) -> Callable[[str, _Json, str], tuple[str, _Json]]:
    def create(logical_id: str, props: _Json, _stack: str) -> tuple[str, _Json]:
        said = props.get("BackupSelection", props).get(name, logical_id)
        arn = f"arn:aws:backup:{get_region()}:{get_account_id()}:restore-testing-plan:{said}"
        return said, {"RestoreTestingPlanArn": arn} if name == "RestoreTestingPlanName" else {}

    return create


def _again(physical_id: str, _old: _Json, _new: _Json, *_more: Any) -> tuple[str, _Json]:
    return physical_id, {}


def _forget(_physical_id: str, _props: _Json) -> None:
    """There is nothing to forget."""


def _with_results(invoke: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def put_or_invoke(resource: str, said: Any) -> Any:
        if not resource.endswith(_PUT):
            return invoke(resource, said)
        job = _jobs.get(said["RestoreJobId"])
        if job is None:
            raise stepfunctions._ExecutionError("Backup.ResourceNotFoundException", "There is no such job.")
        wrong = set(said) - {"RestoreJobId", "ValidationStatus", "ValidationStatusMessage"}
        if wrong or said["ValidationStatus"] not in _TAKEN:
            raise stepfunctions._ExecutionError("Backup.InvalidParameterValueException", f"Not to be taken: {said}")
        if not job["tested"] or job["status"] != "COMPLETED":
            raise stepfunctions._ExecutionError("Backup.InvalidRequestException", "It is no test that has restored.")
        job["results"].append(dict(said))
        return {}

    return put_or_invoke
