"""One pipeline execution: what it carries and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from immutabledict import immutabledict

from pipesim.definition.model import Action
from pipesim.engine.commands import SourceRevision
from pipesim.trace.events import NOTHING
from pipesim.vocabulary import ExecutionType, PipelineExecutionStatus

if TYPE_CHECKING:
    import simpy

    from pipesim.engine.passage import Passage
    from pipesim.engine.plan import Plan

FINAL = frozenset(
    {
        PipelineExecutionStatus.STOPPED,
        PipelineExecutionStatus.SUCCEEDED,
        PipelineExecutionStatus.SUPERSEDED,
        PipelineExecutionStatus.FAILED,
        PipelineExecutionStatus.CANCELLED,
    }
)


@dataclass(slots=True, eq=False)
class Execution:
    """One passage of one change through the pipeline.

    Attributes:
        id: its name, ``E1`` or a UUID.
        number: 1, 2, …
        index: by which its draws are indexed: how many changes started before it, or for a rollback how often its
            stage was rolled back before.
        lot: what is added to the number of an attempt when it draws; see
            `pipesim.assumptions.streams.ROLLBACK_LOT`.
        plan: the version of the declaration that it runs.
        change: the label of the change that it carries.
        head: the number of the newest change when it started.
        target: for a rollback: the execution whose stage is run again.
        cause: for an automatic rollback: the execution that failed.
        status: PipelineExecutionStatus.
        attempt: 1, and one more with every retry, across stages.
        variables: pipeline variables, bound at the start.
        outputs: output variables by namespace, the newest attempt's.
        artifacts: the object key of each artifact, the newest attempt's.
        sizes: bytes of each artifact, where assumed.
        passage: the stage execution it is inside of, or None.
        passages: its stage executions that did not succeed, by stage name; these may be retried.
        completed: the names of the stages in which it succeeded.
        door: the name of the stage in front of which it waits, or None.
        admission: the SimPy event that lets it in, while it waits.
        stopping: a stop was asked for and has not ended.
        cancelling: the pipeline was updated meanwhile.
    """

    id: str
    number: int
    plan: Plan
    change: str
    head: int
    index: int = 0
    lot: int = 0
    type: str = ExecutionType.STANDARD.value
    target: Execution | None = None
    cause: Execution | None = None
    status: PipelineExecutionStatus = PipelineExecutionStatus.IN_PROGRESS
    attempt: int = 1
    variables: Mapping[str, str] = field(default_factory=dict)
    revisions: tuple[SourceRevision, ...] = ()
    outputs: dict[str, Mapping[str, str]] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    source_revisions: dict[str, Mapping[str, str]] = field(default_factory=dict)
    passage: Passage | None = None
    passages: dict[str, Passage] = field(default_factory=dict)
    completed: list[str] = field(default_factory=list)
    door: str | None = None
    admission: simpy.Event | None = None
    lapsed: bool = False
    stopping: bool = False
    stop_reason: str = ""
    cancelling: bool = False
    _inputs: dict[tuple[str, ...], Mapping[str, Any]] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether it has come to an end (a failed or stopped one may be resumed)."""
        return self.status in FINAL

    def keep(self, outputs: Mapping[str, str]) -> None:
        """Take note of the object keys of new artifacts."""
        self.artifacts.update(outputs)
        self._inputs.clear()

    def inputs_of(self, action: Action) -> Mapping[str, Any]:
        """The object keys that an action reads, as ``{"inputs": {artifact: key}}``; empty without inputs."""
        wanted = action.input_artifacts
        if not wanted:
            return NOTHING
        try:
            return self._inputs[wanted]
        except KeyError:
            artifacts = self.artifacts
            found = immutabledict({"inputs": {name: artifacts[name] for name in wanted if name in artifacts}})
            return self._inputs.setdefault(wanted, found)

    def lookup(self, namespace: str, key: str) -> str:
        """Return the value of ``#{namespace.key}`` for this execution, or raise KeyError."""
        try:
            if namespace == "codepipeline":
                return {"PipelineExecutionId": self.id}[key]
            if namespace == "variables":
                return self.variables[key]
            return self.outputs[namespace][key]
        except KeyError:
            raise KeyError(f"{namespace}.{key}") from None
