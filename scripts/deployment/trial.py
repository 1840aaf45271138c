"""The trial deployment, step by step: onto the emulator or into real accounts alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from scripts.deployment.accounts import Accounts
from scripts.deployment.calls import Calls
from scripts.deployment.cdk import TOOLKIT, Cdk
from scripts.deployment.cleanup import remove_retained, remove_toolkit
from scripts.deployment.decisions import EVERYTHING, Consumer, Deployed, allowed, consumers, decide
from scripts.deployment.found import Found
from scripts.deployment.inventory import Thing, inventory, stack_names
from scripts.deployment.plan import Json, Place, Plan, PlanError
from scripts.deployment.readback import read_back
from scripts.deployment.report import Report
from scripts.deployment.sealed import Sealed
from scripts.deployment.wanted import Wanted, place_of
from tableguard.review.assembly import SynthesizedStack, read_assembly

_KINDS = {
    "AWS::DynamoDB::GlobalTable": "table",
    "AWS::KMS::Key": "key",
    "AWS::Logs::LogGroup": "log group",
    "AWS::S3::Bucket": "bucket",
}
# It stays with its bucket, and goes with it.
_WITH_ANOTHER = {"AWS::S3::BucketPolicy"}


@dataclass
class Trial:
    """One trial deployment, from accounts without it to accounts without it.

    Args:
        plan: Where to.
        accounts: The accounts of the plan.
        folder: For what is synthesized.
        report: Hears of progress and checks.
        patience: For how many seconds a policy may take until it is in force everywhere.
    """

    plan: Plan
    accounts: Accounts
    folder: Path
    report: Report
    patience: float = 0.0
    bootstrapped: list[Place] = field(default_factory=list)
    before: frozenset[Thing] = frozenset()

    @cached_property
    def cdk(self) -> Cdk:
        """The CDK CLI."""
        return Cdk(self.accounts, self.plan.pipeline, self.folder, self.report)

    @cached_property
    def found(self) -> Found:
        """What is in the accounts."""
        return Found(self.accounts)

    @cached_property
    def today(self) -> Path:
        """The assembly of the organization."""
        return self.cdk.synth("today", self.plan.organization)

    @cached_property
    def tomorrow(self) -> Path:
        """The assembly with a tenant added and one removed."""
        return self.cdk.synth("tomorrow", self.plan.changed)

    def run(self) -> bool:
        """Do all of it, and clean up whatever happens.

        Returns:
            Whether every check has passed.
        """
        self.prepare()
        try:
            self.bootstrap()
            self.deploy()
            self.check()
            self.deploy_unchanged()
            self.change_tenants()
        except Exception as error:  # noqa: BLE001  what was deployed has to go, whatever went wrong
            self.report.check("the deployment runs to its end", [f"{type(error).__name__}: {error}"])
        finally:
            self.destroy()
        return not self.report.failed

    def prepare(self) -> None:
        """Synthesize, and look at what is there.

        Raises:
            PlanError: Something of what is to be deployed exists: it would be changed, and destroyed in the end.
        """
        self.report.section("Preparing")
        self.report.progress("synthesizing the organization, and again with its tenants changed")
        self._refuse_what_is_there()
        self.before = inventory(self.accounts, self.plan.places)

    def bootstrap(self) -> None:
        """Bootstrap the accounts that are not yet."""
        for place in self.plan.places:
            if (*place, "stack", TOOLKIT) in self.before:
                self.report.progress(f"{'/'.join(place)} is bootstrapped already")
                continue
            self.report.progress(f"bootstrapping {'/'.join(place)}")
            self.bootstrapped.append(place)
            self.cdk.bootstrap(place)

    def deploy(self) -> None:
        """Deploy every stack."""
        self.report.section("Deploying into every account")
        self.cdk.deploy(self.today)
        self.report.check(f"{len(read_assembly(self.today))} stacks are deployed", self._not_complete(self.today))

    def check(self) -> None:
        """Compare what is there with the templates, decide who may do what, and call the functions."""
        self.report.section("Read back from every account, and compared with the templates")
        self.read_back(self.today, self.report)
        self.report.section("Decided by tableguard, over the documents that were read back")
        self.decide(self.today, self.plan.organization, self.report)
        self.report.section("Called")
        self.call(self.today, self.report)

    def read_back(self, assembly: Path, report: Report) -> None:
        """Compare what is there with the templates of an assembly."""
        read_back(assembly, self.found, report)

    def decide(self, assembly: Path, organization: Json, report: Report) -> None:
        """Decide who may do what, over the documents that are in the accounts."""
        deployed, vendor_policy = self._around_the_table(assembly)
        decide(consumers(organization, self.accounts, vendor_policy), deployed, report)
        Sealed.of(organization, self.accounts).decide(report)

    def call(self, assembly: Path, report: Report) -> None:
        """Call the functions of an assembly."""
        deployed, _ = self._around_the_table(assembly)
        wanted = Wanted(assembly, self.found.physical_ids)
        Calls(
            accounts=self.accounts, wanted=wanted, table=deployed.table, patience=self.patience, report=report
        ).check()

    def deploy_unchanged(self) -> None:
        """Deploy the same again: nothing may change."""
        self.report.section("Deploying the same again")
        before = self._moments()
        difference = self.cdk.differs(self.today)
        self.report.check("`cdk diff` finds no difference", [difference] if difference else [])
        self.cdk.deploy(self.today)
        self.report.check("no stack has changed", self._moved(before))

    def change_tenants(self) -> None:
        """Add a tenant and remove one: only their stacks and the table's policies may change."""
        joining, leaving = self.plan.joining[0], self.plan.leaving
        self.report.section(f"Adding tenant {joining}, removing tenant {leaving}")
        before, resources = self._moments(), self._physical_ids(self.today)
        (leaver,) = (each for each in self._consumers(self.today, self.plan.organization) if leaving in each.name)
        self.cdk.deploy(self.tomorrow)
        changed = set(self._moved(before))
        self.report.check(
            "of the stacks that were there, only the table's has changed", sorted(changed ^ {"CentralData"})
        )
        self.report.check("nothing of them was replaced", sorted(resources - self._physical_ids(self.today)))
        self.report.check("nothing but policies has changed", list(self._changed_but_policies()))
        self.cdk.destroy(self.today, [f"Tenant{leaving}"])
        self.report.check(
            f"the stack of {leaving} is gone", sorted({f"Tenant{leaving}"} & self._existing(self.today).keys())
        )
        deployed, _ = self._around_the_table(self.tomorrow)
        still = allowed(replace(leaver, identity=[EVERYTHING]), deployed)
        self.report.check(
            f"a role like {leaving}'s may do nothing any more", [f"{action} on {arn}" for action, arn in still]
        )
        self.report.check_silently("read back again", partial(self.read_back, self.tomorrow))
        self.report.check_silently("decided again", partial(self.decide, self.tomorrow, self.plan.changed))
        self.report.check_silently("called again", partial(self.call, self.tomorrow))

    def destroy(self) -> None:
        """Destroy every stack, see what is left, and remove that, too."""
        self.report.section("Destroying all of it")
        try:
            retained: set[Thing] = set()
            for assembly in (self.today, self.tomorrow):
                there = self._existing(assembly)
                retained.update(*map(self._retained, there.values()))
                if there:
                    self.cdk.destroy(assembly, list(there))
            left = self._left()
            kept = left & retained
            for account, _, kind, name in sorted(kept):
                self.report.note(f"kept, as its template says: {kind} {name} of account {account}")
            self.report.check("nothing else is left", _named(left - kept))
            self.report.check("what RETAIN keeps is there", _named(retained - left))
            remove_retained(self.accounts, kept, self.report)
        except Exception as error:  # noqa: BLE001  the rest has to go all the same
            self.report.check("everything can be destroyed", [f"{type(error).__name__}: {error}"])
        for place in self.bootstrapped:
            try:
                remove_toolkit(self.accounts, place)
            except (BotoCoreError, ClientError, ValueError) as error:
                self.report.check(f"the bootstrap of {'/'.join(place)} can be removed", [str(error)])
        after = inventory(self.accounts, self.plan.places)
        self.report.check("the accounts are as they were before", _named(after ^ self.before))

    def _refuse_what_is_there(self) -> None:
        for stack in [*self._existing(self.today).values(), *self._existing(self.tomorrow).values()]:
            raise PlanError(
                f"The stack {stack.stack_name} exists in {stack.account}/{stack.region}. A trial would change it, and "
                "destroy it in the end: choose accounts without it."
            )

    def _existing(self, assembly: Path) -> dict[str, SynthesizedStack]:
        """Those stacks of an assembly that are in their accounts."""
        stacks = read_assembly(assembly)
        there = {place: stack_names(self.accounts, place) for place in {place_of(stack) for stack in stacks}}
        return {stack.name: stack for stack in stacks if stack.stack_name in there[place_of(stack)]}

    def _around_the_table(self, assembly: Path) -> tuple[Deployed, str]:
        """The documents of the table's side, and the policy for the vendor."""
        wanted = Wanted(assembly, self.found.physical_ids)
        table = next(
            each
            for each in wanted.resources
            if each.kind == "AWS::DynamoDB::GlobalTable" and each.stack.name == "CentralData"
        )
        deployed = Deployed.read(self.accounts, table.place, table.physical_id)
        return deployed, self.found.outputs(table.stack)["VendorPolicy"]

    def _consumers(self, assembly: Path, organization: Json) -> list[Consumer]:
        return consumers(organization, self.accounts, self._around_the_table(assembly)[1])

    def _physical_ids(self, assembly: Path) -> set[str]:
        """Of all resources whose stack is there."""
        stacks = self._existing(assembly).values()
        return {name for stack in stacks for name in self.found.physical_ids(stack).values()}

    def _changed_but_policies(self) -> Iterator[str]:
        """What the two assemblies ask for differently, in the stacks that are in both."""
        there = self.found.physical_ids
        stay = {stack.name for stack in read_assembly(self.tomorrow)}
        before = Wanted(self.today, there).resources
        after = {(each.stack.name, each.logical_id): each for each in Wanted(self.tomorrow, there).resources}
        for each in before:
            if each.stack.name in stay:
                now = after[each.stack.name, each.logical_id].properties
                yield from (
                    f"{each.label}: {name}"
                    for name in now.keys() | each.properties.keys()
                    if now.get(name) != each.properties.get(name) and name != "policy"
                )

    def _moments(self) -> dict[str, str]:
        """When each stack was changed last."""
        return {stack.name: self.found.changed(stack) for stack in read_assembly(self.today)}

    def _moved(self, before: dict[str, str]) -> list[str]:
        return [name for name, moment in self._moments().items() if moment != before[name]]

    def _not_complete(self, assembly: Path) -> list[str]:
        return [
            f"{stack.name}: {status}"
            for stack in read_assembly(assembly)
            if not (status := self.found.status(stack)).endswith("_COMPLETE") or "ROLLBACK" in status
        ]

    def _retained(self, stack: SynthesizedStack) -> set[Thing]:
        """What of a stack is to stay when it is destroyed."""
        names = self.found.physical_ids(stack)
        return {
            (*place_of(stack), _KINDS.get(resource["Type"], resource["Type"]), names[logical_id])
            for logical_id, resource in stack.resources()
            if resource.get("DeletionPolicy") == "Retain"
            and logical_id in names
            and resource["Type"] not in _WITH_ANOTHER
        }

    def _left(self) -> set[Thing]:
        """What is there that was not before, but for what the bootstraps have made."""
        theirs = {
            (account, "" if kind in ("role", "policy") else region, kind, name)
            for account, region in self.bootstrapped
            for kind, name in self.found.of_toolkit((account, region))
        }
        return set(inventory(self.accounts, self.plan.places) - self.before - theirs)


def _named(things: set[Thing] | frozenset[Thing]) -> list[str]:
    return [f"{kind} {name} of account {account} {region}".rstrip() for account, region, kind, name in sorted(things)]
