"""Every attack, what comes of it and what decides that: the tests decide each row, and docs/attacks.md prints them."""

from __future__ import annotations

from typing import Final

from tests.unit.organization.attack_rows import PAGE, Attack, attacks, printed

ATTACKS: Final[tuple[Attack, ...]] = attacks("""
# From inside
an application | the VPC | reads an item | allowed | own policy
an application | the VPC | queries | allowed | own policy
an application | the VPC | scans | allowed | own policy
an application | the VPC | writes an item | allowed | own policy
an application | the VPC | deletes an item | allowed | own policy
an application | the VPC | reads by PartiQL | allowed | own policy
an application | the VPC | searches by vector | allowed | own policy
an application | the VPC | reads the stream | allowed | own policy
an application | the VPC | exports the table | allowed | own policy
an application | the second VPC | reads an item | allowed | own policy
an application | the second VPC | writes an item | allowed | own policy
an application | the endpoint | reads an item | allowed | own policy
an application | the endpoint | writes an item | allowed | own policy
an application | the replica's VPC | reads the replica | allowed | own policy
the reader of another account | the VPC | reads an item | allowed | table policy, own policy
the reader of another account | the second VPC | queries | allowed | table policy, own policy
the reader of another account | the VPC | writes an item | denied | table policy (silent)
another role of that account | the VPC | reads an item | denied | table policy (silent)
the polling function's code | the VPC | reads the stream | allowed | own policy
the polling function's code | the VPC | reads an item | allowed | own policy
DAX's role | the VPC | reads an item | allowed | own policy
# From another network
an application | another endpoint | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
an application | another endpoint | writes an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
an application | another endpoint | reads the stream | denied | SCP, RCP PerimeterStreamUsEast1; stream policy PerimeterStream
an application | no endpoint | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
an application | no endpoint | writes in bulk | denied | SCP, RCP PerimeterItemsUsEast1; table policy PerimeterItems
an application | no endpoint | reads the stream | denied | SCP, RCP PerimeterStreamUsEast1; stream policy PerimeterStream
an application | the VPC's id in another region | reads the replica | denied | SCP, RCP PerimeterItemsRestoreEuWest1; table policy PerimeterItems
an application | the internet, to the replica | reads the replica | denied | SCP, RCP PerimeterItemsRestoreEuWest1; table policy PerimeterItems
the reader of another account | another endpoint | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
the reader of another account | the internet | queries | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
DAX's role | no endpoint | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
DAX's role | no endpoint | writes an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
# With stolen credentials
a thief of the application's credentials | the internet | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
a thief of the application's credentials | the internet | queries | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
a thief of the application's credentials | the internet | scans | denied | SCP, RCP PerimeterItemsUsEast12; table policy PerimeterItems2
a thief of the application's credentials | the internet | reads by PartiQL | denied | SCP, RCP PerimeterItemsUsEast1; table policy PerimeterItems
a thief of the application's credentials | the internet | searches by vector | denied | SCP, RCP PerimeterItemsUsEast1; table policy PerimeterItems
a thief of the application's credentials | the internet | writes an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
a thief of the application's credentials | the internet | deletes an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
a thief of the application's credentials | the internet | writes in bulk | denied | SCP, RCP PerimeterItemsUsEast1; table policy PerimeterItems
a thief of the application's credentials | the internet | reads the stream | denied | SCP, RCP PerimeterStreamUsEast1; stream policy PerimeterStream
a thief of the application's credentials | the internet, over IPv6 | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
a thief of the application's credentials | the internet | exports the table | denied | SCP, RCP PerimeterExportUsEast1; table policy PerimeterExport
a thief of the application's credentials | the internet | backs the table up | denied | SCP, RCP PerimeterBackupUsEast1; table policy PerimeterBackup
a thief of the application's credentials | the internet | starts an AWS Backup job | denied | SCP, RCP PerimeterBackupUsEast1; table policy PerimeterBackup
a thief of the application's credentials | the internet | restores a point in time | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterRestore
a thief of the application's credentials | the internet | restores a backup | denied | SCP, RCP PerimeterItemsRestoreUsEast1
a thief of the application's credentials | the internet | reads the copy | denied | SCP, RCP PerimeterItemsRestoreUsEast1
a thief of the application's credentials | the internet, to a third region | restores a backup | denied | SCP, RCP PerimeterItemsRestoreElsewhere
a thief of the application's credentials | the internet | adds a replica | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
a thief of the application's credentials | the internet | adds a replica of the old kind | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables
a thief of the application's credentials | the internet | adds a Kinesis destination | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
a thief of the application's credentials | the internet | puts a policy | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
a thief of the application's credentials | the internet | puts a policy on the stream | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; stream policy PerimeterPolicy
a thief of the application's credentials | the internet | deletes the policy | denied | SCP, RCP ProtectTablePolicies; SCP, RCP PerimeterPolicyUsEast1; table policy PerimeterReplicateKinesisPolicy
a thief of the application's credentials | the internet | changes the table | denied | SCP ProtectTablesKeys; RCP ProtectTables
a thief of the application's credentials | the internet | turns off point-in-time recovery | denied | SCP ProtectTablesKeys; RCP ProtectTables
a thief of the application's credentials | the internet | deletes the table | denied | SCP ProtectTablesKeys; RCP ProtectTables
a thief of the application's credentials | the internet | describes the table | allowed | own policy
# As a person
a console user | the internet | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
a console user | the internet | scans | denied | SCP, RCP PerimeterItemsUsEast12; table policy PerimeterItems2
a console user | the internet | exports the table | denied | SCP, RCP PerimeterExportUsEast1; table policy PerimeterExport
a console user | the internet | restores a backup | denied | SCP, RCP PerimeterItemsRestoreUsEast1
a console user | the internet | reads the copy | denied | SCP, RCP PerimeterItemsRestoreUsEast1
a console user | the internet | puts a policy | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
a console user | the internet | deletes the table | denied | SCP ProtectTablesKeys; RCP ProtectTables
a console user | the internet | describes the table | allowed | own policy
an IAM user | the internet | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
an administrator | the VPC | puts a policy | denied | SCP ProtectTablesKeys; RCP ProtectTables
an administrator | the VPC | changes the table | denied | SCP ProtectTablesKeys; RCP ProtectTables
an administrator | the VPC | turns on TTL | denied | SCP ProtectTablesKeys; RCP ProtectTables
an administrator | the VPC | deletes the table | denied | SCP ProtectTablesKeys; RCP ProtectTables
an administrator | the VPC | deletes a backup | denied | SCP ProtectBackups
an administrator | the VPC | reads the copy | allowed | own policy
an administrator | the internet | reads the copy | denied | SCP, RCP PerimeterItemsRestoreUsEast1
the root user | the internet | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
the root user | the internet | exports the table | denied | SCP, RCP PerimeterExportUsEast1; table policy PerimeterExport
the root user | the internet | puts a policy | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
the root user | the internet | deletes the table | denied | SCP ProtectTablesKeys; RCP ProtectTables
the root user | the internet | deletes the policy | allowed | own policy
the root user | the VPC | reads an item | allowed | own policy
# As a person, at a table for applications only
a console user | the VPC | reads the ledger | denied | table policy NoPeople2Items
a console user | the VPC | writes the ledger | denied | table policy NoPeople1ItemsExportBackupRestoreReplicateKinesisPolicy
a console user | the VPC | reads the ledger's stream | denied | stream policy NoPeople1StreamPolicy
a console user | the VPC | exports the ledger | denied | table policy NoPeople1ItemsExportBackupRestoreReplicateKinesisPolicy
a console user | the VPC | puts a policy on the ledger | denied | SCP ProtectTablesKeys; RCP ProtectTables; table policy NoPeople1ItemsExportBackupRestoreReplicateKinesisPolicy
a console user | the VPC | describes the ledger | allowed | own policy
an IAM user | the VPC | reads the ledger | denied | table policy NoPeople2Items
a federated user | the VPC | reads the ledger | denied | table policy NoPeople2Items
a person of the SAML role | the VPC | reads the ledger | denied | table policy NoPeople2Items
the root user | the VPC | reads the ledger | denied | table policy NoPeople2Items
the root user | the internet | deletes the ledger's policy | allowed | own policy
a data steward | the VPC | reads the ledger | allowed | own policy
a data steward | the VPC | scans the ledger | denied | table policy NoPeople1ItemsExportBackupRestoreReplicateKinesisPolicy
a data steward | the internet | reads the ledger | denied | SCP, RCP PerimeterItemsRestoreUsEast1
a data steward of another account | the VPC | reads the ledger | denied | table policy NoPeople2Items
an application | the VPC | reads the ledger | allowed | own policy
an application | the VPC | writes the ledger | allowed | own policy
an application | the VPC | reads the ledger's stream | allowed | own policy
a thief of the application's credentials | the internet | reads the ledger | denied | SCP, RCP PerimeterItemsRestoreUsEast1
# Through break-glass
ann, MFA a minute ago | the internet | takes the role break-glass | allowed | trust policy Trusted1UsersWithMfa; own policy
ann, MFA a minute ago | the internet | takes the role break-glass for settings | allowed | trust policy Trusted1UsersWithMfa; own policy
ann, MFA an hour ago | the internet | takes the role break-glass | denied | trust policy (silent)
ann without MFA | the internet | takes the role break-glass | denied | trust policy (silent)
ann with her access key alone | the internet | takes the role break-glass | denied | trust policy (silent)
ann with her access key alone | the internet | takes the role break-glass for settings | denied | trust policy (silent)
bob, MFA a minute ago | the internet | takes the role break-glass | denied | trust policy (silent)
ann of the table's account | the internet | takes the role break-glass | denied | trust policy (silent)
the people of the permission set | the internet | takes the role break-glass | allowed | trust policy Trusted2PermissionSet; own policy
the people of the permission set | the internet | takes the role break-glass for settings | allowed | trust policy Trusted2PermissionSet; own policy
another permission set | the internet | takes the role break-glass | denied | trust policy (silent)
that permission set of another account | the internet | takes the role break-glass | denied | trust policy (silent)
a role made to look like it | the internet | takes the role break-glass | denied | trust policy (silent)
an administrator | the VPC | takes the role break-glass | denied | trust policy (silent)
the root user | the internet | takes the role break-glass | denied | trust policy (silent)
break-glass | the internet | reads an item | allowed | own policy
break-glass | the internet | writes an item | allowed | own policy
break-glass | the internet | reads the stream | allowed | own policy
break-glass | the internet | puts a policy | allowed | own policy
break-glass | the internet | restores a backup | allowed | own policy
break-glass | the internet | reads the copy | allowed | own policy
break-glass | the internet | changes the table | allowed | own policy
break-glass | the internet | widens an exempt role | denied | own policy NothingElse
break-glass | the internet | passes an exempt role to a function | denied | own policy NothingElse
break-glass for settings | the internet | changes the table | allowed | own policy
break-glass for settings | the internet | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems; own policy NothingElse
break-glass for settings | the VPC | reads an item | denied | own policy NothingElse
break-glass for settings | the internet | exports the table | denied | SCP, RCP PerimeterExportUsEast1; table policy PerimeterExport; own policy NothingElse
break-glass for settings | the internet | puts a policy | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; table policy PerimeterReplicateKinesisPolicy; own policy NothingElse
break-glass for settings | the internet | deletes the table | denied | own policy NothingElse
break-glass for settings | the internet | turns on TTL | denied | own policy NothingElse
a role named break-glass of another account | the internet | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
a role named break-glass of another account | the VPC | reads an item | denied | table policy (silent)
a role named break-glass of another account | the internet | puts a policy | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
a role named break-glass under a path | the internet | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
a role named break-glass under a path | the internet | puts a policy | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
# By a deployment
CDK's execution role | no endpoint | puts a policy | allowed | own policy
CDK's execution role | no endpoint | puts a policy on the stream | allowed | own policy
CDK's execution role | no endpoint | adds a replica | allowed | own policy
CDK's execution role | no endpoint | adds a Kinesis destination | allowed | own policy
CDK's execution role | no endpoint | changes the table | allowed | own policy
CDK's execution role | no endpoint | turns on TTL | allowed | own policy
CDK's execution role | no endpoint | deletes the table | allowed | own policy
CDK's execution role | no endpoint | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
CDK's execution role | no endpoint | writes an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
CDK's execution role | no endpoint | exports the table | denied | SCP, RCP PerimeterExportUsEast1; table policy PerimeterExport
CDK's execution role | no endpoint | restores a backup | denied | SCP, RCP PerimeterItemsRestoreUsEast1
CDK's execution role of another account | no endpoint | puts a policy | denied | RCP PerimeterReplicateKinesisPolicyUsEast1; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
a stranger's role of that name | no endpoint | puts a policy | denied | RCP PerimeterReplicateKinesisPolicyUsEast1; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
an administrator | CloudFormation | puts a policy | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
an administrator | CloudFormation | changes the table | denied | SCP ProtectTablesKeys; RCP ProtectTables
an administrator | CloudFormation | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
an administrator | CloudFormation | describes the table | allowed | own policy
the role of cdk deploy | no endpoint | passes the deployment's role to CloudFormation | allowed | own policy
the role of cdk deploy | no endpoint | widens an exempt role | denied | SCP GuardExemptRoles; SCP ForceBoundary
the role of cdk deploy | no endpoint | puts a policy | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
# Through AWS services
replication | no endpoint | reads an item | allowed | own policy
replication | no endpoint | writes an item | allowed | own policy
replication | no endpoint | reads the stream | allowed | own policy
replication | no endpoint | exports the table | denied | table policy PerimeterExport
replication of another account | no endpoint | reads an item | denied | table policy PerimeterItems
auto scaling | no endpoint | changes the table | allowed | own policy
auto scaling | no endpoint | describes the table | allowed | own policy
auto scaling | no endpoint | reads an item | denied | table policy PerimeterItems
AWS Backup's role | no endpoint | starts an AWS Backup job | allowed | own policy
AWS Backup's role | no endpoint | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
AWS Backup's role | no endpoint | restores a backup | denied | SCP, RCP PerimeterItemsRestoreUsEast1
AWS Backup's role | no endpoint | deletes a backup | allowed | own policy
the exporter | no endpoint | exports the table | allowed | own policy
the exporter | no endpoint | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
the exporter | no endpoint | restores a point in time | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterRestore
an exporter of another account | no endpoint | exports the table | denied | SCP, RCP PerimeterExportUsEast1; table policy PerimeterExport
the restorer | no endpoint | restores a point in time | allowed | own policy
the restorer | no endpoint | restores a backup | allowed | own policy
the restorer | no endpoint | writes the copy | allowed | own policy
the restorer | no endpoint | reads an item | denied | table policy PerimeterItems
the restorer | no endpoint | exports the table | denied | SCP, RCP PerimeterExportUsEast1; table policy PerimeterExport
Lambda polling | no endpoint | reads the stream | allowed | own policy
Lambda polling | no endpoint | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
the polling function's code | no endpoint | reads the stream | denied | SCP PerimeterStreamCodeUsEast1
the polling function's code | no endpoint | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
Lambda polling as another role | no endpoint | reads the stream | denied | SCP, RCP PerimeterStreamUsEast1; stream policy PerimeterStream
an application | Athena | scans | allowed | own policy
an application | Athena | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
an application | Athena | exports the table | denied | SCP, RCP PerimeterExportUsEast1; table policy PerimeterExport
an application | CloudFormation | scans | denied | SCP, RCP PerimeterItemsUsEast12; table policy PerimeterItems2
a service for us | no endpoint | reads an item | denied | table policy (silent)
a service for a stranger | no endpoint | reads an item | denied | RCP, table policy PerimeterServicesForStrangers
a service for a stranger | no endpoint | exports the table | denied | RCP, table policy PerimeterServicesForStrangers
# From another account
the management account's administrator | the internet | reads an item | denied | RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
the management account's administrator | the internet | puts a policy | denied | RCP PerimeterReplicateKinesisPolicyUsEast1; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
the management account's administrator | the internet | detaches an organization policy | allowed | own policy
the delegated administrator | the internet | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
the delegated administrator | the internet | puts a policy | denied | SCP, RCP PerimeterReplicateKinesisPolicyUsEast1; SCP ProtectTablesKeys; RCP ProtectTables; table policy PerimeterReplicateKinesisPolicy
the delegated administrator | the internet | leaves the organization | denied | SCP StayInOrganization
the delegated administrator | the internet | detaches an organization policy | allowed | own policy
a stranger | the internet | reads an item | denied | RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
a stranger | the VPC | reads an item | denied | table policy (silent)
a stranger | the internet | restores a backup | denied | RCP PerimeterItemsRestoreUsEast1
an administrator of development | the internet | reads an item | denied | RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems
an administrator of development | the VPC | reads an item | denied | table policy (silent)
an administrator of development | the internet | reads the copy | denied | RCP PerimeterItemsRestoreUsEast1
an administrator of development | the internet | reads a table of development | allowed | own policy
an administrator | the internet | reads a table of development | denied | SCP PerimeterItemsRestoreUsEast1
an administrator | the VPC | leaves the organization | denied | SCP StayInOrganization
# By an insider who would edit an exempt role
an administrator | the VPC | widens an exempt role | denied | SCP GuardExemptRoles; SCP ForceBoundary
an administrator | the VPC | changes who may assume an exempt role | denied | SCP GuardExemptRoles
an administrator | the VPC | passes an exempt role to a function | denied | SCP GuardPassingRoles
an administrator | the VPC | deletes an exempt role | denied | SCP GuardExemptRoles
an administrator | the VPC | makes a role of an exempt name | denied | SCP GuardExemptRoles; SCP ForceBoundary
an administrator | the VPC | makes a role of the deployment's name | denied | SCP GuardExemptRoles; SCP ForceBoundary
an administrator | the VPC | passes the deployment's role to CloudFormation | denied | SCP GuardPassingRoles
an administrator | the VPC | changes who may assume break-glass | denied | SCP GuardExemptRoles
the root user | the internet | widens an exempt role | denied | SCP GuardExemptRoles; SCP ForceBoundary
CDK's execution role | no endpoint | widens an exempt role | allowed | own policy
an administrator | the VPC | changes the code of an exempt function | allowed | own policy
an administrator | the VPC | changes a stack that the deployment's role deploys | allowed | own policy
# With a role that a team makes
a team's role in its boundary | the VPC | reads an item | allowed | own policy; boundary AtMost
a team's role in its boundary | the internet | reads an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems; boundary PerimeterItemsStreamExportBackupRestoreReplicateKinesisPolicyUsEast1
a team's role in its boundary | another endpoint | writes an item | denied | SCP, RCP PerimeterItemsRestoreUsEast1; table policy PerimeterItems; boundary PerimeterItemsStreamExportBackupRestoreReplicateKinesisPolicyUsEast1
a team's role in its boundary | the internet | reads the copy | denied | SCP, RCP PerimeterItemsRestoreUsEast1; boundary PerimeterItemsStreamExportBackupRestoreReplicateKinesisPolicyUsEast1
a team's role in its boundary | the internet | exports the table | denied | SCP, RCP PerimeterExportUsEast1; table policy PerimeterExport; boundary PerimeterItemsStreamExportBackupRestoreReplicateKinesisPolicyUsEast1
a team's role in its boundary | the VPC | makes a role without the boundary | denied | SCP ForceBoundary; boundary BoundaryIsPassedOn
a team's role in its boundary | the VPC | makes a role with the boundary | allowed | own policy; boundary AtMost
a team's role in its boundary | the VPC | lets itself into a role without the boundary | allowed | own policy; boundary AtMost
a team's role in its boundary | the VPC | takes the boundary off | denied | SCP KeepBoundary; boundary BoundaryStays
a team's role in its boundary | the VPC | writes a new version of the boundary | denied | SCP GuardBoundaryPolicy; boundary BoundaryIsUnchanged
an administrator | the VPC | makes a role without the boundary | denied | SCP ForceBoundary
an administrator | the VPC | writes a new version of the boundary | denied | SCP GuardBoundaryPolicy
CDK's execution role | no endpoint | makes a role without the boundary | allowed | own policy
# At the table's key
an application | the VPC | decrypts with the key through DynamoDB | allowed | own policy, key policy
an application | the VPC | decrypts with the key directly | allowed | own policy, key policy
a thief of the application's credentials | the internet | decrypts with the key directly | allowed | own policy, key policy
the exporter | no endpoint | decrypts with the key directly | allowed | own policy, key policy
break-glass | the internet | decrypts with the key directly | denied | own policy (silent)
break-glass | the internet | decrypts with the key through DynamoDB | allowed | own policy, key policy
break-glass for settings | the internet | decrypts with the key through DynamoDB | denied | own policy NothingElse
the reader of another account | the VPC | decrypts with the key through DynamoDB | allowed | key policy, own policy
the reader of another account | the VPC | decrypts with the key directly | denied | key policy (silent)
another role of that account | the VPC | decrypts with the key through DynamoDB | denied | key policy (silent)
a stranger | the internet | decrypts with the key directly | denied | key policy (silent)
an application | the VPC | schedules the key's deletion | denied | SCP, RCP ProtectKeys
an administrator | the VPC | schedules the key's deletion | denied | SCP, RCP ProtectKeys
an administrator | the VPC | puts a policy on the key | denied | SCP, RCP ProtectKeys
a console user | the internet | schedules the key's deletion | denied | SCP, RCP ProtectKeys
the root user | the internet | schedules the key's deletion | denied | SCP, RCP ProtectKeys
the root user | the internet | puts a policy on the key | denied | SCP, RCP ProtectKeys
break-glass | the internet | schedules the key's deletion | denied | own policy NothingElse
CDK's execution role | no endpoint | schedules the key's deletion | allowed | own policy, key policy
CDK's execution role | no endpoint | puts a policy on the key | allowed | own policy, key policy
CDK's execution role of another account | no endpoint | schedules the key's deletion | denied | RCP ProtectKeys
a stranger | the internet | schedules the key's deletion | denied | RCP ProtectKeys
""")  # noqa: E501 - one row, one line

if __name__ == "__main__":
    PAGE.write_text(printed(ATTACKS), encoding="utf-8")
