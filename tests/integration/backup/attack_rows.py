"""How the table of attacks on backups is read and printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.project.machine import ROOT

PAGE: Final[Path] = ROOT / "docs" / "backup-attacks.md"
WORKS: Final = "works"
_HEAD: Final = """\
# Attacks on backups, and what refuses them

Printed by `make attacks` from the table that the tests carry out, `tests/integration/backup/attacks.py`.

Every row is done to an organization of three accounts that is deployed into an emulated AWS: the data account with the
table and the landing bucket, the vault account with the intake and the sealed bucket, and the account that restores.
The attackers have every right that their own account can give them, as an administrator has. After all of it, every
sealed version is what it was, and a restore from them is the table, item by item.

Each attack is also done without what refuses it, to see that it would work then: the second column of outcomes, and the
third. What works as deployed is what somebody is there for: sealing writes the catalogue, readers read, deployments
change settings. Whoever has the sealing role can therefore add an entry, and change or take away none. The emulated S3
has no UpdateObjectEncryption: there the policy's refusal is all that is seen. Who has refused is told apart:

- "bucket policy", "own policy", "SCP": the policies that are deployed, decided by tableguard's own evaluation, because
  the emulated S3 asks no policy of roles. The statements are named by their `Sid`.
- "S3": the emulated S3 by itself, with the error that it answers.
- "sealing": the vault's own code, with the error that fails its execution.

None of it is AWS. What is said of policies is also decided without an emulator, in `tests/unit/backup`.
"""


@dataclass(frozen=True)
class Group:
    """Rows below a heading.

    Args:
        title: The heading.
        columns: The heads of the columns; the last two or three are outcomes.
        rows: The cells of each row.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def groups(table: str) -> dict[str, Group]:
    """Read a table: a heading begins with #, the line below names the columns, cells are parted by |.

    Args:
        table: The table.
    """
    return {group.title: group for group in _read(table)}


def _read(table: str) -> Iterator[Group]:
    for part in table.strip().removeprefix("# ").split("\n# "):
        title, *lines = part.strip().splitlines()
        columns, *rows = (tuple(cell.strip() for cell in line.split("|")) for line in lines)
        yield Group(title, columns, tuple(rows))


def text(group: Group, rows: Sequence[Sequence[str]]) -> str:
    """Rows as they stand in the table, to compare what was found with what is written there.

    Args:
        group: Where they stand.
        rows: The cells of each row.
    """
    return "\n".join([f"# {group.title}", *(" | ".join(row) for row in rows)])


def printed(table: dict[str, Group]) -> str:
    """The page of the docs.

    Args:
        table: The whole table.
    """
    return "".join([_HEAD, *map(_section, table.values())])


def _section(group: Group) -> str:
    lines = [f"\n## {group.title}\n", f"| {' | '.join(group.columns)} |", "|---" * len(group.columns) + "|"]
    lines += [f"| {' | '.join(_shown(cell) for cell in row)} |" for row in group.rows]
    return "\n".join(lines) + "\n"


def _shown(cell: str) -> str:
    return f"**{WORKS}**{cell.removeprefix(WORKS)}" if cell.startswith(WORKS) else cell
