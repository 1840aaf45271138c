"""The private workload, deployed: policies bind as tableguard decides over what the emulator holds.

The extension asks about every request to DynamoDB, those that CloudFormation makes for a stack included, and passes on
what is allowed: tests/integration/emulator/binding.py.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.deployment.cdk import CdkError
from scripts.deployment.trial import Trial
from tests.integration.conftest import Begin, Stage
from tests.integration.sessions import dynamodb_of

PRIVATE = ("101011112222", "us-east-1")
TABLE = "private-table"
ARN = f"arn:aws:dynamodb:us-east-1:{PRIVATE[0]}:table/{TABLE}"
OPEN = "open-table"
KEY = {"category": {"S": "books"}, "item": {"S": "atlas"}}
ITEM = {**KEY, "price": {"N": "12"}}


class Callers:
    """Whoever calls DynamoDB in the private account."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        ec2 = trial.accounts.client("ec2", PRIVATE)
        (self.endpoint,) = (each["VpcEndpointId"] for each in ec2.describe_vpc_endpoints()["VpcEndpoints"])

    def client(self, role: str | None = None, *, through: str | None = None, account: str = PRIVATE[0]) -> Any:
        """A client of a role's session or, without one, of the account's root user; from outside or an endpoint."""
        client = dynamodb_of(self.trial.accounts, PRIVATE[1], account=account, role=role)
        if through is not None:
            client.meta.events.register(
                "before-sign.dynamodb", lambda request, **_: request.headers.add_header("x-tableguard-vpce", through)
            )
        return client

    def admin(self, **where: Any) -> Any:
        """Somebody whose own account allows everything."""
        iam = self.trial.accounts.client("iam", PRIVATE)
        try:
            iam.get_role(RoleName="admin")
        except iam.exceptions.NoSuchEntityException:
            iam.create_role(RoleName="admin", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17"}))
            everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": everything})
            iam.put_role_policy(RoleName="admin", PolicyName="everything", PolicyDocument=policy)
        return self.client("admin", **where)


def denied_by(client: Any, operation: str, **arguments: Any) -> str:
    """The layers that deny a request."""
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    return str(caught.value.response["Error"]["Message"].partition("; decided by ")[2])


def asks_function(trial: Trial) -> Any:
    client = trial.accounts.client("lambda", PRIVATE)
    (function,) = client.list_functions()["Functions"]
    payload = json.dumps({"category": "books", "item": "atlas"})
    return json.loads(client.invoke(FunctionName=function["FunctionName"], Payload=payload)["Payload"].read())


def test_the_restriction_binds_while_it_is_deployed_and_no_longer(deployed: Stage, begin: Begin) -> None:
    _, trial = begin(deployed)
    callers = Callers(trial)
    item = {"TableName": TABLE, "Key": KEY}

    # The exempt role is let through from outside; the function is inside.
    callers.client("break-glass").put_item(TableName=TABLE, Item=ITEM)
    assert callers.client("break-glass").get_item(**item)["Item"] == ITEM
    assert asks_function(trial) == {"item": ITEM}

    # Everybody else is denied outside, by each layer, and let through inside.
    everywhere = "resource, resource_control, service_control"
    assert denied_by(callers.admin(), "get_item", **item) == everywhere
    assert denied_by(callers.client(), "scan", TableName=TABLE) == everywhere
    assert callers.admin(through=callers.endpoint).get_item(**item)["Item"] == ITEM
    # A stranger has the RCP and the table's policy against him, and no SCP of ours.
    stranger = callers.client(account="111122223333")
    assert denied_by(stranger, "get_item", TableName=ARN, Key=KEY) == "resource, resource_control"

    # Inside or not: nobody but administrators changes what protects the table.
    inside = callers.admin(through=callers.endpoint)
    assert denied_by(inside, "delete_resource_policy", ResourceArn=ARN) == "resource_control, service_control"
    assert denied_by(inside, "update_table", TableName=TABLE, DeletionProtectionEnabled=False).count("control") == 2
    callers.client("break-glass").update_table(TableName=TABLE, DeletionProtectionEnabled=True)

    # A table without any policy, as a restore leaves it: the organization's policies alone restrict it.
    callers.admin().create_table(
        TableName=OPEN,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "category", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "category", "AttributeType": "S"}],
    )
    assert denied_by(callers.admin(), "scan", TableName=OPEN) == "resource_control, service_control"

    # Without the stack there is nothing left of its denials; the table's own policy stays.
    trial.cdk.destroy(trial.today, ["Management"])
    assert callers.admin().scan(TableName=OPEN)["Count"] == 0
    assert denied_by(callers.admin(), "get_item", **item) == "resource"
    assert asks_function(trial) == {"item": ITEM}


def test_deployments_change_the_table_while_the_restriction_is_there_and_only_as_the_exempt_role(
    deployed: Stage, begin: Begin
) -> None:
    _, trial = begin(deployed)
    dynamodb = trial.accounts.client("dynamodb", PRIVATE)
    before = dynamodb.get_resource_policy(ResourceArn=ARN)["Policy"]

    trial.cdk.deploy(another_period(trial, days=20), ["PrivateWorkload"])
    assert days_of_recovery(trial) == 20
    assert dynamodb.get_resource_policy(ResourceArn=ARN)["Policy"] == before

    # The same as a role that may do anything by its own policies, and is exempt from nothing.
    Callers(trial).admin()
    assembly = another_period(trial, days=21)
    manifest = assembly / "manifest.json"
    execution = f"cdk-hnb659fds-cfn-exec-role-{PRIVATE[0]}-{PRIVATE[1]}"
    assert execution in manifest.read_text()
    manifest.write_text(manifest.read_text().replace(execution, "admin"))
    with pytest.raises(CdkError, match=r"role/admin is not authorized to perform dynamodb:UpdateTable"):
        trial.cdk.deploy(assembly, ["PrivateWorkload"])
    assert days_of_recovery(trial) == 20


def days_of_recovery(trial: Trial) -> int:
    client = trial.accounts.client("dynamodb", PRIVATE)
    described = client.describe_continuous_backups(TableName=TABLE)["ContinuousBackupsDescription"]
    return int(described["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"])


def another_period(trial: Trial, *, days: int) -> Path:
    """The assembly with another recovery period for the private table."""
    to = trial.folder / f"{days}-days"
    shutil.copytree(trial.today, to)
    file = to / "PrivateWorkload.template.json"
    template = json.loads(file.read_text())
    tables = (each for each in template["Resources"].values() if each["Type"] == "AWS::DynamoDB::GlobalTable")
    (table,) = (each for each in tables if each["Properties"].get("TableName") == TABLE)
    (replica,) = table["Properties"]["Replicas"]
    replica["PointInTimeRecoverySpecification"] = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": days}
    file.write_text(json.dumps(template))
    # The CDK CLI uploads a template once for each hash of it.
    assets = json.loads((to / "PrivateWorkload.assets.json").read_text())["files"]
    (old,) = (name for name, each in assets.items() if each["source"]["path"] == file.name)
    for name in ("PrivateWorkload.assets.json", "manifest.json"):
        text = (to / name).read_text()
        (to / name).write_text(text.replace(old, hashlib.sha256(file.read_bytes()).hexdigest()))
    return to
