"""Builders for the states of the machines that restore and drill: pure dicts, each task with retries and an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tableguard.backup.states.retries import retry
from tableguard.policy.documents import Json

JSONATA: Final = "JSONata"
# Source: Step Functions developer guide, "Handling errors in Step Functions workflows" and "Best practices".
LAMBDA_FAULTS: Final = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    # The function's process died: every worker may be run again.
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "States.Timeout",
)
# What the workers raise when they have not come to an end, having kept what they did.
LAMBDA_AGAIN: Final = ("Throttled", "Unfinished")
DYNAMODB_FAULTS: Final = (
    "DynamoDb.ThrottlingException",
    "DynamoDb.RequestLimitExceededException",
    "DynamoDb.LimitExceededException",
    "DynamoDb.InternalServerErrorException",
    "DynamoDb.SdkClientException",
    "States.Timeout",
)
# While a table is being created or changed, and until what was just made is known everywhere.
DYNAMODB_BUSY: Final = (
    "DynamoDb.ResourceInUseException",
    "DynamoDb.ResourceNotFoundException",
    "DynamoDb.ContinuousBackupsUnavailableException",
    "DynamoDb.PolicyNotFoundException",
)
# Rights that follow from the tags of a new table: tags are eventually consistent. Which name Step Functions has for a
# refusal is not documented; the second is that of every error that the SDK has no class for.
DYNAMODB_NOT_YET: Final = ("DynamoDb.AccessDeniedException", "DynamoDb.DynamoDbException")
LAMBDA_NOT_YET: Final = "NotAllowed"
# By the service's own name of the error as well: which of the two Step Functions says is not documented.
NO_PARAMETER: Final = ("Ssm.ParameterNotFoundException", "Ssm.ParameterNotFound")
_SSM_FAULTS: Final = ("Ssm.ThrottlingException", "Ssm.InternalServerErrorException", "Ssm.SdkClientException")
CALL_SECONDS: Final = 960  # a call of a function is given up: the longest that one runs, and a minute


def expression(text: str) -> str:
    """A JSONata expression as a state's field has it."""
    return f"{{% {text} %}}"


def catch(target: str, *errors: str) -> Json:
    """A catcher; of everything when no error is named."""
    return {"ErrorEquals": list(errors) or ["States.ALL"], "Next": target}


def task(
    resource: str,
    arguments: Mapping[str, Any] | str,
    *,
    seconds: int,
    retries: Sequence[Json],
    then: str | None,
    catches: Sequence[Json] = (),
    assign: Mapping[str, Any] | None = None,
    output: Any = None,
) -> Json:
    """A task in JSONata.

    Args:
        resource: What it calls.
        arguments: With what.
        seconds: When it is given up.
        retries: Its retriers.
        then: The next state; the end when None.
        catches: Its catchers.
        assign: Variables that it sets.
        output: What it hands on; the result when None.
    """
    state: Json = {
        "Type": "Task",
        "QueryLanguage": JSONATA,
        "Resource": resource,
        "Arguments": arguments,
        "TimeoutSeconds": seconds,
        "Retry": list(retries),
    }
    return _ended(state, then, catches, assign, output)


def dynamodb_task(
    operation: str, arguments: Mapping[str, Any] | str, *, busy: bool = False, new: bool = False, **more: Any
) -> Json:
    """A call of DynamoDB by the SDK integration.

    Args:
        operation: The operation, such as "createTable".
        arguments: Its arguments.
        busy: Whether to wait, too, while the table is busy or not yet known.
        new: Whether it is allowed by tags that a table may have just got.
        **more: What `task` takes.
    """
    retries = [retry(*DYNAMODB_FAULTS), *([retry(*DYNAMODB_BUSY, attempts=20, interval=5)] if busy else [])]
    retries += [_until_known(*DYNAMODB_NOT_YET)] if new else []
    return task(f"arn:aws:states:::aws-sdk:dynamodb:{operation}", arguments, seconds=60, retries=retries, **more)


def _until_known(*errors: str) -> Json:
    """A retrier for about two minutes: half of the interval each time, on average."""
    return retry(*errors, attempts=12, interval=20, rate=1.0)


def reading_tags(name: str, arn: str, *, then: str, catches: Sequence[Json] = ()) -> dict[str, Json]:
    """States that read every tag of a table into the variable "tags": DynamoDB answers page by page.

    Args:
        name: The name of the first state, which the others' begin with.
        arn: The table's ARN, as an expression.
        then: The next state.
        catches: The catchers of the call.
    """
    page = dynamodb_task(
        "listTagsOfResource",
        expression(f"$merge([{{'ResourceArn': {arn}}}, $next = '' ? {{}} : {{'NextToken': $next}}])"),
        then=f"{name}More",
        catches=catches,
        assign={
            "tags": expression("$append($tags, $states.result.Tags)"),
            "next": expression("$exists($states.result.NextToken) ? $states.result.NextToken : ''"),
        },
        output={},
    )
    return {
        name: passing(f"{name}Page", assign={"tags": [], "next": ""}, output={}),
        f"{name}Page": page,
        f"{name}More": choice([("$next != ''", f"{name}Page")], then),
    }


def parameter_task(operation: str, arguments: Mapping[str, Any], **more: Any) -> Json:
    """A call of SSM by the SDK integration.

    Args:
        operation: The operation, "getParameter" or "putParameter".
        arguments: Its arguments.
        **more: What `task` takes.
    """
    retries = [retry(*_SSM_FAULTS, "States.Timeout")]
    return task(f"arn:aws:states:::aws-sdk:ssm:{operation}", arguments, seconds=60, retries=retries, **more)


def function_task(
    function: str, payload: Mapping[str, Any] | str, *, seconds: int, new: bool = False, **more: Any
) -> Json:
    """A call of a Lambda function, whose answer is the result.

    Args:
        function: Its ARN.
        payload: What it is given.
        seconds: When the call is given up: a little more than the function's own timeout.
        new: Whether the function is let by tags that a table may have just got.
        **more: What `task` takes.
    """
    output = more.pop("output", expression("$states.result.Payload"))
    return task(
        "arn:aws:states:::lambda:invoke",
        {"FunctionName": function, "Payload": payload},
        seconds=seconds,
        retries=[
            retry(*LAMBDA_FAULTS),
            retry(*LAMBDA_AGAIN, attempts=100, rate=1.0),
            *([_until_known(LAMBDA_NOT_YET)] if new else []),
        ],
        output=output,
        **more,
    )


def problem_task(function: str, *, then: str) -> Json:
    """What follows a map that failed: the map says no more than that too many of its children did.

    Args:
        function: The ARN of the function that says what the workers have met.
        then: The next state, whose input is what went wrong, `{"Error", "Cause"}`.
    """
    return function_task(
        function,
        expression("$merge([$states.input, {'execution': $states.context.Execution.Name}])"),
        seconds=120,
        then=then,
        catches=[{**catch(then), "Output": expression("$states.input")}],
    )


def choice(rules: Sequence[tuple[str, str]], otherwise: str) -> Json:
    """A choice in JSONata.

    Args:
        rules: Conditions, each with the state that follows where it holds.
        otherwise: The state that follows where none does.
    """
    return {
        "Type": "Choice",
        "QueryLanguage": JSONATA,
        "Choices": [{"Condition": expression(condition), "Next": target} for condition, target in rules],
        "Default": otherwise,
    }


def wait(seconds: int, then: str) -> Json:
    """A pause."""
    return {"Type": "Wait", "QueryLanguage": JSONATA, "Seconds": seconds, "Next": then}


def passing(then: str | None, *, assign: Mapping[str, Any] | None = None, output: Any = None) -> Json:
    """A state that computes."""
    return _ended({"Type": "Pass", "QueryLanguage": JSONATA}, then, (), assign, output)


def fail(error: str, cause: str) -> Json:
    """An end that says what went wrong: a text, or an expression."""
    return {"Type": "Fail", "QueryLanguage": JSONATA, "Error": error, "Cause": cause}


def distributed_map(
    states: Mapping[str, Json],
    *,
    start: str,
    label: str,
    items: Mapping[str, Any],
    concurrency: int,
    then: str | None,
    catches: Sequence[Json] = (),
    selector: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Json:
    """A map whose items are executions of their own; in JSONPath, since readers and writers are the same in both.

    Args:
        states: The states of each child.
        start: The first of them.
        label: What its runs are named by, which is part of their ARNs.
        items: Where the items come from: an `ItemReader`, or an `ItemsPath`.
        concurrency: How many children run at once.
        then: The next state; the end when None.
        catches: Its catchers.
        selector: What each child is given; the item when None.
        more: Further fields.
    """
    state: Json = {
        "Type": "Map",
        "QueryLanguage": "JSONPath",
        "Label": label,
        **items,
        **({"ItemSelector": dict(selector)} if selector else {}),
        "MaxConcurrency": concurrency,
        "ToleratedFailureCount": 0,
        "ItemProcessor": {
            # Standard: a file takes as many rounds as it needs, and an Express execution ends after five minutes.
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": start,
            "States": dict(states),
        },
        "Retry": [retry("States.ItemReaderFailed", attempts=4)],
        **(more or {}),
    }
    return _ended(state, then, catches, None, None)


def _ended(
    state: Json, then: str | None, catches: Sequence[Json], assign: Mapping[str, Any] | None, output: Any
) -> Json:
    if catches:
        state["Catch"] = list(catches)
    if assign:
        state["Assign"] = dict(assign)
    if output is not None:
        state["Output"] = output
    return {**state, **({"End": True} if then is None else {"Next": then})}
