import compileall

import pytest

from tests.project.machine import ROOT
from tests.unit.stacks.synthesized import ORGANIZATION, Synthesized, synthesize


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    compileall.compile_dir(ROOT / "stacks" / "handlers", quiet=1)  # leaves what must not be deployed, as any import may
    return synthesize(tmp_path_factory.mktemp("reference"), ORGANIZATION)
