"""Every test begins with nobody in particular, and without tries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipesim.classroom import course, learner
from pipesim.classroom.learners import VARIABLES


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    learner("")
    course._tries.clear()
    yield
    learner("")
