"""A fixed piece of work in plain Python: the other side of what nothing else does, so that machines can be compared."""

from __future__ import annotations

import json
import resource
import time
from typing import Final

_ROUNDS: Final = 200
_STATEMENTS: Final = 1_000


def figures() -> dict[str, float]:
    """Seconds of the processor for the work, and the peak of memory in megabytes of a process that does it."""
    start = time.process_time()
    for _ in range(_ROUNDS):
        statements = [
            {"Effect": "Allow", "Action": [f"dynamodb:Get{each}", "dynamodb:Query"], "Resource": f"table/{each}"}
            for each in range(_STATEMENTS)
        ]
        by_resource = {str(statement["Resource"]).partition("/")[2]: statement for statement in statements}
        ordered = sorted(by_resource, key=lambda name: (len(name), name[::-1]))
        if len(json.loads(json.dumps(statements))) != len(ordered):
            raise AssertionError("The work was not done.")
    seconds = time.process_time() - start
    return {"processor": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
