"""Every DynamoDB API, asked from another account with everything allowed on both sides."""

from __future__ import annotations

import pytest

from tableguard.aws.dynamodb import ACTIONS
from tableguard.evaluation import Layer, Outcome, Policies, Request, evaluate

OWNER = "111122223333"
OTHER = "444455556666"
TABLE = f"arn:aws:dynamodb:us-east-1:{OWNER}:table/orders"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
POLICIES = Policies(
    identity=[{"Version": "2012-10-17", "Statement": EVERYTHING}],
    resource={"Version": "2012-10-17", "Statement": {**EVERYTHING, "Principal": {"AWS": OTHER}}},
)

# The developer guide's list, written down once more so that a slip in the table of actions shows.
WORKING = {
    *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"),
    *("ConditionCheckItem", "DescribeTable", "UpdateTable", "DeleteTable", "TagResource", "UntagResource"),
    *("ListTagsOfResource", "DescribeStream", "GetRecords", "GetShardIterator"),
}
NOT_WORKING = {
    *("PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete", "CreateBackup", "UpdateTimeToLive"),
    *("DescribeContinuousBackups", "UpdateContinuousBackups", "RestoreTableToPointInTime"),
    *("ExportTableToPointInTime", "DescribeContributorInsights", "UpdateContributorInsights"),
    *("EnableKinesisStreamingDestination", "DisableKinesisStreamingDestination"),
    *("DescribeKinesisStreamingDestination", "GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"),
    *("UpdateTableReplicaAutoScaling", "CreateTable", "ListTables", "ListStreams", "ListBackups", "ListExports"),
    *("DescribeExport", "ImportTable", "DescribeBackup", "DeleteBackup", "RestoreTableFromBackup"),
}


def ask(account: str, action: str) -> Request:
    return Request(
        principal=f"arn:aws:iam::{account}:role/reader",
        action=f"dynamodb:{action}",
        resource=TABLE,
        resource_account=OWNER,
    )


@pytest.mark.parametrize("action", sorted(WORKING))
def test_a_documented_operation_works_across_accounts(action: str) -> None:
    assert evaluate(ask(OTHER, action), POLICIES).allowed


@pytest.mark.parametrize("action", sorted(NOT_WORKING))
def test_an_operation_bound_to_its_account_is_denied_across_accounts(action: str) -> None:
    decision = evaluate(ask(OTHER, action), POLICIES)
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert [reason.layer for reason in decision.because] == [Layer.SERVICE]


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_every_known_operation_follows_the_table_of_actions(action: str) -> None:
    assert evaluate(ask(OTHER, action), POLICIES).allowed is ACTIONS[action].maybe_across_accounts
    assert evaluate(ask(OTHER, action.upper()), POLICIES).allowed is ACTIONS[action].maybe_across_accounts
    assert evaluate(ask(OWNER, action), POLICIES).allowed


def test_an_operation_that_nobody_knows_may_work_across_accounts() -> None:
    """One that AWS adds tomorrow: no refusal rests on its being of no use to others."""
    assert evaluate(ask(OTHER, "InventedItem"), POLICIES).allowed
    assert evaluate(ask(OWNER, "InventedItem"), POLICIES).allowed


def test_other_services_have_no_such_list() -> None:
    request = Request(
        principal=f"arn:aws:iam::{OTHER}:role/reader",
        action="kms:Decrypt",
        resource=f"arn:aws:kms:us-east-1:{OWNER}:key/1234",
    )
    assert evaluate(request, POLICIES).allowed
