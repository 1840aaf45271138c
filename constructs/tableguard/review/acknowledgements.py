"""Which validation rules somebody acknowledged away, as a cloud assembly shows it.

The CDK writes the acknowledgements on stacks and on what is in them into the assembly's metadata. Those on the app or
on a stage stand nowhere but in its validation report, and there only if they hid something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tableguard.review.assembly import UnusableAssemblyError, read_object

PLUGIN: Final = "Tableguard"
"""What the validation plugin of this library calls itself, and so the start of its rules' ids."""
_METADATA: Final = "aws:cdk:acknowledged-rules"
_REPORT: Final = "validation-report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """One acknowledgement.

    Args:
        rule: The acknowledged id, with the plugin in front: "Tableguard::only-accounts[1a2b3c4d]".
        reason: The reason that was given.
        where: The path of the construct that it is on; "" for the app.
        hidden: What it hid from the validation, in the words of the plugin.
    """

    rule: str
    reason: str
    where: str
    hidden: tuple[str, ...] = ()

    @property
    def plugin(self) -> str:
        """The plugin whose rule it is, with "-" for each space."""
        return self.rule.partition("::")[0]


def acknowledgements(folder: Path) -> tuple[Acknowledgement, ...]:
    """The acknowledgements in a cloud assembly, of every plugin's rules.

    Args:
        folder: The folder that `cdk synth` wrote.

    Raises:
        UnusableAssemblyError: It is no cloud assembly, or a file of it is missing or broken.
    """
    hidden = _hidden(folder / _REPORT)
    found: dict[tuple[str, str], Acknowledgement] = {}
    for where, rule, reason in (*_stated(folder), *hidden):
        key = (where, rule)
        found[key] = Acknowledgement(
            rule=rule, reason=reason, where=where, hidden=tuple(hidden.get((where, rule, reason), ()))
        )
    return tuple(found.values())


def _stated(folder: Path) -> Iterator[tuple[str, str, str]]:
    artifacts = read_object(folder / "manifest.json", "a cloud assembly's manifest").get("artifacts")
    for artifact in artifacts.values() if isinstance(artifacts, Mapping) else ():
        if not isinstance(artifact, Mapping):
            continue
        if artifact.get("type") == "cdk:cloud-assembly":
            yield from _stated(folder / _text(artifact.get("properties"), "directoryName"))
        file = artifact.get("additionalMetadataFile")
        for metadata in (artifact.get("metadata"), _metadata(folder, file)):
            yield from _in_metadata(metadata)


def _metadata(folder: Path, file: Any) -> Any:
    return read_object(folder / file, "metadata of a stack") if isinstance(file, str) else None


def _in_metadata(metadata: Any) -> Iterator[tuple[str, str, str]]:
    for path, entries in metadata.items() if isinstance(metadata, Mapping) else ():
        for entry in entries if isinstance(entries, list) else ():
            data = entry.get("data") if isinstance(entry, Mapping) and entry.get("type") == _METADATA else None
            for rule, reason in data.items() if isinstance(data, Mapping) else ():
                yield str(path).removeprefix("/"), str(rule), str(reason)


def _hidden(report: Path) -> Mapping[tuple[str, str, str], list[str]]:
    found: dict[tuple[str, str, str], list[str]] = {}
    plugins = read_object(report, "a validation report").get("pluginReports") if report.exists() else None
    for plugin in plugins if isinstance(plugins, list) else ():
        suppressed = plugin.get("suppressedViolations") if isinstance(plugin, Mapping) else None
        for each in suppressed if isinstance(suppressed, list) else ():
            if isinstance(each, Mapping):
                key = tuple(str(each.get(name, "")) for name in ("acknowledgedAt", "acknowledgedId", "reason"))
                found.setdefault((key[0], key[1], key[2]), []).append(str(each.get("description", "")))
    return found


def _text(holder: Any, key: str) -> str:
    value = holder.get(key) if isinstance(holder, Mapping) else None
    if not isinstance(value, str):
        raise UnusableAssemblyError(f"a stage of the cloud assembly has no {key}. Run `cdk synth`.")
    return value
