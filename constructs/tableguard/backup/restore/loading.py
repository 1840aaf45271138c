"""The states of a restore that write the items: step by step of the chain, and the files of a step at once."""

from __future__ import annotations

from typing import Final

from tableguard.backup.states.builders import CALL_SECONDS, catch, choice, expression, passing
from tableguard.backup.states.maps import distributed_map, inline_map
from tableguard.backup.states.tasks import Tasks
from tableguard.policy.documents import Json

RESULTS: Final = "results"


def loading(tasks: Tasks, function: str, *, problem: str, work_bucket: str, files_at_once: int) -> dict[str, Json]:
    """The state "Steps", which goes on to "Segments"; what fails leaves to "Incomplete", by way of "Problem".

    Args:
        tasks: Builds tasks for the machine's partition.
        function: The ARN of the function that writes one file of an export.
        problem: The ARN of the function that says what the workers have met.
        work_bucket: The name of the work bucket.
        files_at_once: How many files are loaded at the same time.
    """
    item = "$states.context.Map.Item.Value"
    load = tasks.function(
        function,
        {name: expression(f"$states.input.{name}") for name in ("file", "table", "type", "after", "execution")},
        seconds=CALL_SECONDS,
        new=True,
        then="Loaded",
        output=expression("$merge([$states.input, $states.result.Payload])"),
    )
    files = distributed_map(
        {
            "Load": load,
            "Loaded": choice([("$states.input.done", "Done")], "Load"),
            "Done": passing(None, output={}),
        },
        start="Load",
        label="Files",
        items={
            "ItemReader": tasks.read_file(work_bucket, "$.key"),
        },
        selector={
            "file.$": "$$.Map.Item.Value",
            "after": 0,
            **{f"{name}.$": f"$.{name}" for name in ("table", "type", "execution")},
        },
        concurrency=files_at_once,
        then=None,
        more={
            # What the children return would not fit into a state for many files: it goes to the work bucket.
            "ResultWriter": tasks.write_files(work_bucket, {"Prefix": RESULTS}),
            "ResultPath": None,
        },
    )
    return {
        # In order, one after the other: an increment says what became of what the steps before it have written.
        "Steps": inline_map(
            expression("$steps"),
            {
                "Any": choice([("$states.input.files > 0", "Files")], "Nothing"),
                "Files": files,
                "Nothing": passing(None, output={}),
            },
            start="Any",
            concurrency=1,
            selector={
                "key": expression(f"{item}.key"),
                "files": expression(f"{item}.files"),
                "type": expression(f"{item}.type"),
                "table": expression("$table"),
                "execution": expression("$states.context.Execution.Name"),
            },
            catches=[catch("Problem")],
            output={},
            then="Segments",
        ),
        "Problem": tasks.problem(problem, then="Incomplete"),
    }
