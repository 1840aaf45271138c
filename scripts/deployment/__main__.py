"""Tries the reference organization out in real AWS accounts: `make deploy-aws`. Says what it would do, by default."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from scripts.deployment.accounts import Accounts
from scripts.deployment.cdk import CdkError
from scripts.deployment.plan import Plan, PlanError
from scripts.deployment.report import Report
from scripts.deployment.trial import Trial

_PATIENCE = 120.0  # seconds; a policy is usually in force everywhere after a few
_STOPPED = 2


def main(arguments: list[str]) -> int:
    """Say what would be done or, with --run and after a confirmation, do it.

    Args:
        arguments: Of the command.

    Returns:
        0 if every check has passed, or nothing was to be done; 1 if one failed; 2 if it was stopped before it began.
    """
    parser = argparse.ArgumentParser(prog="make deploy-aws", usage="make deploy-aws PLAN=accounts.json [RUN=yes]")
    parser.add_argument("plan", nargs="?", type=Path)
    parser.add_argument("--run", action="store_true")
    said = parser.parse_args(arguments)
    if said.plan is None:
        print("Say whose accounts: make deploy-aws PLAN=accounts.json\ndocs/verify-on-aws.md says how to write that.")
        return _STOPPED
    try:
        plan = Plan.read(said.plan)
        print(outline(plan))
        if not said.run:
            print("\nNothing was asked for or touched. To do it: make deploy-aws PLAN=… RUN=yes")
            return 0
        accounts = Accounts(plan.profiles, os.environ)
        accounts.check_identities()
        if not _confirmed(plan):
            print("Stopped. Nothing was touched.")
            return _STOPPED
        report = Report(show=lambda line: print(line, flush=True))
        with tempfile.TemporaryDirectory(prefix="tableguard-trial-") as folder:
            done = Trial(plan, accounts, Path(folder), report, _PATIENCE).run()
    except (PlanError, CdkError, BotoCoreError, ClientError) as error:
        # Only before anything is touched: whatever goes wrong later is a check that has failed.
        print(f"Stopped. {error}", file=sys.stderr)
        return _STOPPED
    print(f'\nAWS did all of this; tableguard decided what stands under "Decided". {report.total()}')
    return 0 if done else 1


def outline(plan: Plan) -> str:
    """What a trial would do, for a reader who is asked for a confirmation.

    Args:
        plan: The plan.
    """
    joining, leaving = plan.joining[0], plan.leaving
    organization = plan.organization
    into = {
        "CentralData": organization["central"],
        **{f"Tenant{name}": place for name, place in organization["tenants"].items()},
        f"Tenant{joining}": plan.joining[1],
        "Etl": organization["etl"],
        "Writer": organization["writer"],
        "PrivateWorkload": organization["private"],
        "Management": organization["management"],
        "BackupVault": organization["vault"],
        "Recovery": organization["recovery"],
    }
    stacks = [f"  {name:<20} {place['account']}  {place['region']}" for name, place in into.items()]
    profiles = [f"  {account}  {profile}" for account, profile in plan.profiles.items()]
    return "\n".join(
        [
            "A trial deployment of the reference organization. These stacks:",
            *stacks,
            f"Deployed by account {plan.pipeline}, with these profiles:",
            *profiles,
            "In these steps:",
            "  1. stop if one of the stacks exists, or a profile is of another account",
            "  2. bootstrap what is not bootstrapped yet",
            "  3. deploy, read every property back, decide, call the functions",
            "  4. deploy the same again: nothing may change",
            f"  5. add the tenant {joining}, remove the tenant {leaving}",
            "  6. destroy all of it, delete the table with what is in it, schedule its",
            "     key for deletion, remove the bootstraps of step 2",
            "It costs little (a key, a table on demand, functions called once).",
        ]
    )


def _confirmed(plan: Plan) -> bool:
    account = plan.central[0]
    try:
        return input(f"\nTo go on, type the id of the account that gets the table ({account}): ").strip() == account
    except EOFError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
