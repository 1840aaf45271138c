"""The key's side of a grant, wherever the key comes from."""

import json
import re

import pytest
from aws_cdk import aws_dynamodb as dynamodb, aws_iam as iam, aws_kms as kms

import tableguard as tg
from tests.unit.tables.support import (
    KEY,
    OWNER,
    PARTNER,
    READER,
    WRITER,
    Documents,
    allowed,
    app,
    cfn_table,
    decides,
    denied,
    encryption_context,
    role,
    stack,
    table_v1,
    table_v2,
    warnings,
)

CUSTOMER_MANAGED = dynamodb.TableEncryptionV2.customer_managed_key


def l1_with_key(key_id: str) -> dynamodb.CfnTable.SSESpecificationProperty:
    return dynamodb.CfnTable.SSESpecificationProperty(sse_enabled=True, sse_type="KMS", kms_master_key_id=key_id)


def test_two_tables_share_a_key_and_each_consumer_decrypts_its_own_table() -> None:
    data = stack()
    key = kms.Key(data, "Key")
    for name, grant in (("orders", READER), ("bills", WRITER)):
        table = dynamodb.TableV2(
            data,
            name,
            table_name=name,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            encryption=CUSTOMER_MANAGED(key),
        )
        tg.TableAccess(data, f"Access-{name}", table=table, table_grants=[grant])

    for name, principal, expected in (
        ("orders", "reader", True),
        ("bills", "writer", True),
        ("orders", "writer", False),
        ("bills", "reader", False),
    ):
        context = encryption_context(table=name)
        decides(expected, data, "kms:Decrypt", principal=role(principal), resource=key, context=context)


@pytest.mark.parametrize("kind", ["TableV2", "Table", "CfnTable"])
def test_a_key_of_this_app_lets_the_consumer_in(kind: str) -> None:
    data = stack()
    key = kms.Key(data, "Key")
    if kind == "TableV2":
        tg.TableAccess(data, "Access", table=table_v2(data, encryption=CUSTOMER_MANAGED(key)), table_grants=[READER])
    elif kind == "Table":
        managed = dynamodb.TableEncryption.CUSTOMER_MANAGED
        table = table_v1(data, encryption=managed, encryption_key=key)
        tg.TableAccess(data, "Access", table=table, table_grants=[READER])
    else:
        l1 = cfn_table(data, sse_specification=l1_with_key(key.key_arn))
        tg.TableAccess(data, "Access", table=l1, table_grants=[READER], encryption_key=key)

    allowed(data, "kms:Decrypt", resource=key, context=encryption_context())
    denied(data, "kms:Decrypt", resource=key, context=encryption_context(table="others"))
    assert warnings(data) == []


def test_a_key_of_another_stack_lets_the_consumer_in_and_neither_stack_waits_for_the_other_anew() -> None:
    root = app()
    keys, data = stack(root, "Keys"), stack(root)
    key = kms.Key(keys, "Key")
    tg.TableAccess(data, "Access", table=table_v2(data, encryption=CUSTOMER_MANAGED(key)), table_grants=[READER])

    allowed(keys, "kms:Decrypt", resource=key, context=encryption_context())
    assert keys.dependencies == []


def test_statements_of_others_in_the_key_policy_stay() -> None:
    data = stack()
    key = kms.Key(data, "Key")
    tg.TableAccess(data, "Access", table=table_v2(data, encryption=CUSTOMER_MANAGED(key)), table_grants=[READER])
    key.grant_decrypt(iam.AccountPrincipal("111122223333"))

    policy = Documents.of(data).key_policy
    other = role("other", "111122223333")
    assert policy["Statement"][0]["Action"] == "kms:*"
    allowed(data, "kms:Decrypt", principal=other, resource=key)
    allowed(data, "kms:Decrypt", resource=key, context=encryption_context())


def test_an_imported_key_is_somebody_elses_to_change_and_the_warning_holds_the_statement() -> None:
    data = stack()
    key = kms.Key.from_key_arn(data, "Key", KEY)
    access = tg.TableAccess(
        data, "Access", table=table_v2(data, encryption=CUSTOMER_MANAGED(key)), table_grants=[READER]
    )

    (warning,) = warnings(data)
    assert "tableguard:key-policy" in warning
    assert "the key of table orders" in warning
    found = re.search(r"\[\{.*\}\]", warning)
    assert found is not None
    policy = {"Version": "2012-10-17", "Statement": json.loads(found[0])}
    allowed(policy, "kms:Decrypt", resource=KEY, context=encryption_context())
    denied(policy, "kms:Decrypt", resource=KEY, principal=role("other"), context=encryption_context())
    assert access.reference.key_arn == KEY


def test_a_key_that_an_l1_table_names_and_nobody_gives_us_is_warned_of() -> None:
    data = stack()
    tg.TableAccess(data, "Access", table=cfn_table(data, sse_specification=l1_with_key(KEY)), table_grants=[READER])

    (warning,) = warnings(data)
    assert "tableguard:key-policy" in warning


@pytest.mark.parametrize(
    ("key_id", "key_arn", "customer_managed"),
    [
        (KEY, KEY, True),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", None, True),
        ("alias/orders", None, True),
        (f"arn:aws:kms:us-east-1:{OWNER}:alias/orders", None, True),
        ("alias/aws/dynamodb", None, False),
        (f"arn:aws:kms:us-east-1:{OWNER}:alias/aws/dynamodb", None, False),
    ],
)
def test_an_l1_table_names_its_key_by_arn_id_or_alias(key_id: str, key_arn: str | None, customer_managed: bool) -> None:
    data = stack()
    reference = tg.TableAccess(data, "Access", table=cfn_table(data, sse_specification=l1_with_key(key_id))).reference

    assert reference.key_arn == key_arn
    assert reference.customer_managed_key is customer_managed


def test_a_reader_of_the_tables_own_account_needs_no_statement_in_the_key_policy() -> None:
    data = stack()
    key = kms.Key(data, "Key")
    inside = iam.Role(data, "Role", assumed_by=iam.AccountRootPrincipal())
    table = table_v2(data, encryption=CUSTOMER_MANAGED(key))
    tg.TableAccess(data, "Access", table=table, table_grants=[tg.TableGrant(inside, tg.Access.READ)])

    assert [statement["Action"] for statement in Documents.of(data).key_policy["Statement"]] == ["kms:*"]
    allowed(data, "kms:Decrypt", principal=inside, resource=key, context=encryption_context())
    denied(data, "kms:Decrypt", principal=inside, resource=key, context=encryption_context(table="others"))
    allowed(data, "GetItem", principal=inside)
    denied(data, "PutItem", principal=inside)


def test_a_reader_of_settings_alone_needs_no_key() -> None:
    data = stack()
    key = kms.Key(data, "Key")
    settings = tg.TableGrant(tg.Role(account=PARTNER, name="ops"), tg.Access.SETTINGS, reason="ADR-9")
    tg.TableAccess(data, "Access", table=table_v2(data, encryption=CUSTOMER_MANAGED(key)), table_grants=[settings])

    allowed(data, "DescribeTable", principal=role("ops"))
    denied(data, "kms:Decrypt", principal=role("ops"), resource=key, context=encryption_context())


def test_a_key_policy_that_is_over_the_limit_fails_the_synthesis() -> None:
    data = stack()
    key = kms.Key(data, "Key")
    for number in range(400):
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid=f"Mine{number}",
                actions=["kms:Decrypt"],
                principals=[iam.AccountPrincipal(PARTNER)],
                resources=["*"],
            )
        )
    tg.TableAccess(data, "Access", table=table_v2(data, encryption=CUSTOMER_MANAGED(key)), table_grants=[READER])

    with pytest.raises(RuntimeError, match=r"key policy of Data/Key/Resource .*32,768"):
        Documents.of(data)


def test_a_limit_that_one_table_sets_holds_for_the_key_that_another_shares() -> None:
    data = stack()
    key = kms.Key(data, "Key")
    tiny = tg.Limits(key=tg.Limit("key policy", 300, "bytes", "a test"))
    table = table_v2(data, encryption=CUSTOMER_MANAGED(key))
    tg.TableAccess(data, "Access", table=table, table_grants=[READER], limits=tiny)
    tg.TableAccess(data, "Other", table=table, table_grants=[WRITER])

    with pytest.raises(RuntimeError, match=r"key policy of Data/Key/Resource is .* Allowed: 300"):
        Documents.of(data)


def test_our_statements_survive_a_key_policy_that_is_assigned_anew() -> None:
    data = stack()
    key = kms.Key(data, "Key")
    tg.TableAccess(data, "Access", table=table_v2(data, encryption=CUSTOMER_MANAGED(key)), table_grants=[READER])
    resource = key.node.default_child
    assert isinstance(resource, kms.CfnKey)
    mine = {"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "kms:*", "Resource": "*"}
    resource.key_policy = {"Version": "2012-10-17", "Statement": mine}

    policy = Documents.of(data).key_policy
    assert policy["Statement"][0] == mine
    allowed(data, "kms:Decrypt", resource=key, context=encryption_context())


def test_a_key_for_a_table_that_is_not_encrypted_with_one_is_refused() -> None:
    data = stack()
    key = kms.Key(data, "Key")

    with pytest.raises(tg.InvalidInputError, match=r"the encryption_key of Data/Access: got 'Data/Key'. Allowed: None"):
        tg.TableAccess(data, "Access", table=cfn_table(data), encryption_key=key)
