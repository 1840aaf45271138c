"""The names that Step Functions gives to the errors of a task, and of the services that it calls."""

from __future__ import annotations

from typing import Final

TASK_FAILED: Final = ("States.TaskFailed", "States.Timeout")
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
SSM_FAULTS: Final = ("Ssm.ThrottlingException", "Ssm.InternalServerErrorException", "Ssm.SdkClientException")
