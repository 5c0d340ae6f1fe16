"""Refusals on the wire.

Source: botocore's CodePipeline model (awsJson1.1: status 400 and ``__type``; ConflictException is 409).
"""

from __future__ import annotations

from pipesim.errors import Refused

CONFLICT = 409
BAD_REQUEST = 400


def status_of(refused: Refused) -> int:
    """Return the HTTP status that goes with a refusal."""
    return CONFLICT if refused.code == "ConflictException" else BAD_REQUEST


def body_of(refused: Refused) -> dict[str, str]:
    """Return what the body of the answer says."""
    return {"__type": refused.code, "message": refused.message}


def no_such_pipeline(account: str, name: str) -> Refused:
    """Return the refusal of most calls when there is no pipeline of this name."""
    return Refused("PipelineNotFoundException", f"Account '{account}' does not have a pipeline with name '{name}'")


def no_such_resource(account: str, name: str) -> Refused:
    """Return the refusal of the tag calls and of UpdatePipeline (the wording is moto's)."""
    return Refused(
        "ResourceNotFoundException",
        f"The account with id '{account}' does not include a pipeline with the name '{name}'",
    )


def not_built(operation: str) -> Refused:
    """Return the refusal of an operation that a newer service model has and this project does not."""
    return Refused(
        "UnknownOperationException",
        f"pipesim does not build the CodePipeline operation '{operation}'; docs/api.md lists what it builds",
    )
