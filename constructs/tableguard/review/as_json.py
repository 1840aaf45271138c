"""A review for programs. The schema is documented in docs/review.md, and only ever grows within a version."""

from __future__ import annotations

from typing import Any, Final

from tableguard.evaluation import DocumentLocation, Request, decision_to_json
from tableguard.review.access import AccessRow
from tableguard.review.backups_as_json import backups_as_json
from tableguard.review.decide import Verdict
from tableguard.review.kinds import KINDS
from tableguard.review.matrix import cell
from tableguard.review.perimeters import Enclosure
from tableguard.review.report import ControlReport, Finding, Review, Row, TableReview, Warning_
from tableguard.review.trust import Trusted
from tableguard.review.wording import last_day

SCHEMA_VERSION: Final = 1


def as_json(review: Review) -> dict[str, Any]:
    """The review as JSON.

    Args:
        review: The review.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "today": review.today.isoformat(),
        "tables": [_table(table, review) for table in review.tables],
        "findings": [_finding(finding) for finding in review.findings],
        "warnings": [_warning(warning) for warning in review.warnings],
        "acknowledged": [
            {"rule": each.rule, "reason": each.reason, "where": each.where, "hidden": list(each.hidden)}
            for each in review.acknowledged
        ],
        "unknown": [
            {"kind": unknown.kind.value, "what": unknown.what, "place": place(unknown.place)}
            for unknown in review.unknowns
        ],
        "organization_policies": [_control(each) for each in review.controls],
        "accounts": {account: list(others) for account, others in review.hanging.items()},
    }


def place(at: DocumentLocation | None) -> dict[str, str] | None:
    """A place in the templates; null where it has none.

    Args:
        at: The place.
    """
    if at is None:
        return None
    fields = {"policy": at.policy, "stack": at.stack, "logical_id": at.logical_id, "path": at.path}
    return {name: text for name, text in fields.items() if text is not None} or None


def request(asked: Request) -> dict[str, Any]:
    """A request, in the form that `tableguard evaluate` reads.

    Args:
        asked: The request.
    """
    context = {key: list(values) for key, values in sorted(asked.situation.context.items())}
    return {"principal": asked.principal, "action": asked.action, "resource": asked.resource, "context": context}


def verdict(decided: Verdict) -> dict[str, Any]:
    """A decision with its reasons; the key's beside it, where a key has a say.

    Args:
        decided: The verdict.
    """
    written: dict[str, Any] = {
        "allowed": decided.allowed,
        "assumed_own_side": decided.assumed,
        "request": request(decided.request),
        **decision_to_json(decided.decision),
        "key": None,
    }
    if decided.key is not None:
        asked = request(decided.key_request) if decided.key_request is not None else None
        written["key"] = {"request": asked, **decision_to_json(decided.key)}
    if decided.unknown_key is not None:
        written["unknown_key"] = decided.unknown_key
    return written


def _table(table: TableReview, review: Review) -> dict[str, Any]:
    it = table.table
    return {
        "arn": it.arn,
        "name": it.name,
        "account": it.account,
        "region": it.region,
        "indexes": list(it.indexes),
        "has_stream": it.has_stream,
        "key": it.key_arn,
        "place": place(it.place),
        "accounts": list(table.accounts),
        "principals": [_row(row, table, review) for row in table.rows],
        "perimeter": _enclosure(table.enclosure),
        "backups": backups_as_json(it, table.backups),
    }


def _enclosure(found: Enclosure) -> dict[str, Any]:
    return {
        "networks": [
            {"network": each.network, "reached": list(each.reached), "unsure": list(each.unsure)}
            for each in found.networks
        ],
        "people_denied": list(found.people),
        "exempt": [
            {"restriction": each.restriction.value, "principal": each.pattern, "label": each.label,
             "what": list(each.what), "reason": each.reason}
            for each in found.exempted
        ],
        "open_because": found.open_because,
    }  # fmt: skip


def _control(control: ControlReport) -> dict[str, Any]:
    return {
        "kind": control.kind,
        "name": control.name,
        "targets": list(control.targets),
        "binds": list(control.binds),
        "may_bind": list(control.perhaps),
        "excluded_accounts": [{"account": each.account, "reason": each.reason} for each in control.excluded_accounts],
        "exempt": [
            {"principals": list(each.principals), "label": each.label, "what": list(each.what),
             "actions": list(each.actions), "reason": each.reason}
            for each in control.exempted
        ],
        "lists_as_of": None if control.lists_as_of is None else control.lists_as_of.isoformat(),
        "place": place(control.place),
    }  # fmt: skip


def _row(row: Row, table: TableReview, review: Review) -> dict[str, Any]:
    return {
        "principal": row.subject.principal,
        "label": row.subject.label,
        "kind": row.subject.kind,
        "account": row.subject.account,
        "external": row.external,
        "own_side_known": row.own_side,
        "reasons": list(row.reasons),
        "unread": list(row.unread),
        "trusted": None if row.trusted is None else [_trusted(each) for each in row.trusted],
        "matrix": {kind: cell(row, table.table, kind) for kind in KINDS},
        "access": [_access(access, review) for access in row.accesses],
    }


def _trusted(each: Trusted) -> dict[str, Any]:
    return {
        "principal": each.principal,
        "label": each.label,
        "kind": each.kind,
        "account": each.account,
        "conditions": list(each.conditions),
    }


def _access(access: AccessRow, review: Review) -> dict[str, Any]:
    day = last_day(access.until) if access.until is not None else None
    return {
        "kind": access.kind,
        "status": access.status.value,
        "actions": list(access.actions),
        "resources": list(access.resources),
        "conditions": list(access.conditions),
        "until": day.isoformat() if day is not None else None,
        "days_left": (day - review.today).days if day is not None else None,
        "since": access.since.isoformat() if access.since is not None else None,
        "evidence": verdict(access.verdict),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "message": finding.message,
        "table": finding.table,
        "principal": finding.principal,
        "place": place(finding.place),
        "statement": finding.statement,
    }


def _warning(warning: Warning_) -> dict[str, Any]:
    return {
        "kind": warning.kind.value,
        "message": warning.message,
        "table": warning.table,
        "principal": warning.principal,
        "place": place(warning.place),
    }
