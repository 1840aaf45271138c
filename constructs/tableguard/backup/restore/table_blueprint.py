"""How a restored table is made: everything that is no item, written down before it is needed or taken from a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from tableguard.aws.limits import RECOVERY_DAYS
from tableguard.backup.restore.like_policy import LikePolicy
from tableguard.backup.restore.read_table import settings_of
from tableguard.backup.restore.table_parts import INSIGHTS, Capacity, Index, PolicyForTarget, check_key, one_of
from tableguard.backup.restore.tags import ALL_TAGS
from tableguard.policy import InvalidInputError, TableReference
from tableguard.policy.recovery import check_recovery_days
from tableguard.tables.attachable import AnyTable, Instead, table_resource, unwrapped
from tableguard.tables.attachment.overlay import properties_below
from tableguard.tables.attachment.policies import TablePolicies

_MOST_TAGS: Final = 50  # DynamoDB developer guide, "Tagging restrictions in DynamoDB"
_STREAMS: Final = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
_CLASSES: Final = ("STANDARD", "STANDARD_INFREQUENT_ACCESS")


class Blueprint(Protocol):
    """What a blueprint can be taken from when the template is written."""

    @property
    def source(self) -> TableReference | None:
        """The table that it was taken from; None where it was written down."""

    def blueprint(self) -> TableBlueprint:
        """The blueprint as it stands at the moment."""


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
        check_key("the partition key of a TableBlueprint", self.partition_key, least=1, most=1)
        check_key("the sort key of a TableBlueprint", self.sort_key, least=0, most=1)
        one_of("the table class of a TableBlueprint", self.table_class, _CLASSES)
        if self.stream is not None:
            one_of("the stream of a TableBlueprint", self.stream, _STREAMS)
        if self.contributor_insights is not None:
            one_of("the contributor insights of a TableBlueprint", self.contributor_insights, INSIGHTS)
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

        Everything that a blueprint holds is taken from the table: its keys, indexes, capacity, policies and so on, as
        they stand when the templates are written. Where capacity scales by itself, the restored table gets what a new
        table of that kind starts with. What only the deployment knows (a condition, a parameter) is refused unless it
        is among the changes. Property overrides (`add_property_override`) cannot be seen: what they set has to be a
        change as well.

        Args:
            table: The table: `TableV2`, `Table`, `CfnTable`, `CfnGlobalTable`, or a construct of this library around
                one.
            **changes: Values of `TableBlueprint` that are to differ, such as deletion_protection=False.

        Raises:
            InvalidInputError: It is no table of this app, or a change has a name that no blueprint knows.
        """
        unknown = sorted(set(changes) - set(TableBlueprint.__dataclass_fields__))
        if unknown:
            raise InvalidInputError(
                "a change to a TableBlueprint", value=unknown, allowed=", ".join(TableBlueprint.__dataclass_fields__)
            )
        resource = table_resource(
            unwrapped(table),
            "TableBlueprint",
            instead=lambda _: Instead(
                table=None, stream=None, besides=", or write it down: TableBlueprint(partition_key=…)"
            ),
        )
        return LikeTable(TablePolicies.of(resource), changes)

    @property
    def source(self) -> TableReference | None:
        """None: it was written down."""
        return None

    def blueprint(self) -> TableBlueprint:
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class LikeTable:
    """A blueprint that follows a table.

    Args:
        policies: The table's policies, which know its resource.
        changes: What is to differ.
    """

    policies: TablePolicies
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> TableReference:
        """The table that it follows."""
        return self.policies.reference

    def blueprint(self) -> TableBlueprint:
        """The blueprint as the table stands at the moment.

        Raises:
            InvalidInputError: The table has something that cannot be restored as it is.
        """
        resource = self.policies.table_resource
        # Tags come out of the resource's tag manager, so that those of `Tags.of(…)` are among them.
        properties = resource.home.stack.resolve(properties_below(resource.resource, resource.overlays))
        given: dict[str, Any] = dict(self.changes)
        if self.policies.guarded or resource.policies_in(properties):
            given = {"policy": LikePolicy(self.policies), **given}
        settings = settings_of(properties, region=resource.home.region, path=resource.path, given=given)
        return TableBlueprint(**settings)
