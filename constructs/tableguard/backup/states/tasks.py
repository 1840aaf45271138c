"""Builds the states that call something: each with retries, an end, and the integration of the machine's partition.

An integration's ARN names the partition. Step Functions ends an execution that comes to a state of another one: "The
resource belongs to a different partition".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tableguard.backup.states.builders import JSONATA, catch, choice, ended, expression, passing
from tableguard.backup.states.errors import (
    DYNAMODB_BUSY,
    DYNAMODB_FAULTS,
    DYNAMODB_NOT_YET,
    LAMBDA_AGAIN,
    LAMBDA_FAULTS,
    LAMBDA_NOT_YET,
    SSM_FAULTS,
)
from tableguard.backup.states.retries import retry, until_known
from tableguard.policy.documents import Json


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
        retries += [until_known(*DYNAMODB_NOT_YET)] if new else []
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
        return self.task(f"aws-sdk:ssm:{operation}", arguments, retries=[retry(*SSM_FAULTS, "States.Timeout")], **more)

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
            retries=more.pop("retries", [*again, *([until_known(LAMBDA_NOT_YET)] if new else [])]),
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
            catches=[catch(then, Output=expression("$states.input"))],
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
