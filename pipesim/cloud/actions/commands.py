"""Commands: shell lines without a build project.

The lines are told in the log and not executed: as in a buildspec, a line that sets a variable to plain text or that
says ``exit 1`` is believed. Output files are those of the first input, and where the commands alone would have
made one, its contents are made up. Source: AWS CodePipeline User Guide, "Commands action reference".
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import Archive, pack, read_all, write
from pipesim.cloud.buildspec import ArtifactSpec, assigned, exit_status
from pipesim.cloud.managed_compute import ActionLog, on_managed_compute
from pipesim.cloud.permissions import role_client
from pipesim.definition.variables import resolve
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

SECRET = "SECRETS_MANAGER"


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Run the commands on a managed machine."""
    archives = read_all(account, run)
    if not run.plan.action.commands:
        raise ActionFailed("The action has no commands.", FailureType.CONFIGURATION_ERROR)
    return (
        yield from on_managed_compute(account, run, lambda log, broken: _finish(account, run, archives, log, broken))
    )


def _finish(
    account: Account, run: ActionRun, archives: Mapping[str, Archive], log: ActionLog, broken: str | None
) -> Outcome:
    commands = _commands(run)
    variables = _environment(account, run)
    for command in commands:
        log.say(f"Running command {command}")
        status = exit_status(command)
        if status or (broken is not None and command == commands[-1]):
            reason = broken or f"exit status {status}"
            log.say(f"Command did not exit successfully {command} {reason}")
            raise ActionFailed(
                "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: Error while"
                f" executing command: {command}. Reason: {reason}",
                external_id=run.id,
            )
        if (pair := assigned(command)) is not None:
            variables[pair[0]] = pair[1]
    source = dict(next(iter(archives.values())).files()) if archives else {}
    made = f"made by action {run.id}\n".encode()
    bodies = {
        artifact.name: pack(ArtifactSpec(artifact.files or ("**/*",)).select(source, made), account.now)
        for artifact in run.plan.action.output_artifacts
    }
    return Outcome(
        external_id=run.id,
        external_url=log.url,
        variables=_emitted(run, variables),
        outputs=write(account, run, bodies),
    )


def _commands(run: ActionRun) -> list[str]:
    return [resolve(command, run.execution.lookup) for command in run.plan.action.commands]


def _environment(account: Account, run: ActionRun) -> dict[str, str]:
    """The environment variables that the action declares; secrets are fetched under the action's role."""
    found: dict[str, str] = {}
    for given in run.plan.action.environment_variables:
        value = resolve(given.value, run.execution.lookup)
        if given.type == SECRET:
            manager = role_client(account, run, "secretsmanager")
            value = str(manager.get_secret_value(SecretId=value)["SecretString"])
        found[given.name] = value
    return found


def _emitted(run: ActionRun, variables: Mapping[str, str]) -> dict[str, str]:
    """The output variables: assumed values first, then the shell's; what only a command could know is made up."""
    action, assumed = run.plan.action, run.plan.assumption.variables
    return {
        name: assumed.get(name) or variables.get(name) or f"{action.name}.{name}" for name in action.output_variables
    }
