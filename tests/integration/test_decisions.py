"""A decision over the documents in the accounts changes with them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.integration.conftest import Begin, Stage
from tests.integration.harm import CENTRAL, EVERYTHING, MANAGEMENT, SEALED, TABLE_ARN, VAULT, Accounts, failing

ALFAS = ["tenant Alfa may GetItem, and nothing else", "tenant Alfa may do no more if its account allows everything"]


def trust(account: str, action: str) -> Callable[[Accounts], None]:
    """Let an account do something with the table, whoever it is there."""

    def trust(at: Accounts) -> None:
        policy = json.loads(at.dynamodb.get_resource_policy(ResourceArn=TABLE_ARN)["Policy"])
        statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": action, "Resource": TABLE_ARN}
        policy["Statement"].append(statement)
        at.dynamodb.put_resource_policy(ResourceArn=TABLE_ARN, Policy=json.dumps(policy))

    return trust


OPEN_TO_THE_DATA_ACCOUNT = {
    "Effect": "Allow",
    "Principal": {"AWS": CENTRAL[0]},
    "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{SEALED}", f"arn:aws:s3:::{SEALED}/*"],
}
ROOT_OF_THE_VAULT = "root of the vault reads, writes and destroys nothing, whatever the account allows"


# What is done, and which checks then fail.
HARMS: dict[str, tuple[Callable[[Accounts], object], list[str]]] = {
    "the table trusts an account with more": (trust("111122223333", "dynamodb:PutItem"), ALFAS[1:]),
    "the table trusts a stranger": (
        trust("123456789012", "dynamodb:GetItem"),
        [
            f"{who} may do nothing from another account, whatever that allows"
            for who in ("tenant Alfa", "tenant Bravo", "tenant Charlie", "the ETL", "the writer", "the vendor")
        ],
    ),
    "the role has no policies": (
        lambda at: at.without_policies(("222233334444", "eu-west-1"), "bravo-reader"),
        ["tenant Bravo may GetItem, and nothing else", "tenant Bravo may decrypt the table, through DynamoDB alone"],
    ),
    "the stream has no policy": (
        lambda at: at.dynamodb.delete_resource_policy(ResourceArn=at.stream),
        [
            "the ETL may DescribeStream, DescribeTable, GetRecords, GetShardIterator, Query, and nothing else",
            "the ETL may do no more if its account allows everything",
        ],
    ),
    "the key trusts nobody": (
        lambda at: at.kms.put_key_policy(
            KeyId=at.key, PolicyName="default", Policy=json.dumps({**EVERYTHING, "Statement": []})
        ),
        [
            f"{who} may decrypt the table, through DynamoDB alone"
            for who in ("tenant Alfa", "tenant Bravo", "tenant Charlie", "the ETL", "the writer", "the vendor")
        ],
    ),
    "the sealed bucket is open to the data account": (
        lambda at: at.past_policies(
            VAULT,
            "put_bucket_policy",
            Bucket=SEALED,
            Policy=json.dumps({"Version": "2012-10-17", "Statement": OPEN_TO_THE_DATA_ACCOUNT}),
        ),
        [
            f"root of account {CENTRAL[0]} reaches nothing of the vault",
            f"an administrator of account {CENTRAL[0]} reaches nothing of the vault",
            # The readers are of another account: they need the policy that is gone.
            "restore-catalogue-plan may read what is sealed of the table, and change nothing",
            "restore-catalogue-load may read what is sealed of the table, and change nothing",
            "nobody seals over what is sealed",
            ROOT_OF_THE_VAULT,
            ROOT_OF_THE_VAULT.replace("root", "an administrator", 1),
        ],
    ),
    "the vault's account has no SCP": (
        lambda at: at.client("organizations", MANAGEMENT).detach_policy(
            PolicyId=at.organization_policy("SERVICE_CONTROL_POLICY", "BackupVault"), TargetId=VAULT[0]
        ),
        # The intake has no lock, and its policy says nothing of locks: the administrator may what lifts one.
        [ROOT_OF_THE_VAULT, ROOT_OF_THE_VAULT.replace("root", "an administrator", 1)],
    ),
    "the table has no policy": (
        lambda at: at.dynamodb.delete_resource_policy(ResourceArn=TABLE_ARN),
        [
            f"{who} may {what}"
            for who, actions in {
                "tenant Alfa": "GetItem",
                "tenant Bravo": "GetItem",
                "tenant Charlie": "GetItem",
                "the ETL": "DescribeStream, DescribeTable, GetRecords, GetShardIterator, Query",
                "the writer": "PutItem",
                "the vendor": "Query",
            }.items()
            for what in (f"{actions}, and nothing else", "do no more if its account allows everything")
        ],
    ),
}


@pytest.mark.parametrize("harm", HARMS)
def test_another_document_in_an_account_is_another_decision(deployed: Stage, begin: Begin, harm: str) -> None:
    _, trial = begin(deployed)
    done, checks = HARMS[harm]
    done(Accounts(trial))
    assert failing(lambda report: trial.decide(trial.today, trial.plan.organization, report)) == set(checks)
