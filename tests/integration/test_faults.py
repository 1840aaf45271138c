"""What goes wrong in a deployment ends where it was to end, or says clearly why it does not."""

from __future__ import annotations

import subprocess

import pytest
from botocore.exceptions import ClientError

from scripts.deployment.cdk import Cdk, CdkError
from scripts.deployment.plan import PlanError
from scripts.deployment.report import Report
from scripts.deployment.trial import Trial
from tableguard.review.assembly import read_assembly
from tests.integration.conftest import Begin, Stage
from tests.integration.harm import ALFA, CENTRAL, TABLE, Accounts

KEY = {"category": {"S": "books"}, "item": {"S": "atlas"}}


def everything_is_as_intended(trial: Trial) -> None:
    """Every check of a deployment, over what is there now."""
    report = Report(show=lambda _line: None)
    trial.read_back(trial.today, report)
    trial.decide(trial.today, trial.plan.organization, report)
    trial.call(trial.today, report)
    assert len(report.passed) > 80
    assert report.failed == []


def moments(trial: Trial, *stacks: str) -> list[str]:
    return [trial.found.changed(stack) for stack in read_assembly(trial.today) if stack.name in stacks]


def role_id(trial: Trial) -> str:
    return str(trial.accounts.client("iam", ALFA).get_role(RoleName="alfa-reader")["Role"]["RoleId"])


class InterruptedDeploymentError(Exception):
    """The pipeline is gone in the middle of a deployment."""


class TestADeploymentThatIsInterrupted:
    def test_ends_where_it_was_to_end_once_it_is_repeated(self, bootstrapped: Stage, begin: Begin) -> None:
        _, trial = begin(bootstrapped)
        steps: list[str] = []

        def interrupt(line: str) -> None:
            steps.append(line)
            if len(steps) == 3:
                raise InterruptedDeploymentError

        interrupted = Cdk(trial.accounts, trial.plan.pipeline, trial.folder, Report(show=interrupt))
        with pytest.raises(InterruptedDeploymentError):
            interrupted.deploy(trial.today)
        there = trial._existing(trial.today)
        assert 0 < len(there) < 6
        trial.deploy()
        assert trial.report.failed == []
        everything_is_as_intended(trial)


class TestAConsumerThatIsDeployedBeforeTheTable:
    def test_fails_clearly_until_the_table_is_there_and_then_works_as_it_is(
        self, bootstrapped: Stage, begin: Begin
    ) -> None:
        _, trial = begin(bootstrapped)
        trial.cdk.deploy(trial.today, ["TenantAlfa"])
        function = Accounts(trial).function(ALFA)
        client = trial.accounts.client("lambda", ALFA)
        event = b'{"category": "books", "item": "atlas"}'
        answer = client.invoke(FunctionName=function, Payload=event)
        assert answer["FunctionError"]
        assert b"ResourceNotFoundException" in answer["Payload"].read()

        before = moments(trial, "TenantAlfa")
        trial.cdk.deploy(trial.today)
        assert moments(trial, "TenantAlfa") == before
        assert client.invoke(FunctionName=function, Payload=event)["Payload"].read() == b'{"item": null}'
        everything_is_as_intended(trial)

    def test_may_as_well_be_deployed_after_it(self, bootstrapped: Stage, begin: Begin) -> None:
        _, trial = begin(bootstrapped)
        trial.cdk.deploy(trial.today, ["CentralData"])
        before = moments(trial, "CentralData")
        trial.cdk.deploy(trial.today)
        assert moments(trial, "CentralData") == before
        everything_is_as_intended(trial)


class TestARoleThatIsDestroyedAndMadeAgain:
    def test_has_its_access_back_without_a_change_of_the_table(self, deployed: Stage, begin: Begin) -> None:
        _, trial = begin(deployed)
        table, role = moments(trial, "CentralData"), role_id(trial)
        trial.cdk.destroy(trial.today, ["TenantAlfa"])
        with pytest.raises(ClientError, match="NoSuchEntity"):
            role_id(trial)
        trial.cdk.deploy(trial.today, ["TenantAlfa"])
        assert role_id(trial) != role
        assert moments(trial, "CentralData") == table
        everything_is_as_intended(trial)


class TestAnEmulatorThatIsRestarted:
    def test_goes_on_with_what_was_there(self, deployed: Stage, begin: Begin) -> None:
        emulator, trial = begin(deployed)
        table = trial.accounts.client("dynamodb", CENTRAL)
        table.put_item(TableName=TABLE, Item=KEY)
        before = moments(trial, *(stack.name for stack in read_assembly(trial.today)))
        emulator.stop()
        emulator.start()
        assert table.get_item(TableName=TABLE, Key=KEY)["Item"] == KEY
        trial.cdk.deploy(trial.today)
        assert moments(trial, *(stack.name for stack in read_assembly(trial.today))) == before
        everything_is_as_intended(trial)


class TestAnAccountThatIsNotBootstrapped:
    def test_is_named_together_with_the_remedy(self, bootstrapped: Stage, begin: Begin) -> None:
        _, trial = begin(bootstrapped)
        trial.accounts.client("cloudformation", ALFA).delete_stack(StackName="CDKToolkit")
        with pytest.raises(CdkError, match="cdk bootstrap"):
            trial.cdk.deploy(trial.today, ["TenantAlfa"])
        assert trial._existing(trial.today) == {}


class TestATrial:
    def test_touches_nothing_where_a_stack_of_it_exists(self, deployed: Stage, begin: Begin) -> None:
        _, trial = begin(deployed)
        before = moments(trial, *(stack.name for stack in read_assembly(trial.today)))
        with pytest.raises(PlanError, match=r"The stack CentralData exists in 444455556666/us-east-1"):
            trial.run()
        assert moments(trial, *(stack.name for stack in read_assembly(trial.today))) == before

    def test_sees_a_deployment_that_is_not_unchanged(self, deployed: Stage, begin: Begin) -> None:
        _, trial = begin(deployed)
        trial.cdk.deploy(trial.tomorrow, ["CentralData"])
        trial.deploy_unchanged()
        assert trial.report.failed == ["`cdk diff` finds no difference", "no stack has changed"]

    def test_sees_what_is_left_and_what_should_have_been(self, bootstrapped: Stage, begin: Begin) -> None:
        _, trial = begin(bootstrapped)
        trial.prepare()
        trial.deploy()
        trial.accounts.client("logs", ALFA).create_log_group(logGroupName="left")
        trial.accounts.client("kms", CENTRAL).schedule_key_deletion(KeyId=Accounts(trial).key)
        trial.destroy()
        assert trial.report.failed == [
            "nothing else is left",
            "what RETAIN keeps is there",
            "the accounts are as they were before",
        ]

    def test_cleans_up_after_a_failure(
        self, bootstrapped: Stage, begin: Begin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, trial = begin(bootstrapped)

        def fail() -> None:
            raise subprocess.SubprocessError("made to fail")

        monkeypatch.setattr(trial, "check", fail)
        assert not trial.run()
        assert trial.report.failed == ["the deployment runs to its end"]
        assert trial._existing(trial.today) == {}
        assert trial.accounts.client("dynamodb", CENTRAL).list_tables()["TableNames"] == []
