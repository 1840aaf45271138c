"""An account that keeps backups, out of everybody's reach but deployments'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.policy import names
from tableguard.policy.backup.common import SETTINGS
from tableguard.policy.denials import Denial
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.guardrails.backups import ProtectBackups
from tableguard.policy.guardrails.guardrail import Guardrail, Rendering, actions_of, spared_by
from tableguard.policy.guardrails.keys import ProtectKeys
from tableguard.policy.perimeter.guard import role_guard
from tableguard.policy.principals import Role

_LEAVING: Final = (
    *actions_of("account", "CloseAccount DisableRegion EnableRegion"),
    "organizations:LeaveOrganization",
)
_OF_LOCKS: Final = actions_of("s3", "BypassGovernanceRetention DeleteObjectVersion PutObjectLegalHold")
_RETAIN: Final = ("s3:PutObjectRetention",)
# UpdateObjectEncryption puts an object, locked or not, under another key, which can then be deleted.
_OF_OBJECTS: Final = ("s3:UpdateObjectEncryption",)
_OF_THE_ACCOUNT: Final = ("s3:PutAccountPublicAccessBlock",)
# Whatever seals, tells that nothing was sealed, or starts either.
_OF_SEALING: Final = (
    *actions_of(
        "lambda",
        "AddPermission DeleteFunction DeleteFunctionConcurrency PutFunctionConcurrency PutFunctionEventInvokeConfig"
        " PutRuntimeManagementConfig RemovePermission UpdateFunctionCode UpdateFunctionConfiguration",
    ),
    *actions_of("states", "DeleteStateMachine StopExecution UpdateStateMachine"),
    *actions_of("events", "DeleteRule DisableRule PutRule PutTargets RemoveTargets"),
    *actions_of("scheduler", "DeleteSchedule DeleteScheduleGroup UpdateSchedule"),
    *actions_of("cloudwatch", "DeleteAlarms DisableAlarmActions PutMetricAlarm SetAlarmState"),
    # A filter of a subscription keeps messages back as well as its end does.
    *actions_of("sns", "DeleteTopic SetSubscriptionAttributes SetTopicAttributes Unsubscribe"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultGuardrail(Guardrail):
    """In an account that keeps backups, deployments alone change what keeps them, and nobody leaves or closes it.

    Nobody, the guardians included, leaves the organization, closes the account from inside, or turns regions on and
    off. Nobody but the guardians changes buckets' policies, lifecycle, replication, versioning and lock configuration,
    KMS keys, AWS Backup's vaults and settings, or the functions, machines, rules, schedules and alarms that seal and
    watch. Nobody but the bypassers deletes versions, lifts governance locks or sets holds, not even the guardians; and
    nobody but the guardians makes, changes or passes the roles that seal. It binds the account's root user as well, who
    may otherwise replace the policy of every bucket.

    Attach it to the vault's account alone. It does not bind the management account, from which somebody can detach
    it, take the account out of the organization and close it: a closed account's data is gone after 90 days, locked or
    not. The answers to that are another organization for the vault, and a logically air-gapped vault of AWS Backup
    whose multi-party approval is held elsewhere.

    Args:
        sealing_roles: The roles that seal, which are guarded like the guardians: `SealedVault.sealing_role`.
        bypassers: Break-glass roles that may lift governance locks; nobody when left out.
        buckets: Names of the buckets that it is about; all of the account when left out.
        spared: Who else may change what keeps backups.

    Raises:
        InvalidInputError: A role that is none, or a malformed bucket name.
    """

    sealing_roles: Sequence[Role] = ()
    bypassers: Sequence[Role] = ()
    buckets: Sequence[str] = ()

    costs: ClassVar[str] = "changing anything of the vault but by a deployment or break-glass"

    def __post_init__(self) -> None:
        Guardrail.__post_init__(self)
        for name in ("sealing_roles", "bypassers"):
            roles = spared_by(f"{name} of VaultGuardrail", getattr(self, name))
            for role in roles:
                if not isinstance(role, Role):
                    raise InvalidInputError(f"{name} of VaultGuardrail", value=role, allowed="a list of Role(…)")
            object.__setattr__(self, name, roles)
        buckets = names.listed("the buckets of VaultGuardrail", self.buckets)
        for bucket in buckets:
            names.bucket_name("a bucket of VaultGuardrail", bucket)
        object.__setattr__(self, "buckets", buckets)

    def denials(self, rendering: Rendering) -> tuple[Denial, ...]:
        guardians = self.let_through(rendering.guardians)
        unless = rendering.unless(guardians)
        everything = self._arns(rendering, "", "/*")
        sealing = Denial(sid="ProtectVault", actions=(*_OF_SEALING, *_OF_THE_ACCOUNT), clauses=unless)
        # What the other guardrails say of every key and of AWS Backup, in the same words: it merges with theirs.
        others = (
            *ProtectBackups(spared=self.spared).denials(rendering),
            *ProtectKeys(spared=self.spared).denials(rendering),
        )
        objects = self._arns(rendering, "/*")
        lifting = rendering.unless((*self.bypassers, *self.spared))
        retaining = rendering.unless((*self.bypassers, *self.spared, *self.sealing_roles))
        guarded = (*self.sealing_roles, *self.bypassers)
        return (
            Denial(sid="VaultStays", actions=_LEAVING),
            Denial(sid="VaultBuckets", actions=(*SETTINGS, *_OF_OBJECTS), resources=everything, clauses=unless),
            Denial(sid="VaultLocks", actions=_OF_LOCKS, resources=objects, clauses=lifting),
            Denial(sid="VaultRetentions", actions=_RETAIN, resources=objects, clauses=retaining),
            *role_guard("VaultRoles", guarded, guardians, partition=rendering.partition),
            sealing,
            *others,
        )

    def _arns(self, rendering: Rendering, *endings: str) -> tuple[str, ...]:
        s3 = f"arn:{rendering.partition}:s3:::"
        return tuple(f"{s3}{bucket}{ending}" for bucket in self.buckets for ending in endings) or ("*",)

    def described(self) -> dict[str, object]:
        return {
            **Guardrail.described(self),
            **({"sealing roles": [role.label for role in self.sealing_roles]} if self.sealing_roles else {}),
            **({"bypassers": [one.label for one in self.bypassers]} if self.bypassers else {}),
            **({"buckets": list(self.buckets)} if self.buckets else {}),
        }
