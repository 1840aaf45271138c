"""A cloud assembly (the folder that `cdk synth` writes) as stacks with an account, a region and a template."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from tableguard.policy import TableguardError

NESTED: Final = "AWS::CloudFormation::Stack"
_MANIFEST: Final = "manifest.json"
_HASH: Final = re.compile(r"[0-9a-f]{64}")
# No template of CloudFormation nests anywhere near as deeply; Python's own limit is some hundreds.
_DEEPEST: Final = 64


_Environment: TypeAlias = tuple[str | None, str | None]
"""An account and a region."""


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
        assets: The files of its assets by their hashes.
        file: The file that its template was read from.
    """

    name: str
    account: str | None
    region: str | None
    template: Mapping[str, Any] = field(repr=False)
    stack_name: str | None = None
    parent: SynthesizedStack | None = None
    nested_as: str | None = None
    assets: Mapping[str, str] = field(default_factory=dict, repr=False)
    file: Path | None = None

    def resources(self, *types: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The logical id and the definition of each resource of the given types; of all resources without a type."""
        resources = self.template.get("Resources")
        for logical_id, resource in resources.items() if isinstance(resources, Mapping) else ():
            if isinstance(resource, Mapping) and (not types or resource.get("Type") in types):
                yield logical_id, resource


def read_assembly(
    folder: Path, *, account: str | None = None, region: str | None = None
) -> tuple[SynthesizedStack, ...]:
    """Read all stacks of a cloud assembly: those of its stages and nested stacks, too.

    Args:
        folder: The folder that `cdk synth` wrote ("cdk.out").
        account: The account of the stacks that say none; not known when left out.
        region: The region of the stacks that say none; not known when left out.

    Raises:
        UnusableAssemblyError: It is no cloud assembly, or a file of it is missing or broken.
    """
    if not (folder / _MANIFEST).exists():
        raise UnusableAssemblyError(_no_manifest(folder))
    found = tuple(_stacks(folder, (), (account, region)))
    if not found:
        raise UnusableAssemblyError(f"{folder / _MANIFEST} lists no stack. Say the folder that `cdk synth` wrote.")
    return found


def read_template(file: Path, *, account: str, region: str) -> tuple[SynthesizedStack, ...]:
    """Read one CloudFormation template in JSON, as one stack. Nested stacks in it stay unread.

    Args:
        file: The template.
        account: The 12-digit id of the account that it is deployed into.
        region: The region that it is deployed into.

    Raises:
        UnusableAssemblyError: It is no template, or broken.
    """
    template = _template(file, hint=_yaml_hint(file))
    if "Resources" not in template:
        raise UnusableAssemblyError(f"{file} has no Resources. Allowed: a CloudFormation template in JSON.")
    return (SynthesizedStack(file.stem.removesuffix(".template"), account, region, template, stack_name=file.stem),)


def read_object(path: Path, what: str, *, hint: str = "Run `cdk synth`.") -> Mapping[str, Any]:
    """Read a file that must hold a JSON object.

    Args:
        path: The file.
        what: What it should be, for the message.
        hint: What to do when it is not, for the message.

    Raises:
        UnusableAssemblyError: It cannot be read, is no JSON, no object, or nested more deeply than any template.
    """
    try:
        content = strict_json(path.read_bytes())
    except OSError as error:
        raise UnusableAssemblyError(f"{path} cannot be read as {what}: {error.strerror}. {hint}") from None
    except (ValueError, RecursionError) as error:
        raise UnusableAssemblyError(f"{path} cannot be read as {what}: {_reason(error)}. {hint}") from None
    if not isinstance(content, Mapping):
        raise UnusableAssemblyError(f"{path} cannot be read as {what}: it holds no JSON object. {hint}")
    if _deeper_than(content, _DEEPEST):
        raise UnusableAssemblyError(f"{path} cannot be read as {what}: it is nested more than {_DEEPEST} deep.")
    return content


def strict_json(text: str | bytes) -> Any:
    """JSON in which no object names a key twice: readers differ in which of the two they take.

    Args:
        text: The JSON.

    Raises:
        ValueError: It is no JSON, or a key stands twice.
    """
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object names {twice!r} twice")
    return found


def _template(file: Path, *, hint: str = "Run `cdk synth`.") -> Mapping[str, Any]:
    """Read a template, whose resources are objects with properties: CloudFormation would take no other."""
    template = read_object(file, "a template", hint=hint)
    resources = template.get("Resources", {})
    if not isinstance(resources, Mapping):
        raise UnusableAssemblyError(f"{file} cannot be read as a template: its Resources are no object. {hint}")
    for logical_id, resource in resources.items():
        # Fn::ForEach makes resources out of a list.
        if logical_id.startswith("Fn::"):
            continue
        if not isinstance(resource, Mapping):
            raise UnusableAssemblyError(f"{file} cannot be read as a template: {logical_id} is no object. {hint}")
        if not isinstance(resource.get("Properties", {}), Mapping):
            said = f"the Properties of {logical_id} are no object"
            raise UnusableAssemblyError(f"{file} cannot be read as a template: {said}. {hint}")
    return template


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else f"it is no whole JSON ({error})"


def _deeper_than(content: object, most: int) -> bool:
    level: list[object] = [content]
    for _ in range(most):
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _no_manifest(folder: Path) -> str:
    """What is probably wrong with a path that is no cloud assembly."""
    said = f"{folder} is no cloud assembly: it has no {_MANIFEST}."
    if not folder.exists():
        said = f"{folder} does not exist."
    elif folder.is_file():
        said = f"{folder} is a file, and a cloud assembly is a folder."
        if folder.name == _MANIFEST:
            return f"{said} Say {folder.parent}."
        return f"{said} For a single template say --template {folder} --account … --region …."
    inside = folder / "cdk.out"
    if (inside / _MANIFEST).exists():
        return f"{said} Did you mean {inside}?"
    return f"{said} Say the folder that `cdk synth` wrote, usually cdk.out."


def _yaml_hint(file: Path) -> str:
    try:
        start = file.read_bytes()[:200].lstrip()
    except OSError:
        return "Say the path of a CloudFormation template in JSON."
    if start and not start.startswith(b"{"):
        return "Only JSON is read: convert a template in YAML first, for example with cfn-flip."
    return "Say the path of a CloudFormation template in JSON."


def _stacks(folder: Path, outer: tuple[Path, ...], otherwise: _Environment) -> Iterator[SynthesizedStack]:
    here = folder.resolve()
    if here in outer:
        raise UnusableAssemblyError(f"{folder / _MANIFEST} names itself as one of its stages. Run `cdk synth`.")
    artifacts = read_object(folder / _MANIFEST, "a cloud assembly's manifest").get("artifacts")
    if not isinstance(artifacts, Mapping):
        raise UnusableAssemblyError(
            f"{folder / _MANIFEST} lists no artifacts. Allowed: the folder that `cdk synth` wrote, such as cdk.out."
        )
    for artifact_id, artifact in artifacts.items():
        if not isinstance(artifact, Mapping):
            raise UnusableAssemblyError(f"{folder / _MANIFEST} has an artifact {artifact_id} that is no object.")
        if artifact.get("type") == "cdk:cloud-assembly":
            inner = _file(artifact.get("properties"), "directoryName", folder)
            yield from _stacks(folder / inner, (*outer, here), otherwise)
        elif artifact.get("type") == "aws:cloudformation:stack":
            yield from _with_nested(folder, _stack(folder, artifact_id, artifact, otherwise), 0)


def _stack(folder: Path, artifact_id: str, artifact: Mapping[str, Any], otherwise: _Environment) -> SynthesizedStack:
    properties = artifact.get("properties")
    account, _, region = str(artifact.get("environment", "")).removeprefix("aws://").partition("/")
    file = folder / _file(properties, "templateFile", folder)
    return SynthesizedStack(
        name=str(artifact.get("displayName", artifact_id)).split(" (")[0],
        account=otherwise[0] if account.startswith("unknown") or not account else account,
        region=otherwise[1] if region.startswith("unknown") or not region else region,
        template=_template(file),
        stack_name=str(properties.get("stackName", artifact_id) if isinstance(properties, Mapping) else artifact_id),
        assets=_assets(folder, file),
        file=file,
    )


def _assets(folder: Path, template: Path) -> Mapping[str, str]:
    """The files of a stack's assets by their hashes; none where the assembly lists none."""
    path = folder / f"{template.name.removesuffix('.template.json')}.assets.json"
    files = read_object(path, "a list of assets").get("files") if path.exists() else None
    found = {}
    for name, asset in files.items() if isinstance(files, Mapping) else ():
        source = asset.get("source") if isinstance(asset, Mapping) else None
        file = source.get("path") if isinstance(source, Mapping) else None
        if isinstance(file, str):
            found[name] = file
    return found


def _with_nested(folder: Path, stack: SynthesizedStack, depth: int) -> Iterator[SynthesizedStack]:
    yield stack
    for logical_id, nested in stack.resources(NESTED):
        file = _nested_file(stack, nested)
        if file is None or not (folder / file).exists():
            continue
        if depth == _DEEPEST:
            raise UnusableAssemblyError(f"{folder / file} nests itself. Run `cdk synth`.")
        inner = SynthesizedStack(
            f"{stack.name}/{logical_id}",
            stack.account,
            stack.region,
            _template(folder / file),
            parent=stack,
            nested_as=logical_id,
            assets=stack.assets,
            file=folder / file,
        )
        yield from _with_nested(folder, inner, depth + 1)


def _nested_file(stack: SynthesizedStack, nested: Mapping[str, Any]) -> str | None:
    """Which file of the assembly is a nested stack's template.

    The CDK CLI writes that down as metadata. Without the CLI it follows from the template's address, which ends in the
    hash of the asset.
    """
    metadata = nested.get("Metadata")
    file = metadata.get("aws:asset:path") if isinstance(metadata, Mapping) else None
    if isinstance(file, str):
        return file
    hashes: list[str] = _HASH.findall(json.dumps(nested.get("Properties")))
    return next((stack.assets[hash_] for hash_ in reversed(hashes) if hash_ in stack.assets), None)


def _file(properties: object, key: str, folder: Path) -> str:
    name = properties.get(key) if isinstance(properties, Mapping) else None
    if not isinstance(name, str):
        raise UnusableAssemblyError(f"{folder / _MANIFEST} has an artifact without {key}.")
    return name
