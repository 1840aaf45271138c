"""What the roles of backups may do: actions that exist, and none that can do more than the role is for."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import pytest

import tableguard as tg
from tableguard.aws.actions import Effect, ServiceAction
from tableguard.aws.services import ACTIONS_BY_SERVICE
from tableguard.policy import AllowStatement, Role
from tableguard.policy.backup.backup_vaults import BackupVaultReference
from tableguard.policy.backup.common import Bucket
from tableguard.policy.backup.intake import reader_key_statements, reader_statements, source_statements
from tableguard.policy.backup.landing import Exported, exporter_statements
from tableguard.policy.backup.references import ReplicationSource
from tableguard.policy.backup.replication import destination_key_statement, replication_role_statements
from tableguard.policy.backup.service_roles import backup_policy, restore_testing_policy
from tableguard.policy.backup.vault_access import key_sharing, receiving
from tableguard.policy.documents import document

HERE, THERE, REGION = "111122223333", "444455556666", "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{HERE}:key/11111111-2222-3333-4444-555555555555"
TABLE = f"arn:aws:dynamodb:{REGION}:{HERE}:table/orders"
VAULT = BackupVaultReference(account=THERE, region=REGION, name="vault")
BUCKET = Bucket(
    arn="arn:aws:s3:::acme-sealed", partition="aws", key_arn=KEY, deployers=[Role(account=HERE, name="deploy")]
)
READER = Role(account=THERE, name="restore")
NOTHING, REVEALS, CHANGES = Effect.HARMLESS, Effect.REVEALS_ITEMS, Effect.CHANGES_ITEMS
MOVES, COPIES, ACCESS, PROTECTION = (
    Effect.MOVES_ITEMS_OUT, Effect.MAKES_COPY, Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION,
)  # fmt: skip

ALLOWED: dict[str, tuple[Iterable[AllowStatement] | dict[str, Any], dict[str, set[Effect]]]] = {
    # Tags of objects come along, and where policies go by them they decide.
    "what replicates": (
        replication_role_statements(
            source_bucket_arn="arn:aws:s3:::acme-landing",
            destination_bucket_arn=BUCKET.arn,
            source_region=REGION,
            destination_region=REGION,
            source_key_arn=KEY,
            destination_key_arn=KEY,
        ),
        {"s3": {NOTHING, REVEALS, CHANGES, ACCESS, PROTECTION}, "kms": {NOTHING, REVEALS}},
    ),
    "who replicates into a bucket": (
        source_statements(BUCKET, [ReplicationSource(account=THERE, role_name="replication")]),
        {"s3": {CHANGES, ACCESS, PROTECTION}},
    ),
    "who replicates with a key": (
        [destination_key_statement(role_arn=READER.arn("aws"), account=THERE, bucket_arn=BUCKET.arn, region=REGION)],
        {"kms": {NOTHING}},
    ),
    "who reads a bucket": (reader_statements(BUCKET, [READER], owner=HERE), {"s3": {REVEALS}}),
    "who reads with a key": (reader_key_statements(BUCKET, [READER], owner=HERE, region=REGION), {"kms": {REVEALS}}),
    # The caller of an export sets the ACL of its files, for a bucket of another account.
    "what exports": (
        exporter_statements(
            [Exported(arn=TABLE, account=HERE, region=REGION, name="orders")],
            bucket_arn="arn:aws:s3:::acme-landing",
            ledger_arn=f"{TABLE}-ledger",
            namespace="tableguard/export",
            key_arn=KEY,
        ),
        {"dynamodb": {NOTHING, REVEALS, CHANGES, MOVES}, "s3": {CHANGES, ACCESS}, "kms": {NOTHING, REVEALS}},
    ),
    # It tags recovery points, and lends the keys to AWS Backup.
    "what backs up": (
        backup_policy(
            tables=[TABLE], vault=VAULT.arn("aws"), copies=[VAULT.arn("aws")], keys=[KEY], partition="aws",
            region=REGION, account=HERE,
        ),
        {
            "dynamodb": {NOTHING, COPIES},
            "backup": {NOTHING, CHANGES, MOVES, ACCESS},
            "kms": {NOTHING, REVEALS, ACCESS},
        },
    ),
    "what tests restores": (
        restore_testing_policy(keys=[KEY], partition="aws", region=REGION, account=HERE),
        {"dynamodb": {NOTHING, REVEALS, CHANGES, COPIES}, "kms": {NOTHING, REVEALS, MOVES, ACCESS}},
    ),
    "who copies into a vault": (
        receiving([tg.Account(THERE)], partition="aws", owner=HERE) or {},
        {"backup": {CHANGES}},
    ),
    "who copies with a vault's key": (
        key_sharing([VAULT], owner=HERE),
        {"kms": {NOTHING, REVEALS, MOVES, ACCESS}},
    ),
}  # fmt: skip


def allowed(statements: Iterable[AllowStatement] | dict[str, Any]) -> list[str]:
    json_ = statements if isinstance(statements, dict) else document(tuple(statements))
    listed = json_["Statement"]
    actions = [each["Action"] for each in (listed if isinstance(listed, list) else [listed])]
    return [name for each in actions for name in ([each] if isinstance(each, str) else each)]


def meant(name: str) -> list[ServiceAction]:
    service, pattern = name.split(":")
    return [action for known, action in ACTIONS_BY_SERVICE[service].items() if fnmatchcase(known, pattern)]


@pytest.mark.parametrize(("statements", "effects"), ALLOWED.values(), ids=ALLOWED)
def test_a_role_may_do_what_it_is_for_and_no_more(
    statements: Iterable[AllowStatement] | dict[str, Any], effects: dict[str, set[Effect]]
) -> None:
    found: dict[str, set[Effect]] = {}
    for name in allowed(statements):
        if name == "cloudwatch:PutMetricData":
            continue
        assert meant(name), f"{name} is no action"
        for action in meant(name):
            found.setdefault(action.service, set()).update(action.effects)
    assert found == effects
