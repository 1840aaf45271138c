"""A table that other accounts may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam, aws_kinesis as kinesis, aws_kms as kms
from constructs import Construct

from tableguard.policy import InvalidInputError, Limits, TableGrant, TableReference
from tableguard.policy.recovery import check_recovery_days
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.attachment.keys import KeyPolicy
from tableguard.tables.attachment.policies import TablePolicies
from tableguard.tables.attachment.stack_policies import StackPolicies
from tableguard.tables.granting import Granting, check_list
from tableguard.tables.identities import converted


class CrossAccountTable(Construct):
    """Makes a DynamoDB table and the policies that share it with other accounts.

    It takes the properties of `TableV2`, and grants. Its defaults are safe: point-in-time recovery, deletion
    protection, RETAIN and a customer-managed key. Other accounts cannot use the AWS-managed key, and nobody can
    withdraw the AWS-owned key. The key is made whenever `encryption` is left out, even without grants that leave the
    account, so adding or removing a grant never changes how the table is encrypted.

    `TableV2(scope, "Orders", …)` and `CrossAccountTable(scope, "Orders", …)` have the same logical id: you can swap
    one for the other, and CloudFormation does not replace the table.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        partition_key: dynamodb.Attribute,
        sort_key: dynamodb.Attribute | None = None,
        table_name: str | None = None,
        table_grants: Sequence[TableGrant] = (),
        encryption: dynamodb.TableEncryptionV2 | None = None,
        replicas: Sequence[dynamodb.ReplicaTableProps] | None = None,
        deployed_replicas: Sequence[str] = (),
        deletion_protection: bool = True,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
        point_in_time_recovery_specification: dynamodb.PointInTimeRecoverySpecification | None = None,
        point_in_time_recovery: bool | None = None,
        limits: Limits | None = None,
        billing: dynamodb.Billing | None = None,
        contributor_insights: bool | None = None,
        contributor_insights_specification: dynamodb.ContributorInsightsSpecification | None = None,
        dynamo_stream: dynamodb.StreamViewType | None = None,
        global_secondary_indexes: Sequence[dynamodb.GlobalSecondaryIndexPropsV2] | None = None,
        global_table_settings_replication_mode: dynamodb.GlobalTableSettingsReplicationMode | None = None,
        kinesis_stream: kinesis.IStream | None = None,
        local_secondary_indexes: Sequence[dynamodb.LocalSecondaryIndexProps] | None = None,
        multi_region_consistency: dynamodb.MultiRegionConsistency | None = None,
        resource_policy: iam.PolicyDocument | None = None,
        stream_resource_policy: iam.PolicyDocument | None = None,
        table_class: dynamodb.TableClass | None = None,
        tags: Sequence[cdk.CfnTag] | None = None,
        time_to_live_attribute: str | None = None,
        warm_throughput: dynamodb.WarmThroughput | None = None,
        witness_region: str | None = None,
    ) -> None:
        """Make a table.

        An argument has the meaning and the default of the same argument of `TableV2`, unless stated otherwise.

        Args:
            scope: The parent construct, in a stack with a concrete account and region (`env`).
            construct_id: The construct's id, unique below its parent.
            partition_key: The partition key.
            sort_key: The sort key; none when left out.
            table_name: The table's name. Required if a grant leaves the table's account: consumers there name the table
                by its ARN, and cannot know a name that CloudFormation chooses.
            table_grants: The grants; none when left out. Add more with `grant`.
            encryption: How the table is encrypted; with a new customer-managed key when left out. The AWS-managed key
                works inside the table's account only. Required with replicas, since each region has its own key.
            replicas: Replicas in other regions of the same account.
            deployed_replicas: Regions of replicas that are already deployed, so that they can get policies; see
                `TableAccess`.
            deletion_protection: Whether DynamoDB refuses to delete the table; True when left out.
            removal_policy: What happens to table and key when they leave the template; RETAIN when left out.
            point_in_time_recovery_specification: Point-in-time recovery, with a window of 1 to 35 days; on with 35
                days when left out. A shorter window limits how far back a restore can read.
            point_in_time_recovery: As in TableV2, which has deprecated it.
            limits: Limits on the size of policies, if AWS has raised yours; the published ones when left out.
            billing: How capacity is billed; on demand when left out.
            contributor_insights: As in TableV2, which has deprecated it.
            contributor_insights_specification: CloudWatch Contributor Insights; off when left out.
            dynamo_stream: What the table's stream records; no stream when left out, unless there are replicas.
            global_secondary_indexes: Global secondary indexes; none when left out.
            global_table_settings_replication_mode: Whether replicas follow the settings of this table.
            kinesis_stream: A Kinesis data stream that receives every change; none when left out.
            local_secondary_indexes: Local secondary indexes; none when left out.
            multi_region_consistency: How consistent replicas are; eventually when left out.
            resource_policy: Statements of your own for the table's policy, next to those of the grants.
            stream_resource_policy: Statements of your own for the stream's policy, next to those of the grants.
            table_class: The storage class; standard when left out.
            tags: Tags of the table.
            time_to_live_attribute: The attribute that says when an item expires; none when left out.
            warm_throughput: The throughput that the table is ready for at once.
            witness_region: The region that witnesses strong consistency, in place of a third replica.

        Raises:
            InvalidInputError: The stack has no concrete account or region, there are replicas but no `encryption`, the
                recovery window is out of range, a grant leaves the account but the table has no name, or a grant does
                not fit the table.
            PolicyTooLargeError: The grants alone are over a limit.
        """
        super().__init__(scope, construct_id)
        home = self._home = StackPolicies.around(scope)
        _check_environment(home)
        _check_encryption(encryption, replicas)
        check_list(self, "table_grants", table_grants)
        _check_recovery(self, point_in_time_recovery_specification)
        self._named = table_name is not None and not is_unresolved(table_name)
        key = None
        if encryption is None:
            key = kms.Key(
                self,
                "Key",
                description=f"Encrypts the DynamoDB table {table_name or self.node.path}",
                enable_key_rotation=True,
                removal_policy=removal_policy,
            )
            encryption = dynamodb.TableEncryptionV2.customer_managed_key(key)
        passed_on: dict[str, Any] = {
            "billing": billing,
            "contributor_insights": contributor_insights,
            "contributor_insights_specification": contributor_insights_specification,
            "dynamo_stream": dynamo_stream,
            "global_secondary_indexes": global_secondary_indexes,
            "global_table_settings_replication_mode": global_table_settings_replication_mode,
            "kinesis_stream": kinesis_stream,
            "local_secondary_indexes": local_secondary_indexes,
            "multi_region_consistency": multi_region_consistency,
            "point_in_time_recovery": point_in_time_recovery,
            "point_in_time_recovery_specification": point_in_time_recovery_specification
            if point_in_time_recovery is not None
            else point_in_time_recovery_specification
            or dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True),
            "replicas": replicas,
            "resource_policy": resource_policy,
            "sort_key": sort_key,
            "stream_resource_policy": stream_resource_policy,
            "table_class": table_class,
            "table_name": table_name,
            "tags": tags,
            "time_to_live_attribute": time_to_live_attribute,
            "warm_throughput": warm_throughput,
            "witness_region": witness_region,
        }
        self._table = dynamodb.TableV2(
            self,
            "Default",
            partition_key=partition_key,
            encryption=encryption,
            deletion_protection=deletion_protection,
            removal_policy=removal_policy,
            **{name: value for name, value in passed_on.items() if value is not None},
        )
        self._granting = Granting(
            self,
            policies=TablePolicies.of(_resource(self._table), home),
            key_policy=lambda: _key_policy(self._table, key, home),
            limits=limits,
            deployed_replicas=deployed_replicas,
        )
        if table_grants:
            self.grant(*table_grants)

    @property
    def table(self) -> dynamodb.TableV2:
        """The table itself."""
        return self._table

    @property
    def reference(self) -> TableReference:
        """The table's account, region and name, for its consumers. Read it after you have added the last index."""
        return self._granting.reference

    @property
    def table_grants(self) -> tuple[TableGrant, ...]:
        """The grants, as they were given."""
        return self._granting.table_grants

    def grant(self, *table_grants: TableGrant) -> None:
        """Add grants. If one of them is wrong, none is added.

        Args:
            table_grants: The grants.

        Raises:
            InvalidInputError: A grant leaves the account but the table has no name, or a grant does not fit the table.
            PolicyTooLargeError: The grants alone are over a limit.
        """
        if not self._named:
            self._check_inside(table_grants)
        self._granting.grant(table_grants)

    def _check_inside(self, grants: Sequence[TableGrant]) -> None:
        table = self.reference
        for grant in grants:
            for one in converted(grant, self._home.stack, table):
                if one.grant.leaves(table.account):
                    raise InvalidInputError(
                        f"the table_name of {self.node.path}",
                        value=None,
                        allowed=f"a name, since the grant to {one.grant.subject.label} leaves the table's account",
                        fix="Pass table_name=… to a new table. A name would replace a deployed table: there, grant "
                        "with TableAccess.",
                    )


def _resource(table: dynamodb.TableV2) -> dynamodb.CfnGlobalTable:
    resource = table.node.default_child
    assert isinstance(resource, dynamodb.CfnGlobalTable)  # noqa: S101
    return resource


def _key_policy(table: dynamodb.TableV2, made: kms.Key | None, home: StackPolicies) -> KeyPolicy | None:
    """The policy of the table's key. A key that was made for the table is in the same stack."""
    if made is not None:
        return KeyPolicy.of(made, home)
    return KeyPolicy.of(table.encryption_key) if table.encryption_key is not None else None


def _check_recovery(table: Construct, given: object) -> None:
    # jsii accepts a mapping in place of a struct, though the types do not say so.
    days = (
        given.get("recovery_period_in_days")
        if isinstance(given, Mapping)
        else getattr(given, "recovery_period_in_days", None)
    )
    if not is_unresolved(str(days)):
        check_recovery_days(f"the recovery_period_in_days of {table.node.path}", None if days is None else int(days))


def _check_environment(home: StackPolicies) -> None:
    for what, value in (("account", home.account), ("region", home.region)):
        if is_unresolved(value):
            raise InvalidInputError(
                f"the {what} of stack {home.stack.stack_name}",
                value="a value that is known only at deployment",
                allowed=f"a concrete {what}: the policies name other accounts and this table by literal ARNs",
                fix="Set env=Environment(account=…, region=…) on the stack.",
            )


def _check_encryption(
    encryption: dynamodb.TableEncryptionV2 | None, replicas: Sequence[dynamodb.ReplicaTableProps] | None
) -> None:
    if replicas and encryption is None:
        raise InvalidInputError(
            "the encryption of a CrossAccountTable with replicas",
            value=None,
            allowed="an encryption that names a key for each region",
            fix="Pass encryption=TableEncryptionV2.customer_managed_key(key, {region: key_arn, …}).",
        )
