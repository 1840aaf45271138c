"""Runs a definition of a state machine: its expressions by JSONata itself, its tasks by whatever a test puts there.

For machines of states in JSONata, and of maps, which a test answers like tasks. There are no retries: a task or a map
either answers or has failed for good.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
Evaluate: TypeAlias = Callable[[str, Json], Any]

_ENVIRONMENT = Path(__file__).resolve().parents[3] / ".venv"
_MOST_STATES = 500
# What Step Functions adds to JSONata, as far as it is used here.
_EVALUATE = """
const jsonata = require(process.argv[1]), crypto = require("crypto");
require("readline").createInterface({ input: process.stdin }).on("line", async (line) => {
  const { expression, variables } = JSON.parse(line);
  try {
    const asked = jsonata(expression);
    asked.registerFunction("parse", (text) => JSON.parse(text));
    asked.registerFunction("hash", (text, by) => crypto.createHash(by.replace("-", "")).update(text).digest("hex"));
    console.log(JSON.stringify({ value: await asked.evaluate({}, variables) }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
});
"""


class TaskError(Exception):
    """What a task ends with.

    Args:
        error: The name of the error, as Step Functions has it.
        cause: What is said of it.
    """

    def __init__(self, error: str, cause: str = "made to fail") -> None:
        super().__init__(error)
        self.error, self.cause = error, cause


@contextmanager
def jsonata() -> Iterator[Evaluate]:
    """Evaluates expressions, each with its variables, for as long as it is held."""
    command: list[str | Path] = [
        _ENVIRONMENT / "bin/node",
        "--eval",
        _EVALUATE,
        _ENVIRONMENT / "cli/node_modules/jsonata",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        asking, telling = node.stdin, node.stdout

        def evaluate(expression: str, variables: Json) -> Any:
            asking.write(json.dumps({"expression": expression, "variables": variables}) + "\n")
            asking.flush()
            said = json.loads(telling.readline())
            # As in Step Functions, an expression that gives nothing is an error.
            assert "value" in said, (expression, said)
            return said["value"]

        yield evaluate
        asking.close()


@dataclass
class Machine:
    """A machine, and the clock that it runs by.

    Args:
        definition: Its definition.
        evaluate: What evaluates its expressions.
        task: What a task answers, by the last part of its resource and its arguments.
        now: The time; waiting moves it.
        variables: What is set already, where a run begins in the middle.
    """

    definition: Json
    evaluate: Evaluate
    task: Callable[[str, Json], Any]
    now: datetime
    variables: Json = field(default_factory=dict)

    def run(self, given: Json, *, name: str = "run") -> tuple[bool, Any]:
        """Whether it succeeded; its output, or its error and cause."""
        state_input, next_ = given, self.definition["StartAt"]
        self._execution = {"Name": name, "Id": f"arn:{name}", "StartTime": self._time(), "Input": given}
        for _ in range(_MOST_STATES):
            state = self.definition["States"][next_]
            if state["Type"] == "Succeed":
                return True, state_input
            if state["Type"] == "Fail":
                said = self._states(state_input)
                return False, {part: self._worked_out(state[part], said) for part in ("Error", "Cause")}
            state_input, next_ = self._step(state, state_input)
            if next_ is None:
                return True, state_input
        raise AssertionError(f"It is still running, in {next_}.")

    def _step(self, state: Json, given: Any) -> tuple[Any, str | None]:
        said = self._states(given)
        if state["Type"] == "Wait":
            self.now += timedelta(seconds=state["Seconds"])
        if state["Type"] == "Choice":
            rules = (rule for rule in state["Choices"] if self._worked_out(rule["Condition"], said))
            return self._led(next(rules, {"Next": state["Default"]}), said, given)
        if state["Type"] in {"Task", "Map"}:
            try:
                said["result"] = self._done(state, given, said)
            except TaskError as failed:
                said["errorOutput"] = {"Error": failed.error, "Cause": failed.cause}
                for caught in state.get("Catch", ()):
                    if {failed.error, "States.ALL"} & set(caught["ErrorEquals"]):
                        return self._led(caught, said, said["errorOutput"])
                raise
        assert state["Type"] in {"Pass", "Task", "Map", "Wait"}, state["Type"]
        return self._led(state, said, given if state.get("ResultPath", "$") is None else said.get("result", given))

    def _done(self, state: Json, given: Any, said: Json) -> Any:
        """What a task answers, by the last part of its resource, or a map, by its input."""
        if state["Type"] == "Map":
            return self.task("map", given)
        return self.task(state["Resource"].rpartition(":")[2], self._worked_out(state["Arguments"], said))

    def _led(self, way: Json, said: Json, output: Any) -> tuple[Any, str | None]:
        """Output and next state of a state, a rule or a catcher: variables are those from before it."""
        output = self._worked_out(way["Output"], said) if "Output" in way else output
        self.variables = {**self.variables, **self._worked_out(way.get("Assign", {}), said)}
        return output, way.get("Next")

    def _states(self, given: Any) -> Json:
        context = {"Execution": self._execution, "State": {"EnteredTime": self._time()}}
        return {"input": given, "context": context}

    def _time(self) -> str:
        return self.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def _worked_out(self, value: Any, said: Json) -> Any:
        if isinstance(value, dict):
            return {name: self._worked_out(one, said) for name, one in value.items()}
        if isinstance(value, list):
            return [self._worked_out(one, said) for one in value]
        if isinstance(value, str) and value.startswith("{%"):
            return self.evaluate(value[2:-2], {**self.variables, "states": said})
        return value
