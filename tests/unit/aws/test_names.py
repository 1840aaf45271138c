"""Every action and condition key that the library's code names is one that AWS has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from tableguard.aws.condition_keys import CONDITION_KEYS
from tableguard.aws.services import ACTIONS_BY_SERVICE
from tests.project.test_layout import LIBRARY

_NAME = re.compile(rf"({'|'.join(ACTIONS_BY_SERVICE)}|aws|lambda|cloudwatch):([A-Za-z][A-Za-z0-9/_-]*[:/]?\*?)")
# Names of nothing, on purpose.
_MEANT = {
    "sts:Nothing": "an action that nobody has, for a statement that lets nobody in",
    "aws:kms": "what S3 calls the encryption with a key of KMS",
    "aws:principal": "how the evaluation names who asks, beside the condition keys",
    "lambda:invoke": "an integration of Step Functions, which names it so",
    "aws:resource": "how the evaluation names what is asked for, beside the condition keys",
}


def literals() -> Iterator[tuple[str, str]]:
    for path in sorted(LIBRARY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAME.fullmatch(node.value):
                yield str(path.relative_to(LIBRARY)), node.value


def exists(name: str) -> bool:
    service, action = name.split(":", 1)
    low = action.lower()
    table = {known.lower() for known in ACTIONS_BY_SERVICE.get(service, ())}
    is_action = any(fnmatchcase(known, low) for known in table) if "*" in low else low in table
    keys = {known for known in CONDITION_KEYS if known.endswith(("/", ":"))}
    is_key = name.lower() in CONDITION_KEYS or any(name.lower().startswith(known) for known in keys)
    # Actions of the services without a table are checked where guardrails refuse them.
    return is_action or is_key or (service in ("lambda", "cloudwatch") and action[0].isupper())


def test_every_name_in_the_code_is_one_of_aws() -> None:
    found = set(literals())
    assert len(found) > 200
    assert {(path, name) for path, name in found if name not in _MEANT and not exists(name)} == set()
    assert {name for _, name in found} >= set(_MEANT)


@pytest.mark.parametrize(
    "name", ["dynamodb:GetItems", "s3:PutObjct", "aws:SourceVpcId", "s3:Nothing*", "kms:Viaservices"]
)
def test_a_slip_would_be_seen(name: str) -> None:
    assert _NAME.fullmatch(name)
    assert not exists(name)


@pytest.mark.parametrize(
    "name", ["dynamodb:GetItem", "kms:ReEncrypt*", "aws:PrincipalTag/team", "aws:sourcevpc", "s3:TlsVersion"]
)
def test_what_exists_is_found(name: str) -> None:
    assert exists(name)
