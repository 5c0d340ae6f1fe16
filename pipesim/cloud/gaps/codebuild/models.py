"""Builds that a pipeline started: their phases follow virtual time and the outcome that is assumed.

Source: AWS CodeBuild User Guide, "Build phase transitions"; CodeBuild API reference, Build.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.core.utils import iso_8601_datetime_with_milliseconds

PHASES = {
    "PROVISIONING": 0.20,
    "DOWNLOAD_SOURCE": 0.05,
    "INSTALL": 0.10,
    "PRE_BUILD": 0.05,
    "BUILD": 0.50,
    "POST_BUILD": 0.04,
    "UPLOAD_ARTIFACTS": 0.04,
    "FINALIZING": 0.02,
}
"""The phases of a build that runs, each with the share of the build's duration that is assumed of it."""

LAST = "COMPLETED"
PIPELINE = "codepipeline/"


def is_of_a_pipeline(build: Mapping[str, Any]) -> bool:
    """Whether a pipeline started a build."""
    return str(build.get("initiator", "")).startswith(PIPELINE)


class RunningBuild:
    """A build from its start to its end; it writes what moto tells of it.

    Args:
        build: moto's own record of the build.
        now: the virtual moment of now.
        expected: how long it is going to run once it has a place, in seconds.
        stopped: called when somebody stops the build.

    Attributes:
        is_stopped: whether somebody stopped it.
    """

    def __init__(
        self, build: dict[str, Any], now: Callable[[], datetime], expected: float, stopped: Callable[[], object]
    ) -> None:
        self.build = build
        self.is_stopped = False
        self._now = now
        self._expected = timedelta(seconds=expected)
        self._stopped = stopped
        self._queued = now()
        self._begun: datetime | None = None
        RUNNING[build["id"]] = self
        self.tell()

    def begin(self) -> None:
        """It has a place: it leaves the queue."""
        self._begun = self._now()
        self.tell()

    def stop(self) -> dict[str, Any]:
        """Somebody stops it; return what is told of it."""
        if not self.is_stopped:
            self.is_stopped = True
            self._stopped()
        self.tell()
        self.build["buildStatus"] = "STOPPED"
        return self.build

    def tell(self) -> None:
        """Write how far it is by now."""
        now = self._now()
        phases = [_phase("SUBMITTED", self._queued, self._queued)]
        if self._begun is None:
            phases.append(_phase("QUEUED", self._queued, None))
        else:
            phases.append(_phase("QUEUED", self._queued, self._begun))
            for name, start, end in self._spans(self._begun, self._expected):
                if start > now:
                    break
                phases.append(_phase(name, start, end if end <= now else None))
        self._write(phases, "IN_PROGRESS")

    def end(self, status: str, failed: str | None = None, message: str = "", code: str = "") -> dict[str, datetime]:
        """It is over; return when each phase that it reached began.

        Args:
            status: ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``STOPPED``.
            failed: the phase in which it went wrong; None: none.
            message: what went wrong.
            code: the code of what went wrong, such as ``COMMAND_EXECUTION_ERROR``.
        """
        now = self._now()
        begun = self._begun or now
        spans = self._spans(begun, now - begun, until=failed)
        phases = [_phase("SUBMITTED", self._queued, self._queued), _phase("QUEUED", self._queued, begun)]
        phases += [_phase(name, start, end) for name, start, end in spans]
        if failed is not None:
            phases[-1]["phaseStatus"] = status
            phases[-1]["contexts"] = [{"statusCode": code, "message": message}]
        phases.append({"phaseType": LAST, "startTime": _iso(now)})
        self._write(phases, status)
        self.build["endTime"] = _iso(now)
        self.build["buildComplete"] = True
        RUNNING.pop(self.build["id"], None)
        return {name: start for name, start, _ in spans} | {LAST: now}

    def _spans(
        self, begun: datetime, whole: timedelta, until: str | None = None
    ) -> list[tuple[str, datetime, datetime]]:
        names = list(PHASES) if until is None else list(PHASES)[: list(PHASES).index(until) + 1]
        total = sum(PHASES[name] for name in names)
        spans, start = [], begun
        for name in names:
            end = begun + whole if name == names[-1] else start + whole * (PHASES[name] / total)
            spans.append((name, start, end))
            start = end
        return spans

    def _write(self, phases: list[dict[str, Any]], status: str) -> None:
        self.build["phases"] = phases
        self.build["currentPhase"] = phases[-1]["phaseType"]
        self.build["buildStatus"] = status


RUNNING: dict[str, RunningBuild] = {}
"""The builds of pipelines that have not ended, by id."""


def _phase(name: str, start: datetime, end: datetime | None) -> dict[str, Any]:
    phase: dict[str, Any] = {"phaseType": name, "startTime": _iso(start)}
    if end is not None:
        seconds = int((end - start).total_seconds())
        phase |= {"phaseStatus": "SUCCEEDED", "endTime": _iso(end), "durationInSeconds": seconds, "contexts": []}
    return phase


def _iso(moment: datetime) -> str:
    return iso_8601_datetime_with_milliseconds(moment)
