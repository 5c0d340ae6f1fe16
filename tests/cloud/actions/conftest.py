from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud.standin import StandIn, standing_in


@pytest.fixture
def account() -> Iterator[StandIn]:
    with standing_in() as account:
        yield account
