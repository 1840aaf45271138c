"""Lets policies bind: every request to DynamoDB is put to tableguard's evaluation before the emulator serves it.

It decides nothing itself. It carries what the emulator holds at that moment to `tableguard.evaluation`: who
calls and from which network, the SCPs of the caller's account and the RCPs of the table's, the policy of the endpoint
that the request goes through, the table's or stream's own, and those of the caller's role. What that denies is answered
with AccessDeniedException, and the message names the layers that decided.

Neither keys nor trust policies are asked about. `s3_binding` does the same for S3, and `machines` for what state
machines do besides. Where a request comes from:

- A function with a VpcConfig calls through the gateway endpoint of its subnets' route tables, or has no way.
- Any other request comes from outside, unless its header `x-tableguard-vpce` names an endpoint: the emulator has no
  networks, and somebody has to say it.
- CloudFormation calls from outside as the role that was passed for the stack or, without one, as whoever asked it.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

import request_keys  # type: ignore[import-not-found]  # its neighbour: run as a script, this has no package
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.core.router import extract_access_key_id
from ministack.services import dynamodb, dynamodb_streams, ec2, iam, lambda_svc, organizations, sts

from tableguard.aws.dynamodb import ACTIONS
from tableguard.evaluation import Document, Policies, Request, evaluate

HEADER = "x-tableguard-vpce"
_ADDRESS = "203.0.113.113"  # of whoever calls from outside
# They reach no table that is there: nothing binds them that we could look up.
_OF_NO_TABLE = frozenset({"DescribeEndpoints", "DescribeLimits", "ListTables", "ListStreams", "ListBackups"})
# What creating a table needs besides, if it has them.
_WITH_A_TABLE = {"ResourcePolicy": "PutResourcePolicy", "Tags": "TagResource"}
_SERVICE = "SERVICE_CONTROL_POLICY"
_RESOURCE = "RESOURCE_CONTROL_POLICY"

_Json = dict[str, Any]

# As whom CloudFormation works on a stack, by account, region and name: the caller, and the role behind it.
_worker: dict[tuple[str, str, str], tuple[str, str | None]] = {}


# As whom a request is made that another service makes: a state machine's role, say.
acting: ContextVar[tuple[str, str | None] | None] = ContextVar("acting", default=None)


# Who makes the request to DynamoDB that is being served: exports write as they do.
asking: ContextVar[tuple[str, str | None] | None] = ContextVar("asking", default=None)


class DeniedError(Exception):
    """A request that is not allowed."""


def check_request(method: str, headers: Mapping[str, str], body: bytes, query_params: Mapping[str, Any]) -> None:
    """See whether a request to DynamoDB or its streams is allowed.

    Args:
        method: Of HTTP.
        headers: Its headers, in lower case.
        body: Its body.
        query_params: Its query.

    Raises:
        DeniedError: It is not.
    """
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if method != "POST" or not action or action in _OF_NO_TABLE:
        return
    said = json.loads(body or b"{}")
    key = extract_access_key_id(headers, query_params) or ""
    caller, role = whoever(headers, query_params)
    asking.set((caller, role))
    network = _network(key, headers.get(HEADER))
    for done, resource in _asked(action, said):
        if action == "CreateTable" or _is_there(resource):
            _decide(caller, role, done, resource, network, request_keys.of_request(done, said, resource))


def remember_role(headers: Mapping[str, str], body: bytes, query_params: Mapping[str, Any]) -> None:
    """Keep as whom CloudFormation is to work on a stack, which it does for later requests as well.

    Args:
        headers: Of a request to CloudFormation.
        body: Its body.
        query_params: Its query.
    """
    said = parse_qs(body.decode("utf-8", "replace"))
    if "StackName" not in said:
        return
    name = said["StackName"][0]
    stack = get_account_id(), get_region(), name.split("/")[1] if name.startswith("arn:") else name
    if "RoleARN" in said:
        _worker[stack] = said["RoleARN"][0], said["RoleARN"][0]
    elif stack not in _worker:
        _worker[stack] = _caller(extract_access_key_id(headers, query_params) or "")


def check_deployment(stack: str, name: str, *actions: str) -> None:
    """See whether CloudFormation may do something with a table for a stack.

    Args:
        stack: The stack's name.
        name: The table's.
        *actions: What it does.

    Raises:
        ValueError: It may not, which fails the stack.
    """
    caller, role = _worker[get_account_id(), get_region(), stack]
    for action in actions:
        try:
            _decide(caller, role, action, _table(name), {})
        except DeniedError as denied:
            raise ValueError(str(denied)) from None


def execution_credentials(config: _Json) -> dict[str, str]:
    """Credentials of a function's own role, where the emulator would hand out those of the whole account.

    Args:
        config: The function's configuration.
    """
    account = config["FunctionArn"].split(":")[4]
    digest = hashlib.sha256(f"{config['FunctionArn']} {config['Role']}".encode()).hexdigest()
    key = f"ASIA{digest[:16].upper()}"
    role = config["Role"].rpartition("/")[2]
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{config['FunctionName']}",
            "UserId": f"{role}:{config['FunctionName']}",
            "SecretAccessKey": digest,
            "SessionToken": digest,
            "Function": config["FunctionArn"],
        },
    )
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": digest, "AWS_SESSION_TOKEN": digest}


def _decide(
    caller: str,
    role: str | None,
    action: str,
    resource: str,
    network: Mapping[str, Any],
    more: Mapping[str, Any] | None = None,
) -> None:
    endpoint = network.get("aws:SourceVpce")
    decide(
        (caller, role),
        f"dynamodb:{action}",
        resource,
        context={
            "aws:RequestedRegion": resource.split(":")[3],
            **(network or {"aws:SourceIp": _ADDRESS}),
            **(more or {}),
        },
        policy=_policy_of(resource),
        endpoint=_endpoint(endpoint)["PolicyDocument"] if endpoint else None,
    )


def decide(
    who: tuple[str, str | None],
    action: str,
    resource: str,
    *,
    owner: str | None = None,
    context: Mapping[str, Any],
    policy: Any = None,
    endpoint: Any = None,
) -> None:
    """Put one request to tableguard's evaluation.

    Args:
        who: The ARN of the caller, and of the role behind a session.
        action: With its service.
        resource: The resource's ARN.
        owner: The resource's account; the one in its ARN when left out.
        context: The condition keys of the request, besides those that every request has.
        policy: The resource's own policy.
        endpoint: That of the endpoint that the request goes through.

    Raises:
        DeniedError: It is not allowed.
    """
    caller, role = who
    owner = owner or resource.split(":")[4]
    decision = evaluate(
        Request(
            principal=caller,
            action=action,
            resource=resource,
            resource_account=owner,
            context={
                "aws:SecureTransport": "true",
                "aws:ViaAWSService": "false",
                **context,
                **({"aws:PrincipalArn": role} if role else {}),
            },
            management_account=_management_account(),
        ),
        Policies(
            identity=list(_identity(role)) if role else [],
            resource=policy,
            service_control=_attached(caller.split(":")[4], _SERVICE),
            resource_control=_attached(owner, _RESOURCE),
            endpoint=endpoint,
        ),
    )
    if not decision.allowed:
        layers = ", ".join(sorted({reason.layer.value for reason in decision.because}))
        statements = " ".join(sorted({reason.sid for reason in decision.because if reason.sid})) or "nothing allows it"
        raise DeniedError(
            f"{caller} is not authorized to perform {action} on {resource} ({statements}); decided by {layers}"
        )


# --- What the emulator holds


def whoever(headers: Mapping[str, str], query_params: Mapping[str, Any]) -> tuple[str, str | None]:
    """The ARN of whoever makes a request, and the role behind a session.

    Args:
        headers: Its headers, in lower case.
        query_params: Its query.
    """
    return acting.get() or _caller(extract_access_key_id(headers, query_params) or "")


def session_of(role: str, name: str) -> tuple[str, str | None]:
    """As `whoever`, of the session that a service has of a role.

    Args:
        role: The role's ARN.
        name: The session's.
    """
    return f"arn:aws:sts::{role.split(':')[4]}:assumed-role/{role.rpartition('/')[2]}/{name}", role


def _caller(key: str) -> tuple[str, str | None]:
    """The ARN of whoever calls, and the role behind a session."""
    session = sts._sessions.get(key)
    if session is None:
        return f"arn:aws:iam::{get_account_id()}:root", None
    account, name = session["Arn"].split(":")[4], session["Arn"].split("/")[1]
    with request_scope(account, get_region()):
        return session["Arn"], iam._roles[name]["Arn"]


def _network(key: str, header: str | None) -> Mapping[str, Any]:
    """The keys that a request through an endpoint has; none for one that comes from outside."""
    function = (sts._sessions.get(key) or {}).get("Function")
    endpoint = _endpoint_of(function) if function else None
    if endpoint is None and header is not None:
        endpoint = _endpoint(header)
    if endpoint is None:
        return {}
    return {
        "aws:SourceVpce": endpoint["VpcEndpointId"],
        "aws:SourceVpc": endpoint["VpcId"],
        "aws:VpceAccount": endpoint["OwnerId"],
    }


def _endpoint_of(function: str) -> _Json | None:
    """The endpoint that a function calls through; None for one that runs in no VPC."""
    _, _, _, region, account, _, name = function.split(":")
    with request_scope(account, region):
        subnets = set(lambda_svc._functions[name]["config"].get("VpcConfig", {}).get("SubnetIds", ()))
        if not subnets:
            return None
        routed = {
            table["RouteTableId"]
            for table in ec2._route_tables.values()
            for each in table["Associations"]
            if each.get("SubnetId") in subnets
        }
        for endpoint in ec2._vpc_endpoints.values():
            if routed & set(endpoint["RouteTableIds"]) and endpoint["ServiceName"].endswith(f"{region}.dynamodb"):
                return dict(endpoint)
    raise DeniedError(f"{function} runs in a VPC that has no way to DynamoDB")


def _endpoint(endpoint_id: str) -> _Json:
    for (*_, found), endpoint in ec2._vpc_endpoints._data.items():
        if found == endpoint_id:
            return dict(endpoint)
    raise DeniedError(f"there is no endpoint {endpoint_id}")


def _asked(action: str, said: _Json) -> Iterator[tuple[str, str]]:
    """What a request is authorized as: actions, each with the ARN of what it is on.

    Raises:
        DeniedError: It is one whose actions are not known here.
    """
    if action not in ACTIONS and "TransactItems" not in said:
        raise DeniedError(f"{action} is no action of IAM: what it is authorized as is not known here")
    for item in said.get("TransactItems", ()):
        for kind, part in item.items():
            yield f"{kind}Item", _table(part["TableName"])
    if action == "CreateTable":
        table = _table(said["TableName"])
        yield from ((more, table) for member, more in _WITH_A_TABLE.items() if said.get(member))
    for name in said.get("RequestItems", ()):
        yield action, _table(name)
    for member in ("TableName", "TableArn", "ResourceArn", "StreamArn", "ExportArn"):
        if member in said:
            index = f"/index/{said['IndexName']}" if "IndexName" in said else ""
            yield action, f"{_table(said[member])}{index}"
    iterator = dynamodb_streams._decode_iterator(said.get("ShardIterator") or "")
    if iterator:
        yield action, iterator["arn"]


def _table(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{get_region()}:{get_account_id()}:table/{name}"


def _is_there(resource: str) -> bool:
    """Whether there is such a table: of one that is not, the emulator says so itself."""
    with request_scope(resource.split(":")[4], resource.split(":")[3]):
        return resource.split("/")[1] in dynamodb._tables


def _policy_of(resource: str) -> Any:
    of = resource if "/stream/" in resource else resource.partition("/index/")[0]
    with request_scope(of.split(":")[4], of.split(":")[3]):
        found = dynamodb._resource_policies.get(of)
    return document(found["Policy"]) if found else None


@functools.lru_cache(1024)
def document(text: str) -> Document:
    """A policy document, read once however many requests it decides."""
    return Document(json.loads(text))


def _identity(role: str) -> Iterator[Any]:
    account, name = role.split(":")[4], role.rpartition("/")[2]
    with request_scope(account, get_region()):
        found = iam._roles.get(name)
        if found is None:
            raise DeniedError(f"there is no role {role}")
        documents = [
            *found["InlinePolicies"].values(),
            *(iam_evaluator._resolve_managed_policy_document(arn, account) for arn in found["AttachedPolicies"]),
        ]
    for each in documents:
        yield document(each) if isinstance(each, str) else each


def _attached(account: str, kind: str) -> list[list[Any]]:
    """The policies of one kind on an account, as its one level; none for an account of no organization."""
    found = []
    for (master, policy_id), targets in organizations._attachments._data.items():
        policy = organizations._policies._data[master, policy_id]
        if account in targets and policy["Type"] == kind:
            found.append(document(policy["_Content"]))
    return [found] if found else []


def _management_account() -> str | None:
    return next((master for master, _ in organizations._orgs._data), None)
