"""Say where an execution of the mocked account stands or fell, why, and what to do next.

What is certain is read off the state: a disabled transition, an open approval, a job that nobody polls for. An
action's error is compared with the account: the role's policies, the bucket's, the key, what is configured.
Source: AWS CodePipeline User Guide, "Troubleshooting CodePipeline".
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipesim.cloud.explain_error import LIST_BUILDS, Diagnosis, diagnose, log_of, where
from pipesim.cloud.explanation import Cause, Certainty, Explanation
from pipesim.definition.model import Action, Pipeline
from pipesim.errors import PipesimError
from pipesim.trace.events import Event, EventKind
from pipesim.trace.snapshot import ExecutionState, PipelineState
from pipesim.vocabulary import ConditionType, PipelineExecutionStatus

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord

UNMET = frozenset({EventKind.CONDITION_FAILED, EventKind.CONDITION_ERRORED})
ENDS = frozenset({EventKind.ACTION_SUCCEEDED, EventKind.ACTION_FAILED, EventKind.ACTION_ABANDONED})


def explain(account: Account, pipeline: str | Pipeline | PipelineRecord, execution: str | None = None) -> Explanation:
    """Explain one execution of a pipeline.

    Args:
        account: the mocked account; its neighbours of the same cloud are looked through, too.
        pipeline: the pipeline or its name.
        execution: its id; None: the newest.

    Raises:
        PipesimError: there is no such pipeline or execution.
    """
    with account.lock:
        home, record = find(account, pipeline)
        state = record.simulation.state
        if execution is None:
            if not state.executions:
                return _not_started(home, record)
            execution = max(state.executions.values(), key=lambda one: one.number).id
        if execution not in state.executions:
            known = ", ".join(list(state.executions)[-5:]) or "none"
            raise PipesimError(f"pipeline '{record.name}' has no execution '{execution}'; its newest are {known}")
        return _Case(home, record, state, state.executions[execution]).explanation()


def _not_started(account: Account, record: PipelineRecord) -> Explanation:
    """Why a pipeline never ran: its source cannot be polled, or nobody started it."""
    polls = [event for event in record.simulation.trace if event.kind is EventKind.POLL_FAILED]
    if not polls:
        return Explanation(
            record.name, "", "NotStarted", "", "", "", "", Cause.NOT_STARTED, Certainty.CERTAIN,
            ("the pipeline has no execution",), "Start one.", command("start-pipeline-execution", name=record.name),
        )  # fmt: skip
    stage, name = str(polls[-1].stage), str(polls[-1].action)
    code, message = str(polls[-1].detail.get("code") or ""), str(polls[-1].detail.get("message") or "")
    action = next(one for home, one in record.pipeline.actions() if (home.name, one.name) == (stage, name))
    found = diagnose(account, record, "", stage, action, code, message)
    return Explanation(
        record.name, "", "NotStarted", stage, name, code, message, found.cause, found.certainty,
        (f"source {name} is polled, and no poll has succeeded", *found.evidence),
        f"{found.next_step} The next poll then starts the pipeline.", found.command,
    )  # fmt: skip


def command(operation: str, **members: str) -> str:
    """Return a command line of the AWS CLI for CodePipeline.

    >>> command("start-pipeline-execution", name="shop")
    'aws codepipeline start-pipeline-execution --name shop'
    """
    words = ["aws", "codepipeline", operation]
    for name, value in members.items():
        words += [f"--{name.replace('_', '-')}", value]
    return " ".join(shlex.quote(word) for word in words)


def find(account: Account, pipeline: str | Pipeline | PipelineRecord) -> tuple[Account, PipelineRecord]:
    """Return a pipeline's record and its account, which may be a neighbour.

    Args:
        account: where it is looked for first.
        pipeline: the pipeline or its name.

    Raises:
        PipesimError: there is none of this name.
    """
    name = pipeline if isinstance(pipeline, str) else pipeline.name
    for one in (account, *account.family.values()):
        if name in one.pipelines:
            return one, one.pipelines[name]
    known = ", ".join(name for one in account.family.values() for name in one.pipelines) or "none"
    raise PipesimError(f"the account has no pipeline '{name}'; it has {known}")


@dataclass(frozen=True)
class _Case:
    """One execution that is looked into."""

    account: Account
    record: PipelineRecord
    state: PipelineState
    execution: ExecutionState

    def explanation(self) -> Explanation:
        status, stage = self.execution.status, self.execution.stage or ""
        if status is PipelineExecutionStatus.SUCCEEDED:
            return self._tell(Cause.SUCCEEDED, ("every stage succeeded",), "Nothing is to be done.")
        if status is PipelineExecutionStatus.SUPERSEDED:
            return self._superseded(stage)
        if status is PipelineExecutionStatus.FAILED:
            return self._failed(stage) if stage else self._unfit()
        if status is PipelineExecutionStatus.IN_PROGRESS:
            return self._waiting(stage) if self.execution.waiting else self._inside(stage)
        if status is PipelineExecutionStatus.CANCELLED:
            return self._tell(
                Cause.STOPPED,
                ("the pipeline was updated before the execution had come to its end",),
                "Start a new execution: one that was cancelled cannot be retried.",
                self._command("start-pipeline-execution", name=self.record.name),
                stage=stage,
            )
        return self._tell(
            Cause.STOPPED,
            (f"the execution is {status.value}",),
            "Retry the stage, or start a new execution.",
            self._command("start-pipeline-execution", name=self.record.name),
            stage=stage,
            message=self.execution.stop_reason or self.execution.summary,
        )

    def _superseded(self, stage: str) -> Explanation:
        by = self.execution.superseded_by or "a newer execution"
        return self._tell(
            Cause.SUPERSEDED,
            (
                f"it waited before stage {stage} when {by} arrived there",
                f"the execution mode is {self.record.pipeline.execution_mode}: the newest waiting change wins",
            ),
            f"Follow {by}, which carries this change too; use execution mode QUEUED if every change must pass.",
            self._command("get-pipeline-execution", pipeline_name=self.record.name, pipeline_execution_id=by),
            stage=stage,
        )

    def _waiting(self, stage: str) -> Explanation:
        now = self.state.stage(stage)
        if not now.transition.enabled:
            return self._tell(
                Cause.TRANSITION_DISABLED,
                (f"the transition into {stage} was disabled by {now.transition.changed_by or 'somebody'}",),
                f"Enable the transition into {stage} when the reason for closing it is gone.",
                self._command(
                    "enable-stage-transition",
                    pipeline_name=self.record.name,
                    stage_name=stage,
                    transition_type="Inbound",
                ),
                stage=stage,
                message=now.transition.reason,
            )
        inside = ", ".join(now.occupants) or "nobody"
        before = now.inbound[: now.inbound.index(self.execution.id)] if self.execution.id in now.inbound else ()
        ahead = (f"{', '.join(before)} waits before it",) if before else ()
        return self._tell(
            Cause.STAGE_LOCK,
            (f"stage {stage} holds one execution at a time, and {inside} is inside", *ahead),
            f"Wait, or see what holds {inside}.",
            self._command("get-pipeline-state", name=self.record.name),
            stage=stage,
        )

    def _inside(self, stage: str) -> Explanation:
        found = [self._running(event) for event in self._open()]
        worst = [one for one in found if one.cause is not Cause.WORKING]
        if found:
            return (worst or found)[0]
        return self._tell(
            Cause.WORKING,
            ("the service moves it on; no action runs just now",),
            "Let time pass.",
            self._command("get-pipeline-state", name=self.record.name),
            stage=stage,
        )

    def _running(self, event: Event) -> Explanation:
        stage, name = str(event.stage), str(event.action)
        action = self._action(stage, name)
        if action.is_approval:
            return self._approval(stage, name)
        if (pool := self._pool(stage, name)) is not None:
            place = self.account.pools.get(pool)
            full = f" ({place.count} of {place.capacity} in use)" if place is not None else ""
            return self._tell(
                Cause.QUOTA,
                (f"the action is in progress and waits for a place in '{pool}'{full}",),
                "Wait for a place, stop builds that nobody needs, or ask for a higher quota.",
                LIST_BUILDS + where(self.account, action)
                if pool == "builds"
                else self._command("get-pipeline-state", name=self.record.name),
                place=(stage, name),
            )
        job = self.account.jobs.newest(self.execution.id, stage, name)
        if job is not None and not job.is_over:
            if job.executor == "Lambda":
                function = action.configuration.get("FunctionName", name)
                return self._tell(
                    Cause.HANDLER_SILENT,
                    (
                        f"function {function} was called with job {job.id}",
                        "no PutJobSuccessResult or PutJobFailureResult has come for it",
                    ),
                    "Let the handler report the job's end; see its log.",
                    log_of(function) + where(self.account, action),
                    place=(stage, name),
                )
            if self.account.jobs.waits_for_somebody(job.run):
                type_id = f"category={action.category},owner={action.type.owner},provider={action.provider},version=1"
                polled = "was handed out and never reported" if job.dispatched is not None else "was never handed out"
                return self._tell(
                    Cause.WORKER_ABSENT,
                    (f"job {job.id} {polled}", f"no worker polls for {action.provider}"),
                    "Start the job worker, and let it poll for this action type.",
                    self._command("poll-for-jobs", action_type_id=type_id),
                    place=(stage, name),
                )
        return self._tell(
            Cause.WORKING,
            (f"{action.provider} is at work since {self.account.moment(event.time):%Y-%m-%d %H:%M:%S} UTC",),
            "Let time pass.",
            self._command("get-pipeline-state", name=self.record.name),
            place=(stage, name),
        )

    def _approval(self, stage: str, name: str) -> Explanation:
        token = self.state.stage(stage).action(name).latest
        result = "summary=Checked,status=Approved"
        shown = token.token if token is not None and token.execution == self.execution.id and token.token else "TOKEN"
        return self._tell(
            Cause.APPROVAL_WAITING,
            (f"approval {name} is open and nobody has answered it",),
            "Let somebody who may decide approve or reject it.",
            self._command(
                "put-approval-result",
                pipeline_name=self.record.name,
                stage_name=stage,
                action_name=name,
                result=result,
                token=shown,
            ),
            place=(stage, name),
        )

    def _failed(self, stage: str) -> Explanation:
        failures = self._failures()
        retry = self._command(
            "retry-stage-execution",
            pipeline_name=self.record.name,
            stage_name=stage,
            pipeline_execution_id=self.execution.id,
            retry_mode="FAILED_ACTIONS",
        )
        if not failures:
            return self._unmet(stage, retry)
        event = failures[0]
        action = self._action(str(event.stage), str(event.action))
        code, message = str(event.detail.get("code") or ""), str(event.detail.get("message") or "")
        found: Diagnosis = diagnose(
            self.account, self.record, self.execution.id, str(event.stage), action, code, message
        )
        others = [f"{one.stage}/{one.action} failed as well" for one in failures[1:]]
        return self._tell(
            found.cause,
            (*found.evidence, *others),
            f"{found.next_step} Then retry the stage: {retry}",
            found.command or retry,
            place=(str(event.stage), action.name),
            code=code,
            message=message,
            certainty=found.certainty,
        )

    def _unfit(self) -> Explanation:
        """It failed before its first stage: values of variables are missing, or there are too many executions."""
        given = self.record.simulation.executions[self.execution.id].variables
        missing = [
            one.name for one in self.record.pipeline.variables if one.name not in given and one.default_value is None
        ]
        if not missing:
            return self._tell(
                Cause.QUOTA,
                ("it was not let in: too many executions were under way",),
                "Wait until some of them are over, and start it again.",
                self._command("start-pipeline-execution", name=self.record.name),
                message=self.execution.summary,
                certainty=Certainty.LIKELY,
            )
        values = " ".join(f"name={name},value=VALUE" for name in missing)
        return self._tell(
            Cause.CONFIGURATION,
            [f"variable {name} has no default value and was given none" for name in missing],
            "Start an execution with a value for each of them, or give them defaults.",
            f"{self._command('start-pipeline-execution', name=self.record.name)} --variables {values}",
            message=self.execution.summary,
        )

    def _unmet(self, stage: str, retry: str) -> Explanation:
        """No action failed: a condition was not met, or the service ended it."""
        unmet = [event for event in self._events() if event.kind in UNMET]
        if not unmet:
            return self._tell(
                Cause.SERVICE,
                ("no action of the stage failed",),
                "See what the execution says, and retry the stage.",
                retry,
                stage=stage,
                message=self.execution.summary,
                certainty=Certainty.POSSIBLE,
            )
        gate, home = str(unmet[-1].detail["condition"]), str(unmet[-1].stage)
        evidence = [f"condition {gate} of {home}: {unmet[-1].detail.get('summary', '')}".strip(": ")]
        evidence += [
            f"rule {event.detail['rule']}: {event.detail['message']}"
            for event in self._events()
            if event.kind is EventKind.RULE_FAILED and event.stage == home and event.detail.get("message")
        ]
        step, command = "See which rule was not met, put that right, and retry the stage.", retry
        if unmet[-1].detail.get("result") == "ROLLBACK":
            step = "Put right what the rule asks for, and start the change anew: the stage was rolled back."
            command = self._command("start-pipeline-execution", name=self.record.name)
        elif gate == ConditionType.ON_SUCCESS:
            step = "See which rule was not met; whoever may decide lets the execution go on all the same."
            command = self._command(
                "override-stage-condition",
                pipeline_name=self.record.name,
                stage_name=home,
                pipeline_execution_id=self.execution.id,
                condition_type=gate,
            )
        return self._tell(
            Cause.CONDITION, evidence, step, command, stage=home, message=str(unmet[-1].detail.get("summary", ""))
        )

    # --- what the trace knows -----------------------------------------------------------------

    def _events(self) -> Sequence[Event]:
        """The events of the newest attempt."""
        events = self.record.simulation.trace.of(self.execution.id)
        resumed = [place for place, event in enumerate(events) if event.kind is EventKind.EXECUTION_RESUMED]
        return events[resumed[-1] :] if resumed else events

    def _open(self) -> list[Event]:
        running: dict[tuple[str | None, str | None], Event] = {}
        for event in self.record.simulation.trace.of(self.execution.id):
            if event.kind is EventKind.ACTION_STARTED:
                running[event.stage, event.action] = event
            elif event.kind in ENDS:
                running.pop((event.stage, event.action), None)
        return list(running.values())

    def _failures(self) -> list[Event]:
        latest: dict[tuple[str | None, str | None], Event] = {}
        for event in self._events():
            if event.kind is EventKind.ACTION_FAILED:
                latest[event.stage, event.action] = event
            elif event.kind in (EventKind.ACTION_STARTED, EventKind.ACTION_SUCCEEDED):
                latest.pop((event.stage, event.action), None)
        return list(latest.values())

    def _pool(self, stage: str, name: str) -> str | None:
        waiting: str | None = None
        for event in self.record.simulation.trace.of(self.execution.id):
            if (event.stage, event.action) == (stage, name):
                if event.kind is EventKind.ACTION_WAITING:
                    waiting = str(event.detail.get("pool") or "")
                elif event.kind in (EventKind.ACTION_WORKING, EventKind.ACTION_STARTED):
                    waiting = None
        return waiting

    def _action(self, stage: str, name: str) -> Action:
        """The declaration's action, also of a version that the execution began with and that is gone by now."""
        for version in reversed(self.record.versions):
            for home, action in version.actions():
                if (home.name, action.name) == (stage, name):
                    return action
        raise PipesimError(f"pipeline '{self.record.name}' never had an action '{stage}/{name}'")

    def _command(self, operation: str, **members: str) -> str:
        region = {} if self.account.region == "us-east-1" else {"region": self.account.region}
        return command(operation, **members, **region)

    def _tell(
        self,
        cause: Cause,
        evidence: Iterable[str],
        next_step: str,
        command: str = "",
        *,
        stage: str = "",
        place: tuple[str, str] = ("", ""),
        code: str = "",
        message: str = "",
        certainty: Certainty = Certainty.CERTAIN,
    ) -> Explanation:
        return Explanation(
            pipeline=self.record.name,
            execution=self.execution.id,
            status=self.execution.status.value,
            stage=place[0] or stage,
            action=place[1],
            code=code,
            message=message,
            cause=cause,
            certainty=certainty,
            evidence=tuple(evidence),
            next_step=next_step,
            command=command,
        )
