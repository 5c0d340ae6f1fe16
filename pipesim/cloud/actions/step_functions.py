"""Step Functions: a state machine runs for real, and the action ends as it does.

The machine is interpreted when the action begins; what it waits is added to the duration that is assumed of
the action, and until then it is told to be running.
Source: AWS CodePipeline User Guide, "AWS Step Functions invoke action reference".
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy
from moto.stepfunctions.responses import get_backend

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import pack, read, write
from pipesim.cloud.gaps.stepfunctions.models import interpreting
from pipesim.cloud.permissions import role_client, session_of
from pipesim.engine.behaviours.work import draw
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

FILE_PATH = "FilePath"
OUTPUT = "output.json"
"""The file of the output artifact that holds the machine's output; the guide names none."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Start the machine, wait for its end, and hand its output on."""
    machine = run.configuration["StateMachineArn"]
    given = _input(account, run)
    states = role_client(account, run, "stepfunctions", machine.split(":")[3] if machine.count(":") > 5 else None)
    states.describe_state_machine(stateMachineArn=machine)
    with interpreting(account) as waited:
        arn = states.start_execution(stateMachineArn=machine, name=_name(run), input=given)["executionArn"]
    running = _Running(account, run, arn)
    duration, fails = draw(run)
    yield run.sim.env.timeout(min(duration + waited.now, run.plan.timeout))
    running.end()
    if duration + waited.now > run.plan.timeout:
        raise ActionFailed(f"The execution {arn} did not end within {run.plan.timeout:g} s.", external_id=arn)
    told = states.describe_execution(executionArn=arn)
    if told["status"] != "SUCCEEDED" or fails:
        why = ": ".join(str(told[key]) for key in ("error", "cause") if told.get(key))
        status = told["status"] if told["status"] != "SUCCEEDED" else "FAILED"
        raise ActionFailed(
            f"The execution {arn} ended with status {status}{': ' if why else ''}{why or run.plan.assumption.message}",
            external_id=arn,
        )
    body = pack({OUTPUT: str(told.get("output", "null")).encode()}, account.now)
    return Outcome(
        external_id=arn,
        external_url=_url(account, run, arn),
        variables={"StateMachineArn": machine, "ExecutionArn": arn},
        outputs=write(account, run, {artifact.name: body for artifact in run.plan.action.output_artifacts}),
    )


class _Running:
    """moto's record of an execution that is interpreted already and is not over yet."""

    def __init__(self, account: Account, run: ActionRun, arn: str) -> None:
        self._account = account
        backend = get_backend(session_of(account, run).account, arn.split(":")[3])
        self._record = _find(backend, arn)
        self._status, self._record.exec_status = self._record.exec_status, type(self._record.exec_status)("RUNNING")
        self._record.stop_date = None

    def end(self) -> None:
        """Now it is over."""
        self._record.exec_status = self._status
        self._record.stop_date = self._account.now


def _find(backend: Any, arn: str) -> Any:
    return next(one for machine in backend.state_machines for one in machine.executions if one.execution_arn == arn)


def _input(account: Account, run: ActionRun) -> str:
    """The machine's input: what is configured, or a file of the input artifact.

    Raises:
        ActionFailed: it is no JSON, or the file is missing.
    """
    text = run.configuration.get("Input", "")
    names = run.plan.action.input_artifacts
    if run.configuration.get("InputType", "Literal") == FILE_PATH:
        if not names or not text:
            raise ActionFailed(
                "InputType FilePath needs an input artifact and the path of a file in Input.",
                FailureType.CONFIGURATION_ERROR,
            )
        found = read(account, run, names[0]).read(text)
        if found is None:
            raise ActionFailed(
                f"The input artifact '{names[0]}' has no file '{text}'.", FailureType.CONFIGURATION_ERROR
            )
        text = found.decode("utf-8", errors="replace")
    text = text or "{}"
    try:
        json.loads(text)
    except ValueError:
        raise ActionFailed("The input of the state machine is no JSON.", FailureType.CONFIGURATION_ERROR) from None
    return text


def _name(run: ActionRun) -> str:
    """The execution's name, which no other execution of the machine has."""
    prefix = run.configuration.get("ExecutionNamePrefix", "")
    return f"{prefix}{'-' if prefix else ''}{run.id}"[:80]


def _url(account: Account, run: ActionRun, arn: str) -> str:
    region = run.plan.action.region or account.region
    return f"https://console.aws.amazon.com/states/home?region={region}#/executions/details/{arn}"
