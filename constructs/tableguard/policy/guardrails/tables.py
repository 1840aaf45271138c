"""A guardrail for the settings and policies that protect tables."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Final

from tableguard.aws.actions import Category, Effect
from tableguard.aws.dynamodb import ACTIONS, Action, Resource
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.guardrails.guardrail import Guardrail, Protection, Rendering
from tableguard.policy.lists import listed, texts_of
from tableguard.policy.perimeter import IamPrincipal
from tableguard.policy.representation import as_call
from tableguard.policy.tables import TableReference


class TablePart(enum.Enum):
    """A part of a table that can be protected."""

    POLICY = "policies of table and stream"
    RECOVERY = "point-in-time recovery, and how far back it reaches"
    SETTINGS = "deletion, deletion protection, stream, encryption, indexes, throughput and class"
    """`UpdateTable` has no condition key for what it changes, so all its changes are one part.
    Source: service authorization reference, "Condition keys for Amazon DynamoDB"."""
    TTL = "time to live, which deletes items"
    REPLICAS = "replicas"
    KINESIS = "Kinesis streams that receive every change"
    TAGS = "tags"
    ABAC = "whether policies may go by a table's tags, a setting of the account"


# UpdateTimeToLive deletes items, and UpdateAbacStatus belongs to the account: parts of their own.
_BY_NAME: Final = {"UpdateTimeToLive": TablePart.TTL, "UpdateAbacStatus": TablePart.ABAC}
# DeleteResourcePolicy has a statement of its own, which exempts the root user: it is the way out of a lock-out.
_WAY_OUT: Final = "DeleteResourcePolicy"
_PART_OF: Final = {
    Category.POLICY: TablePart.POLICY,
    Category.BACKUP: TablePart.RECOVERY,
    Category.SETTINGS: TablePart.SETTINGS,
    Category.DELETE: TablePart.SETTINGS,
    Category.REPLICATE: TablePart.REPLICAS,
    Category.KINESIS: TablePart.KINESIS,
    Category.TAGS: TablePart.TAGS,
}
_CHANGES: Final = (
    Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION, Effect.MAKES_COPY, Effect.MOVES_ITEMS_OUT, Effect.CHANGES_ITEMS
)  # fmt: skip


def _part_of(action: Action) -> TablePart | None:
    """The part that an action changes; None for actions that read, write, copy or restore, which are not denied."""
    if action.name in _BY_NAME:
        return _BY_NAME[action.name]
    if action.by_service or action.name == _WAY_OUT or Resource.TABLE not in action.resources:
        return None
    # Making a backup is not denied.
    changes = (Effect.CHANGES_PROTECTION,) if action.category is Category.BACKUP else _CHANGES
    return _PART_OF.get(action.category) if action.can(*changes) else None


_ACTIONS: Final[Mapping[TablePart, tuple[str, ...]]] = MappingProxyType(
    {part: tuple(a.qualified for a in ACTIONS.values() if _part_of(a) is part) for part in TablePart}
)
# Of no table, so never narrowed to some, and nothing that an RCP could hold.
_OF_THE_ACCOUNT: Final = frozenset({TablePart.ABAC})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectTables(Guardrail):
    """Denies everybody but the administrators to change the settings and policies that protect tables.

    It does not deny reading and writing items. Auto scaling and replication continue: SCPs do not apply to their
    service-linked roles. The root user of a table's account may delete the table's policy, to undo a lock-out.

    Args:
        parts: What is protected; every `TablePart` when left out.
        tables: The tables; all tables of the accounts when left out.
        tags: The keys of tags that policies use; all tags when left out. Upper and lower case do not matter, as in
            aws:ResourceTag. A `*` at the end stands for the rest of a key, but such a key matches only in the case in
            which it is written, since no operator ignores case in patterns: it is safer to name each key.
            Source: IAM user guide, "AWS global condition context keys", aws:ResourceTag/tag-key.
        exempt_principals: Further principals that may do this; none when left out.

    Raises:
        InvalidInputError: No part, something else in `parts` or `tables`, a malformed tag key, or `tags` without
            `TablePart.TAGS`.
    """

    parts: Sequence[TablePart] = field(default=tuple(TablePart))
    tables: Sequence[TableReference] = ()
    tags: Sequence[str] = ()

    in_rcp: ClassVar[bool] = True
    costs: ClassVar[str] = (
        "changing throughput, indexes, class, TTL, replicas and tags of a table by hand, and deleting one: through a "
        "deployment or break-glass only"
    )

    __repr__ = as_call

    def __post_init__(self) -> None:
        Guardrail.__post_init__(self)
        parts = listed("the parts of ProtectTables", self.parts)
        if not parts or not all(isinstance(part, TablePart) for part in parts):
            raise InvalidInputError(
                "the parts of ProtectTables", value=parts, allowed="a list of TablePart.POLICY and its likes"
            )
        object.__setattr__(self, "parts", tuple(part for part in TablePart if part in parts))
        tables = listed("the tables of ProtectTables", self.tables)
        if not all(isinstance(table, TableReference) for table in tables):
            raise InvalidInputError("the tables of ProtectTables", value=tables, allowed="a list of TableReference")
        object.__setattr__(self, "tables", tables)
        tags = texts_of("the tags of ProtectTables", self.tags)
        if tags and TablePart.TAGS not in self.parts:
            raise InvalidInputError("the tags of ProtectTables", value=tags, allowed="none without TablePart.TAGS")
        for tag in tags:
            if not re.fullmatch(r"[\w .:/=+@-]{1,127}[\w .:/=+@*-]?", str(tag)):
                raise InvalidInputError(
                    "a tag of ProtectTables", value=tag, allowed="the key of a tag, perhaps with a * at the end"
                )
        object.__setattr__(self, "tags", tags)

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        unless = rendering.unless(self.let_through(rendering.administrators))
        found: list[Protection] = []
        for part in self.parts:
            if part in _OF_THE_ACCOUNT:
                if not rendering.at_resource:
                    found.append(Protection(sid="ProtectTables", actions=_ACTIONS[part], clauses=unless))
            elif part is TablePart.TAGS and self.tags:
                found.extend(
                    self._denial("ProtectTableTags", _ACTIONS[part], (*unless, keys)) for keys in self._tag_keys()
                )
            else:
                found.append(self._denial("ProtectTables", _ACTIONS[part], unless))
        if TablePart.POLICY in self.parts:
            and_root = rendering.unless(self.let_through(rendering.administrators), root=True)
            removal = (ACTIONS[_WAY_OUT].qualified,)
            found.append(self._denial("ProtectTablePolicies", removal, and_root))
        return tuple(found)

    def _tag_keys(self) -> Iterator[Clause]:
        """The conditions, any of which holds for a request that touches one of the tags."""
        whole = tuple(tag for tag in self.tags if not tag.endswith("*"))
        beginnings = tuple(tag for tag in self.tags if tag.endswith("*"))
        for operator, keys in (("StringEqualsIgnoreCase", whole), ("StringLike", beginnings)):
            if keys:
                yield Clause(f"ForAnyValue:{operator}", "aws:TagKeys", keys)

    def _denial(self, sid: str, actions: tuple[str, ...], clauses: tuple[Clause, ...]) -> Protection:
        arns = tuple(arn for table in self.tables for arn in (table.arn, f"{table.arn}/*"))
        return Protection(sid=sid, actions=actions, resources=arns or ("*",), clauses=clauses)

    @property
    def details(self) -> Mapping[str, Sequence[str | IamPrincipal]]:
        return {
            "parts": [part.name for part in self.parts],
            "tables": [table.arn for table in self.tables],
            "tags": self.tags,
        }
