"""Hand-made traces for the pictures' tests: each tells one small story, in minutes."""

from __future__ import annotations

from typing import Any

from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace

STAGES = {
    "Source": ["Checkout"],
    "Build": ["Frontend", "Backend"],
    "Test": ["Unit", "SecurityScan"],
    "Staging": ["Deploy"],
    "Approval": ["Stakeholders"],
}


def action_document(name: str, category: str, provider: str) -> dict[str, Any]:
    owner = "AWS"
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": owner, "provider": provider, "version": "1"},
        "runOrder": 1,
        "configuration": {},
        "inputArtifacts": [],
        "outputArtifacts": [],
    }


def document(name: str, stages: dict[str, list[str]], mode: str) -> dict[str, Any]:
    def kind(stage: str) -> tuple[str, str]:
        if stage.startswith("Source"):
            return "Source", "CodeCommit"
        if stage.startswith("Approv"):
            return "Approval", "Manual"
        if stage.startswith(("Staging", "Prod", "Deploy")):
            return "Deploy", "CodeDeploy"
        return "Build", "CodeBuild"

    return {
        "name": name,
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "executionMode": mode,
        "pipelineType": "V2",
        "version": 1,
        "stages": [
            {"name": stage, "actions": [action_document(action, *kind(stage)) for action in actions]}
            for stage, actions in stages.items()
        ],
    }


class Story:
    """Collects events in any order; times are minutes."""

    def __init__(
        self,
        name: str = "shop",
        stages: dict[str, list[str]] | None = None,
        mode: str = "SUPERSEDED",
        start: str = "2026-03-02T09:00:00+00:00",
    ) -> None:
        self.stages = STAGES if stages is None else stages
        self.mode = mode
        self._events: list[tuple[float, EventKind, str | None, str | None, str | None, int | None, dict[str, Any]]] = []
        self.add(0, EventKind.PIPELINE_CREATED, document=document(name, self.stages, mode), start=start)

    def add(
        self,
        minute: float,
        kind: EventKind,
        execution: int | None = None,
        stage: str | None = None,
        action: str | None = None,
        attempt: int | None = None,
        **detail: Any,
    ) -> None:
        name = None if execution is None else f"E{execution}"
        self._events.append((minute * 60.0, kind, name, stage, action, attempt, detail))

    def start(self, minute: float, number: int, **detail: Any) -> None:
        detail = {"number": number, "mode": self.mode, "change": f"c0ffee{number}", "version": 1} | detail
        self.add(minute, EventKind.EXECUTION_STARTED, number, **detail)

    def stage(
        self,
        number: int,
        stage: str,
        begin: float,
        end: float | None = None,
        *,
        fails: tuple[str, ...] = (),
        attempt: int = 1,
        pool: float | None = None,
    ) -> None:
        """One passage of a stage; `pool`: the minute until which all of its actions wait for a place."""
        if attempt == 1:
            self.add(begin, EventKind.STAGE_ENTERED, number, stage, attempt=1)
        approval = stage.startswith("Approv")
        for action in self.stages[stage]:
            self.add(begin, EventKind.ACTION_STARTED, number, stage, action, attempt, id=f"{number}-{action}-{attempt}")
            if approval:
                self.add(begin, EventKind.APPROVAL_REQUESTED, number, stage, action, attempt, token="t")
            if pool is not None:
                self.add(begin, EventKind.ACTION_WAITING, number, stage, action, attempt, pool="builds")
                self.add(pool, EventKind.ACTION_WORKING, number, stage, action, attempt, pool="builds")
            if end is None:
                continue
            if action in fails:
                if approval:
                    self.add(
                        end, EventKind.APPROVAL_ANSWERED, number, stage, action, attempt, status="Rejected", by="ann"
                    )
                self.add(
                    end, EventKind.ACTION_FAILED, number, stage, action, attempt, code="JobFailed", message="It broke."
                )
            else:
                if approval:
                    self.add(
                        end, EventKind.APPROVAL_ANSWERED, number, stage, action, attempt, status="Approved", by="ann"
                    )
                self.add(end, EventKind.ACTION_SUCCEEDED, number, stage, action, attempt)
        if end is not None:
            kind = EventKind.STAGE_FAILED if fails else EventKind.STAGE_SUCCEEDED
            self.add(end, kind, number, stage, attempt=attempt)

    def wait(self, number: int, stage: str, minute: float) -> None:
        self.add(minute, EventKind.EXECUTION_WAITING, number, stage)

    def trace(self, end: float | None = None) -> Trace:
        ordered = sorted(self._events, key=lambda event: event[0])
        events = [Event(e[0], seq, e[1], e[2], e[3], e[4], e[5], e[6]) for seq, e in enumerate(ordered)]
        return Trace(events, end=None if end is None else end * 60.0)


def five_changes() -> Trace:
    """Change 1 waits for an answer, 2 fails, 3 waits and is superseded by 4, 5 is in Staging."""
    story = Story()
    for number, begin in ((1, 0), (2, 20), (3, 40), (4, 60), (5, 80)):
        story.start(begin, number)
        story.stage(number, "Source", begin, begin + 2)
    story.stage(1, "Build", 2, 12)
    story.stage(1, "Test", 12, 22)
    story.stage(1, "Staging", 22, 29)
    story.stage(1, "Approval", 29)
    story.stage(2, "Build", 22, 31)
    story.stage(2, "Test", 31, 38, fails=("SecurityScan",))
    story.add(38, EventKind.EXECUTION_FAILED, 2, "Test")
    story.stage(3, "Build", 42, 51)
    story.stage(3, "Test", 51, 63)
    story.stage(3, "Staging", 63, 70)
    story.wait(3, "Approval", 70)
    story.stage(4, "Build", 62, 72)
    story.stage(4, "Test", 72, 83)
    story.stage(4, "Staging", 83, 90)
    story.wait(4, "Approval", 90)
    story.add(90, EventKind.EXECUTION_SUPERSEDED, 3, "Approval", by="E4")
    story.stage(5, "Build", 82, 93)
    story.stage(5, "Test", 93, 104)
    story.stage(5, "Staging", 104)
    return story.trace(end=112)


def queued(count: int = 9) -> Trace:
    """Changes every two minutes queue in front of a slow build."""
    story = Story("queue", {"Source": ["Checkout"], "Build": ["Compile"], "Deploy": ["Ship"]}, "QUEUED")
    build_free = deploy_free = 0.0
    for number in range(1, count + 1):
        begin = (number - 1) * 2.0
        story.start(begin, number)
        story.stage(number, "Source", begin, begin + 1)
        at = begin + 1
        entry = max(at, build_free)
        if entry > at:
            story.wait(number, "Build", at)
        story.stage(number, "Build", entry, entry + 7)
        build_free = entry + 7
        entry = max(build_free, deploy_free)
        story.stage(number, "Deploy", entry, entry + 5)
        deploy_free = entry + 5
        story.add(deploy_free, EventKind.EXECUTION_SUCCEEDED, number)
    return story.trace()


def parallel(count: int = 6) -> Trace:
    """Executions that do not wait for each other; two share a pool of builds."""
    story = Story("services", mode="PARALLEL")
    for number in range(1, count + 1):
        begin = number * 3.0
        story.start(begin, number)
        story.stage(number, "Source", begin, begin + 1)
        story.stage(number, "Build", begin + 1, begin + 16, pool=begin + 7 if number % 2 == 0 else None)
        story.stage(number, "Test", begin + 16, begin + 26)
        story.stage(number, "Staging", begin + 26, begin + 31)
        story.stage(number, "Approval", begin + 31, begin + 40 + number)
        story.add(begin + 40 + number, EventKind.EXECUTION_SUCCEEDED, number)
    return story.trace()


def troubles() -> Trace:
    """A retry, a rollback, a skipped stage, a stop, a rejection, a disabled transition."""
    story = Story("troubles")
    story.start(0, 1)
    story.stage(1, "Source", 0, 2)
    story.stage(1, "Build", 2, 12)
    story.stage(1, "Test", 12, 20, fails=("SecurityScan",))
    story.add(20, EventKind.EXECUTION_FAILED, 1, "Test")
    story.add(38, EventKind.EXECUTION_RESUMED, 1, "Test", attempt=2)
    story.add(38, EventKind.STAGE_RESUMED, 1, "Test", attempt=2, mode="ALL_ACTIONS", trigger="ManualStageRetry")
    story.stage(1, "Test", 38, 48, attempt=2)
    story.stage(1, "Staging", 48, 55)
    story.stage(1, "Approval", 55, 70)
    story.add(70, EventKind.EXECUTION_SUCCEEDED, 1)
    story.start(72, 2)
    story.stage(2, "Source", 72, 74)
    story.stage(2, "Build", 74, 84)
    story.stage(2, "Test", 84, 92)
    story.add(92, EventKind.TRANSITION_DISABLED, None, "Staging", reason="freeze", by="ann")
    story.wait(2, "Staging", 92)
    story.add(118, EventKind.TRANSITION_ENABLED, None, "Staging", by="ann")
    story.stage(2, "Staging", 118, 126, fails=("Deploy",))
    story.add(126, EventKind.EXECUTION_FAILED, 2, "Staging")
    story.start(126, 3, change=None, execution_type="ROLLBACK", rollback_target="E1", trigger_type="AutomatedRollback")
    story.stage(3, "Staging", 126.2, 134)
    story.add(134, EventKind.EXECUTION_SUCCEEDED, 3)
    story.start(100, 4)
    story.stage(4, "Source", 100, 102)
    story.stage(4, "Build", 102, 112)
    story.add(112, EventKind.STAGE_ENTERED, 4, "Test", attempt=1)
    story.add(112.1, EventKind.STAGE_SKIPPED, 4, "Test", attempt=1)
    story.wait(4, "Staging", 112.1)
    story.stage(4, "Staging", 134, 141)
    story.stage(4, "Approval", 141, 160, fails=("Stakeholders",))
    story.add(160, EventKind.EXECUTION_FAILED, 4, "Approval")
    story.start(128, 5)
    story.stage(5, "Source", 128, 130)
    story.add(130, EventKind.STAGE_ENTERED, 5, "Build", attempt=1)
    story.add(136, EventKind.STAGE_STOPPED, 5, "Build", attempt=1)
    story.add(136, EventKind.EXECUTION_STOPPED, 5, "Build", reason="wrong branch")
    return story.trace()


def overnight() -> Trace:
    """Approvals that wait for the next morning, over three days."""
    story = Story("nightly", start="2026-03-02T14:00:00+00:00")
    for number, begin, answer in ((1, 0, 19 * 60), (2, 150, 43 * 60), (3, 20 * 60, 44 * 60)):
        story.start(begin, number)
        story.stage(number, "Source", begin, begin + 5)
        story.stage(number, "Build", begin + 5, begin + 60)
        story.stage(number, "Test", begin + 60, begin + 150)
        story.stage(number, "Staging", begin + 150, begin + 200)
        entry = begin + 200
        if number == 2:
            story.wait(2, "Approval", entry)
            entry = 19 * 60
        if number == 3:
            story.wait(3, "Approval", entry)
            entry = 43 * 60
        story.stage(number, "Approval", entry, answer)
        story.add(answer, EventKind.EXECUTION_SUCCEEDED, number)
    return story.trace()


def many(count: int = 60, mode: str = "SUPERSEDED") -> Trace:
    """Changes every ten minutes; in SUPERSEDED one waits in front of Test and the next replaces it."""
    story = Story("busy", {"Source": ["Checkout"], "Build": ["Compile"], "Test": ["All"], "Prod": ["Ship"]}, mode)
    test_free = prod_free = 0.0
    for number in range(1, count + 1):
        begin = (number - 1) * 10.0
        story.start(begin, number)
        story.stage(number, "Source", begin, begin + 1)
        story.stage(number, "Build", begin + 1, begin + 9)
        at = begin + 9
        entry = max(at, test_free)
        if entry >= at + 10 and mode == "SUPERSEDED":
            story.wait(number, "Test", at)
            story.add(at + 10, EventKind.EXECUTION_SUPERSEDED, number, "Test", by=f"E{number + 1}")
            continue
        if entry > at:
            story.wait(number, "Test", at)
        test_free = entry + 17
        fails = ("All",) if number % 7 == 0 else ()
        story.stage(number, "Test", entry, test_free, fails=fails)
        if fails:
            story.add(test_free, EventKind.EXECUTION_FAILED, number, "Test")
            continue
        entry = max(test_free, prod_free)
        prod_free = entry + 6
        story.stage(number, "Prod", entry, prod_free)
        story.add(prod_free, EventKind.EXECUTION_SUCCEEDED, number)
    return story.trace()


def one() -> Trace:
    """One execution that succeeds."""
    story = Story("one", {"Source": ["Checkout"], "Build": ["Compile"]})
    story.start(0, 1)
    story.stage(1, "Source", 0, 0.4)
    story.stage(1, "Build", 0.4, 3)
    story.add(3, EventKind.EXECUTION_SUCCEEDED, 1)
    return story.trace()


def empty() -> Trace:
    """A pipeline that was created and nothing more."""
    return Story("quiet").trace()
