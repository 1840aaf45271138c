"""Compares what is in the accounts with what the templates ask for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from scripts.deployment.found import Found
from scripts.deployment.report import Report
from scripts.deployment.wanted import Properties, Wanted

_MOST = 160  # characters of a value in a message


def read_back(assembly: Path, found: Found, report: Report) -> None:
    """Check every property of every resource, and every output: one check for a resource or a document.

    Args:
        assembly: What was deployed.
        found: Reads the accounts.
        report: Hears of the checks.
    """
    wanted = Wanted(assembly, found.physical_ids)
    for resource in wanted.resources:
        try:
            properties = found.of(resource)
        except (ClientError, ValueError) as error:
            report.check(f"{resource.label} is there", [str(error)])
            continue
        for what, names in _grouped(resource.properties).items():
            report.check(f"{resource.label}: {what}", list(_differences(resource.properties, properties, names)))
    for stack in wanted.stacks:
        outputs = wanted.outputs(stack)
        if outputs:
            report.check(
                f"{stack.name}: outputs {', '.join(outputs)}",
                list(_differences(outputs, found.outputs(stack), list(outputs))),
            )


def _grouped(properties: Properties) -> Mapping[str, list[str]]:
    """One line for each document, and for what somebody might want to hear of; the plain rest in one."""
    alone = [name for name in properties if name in _ALONE]
    rest = [name for name in properties if name not in _ALONE]
    groups = {name: [name] for name in alone}
    return {**groups, **({", ".join(rest): rest} if rest else {})}


_ALONE = (
    "policy",
    "policy of the stream",
    "policies",
    "trust",
    "definition",
    "object lock",
    "replication",
    "lifecycle",
    "encryption with",
    "deletion protection",
    "point-in-time recovery",
    "days that one can go back",
)


def _differences(wanted: Properties, found: Properties, names: list[str]) -> Iterator[str]:
    for name in names:
        asked, is_there = wanted.get(name), found.get(name)
        if asked != is_there:
            yield f"{name}: asked for {_short(asked)}, there is {_short(is_there)}"


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
