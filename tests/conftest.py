"""Settings that hold for every test, and the plugin that keeps the table of integrations."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.integrations import Integrations

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    if not any(isinstance(plugin, Integrations) for plugin in config.pluginmanager.get_plugins()):
        config.pluginmanager.register(Integrations())
