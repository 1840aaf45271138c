"""The states that read a table from end to end, in segments at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tableguard.backup.restore_states import (
    CALL_SECONDS,
    choice,
    distributed_map,
    expression,
    function_task,
    passing,
)
from tableguard.policy.documents import Json

_NO_DIGEST: Final = "0" * 64


def counting(function: str, *, segments: int, then: str, catches: Sequence[Json] = ()) -> dict[str, Json]:
    """The states "Segments" and "Digest": they count the table of the variable "table", into the field "counted".

    Args:
        function: The ARN of the function that reads one segment.
        segments: In how many segments the table is read.
        then: The next state.
        catches: The catchers.
    """
    fields = (
        f"'table': $table, 'segment': $, 'segments': {segments}, 'start': null, 'count': 0, 'bytes': 0, "
        f"'digest': '{_NO_DIGEST}'"
    )
    return {
        "Segments": passing("Digest", output={"segments": expression(f"[[0..{segments - 1}].{{{fields}}}]")}),
        "Digest": distributed_map(
            {
                "DigestSegment": function_task(
                    function, expression("$states.input"), seconds=CALL_SECONDS, then="Read"
                ),
                "Read": choice([("$states.input.done", "Counted")], "DigestSegment"),
                "Counted": passing(None),
            },
            start="DigestSegment",
            label="Segments",
            items={"ItemsPath": "$.segments"},
            concurrency=segments,
            then=then,
            catches=catches,
            more={"ResultPath": "$.counted"},
        ),
    }
