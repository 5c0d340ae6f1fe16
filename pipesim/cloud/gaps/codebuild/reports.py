"""Report groups, reports and their test cases. Source: AWS CodeBuild API reference, Report, ReportGroup, TestCase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from moto.codebuild.models import CodeBuildBackend
from moto.moto_api._internal import mock_random


@dataclass(slots=True)
class ReportBook:
    """The reports of one account in one region.

    Attributes:
        place: the region and the account, as ARNs write them.
        groups: report groups by ARN.
        reports: reports by ARN, the oldest first.
        cases: the test cases of each report, by its ARN.
    """

    place: str
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    cases: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def arn_of(self, name: str) -> str:
        """The ARN of a group."""
        return f"arn:aws:codebuild:{self.place}:report-group/{name}"

    def group(self, arn: str, created: float, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Let a group be there, and return it."""
        known = {"arn": arn, "name": arn.rsplit("/", 1)[-1], "type": "TEST", "status": "ACTIVE", "created": created}
        known |= {"exportConfig": {"exportConfigType": "NO_EXPORT"}, "lastModified": created, **(given or {})}
        return self.groups.setdefault(arn, known)

    def add(self, group: str, *, execution: str, cases: list[dict[str, Any]], created: float) -> str:
        """Write a report, and return its ARN.

        Args:
            group: the ARN of its group, which is made when it is missing.
            execution: the ARN of the build.
            cases: its test cases.
            created: when, in seconds since the epoch.
        """
        self.group(group, created)
        arn = f"{group.replace(':report-group/', ':report/')}:{mock_random.uuid4()}"
        counts = Counter(case["status"] for case in cases)
        self.cases[arn] = [{"reportArn": arn, **case} for case in cases]
        self.reports[arn] = {
            "arn": arn,
            "type": "TEST",
            "name": arn.rsplit("/", 1)[-1],
            "reportGroupArn": group,
            "executionId": execution,
            "status": "FAILED" if counts["FAILED"] or counts["ERROR"] else "SUCCEEDED",
            "created": created,
            "truncated": False,
            "testSummary": {
                "total": len(cases),
                "statusCounts": dict(counts),
                "durationInNanoSeconds": sum(case["durationInNanoSeconds"] for case in cases),
            },
        }
        return arn


_books: WeakKeyDictionary[CodeBuildBackend, ReportBook] = WeakKeyDictionary()


def book_of(backend: CodeBuildBackend) -> ReportBook:
    """The reports that belong to moto's backend."""
    return _books.setdefault(backend, ReportBook(f"{backend.region_name}:{backend.account_id}"))
