"""Sizes: exact where everything is known, a lower bound where it is not, and an error that helps."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import event, given, strategies as st

from tableguard.policy import Access, Account, Limit, Limits, PolicyTooLargeError, TableGrant, document, measured
from tableguard.policy.limits import DEFAULT_LIMITS, check_size
from tests.unit.policy.support import ORDERS, PARTNER, TOKEN, Refusal, assert_refused

BYTES = Limit("table policy", 100, "bytes", "a source")
CHARACTERS = replace(BYTES, unit="characters")


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="$#{}"), max_size=12)
# A key that names a function of CloudFormation makes one of its object.
KEYS = TEXT.filter(lambda text: text != "Ref" and not text.startswith("Fn::"))
SCALARS = st.one_of(TEXT, st.integers(-99, 99), st.booleans())
KNOWN = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@given(KNOWN)
def test_a_size_is_exact_where_everything_is_known(value: object) -> None:
    for limit, size in ((BYTES, len(compact(value).encode())), (CHARACTERS, len(compact(value)))):
        measure = measured(value, limit)
        assert (measure.size, measure.exact) == (size, True)


Pair = tuple[Any, Any]
"""A value as a template holds it, and as the deployment may see it."""

PSEUDO = {
    "AWS::AccountId": ["111122223333"],
    "AWS::Partition": ["aws", "aws-cn", "aws-us-gov"],
    "AWS::Region": ["us-east-1", "eu-west-1", "ap-southeast-2"],
    "AWS::URLSuffix": ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov"],
    "Parameter": ["x", "something longer"],
}
SOME_TEXT = TEXT.filter(bool)
REFERENCES = st.sampled_from([({"Ref": name}, value) for name, values in PSEUDO.items() for value in values])
ATTRIBUTES = SOME_TEXT.map(lambda text: ({"Fn::GetAtt": ["Table", "Arn"]}, text))
SUBSTITUTIONS = SOME_TEXT.map(lambda text: ({"Fn::Sub": "${Table}"}, text))
TOKENS = st.tuples(TEXT, SOME_TEXT, TEXT).map(lambda t: (f"{t[0]}{TOKEN}{t[2]}", "".join(t)))
TWO_TOKENS = st.tuples(SOME_TEXT, SOME_TEXT).map(lambda t: ("${Token[A.1]}-#{Token[B.2]}", f"{t[0]}-{t[1]}"))
TEXTS: st.SearchStrategy[Pair] = TEXT.map(lambda text: (text, text))


def join(pieces: list[Pair], separator: str) -> Pair:
    known = [piece[0] for piece in pieces]
    return {"Fn::Join": [separator, known]}, separator.join(str(piece[1]) for piece in pieces)


STRINGS: st.SearchStrategy[Pair] = st.one_of(TEXTS, REFERENCES, ATTRIBUTES, SUBSTITUTIONS, TOKENS, TWO_TOKENS)
JOINS = st.builds(join, st.lists(STRINGS, min_size=1, max_size=4), st.sampled_from(["", ":", '"']))
UNKNOWN = st.one_of(REFERENCES, ATTRIBUTES, SUBSTITUTIONS, TOKENS, TWO_TOKENS, JOINS)


def structure(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    lists = st.lists(inner, max_size=4).map(lambda pairs: ([a for a, _ in pairs], [b for _, b in pairs]))
    keys = st.one_of(KEYS.filter(bool).map(lambda text: (text, text)), TOKENS)
    objects = st.lists(st.tuples(keys, inner), max_size=4, unique_by=(lambda e: e[0][0], lambda e: e[0][1])).map(
        lambda entries: ({k[0]: v[0] for k, v in entries}, {k[1]: v[1] for k, v in entries})
    )
    return st.one_of(lists, objects)


@st.composite
def leaves(draw: st.DrawFn) -> Pair:
    return draw(st.one_of(TEXTS, UNKNOWN))


TEMPLATES = st.recursive(leaves(), structure, max_leaves=10)


@given(TEMPLATES, UNKNOWN)
def test_a_size_is_a_lower_bound_where_the_deployment_decides(some: Pair, unknown: Pair) -> None:
    template, deployed = ({"some": pair, "unknown": other} for pair, other in zip(some, unknown, strict=True))
    for limit, size in ((BYTES, len(compact(deployed).encode())), (CHARACTERS, len(compact(deployed)))):
        measure = measured(template, limit)
        event("tight" if measure.size == size else "loose")
        assert not measure.exact
        assert measure.size <= size


@pytest.mark.parametrize(
    ("value", "size", "exact"),
    [
        ({"Ref": "AWS::AccountId"}, len('"111122223333"'), False),
        ({"Ref": "AWS::Region"}, len('"us-east-1"'), False),
        ({"Ref": "AWS::Partition"}, len('"aws"'), False),
        ({"Ref": "AWS::URLSuffix"}, len('"c2s.ic.gov"'), False),
        ({"Ref": "Table"}, len('"x"'), False),
        ({"Fn::GetAtt": ["Table", "Arn"]}, len('"x"'), False),
        (
            {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::1:role/x"]]},
            len('"arn:aws:iam::1:role/x"'),
            False,
        ),
        ({"Fn::Join": [":", ["a", "b", "c"]]}, len('"a:b:c"'), False),
        ({"Fn::Join": [":", {"Fn::Split": ["-", "a-b"]}]}, len('"x"'), False),
        ([{"Ref": "Table"}, "a"], len('["x","a"]'), False),
        (("a", "b"), len('["a","b"]'), True),
        ({"Ref": "a", "other": "b"}, len('{"Ref":"a","other":"b"}'), True),
        ({"Fn::Join": ["", ["a", {"Ref": "b"}]], "other": "c"}, len('{"Fn::Join":["",["a","x"]],"other":"c"}'), False),
        (f"role/{TOKEN}", len('"role/x"'), False),
        ({TOKEN: "a"}, len('{"x":"a"}'), False),
        ("é", len('"é"'.encode()), True),
        ("${aws:username}", len('"${aws:username}"'), True),
    ],
)
def test_what_only_the_deployment_knows_counts_as_short_as_it_can_be(value: object, size: int, exact: bool) -> None:
    measure = measured(value, BYTES)
    assert (measure.size, measure.exact) == (size, exact)


def test_a_document_of_grants_has_the_size_of_its_text() -> None:
    policy = document(TableGrant(Account(PARTNER), Access.READ, reason="a test").table_statements(ORDERS))
    assert measured(policy, BYTES).size == len(compact(policy))
    unnamed = document(TableGrant(Account(PARTNER), Access.READ).identity_statements(replace(ORDERS, name=TOKEN)))
    assert not measured(unnamed, BYTES).exact
    assert measured(unnamed, BYTES).size < len(compact(unnamed))


@pytest.mark.parametrize(
    ("limit", "kind", "size", "unit"),
    [
        (DEFAULT_LIMITS.table, "table policy", 20_480, "bytes"),
        (DEFAULT_LIMITS.stream, "stream policy", 20_480, "bytes"),
        (DEFAULT_LIMITS.key, "key policy", 32_768, "bytes"),
        (DEFAULT_LIMITS.inline, "inline policy", 10_240, "characters"),
        (DEFAULT_LIMITS.managed, "managed policy", 6_144, "characters"),
        (DEFAULT_LIMITS.service_control, "SCP", 10_240, "characters"),
        (DEFAULT_LIMITS.resource_control, "RCP", 5_120, "characters"),
    ],
)
def test_every_kind_of_policy_has_its_limit_and_a_source(limit: Limit, kind: str, size: int, unit: str) -> None:
    assert (limit.kind, limit.size, limit.unit) == (kind, size, unit)
    assert limit.source


def test_a_raised_limit_replaces_one_and_leaves_the_others() -> None:
    raised = Limits(managed=replace(DEFAULT_LIMITS.managed, size=12_288))
    assert raised.managed.size == 12_288
    assert raised.table == DEFAULT_LIMITS.table


BAD_INPUT = {
    **{
        f"{value!r} for the limit of {kind}": Refusal(
            lambda kind=kind, value=value: Limits(**{kind: value}),  # type: ignore[misc]
            f"{kind} of Limits",
            value,
            "a Limit",
            f"dataclasses.replace(Limits().{kind}, size=…)",
        )
        for kind in ("table", "stream", "key", "inline", "managed", "service_control", "resource_control")
        for value in (5, None)
    },
    **{
        f"the size {size!r}": Refusal(
            lambda size=size: replace(BYTES, size=size),  # type: ignore[misc]
            "the size of the Limit of a table policy",
            size,
            "1 or more",
        )
        for size in (0, -1, True, 1.5, "100", None)
    },
    **{
        f"the unit {unit!r}": Refusal(
            lambda unit=unit: replace(BYTES, unit=unit),  # type: ignore[misc]
            "the unit of the Limit of a table policy",
            unit,
            "'bytes' or 'characters'",
        )
        for unit in ("byte", "", None)
    },
}


@pytest.mark.parametrize("refusal", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_a_bad_limit_is_refused(refusal: Refusal) -> None:
    assert_refused(refusal)


def statement(
    actions: object, principals: object = "111122223333", *, resource: object = "*", kind: str = "AWS"
) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {kind: principals}, "Action": actions, "Resource": resource}


def test_a_document_exactly_at_its_limit_passes() -> None:
    policy = {"Version": "2012-10-17", "Statement": [statement("dynamodb:GetItem")]}
    size = len(compact(policy))
    assert check_size(policy, replace(BYTES, size=size), owner="orders", fix="Fix it.").size == size
    with pytest.raises(PolicyTooLargeError):
        check_size(policy, replace(BYTES, size=size - 1), owner="orders", fix="Fix it.")


def test_a_document_over_its_limit_says_how_large_what_is_allowed_what_fills_it_and_what_helps() -> None:
    many = statement(["dynamodb:GetItem", "dynamodb:Query"], [f"{100000000000 + n}" for n in range(30)])
    service = statement("dynamodb:Scan", ["glue.amazonaws.com"], kind="Service")
    policy = {"Statement": [statement("dynamodb:PutItem"), many, service, {"NotAction": ["a:B"], "Principal": "*"}]}
    size = len(compact(policy))
    with pytest.raises(ValueError, match="the table policy of orders") as caught:
        check_size(policy, BYTES, owner="orders", fix="Grant to an organization.")
    largest = f"statement 1 (dynamodb:GetItem and 1 more for 30 principals) {len(compact(many))}"
    second = f"statement 2 (dynamodb:Scan) {len(compact(service))}"
    third = f"statement 0 (dynamodb:PutItem) {len(compact(policy['Statement'][0]))}"
    assert isinstance(caught.value, PolicyTooLargeError)
    assert str(caught.value) == (
        f"the table policy of orders is {size} bytes. Allowed: 100 (a source). "
        f"Biggest contributors: {largest}; {second}; {third}. Grant to an organization."
    )


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"NotAction": ["a:B"], "Principal": "*"}, "statement 0 (a:B)"),
        ({"Effect": "Allow"}, "statement 0 (no action)"),
        (statement(["a:B"]), "statement 0 (a:B)"),
    ],
)
def test_the_biggest_contributor_is_named_whatever_it_looks_like(broken: dict[str, Any], words: str) -> None:
    with pytest.raises(PolicyTooLargeError) as caught:
        check_size({"Statement": broken}, replace(BYTES, size=1), owner="orders", fix="")
    assert f"Biggest contributors: {words} " in str(caught.value)


def test_a_document_that_is_over_the_limit_at_least_says_that_it_is_a_lower_bound() -> None:
    policy = {"Statement": [statement(["dynamodb:GetItem"] * 2_000, {"Ref": "AWS::AccountId"})]}
    with pytest.raises(
        PolicyTooLargeError, match=r"is at least 3\d,\d{3} bytes\. .* count with their shortest length\."
    ):
        check_size(policy, BYTES, owner="orders", fix="Fix it.")
