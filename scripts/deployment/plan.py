"""Whose accounts a trial deployment goes into."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parents[2]
CONTEXT = "tableguard:organization"
PLACES = ("central", "etl", "writer", "private", "management", "vault", "recovery")
"""Who has an account and a region of its own, the tenants aside."""
_ENTRIES = {"organization", "pipeline", "profiles", "joining"}

Json: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str, str]
"""An account and a region."""


class PlanError(Exception):
    """A plan that cannot be carried out."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A trial deployment: it adds one tenant and removes one on the way.

    Args:
        organization: The organization as the context in cdk.json writes it.
        pipeline: The id of the account that deploys into all the others.
        profiles: The AWS profile of each account.
        joining: The tenant that is added: its name, and its account and region.
    """

    organization: Json
    pipeline: str
    profiles: Mapping[str, str]
    joining: tuple[str, Json]

    def __post_init__(self) -> None:
        missing = sorted({self.pipeline, *(account for account, _ in self.places)} - self.profiles.keys())
        if missing:
            raise PlanError(f'"profiles" lacks the accounts {", ".join(missing)}.')
        if len(self.organization["tenants"]) < 2:  # noqa: PLR2004  one leaves, and there must be one that stays
            raise PlanError("The organization needs two tenants: one is removed on the way.")
        if self.joining[0] in self.organization["tenants"]:
            raise PlanError(f'"joining" names {self.joining[0]}, who is a tenant already.')

    @classmethod
    def read(cls, file: Path) -> Plan:
        """Read a plan from a JSON file, as docs/verify-on-aws.md describes it.

        Raises:
            PlanError: It is missing or malformed.
        """
        try:
            said = json.loads(file.read_text())
        except (OSError, ValueError) as error:
            raise PlanError(f"{file} cannot be read: {error}") from None
        if not isinstance(said, dict) or set(said) != _ENTRIES:
            raise PlanError(f"{file} must be an object with the entries {', '.join(sorted(_ENTRIES))}.")
        try:
            ((name, place),) = said["joining"].items()
            plan = cls(
                organization=said["organization"],
                pipeline=said["pipeline"],
                profiles=said["profiles"],
                joining=(name, place),
            )
            wrong = [account for account in plan.profiles if not re.fullmatch(r"\d{12}", account)]
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise PlanError(f"{file} is not written as docs/verify-on-aws.md says: {error!r}") from None
        if wrong:
            raise PlanError(f'"profiles" of {file}: {", ".join(wrong)} is no account id of twelve digits.')
        return plan

    @property
    def central(self) -> Place:
        """Where the table is."""
        return _place(self.organization["central"])

    @property
    def leaving(self) -> str:
        """The tenant that is removed: the last one."""
        return str(list(self.organization["tenants"])[-1])

    @property
    def changed(self) -> Json:
        """The organization with one tenant added and one removed."""
        tenants = {name: place for name, place in self.organization["tenants"].items() if name != self.leaving}
        return {**self.organization, "tenants": {**tenants, self.joining[0]: self.joining[1]}}

    @property
    def places(self) -> list[Place]:
        """Every account and region that something is deployed into, once."""
        roles = [self.organization[role] for role in PLACES]
        said = [*roles, *self.organization["tenants"].values(), self.joining[1]]
        return list(dict.fromkeys(_place(each) for each in said))


def context() -> Json:
    """The context in cdk.json."""
    said: Json = json.loads((ROOT / "cdk.json").read_text())
    found: Json = said["context"]
    return found


def _place(said: Json) -> Place:
    return said["account"], said["region"]
