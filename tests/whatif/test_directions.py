"""Knob up, measure moves the right way: one row each, under common random numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from pipesim import edit
from pipesim.assumptions.distributions import LogNormal
from pipesim.assumptions.model import Approver
from pipesim.whatif.compare import compare
from tests.whatif.models import shop, small


@dataclass(frozen=True)
class Row:
    """A change, a measure, and whether it goes up or down."""

    change: str
    measure: str
    up: bool
    base: str = "line"


def scenario(name: str) -> edit.Scenario:
    if name == "shop":
        return shop()
    return small("QUEUED" if name == "queue" else "SUPERSEDED")


ROWS = [
    Row("Build/CodeBuild*1.5", "lead_time", True),
    Row("Build/CodeBuild*1.5", "working", True),
    Row("Build/CodeBuild*1.5", "utilisation.Build", True),
    Row("Build/CodeBuild*1.5", "superseded", True),
    Row("Build/CodeBuild*1.5", "cost.builds", True),
    Row("Build/CodeBuild*1.5", "waiting.stage lock", True),
    Row("Build/CodeBuild*1.3", "lead_time", True, "queue"),
    Row("Build/CodeBuild*0.5", "lead_time.p95", False),
    Row("Build/CodeBuild*0.5", "work_in_progress", False),
    Row("Build/CodeBuild*0.5", "throughput", True),
    Row("arrivals*0.5", "superseded", False),
    Row("arrivals*0.5", "waiting.stage lock", False, "queue"),
    Row("arrivals*1.5", "work_in_progress", True, "queue"),
    Row("arrivals*1.5", "deployment_frequency", True, "queue"),
    Row("mode=PARALLEL", "waiting.stage lock", False),
    Row("mode=PARALLEL", "superseded", False),
    Row("mode=QUEUED", "superseded", False),
    Row("mode=QUEUED", "shipped", True),
    Row("fails Build/CodeBuild=20%", "failed", True),
    Row("fails Build/CodeBuild=20%", "shipped", False),
    Row("fails Deploy/S3=20%", "change_failure_rate", True),
    Row("fails Deploy/S3=20%", "deployment_frequency", False),
    Row("add Build/Lint=3m", "lead_time", True),
    Row("builds=1", "waiting.pool", True, "shop"),
    Row("answer Stakeholders=8h", "waiting.approval", True, "shop"),
    Row("hours Stakeholders=Mon 09:00-10:00", "waiting.approval", True, "shop"),
    Row("fails Approval/Stakeholders=50%", "shipped", False, "shop"),
    Row("remove Approval/Stakeholders", "lead_time", False, "shop"),
    Row("remove Test/EndToEnd", "working", False, "shop"),
    Row("remove Test/EndToEnd", "cost.total", False, "shop"),
    Row("serialise Test", "superseded", True, "shop"),
    Row("delays=off", "waiting.delay", False, "shop"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.base}: {row.change} → {row.measure}")
def test_the_measure_moves_the_right_way(row: Row) -> None:
    found = compare(scenario(row.base), {"changed": row.change}, n=12, executions=60, seed=11)
    difference = found.difference("changed", row.measure)

    assert difference.excludes_zero, str(difference)
    assert (difference.estimate > 0) is row.up


def test_a_stage_split_in_two_lets_two_executions_in() -> None:
    slow = edit.serialise("Test")(shop())
    found = compare(slow, {"split": "split Test after Integration as Slow"}, n=12, executions=60, seed=11)

    assert found.difference("split", "superseded").high < 0


def test_a_retry_saves_changes_that_a_flaky_action_would_lose() -> None:
    flaky = edit.failure_odds("Build/CodeBuild", 0.3)(small())
    found = compare(flaky, {"retry": "retry Build"}, n=12, executions=60, seed=11)

    assert found.difference("retry", "failed").high < 0
    assert found.difference("retry", "shipped").low > 0


def test_an_approver_at_the_desk_keeps_nobody_waiting() -> None:
    base = shop()
    ready = replace(base, assumptions=replace(base.assumptions, approvals={"*": Approver(response=LogNormal(1, 2))}))
    found = compare(base, {"quick": ready.named("quick")}, n=6, executions=40)

    assert found.difference("quick", "waiting.approval").high < 0
