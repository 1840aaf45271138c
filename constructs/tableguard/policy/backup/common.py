"""What the policy of every bucket that holds backups denies, whatever else it is for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.aws import s3
from tableguard.aws.actions import Category, Effect, qualified_names
from tableguard.aws.condition_keys import CONDITION_KEYS
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import IS_SERVICE, DenyStatement
from tableguard.policy.principals import PRINCIPAL_ARN, ArnIdentity, Role
from tableguard.policy.tokens import ordered
from tableguard.policy.unclassified import all_classified, unclassified


def _s3(names: str) -> tuple[str, ...]:
    return tuple(f"s3:{name}" for name in names.split())


_ENCRYPTION: Final = "s3:x-amz-server-side-encryption"
# What brings an object and tells its encryption.
WRITES: Final = tuple(
    action
    for action in qualified_names(s3.ACTIONS, Effect.CHANGES_ITEMS, on="object")
    if action in CONDITION_KEYS[_ENCRYPTION].actions
)
# Whatever else is to be learnt of an object, such as its lock, goes with its content.
READS: Final = _s3("GetObject* ListMultipartUploadParts ListObject*")
LISTS: Final = qualified_names(s3.ACTIONS, Effect.REVEALS_ITEMS, on="bucket")
DELETES: Final = tuple(
    action.qualified
    for action in s3.ACTIONS.values()
    if action.category is Category.DELETE and "object" in action.resources
)
# What changes an object, what is written to it, or who may do what with it. Its lock is a setting.
_ALTERATIONS: Final = qualified_names(
    s3.ACTIONS, Effect.CHANGES_ITEMS, Effect.CHANGES_ACCESS, on="object", but=(Category.DELETE, Category.SETTINGS)
)
# What of READS tells of an object's content, and not only whether it is locked.
_CONTENT: Final = _s3("GetObject GetObjectA* GetObjectT* GetObjectV* ListMultipartUploadParts ListObject*")
# Settings that make a bucket keep less, let somebody in, carry its content or the names in it elsewhere, or stop
# telling what arrived. With ABAC on, the way in which deployments tag buckets is closed. S3 refuses a policy with an
# action that it does not know there, so what only other services ask for stays out.
SETTINGS: Final = tuple(
    action.qualified
    for action in s3.ACTIONS.values()
    if "bucket" in action.resources
    and not action.is_harmless
    and action.category in (Category.DELETE, Category.POLICY, Category.REPLICATE, Category.SETTINGS)
)
# Everything that goes to a bucket or an object. A new Get or List may show what an object holds, so none stays open.
# What only CloudWatch asks for, to carry logs out, no statement can name: it is denied with what is new.
_CLASSIFIED: Final = all_classified(
    action
    for action in s3.ACTIONS.values()
    if not action.resources.isdisjoint({"bucket", "object"}) and action.category is not Category.EXPORT
)


def alterations(*, but: Collection[str]) -> tuple[str, ...]:
    """What is done to objects that are there, or makes one, besides deleting and locking them.

    Args:
        but: What stays open, with the service prefix.
    """
    return tuple(action for action in _ALTERATIONS if action not in but)


def unless(partition: str, *roles: Role | ArnIdentity) -> tuple[Clause, ...]:
    """The clause that does not hold for roles; none for nobody, so that everybody is denied.

    Args:
        partition: The partition of their ARNs.
        roles: The roles, all of whose sessions are exempt.
    """
    arns = ordered(role.arn(partition) for role in roles)
    return (Clause("ArnNotEquals", PRINCIPAL_ARN, arns),) if arns else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket whose policy is written.

    Args:
        arn: Its ARN.
        partition: Its partition.
        key_arn: The KMS key that it encrypts with; None for S3's own.
        deployers: The roles that may change its settings, its policy among them. Besides, S3 lets the root user of the
            bucket's account replace and delete the policy, whatever the policy says.
            Source: S3 API reference, PutBucketPolicy.
    """

    arn: str
    partition: str
    key_arn: str | None
    deployers: Sequence[Role]

    @property
    def objects(self) -> tuple[str, ...]:
        """Every object in it."""
        return (f"{self.arn}/*",)

    @property
    def everything(self) -> tuple[str, ...]:
        """The bucket and every object in it."""
        return (self.arn, *self.objects)

    def transport(self) -> tuple[DenyStatement, ...]:
        """Nothing without TLS 1.2."""
        return (
            DenyStatement(
                sid="OnlyOverTls",
                actions=("s3:*",),
                resources=self.everything,
                clauses=(Clause("Bool", "aws:SecureTransport", ("false",)),),
            ),
            DenyStatement(
                sid="OnlyOverTls12",
                actions=("s3:*",),
                resources=self.everything,
                clauses=(Clause("NumericLessThan", "s3:TlsVersion", ("1.2",)),),
            ),
        )

    def encryption(self) -> tuple[DenyStatement, ...]:
        """No object under a key that is not the bucket's own: whoever holds the key could take the object away.

        Keys that the requester sends along (SSE-C) are lost with him. `UpdateObjectEncryption` puts an object that is
        there, locked or not, under another key of the account, which can then be deleted.
        """
        own = "AES256" if self.key_arn is None else "aws:kms"
        named = Clause("Null", _ENCRYPTION, ("false",))
        denials = [
            DenyStatement(
                sid="NoCustomerKeys",
                actions=WRITES,
                resources=self.objects,
                clauses=(Clause("Null", f"{_ENCRYPTION}-customer-algorithm", ("false",)),),
            ),
            DenyStatement(
                sid="OnlyOwnEncryption",
                actions=WRITES,
                resources=self.objects,
                clauses=(named, Clause("StringNotEquals", _ENCRYPTION, (own,))),
            ),
            DenyStatement(sid="NoOtherKeyLater", actions=("s3:UpdateObjectEncryption",), resources=self.objects),
        ]
        if self.key_arn is not None:
            key_id = f"{_ENCRYPTION}-aws-kms-key-id"
            denials.append(
                DenyStatement(
                    sid="OnlyOwnKey",
                    actions=WRITES,
                    resources=self.objects,
                    clauses=(Clause("Null", key_id, ("false",)), Clause("StringNotEquals", key_id, (self.key_arn,))),
                )
            )
            # Whoever asks for KMS and names no key gets the account's key for S3, aws/s3, and not the bucket's. A
            # replication always names its key. Source: S3 API reference, PutObject and ReplicaKmsKeyID.
            denials.append(
                DenyStatement(
                    sid="NoKeyOfS3",
                    actions=("s3:PutObject",),
                    resources=self.objects,
                    clauses=(Clause("StringEquals", _ENCRYPTION, (own,)), Clause("Null", key_id, ("true",))),
                )
            )
        return tuple(denials)

    def settings(self) -> tuple[DenyStatement, ...]:
        """Nobody but deployments changes settings."""
        return (
            DenyStatement(
                sid="OnlyDeploymentsChangeSettings",
                actions=SETTINGS,
                resources=(self.arn,),
                clauses=unless(self.partition, *self.deployers),
            ),
        )

    def readers(
        self, readers: Sequence[Role | ArnIdentity], *, finders: Sequence[Role | ArnIdentity] = ()
    ) -> tuple[DenyStatement, ...]:
        """Nobody but these reads objects or lists them.

        Deployments list: S3 asks for the right to list where somebody looks whether a bucket is there (HeadBucket),
        which CloudFormation does before it updates or deletes one.

        Args:
            readers: The roles that do.
            finders: Roles that list, and see how long an object is locked, and read none: whoever is to delete a
                version has to find it.
        """
        blind = ordered(role.arn(self.partition) for role in finders if role not in readers)
        return (
            DenyStatement(
                sid="OnlyReadersRead",
                actions=READS,
                resources=self.objects,
                clauses=unless(self.partition, *readers, *finders),
            ),
            *(self._blinded(blind) if blind else ()),
            DenyStatement(
                sid="OnlyReadersList",
                actions=LISTS,
                resources=(self.arn,),
                clauses=unless(self.partition, *readers, *finders, *self.deployers),
            ),
        )

    def _blinded(self, arns: tuple[str, ...]) -> tuple[DenyStatement, ...]:
        clause = Clause("ArnEquals", PRINCIPAL_ARN, arns)
        return (DenyStatement(sid="FindersReadNothing", actions=_CONTENT, resources=self.objects, clauses=(clause,)),)

    def unclassified(self, beside: Iterable[DenyStatement]) -> DenyStatement:
        """Nothing that S3 lets be done later, but by those whom another statement exempts.

        An action that S3 adds may read an object, delete one or lift its lock. AWS services in their own name and
        service-linked roles are exempt as well: this statement denies, and no other one allows them anything.

        Args:
            beside: The other statements of the policy.
        """
        return unclassified(
            "Unclassified",
            _CLASSIFIED,
            resources=self.everything,
            outside=(Clause("BoolIfExists", IS_SERVICE, ("false",)),),
            beside=beside,
            exempt=(f"arn:{self.partition}:iam::*:role/aws-service-role/*",),
        )
