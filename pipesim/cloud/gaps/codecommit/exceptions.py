"""The errors of CodeCommit's operations on commits, branches and files, with the service's codes."""

from __future__ import annotations

from moto.core.exceptions import JsonRESTError


class CodeCommitError(JsonRESTError):
    """An operation of CodeCommit was refused.

    Args:
        code: such as ``BranchDoesNotExistException``.
        message: why.
    """

    code = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
