"""Why a request is allowed or denied, and what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tableguard.policy.errors import InvalidInputError
from tableguard.review import lookup
from tableguard.review.explain import Explanation
from tableguard.review.explained import explained, explained_as_json
from tableguard.review.question import answer
from tests.unit.review.support import (
    CONSUMER,
    LOCAL,
    OWNER,
    READER,
    TABLE,
    TODAY,
    VENDOR,
    allow,
    consumer,
    deny,
    document,
    picture,
    role,
    stack,
    table,
    to,
)

VPCE = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
TAGGED = {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "team"}}
OPEN = "ForAnyValue:StringEqualsIfExists aws:TagKeys: the request lacks the key"


def asked(
    grant: Any, *own: Any, principal: str = READER, action: str = "dynamodb:GetItem", **context: str
) -> Explanation:
    found = picture(stack(T=table(grant)), consumer(R=role(*own)))
    keys = {key.replace("_", ":", 1): [value] if value else [] for key, value in context.items()}
    explanation, _ = answer(found, principal=principal, action=action, resource=TABLE, context=keys, today=TODAY)
    return explanation


def test_an_allowed_request_shows_every_layer_with_the_place_of_its_statement() -> None:
    explanation = asked(to(READER), allow())
    text = explained(explanation)
    assert text.startswith("Allowed\n")
    assert explanation.missing == ()
    assert [(step.layer, step.says) for step in explanation.steps] == [
        ("resource policy", "allows"),
        ("identity policies", "allows"),
    ]
    assert "statement 0 in Data" in text
    assert "Resources/T/Properties/ResourcePolicy/PolicyDocument" in text
    assert "Resources/R/Properties/Policies/0/PolicyDocument" in text


@pytest.mark.parametrize(
    ("grant", "own", "missing"),
    [
        (to(LOCAL), [allow()], "the resource policy of the table has no statement for this principal"),
        (to(READER), [], "the identity policies have no statement that allows dynamodb:GetItem"),
        (to(READER, Condition=VPCE), [allow()], "the request has no aws:SourceVpce (it asks for StringEquals vpce-1)"),
        (
            to(READER),
            [allow(), deny(Sid="Stop")],
            "statement 1 'Stop' [Consumer/R] of the identity policies denies it, whatever",
        ),
        (
            to(READER),
            [allow(), deny(Condition={"Bool": {"aws:ViaAWSService": "false"}})],
            "denies it, because aws:ViaAWSService is false (Bool false)",
        ),
        (to(READER, Condition={"Nonsense": {"aws:x": "y"}}), [allow()], "cannot be understood: Condition: 'Nonsense'"),
        (to(READER, Condition=TAGGED), [allow()], f"of the resource policy cannot be understood: {OPEN}"),
        (to(READER), [allow(Condition=TAGGED)], f"of the identity policies cannot be understood: {OPEN}"),
        (to(READER), [allow(), deny(Condition=TAGGED)], f"may deny it, and cannot be understood: {OPEN}"),
    ],
)
def test_a_denial_says_what_is_missing(grant: Any, own: list[Any], missing: str) -> None:
    explanation = asked(grant, *own)
    assert not explanation.verdict.allowed
    assert any(missing in each for each in explanation.missing), explanation.missing


@pytest.mark.parametrize("denied", [True, False])
def test_a_layer_shows_the_statement_for_which_aws_documents_no_answer(denied: bool) -> None:
    own = [allow(), deny(Sid="Stop", Condition=TAGGED)] if denied else [allow(Sid="Go", Condition=TAGGED)]
    explanation = asked(to(READER), *own)
    (step,) = [each for each in explanation.steps if each.layer == "identity policies"]
    assert step.says == ("may deny" if denied else "not understood")
    assert [said.sid for said in step.statements] == ["Stop" if denied else "Go"]
    assert len(explanation.missing) == 1
    assert explained(explanation).startswith("Denied, as far as the policies can be understood")
    (reason,) = [each for each in explained_as_json(explanation)["because"] if "open" in each]
    assert reason["open"] == "for-any-value-if-exists"


def test_only_the_condition_that_failed_is_named() -> None:
    both = {**VPCE, "StringLike": {"aws:PrincipalTag/team": "blue"}}
    (missing,) = asked(to(READER, Condition=both), allow(), aws_SourceVpce="vpce-1").missing
    assert "aws:PrincipalTag/team" in missing
    assert "vpce" not in missing


def test_a_condition_that_the_context_meets_is_met() -> None:
    assert asked(to(READER, Condition=VPCE), allow(), aws_SourceVpce="vpce-1").verdict.allowed
    assert not asked(to(READER, Condition=VPCE), allow(), aws_SourceVpce="vpce-2").verdict.allowed


def test_a_key_without_a_value_is_taken_out_of_the_request() -> None:
    tls = {"Bool": {"aws:SecureTransport": "true"}}
    assert asked(to(READER, Condition=tls), allow()).verdict.allowed
    assert not asked(to(READER, Condition=tls), allow(), aws_SecureTransport="").verdict.allowed


def test_what_does_not_work_across_accounts_says_so() -> None:
    explanation = asked(to(READER, "dynamodb:*"), allow("dynamodb:*"), action="dynamodb:UpdateTimeToLive")
    assert any("does not work across accounts" in each for each in explanation.missing)


def test_the_side_of_somebody_outside_is_open() -> None:
    explanation = asked(to(VENDOR), principal=f"arn:aws:iam::{VENDOR}:role/x")
    assert explained(explanation).startswith("Allowed, if the principal's own side allows it")
    assert ("identity policies", "assumed to allow") in [(step.layer, step.says) for step in explanation.steps]


def test_the_key_is_explained_beside_the_table() -> None:
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document(to(LOCAL, "kms:*", Resource="*"))}}
    made = table(to(READER), SSESpecification={"SSEEnabled": True, "KMSMasterKeyId": {"Ref": "Key"}})
    found = picture(stack(T=made, Key=key), consumer(R=role(allow())))
    explanation, _ = answer(found, principal=READER, action="dynamodb:GetItem", resource=TABLE, context={}, today=TODAY)
    assert [step.says for step in explanation.steps if step.layer.startswith("the key's")] == ["silent", "silent"]
    assert explanation.missing == (
        "the key's resource policy has no statement that allows kms:Decrypt on this resource",
        "the key's identity policies have no statement that allows kms:Decrypt on this resource",
    )
    assert explained_as_json(explanation)["key"]["decision"] == "ImplicitlyDenied"


NAMED = picture(
    stack(
        T=table(GlobalSecondaryIndexes=[{"IndexName": "by-date"}], StreamSpecification={}),
        U={"Type": "AWS::DynamoDB::Table"},
        L=role(name="local", Path="/team/"),
        Un={"Type": "AWS::IAM::Role"},
    ),
    consumer(R=role()),
)


@pytest.mark.parametrize(
    ("text", "arn"),
    [
        ("reader", READER),
        (READER, READER),
        (f"role reader of {CONSUMER}", READER),
        ("local", f"arn:aws:iam::{OWNER}:role/team/local"),
        ("team/local", f"arn:aws:iam::{OWNER}:role/team/local"),
        ("{Data.Un}", f"arn:aws:iam::{OWNER}:role/{{Data.Un}}"),
        ("Data.Un", f"arn:aws:iam::{OWNER}:role/{{Data.Un}}"),
        ("replication.dynamodb.amazonaws.com", "replication.dynamodb.amazonaws.com"),
        ("anonymous", "anonymous"),
    ],
)
def test_a_principal_may_be_said_by_its_name(text: str, arn: str) -> None:
    assert lookup.principal(text, NAMED) == arn


@pytest.mark.parametrize(
    ("text", "arn"),
    [
        ("orders", TABLE),
        (TABLE, TABLE),
        ("orders/index/by-date", f"{TABLE}/index/by-date"),
        ("orders/stream", f"{TABLE}/stream/{{Data.T}}"),
        (f"{TABLE}/stream/2026-01-01T00:00:00.000", f"{TABLE}/stream/{{Data.T}}"),
        ("{Data.U}", TABLE.replace("orders", "{Data.U}")),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket"),
    ],
)
def test_a_resource_may_be_said_by_the_tables_name(text: str, arn: str) -> None:
    assert lookup.resource(text, NAMED) == arn


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (lambda: lookup.principal("readr", NAMED), 'Did you mean "reader"?'),
        (lambda: lookup.principal("nothing like it", NAMED), "{STACK.LOGICALID}"),
        (lambda: lookup.resource("ordres", NAMED), 'Did you mean "orders"?'),
        (lambda: lookup.resource(TABLE.replace("orders", "order"), NAMED), "table/orders"),
        (lambda: lookup.resource("orders/index/by-dat", NAMED), 'Did you mean "by-date"?'),
        (lambda: lookup.action("GetItems"), 'Did you mean "GetItem"?'),
        (lambda: lookup.action("dynamodb:Get*"), "an action of DynamoDB"),
    ],
)
def test_a_misspelt_name_is_an_error_with_what_was_probably_meant(look: Any, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said.replace("?", r"\?").replace("{", r"\{")):
        look()


def test_actions_may_be_said_without_their_service_and_in_any_case() -> None:
    assert lookup.action("getitem") == "dynamodb:GetItem"
    assert lookup.action("DynamoDB:PutItem") == "dynamodb:PutItem"
    assert lookup.action("kms:Decrypt") == "kms:Decrypt"


def test_the_arn_of_a_role_that_nobody_makes_gets_a_hint() -> None:
    found = picture(stack(T=table(to(READER))), consumer(R=role(name="readers")))
    _, notes = answer(found, principal=READER, action="dynamodb:GetItem", resource=TABLE, context={}, today=TODAY)
    assert notes == (f"No template makes role reader of {CONSUMER}. Did you mean {READER}s?",)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_text_keeps_to_the_width_but_for_what_is_copied(width: int) -> None:
    lines = explained(asked(to(READER, Sid="Reader"), allow()), width=width)

    longer = [line.strip() for line in lines.splitlines() if len(line) > width]
    assert "statement 0 'Reader' in Data" in lines
    assert all(line.startswith(("arn:", "Resources/")) for line in longer)


@pytest.mark.parametrize(
    ("effect", "operator", "allowed"),
    [
        ("Allow", "ArnEquals", True),
        ("Allow", "ArnNotEquals", False),
        ("Deny", "ArnEquals", False),
        ("Deny", "ArnNotEquals", True),
    ],
)
def test_a_session_has_the_role_that_the_templates_tell(effect: str, operator: str, allowed: bool) -> None:
    session = f"arn:aws:sts::{CONSUMER}:assumed-role/reader/today"
    about = {"Condition": {operator: {"aws:PrincipalArn": READER}}}
    grants = [to("*", Effect=effect, **about)] + ([to(CONSUMER)] if effect == "Deny" else [])
    found = picture(stack(T=table(*grants)), consumer(R=role(allow())))
    explanation, _ = answer(
        found, principal=session, action="dynamodb:GetItem", resource=TABLE, context={}, today=TODAY
    )
    assert explanation.verdict.allowed is allowed
    assert explanation.verdict.understood
