"""The policy of a bucket whose objects nobody can destroy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tableguard.aws.actions import Category, Effect, qualified_names
from tableguard.aws.s3 import ACTIONS
from tableguard.policy.backup.common import DELETES, Bucket, unless
from tableguard.policy.backup.retention import Retention, RetentionBounds
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.principals import Role

_MODE: Final = "s3:object-lock-mode"
_DAYS: Final = "s3:object-lock-remaining-retention-days"
_HOLD: Final = "s3:object-lock-legal-hold"
_EVENT_HOLD: Final = "s3:object-lock-event-hold"
_PUT: Final = ("s3:PutObject",)
_RETAIN: Final = ("s3:PutObjectRetention",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Immutable:
    """What the policy of a locked bucket denies.

    Object Lock itself keeps what is locked; the policy keeps the lock from being circumvented, and the bucket from
    being filled for a hundred years.

    Args:
        bucket: The bucket.
        retention: What it locks objects for by default.
        bounds: What a request may lock an object for instead.
        bypass_governance_roles: Roles that may lift the lock in governance mode, delete versions, and set or lift legal
            holds. They list versions and see their locks, even where others are named as readers, and read no content.
        writers: The only roles that write objects; None for whoever other policies let.
        readers: The only roles that read objects and list them; None for whoever other policies let.
        sources: The only roles that replicate into it.
        write_once: Whether an object may be written only where none of that key is.
    """

    bucket: Bucket
    retention: Retention
    bounds: RetentionBounds
    bypass_governance_roles: Sequence[Role] = ()
    writers: Sequence[Role] | None = None
    readers: Sequence[Role] | None = None
    sources: Sequence[Role] = ()
    write_once: bool = False

    def denials(self) -> tuple[DenyStatement, ...]:
        """All statements."""
        bucket = self.bucket
        denials = (
            *bucket.transport(),
            *bucket.encryption(),
            *self._versions(),
            *self._locks(),
            *self._writing(),
            *(bucket.readers(self.readers, finders=self.bypass_governance_roles) if self.readers is not None else ()),
            *bucket.settings(),
        )
        return (*denials, bucket.unclassified(denials))

    def _denial(self, sid: str, actions: tuple[str, ...], *clauses: Clause, but: Sequence[Role] = ()) -> DenyStatement:
        exempt = unless(self.bucket.partition, *but)
        return DenyStatement(sid=sid, actions=actions, resources=self.bucket.objects, clauses=(*clauses, *exempt))

    def _versions(self) -> tuple[DenyStatement, ...]:
        """Lifecycle, which no policy binds, removes what has reached its end; nobody else has to."""
        return (
            self._denial("NobodyDeletes", DELETES, but=self.bypass_governance_roles),
            self._denial("NoReplicatedDeletes", _REPLICATED_DELETES),
            self._denial("NobodyBypasses", ("s3:BypassGovernanceRetention",), but=self.bypass_governance_roles),
        )

    def _locks(self) -> tuple[DenyStatement, ...]:
        own = Clause("StringNotEquals", _MODE, (self.retention.mode.value,))
        shorter = Clause("NumericLessThan", _DAYS, (str(self.bounds.at_least),))
        longer = Clause("NumericGreaterThan", _DAYS, (str(self.bounds.at_most),))
        stated = Clause("Null", _MODE, ("false",))
        held = Clause("Null", _HOLD, ("false",))
        # Until somebody lets the object go, and as long thereafter as the hold says, whatever the retention is.
        # Whether S3 tells of a hold that is off is documented nowhere, so that one is let pass.
        event = (Clause("Null", _EVENT_HOLD, ("false",)), Clause("StringNotEquals", _EVENT_HOLD, ("OFF",)))
        return (
            # A request without a mode takes the retention away, or holds the object until somebody lets it go.
            self._denial("OnlyOwnMode", _RETAIN, own, but=self.bypass_governance_roles),
            # An upload without one gets the bucket's own.
            self._denial("OnlyOwnModeWritten", _PUT, stated, own),
            self._denial(
                "NoRetentionWithoutEnd", _RETAIN, Clause("Null", _DAYS, ("true",)), but=self.bypass_governance_roles
            ),
            self._denial("RetainNoShorter", _RETAIN, shorter, but=self.bypass_governance_roles),
            self._denial("RetainNoShorterWritten", _PUT, shorter),
            self._denial("RetainNoLonger", (*_RETAIN, *_PUT), longer),
            self._denial("NobodyHolds", ("s3:PutObjectLegalHold",), but=self.bypass_governance_roles),
            self._denial("NobodyHoldsWritten", _PUT, held, but=self.bypass_governance_roles),
            self._denial("NobodyHoldsForAnEvent", (*_RETAIN, *_PUT), *event, but=self.bypass_governance_roles),
            self._denial("NoReplicatedEventHolds", ("s3:ReplicateObject",), *event),
        )

    def _writing(self) -> tuple[DenyStatement, ...]:
        denials = [self._denial("OnlySourcesReplicate", _REPLICAS, but=self.sources)]
        if self.writers is not None:
            retaining = (*self.writers, *self.bypass_governance_roles)
            denials.append(self._denial("OnlyWritersWrite", (*_PUT, *_ANNOTATIONS), but=self.writers))
            denials.append(self._denial("OnlyWritersRetain", (*_RETAIN, *_TAGS), but=retaining))
        if self.write_once:
            # The parts of a multipart upload create nothing and cannot say it. Source: S3 user guide, "Enforce
            # conditional writes on Amazon S3 buckets".
            once = (Clause("Null", "s3:if-none-match", ("true",)), Clause("Bool", _CREATION, ("true",)))
            denials.append(self._denial("WriteOnce", _PUT, *once))
        return tuple(denials)


_CREATION: Final = "s3:ObjectCreationOperation"
_REPLICATED_DELETES: Final = ("s3:ReplicateDelete",)
_REPLICAS: Final = tuple(
    action.qualified
    for action in ACTIONS.values()
    if action.category is Category.REPLICATE and "object" in action.resources and not action.is_harmless
    if action.qualified not in _REPLICATED_DELETES
)
_ANNOTATIONS: Final = tuple(
    action.qualified
    for action in ACTIONS.values()
    if action.category is Category.WRITE and action.name.endswith("Annotation")
)
_TAGS: Final = qualified_names(ACTIONS, Effect.CHANGES_ACCESS, on="object", but=(Category.POLICY, Category.REPLICATE))
