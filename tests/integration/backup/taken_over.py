"""What somebody does who has the data account: its root user, its landing bucket and its replication role are his."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from tests.integration.backup import organization as org
from tests.integration.backup.attack_rows import WORKS
from tests.integration.backup.attackers import DEPLOYER, Attackers, Target, decided, opened, outcome
from tests.integration.backup.flow import Flow
from tests.integration.backup.forged import Forged, md5

OTHER: Final = f"{org.CONSUMER}/{org.REGION}/orders"
"""A table of another account, which is none of the attacker's."""
EMPTIES: Final = "empties the table, and lets it be exported"
_LONGEST_LINE: Final = 16 * 2**20  # what the sealing takes
_ONE_STAGE: Final = "one-stage-backups"
_OVER: Final = b"overwritten"
_QUOTA: Final = "QUOTA_EXPORTS_PER_DAY"
_KEY: Final = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0" * 32}


class TakenOver:
    """The attacker. What keeps others from the landing bucket is gone: he has replaced its policy.

    Args:
        flow: The organization, with one full export that is sealed.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.since = flow.now()
        Attackers(flow)  # the replication role may do everything
        self._s3 = flow.client("s3", org.DATA)
        self._s3.put_bucket_policy(Bucket=org.LANDING, Policy=opened(org.LANDING))
        self._sealing = flow.client("s3", org.VAULT, org.SEALING)
        self._deployment = flow.client("s3", org.VAULT, DEPLOYER)
        self._work: str = self._open()["Environment"]["Variables"]["WORK_BUCKET"]
        self._number = 0
        (self.sealed,) = flow.catalogue()

    # --- What he sends

    def forged(self, lines: Sequence[bytes] | None = None, source: str = org.SOURCE) -> Forged:
        """Another export, of this moment."""
        self._number += 1
        return Forged(self._number, self.flow.now(), lines, source)

    def sent(self, export: Forged, said: Mapping[str, Any] | None = None) -> str:
        """What comes of an export that is sent."""
        export.send(self._s3, said=said)
        return self.comes_of(export)

    def comes_of(self, export: Forged) -> str:
        """What the sealing says of an export that has arrived: the latest execution's end."""
        execution = self._ended(export.key)
        if execution["status"] == "SUCCEEDED":
            return "sealed"
        return f"sealing {execution['error']}"

    def said_of(self, name: str) -> str:
        """Why a crafted export was not sealed, as the failed execution has it."""
        return str(self._ended(self._crafted[name].key)["cause"])

    def _ended(self, key: str, since: int = 0) -> dict[str, Any]:
        def end() -> dict[str, Any] | None:
            found = [each for each in self.flow.executions("SealingMachine") if json.loads(each["input"])["key"] == key]
            return found[0] if len(found) > since and all(each["status"] != "RUNNING" for each in found) else None

        return self.flow.until(end, lambda: f"{key}: the end of its sealing; {self.flow.controls.refusals()}")

    def latest(self, key: str) -> bytes:
        """What stands under a key of the intake, for whoever does not ask for a version."""
        body: bytes = self._sealing.get_object(Bucket=org.INTAKE, Key=key)["Body"].read()
        return body

    def replicated(self, write: Callable[[], object]) -> str:
        """Who refuses the replication of what is written, if anybody does."""
        before = len(self.flow.controls.refusals())
        write()
        refusals = self.flow.controls.refusals()[before:]
        return decided(refusals[0]) if refusals else WORKS

    def with_open_intake(self, attack: Callable[[], str]) -> str:
        """What comes of an attack while the policy of the intake lets everybody."""
        policy = self._deployment.get_bucket_policy(Bucket=org.INTAKE)["Policy"]
        self._deployment.put_bucket_policy(Bucket=org.INTAKE, Policy=opened(org.INTAKE))
        found = attack()
        self._deployment.put_bucket_policy(Bucket=org.INTAKE, Policy=policy)
        return found

    # --- Each row: what comes of it, and what without what refuses it

    def overwrites_sealed(self) -> tuple[str, str]:
        """A replica is written over, too: who reads the latest of it reads what the attacker has written."""
        folder = f"{org.SOURCE}/AWSDynamoDB/{self.sealed['export']['id']}/"
        keys = [each["Key"] for each in self._s3.list_objects_v2(Bucket=org.LANDING, Prefix=folder)["Contents"]]
        key = f"{folder}manifest-summary.json"
        for each in sorted(keys, key=lambda each: each == key):
            self._s3.put_object(Bucket=org.LANDING, Key=each, Body=_OVER)
        status = self._ended(key, since=1)["status"]
        assert all(self.latest(each) == _OVER for each in keys)
        return f"sealing {status}, nothing changes", f"{WORKS} on the latest version in the intake"

    def overwrites_before(self) -> tuple[str, str]:
        export = self.forged()
        files = export.objects()
        for key, body in files.items():
            if key != export.key:
                self._s3.put_object(Bucket=org.LANDING, Key=key, Body=body)
                self._s3.put_object(Bucket=org.LANDING, Key=key, Body=_OVER)
        self._s3.put_object(Bucket=org.LANDING, Key=export.key, Body=files[export.key])
        found = self.comes_of(export)
        assert self.latest(export.data_key) == _OVER
        (entry,) = [each for each in self.flow.catalogue() if each["export"]["id"] == export.id]
        (file,) = entry["files"]
        reader = self.flow.client("s3", org.RECOVERY, org.READER)
        body = reader.get_object(Bucket=org.SEALED, Key=file["key"], VersionId=file["version_id"])["Body"].read()
        assert body == export.data
        return f"{found}, as the manifest says", f"{WORKS} on the latest version in the intake"

    def hides(self) -> tuple[str, str]:
        export = self.forged()
        self._s3.put_object(Bucket=org.LANDING, Key=export.data_key, Body=export.data)
        self._s3.delete_object(Bucket=org.LANDING, Key=export.data_key)
        assert self.latest(export.data_key) == export.data
        return "nothing: no markers are replicated", self.with_open_intake(self._marker)

    def hides_with_markers(self) -> tuple[str, str]:
        return self._marker(), self.with_open_intake(self._marker)

    def _marker(self) -> str:
        export = self.forged()
        self._replicate(DeleteMarkerReplication={"Status": "Enabled"})
        self._s3.put_object(Bucket=org.LANDING, Key=export.data_key, Body=export.data)
        found = self.replicated(partial(self._s3.delete_object, Bucket=org.LANDING, Key=export.data_key))
        self._replicate()
        there = self._sealing.list_object_versions(Bucket=org.INTAKE, Prefix=export.data_key)
        assert len(there.get("DeleteMarkers", ())) == (found == WORKS)
        return found

    def _replicate(self, bucket: str = org.INTAKE, **said: Any) -> None:
        """Change where the landing bucket replicates to, and what."""
        config = self._s3.get_bucket_replication(Bucket=org.LANDING)["ReplicationConfiguration"]
        (rule,) = config["Rules"]
        rule |= {"DeleteMarkerReplication": {"Status": "Disabled"}, **said}
        rule["Destination"]["Bucket"] = f"arn:aws:s3:::{bucket}"
        self._s3.put_bucket_replication(Bucket=org.LANDING, ReplicationConfiguration=config)

    def locks(self, days: int) -> tuple[str, str]:
        """The control is a locked bucket that is replicated into without a second stage."""
        lock = {"ObjectLockEnabled": "Enabled"}
        self._s3.put_object_lock_configuration(Bucket=org.LANDING, ObjectLockConfiguration=lock)
        export, until = self.forged(), self.flow.now() + dt.timedelta(days=days)
        said = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        found = self.sent(export, said)
        (entry,) = [each for each in self.flow.catalogue() if each["export"]["id"] == export.id]
        held = {self._days(org.SEALED, file["key"], file["version_id"]) for file in entry["files"]}
        assert held == {org.DAYS}
        root = self.flow.client("s3", org.VAULT)
        if _ONE_STAGE not in {each["Name"] for each in root.list_buckets()["Buckets"]}:
            root.create_bucket(Bucket=_ONE_STAGE, ObjectLockEnabledForBucket=True)
            root.put_bucket_policy(Bucket=_ONE_STAGE, Policy=opened(_ONE_STAGE))
        self._replicate(_ONE_STAGE)
        made = self.forged()
        self._s3.put_object(Bucket=org.LANDING, Key=made.data_key, Body=made.data, **said)
        self._replicate()
        (replica,) = root.list_object_versions(Bucket=_ONE_STAGE, Prefix=made.data_key)["Versions"]
        kept = self._days(_ONE_STAGE, made.data_key, replica["VersionId"])
        return f"{found} for {org.DAYS} days", f"{WORKS} with one stage: locked for {kept} days"

    def _days(self, bucket: str, key: str, version: str) -> int:
        head = self._sealing.head_object(Bucket=bucket, Key=key, VersionId=version)
        assert head["ObjectLockMode"] == "COMPLIANCE"
        until: dt.datetime = head["ObjectLockRetainUntilDate"]
        return round((until - self.flow.now()) / dt.timedelta(days=1))

    def backdates(self) -> tuple[str, str]:
        """A restore of a moment before would take it for the newest backup of then."""
        moment = dt.datetime.fromisoformat(self.sealed["export"]["to"])
        self._number += 1
        assert self.sent(Forged(self._number, moment + dt.timedelta(minutes=1))) == "sealed"
        until = (moment + dt.timedelta(minutes=2)).isoformat()
        assert self._planned(until, None)["errorType"] == "BrokenChain"
        trusting = (self.since, self.flow.now() + dt.timedelta(minutes=1))
        counts = [self._planned(until, moment.isoformat())["expected"]["count"] for moment in trusting]
        assert counts == [self.sealed["count"], 1]
        said = "no restore believes it: BrokenChain, or what was sealed before, if sealed_by says so"
        return said, f"{WORKS} if sealed_by says that it is to be trusted"

    def _planned(self, until: str, sealed_by: str | None) -> dict[str, Any]:
        """What a restore would plan, or what it says instead."""
        account, region, table = org.SOURCE.split("/")
        event = {
            "source": {"account": account, "region": region, "table": table},
            "until": until,
            "sealed_by": sealed_by,
            "execution": "attacked",
        }
        functions = self.flow.client("lambda", org.RECOVERY)
        (plan,) = [each for each in functions.list_functions()["Functions"] if each["Handler"].endswith("restore.plan")]
        told = functions.invoke(FunctionName=plan["FunctionName"], Payload=json.dumps(event))["Payload"].read()
        answer: dict[str, Any] = json.loads(told)
        return answer

    def encrypts(self) -> tuple[str, str]:
        def attack() -> str:
            export = self.forged()
            put = partial(self._s3.put_object, Bucket=org.LANDING, Key=export.data_key, Body=export.data, **_KEY)
            return self.replicated(put)

        return attack(), self.with_open_intake(attack)

    def sends_as_another(self) -> tuple[str, str]:
        def attack() -> str:
            export = self.forged(source=OTHER)
            put = partial(self._s3.put_object, Bucket=org.LANDING, Key=export.data_key, Body=export.data)
            return self.replicated(put)

        return attack(), self.with_open_intake(attack)

    def deletes_arrived(self) -> tuple[str, str]:
        export = self.forged()
        self._s3.put_object(Bucket=org.LANDING, Key=export.data_key, Body=export.data)
        (there,) = self._sealing.list_object_versions(Bucket=org.INTAKE, Prefix=export.data_key)["Versions"]
        at = Target(org.INTAKE, export.data_key, there["VersionId"], self.flow.now())
        attack = partial(outcome, lambda: self._s3.delete_object(**at.object))
        return attack(), self.with_open_intake(attack)

    def craft(self) -> None:
        """Send all that is altered, and one that is not, at once: what comes of them is asked for later."""
        self._plain = self.forged()
        self._crafted = {name: self.forged() for name in CRAFTED}
        for name, export in self._crafted.items():
            CRAFTED[name](export, self.sealed)
        for export in (*self._crafted.values(), self._plain):
            export.send(self._s3)

    def crafts(self, name: str) -> tuple[str, str]:
        """The control is an export that nothing is altered of."""
        return self.comes_of(self._crafted[name]), WORKS if self.comes_of(self._plain) == "sealed" else "?"

    def floods(self) -> tuple[str, str]:
        """The quota is what he has had, so that the next is too much."""
        self._quota(len(self._admitted()))
        export, before = self.forged(), self._sealed_of(org.DATA)
        found = self.sent(export)
        assert self.flow.metrics("ExportsOverQuota", "Vault", Vault=org.SEALED, Account=org.DATA) == [1]
        other = self._from_another()
        assert (other, self._sealed_of(org.CONSUMER), self._sealed_of(org.DATA)) == ("sealed", 1, before)
        self._quota(100)
        again = {"bucket": org.INTAKE, "key": export.key}
        self.flow.ended(self.flow.start(self.flow.output("Vault", "SealingMachine"), again, org.VAULT))
        assert self._sealed_of(org.DATA) == before + 1
        return f"{found}; another source's is {other}", f"{WORKS} with a larger quota"

    def _sealed_of(self, account: str) -> float:
        """How many exports of an account are counted as sealed: an alarm rings when there are none for a while."""
        return sum(self.flow.metrics("SealedExports", "Vault", Vault=org.SEALED, Account=account))

    def _from_another(self) -> str:
        export = self.forged(source=OTHER)
        self.flow.controls.bind_s3(on=False)  # S3 itself would write the replica of another source's
        export.send(self.flow.client("s3", org.VAULT), org.INTAKE)
        self.flow.controls.bind_s3(on=True)
        return self.comes_of(export)

    def _admitted(self) -> list[str]:
        listed = self._sealing.list_objects_v2(Bucket=self._work, Prefix=f"quota/{org.DATA}/").get("Contents", ())
        return [each["Key"] for each in listed]

    def _open(self) -> dict[str, Any]:
        functions = self.flow.client("lambda", org.VAULT).list_functions()["Functions"]
        (found,) = [each for each in functions if each["Handler"].endswith("seal.open")]
        return dict(found)

    def _quota(self, exports: int) -> None:
        function = self._open()
        variables = {**function["Environment"]["Variables"], _QUOTA: str(exports)}
        self.flow.client("lambda", org.VAULT).update_function_configuration(
            FunctionName=function["FunctionName"], Environment={"Variables": variables}
        )

    def empties(self) -> tuple[str, str]:
        """There has been a drill of the table as it was. The control is a vault that no drill was made of before."""
        self.flow.write([], [{name: item[name] for name in ("pk", "sk")} for item in self.flow.items()])
        self.flow.advance(minutes=50)
        self.flow.canary()
        self.flow.advance(minutes=10)
        self.flow.export()
        self._wait_for_increment()
        execution = self.flow.drill("FAILED")
        assert "Shrunk" in execution["cause"], execution
        self.flow.client("ssm", org.RECOVERY).delete_parameter(Name=self.flow.output("Recovery", "DrillParameter"))
        again = self.flow.drill()
        return "the drill fails: Shrunk", f"{WORKS} on a first drill" if again["status"] == "SUCCEEDED" else "?"

    def _wait_for_increment(self) -> None:
        self.flow.until(
            lambda: any(each["export"]["type"] == "INCREMENTAL" for each in self.flow.catalogue()),
            lambda: "the increment, sealed",
        )


def _of_another_table(export: Forged, _sealed: Mapping[str, Any]) -> None:
    for name in ("tableArn", "exportArn"):
        export.summary[name] = export.summary[name].replace("table/orders", "table/payments")


def _naming_another_table(export: Forged, _sealed: Mapping[str, Any]) -> None:
    export.files[0]["dataFileS3Key"] = export.data_key.replace("/orders/", "/payments/")


def _climbing(export: Forged, _sealed: Mapping[str, Any]) -> None:
    export.files[0]["dataFileS3Key"] = f"{export.folder}data/../../../{export.data_key}"


def _naming_another_export(export: Forged, sealed: Mapping[str, Any]) -> None:
    export.files[0]["dataFileS3Key"] = export.data_key.replace(export.id, sealed["export"]["id"])


def _bomb(export: Forged, _sealed: Mapping[str, Any]) -> None:
    line = json.dumps({"Item": {"pk": {"S": "bomb"}, "sk": {"N": "0"}, "text": {"S": "0" * _LONGEST_LINE}}})
    export.data = gzip.compress(line.encode() + b"\n", mtime=0)
    export.files[0]["md5Checksum"] = md5(export.data)


CRAFTED: Final[Mapping[str, Callable[[Forged, Mapping[str, Any]], None]]] = {
    "sends the manifest of another table": _of_another_table,
    "names a data file of another table": _naming_another_table,
    "names a data file by a path that climbs": _climbing,
    "names a data file of another export": _naming_another_export,
    "sends a line that is a decompression bomb": _bomb,
}
TRIED: Final[Mapping[str, Callable[[TakenOver], tuple[str, str]]]] = {
    "overwrites every file of a sealed export": TakenOver.overwrites_sealed,
    "overwrites the files of an export before it is sealed": TakenOver.overwrites_before,
    "hides the files under delete markers": TakenOver.hides,
    "hides them, with delete markers replicated": TakenOver.hides_with_markers,
    "locks what it sends for a day": lambda it: it.locks(1),
    "locks what it sends for a hundred years": lambda it: it.locks(36_500),
    "sends an export that is dated before it": TakenOver.backdates,
    "sends an export under a key of its own (SSE-C)": TakenOver.encrypts,
    "sends an export below another account's prefix": TakenOver.sends_as_another,
    "deletes what has arrived in the intake": TakenOver.deletes_arrived,
    **{name: partial(TakenOver.crafts, name=name) for name in CRAFTED},
    "sends more exports than its quota": TakenOver.floods,
}
