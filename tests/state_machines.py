"""Whether definitions of state machines are what Step Functions takes: asl-validator's word, and JSONata's parser's."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_ENVIRONMENT = Path(__file__).resolve().parents[1] / ".venv"
_MODULES = _ENVIRONMENT / "cli/node_modules"

_TEMPLATES = {"Arguments", "Assign", "Output"}
# asl-validator leaves expressions alone; the parser that it ships says what is none.
_PARSE = """
const jsonata = require(process.argv[1]);
for (const expression of JSON.parse(require("fs").readFileSync(0))) {
  try { jsonata(expression); } catch (error) { console.log(`${error.code}: ${error.message} in ${expression}`); }
}
"""


def problems(definition: Mapping[str, Any]) -> list[str]:
    """What is wrong with a definition; nothing when it is valid.

    Looked at are states, the fields of either query language, targets of transitions, the syntax of paths and of
    JSONata, and the shape of ARNs. Unknown are the parameters of an integration and what a machine's role may do.

    Args:
        definition: The definition, with its ARNs resolved.
    """
    return [*_misshapen(definition), *_unparsable(definition)]


def valid_state_machine(definition: Mapping[str, Any]) -> bool:
    """Whether a definition is valid; the assertion that it is says what is wrong.

    Args:
        definition: As for `problems`.
    """
    found = problems(definition)
    assert found == []
    return True


def _misshapen(definition: Mapping[str, Any]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "definition.json"
        path.write_text(json.dumps(_tamed(definition)))
        done = _node(_MODULES / "asl-validator/dist/bin/asl-validator.js", "--json-path", path)
    if done.returncode == 0:
        return []
    said = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    return [line for line in said if line and not line.endswith("is invalid:")] or ["the validator did not run"]


def _tamed(said: Any, *, template: bool = False) -> Any:
    """Without what asl-validator does not take and Step Functions does: empty values, expressions of many lines."""
    if isinstance(said, Mapping):
        return {name: _tamed(value, template=template or name in _TEMPLATES) for name, value in said.items()}
    if isinstance(said, list):
        return [_tamed(value, template=template) for value in said]
    if isinstance(said, str) and said.startswith("{%"):
        return said.replace("\n", " ")
    return "empty" if template and said == "" else said


def _unparsable(definition: Mapping[str, Any]) -> list[str]:
    expressions = list(_expressions(definition))
    if not expressions:
        return []
    done = _node("--eval", _PARSE, _MODULES / "jsonata", given=json.dumps(expressions))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _expressions(said: Any) -> Iterator[str]:
    if isinstance(said, str) and said.startswith("{%") and said.endswith("%}"):
        yield said[2:-2]
    elif isinstance(said, Mapping):
        for value in said.values():
            yield from _expressions(value)
    elif isinstance(said, list):
        for value in said:
            yield from _expressions(value)


def _node(*words: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(word) for word in (_ENVIRONMENT / "bin/node", *words)]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)
