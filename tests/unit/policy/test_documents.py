"""Documents: merged without changing any decision, in an order that nothing but their content decides."""

from __future__ import annotations

import bisect
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import event, given, settings, strategies as st

from tableguard.evaluation import ContextValue, Document, Outcome, Policies, Request, evaluate
from tableguard.policy import (
    Access,
    Account,
    AllowStatement,
    Attributes,
    Clause,
    Condition,
    FromNetwork,
    InOrganization,
    InvalidInputError,
    LeadingKeys,
    Organization,
    PermissionSet,
    Principal,
    Role,
    TableGrant,
    User,
    document,
    merged,
    minified,
)
from tests.unit.policy.support import (
    EVERYTHING,
    NOON,
    ORDERS,
    PARTNER,
    STRANGER,
    TOKEN,
    Refusal,
    assert_refused,
)

OWN = "444455556666"
ARN = "aws:PrincipalArn"
INDEX = f"{ORDERS.arn}/index/by-date"


def one(
    *principals: str,
    actions: Sequence[str] = ("dynamodb:GetItem",),
    resources: Sequence[str] = (ORDERS.arn,),
    clauses: Sequence[Clause] = (),
    kind: str | None = "AWS",
) -> AllowStatement:
    return AllowStatement(tuple(actions), tuple(resources), kind, principals, tuple(clauses))


def pinned(*names: str, operator: str = "ArnEquals", account: str = PARTNER, **options: Any) -> AllowStatement:
    pins = tuple(f"arn:aws:iam::{account}:role/{name}" for name in names)
    return one(account, clauses=(Clause(operator, ARN, pins), *options.pop("clauses", ())), **options)


# --- What merges, by example.

MERGES: dict[str, tuple[list[AllowStatement], int]] = {
    "equal statements": ([one(PARTNER), one(PARTNER)], 1),
    "principals of equal statements": ([one(PARTNER), one(STRANGER)], 1),
    "actions of equal statements": ([one(PARTNER), one(PARTNER, actions=["dynamodb:Query"])], 1),
    "accounts together with their roles": ([pinned("a"), pinned("b"), pinned("c", account=STRANGER)], 1),
    "patterns of one account": ([pinned("a-*", operator="ArnLike"), pinned("b-*", operator="ArnLike")], 1),
    "lists in another order": (
        [one(PARTNER, actions=["a:B", "a:C"]), one(STRANGER, actions=["a:C", "a:B"])],
        1,
    ),
    "conditions in another order": (
        [
            one(PARTNER, clauses=[Clause("StringEquals", "a:b", ("1", "2")), Clause("StringLike", "a:c", ("3",))]),
            one(STRANGER, clauses=[Clause("StringLike", "a:c", ("3",)), Clause("StringEquals", "a:b", ("2", "1"))]),
        ],
        1,
    ),
    "principals of what becomes alike by a merge": (
        [one(PARTNER, actions=["a:B"]), one(PARTNER, actions=["a:C"]), one(STRANGER, actions=["a:B", "a:C"])],
        1,
    ),
    "actions of what becomes alike by a merge": (
        [one(PARTNER), one(STRANGER), one(PARTNER, STRANGER, actions=["dynamodb:Query"])],
        1,
    ),
    "identity statements": (
        [one(kind=None, actions=["a:B"]), one(kind=None, actions=["a:C"]), one(kind=None, actions=["a:B"])],
        1,
    ),
    "not other resources": ([one(PARTNER), one(PARTNER, resources=[INDEX])], 2),
    "not other conditions": ([one(PARTNER), one(PARTNER, clauses=[Clause("StringEquals", "a:b", ("1",))])], 2),
    "not a crossed pair of principals and actions": ([one(PARTNER), one(STRANGER, actions=["dynamodb:Query"])], 2),
    "not principals of different kinds": ([one(PARTNER), one("glue.amazonaws.com", kind="Service")], 2),
    "not a role with its whole account": ([pinned("a"), one(PARTNER)], 2),
    "not different operators on the ARN": ([pinned("a"), pinned("b-*", operator="ArnLike")], 2),
    "not negations of the ARN": ([pinned("a", operator="ArnNotEquals"), pinned("b", operator="ArnNotEquals")], 2),
    "not roles under different conditions": (
        [pinned("a", clauses=[Clause("StringEquals", "a:b", ("1",))]), pinned("b")],
        2,
    ),
    "not a pattern over accounts": (
        [
            one(PARTNER, clauses=[Clause("ArnLike", ARN, ("arn:aws:iam::*:role/x",))]),
            pinned("y", operator="ArnLike", account=STRANGER),
        ],
        2,
    ),
    "not everybody with one account": (
        [one("*", clauses=[Clause("ArnLike", ARN, ("arn:aws:iam::*:role/x",))]), pinned("y", operator="ArnLike")],
        2,
    ),
    "not an account without its ARN": (
        [
            one(PARTNER, STRANGER, clauses=[Clause("ArnEquals", ARN, (f"arn:aws:iam::{PARTNER}:role/a",))]),
            pinned("b", account=STRANGER),
        ],
        2,
    ),
    "not an ARN without its account": (
        [
            one(PARTNER, clauses=[Clause("ArnEquals", ARN, (f"arn:aws:iam::{STRANGER}:role/a",))]),
            pinned("b", account=STRANGER),
        ],
        2,
    ),
    "not two conditions on the ARN": (
        [pinned("a", clauses=[Clause("ArnLike", ARN, ("*",))]), pinned("b", clauses=[Clause("ArnLike", ARN, ("*",))])],
        2,
    ),
    "not what is no ARN": (
        [one(PARTNER, clauses=[Clause("ArnLike", ARN, ("*",))]), pinned("a", operator="ArnLike")],
        2,
    ),
    "not unresolved ARNs": ([pinned(TOKEN), pinned("a")], 2),
}


@pytest.mark.parametrize(("statements", "count"), MERGES.values(), ids=MERGES.keys())
def test_statements_merge_where_no_decision_can_change(statements: list[AllowStatement], count: int) -> None:
    assert len(merged(statements)) == count


def test_a_merged_statement_names_every_account_with_its_roles() -> None:
    (statement,) = document([pinned("b"), pinned("a"), pinned("c", account=STRANGER)])["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"AWS": [PARTNER, STRANGER]},
        "Action": "dynamodb:GetItem",
        "Resource": ORDERS.arn,
        "Condition": {
            "ArnEquals": {
                ARN: [
                    f"arn:aws:iam::{PARTNER}:role/a",
                    f"arn:aws:iam::{PARTNER}:role/b",
                    f"arn:aws:iam::{STRANGER}:role/c",
                ]
            }
        },
    }


@pytest.mark.parametrize(
    ("statement", "principal"),
    [
        (one("*"), "*"),
        (one("*", PARTNER), {"AWS": ["*", PARTNER]}),
        (one(STRANGER, PARTNER), {"AWS": [PARTNER, STRANGER]}),
        (one("glue.amazonaws.com", kind="Service"), {"Service": "glue.amazonaws.com"}),
    ],
)
def test_a_principal_is_written_as_short_as_iam_reads_it(statement: AllowStatement, principal: object) -> None:
    assert statement.to_json()["Principal"] == principal


def test_an_identity_statement_has_no_principal() -> None:
    assert one(kind=None).to_json() == {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": ORDERS.arn}


def test_minified_text_has_no_white_space_and_keeps_every_character() -> None:
    assert minified({"a": ["é", 1], "b": {}}) == '{"a":["é",1],"b":{}}'


@pytest.mark.parametrize(
    "clauses",
    [
        (Clause("StringEquals", "aws:SourceVpc", ("vpc-1",)), Clause("StringEquals", "aws:SourceVpc", ("vpc-2",))),
        (Clause("StringEquals", "aws:SourceVpc", ("vpc-1",)), Clause("StringEquals", "aws:sourcevpc", ("vpc-1",))),
    ],
)
def test_a_clause_never_replaces_another(clauses: tuple[Clause, ...]) -> None:
    with pytest.raises(InvalidInputError, match=r"StringEquals on aws:(SourceVpc|sourcevpc) twice.*one clause for"):
        one(PARTNER, clauses=clauses).to_json()


def test_a_document_without_statements_is_refused() -> None:
    assert_refused(Refusal(lambda: document([]), "the statements of a policy document", (), "at least one statement"))


# --- Any statements, any requests.

ACTIONS = ("dynamodb:GetItem", "dynamodb:Query")
RESOURCES = (ORDERS.arn, INDEX, f"{ORDERS.arn}/index/*", "*")
ACCOUNTS = (PARTNER, STRANGER, OWN)
ROLES = tuple(f"arn:aws:iam::{account}:role/{name}" for account in ACCOUNTS for name in ("a", "b"))
PATTERNS = (
    *ROLES,
    *(f"arn:aws:iam::{account}:role/*" for account in ACCOUNTS),
    "arn:aws:iam::*:role/a",
    f"arn:aws:iam::{PARTNER}:role/?",
    f"arn:aws:*:*:{STRANGER}:*",
    "*",
)
CONTEXTS: tuple[Mapping[str, ContextValue], ...] = (
    {},
    {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
    {"aws:SourceIp": "192.0.2.7", "aws:SourceAccount": PARTNER},
    {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:SourceIp": "198.51.100.7"},
)
CALLERS = (
    *ROLES,
    *(f"arn:aws:iam::{account}:root" for account in ACCOUNTS),
    f"arn:aws:iam::{PARTNER}:role/c",
    f"arn:aws:iam::{PARTNER}:user/a",
    f"arn:aws:sts::{PARTNER}:assumed-role/a/nightly",
    "glue.amazonaws.com",
    "arn:aws:iam::111122223333:role/a",
)


OPERATORS = st.sampled_from(("ArnEquals", "ArnEquals", "ArnLike"))


def some(values: Sequence[str], most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True).map(tuple)


def pins() -> st.SearchStrategy[Clause]:
    operators = ("ArnEquals", "ArnEquals", "ArnLike", "StringLike", "ArnNotEquals")
    return st.builds(
        Clause, st.sampled_from(operators), st.sampled_from((ARN, ARN, "aws:principalarn")), some(PATTERNS)
    )


OTHER_CLAUSES = (
    Clause("StringEquals", "aws:PrincipalOrgID", ("o-a1b2c3d4e5",)),
    Clause("StringNotEquals", "aws:PrincipalAccount", (OWN,)),
    Clause("IpAddress", "aws:SourceIp", ("192.0.2.0/24",)),
    Clause("StringEquals", "aws:SourceAccount", (PARTNER,)),
)


def clauses(pin: st.SearchStrategy[Clause]) -> st.SearchStrategy[tuple[Clause, ...]]:
    either = st.one_of(pin, pin, st.sampled_from(OTHER_CLAUSES))
    unique = st.lists(either, max_size=2, unique_by=lambda clause: (clause.operator, clause.key.lower()))
    return unique.map(tuple)


def role_statements(
    actions: st.SearchStrategy[tuple[str, ...]], resources: st.SearchStrategy[str]
) -> st.SearchStrategy[AllowStatement]:
    """Accounts narrowed to some of their roles: what grants render, what merges most, and what comes close to it."""

    def build(
        arns: tuple[str, ...], others: tuple[str, ...], actions: tuple[str, ...], resource: str, operator: str
    ) -> AllowStatement:
        accounts = others or tuple(dict.fromkeys(arn.split(":")[4] if ":" in arn else "*" for arn in arns))
        return one(*accounts, actions=actions, resources=[resource], clauses=[Clause(operator, ARN, arns)])

    return st.builds(
        build,
        st.one_of(some((*ROLES, "arn:aws:iam::*:role/a")), some(PATTERNS)),
        st.one_of(st.just(()), some((*ACCOUNTS, "*"))),
        actions,
        resources,
        OPERATORS,
    )


def any_statements() -> st.SearchStrategy[AllowStatement]:
    principals = (*ACCOUNTS, "*", *ROLES[:3], f"arn:aws:sts::{PARTNER}:assumed-role/a/nightly")
    return st.one_of(
        st.builds(AllowStatement, some(ACTIONS), some(RESOURCES, 1), st.just("AWS"), some(principals), clauses(pins())),
        st.builds(
            AllowStatement,
            some(ACTIONS),
            some(RESOURCES, 1),
            st.just("Service"),
            some(("glue.amazonaws.com", "redshift.amazonaws.com")),
            clauses(pins()),
        ),
    )


ROLE_STATEMENTS = role_statements(some(ACTIONS), st.sampled_from(RESOURCES[:2]))
RESOURCE_STATEMENTS = st.lists(st.one_of(ROLE_STATEMENTS, ROLE_STATEMENTS, any_statements()), min_size=2, max_size=8)
REQUESTS = st.tuples(st.sampled_from(ACTIONS), st.sampled_from(RESOURCES[:2]), st.sampled_from(CONTEXTS))


def asked(caller: str, action: str, resource: str, context: Mapping[str, ContextValue]) -> Request:
    return Request(principal=caller, action=action, resource=resource, context=context, time=NOON)


NOTHING: Mapping[str, object] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}


def unmerged(statements: Iterable[AllowStatement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement.to_json() for statement in statements]}


OWN_POLICIES: tuple[tuple[Sequence[Document], Sequence[Document]], ...] = (
    ((), ()),
    ((Document(EVERYTHING),), ()),
    ((Document(EVERYTHING),), (Document(NOTHING),)),
)


def policies_with(policy: Mapping[str, object]) -> list[Policies]:
    """A resource's policy and every kind of policy of the caller's own, since these tell a grant from a delegation."""
    compiled = Document(policy)
    return [Policies(resource=compiled, identity=identity, boundary=boundary) for identity, boundary in OWN_POLICIES]


def decisions(request: Request, with_policies: Iterable[Policies]) -> list[Outcome]:
    return [evaluate(request, policies).outcome for policies in with_policies]


def test_merging_never_changes_a_decision() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=300)
    @given(RESOURCE_STATEMENTS, st.lists(REQUESTS, min_size=1, max_size=2))
    def check(statements: list[AllowStatement], requests: list[Any]) -> None:
        fewer = merged(statements)
        event("merged" if len(fewer) < len(statements) else "nothing to merge")
        seen["all"] += 1
        seen["merged"] += len(fewer) < len(statements)
        before, after = unmerged(statements), document(statements)
        assert after == unmerged(fewer)
        old, new = policies_with(before), policies_with(after)
        for caller, (action, resource, context) in itertools.product(CALLERS, requests):
            request = asked(caller, action, resource, context)
            decided = decisions(request, old)
            assert decisions(request, new) == decided
            seen["allowed"] += Outcome.ALLOWED in decided
            seen["requests"] += 1

    check()
    assert seen["merged"] > seen["all"] / 3
    assert seen["requests"] / 20 < seen["allowed"] < seen["requests"] * 19 / 20


def test_no_two_statements_on_accounts_and_their_roles_give_more_when_they_merge() -> None:
    """Every pair of a small world: accounts with roles of theirs, without them, with others', and everybody."""

    def subsets(values: Sequence[str]) -> list[tuple[str, ...]]:
        return [subset for size in (1, 2) for subset in itertools.combinations(values, size)]

    roles = [f"arn:aws:iam::{account}:role/{name}" for account in (PARTNER, OWN) for name in ("a", "b")]
    patterns = [*roles, f"arn:aws:iam::{PARTNER}:role/*", "arn:aws:iam::*:role/a", "*"]
    statements = [
        one(*accounts, clauses=[Clause("ArnLike", ARN, arns)])
        for accounts in subsets((PARTNER, OWN, "*"))
        for arns in subsets(patterns)
    ]
    callers = (*roles, f"arn:aws:iam::{PARTNER}:root", f"arn:aws:iam::{OWN}:root", f"arn:aws:iam::{PARTNER}:role/c")
    requests = [asked(caller, "dynamodb:GetItem", ORDERS.arn, {}) for caller in callers]
    count: Counter[bool] = Counter()
    for pair in itertools.combinations(statements, 2):
        merges = len(merged(pair)) == 1
        count[merges] += 1
        if not merges:
            continue
        before, after = policies_with(unmerged(pair)), policies_with(document(pair))
        for request in requests:
            assert decisions(request, after) == decisions(request, before), pair
    assert count[True] > 300
    assert count[False] > 3_000


def without(statement: Mapping[str, Any], *elements: str) -> str:
    return json.dumps({key: value for key, value in statement.items() if key not in elements}, sort_keys=True)


def narrows_its_own_accounts(statement: AllowStatement) -> bool:
    """Whether its accounts are exactly those of the ARNs that narrow it: such statements merge among themselves."""
    arns = [arn for clause in statement.clauses if clause.key == ARN for arn in clause.values]
    return {arn.split(":")[4] for arn in arns if arn != "*"} == set(statement.principals)


@given(RESOURCE_STATEMENTS)
def test_merging_reaches_a_fixpoint(statements: list[AllowStatement]) -> None:
    fewer = merged(statements)
    assert merged(fewer) == fewer
    for pair in itertools.combinations(fewer, 2):
        left, right = (statement.to_json() for statement in pair)
        assert without(left, "Action") != without(right, "Action")
        if len({(statement.kind, narrows_its_own_accounts(statement)) for statement in pair}) == 1:
            assert without(left, "Principal") != without(right, "Principal")


@given(RESOURCE_STATEMENTS, st.randoms(use_true_random=True))
def test_the_order_of_statements_and_of_their_lists_is_irrelevant(
    statements: list[AllowStatement], random: Any
) -> None:
    def shuffled(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(random.sample(values, len(values)))

    others = [
        AllowStatement(
            shuffled(statement.actions),
            shuffled(statement.resources),
            statement.kind,
            shuffled(statement.principals),
            shuffled([Clause(c.operator, c.key, shuffled(c.values)) for c in statement.clauses]),
        )
        for statement in shuffled(statements)
    ]
    assert minified(document(others)) == minified(document(statements))


def token(number: int) -> str:
    return f"${{Token[TOKEN.{number}]}}"


@given(st.permutations(range(90, 110)))
def test_statements_with_tokens_keep_the_order_of_their_declaration_behind_all_literals(numbers: list[int]) -> None:
    statements = [one(PARTNER, resources=[token(number)], actions=[f"a:B{number}"]) for number in numbers]
    literal = [one(PARTNER, resources=["z"]), one(PARTNER, resources=["y"])]
    rendered = document([*statements, *literal])["Statement"]
    assert [statement["Resource"] for statement in rendered] == ["y", "z", *map(token, numbers)]


@given(st.permutations(range(90, 110)))
def test_a_tokens_number_never_changes_a_document_but_for_the_number_itself(numbers: list[int]) -> None:
    def rendered(name: Callable[[int], str]) -> str:
        principals = [one(name(position), "111122223333") for position in range(10)]
        resources = [one(PARTNER, resources=[name(position)]) for position in range(10, 20)]
        return minified(document([*principals, *resources]))

    plain = rendered(token)
    for position, number in enumerate(numbers):
        plain = plain.replace(f"TOKEN.{position}]", f"NUMBER.{number}]")
    assert rendered(lambda position: token(numbers[position])).replace("TOKEN", "NUMBER") == plain


# --- Any grants.

PRINCIPALS: tuple[Principal, ...] = (
    *(Role(account=account, name=name) for account in (PARTNER, STRANGER, OWN) for name in ("a", "b")),
    User(account=PARTNER, name="a"),
    PermissionSet(account=PARTNER, name="Data"),
    Account(STRANGER),
    Organization("o-a1b2c3d4e5"),
)
NARROWINGS: tuple[tuple[Condition, ...], ...] = (
    (),
    (),
    (FromNetwork("192.0.2.0/24"),),
    (InOrganization("o-a1b2c3d4e5"),),
    (LeadingKeys("a-*"), Attributes("id")),
)
GRANTS = st.lists(
    st.builds(
        lambda principal, access, conditions: TableGrant(principal, access, reason="a test", conditions=conditions),
        st.sampled_from(PRINCIPALS),
        st.sampled_from((Access.query(), Access.query(index="by-date"), Access.on_table("GetItem", "Query"))),
        st.sampled_from(NARROWINGS),
    ),
    min_size=1,
    max_size=8,
)


@given(GRANTS, st.randoms(use_true_random=True))
def test_the_order_of_grants_is_irrelevant(grants: list[TableGrant], random: Any) -> None:
    other = random.sample(grants, len(grants))
    renderings: tuple[Callable[[TableGrant], tuple[AllowStatement, ...]], ...] = (
        lambda grant: grant.table_statements(ORDERS),
        lambda grant: grant.key_statements(ORDERS),
        lambda grant: grant.identity_statements(ORDERS),
    )
    for render in renderings:
        first, second = ([s for grant in each for s in render(grant)] for each in (grants, other))
        if first:
            assert minified(document(first)) == minified(document(second))


# --- Bytes.


def principal_bytes(policy: Mapping[str, Any]) -> int:
    """The bytes of principals: accounts, and the ARNs that narrow them, quoted and with what separates them."""
    lists = [
        values
        for statement in policy["Statement"]
        for values in (statement["Principal"]["AWS"], statement["Condition"]["ArnEquals"][ARN])
        if isinstance(values, list)
    ]
    return sum(len(minified(values)) - len("[]") for values in lists)


@pytest.mark.parametrize(
    "access",
    [Access.READ, Access.WRITE, Access.READ_WRITE, Access.SETTINGS, Access.query(index="by-date")],
    ids=lambda access: access.name,
)
@pytest.mark.parametrize("accounts", [1, 3, 1_000])
def test_a_full_table_policy_spends_its_bytes_on_principals(access: Access, accounts: int) -> None:
    roles = [Role(account=f"{100000000000 + n % accounts}", name=f"consumer-{n}") for n in range(400)]
    grants = [TableGrant(consumer, access, reason="a test") for consumer in roles]

    def policy_of(count: int) -> dict[str, Any]:
        return document(s for grant in grants[:count] for s in grant.table_statements(ORDERS))

    enough = bisect.bisect_left(range(1, 400), 18 * 1024, key=lambda count: len(minified(policy_of(count)))) + 1
    policy = policy_of(enough)
    size = len(minified(policy).encode())
    assert 18 * 1024 <= size <= 20 * 1024
    assert principal_bytes(policy) / size >= 0.95


def test_a_full_stream_policy_and_key_policy_spend_their_bytes_on_principals() -> None:
    roles = [Role(account=f"{100000000000 + n}", name=f"consumer-{n}") for n in range(330)]
    grants = [TableGrant(consumer, Access.STREAM, reason="a test") for consumer in roles]
    for policy in (
        document(s for grant in grants for s in grant.stream_statements(ORDERS)),
        document(s for grant in grants for s in grant.key_statements(ORDERS)),
    ):
        size = len(minified(policy).encode())
        assert size >= 18 * 1024
        assert principal_bytes(policy) / size >= 0.95
