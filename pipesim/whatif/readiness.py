"""What of a pipeline the fast path needs, and why it may not be able to run one."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from pipesim.assumptions import distributions
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.distributions import Distribution, Mixture, Shifted
from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.streams import Streams
from pipesim.catalog.limits import CONCURRENT_EXECUTIONS, PARALLEL_ACTIONS_PER_EXECUTION
from pipesim.definition.model import Pipeline
from pipesim.definition.variables import references_of
from pipesim.engine.behaviours.source import VARIABLES
from pipesim.engine.plan import ActionPlan, StagePlan, make_plan
from pipesim.vocabulary import ActionCategory, ExecutionMode, Result, StageRetryMode

ALWAYS_THERE = frozenset(
    {
        "CommitId", "VersionId", "ImageDigest", "ETag", "CommitMessage", "AuthorDate", "CommitterDate", "RegistryId",
        "ImageURI", "CommitUrl", "ImageTag",
    }
)  # fmt: skip
CONFIGURED = {
    "RepositoryName": ("RepositoryName", "Repo"),
    "BranchName": ("BranchName", "Branch"),
    "FullRepositoryName": ("FullRepositoryId",),
    "ConnectionArn": ("ConnectionArn",),
    "BucketName": ("S3Bucket",),
    "ObjectKey": ("S3ObjectKey",),
}


@dataclass(frozen=True, slots=True)
class FastAction:
    """One action as the fast path sees it; times in milliseconds.

    Attributes:
        key: ``Stage/Action``.
        name: the action's name.
        duration: how long it works, or for an approval how much working time passes until it is answered;
            None: nobody answers.
        failing: how long a failing attempt works, where that differs.
        odds: the odds of failure or rejection.
        script: the numbers of its runs that fail.
        timeout: when it fails for taking too long.
        transfer: what copying artifacts adds.
        approval: whether a person answers.
        hours: when that person works; None: always.
        tick: from the answer to the end.
        pool: the pool that may be full when it begins; "" for none.
        luck: by which its streams are called.
    """

    key: str
    name: str
    duration: Distribution | None
    failing: Distribution | None
    odds: float
    script: tuple[int, ...]
    timeout: float
    transfer: float = 0.0
    approval: bool = False
    hours: WorkingHours | None = None
    tick: float = 0.0
    pool: str = ""
    luck: str = ""

    @property
    def may_fail(self) -> bool:
        """Whether it can fail other than by taking too long."""
        return self.odds > 0 or bool(self.script) or self.duration is None

    @property
    def may_be_late(self) -> bool:
        """Whether it can take too long."""
        if self.duration is None:
            return True
        longest = max(one.quantile(1.0) for one in (self.duration, self.failing) if one is not None)
        return self.hours is not None or longest * 1000 + self.transfer > self.timeout

    @property
    def stream(self) -> str:
        """The name of the stream of its durations."""
        return f"{'response' if self.approval else 'duration'} {self.luck}"


@dataclass(frozen=True, slots=True)
class FastStage:
    """One stage as the fast path sees it.

    Attributes:
        name: the stage's name.
        groups: its actions, group by group.
        retry: how it retries itself; None: not.
        rolls_back: whether it rolls back by itself when it fails.
        crowd: how many actions may work at once; None: all.
    """

    name: str
    groups: tuple[tuple[FastAction, ...], ...]
    retry: str | None
    rolls_back: bool
    crowd: int | None

    @property
    def actions(self) -> Iterator[FastAction]:
        """All its actions."""
        for group in self.groups:
            yield from group

    @property
    def keeps_hours(self) -> bool:
        """Whether how long it takes depends on when it begins."""
        return any(action.hours is not None for action in self.actions)

    @property
    def depends_on_time(self) -> bool:
        """Whether how long it takes depends on when it begins, or on what ran before."""
        return any(action.hours is not None or action.script for action in self.actions)


class CannotRun(Exception):
    """The fast path cannot run this model; the message says why."""


def fast_stages(pipeline: Pipeline, assumptions: Assumptions) -> tuple[FastStage, ...]:
    """Return the stages as the fast path sees them.

    Args:
        pipeline: the declaration; it must be free of problems.
        assumptions: what is assumed.

    Raises:
        CannotRun: the model needs the engine.
        AssumptionError: an assumption names something that the declaration does not have.
    """
    plan = make_plan(pipeline, assumptions, Streams(0), {}, assumptions.pools)
    parallel = pipeline.execution_mode == ExecutionMode.PARALLEL
    _refuse_conditions(pipeline)
    scarce = _scarce_pools(plan.stages, assumptions, parallel)
    _refuse_variables(pipeline, plan.stages)
    for member in ("start", "between_stages", "approval_tick"):
        _whole(f"the delay {member}", getattr(assumptions.delays, member))
    sizes: dict[str, int] = {}
    stages = []
    for stage in plan.stages:
        groups = []
        for group in stage.groups:
            groups.append(tuple(_action(one, assumptions, sizes, scarce) for one in group))
            _keep_sizes(group, sizes, copied=bool(assumptions.delays.transfer_rate))
        reaction = stage.stage.on_failure
        retry = reaction is not None and reaction.result == Result.RETRY
        mode = (reaction.retry_mode or StageRetryMode.FAILED_ACTIONS.value) if retry and reaction is not None else None
        fast = FastStage(
            stage.stage.name,
            tuple(groups),
            mode,
            reaction is not None and reaction.result == Result.ROLLBACK,
            PARALLEL_ACTIONS_PER_EXECUTION if parallel else None,
        )
        _refuse_reactions(fast, parallel)
        stages.append(fast)
    return tuple(stages)


def _action(plan: ActionPlan, assumptions: Assumptions, sizes: dict[str, int], scarce: Container[str]) -> FastAction:
    assumption, delays = plan.assumption, assumptions.delays
    if plan.approver is not None:
        who = plan.approver
        if who.hours is not None and assumptions.start.microsecond % 1000:
            raise CannotRun("the start has fractions of a millisecond, and approvers have working hours")
        _known(who.response, plan.key)
        return FastAction(
            plan.key, plan.action.name, who.response, None, who.rejects, who.rejects_on,
            _whole(f"the time limit of {plan.key}", plan.timeout),
            approval=True, hours=who.hours, tick=delays.approval_tick * 1000.0,
            luck=plan.luck,
        )  # fmt: skip
    transfer = 0.0
    if delays.transfer_rate:
        size = sum(sizes.get(name, 0) for name in plan.action.input_artifacts) + sum(assumption.sizes.values())
        transfer = round(size / delays.transfer_rate, 3)
    _known(assumption.duration, plan.key)
    _known(assumption.fails_after, plan.key)
    return FastAction(
        plan.key, plan.action.name, assumption.duration, assumption.fails_after, assumption.fails, assumption.fails_on,
        _whole(f"the time limit of {plan.key}", plan.timeout), transfer=round(transfer * 1000.0),
        pool=plan.pool if plan.pool in scarce else "",
        luck=plan.luck,
    )  # fmt: skip


def _keep_sizes(group: Iterable[ActionPlan], sizes: dict[str, int], *, copied: bool) -> None:
    """Take note of how large artifacts are; who speaks of artifacts of others may change them in the middle."""
    for plan in group:
        own = {artifact.name for artifact in plan.action.output_artifacts}
        if copied and own and not own.issuperset(plan.assumption.sizes):
            raise CannotRun(f"{plan.key} is assumed to give sizes to artifacts that are not its own")
        sizes.update(plan.assumption.sizes if own else {})


def _known(distribution: Distribution | None, key: str) -> None:
    """Refuse distributions of one's own, whose draws need not be whole milliseconds."""
    parts = [distribution]
    while parts:
        part = parts.pop()
        if part is None:
            continue
        if type(part).__module__ != distributions.__name__:
            raise CannotRun(f"{key} draws from a distribution of one's own, {type(part).__name__}")
        if isinstance(part, Mixture):
            parts.extend(part.parts)
        elif isinstance(part, Shifted):
            parts.append(part.rest)


def _whole(what: str, seconds: float) -> float:
    milliseconds = round(seconds * 1000)
    if milliseconds / 1000 != seconds:
        raise CannotRun(f"{what}, {seconds!r} s, is not a whole number of milliseconds")
    return float(milliseconds)


def _refuse_conditions(pipeline: Pipeline) -> None:
    for stage in pipeline.stages:
        if stage.rules or stage.before_entry or stage.on_success:
            raise CannotRun(f"stage '{stage.name}' has conditions")


def _scarce_pools(stages: Iterable[StagePlan], assumptions: Assumptions, parallel: bool) -> set[str]:
    """The pools of which more places may be wanted at once than there are."""
    scarce = set()
    for name, pool in assumptions.pools.items():
        at_once = [
            max(sum(plan.pool == name for plan in group) for group in stage.groups) for stage in stages
        ]  # fmt: skip
        if max(at_once, default=0) > pool.capacity:
            raise CannotRun(
                f"pool '{name}' has {pool.capacity} places, and one execution may want {max(at_once)} at once"
            )
        most = CONCURRENT_EXECUTIONS * max(at_once, default=0) if parallel else sum(at_once)
        if most > pool.capacity:
            scarce.add(name)
    return scarce


def _refuse_reactions(fast: FastStage, parallel: bool) -> None:
    if parallel and fast.retry and any(action.script for action in fast.actions):
        raise CannotRun(f"stage '{fast.name}' has scripted failures and retries itself in PARALLEL mode")


def _refuse_variables(pipeline: Pipeline, stages: Iterable[StagePlan]) -> None:
    """Refuse what may not be there when an action looks for it: then the action fails, which the engine knows."""
    for variable in pipeline.variables:
        if variable.default_value is None:
            raise CannotRun(f"variable '{variable.name}' has no default value")
    known = {("variables", variable.name) for variable in pipeline.variables}
    known.add(("codepipeline", "PipelineExecutionId"))
    made: set[str] = set()
    for stage in stages:
        for group in stage.groups:
            for plan in group:
                if any((one.namespace, one.key) not in known for one in references_of(plan.action)):
                    raise CannotRun(f"{plan.key} reads a variable that may not be there")
                if any(name not in made for name in plan.action.input_artifacts):
                    raise CannotRun(f"{plan.key} reads an artifact that may not be there")
            for plan in group:
                made.update(artifact.name for artifact in plan.action.output_artifacts)
                known.update((plan.action.namespace or "", key) for key in _emitted(plan))


def _emitted(plan: ActionPlan) -> Iterator[str]:
    if plan.action.category != ActionCategory.SOURCE:
        yield from plan.success.variables if plan.success is not None else ()
        return
    yield from plan.assumption.variables
    configuration = plan.action.configuration
    for key in plan.documented_variables:
        told = next((configuration[one] for one in CONFIGURED.get(key, ()) if one in configuration), "")
        if key in ALWAYS_THERE or (key in VARIABLES and told):
            yield key
