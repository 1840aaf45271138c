"""Whether definitions of state machines are what Step Functions takes: asl-validator's word, and JSONata's parser's."""

from __future__ import annotations

import atexit
import functools
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

_ENVIRONMENT = Path(__file__).resolve().parents[1] / ".venv"
_MODULES = _ENVIRONMENT / "cli/node_modules"

_TEMPLATES = {"Arguments", "Assign", "Output"}
# asl-validator leaves expressions alone; the parser that it ships says what is none.
_LOOK = """
const [validate, jsonata] = [require(process.argv[1]), require(process.argv[2])];
const check = { checkArn: true, checkPaths: true };
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { tamed, expressions } = JSON.parse(line), found = [];
  try {
    const { isValid, errorsText } = validate(tamed, check);
    if (!isValid) found.push(...(errorsText() || "it does not say why").split("\\n"));
  } catch (error) { found.push(`the validator ended: ${error}`); }
  for (const expression of expressions) {
    try { jsonata(expression); } catch (error) { found.push(`${error.code}: ${error.message} in ${expression}`); }
  }
  console.log(JSON.stringify(found));
});
"""


def problems(definition: Mapping[str, Any]) -> list[str]:
    """What is wrong with a definition; nothing when it is valid.

    Looked at are states, the fields of either query language, targets of transitions, the syntax of paths and of
    JSONata, and the shape of ARNs. Unknown are the parameters of an integration and what a machine's role may do.

    Args:
        definition: The definition, with its ARNs resolved.
    """
    told = _node()
    told.stdin.write(json.dumps({"tamed": _tamed(definition), "expressions": list(_expressions(definition))}) + "\n")
    told.stdin.flush()
    found: list[str] = json.loads(told.stdout.readline())
    return [line.strip() for line in found]


def valid_state_machine(definition: Mapping[str, Any]) -> bool:
    """Whether a definition is valid; the assertion that it is says what is wrong.

    Args:
        definition: As for `problems`.
    """
    found = problems(definition)
    assert found == []
    return True


def _tamed(said: Any, *, template: bool = False) -> Any:
    """Without what asl-validator does not take and Step Functions does: empty values, expressions of many lines."""
    if isinstance(said, Mapping):
        return {name: _tamed(value, template=template or name in _TEMPLATES) for name, value in said.items()}
    if isinstance(said, list):
        return [_tamed(value, template=template) for value in said]
    if isinstance(said, str) and said.startswith("{%"):
        return said.replace("\n", " ")
    return "empty" if template and said == "" else said


def _expressions(said: Any) -> Iterator[str]:
    if isinstance(said, str) and said.startswith("{%") and said.endswith("%}"):
        yield said[2:-2]
    elif isinstance(said, Mapping):
        for value in said.values():
            yield from _expressions(value)
    elif isinstance(said, list):
        for value in said:
            yield from _expressions(value)


class _Node(NamedTuple):
    stdin: IO[str]
    stdout: IO[str]


@functools.cache
def _node() -> _Node:
    """One for all definitions: starting it takes longer than looking at one of them."""
    command: list[str | Path] = [
        _ENVIRONMENT / "bin/node",
        "--eval",
        _LOOK,
        _MODULES / "asl-validator",
        _MODULES / "jsonata",
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)
    assert process.stdin
    assert process.stdout
    return _Node(process.stdin, process.stdout)
