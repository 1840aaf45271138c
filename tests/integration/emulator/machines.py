"""Where the emulated Step Functions differs from AWS in what backups rest on.

- What a state does, it does as the machine's role: DynamoDB and S3 are asked by `binding` and `s3_binding`; functions,
  nested executions, topics and metrics are decided here, by the role's own policies and SCPs.
- Errors of the SDK integrations are named as AWS names them: what the service's model knows by its name, all else
  `DynamoDb.DynamoDbException`. A nested execution that fails is `States.TaskFailed`.
- Fields that the SDK does not know, or knows under another name, fail the state, as on AWS, instead of being dropped.
- A test can kill an execution before it enters a state of the machine itself, not of a Map's or Parallel's.

What still differs: no RedriveExecution; a Distributed Map knows JSONPath alone and no ResultWriter; the machine's own
TimeoutSeconds is not kept; pauses before tries have no jitter, and end at a minute.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

# Its neighbours: run as a script, they have no package.
import binding  # type: ignore[import-not-found]
import faults  # type: ignore[import-not-found]
import s3_binding  # type: ignore[import-not-found]
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

_Json = dict[str, Any]


class _KilledError(SystemExit):
    """Passes through everything that handles errors of states."""


def install() -> None:
    """Wrap what runs executions."""
    stepfunctions._run_execution = _as_its_role(stepfunctions._run_execution)
    stepfunctions._add_event = _unless_killed(stepfunctions._add_event)
    stepfunctions._invoke_resource = _if_allowed(stepfunctions._invoke_resource)
    stepfunctions._invoke_dynamodb = _decided(stepfunctions._invoke_dynamodb)
    stepfunctions._s3_object_text = _read_as_its_role(stepfunctions._s3_object_text)
    stepfunctions._prefix_sdk_error = _error_name
    stepfunctions._nested_execution_failure = _nested_failure
    stepfunctions._sdk_json_params = _checked(stepfunctions._sdk_json_params)


def _as_its_role(run: Callable[[str], None]) -> Callable[[str], None]:
    def run_as_its_role(arn: str) -> None:
        execution = stepfunctions._executions[arn]
        machine = stepfunctions._state_machines[execution["stateMachineArn"]]
        token = binding.acting.set(binding.session_of(machine["roleArn"], execution["name"][:64]))
        try:
            run(arn)
        except _KilledError:
            pass
        finally:
            binding.acting.reset(token)

    return run_as_its_role


def _unless_killed(add: Callable[..., _Json]) -> Callable[..., _Json]:
    def add_unless_killed(execution: _Json, kind: str, details: _Json | None = None) -> _Json:
        if kind.endswith("StateEntered") and details:
            name = details["stateEnteredEventDetails"]["name"]
            machine = execution["stateMachineArn"].rpartition(":")[2]
            if faults.due("states:Execution", f"{machine}/{name}", "kill"):
                stepfunctions._stop_execution(
                    {"executionArn": execution["executionArn"], "error": "Killed", "cause": faults.SAID}
                )
                raise _KilledError
        return add(execution, kind, details)

    return add_unless_killed


def _if_allowed(invoke: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def invoke_if_allowed(resource: str, said: Any) -> Any:
        who = binding.acting.get()
        for action, on, keys in _asked(resource, said) if who else ():
            try:
                context = {"aws:RequestedRegion": get_region(), **keys}
                binding.decide(who, action, on, owner=_owner(on), context=context)
            except binding.DeniedError as denied:
                raise stepfunctions._ExecutionError("States.Permissions", f"{denied} (tableguard's)") from None
        return invoke(resource, said)

    return invoke_if_allowed


def _asked(resource: str, said: Any) -> Iterator[tuple[str, str, _Json]]:
    account = f"{get_region()}:{get_account_id()}"
    function = stepfunctions._extract_lambda_ref(resource)
    if "lambda:invoke" in resource.lower():
        function = said.get("FunctionName")
    if function:
        arn = function if ":" in function else f"arn:aws:lambda:{account}:function:{function}"
        yield "lambda:InvokeFunction", arn, {}
    elif "states:startExecution" in resource or "aws-sdk:sfn:startExecution" in resource:
        yield "states:StartExecution", said["StateMachineArn"], {}
    elif resource.endswith(("sns:publish",)) and "TopicArn" in said:
        yield "sns:Publish", said["TopicArn"], {}
    elif resource.endswith("cloudwatch:putMetricData"):
        yield "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": said["Namespace"]}
    elif resource.endswith("backup:putRestoreValidationResult"):
        yield "backup:PutRestoreValidationResult", "*", {}


def _owner(resource: str) -> str:
    return get_account_id() if resource == "*" else resource.split(":")[4]


def _decided(invoke: Callable[[str, _Json], Any]) -> Callable[[str, _Json], Any]:
    """The optimized integration goes past the service's front door, where the others are decided."""

    def invoke_if_allowed(operation: str, said: _Json) -> Any:
        action = operation[0].upper() + operation[1:]
        wrong = faults.error(f"dynamodb:{action}", said)
        if wrong:
            raise stepfunctions._ExecutionError(f"DynamoDB.{wrong[1]}", wrong[2])
        try:
            headers = {"x-amz-target": f"DynamoDB_20120810.{action}"}
            binding.check_request("POST", headers, json.dumps(said).encode(), {})
        except binding.DeniedError as denied:
            raise stepfunctions._ExecutionError("DynamoDB.AccessDeniedException", str(denied)) from None
        return invoke(operation, said)

    return invoke_if_allowed


def _read_as_its_role(read: Callable[[str, str], str]) -> Callable[[str, str], str]:
    def read_if_allowed(bucket: str, key: str) -> str:
        who = binding.acting.get()
        if who and s3_binding.is_on():
            try:
                s3_binding.decide(who, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", {})
            except binding.DeniedError as denied:
                raise stepfunctions._ExecutionError("States.ItemReaderFailed", f"{denied} (tableguard's)") from None
        return read(bucket, key)

    return read_if_allowed


def _error_name(service: str, code: str) -> str:
    if code.startswith("States."):
        return code
    name = code.rpartition("#")[2]
    info = stepfunctions._AWS_SDK_SERVICE_MAP.get(service, {})
    prefix = stepfunctions._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
    name = name.removeprefix(f"{prefix}.")
    model = stepfunctions._service_model(info.get("service_key", service)) if info.get("protocol") == "json" else None
    if model is not None and name not in model.shape_names:
        name = f"{prefix}Exception"
    return f"{prefix}.{name}"


def _nested_failure(told: _Json) -> tuple[str, str]:
    # With the names that a machine's input and output have for them: not those of the API.
    said = {name[0].upper() + name[1:]: value for name, value in told.items() if value is not None}
    return "States.TaskFailed", json.dumps(said)


def _checked(to_wire: Callable[..., Any]) -> Callable[..., Any]:
    def check_and_rename(info: _Json, service: str, action: str, said: Any) -> Any:
        model = stepfunctions._service_model(service)
        if model is not None and action in model.operation_names:
            shape = model.operation_model(action).input_shape
            for wrong, known in _unknown(said or {}, shape):
                raise stepfunctions._ExecutionError(
                    "States.Runtime", f"The field {wrong!r} is not supported by Step Functions; known are {known}"
                )
        return to_wire(info, service, action, said)

    return check_and_rename


def _unknown(said: Any, shape: Any) -> Iterator[tuple[str, list[str]]]:
    if shape.type_name == "structure" and isinstance(said, dict):
        names = {
            stepfunctions._SDK_MEMBER_NAME_OVERRIDES.get(
                (shape.name, name), stepfunctions._api_name_to_sfn_key(name)
            ): of
            for name, of in shape.members.items()
        }
        for name, value in said.items():
            if name in names:
                yield from _unknown(value, names[name])
            else:
                yield name, sorted(names)
    elif shape.type_name == "list" and isinstance(said, list):
        for value in said:
            yield from _unknown(value, shape.member)
    elif shape.type_name == "map" and isinstance(said, dict):
        for value in said.values():
            yield from _unknown(value, shape.value)
