"""Lets policies bind in S3, too: what every request is authorized as is put to tableguard's evaluation.

As `binding` does for DynamoDB, with the bucket's policy, the policies of the caller's role, and SCPs and RCPs. The
emulated S3 would ask the bucket's policy alone, with nobody but account roots as callers; while this decides, that is
not asked. A test can switch it off, and what is refused then is refused by the emulated S3.

Neither keys nor ACLs nor endpoints are asked about: every request comes from outside, over TLS. Of a request that
deletes several objects, none is deleted if one may not be. Of a tag on what is read, and of tags that are written, the
conditions know; of storage lens, access points and website requests nothing is known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

# Its neighbours: run as a script, they have no package.
import binding  # type: ignore[import-not-found]
import clock  # type: ignore[import-not-found]
from ministack.core import iam_actions
from ministack.core.responses import get_region, request_scope
from ministack.services import organizations, s3

_Json = dict[str, Any]
_Answer = tuple[int, dict[str, str], bytes]
_Asked = tuple[str, str, _Json]  # an action, the ARN of what it is on, and its condition keys

_MODE, _DATE = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"
_HOLD = "x-amz-object-lock-legal-hold"
_GRANTS = ("x-amz-acl", *(f"x-amz-grant-{each}" for each in ("full-control", "read", "read-acp", "write", "write-acp")))
_HEADERS = (  # which are condition keys under their own names
    *_GRANTS,
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-storage-class",
    "if-match",
    "if-none-match",
)


class _State:
    on = True


def is_on() -> bool:
    """Whether tableguard decides."""
    return _State.on


def switch(said: _Json) -> _Json:
    """Let tableguard decide, or the emulated S3.

    Args:
        said: Whether tableguard decides: `s3`.
    """
    _State.on = bool(said["s3"])
    return {"s3": _State.on}


def install() -> None:
    """Decide every request before the emulated S3 serves it."""
    handle, allows = s3.handle_request, s3._foreign_bucket_allows
    s3.handle_request = _if_allowed(handle)
    # Ours has decided before; its own would refuse roles, because it knows account roots only.
    s3._foreign_bucket_allows = lambda *request, **more: _State.on or allows(*request, **more)


def decide(who: tuple[str, str | None], action: str, resource: str, context: Mapping[str, Any]) -> None:
    """See whether something may be done with a bucket or an object; of a bucket that is not there, S3 says so.

    Args:
        who: The ARN of the caller, and of the role behind a session.
        action: With its service.
        resource: The ARN of the bucket or object.
        context: The condition keys of the request, besides those that every request has.

    Raises:
        DeniedError: It may not.
    """
    bucket = resource.split(":", 5)[5].partition("/")[0]
    owner = s3._bucket_owner_account(bucket)
    if owner is None:
        return
    policy = s3._bucket_policies.get_scoped(owner, None, bucket)
    account = who[0].split(":")[4]
    said = {"s3:ResourceAccount": owner, "aws:SourceIp": "203.0.113.113", "aws:RequestedRegion": get_region()}
    said |= {"s3:authType": "REST-HEADER", "s3:signatureversion": "AWS4-HMAC-SHA256", "s3:TlsVersion": "1.3"}
    for key, of in {"aws:PrincipalOrgID": account, "aws:ResourceOrgID": owner}.items():
        organization = _organization(of)
        if organization:
            said[key] = organization
    binding.decide(
        who,
        action,
        resource,
        owner=owner,
        context={**said, **context},
        policy=binding.document(policy) if policy else None,
    )


def _organization(account: str) -> str | None:
    for (master, _), organization in organizations._orgs._data.items():
        if account == master or any(found == account for _, found in organizations._accounts._data):
            return str(organization["Id"])
    return None


def _if_allowed(handle: Callable[..., Awaitable[_Answer]]) -> Callable[..., Awaitable[_Answer]]:
    async def handle_if_allowed(
        method: str, path: str, headers: _Json, body: bytes, query_params: _Json, *more: Any, **named: Any
    ) -> _Answer:
        if _State.on:
            bucket, key = s3._parse_bucket_key(path, headers)
            try:
                who = binding.whoever(headers, query_params)
                for action, resource, context in _asked(method, bucket, key, headers, query_params, body):
                    decide(who, action, resource, context)
            except binding.DeniedError as denied:
                return _refusal(method, bucket, query_params, body, f"{denied} (tableguard's evaluation, not S3's)")
            if key and method == "PUT" and "encryption" in query_params:  # it would be taken for an object
                answer: _Answer = s3._error("NotImplemented", "The emulated S3 has no UpdateObjectEncryption", 501)
                return answer
        return await handle(method, path, headers, body, query_params, *more, **named)

    return handle_if_allowed


def _refusal(method: str, bucket: str, query: _Json, body: bytes, message: str) -> _Answer:
    headers = {"Content-Type": "application/xml", "x-tableguard-decided": "denied"}
    if method == "POST" and "delete" in query:
        errors = "".join(
            f"<Error><Key>{escape(arn.partition('/')[2])}</Key><Code>AccessDenied</Code>"
            f"<Message>{escape(message)}</Message></Error>"
            for arn, _ in iam_actions._s3_batch_delete_targets(bucket, body)
        )
        return 200, headers, f'<DeleteResult xmlns="{s3.S3_NS}">{errors}</DeleteResult>'.encode()
    status, _, said = s3._error("AccessDenied", message, 403)
    return status, headers, b"" if method == "HEAD" else said


# --- What a request is authorized as


def _asked(method: str, bucket: str, key: str, headers: _Json, query: _Json, body: bytes) -> Iterator[_Asked]:
    action = iam_actions._s3_action(method, f"/{bucket}/{key}" if key else f"/{bucket}", query)
    if key and method == "PUT" and "encryption" in query:
        action = "UpdateObjectEncryption"  # which the emulator does not know
    if not bucket or not action:
        return
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    if method == "POST" and "delete" in query:
        for target, version in iam_actions._s3_batch_delete_targets(bucket, body):
            yield _deleting(version), target, {"s3:versionid": version} if version else {}
            yield from _bypassing(target, headers)
        return
    context = _context(bucket, key, headers, query)
    if action == "PutObject":
        # Uploading a part creates no object.
        context["s3:ObjectCreationOperation"] = str("partNumber" not in query and "uploads" not in query).lower()
    if action == "PutObjectRetention":
        context |= _retention(*(_element(body, name) for name in ("Mode", "RetainUntilDate")))
    if action == "PutObjectLegalHold":
        context["s3:object-lock-legal-hold"] = _element(body, "Status")
    yield f"s3:{action}", resource, context
    yield from _bypassing(resource, headers)
    if action == "PutObject" and "uploadId" not in query:
        yield from _writing(resource, headers, context)


def _deleting(version: str) -> str:
    return "s3:DeleteObjectVersion" if version else "s3:DeleteObject"


def _bypassing(resource: str, headers: _Json) -> Iterator[_Asked]:
    if headers.get("x-amz-bypass-governance-retention", "").lower() == "true":
        yield "s3:BypassGovernanceRetention", resource, {}


def _writing(resource: str, headers: _Json, context: _Json) -> Iterator[_Asked]:
    """What a write needs besides: for ACLs, tags, retention and holds in its headers, and for what it copies."""
    for action, names in {
        "PutObjectAcl": _GRANTS,
        "PutObjectTagging": ("x-amz-tagging",),
        "PutObjectRetention": (_MODE, _DATE),
        "PutObjectLegalHold": (_HOLD,),
    }.items():
        if any(headers.get(name) for name in names):
            yield f"s3:{action}", resource, context
    source = iam_actions._s3_source_object(headers)
    if source is None:
        return
    copied, version = source
    said = {"s3:versionid": version} if version else {}
    yield "s3:GetObjectVersion" if version else "s3:GetObject", copied, said
    bucket, _, key = copied.removeprefix("arn:aws:s3:::").partition("/")
    if _tags(bucket, key, {"versionId": version} if version else {}) and (
        headers.get("x-amz-tagging-directive", "COPY").upper() == "COPY"
    ):
        yield "s3:GetObjectVersionTagging" if version else "s3:GetObjectTagging", copied, said
        yield "s3:PutObjectTagging", resource, context


def _context(bucket: str, key: str, headers: _Json, query: _Json) -> _Json:
    context: _Json = {f"s3:{name}": headers[name] for name in _HEADERS if headers.get(name)}
    for name, said in {
        "prefix": "prefix",
        "delimiter": "delimiter",
        "max-keys": "max-keys",
        "versionId": "versionid",
    }.items():
        value = query.get(name)
        if value:
            context[f"s3:{said}"] = value[0] if isinstance(value, list) else value
    context |= _retention(headers.get(_MODE), headers.get(_DATE))
    if headers.get(_HOLD):
        context["s3:object-lock-legal-hold"] = headers[_HOLD]
    tags = dict(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True))
    context |= {f"s3:RequestObjectTag/{name}": value for name, value in tags.items()}
    if tags:
        context["s3:RequestObjectTagKeys"] = list(tags)
    if key:
        context |= {f"s3:ExistingObjectTag/{name}": value for name, value in _tags(bucket, key, query).items()}
    return context


def _retention(mode: str | None, date: str | None) -> _Json:
    context: _Json = {}
    if mode:
        context["s3:object-lock-mode"] = mode
    if date:
        context["s3:object-lock-retain-until-date"] = date
        seconds = dt.datetime.fromisoformat(date).timestamp() - clock.now()
        # A day that has begun counts: what is asked for as 30 days must not be 29 when it arrives.
        context["s3:object-lock-remaining-retention-days"] = str(int(-(-seconds // 86_400)))
    return context


def _element(body: bytes, name: str) -> str | None:
    return next((each.text for each in s3.fromstring(body).iter() if each.tag.rpartition("}")[2] == name), None)


def _tags(bucket: str, key: str, query: _Json) -> Mapping[str, str]:
    owner = s3._bucket_owner_account(bucket)
    if owner is None:
        return {}
    with request_scope(owner, get_region()):
        found: Mapping[str, str] = s3.object_tags_for_condition(bucket, key, query)
    return found
