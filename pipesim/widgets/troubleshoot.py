"""A broken pipeline of a mocked cloud to explore: what failed, logs, roles and artifacts, until it heals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from pipesim.trace.snapshot import ExecutionState
from pipesim.trace.wording import calendar, spell
from pipesim.views.theme import WORDS
from pipesim.vocabulary import PipelineExecutionStatus, StageRetryMode
from pipesim.widgets.desk import Desk, desk_module, insist_on_cloud
from pipesim.widgets.details import action_facts
from pipesim.widgets.evidence import Failure, failures, newest, objects_of, roles_of, save_policy
from pipesim.widgets.logs import log_of
from pipesim.widgets.pipeline_of_cloud import find_pipeline

if TYPE_CHECKING:
    from pipesim.cloud.explanation import Explanation

SECTIONS = ("", "log", "roles", "artifacts")
AT_WORK = frozenset({"succeeded", "still working", "not started"})
"""Causes of `Cloud.explain` that say that nothing is wrong."""


class Troubleshoot(Desk):
    """Find out why a pipeline fails, put it right, and see it heal; hints are given one by one.

    Nothing is told before it is asked for: first where to look, then what the service says, at last what is
    the cause and what to do (`Cloud.explain`).

    Args:
        cloud: an open cloud.
        pipeline: the pipeline's name; None: the only one.
        fault: what to break first (`Cloud.break_`); None: it is broken already.
        seed: of what is broken.

    Attributes:
        section: what is open: ``"log"``, ``"roles"``, ``"artifacts"`` or ``""``.
        revealed: how many hints were asked for.

    Raises:
        SourceError: there is no such pipeline, or several and no name.
    """

    _esm = desk_module("troubleshoot.js")
    orders: ClassVar[Mapping[str, str]] = {
        "hint": "hint",
        "retry": "retry",
        "start": "start",
        "wait": "let_time_pass",
        "save": "save_policy",
    }

    section = traitlets.Unicode("").tag(sync=True)
    revealed = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, cloud: Any, pipeline: str | None = None, *, fault: str | None = None, seed: int = 0, **traits: Any
    ) -> None:
        insist_on_cloud(cloud)
        self._account, self._record = find_pipeline(cloud, pipeline)
        super().__init__(cloud, **traits)
        self.broken = None if fault is None else cloud.break_(fault, self._record.name, seed=seed)
        self.refresh()
        self.observe(lambda _: self.refresh(), ["section", "revealed"])

    # --- what one finds out ----------------------------------------------------------------------

    @property
    def execution(self) -> ExecutionState | None:
        """The newest execution; None before the first."""
        return newest(self._record.simulation.state)

    @property
    def failure(self) -> Failure | None:
        """The first action that stands failed; None when none does."""
        return next(failures(self._record.simulation.state), None)

    @property
    def healed(self) -> bool:
        """Whether the newest execution went through and nothing stands failed."""
        execution = self.execution
        return execution is not None and execution.status is PipelineExecutionStatus.SUCCEEDED and self.failure is None

    @property
    def log(self) -> dict[str, Any]:
        """The failed action's log: ``group``, ``stream`` and ``lines``; empty when there is none."""
        failure = self.failure
        if failure is None:
            return {}
        stage = next(stage for stage in self._record.simulation.state.stages if stage.name == failure.stage)
        state = next(action for action in stage.actions if action.name == failure.action)
        declared = self._record.pipeline.stage(failure.stage).action(failure.action)
        return log_of(self._account, self._record.name, declared, action_facts(state, {}))

    @property
    def roles(self) -> list[dict[str, Any]]:
        """The roles that act for the pipeline, with who may take them and what they may do."""
        return roles_of(self._account, self._record)

    @property
    def artifacts(self) -> list[dict[str, Any]]:
        """What lies in the artifact buckets, the newest first, with the names of the files inside."""
        return objects_of(self._account, self._record.pipeline)

    @property
    def hints(self) -> tuple[str, ...]:
        """All hints of the present failure or standstill, the least first; empty when the pipeline works or is done."""
        failure = self.failure
        if failure is None:
            return self._hints_of_a_wait()
        said = [f"Look at stage {failure.stage}: its action {failure.action} failed."]
        if failure.run.code or failure.run.message:
            said.append(f"The service says: {failure.run.code}: {failure.run.message}".replace(": :", ":"))
        said.append(
            "Compare what the action needs with what the roles may do, and its inputs with what lies in the bucket."
            if not self.log
            else "Read the end of its log: the last phase that is not complete tells more than the message."
        )
        return (*said, *_told(self.cloud.explain(self._record.name)))

    def _hints_of_a_wait(self) -> tuple[str, ...]:
        """What keeps the newest execution waiting; where that is another execution, what keeps that one."""
        execution = self.execution
        if execution is None:
            return ()
        found = self.cloud.explain(self._record.name)
        if str(found.cause) in AT_WORK:
            return ()
        said = [f"Look at stage {found.stage}: nothing failed, but the newest execution does not go on there."]
        said += _told(found)
        inside = self._record.simulation.state.stage(found.stage).occupants if found.stage else ()
        for holder in (one for one in inside if one != execution.id):
            before = self.cloud.explain(self._record.name, holder)
            said += [f"{holder} is inside stage {found.stage}, and keeps it.", *_told(before)]
        return tuple(said)

    # --- what one does ---------------------------------------------------------------------------

    def hint(self) -> str:
        """Reveal the next hint and return it; the last one again when there is none left."""
        hints = self.hints
        if not hints:
            return "Nothing has failed, and nothing stands still."
        self.revealed = min(self.revealed + 1, len(hints))
        return hints[self.revealed - 1]

    def retry(self) -> None:
        """Retry the failed actions of the stage that stands failed, and let everything happen that needs no person.

        Raises:
            ClientError: the service refuses it.
        """
        self._insist_that_it_is_open()
        failure = self.failure
        if failure is None or failure.run.execution is None:
            self.notice = "Nothing has failed that could be retried."
            return
        self._account.client("codepipeline").retry_stage_execution(
            pipelineName=self._record.name,
            stageName=failure.stage,
            pipelineExecutionId=failure.run.execution,
            retryMode=StageRetryMode.FAILED_ACTIONS.value,
        )
        self.let_time_pass()

    def start(self) -> None:
        """Start an execution, and let everything happen that needs no person.

        Raises:
            ClientError: the service refuses it.
        """
        self._insist_that_it_is_open()
        self._account.client("codepipeline").start_pipeline_execution(name=self._record.name)
        self.let_time_pass()

    def let_time_pass(self) -> None:
        """Let everything happen that needs no person."""
        self._insist_that_it_is_open()
        self.cloud.run_until_idle()
        execution = self.execution
        status = "" if execution is None else WORDS[str(execution.status)][2].lower()
        self.notice = "It is healed." if self.healed else f"The newest execution: {status}." if status else ""

    def save_policy(self, role: str, policy: str, document: str) -> None:
        """Put another text in place of an inline policy of a role.

        Args:
            role, policy: their names.
            document: JSON.

        Raises:
            ClientError: it is no policy, or there is no such role.
        """
        self._insist_that_it_is_open()
        save_policy(self._account, role, policy, document)
        self.notice = f"Policy {policy} of role {role} is saved. Retry to see whether it was that."

    def facts(self) -> dict[str, Any]:
        """Return what the page shows, as JSON has it."""
        state, execution, failure = self._record.simulation.state, self.execution, self.failure
        is_open = self.cloud.is_open
        hints = self.hints if is_open else ()
        return {
            "title": self._record.name,
            "now": calendar(self._account.start, self.cloud.time),
            "healed": self.healed,
            "stages": [
                {
                    "name": stage.name,
                    "status": "NotStarted" if stage.latest is None else str(stage.latest.status),
                    "word": WORDS["NotStarted" if stage.latest is None else str(stage.latest.status)][2],
                    "sign": WORDS["NotStarted" if stage.latest is None else str(stage.latest.status)][0],
                }
                for stage in state.stages
            ],
            "execution": "" if execution is None else f"{execution.id}: {WORDS[str(execution.status)][2].lower()}",
            "failure": {}
            if failure is None
            else {
                "where": f"{failure.stage} / {failure.action}",
                "code": failure.run.code,
                "message": failure.run.message,
                "after": f"failed after {spell((failure.run.ended or failure.run.changed) - failure.run.started)}",
            },
            "hints": list(hints[: self.revealed]),
            "all": len(hints),
            "left": max(0, len(hints) - self.revealed),
            "log": self.log if self.section == "log" and is_open else {},
            "roles": self.roles if self.section == "roles" and is_open else [],
            "artifacts": self.artifacts if self.section == "artifacts" and is_open else [],
        }

    @traitlets.validate("section")
    def _check_section(self, proposal: Any) -> str:
        if proposal["value"] not in SECTIONS:
            raise traitlets.TraitError(f"there is no section {proposal['value']!r}: choose log, roles, artifacts or ''")
        return str(proposal["value"])


def _told(found: Explanation) -> list[str]:
    said = ["; ".join((f"The cause: {found.cause} ({found.certainty})", *found.evidence))]
    said.append(f"What to do: {found.next_step}")
    return [*said, f"The command: {found.command}"] if found.command else said
