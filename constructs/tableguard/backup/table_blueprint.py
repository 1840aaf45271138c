"""How a restored table is made: everything that is no item, written down before it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from tableguard.aws.limits import RECOVERY_DAYS
from tableguard.backup.restore_tags import ALL_TAGS
from tableguard.policy import InvalidInputError, TableReference, names
from tableguard.policy.documents import Json
from tableguard.policy.recovery import check_recovery_days

if TYPE_CHECKING:
    from tableguard.backup.like_table import LikeTable
    from tableguard.tables.attachable import AnyTable

_MOST_TAGS: Final = 50  # DynamoDB developer guide, "Tagging restrictions in DynamoDB"
_TYPES: Final = ("S", "N", "B")
_PROJECTIONS: Final = ("ALL", "KEYS_ONLY", "INCLUDE")
_STREAMS: Final = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
_CLASSES: Final = ("STANDARD", "STANDARD_INFREQUENT_ACCESS")
_INSIGHTS: Final = ("ACCESSED_AND_THROTTLED_KEYS", "THROTTLED_KEYS")
# DynamoDB developer guide, "Multi-attribute keys": only global indexes have more than one of each.
_MOST_KEYS: Final = 4


class PolicyForTarget(Protocol):
    """Renders the policies of a table that is like another one."""

    def statements(self, table: TableReference, *, stream: bool) -> Sequence[Json]:
        """The statements of the policy of a table, or of its stream.

        Args:
            table: The table that the policy is for.
            stream: Whether it is the policy of the stream.
        """


class Blueprint(Protocol):
    """What a blueprint can be taken from when the template is written."""

    @property
    def source(self) -> TableReference | None:
        """The table that it was taken from; None where it was written down."""

    def blueprint(self) -> TableBlueprint:
        """The blueprint as it stands at the moment."""


def one_of(what: str, value: object, allowed: Sequence[str]) -> None:
    """Check that a value is one of a few.

    Raises:
        InvalidInputError: It is not.
    """
    if value not in allowed:
        raise InvalidInputError(what, value=value, allowed=", ".join(allowed))


def _units(what: str, *values: object) -> None:
    for value in values:
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise InvalidInputError(what, value=value, allowed="a whole number of units, 1 or more")


def _key(what: str, key: object, *, least: int, most: int) -> None:
    fits = isinstance(key, Mapping) and least <= len(key) <= most
    if not fits or not all(isinstance(name, str) and name for name in key):  # type: ignore[attr-defined]
        allowed = f"{least} to {most} attributes with their types" if most > 1 else "one attribute with its type"
        raise InvalidInputError(what, value=key, allowed=allowed, fix='For example {"pk": "S"}.')
    for type_ in key.values():  # type: ignore[attr-defined]
        one_of(f"the type of {what}", type_, _TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How the capacity of a table or of one global index is billed.

    Args:
        read: With `provisioned` the read capacity units; else the most read request units, no limit when left out.
        write: Likewise for writing.
        provisioned: Whether capacity is provisioned; on demand when left out.
        warm_read: Read units a second that the table is ready for at once; what a new table has when left out.
        warm_write: Likewise for writing.

    Raises:
        InvalidInputError: Units that are no positive number, or provisioned capacity without units.
    """

    read: int | None = None
    write: int | None = None
    provisioned: bool = False
    warm_read: int | None = None
    warm_write: int | None = None

    def __post_init__(self) -> None:
        _units("the units of a Capacity", self.read, self.write, self.warm_read, self.warm_write)
        if self.provisioned and (self.read is None or self.write is None):
            raise InvalidInputError(
                "the units of a provisioned Capacity", value=(self.read, self.write), allowed="read and write units"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A secondary index of a restored table.

    Args:
        name: Its name.
        partition_key: Its partition key with the type ("S", "N" or "B"): {"city": "S"}. A global index may have up to
            four attributes. None for a local index, which has the table's.
        sort_key: Its sort key, likewise; none when left out.
        projection: "ALL", "KEYS_ONLY" or "INCLUDE".
        attributes: The attributes that "INCLUDE" includes besides the keys.
        capacity: The capacity of a global index; on demand without a limit when left out.
        contributor_insights: The mode of CloudWatch Contributor Insights; off when left out.

    Raises:
        InvalidInputError: A malformed name or key, or attributes that do not go with the projection.
    """

    name: str
    partition_key: Mapping[str, str] | None = None
    sort_key: Mapping[str, str] = field(default_factory=dict)
    projection: str = "ALL"
    attributes: tuple[str, ...] = ()
    capacity: Capacity = field(default_factory=Capacity)
    contributor_insights: str | None = None

    def __post_init__(self) -> None:
        names.index_name("the name of an Index", self.name)
        if self.partition_key is not None:
            _key(f"the partition key of index {self.name}", self.partition_key, least=1, most=_MOST_KEYS)
        local = self.partition_key is None
        _key(f"the sort key of index {self.name}", self.sort_key, least=local, most=1 if local else _MOST_KEYS)
        one_of(f"the projection of index {self.name}", self.projection, _PROJECTIONS)
        object.__setattr__(self, "attributes", names.listed(f"the attributes of index {self.name}", self.attributes))
        if bool(self.attributes) != (self.projection == "INCLUDE"):
            raise InvalidInputError(
                f"the attributes of index {self.name}",
                value=self.attributes,
                allowed='attributes with the projection "INCLUDE", and none without',
            )
        if self.contributor_insights is not None:
            one_of(f"the contributor insights of index {self.name}", self.contributor_insights, _INSIGHTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBlueprint:
    """How a restored table is made. `TableBlueprint.like(table)` takes it from a table of the same app.

    The table exists with all of this before the first item is written, except for what has to wait: point-in-time
    recovery, contributor insights and the policy of the stream follow its creation, time to live follows the check of
    its items, since it would delete some of them.

    Not restored, because it belongs to the deployment of a table and not to the table: automatic scaling of provisioned
    capacity (the restored table keeps the units given here), replicas in other regions and accounts, Kinesis data
    streams that receive every change, DAX clusters, triggers, alarms, and the policy of the key for consumers of other
    accounts. Adopt the restored table into an app (`cdk import`) to get them back.

    Args:
        partition_key: The partition key with its type ("S", "N" or "B"): {"pk": "S"}.
        sort_key: The sort key, likewise; none when left out.
        local_indexes: Local secondary indexes, which can be made with the table alone.
        global_indexes: Global secondary indexes.
        capacity: How capacity is billed; on demand without a limit when left out.
        table_class: "STANDARD" or "STANDARD_INFREQUENT_ACCESS".
        customer_managed_key: Whether the table is encrypted with a customer-managed key of the account that it is
            restored in. True when left out; otherwise with the AWS-owned key.
        stream: What its stream records; no stream when left out.
        deletion_protection: Whether the table refuses to be deleted. True when left out. A drill's table has none.
        tags: Its tags. Those that begin with "tableguard:" are set by the restore.
        policy: What renders its policies; see `BlueprintPolicy`. None when left out.
        time_to_live: The attribute that says when an item expires; none when left out. Set after the check.
        recovery_days: How many days point-in-time recovery goes back, 1 to 35; None for no point-in-time recovery.
        contributor_insights: "ACCESSED_AND_THROTTLED_KEYS" or "THROTTLED_KEYS"; off when left out.

    Raises:
        InvalidInputError: A value that DynamoDB would refuse, found when it is needed least: now.
    """

    partition_key: Mapping[str, str]
    sort_key: Mapping[str, str] = field(default_factory=dict)
    local_indexes: tuple[Index, ...] = ()
    global_indexes: tuple[Index, ...] = ()
    capacity: Capacity = field(default_factory=Capacity)
    table_class: str = "STANDARD"
    customer_managed_key: bool = True
    stream: str | None = None
    deletion_protection: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: PolicyForTarget | None = None
    time_to_live: str | None = None
    recovery_days: int | None = RECOVERY_DAYS.most
    contributor_insights: str | None = None

    def __post_init__(self) -> None:
        _key("the partition key of a TableBlueprint", self.partition_key, least=1, most=1)
        _key("the sort key of a TableBlueprint", self.sort_key, least=0, most=1)
        one_of("the table class of a TableBlueprint", self.table_class, _CLASSES)
        if self.stream is not None:
            one_of("the stream of a TableBlueprint", self.stream, _STREAMS)
        if self.contributor_insights is not None:
            one_of("the contributor insights of a TableBlueprint", self.contributor_insights, _INSIGHTS)
        check_recovery_days("the recovery days of a TableBlueprint", self.recovery_days)
        self._check_indexes()
        if len(self.tags) > _MOST_TAGS - len(ALL_TAGS):
            raise InvalidInputError(
                "the tags of a TableBlueprint",
                value=len(self.tags),
                allowed=f"{_MOST_TAGS - len(ALL_TAGS)} at most: a table has up to {_MOST_TAGS}, and the restore sets "
                f"{len(ALL_TAGS)} of its own",
                fix="Pass tags={…} to TableBlueprint.like.",
            )
        for name in self.tags:
            if name.startswith("tableguard:"):
                raise InvalidInputError(
                    "a tag of a TableBlueprint", value=name, allowed='tags that do not begin with "tableguard:"'
                )
        types: dict[str, str] = {}
        for key in self._keys():
            for name, type_ in key.items():
                if types.setdefault(name, type_) != type_:
                    raise InvalidInputError(
                        f"the type of attribute {name!r} of a TableBlueprint",
                        value=type_,
                        allowed=f"one type, and elsewhere it is {types[name]!r}",
                    )

    def _check_indexes(self) -> None:
        for index in self.local_indexes:
            if index.partition_key is not None:
                raise InvalidInputError(
                    f"the partition key of local index {index.name}",
                    value=index.partition_key,
                    allowed="None: it is the table's",
                )
            if not self.sort_key:
                raise InvalidInputError(
                    f"local index {index.name}",
                    value=self.sort_key,
                    allowed="local indexes with a sort key of the table",
                )
        for index in self.global_indexes:
            if index.partition_key is None:
                raise InvalidInputError(
                    f"the partition key of global index {index.name}", value=None, allowed="one to four attributes"
                )
            if index.capacity.provisioned != self.capacity.provisioned:
                raise InvalidInputError(
                    f"the capacity of index {index.name}",
                    value=index.capacity,
                    allowed="provisioned or on demand, as the table's is",
                )
        found = [index.name for index in (*self.local_indexes, *self.global_indexes)]
        if len(found) != len(set(found)):
            raise InvalidInputError("the indexes of a TableBlueprint", value=found, allowed="each name once")

    def _keys(self) -> list[Mapping[str, str]]:
        indexes = (*self.local_indexes, *self.global_indexes)
        own = [key for index in indexes for key in (index.partition_key or {}, index.sort_key)]
        return [self.partition_key, self.sort_key, *own]

    @property
    def attributes(self) -> dict[str, str]:
        """Every key attribute with its type, in the order of its first use."""
        found: dict[str, str] = {}
        for key in self._keys():
            for name, type_ in key.items():
                found.setdefault(name, type_)
        return found

    @property
    def index_names(self) -> tuple[str, ...]:
        """The names of its indexes."""
        return tuple(index.name for index in (*self.global_indexes, *self.local_indexes))

    @staticmethod
    def like(table: AnyTable, **changes: Any) -> LikeTable:
        """A blueprint that follows a table of the same app, whatever is added to it later.

        Everything is taken from the table as it stands when the templates are written: keys, indexes, capacity,
        policies and so on. Where capacity scales by itself, the restored table gets what a new table of that kind
        starts with.

        Args:
            table: The table: `TableV2`, `Table`, `CfnTable`, `CfnGlobalTable`, or a construct of this library around
                one.
            **changes: Values of `TableBlueprint` that are to differ, such as deletion_protection=False.

        Raises:
            InvalidInputError: It is no table of this app, or a change has a name that no blueprint knows.
        """
        # That module makes blueprints, and so imports this one.
        from tableguard.backup.like_table import like  # noqa: PLC0415

        return like(table, **changes)

    @property
    def source(self) -> TableReference | None:
        """None: it was written down."""
        return None

    def blueprint(self) -> TableBlueprint:
        """Itself."""
        return self
