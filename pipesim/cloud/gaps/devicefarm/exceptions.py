"""The errors of Device Farm."""

from __future__ import annotations

from moto.core.exceptions import JsonRESTError


class NotFoundException(JsonRESTError):
    """There is nothing of this ARN."""

    def __init__(self, arn: str) -> None:
        super().__init__("NotFoundException", f"Cannot find object of ARN {arn}")


class ArgumentException(JsonRESTError):
    """An argument is not what it must be."""

    def __init__(self, message: str) -> None:
        super().__init__("ArgumentException", message)
