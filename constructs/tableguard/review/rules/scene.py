"""The scene that rules ask about: tables, everybody who might want something of them, and in which circumstances."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from tableguard.aws.dynamodb import Action
from tableguard.evaluation import ContextValue, Document, Request
from tableguard.evaluation.conditions import scalar_text
from tableguard.evaluation.noon import noon
from tableguard.policy import Access, Principal, TableReference
from tableguard.policy.access import ALL_INDEXES, STREAM, TABLE
from tableguard.review.picture import Picture, Table
from tableguard.review.rules.circumstances import INTERNET, circumstances
from tableguard.review.rules.people import Names, TriedCaller, documents_of, everybody
from tableguard.review.rules.reach import RelevantStatements
from tableguard.review.rules.untried import Untried
from tableguard.review.rules.ways import Ways
from tableguard.review.samples import TIMES, Context, moment
from tableguard.review.sentences import Sentence, Shelf

_JUST_AFTER: Final = dt.timedelta(seconds=1)
_SOME_KEY: Final = "some-key"
# What a context says of the caller's organization, and of that of the resource's account.
_OWNER: Final = {"aws:PrincipalOrgID": "aws:resourceorgid", "aws:PrincipalOrgPaths": "aws:resourceorgpaths"}
_INDEX: Final = ALL_INDEXES.removesuffix("*")


class Scene:
    """A picture with everybody in it, on a day.

    Args:
        picture: The picture.
        today: The day.
    """

    def __init__(self, picture: Picture, today: dt.date) -> None:
        self.picture = picture
        self.now = noon(today)
        self.left_out = 0
        self.missing: list[str] = []
        self._shelf = Shelf()
        self.untried = Untried(self._shelf)
        self.reach = RelevantStatements(self._shelf)
        self._expected: set[str] = set()
        # The callers are kept, so that no other one gets the id of one that is gone.
        self._met: dict[tuple[str, int, int], TriedCaller] = {}
        self._equal: dict[tuple[tuple[str, tuple[str, ...]], ...], Context] = {}
        self.ways = Ways(picture, self._shelf)
        self._contexts: dict[tuple[str, str | None, bool, str], tuple[Context, ...]] = {}

    @cached_property
    def callers(self) -> tuple[TriedCaller, ...]:
        """Everybody of the picture, and outsiders."""
        return everybody(self.picture)

    @cached_property
    def _changes(self) -> tuple[dt.datetime, ...]:
        """The moments, in order, at which an Allow of the picture begins to apply, or a Deny ceases to."""
        documents = documents_of(self.picture)
        sentences = (sentence for document in documents for sentence in self._shelf.sentences(document))
        return tuple(sorted({opening for sentence in sentences for opening in _openings(sentence)}))

    def moments(self, first: dt.datetime) -> tuple[dt.datetime, ...]:
        """When to ask: at a moment, and after it whenever the policies' dates open something.

        Args:
            first: The moment.
        """
        return (first, *(opening for opening in self._changes if opening > first))

    def callers_of(self, table: Table) -> Iterator[TriedCaller]:
        """Everybody to ask about for a table.

        A role or user of another account that no policy of the table, its key, the organization or an endpoint names
        is as good as any other of its account, since each may have any identity policy: the outsider made up there
        stands for it.

        Args:
            table: The table.
        """
        shared = self._of_everybody(table)
        names = Names((*self._policies(table, stream=False), *self._policies(table, stream=True), *shared))
        for caller in self.callers:
            if not caller.named or caller.account == table.account or names.have(caller):
                yield caller

    def tables_of(self, wanted: Sequence[TableReference | str]) -> Iterator[Table]:
        """The tables of a rule. Those that the picture does not hold are noted in `missing`.

        Args:
            wanted: References, ARNs or names; every table if there are none.
        """
        if not wanted:
            yield from self.picture.tables
            if not self.picture.tables:
                self.missing.append("any table at all")
        for each in wanted:
            said = each.arn if isinstance(each, TableReference) else each
            found = [table for table in self.picture.tables if said in (table.arn, table.name)]
            yield from found
            if not found:
                self.missing.append(said)

    def caller(self, principal: Principal, table: Table) -> TriedCaller:
        """A principal as somebody who asks.

        Args:
            principal: The principal.
            table: What for.
        """
        arn = arn_of(principal, table.arn.split(":")[1])
        known = next((caller for caller in self.callers if caller.principal == arn), None)
        return known or TriedCaller(arn, principal.label, principal.home, {}, self.picture.identity_of(arn))

    @cached_property
    def _asks_for_owners(self) -> bool:
        """Whether a policy asks which organization a resource's account is in."""
        documents = documents_of(self.picture)
        tests = (test for document in documents for each in self._shelf.sentences(document) for test in each.tests)
        return any(test.low_key in _OWNER.values() for test in tests)

    def _owners(self, table: Table, caller: TriedCaller) -> tuple[Context, ...]:
        """What a request's context may say of the organization that the table's account is in.

        It is the caller's where that is of the same account; otherwise any in which its principals are tried.
        """
        if not self._asks_for_owners:
            return ({},)
        inside = (
            [caller] if caller.account == table.account else [c for c in self.callers if c.account == table.account]
        )
        found: dict[str, Context] = {}
        for each in inside:
            said = {low: _listed(each.facts[name]) for name, low in _OWNER.items() if name in each.facts}
            found.setdefault(repr(said), said)
        return tuple(found.values()) or ({},)

    def plain(self, table: Table, caller: TriedCaller, context: Mapping[str, ContextValue]) -> Context:
        """The circumstances of an ordinary request, and what the context adds.

        Args:
            table: The table.
            caller: Who asks.
            context: What is said of the request.
        """
        said = {
            key.lower(): tuple(map(scalar_text, value if isinstance(value, (list, tuple)) else [value]))
            for key, value in context.items()
        }
        usual = {"aws:securetransport": ("true",), "aws:viaawsservice": ("false",)}
        # Where the table's account may be in several organizations: in the caller's, if that is one of them.
        owners = self._owners(table, caller)
        org = _listed(caller.facts.get("aws:PrincipalOrgID", ""))
        owner = next((each for each in owners if each.get("aws:resourceorgid") == org), owners[0])
        return {"aws:requestedregion": (table.region,), **owner, **usual, **said}

    def ordinary(self, table: Table, action: Action) -> tuple[Context, ...]:
        """The context of a request from the internet, where no policy makes a difference.

        Args:
            table: The table.
            action: The action.
        """
        return ({**_always(table, action), **INTERNET},)

    def circumstances(self, table: Table, caller: TriedCaller, resource: str, action: Action) -> tuple[Context, ...]:
        """The contexts in which to ask, made from the policies that bear on the request.

        Args:
            table: The table.
            caller: Who asks.
            resource: What the request goes to.
            action: The action.
        """
        stream = f"{table.arn}/stream/" in resource
        key = (table.arn, caller.identity.arn if caller.identity else None, stream, action.name)
        if key not in self._contexts:
            contexts, left_out = circumstances(
                self._documents(table, caller, stream=stream), action.qualified, self._shelf
            )
            self.left_out += left_out
            always = _always(table, action)
            self._contexts[key] = tuple(self._one({**always, **context}) for context in contexts)
        owners = self._owners(table, caller)
        if owners == ({},):
            return self._contexts[key]
        return tuple(self._one({**owner, **context}) for owner in owners for context in self._contexts[key])

    def _one(self, context: Context) -> Context:
        """The same object for equal contexts."""
        return self._equal.setdefault(tuple(sorted(context.items())), context)

    def meet(self, table: Table, caller: TriedCaller, resource: str, action: Action) -> None:
        """Note whom a caller stands for among those whom the table's policy allows an action, and what it gets round.

        Args:
            table: The table.
            caller: Who asks.
            resource: What the request goes to.
            action: The action.
        """
        self.untried.expect(table, resource, action.qualified)
        stream = f"{table.arn}/stream/" in resource
        policy = table.stream_policy if stream else table.policy
        reached = self.untried.pending(table, resource, action.qualified) and self.reach.has(
            policy, caller, resource, action.qualified
        )
        if table.arn not in self._expected:
            self._expect(table)
        if not reached and not self.ways.pending(table):
            return
        for context in self.circumstances(table, caller, resource, action):
            # The ways around a protection are the same for all actions.
            fresh = (table.arn, id(caller), id(context)) not in self._met
            if not reached and not fresh:
                continue
            request = Request(
                principal=caller.principal,
                action=action.qualified,
                resource=resource,
                resource_account=table.account,
                context={**caller.facts, **context},
            )
            if reached:
                self.untried.meet(table, request.situation)
            if fresh:
                self._met[table.arn, id(caller), id(context)] = caller
                self.ways.meet(table, request.situation)

    def _expect(self, table: Table) -> None:
        """Note the ways around all that protects a table, before anybody is asked about."""
        self._expected.add(table.arn)
        identities = (caller.identity for caller in self.callers_of(table) if caller.identity is not None)
        self.ways.expect(table, [each for found in identities for each in (*found.documents, *found.boundary)])

    def _documents(self, table: Table, caller: TriedCaller, *, stream: bool) -> Iterator[Document]:
        yield from self._policies(table, stream=stream)
        if caller.identity is not None:
            yield from (*caller.identity.documents, *caller.identity.boundary)
        yield from self._of_everybody(table)

    def _of_everybody(self, table: Table) -> Iterator[Document]:
        """The policies that may bind anybody who asks for a table: the organization's, and those of endpoints."""
        yield from (policy.document for policy in self.picture.organization_policies)
        for endpoint in self.picture.endpoints:
            if endpoint.policy is not None and endpoint.region == table.region:
                yield endpoint.policy

    def _policies(self, table: Table, *, stream: bool) -> Iterator[Document]:
        key = self.picture.key(table.key_arn)
        for policy in (table.stream_policy if stream else table.policy, key.policy if key is not None else None):
            if policy is not None:
                yield policy


def _listed(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _always(table: Table, action: Action) -> Context:
    by_key = {"dynamodb:leadingkeys": (_SOME_KEY,)} if action.by_key else {}
    return {"aws:requestedregion": (table.region,), **by_key}


def _openings(sentence: Sentence) -> Iterator[dt.datetime]:
    after, at = ("Greater", "DateEquals") if sentence.allows else ("Less", "NotEquals")
    for test in sentence.tests:
        if test.low_key in TIMES and (after in test.base or at in test.base):
            step = _JUST_AFTER if after in test.base else dt.timedelta()
            yield from (found + step for value in test.values if (found := moment(value)) is not None)


def resources(table: Table, access: Access) -> Iterator[tuple[str, Action]]:
    """What an access comes to for a table: the resources that requests go to, with the action.

    An index that the table does not have, and a stream that it has not enabled, are tried all the same: a policy may
    be about one that comes later.

    Args:
        table: The table.
        access: The access.
    """
    for target, actions in access.by_target.items():
        for action in actions:
            for resource in _targets(table, target):
                yield resource, action


def _targets(table: Table, target: str) -> Sequence[str]:
    if target == TABLE:
        return (table.arn,)
    if target == STREAM:
        return (table.stream_arn,)
    if target == ALL_INDEXES:
        return tuple(f"{table.arn}{_INDEX}{name}" for name in table.indexes) or (f"{table.arn}{_INDEX}some-index",)
    return (f"{table.arn}{target}",)


def arn_of(principal: Principal, partition: str) -> str:
    """The ARN by which a principal makes requests.

    Args:
        principal: A role, user, session or federated user.
        partition: The partition.
    """
    return principal.trust(partition=partition, owner="", named=True).value
