"""Grants of which only one side is there: the commonest mistake when an account shares with another."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tableguard.evaluation import DocumentLocation, Layer
from tableguard.review.access import AccessRow, Refusal
from tableguard.review.decide import Verdict
from tableguard.review.lookup import near_miss
from tableguard.review.picture import Identity, Picture, Table, account_of
from tableguard.review.report import Finding, FindingKind
from tableguard.review.search import FIXED, Search
from tableguard.review.sentences import Sentence, texts
from tableguard.review.subjects import ReachableTables, Subject, about_tables, label_of, may_name, names_table
from tableguard.review.unknown import Unknown, UnknownKind

_FEW: Final = 3


class Dangling:
    """Finds grants without their other side.

    Args:
        search: What searches the picture.
        reach: What the picture's identities reach.
    """

    def __init__(self, search: Search, reach: ReachableTables) -> None:
        self._search = search
        self._picture: Picture = search.picture
        self._reach = reach
        self._unknowns: dict[Unknown, None] = {}

    def unknowns(self) -> tuple[Unknown, ...]:
        """Sides that stand in no template of the assembly, and tables likewise."""
        return tuple(self._unknowns)

    def of(
        self, subject: Subject, table: Table, found: Sequence[AccessRow], refused: Sequence[Refusal]
    ) -> Iterator[Finding]:
        """The dangling grants between a principal and a table.

        Args:
            subject: The principal.
            table: The table.
            found: What it may do.
            refused: What it may not, although a statement grants it.
        """
        if subject.kind in ("service", "organization", "everybody") or subject.account is None:
            return
        if subject.identity is not None:
            yield from self._known(subject, table, found, refused)
        elif found and subject.named and subject.account != table.account:
            yield from self._unknown(subject, table, found)

    def of_no_table(self) -> Iterator[Finding]:
        """Policies of consumers that name a table of an account of the assembly, which has no such table."""
        for identity in self._picture.identities:
            for document in identity.documents:
                for sentence in self._search.shelf.sentences(document):
                    if sentence.allows and about_tables(sentence):
                        for pattern in sentence.resources:
                            yield from self._names_nothing(identity, pattern, document.place)

    def _unknown(self, subject: Subject, table: Table, found: Sequence[AccessRow]) -> Iterator[Finding]:
        """Somebody whose own side stands in no template."""
        what = _actions(access.actions for access in found)
        if subject.account not in self._picture.accounts:
            whom = "its principals" if subject.kind == "account" else subject.label
            about = (str(subject.account), whom)
            self._unknowns[Unknown(DocumentLocation(), UnknownKind.OTHER_SIDE, about)] = None
        elif subject.kind == "account":
            if not any(each.account == subject.account for each in self._reach.of(table)):
                message = (
                    f"the policy of {table.name} trusts {subject.label} with {what}, but nobody there has a policy"
                )
                yield self._finding(f"{message} for it. Add the consumer's side, or remove the grant.", subject, table)
        else:
            message = f"the policy of {table.name} grants {subject.label} {what}, but no template of that account"
            hint = self._instead(subject) or "Add the consumer's side, or remove the grant."
            yield self._finding(f"{message} makes it or attaches a policy to it. {hint}", subject, table)

    def _instead(self, subject: Subject) -> str:
        close = near_miss(subject.principal, self._picture)
        return f"Did you mean {label_of(close)}?" if close else ""

    def _known(
        self, subject: Subject, table: Table, found: Sequence[AccessRow], refused: Sequence[Refusal]
    ) -> Iterator[Finding]:
        sides: dict[str, list[Refusal]] = {}
        for refusal in refused:
            side = self._missing_side(subject, table, refusal, anything=bool(found))
            if side is not None:
                sides.setdefault(side, []).append(refusal)
        for side, refusals in sides.items():
            actions = _actions([refusal.action] for refusal in refusals)
            said = side.format(actions=actions, who=subject.label, table=table.name)
            own = self._granting(refusals[0].verdict, Layer.IDENTITY) if side == _NO_TABLE_SIDE else []
            yield self._finding(said, subject, table, own[0].document.place if own else None)

    def _missing_side(self, subject: Subject, table: Table, refusal: Refusal, *, anything: bool) -> str | None:
        """Which side is missing, as the pattern of a message; None where nothing dangles."""
        verdict = refusal.verdict
        if not verdict.understood:
            return None
        if verdict.decision.allowed:
            return _key_side(verdict)
        if subject.account == table.account or any(r.layer is Layer.SERVICE for r in verdict.because):
            return None
        theirs = self._granting(verdict, Layer.RESOURCE)
        own = self._granting(verdict, Layer.IDENTITY)
        if theirs and own:
            return _BLOCKED if _is_exact([*theirs, *own], refusal.action) or not anything else None
        if theirs and self._may_name(subject, table):
            return None  # told as what is not known: the table that the consumer names
        if theirs and subject.named and (_is_exact(theirs, refusal.action) or not anything):
            return _NO_CONSUMER
        named = [s for s in own if any(names_table(pattern, table) for pattern in s.resources)]
        if named and (_is_exact(named, refusal.action) or not anything):
            return _NO_TABLE_SIDE
        return None

    def _may_name(self, subject: Subject, table: Table) -> bool:
        """Whether a principal has a policy for what may be the name of a table that only a deployment names."""
        return any(
            may_name(pattern, table)
            for document in (subject.identity.documents if subject.identity else ())
            for sentence in self._search.shelf.sentences(document)
            if sentence.allows
            for pattern in sentence.resources
        )

    def _granting(self, verdict: Verdict, layer: Layer) -> list[Sentence]:
        situation = verdict.request.situation
        return [
            sentence
            for each in verdict.policies.layers
            if each.layer is layer
            for sentence in self._search.shelf.about(situation.action, each)
            if sentence.allows and sentence.fits_but_for_conditions(situation, named=each.named)
            if all(sentence.holds(test, situation) for test in sentence.tests if test.low_key in FIXED)
        ]

    def _names_nothing(self, identity: Identity, pattern: str, place: DocumentLocation | None) -> Iterator[Finding]:
        parts = pattern.split(":", 5)
        name = parts[-1].removeprefix("table/").partition("/")[0]
        if (
            parts[:1] != ["arn"]
            or parts[2] != "dynamodb"
            or not parts[5].startswith("table/")
            or set("*?$") & set(name)
        ):
            return
        known = [table for table in self._picture.tables if account_of(pattern) == table.account]
        if any(table.name == name and parts[3] in ("*", "", table.region) for table in known):
            return
        close = difflib.get_close_matches(name, [table.name for table in known], n=1, cutoff=0.8)
        elsewhere = [table.region for table in known if table.name == name]
        same = [table.name for table in known if may_name(pattern, table)]
        if same or not close:
            why = f"it may be {same[0]}, which only a deployment names" if same else "it stands in no template"
            about = (name, parts[4], label_of(identity.arn), why)
            self._unknowns[Unknown(place or DocumentLocation(), UnknownKind.TABLE_ELSEWHERE, about)] = None
            return
        hint = f"It is in {', '.join(elsewhere)}." if elsewhere else f"Did you mean {close[0]}?"
        message = f"{label_of(identity.arn)} has a policy for the table {name} of {parts[4]}"
        message += f" in {parts[3]}, which is not there"
        yield Finding(
            kind=FindingKind.DANGLING, message=f"{message}. {hint}", principal=label_of(identity.arn), place=place
        )

    def _finding(self, message: str, subject: Subject, table: Table, at: DocumentLocation | None = None) -> Finding:
        return Finding(
            kind=FindingKind.DANGLING,
            message=message,
            table=table.arn,
            principal=subject.label,
            place=at or table.place,
        )


_NO_CONSUMER: Final = (
    "the policy of {table} grants {who} {actions}, but its own policies do not. Add the consumer's side, or remove the"
    " grant."
)
_NO_TABLE_SIDE: Final = (
    "{who} has a policy for {actions} on {table}, but the table's policy does not allow it. Add the grant to the table,"
    " or remove the policy."
)
_BLOCKED: Final = (
    "{who} is granted {actions} on {table} on both sides, but something denies it: see `tableguard explain`."
)
_NO_KEY_POLICY: Final = (
    "{who} is granted {actions} on {table}, but the policy of the table's key does not allow it kms:Decrypt."
)
_NO_KEY_IDENTITY: Final = (
    "{who} is granted {actions} on {table}, but its own policies do not allow kms:Decrypt with the table's key."
)
_KEY_DENIES: Final = "{who} is granted {actions} on {table}, but kms:Decrypt with the table's key is denied."
_AWS_KEY: Final = (
    "{who} is granted {actions} on {table}, which is encrypted with the key that AWS manages: no other account can use"
    " that. Give the table a customer-managed key, or the one that AWS owns."
)


def _key_side(verdict: Verdict) -> str | None:
    silent = {reason.layer for reason in verdict.key.because if reason.effect is None} if verdict.key else set()
    for layer, said in (
        (Layer.SERVICE, _AWS_KEY),
        (Layer.RESOURCE, _NO_KEY_POLICY),
        (Layer.IDENTITY, _NO_KEY_IDENTITY),
    ):
        if layer in silent:
            return said
    return _KEY_DENIES if verdict.key is not None else None


def _is_exact(sentences: Iterable[Sentence], action: str) -> bool:
    """Whether an action is spelt out in one of the statements, not taken in by a wildcard."""
    return any(
        action.lower() in (each.lower() for each in texts(sentence.source.get("Action"))) for sentence in sentences
    )


def _actions(groups: Iterable[Iterable[str]]) -> str:
    names = list(dict.fromkeys(action.removeprefix("dynamodb:") for group in groups for action in group))
    return ", ".join(names) if len(names) <= _FEW else f"{', '.join(names[:2])} and {len(names) - 2} more actions"
