"""Whom the statements of an SCP or RCP exempt, and what they let them do: decided, whatever metadata claims."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tableguard.aws.dynamodb import ACTIONS, AS_OF, SERVICE
from tableguard.evaluation import Outcome, Policies, Request, evaluate
from tableguard.policy.metadata import ControlClaim, PrincipalClaim
from tableguard.policy.perimeter.restricted_actions import PARTS, Part
from tableguard.policy.wildcards import Glob, tokens
from tableguard.review.decide import ANY_IDENTITY
from tableguard.review.perimeters import exempting, label_of_exempt, sample_of
from tableguard.review.picture import OrganizationPolicy
from tableguard.review.report import ExemptPrincipal
from tableguard.review.samples import meeting
from tableguard.review.sentences import Sentence, Shelf, Test, texts
from tableguard.review.stated_restrictions import patterns_of

_ARN: Final = "aws:principalarn"
_ACCOUNT: Final = 4
"""The place of the account in an ARN."""
_ACCOUNTS: Final = ("aws:principalaccount", "aws:resourceaccount")
_VIA: Final = "aws:viaawsservice"
_LAST: Final = "aws:calledvialast"
_VARIABLE: Final = "${aws:ResourceAccount}"
_EVERYTHING: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# More actions of one service than this are counted.
_MOST: Final = 3
_WAY_OUT: Final = f"{SERVICE}:DeleteResourcePolicy"


@dataclass(frozen=True, slots=True)
class _AllBut:
    """Every action but those that a Deny names in its NotAction.

    Args:
        count: How many those are.
        sid: The name of the statement; None where it has none.
        known: Whether they are all that there are of DynamoDB, so that only later ones are denied.
    """

    count: int
    sid: str | None
    known: bool = False

    def __str__(self) -> str:
        if self.known:
            return f"actions that AWS adds after {AS_OF}"
        return f"everything but {self.count} actions{f' ({self.sid})' if self.sid else ''}"


_Action: TypeAlias = str | _AllBut
# One for all statements that say so.
_LATER: Final = _AllBut(len(ACTIONS), None, known=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemptions:
    """Decides whom one SCP or RCP exempts.

    Args:
        policy: The policy.
        account: An account that it binds, for requests where any will do.
        region: A region with tables, for requests where any will do.
        excluded_accounts: The accounts that all of it exempts.
        shelf: The statements of documents.
        now: The moment of the requests, with a time zone.
    """

    policy: OrganizationPolicy
    account: str
    region: str
    excluded_accounts: Collection[str]
    shelf: Shelf
    now: dt.datetime

    def exempted(self) -> tuple[ExemptPrincipal, ...]:
        """Whom it exempts, in the order of its statements."""
        others: dict[_Action, None] = {}
        found: dict[tuple[str, str], dict[_Action, None]] = {}
        for sentence in self.shelf.sentences(self.policy.document):
            actions = tuple(_actions(sentence)) if sentence.denies else ()
            for test in filter(_is_of_callers, exempting(sentence) if actions else ()):
                others |= dict.fromkeys(actions)
                for value in test.values:
                    if test.low_key not in _ACCOUNTS or value not in self.excluded_accounts:
                        lets = found.setdefault((test.low_key, value), {})
                        lets |= {each: None for each in actions if self._lets(sentence, test, value, each)}
        return tuple(self._together(found, tuple(others)))

    def _lets(self, sentence: Sentence, test: Test, value: str, action: _Action) -> bool:
        """Whether no other statement of the policy denies an action to somebody whom one exempts."""
        if isinstance(action, _AllBut):
            return True
        context: dict[str, tuple[str, ...]] = {"aws:requestedregion": (self.region,)}
        for other in sentence.tests:
            for key, values in next(meeting(other, context), {}).items() if other is not test else ():
                context.pop(key, None)
                context |= {key: values} if values is not None else {}
        principal = f"arn:aws:iam::{self.account}:role/{{any}}"
        if test.low_key == _ARN:
            principal = sample_of(value.replace(_VARIABLE, "*"), self.account)
        elif test.low_key == _LAST:
            context |= {_VIA: ("true",), _LAST: (value,)}
        else:
            context[test.low_key] = ("true",) if test.low_key == _VIA else (value,)
        request = Request(
            principal=principal, action=action, resource=self._resource(sentence), context=context, time=self.now
        )
        documents = [[_EVERYTHING, self.policy.document]]
        in_service = self.policy.kind == "SERVICE_CONTROL_POLICY"
        policies = Policies(
            identity=list(ANY_IDENTITY),
            service_control=documents if in_service else [],
            resource_control=[] if in_service else documents,
        )
        decision = evaluate(request, policies)
        return decision.outcome is not Outcome.EXPLICITLY_DENIED or not decision.understood

    def _resource(self, sentence: Sentence) -> str:
        first = next(iter(sentence.resources), "*")
        if first == "*":
            return f"arn:aws:{SERVICE}:{self.region}:{self.account}:table/any"
        return sample_of(first, self.account)

    def _together(
        self, found: Mapping[tuple[str, str], Mapping[_Action, None]], others: Sequence[_Action]
    ) -> Iterator[ExemptPrincipal]:
        """One of all that a reader calls the same, such as the two patterns of a permission set."""
        stated = tuple(_stated(self.policy.stated))
        labels: dict[str, list[tuple[str, str]]] = {}
        for key, value in found:
            labels.setdefault(_label(key, value), []).append((key, value))
        for label, keys in labels.items():
            actions = tuple(dict.fromkeys(action for each in keys for action in found[each]))
            if actions:
                yield ExemptPrincipal(
                    label=label,
                    principals=tuple(value for _, value in keys),
                    actions=tuple(map(str, actions)),
                    what=tuple(_words(actions, others)),
                    reason="; ".join(dict.fromkeys(_reasons(keys, actions, stated))) or None,
                )


def _is_of_callers(test: Test) -> bool:
    """Whether a condition is about who calls, and not about what is asked for."""
    return test.low_key in (_VIA, _LAST, "aws:userid", "aws:username") or test.low_key.startswith("aws:principal")


def _actions(sentence: Sentence) -> Iterator[_Action]:
    for action in texts(sentence.source.get("Action")):
        service, _, name = action.partition(":")
        if service.lower() == SERVICE and ("*" in name or "?" in name):
            glob = Glob(tokens(name))
            yield from (f"{SERVICE}:{each}" for each in ACTIONS if glob.matches(each))
        else:
            yield action
    if "NotAction" in sentence.source:
        others, sid = texts(sentence.source["NotAction"]), sentence.source.get("Sid")
        all_but = _AllBut(len(others), sid if isinstance(sid, str) else None)
        yield _LATER if _exempts_all_known(others) else all_but


def _exempts_all_known(others: Sequence[str]) -> bool:
    """Whether a list of exceptions holds every action on DynamoDB's resources, so that only later ones are denied."""
    globs = [Glob(tokens(other.lower())) for other in others]
    return all(
        any(glob.matches(action.qualified.lower()) for glob in globs) for action in ACTIONS.values() if action.resources
    )


def _label(key: str, value: str) -> str:
    if key != _ARN:
        return label_of_exempt(key, value.replace(_VARIABLE, "*"))
    parts = value.replace(_VARIABLE, "*").split(":")
    if len(parts) > _ACCOUNT:
        parts[_ACCOUNT] = "every account" if parts[_ACCOUNT] == "*" else parts[_ACCOUNT]
        if parts[-1] == "root":
            return f"root user of {parts[_ACCOUNT]}"
    return label_of_exempt(key, ":".join(parts))


def _words(actions: Sequence[_Action], others: Sequence[_Action]) -> Iterator[str]:
    """What somebody may do that others may not: parts where they may do all that is denied of one."""
    denied: dict[Part | str, list[str]] = {}
    allowed: dict[Part | str, list[str]] = {}
    for listed, groups in ((others, denied), (actions, allowed)):
        for action in listed:
            groups.setdefault(_group(action), []).append(str(action))
    for group, mine in allowed.items():
        if isinstance(group, str):
            yield from (f"{len(mine)} actions of {group}",) if group and len(mine) > _MOST else mine
        elif len(mine) == len(denied[group]) and len(mine) >= min(len(group.actions.permissions), 2):
            yield group.actions.name
        else:
            yield from (action.removeprefix(f"{SERVICE}:") for action in mine)


def _group(action: _Action) -> Part | str:
    """The part of the data that an action is about, or else its service; nothing for no single action."""
    if isinstance(action, _AllBut):
        return ""
    service, colon, name = action.partition(":")
    if service == SERVICE:
        for part in PARTS:
            if any(name == each for _, each in part.actions.permissions):
                return part
    return service if colon else ""


def _stated(control: ControlClaim | None) -> Iterator[tuple[PrincipalClaim, str]]:
    """Everybody whom the metadata names, with why they are exempted."""
    if control is None:
        return
    if control.perimeter is not None:
        yield from ((each.principal, each.reason) for each in control.perimeter.exemptions)
    yield from ((each, "administrator") for each in control.administrators)
    yield from ((each, "passes roles to services") for each in control.pass_role_principals)
    for guardrail in control.guardrails:
        yield from ((each, f"exempted by {guardrail.name}") for each in guardrail.exempt_principals)


def _reasons(
    keys: Sequence[tuple[str, str]], actions: Sequence[_Action], stated: Sequence[tuple[PrincipalClaim, str]]
) -> Iterator[str]:
    for claim, reason in stated:
        for key, value in keys:
            plain = value.replace(_VARIABLE, "*")
            partition = plain.split(":")[1] if key == _ARN and ":" in plain else "aws"
            patterns = patterns_of(claim, partition=partition, account="*") or ()
            if any(plain == each if key == _ARN else each in ("", value) for each in patterns):
                yield reason
    if any(key == _ARN and value.endswith(":root") for key, value in keys) and {*actions} - {_LATER} == {_WAY_OUT}:
        yield "the way out of a lock-out"
