"""A builder of hand-made traces."""

from __future__ import annotations

from typing import Any

import pytest

from pipesim.definition.document import parse_document
from pipesim.definition.model import Pipeline
from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace
from pipesim.trace.state import PipelineState, state_at

K = EventKind


def action(name: str, category: str, provider: str, run_order: int = 1, **members: Any) -> dict[str, Any]:
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "runOrder": run_order,
        "configuration": {},
        "inputArtifacts": [],
        "outputArtifacts": [],
        **members,
    }


def document(**members: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "roleArn": "arn:aws:iam::123456789012:role/pipeline",
        "artifactStore": {"type": "S3", "location": "a-bucket"},
        "version": 1,
        "executionMode": "SUPERSEDED",
        "pipelineType": "V2",
        "stages": [
            {
                "name": "Source",
                "actions": [action("Fetch", "Source", "S3", outputArtifacts=[{"name": "Code"}])],
            },
            {
                "name": "Build",
                "actions": [
                    action("Web", "Build", "CodeBuild", inputArtifacts=[{"name": "Code"}]),
                    action("Api", "Build", "CodeBuild", inputArtifacts=[{"name": "Code"}]),
                ],
            },
            {
                "name": "Prod",
                "actions": [
                    action("Sign", "Approval", "Manual"),
                    action("Ship", "Deploy", "S3", 2, inputArtifacts=[{"name": "Code"}]),
                ],
            },
        ],
        **members,
    }


class Story:
    """A trace told event by event: `story.at(5).stage_entered("E1", "Build")`."""

    def __init__(self, **members: Any) -> None:
        self.document = document(**members)
        self.events: list[Event] = []
        self.time = 0.0
        self.end: float | None = None
        self.tell(K.PIPELINE_CREATED, document=self.document, start="2026-03-02T09:00:00+00:00")

    def at(self, time: float) -> Story:
        assert time >= self.time
        self.time = float(time)
        return self

    def tell(
        self,
        kind: EventKind,
        execution: str | None = None,
        stage: str | None = None,
        action: str | None = None,
        attempt: int | None = None,
        **detail: Any,
    ) -> Story:
        self.events.append(Event(self.time, len(self.events), kind, execution, stage, action, attempt, detail))
        return self

    def start(self, execution: str, **detail: Any) -> Story:
        number = sum(event.kind is K.EXECUTION_STARTED for event in self.events) + 1
        return self.tell(K.EXECUTION_STARTED, execution, number=number, **detail)

    def enter(self, execution: str, stage: str) -> Story:
        return self.tell(K.STAGE_ENTERED, execution, stage, attempt=1)

    def begin(self, execution: str, stage: str, action: str, attempt: int = 1, **detail: Any) -> Story:
        return self.tell(
            K.ACTION_STARTED, execution, stage, action, attempt, id=f"{execution}-{action}-{attempt}", **detail
        )

    def done(self, execution: str, stage: str, action: str, attempt: int = 1, **detail: Any) -> Story:
        return self.tell(K.ACTION_SUCCEEDED, execution, stage, action, attempt, **detail)

    def fail(self, execution: str, stage: str, action: str, attempt: int = 1, **detail: Any) -> Story:
        return self.tell(K.ACTION_FAILED, execution, stage, action, attempt, **detail)

    def leave(self, execution: str, stage: str, kind: EventKind = K.STAGE_SUCCEEDED, **detail: Any) -> Story:
        return self.tell(kind, execution, stage, attempt=1, **detail)

    def source(self, execution: str, **detail: Any) -> Story:
        """Two seconds in the Source stage, from now on."""
        self.enter(execution, "Source").begin(execution, "Source", "Fetch")
        return self.at(self.time + 2).done(execution, "Source", "Fetch", **detail).leave(execution, "Source")

    @property
    def pipeline(self) -> Pipeline:
        return parse_document(self.document)

    @property
    def trace(self) -> Trace:
        return Trace(self.events, end=self.end)

    def state(self, time: float | None = None) -> PipelineState:
        return state_at(self.pipeline, self.events, self.time if time is None else time)


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def shipped(story: Story) -> Story:
    """E1 goes all the way: 2 s source, builds of 10 s and 30 s, an approval of 60 s with a tick of 5 s, 4 s deploy."""
    story.start("E1", change="c0ffee1", trigger_type="StartPipelineExecution", trigger_detail="ann")
    story.at(1).source("E1", revision={"id": "r1", "change_id": "etag", "summary": "first"})
    story.at(4).enter("E1", "Build").begin("E1", "Build", "Web").begin("E1", "Build", "Api")
    story.at(14).done("E1", "Build", "Web")
    story.at(34).done("E1", "Build", "Api").leave("E1", "Build")
    story.at(35).enter("E1", "Prod").begin("E1", "Prod", "Sign")
    story.tell(K.APPROVAL_REQUESTED, "E1", "Prod", "Sign", 1, token="t-1", expires=1000.0)
    story.at(95).tell(K.APPROVAL_ANSWERED, "E1", "Prod", "Sign", 1, status="Approved", summary="go", by="bob")
    story.at(100).done("E1", "Prod", "Sign").begin("E1", "Prod", "Ship")
    return story.at(104).done("E1", "Prod", "Ship").leave("E1", "Prod").tell(K.EXECUTION_SUCCEEDED, "E1")
