"""Drives the deployed backup: writes rounds of items, lets time pass, exports, seals, destroys, restores, compares."""

from __future__ import annotations

import datetime as dt
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from tests.integration.backup import organization as org
from tests.integration.emulator.controls import Controls
from tests.integration.emulator.server import Emulator
from tests.integration.sessions import client_of

Item = Mapping[str, Any]
T = TypeVar("T")
_PLACES = {"Data": org.DATA, "Vault": org.VAULT, "Recovery": org.RECOVERY}
_AT_ONCE = 10_000  # items in a request of ours
PAUSES = 0.002  # of a machine that waits for a minute: an eighth of a second


class FlowError(AssertionError):
    """A step has not come to the end that was expected; says what was found."""


class Flow:
    """The deployed organization in one emulator.

    Nothing runs by itself: the schedules are switched off when it is deployed, so that a test which lets days pass
    knows what is going on. Exports are sealed by themselves, when they arrive.

    Args:
        emulator: The emulator, running, in which the organization is deployed.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.controls = Controls(emulator)
        self._later = dt.timedelta()
        self.client = cache(self._client)
        self.output = cache(self._output)
        # The emulator's log of changes begins when something asks for it; on AWS it began with the deployment.
        self.client("dynamodb", org.DATA).describe_continuous_backups(TableName=org.TABLE)

    # --- Time

    def now(self) -> dt.datetime:
        """What time it is there."""
        return self.controls.now()

    def advance(self, **length: float) -> None:
        """Let time pass, as the arguments of a timedelta say: `advance(hours=1)`. Negative puts the clock back."""
        self._later += dt.timedelta(**length)
        self.controls.shift(self._later)

    # --- Items

    def write(self, items: Sequence[Item], remove: Sequence[Item] = ()) -> int:
        """Put items into the table, then remove those of some keys; says how many are in there then."""
        count = 0
        for start in range(0, max(len(items), 1), _AT_ONCE):
            count = self.controls.fill(org.TABLE_ARN, items[start : start + _AT_ONCE])
        return self.controls.fill(org.TABLE_ARN, (), remove) if remove else count

    def items(self, table: str = org.TABLE, account: str = org.DATA, **more: Any) -> list[Item]:
        """All items of a table, as DynamoDB JSON; `IndexName` reads an index."""
        return [item for page in self._pages(table, account, more) for item in page["Items"]]

    def _pages(self, table: str, account: str, more: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Without a client: it would take a minute for 100,000 items, and decode what is binary."""
        said = {"TableName": table, "ConsistentRead": "IndexName" not in more, **more}
        while True:
            page = self._ask(account, "Scan", said)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            said["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _ask(self, account: str, operation: str, said: Mapping[str, Any]) -> dict[str, Any]:
        scope = f"{account}/20260101/{org.REGION}/dynamodb/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        }
        request = urllib.request.Request(self.emulator.endpoint, json.dumps(said).encode(), headers)  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            told: dict[str, Any] = json.load(answer)
            return told

    # --- Executions

    def start(self, machine: str, said: Mapping[str, Any], account: str) -> str:
        """Start a machine, and say the execution's ARN."""
        states = self.client("stepfunctions", account)
        arn: str = states.start_execution(stateMachineArn=machine, input=json.dumps(said))["executionArn"]
        return arn

    def ended(self, execution: str, *statuses: str) -> dict[str, Any]:
        """Wait until an execution has ended, and say how.

        Args:
            execution: Its ARN.
            *statuses: The ends that are expected: SUCCEEDED when left out.
        """
        states = self.client("stepfunctions", execution.split(":")[4])

        def end() -> dict[str, Any] | None:
            told: dict[str, Any] = states.describe_execution(executionArn=execution)
            return None if told["status"] == "RUNNING" else told

        told = self.until(end, lambda: f"the end of {execution}, after {self.story(execution)[-3:]}")
        if told["status"] not in (statuses or ("SUCCEEDED",)):
            raise FlowError(f"{execution}: {told['status']}: {told.get('error')}: {told.get('cause')}")
        return told

    def until(self, found: Callable[[], T | None], what: Callable[[], str]) -> T:
        """Wait until something is found, for as long as anything goes on."""
        told = self.controls.until(found, what)
        assert told is not None
        return told

    def story(self, execution: str) -> list[dict[str, Any]]:
        """The history of an execution."""
        states = self.client("stepfunctions", execution.split(":")[4])
        pages = states.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def states_of(self, execution: str) -> list[str]:
        """The names of the states that an execution has entered, in their order."""
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in self.story(execution)
            if event["type"].endswith("StateEntered")
        ]

    # --- Backup

    def export(self, *statuses: str) -> dict[str, Any]:
        """Let the deployed machine do what the schedule would start now, and wait for its end."""
        return self.ended(self.begin_export(), *statuses)

    def begin_export(self) -> str:
        """Start the export machine."""
        return self.start(self.output("Data", "ExportMachine"), {"table": org.TABLE_ARN}, org.DATA)

    def ledger(self) -> Item:
        """What the ledger says of the table; empty if nothing."""
        table = self.output("Data", "Ledger")
        answer = self.client("dynamodb", org.DATA).get_item(TableName=table, Key={"table": {"S": org.TABLE_ARN}})
        found: Item = answer.get("Item", {})
        return found

    def exports(self) -> list[dict[str, Any]]:
        """All exports of the table, described, the earliest first."""
        client = self.client("dynamodb", org.DATA)
        pages = client.get_paginator("list_exports").paginate(TableArn=org.TABLE_ARN)
        arns = [each["ExportArn"] for page in pages for each in page["ExportSummaries"]]
        return [client.describe_export(ExportArn=arn)["ExportDescription"] for arn in arns]

    def catalogue(self) -> list[dict[str, Any]]:
        """The entries of the catalogue, in the order of their keys: by their ends. Each with its own key."""
        s3 = self.client("s3", org.RECOVERY, org.READER)  # nobody else may, not even the vault's root user
        listed = s3.list_object_versions(Bucket=org.SEALED, Prefix=f"catalogue/{org.SOURCE}/").get("Versions", ())
        return [
            {**json.load(s3.get_object(Bucket=org.SEALED, Key=each["Key"])["Body"]), "key": each["Key"]}
            for each in sorted(listed, key=lambda each: str(each["Key"]))
        ]

    def sealed(self, count: int) -> list[dict[str, Any]]:
        """Wait until the catalogue has so many entries, and say them."""

        def entries() -> list[dict[str, Any]]:
            found = self.catalogue()
            return found if len(found) >= count else []

        def instead() -> str:
            said = [(each["input"], each["status"], each.get("cause")) for each in self.executions("SealingMachine")]
            return f"{count} sealed exports, not {len(self.catalogue())}: {said}; {self.controls.refusals()}"

        found = self.until(entries, instead)
        if len(found) != count:
            raise FlowError(instead())
        return found

    def executions(self, output: str, stack: str = "Vault") -> list[dict[str, Any]]:
        """All executions of a machine, described, the latest first."""
        states = self.client("stepfunctions", _PLACES[stack])
        listed = states.list_executions(stateMachineArn=self.output(stack, output))["executions"]
        return [states.describe_execution(executionArn=each["executionArn"]) for each in listed]

    def sweep(self) -> dict[str, Any]:
        """Let the vault look for what it has not sealed."""
        return self.ended(self.start(self.output("Vault", "Sweeper"), {}, org.VAULT))

    # --- Restore

    def restore(self, table: str, *statuses: str, **said: Any) -> dict[str, Any]:
        """Restore into a new table of the recovery account, and wait for the end."""
        return self.ended(self.begin_restore(table, **said), *statuses)

    def begin_restore(self, table: str, **said: Any) -> str:
        """Start a restore into a table of this name, which has to begin with RESTORED."""
        return self.start(self.output("Recovery", "RestoreMachine"), {"table": table, **said}, org.RECOVERY)

    def drill(self, *statuses: str, **said: Any) -> dict[str, Any]:
        """Let the drill do what its schedule would start now, or somebody who says more; and wait for its end."""
        return self.ended(self.start(self.output("Recovery", "DrillMachine"), said, org.RECOVERY), *statuses)

    def canary(self) -> None:
        """Write the canary, as its schedule does: the moment is now."""
        moment = self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        self.write([{**org.CANARY, "written_at": {"S": moment}}])

    def metrics(self, name: str, stack: str, **dimensions: str) -> list[float]:
        """The values of a metric of ours, in the order of their time."""
        told = self.client("cloudwatch", _PLACES[stack]).get_metric_statistics(
            Namespace="tableguard/sealing" if stack == "Vault" else "tableguard/backup",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
            EndTime=dt.datetime(2100, 1, 1, tzinfo=dt.UTC),
            Period=60,
            Statistics=["Sum"],
        )
        return [point["Sum"] for point in sorted(told["Datapoints"], key=lambda point: str(point["Timestamp"]))]

    # --- The end of the data account

    def destroy_data(self) -> None:
        """Whoever has taken the data account over deletes the table, the landing bucket, and the role of both."""
        deployer = f"cdk-hnb659fds-cfn-exec-role-{org.DATA}-{org.REGION}"
        dynamodb, iam = self.client("dynamodb", org.DATA), self.client("iam", org.DATA)
        dynamodb.update_table(TableName=org.TABLE, DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=org.TABLE)
        self.client("s3", org.DATA, deployer).delete_bucket_policy(Bucket=org.LANDING)
        s3 = self.client("s3", org.DATA)
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=org.LANDING):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            gone = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            if gone:
                assert "Errors" not in s3.delete_objects(Bucket=org.LANDING, Delete={"Objects": gone})
        s3.delete_bucket(Bucket=org.LANDING)
        for name in iam.list_role_policies(RoleName=org.REPLICATION)["PolicyNames"]:
            iam.delete_role_policy(RoleName=org.REPLICATION, PolicyName=name)
        iam.delete_role(RoleName=org.REPLICATION)

    def _client(self, service: str, account: str, role: str | None = None) -> Any:
        return client_of(service, self.emulator.endpoint, account, role=role)

    def _output(self, stack: str, name: str) -> str:
        told = self.client("cloudformation", _PLACES[stack]).describe_stacks(StackName=stack)["Stacks"][0]
        return str({each["OutputKey"]: each["OutputValue"] for each in told["Outputs"]}[name])

    def switch_schedules(self, *, on: bool, only: str = "") -> None:
        """Let the schedules of all accounts start what they start, or not; `only` those with this in their name."""
        for account in _PLACES.values():
            scheduler = self.client("scheduler", account)
            for each in [each for each in scheduler.list_schedules()["Schedules"] if only in each["Name"]]:
                found = scheduler.get_schedule(Name=each["Name"], GroupName=each["GroupName"])
                kept = {
                    name: found[name]
                    for name in ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
                }
                scheduler.update_schedule(**kept, State="ENABLED" if on else "DISABLED")
