"""The error of CodeDeploy that moto lacks."""

from __future__ import annotations

from moto.core.exceptions import JsonRESTError


class RevisionDoesNotExistException(JsonRESTError):
    """The application has no such revision."""

    def __init__(self, application: str) -> None:
        super().__init__(
            "RevisionDoesNotExistException", f"The application {application} does not have this revision registered."
        )
