"""A backup in which things go wrong: what was written is known, and so is what must come back."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.integration.backup import organization as org
from tests.integration.backup.flow import Flow, Item

Items = Mapping[tuple[str, str], Item]
_NUMBERS = 36
_MOST_INCREMENTS = 3  # of one chain: a restore loads them all


def _item(number: int, version: int) -> Item:
    return {
        "pk": {"S": f"customer {number % 5}"},
        "sk": {"N": str(number)},
        "version": {"N": str(version)},
        "kind": {"S": "box" if number % 2 else "letter"},
        "much": {"N": "12345678901234567890123456789012345678"},
        "bytes": {"B": base64.b64encode(bytes([number, version % 256])).decode()},
        "list": {"L": [{"NULL": True}, {"M": {"": {"S": ""}}}, {"BOOL": number % 3 == 0}]},
    }


def by_key(items: Sequence[Item]) -> Items:
    """Items by their keys, as JSON has them; fails if two have the same."""
    found = {(str(item["pk"]["S"]), str(item["sk"]["N"])): _as_json(item) for item in items}
    assert len(found) == len(items), "an item is there twice"
    return found


def _as_json(item: Item) -> Item:
    return {name: {"B": _text(value["B"])} if "B" in value else value for name, value in item.items()}


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else base64.b64encode(value).decode()


class Stage:
    """A flow, what was written into its table, and what was done to it.

    Every row of the table of faults begins with a chain of exports that is whole and ends by saying `whole`, or leaves
    a chain with a hole, after which the next row begins a new one.

    Args:
        flow: The flow; nobody else uses it.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.written: dict[tuple[str, str], Item] = {}
        self._round = 0
        self._sound = False
        self._began = ""  # of the chain: the time of its full export
        self._seen: set[str] = set()
        self._entries: dict[str, dict[str, Any]] = {}  # by key: an entry never changes
        self._checked: set[str] = set()
        self._faults: dict[str, int] = {}
        self._evidence = 0
        self._tables = 0
        self._rejected = 0.0  # executions that ended so, as they were counted

    # --- A row

    def begin(self) -> None:
        """Begin a row: with a chain that is whole, and not long."""
        self.flow.controls.forget()
        self._faults, self._evidence = {}, 0
        self._quiet()
        if not self._sound or len(self._keys()) > _MOST_INCREMENTS:
            self.renew()
            self._quiet()
        self._sound = False
        self._seen = set(self.sealings())

    def _quiet(self) -> None:
        """Wait until nothing is being sealed: an entry is there before the execution that wrote it ends."""
        self.until(lambda: not self.sealings("RUNNING"), "the end of every sealing")

    def check_injected(self) -> None:
        """See that what was to go wrong did, as often as it was to."""
        hits = self.flow.controls.hits()
        assert {number: hits[number] for number in self._faults} == self._faults
        assert self._faults or self._evidence, "nothing was injected"

    def inject(self, api: str, do: str, *when: str, times: int = 1, **more: Any) -> str:
        """Let something go wrong, exactly so often."""
        number = self.flow.controls.inject(api, do, *when, times=times, **more)
        self._faults[number] = times
        return number

    def happened(self, what: object) -> None:
        """Note that something went wrong that is seen by itself: a truth about what was found."""
        assert what
        self._evidence += 1

    # --- What is written

    def change(self) -> None:
        """Write a round: some items are new, some are changed, some are gone."""
        self._round += 1
        number = self._round
        items = [_item(each, number) for each in range(_NUMBERS) if (each + number) % 4 != 0]
        gone = [_item(each, 0) for each in range(_NUMBERS) if (each + number) % 4 == 0]
        self.put(items, gone)

    def put(self, items: Sequence[Item], remove: Sequence[Item] = ()) -> None:
        """Write items, then remove those of some keys."""
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in remove]
        self.written.update(by_key(items))
        for key in by_key(keys):
            self.written.pop(key, None)
        assert self.flow.write(items, remove=keys) == len(self.written)

    def round(self) -> None:
        """Write a round, and let an hour pass."""
        self.change()
        self.flow.advance(hours=1)

    def recovery(self, *, on: bool) -> None:
        """Switch point-in-time recovery of the table."""
        self.flow.client("dynamodb", org.DATA).update_continuous_backups(
            TableName=org.TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
        )

    def renew(self) -> None:
        """Let a new chain begin, with a full export: recovery was off in between."""
        self.recovery(on=False)
        self.change()
        self.recovery(on=True)
        self.flow.advance(minutes=30)
        self.flow.export()
        self.rebase()
        self.whole_catalogue()

    def rebase(self) -> None:
        """The chain begins with the newest full export."""
        self._began = self.chain()["full_at"]

    # --- What came of it

    def chain(self) -> dict[str, str]:
        """The chain as the ledger has it."""
        return {name: value["S"] for name, value in self.flow.ledger()["chain"]["M"].items()}

    def _keys(self) -> list[str]:
        """The keys of the catalogue since the chain began."""
        s3 = self.flow.client("s3", org.RECOVERY, org.READER)
        folder = f"catalogue/{org.SOURCE}/"
        listed = s3.list_object_versions(Bucket=org.SEALED, Prefix=folder, KeyMarker=f"{folder}{_compact(self._began)}")
        keys = [str(each["Key"]) for each in listed.get("Versions", [])]
        assert len(set(keys)) == len(keys), "an entry has two versions"
        # A full export that is due is of the moment at which the last increment of the chain before it ends.
        return sorted(key for key in keys if f"/{_compact(self._began)}-incremental-" not in key)

    def entries(self) -> list[dict[str, Any]]:
        """The entries of the catalogue since the chain began, in the order of their ends."""
        s3 = self.flow.client("s3", org.RECOVERY, org.READER)
        keys = self._keys()
        for key in keys:
            if key not in self._entries:
                found = json.load(s3.get_object(Bucket=org.SEALED, Key=key)["Body"])
                self._entries[key] = {**found, "key": key}
        return [self._entries[key] for key in keys]

    def until(self, found: Callable[[], Any], what: str) -> Any:
        """Wait until something is found, and say it."""

        def instead() -> str:
            failed = [(each["input"], each["status"], each.get("cause")) for each in self.sealed_by(new=True)]
            return f"{what}: {failed} {self.flow.controls.refusals()}"

        return self.flow.until(found, instead)

    def whole_catalogue(self) -> list[dict[str, Any]]:
        """Wait until everything that the ledger says is exported is sealed; say the entries, of adjoining windows."""
        covered = self.chain()["covered_to"]

        last = f"/{_compact(covered)}-"
        self.until(lambda: any(last in key for key in self._keys()), f"sealed up to {covered}")
        entries = self.entries()
        increments = [each["export"] for each in entries if each["export"]["type"] == "INCREMENTAL"]
        windows = [(each["from"], each["to"]) for each in increments]
        ends = [self._began, *(end for _, end in windows)]
        assert all(_same(start, end) for (start, _), end in zip(windows, ends, strict=False)), (ends[0], windows)
        self._check_objects(entries)
        return entries

    def _check_objects(self, entries: Sequence[Mapping[str, Any]]) -> None:
        s3 = self.flow.client("s3", org.RECOVERY, org.READER)
        for entry in entries:
            if entry["key"] in self._checked:
                continue
            self._checked.add(entry["key"])
            folder = f"exports/{org.SOURCE}/{entry['export']['id']}/"
            versions = s3.list_object_versions(Bucket=org.SEALED, Prefix=folder)["Versions"]
            there = sorted((each["Key"], each["VersionId"]) for each in versions)
            said = sorted((each["key"], each["version_id"]) for each in (*entry["files"], *entry["manifests"]))
            assert there == said, "something is sealed twice, or that no entry names"

    def whole(self) -> None:
        """Nothing is lost, nothing is doubled: each window is sealed once, and what is restored is what was written."""
        entries = self.whole_catalogue()
        full = max((each for each in entries if each["export"]["type"] == "FULL"), key=lambda each: each["key"])
        after = [each for each in entries if each["export"]["from"] and each["export"]["from"] >= full["export"]["to"]]
        assert sum(each["count"] for each in (full, *after)) == len(self.written)
        assert self.restored() == self.written
        self._sound = True

    def leave_whole(self) -> None:
        """The chain of exports is as whole as it was when the row began."""
        self._sound = True

    def canary(self) -> None:
        """Write the canary, of now."""
        written = {**org.CANARY, "written_at": {"S": self.flow.now().strftime("%Y-%m-%dT%H:%M:%SZ")}}
        self.put([written])

    def name(self) -> str:
        """A name for a restored table that none has had."""
        self._tables += 1
        return f"{org.RESTORED}{self._tables}"

    def restored(self, **said: Any) -> Items:
        """What a restore gives."""
        table = self.name()
        self.flow.restore(table, **said)
        return self.restored_items(table)

    def restored_items(self, table: str) -> Items:
        """The items of a restored table, by their keys."""
        return by_key(self.flow.items(table, org.RECOVERY))

    # --- Loud failures

    def failed(self, execution: Mapping[str, Any], *words: str) -> None:
        """See that an execution failed, that its end says this, and that an alarm counts such ends of its machine."""
        said = f"{execution.get('error')}: {execution.get('cause')}"
        assert all(word in said for word in words), said
        counted = {"FAILED": "ExecutionsFailed", "ABORTED": "ExecutionsAborted", "TIMED_OUT": "ExecutionsTimedOut"}
        self._check_alarm(str(execution["stateMachineArn"]), counted[str(execution["status"])])

    def _check_alarm(self, machine: str, metric: str) -> None:
        client = self.flow.client("cloudformation", machine.split(":")[4])
        stack = {org.DATA: "Data", org.VAULT: "Vault", org.RECOVERY: "Recovery"}[machine.split(":")[4]]
        found = client.describe_stack_resources(StackName=stack)["StackResources"]
        (logical,) = (each["LogicalResourceId"] for each in found if each["PhysicalResourceId"] == machine)
        body = client.get_template(StackName=stack)["TemplateBody"]
        template = body if isinstance(body, dict) else json.loads(body)
        alarms = [
            json.dumps(each["Properties"])
            for each in template["Resources"].values()
            if each["Type"] == "AWS::CloudWatch::Alarm"
        ]
        named = [each for each in alarms if f'"{logical}"' in each or f'"{machine}"' in each]
        assert any(f'"{metric}"' in each for each in named), f"no alarm on {metric} of {machine}"

    def metric(self, name: str) -> float:
        """The sum of a metric of the exports of the table."""
        return sum(self.flow.metrics(name, "Data", Table=org.TABLE))

    def sealings(self, status: str | None = None) -> list[str]:
        """The ARNs of the executions of the sealing machine."""
        states = self.flow.client("stepfunctions", org.VAULT)
        said = {"statusFilter": status} if status else {}
        listed = states.list_executions(stateMachineArn=self.flow.output("Vault", "SealingMachine"), **said)
        return [each["executionArn"] for each in listed["executions"]]

    def sealed_by(self, *, new: bool, status: str | None = None) -> list[dict[str, Any]]:
        """The executions of the sealing machine, described: all, or those since the row began."""
        states = self.flow.client("stepfunctions", org.VAULT)
        found = [arn for arn in self.sealings(status) if not new or arn not in self._seen]
        return [states.describe_execution(executionArn=arn) for arn in found]

    def sealing(self, status: str) -> dict[str, Any]:
        """Wait for an execution of the sealing machine, since the row began, that ends so."""
        found: list[dict[str, Any]] = self.until(lambda: self.sealed_by(new=True, status=status), f"sealing {status}")
        return found[0]

    def seal_again(self, failed: Mapping[str, Any], *statuses: str) -> dict[str, Any]:
        """Let somebody start the sealing of an export once more."""
        machine = self.flow.output("Vault", "SealingMachine")
        return self.flow.ended(self.flow.start(machine, json.loads(failed["input"]), org.VAULT), *statuses)

    # --- The vault's work bucket

    def work(self) -> tuple[Any, str]:
        """A client for S3 as the role that seals, and the name of the bucket with its lists."""
        s3 = self.flow.client("s3", org.VAULT, org.SEALING)
        found = self.flow.client("cloudformation", org.VAULT).describe_stack_resources(StackName="Vault")
        buckets = [
            each["PhysicalResourceId"]
            for each in found["StackResources"]
            if each["ResourceType"] == "AWS::S3::Bucket" and "Work" in each["LogicalResourceId"]
        ]
        return s3, str(buckets[0])

    def rejected(self, failed: Mapping[str, Any], *words: str) -> None:
        """See that an execution failed by a file of an export and says why, that the vault keeps it, and counts it."""
        self.failed(failed, "Rejected", *words)
        counted = sum(self.flow.metrics("RejectedExports", "Vault", Vault=org.SEALED, Account=org.DATA))
        assert counted > self._rejected
        self._rejected = counted
        s3, bucket = self.work()
        export = json.loads(failed["input"])["key"].split("/")[-2]
        said = s3.get_object(Bucket=bucket, Key=f"{org.SOURCE}/{export}/rejected.json")["Body"].read().decode()
        assert all(word in said for word in words), said

    # --- The files of an export

    def exporter(self) -> Any:
        """A client for S3 as the role that exports: the only one that may write into the landing bucket."""
        machine = self.flow.output("Data", "ExportMachine")
        told = self.flow.client("stepfunctions", org.DATA).describe_state_machine(stateMachineArn=machine)
        return self.flow.client("s3", org.DATA, told["roleArn"].rpartition("/")[2])

    def landed(self, part: str) -> dict[str, bytes]:
        """The objects of the newest export in the landing bucket whose keys have this part."""
        s3 = self.flow.client("s3", org.DATA)
        folder = f"{org.SOURCE}/AWSDynamoDB/{self.chain()['last_export'].rpartition('/')[2]}/"
        self.flow.controls.bind_s3(on=False)  # nobody but the replication role may read them
        manifest = s3.get_object(Bucket=org.LANDING, Key=f"{folder}manifest-files.json")["Body"].read()
        keys = [json.loads(line)["dataFileS3Key"] for line in manifest.splitlines()]
        for name in ("manifest-files", "manifest-summary"):
            keys += [f"{folder}{name}.json", f"{folder}{name}.checksum"]
        found = {key: s3.get_object(Bucket=org.LANDING, Key=key)["Body"].read() for key in keys if part in key}
        self.flow.controls.bind_s3(on=True)
        return found

    def land(self, objects: Mapping[str, bytes]) -> None:
        """Write objects into the landing bucket, from where they are replicated."""
        s3 = self.exporter()
        for key, body in objects.items():
            s3.put_object(Bucket=org.LANDING, Key=key, Body=body)


def _compact(moment: str) -> str:
    return dt.datetime.fromisoformat(moment).strftime("%Y%m%dT%H%M%SZ")


def _same(one: str, other: str) -> bool:
    return dt.datetime.fromisoformat(one) == dt.datetime.fromisoformat(other)
