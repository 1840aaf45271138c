"""What is said to be left after each disaster: never more than there is, and all that there is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tableguard.review.assembly import SynthesizedStack
from tableguard.review.collect import collect
from tableguard.review.disaster import Disaster, DisasterOutcome, disasters
from tableguard.review.disaster_output import disasters_as_json, disasters_as_markdown, disasters_as_text
from tests.project.machine import ROOT
from tests.unit.review.backup_support import (
    LANDING,
    MACHINE,
    SEALED,
    VAULT,
    both,
    bucket,
    changed,
    copied,
    data,
    drill,
    locked,
    machine,
    plan,
    rule,
    safe,
    schedule,
    vault,
)
from tests.unit.review.support import KEY, OWNER, TABLE, stack, table

OFF = {"PointInTimeRecoveryEnabled": False}
ENCRYPTED = {"SSEEnabled": True, "KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}
BARE = stack(T=table(PointInTimeRecoverySpecification=OFF))
ALONE = stack(T=table())
ENCRYPTED_STACKS = both(
    {**data(T=table(SSESpecification=ENCRYPTED)), "Key": {"Type": "AWS::KMS::Key", "Properties": {}}}
)


def after(disaster: Disaster, *stacks: SynthesizedStack) -> DisasterOutcome:
    """What is said of the first table."""
    found = disasters(collect(stacks))[0]
    (only,) = [each for each in found.outcomes if each.disaster is disaster]
    return only


def sealed_with(**lock: Any) -> tuple[SynthesizedStack, ...]:
    made = {**vault()["Sealed"], "Properties": {"BucketName": SEALED, **lock}}
    return both(None, {**vault(Sealed=made), **drill()})


def backed_up(**more: Any) -> tuple[SynthesizedStack, ...]:
    return stack(**plan(rule(copied()))), stack("Vault", VAULT, Safe=safe(**more))


PITR, LOCKED, BACKUP, COPY = "point-in-time recovery", "sealed exports", "AWS Backup", "copies by AWS Backup"
SURE, PERHAPS, GONE = "", "perhaps ", None


def said_of(outcome: DisasterOutcome, kind: str) -> str | None:
    """Whether a kind of road is said to be left: for certain, perhaps, or not."""
    if any(left.startswith(kind) for left in outcome.left):
        return SURE
    return PERHAPS if any(left.startswith(f"perhaps {kind}") for left in outcome.left) else GONE


@pytest.mark.parametrize(
    ("disaster", "pitr", "sealed", "in_vault", "copies"),
    [
        (Disaster.GARBAGE, SURE, SURE, SURE, SURE),
        (Disaster.POISON, SURE, SURE, SURE, SURE),
        (Disaster.TABLE, SURE, SURE, SURE, SURE),
        (Disaster.TAKEN, GONE, SURE, PERHAPS, SURE),
        (Disaster.CLOSED, PERHAPS, SURE, PERHAPS, SURE),
        (Disaster.VAULT, SURE, GONE, SURE, GONE),
        (Disaster.MANAGEMENT, GONE, SURE, PERHAPS, SURE),
    ],
)
def test_what_is_left_of_each_kind(
    disaster: Disaster, pitr: str | None, sealed: str | None, in_vault: str | None, copies: str | None
) -> None:
    exported, kept = after(disaster, *both()), after(disaster, *backed_up())
    assert (said_of(exported, PITR), said_of(exported, LOCKED)) == (pitr, sealed)
    assert (said_of(kept, BACKUP), said_of(kept, COPY)) == (in_vault, copies)


@pytest.mark.parametrize(
    ("lock", "left"),
    [(locked("COMPLIANCE"), SURE), (locked("GOVERNANCE"), GONE), ({**locked(), "ObjectLockEnabled": False}, GONE)],
)
def test_only_compliance_stands_against_the_management_account(lock: Any, left: str | None) -> None:
    outcome = after(Disaster.MANAGEMENT, *sealed_with(**lock))
    assert said_of(outcome, LOCKED) == left
    assert (outcome.loses == "everything") is (left is GONE)


def test_a_key_in_the_vault_is_a_way_around_its_lock() -> None:
    key = f"arn:aws:kms:eu-west-1:{VAULT}:key/12345678-1234-1234-1234-123456789012"
    encryption = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"KMSMasterKeyID": key}}]}
    outcome = after(Disaster.MANAGEMENT, *sealed_with(**locked(), BucketEncryption=encryption))
    assert said_of(outcome, LOCKED) == PERHAPS
    taken = after(Disaster.TAKEN, *sealed_with(**locked(), BucketEncryption=encryption))
    assert said_of(taken, LOCKED) == SURE
    own = json.loads(json.dumps(encryption).replace(VAULT, OWNER))
    assert said_of(after(Disaster.TAKEN, *sealed_with(**locked(), BucketEncryption=own)), LOCKED) == PERHAPS


@pytest.mark.parametrize("disaster", [Disaster.TAKEN, Disaster.CLOSED, Disaster.MANAGEMENT])
def test_a_vault_of_another_app_is_left_perhaps(disaster: Disaster) -> None:
    outcome = after(disaster, stack(**data()))
    assert any(left.startswith("perhaps replicated exports in acme-intake") for left in outcome.left)
    assert outcome.loses_minutes is None
    assert outcome.loses.endswith("if that is left")


class TestNothing:
    @pytest.mark.parametrize("disaster", [Disaster.TABLE, Disaster.TAKEN, Disaster.MANAGEMENT])
    def test_nothing_is_left_and_that_is_said(self, disaster: Disaster) -> None:
        outcome = after(disaster, BARE)
        assert (outcome.left, outcome.loses) == ((), "everything")
        assert "nothing is left" in disasters_as_text(disasters(collect([BARE])))

    @pytest.mark.parametrize("disaster", [Disaster.TAKEN, Disaster.MANAGEMENT])
    def test_recovery_in_the_own_account_is_not_left(self, disaster: Disaster) -> None:
        assert after(disaster, ALONE).loses == "everything"

    def test_a_spoilt_table_is_there_still(self) -> None:
        outcome = after(Disaster.GARBAGE, BARE)
        assert outcome.left == ("the table itself, with the garbage in it",)
        assert outcome.loses == "everything that it overwrote"

    def test_what_a_template_does_not_tell_is_not_nothing(self) -> None:
        made = plan(rule(), selection={"ListOfTags": [{"ConditionKey": "backup"}]})
        outcome = after(Disaster.TABLE, stack(**made))
        assert outcome.loses == "not known"
        assert any(left.startswith("perhaps: backup plan Plan chooses by tags") for left in outcome.left)


class TestLostAccount:
    @pytest.mark.parametrize("disaster", [Disaster.TAKEN, Disaster.CLOSED, Disaster.MANAGEMENT])
    def test_what_another_account_keeps_comes_first(self, disaster: Disaster) -> None:
        twice = plan(rule(copied(), StartWindowMinutes=60), selection=None)
        outcome = after(disaster, stack(**twice), stack("Vault", VAULT, Safe=safe()))
        assert said_of(outcome, BACKUP) == PERHAPS
        assert outcome.left[0].startswith(COPY)
        assert f"of safe in {VAULT}" in outcome.do[-1]
        assert outcome.loses.endswith("and to copy it")

    @pytest.mark.parametrize("disaster", [Disaster.TAKEN, Disaster.CLOSED])
    def test_it_does_so_when_it_is_less_certain_than_the_own_vault(self, disaster: Disaster) -> None:
        made = plan(rule(copied()))
        lasting = {"MinRetentionDays": 7, "MaxRetentionDays": 90, "ChangeableForDays": 0}
        made["Kept"] = changed(made["Kept"], "Properties", "LockConfiguration", to=lasting)
        outcome = after(disaster, stack(**made))
        assert outcome.left[0].startswith(f"perhaps {COPY}")
        assert f"of safe in {VAULT}" in outcome.do[-1]
        assert outcome.loses.endswith("if that is left")

    @pytest.mark.parametrize("stacks", [(BARE,), (ALONE,), (stack(**plan(rule())),)])
    def test_a_closed_account_that_keeps_everything_restores_nothing(
        self, stacks: tuple[SynthesizedStack, ...]
    ) -> None:
        outcome = after(Disaster.CLOSED, *stacks)
        assert outcome.left[0].startswith("perhaps the table itself: only if the account is opened again")
        assert outcome.do[1].startswith("nothing can be restored until then")
        assert not any("restore meanwhile" in each for each in outcome.do)
        assert outcome.loses == "nothing, if it is opened again in time; otherwise everything"
        assert outcome.loses_minutes is None

    def test_with_a_backup_elsewhere_one_restores_meanwhile(self) -> None:
        assert "restore meanwhile" in after(Disaster.CLOSED, *both()).do[0]


class TestLoss:
    def test_recovery_loses_nothing_from_before_a_bad_deploy_or_a_deletion(self) -> None:
        assert after(Disaster.GARBAGE, ALONE).loses == "nothing from before it"
        assert after(Disaster.TABLE, ALONE).loses == "nothing"

    def test_exports_lose_a_window(self) -> None:
        outcome = after(Disaster.TAKEN, *both())
        assert outcome.loses == "up to 1 h 5 min and the time to export, replicate and seal it"
        assert outcome.loses_minutes == 65

    @pytest.mark.parametrize(
        ("starts", "every", "minutes"),
        [
            (["rate(1 day)"], 60, 1440 + 5),
            (["rate(1 day)", "rate(2 hours)"], 60, 120 + 5),
            (["rate(15 minutes)"], 15, 15 + 5 + 15),
            (["rate(30 minutes)"], 15, 30 + 5),
            (["rate(15 minutes)"], 60, 60 + 5),
            (["at(2027-01-01T00:00:00)"], 60, None),
        ],
    )
    def test_exports_lose_as_much_as_their_schedule_leaves(
        self, starts: list[str], every: int, minutes: int | None
    ) -> None:
        exports = changed(data()["Machine"], "Metadata", "tableguard", "export", "every_minutes", to=every)
        named = f'{{"table": "{TABLE}"}}'
        schedules = {f"S{number}": schedule(each, MACHINE, named) for number, each in enumerate(starts)}
        made = data(Machine=exports, Every=None, **schedules)
        assert after(Disaster.TAKEN, *both(made)).loses_minutes == minutes

    @pytest.mark.parametrize(
        "every",
        [
            None,
            schedule("rate(60 minutes)", MACHINE, f'{{"table": "{TABLE}"}}', State="DISABLED"),
            schedule("rate(60 minutes)", MACHINE, f'{{"table": "{TABLE}2"}}'),
        ],
    )
    def test_exports_that_nothing_starts_promise_nothing(self, every: Any) -> None:
        outcome = after(Disaster.TAKEN, *both(data(Every=every)))
        assert outcome.loses == "all that was written since the last one: nothing starts it"
        assert (outcome.loses_minutes, outcome.why) == (None, "no enabled schedule names the table")

    @pytest.mark.parametrize(
        ("state", "loses", "minutes"),
        [
            ("ENABLED", "up to 1 day and the time to make a backup", 1440),
            ("DISABLED", "all that was written since the last one: nothing starts it", None),
        ],
    )
    def test_on_demand_backups_that_nothing_starts_promise_nothing(
        self, state: str, loses: str, minutes: int | None
    ) -> None:
        claims = {"tables": [TABLE], "schedule": "rate(1 day)", "keep_days": 30}
        made: dict[str, Any] = {"M": machine(on_demand=claims), "S": schedule("rate(1 day)", {"Ref": "M"}, State=state)}
        outcome = after(Disaster.TABLE, stack(T=table(PointInTimeRecoverySpecification=OFF), **made))
        assert (outcome.loses, outcome.loses_minutes) == (loses, minutes)

    def test_the_road_that_loses_least_comes_first(self) -> None:
        made = {**plan(rule(copied())), **data(T=table())}
        outcome = after(Disaster.TAKEN, stack(**made), stack("Vault", VAULT, **vault(), **drill(), Safe=safe()))
        assert [left.partition(" in ")[0] for left in outcome.left][:2] == [LOCKED, COPY]

    def test_poison_is_as_old_as_the_furthest_road_and_no_older(self) -> None:
        outcome = after(Disaster.POISON, *both())
        assert outcome.left[1:] == (
            "point-in-time recovery: N up to 35 days",
            f"sealed exports in {SEALED} of {VAULT}: N up to 32 days",
        )
        assert outcome.loses == "what was written since it began; all, if it began more than 35 days ago"

    @pytest.mark.parametrize(
        ("rules", "end"),
        [
            ([{"Status": "Enabled", "ExpirationInDays": 14}], "; all, if it began more than 11 days ago"),
            ([{"Status": "Disabled", "ExpirationInDays": 14}], ""),
            ([{"Status": "Enabled", "ExpirationInDays": 14, "Prefix": "logs/"}], ""),
        ],
    )
    def test_exports_that_expire_reach_as_far_as_they_are_kept(self, rules: list[Any], end: str) -> None:
        landing = bucket(LANDING, LifecycleConfiguration={"Rules": rules})
        made = data(T=table(PointInTimeRecoverySpecification=OFF), Landing=landing)
        outcome = after(Disaster.POISON, stack(**made))
        assert outcome.loses == f"what was written since it began{end}"

    def test_only_exports_have_changes_to_look_through(self) -> None:
        assert "from the exports' changes" in after(Disaster.POISON, *both()).do[0]
        assert "export" not in after(Disaster.POISON, ALONE).do[0]

    def test_who_was_poisoned_long_ago_goes_another_road(self) -> None:
        made = {**vault()["Sealed"], "Properties": {"BucketName": SEALED, **locked("COMPLIANCE", Days=400)}}
        outcome = after(Disaster.POISON, *both(None, {**vault(Sealed=made), **drill()}))
        assert outcome.do[-1].startswith("further back: start the restore machine of 777788889999")


class TestSteps:
    def test_a_restore_machine_is_named_with_its_input(self) -> None:
        assert after(Disaster.TAKEN, *both()).do[-1] == (
            f'start the restore machine of {VAULT} in eu-west-1 with {{"table": "NEW NAME", "until": "MOMENT",'
            ' "sealed_by": "MOMENT OF THE TAKEOVER"}'
        )
        assert after(Disaster.KEY, *ENCRYPTED_STACKS).do[-1].endswith('"until": "MOMENT"}')

    def test_one_in_the_lost_account_is_of_no_use(self) -> None:
        parts = drill()
        stacks = both({**data(), "Restore": parts["Restore"]}, vault())
        assert after(Disaster.TAKEN, *stacks).do[-1].startswith("deploy a TableRestore")
        assert after(Disaster.TAKEN, *both(None, vault())).do[-1].startswith("deploy a TableRestore")

    def test_a_table_that_is_gone_is_not_exported_any_more(self) -> None:
        living = machine(restore={"point_in_time": TABLE, "source": TABLE, "targets": ["new-*"]})
        made = stack(**data(), Restore=living)
        assert after(Disaster.GARBAGE, made).do[-1].startswith(f"start the restore machine of {OWNER}")
        assert after(Disaster.TABLE, made).do[-1].startswith("restore its system backup to a new table")
        assert after(Disaster.GARBAGE, ALONE).do[-1].startswith("restore the moment before")

    def test_the_time_is_an_estimate_with_the_numbers_that_are_known(self) -> None:
        takes = after(Disaster.TAKEN, *both()).takes
        assert takes.startswith("estimate: W / 4,000 + R / 12,000 seconds")
        assert "up to 72 increments" in takes

    def test_deletion_protection_is_said(self) -> None:
        assert not after(Disaster.TABLE, ALONE).left[0].startswith("deletion protection")
        guarded = after(Disaster.TABLE, stack(T=table(DeletionProtectionEnabled=True)))
        assert guarded.left[0].startswith("deletion protection is on")


class TestKey:
    def test_a_key_of_aws_cannot_be_deleted(self) -> None:
        outcome = after(Disaster.KEY, BARE)
        assert (outcome.loses, outcome.loses_minutes, outcome.do) == ("nothing", 0, ("nothing",))
        assert len(outcome.left) == 1

    def test_the_key_of_a_vault_is_another_one_to_lose(self) -> None:
        made = plan(rule(copied()))
        key = f"arn:aws:kms:eu-west-1:{OWNER}:key/12345678-1234-1234-1234-123456789012"
        made["Kept"] = changed(made["Kept"], "Properties", "EncryptionKeyArn", to=key)
        outcome = after(Disaster.KEY, stack(**made), stack("Vault", VAULT, Safe=safe()))
        assert outcome.loses == "nothing"
        assert outcome.left[1:] == (f"but not {BACKUP} in kept, if its own key is the one that is deleted: {key}",)
        assert outcome.do[0].startswith("cancel the deletion of a backup's key while it is pending")

    def test_recovery_has_the_key_of_the_table_and_sealed_exports_have_not(self) -> None:
        key = {"Type": "AWS::KMS::Key", "Properties": {}}
        stacks = both({**data(T=table(SSESpecification=ENCRYPTED)), "Key": key})
        outcome = after(Disaster.KEY, *stacks)
        assert said_of(outcome, PITR) is GONE
        assert said_of(outcome, LOCKED) == SURE
        assert KEY.rpartition("/")[0] in (collect(stacks).tables[0].key_arn or "")

    def test_backups_may_have_it(self) -> None:
        made = plan(rule(copied()))
        made["T"] = changed(made["T"], "Properties", "SSESpecification", to=ENCRYPTED)
        made["Key"] = {"Type": "AWS::KMS::Key", "Properties": {}}
        outcome = after(Disaster.KEY, stack(**made), stack("Vault", VAULT, Safe=safe()))
        assert said_of(outcome, BACKUP) == PERHAPS
        assert said_of(outcome, COPY) == SURE

    @pytest.mark.parametrize(
        ("stated", "left"),
        [
            ({"Fn::ImportValue": "key"}, PERHAPS),
            ({"Ref": "KeyParameter"}, PERHAPS),
            (f"arn:aws:kms:eu-west-1:{OWNER}:alias/orders", PERHAPS),
            (f"arn:aws:kms:eu-west-1:{OWNER}:key/12345678-1234-1234-1234-123456789012", PERHAPS),
            (f"arn:aws:kms:eu-west-1:{VAULT}:key/12345678-1234-1234-1234-123456789012", SURE),
            ("alias/aws/s3", SURE),
        ],
    )
    def test_a_key_that_may_be_the_tables_is_not_another_one(self, stated: Any, left: str) -> None:
        encryption = {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"KMSMasterKeyID": stated}}]
        }
        made = {**vault()["Sealed"], "Properties": {"BucketName": SEALED, **locked(), "BucketEncryption": encryption}}
        key = {"Type": "AWS::KMS::Key", "Properties": {}}
        stacks = both({**data(T=table(SSESpecification=ENCRYPTED)), "Key": key}, {**vault(Sealed=made), **drill()})
        assert said_of(after(Disaster.KEY, *stacks), LOCKED) == left
        taken = after(Disaster.TAKEN, *stacks)
        assert said_of(taken, LOCKED) == left
        assert ("the data account has no say there" in taken.left[0]) is (left == SURE)

    @pytest.mark.parametrize("kind", ["Kept", "Safe"])
    def test_a_vault_whose_key_is_not_known_has_it_perhaps(self, kind: str) -> None:
        made = plan(rule(copied()))
        made["T"] = changed(made["T"], "Properties", "SSESpecification", to=ENCRYPTED)
        made["Key"] = {"Type": "AWS::KMS::Key", "Properties": {}}
        imported = {"Fn::ImportValue": "key"}
        if kind == "Kept":
            made["Kept"] = changed(made["Kept"], "Properties", "EncryptionKeyArn", to=imported)
        more: dict[str, Any] = {} if kind == "Kept" else {"EncryptionKeyArn": imported}
        outcome = after(Disaster.KEY, stack(**made), stack("Vault", VAULT, Safe=safe(**more)))
        said = f"{BACKUP} in kept" if kind == "Kept" else f"{COPY} in safe"
        (found,) = [left for left in outcome.left if said in left]
        assert found.startswith("perhaps")
        assert found.endswith("its key is not known here")

    def test_a_key_that_no_template_tells_is_not_known(self) -> None:
        unknown = {"SSEEnabled": True, "KMSMasterKeyId": {"Fn::ImportValue": "key"}}
        assert after(Disaster.KEY, stack(T=table(SSESpecification=unknown))).loses == "not known"


class TestVaultClosed:
    def test_the_table_lives_on(self) -> None:
        outcome = after(Disaster.VAULT, *both())
        assert outcome.left == ("the table itself", PITR)
        assert VAULT in outcome.do[0]
        assert outcome.why.startswith("sealed exports: AWS deletes what a closed account holds after 90 days")

    def test_without_a_vault_nothing_happens(self) -> None:
        assert after(Disaster.VAULT, ALONE).do == ("nothing: no backup of it is kept in another account",)


@pytest.mark.parametrize(("approval", "words"), [(True, "an approval team"), (False, "but for closing its account")])
def test_an_approval_team_outlives_the_account(approval: bool, words: str) -> None:
    outcome = after(Disaster.MANAGEMENT, *backed_up(approval=approval))
    assert any(words in left for left in outcome.left)


class TestOutput:
    def test_the_text_is_small_and_fits(self) -> None:
        found = disasters(collect([BARE]))
        text = disasters_as_text(found, width=80)
        assert text.splitlines()[:12] == [
            "Derived from the templates, not from what is deployed. Times are estimates; only",
            "a drill tells. What to do stands in docs/disaster-recovery.md.",
            "",
            f"orders  {OWNER} eu-west-1",
            " 1 A bad deploy wrote garbage",
            "   left     the table itself, with the garbage in it",
            "   do       nothing in this assembly brings it back:",
            "            docs/disaster-recovery.md#a-bad-deploy-wrote-garbage says what else",
            "            may",
            "   takes    no time helps",
            "   loses    everything that it overwrote: no road survives that",
            " 2 Slow poisoning for N days",
        ]

    @pytest.mark.parametrize("stacks", [both(), backed_up(), (BARE,)])
    def test_every_line_fits_and_every_format_has_all_eight(self, stacks: tuple[SynthesizedStack, ...]) -> None:
        found = disasters(collect(stacks))
        text, page = disasters_as_text(found, width=80), disasters_as_markdown(found)
        assert max(map(len, text.splitlines())) <= 80
        written = json.loads(json.dumps(disasters_as_json(found)))["tables"][0]["disasters"]
        for disaster, each in zip(Disaster, written, strict=True):
            assert disaster.value in text
            assert f"| {disaster.value} |" in page
            assert each["title"] == disaster.value
            assert all(each[key] for key in ("do", "takes", "loses", "why", "section"))

    def test_an_assembly_without_tables(self) -> None:
        assert disasters_as_text(disasters(collect([stack()]))) == "No table stands in the templates."
        assert disasters_as_json([])["tables"] == []

    def test_names_of_others_are_no_markdown(self) -> None:
        named = bucket("*bold*|cell")
        page = disasters_as_markdown(disasters(collect([stack(**data(Landing=named))])))
        assert "*bold*" not in page


def test_the_guide_has_a_section_for_each_disaster() -> None:
    text = (ROOT / "docs" / "disaster-recovery.md").read_text(encoding="utf-8")
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert [heading for heading in headings if heading in {each.value for each in Disaster}] == [
        each.value for each in Disaster
    ]
    assert Disaster.POISON.section == "docs/disaster-recovery.md#slow-poisoning-for-n-days"
