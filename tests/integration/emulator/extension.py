"""Keeps what the emulator drops, and passes a request on to the account that owns the table.

It carries and stores. Whether a request is allowed is asked by its neighbour `binding`, and decided by tableguard. What
backups need has neighbours of its own: `clock`, `changes` and `exports`, `buckets`, `objects` and `replication`,
`machines` and `functions`, and `faults` for what is to go wrong. All run in the emulator's own environment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

# Its neighbours: run as a script, they have no package.
import batch_faults  # type: ignore[import-not-found]
import binding  # type: ignore[import-not-found]
import buckets  # type: ignore[import-not-found]
import changes  # type: ignore[import-not-found]
import clock  # type: ignore[import-not-found]
import connections  # type: ignore[import-not-found]
import control  # type: ignore[import-not-found]
import counting  # type: ignore[import-not-found]
import exports  # type: ignore[import-not-found]
import expressions  # type: ignore[import-not-found]
import faults  # type: ignore[import-not-found]
import functions  # type: ignore[import-not-found]
import kept  # type: ignore[import-not-found]
import machines  # type: ignore[import-not-found]
import memo  # type: ignore[import-not-found]
import moving  # type: ignore[import-not-found]
import objects  # type: ignore[import-not-found]
import organization  # type: ignore[import-not-found]
import replication  # type: ignore[import-not-found]
import restore_tests  # type: ignore[import-not-found]
import rot  # type: ignore[import-not-found]
import s3_binding  # type: ignore[import-not-found]
import s3_faults  # type: ignore[import-not-found]
import schedules  # type: ignore[import-not-found]
from ministack.core import lambda_runtime
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudformation, dynamodb, dynamodb_streams, ec2, iam, lambda_svc, sns
from ministack.services.cloudformation import provisioners

_ARN = re.compile(r"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:(\d{12}):table/")
_DAYS = 35  # what AWS keeps when a template says no period

# What CloudFormation does with a table besides, whatever its template says.
_ALSO = ("DescribeTable", "PutResourcePolicy", "UpdateContinuousBackups")

_Json = dict[str, Any]
_Answer = tuple[int, Mapping[str, str], bytes | str]


def install() -> None:
    """Extend the emulator, before it serves its first request."""
    handlers = provisioners._RESOURCE_HANDLERS
    for kind, settings in {"AWS::DynamoDB::GlobalTable": _replica_here, "AWS::DynamoDB::Table": _table_itself}.items():
        _extend_table(handlers[kind], settings)
    _extend_role(handlers["AWS::IAM::Role"])
    _extend_function(handlers["AWS::Lambda::Function"])
    _extend_topic(handlers["AWS::SNS::Topic"])
    handlers["AWS::Organizations::Policy"] = organization.handler()
    kept.install()
    connections.install()
    memo.install()
    expressions.install()
    in_this_order = (clock, changes, exports, buckets, objects, rot, replication, s3_binding, s3_faults)
    for each in (*in_this_order, functions, machines, schedules, batch_faults, restore_tests):
        each.install()
    control.install(_controls())
    dynamodb._update_continuous_backups = _update_continuous_backups
    dynamodb._describe_continuous_backups = _describe_continuous_backups
    dynamodb._create_table = _with_its_policy(dynamodb._create_table)
    for service in (dynamodb, dynamodb_streams):
        service.handle_request = _if_allowed(_at_the_owner(service.handle_request))
    counting.install()
    moving.install()
    cloudformation.handle_request = _with_the_role(cloudformation.handle_request)
    for module in (lambda_runtime, lambda_svc):
        module.execution_credentials = binding.execution_credentials
    ec2._vpce_fields_xml = _with_the_policy(ec2._vpce_fields_xml)


def _controls() -> dict[str, Callable[[_Json], _Json]]:
    def set_clock(said: _Json) -> _Json:
        if "offset" in said:
            clock.shift(float(said["offset"]))
        return {"now": clock.now()}

    return {
        "clock": set_clock,
        "inject": faults.inject,
        "forget": faults.forget,
        "hits": faults.hits,
        "fill": changes.fill,
        "binding": s3_binding.switch,
        "refusals": replication.refusals,
        "rot": rot.rot,
        "requests": counting.requests,
        "steps": moving.steps,
        "failures": schedules.failures,
        "restored": restore_tests.ended,
        "validations": restore_tests.results,
        "invocations": functions.invocations,
    }


# --- What a table's template says, kept through the emulator's own API


def _extend_table(handler: _Json, settings: Callable[[_Json], _Json]) -> None:
    create, update = handler["create"], handler["update"]

    def create_and_keep(logical_id: str, props: _Json, stack_name: str) -> tuple[str, _Json]:
        if "TableName" in props:
            binding.check_deployment(stack_name, props["TableName"], "CreateTable", *_ALSO)
        name, attributes = create(logical_id, props, stack_name)
        _keep(name, props, settings)
        return name, attributes

    def update_and_keep(physical_id: str, old: _Json, new: _Json, *more: Any) -> tuple[str, _Json]:
        binding.check_deployment(more[0], physical_id, "UpdateTable", *_ALSO)
        name, attributes = update(physical_id, old, new, *more)
        _keep(name, new, settings)
        return name, attributes

    def delete(physical_id: str, _props: _Json) -> None:
        """As DeleteTable does it: refused for a protected table. Its policies go with it."""
        table = dynamodb._tables.get(physical_id)
        if table is None:
            return
        _checked(dynamodb._delete_table({"TableName": physical_id}))
        for arn in _arns(table):
            dynamodb._resource_policies.pop(arn, None)

    handler.update(create=create_and_keep, update=update_and_keep, delete=delete)


def _table_itself(props: _Json) -> _Json:
    """What a Table says of itself, under the names that a GlobalTable uses for a replica."""
    stream = props.get("StreamSpecification", {}).get("ResourcePolicy")
    return {**props, "ReplicaStreamSpecification": {"ResourcePolicy": stream} if stream else {}}


def _replica_here(props: _Json) -> _Json:
    (replica,) = (each for each in props["Replicas"] if each["Region"] == get_region())
    return {**replica, "SSESpecification": {**props.get("SSESpecification", {}), **replica.get("SSESpecification", {})}}


def _keep(name: str, props: _Json, settings: Callable[[_Json], _Json]) -> None:
    _keep_settings(name, settings(props))
    here = get_region()
    wanted = {replica["Region"] for replica in props.get("Replicas", ())} - {here}
    found = set(dynamodb._replica_group(dynamodb._tables[name])) - {here}
    for kind, regions in {"Create": wanted - found, "Delete": found - wanted}.items():
        for region in sorted(regions):
            _checked(dynamodb._update_table({"TableName": name, "ReplicaUpdates": [{kind: {"RegionName": region}}]}))
    for region in sorted(wanted):
        with request_scope(get_account_id(), region):
            _keep_settings(name, settings(props))


def _keep_settings(name: str, said: _Json) -> None:
    encryption = said.get("SSESpecification", {})
    key = encryption.get("KMSMasterKeyId")
    _checked(
        dynamodb._update_table(
            {
                "TableName": name,
                "DeletionProtectionEnabled": said.get("DeletionProtectionEnabled", False),
                "SSESpecification": {
                    "Enabled": encryption.get("SSEEnabled", False),
                    **({"SSEType": "KMS", "KMSMasterKeyId": key} if key else {}),
                },
            }
        )
    )
    recovery = said.get("PointInTimeRecoverySpecification", {"PointInTimeRecoveryEnabled": False})
    _checked(dynamodb._update_continuous_backups({"TableName": name, "PointInTimeRecoverySpecification": recovery}))
    table_arn, *stream_arn = _arns(dynamodb._tables[name])
    _keep_policy(table_arn, said.get("ResourcePolicy"))
    for arn in stream_arn:
        _keep_policy(arn, said.get("ReplicaStreamSpecification", {}).get("ResourcePolicy"))


def _keep_policy(arn: str, said: _Json | None) -> None:
    if said:
        policy = json.dumps(said["PolicyDocument"])
        _checked(dynamodb._put_resource_policy({"ResourceArn": arn, "Policy": policy}))
    else:
        _checked(dynamodb._delete_resource_policy({"ResourceArn": arn}))


def _with_its_policy(create: Callable[[_Json], _Answer]) -> Callable[[_Json], _Answer]:
    """The emulator drops the policy and the warm throughput that a table is created with."""

    def create_and_keep(data: _Json) -> _Answer:
        answer = create(data)
        if answer[0] == 200:
            table = dynamodb._tables[data["TableName"]]
            if data.get("WarmThroughput"):
                table["WarmThroughput"] = {**data["WarmThroughput"], "Status": "ACTIVE"}
            if data.get("ResourcePolicy"):
                _checked(
                    dynamodb._put_resource_policy({"ResourceArn": table["TableArn"], "Policy": data["ResourcePolicy"]})
                )
        return answer

    return create_and_keep


def _arns(table: _Json) -> Iterator[str]:
    """The ARN of the table, and that of its stream if it has one."""
    yield table["TableArn"]
    if table.get("LatestStreamArn"):
        yield table["LatestStreamArn"]


def _update_continuous_backups(data: _Json) -> _Answer:
    name = dynamodb._normalize_table_name(data.get("TableName"))
    if name in dynamodb._tables:
        said = data.get("PointInTimeRecoverySpecification", {})
        on = said.get("PointInTimeRecoveryEnabled", False)
        # The emulator keeps whether it is on; days that are not 0 say so, too.
        dynamodb._pitr_settings[name] = int(said.get("RecoveryPeriodInDays", _DAYS)) if on else 0
        changes.of(dynamodb._tables[name])  # its log begins, or ends, now
    return _describe_continuous_backups(data)


def _describe_continuous_backups(
    data: _Json, described: Callable[[_Json], _Answer] = dynamodb._describe_continuous_backups
) -> _Answer:
    status, headers, body = described(data)
    name = dynamodb._normalize_table_name(data.get("TableName"))
    days = dynamodb._pitr_settings.get(name, 0)
    if status != 200 or not days:
        return status, headers, body
    answer = json.loads(body)
    answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"] |= {
        "RecoveryPeriodInDays": days,
        "EarliestRestorableDateTime": changes.earliest(dynamodb._tables[name]),
        "LatestRestorableDateTime": clock.now(),
    }
    return status, headers, json.dumps(answer).encode()


# --- Roles


def _extend_role(handler: _Json) -> None:
    create, update = handler["create"], handler["update"]

    def create_and_keep(logical_id: str, props: _Json, stack_name: str) -> tuple[str, _Json]:
        name, attributes = create(logical_id, props, stack_name)
        iam._roles[name]["PermissionsBoundary"] = props.get("PermissionsBoundary")
        return name, attributes

    def update_and_keep(physical_id: str, old: _Json, new: _Json, *more: object) -> tuple[str, _Json]:
        name, attributes = update(physical_id, old, new, *more)
        iam._roles[name]["PermissionsBoundary"] = new.get("PermissionsBoundary")
        return name, attributes

    handler.update(create=create_and_keep, update=update_and_keep)


# --- Functions, topics and endpoints


def _extend_topic(handler: _Json) -> None:
    create, update = handler["create"], handler["update"]

    def create_and_keep(logical_id: str, props: _Json, stack_name: str) -> tuple[str, _Json]:
        arn, attributes = create(logical_id, props, stack_name)
        sns._topics[arn]["attributes"]["KmsMasterKeyId"] = props.get("KmsMasterKeyId", "")
        return arn, attributes

    def update_and_keep(physical_id: str, old: _Json, new: _Json, *more: object) -> tuple[str, _Json]:
        arn, attributes = update(physical_id, old, new, *more)
        sns._topics[arn]["attributes"]["KmsMasterKeyId"] = new.get("KmsMasterKeyId", "")
        return arn, attributes

    handler.update(create=create_and_keep, update=update_and_keep)


def _extend_function(handler: _Json) -> None:
    create, update = handler["create"], handler["update"]

    def create_and_keep(logical_id: str, props: _Json, stack_name: str) -> tuple[str, _Json]:
        name, attributes = create(logical_id, props, stack_name)
        _keep_network(name, props)
        return name, attributes

    def update_and_keep(physical_id: str, old: _Json, new: _Json, *more: object) -> tuple[str, _Json]:
        name, attributes = update(physical_id, old, new, *more)
        _keep_network(name, new)
        return name, attributes

    handler.update(create=create_and_keep, update=update_and_keep)


def _keep_network(name: str, props: _Json) -> None:
    lambda_svc._functions[name]["config"]["VpcConfig"] = lambda_svc._vpc_config_with_id(props.get("VpcConfig"))


def _with_the_policy(describe: Callable[..., str]) -> Callable[..., str]:
    """The emulator keeps an endpoint's policy, and does not tell it."""

    def described(endpoint: _Json, tag: str = "item") -> str:
        policy = endpoint.get("PolicyDocument")
        text = policy if isinstance(policy, str) else json.dumps(policy)
        policy_document = f"<policyDocument>{escape(text)}</policyDocument>" if policy else ""
        return f"{describe(endpoint, tag).rstrip().removesuffix(f'</{tag}>')}{policy_document}</{tag}>"

    return described


# --- Who is allowed, asked next door


def _if_allowed(handle: Callable[..., Awaitable[_Answer]]) -> Callable[..., Awaitable[_Answer]]:
    async def handle_if_allowed(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> _Answer:
        try:
            action = headers.get("x-amz-target", "").rpartition(".")[2]
            wrong = faults.error(f"dynamodb:{action}", body.decode() if isinstance(body, bytes) else body)
            if wrong:
                return _refusal(*wrong)
            binding.check_request(method, headers, body, query_params)
        except binding.DeniedError as denied:
            return _refusal(400, "AccessDeniedException", str(denied))
        return await handle(method, path, headers, body, query_params)

    return handle_if_allowed


def _refusal(status: int, code: str, message: str) -> _Answer:
    said = {"__type": f"com.amazon.coral.service#{code}", "Message": message, "message": message}
    return status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(said).encode()


def _with_the_role(handle: Callable[..., Awaitable[_Answer]]) -> Callable[..., Awaitable[_Answer]]:
    """The emulator drops the role that is passed for a stack."""

    async def handle_with_the_role(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> _Answer:
        binding.remember_role(headers, body, query_params)
        return await handle(method, path, headers, body, query_params)

    return handle_with_the_role


# --- Requests on another account's table


def _at_the_owner(handle: Callable[..., Awaitable[_Answer]]) -> Callable[..., Awaitable[_Answer]]:
    """As AWS does: whoever names a table by its ARN reaches the table of the account in it."""

    async def handle_at_the_owner(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> _Answer:
        owners = set(_owners(body))
        if len(owners) != 1:
            return await handle(method, path, headers, body, query_params)
        (account,) = owners
        with request_scope(account, get_region()):
            return await handle(method, path, headers, body, query_params)

    return handle_at_the_owner


def _owners(body: bytes) -> Iterator[str]:
    """The account of every table that a request names by its ARN."""
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return
    for named in _named(data):
        match = _ARN.match(named)
        if match:
            yield match[1]


def _named(data: _Json) -> Iterator[str]:
    members = [data.get(member) for member in ("TableName", "TableArn", "ResourceArn", "StreamArn", "ExportArn")]
    members += data.get("RequestItems", {})
    members += [part.get("TableName") for item in data.get("TransactItems", ()) for part in item.values()]
    yield from (member for member in members if isinstance(member, str))
    iterator = dynamodb_streams._decode_iterator(data.get("ShardIterator") or "")
    if iterator:
        yield iterator.get("arn", "")


def _checked(answer: _Answer) -> None:
    """CloudFormation fails when a service refuses; so does the emulator's.

    Raises:
        ValueError: The emulated service refused.
    """
    status, _, body = answer
    if status >= 400:
        raise ValueError(body.decode() if isinstance(body, bytes) else body)
