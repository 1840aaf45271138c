"""How the machines try again what has failed. Free of aws_cdk.

Each machine says which errors pass and how patient it is; how a retrier is written stands here. With jitter, so that
what failed together does not come back together. Source: Step Functions developer guide, "Handling errors in Step
Functions workflows".
"""

from __future__ import annotations

from tableguard.policy.documents import Json


def retry(*errors: str, attempts: int = 8, interval: int = 2, most: int = 60, rate: float = 2.0) -> Json:
    """A retrier with back-off and jitter.

    Args:
        errors: Names of errors.
        attempts: How often it is tried again.
        interval: Seconds before the first time.
        most: Seconds that a delay has at most.
        rate: What each delay is multiplied by.
    """
    return {
        "ErrorEquals": list(errors),
        "IntervalSeconds": interval,
        "MaxAttempts": attempts,
        "BackoffRate": rate,
        "MaxDelaySeconds": most,
        "JitterStrategy": "FULL",
    }


def never(*errors: str) -> Json:
    """A retrier for what no new attempt can mend; it stands before one that would try it again.

    Args:
        errors: Names of errors.
    """
    return {"ErrorEquals": list(errors), "MaxAttempts": 0}


def at_once(*errors: str, attempts: int) -> Json:
    """A retrier for a worker that has kept what it did and goes on: nobody else is in its way.

    Args:
        errors: Names of errors.
        attempts: How often it goes on.
    """
    return {"ErrorEquals": list(errors), "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": attempts}
