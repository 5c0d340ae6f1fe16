"""Small pipelines and predictable assumptions for the engine's tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipesim.assumptions.arrivals import At
from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions, Delays
from pipesim.definition.model import (
    Action,
    ActionTypeId,
    ArtifactStore,
    OutputArtifact,
    Pipeline,
    Stage,
)
from pipesim.engine import Simulation
from pipesim.trace.events import Event, EventKind

SOURCE = Action(
    "Checkout",
    ActionTypeId("Source", "AWS", "S3"),
    configuration={"S3Bucket": "source-bucket", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
    output_artifacts=(OutputArtifact("Code"),),
)


def source_stage(*actions: Action) -> Stage:
    return Stage("Source", actions or (SOURCE,))


def build(name: str, run_order: int = 1, **members: Any) -> Action:
    members.setdefault("configuration", {"ProjectName": name})
    return Action(name, ActionTypeId("Build", "AWS", "CodeBuild"), run_order, input_artifacts=("Code",), **members)


def approval(name: str = "Approve", run_order: int = 1, **members: Any) -> Action:
    return Action(name, ActionTypeId("Approval", "AWS", "Manual"), run_order, **members)


def make_pipeline(*stages: Stage | str, mode: str = "SUPERSEDED", **members: Any) -> Pipeline:
    """A pipeline with one S3 source; a stage given by name has one CodeBuild action named Work."""
    made = [Stage(stage, (build("Work"),)) if isinstance(stage, str) else stage for stage in stages]
    if not made or made[0].name != "Source":
        made.insert(0, source_stage())
    return Pipeline(
        "shop",
        "arn:aws:iam::111122223333:role/service-role/pipeline",
        tuple(made),
        artifact_store=ArtifactStore("artifact-bucket"),
        execution_mode=mode,
        **members,
    )


def assume(
    durations: Mapping[str, float] | None = None,
    arrivals: Sequence[float] = (),
    actions: Mapping[str, ActionAssumption] | None = None,
    **members: Any,
) -> Assumptions:
    """Constant durations by Stage/Action or Action, no small delays, changes at the given times, nobody approves."""
    every = {"Source/S3": ActionAssumption(Constant(1.0)), **(actions or {})}
    for key, seconds in (durations or {}).items():
        every[key] = ActionAssumption(Constant(seconds))
    members.setdefault("delays", Delays.none())
    members.setdefault("approvals", {"*": Approver()})
    return Assumptions(arrivals=At(tuple(arrivals)), actions=every, **members)


def simulation(pipeline: Pipeline, assumptions: Assumptions, **members: Any) -> Simulation:
    return Simulation(pipeline, assumptions, **members)


def times(sim: Simulation, kind: EventKind, **where: str) -> list[float]:
    """When events of a kind happened."""
    return [event.time for event in found(sim, kind, **where)]


def found(sim: Simulation, kind: EventKind, **where: str) -> list[Event]:
    """The events of a kind that match."""
    return [
        event
        for event in sim.trace
        if event.kind is kind and all(getattr(event, member) == value for member, value in where.items())
    ]


def status(sim: Simulation, execution: str) -> str:
    """The status of an execution now."""
    return sim.state.executions[execution].status.value
