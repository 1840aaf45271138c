import re
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from scripts.wheel import description


@pytest.fixture
def packed(wheel: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(wheel)


def the(packed: zipfile.ZipFile, ending: str) -> str:
    (name,) = [name for name in packed.namelist() if name.endswith(ending)]
    return packed.read(name).decode()


def test_holds_every_file_of_the_library_and_nothing_else(root: Path, packed: zipfile.ZipFile) -> None:
    library = root / "constructs"
    files = [path for path in (library / "tableguard").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    packed_files = [name for name in packed.namelist() if ".dist-info/" not in name]
    assert "tableguard/py.typed" in packed_files
    assert sorted(packed_files) == sorted(str(path.relative_to(library)) for path in files)


def test_depends_on_the_cdk_alone(packed: zipfile.ZipFile) -> None:
    metadata = Parser().parsestr(the(packed, ".dist-info/METADATA"))
    always = [each for each in metadata.get_all("Requires-Dist", []) if "extra ==" not in each]
    required = [re.match(r"[\w-]+", dependency) for dependency in always]
    assert sorted(name.group() for name in required if name) == ["aws-cdk-lib", "constructs", "jsii"]


def test_says_what_it_is(root: Path, packed: zipfile.ZipFile) -> None:
    metadata = Parser().parsestr(the(packed, ".dist-info/METADATA"))
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert (metadata["Name"], metadata["Version"]) == ("tableguard", project["version"])
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("Apache-2.0", ">=3.11")
    assert metadata.get_payload() == description((root / "README.md").read_text(), None)
    assert "Apache License" in the(packed, ".dist-info/licenses/LICENSE")


def test_no_link_of_the_description_needs_the_repository(root: Path) -> None:
    readme = (root / "README.md").read_text()
    files = "https://github.com/acme/tableguard/blob/v0.1.0"
    assert re.findall(r"\]\((?!https?:)", readme)
    for read in (description(readme, None), description(readme, files)):
        assert not re.findall(r"\]\((?!https?:)", read)
    assert f"[sharing]({files}/docs/sharing.md)" in description(readme, files)
    assert "sharing (docs/sharing.md)" in description(readme, None)


def test_brings_the_command(packed: zipfile.ZipFile) -> None:
    assert "tableguard = tableguard.command:main" in the(packed, ".dist-info/entry_points.txt")
