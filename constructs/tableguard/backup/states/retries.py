"""How the machines try again what has failed. Free of aws_cdk.

Each machine says which errors pass and how patient it is; how a retrier is written stands here. With jitter, so that
what failed together does not come back together. Source: Step Functions developer guide, "Handling errors in Step
Functions workflows".
"""

from __future__ import annotations

from tableguard.backup.states.errors import TASK_FAILED
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


def until_known(*errors: str) -> Json:
    """A retrier for about two minutes: half of the interval each time, on average.

    Args:
        errors: Names of errors.
    """
    return retry(*errors, attempts=12, interval=20, rate=1.0)


def retried(*errors: str, final: str | None = None) -> list[Json]:
    """Retriers of a call that may wait: six attempts, with delays that grow to at most five minutes.

    Args:
        errors: The errors; every one when left out.
        final: An error that no new attempt can mend.
    """
    again = retry(*(errors or TASK_FAILED), attempts=6, interval=5, most=300, rate=2.5)
    return [*([never(final)] if final else []), again]
