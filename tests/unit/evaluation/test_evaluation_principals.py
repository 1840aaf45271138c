"""Every kind of caller against every form of the Principal element, and what follows from a caller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tableguard.evaluation import ContextValue, Outcome, Policies, Request, evaluate

OWNER = "111122223333"
OTHER = "444455556666"
TABLE = f"arn:aws:dynamodb:us-east-1:{OWNER}:table/orders"
ROOT = f"arn:aws:iam::{OTHER}:root"
USER = f"arn:aws:iam::{OTHER}:user/people/foo"
ROLE = f"arn:aws:iam::{OTHER}:role/app/reader"
SESSION = f"arn:aws:sts::{OTHER}:assumed-role/reader/today"
FEDERATED = f"arn:aws:sts::{OTHER}:federated-user/foo"
SERVICE = "replication.dynamodb.amazonaws.com"
ALL = [ROOT, USER, ROLE, SESSION, FEDERATED, SERVICE]
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
# A federated user's session can do nothing without session policies; no other caller minds some that allow everything.
OWN_SIDE: dict[str, Any] = {"identity": [EVERYTHING], "session": [EVERYTHING]}


def policy(effect: str, element: Mapping[str, object], **more: object) -> dict[str, object]:
    statement = {"Effect": effect, "Action": "dynamodb:GetItem", "Resource": TABLE, **element, **more}
    return {"Version": "2012-10-17", "Statement": statement}


def ask(principal: str, context: dict[str, ContextValue] | None = None, **more: str) -> Request:
    return Request(
        principal=principal,
        action="dynamodb:GetItem",
        resource=TABLE,
        context=context or {},
        **more,  # type: ignore[arg-type]
    )


COVERED = [
    ("*", ALL),
    ({"AWS": "*"}, ALL),
    ({"AWS": OTHER}, [ROOT, USER, ROLE, SESSION, FEDERATED]),
    ({"AWS": ROOT}, [ROOT, USER, ROLE, SESSION, FEDERATED]),
    ({"AWS": OWNER}, []),
    ({"AWS": USER}, [USER]),
    ({"AWS": USER.replace("/people", "")}, []),
    ({"AWS": ROLE}, [ROLE, SESSION]),
    ({"AWS": f"arn:aws:iam::{OTHER}:role/reader"}, [SESSION]),
    ({"AWS": ROLE.replace("aws", "aws-cn", 1)}, []),
    ({"AWS": ROLE.replace(OTHER, OWNER)}, []),
    ({"AWS": SESSION}, [SESSION]),
    ({"AWS": SESSION.replace("today", "tomorrow")}, []),
    ({"AWS": FEDERATED}, [FEDERATED]),
    ({"AWS": [USER, ROLE]}, [USER, ROLE, SESSION]),
    ({"Service": SERVICE}, [SERVICE]),
    ({"Service": ["redshift.amazonaws.com", SERVICE]}, [SERVICE]),
    ({"Service": "redshift.amazonaws.com"}, []),
    ({"AWS": USER, "Service": SERVICE}, [USER, SERVICE]),
]


@pytest.mark.parametrize(("element", "covered"), COVERED)
@pytest.mark.parametrize("caller", ALL)
def test_a_principal_element_covers_exactly_its_callers(element: object, covered: list[str], caller: str) -> None:
    allow = Policies(**OWN_SIDE, resource=policy("Allow", {"Principal": element}))
    assert evaluate(ask(caller), allow).allowed is (caller in covered)
    both = {
        "Version": "2012-10-17",
        "Statement": [
            policy("Allow", {"Principal": "*"})["Statement"],
            policy("Deny", {"Principal": element})["Statement"],
        ],
    }
    denied = evaluate(ask(caller), Policies(**OWN_SIDE, resource=both))
    assert denied.outcome is (Outcome.EXPLICITLY_DENIED if caller in covered else Outcome.ALLOWED)


@pytest.mark.parametrize(
    ("element", "caller", "context", "covered"),
    [
        ({"AWS": ROLE}, SESSION, {"aws:PrincipalArn": ROLE}, True),
        ({"AWS": f"arn:aws:iam::{OTHER}:role/reader"}, SESSION, {"aws:PrincipalArn": ROLE}, False),
        ({"AWS": ROLE}, SESSION, {"aws:PrincipalArn": ROLE.replace("reader", "writer")}, True),
        ({"AWS": "AROAEXAMPLEEXAMPLE12"}, SESSION, {"aws:userid": "AROAEXAMPLEEXAMPLE12:today"}, True),
        ({"AWS": "AROAEXAMPLEEXAMPLE12"}, SESSION, {"aws:userid": "AROAEXAMPLEEXAMPLE13:today"}, False),
        # An id that begins with another one is somebody else's.
        ({"AWS": "AROAEXAMPLEEXAMPLE12"}, SESSION, {"aws:userid": "AROAEXAMPLEEXAMPLE123:today"}, False),
        ({"AWS": "AIDAEXAMPLEEXAMPLE12"}, USER, {"aws:userid": "AIDAEXAMPLEEXAMPLE12"}, True),
        ({"AWS": "AIDAEXAMPLEEXAMPLE12"}, USER, {"aws:userid": "AIDAEXAMPLEEXAMPLE123"}, False),
        ({"AWS": "AIDAEXAMPLEEXAMPLE12"}, USER, {}, False),
        ({"Federated": "accounts.google.com"}, SESSION, {"aws:FederatedProvider": "accounts.google.com"}, True),
        ({"Federated": "accounts.google.com"}, SESSION, {"aws:FederatedProvider": "www.amazon.com"}, False),
        ({"Federated": "accounts.google.com"}, SESSION, {}, False),
    ],
)
def test_what_the_context_tells_about_a_session_counts(
    element: object, caller: str, context: dict[str, ContextValue], covered: bool
) -> None:
    policies = Policies(**OWN_SIDE, resource=policy("Allow", {"Principal": element}))
    assert evaluate(ask(caller, context), policies).allowed is covered


def test_a_canonical_user_grants_nothing_and_denies_as_unclear() -> None:
    element = {"Principal": {"CanonicalUser": "79a59df900b949e55d96a1e698fbaced"}}
    grant = evaluate(ask(USER), Policies(**OWN_SIDE, resource=policy("Allow", element)))
    assert not grant.allowed
    same = ask(f"arn:aws:iam::{OWNER}:user/foo")
    denial = evaluate(same, Policies(**OWN_SIDE, resource=policy("Deny", element)))
    assert denial.outcome is Outcome.EXPLICITLY_DENIED
    assert not denial.understood


# NotPrincipal of a Deny, caller, outcome, whether it is certain
EXEMPT = [
    ({"AWS": [USER, ROOT]}, USER, Outcome.ALLOWED, True),
    ({"AWS": [USER, OTHER]}, USER, Outcome.ALLOWED, True),
    ({"AWS": [USER, ROOT]}, ROOT, Outcome.ALLOWED, True),
    ({"AWS": [USER, ROOT]}, ROLE, Outcome.EXPLICITLY_DENIED, True),
    ({"AWS": ROOT}, USER, Outcome.EXPLICITLY_DENIED, True),
    ({"AWS": USER}, USER, Outcome.EXPLICITLY_DENIED, False),
    ({"AWS": USER}, ROLE, Outcome.EXPLICITLY_DENIED, True),
    ({"AWS": [ROLE, ROOT]}, ROLE, Outcome.ALLOWED, True),
    ({"AWS": [ROLE, ROOT]}, SESSION, Outcome.EXPLICITLY_DENIED, False),
    ({"AWS": [SESSION, ROOT]}, SESSION, Outcome.EXPLICITLY_DENIED, False),
    ({"AWS": [SESSION, ROLE, ROOT]}, SESSION, Outcome.ALLOWED, True),
    ({"AWS": [FEDERATED, ROOT]}, FEDERATED, Outcome.ALLOWED, True),
    ({"Service": SERVICE}, SERVICE, Outcome.ALLOWED, True),
    ({"Service": SERVICE}, USER, Outcome.EXPLICITLY_DENIED, True),
    ({"AWS": USER}, SERVICE, Outcome.EXPLICITLY_DENIED, True),
    ("*", USER, Outcome.ALLOWED, True),
]


@pytest.mark.parametrize(("element", "caller", "outcome", "certain"), EXEMPT)
def test_not_principal_exempts_a_caller_that_is_named_with_its_account(
    element: object, caller: str, outcome: Outcome, certain: bool
) -> None:
    statements = [
        policy("Allow", {"Principal": "*"})["Statement"],
        policy("Deny", {"NotPrincipal": element})["Statement"],
    ]
    both = {"Version": "2012-10-17", "Statement": statements}
    decision = evaluate(ask(caller), Policies(**OWN_SIDE, resource=both))
    assert decision.outcome is outcome
    assert decision.understood is certain


@pytest.mark.parametrize("layer", ["resource", "endpoint", "resource_control"])
@pytest.mark.parametrize(
    ("element", "caller", "outcome"),
    [
        ({"AWS": [ROLE, ROOT]}, ROLE, Outcome.EXPLICITLY_DENIED),
        ({"AWS": [USER, ROOT]}, USER, Outcome.EXPLICITLY_DENIED),
        ({"AWS": [SESSION, ROLE, ROOT]}, SESSION, Outcome.EXPLICITLY_DENIED),
        ({"AWS": ROLE}, ROLE, Outcome.EXPLICITLY_DENIED),
        # Neither has a boundary that binds it.
        ({"AWS": ROOT}, ROOT, Outcome.ALLOWED),
        ({"Service": SERVICE}, SERVICE, Outcome.ALLOWED),
    ],
)
def test_not_principal_exempts_nobody_with_a_boundary(
    layer: str, element: object, caller: str, outcome: Outcome
) -> None:
    allow = policy("Allow", {"Principal": "*"})["Statement"]
    deny = {"Version": "2012-10-17", "Statement": [allow, policy("Deny", {"NotPrincipal": element})["Statement"]]}
    resource = {"Version": "2012-10-17", "Statement": allow}
    given: dict[str, Any] = {"resource": resource, layer: [[deny]] if layer == "resource_control" else deny}
    decision = evaluate(ask(caller), Policies(**OWN_SIDE, boundary=[EVERYTHING], **given))
    assert decision.outcome is outcome
    assert decision.understood


def test_a_boundary_changes_nothing_about_a_principal_element() -> None:
    statements = [
        policy("Allow", {"Principal": "*"})["Statement"],
        policy("Deny", {"Principal": {"AWS": USER}})["Statement"],
    ]
    both = {"Version": "2012-10-17", "Statement": statements}
    policies = Policies(**OWN_SIDE, boundary=[EVERYTHING], resource=both)
    assert evaluate(ask(ROLE), policies).allowed


def test_not_principal_with_allow_grants_nothing() -> None:
    resource = policy("Allow", {"NotPrincipal": {"AWS": OWNER}})
    decision = evaluate(ask(USER), Policies(**OWN_SIDE, resource=resource))
    assert decision.outcome is Outcome.IMPLICITLY_DENIED
    assert not decision.understood


SEVERAL = ("aws:PrincipalServiceNamesList",)


def sees(caller: str, key: str, value: object, context: dict[str, ContextValue] | None = None, **more: str) -> bool:
    condition = {"ForAnyValue:StringEquals" if key in SEVERAL else "StringEquals": {key: value}}
    resource = policy("Allow", {"Principal": "*"}, Condition=condition)
    return evaluate(ask(caller, context, **more), Policies(**OWN_SIDE, resource=resource)).allowed


@pytest.mark.parametrize(
    ("caller", "key", "value"),
    [
        (ROOT, "aws:PrincipalArn", ROOT),
        (USER, "aws:PrincipalArn", USER),
        (ROLE, "aws:PrincipalArn", ROLE),
        (FEDERATED, "aws:PrincipalArn", FEDERATED),
        (ROOT, "aws:PrincipalType", "Account"),
        (USER, "aws:PrincipalType", "User"),
        (ROLE, "aws:PrincipalType", "AssumedRole"),
        (SESSION, "aws:PrincipalType", "AssumedRole"),
        (FEDERATED, "aws:PrincipalType", "FederatedUser"),
        *[(caller, "aws:PrincipalAccount", OTHER) for caller in ALL[:-1]],
        *[(caller, "aws:PrincipalIsAWSService", "false") for caller in ALL[:-1]],
        *[(caller, "aws:ResourceAccount", OWNER) for caller in ALL],
        (USER, "aws:username", "foo"),
        (ROOT, "aws:userid", OTHER),
        (FEDERATED, "aws:userid", f"{OTHER}:foo"),
        (SERVICE, "aws:PrincipalIsAWSService", "true"),
        (SERVICE, "aws:PrincipalServiceName", SERVICE),
        (SERVICE, "aws:PrincipalServiceNamesList", SERVICE),
    ],
)
def test_keys_that_follow_from_the_caller_are_filled_in(caller: str, key: str, value: str) -> None:
    assert sees(caller, key, value)
    assert not sees(caller, key, value + "x")


def test_what_the_context_says_is_kept() -> None:
    assert sees(USER, "aws:PrincipalAccount", "777788889999", {"AWS:principalaccount": "777788889999"})
    assert sees(SESSION, "aws:PrincipalArn", ROLE, {"aws:PrincipalArn": ROLE})


@pytest.mark.parametrize(
    ("caller", "key"),
    [
        (SESSION, "aws:PrincipalArn"),
        (SERVICE, "aws:PrincipalArn"),
        (SERVICE, "aws:PrincipalAccount"),
        (ROLE, "aws:userid"),
        (USER, "aws:userid"),
        (ROLE, "aws:username"),
        (ROLE, "aws:PrincipalOrgID"),
        (ROLE, "aws:SecureTransport"),
        (ROLE, "aws:CurrentTime"),
        (ROLE, "aws:RequestedRegion"),
    ],
)
def test_what_does_not_follow_stays_absent(caller: str, key: str) -> None:
    for wanted, allowed in (("true", True), ("false", False)):
        resource = policy("Allow", {"Principal": "*"}, Condition={"Null": {key: wanted}})
        assert evaluate(ask(caller), Policies(**OWN_SIDE, resource=resource)).allowed is allowed
