"""A cloud assembly (the folder that `cdk synth` writes) as stacks with an account, a region and a template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tableguard.policy import TableguardError

_MANIFEST: Final = "manifest.json"


class UnusableAssemblyError(TableguardError):
    """A folder or file that cannot be read as a cloud assembly."""


@dataclass(frozen=True, slots=True)
class SynthesizedStack:
    """A stack as it would be deployed, without its nested stacks, which come as stacks of their own.

    Args:
        name: Where it stands: the stack's path in the app; nested stacks are appended with "/".
        account: The 12-digit account id; None where the stack does not say.
        region: The region; None where the stack does not say.
        template: The CloudFormation template.
    """

    name: str
    account: str | None
    region: str | None
    template: Mapping[str, Any]

    def resources(self, *types: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The logical id and the definition of each resource of the given types."""
        for logical_id, resource in self.template.get("Resources", {}).items():
            if isinstance(resource, Mapping) and resource.get("Type") in types:
                yield logical_id, resource


def read_assembly(folder: Path) -> tuple[SynthesizedStack, ...]:
    """Read all stacks of a cloud assembly: those of its stages and nested stacks, too.

    Args:
        folder: The folder that `cdk synth` wrote ("cdk.out").

    Raises:
        UnusableAssemblyError: It is no cloud assembly, or a file of it is missing or broken.
    """
    return tuple(_stacks(folder))


def _stacks(folder: Path) -> Iterator[SynthesizedStack]:
    artifacts = _object(folder / _MANIFEST, "a cloud assembly's manifest").get("artifacts")
    if not isinstance(artifacts, Mapping):
        raise UnusableAssemblyError(
            f"{folder / _MANIFEST} lists no artifacts. Allowed: the folder that `cdk synth` wrote, such as cdk.out."
        )
    for artifact_id, artifact in artifacts.items():
        kind = artifact.get("type") if isinstance(artifact, Mapping) else None
        properties = artifact.get("properties", {}) if isinstance(artifact, Mapping) else {}
        if kind == "cdk:cloud-assembly":
            yield from _stacks(folder / _file(properties, "directoryName", folder))
        elif kind == "aws:cloudformation:stack":
            _, _, place = str(artifact.get("environment", "")).partition("aws://")
            account, _, region = place.partition("/")
            yield from _with_nested(
                folder,
                _file(properties, "templateFile", folder),
                str(artifact.get("displayName", artifact_id)).split(" ")[0],
                None if account.startswith("unknown") or not account else account,
                None if region.startswith("unknown") or not region else region,
            )


def _with_nested(
    folder: Path, file: str, name: str, account: str | None, region: str | None
) -> Iterator[SynthesizedStack]:
    stack = SynthesizedStack(name, account, region, _object(folder / file, "a template"))
    yield stack
    for logical_id, nested in stack.resources("AWS::CloudFormation::Stack"):
        path = nested.get("Metadata", {}).get("aws:asset:path")
        if isinstance(path, str):
            yield from _with_nested(folder, path, f"{name}/{logical_id}", account, region)


def _file(properties: object, key: str, folder: Path) -> str:
    name = properties.get(key) if isinstance(properties, Mapping) else None
    if not isinstance(name, str):
        raise UnusableAssemblyError(f"{folder / _MANIFEST} has an artifact without {key}.")
    return name


def _object(path: Path, what: str) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UnusableAssemblyError(f"{path} cannot be read as {what}: {error.strerror}. Run `cdk synth`.") from None
    except ValueError as error:
        raise UnusableAssemblyError(f"{path} cannot be read as {what}: {error}. Run `cdk synth`.") from None
    if not isinstance(content, Mapping):
        raise UnusableAssemblyError(f"{path} cannot be read as {what}: it holds no JSON object.")
    return content
