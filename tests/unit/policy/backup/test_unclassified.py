"""Actions that S3 adds later: refused in buckets of backups to all but those whom another statement exempts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tableguard.aws.s3 import ACTIONS
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy import Limits, Role
from tableguard.policy.backup import Bucket, Retention, RetentionBounds
from tableguard.policy.backup.immutable import Immutable
from tableguard.policy.backup.intake import Intake, bucket_policy
from tableguard.policy.backup.landing import Landing
from tableguard.policy.backup.own_export import OwnExport
from tableguard.policy.backup.references import ReplicationSource
from tableguard.policy.deny_statements import DenyStatement
from tableguard.policy.limits import measured

HERE, THERE = "111122223333", "444455556666"
ARN: Final = "arn:aws:s3:::acme-backups"
OBJECT: Final = f"{ARN}/key"
ROLES: Final = {
    name: Role(account=HERE, name=name) for name in ("deploy", "reads", "writes", "lifts", "exports", "clears", "admin")
}
SOURCE: Final = ReplicationSource(account=THERE, role_name="replication")
PRINCIPALS: Final = {
    **{name: role.arn("aws") for name, role in ROLES.items()},
    "replicates": SOURCE.role.arn("aws"),
    "the root user": f"arn:aws:iam::{HERE}:root",
    "a linked role": f"arn:aws:iam::{HERE}:role/aws-service-role/new.amazonaws.com/AWSServiceRoleForNew",
    "a service": "new.amazonaws.com",
}
BUCKET: Final = Bucket(
    arn=ARN, partition="aws", key_arn=f"arn:aws:kms:eu-west-1:{HERE}:key/1", deployers=[ROLES["deploy"]]
)
_LANDING: Final = Landing(bucket=BUCKET, readers=[ROLES["reads"]])
_EXPORTS: Final = [ROLES["exports"].arn("aws")]
DENIALS: Final[dict[str, tuple[DenyStatement, ...]]] = {
    "landing": (*_LANDING.denials(), _LANDING.only_exports_write(_EXPORTS), _LANDING.unclassified(_EXPORTS)),
    "intake": Intake(bucket=BUCKET, sources=[SOURCE], reader=ROLES["reads"]).denials(),
    "immutable": Immutable(
        bucket=BUCKET,
        retention=Retention.governance(days=30),
        bounds=RetentionBounds(at_least=1, at_most=60),
        bypass_governance_roles=[ROLES["lifts"]],
        writers=[ROLES["writes"]],
        readers=[ROLES["reads"]],
        sources=[SOURCE.role],
    ).denials(),
    "a restore's": OwnExport(
        bucket=BUCKET, writer=ROLES["exports"], readers=[ROLES["reads"]], remover=ROLES["clears"]
    ).denials(),
}
_ALWAYS: Final = {"deploy", "reads", "a linked role", "a service"}
EXEMPT: Final = {
    "landing": {*_ALWAYS, "exports"},
    "intake": {*_ALWAYS, "replicates"},
    "immutable": {*_ALWAYS, "writes", "lifts", "replicates"},
    "a restore's": {*_ALWAYS, "exports", "clears"},
}
NEW: Final = ("TeleportObject", "GetTeleport", "ListTeleports", "GetBucketTeleport", "PutBucketTeleport")
# What no statement can name, since S3 refuses a policy with an action that it does not know there.
_OF_OTHERS: Final = {"AllowVendedLogDeliveryForResource"}


def _document(denials: tuple[DenyStatement, ...]) -> dict[str, Any]:
    document = bucket_policy((), denials)
    allow = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    return {**document, "Statement": [allow, *document["Statement"]]}


def allowed(document: dict[str, Any], action: str, resource: str, principal: str) -> bool:
    full = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    request = Request(
        principal=principal, action=f"s3:{action}", resource=resource, resource_account=HERE,
        context={"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", "s3:if-none-match": "*"},
    )  # fmt: skip
    decision = evaluate(request, Policies(identity=[full], resource=document))
    assert decision.understood
    return decision.allowed


def _later(bucket: str) -> DenyStatement:
    (found,) = [denial for denial in DENIALS[bucket] if denial.but_actions]
    return found


@pytest.mark.parametrize("bucket", DENIALS)
def test_it_decides_nothing_about_a_classified_action(bucket: str) -> None:
    with_it, without = (
        _document(tuple(each for each in DENIALS[bucket] if each.actions or whole)) for whole in (True, False)
    )
    compared = 0
    for name, action in ACTIONS.items():
        for kind, resource in (("bucket", ARN), ("object", OBJECT)):
            for who, principal in PRINCIPALS.items() if kind in action.resources else ():
                before = allowed(without, name, resource, principal)
                if name in _OF_OTHERS:
                    assert allowed(with_it, name, resource, principal) is (before and who in EXEMPT[bucket])
                else:
                    assert allowed(with_it, name, resource, principal) is before, (name, who)
                compared += 1
    assert compared > 1_000


@pytest.mark.parametrize("bucket", DENIALS)
@pytest.mark.parametrize("action", NEW)
def test_a_new_action_is_denied_to_all_but_the_exempt(bucket: str, action: str) -> None:
    document = _document(DENIALS[bucket])
    for resource in (ARN, OBJECT):
        open_to = {who for who, principal in PRINCIPALS.items() if allowed(document, action, resource, principal)}
        assert open_to == EXEMPT[bucket]


@pytest.mark.parametrize("bucket", DENIALS)
def test_there_is_room_for_it(bucket: str) -> None:
    limit = Limits().bucket
    assert measured(bucket_policy((), DENIALS[bucket]), limit).size < limit.size * 0.6


def _mutants(statement: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    names = statement["NotAction"]
    for name in names:
        rest = [other for other in names if other != name]
        yield f"without {name}", {**statement, "NotAction": rest}, name.removeprefix("s3:")
    for verb in ("Get", "List", "Put"):
        yield f"with {verb}*", {**statement, "NotAction": [*names, f"s3:{verb}*"]}, f"{verb}BucketTeleport"
    for resource in statement["Resource"]:
        yield (
            f"not on {resource}",
            {**statement, "Resource": [r for r in statement["Resource"] if r != resource]},
            NEW[0],
        )
    arns = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    for arn in arns:
        rest = [other for other in arns if other != arn]
        condition = {**statement["Condition"], "ArnNotLike": {"aws:PrincipalArn": rest}}
        yield f"without {arn}", {**statement, "Condition": condition}, NEW[0]
    for operator in statement["Condition"]:
        others = {name: keys for name, keys in statement["Condition"].items() if name != operator}
        yield f"without {operator}", {**statement, "Condition": others}, NEW[0]


@pytest.mark.parametrize("bucket", DENIALS)
def test_every_part_of_it_is_needed(bucket: str) -> None:
    statement = _later(bucket).to_json(principal="*")
    allow = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}

    def decisions(one: dict[str, Any], action: str) -> list[bool]:
        document = {"Version": "2012-10-17", "Statement": [allow, one]}
        return [allowed(document, action, on, who) for on in (ARN, OBJECT) for who in PRINCIPALS.values()]

    mutants = list(_mutants(statement))
    assert [
        change for change, mutant, action in mutants if decisions(mutant, action) == decisions(statement, action)
    ] == []
    assert len(mutants) > len(statement["NotAction"]) + 8
