"""The EC2 deploy: instances found by a tag get the artifact and two scripts, batch by batch, through Systems Manager.

A learner makes it fail as on real instances: a script that the artifact does not have or that says ``exit 1`` on a line
of its own (scripts are read, not executed), an instance that is stopped.
Source: AWS CodePipeline User Guide, "Amazon EC2 action reference".
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simpy
import yaml
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import Archive, read
from pipesim.cloud.deploy_targets import DeployTarget, open_targets, received
from pipesim.cloud.managed_compute import ActionLog
from pipesim.cloud.permissions import require, role_client, session_of
from pipesim.cloud.rollout import problem_of
from pipesim.engine.behaviours.work import draw
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

KINDS = ("EC2", "SSM_MANAGED_NODE")
MOST = 500
"""Instances that a fleet may have."""

SHARE = re.compile(r"(\d+)(%?)$")
BEFORE, DEPLOY, AFTER = "BeforeDeploy", "Deploy", "AfterDeploy"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to each instance.

    Attributes:
        folder: where the files go.
        scripts: by lifecycle event.
        broken: the message of what goes wrong, by lifecycle event.
    """

    folder: str
    scripts: Mapping[str, tuple[str, ...]]
    broken: Mapping[str, str]


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Deploy the input artifact to the instances."""
    artifact = run.plan.action.input_artifacts[0]
    archive = read(account, run, artifact)
    plan = _plan(run, archive)
    log = ActionLog(account, run)
    log.open()
    instances = _instances(account, run)
    size = _share(run, "MaxBatch", len(instances), len(instances))
    bearable = _share(run, "MaxError", len(instances), 0)
    key = run.execution.artifacts[artifact]
    targets = open_targets(account, run, instances, run.configuration["InstanceType"])
    todo = _without_done(account, targets, key)
    groups = _target_groups(account, run)
    duration, fails = draw(run)
    batches = [todo[start : start + max(size, 1)] for start in range(0, len(todo), max(size, 1))]
    command = ""
    for batch in batches:
        command = _send(account, run, plan, [target.id for target in batch])
        _traffic(account, run, groups, batch, leave=True)
        yield from _batch(account, run, plan, batch, instances, command, min(duration, run.plan.timeout) / len(batches))
        _traffic(account, run, groups, [one for one in batch if one.status == "Succeeded"], leave=False)
        received(account).update((one.id, key) for one in batch if one.status == "Succeeded")
        log.say(*(f"{one.id}: {one.status}" for one in batch))
        if sum(one.status == "Failed" for one in targets) > bearable:
            break
    log.close()
    _judge(account, run, targets, bearable, command, fails)
    return Outcome(summary=f"Deployed to {len(instances)} instances.", external_id=command)


def _plan(run: ActionRun, archive: Archive) -> Plan:
    """What the configuration or the deploy specification wants.

    Raises:
        ActionFailed: the configuration is malformed.
    """
    configuration = run.configuration
    if configuration["InstanceType"] not in KINDS:
        raise _wrong(f"InstanceType '{configuration['InstanceType']}' is neither EC2 nor SSM_MANAGED_NODE.")
    folder, spec = configuration.get("TargetDirectory", ""), configuration.get("DeploySpec")
    scripts: dict[str, tuple[str, ...]] = {}
    if spec:
        document = _parsed(archive, spec)
        hooks = {str(name).lower(): value for name, value in (document.get("hooks") or {}).items()}
        for event in (BEFORE, AFTER):
            places = (str(one.get("location", "")) for one in hooks.get(event.lower()) or ())
            scripts[event] = tuple(place for place in places if place)
    else:
        for event, name in ((BEFORE, "PreScript"), (AFTER, "PostScript")):
            scripts[event] = tuple(filter(None, [configuration.get(name, "")]))
        if not folder:
            raise _wrong("TargetDirectory is missing: it is needed where no DeploySpec says where files go.")
    broken = {}
    for event, paths in scripts.items():
        problems = (problem_of(archive, path) for path in paths)
        if (problem := next((one for one in problems if one is not None), None)) is not None:
            broken[event] = problem[1]
    return Plan(folder or "/", scripts, broken)


def _parsed(archive: Archive, spec: str) -> Mapping[str, Any]:
    body = archive.read(spec)
    if body is None:
        raise _wrong(f"The input artifact has no file '{spec}' (DeploySpec).")
    try:
        document = yaml.safe_load(body)
    except (yaml.YAMLError, ValueError):
        document = None
    if not isinstance(document, Mapping):
        raise _wrong(f"The deploy specification '{spec}' is no YAML document.")
    return document


def _wrong(message: str) -> ActionFailed:
    return ActionFailed(message, FailureType.CONFIGURATION_ERROR)


def _instances(account: Account, run: ActionRun) -> dict[str, bool]:
    """The instances with the tag, and whether each of them runs.

    Raises:
        ActionFailed: there is none, or there are too many.
    """
    tag, value = run.configuration["InstanceTagKey"], run.configuration.get("InstanceTagValue")
    wanted = {"Name": f"tag:{tag}", "Values": [value]} if value else {"Name": "tag-key", "Values": [tag]}
    pages = role_client(account, run, "ec2").get_paginator("describe_instances").paginate(Filters=[wanted])
    found = {
        instance["InstanceId"]: instance["State"]["Name"] == "running"
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] not in ("terminated", "shutting-down")
    }
    require(session_of(account, run), "ssm:DescribeInstanceInformation", "*")
    if not found:
        raise _wrong(f"No instances were found with the tag {tag}{f'={value}' if value else ''}.")
    if len(found) > MOST:
        raise _wrong(f"{len(found)} instances have the tag {tag}; at most {MOST} are supported.")
    return dict(sorted(found.items()))


def _share(run: ActionRun, name: str, whole: int, default: int) -> int:
    """A number of instances, or a percentage of them."""
    text = run.configuration.get(name, "")
    if not text:
        return default
    found = SHARE.match(text)
    if found is None:
        raise _wrong(f"{name} '{text}' is neither a number nor a percentage.")
    return int(found[1]) * whole // 100 if found[2] else int(found[1])


def _without_done(account: Account, targets: list[DeployTarget], key: str) -> list[DeployTarget]:
    """The targets that have not received the artifact in an earlier attempt."""
    for target in targets:
        if (target.id, key) in received(account):
            target.close(account.now, "Skipped")
    return [target for target in targets if target.status != "Skipped"]


def _send(account: Account, run: ActionRun, plan: Plan, ids: list[str]) -> str:
    lines = [*plan.scripts.get(BEFORE, ()), f"cp -r . {plan.folder}", *plan.scripts.get(AFTER, ())]
    sent = role_client(account, run, "ssm").send_command(
        DocumentName="AWS-RunShellScript", InstanceIds=ids, Parameters={"commands": lines}
    )
    require(session_of(account, run), "ssm:ListCommandInvocations", "*")
    return str(sent["Command"]["CommandId"])


def _batch(
    account: Account,
    run: ActionRun,
    plan: Plan,
    batch: list[DeployTarget],
    running: Mapping[str, bool],
    command: str,
    seconds: float,
) -> Generator[simpy.Event, Any, None]:
    """Take some instances through their lifecycle events at once."""
    for event in (BEFORE, DEPLOY, AFTER):
        going = [one for one in batch if one.status in ("Pending", "InProgress")]
        for one in going:
            one.begin(account.now, event, command)
        yield run.sim.env.timeout(seconds / 3)
        for one in going:
            one.end(account.now, plan.broken.get(event, "") if running[one.id] else "The SSM agent does not answer.")
    for one in batch:
        if one.status == "InProgress":
            one.close(account.now, "Succeeded")


def _target_groups(account: Account, run: ActionRun) -> list[str]:
    """The ARNs of the target groups that are named.

    Raises:
        ActionFailed: one does not exist.
    """
    names = [one.strip() for one in run.configuration.get("TargetGroupNameList", "").split(",") if one.strip()]
    if not names:
        return []
    try:
        found = role_client(account, run, "elbv2").describe_target_groups(Names=names)["TargetGroups"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "TargetGroupNotFound":
            raise
        raise _wrong(f"A target group of {', '.join(names)} does not exist.") from None
    return [one["TargetGroupArn"] for one in found]


def _traffic(account: Account, run: ActionRun, groups: list[str], batch: list[DeployTarget], *, leave: bool) -> None:
    """Take instances out of their target groups, or put them back."""
    if not groups or not batch:
        return
    client = role_client(account, run, "elbv2")
    for group in groups:
        call = client.deregister_targets if leave else client.register_targets
        call(TargetGroupArn=group, Targets=[{"Id": one.id} for one in batch])


def _judge(
    account: Account, run: ActionRun, targets: list[DeployTarget], bearable: int, command: str, fails: bool
) -> None:
    """Whether few enough instances failed.

    Raises:
        ActionFailed: they are too many, or the action is assumed to fail.
    """
    failed = [one for one in targets if one.status == "Failed"]
    if len(failed) > bearable:
        for one in targets:
            if one.status == "Pending":
                one.close(account.now, "Skipped")
        why = failed[0].events[-1]
        raise ActionFailed(
            f"{len(failed)} of {len(targets)} instances failed, {bearable} may: {failed[0].id}, {why['name']}:"
            f" {why['context']['message']}",
            external_id=command,
        )
    if fails:
        message = run.plan.assumption.message or f"Action '{run.plan.action.name}' failed, as assumed."
        raise ActionFailed(message, FailureType(run.plan.assumption.code), external_id=command)
