from __future__ import annotations

import subprocess
import sys

import pytest

import tableguard


@pytest.mark.parametrize("name", tableguard.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(tableguard, name).__name__ == name
    assert name in dir(tableguard)


def test_each_public_name_stands_once() -> None:
    assert len(tableguard.__all__) == len(set(tableguard.__all__))


def test_any_other_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'CrossAcountTable'"):
        # Type checkers know it, too: mypy would complain of an ignored error that is none.
        tableguard.CrossAcountTable  # type: ignore[attr-defined]  # noqa: B018 - reading it is what should fail


def test_the_language_is_there_without_the_cdk() -> None:
    code = "import sys, tableguard; tableguard.TableGrant; sys.exit('aws_cdk' in sys.modules or 'jsii' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
