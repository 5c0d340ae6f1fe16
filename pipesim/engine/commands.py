"""What people and sources do meanwhile: the commands that a simulation takes.

Each is a frozen record. `Simulation.send` carries one out at the present moment,
`Simulation.schedule` later; one that the service would refuse raises
`pipesim.errors.Refused` with the service's own code and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from immutabledict import immutabledict

from pipesim.definition.model import Pipeline
from pipesim.definition.triggers import PullRequest, Push
from pipesim.vocabulary import FailureType, StageRetryMode, StageTransitionType, TriggerType


@dataclass(frozen=True, slots=True)
class SourceRevision:
    """A revision that one source action must take instead of the newest.

    Attributes:
        action: the source action's name.
        type: how the revision is named (``COMMIT_ID``, ``IMAGE_DIGEST``, …).
        value: the revision.

    >>> SourceRevision("GitHub", "COMMIT_ID", "c0ffee1").value
    'c0ffee1'
    """

    action: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Start:
    """Start a pipeline execution (StartPipelineExecution, or a change that arrives).

    Attributes:
        change: the label of the change that it carries; None: a new one.
        variables: values of pipeline variables, as a mapping or as (name, value) pairs.
        revisions: source-revision overrides.
        token: the client's request token; the same token gives the same execution again.
        trigger_type: why it starts.
        trigger_detail: what AWS writes beside the type (an ARN, an action's name).
    """

    change: str | None = None
    variables: Mapping[str, str] | tuple[tuple[str, str], ...] = field(default_factory=immutabledict)
    revisions: tuple[SourceRevision, ...] = ()
    token: str | None = None
    trigger_type: str = TriggerType.START_PIPELINE_EXECUTION.value
    trigger_detail: str | None = None


@dataclass(frozen=True, slots=True)
class Approve:
    """Approve the manual approval that is open in a stage (PutApprovalResult).

    Attributes:
        stage: the stage's name.
        action: the approval action's name; None: the only open one of the stage.
        summary: the comment.
        token: the token that GetPipelineState showed; None: whichever is open.
        execution: which execution, where several may be inside (PARALLEL).
        by: who answers.
    """

    stage: str
    action: str | None = None
    summary: str = ""
    token: str | None = None
    execution: str | None = None
    by: str = "user"


@dataclass(frozen=True, slots=True)
class Reject:
    """Reject the manual approval that is open in a stage; the members are those of `Approve`."""

    stage: str
    action: str | None = None
    summary: str = ""
    token: str | None = None
    execution: str | None = None
    by: str = "user"


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop an execution: wait for its running actions, or abandon them (StopPipelineExecution).

    Attributes:
        execution: the execution's id.
        abandon: True: stop and abandon; False: stop and wait.
        reason: at most 200 characters.
        by: who stops it.
    """

    execution: str
    abandon: bool = False
    reason: str = ""
    by: str = "user"


@dataclass(frozen=True, slots=True)
class Retry:
    """Retry the failed actions, or all actions, of a stage (RetryStageExecution).

    Attributes:
        stage: the stage's name.
        execution: the execution's id, which it keeps.
        mode: ``FAILED_ACTIONS`` or ``ALL_ACTIONS``.
    """

    stage: str
    execution: str
    mode: str = StageRetryMode.FAILED_ACTIONS.value


@dataclass(frozen=True, slots=True)
class Rollback:
    """Run one stage again as an earlier execution ran it (RollbackStage).

    Attributes:
        stage: the stage's name.
        target: the id of an execution that succeeded in it.
        by: the ARN of who asks.
    """

    stage: str
    target: str
    by: str = "arn:aws:iam::111122223333:user/user"


@dataclass(frozen=True, slots=True)
class DisableTransition:
    """Let nothing new enter a stage (DisableStageTransition).

    Attributes:
        stage: the stage's name.
        reason: why; required, 1 to 300 characters.
        direction: ``Inbound``: the arrow before the stage; ``Outbound``: the arrow after it.
        by: who does it.
    """

    stage: str
    reason: str = "disabled by hand"
    direction: str = StageTransitionType.INBOUND.value
    by: str = "user"


@dataclass(frozen=True, slots=True)
class EnableTransition:
    """Let executions enter a stage again (EnableStageTransition)."""

    stage: str
    direction: str = StageTransitionType.INBOUND.value
    by: str = "user"


@dataclass(frozen=True, slots=True)
class Override:
    """Set the verdict of a stage condition aside (OverrideStageCondition).

    Attributes:
        stage: the stage's name.
        execution: the execution's id.
        condition: ``BEFORE_ENTRY`` or ``ON_SUCCESS``.
        by: who does it.

    >>> Override("Deploy", "E1", "BEFORE_ENTRY").by
    'user'
    """

    stage: str
    execution: str
    condition: str
    by: str = "user"


@dataclass(frozen=True, slots=True)
class Update:
    """Replace the declaration by another of the same name (UpdatePipeline).

    >>> import pipesim as ps
    >>> longer = ps.load("S3 -> CodeBuild -> S3")
    >>> trace = ps.simulate(ps.load("S3 -> S3"), commands=[(60, Update(longer)), (70, Start())])
    >>> trace.executions
    ('E1', 'E2')
    """

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Break:
    """Let an action fail from its next attempt on, after its usual time: a lesson's broken build.

    The service has no such operation; it stands for whatever breaks outside of the pipeline.

    Attributes:
        stage: the stage's name.
        action: the action's name; an approval cannot be broken, only rejected.
        code: the failure type that it reports.
        message: the sentence that goes with the code.

    >>> import pipesim as ps
    >>> trace = ps.simulate(ps.load("S3 -> CodeBuild -> S3"), commands=[(0, Break("Build", "CodeBuild"))])
    >>> ps.executions_table(trace)["ending"][0]
    'failed: CodeBuild'
    """

    stage: str
    action: str
    code: str = FailureType.JOB_FAILED.value
    message: str = "Broken by hand."


@dataclass(frozen=True, slots=True)
class Repair:
    """Take back what `Break` did, from the action's next attempt on; without effect on one that is not broken.

    >>> import pipesim as ps
    >>> mended = [(0, Break("Build", "CodeBuild")), (1, Repair("Build", "CodeBuild"))]
    >>> trace = ps.simulate(ps.load("S3 -> CodeBuild -> S3"), commands=mended)
    >>> ps.executions_table(trace)["ending"][0]
    'succeeded'
    """

    stage: str
    action: str


# Push and PullRequest, what a connection reports, are commands too; they stand with the triggers.
Command = (
    Start
    | Approve
    | Reject
    | Stop
    | Retry
    | Rollback
    | DisableTransition
    | EnableTransition
    | Override
    | Update
    | Break
    | Repair
    | Push
    | PullRequest
)
