"""The reference organization, synthesized, and what its policies decide."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import aws_cdk as cdk

from app import organize
from stacks.organization import CONTEXT
from tableguard.policy.evaluation import Policies, Request, evaluate
from tests.project.machine import ROOT

Json: TypeAlias = dict[str, Any]

# As in cdk.json, but written down here: whoever changes the ids there need not change a test.
ORGANIZATION: Json = {
    "central": {"account": "444455556666", "region": "us-east-1"},
    "tenants": {
        "Alfa": {"account": "111122223333", "region": "us-east-1"},
        "Bravo": {"account": "222233334444", "region": "eu-west-1"},
        "Charlie": {"account": "555566667777", "region": "us-east-1"},
    },
    "etl": {"account": "333344445555", "region": "us-east-1"},
    "writer": {"account": "666677778888", "region": "us-east-1"},
    "vendor": {"account": "777788889999"},
}

# A policy of the other side that allows everything: what is denied beside it, the side under test denies alone.
IDENTITY_ALLOWS_ALL: Json = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def resource_allows_all(account: str) -> Json:
    statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": statement}


def context_of_cdk_json() -> Json:
    context: Json = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


@dataclass(frozen=True)
class Synthesized:
    folder: Path
    templates: Mapping[str, Json]
    environments: Mapping[str, str]
    organization: Json

    @cached_property
    def replica(self) -> Json:
        (table,) = self.resources("CentralData", "AWS::DynamoDB::GlobalTable")
        (replica,) = table["Properties"]["Replicas"]
        found: Json = replica
        return found

    def policy_of(self, resource: str) -> Json | None:
        """The deployed policy of the table (its indexes included), of its stream or, for any other ARN, of its key."""
        if ":dynamodb:" not in resource:
            (key,) = self.resources("CentralData", "AWS::KMS::Key")
            policy: Json = key["Properties"]["KeyPolicy"]
            return policy
        holder = self.replica.get("ReplicaStreamSpecification", {}) if "/stream/" in resource else self.replica
        found: Json | None = holder.get("ResourcePolicy", {}).get("PolicyDocument")
        return found

    @property
    def vendor_policy(self) -> Json:
        policy: Json = json.loads(self.templates["CentralData"]["Outputs"]["VendorPolicy"]["Value"])
        return policy

    @property
    def central_account(self) -> str:
        account: str = self.organization["central"]["account"]
        return account

    @property
    def table_arn(self) -> str:
        central = self.organization["central"]
        return f"arn:aws:dynamodb:{central['region']}:{central['account']}:table/rbac-central-table"

    def resources(self, stack: str, of_type: str) -> list[Json]:
        return [each for each in self.templates[stack]["Resources"].values() if each["Type"] == of_type]

    def role_of(self, stack: str) -> str:
        """The ARN of the one role of a consumer's stack."""
        (role,) = self.resources(stack, "AWS::IAM::Role")
        account = self.environments[stack].removeprefix("aws://").partition("/")[0]
        return f"arn:aws:iam::{account}:role/{role['Properties']['RoleName']}"

    def identity_of(self, stack: str) -> list[Json]:
        """The identity policies of that role."""
        (role,) = (
            name for name, each in self.templates[stack]["Resources"].items() if each["Type"] == "AWS::IAM::Role"
        )
        policies = self.resources(stack, "AWS::IAM::Policy")
        return [
            each["Properties"]["PolicyDocument"] for each in policies if {"Ref": role} in each["Properties"]["Roles"]
        ]

    def allows(
        self,
        principal: str,
        identity: Sequence[Json],
        action: str,
        resource: str,
        *,
        resource_policy: Json | None = None,
        context: Mapping[str, Any] | None = None,
        time: dt.datetime | None = None,
    ) -> bool:
        """Whether a request goes through: by the deployed policy of what it is for, unless another one is given."""
        request = Request(
            principal=principal,
            action=action,
            resource=resource,
            resource_account=self.central_account,
            context=context or {},
            time=time,
        )
        policies = Policies(identity=identity, resource=resource_policy or self.policy_of(resource))
        decision = evaluate(request, policies)
        assert decision.understood, decision
        return decision.allowed


def synthesize(folder: Path, organization: Json) -> Synthesized:
    app = cdk.App(outdir=str(folder), context={**context_of_cdk_json(), CONTEXT: organization})
    organize(app)
    stacks = {stack.stack_name: stack for stack in app.synth().stacks}
    return Synthesized(
        folder=folder,
        templates={name: stack.template for name, stack in stacks.items()},
        environments={name: stack.environment.name for name, stack in stacks.items()},
        organization=organization,
    )


def nodes(value: object) -> Iterator[Any]:
    """Everything within a template."""
    yield value
    children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for child in children:
        yield from nodes(child)
