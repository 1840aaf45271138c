"""What a rule means: which requests must be refused, and which must go through.

A rule knows nothing of how it is checked. It asks questions about everybody in a scene; `check` tries them one by one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from tableguard.aws.actions import Category, Effect
from tableguard.aws.dynamodb import ACTIONS, Action, Resource, actions_that
from tableguard.evaluation import ContextValue
from tableguard.policy import (
    Access,
    FederatedUser,
    FromNetwork,
    FromVpc,
    FromVpcEndpoint,
    InvalidInputError,
    Principal,
    RoleSession,
    names,
)
from tableguard.policy.access import ALL_INDEXES, STREAM, TABLE
from tableguard.review.picture import Table
from tableguard.review.rules.circumstances import is_forwarded
from tableguard.review.rules.people import ANONYMOUS, TriedCaller, compiled
from tableguard.review.rules.question import Question
from tableguard.review.rules.rule import Rule, listed_of
from tableguard.review.rules.scene import Scene, resources
from tableguard.review.rules.trial import TriedRule

_OF_ITEMS: Final = (Category.READ, Category.WRITE, Category.STREAM)
_TARGETS: Final = {Resource.TABLE: TABLE, Resource.INDEX: ALL_INDEXES, Resource.STREAM: STREAM}


def _everywhere(name: str, actions: Iterable[Action]) -> Access:
    """An access of these actions, each on every part of the table that it goes to."""
    return Access(
        name,
        frozenset((_TARGETS[on], action.name) for action in actions for on in action.resources if on in _TARGETS),
    )


ITEMS: Final = _everywhere(
    "the items",
    (
        action
        for action in actions_that(Effect.REVEALS_ITEMS)
        # The reports of contributor insights are read elsewhere, by whoever CloudWatch lets; the service's own reads
        # are no caller's.
        if action.category in _OF_ITEMS and not action.by_service
    ),
)
"""Everything whose answer can hold items: reads of the table and its indexes, its stream, and writes of single items.

A write returns the item that it replaced when asked to (ReturnValues), and the one that its condition did not fit
(ReturnValuesOnConditionCheckFailure), so that whoever may write an item can read it without changing it. No condition
key is documented to forbid the latter. A bulk put writes items that are there already to a bucket that its caller
names. Not among these: BatchWriteItem, which returns nothing of the table, and what copies a whole table (replicas,
exports, backups).
Source: DynamoDB API reference, "PutItem", "UpdateItem", "DeleteItem", "StartBulkPutItems"; `Access.READ_ITEMS` are the
reads alone.
"""

READ_WRITE: Final = Access(
    "the items and the stream",
    (Access.READ_WRITE | Access.STREAM).permissions
    | _everywhere(
        "items",
        (
            action
            for action in actions_that(Effect.REVEALS_ITEMS, Effect.CHANGES_ITEMS)
            if action.category in _OF_ITEMS and not action.by_service
        ),
    ).permissions,
)
"""What reads or writes items, under whichever name (PartiQL, vectors, bulk put), what reads the stream, and what looks
at table and stream."""

EVERY_ACCESS: Final = _everywhere(
    "anything",
    (action for action in ACTIONS.values() if action.maybe_across_accounts and not action.by_service),
)
"""Everything that a caller of another account can do with a table, its indexes and its stream, or may be able to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nobody(TriedRule):
    """A rule that wants requests refused."""

    except_: Sequence[Principal] = ()

    def __post_init__(self) -> None:
        # Not super(): a dataclass with slots is another class than the one that the call was compiled in.
        Rule.__post_init__(self)
        object.__setattr__(self, "except_", listed_of("except_", self.except_, (Principal,)))

    def _refused(
        self, scene: Scene, access: Access, *, moment: dt.datetime | None = None, own_account: bool = True
    ) -> Iterator[Question]:
        for table in scene.tables_of(self.tables):
            for caller in scene.callers_of(table):
                for resource, action in resources(table, access):
                    scene.meet(table, caller, resource, action)
                    if own_account or caller.account != table.account:
                        yield from self._asked(scene, table, caller, resource, action, moment=moment)

    def _asked(
        self,
        scene: Scene,
        table: Table,
        caller: TriedCaller,
        resource: str,
        action: Action,
        *,
        moment: dt.datetime | None,
    ) -> Iterator[Question]:
        # Where no statement could ever allow it, one request stands for all circumstances and all moments.
        silent = scene.reach.is_silent(table, caller, resource, action.qualified)
        first = moment or scene.now
        moments = (first,) if silent else scene.moments(first)
        contexts = scene.ordinary(table, action) if silent else scene.circumstances(table, caller, resource, action)
        for context in contexts:
            if not caller.is_in(self.except_, context):
                for each in moments:
                    yield Question(
                        table=table,
                        caller=caller,
                        resource=resource,
                        action=action,
                        context=context,
                        moment=each if each != scene.now else None,
                    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyAccounts(_Nobody):
    """Only principals of these accounts have access; by default, only they get to see items.

    The account that owns the table always counts as one of them: there, identity policies decide.

    PutItem, UpdateItem and DeleteItem count as reading as well, since they return items when asked to: an account that
    may write has to be listed. `access=Access.READ_ITEMS` is about reads alone.

    Args:
        accounts: Account ids.
        access: What only they may do; when left out, whatever can return items (streams and writes included).
        except_: Who else may, such as an `AwsService`.

    Raises:
        InvalidInputError: A malformed account id or a wrong type.
    """

    kind: ClassVar[str] = "only-accounts"

    accounts: Collection[str]
    access: Access = ITEMS

    def __post_init__(self) -> None:
        _Nobody.__post_init__(self)
        object.__setattr__(self, "accounts", listed_of("accounts", self.accounts, (str,)))
        for account in self.accounts:
            names.account_id("an account of an OnlyAccounts", account)
        _check_access(self.access)

    @property
    def description(self) -> str:
        accounts = ", ".join(("the table's own", *self.accounts))
        return f"Only these accounts have access to {self.access.name}: {accounts}" + _but(self.except_)

    def questions(self, scene: Scene) -> Iterator[Question]:
        for question in self._refused(scene, self.access, own_account=False):
            if question.caller.account not in self.accounts:
                yield question


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyFrom(_Nobody):
    """Nobody has access from outside these networks, whoever it is: administrators of the own account included.

    Args:
        places: `FromVpc`, `FromVpcEndpoint` or `FromNetwork`; a request is inside if one of them holds.
        access: What only requests from there may do; read and write items, and read the stream, when left out.
        except_: Who may from elsewhere, such as deployment roles and break-glass roles.
        through_services: Whether requests that AWS services make, themselves or on a caller's behalf
            (aws:ViaAWSService), may come from elsewhere, since they carry no VPC. True when left out: they are not
            tried then.

    Raises:
        InvalidInputError: No place, or a wrong type.
    """

    kind: ClassVar[str] = "only-from"

    places: Sequence[FromVpc | FromVpcEndpoint | FromNetwork]
    access: Access = READ_WRITE
    through_services: bool = True

    def __post_init__(self) -> None:
        _Nobody.__post_init__(self)
        object.__setattr__(self, "places", listed_of("places", self.places, (FromVpc, FromVpcEndpoint, FromNetwork)))
        if not self.places:
            raise InvalidInputError("the places of an OnlyFrom", value=(), allowed="at least one")
        _check_access(self.access)

    @property
    def description(self) -> str:
        places = ", or ".join(place.label for place in self.places)
        return f"Nobody has access ({self.access.name}) but {places}" + _but(self.except_)

    def questions(self, scene: Scene) -> Iterator[Question]:
        inside = {
            action: [compiled(place.clauses(action)) for place in self.places]
            for actions in self.access.by_target.values()
            for action in actions
        }
        for question in self._refused(scene, self.access):
            service = question.caller.account is None and question.caller.principal != ANONYMOUS
            if self.through_services and (service or is_forwarded(question.context)):
                continue
            places = inside[question.action]
            if not any(all(test.holds(question.context) is True for test in tests) for tests in places):
                yield question


@dataclass(frozen=True, slots=True, kw_only=True)
class EveryGrantEnds(_Nobody):
    """Nobody outside the table's account still has access some time from now: every grant has ended by then.

    A grant that begins later than that has not ended by then either.

    Args:
        within: How long a grant may last from the day of the check; 365 days when left out.
        access: What has to end; everything that works from another account when left out.
        except_: Whose access may go on, such as the roles of the organization itself.

    Raises:
        InvalidInputError: A time that is not positive, or a wrong type.
    """

    kind: ClassVar[str] = "every-grant-ends"

    within: dt.timedelta = dt.timedelta(days=365)
    access: Access = EVERY_ACCESS

    def __post_init__(self) -> None:
        _Nobody.__post_init__(self)
        if not isinstance(self.within, dt.timedelta) or self.within <= dt.timedelta():
            raise InvalidInputError(
                "the `within` of an EveryGrantEnds", value=self.within, allowed="a positive timedelta"
            )
        _check_access(self.access)

    @property
    def description(self) -> str:
        return f"Every grant to another account ends within {self.within.days} days" + _but(self.except_)

    def questions(self, scene: Scene) -> Iterator[Question]:
        later = scene.now + self.within + dt.timedelta(days=1)
        yield from self._refused(scene, self.access, moment=later, own_account=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NobodyCan(_Nobody):
    """Nobody can do this, the own account's administrators included, unless they are excepted.

    Args:
        access: What nobody can do.
        except_: Who may. `Account(owner)` leaves the table's own account out.

    Raises:
        InvalidInputError: A wrong type.
    """

    kind: ClassVar[str] = "nobody-can"

    access: Access

    def __post_init__(self) -> None:
        _Nobody.__post_init__(self)
        _check_access(self.access)

    @property
    def description(self) -> str:
        return f"Nobody can do this: {self.access.name}" + _but(self.except_)

    def questions(self, scene: Scene) -> Iterator[Question]:
        yield from self._refused(scene, self.access)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepsAccess(TriedRule):
    """These principals keep this access, with the policies that the templates give them.

    Args:
        principals: Roles and users of the assembly.
        access: What they must be able to do.
        context: The circumstances of their requests, as condition keys: {"aws:SourceVpce": "vpce-…"}. Only TLS, the
            table's region and the day when left out.

    Raises:
        InvalidInputError: No principal, or one that has no policies of its own.
    """

    kind: ClassVar[str] = "keeps-access"

    principals: Sequence[Principal]
    access: Access
    context: Mapping[str, ContextValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        object.__setattr__(self, "principals", listed_of("principals", self.principals, (Principal,)))
        for principal in self.principals:
            if not hasattr(principal, "arn") and not isinstance(principal, RoleSession | FederatedUser):
                raise InvalidInputError(
                    "a principal of a KeepsAccess", value=principal.label, allowed="a Role, a User or a session"
                )
        if not self.principals:
            raise InvalidInputError("the principals of a KeepsAccess", value=(), allowed="at least one")
        _check_access(self.access)

    @property
    def description(self) -> str:
        who = ", ".join(principal.label for principal in self.principals)
        return f"Access ({self.access.name}) is kept by {who}"

    def questions(self, scene: Scene) -> Iterator[Question]:
        for table in scene.tables_of(self.tables):
            for principal in self.principals:
                caller = scene.caller(principal, table)
                for resource, action in resources(table, self.access):
                    yield Question(
                        table=table,
                        caller=caller,
                        resource=resource,
                        action=action,
                        context=scene.plain(table, caller, self.context),
                        allowed=True,
                    )


def _but(principals: Iterable[Principal]) -> str:
    labels = ", ".join(principal.label for principal in principals)
    return f", except {labels}" if labels else ""


def _check_access(access: object) -> None:
    if not isinstance(access, Access):
        raise InvalidInputError("the access of a rule", value=access, allowed="an Access, such as Access.READ")
