"""How an action or a rule ended: what a behaviour hands back to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from immutabledict import immutabledict

from pipesim.vocabulary import FailureType


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one action execution.

    Attributes:
        failure: None when it succeeded, else the service's failure type.
        message: why it failed.
        summary: what the console shows beside it.
        external_id: the id of the build, deployment, … that it stands for.
        external_url: where that can be looked at.
        variables: the output variables that it emits.
        outputs: object keys of the artifacts that it wrote, by artifact name; None: the engine
            makes them up for every declared output.
        revision: for source actions: ``id``, ``change_id``, ``summary`` of what was fetched.
    """

    failure: FailureType | None = None
    message: str = ""
    summary: str = ""
    external_id: str = ""
    external_url: str = ""
    variables: Mapping[str, str] = field(default_factory=immutabledict)
    outputs: Mapping[str, str] | None = None
    revision: Mapping[str, str] | None = None

    @classmethod
    def failed(cls, message: str, code: FailureType | str = FailureType.JOB_FAILED) -> Outcome:
        """The end of an action that failed.

        Args:
            message: why, in one sentence.
            code: the failure type.
        """
        return cls(failure=FailureType(code), message=message)


SUCCEEDED = Outcome()
