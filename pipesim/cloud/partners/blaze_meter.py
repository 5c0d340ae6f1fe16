"""BlazeMeter: load tests. Source: AWS CodePipeline User Guide, "Integrations with CodePipeline action types"."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipesim.cloud.partners.load import load_test
from pipesim.cloud.partners.service import Result, TestService
from pipesim.vocabulary import ActionOwner


class BlazeMeter(TestService):
    """A load test fails when more than one request in a hundred does."""

    provider = "BlazeMeter"
    owner = ActionOwner.CUSTOM.value
    result_url = "https://a.blazemeter.com/app/#/masters/{ExternalExecutionId}/summary"

    def run_test(self, test: str, files: Mapping[str, bytes], rng: np.random.Generator) -> Result:
        """Send requests of 50 users."""
        errors = 0.2 if test in self.breaks else 0.0
        return load_test(rng, users=50, median=0.2, p95=0.6, errors=errors, most_errors=0.01)
