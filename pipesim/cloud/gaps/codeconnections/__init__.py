"""Connections to Git providers, a service that moto does not have, under its two names."""

from __future__ import annotations

from pipesim.cloud.gaps.codeconnections.models import codeconnections_backends
from pipesim.cloud.gaps.new_service import NewService

_service = NewService(
    "codeconnections",
    r"https?://(codeconnections|codestar-connections)\.(.+)\.amazonaws\.com",
    codeconnections_backends,
)
install = _service.install
uninstall = _service.uninstall
