"""What every machine of a backup has, whatever it does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from tableguard.backup.states.state_machine import BackupMachine, executions_of
from tableguard.evaluation import Policies, Request, evaluate
from tableguard.policy import InvalidInputError
from tableguard.policy.documents import AllowStatement, Json, document
from tests.unit.tables.support import OWNER, REGION, resolved, stack

NULLS: Final[Json] = {
    "StartAt": "A",
    "States": {"A": {"Type": "Pass", "ResultPath": None, "End": True, "Comment": "…"}},
}
POLICY: Final = document([AllowStatement(actions=("sns:Publish",), resources=("*",))])
NAME: Final = "sealed-backups-seal"
ROLE: Final = f"arn:aws:iam::{OWNER}:role/any"
EXECUTION: Final = f"arn:aws:states:{REGION}:{OWNER}:execution"


def made(**more: Any) -> dict[str, Json]:
    """The resources of a stack with one machine, by their types."""
    scope = stack()
    BackupMachine(scope, "Work", **{"definition": NULLS, "policy": POLICY, **more})
    return dict(Template.from_stack(scope).to_json()["Resources"])


def only(resources: dict[str, Json], kind: str) -> Json:
    (found,) = [each["Properties"] for each in resources.values() if each["Type"] == kind]
    return dict(found)


@pytest.mark.parametrize("definition", [NULLS, lambda: NULLS], ids=["at once", "when the template is written"])
def test_nulls_of_a_definition_are_kept(definition: Json | Callable[[], Json]) -> None:
    machine = only(made(definition=definition), "AWS::StepFunctions::StateMachine")
    assert json.loads(machine["DefinitionString"]) == NULLS


@pytest.mark.parametrize("name", ["", "two words", "a" * 81, "größe", "a/b"])
def test_a_name_that_step_functions_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="the name of the machine Data/Work"):
        BackupMachine(stack(construct_id="Data"), "Work", definition=NULLS, policy=POLICY, name=name)


def test_names_are_given_where_they_are_said() -> None:
    resources = made(name=NAME, role_name="seals")
    assert only(resources, "AWS::StepFunctions::StateMachine")["StateMachineName"] == NAME
    assert only(resources, "AWS::IAM::Role")["RoleName"] == "seals"
    resources = made()
    assert "StateMachineName" not in only(resources, "AWS::StepFunctions::StateMachine")
    assert "RoleName" not in only(resources, "AWS::IAM::Role")


MACHINE: Final = f"arn:aws:states:{REGION}:{OWNER}:stateMachine:work"
DECISIONS: Final = [
    ("sns:Publish", "*", True, True),
    ("states:StartExecution", MACHINE, True, False),
    ("states:StartExecution", f"{MACHINE}2", False, False),
    ("states:StopExecution", f"{EXECUTION}:work:run", True, False),
    ("states:StopExecution", f"{EXECUTION}:other:run", False, False),
    ("states:RedriveExecution", f"{EXECUTION}:work/Files:child", True, False),
    ("states:RedriveExecution", f"{EXECUTION}:work:run", False, False),
    ("states:DeleteStateMachine", MACHINE, False, False),
    ("logs:DeleteLogGroup", "*", False, False),
]


@pytest.mark.parametrize(("action", "resource", "distributed", "alone"), DECISIONS)
def test_its_role_may_do_what_it_is_given_and_run_children_where_it_has_any(
    action: str, resource: str, distributed: bool, alone: bool
) -> None:
    for has_children, may in ((True, distributed), (False, alone)):
        text = json.dumps(resolved(list(made(distributed=has_children).values())))
        text = re.sub(r"<WorkMachine\w+\.Name>", "work", text)
        text = re.sub(r"<WorkMachine\w+>", MACHINE, text)
        policies = [
            each["Properties"]["PolicyDocument"] for each in json.loads(text) if each["Type"] == "AWS::IAM::Policy"
        ]
        request = Request(principal=ROLE, action=action, resource=resource)
        decision = evaluate(request, Policies(identity=policies))
        assert decision.understood
        assert decision.allowed is may, has_children


def test_the_machine_waits_for_what_its_role_may_do() -> None:
    resources = made()
    (machine,) = [each for each in resources.values() if each["Type"] == "AWS::StepFunctions::StateMachine"]
    (work,) = [name for name, each in resources.items() if name.startswith("WorkPolicy")]
    assert work in machine["DependsOn"]


def test_executions_are_named_after_their_machine() -> None:
    scope = stack()
    machine = BackupMachine(scope, "Work", definition=NULLS, policy=POLICY).machine
    cdk.CfnOutput(scope, "Executions", value=executions_of(machine, ":*"))
    (value,) = [each["Value"] for each in Template.from_stack(scope).to_json()["Outputs"].values()]
    assert resolved(value).startswith(f"{EXECUTION}:<WorkMachine")
    assert resolved(value).endswith(".Name>:*")
