"""Builds the states that call something: each with retries, an end, and the integration of the machine's partition.

An integration's ARN names the partition. Step Functions ends an execution that comes to a state of another one: "The
resource belongs to a different partition".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tableguard.backup.states.builders import (
    JSONATA,
    JSONPATH,
    catch,
    choice,
    distributed,
    ended,
    expression,
    passing,
)
from tableguard.backup.states.retries import retry
from tableguard.policy.documents import Json

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


@dataclass(frozen=True, slots=True)
class Tasks:
    """Builds tasks for the machines of one partition.

    Args:
        partition: The partition, such as "aws".
    """

    partition: str

    def integration(self, name: str) -> str:
        """The ARN of an integration.

        Args:
            name: What follows "states:::", such as "lambda:invoke".
        """
        return f"arn:{self.partition}:states:::{name}"

    def task(
        self,
        integration: str,
        arguments: Mapping[str, Any] | str,
        *,
        retries: Sequence[Json],
        then: str | None,
        seconds: int = 60,
        catches: Sequence[Json] = (),
        assign: Mapping[str, Any] | None = None,
        output: Any = None,
    ) -> Json:
        """A task in JSONata.

        Args:
            integration: What it calls, such as "aws-sdk:dynamodb:getItem".
            arguments: With what.
            retries: Its retriers.
            then: The next state; the end when None.
            seconds: When it is given up.
            catches: Its catchers.
            assign: Variables that it sets.
            output: What it hands on; the result when None.
        """
        state: Json = {
            "Type": "Task",
            "QueryLanguage": JSONATA,
            "Resource": self.integration(integration),
            "Arguments": arguments,
            "TimeoutSeconds": seconds,
            "Retry": list(retries),
        }
        return ended(state, then, catches=catches, assign=assign, output=output)

    def dynamodb(
        self,
        operation: str,
        arguments: Mapping[str, Any] | str,
        *,
        busy: bool = False,
        new: bool = False,
        **more: Any,
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
        return self.task(f"aws-sdk:dynamodb:{operation}", arguments, retries=retries, **more)

    def reading_tags(self, name: str, arn: str, *, then: str, catches: Sequence[Json] = ()) -> dict[str, Json]:
        """States that read every tag of a table into the variable "tags": DynamoDB answers page by page.

        Args:
            name: The name of the first state, which the others' begin with.
            arn: The table's ARN, as an expression.
            then: The next state.
            catches: The catchers of the call.
        """
        page = self.dynamodb(
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

    def parameter(self, operation: str, arguments: Mapping[str, Any], **more: Any) -> Json:
        """A call of SSM by the SDK integration.

        Args:
            operation: The operation, "getParameter" or "putParameter".
            arguments: Its arguments.
            **more: What `task` takes.
        """
        return self.task(f"aws-sdk:ssm:{operation}", arguments, retries=[retry(*_SSM_FAULTS, "States.Timeout")], **more)

    def metrics(self, namespace: str, data: Sequence[Json] | str, **more: Any) -> Json:
        """A task that puts metrics.

        Args:
            namespace: Their namespace.
            data: The data, or an expression.
            **more: What `task` takes.
        """
        arguments = {"Namespace": namespace, "MetricData": data}
        return self.task("aws-sdk:cloudwatch:putMetricData", arguments, **more)

    def function(
        self, function: str, payload: Mapping[str, Any] | str, *, seconds: int, new: bool = False, **more: Any
    ) -> Json:
        """A call of a Lambda function, whose answer is the result.

        Args:
            function: Its ARN.
            payload: What it is given.
            seconds: When the call is given up: a little more than the function's own timeout.
            new: Whether the function is let by tags that a table may have just got.
            **more: What `task` takes.
        """
        again = [retry(*LAMBDA_FAULTS), retry(*LAMBDA_AGAIN, attempts=100, rate=1.0)]
        return self.task(
            "lambda:invoke",
            {"FunctionName": function, "Payload": payload},
            seconds=seconds,
            retries=more.pop("retries", [*again, *([_until_known(LAMBDA_NOT_YET)] if new else [])]),
            output=more.pop("output", expression("$states.result.Payload")),
            **more,
        )

    def problem(self, function: str, *, then: str) -> Json:
        """What follows a map that failed: the map says no more than that too many of its children did.

        Args:
            function: The ARN of the function that says what the workers have met.
            then: The next state, whose input is what went wrong, `{"Error", "Cause"}`.
        """
        return self.function(
            function,
            expression("$merge([$states.input, {'execution': $states.context.Execution.Name}])"),
            seconds=120,
            then=then,
            catches=[{**catch(then), "Output": expression("$states.input")}],
        )

    def read_file(self, bucket: str, key: str) -> Json:
        """An `ItemReader` of a distributed map: a JSON file of a bucket.

        Args:
            bucket: The bucket's name.
            key: The path of its key, in JSONPath.
        """
        return {
            "Resource": self.integration("s3:getObject"),
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": bucket, "Key.$": key},
        }

    def write_files(self, bucket: str, prefix: Mapping[str, str]) -> Json:
        """A `ResultWriter` of a distributed map: what many children return would not fit into a state.

        Args:
            bucket: The bucket's name.
            prefix: The prefix of the keys: `{"Prefix": text}` or `{"Prefix.$": JSONPath}`.
        """
        return {"Resource": self.integration("s3:putObject"), "Parameters": {"Bucket": bucket, **prefix}}


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
        "QueryLanguage": JSONPATH,
        "Label": label,
        **items,
        **({"ItemSelector": dict(selector)} if selector else {}),
        "MaxConcurrency": concurrency,
        "ToleratedFailureCount": 0,
        "ItemProcessor": distributed(states, start=start),
        "Retry": [retry("States.ItemReaderFailed", attempts=4)],
        **(more or {}),
    }
    return ended(state, then, catches=catches)


def _until_known(*errors: str) -> Json:
    """A retrier for about two minutes: half of the interval each time, on average."""
    return retry(*errors, attempts=12, interval=20, rate=1.0)
