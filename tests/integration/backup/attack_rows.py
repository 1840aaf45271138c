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

For reviewers who want to know whether somebody can destroy or forge sealed backups. Afterwards you can look up each
attack, what refuses it, and what happens without that protection.

What each construct does, and when not to use it:

- `LandingBucket` receives exports, which S3 replicates to the vault. Do not use it as a backup: it has no lock.
- `SealedVault` checks what arrives in the intake bucket, copies it once into the sealed bucket, and locks it there. Do
  not use governance mode if the roles that may bypass it could be taken over.
- `VaultGuardrail` denies changes to the vault's buckets and locks, to the account's root user as well. Do not rely on
  it against deployments of the vault: they may change settings.
- `TableRestore` restores what the catalogue names. After a takeover do not start it without `sealed_by`: false exports
  make it fail with `BrokenChain`.
- `RestoreDrill` finds a table that shrank. Do not rely on the first drill for that: it has nothing to compare with.

How to read a row:

1. The first column of outcomes is with all protection. The further columns repeat the attack without what refused it,
   to see that it works then.
2. What **works** as deployed is the task of that caller: sealing writes the catalogue, readers read, deployments change
   settings, the break-glass role bypasses governance. The sealing role can add an entry, but neither change nor delete
   one.
3. A refusal names who refused:
   - "bucket policy", "own policy", "SCP": deployed policies, decided by tableguard's own evaluation, because the
     emulated S3 asks no policy of roles. Statements are named by their `Sid`.
   - "S3": the emulated S3 by itself, with its error. It has no UpdateObjectEncryption, so those rows show the policy's
     refusal only.
   - "sealing": the vault's own code, with the error that fails its execution.

The tests carry out every row in an emulated AWS, not in AWS, on three accounts: the data account with the table and the
landing bucket, the vault account with the intake and the sealed bucket, and the account that restores. Attackers have
every right that their own account can give them, as an administrator has. After all attacks every sealed version is
what it was, and a restore from them equals the table, item by item. What is said of policies is also decided without an
emulator, in `tests/unit/backup`. `make attacks` prints this page from the table that the tests carry out,
`tests/integration/backup/attacks.py`.
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
