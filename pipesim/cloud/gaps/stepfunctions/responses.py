"""Step Functions' operations: moto's own, with an interpreter that fits in virtual time."""

from __future__ import annotations

from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.responses import StepFunctionResponse as MotoResponse

from pipesim.cloud.gaps.stepfunctions import models


class StepFunctionResponse(MotoResponse):
    """moto's answers; the first one takes the interpreter in."""

    @property
    def stepfunction_backend(self) -> StepFunctionBackend:
        """moto's backend that interprets."""
        models.install()
        return super().stepfunction_backend
