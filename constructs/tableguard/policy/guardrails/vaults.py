"""A guardrail for an account that keeps backups: only deployments may change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from tableguard.aws import s3
from tableguard.aws.actions import Category, Effect, qualified_names
from tableguard.policy import names
from tableguard.policy.backup.common import SETTINGS
from tableguard.policy.backup.sealing_names import METRICS, SealingNames
from tableguard.policy.conditions import Clause
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.errors import InvalidInputError
from tableguard.policy.guardrails.backups import ProtectBackups
from tableguard.policy.guardrails.guardrail import Guardrail, Protection, Rendering, actions_of
from tableguard.policy.guardrails.keys import ProtectKeys
from tableguard.policy.lists import texts_of
from tableguard.policy.perimeter import IamPrincipal
from tableguard.policy.perimeter.guard import iam_principals, role_guard
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.principals import PRINCIPAL_ARN, PermissionSet, Role, User
from tableguard.policy.representation import as_call
from tableguard.policy.tokens import ordered

_LEAVING: Final = (
    *actions_of("account", "CloseAccount DisableRegion EnableRegion"),
    "organizations:LeaveOrganization",
)
_RETAIN: Final = ("s3:PutObjectRetention",)
# UpdateObjectEncryption puts an object, locked or not, under another key, which can then be deleted.
_OF_OBJECTS: Final = ("s3:UpdateObjectEncryption",)
# Whatever else changes what protects an object is for the bypass_governance_roles. Lifecycle rules that go by tags are
# settings.
_OF_LOCKS: Final = tuple(
    action
    for action in qualified_names(
        s3.ACTIONS, Effect.CHANGES_PROTECTION, on="object", but=(Category.TAGS, Category.REPLICATE)
    )
    if action not in (*_RETAIN, *_OF_OBJECTS)
)
_OF_BUCKETS: Final = (*SETTINGS, *qualified_names(s3.ACTIONS, Effect.MOVES_ITEMS_OUT, on="bucket"))
_OF_THE_ACCOUNT: Final = qualified_names(s3.ACTIONS, Effect.CHANGES_ACCESS, on="")
# Whatever seals, tells that nothing was sealed, or starts either.
_OF_SEALING: Final = (
    *actions_of(
        "lambda",
        "AddPermission DeleteFunction DeleteFunctionConcurrency PutFunctionConcurrency PutFunctionEventInvokeConfig"
        " PutRuntimeManagementConfig RemovePermission UpdateFunctionCode UpdateFunctionConfiguration"
        " UpdateFunctionEventInvokeConfig",
    ),
    *actions_of("states", "DeleteStateMachine UpdateStateMachine"),
    *actions_of("events", "DeleteRule DisableRule PutRule PutTargets RemoveTargets"),
    *actions_of("scheduler", "DeleteSchedule DeleteScheduleGroup UpdateSchedule"),
    # A rule that mutes an alarm leaves it as it is and keeps its actions from being taken.
    *actions_of("cloudwatch", "DeleteAlarms DisableAlarmActions PutAlarmMuteRule PutMetricAlarm SetAlarmState"),
    # A filter of a subscription keeps messages back as well as its end does, and so does the policy of a topic.
    *actions_of(
        "sns",
        "AddPermission DeleteTopic PutDataProtectionPolicy RemovePermission SetSubscriptionAttributes"
        " SetTopicAttributes Unsubscribe",
    ),
)
# CloudFormation goes on as the role that a stack was deployed with, whoever asks it to.
_OF_STACKS: Final = actions_of(
    "cloudformation",
    "CancelUpdateStack ContinueUpdateRollback CreateChangeSet DeleteStack ExecuteChangeSet ExecuteStackRefactor"
    " RollbackStack SetStackPolicy UpdateStack UpdateTerminationProtection",
)
_ASSUME: Final = ("sts:AssumeRole",)
_INVOKE: Final = actions_of("lambda", "InvokeAsync InvokeFunction InvokeFunctionUrl")
# A machine stops what it has begun, once one of its files cannot be sealed.
_STOP: Final = ("states:StopExecution",)
_MEASURE: Final = ("cloudwatch:PutMetricData",)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultGuardrail(Guardrail):
    """Protects an account that keeps backups: only deployments change what keeps them, and the account stays open.

    Attach it to the vault's account alone. It denies, to the account's root user as well:
    - everybody, including the administrators: leaving the organization, closing the account from inside, turning
      regions on and off
    - everybody but the administrators: changing buckets' policies, lifecycle, replication, versioning and lock
      configuration, KMS keys, AWS Backup's vaults and settings, the functions, state machines, rules, schedules and
      alarms of the sealing, and creating, changing or passing the roles that seal
    - everybody but the `bypass_governance_roles`, even the administrators: deleting versions, lifting governance locks,
      setting holds
    - everybody but the administrators and `pass_role_principals`: changing stacks, since a stack keeps its role
    - everybody of the account but the administrators and the `deployers`: assuming a pass-role principal
    - everybody but the administrators and the state machines of the sealing: stopping executions, invoking its
      functions, which trust their input, and writing the metric of sealed exports.

    An administrator of the account can still start the state machines, which check their input. With a metric filter or
    a log in the embedded metric format, they can write a metric, so that the alarm on missing exports stays quiet; a
    drill in another account still detects that. They can overwrite what `cdk deploy` has uploaded but not yet deployed,
    unless other policies deny that. Anybody who may assume a deployer's role, or a pass-role principal from another
    account, can deploy.

    It does not apply to the management account, where somebody can detach it, remove the account from the organization
    and close it: a closed account's data is gone after 90 days, locked or not. Against that, use another organization
    for the vault, or a logically air-gapped vault of AWS Backup whose multi-party approval is held elsewhere.

    Args:
        deployers: Roles and permission sets of the account that assume the roles of `pass_role_principals`, such as
            those that run `cdk deploy`. The roles are protected like the administrators. None if a pipeline of another
            account deploys: no SCP of this account applies to it.
        sealing_roles: The roles that seal, `SealedVault.sealing_role`. They, and what is named after them, are
            protected like the administrators. Without them, functions and metrics are not protected.
        bypass_governance_roles: Break-glass roles that may lift governance locks; none when left out.
        buckets: Names of the protected buckets; all buckets of the account when left out, including the one with the
            lists of what is being sealed.
        exempt_principals: Further principals that may change what keeps backups; none when left out.

    Raises:
        InvalidInputError: Something that is not a role, a deployer that is neither a role nor a permission set, or a
            malformed bucket name.
    """

    deployers: Sequence[IamPrincipal]
    sealing_roles: Sequence[Role] = ()
    bypass_governance_roles: Sequence[Role] = ()
    buckets: Sequence[str] = ()

    costs: ClassVar[str] = "changing anything of the vault but by a deployment or break-glass"

    __repr__ = as_call

    def __post_init__(self) -> None:
        Guardrail.__post_init__(self)
        deployers = iam_principals("deployers of VaultGuardrail", self.deployers)
        for one in deployers:
            if isinstance(one, User):
                raise InvalidInputError(
                    "deployers of VaultGuardrail",
                    value=one,
                    allowed="a list of Role, RoleOfEveryAccount and PermissionSet: nothing here guards a user's keys",
                )
        object.__setattr__(self, "deployers", deployers)
        for name in ("sealing_roles", "bypass_governance_roles"):
            roles = iam_principals(f"{name} of VaultGuardrail", getattr(self, name))
            for role in roles:
                if not isinstance(role, Role):
                    raise InvalidInputError(f"{name} of VaultGuardrail", value=role, allowed="a list of Role(…)")
            object.__setattr__(self, name, roles)
        buckets = texts_of("the buckets of VaultGuardrail", self.buckets)
        for bucket in buckets:
            names.bucket_name("a bucket of VaultGuardrail", bucket)
        object.__setattr__(self, "buckets", buckets)

    def denials(self, rendering: Rendering) -> tuple[DenyStatement, ...]:
        administrators = self.let_through(rendering.administrators)
        unless = rendering.unless(administrators)
        everything = self._arns(rendering, "", "/*")
        sealing = Protection(sid="ProtectVault", actions=(*_OF_SEALING, *_OF_THE_ACCOUNT), clauses=unless)
        # What the other guardrails say of every key and of AWS Backup, in the same words: it merges with theirs.
        others = (
            *ProtectBackups(exempt_principals=self.exempt_principals).denials(rendering),
            *ProtectKeys(exempt_principals=self.exempt_principals).denials(rendering),
        )
        objects = self._arns(rendering, "/*")
        lifting = rendering.unless((*self.bypass_governance_roles, *self.exempt_principals))
        retaining = rendering.unless((*self.bypass_governance_roles, *self.exempt_principals, *self.sealing_roles))
        sealers = [SealingNames(role=role) for role in self.sealing_roles]
        guarded = (
            *(role.arn(rendering.partition) for role in (*self.sealing_roles, *self.bypass_governance_roles)),
            *(each.machines(rendering.partition) for each in sealers),
            *(arn for one in self.deployers if not isinstance(one, PermissionSet) for arn in _arns(one, rendering)),
        )
        return (
            DenyStatement(sid="VaultStays", actions=_LEAVING),
            DenyStatement(
                sid="VaultBuckets", actions=(*_OF_BUCKETS, *_OF_OBJECTS), resources=everything, clauses=unless
            ),
            DenyStatement(sid="VaultLocks", actions=_OF_LOCKS, resources=objects, clauses=lifting),
            DenyStatement(sid="VaultRetentions", actions=_RETAIN, resources=objects, clauses=retaining),
            *role_guard("VaultRoles", guarded, administrators, partition=rendering.partition),
            sealing,
            *self._deploying(rendering, administrators),
            *_sealing(rendering, sealers, administrators),
            *others,
        )

    def _deploying(self, rendering: Rendering, administrators: tuple[IamPrincipal, ...]) -> tuple[DenyStatement, ...]:
        """No way to the administrators through a stack, or through a pass-role principal."""
        deploying = rendering.unless((*administrators, *rendering.pass_role_principals))
        assuming = rendering.unless((*administrators, *self.deployers))
        pass_role_principals = ordered(
            arn for one in rendering.pass_role_principals for arn in _arns(one, rendering) if ":role/" in arn
        )
        stacks = DenyStatement(sid="VaultStacks", actions=_OF_STACKS, clauses=deploying)
        if not pass_role_principals:
            return (stacks,)
        return (
            stacks,
            DenyStatement(sid="VaultDeployers", actions=_ASSUME, resources=pass_role_principals, clauses=assuming),
        )

    def _arns(self, rendering: Rendering, *endings: str) -> tuple[str, ...]:
        s3 = f"arn:{rendering.partition}:s3:::"
        return tuple(f"{s3}{bucket}{ending}" for bucket in self.buckets for ending in endings) or ("*",)

    @property
    def details(self) -> Mapping[str, Sequence[str | IamPrincipal]]:
        return {
            "deployers": self.deployers,
            "sealing_roles": self.sealing_roles,
            "bypass_governance_roles": self.bypass_governance_roles,
            "buckets": self.buckets,
        }


def _arns(one: IamPrincipal, rendering: Rendering) -> tuple[str, ...]:
    return arns_of(one, rendering.partition, account="*")


def _sealing(
    rendering: Rendering, sealers: Sequence[SealingNames], administrators: tuple[IamPrincipal, ...]
) -> tuple[DenyStatement, ...]:
    """Nobody but the machines gives the functions something to do, or reports what was done.

    Nobody else can have a role of such a name: it is guarded.
    """
    arns = [arn for one in administrators for arn in _arns(one, rendering)]
    machines = ordered((*arns, *(each.machines(rendering.partition) for each in sealers)))
    unless = (Clause("ArnNotLike", PRINCIPAL_ARN, machines),) if machines else ()
    functions = ordered(each.functions(rendering.partition) for each in sealers)
    ours = Clause("StringEquals", "cloudwatch:namespace", (METRICS,))
    stopping = DenyStatement(sid="VaultRuns", actions=_STOP, clauses=unless)
    if not sealers:
        return (stopping,)
    return (
        DenyStatement(sid="VaultFunctions", actions=_INVOKE, resources=functions, clauses=unless),
        DenyStatement(sid="VaultMetrics", actions=_MEASURE, clauses=(*unless, ours)),
        stopping,
    )
