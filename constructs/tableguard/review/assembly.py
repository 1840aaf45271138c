"""A cloud assembly (the folder that `cdk synth` writes) as stacks with an account, a region and a template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tableguard.policy import TableguardError

_MANIFEST: Final = "manifest.json"


class UnusableAssemblyError(TableguardError):
    """A folder or file that cannot be read as a cloud assembly or as a template."""


@dataclass(frozen=True, slots=True)
class SynthesizedStack:
    """A stack as it would be deployed, without its nested stacks, which come as stacks of their own.

    Args:
        name: Where it stands: the stack's path in the app; nested stacks are appended with "/".
        account: The 12-digit account id; None where the stack does not say.
        region: The region; None where the stack does not say.
        template: The CloudFormation template.
        stack_name: The name that CloudFormation knows it by; None for a nested stack, which gets one at deployment.
        parent: The stack that a nested stack hangs in.
        nested_as: The logical id of the nested stack in its parent.
    """

    name: str
    account: str | None
    region: str | None
    template: Mapping[str, Any] = field(repr=False)
    stack_name: str | None = None
    parent: SynthesizedStack | None = None
    nested_as: str | None = None

    def resources(self, *types: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The logical id and the definition of each resource of the given types; of all resources without a type."""
        resources = self.template.get("Resources")
        for logical_id, resource in resources.items() if isinstance(resources, Mapping) else ():
            if isinstance(resource, Mapping) and (not types or resource.get("Type") in types):
                yield logical_id, resource


def read_assembly(folder: Path) -> tuple[SynthesizedStack, ...]:
    """Read all stacks of a cloud assembly: those of its stages and nested stacks, too.

    Args:
        folder: The folder that `cdk synth` wrote ("cdk.out").

    Raises:
        UnusableAssemblyError: It is no cloud assembly, or a file of it is missing or broken.
    """
    return tuple(_stacks(folder))


def read_template(file: Path, *, account: str, region: str) -> tuple[SynthesizedStack, ...]:
    """Read one CloudFormation template in JSON, as one stack.

    Args:
        file: The template.
        account: The 12-digit id of the account that it is deployed into.
        region: The region that it is deployed into.

    Raises:
        UnusableAssemblyError: It is no template, or broken.
    """
    template = _object(file, "a template")
    if not isinstance(template.get("Resources"), Mapping):
        raise UnusableAssemblyError(f"{file} has no Resources. Allowed: a CloudFormation template in JSON.")
    return (SynthesizedStack(file.stem.removesuffix(".template"), account, region, template, stack_name=file.stem),)


def _stacks(folder: Path) -> Iterator[SynthesizedStack]:
    artifacts = _object(folder / _MANIFEST, "a cloud assembly's manifest").get("artifacts")
    if not isinstance(artifacts, Mapping):
        raise UnusableAssemblyError(
            f"{folder / _MANIFEST} lists no artifacts. Allowed: the folder that `cdk synth` wrote, such as cdk.out."
        )
    for artifact_id, artifact in artifacts.items():
        if not isinstance(artifact, Mapping):
            raise UnusableAssemblyError(f"{folder / _MANIFEST} has an artifact {artifact_id} that is no object.")
        properties = artifact.get("properties", {})
        if artifact.get("type") == "cdk:cloud-assembly":
            yield from _stacks(folder / _file(properties, "directoryName", folder))
        elif artifact.get("type") == "aws:cloudformation:stack":
            account, _, region = str(artifact.get("environment", "")).removeprefix("aws://").partition("/")
            file = _file(properties, "templateFile", folder)
            stack = SynthesizedStack(
                name=str(artifact.get("displayName", artifact_id)).split(" ")[0],
                account=None if account.startswith("unknown") or not account else account,
                region=None if region.startswith("unknown") or not region else region,
                template=_object(folder / file, "a template"),
                stack_name=str(properties.get("stackName", artifact_id)),
            )
            yield from _with_nested(folder, stack)


def _with_nested(folder: Path, stack: SynthesizedStack) -> Iterator[SynthesizedStack]:
    yield stack
    for logical_id, nested in stack.resources("AWS::CloudFormation::Stack"):
        metadata = nested.get("Metadata")
        file = metadata.get("aws:asset:path") if isinstance(metadata, Mapping) else None
        if isinstance(file, str):
            template = _object(folder / file, "a template")
            inner = SynthesizedStack(
                f"{stack.name}/{logical_id}",
                stack.account,
                stack.region,
                template,
                parent=stack,
                nested_as=logical_id,
            )
            yield from _with_nested(folder, inner)


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
    except (ValueError, RecursionError) as error:
        raise UnusableAssemblyError(f"{path} cannot be read as {what}: {error}. Run `cdk synth`.") from None
    if not isinstance(content, Mapping):
        raise UnusableAssemblyError(f"{path} cannot be read as {what}: it holds no JSON object.")
    return content
