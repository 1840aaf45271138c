"""Says what is missing when an interpreter cannot make this project's environments.

Written so that even the oldest Python that somebody may still have can read it.
"""

from __future__ import print_function  # noqa: UP010  Python 2 reads this file, too

import sys

OLDEST = (3, 11)


def problem(version, modules):
    # type: (tuple[int, ...], frozenset[str]) -> str | None
    """The reason why an interpreter of this version with these modules will not do, or None."""
    if version < OLDEST:
        return "tableguard needs Python %d.%d or later, and this is %s." % (OLDEST + (".".join(map(str, version)),))
    missing = sorted({"ensurepip", "venv"} - modules)
    if missing:
        return (
            "This Python lacks %s, so it cannot make a virtual environment with pip. On Debian and Ubuntu: "
            "apt install python3-venv." % " and ".join(missing)
        )
    return None


def importable(names):
    # type: (tuple[str, ...]) -> frozenset[str]
    """Those of the modules that this interpreter can import."""
    found = set()
    for name in names:
        try:
            __import__(name)
        except ImportError:
            continue
        found.add(name)
    return frozenset(found)


if __name__ == "__main__":
    reason = problem(tuple(sys.version_info[:3]), importable(("ensurepip", "venv")))
    if reason:
        sys.exit("%s\nChoose another interpreter with: make PYTHON=/path/to/python3 ..." % reason)
