"""Tries the reference organization out on the emulator: `make deploy-local`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from scripts.deployment.accounts import Accounts
from scripts.deployment.plan import CONTEXT, PLACES, Plan, context
from scripts.deployment.report import Report
from scripts.deployment.trial import Trial
from tests.integration.emulator.server import Emulator
from tests.project.machine import WITHOUT_DEFAULT_RULES

PIPELINE = "999900001111"
STAGES = ("bootstrapped", "deployed")
JOINING = ("Delta", {"account": "888899990000", "region": "eu-central-1"})

_WHO = """
What this shows, and by whom:
  The CDK CLI bootstrapped, deployed, compared and destroyed, as it does on AWS.
  The emulator created the resources and ran the functions. It checks no policy.
  Our extension of it kept what it drops (policies of table and stream, key,
    recovery, protection, boundaries), stored SCP and RCP, passed requests on to
    the owner, and carried each request to DynamoDB and S3 to tableguard's
    evaluation.
  tableguard decided these requests from what the emulator held, and who may do
    what from the documents that were read back.
What only AWS can show: docs/verify-on-aws.md"""


def plan() -> Plan:
    """The organization of cdk.json. A profile is named like its account."""
    organization = context()[CONTEXT]
    roles = [organization[role] for role in PLACES]
    said = [*roles, *organization["tenants"].values(), JOINING[1]]
    accounts = [PIPELINE, *dict.fromkeys(place["account"] for place in said)]
    return Plan(
        organization=organization,
        pipeline=PIPELINE,
        profiles={account: account for account in accounts},
        joining=JOINING,
    )


def environment(emulator: Emulator, accounts: Mapping[str, str]) -> dict[str, str]:
    """Variables that lead the AWS SDKs to the emulator and nowhere else.

    Args:
        emulator: The emulator, running or not.
        accounts: The profile of each account.
    """
    credentials = emulator.folder / "credentials"
    credentials.write_text(
        "".join(
            f"[{profile}]\naws_access_key_id={account}\naws_secret_access_key=test\n"
            for account, profile in accounts.items()
        )
    )
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))},
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": emulator.endpoint,
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "CDK_HOME": str(emulator.folder / "cdk"),
        "TMPDIR": str(emulator.folder / "tmp"),
        **WITHOUT_DEFAULT_RULES,
    }


def trial(emulator: Emulator, report: Report, folder: Path | None = None) -> Trial:
    """The trial on a running emulator.

    Args:
        emulator: The emulator.
        report: Hears of progress and checks.
        folder: For what is synthesized; one that goes with the emulator when left out.
    """
    said = plan()
    accounts = Accounts(said.profiles, environment(emulator, said.profiles))
    return Trial(said, accounts, folder or emulator.folder / "app", report)


def keeping(begun: Trial, emulator: Emulator, folder: Path) -> Trial:
    """Let a trial leave the state of its emulator in a folder, at each of the STAGES."""
    deploy = begun.deploy
    bootstrapped, deployed = STAGES

    def keep(stage: str) -> None:
        emulator.keep(folder / stage)
        emulator.start()

    def deploy_and_keep() -> None:
        keep(bootstrapped)
        deploy()
        keep(deployed)

    begun.deploy = deploy_and_keep  # type: ignore[method-assign]
    return begun


def main(folder: Path | None = None) -> int:
    """Run it, and say what it has shown.

    Args:
        folder: For the assemblies and the states of the emulator, which are left there; nothing is left without it.
    """
    there = [folder / stage for stage in STAGES if (folder / stage).exists()] if folder else []
    if there:
        print(f"{there[0]} exists: nothing is kept over what is there. Choose another folder.", file=sys.stderr)  # noqa: T201
        return 2
    start = time.monotonic()
    report = Report(show=lambda line: print(line, flush=True))  # noqa: T201  what it is for
    with Emulator() as emulator:
        begun = trial(emulator, report, folder)
        done = (keeping(begun, emulator, folder) if folder else begun).run()
    report.show(_WHO)
    report.show(f"\n{report.total()}, in {time.monotonic() - start:.0f} seconds")
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main(*(Path(said).resolve() for said in sys.argv[1:])))  # the CDK CLI runs elsewhere
