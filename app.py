"""The reference deployment: a small organization that shares one DynamoDB table across its accounts.

Who has which account: cdk.json. Who may do what, and why: stacks/grants.py. What must hold anyway: stacks/rules.py.
"""

import aws_cdk as cdk

from stacks.central_data import CentralData
from stacks.etl import Etl
from stacks.grants import Grants
from stacks.organization import Organization
from stacks.rules import rules
from stacks.tenant import Tenant
from stacks.writer import Writer


def organize(app: cdk.App) -> None:
    organization = Organization.of(app)
    grants = Grants(organization)

    central = CentralData(
        app, "CentralData", env=organization.central.env, table_grants=grants.all, vendor_grant=grants.vendor
    )
    table = central.table.reference  # literal values: no stack depends on another account's

    for tenant, place in organization.tenants.items():
        Tenant(app, f"Tenant{tenant}", env=place.env, grant=grants.tenants[tenant], table=table)
    Etl(app, "Etl", env=organization.etl.env, grant=grants.etl, table=table)
    Writer(app, "Writer", env=organization.writer.env, grant=grants.writer, table=table)

    cdk.Validations.of(app).add_plugins(rules(organization, grants, table))


if __name__ == "__main__":
    app = cdk.App()
    organize(app)
    app.synth()
