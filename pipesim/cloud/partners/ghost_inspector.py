"""Ghost Inspector: tests of user interfaces in a browser.

Source: AWS CodePipeline User Guide, "Integrations with CodePipeline action types".
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipesim.cloud.partners.service import Result, TestService
from pipesim.cloud.partners.steps import steps


class GhostInspector(TestService):
    """A suite clicks through a site; it fails at the first step that does."""

    provider = "GhostInspector"
    key = "SuiteId"
    result_url = "https://app.ghostinspector.com/suite-results/{ExternalExecutionId}"
    walk = ("open the page", "log in", "put something in the basket", "pay", "see the receipt")

    def run_test(self, test: str, files: Mapping[str, bytes], rng: np.random.Generator) -> Result:
        """Walk through the site."""
        return steps(self.walk, broken=str(rng.choice(self.walk)) if test in self.breaks else "")
