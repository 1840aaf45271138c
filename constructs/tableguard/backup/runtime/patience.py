"""What a worker does about a table that takes nothing more for now: it comes back later, and later each time."""

from __future__ import annotations

import random
import time
from typing import Final

from botocore.exceptions import ClientError

from . import storage

_FIRST_PAUSE: Final = 0.05  # seconds
_LONGEST_PAUSE: Final = 10.0
_THROTTLED: Final = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}


def is_throttled(error: ClientError) -> bool:
    """Whether DynamoDB says that the same request may go through later."""
    return storage.code_of(error) in _THROTTLED


def pause(attempt: int) -> None:
    """Wait before another attempt.

    Args:
        attempt: How many there were, one at least.
    """
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
    time.sleep(random.uniform(longest / 2, longest))  # noqa: S311 - spreads the workers, hides nothing
