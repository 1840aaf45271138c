"""A reference to a table: the literal values that a consumer in another account or app needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tableguard.aws.partitions import dns_suffix_of, partition_of
from tableguard.policy import names
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.lists import texts_of
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import is_unresolved


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReference:
    """Names a table of any account by plain values. It creates nothing and looks nothing up.

    For a table of the same app, use `CrossAccountTable.reference` or `TableAccess.reference`. For a table of another
    app, write the reference down.

    Args:
        account: The 12-digit id of the account that owns the table.
        region: The table's region.
        name: The table's name.
        indexes: Names of the table's secondary indexes: at least those that a grant names. None when left out.
        customer_managed_key: Whether the table is encrypted with a customer-managed key, so that consumers need
            kms:Decrypt. True when left out. Other accounts cannot use an AWS-managed key.
        key_arn: The exact ARN of that key. When left out, consumers may use any key of the table's account and region
            whose key policy allows it, for this table only (by kms:ViaService and the encryption context).
        replica_regions: Regions with a replica of the table, for `in_region`; none when left out.
        partition: The partition, such as "aws". When left out, it follows from the region. Pass it only if the region
            is known only at deployment.

    Raises:
        InvalidInputError: A wrong type, a malformed value, or a key of another account or region.
    """

    account: str
    region: str
    name: str
    indexes: tuple[str, ...] = ()
    customer_managed_key: bool = True
    key_arn: str | None = None
    replica_regions: tuple[str, ...] = ()
    partition: str | None = None

    __repr__ = as_call

    def __post_init__(self) -> None:
        names.account_id("the account of a TableReference", self.account)
        names.region("the region of a TableReference", self.region)
        names.table_name("the name of a TableReference", self.name)
        object.__setattr__(self, "indexes", texts_of("the indexes of a TableReference", self.indexes))
        for index in self.indexes:
            names.index_name("an index of a TableReference", index)
        regions = texts_of("the replica regions of a TableReference", self.replica_regions)
        object.__setattr__(self, "replica_regions", regions)
        for region in self.replica_regions:
            names.region("a replica region of a TableReference", region)
        if self.partition is not None:
            names.partition("the partition of a TableReference", self.partition)
        if self.key_arn is not None:
            self._check_key(self.key_arn)

    def _check_key(self, key_arn: str) -> None:
        if not self.customer_managed_key:
            raise InvalidInputError(
                "the key_arn of a TableReference",
                value=key_arn,
                allowed="None when customer_managed_key is False",
            )
        names.arn("the key_arn of a TableReference", key_arn)
        keys = self._key_arn_prefix
        if not is_unresolved(f"{keys}{key_arn}") and not key_arn.startswith(keys):
            raise InvalidInputError(
                "the key_arn of a TableReference",
                value=key_arn,
                allowed=f"the ARN of a key (not of an alias) in the table's account and region: {keys}…",
            )

    @property
    def _key_arn_prefix(self) -> str:
        return f"arn:{self.partition_id}:kms:{self.region}:{self.account}:key/"

    @property
    def label(self) -> str:
        """The table in words, for messages and reports."""
        return "without a name" if is_unresolved(self.name) else self.name

    @property
    def partition_id(self) -> str:
        """The partition that the table's ARN starts with."""
        if self.partition is not None:
            return self.partition
        return partition_of(self.region)

    @property
    def arn(self) -> str:
        """The table's ARN. Callers of another account pass it as `TableName`."""
        return f"arn:{self.partition_id}:dynamodb:{self.region}:{self.account}:table/{self.name}"

    @property
    def stream_arn(self) -> str:
        """A pattern for the ARNs of the table's streams. Their last part is the time when the stream was enabled."""
        return f"{self.arn}/stream/*"

    def index_arn(self, index: str) -> str:
        """The ARN of one of the table's indexes.

        Raises:
            InvalidInputError: The table has no such index.
        """
        self.check_index(index)
        return f"{self.arn}/index/{index}"

    def check_index(self, index: str) -> None:
        """Check that the table has this index.

        Raises:
            InvalidInputError: The table does not have it.
        """
        if index not in self.indexes:
            raise InvalidInputError(
                f"an index of table {self.label}",
                value=index,
                allowed=", ".join(sorted(self.indexes)) or "none, no index of this table is known",
                fix=names.suggestion(index, self.indexes)
                or "Add the index to the table before the grant, or to `indexes` of the TableReference.",
            )

    @property
    def key_resource(self) -> str:
        """The resource for the table's key in an identity policy: its ARN, or all keys of the account and region."""
        return self.key_arn or f"{self._key_arn_prefix}*"

    @property
    def kms_via_service(self) -> str:
        """The value of `kms:ViaService` for DynamoDB in the table's region."""
        return f"dynamodb.{self.region}.{dns_suffix_of(self.partition_id)}"

    def in_region(self, region: str, *, key_arn: str | None = None) -> TableReference:
        """Return the reference to the table's replica in another region, or to the table itself.

        Args:
            region: One of `replica_regions`, or the table's own region.
            key_arn: The exact ARN of the key in that region. When left out: for the table itself, its own `key_arn`;
                for a replica, any key of that region, limited to this table.

        Raises:
            InvalidInputError: There is no replica in that region, or the key is of another account or region.
        """
        if region == self.region:
            return self if key_arn is None else replace(self, key_arn=key_arn)
        if region not in self.replica_regions:
            raise InvalidInputError(
                f"a replica region of table {self.label}",
                value=region,
                allowed=", ".join((self.region, *self.replica_regions)),
            )
        others = tuple(r for r in (self.region, *self.replica_regions) if r != region)
        return replace(self, region=region, key_arn=key_arn, replica_regions=others)
