"""The kinds of access that a review tells apart, and which actions are of which kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from tableguard.aws.dynamodb import ACTIONS, Action, Reach, Resource
from tableguard.review.picture import Table

# What hands items out: one by one, all at once, or to a bucket.
_READ: Final = (
    "BatchGetItem ConditionCheckItem ExportTableToPointInTime GetItem PartiQLSelect Query ReadDataForReplication Scan "
    "SearchVectors"
)
_WRITE: Final = (
    "BatchWriteItem DeleteItem PartiQLDelete PartiQLInsert PartiQLUpdate PutItem StartBulkPutItems UpdateItem "
    "WriteDataForReplication"
)
_STREAM: Final = "DescribeStream GetRecords GetShardIterator"
_POLICY: Final = "DeleteResourcePolicy GetResourcePolicy PutResourcePolicy"
_DELETE: Final = "DeleteGlobalTableWitness DeleteTable DeleteTableReplica"
_SETTINGS: Final = "settings"


def _of_tables(action: Action) -> bool:
    """Whether it is about a table that is there, not about making one or about the account."""
    return bool(action.resources & {Resource.TABLE, Resource.STREAM}) and action.reach is not Reach.IDENTITY_ONLY


_STATED: Final = {"read": _READ, "write": _WRITE, "stream": _STREAM, "policy": _POLICY, "delete": _DELETE}
_KIND_OF: Final = {name: kind for kind, names in _STATED.items() for name in names.split()}

KINDS: Final = ("read", "write", "stream", _SETTINGS, "policy", "delete")
"""The kinds of access, in the order in which they are shown."""

ACTIONS_OF: Final[Mapping[str, tuple[Action, ...]]] = MappingProxyType(
    {
        kind: tuple(a for a in ACTIONS.values() if _of_tables(a) and _KIND_OF.get(a.name, _SETTINGS) == kind)
        for kind in KINDS
    }
)
"""The actions of each kind. Whatever is nowhere else is a setting."""


def resources_of(action: Action, table: Table) -> Iterator[str]:
    """The ARNs of a table that requests for an action may go to.

    Args:
        action: The action.
        table: The table.
    """
    if Resource.TABLE in action.resources:
        yield table.arn
    if Resource.INDEX in action.resources:
        yield from (f"{table.arn}/index/{index}" for index in table.indexes)
    if Resource.STREAM in action.resources and table.has_stream:
        yield table.stream_arn
