"""The JSON of a review is what docs/review.md says: these keys, these types, and each of them named there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from tableguard.review.acknowledgements import Acknowledgement
from tableguard.review.as_json import as_json
from tableguard.review.collect import collect
from tableguard.review.report import FindingKind, WarningKind
from tableguard.review.review import review
from tests.project.machine import ROOT
from tests.unit.review.support import (
    CONSUMER,
    READER,
    TODAY,
    VENDOR,
    allow,
    document,
    role,
    stack,
    table,
    to,
)

TEXT, FLAG, WHOLE = str, bool, int
PLACE: Final = {"?policy": TEXT, "?stack": TEXT, "?logical_id": TEXT, "?path": TEXT}
REQUEST: Final = {"principal": TEXT, "action": TEXT, "resource": TEXT, "context": Mapping}
BECAUSE: Final = {"layer": TEXT, "sid": (TEXT, None), "effect": (TEXT, None), "...": None}
EVIDENCE: Final = {
    "allowed": FLAG,
    "assumed_own_side": FLAG,
    "request": REQUEST,
    "decision": TEXT,
    "because": [BECAUSE],
    "key": ({"request": (REQUEST, None), "decision": TEXT, "because": [BECAUSE], "...": None}, None),
    "?unknown_key": TEXT,
    "...": None,
}
ACCESS: Final = {
    "kind": TEXT,
    "status": TEXT,
    "actions": [TEXT],
    "resources": [TEXT],
    "conditions": [TEXT],
    "until": (TEXT, None),
    "days_left": (WHOLE, None),
    "since": (TEXT, None),
    "evidence": EVIDENCE,
}
TRUSTED: Final = {"principal": TEXT, "label": TEXT, "kind": TEXT, "account": (TEXT, None), "conditions": [TEXT]}
PRINCIPAL: Final = {
    "principal": TEXT,
    "label": TEXT,
    "kind": TEXT,
    "account": (TEXT, None),
    "external": FLAG,
    "own_side_known": FLAG,
    "reasons": [TEXT],
    "unread": [TEXT],
    "trusted": ([TRUSTED], None),
    "matrix": Mapping,
    "access": [ACCESS],
}
ROAD: Final = {
    "kind": TEXT,
    "account": (TEXT, None),
    "where": TEXT,
    "in_assembly": FLAG,
    "lock": ({"mode": TEXT, "days": (WHOLE, None), "grace_days": WHOLE}, None),
    "air_gapped": FLAG,
    "approval_team": FLAG,
    "loses": {"minutes": (WHOLE, None), "plus": TEXT, "why": TEXT, "words": TEXT},
    "reaches_days": (float, None),
    "alarm_after_minutes": (WHOLE, None),
    "key": (TEXT, None),
    "readers": [TEXT],
}
BACKUPS: Final = {
    "recovery_days": (WHOLE, None),
    "deletion_protection": (FLAG, None),
    "roads": [ROAD],
    "exports": [
        {
            "account": TEXT,
            "bucket": (TEXT, None),
            "every_minutes": (WHOLE, None),
            "full_every_minutes": (WHOLE, None),
            "alarm_after_minutes": (WHOLE, None),
        }
    ],
    "restores": [{"account": TEXT, "from": TEXT, "into": [TEXT]}],
    "drills": [
        {
            "account": TEXT,
            "schedule": (TEXT, None),
            "canary": FLAG,
            "sealed_by": (TEXT, None),
            "alarm_after_minutes": (WHOLE, None),
        }
    ],
    "restore_tests": [{"account": TEXT, "schedule": (TEXT, None)}],
    "awaited_by": [{"account": TEXT, "bucket": TEXT}],
    "perhaps": [TEXT],
    "replicas": [TEXT],
    "none": FLAG,
}
TABLE_: Final = {
    "arn": TEXT,
    "name": TEXT,
    "account": TEXT,
    "region": TEXT,
    "indexes": [TEXT],
    "has_stream": FLAG,
    "key": (TEXT, None),
    "place": PLACE,
    "accounts": [TEXT],
    "principals": [PRINCIPAL],
    "perimeter": {
        "networks": [{"network": TEXT, "reached": [TEXT], "unsure": [TEXT]}],
        "people_denied": [TEXT],
        "exempt": [{"restriction": TEXT, "principal": TEXT, "label": TEXT, "what": [TEXT], "reason": (TEXT, None)}],
        "open_because": (TEXT, None),
    },
    "backups": BACKUPS,
}
NOTE: Final = {
    "kind": TEXT,
    "message": TEXT,
    "table": (TEXT, None),
    "principal": (TEXT, None),
    "place": (PLACE, None),
}
REVIEW: Final = {
    "schema_version": WHOLE,
    "today": TEXT,
    "tables": [TABLE_],
    "findings": [{**NOTE, "statement": (WHOLE, None)}],
    "warnings": [NOTE],
    "acknowledged": [{"rule": TEXT, "reason": TEXT, "where": TEXT, "hidden": [TEXT]}],
    "unknown": [{"kind": TEXT, "what": TEXT, "place": (PLACE, None)}],
    "organization_policies": [
        {
            "kind": TEXT,
            "name": TEXT,
            "targets": [TEXT],
            "binds": [TEXT],
            "may_bind": [TEXT],
            "excluded_accounts": [{"account": TEXT, "reason": (TEXT, None)}],
            "exempt": [
                {"principals": [TEXT], "label": TEXT, "what": [TEXT], "actions": [TEXT], "reason": (TEXT, None)}
            ],
            "lists_as_of": (TEXT, None),
            "place": (PLACE, None),
        }
    ],
    "accounts": Mapping,
}


def problems(value: Any, schema: Any, at: str = "") -> Iterator[str]:
    """Where a value is not as the schema says."""
    if isinstance(schema, tuple):
        yield from problems(value, schema[0], at) if value is not None else ()
    elif isinstance(schema, list) and isinstance(value, list):
        yield from (problem for each in value for problem in problems(each, schema[0], f"{at}[]"))
    elif isinstance(schema, dict) and isinstance(value, dict):
        yield from _of_object(value, schema, at)
    elif isinstance(schema, (list, dict)) or not isinstance(value, schema):
        yield f"{at}: {type(value).__name__}"


def _of_object(value: dict[str, Any], schema: dict[str, Any], at: str) -> Iterator[str]:
    known = {name.lstrip("?"): inner for name, inner in schema.items()}
    needed = {name for name in schema if name[0] not in "?."}
    yield from (f"{at}: without {name}" for name in needed - set(value))
    yield from (f"{at}: with {name}" for name in set(value) - set(known) if "..." not in schema)
    for name in set(known) & set(value):
        yield from problems(value[name], known[name], f"{at}.{name}")


def keys(schema: Any) -> set[str]:
    """The keys of a schema, but for what `tableguard evaluate` writes."""
    if isinstance(schema, (tuple, list)):
        return keys(schema[0])
    if not isinstance(schema, dict) or schema is BECAUSE:
        return set()
    inner = {key for each in schema.values() for key in keys(each)}
    return {name.lstrip("?") for name in schema if name != "..."} | inner


@pytest.fixture(scope="module")
def written() -> Any:
    ends = {"DateLessThan": {"aws:CurrentTime": "2027-02-01T00:00:00Z"}}
    trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"})
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document(to(READER, "kms:*", Resource="*"))}}
    encrypted = {"SSEEnabled": True, "KMSMasterKeyId": {"Fn::GetAtt": ["K", "Arn"]}}
    shared = table(to(READER, Condition=ends), allow(Principal="*"), SSESpecification=encrypted)
    outside = table(
        to(READER, Resource="*"), TableName="items", SSESpecification={**encrypted, "KMSMasterKeyId": "gone"}
    )
    consumer = role(allow(resource="*"), allow("kms:*", "*"), AssumeRolePolicyDocument=trust)
    stacks = (
        stack(
            T=shared, O=outside, K=key, P=table(to(READER, Resource="*"), to(VENDOR, Resource="*"), TableName="plain")
        ),
        stack("C", CONSUMER, R=consumer),
    )
    acknowledged = Acknowledgement(rule="Tableguard::x", reason="known", where="", hidden=("NobodyCan",))
    found = review(collect(stacks), stacks, today=TODAY, acknowledged=[acknowledged])
    return json.loads(json.dumps(as_json(found)))


def test_a_review_has_the_keys_and_the_types_of_the_schema(written: Any) -> None:
    assert sorted(set(problems(written, REVIEW))) == []
    # What would not be checked at all if it did not occur.
    assert all(written[part] for part in ("tables", "findings", "warnings", "acknowledged", "unknown", "accounts"))
    rows = [row for each in written["tables"] for row in each["principals"]]
    assert any(row["trusted"] for row in rows)
    assert any("unknown_key" in access["evidence"] for row in rows for access in row["access"])


@pytest.mark.parametrize("damage", ["missing", "more", "type"])
def test_the_check_sees_what_differs(written: Any, damage: str) -> None:
    changed = json.loads(json.dumps(written))
    first = next(each["principals"][0] for each in changed["tables"] if each["principals"])
    assert list(problems(changed, REVIEW)) == []
    if damage == "missing":
        del first["trusted"]
    elif damage == "more":
        first["extra"] = 1
    else:
        first["external"] = "no"
    assert [each.partition(":")[0] for each in problems(changed, REVIEW)] == [
        ".tables[].principals[]" + (".external" if damage == "type" else "")
    ]


def test_every_key_and_every_kind_is_documented() -> None:
    text = (ROOT / "docs" / "review.md").read_text()
    (schema,) = re.findall(r"(?s)\n```\n(schema_version.*?)```", text)

    assert [key for key in sorted(keys(REVIEW)) if not re.search(rf"\b{key}\b", schema)] == []
    kinds = [kind.value for kind in (*FindingKind, *WarningKind)]
    assert [kind for kind in kinds if f"`{kind}`" not in text] == []
