"""Reviews an assembly: who may do what with which table, and what is wrong with that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tableguard.evaluation import Document, Effect, Layer
from tableguard.evaluation.noon import noon
from tableguard.review.access import AccessRow, Refusal, Status, accesses, together
from tableguard.review.acknowledgements import PLUGIN, Acknowledgement
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.backup_claims import problems_of_backups, problems_of_table, unprotected
from tableguard.review.backups import Backups
from tableguard.review.bound import controls
from tableguard.review.claims import Claims
from tableguard.review.dangling import Dangling
from tableguard.review.decide import Verdict
from tableguard.review.identities import may_matter
from tableguard.review.ineffective import without_effect
from tableguard.review.perimeters import Enclosures
from tableguard.review.picture import Picture, Table
from tableguard.review.problems import not_understood, public
from tableguard.review.report import Finding, FindingKind, Review, Row, TableReview, Warning_, WarningKind
from tableguard.review.search import Search
from tableguard.review.sentences import Sentence, Shelf
from tableguard.review.sizes import Sized, sized
from tableguard.review.stated_restrictions import RestrictionClaims
from tableguard.review.subjects import (
    ReachableTables,
    Subject,
    about_tables,
    allowed_by,
    label_of,
    subjects,
    without_stand_in,
)
from tableguard.review.trust import trusted_by
from tableguard.review.unknown import Unknown, UnknownKind
from tableguard.review.warnings import warnings_of


def review(
    picture: Picture,
    stacks: Sequence[SynthesizedStack],
    *,
    today: dt.date,
    acknowledged: Iterable[Acknowledgement] = (),
) -> Review:
    """Review an assembly.

    Args:
        picture: The picture of its stacks.
        stacks: The stacks, for the sizes of their policies.
        today: The day, in UTC, that requests are decided for.
        acknowledged: The rules that somebody has acknowledged away; those of other plugins are left out.
    """
    ours = tuple(each for each in acknowledged if each.plugin == PLUGIN)
    return replace(_Reviewer(picture, today).review(stacks), acknowledged=ours)


class _Reviewer:
    def __init__(self, picture: Picture, today: dt.date) -> None:
        self._picture = picture
        self._today = today
        self._shelf = Shelf()
        self._search = Search(picture, noon(today), self._shelf)
        self._reach = ReachableTables(picture, self._shelf)
        self._enclosures = Enclosures(picture, self._search.now, self._shelf)
        self._backups = Backups(picture)
        self._dangling = Dangling(self._search, self._reach)
        self._findings: dict[Finding, None] = {}
        self._warnings: list[Warning_] = []
        self._unknowns: dict[Unknown, None] = dict.fromkeys(picture.unknowns)

    def review(self, stacks: Sequence[SynthesizedStack]) -> Review:
        """The whole review."""
        self._find(self._problems())
        self._find(problems_of_backups(self._picture))
        sizes = tuple(sized(stacks))
        self._find(map(_too_large, (each for each in sizes if each.share > 1)))
        self._note_unread()
        tables = tuple(self._table(table) for table in self._picture.tables)
        self._find(self._dangling.of_no_table())
        for unknown in self._dangling.unknowns():
            self._unknowns[unknown] = None
        bound = tuple(controls(self._picture, self._shelf, self._search.now))
        self._find(finding for _, findings in bound for finding in findings)
        hanging = {
            account: tuple(sorted({a for t in tables if t.table.account == account for a in t.accounts}))
            for account in sorted({each.table.account for each in tables})
        }
        return Review(
            today=self._today,
            tables=tables,
            findings=tuple(self._findings),
            warnings=(*warnings_of(tables, sizes, hanging, self._picture.accounts, self._today), *self._warnings),
            unknowns=tuple(self._unknowns),
            hanging=hanging,
            controls=tuple(control for control, _ in bound),
        )

    def _note_unread(self) -> None:
        for identity in self._picture.identities:
            for each in identity.unread:
                if may_matter(each):
                    about = (each, label_of(identity.arn))
                    self._unknowns[Unknown(identity.place, UnknownKind.POLICY_ELSEWHERE, about)] = None

    def _find(self, findings: Iterable[Finding]) -> None:
        self._findings |= dict.fromkeys(findings)

    def _table(self, table: Table) -> TableReview:
        claims = Claims(table, self._picture, self._search)
        rows: list[Row] = []
        denied: dict[str, Sequence[Refusal]] = {}
        for subject in subjects(self._picture, table, self._shelf, self._reach):
            found, refused = accesses(self._search, table, subject.principal, subject.hints, many=subject.many)
            self._find(self._dangling.of(subject, table, found, refused))
            denied[subject.principal] = refused
            unread = self._unread(subject)
            found = (*found, *together(tuple(self._perhaps(refused))))
            if found:
                row = self._row(subject, claims, tuple(map(_as_sure_as(subject), found)), unread)
                rows.append(replace(row, perhaps=self._with_others(subject, table, found) if unread else ()))
        self._find(claims.findings(rows))
        restrictions = RestrictionClaims(table, self._enclosures, self._enclosures.of(table))
        self._find(restrictions.findings())
        backups = self._backups.of(table)
        self._find(problems_of_table(self._picture, table, backups))
        self._warnings += unprotected(table, backups)
        useless = tuple(without_effect(self._picture, table, self._shelf))
        self._warnings += (
            Warning_(kind=WarningKind.NO_EFFECT, message=said, table=table.arn, place=sentence.document.place)
            for sentence, said, _ in useless
        )
        self._note_without_row(
            table,
            [sentence for sentence, _, whole in useless if whole],
            {row.subject.principal for row in rows},
            denied,
        )
        others = {row.subject.account for row in rows if row.subject.account not in (None, table.account)}
        return TableReview(
            table=table,
            rows=tuple(rows),
            accounts=tuple(sorted(a for a in others if a is not None)),
            enclosure=restrictions.explained(),
            backups=backups,
        )

    def _note_without_row(
        self,
        table: Table,
        useless: Collection[Sentence],
        seen: Collection[str],
        denied: Mapping[str, Sequence[Refusal]],
    ) -> None:
        """List the Allows of a table's policies of which no row tells, unless it is certain that they let nobody in."""
        for sentence, named in allowed_by(self._picture, table, self._shelf):
            at = sentence.document.place or table.place
            for whom in without_stand_in(sentence):
                self._unknowns[Unknown(at, UnknownKind.LETS_IN_AS, (str(sentence.number), whom))] = None
            if sentence in useless:
                continue
            open_ = [each for each in named if not self._is_settled(each, denied.get(each.principal, ()))]
            if open_ and not any(each.principal in seen for each in named):
                labels = ", ".join(dict.fromkeys(each.label for each in open_))
                self._unknowns[Unknown(at, UnknownKind.LETS_IN, (str(sentence.number), labels))] = None

    def _is_settled(self, subject: Subject, refused: Sequence[Refusal]) -> bool:
        """Whether it is certain that somebody without a row gets nothing."""
        if subject.identity is not None:
            return bool(refused)
        return bool(refused) and all(self._is_certain(refusal.verdict) for refusal in refused)

    def _is_certain(self, verdict: Verdict) -> bool:
        """Whether a denial stands whatever the request carries: no such action there, or a Deny without conditions."""
        for reason in verdict.decision.because:
            sentence = self._shelf.deciding(reason, verdict.policies) if reason.effect is Effect.DENY else None
            if reason.layer is Layer.SERVICE or (reason.understood and sentence is not None and not sentence.tests):
                return True
        return False

    def _row(self, subject: Subject, claims: Claims, found: tuple[AccessRow, ...], unread: tuple[str, ...]) -> Row:
        return Row(
            subject=subject,
            external=self._is_external(subject),
            own_side=subject.kind == "service" or (subject.identity is not None and subject.identity.in_assembly),
            reasons=claims.reasons(subject),
            accesses=found,
            unread=unread,
            trusted=trusted_by(subject.identity, self._shelf),
        )

    def _with_others(self, subject: Subject, table: Table, found: Iterable[AccessRow]) -> tuple[str, ...]:
        """The kinds of access that a principal has not, but policies that stand in no template might give it."""
        known = {access.kind for access in found}
        could, _ = accesses(self._search, table, subject.principal, subject.hints, any_identity=True, many=subject.many)
        return tuple(dict.fromkeys(access.kind for access in could if access.kind not in known))

    def _is_external(self, subject: Subject) -> bool:
        if subject.account is None:
            return subject.kind in ("organization", "everybody")
        return subject.account not in self._picture.accounts

    def _perhaps(self, refused: Sequence[Refusal]) -> Iterator[AccessRow]:
        """What is denied only because something cannot be understood."""
        for refusal in refused:
            if not refusal.verdict.understood and not refusal.verdict.assumed:
                yield AccessRow(
                    kind=refusal.kind,
                    actions=(refusal.action,),
                    resources=(refusal.resource,),
                    status=Status.UNKNOWN,
                    conditions=(),
                    until=None,
                    since=None,
                    verdict=refusal.verdict,
                )

    def _unread(self, subject: Subject) -> tuple[str, ...]:
        unread = subject.identity.unread if subject.identity is not None else ()
        return tuple(each for each in unread if may_matter(each))

    def _problems(self) -> Iterator[Finding]:
        for table in self._picture.tables:
            for document in (table.policy, table.stream_policy):
                if document is not None:
                    yield from self._not_understood(document, table, named=True)
                    yield from self._public(document, table)
        for key in self._picture.keys:
            if key.policy is not None:
                yield from self._not_understood(key.policy, named=True)
        for identity in self._picture.identities:
            for document in identity.documents:
                yield from self._not_understood(document, named=False)

    def _public(self, document: Document, table: Table) -> Iterator[Finding]:
        for number, how in public(document, self._shelf):
            yield Finding(
                kind=FindingKind.PUBLIC,
                message=f"statement {number} {how}",
                table=table.arn,
                place=document.place,
                statement=number,
            )

    def _not_understood(self, document: Document, table: Table | None = None, *, named: bool) -> Iterator[Finding]:
        about = {sentence.number: about_tables(sentence) for sentence in self._shelf.sentences(document)}
        for number, problem in not_understood(document, self._shelf, named=named):
            if not named and number is not None and not about.get(number, True):
                continue
            which = "the policy" if number is None else f"statement {number}"
            yield Finding(
                kind=FindingKind.NOT_UNDERSTOOD,
                message=f"{which} cannot be understood: {problem}",
                table=table.arn if table is not None else None,
                place=document.place,
                statement=number,
            )


def _too_large(policy: Sized) -> Finding:
    message = f"{policy.words}, which AWS refuses ({policy.limit.source})"
    return Finding(kind=FindingKind.TOO_LARGE, message=message, place=policy.place)


def _as_sure_as(subject: Subject) -> Callable[[AccessRow], AccessRow]:
    """What is allowed to somebody whom no template makes may be denied by what is attached to it elsewhere."""

    def sure(access: AccessRow) -> AccessRow:
        known = subject.identity is None or subject.identity.in_assembly
        return access if known or access.status is not Status.ALLOWED else replace(access, status=Status.OPEN)

    return sure
