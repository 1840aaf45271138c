"""The reference organization, synthesized."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import aws_cdk as cdk
from aws_cdk.assertions import Template

from app import organize
from stacks.organization import CONTEXT
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
    "private": {"account": "101011112222", "region": "us-east-1"},
    "management": {"account": "121213131414", "region": "us-east-1"},
    "emergency": {"account": "151516161717"},
    "vault": {"account": "181819192020", "region": "us-west-2"},
    "recovery": {"account": "212122222323", "region": "us-west-2"},
}


def context_of_cdk_json() -> Json:
    context: Json = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


@dataclass(frozen=True)
class Synthesized:
    folder: Path
    templates: Mapping[str, Json]
    environments: Mapping[str, str]
    organization: Json
    _read: dict[str, Template] = field(default_factory=dict, repr=False)

    def template(self, stack: str) -> Template:
        """The template of a stack: the side of its account alone."""
        if stack not in self._read:
            self._read[stack] = Template.from_json(self.templates[stack])
        return self._read[stack]

    @property
    def vendor_policy(self) -> Json:
        policy: Json = json.loads(self.templates["CentralData"]["Outputs"]["VendorPolicy"]["Value"])
        return policy

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
