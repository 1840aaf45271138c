"""What a worker does about a table that takes nothing more for now: it comes back later, and later each time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import ClientError

from . import storage
from .errors import NotAllowed

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


@contextmanager
def allowed_soon(table: str) -> Iterator[None]:
    """Give a refusal of DynamoDB a name that the machine tries again for: a role may write by the tags of a new table.

    Args:
        table: The table's name.

    Raises:
        NotAllowed: DynamoDB refused what was done within.
    """
    try:
        yield
    except ClientError as error:
        if storage.code_of(error) != "AccessDeniedException":
            raise
        raise NotAllowed(
            f"{error.operation_name} on {table} is not allowed: its tags or the policies say so."
        ) from error
