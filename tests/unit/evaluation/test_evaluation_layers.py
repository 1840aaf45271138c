"""Which layers bind whom, and what a decision says about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from tableguard.evaluation import (
    Decision,
    Document,
    DocumentLocation,
    Effect,
    Layer,
    Outcome,
    Policies,
    Reason,
    Request,
    evaluate,
)

ACCOUNT = "111122223333"
OTHER = "444455556666"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
USER = f"arn:aws:iam::{ACCOUNT}:user/foo"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/foo"
NAME = "AWSServiceRoleForDynamoDBReplication"
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/replication.dynamodb.amazonaws.com/{NAME}"
LINKED_SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/{NAME}/x"
PRETENDER = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
SERVICE = "replication.dynamodb.amazonaws.com"
ALLOWED, IMPLICIT, EXPLICIT = Outcome.ALLOWED, Outcome.IMPLICITLY_DENIED, Outcome.EXPLICITLY_DENIED


def document(effect: str, action: str = "dynamodb:GetItem", **more: object) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": action, "Resource": "*", **more}}


ALLOW, DENY, SILENT = document("Allow"), document("Deny"), document("Allow", "dynamodb:PutItem")
OPEN = document("Allow", Principal="*")
SHUT = document("Deny", Principal="*")
QUIET = document("Allow", "dynamodb:PutItem", Principal="*")


def ask(principal: str = ROLE, action: str = "dynamodb:GetItem", **more: object) -> Request:
    return Request(principal=principal, action=action, resource=TABLE, **more)  # type: ignore[arg-type]


def decide(principal: str = ROLE, request: Mapping[str, object] | None = None, **layers: Any) -> Decision:
    layers.setdefault("identity", [ALLOW])
    layers.setdefault("resource", OPEN)
    return evaluate(ask(principal, **(request or {})), Policies(**layers))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("levels", "outcome"),
    [
        ([], ALLOWED),
        ([[ALLOW]], ALLOWED),
        ([[ALLOW], [ALLOW], [ALLOW]], ALLOWED),
        ([[ALLOW], [SILENT], [ALLOW]], IMPLICIT),
        ([[ALLOW], []], IMPLICIT),
        ([[SILENT, ALLOW]], ALLOWED),
        ([[ALLOW], [ALLOW, DENY]], EXPLICIT),
        ([[DENY]], EXPLICIT),
    ],
)
def test_every_level_of_service_control_policies_has_to_allow(levels: list[list[object]], outcome: Outcome) -> None:
    for principal in (ROLE, USER, ROOT, FEDERATED):
        assert decide(principal, service_control=levels).outcome is outcome


@pytest.mark.parametrize(
    ("levels", "outcome"),
    [([], ALLOWED), ([[QUIET]], ALLOWED), ([[], [OPEN]], ALLOWED), ([[OPEN], [SHUT]], EXPLICIT), ([[SHUT]], EXPLICIT)],
)
def test_resource_control_policies_only_deny(levels: list[list[object]], outcome: Outcome) -> None:
    for principal in (ROLE, USER, ROOT, SERVICE, f"arn:aws:iam::{OTHER}:role/reader"):
        assert decide(principal, resource_control=levels).outcome is outcome


BINDING = [
    # caller, does an SCP bind it, does an RCP bind it
    (ROLE, True, True),
    (PRETENDER, True, True),
    (LINKED_SESSION, True, True),
    (LINKED, False, False),
    (SERVICE, False, True),
]


@pytest.mark.parametrize(("principal", "scp", "rcp"), BINDING)
def test_organization_policies_bind_neither_services_nor_service_linked_roles(
    principal: str, scp: bool, rcp: bool
) -> None:
    assert (decide(principal, service_control=[[DENY]]).outcome is EXPLICIT) is scp
    assert (decide(principal, service_control=[[SILENT]]).outcome is IMPLICIT) is scp
    assert (decide(principal, resource_control=[[SHUT]]).outcome is EXPLICIT) is rcp
    assert decide(principal, resource=SHUT).outcome is EXPLICIT


def test_a_session_is_of_a_service_linked_role_when_the_context_names_its_path() -> None:
    context = {"aws:PrincipalArn": LINKED}
    assert decide(LINKED_SESSION, {"context": context}, service_control=[[DENY]]).allowed
    other = {"aws:PrincipalArn": LINKED.replace(ACCOUNT, OTHER)}
    assert not decide(LINKED_SESSION, {"context": other}, service_control=[[DENY]]).allowed
    stranger = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/x"
    assert not decide(stranger, {"context": context}, service_control=[[DENY]]).allowed


def test_organization_policies_leave_the_management_account_alone() -> None:
    for layer, shut in (("service_control", DENY), ("resource_control", SHUT)):
        layers: dict[str, Any] = {layer: [[shut]]}
        assert decide(ROLE, {"management_account": ACCOUNT}, **layers).allowed
        assert not decide(ROLE, {"management_account": OTHER}, **layers).allowed
        assert not decide(ROLE, **layers).allowed


def test_a_service_control_policy_follows_the_caller_and_a_resource_control_policy_the_resource() -> None:
    outsider = f"arn:aws:iam::{OTHER}:role/reader"
    assert decide(outsider, {"management_account": OTHER}, service_control=[[DENY]]).allowed
    assert not decide(outsider, {"management_account": OTHER}, resource_control=[[SHUT]]).allowed
    assert decide(outsider, {"management_account": ACCOUNT}, resource_control=[[SHUT]]).allowed
    assert not decide(outsider, {"management_account": ACCOUNT}, service_control=[[DENY]]).allowed


@pytest.mark.parametrize(
    ("endpoint", "outcome"), [(None, ALLOWED), (OPEN, ALLOWED), (QUIET, IMPLICIT), (SHUT, EXPLICIT)]
)
def test_an_endpoint_policy_has_to_allow(endpoint: object, outcome: Outcome) -> None:
    for principal in (ROLE, ROOT, f"arn:aws:iam::{OTHER}:role/reader"):
        assert decide(principal, endpoint=endpoint).outcome is outcome


def test_an_endpoint_policy_looks_at_its_principal() -> None:
    assert decide(endpoint=document("Allow", Principal={"AWS": ROLE})).allowed
    assert not decide(endpoint=document("Allow", Principal={"AWS": USER})).allowed


@pytest.mark.parametrize("limit", ["service_control", "endpoint"])
def test_a_direct_grant_does_not_pass_by_organization_or_endpoint(limit: str) -> None:
    grant = document("Allow", Principal="*")
    layers: dict[str, Any] = {limit: [[SILENT]] if limit == "service_control" else QUIET}
    assert decide(identity=[], resource=grant, **layers).outcome is IMPLICIT


def test_the_root_user_needs_no_identity_policy_in_its_own_account() -> None:
    decision = decide(ROOT, identity=[], resource=None)
    assert decision.allowed
    assert [reason.layer for reason in decision.because] == [Layer.IDENTITY]
    assert decide(ROOT, identity=[DENY], boundary=[DENY], resource=None).allowed
    assert decide(ROOT, resource=SHUT).outcome is EXPLICIT
    assert decide(ROOT, session=[SILENT], resource=None).outcome is IMPLICIT


def test_the_root_user_of_another_account_needs_the_resource_policy() -> None:
    root = f"arn:aws:iam::{OTHER}:root"
    assert decide(root, identity=[], resource=document("Allow", Principal={"AWS": OTHER})).allowed
    assert decide(root, identity=[], resource=QUIET).outcome is IMPLICIT


def test_the_root_user_can_always_remove_a_policy_that_locks_it_out() -> None:
    locked = document("Deny", "dynamodb:*", Principal="*")
    action = {"action": "dynamodb:DeleteResourcePolicy"}
    everything = document("Allow", "*")
    assert decide(ROOT, action, resource=locked).allowed
    assert not decide(ROLE, action, identity=[everything], resource=locked).allowed
    assert not decide(ROOT, {"action": "dynamodb:PutResourcePolicy"}, resource=locked).allowed
    assert not decide(f"arn:aws:iam::{OTHER}:root", action, resource=locked).allowed
    scp = [[everything], [document("Deny", "dynamodb:*")]]
    assert not decide(ROOT, action, resource=locked, service_control=scp).allowed


def test_a_service_needs_a_grant_in_the_resource_policy() -> None:
    assert decide(SERVICE, resource=document("Allow", Principal={"Service": SERVICE})).allowed
    assert decide(SERVICE, identity=[ALLOW], resource=None).outcome is IMPLICIT
    assert decide(SERVICE, resource=document("Allow", Principal={"AWS": ACCOUNT})).outcome is IMPLICIT
    assert decide(SERVICE, identity=[DENY], boundary=[DENY], session=[DENY]).allowed


def test_dynamodb_has_no_anonymous_access() -> None:
    decision = decide("anonymous", resource=OPEN)
    assert decision.outcome is IMPLICIT
    assert decision.because[0].layer is Layer.SERVICE
    assert decide("anonymous", resource=SHUT).outcome is EXPLICIT


def test_other_services_may_have_anonymous_access() -> None:
    request = Request(principal="anonymous", action="s3:GetObject", resource="arn:aws:s3:::example/key")
    everybody = document("Allow", "s3:GetObject", Principal="*")
    assert evaluate(request, Policies(resource=everybody)).allowed
    assert not evaluate(request, Policies(resource=document("Allow", "s3:GetObject", Principal={"AWS": OTHER}))).allowed


def test_identity_policies_cannot_name_principals() -> None:
    for effect, outcome in (("Allow", IMPLICIT), ("Deny", EXPLICIT)):
        named = document(effect, Principal="*")
        identity = [named] if effect == "Allow" else [ALLOW, named]
        decision = decide(identity=identity, resource=None)
        assert decision.outcome is outcome
        assert not decision.understood


def test_a_document_may_stand_in_a_layer_with_and_in_one_without_principals() -> None:
    for first, second in (("identity", "resource"), ("resource", "identity")):
        for layer in (first, second):
            shared = document("Allow", Sid=f"Shared{first}")
            layers = {"identity": [], "resource": None, layer: [shared] if layer == "identity" else shared}
            assert decide(**layers).allowed is (layer == "identity")  # type: ignore[arg-type]


def test_a_reason_names_layer_effect_sid_statement_level_and_place() -> None:
    place = DocumentLocation(
        policy="Restriction", stack="Organization", logical_id="RestrictionA1B2", path="Resources/RestrictionA1B2"
    )
    restriction = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Rest", "Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Sid": "NoReads", "Effect": "Deny", "Action": "dynamodb:GetItem", "Resource": "*"},
        ],
    }
    decision = decide(service_control=[[ALLOW], [Document(restriction, place)]])
    assert decision.because == (Reason(Layer.SERVICE_CONTROL, Effect.DENY, "NoReads", place, 1, 1),)


def test_all_statements_that_deny_are_named() -> None:
    decision = decide(identity=[ALLOW, DENY], resource=SHUT, boundary=[DENY])
    assert [reason.layer for reason in decision.because] == [Layer.RESOURCE, Layer.IDENTITY, Layer.BOUNDARY]


def test_an_implicit_denial_names_the_layers_that_are_silent() -> None:
    decision = decide(
        resource=None, service_control=[[ALLOW], [SILENT]], boundary=[SILENT], session=[SILENT], endpoint=QUIET
    )
    assert {reason.detail for reason in decision.because} == {"no statement allows dynamodb:GetItem"}
    named = [(reason.layer, reason.effect, reason.level) for reason in decision.because]
    assert named == [
        (Layer.SERVICE_CONTROL, None, 1),
        (Layer.ENDPOINT, None, None),
        (Layer.BOUNDARY, None, None),
        (Layer.SESSION, None, None),
    ]


def test_time_comes_from_the_caller_only() -> None:
    until = document("Allow", Condition={"DateLessThan": {"aws:CurrentTime": "2027-01-31T00:00:00Z"}})
    epoch = document("Allow", Condition={"NumericLessThan": {"aws:EpochTime": "1801353600"}})
    before = dt.datetime(2027, 1, 31, 0, 59, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    for policy in (until, epoch):
        assert decide(identity=[policy], resource=None, request={"time": before}).allowed
        later = before + dt.timedelta(minutes=1)
        assert not decide(identity=[policy], resource=None, request={"time": later}).allowed
        assert not decide(identity=[policy], resource=None).allowed
    stated = {"time": before, "context": {"aws:CurrentTime": "2028-01-01"}}
    assert not decide(identity=[until], resource=None, request=stated).allowed
