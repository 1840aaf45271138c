"""The states that read a table from end to end, in segments at once."""

from __future__ import annotations

from typing import Final

from tableguard.backup.states.builders import CALL_SECONDS, catch, choice, expression, passing
from tableguard.backup.states.maps import distributed_map
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json

_NO_DIGEST: Final = "0" * 64


def counting(tasks: Tasks, function: str, *, segments: int, then: str, problem: str) -> dict[str, Json]:
    """The states "Segments" and "Digest": they count the table of the variable "table", into the field "counted".

    Args:
        tasks: Builds tasks for the machine's partition.
        function: The ARN of the function that reads one segment.
        segments: In how many segments the table is read.
        then: The next state.
        problem: The state that follows when it fails: a `Tasks.problem`.
    """
    fields = (
        f"'table': $table, 'segment': $, 'segments': {segments}, 'start': null, 'count': 0, 'bytes': 0, "
        f"'digest': '{_NO_DIGEST}', 'execution': $states.context.Execution.Name"
    )
    return {
        "Segments": passing("Digest", output={"segments": expression(f"[[0..{segments - 1}].{{{fields}}}]")}),
        "Digest": distributed_map(
            {
                "DigestSegment": tasks.function(
                    function, expression("$states.input"), seconds=CALL_SECONDS, new=True, then="Read"
                ),
                "Read": choice([("$states.input.done", "Counted")], "DigestSegment"),
                "Counted": passing(None),
            },
            start="DigestSegment",
            label="Segments",
            items={"ItemsPath": "$.segments"},
            concurrency=segments,
            then=then,
            catches=[catch(problem)],
            more={"ResultPath": "$.counted"},
        ),
    }
