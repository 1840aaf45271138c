"""Metadata that others wrote, or another release: it is read as far as it goes, and what cannot be read is said."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings, strategies as st

from tableguard.policy import Access, FromVpcEndpoint, Role, TableGrant, metadata as schema
from tableguard.policy.metadata import Readable
from tableguard.policy.metadata.principals import principal_json, read_principal
from tableguard.policy.metadata.source import MalformedMetadataError, Source
from tableguard.policy.perimeter import Exemption, Perimeter, RestrictedActions
from tableguard.policy.principals import ArnIdentity
from tests.unit.policy.metadata.test_round_trip import KEPT, template

Json = dict[str, Any]
OWNER: Final = "111122223333"
READER: Final = Role(account="222233334444", name="reader")
GRANT: Final = TableGrant(READER, Access.READ, reason="ADR-7", conditions=[FromVpcEndpoint("vpce-1a2b3c4d")])
PERIMETER: Final = Perimeter(
    networks=[FromVpcEndpoint("vpce-1a2b3c4d")],
    exemptions=[Exemption(principal=READER, actions=RestrictedActions.EXPORT, reason="nightly")],
)
WHOLE: Final[Json] = template(
    schema.table_metadata([GRANT], owner=OWNER, restrictions={"perimeter": schema.perimeter_json(PERIMETER)})
    | schema.backup_metadata(*KEPT)
)
LATER: Final = {"Fn::ImportValue": "somewhere"}


@pytest.mark.parametrize(
    ("metadata", "readable"),
    [
        (None, Readable.ALL),
        ({"version": 1}, Readable.ALL),
        ({"version": "1"}, Readable.ALL),
        ({"grants": [{"principal": "role reader of 222233334444", "access": "READ"}]}, Readable.OLDER),
        ({}, Readable.OLDER),
        ({"version": 2, "grants": "anything"}, Readable.NEWER),
        ({"version": {"Ref": "X"}}, Readable.NEWER),
        ("words", Readable.SOME),
        ([], Readable.SOME),
        ({"Fn::If": ["C", {}, {}]}, Readable.SOME),
        ({"version": 1, "spoons": 3}, Readable.SOME),
    ],
)
def test_versions(metadata: object, readable: Readable) -> None:
    found = schema.read(metadata)
    assert found.readable is readable
    assert bool(found.problems) is (readable is Readable.SOME)
    assert found.claims == schema.ResourceClaims()


def paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to everything in some JSON."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def changed(path: tuple[str | int, ...], to: object) -> Json:
    made = copy.deepcopy(WHOLE)
    holder: Any = made
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = to
    return made


ANYWHERE: Final = [path for path in paths(WHOLE) if path != ("version",)]


@pytest.mark.parametrize("instead", [7.5, [[]], True, {"Fn::ImportValue": "x"}, "x", None, {}, [{"a": 1}]], ids=repr)
def test_a_part_that_is_something_else_hides_no_other_part(instead: object) -> None:
    for path in ANYWHERE:
        found = schema.read(changed(path, instead))
        assert found.readable in (Readable.ALL, Readable.SOME), path
        if path[0] != "grants":
            assert [grant.reason for grant in found.claims.grants] == ["ADR-7"], path
        if path[0] != "perimeter":
            assert found.claims.perimeter is not None, path


@pytest.mark.parametrize(
    ("path", "instead"),
    [
        (("grants", 0), "words"),
        (("grants",), {"a": 1}),
        (("grants", 0, "principal"), "role reader of 222233334444"),
        (("grants", 0, "principal", "kind"), "ghost"),
        (("grants", 0, "principal", "account"), "22"),
        (("grants", 0, "principal", "name"), "reader*"),
        (("grants", 0, "principal", "name"), None),
        (("grants", 0, "access", "permissions"), []),
        (("grants", 0, "access", "permissions", 0, "actions"), ["FlyToTheMoon"]),
        (("grants", 0, "access", "permissions", 0, "target"), "stream/*"),
        (("grants", 0, "conditions", 0), "through vpce-1a2b3c4d"),
        (("grants", 0, "conditions", 0, "clauses"), []),
        (("grants", 0, "until"), "tomorrow"),
        (("grants", 0, "until"), "2027-01-31T00:00:00"),
        (("grants", 0, "until"), 20270131),
        (("perimeter", "inside", 0, "kind"), "carrier pigeon"),
        (("perimeter", "exemptions", 0, "actions", "permissions", 0, "target"), "moon"),
        (("perimeter", "exemptions", 0, "actions", "permissions", 0, "actions"), ["FlyToTheMoon"]),
        (("export", "tables"), "x"),
        (("export", "every_minutes"), "soon"),
        (("export", "every_minutes"), "9" * 5000),
        (("export", "every_minutes"), 10**18),
        (("drill", "canary"), "perhaps"),
        (("drill", "largest_fall"), "much"),
    ],
)
def test_what_is_malformed_is_said(path: tuple[str | int, ...], instead: object) -> None:
    (problem, *more) = schema.read(changed(path, instead)).problems
    assert not more
    assert problem.startswith(str(path[0]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(WHOLE)) | st.text(), inner),
        max_leaves=12,
    )
)
@settings(max_examples=200, deadline=None)
def test_no_json_ends_in_an_error(value: object) -> None:
    schema.read(value)
    schema.read({**WHOLE, "perimeter": value, "export": value, "grants": [value]})


@pytest.mark.parametrize(
    ("said", "account"),
    [
        ({"kind": "role", "account": "222233334444", "name": LATER, "path": "/", "label": LATER}, "222233334444"),
        ({"kind": "role", "account": LATER, "name": "reader", "path": "/"}, None),
        ({"kind": "role", "account": "222233334444", "name": "{Data.Reader}", "path": "/"}, "222233334444"),
        ({"kind": "identity", "account": "222233334444", "described_as": "App/Role"}, "222233334444"),
        ({"kind": "identity", "account": "222233334444", "principal_arn": "{Data.R@Arn}"}, "222233334444"),
        ({"kind": "forwarding", "services": [LATER]}, None),
        ({"kind": "users-with-mfa", "users": [{"kind": "user", "account": LATER, "name": "ann", "path": "/"}]}, None),
    ],
)
def test_somebody_whom_only_the_deployment_knows_is_nobody_in_particular(said: Json, account: str | None) -> None:
    found = read_principal(Source(said))
    assert (found.principal, found.account) == (None, account)
    assert found.label


TOKEN: Final = "${Token[TOKEN.7]}"


@pytest.mark.parametrize("refer", [True, False])
def test_an_arn_that_would_refer_to_another_resource_is_written_only_where_it_stands_anyway(refer: bool) -> None:
    somebody = ArnIdentity(account="222233334444", principal_arn=TOKEN, described_as="App/Role")
    assert (principal_json(somebody, refer=refer).get("principal_arn") == TOKEN) is refer
    known = ArnIdentity(account="222233334444", principal_arn=READER.arn("aws"), described_as="App/Role")
    assert principal_json(known, refer=refer)["principal_arn"] == READER.arn("aws")


def test_a_value_of_a_condition_that_only_the_deployment_knows_is_compared_as_it_stands() -> None:
    path = ("grants", 0, "conditions", 0, "clauses", 0, "values")
    (grant,) = schema.read(changed(path, [LATER, "vpce-2"])).claims.grants
    assert grant.conditions[0].clauses[0].values == (str(LATER), "vpce-2")


def test_messages_name_the_place() -> None:
    with pytest.raises(MalformedMetadataError, match="grants/3/kind"):
        read_principal(Source({"kind": "ghost"}, "grants/3"))
    assert json.dumps(WHOLE)
