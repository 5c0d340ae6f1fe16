"""The errors of connections."""

from __future__ import annotations

from moto.core.exceptions import JsonRESTError


class ResourceNotFoundException(JsonRESTError):
    """There is nothing of this ARN."""

    def __init__(self, what: str, arn: str) -> None:
        super().__init__("ResourceNotFoundException", f"{what} {arn} not found")


class ResourceUnavailableException(JsonRESTError):
    """A thing is there and cannot be used now."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceUnavailableException", message)


class ValidationException(JsonRESTError):
    """A parameter is missing or wrong."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)
