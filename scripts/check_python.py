"""Says what is missing when an interpreter cannot make this project's environments.

Written so that even the oldest Python that somebody may still have can read it.
"""

import sys

OLDEST = (3, 11)


def problem(version, modules):
    # type: (tuple[int, ...], frozenset[str]) -> str | None
    """The reason why an interpreter of this version with these modules will not do, or None."""
    if version < OLDEST:
        return "tableguard needs Python {0[0]}.{0[1]} or later, and this is {1}.".format(
            OLDEST, ".".join(map(str, version))
        )
    missing = sorted({"ensurepip", "venv"} - modules)
    if missing:
        return (
            "This Python lacks {}, so it cannot make a virtual environment with pip. On Debian and Ubuntu: "
            "apt install python3-venv.".format(" and ".join(missing))
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
        sys.exit(reason + "\nChoose another interpreter with: make PYTHON=/path/to/python3 ...")
