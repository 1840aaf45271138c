"""Where the items of a restore come from: a sealed bucket, or a living table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import aws_cdk as cdk
from constructs import Construct

from tableguard.policy import InvalidInputError, TableReference
from tableguard.policy.backup import SealedReference
from tableguard.policy.metadata.backups import BucketClaim
from tableguard.policy.tokens import is_unresolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the items come from.

    Args:
        source: The table whose items they are.
        sealed: The sealed bucket that its exports are taken from; None for a living table.
        living: The table that is exported for the restore: the source itself; None for sealed exports.
    """

    source: TableReference
    sealed: SealedReference | None
    living: TableReference | None

    @classmethod
    def checked(
        cls,
        scope: Construct,
        *,
        sealed: SealedReference | None,
        point_in_time: TableReference | None,
        sources: tuple[TableReference | None, ...],
    ) -> Self:
        """The origin that the arguments of a restore name.

        Args:
            scope: The restore.
            sealed: The argument of that name.
            point_in_time: The argument of that name.
            sources: What may say the source, the first that does.

        Raises:
            InvalidInputError: Neither or both of sealed and point_in_time, or no source.
        """
        path = scope.node.path
        if (sealed is None) == (point_in_time is None):
            raise InvalidInputError(
                f"the origin of {path}",
                value=(sealed, point_in_time),
                allowed="either sealed=SealedReference(…) or point_in_time=TableReference(…)",
            )
        if sealed is not None and not isinstance(sealed, SealedReference):
            raise InvalidInputError(f"sealed of {path}", value=sealed, allowed="a SealedReference")
        if point_in_time is not None:
            here = (cdk.Stack.of(scope).account, cdk.Stack.of(scope).region)
            if not isinstance(point_in_time, TableReference) or (point_in_time.account, point_in_time.region) != here:
                raise InvalidInputError(
                    f"point_in_time of {path}",
                    value=point_in_time,
                    allowed="a TableReference of the account and region of its stack: no other may export it",
                )
        source = next((each for each in (sources[0], point_in_time, *sources[1:]) if each is not None), None)
        if source is None or any(map(is_unresolved, (source.account, source.region, source.name))):
            raise InvalidInputError(
                f"the source of {path}",
                value=source,
                allowed="a table by its literal account, region and name",
                fix='Pass source=TableReference(account="…", region="…", name="…").',
            )
        if point_in_time is not None and source.arn != point_in_time.arn:
            raise InvalidInputError(
                f"the source of {path}", value=source.arn, allowed=f"{point_in_time.arn}, whose state is taken"
            )
        return cls(source=source, sealed=sealed, living=point_in_time)

    @property
    def described(self) -> BucketClaim | None:
        """The sealed bucket as it stands in the metadata of the machine; None for a living table."""
        if self.sealed is None:
            return None
        return BucketClaim(account=self.sealed.account, region=self.sealed.region, bucket=self.sealed.bucket)
