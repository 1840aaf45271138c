"""What holds for all policies: Denies only take, Allows only give, and order is nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings, strategies as st

from tableguard.evaluation import Policies, Request, evaluate

ACCOUNTS = ["111122223333", "444455556666"]
TABLES = [f"arn:aws:dynamodb:us-east-1:111122223333:table/{name}" for name in ("orders", "orders/index/by-date")]
ACTIONS = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateTimeToLive"]
LAYERS = ["identity", "resource", "service_control", "resource_control", "boundary", "session", "endpoint"]


def one_or_many(items: list[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(items) | st.lists(st.sampled_from(items), min_size=1, max_size=3)


CONDITIONS = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["u1", "${aws:username}"]}},
        {"ForAnyValue:StringNotEquals": {"dynamodb:LeadingKeys": "u1"}},
        {"Null": {"aws:SourceVpce": "true"}},
        {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}},
        {"Bogus": {"aws:SourceVpce": "vpce-1"}},
    ]
)
PRINCIPALS = st.sampled_from(
    [
        "*",
        {"AWS": ACCOUNTS},
        {"AWS": "111122223333"},
        {"AWS": "arn:aws:iam::111122223333:role/reader"},
        {"AWS": "arn:aws:sts::111122223333:assumed-role/reader/x"},
        {"AWS": "arn:aws:iam::444455556666:user/foo"},
        {"Service": "redshift.amazonaws.com"},
        {"Bogus": "x"},
    ]
)


# Made once: making a strategy takes longer than drawing from it.
EFFECTS = st.sampled_from(["Allow", "Allow", "Deny"])
SOME_ACTIONS = one_or_many([*ACTIONS, "dynamodb:*", "*", "dynamodb:Get*"])
ACTION_ELEMENTS = st.sampled_from(["Action", "Action", "NotAction"])
SOME_RESOURCES = one_or_many([*TABLES, "*", "arn:aws:dynamodb:*:*:table/orders*"])
RESOURCE_ELEMENTS = st.sampled_from(["Resource", "Resource", "NotResource"])


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None, named: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": effect or draw(EFFECTS)}
    action = draw(SOME_ACTIONS)
    made[draw(ACTION_ELEMENTS)] = action
    resource = draw(SOME_RESOURCES)
    made[draw(RESOURCE_ELEMENTS)] = resource
    condition = draw(CONDITIONS)
    if condition:
        made["Condition"] = condition
    if named:
        made["Principal"] = draw(PRINCIPALS)
    return made


CALLERS = st.sampled_from(
    [
        caller
        for account in ACCOUNTS
        for caller in (
            f"arn:aws:iam::{account}:role/reader",
            f"arn:aws:sts::{account}:assumed-role/reader/x",
            f"arn:aws:iam::{account}:user/foo",
            f"arn:aws:iam::{account}:root",
            "redshift.amazonaws.com",
            "anonymous",
        )
    ]
)
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "aws:SourceVpce": st.sampled_from(["vpce-1", "vpce-2"]),
        "dynamodb:LeadingKeys": st.lists(st.sampled_from(["u1", "u2", "foo"]), max_size=2),
        "aws:SourceIp": st.sampled_from(["10.1.2.3", "192.0.2.1", "2001:db8::1"]),
    },
)
REQUESTS = st.builds(
    lambda principal, action, resource, context: Request(
        principal=principal, action=action, resource=resource, context=context
    ),
    CALLERS,
    st.sampled_from(ACTIONS),
    st.sampled_from(TABLES),
    CONTEXTS,
)
OPEN = {"Effect": "Allow", "Action": "*", "Resource": "*"}


NAMED = ("resource", "endpoint", "resource_control")
IN_THREE = st.integers(0, 2)
DOCUMENTS = {
    named: st.lists(st.lists(statements(named=named), max_size=2), min_size=1, max_size=2) for named in (True, False)
}
DENIES, ALLOWS = (
    {named: statements(effect=effect, named=named) for named in (True, False)} for effect in ("Deny", "Allow")
)


@st.composite
def cases(draw: st.DrawFn) -> dict[str, list[list[dict[str, Any]]] | None]:
    """For every layer its documents, as lists of statements; None for a layer that is not there."""
    layers: dict[str, list[list[dict[str, Any]]] | None] = {}
    for layer in LAYERS:
        named = layer in NAMED
        if layer not in ("identity", "resource") and draw(IN_THREE):
            layers[layer] = None
            continue
        base = [{**OPEN, "Principal": "*"} if named else OPEN] if draw(IN_THREE) == 0 else []
        several = draw(DOCUMENTS[named])
        layers[layer] = [[*base, *several[0]], *([] if layer in ("resource", "endpoint") else several[1:])]
    return layers


CASES = cases()


def policies(layers: dict[str, list[list[dict[str, Any]]] | None]) -> Policies:
    made: dict[str, Any] = {}
    for layer, documents in layers.items():
        if documents is None:
            continue
        written = [{"Version": "2012-10-17", "Statement": statements} for statements in documents]
        if layer in ("resource", "endpoint"):
            made[layer] = written[0]
        elif layer in ("service_control", "resource_control"):
            made[layer] = [[document] for document in written]
        else:
            made[layer] = written
    return Policies(**made)


def extended(
    layers: dict[str, list[list[dict[str, Any]]] | None], layer: str, statement: dict[str, Any]
) -> dict[str, list[list[dict[str, Any]]] | None]:
    documents = layers[layer]
    assert documents is not None
    return {**layers, layer: [[*documents[0], statement], *documents[1:]]}


EXAMPLES = settings(max_examples=150, deadline=None)


@EXAMPLES
@given(request=REQUESTS, layers=CASES, data=st.data())
def test_adding_a_deny_never_allows_more(request: Request, layers: Any, data: st.DataObject) -> None:
    layer = data.draw(st.sampled_from([name for name, documents in layers.items() if documents]))
    deny = data.draw(DENIES[layer in NAMED])
    if evaluate(request, policies(extended(layers, layer, deny))).allowed:
        assert evaluate(request, policies(layers)).allowed


@EXAMPLES
@given(request=REQUESTS, layers=CASES, data=st.data())
def test_adding_an_allow_never_allows_less(request: Request, layers: Any, data: st.DataObject) -> None:
    layer = data.draw(st.sampled_from([name for name, documents in layers.items() if documents]))
    allow = data.draw(ALLOWS[layer in NAMED])
    if evaluate(request, policies(layers)).allowed:
        assert evaluate(request, policies(extended(layers, layer, allow))).allowed


@EXAMPLES
@given(request=REQUESTS, layers=CASES, data=st.data())
def test_the_order_of_statements_and_documents_is_nothing(request: Request, layers: Any, data: st.DataObject) -> None:
    shuffled = {
        layer: documents and [data.draw(st.permutations(each)) for each in data.draw(st.permutations(documents))]
        for layer, documents in layers.items()
    }
    before, after = evaluate(request, policies(layers)), evaluate(request, policies(shuffled))
    assert (before.outcome, before.understood) == (after.outcome, after.understood)


@EXAMPLES
@given(request=REQUESTS, layers=CASES, data=st.data())
def test_splitting_a_document_changes_nothing(request: Request, layers: Any, data: st.DataObject) -> None:
    layer = data.draw(st.sampled_from(["identity", "boundary", "session"]))
    documents = layers[layer]
    if documents:
        split = {**layers, layer: [[statement] for each in documents for statement in each] or documents}
        assert evaluate(request, policies(layers)).outcome is evaluate(request, policies(split)).outcome


@EXAMPLES
@given(request=REQUESTS, layers=CASES)
def test_a_decision_says_why(request: Request, layers: Any) -> None:
    decision = evaluate(request, policies(layers))
    assert decision.because
    assert decision.understood or not decision.allowed
