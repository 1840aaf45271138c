"""What tests do to the accounts, to see the checks fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.deployment.plan import Place
from scripts.deployment.report import Report
from scripts.deployment.trial import Trial
from tests.integration.emulator.controls import Controls

CENTRAL = ("444455556666", "us-east-1")
ALFA, BRAVO = ("111122223333", "us-east-1"), ("222233334444", "eu-west-1")
CHARLIE, ETL, WRITER = ("555566667777", "us-east-1"), ("333344445555", "us-east-1"), ("666677778888", "us-east-1")
PRIVATE, MANAGEMENT = ("101011112222", "us-east-1"), ("121213131414", "us-east-1")
VAULT, RECOVERY = ("181819192020", "us-west-2"), ("212122222323", "us-west-2")
SEALED, INTAKE = f"tableguard-sealed-{VAULT[0]}", f"tableguard-intake-{VAULT[0]}"
LANDING = f"tableguard-landing-{CENTRAL[0]}"
TABLE = "rbac-central-table"
TABLE_ARN = f"arn:aws:dynamodb:us-east-1:444455556666:table/{TABLE}"
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
ANYBODY_ASSUMES = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
}


@dataclass(frozen=True)
class _Running:
    endpoint: str


@dataclass(frozen=True)
class Accounts:
    """What the controls below do to the accounts."""

    trial: Trial

    def client(self, service: str, place: Place) -> Any:
        return self.trial.accounts.client(service, place)

    @property
    def dynamodb(self) -> Any:
        return self.client("dynamodb", CENTRAL)

    @property
    def kms(self) -> Any:
        return self.client("kms", CENTRAL)

    @property
    def stream(self) -> str:
        return str(self.dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"])

    @property
    def key(self) -> str:
        return str(self.dynamodb.describe_table(TableName=TABLE)["Table"]["SSEDescription"]["KMSMasterKeyArn"])

    def recover(self, **said: Any) -> None:
        self.dynamodb.update_continuous_backups(TableName=TABLE, PointInTimeRecoverySpecification=said)

    def encrypt(self, **said: Any) -> None:
        self.dynamodb.update_table(TableName=TABLE, SSESpecification=said)

    def without_policies(self, place: Place, role: str) -> None:
        iam = self.client("iam", place)
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=name)

    def remove_role(self, place: Place, role: str) -> None:
        self.without_policies(place, role)
        self.client("iam", place).delete_role(RoleName=role)

    def function(self, place: Place) -> str:
        (found,) = self.client("lambda", place).list_functions()["Functions"]
        return str(found["FunctionName"])

    def configure(self, place: Place, **said: Any) -> None:
        self.client("lambda", place).update_function_configuration(FunctionName=self.function(place), **said)

    @property
    def endpoint(self) -> str:
        (found,) = self.client("ec2", PRIVATE).describe_vpc_endpoints()["VpcEndpoints"]
        return str(found["VpcEndpointId"])

    @property
    def route_tables(self) -> list[str]:
        (found,) = self.client("ec2", PRIVATE).describe_vpc_endpoints()["VpcEndpoints"]
        return list(found["RouteTableIds"])

    @property
    def subnet(self) -> str:
        (function,) = self.client("lambda", PRIVATE).list_functions()["Functions"]
        return str(function["VpcConfig"]["SubnetIds"][0])

    @property
    def group(self) -> str:
        groups = self.client("ec2", PRIVATE).describe_security_groups()["SecurityGroups"]
        return next(str(each["GroupId"]) for each in groups if each["Description"].startswith("The function"))

    @property
    def rule(self) -> str:
        return str(self.client("events", PRIVATE).list_rules()["Rules"][0]["Name"])

    def machine(self, place: Place, name: str) -> str:
        """The ARN of the state machine whose name has a word in it."""
        found = self.client("stepfunctions", place).list_state_machines()["stateMachines"]
        return next(str(each["stateMachineArn"]) for each in found if name in each["name"])

    def schedule(self, place: Place, name: str) -> dict[str, Any]:
        """A schedule, as an update of it would say it."""
        client = self.client("scheduler", place)
        found = next(each["Name"] for each in client.list_schedules()["Schedules"] if name in each["Name"])
        said = client.get_schedule(Name=found)
        kept = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description")
        return {each: said[each] for each in kept if said.get(each)}

    def alarm_of(self, place: Place, name: str) -> str:
        found = self.client("cloudwatch", place).describe_alarms()["MetricAlarms"]
        return next(str(each["AlarmName"]) for each in found if name in each["AlarmName"])

    def past_policies(self, place: Place, operation: str, **said: Any) -> None:
        """Do with a bucket what nobody may, the account's root user included: see it refused, then do it all the same.

        S3 itself would let an account's owner do this only once the policies were gone.
        """
        request = getattr(self.client("s3", place), operation)
        with pytest.raises(ClientError, match="AccessDenied"):
            request(**said)
        controls = Controls(_Running(self.trial.accounts.environment["AWS_ENDPOINT_URL"]))
        controls.bind_s3(on=False)
        try:
            request(**said)
        finally:
            controls.bind_s3(on=True)

    @property
    def topic(self) -> str:
        found = self.client("sns", PRIVATE).list_topics()["Topics"]
        return next(str(each["TopicArn"]) for each in found if "BreakGlass" in each["TopicArn"])

    @property
    def alarm(self) -> str:
        return self.alarm_of(PRIVATE, "BreakGlass")

    def organization_policy(self, kind: str, about: str = "Private") -> str:
        found = self.client("organizations", MANAGEMENT).list_policies(Filter=kind)["Policies"]
        return next(str(each["Id"]) for each in found if not each["AwsManaged"] and about in each["Name"])

    def log(self, place: Place) -> str:
        groups = self.client("logs", place).describe_log_groups()["logGroups"]
        return str(next(each["logGroupName"] for each in groups if each.get("retentionInDays")))


def failing(checks: Callable[[Report], object]) -> set[str]:
    report = Report(show=lambda _line: None)
    checks(report)
    assert len(report.passed) + len(report.failed) > 30
    return set(report.failed)
