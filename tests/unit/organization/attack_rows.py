"""How rows of the table of attacks are read, decided and printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tableguard.evaluation import Decision, Layer
from tests.project.machine import ROOT
from tests.unit.organization.callers import CALLERS, PLACES, TRIES
from tests.unit.organization.fortress import RESOURCES, decide

PAGE: Final[Path] = ROOT / "docs" / "attacks.md"
ALLOWED, DENIED = "allowed", "denied"

_LAYERS: Final = {
    Layer.SERVICE_CONTROL: "SCP",
    Layer.RESOURCE_CONTROL: "RCP",
    Layer.IDENTITY: "own policy",
    Layer.BOUNDARY: "boundary",
    Layer.SERVICE: "DynamoDB",
}
_ORGANIZATION: Final = (Layer.SERVICE_CONTROL, Layer.RESOURCE_CONTROL)
_HEAD: Final = """\
# Attacks, and what decides them

For reviewers who want to know which requests a full set of tableguard's policies denies. Afterwards you can look up who
is denied what, from where, and which policies decide it.

What each construct does, and when not to use it:

- `VpcOnlyTable` denies access to its data from outside its networks. Do not rely on it for a restored copy of the
  table, which has no policy: SCP and RCP protect that.
- `NoHumanAccess` denies people the data of a table. Do not use it if a person deploys the table's policy.
- `DataAccessBoundary` keeps the data access of roles inside a perimeter. Do not use it for roles that Lambda polls a
  stream with, unless an exemption names them. It does not stop roles that do not carry it.
- `BreakGlassRole` lets people in for an hour in an emergency. Do not use it for daily work.
- `BreakGlassSCP` denies the identities of whole accounts, root users included. Do not rely on it for the management
  account, service-linked roles, AWS services and callers of other organizations.
- `BreakGlassRCP` denies callers at the resources of whole accounts, those of other organizations included. Do not use
  it without a `BreakGlassSCP`, which guards the roles that it lets through, nor for the management account's resources.

How to read a row:

1. Everybody's own policy allows everything, as an administrator's does. Only the break-glass roles have narrower ones.
2. "decided by" names each policy that denies; each of them is enough by itself. Statements are named by their `Sid`.
3. "(silent)" is a policy that had to allow the request and does not.
4. The table's key is asked separately: "through DynamoDB" is the request that DynamoDB makes to KMS as the caller,
   "directly" one that the caller makes. No perimeter restricts keys.

An evaluation of policies decides all rows, not AWS. One app synthesizes the policies: a `VpcOnlyTable` with a replica,
a grant and exemptions, a table with `NoHumanAccess`, a `DataAccessBoundary`, two `BreakGlassRole`s, and a
`BreakGlassSCP` and a `BreakGlassRCP` on the root. The table is in {region}; "the copy" is what a restore makes of it.
`make attacks` prints this page from the table that the tests decide, `tests/unit/organization/attacks.py`.
"""


@dataclass(frozen=True)
class Attack:
    """One row.

    Args:
        group: The heading that it stands below.
        who: The caller, one of `CALLERS`.
        where: Where the call comes from, one of `PLACES`.
        tries: What the caller tries, one of `TRIES`.
        outcome: `ALLOWED` or `DENIED`.
        by: What decides, as `deciding` says it.
    """

    group: str
    who: str
    where: str
    tries: str
    outcome: str
    by: str

    @property
    def name(self) -> str:
        return f"{self.who}, from {self.where}, {self.tries}"

    def decided(self) -> Decision:
        action, resource, more = TRIES[self.tries]
        return decide(CALLERS[self.who], action, RESOURCES[resource], {**PLACES[self.where], **more})


def attacks(table: str) -> tuple[Attack, ...]:
    """Read a table: headings begin with #, cells are parted by |.

    Args:
        table: The table.
    """
    return tuple(_read(table))


def _read(table: str) -> Iterator[Attack]:
    group = ""
    for line in table.strip().splitlines():
        if line.startswith("# "):
            group = line.removeprefix("# ")
        else:
            who, where, tries, outcome, by = (cell.strip() for cell in line.split("|"))
            yield Attack(group, who, where, tries, outcome, by)


def deciding(attack: Attack, decision: Decision) -> str:
    """What decides, in the words of the table: layers with the statements that deny, or with what allows.

    Args:
        attack: The row.
        decision: Its decision.
    """
    said: dict[str, dict[str, None]] = {}
    for reason in decision.because:
        if decision.allowed and reason.layer in _ORGANIZATION:
            continue  # FullAWSAccess
        layer = _LAYERS.get(reason.layer) or _of_resource(attack)
        statement = reason.sid or ("" if decision.allowed else "(silent)")
        said.setdefault(statement, {})[layer] = None
    return "; ".join(f"{', '.join(layers)} {statement}".strip() for statement, layers in said.items())


def _of_resource(attack: Attack) -> str:
    action, resource, _ = TRIES[attack.tries]
    if action.startswith("kms:"):
        return "key policy"
    return "trust policy" if action.startswith("sts:") else "stream policy" if "stream" in resource else "table policy"


def printed(rows: Iterable[Attack]) -> str:
    """The page of the docs.

    Args:
        rows: All rows.
    """
    groups: dict[str, list[Attack]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return "".join(
        [_HEAD.format(region=RESOURCES["table"].split(":")[3]), *(_section(*each) for each in groups.items())]
    )


def _section(group: str, rows: Iterable[Attack]) -> str:
    lines = [f"\n## {group}\n", "| who | from | tries | outcome | decided by |", "|---|---|---|---|---|"]
    for row in rows:
        outcome = f"**{row.outcome}**" if row.outcome == ALLOWED else row.outcome
        lines.append(f"| {row.who} | {row.where} | {row.tries} | {outcome} | {row.by} |")
    return "\n".join(lines) + "\n"
