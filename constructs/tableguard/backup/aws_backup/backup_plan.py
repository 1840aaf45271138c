"""Backups of tables by AWS Backup: locked, copied to another account, and proved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_backup as backup, aws_iam as iam, aws_kms as kms, aws_sns as sns
from constructs import Construct

from tableguard.backup.alarms import hours_of
from tableguard.backup.aws_backup.job_watch import JobWatch
from tableguard.backup.aws_backup.locked_vault import LockedBackupVault
from tableguard.backup.aws_backup.plan_tables import AnyTable, keys_of, tables_here
from tableguard.backup.aws_backup.region_settings import AdvancedDynamoDbBackup
from tableguard.backup.aws_backup.restore_testing import RestoreTesting, RestoreTests, assumed_by_backup
from tableguard.policy import InvalidInputError, Role
from tableguard.policy.backup import BackupRule
from tableguard.policy.backup.backup_vaults import said
from tableguard.policy.backup.service_roles import backup_policy
from tableguard.policy.metadata import METADATA_KEY, backup_metadata
from tableguard.policy.metadata.backups import CopyClaim, PlanClaim, RuleClaim
from tableguard.policy.names import role_name as checked_role_name
from tableguard.policy.perimeter import Exemption, RestrictedActions

_MOST_TABLES: Final = 500


class TableBackupPlan(Construct):
    """Backs up tables with AWS Backup, into a locked vault and from there into vaults of other accounts.

    A vault of the same account survives a deleted table, and with a compliance lock a takeover of the account, but not
    the closing of the account. For that, each rule copies into a `LockedBackupVault` of another account or an
    `AirGappedVault`. You lose at most what was written since the last *copy*.

    Alarms report failed jobs, and tables or copies for which no job completes for a while; AWS Backup itself does not.
    The topic is also told when somebody changes the region's settings, since copies stop when advanced DynamoDB backup
    is turned off.

    A recovery point carries neither the table's policy nor its restrictions (a restored table has none of them), nor,
    as far as AWS documents it, its settings for point-in-time recovery, streams, TTL, auto scaling and alarms. Source:
    DynamoDB developer guide, "Usage notes".
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        tables: Sequence[AnyTable],
        vault: LockedBackupVault,
        rules: Sequence[BackupRule],
        plan_name: str,
        role_name: str,
        advanced: AdvancedDynamoDbBackup | str,
        alarm_after: cdk.Duration | None,
        restore_testing: RestoreTesting | None = None,
        alarms_topic: sns.ITopic | None = None,
    ) -> None:
        """Make the plan.

        Args:
            scope: The parent construct, in a stack of the tables' account and region.
            construct_id: The construct's id, unique below its parent.
            tables: The tables, 1 to 500 (30 with test restores). They are named by their ARNs, so that what is backed
                up does not depend on tags that somebody could change.
            vault: Where backups go, of the same account and region. It has to name the vaults of the copies among its
                `copies_to`.
            rules: When, for how long, and where copies go.
            plan_name: The plan's name.
            role_name: The name of the role that makes the backups, so that perimeters and the other account's vault can
                name it.
            advanced: What turns on, or checks, advanced DynamoDB backup in this region; or, in words, who has seen to
                it that it is on. Without it, backups are not copied.
            alarm_after: After how long without a completed backup, or copy, of a table an alarm rings: whole hours, 1
                to 168; more than the time between two of them and the window in which they may start. None: no such
                alarm, and a warning.
            restore_testing: How backups are proved; not at all when left out.
            alarms_topic: Who is told. An encrypted topic's key has to let EventBridge and CloudWatch in.

        Raises:
            InvalidInputError: No table or rule, a table or vault of another account or region, two rules of one name,
                a retention that a lock does not take, a copy to a vault that `vault` does not name, or a malformed
                value.
        """
        super().__init__(scope, construct_id)
        stack, path = cdk.Stack.of(self), self.node.path
        known = tables_here(self, tables, most=_MOST_TABLES)
        self._check(vault, rules, advanced)
        said(f"the plan_name of {path}", plan_name, "a name")
        checked_role_name(f"the role_name of {path}", role_name)
        after = hours_of(f"alarm_after of {path}", alarm_after) if alarm_after is not None else None
        arns = [table.table_arn for table in known]
        copies = list(dict.fromkeys(copy.to.arn(stack.partition) for rule in rules for copy in rule.copies))
        keys = _key_arns((vault.key, *keys_of(known)))
        self._principal = Role(account=stack.account, name=role_name)
        self._role = iam.CfnRole(
            self,
            "Role",
            role_name=role_name,
            assume_role_policy_document=assumed_by_backup(),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="Backups",
                    policy_document=backup_policy(
                        tables=arns,
                        vault=vault.vault.attr_backup_vault_arn,
                        copies=copies,
                        keys=keys,
                        partition=stack.partition,
                        region=stack.region,
                        account=stack.account,
                    ),
                )
            ],
        )
        self._plan = backup.CfnBackupPlan(
            self,
            "Plan",
            backup_plan=backup.CfnBackupPlan.BackupPlanResourceTypeProperty(
                backup_plan_name=plan_name, backup_plan_rule=[self._rendered(rule, vault) for rule in rules]
            ),
        )
        if isinstance(advanced, AdvancedDynamoDbBackup):
            self._plan.node.add_dependency(advanced.confirmed)
        selection = backup.CfnBackupSelection(
            self,
            "Tables",
            backup_plan_id=self._plan.attr_backup_plan_id,
            backup_selection=backup.CfnBackupSelection.BackupSelectionResourceTypeProperty(
                selection_name="Tables", iam_role_arn=self._role.attr_arn, resources=arns
            ),
        )
        self._watch = JobWatch(self, "Jobs", tables=arns, copies=copies, after_hours=after, topic=alarms_topic)
        if after is None:
            cdk.Annotations.of(selection).add_warning_v2(
                "tableguard:plan-without-absence-alarm",
                f"Nobody is told when {path} makes no backups any more: give it alarm_after.",
            )
        self._testing = restore_testing
        if restore_testing is not None:
            self._tests = RestoreTests(
                self,
                "RestoreTests",
                testing=restore_testing,
                tables=arns,
                vault=vault.vault.attr_backup_vault_arn,
                keys=keys,
                topic=alarms_topic,
            )
        self._plan.add_metadata(METADATA_KEY, backup_metadata(self._said(arns, rules, vault, advanced, after)))

    @property
    def plan(self) -> backup.CfnBackupPlan:
        """The plan's resource."""
        return self._plan

    @property
    def role(self) -> Role:
        """The role that makes the backups: name it in `copies_from` of the other account's vault."""
        return self._principal

    @property
    def restore_tests(self) -> RestoreTests | None:
        """The test restores; None where there are none."""
        return self._tests if self._testing is not None else None

    def exemption(self, *, reason: str) -> Exemption:
        """The exemption of the role that makes backups from a `Perimeter` of the tables. It reads no item.

        AWS Backup works with this role from its own network, with dynamodb:StartAwsBackupJob.

        Args:
            reason: Why, in a reviewer's words.
        """
        return Exemption(principal=self._principal, actions=RestrictedActions.BACKUP, reason=reason)

    def restore_exemption(self, *, reason: str) -> Exemption:
        """The exemption of the role that makes test restores, where a perimeter is an SCP: tables' policies need none.

        Args:
            reason: Why, in a reviewer's words.

        Raises:
            InvalidInputError: The plan has no test restores.
        """
        if self._testing is None:
            raise InvalidInputError(
                f"restore_exemption of {self.node.path}", value=None, allowed="a plan with restore_testing"
            )
        role = Role(account=self._principal.account, name=self._testing.role_name)
        return Exemption(principal=role, actions=RestrictedActions.RESTORE | RestrictedActions.NEW_COPY, reason=reason)

    def _check(self, vault: object, rules: Sequence[BackupRule], advanced: object) -> None:
        path, stack = self.node.path, cdk.Stack.of(self)
        if not isinstance(vault, LockedBackupVault):
            raise InvalidInputError(f"the vault of {path}", value=vault, allowed="a LockedBackupVault")
        here = vault.reference
        if (here.account, here.region) != (stack.account, stack.region):
            raise InvalidInputError(
                f"the vault of {path}",
                value=f"{here.name} of {here.account} {here.region}",
                allowed=f"one of {stack.account} {stack.region}, where the plan is",
                fix="Name a vault elsewhere as a VaultCopy of a rule.",
            )
        for rule in rules:
            if not isinstance(rule, BackupRule):
                raise InvalidInputError(f"a rule of {path}", value=rule, allowed="a BackupRule")
            here.check_kept(f"BackupRule {rule.name}", rule.keep_days)
            for copy in rule.copies:
                if copy.to.arn("aws") not in {named.arn("aws") for named in vault.copies_to}:
                    raise InvalidInputError(
                        f"a copy of BackupRule {rule.name}",
                        value=copy.to.arn(stack.partition),
                        allowed=f"the vaults that {here.name} lets its backups be copied to",
                        fix="Add it to copies_to of the LockedBackupVault.",
                    )
        names = [rule.name for rule in rules]
        if not names or len(names) != len(set(names)):
            raise InvalidInputError(f"the rules of {path}", value=names, allowed="at least one, each with its own name")
        if not isinstance(advanced, AdvancedDynamoDbBackup):
            said(
                f"advanced of {path}",
                advanced,
                "an AdvancedDynamoDbBackup, or who has seen to it that advanced DynamoDB backup is on",
            )

    def _rendered(
        self, rule: BackupRule, vault: LockedBackupVault
    ) -> backup.CfnBackupPlan.BackupRuleResourceTypeProperty:
        return backup.CfnBackupPlan.BackupRuleResourceTypeProperty(
            rule_name=rule.name,
            target_backup_vault=vault.vault.ref,
            schedule_expression=rule.schedule,
            start_window_minutes=rule.start_within_minutes,
            completion_window_minutes=rule.complete_within_minutes,
            lifecycle=_lifecycle(rule.keep_days, rule.cold_after_days),
            copy_actions=[
                backup.CfnBackupPlan.CopyActionResourceTypeProperty(
                    destination_backup_vault_arn=copy.to.arn(cdk.Stack.of(self).partition),
                    lifecycle=_lifecycle(copy.keep_days, copy.cold_after_days),
                )
                for copy in rule.copies
            ]
            or None,
        )

    def _said(
        self,
        tables: Sequence[str],
        rules: Sequence[BackupRule],
        vault: LockedBackupVault,
        advanced: AdvancedDynamoDbBackup | str,
        after_hours: int | None,
    ) -> PlanClaim:
        partition = cdk.Stack.of(self).partition
        return PlanClaim(
            tables=tuple(tables),
            rules=tuple(
                RuleClaim(
                    schedule=rule.schedule,
                    keep_days=rule.keep_days,
                    vault=vault.reference.name,
                    copies=tuple(
                        CopyClaim(vault_arn=copy.to.arn(partition), account=copy.to.account, keep_days=copy.keep_days)
                        for copy in rule.copies
                    ),
                )
                for rule in rules
            ),
            restore_testing=self._testing is not None,
            advanced=advanced if isinstance(advanced, str) else "checked at deployment",
            alarm_after_minutes=after_hours * 60 if after_hours is not None else None,
        )


def _lifecycle(keep_days: int, cold_after_days: int | None) -> backup.CfnBackupPlan.LifecycleResourceTypeProperty:
    return backup.CfnBackupPlan.LifecycleResourceTypeProperty(
        delete_after_days=keep_days, move_to_cold_storage_after_days=cold_after_days
    )


def _key_arns(keys: Sequence[kms.IKey]) -> list[str]:
    return list(dict.fromkeys(key.key_arn for key in keys))
