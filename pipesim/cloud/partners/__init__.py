"""Test services of partners: each takes jobs and reports a result with a link, and each may be replaced."""

from __future__ import annotations

from pipesim.cloud.partners.blaze_meter import BlazeMeter
from pipesim.cloud.partners.ghost_inspector import GhostInspector
from pipesim.cloud.partners.runscope import Runscope
from pipesim.cloud.partners.service import Result, TestService
from pipesim.cloud.partners.storm_runner import StormRunnerLoad

SERVICES: dict[str, type[TestService]] = {
    service.provider: service for service in (BlazeMeter, GhostInspector, Runscope, StormRunnerLoad)
}
"""The test services by the provider's name."""

__all__ = ["SERVICES", "BlazeMeter", "GhostInspector", "Result", "Runscope", "StormRunnerLoad", "TestService"]
