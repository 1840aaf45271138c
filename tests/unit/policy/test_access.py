"""What is granted: which action goes to which resource, and which combinations are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tableguard.policy import Access
from tests.unit.policy.support import TOKEN, Refusal, assert_refused

TABLE, INDEXES, STREAM = "", "/index/*", "/stream/*"


def per_target(access: Access) -> dict[str, str]:
    return {target: " ".join(action.name for action in actions) for target, actions in access.by_target.items()}


@pytest.mark.parametrize(
    ("access", "targets"),
    [
        (
            Access.READ,
            {TABLE: "BatchGetItem ConditionCheckItem DescribeTable GetItem Query Scan", INDEXES: "Query Scan"},
        ),
        (Access.READ_ITEMS, {TABLE: "BatchGetItem ConditionCheckItem GetItem Query", INDEXES: "Query"}),
        (Access.WRITE, {TABLE: "BatchWriteItem ConditionCheckItem DeleteItem DescribeTable PutItem UpdateItem"}),
        (
            Access.READ_WRITE,
            {
                TABLE: "BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem DescribeTable GetItem PutItem Query "
                "Scan UpdateItem",
                INDEXES: "Query Scan",
            },
        ),
        (Access.STREAM, {STREAM: "DescribeStream GetRecords GetShardIterator"}),
        (Access.SETTINGS, {TABLE: "DescribeTable UpdateTable"}),
        (Access.query(), {TABLE: "Query"}),
        (Access.query(index="by-date"), {"/index/by-date": "Query"}),
        (Access.query(index=TOKEN), {f"/index/{TOKEN}": "Query"}),
        (Access.on_table("GetItem", "dynamodb:PutItem", "GetItem"), {TABLE: "GetItem PutItem"}),
        (Access.on_index("Query", "Scan"), {INDEXES: "Query Scan"}),
        (Access.on_index("Scan", index="by-date"), {"/index/by-date": "Scan"}),
        (Access.on_stream("GetRecords"), {STREAM: "GetRecords"}),
    ],
    ids=lambda value: value.name if isinstance(value, Access) else "",
)
def test_an_access_ties_each_action_to_its_resource(access: Access, targets: Mapping[str, str]) -> None:
    assert per_target(access) == targets


def test_joined_accesses_hold_both_and_nothing_else() -> None:
    joined = Access.query(index="by-date") | Access.STREAM | Access.on_table("GetItem")
    assert per_target(joined) == {
        TABLE: "GetItem",
        "/index/by-date": "Query",
        STREAM: "DescribeStream GetRecords GetShardIterator",
    }
    assert joined.name == "STREAM + GetItem + query by-date"
    assert joined.indexes == ("by-date",)


def test_joining_an_access_with_itself_changes_nothing() -> None:
    assert Access.READ | Access.READ == Access.READ
    assert hash(Access.READ | Access.READ) == hash(Access.READ)


@pytest.mark.parametrize(
    "permissions", [[("", "GetItem")], (("", "GetItem"), ("", "GetItem")), {("", "GetItem")}, {("", "GetItem"): 1}]
)
def test_permissions_become_a_set_so_that_accesses_are_equal_and_hashable(permissions: Any) -> None:
    exact = Access("mine", frozenset({("", "GetItem")}))
    assert Access("mine", permissions) == exact
    assert hash(Access("mine", permissions)) == hash(exact)
    assert Access("mine", permissions) | Access.STREAM == exact | Access.STREAM


def test_an_access_lists_its_actions_once_and_sorted() -> None:
    names = [action.name for action in (Access.READ | Access.STREAM).actions]
    assert names == sorted(set(names))
    assert {"Query", "GetRecords"} <= set(names)


@pytest.mark.parametrize(
    ("access", "indexes", "stream", "table"),
    [
        (Access.READ, (), False, True),
        (Access.STREAM, (), True, False),
        (Access.query(index="by-date") | Access.query(index="by-city"), ("by-city", "by-date"), False, True),
        (Access.STREAM | Access.query(), (), True, True),
    ],
)
def test_an_access_knows_what_it_reaches(access: Access, indexes: tuple[str, ...], stream: bool, table: bool) -> None:
    assert access.indexes == indexes
    assert access.reads_stream is stream
    assert access.reaches_table is table


def test_the_actions_per_target_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        Access.READ.by_target[""] = ()  # type: ignore[index]


ACTION = 'the name of a DynamoDB action, such as "GetItem"'
PATTERN = "List the actions: a pattern would also allow actions that AWS adds later."
TRANSACTION = "Transactions are authorized by GetItem, PutItem, UpdateItem, DeleteItem and ConditionCheckItem."

PAIRS = 'pairs of a target and an action, such as ("", "GetItem")'
BY_NAME = "Actions by name: Access.on_table(…), Access.on_index(…), Access.on_stream(…)."

BAD_INPUT = {
    "a misspelt action": Refusal(lambda: Access.on_table("GetItems"), "an action", "GetItems", ACTION, '"GetItem"?'),
    "an action in another case": Refusal(
        lambda: Access.on_table("getItem"), "an action", "getItem", ACTION, 'Did you mean "GetItem"?'
    ),
    "an action of another service": Refusal(
        lambda: Access.on_table("s3:GetObject"), "an action", "s3:GetObject", ACTION
    ),
    "an unknown action": Refusal(lambda: Access.on_table("Xyz"), "an action", "Xyz", ACTION),
    "every action": Refusal(lambda: Access.on_table("*"), "an action", "*", ACTION, PATTERN),
    "every action of DynamoDB": Refusal(lambda: Access.on_table("dynamodb:*"), "an action", "*", ACTION, PATTERN),
    "a pattern of actions": Refusal(lambda: Access.on_table("Get*"), "an action", "Get*", ACTION, PATTERN),
    "a pattern of one character": Refusal(lambda: Access.on_table("Get?tem"), "an action", "Get?tem", ACTION, PATTERN),
    "a transaction": Refusal(
        lambda: Access.on_table("TransactWriteItems"), "an action", "TransactWriteItems", ACTION, TRANSACTION
    ),
    "an empty action": Refusal(lambda: Access.on_table(""), "an action", "", ACTION),
    "a number for an action": Refusal(lambda: Access.on_table(5), "an action", "5", ACTION),  # type: ignore[arg-type]
    "an action on the account": Refusal(
        lambda: Access.on_table("ListTables"), "an action on the table", "ListTables", "works on: the whole account"
    ),
    "a read of an index on a stream": Refusal(
        lambda: Access.on_stream("Query"), "an action on the stream", "Query", "Query works on: index, table"
    ),
    "a read of a stream on a table": Refusal(
        lambda: Access.on_table("GetRecords"), "an action on the table", "GetRecords", "GetRecords works on: stream"
    ),
    "a write on an index": Refusal(
        lambda: Access.on_index("PutItem"), "an action on the index", "PutItem", "PutItem works on: table"
    ),
    "one wrong action among right ones": Refusal(
        lambda: Access.on_index("Query", "GetItem", index="by-date"),
        "an action on the index",
        "GetItem",
        "works on: table",
    ),
    "no action on a table": Refusal(Access.on_table, "the access ''", (), "at least one action"),
    "no action on an index": Refusal(Access.on_index, "the access ''", (), "at least one action"),
    "no action on a stream": Refusal(Access.on_stream, "the access ''", (), "at least one action"),
    "no permission": Refusal(lambda: Access("mine", frozenset()), "the access 'mine'", (), "at least one action"),
    **{
        f"permissions that are {value!r}": Refusal(
            lambda value=value: Access("mine", value),  # type: ignore[misc]
            "the permissions of the access 'mine'",
            value,
            PAIRS,
            BY_NAME,
        )
        for value in (None, 5, "GetItem")
    },
    **{
        f"the permission {value!r}": Refusal(
            lambda value=value: Access("mine", [value]),  # type: ignore[misc, arg-type]
            "the permissions of the access 'mine'",
            value,
            PAIRS,
            BY_NAME,
        )
        for value in (
            "GetItem",
            "ab",
            None,
            (),
            ("GetItem",),
            ("", "GetItem", ""),
            ("", 5),
            (None, "GetItem"),
            ["", "GetItem"],
        )
    },
    "a number for a name": Refusal(
        lambda: Access(5, frozenset({("", "GetItem")})),  # type: ignore[arg-type]
        "the name of an Access",
        5,
        "a string",
    ),
    **{
        f"{value!r} joined to an access": Refusal(
            lambda value=value: Access.READ | value,  # type: ignore[misc]
            "what is joined to an Access with |",
            value,
            "another Access, such as Access.STREAM",
            BY_NAME if isinstance(value, str) else "",
        )
        for value in (None, "GetItem", 5, {("", "GetItem")}, Access)
    },
    "a prefixed action in a permission": Refusal(
        lambda: Access("mine", frozenset({("", "dynamodb:GetItem")})),
        "an action",
        "dynamodb:GetItem",
        ACTION,
        "GetItem",
    ),
    "a target that is none": Refusal(
        lambda: Access("mine", frozenset({("-archive", "Query")})),
        "the target of an Access",
        "-archive",
        "'/stream/*', '/index/*' or '/index/NAME'",
    ),
    "a pattern of indexes as a target": Refusal(
        lambda: Access("mine", frozenset({("/index/by-*", "Query")})), "the index of an Access", "by-*", "3 to 255"
    ),
    "an empty index": Refusal(lambda: Access.query(index=""), "the index of an Access", "", "3 to 255"),
    "a pattern for an index": Refusal(lambda: Access.query(index="*"), "the index of an Access", "*", "3 to 255"),
    "a path for an index": Refusal(
        lambda: Access.on_index("Query", index="/index/x"), "the index of an Access", "/index/x", "3 to 255"
    ),
}


@pytest.mark.parametrize("refusal", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_a_bad_access_is_refused(refusal: Refusal) -> None:
    assert_refused(refusal)
