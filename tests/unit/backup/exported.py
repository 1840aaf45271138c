"""What the tests of exports share: a landing bucket, an export, and what their policies decide."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.assertions import Template
from constructs import Construct

import tableguard as tg
from tableguard.evaluation import ContextValue, Policies, Request, evaluate
from tableguard.policy.backup import VaultReference
from tests.unit.tables.support import NOON, OWNER, REGION, Json, resolved, table_v2

VAULT_ACCOUNT: Final = "111122223333"
INTAKE: Final = "acme-intake"
BUCKET: Final = "acme-landing"
REPLICATOR: Final = "acme-replication"
EXPORTER: Final = "acme-exports"
VAULT: Final = VaultReference(account=VAULT_ACCOUNT, region="eu-west-1", intake_bucket=INTAKE)
PITR: Final = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)
OBJECT: Final = f"arn:aws:s3:::{BUCKET}/{OWNER}/{REGION}/orders/AWSDynamoDB/0123-abcd/manifest-summary.json"
EVERYTHING: Final[Json] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
OVER_TLS: Final[Mapping[str, ContextValue]] = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}


def landing(scope: Construct, **options: Any) -> tg.LandingBucket:
    given = {"bucket_name": BUCKET, "vault": VAULT, "replication_role_name": REPLICATOR, **options}
    return tg.LandingBucket(scope, "Landing", **given)


def recovered(scope: Construct, **options: Any) -> dynamodb.TableV2:
    """A table with point-in-time recovery."""
    return table_v2(scope, point_in_time_recovery_specification=PITR, **options)


def export(scope: Construct, **options: Any) -> tg.TableExport:
    if "tables" not in options:
        options["tables"] = [recovered(scope)]
    if "landing" not in options:
        options["landing"] = landing(scope)
    given = {
        "every": cdk.Duration.hours(1),
        "full_every": cdk.Duration.hours(72),
        "alarm_after": cdk.Duration.hours(6),
        "role_name": EXPORTER,
        **options,
    }
    return tg.TableExport(scope, "Export", **given)


def role_arn(name: str, account: str = OWNER) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def resources(scope: cdk.Stack, kind: str) -> dict[str, Json]:
    """The properties of the resources of one type, references worked out as the tests' names say."""
    found = _template(scope).find_resources(kind)
    return {name: named(resolved(each)["Properties"]) for name, each in found.items()}


@functools.lru_cache(maxsize=4)
def _template(scope: cdk.Stack) -> Template:
    """The template of a stack: once it was synthesized, it stays the same."""
    return Template.from_stack(scope)


def named(value: Any) -> Any:
    """The references that these tests make, as the ARNs and names that they will be."""
    match value:
        case str():
            for reference, becomes in _BECOMES.items():
                value = re.sub(reference, becomes, value)
            return value
        case dict():
            return {key: named(inner) for key, inner in value.items()}
        case list():
            return [named(inner) for inner in value]
    return value


_TABLES: Final = f"arn:aws:dynamodb:{REGION}:{OWNER}:table"
_BECOMES: Final = {
    r"<ExportMachineRole\w+\.Arn>": role_arn(EXPORTER),
    r"<SecondMachineRole\w+\.Arn>": role_arn("second"),
    r"<ExportMachine\w+>": f"arn:aws:states:{REGION}:{OWNER}:stateMachine:export",
    r"<Orders\w*\.Arn>": f"{_TABLES}/orders",
    r"<Orders\w*>": "orders",
    r"<ExportLedger\w+\.Arn>": f"{_TABLES}/ledger",
    r"<ExportLedger\w+>": "ledger",
}


def table_policy(scope: cdk.Stack) -> Json:
    """The policy of the table that is exported."""
    tables = resources(scope, "AWS::DynamoDB::GlobalTable")
    (found,) = [each for name, each in tables.items() if "Ledger" not in name]
    (replica,) = found["Replicas"]
    return dict(replica["ResourcePolicy"]["PolicyDocument"])


def bucket_policy(scope: cdk.Stack) -> Json:
    (found,) = resources(scope, "AWS::S3::BucketPolicy").values()
    return dict(found["PolicyDocument"])


def identity_policy(scope: cdk.Stack, part: str) -> Json:
    """The policy of the role whose policy's id holds a word."""
    (found,) = [each for name, each in resources(scope, "AWS::IAM::Policy").items() if part in name]
    return dict(found["PolicyDocument"])


def allowed(
    action: str,
    resource: str = OBJECT,
    *,
    principal: str,
    identity: Json = EVERYTHING,
    bucket: Json | None = None,
    context: Mapping[str, ContextValue] = OVER_TLS,
    owner: str = OWNER,
) -> bool:
    """Whether a request goes through."""
    request = Request(
        principal=principal, action=action, resource=resource, resource_account=owner, context=context, time=NOON
    )
    decision = evaluate(request, Policies(resource=bucket, identity=[identity]))
    assert decision.understood, decision
    return decision.allowed
