"""What the roles of a restore may do with the key of restored tables."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from aws_cdk import aws_kms as kms

from tableguard.evaluation import ContextValue, Policies, Request, evaluate
from tests.unit.backup.restore.support import VAULT, restore, vault_stack
from tests.unit.backup.restore.test_roles import Roles
from tests.unit.tables.support import REGION

KEY = f"arn:aws:kms:{REGION}:{VAULT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
VIA = {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.com"}
BY_S3 = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}
GRANTS = {"kms:GrantIsForAWSResource": "true"}
# The default policy of a key: its account decides.
OF_THE_ACCOUNT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": VAULT}, "Action": "kms:*", "Resource": "*"}],
}
# DynamoDB developer guide: at a minimum, of whoever selects a customer-managed key.
AT_LEAST = (
    "Encrypt",
    "Decrypt",
    "ReEncryptFrom",
    "ReEncryptTo",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "DescribeKey",
)


@pytest.fixture(scope="module")
def roles() -> Roles:
    vault = vault_stack()
    restore(vault, encryption_key=kms.Key.from_key_arn(vault, "Key", KEY))
    return Roles(vault)


def may(roles: Roles, who: str, action: str, context: Mapping[str, ContextValue], *, key: str = KEY) -> bool:
    request = Request(principal=f"arn:aws:iam::{VAULT}:role/{who}", action=action, resource=key, context=context)
    return evaluate(request, Policies(identity=roles.policies(who), resource=OF_THE_ACCOUNT)).allowed


@pytest.mark.parametrize("action", AT_LEAST)
def test_the_machine_may_do_what_selecting_a_key_takes_through_dynamodb_alone(roles: Roles, action: str) -> None:
    asked = (roles, "RestoreMachineRole", f"kms:{action}")
    assert may(*asked, VIA)
    assert not may(*asked, BY_S3)
    assert not may(*asked, {})
    assert not may(*asked, VIA, key=KEY.replace("1234abcd", "ffffabcd"))


def test_the_machine_grants_the_key_to_aws_through_dynamodb_alone(roles: Roles) -> None:
    asked = (roles, "RestoreMachineRole", "kms:CreateGrant")
    assert may(*asked, {**VIA, **GRANTS})
    assert not may(*asked, VIA)
    assert not may(*asked, {**BY_S3, **GRANTS})


@pytest.mark.parametrize("who", ["RestoreLoadRole", "RestoreDigestRole"])
def test_the_workers_decrypt_through_dynamodb_and_no_more(roles: Roles, who: str) -> None:
    assert may(roles, who, "kms:Decrypt", VIA)
    assert not may(roles, who, "kms:Decrypt", {})
    assert not may(roles, who, "kms:Encrypt", VIA)
    assert not may(roles, who, "kms:CreateGrant", {**VIA, **GRANTS})


@pytest.mark.parametrize("action", ["ScheduleKeyDeletion", "PutKeyPolicy", "DisableKey"])
def test_nobody_may_change_the_key(roles: Roles, action: str) -> None:
    for who in ("RestoreMachineRole", "RestoreLoadRole", "RestoreDigestRole"):
        assert not may(roles, who, f"kms:{action}", {**VIA, **GRANTS})
