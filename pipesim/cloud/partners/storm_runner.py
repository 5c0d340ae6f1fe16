"""Micro Focus StormRunner Load: load tests.

Source: AWS CodePipeline User Guide, "Integrations with CodePipeline action types".
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipesim.cloud.partners.load import load_test
from pipesim.cloud.partners.service import Result, TestService


class StormRunnerLoad(TestService):
    """A load test fails when more than one request in twenty does."""

    provider = "StormRunnerLoad"
    result_url = "https://stormrunner-load.saas.microfocus.com/run-overview/{ExternalExecutionId}/report/"

    def run_test(self, test: str, files: Mapping[str, bytes], rng: np.random.Generator) -> Result:
        """Send requests of 200 users."""
        errors = 0.2 if test in self.breaks else 0.0
        return load_test(rng, users=200, median=0.3, p95=0.9, errors=errors, most_errors=0.05)
