"""Policies of the organization, deployed by CloudFormation: stored through the emulator's own API for Organizations."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import organizations

_Json = dict[str, Any]
_TYPES = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")


def handler() -> dict[str, Callable[..., Any]]:
    """What CloudFormation calls for an AWS::Organizations::Policy."""
    return {"create": _create, "update": _update, "delete": _delete}


def _create(_logical_id: str, props: _Json, _stack_name: str) -> tuple[str, _Json]:
    _enable()
    said = {name: props[name] for name in ("Name", "Type")}
    policy = _asked("CreatePolicy", **said, Description=props.get("Description", ""), Content=_text(props))["Policy"]
    policy_id = policy["PolicySummary"]["Id"]
    _attach(policy_id, props)
    return policy_id, _attributes(policy)


def _update(policy_id: str, _old: _Json, new: _Json, *_more: object) -> tuple[str, _Json]:
    said = {"PolicyId": policy_id, "Name": new["Name"], "Description": new.get("Description", "")}
    policy = _asked("UpdatePolicy", **said, Content=_text(new))["Policy"]
    _attach(policy_id, new)
    return policy_id, _attributes(policy)


def _delete(policy_id: str, _props: _Json) -> None:
    _attach(policy_id, {})
    _asked("DeletePolicy", PolicyId=policy_id)


def _attach(policy_id: str, props: _Json) -> None:
    wanted, there = set(props.get("TargetIds", ())), set(organizations._attachments.get(policy_id) or ())
    for target in sorted(wanted - there):
        _join(target)
        _asked("AttachPolicy", PolicyId=policy_id, TargetId=target)
    for target in sorted(there - wanted):
        _asked("DetachPolicy", PolicyId=policy_id, TargetId=target)


def _enable() -> None:
    """As whoever sets an organization up does it once: both types are enabled."""
    organizations._ensure_org()
    (root,) = organizations._roots.values()
    enabled = {each["Type"] for each in root["PolicyTypes"]}
    for kind in _TYPES:
        if kind not in enabled:
            _asked("EnablePolicyType", RootId=root["Id"], PolicyType=kind)


def _join(account: str) -> None:
    """The emulator makes accounts of its own and invites none. One that joins has FullAWSAccess attached."""
    if account in organizations._accounts:
        return
    organization, (root,) = organizations._orgs["self"], organizations._roots.values()
    arn = f"arn:aws:organizations::{get_account_id()}:account/{organization['Id']}/{account}"
    # As the emulator writes down the account that it makes the organization with.
    like = organizations._accounts[get_account_id()]
    organizations._accounts[account] = {**like, "Id": account, "Arn": arn, "Name": account, "_ParentId": root["Id"]}
    _asked("AttachPolicy", PolicyId=organizations.FULL_ACCESS_POLICY_ID, TargetId=account)


def _text(props: _Json) -> str:
    content = props["Content"]
    return content if isinstance(content, str) else json.dumps(content)


def _attributes(policy: _Json) -> _Json:
    summary = policy["PolicySummary"]
    return {"Id": summary["Id"], "Arn": summary["Arn"], "AwsManaged": False}


def _asked(operation: str, **payload: Any) -> _Json:
    status, _, body = organizations._DISPATCH[operation](payload)
    said: _Json = json.loads(body or b"{}")
    if status >= 400:
        raise ValueError(f"{operation}: {said}")
    return said
