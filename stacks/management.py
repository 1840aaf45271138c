"""The management account: what nobody in some of its accounts may do, whatever the policies there say."""

from __future__ import annotations

from dataclasses import replace

import aws_cdk as cdk
from constructs import Construct

import tableguard as tg
from stacks.backup_vault import BackupVault
from stacks.private_workload import PrivateWorkload

# Those of the CDK's own bootstrap: what CloudFormation works as, and who hands it that role.
EXECUTION = tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")
DEPLOYING = tg.RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")


class Management(cdk.Stack):
    """SCPs on the private workload's and the vault's account, and an RCP on the first. Destroying this takes all off.

    The workload's go by who owns the endpoint and not by the VPC's id, which is known only once that is deployed: so
    neither stack waits for the other. AWS says nothing of aws:VpceAccount at gateway endpoints. Where they do not set
    it, everybody is cut off who is not exempt: try it in an account without customers, or deploy the workload first and
    name its VPC's id with `FromVpc`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        env: cdk.Environment,
        workload: PrivateWorkload,
        vault: BackupVault,
    ) -> None:
        """Restriction an account in, and guard another.

        Args:
            scope: The app.
            construct_id: The stack's name.
            env: The management account, or one to which it has delegated policies.
            workload: The account that is restricted, with the roles there that may cross the line.
            vault: The account in which nobody but a deployment changes what keeps backups.
        """
        super().__init__(scope, construct_id, env=env)
        break_glass = workload.break_glass
        administrators: list[tg.Role | tg.RoleOfEveryAccount] = [EXECUTION, break_glass.principal]
        perimeter = tg.Perimeter(
            networks=[tg.FromVpcsOfAccount(workload.account)],
            exemptions=[
                tg.Exemption(
                    principal=EXECUTION,
                    actions=tg.RestrictedActions.DEPLOYMENT,
                    reason="CloudFormation calls from its own network",
                ),
                break_glass.exemption,
                # An SCP is about all tables of the account: about the one that keeps the state of exports, too. The
                # table's own policy still keeps the role from every item.
                replace(
                    workload.exporting,
                    actions=tg.RestrictedActions.EXPORT | tg.RestrictedActions.on_table("GetItem", "UpdateItem"),
                ),
            ],
        )
        self.scp = tg.BreakGlassSCP(
            self,
            "PrivateWorkload",
            targets=[workload.account],
            perimeter=perimeter,
            guardrails=[
                tg.OnlyRegions(workload.region),
                tg.ProtectTables(),
                tg.ProtectBackups(),
                tg.ProtectTrails(),
                tg.ProtectKeys(),
                tg.StayInOrganization(),
            ],
            administrators=administrators,
            pass_role_principals=[DEPLOYING],
        )
        self.rcp = tg.BreakGlassRCP(
            self,
            "PrivateResources",
            targets=[workload.account],
            perimeter=perimeter,
            guardrails=[tg.ProtectTables(), tg.ProtectKeys()],
            administrators=administrators,
        )
        sealed = vault.vault
        self.vault_scp = tg.BreakGlassSCP(
            self,
            "BackupVault",
            targets=[vault.account],
            guardrails=[
                tg.VaultGuardrail(
                    # The pipeline is in an account of its own.
                    deployers=[],
                    sealing_roles=[sealed.sealing_role],
                ),
                tg.ProtectTrails(),
            ],
            administrators=[EXECUTION],
            pass_role_principals=[DEPLOYING],
        )
