"""The management account: what nobody in the private workload's account may do, whatever the policies there say."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

import tableguard as tg
from stacks.organization import Place

# Those of the CDK's own bootstrap: what CloudFormation works as, and who hands it that role.
EXECUTION = tg.RoleOfEveryAccount(name="cdk-hnb659fds-cfn-exec-role-*")
DEPLOYING = tg.RoleOfEveryAccount(name="cdk-hnb659fds-deploy-role-*")


class Management(cdk.Stack):
    """An SCP and an RCP on the private workload's account. Destroying this stack takes both off.

    They go by who owns the endpoint and not by the VPC's id, which is known only once the workload is deployed: so
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
        workload: Place,
        break_glass: tg.BreakGlassRole,
    ) -> None:
        """Fence an account in.

        Args:
            scope: The app.
            construct_id: The stack's name.
            env: The management account, or one to which it has delegated policies.
            workload: The account that is bound, and its only region.
            break_glass: The role there that may cross the line.
        """
        super().__init__(scope, construct_id, env=env)
        guardians: list[tg.Role | tg.RoleOfEveryAccount] = [EXECUTION, break_glass.guardian]
        perimeter = tg.Perimeter(
            networks=[tg.FromVpcsOfAccount(workload.account)],
            exemptions=[
                tg.Exemption(
                    principal=EXECUTION, fenced=tg.Fenced.DEPLOYMENT, reason="CloudFormation calls from its own network"
                ),
                break_glass.exemption,
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
            guardians=guardians,
            passers=[DEPLOYING],
        )
        self.rcp = tg.BreakGlassRCP(
            self,
            "PrivateResources",
            targets=[workload.account],
            perimeter=perimeter,
            guardrails=[tg.ProtectTables(), tg.ProtectKeys()],
            guardians=guardians,
        )
