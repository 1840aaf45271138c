"""The reference deployment: a small organization that shares one DynamoDB table across its accounts, and restrictions
one in.

Who has which account: cdk.json. Who may do what, and why: stacks/grants.py. What must hold anyway: stacks/rules.py.
"""

import aws_cdk as cdk

from stacks.backup_vault import BackupVault
from stacks.backups import Backups
from stacks.central_data import CentralData
from stacks.etl import Etl
from stacks.grants import Grants
from stacks.management import Management
from stacks.organization import CONTEXT, Organization, Place
from stacks.private_workload import PrivateWorkload
from stacks.recovery import Recovery
from stacks.rules import rules
from stacks.tenant import Tenant
from stacks.writer import Writer


def env(place: Place) -> cdk.Environment:
    return cdk.Environment(account=place.account, region=place.region)


def organize(app: cdk.App) -> None:
    organization = Organization.read(app.node.try_get_context(CONTEXT))
    grants, backups = Grants(organization), Backups(organization)

    central = CentralData(
        app,
        "CentralData",
        env=env(organization.central),
        table_grants=grants.all,
        vendor_grant=grants.vendor,
        vault=backups.vault,
    )
    table = central.table.reference  # literal values: no stack depends on another account's

    for tenant, place in organization.tenants.items():
        Tenant(app, f"Tenant{tenant}", env=env(place), grant=grants.tenants[tenant], table=table)
    Etl(app, "Etl", env=env(organization.etl), grant=grants.etl, table=table)
    Writer(app, "Writer", env=env(organization.writer), grant=grants.writer, table=table)

    private, management = organization.private, organization.management
    workload = PrivateWorkload(
        app, "PrivateWorkload", env=env(private), emergency_account=organization.emergency, vault=backups.vault
    )
    recovery = Recovery(app, "Recovery", env=env(organization.recovery), sealed=backups.sealed, table=central.table)
    keeping = BackupVault(app, "BackupVault", env=env(organization.vault), backups=backups, readers=recovery.readers)
    for sending in (central, workload):
        sending.node.add_dependency(keeping)  # S3 looks for the intake that a bucket is to replicate into
    Management(app, "Management", env=env(management), workload=workload, vault=keeping)

    cdk.Validations.of(app).add_plugins(rules(organization, grants, table, workload))


if __name__ == "__main__":
    app = cdk.App()
    organize(app)
    app.synth()
