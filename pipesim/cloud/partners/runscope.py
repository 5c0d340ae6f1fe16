"""Runscope: tests and monitoring of APIs.

Source: AWS CodePipeline User Guide, "Integrations with CodePipeline action types".
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipesim.cloud.partners.service import Result, TestService
from pipesim.cloud.partners.steps import steps


class Runscope(TestService):
    """A test asks an API one thing after the other; it fails at the first wrong answer."""

    provider = "Runscope"
    key = "TriggerId"
    result_url = "https://www.runscope.com/radar/results/{ExternalExecutionId}"
    calls = ("GET /health", "POST /orders", "GET /orders/1", "DELETE /orders/1")

    def run_test(self, test: str, files: Mapping[str, bytes], rng: np.random.Generator) -> Result:
        """Ask the API."""
        return steps(self.calls, broken=str(rng.choice(self.calls)) if test in self.breaks else "")
