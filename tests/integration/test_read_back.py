"""Every check of a deployment fails once what it looks at is taken out of the accounts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from scripts.deployment.trial import Trial
from tests.integration.harm import (
    ALFA,
    ANYBODY_ASSUMES,
    BRAVO,
    CENTRAL,
    CHARLIE,
    ETL,
    EVERYTHING,
    INTAKE,
    LANDING,
    MANAGEMENT,
    PRIVATE,
    RECOVERY,
    SEALED,
    TABLE,
    TABLE_ARN,
    VAULT,
    WRITER,
    Accounts,
    failing,
)

SETTINGS = "description, managed policies, boundary, session of seconds"
BUCKET = "versioning, encryption, public access, ownership, events"
MACHINE = "role, type, log, level, data in the log, traces"
NOTHING = {"StartAt": "Nothing", "States": {"Nothing": {"Type": "Succeed"}}}
ANYTHING_SEALED = {
    "Effect": "Allow",
    "Principal": {"AWS": VAULT[0]},
    "Action": "s3:*",
    "Resource": f"arn:aws:s3:::{SEALED}/*",
}
OPEN_BUCKET = {"Version": "2012-10-17", "Statement": ANYTHING_SEALED}
FUNCTION = "runtime, architecture, handler, role, environment, memory, timeout, log, subnets, security groups"

# What is done, and which check then fails. They follow each other in one deployment, so each has a check of its own.
ALSO = {
    "no point-in-time recovery": ["table: days that one can go back"],
    "no stream": ["table: policy of the stream"],
}
HARMS: dict[str, tuple[Callable[[Accounts], object], str]] = {
    "no policy of the table": (lambda at: at.dynamodb.delete_resource_policy(ResourceArn=TABLE_ARN), "table: policy"),
    "no policy of the stream": (
        lambda at: at.dynamodb.delete_resource_policy(ResourceArn=at.stream),
        "table: policy of the stream",
    ),
    "fewer days to go back": (
        lambda at: at.recover(PointInTimeRecoveryEnabled=True, RecoveryPeriodInDays=7),
        "table: days that one can go back",
    ),
    "no point-in-time recovery": (
        lambda at: at.recover(PointInTimeRecoveryEnabled=False),
        "table: point-in-time recovery",
    ),
    "no deletion protection": (
        lambda at: at.dynamodb.update_table(TableName=TABLE, DeletionProtectionEnabled=False),
        "table: deletion protection",
    ),
    "another key policy": (
        lambda at: at.kms.put_key_policy(KeyId=at.key, PolicyName="default", Policy=json.dumps(EVERYTHING)),
        "key: policy",
    ),
    "no rotation of the key": (lambda at: at.kms.disable_key_rotation(KeyId=at.key), "key: enabled, rotation"),
    "another key": (
        lambda at: at.encrypt(Enabled=True, SSEType="KMS", KMSMasterKeyId="alias/aws/dynamodb"),
        "table: encryption with",
    ),
    "no stream": (
        lambda at: at.dynamodb.update_table(TableName=TABLE, StreamSpecification={"StreamEnabled": False}),
        "table: key, indexes, billing, replicas in other regions, stream",
    ),
    "a role that anybody assumes": (
        lambda at: at.client("iam", ALFA).update_assume_role_policy(
            RoleName="alfa-reader", PolicyDocument=json.dumps(ANYBODY_ASSUMES)
        ),
        "TenantAlfa role: trust",
    ),
    "no policies of a role": (lambda at: at.without_policies(ALFA, "alfa-reader"), "TenantAlfa role: policies"),
    "one more policy of a role": (
        lambda at: at.client("iam", BRAVO).put_role_policy(
            RoleName="bravo-reader", PolicyName="more", PolicyDocument=json.dumps(EVERYTHING)
        ),
        "TenantBravo role: policies",
    ),
    "a managed policy": (
        lambda at: at.client("iam", ALFA).attach_role_policy(
            RoleName="alfa-reader", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        f"TenantAlfa role: {SETTINGS}",
    ),
    "a boundary": (
        lambda at: at.client("iam", BRAVO).put_role_permissions_boundary(
            RoleName="bravo-reader", PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess"
        ),
        f"TenantBravo role: {SETTINGS}",
    ),
    "longer sessions": (
        lambda at: at.client("iam", CHARLIE).update_role(RoleName="charlie-reader", MaxSessionDuration=43200),
        f"TenantCharlie role: {SETTINGS}",
    ),
    "a role that is gone": (
        lambda at: at.remove_role(WRITER, "catalogue-writer"),
        "Writer role is there",
    ),
    "a function with another role": (
        lambda at: at.configure(ALFA, Role="arn:aws:iam::111122223333:role/admin"),
        f"TenantAlfa function: {FUNCTION}",
    ),
    "a function that reads another table": (
        lambda at: at.configure(BRAVO, Environment={"Variables": {"TABLE_ARN": f"{TABLE_ARN}-2"}}),
        f"TenantBravo function: {FUNCTION}",
    ),
    "a function that is gone": (
        lambda at: at.client("lambda", CHARLIE).delete_function(FunctionName=at.function(CHARLIE)),
        "TenantCharlie function is there",
    ),
    "an endpoint with another policy": (
        lambda at: at.client("ec2", PRIVATE).modify_vpc_endpoint(
            VpcEndpointId=at.endpoint, PolicyDocument=json.dumps(EVERYTHING)
        ),
        "PrivateWorkload endpoint: policy",
    ),
    "an endpoint that no subnet reaches": (
        lambda at: at.client("ec2", PRIVATE).modify_vpc_endpoint(
            VpcEndpointId=at.endpoint, RemoveRouteTableIds=at.route_tables
        ),
        "PrivateWorkload endpoint: kind, service, vpc, route tables",
    ),
    "a subnet with public addresses": (
        lambda at: at.client("ec2", PRIVATE).modify_subnet_attribute(
            SubnetId=at.subnet, MapPublicIpOnLaunch={"Value": True}
        ),
        "PrivateWorkload subnet: vpc, range, public addresses",
    ),
    "a way in for everybody": (
        lambda at: at.client("ec2", PRIVATE).authorize_security_group_ingress(
            GroupId=at.group, IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="0.0.0.0/0"
        ),
        "PrivateWorkload security group: vpc, in, out",
    ),
    "a rule that is off": (
        lambda at: at.client("events", PRIVATE).disable_rule(Name=at.rule),
        "PrivateWorkload rule: pattern, state, targets",
    ),
    "a topic that anybody publishes to": (
        lambda at: at.client("sns", PRIVATE).set_topic_attributes(
            TopicArn=at.topic, AttributeName="Policy", AttributeValue=json.dumps(EVERYTHING)
        ),
        "PrivateWorkload topic: policy",
    ),
    "an alarm that is gone": (
        lambda at: at.client("cloudwatch", PRIVATE).delete_alarms(AlarmNames=[at.alarm]),
        "PrivateWorkload alarm is there",
    ),
    "a function outside the VPC": (
        lambda at: at.configure(PRIVATE, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}),
        f"PrivateWorkload function: {FUNCTION}",
    ),
    "an emergency role that anybody assumes": (
        lambda at: at.client("iam", PRIVATE).update_assume_role_policy(
            RoleName="break-glass", PolicyDocument=json.dumps(ANYBODY_ASSUMES)
        ),
        "PrivateWorkload role: trust",
    ),
    "an SCP that denies nothing": (
        lambda at: at.client("organizations", MANAGEMENT).update_policy(
            PolicyId=at.organization_policy("SERVICE_CONTROL_POLICY"), Content=json.dumps(EVERYTHING)
        ),
        "Management policy: policy",
    ),
    "an RCP that is attached to nobody": (
        lambda at: at.client("organizations", MANAGEMENT).detach_policy(
            PolicyId=at.organization_policy("RESOURCE_CONTROL_POLICY"), TargetId=PRIVATE[0]
        ),
        "Management policy: type, targets",
    ),
    "a sealed bucket with another policy": (
        lambda at: at.past_policies(VAULT, "put_bucket_policy", Bucket=SEALED, Policy=json.dumps(OPEN_BUCKET)),
        "BackupVault bucket: policy",
    ),
    "a shorter lock": (
        lambda at: at.past_policies(
            VAULT,
            "put_object_lock_configuration",
            Bucket=SEALED,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
            },
        ),
        "BackupVault bucket: object lock",
    ),
    "a lifecycle that expires what is sealed": (
        lambda at: at.past_policies(
            VAULT,
            "put_bucket_lifecycle_configuration",
            Bucket=SEALED,
            LifecycleConfiguration={
                "Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
            },
        ),
        "BackupVault bucket: lifecycle",
    ),
    "an intake that tells nobody": (
        lambda at: at.past_policies(
            VAULT, "put_bucket_notification_configuration", Bucket=INTAKE, NotificationConfiguration={}
        ),
        f"BackupVault bucket: {BUCKET}",
    ),
    "exports that stay in their account": (
        lambda at: at.past_policies(CENTRAL, "delete_bucket_replication", Bucket=LANDING),
        "bucket: replication",
    ),
    "exports that are not versioned": (
        lambda at: at.past_policies(
            CENTRAL, "put_bucket_versioning", Bucket=LANDING, VersioningConfiguration={"Status": "Suspended"}
        ),
        f"bucket: {BUCKET}",
    ),
    "a machine that seals nothing": (
        lambda at: at.client("stepfunctions", VAULT).update_state_machine(
            stateMachineArn=at.machine(VAULT, "-seal"), definition=json.dumps(NOTHING)
        ),
        "BackupVault machine: definition",
    ),
    "a restore that logs what it reads": (
        lambda at: at.client("stepfunctions", RECOVERY).update_state_machine(
            stateMachineArn=at.machine(RECOVERY, "Restore"),
            loggingConfiguration={"level": "ALL", "includeExecutionData": True, "destinations": []},
        ),
        f"Recovery machine: {MACHINE}",
    ),
    "exports once a day": (
        lambda at: at.client("scheduler", CENTRAL).update_schedule(
            **{**at.schedule(CENTRAL, "BackupExport"), "ScheduleExpression": "rate(1 day)"}
        ),
        "schedule: expression, zone, state, target",
    ),
    "a drill that is off": (
        lambda at: at.client("scheduler", RECOVERY).update_schedule(
            **at.schedule(RECOVERY, "DrillSchedule"), State="DISABLED"
        ),
        "Recovery schedule: expression, zone, state, target",
    ),
    "an absence that nobody hears of": (
        lambda at: at.client("cloudwatch", RECOVERY).delete_alarms(AlarmNames=[at.alarm_of(RECOVERY, "DrillAbsent")]),
        "Recovery alarm is there",
    ),
    "an SCP of the vault that denies nothing": (
        lambda at: at.client("organizations", MANAGEMENT).update_policy(
            PolicyId=at.organization_policy("SERVICE_CONTROL_POLICY", "BackupVault"), Content=json.dumps(EVERYTHING)
        ),
        "Management policy: policy",
    ),
    "a log that is kept for ever": (
        lambda at: at.client("logs", ETL).delete_retention_policy(logGroupName=at.log(ETL)),
        "Etl log group: days of retention",
    ),
}


def test_what_is_taken_out_of_an_account_fails_the_check_that_looks_at_it(shared: Trial) -> None:
    """One test of all, because they follow each other: tests of their own may run in any order."""
    expected = {harm: {check, *ALSO.get(harm, ())} for harm, (_, check) in HARMS.items()}
    failed: dict[str, set[str]] = {}
    before = _failing(shared)
    for harms in _rounds():
        for done, _ in harms.values():
            done(Accounts(shared))
        after = _failing(shared)
        new, before = {without_logical_id(each) for each in after - before}, after
        failed |= {harm: {each for each in new if _stack(each) == _stack(check)} for harm, (_, check) in harms.items()}
        assert new == set().union(*(failed[harm] for harm in harms)), "a stack to which nothing was done"
    # Whatever has failed once cannot fail anew, so some of what also follows may be missing; the check itself may not.
    assert failed.keys() == HARMS.keys()
    assert [harm for harm, (_, check) in HARMS.items() if check not in failed[harm]] == []
    assert {harm: more for harm, found in failed.items() if (more := found - expected[harm])} == {}


def _rounds() -> Iterator[dict[str, tuple[Callable[[Accounts], object], str]]]:
    """What is done, one thing to each stack at a time, as late as it can be: reading all of them back takes a while."""
    left = dict(reversed(HARMS.items()))
    rounds = []
    while left:
        last: dict[str, str] = {}
        for harm, (_, check) in left.items():
            last.setdefault(_stack(check), harm)
        rounds.append({harm: left.pop(harm) for harm in reversed(last.values())})
    return reversed(rounds)


def _stack(check: str) -> str:
    """ "TenantAlfa role: trust" is of TenantAlfa, "table: policy" of CentralData."""
    named = re.match(r"(\w+) \w", check)
    return named[1] if named else "CentralData"


def _failing(shared: Trial) -> set[str]:
    return failing(lambda report: shared.read_back(shared.today, report))


def without_logical_id(check: str) -> str:
    """ "TenantAlfa: role ReaderConsumerRoleC7738541: trust" as "TenantAlfa role: trust"."""
    return re.sub(r"^(\w+): (\w+(?: group)?) \w+(:? )", r"\1 \2\3", check).removeprefix("CentralData ")
