"""Only what nobody declared is reported: archive rules against findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

import tableguard as tg
from tableguard.policy.archive_rules import archive_rules
from tests.unit.tables.support import ORDERS, OWNER, PARTNER, REGION, REPLICA, STREAM, VENDOR, app, stack, table_v2

READER: Final = tg.TableGrant(tg.Role(account=PARTNER, name="reader"), tg.Access.READ, reason="ADR-7")
LISTENER: Final = tg.TableGrant(tg.Role(account=VENDOR, name="listener"), tg.Access.STREAM, reason="contract 12")
ANALYTICS: Final = tg.TableGrant(
    tg.Organization("o-a1b2c3d4e5"), tg.Access.READ, reason="ADR-9", conditions=[tg.FromNetwork("192.0.2.0/24")]
)
WHOLE: Final = tg.TableGrant(tg.Account("777788889999"), tg.Access.READ, reason="ADR-10")
NAMED: Final = tg.TableGrant(
    tg.Role(account="888899990000", name="etl"), tg.Access.READ, reason="ADR-11", name_principal=True
)

Finding = Mapping[str, str]


def finding(resource: str, principal: str, *, public: str = "false", **conditions: str) -> Finding:
    said = {f"condition.aws:{key}": value for key, value in conditions.items()}
    return {"resource": resource, "principal.AWS": principal, "isPublic": public, **said}


def archived(rules: list[dict[str, Any]], found: Finding) -> bool:
    """Whether a rule fits: all of its criteria hold, and the operators mean what the user guide says of them."""

    def holds(criterion: Mapping[str, Any]) -> bool:
        value = found.get(criterion["Property"])
        if value is None:
            return False
        if "Contains" in criterion:
            return any(part in value for part in criterion["Contains"])
        return value in criterion["Eq"]

    return any(all(holds(criterion) for criterion in rule["Filter"]) for rule in rules)


def synthesized(data: cdk.Stack) -> dict[str, Any]:
    (analyzer,) = Template.from_stack(data).find_resources("AWS::AccessAnalyzer::Analyzer").values()
    properties: dict[str, Any] = analyzer["Properties"]
    return properties


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    data = stack()
    access = tg.TableAccess(
        data, "Access", table=table_v2(data, dynamo_stream=cdk.aws_dynamodb.StreamViewType.NEW_IMAGE)
    )
    tg.ExternalAccessAnalyzer(data, "Analyzer", tables=[access])
    # Grants that come after the analyzer count as well.
    access.grant(READER, LISTENER, ANALYTICS, WHOLE, NAMED)
    properties = synthesized(data)
    assert properties["Type"] == "ACCOUNT"
    found: list[dict[str, Any]] = properties["ArchiveRules"]
    return found


DECLARED: Final = {
    "the reader": finding(ORDERS, PARTNER, PrincipalArn=f"arn:aws:iam::{PARTNER}:role/reader"),
    "the listener": finding(STREAM, VENDOR, PrincipalArn=f"arn:aws:iam::{VENDOR}:role/listener"),
    "the organization": finding(ORDERS, "*", PrincipalOrgID="o-a1b2c3d4e5", SourceIp="192.0.2.0/24"),
    "the account": finding(ORDERS, "777788889999"),
    "the named role": finding(ORDERS, "arn:aws:iam::888899990000:role/etl"),
}
NOT_DECLARED: Final = {
    "another role": finding(ORDERS, PARTNER, PrincipalArn=f"arn:aws:iam::{PARTNER}:role/writer"),
    "the whole account": finding(ORDERS, PARTNER),
    "another account": finding(ORDERS, "123456789012"),
    "the reader at the stream": finding(STREAM, PARTNER, PrincipalArn=f"arn:aws:iam::{PARTNER}:role/reader"),
    "the listener at the table": finding(ORDERS, VENDOR, PrincipalArn=f"arn:aws:iam::{VENDOR}:role/listener"),
    "the reader at another table": finding(
        f"{ORDERS}-archive", PARTNER, PrincipalArn=f"arn:aws:iam::{PARTNER}:role/reader"
    ),
    "the listener at another stream": finding(
        STREAM.replace("orders", "orders-2"), VENDOR, PrincipalArn=f"arn:aws:iam::{VENDOR}:role/listener"
    ),
    "the organization from anywhere": finding(ORDERS, "*", PrincipalOrgID="o-a1b2c3d4e5"),
    "another organization": finding(ORDERS, "*", PrincipalOrgID="o-zzzzzzzzzz", SourceIp="192.0.2.0/24"),
    "everybody": finding(ORDERS, "*", public="true"),
    "everybody of the account": finding(ORDERS, "777788889999", public="true"),
}


@pytest.mark.parametrize("name", DECLARED)
def test_what_a_grant_declares_is_archived(rules: list[dict[str, Any]], name: str) -> None:
    assert archived(rules, DECLARED[name])


@pytest.mark.parametrize("name", NOT_DECLARED)
def test_what_nobody_declared_is_reported(rules: list[dict[str, Any]], name: str) -> None:
    assert not archived(rules, NOT_DECLARED[name])


def reference(name: str = "orders", region: str = REGION, account: str = OWNER, **more: Any) -> tg.TableReference:
    return tg.TableReference(account=account, region=region, name=name, **more)


def test_a_table_of_another_app_and_its_key() -> None:
    key = f"arn:aws:kms:{REGION}:{OWNER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    data = stack()
    shared = tg.SharedTable(reference(key_arn=key), [READER])
    tg.ExternalAccessAnalyzer(data, "Analyzer", tables=[shared], analyzer_name="declared")
    properties = synthesized(data)
    assert properties["AnalyzerName"] == "declared"
    for resource in (ORDERS, key):
        assert archived(properties["ArchiveRules"], {**DECLARED["the reader"], "resource": resource})


def test_a_replica_is_meant_where_the_analyzer_is() -> None:
    data = stack(region=REPLICA)
    shared = tg.SharedTable(reference(replica_regions=(REPLICA,)), [READER])
    tg.ExternalAccessAnalyzer(data, "Analyzer", tables=[shared])
    found = synthesized(data)["ArchiveRules"]
    there = {**DECLARED["the reader"], "resource": ORDERS.replace(REGION, REPLICA)}
    assert archived(found, there)
    assert not archived(found, DECLARED["the reader"])


def test_the_organization_s_analyzer_takes_tables_of_every_account() -> None:
    data = stack(account="999988887777")
    tables = [tg.SharedTable(reference(account=account), [WHOLE]) for account in (OWNER, PARTNER)]
    tg.ExternalAccessAnalyzer(data, "Analyzer", tables=tables, whole_organization=True)
    properties = synthesized(data)
    assert properties["Type"] == "ORGANIZATION"
    for account in (OWNER, PARTNER):
        assert archived(properties["ArchiveRules"], finding(ORDERS.replace(OWNER, account), "777788889999"))


def test_grants_inside_the_account_and_to_services_need_no_rule() -> None:
    inside = tg.TableGrant(tg.Role(account=OWNER, name="app"), tg.Access.READ, name_principal=True)
    service = tg.TableGrant(
        tg.AwsService(service="redshift.amazonaws.com", source_account=PARTNER), tg.Access.READ, reason="zero-ETL"
    )
    assert archive_rules([tg.SharedTable(reference(), [inside, service])]) == ()


def test_a_rule_holds_twenty_tables_and_keeps_its_name_as_others_come() -> None:
    tables = [tg.SharedTable(reference(f"orders-{n:02}"), [READER]) for n in range(45)]
    rules = archive_rules(tables)
    assert [len(dict(rule.criteria)["resource"]) for rule in rules] == [20, 20, 5]
    more = archive_rules([*tables, tg.SharedTable(reference(), [WHOLE])])
    assert [rule.name for rule in more][:3] == [rule.name for rule in rules]
    assert len({rule.name for rule in more}) == 4


def test_more_rules_than_the_analyzer_takes_fail_the_synthesis() -> None:
    grants = [tg.TableGrant(tg.Role(account=PARTNER, name=f"r{n}"), tg.Access.READ, reason="x") for n in range(101)]
    for most, fits in ((100, False), (101, True)):
        data = stack()
        tables = [tg.SharedTable(reference(), grants)]
        tg.ExternalAccessAnalyzer(data, "Analyzer", tables=tables, most_rules=most)
        if fits:
            assert len(synthesized(data)["ArchiveRules"]) == 101
        else:
            with pytest.raises(RuntimeError, match=r"101 archive rules\. Allowed: 100"):
                synthesized(data)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([tg.SharedTable(reference(account=PARTNER), [WHOLE])], "tables of account 444455556666.*whole_organization"),
        ([tg.SharedTable(reference(region=REPLICA), [READER])], "one region"),
        (["orders"], "a list of CrossAccountTable, TableAccess and SharedTable"),
        ("orders", "a list of CrossAccountTable, TableAccess and SharedTable"),
    ],
)
def test_what_the_analyzer_does_not_look_at_is_refused(tables: Any, message: str) -> None:
    with pytest.raises(tg.InvalidInputError, match=message):
        tg.ExternalAccessAnalyzer(stack(), "Analyzer", tables=tables)


def test_a_table_without_a_name_is_known_in_its_own_stack_only() -> None:
    whole = app()
    data, elsewhere = stack(whole), stack(whole, "Elsewhere")
    access = tg.TableAccess(data, "Access", table=table_v2(data, name=None))
    with pytest.raises(tg.InvalidInputError, match="tables of the analyzer's own stack, or with a name"):
        tg.ExternalAccessAnalyzer(elsewhere, "Analyzer", tables=[access])
    tg.ExternalAccessAnalyzer(data, "Analyzer", tables=[access])
    assert "ArchiveRules" not in synthesized(data)


@pytest.mark.parametrize("grants", [READER, ["reader"], None])
def test_a_shared_table_has_grants_to_known_principals(grants: Any) -> None:
    with pytest.raises(tg.InvalidInputError, match="the grants of the table orders"):
        tg.SharedTable(reference(), grants)


def test_a_shared_table_has_a_table() -> None:
    with pytest.raises(tg.InvalidInputError, match="the table of a SharedTable"):
        tg.SharedTable(ORDERS, [READER])  # type: ignore[arg-type]
