"""A frozen record under construction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


class Draft(Generic[Record]):
    """Changes to a frozen record, gathered until somebody looks at it.

    Args:
        record: the frozen dataclass to begin with.
    """

    __slots__ = ("_changes", "_record")

    def __init__(self, record: Record) -> None:
        self._record = record
        self._changes: dict[str, Any] = {}

    def change(self, **members: Any) -> None:
        """Set members; the cost does not depend on the record's size."""
        self._changes.update(members)

    @property
    def record(self) -> Record:
        """The record with every change so far; made once, however often it is looked at."""
        if self._changes:
            self._record = replace(self._record, **self._changes)
            self._changes = {}
        return self._record
