"""Providers that the mocked account does not have: they take their assumed time, and artifacts flow all the same.

What is real of them: the role must be there, the inputs are read, and the outputs are written. A source writes the
files that are assumed of the pipeline's source; any other action hands its first input on.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.cloud.artifacts import pack, read_all, write
from pipesim.cloud.permissions import access_denied, may, session_of
from pipesim.cloud.sample_source import source_files
from pipesim.engine.behaviours import behaviour_of
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import ActionCategory

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

CONNECTING = ("codeconnections:UseConnection", "codestar-connections:UseConnection")


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Do as a plain simulation does, with real artifacts."""
    archives = read_all(account, run)
    if connection := run.configuration.get("ConnectionArn"):
        _require_connection(account, run, connection)
    outcome: Outcome = yield from behaviour_of(run.plan.action, pooled=bool(run.plan.pool))(run)
    outputs = run.plan.action.output_artifacts
    if outcome.failure is not None or not outputs:
        return outcome
    if run.plan.action.category == ActionCategory.SOURCE:
        body = pack(source_files(run.execution.plan.pipeline), account.now)
    else:
        body = next(iter(archives.values())).body if archives else pack({}, account.now)
    return replace(outcome, outputs=write(account, run, {artifact.name: body for artifact in outputs}))


def _require_connection(account: Account, run: ActionRun, connection: str) -> None:
    """Either of the two names of the permission will do."""
    session = session_of(account, run)
    if not any(may(session, action, connection) for action in CONNECTING):
        raise access_denied(
            f"User: {session.arn} is not authorized to perform: {CONNECTING[1]} on resource: {connection}",
            "UseConnection",
        )
