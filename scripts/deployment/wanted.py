"""What the templates of an assembly ask for, resource by resource, in the words that `found` uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from scripts.deployment.backed_up import BACKUPS_ASKED
from scripts.deployment.documents import normal
from scripts.deployment.plan import Json, Place
from scripts.deployment.restricted import ASKED, ATTACHED, ATTRIBUTES
from tableguard.review.assembly import SynthesizedStack, read_assembly
from tableguard.review.intrinsics import Resolver

Properties: TypeAlias = Mapping[str, Any]
"""Of a resource, by what a reader would call them."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9-]+)\.([A-Za-z0-9]+)(?:@(\w+))?\}")
_KINDS = {
    "GlobalTable": "table",
    "LogGroup": "log group",
    "RouteTable": "route table",
    "StateMachine": "machine",
    "SecurityGroup": "security group",
    "VPCEndpoint": "endpoint",
}
_TOLD_ELSEWHERE = {"AWS::IAM::Policy", "AWS::CDK::Metadata", *(kind for kind, _, _ in ATTACHED.values())}
_RECOVERY_DAYS = 35  # AWS keeps as many when a template says nothing


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a stack.

    Args:
        stack: The stack.
        logical_id: Its name in the template.
        kind: Its type.
        physical_id: Its name in the account.
        properties: What the template asks for.
    """

    stack: SynthesizedStack
    logical_id: str
    kind: str
    physical_id: str
    properties: Properties

    @property
    def place(self) -> Place:
        """Where it is."""
        return place_of(self.stack)

    @property
    def label(self) -> str:
        """How a reader knows it."""
        kind = self.kind.rpartition("::")[2]
        return f"{self.stack.name}: {_KINDS.get(kind, kind.lower())} {self.logical_id}"


@dataclass(frozen=True)
class Wanted:
    """All resources and outputs of an assembly.

    Args:
        folder: The assembly.
        physical_ids: The names that CloudFormation gave, for a stack: by logical id.
    """

    folder: Path
    physical_ids: Callable[[SynthesizedStack], Mapping[str, str]]

    @cached_property
    def stacks(self) -> tuple[SynthesizedStack, ...]:
        """The stacks, in the order of the assembly."""
        return read_assembly(self.folder)

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource; policies of a role are told with the role."""
        return tuple(each for stack in self.stacks for each in self._of(stack))

    def outputs(self, stack: SynthesizedStack) -> Mapping[str, str]:
        """The outputs of a stack."""
        said = self._resolved(stack, {name: said["Value"] for name, said in stack.template.get("Outputs", {}).items()})
        return {name: str(value) for name, value in said.items()}

    def _of(self, stack: SynthesizedStack) -> Iterator[Resource]:
        names = self._names[stack.name]
        for logical_id, resource in stack.resources():
            kind = resource["Type"]
            if kind in _TOLD_ELSEWHERE:
                continue
            said = self._resolved(stack, resource.get("Properties", {}))
            reader = _READERS.get(kind)
            if kind == "AWS::IAM::Role":
                said = {**said, "attached": self._policies_of(stack, logical_id)}
            elif kind in ATTACHED:
                said = {**said, "attached": self._attached(stack, logical_id, *ATTACHED[kind])}
            yield Resource(
                stack=stack,
                logical_id=logical_id,
                kind=kind,
                physical_id=names[logical_id],
                properties=reader({**said, "region": stack.region}) if reader else {"anything": "nothing reads it"},
            )

    def _policies_of(self, stack: SynthesizedStack, role: str) -> dict[str, Any]:
        policies = [policy["Properties"] for _, policy in stack.resources("AWS::IAM::Policy")]
        mine = [policy for policy in policies if {"Ref": role} in policy.get("Roles", ())]
        return {policy["PolicyName"]: self._resolved(stack, policy["PolicyDocument"]) for policy in mine}

    def _attached(self, stack: SynthesizedStack, to: str, kind: str, names: str, adds: str) -> Any:
        found = [each["Properties"] for _, each in stack.resources(kind)]
        mine = [each[adds] for each in found if {"Ref": to} in (each[names], *each[names])]
        resolved = [self._resolved(stack, each) for each in mine]
        return resolved if kind == "AWS::EC2::SubnetRouteTableAssociation" else resolved[0] if resolved else None

    def _resolved(self, stack: SynthesizedStack, value: Any) -> Any:
        return self._named(self._resolver.resolve(stack, value))

    @cached_property
    def _resolver(self) -> Resolver:
        return Resolver(self.stacks)

    @cached_property
    def _names(self) -> Mapping[str, Mapping[str, str]]:
        return {stack.name: self.physical_ids(stack) for stack in self.stacks}

    def _named(self, value: Any) -> Any:
        """The value with the names that CloudFormation gave."""
        if isinstance(value, Mapping):
            return {key: self._named(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._named(each) for each in value]
        return _PLACEHOLDER.sub(self._name, value) if isinstance(value, str) else value

    def _name(self, placeholder: re.Match[str]) -> str:
        stack_name, logical_id, attribute = placeholder.groups()
        name = self._names.get(stack_name, {}).get(logical_id)
        if name is None:
            return placeholder[0]
        (stack,) = (stack for stack in self.stacks if stack.name == stack_name)
        if attribute is None:
            return name
        kind = stack.template["Resources"][logical_id]["Type"]
        written = ATTRIBUTES.get((kind, attribute), placeholder[0].replace("{", "{{").replace("}", "}}"))
        parts = {"path": name, "name": name.rpartition("/")[2], "last": name.rpartition(":")[2]}
        return written.format(region=stack.region, account=stack.account, **parts)


def place_of(stack: SynthesizedStack) -> Place:
    """The account and the region of a stack, which the reference app always says."""
    return str(stack.account), str(stack.region)


def _table(said: Json) -> Properties:
    (replica,) = (each for each in said["Replicas"] if each["Region"] == said["region"])
    recovery = replica.get("PointInTimeRecoverySpecification", {})
    on = recovery.get("PointInTimeRecoveryEnabled", False)
    stream = replica.get("ReplicaStreamSpecification", {}).get("ResourcePolicy", {})
    return {
        "key": {each["KeyType"]: each["AttributeName"] for each in said["KeySchema"]},
        "indexes": sorted(each["IndexName"] for each in said.get("GlobalSecondaryIndexes", ())),
        "billing": said["BillingMode"],
        "replicas in other regions": sorted({each["Region"] for each in said["Replicas"]} - {said["region"]}),
        "stream": said.get("StreamSpecification", {}).get("StreamViewType"),
        "encryption with": replica.get("SSESpecification", {}).get("KMSMasterKeyId"),
        "deletion protection": replica.get("DeletionProtectionEnabled", False),
        "point-in-time recovery": on,
        "days that one can go back": recovery.get("RecoveryPeriodInDays", _RECOVERY_DAYS) if on else None,
        "policy": normal(replica.get("ResourcePolicy", {}).get("PolicyDocument")),
        "policy of the stream": normal(stream.get("PolicyDocument")),
    }


def _key(said: Json) -> Properties:
    return {
        "enabled": said.get("Enabled", True),
        "rotation": said.get("EnableKeyRotation", False),
        "policy": normal(said["KeyPolicy"]),
    }


def _role(said: Json) -> Properties:
    inline = {each["PolicyName"]: each["PolicyDocument"] for each in said.get("Policies", ())}
    return {
        "description": said.get("Description", ""),
        "trust": normal(said["AssumeRolePolicyDocument"]),
        "policies": {name: normal(each) for name, each in {**inline, **said["attached"]}.items()},
        "managed policies": sorted(said.get("ManagedPolicyArns", ())),
        "boundary": said.get("PermissionsBoundary"),
        "session of seconds": said.get("MaxSessionDuration", 3600),
    }


def _function(said: Json) -> Properties:
    return {
        "runtime": said["Runtime"],
        "architecture": said["Architectures"],
        "handler": said["Handler"],
        "role": said["Role"],
        "environment": said.get("Environment", {}).get("Variables", {}),
        "memory": said["MemorySize"],
        "timeout": said["Timeout"],
        "log": said["LoggingConfig"]["LogGroup"],
        "subnets": sorted(said.get("VpcConfig", {}).get("SubnetIds", ())),
        "security groups": said.get("VpcConfig", {}).get("SecurityGroupIds", []),
    }


def _log(said: Json) -> Properties:
    return {"days of retention": said.get("RetentionInDays")}


_READERS: Mapping[str, Callable[[Json], Properties]] = {
    "AWS::DynamoDB::GlobalTable": _table,
    "AWS::KMS::Key": _key,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log,
    **ASKED,
    **BACKUPS_ASKED,
}
