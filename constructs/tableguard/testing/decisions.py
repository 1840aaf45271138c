"""Assertions on decisions: whether the synthesized policies allow or deny a request.

If the templates show only one side of a grant, `assert_denied` assumes that the other side allows everything, so that
nobody can undo the asserted denial there. `assert_allowed` fails until you pass the policies of the other side.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from tableguard.aws.dynamodb import ACTIONS, SERVICE
from tableguard.evaluation import ContextValue, Document, DocumentLocation, Request
from tableguard.evaluation.noon import noon
from tableguard.policy import InvalidInputError, Principal, TableReference
from tableguard.review.decide import ANY_IDENTITY, Verdict, decide
from tableguard.review.explain import explain
from tableguard.review.explained import explained
from tableguard.review.identities import may_matter
from tableguard.review.picture import Picture, Table
from tableguard.review.question import usual
from tableguard.review.rules.wording import circumstances_in_words
from tableguard.review.sentences import Shelf
from tableguard.testing.whereabouts import Whereabouts, whereabouts

if TYPE_CHECKING:
    import aws_cdk as cdk
    from aws_cdk import assertions, aws_iam as iam

    Where: TypeAlias = cdk.Stack | cdk.Stage | assertions.Template | Path | str | Picture
    AnyPrincipal: TypeAlias = Principal | iam.IGrantable | str
    AnyTable: TypeAlias = TableReference | str | Any

Documents: TypeAlias = Literal["any"] | Iterable[Mapping[str, object]]

_ANY: Final = "any"
_WIDTH: Final = 100
_ACTIONS: Final = {action.name.lower(): action.qualified for action in ACTIONS.values()}
# API operations that are not IAM actions.
_INSTEAD: Final = {
    "transactgetitems": "It is authorized as 'dynamodb:GetItem' on each table: ask about that.",
    "transactwriteitems": "It is authorized as what it does to each item: ask about 'dynamodb:PutItem',"
    " 'dynamodb:UpdateItem', 'dynamodb:DeleteItem' and 'dynamodb:ConditionCheckItem'.",
    "executestatement": "It is authorized as 'dynamodb:PartiQLSelect', 'dynamodb:PartiQLInsert',"
    " 'dynamodb:PartiQLUpdate' or 'dynamodb:PartiQLDelete': ask about those.",
}
_INSTEAD.update(dict.fromkeys(("batchexecutestatement", "executetransaction"), _INSTEAD["executestatement"]))
_ANY_TABLE_POLICY: Final = "assumed: the table's own policy allows everything to the caller"


def assert_allowed(
    where: Where,
    *,
    principal: AnyPrincipal,
    action: str,
    resource: AnyTable,
    context: Mapping[str, ContextValue] | None = None,
    today: dt.date | dt.datetime | None = None,
    identity: Documents | None = None,
    table_policy: Literal["any"] | Mapping[str, object] | None = None,
) -> None:
    """Assert that a request is allowed, including the use of the table's key.

    Args:
        where: What was synthesized: a stack (which stands for its app or stage), an app, a stage, a `Template`, the
            folder of a cloud assembly, or a `Picture`. An app is synthesized once: do not change it afterwards. A
            `Template` is assumed to be of the resource's account and region or, if the resource is not in it, of the
            principal's account.
        principal: The caller: an ARN, the host name of a service, a principal such as `Role(…)`, or an IAM role or user
            of the CDK.
        action: The action, such as "dynamodb:GetItem".
        resource: An ARN, a `TableReference`, a table (of this library, or an L1 or L2 of the CDK), or a key of the CDK
            for a KMS action. For actions on streams, a table stands for its stream.
        context: Condition keys of the request with their values; None as a value removes a key. The defaults are: TLS,
            a call by the caller itself (aws:ViaAWSService is false), the region of the resource, the tags that the
            template gives the role or user, and, unless you pass a network key, the internet (aws:SourceIp is
            203.0.113.113; a request through a VPC endpoint has no such key).
        today: The date of the request (at noon in UTC), or its moment as a datetime; today when left out.
        identity: The principal's identity policies, if no template has them: documents, or "any" to test the table's
            side alone. When left out, the assertion fails for a principal that is in no template.
        table_policy: The policy of the table, stream or key, if no template has it: a document, or "any" to test the
            caller's side alone. When left out, the assertion fails for a resource that is in no template.

    Raises:
        AssertionError: The request is denied, or the decision is not known. The message explains it.
        InvalidInputError: An argument is malformed, such as an action that DynamoDB does not have.
    """
    __tracebackhide__ = True
    case = _case(where, principal, action, resource, context=context, today=today)
    verdict = case.decided(identity, table_policy)
    if not verdict.allowed:
        raise AssertionError(_failure(case, verdict, "to be allowed", case.hints(identity, table_policy)))
    missing = case.missing(identity, table_policy)
    if missing:
        raise AssertionError(_failure(case, verdict, "to be allowed", missing))


def assert_denied(
    where: Where,
    *,
    principal: AnyPrincipal,
    action: str,
    resource: AnyTable,
    context: Mapping[str, ContextValue] | None = None,
    today: dt.date | dt.datetime | None = None,
    identity: Documents | None = None,
    table_policy: Literal["any"] | Mapping[str, object] | None = None,
) -> None:
    """Assert that a request is denied, even if policies that no template shows allow it.

    Args:
        where: As in `assert_allowed`.
        principal: As in `assert_allowed`.
        action: As in `assert_allowed`.
        resource: As in `assert_allowed`.
        context: As in `assert_allowed`.
        today: As in `assert_allowed`.
        identity: The principal's identity policies, if the templates do not have all of them; assumed to allow
            everything ("any") when left out.
        table_policy: The policy of the table, stream or key, if no template has it; assumed to allow everything ("any")
            when left out.

    Raises:
        AssertionError: The request is allowed, policies that no template has could allow it, or only a statement that
            is not understood denies it. The message explains it.
        InvalidInputError: An argument is malformed, such as an action that DynamoDB does not have.
    """
    __tracebackhide__ = True
    case = _case(where, principal, action, resource, context=context, today=today)
    verdict = case.decided(_ANY if identity is None else identity, _ANY if table_policy is None else table_policy)
    if verdict.allowed:
        raise AssertionError(_failure(case, verdict, "to be denied", case.hints(identity, table_policy)))
    if not verdict.understood:
        said = ("This is not known: the denial rests on a statement that cannot be understood.",)
        raise AssertionError(_failure(case, verdict, "to be denied", said))


@dataclass(frozen=True, slots=True)
class _Case:
    """A request, and the `Picture` that it is decided in."""

    picture: Picture
    request: Request
    left_out: tuple[str, ...] = ()

    @property
    def _identity_known(self) -> bool:
        caller = self.request.situation.caller
        without = caller.account is None or caller.text.endswith(":root")
        return without or self.picture.identity_of(self.request.principal) is not None

    @property
    def _unread(self) -> tuple[str, ...]:
        behind = self.picture.identity_of(self.request.principal)
        return tuple(filter(may_matter, behind.unread)) if behind is not None else ()

    @property
    def _table_known(self) -> bool:
        resource = self.request.resource
        return self.picture.table_of(resource) is not None or self.picture.key(resource) is not None

    def decided(
        self, identity: Documents | None, table_policy: Literal["any"] | Mapping[str, object] | None
    ) -> Verdict:
        """Decide the request, with the given policies where the templates have none."""
        picture = self.picture
        assumed = _documents(identity)
        if self._unread and assumed:
            identities = (
                replace(each, documents=(*each.documents, *assumed))
                if each is picture.identity_of(self.request.principal)
                else each
                for each in picture.identities
            )
            picture = replace(picture, identities=tuple(identities))
        if not self._table_known and table_policy is not None:
            picture = replace(picture, tables=(*picture.tables, _assumed_table(self.request, table_policy)))
        return decide(picture, self.request, outsider=assumed)

    def missing(
        self, identity: Documents | None, table_policy: Literal["any"] | Mapping[str, object] | None
    ) -> tuple[str, ...]:
        """What is neither in a template nor given, so that the decision is not known."""
        said = []
        if not self._identity_known and identity is None:
            said.append(
                f"The identity policies of {self.request.principal} stand in no template: say what they are with "
                'identity=[…], or identity="any" to ask about the table\'s side alone.'
            )
        if not self._table_known and table_policy is None:
            said.append(
                f"{self.request.resource} is in no template: say its policy with table_policy={{…}}, or "
                'table_policy="any" to ask about the caller\'s side alone.'
            )
        if said and self.left_out:
            stacks = ", ".join(self.left_out)
            said.append(f"Left out, since they do not say their account and region: {stacks}. Give them an env.")
        return tuple(said)

    def hints(
        self, identity: Documents | None, table_policy: Literal["any"] | Mapping[str, object] | None
    ) -> tuple[str, ...]:
        """What is missing, and which policies no template shows."""
        unread = ", ".join(self._unread)
        said = f"These policies of the principal stand in no template: {unread}. Say what they are with identity=[…]."
        hints = (said,) if unread and identity is None else ()
        return (*self.missing(identity, table_policy), *hints)


def _case(
    where: Where,
    principal: AnyPrincipal,
    action: str,
    resource: AnyTable,
    *,
    context: Mapping[str, ContextValue] | None,
    today: dt.date | dt.datetime | None,
) -> _Case:
    _check_action(action)
    place: Whereabouts = whereabouts(where, principal=principal, resource=resource)
    day = today or dt.datetime.now(dt.UTC).date()
    arn = place.resource(resource, action)
    given = dict(context or {})
    who = place.principal(principal, arn)
    request = Request(
        principal=who,
        action=action,
        resource=arn,
        context={**usual(place.picture, principal=who, resource=arn, given=given), **given},
        time=today if isinstance(today, dt.datetime) else noon(day),
    )
    return _Case(place.picture, request, place.left_out)


def _check_action(action: object) -> None:
    """Raise an error for an unknown DynamoDB action: every policy denies it, so a misspelt test would pass."""
    service, _, name = action.partition(":") if isinstance(action, str) else ("", "", "")
    if service.lower() != SERVICE or name.lower() in _ACTIONS:
        return
    close = difflib.get_close_matches(name.lower(), _ACTIONS, n=1)
    fix = _INSTEAD.get(name.lower()) or (f"Did you mean {_ACTIONS[close[0]]!r}?" if close else "")
    raise InvalidInputError("the action of an assertion", value=action, allowed="an action of DynamoDB", fix=fix)


def _documents(identity: Documents | None) -> tuple[Document, ...]:
    if identity is None:
        return ()
    if identity == _ANY:
        return ANY_IDENTITY
    given = (identity,) if isinstance(identity, Mapping) else identity
    return tuple(
        Document(source, DocumentLocation(policy=f"identity[{number}]")) for number, source in enumerate(given)
    )


def _assumed_table(request: Request, policy: Literal["any"] | Mapping[str, object]) -> Table:
    arn, _, _ = request.resource.partition("/index/")
    arn, stream, label = arn.partition("/stream/")
    document = Document(policy, DocumentLocation(policy="table_policy"))
    if policy == _ANY:
        caller = request.situation.caller
        named = {"Service": caller.text} if caller.account is None and "." in caller.text else {"AWS": caller.text}
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        allow_named: dict[str, object] = {**allow, "Principal": named if caller.text != "anonymous" else "*"}
        document = Document(
            {"Version": "2012-10-17", "Statement": [allow_named]}, DocumentLocation(policy=_ANY_TABLE_POLICY)
        )
    parts = arn.split(":")
    return Table(
        arn=arn,
        account=parts[4],
        region=parts[3],
        name=parts[5].partition("/")[2],
        policy=None if stream else document,
        stream_policy=document if stream else None,
        has_stream=bool(stream),
        stream_label=label or "{label}",
    )


def _failure(case: _Case, verdict: Verdict, expected: str, hints: tuple[str, ...]) -> str:
    request = case.request
    return "\n".join(
        (
            f"Expected {request.action} on {request.resource} by {request.principal} {expected}.",
            explained(explain(verdict, Shelf()), notes=hints, width=_WIDTH),
            f"Asked with {circumstances_in_words(request.context)}; on {_day(request)}",
        )
    )


def _day(request: Request) -> str:
    return request.time.date().isoformat() if request.time is not None else "no day"
