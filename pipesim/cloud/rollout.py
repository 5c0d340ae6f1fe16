"""A CodeDeploy deployment as it goes: targets batch by batch, lifecycle events, alarms, and the way back.

A learner makes a deployment fail by what lies in the revision, as on a real instance:

- a hook of the AppSpec file names a script that the revision does not have;
- a hook's script says ``exit 1`` (or another number) on a line of its own, not indented: the first such line is
  how the script ends; scripts are read, not executed (a health check is a script of ``ValidateService``);
- an instance is stopped: nobody answers there;
- an alarm of the group's alarm configuration is in state ALARM while the deployment goes.

Source: AWS CodeDeploy User Guide, "AppSpec 'hooks' section", "Redeploy and roll back a deployment",
"Monitoring deployments with CloudWatch alarms".
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import simpy
import yaml
from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends

from pipesim.cloud.artifacts import Archive
from pipesim.cloud.gaps.codedeploy.configs import alarms_of, batch_size, healthy_at_least, shift_steps
from pipesim.cloud.gaps.codedeploy.progress import Target, count, progress_of, rename

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

EXIT = re.compile(r"^exit +(\d+)\s*$", re.MULTILINE)
INSTALLING = ("ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart")
ALLOWING = ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")
BLOCKING = ("BeforeBlockTraffic", "BlockTraffic", "AfterBlockTraffic")
ON_ECS = ("BeforeInstall", "Install", "AfterInstall", "AllowTestTraffic", "AfterAllowTestTraffic", *ALLOWING)
PATIENCE = 60.0
"""Seconds after which alarms are looked at again."""

TOO_MANY = (
    "The overall deployment failed because too many individual instances failed deployment, too few healthy instances"
    " are available for deployment, or some instances in your deployment group are experiencing problems."
)
NO_INSTANCES = (
    "The deployment failed because no instances were found for your deployment group. Check your deployment group"
    " settings to make sure the tags for your Amazon EC2 instances or Auto Scaling groups correctly identify the"
    " instances you want to deploy to, and then try again."
)


class RolloutFailed(Exception):
    """A deployment cannot go on.

    Args:
        code: the API's error code.
        message: what the API says.
        status: how the deployment ends.
    """

    def __init__(self, code: str, message: str, status: str = "Failed") -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True, slots=True)
class Hooks:
    """What goes wrong at which lifecycle event.

    Attributes:
        broken: the API's code and message, by the event.
    """

    broken: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def read_hooks(archive: Archive, appspec: str) -> Hooks:
    """Read the scripts of an AppSpec file.

    Args:
        archive: the revision.
        appspec: the file's name in it.

    Raises:
        RolloutFailed: it is no AppSpec file.
    """
    try:
        document = yaml.safe_load(archive.read(appspec) or b"")
    except (yaml.YAMLError, ValueError):
        document = None
    if not isinstance(document, Mapping):
        raise RolloutFailed("INVALID_REVISION", f"The AppSpec file {appspec} is no YAML document.")
    broken: dict[str, tuple[str, str]] = {}
    for event, scripts in (document.get("hooks") or {}).items():
        for script in scripts or ():
            path = str(script.get("location", ""))
            if (problem := problem_of(archive, path)) is not None:
                broken.setdefault(str(event), problem)
    return Hooks(broken)


def problem_of(archive: Archive, path: str) -> tuple[str, str] | None:
    """Return the code and message with which a script fails that lies in a revision; None: it ends well.

    Args:
        archive: the revision.
        path: the script's place in it.
    """
    body = archive.read(path.lstrip("/"))
    if body is None:
        return "ScriptMissing", f"Script does not exist at specified location: {path}"
    found = EXIT.search(body.decode(errors="replace"))
    if found is None or int(found[1]) == 0:
        return None
    return "ScriptFailed", f"Script at specified location: {path} failed with exit code {found[1]}"


class Rollout:
    """One deployment on its way.

    Args:
        account: the mocked account.
        backend: moto's CodeDeploy.
        record: moto's record of the deployment.
    """

    def __init__(self, account: Account, backend: Any, record: Any) -> None:
        self.account, self.backend, self.record = account, backend, record
        self.group, self.progress = record.deployment_group, progress_of(record)
        self.config = str(record.deployment_config_name)
        record.status, record.start_time, record.creator = "InProgress", account.now, record.creator or "user"

    @property
    def is_blue_green(self) -> bool:
        """Whether the group replaces its instances."""
        return bool(self.group.deployment_style.get("deploymentType") == "BLUE_GREEN")

    def on_instances(self, hooks: Hooks, seconds: float) -> Generator[simpy.Event, Any, None]:
        """Deploy to the group's instances.

        Args:
            hooks: the scripts of the revision.
            seconds: how long it takes in all, without the waits that the group asks for.

        Raises:
            RolloutFailed: too many instances failed, or an alarm stopped it.
        """
        found = self._instances()
        if self.is_blue_green:
            yield from self._replacing(found, hooks, seconds)
            return
        targets = [Target(id, self._arn(id)) for id, _ in found]
        self._take(targets)
        down = {id for id, running in found if not running}
        traffic = self.group.deployment_style.get("deploymentOption") == "WITH_TRAFFIC_CONTROL"
        events = (*(BLOCKING if traffic else ()), *INSTALLING, "ValidateService", *(ALLOWING if traffic else ()))
        yield from self._in_batches(targets, events, hooks, seconds, down)

    def on_ecs(self, seconds: float, broken: Mapping[str, tuple[str, str]]) -> Generator[simpy.Event, Any, None]:
        """Deploy to the group's ECS service: new tasks, traffic step by step, old tasks kept a while.

        Args:
            seconds: until the new tasks run.
            broken: what goes wrong, by lifecycle event.

        Raises:
            RolloutFailed: a hook failed, or an alarm stopped it.
        """
        [service] = self.group.ecs_services[:1] or [{"clusterName": "default", "serviceName": "service"}]
        id = f"{service['clusterName']}:{service['serviceName']}"
        target = Target(id, self._place("ecs", f"service/{id.replace(':', '/')}"))
        self._take([target])
        before = ON_ECS[: ON_ECS.index("AllowTraffic")]
        yield from self._events([target], before, Hooks(broken), seconds)
        self._raise_failed([target])
        for wait, weight in shift_steps(self.config):
            yield from self._wait(wait)
            target.weight = weight
        yield from self._events([target], ("AllowTraffic", "AfterAllowTraffic"), Hooks(broken), 0.0)
        self._raise_failed([target])
        yield from self._wait(self._termination_wait())
        target.status = "Succeeded"

    def end(self, failure: RolloutFailed | None = None) -> None:
        """Close moto's record; the way back begins when the group asks for it."""
        if failure is None:
            self.record.status = "Succeeded"
        else:
            self.record.status = failure.status
            self.progress.error = {"code": failure.code, "message": failure.message}
            self.record.additional_deployment_status_info = failure.message
            for target in self.progress.targets:
                target.weight = 0.0
                target.status = {"Pending": "Skipped", "InProgress": "Failed"}.get(target.status, target.status)
        self.record.complete_time = self.account.now
        count(self.record)
        if failure is not None:
            self._roll_back(failure)

    def _replacing(
        self, found: Sequence[tuple[str, bool]], hooks: Hooks, seconds: float
    ) -> Generator[simpy.Event, Any, None]:
        """New instances get the revision, then the traffic; the old ones go after a while."""
        blue = [Target(id, self._arn(id), "Blue") for id, _ in found]
        green = [Target(id, self._arn(id), "Green") for id in self._green(len(found))]
        self._take([*green, *blue])
        yield from self._events(green, (*INSTALLING, "ValidateService"), hooks, 0.5 * seconds)
        self._raise_failed(green)
        ready = self.group.blue_green_deployment_configuration.get("deploymentReadyOption", {})
        if ready.get("actionOnTimeout") == "STOP_DEPLOYMENT":
            self.record.status = "Ready"
            yield from self._wait(60.0 * ready.get("waitTimeInMinutes", 0))
            raise RolloutFailed("TIMEOUT", "Nobody continued the deployment in time.", "Stopped")
        yield from self._in_batches(green, ALLOWING, hooks, 0.3 * seconds, frozenset())
        yield from self._in_batches(blue, BLOCKING, hooks, 0.2 * seconds, frozenset())
        yield from self._wait(self._termination_wait())

    def _in_batches(
        self,
        targets: Sequence[Target],
        events: Sequence[str],
        hooks: Hooks,
        seconds: float,
        down: Iterable[str],
    ) -> Generator[simpy.Event, Any, None]:
        down, waiting = set(down), list(targets)
        each = seconds / -(-len(targets) // batch_size(self.config, len(targets)))
        while waiting:
            size = batch_size(self.config, len(targets), _failed(targets))
            if not size:
                self._raise_failed(targets)
            batch, waiting = waiting[:size], waiting[size:]
            for target in batch:
                if target.id in down:
                    target.status = "Failed"
                    target.events.append(self._event(events[0], "Failed", "UnknownError", "The agent does not answer."))
            yield from self._events(batch, events, hooks, each)
            for target in batch:
                target.status = "Succeeded" if target.status == "InProgress" else target.status
            count(self.record)
        if len(targets) - _failed(targets) < max(1, healthy_at_least(self.config, len(targets))):
            self._raise_failed(targets)

    def _raise_failed(self, targets: Sequence[Target]) -> None:
        broken = next((one for one in targets if one.status == "Failed"), None)
        if broken is None:
            return
        why = broken.events[-1]["diagnostics"]
        raise RolloutFailed(
            "HEALTH_CONSTRAINTS",
            f"{TOO_MANY} ({broken.id}, {broken.events[-1]['lifecycleEventName']}: {why['message']})",
        )

    def _events(
        self, targets: Sequence[Target], events: Sequence[str], hooks: Hooks, seconds: float
    ) -> Generator[simpy.Event, Any, None]:
        """Go through lifecycle events on some targets at once."""
        for target in targets:
            target.status = "InProgress" if target.status in ("Pending", "Succeeded") else target.status
        count(self.record)
        for name in events:
            going = [target for target in targets if target.status == "InProgress"]
            for target in going:
                target.events.append(self._event(name, "InProgress"))
            yield from self._wait(seconds / len(events) if going else 0.0)
            for target in going:
                if name in hooks.broken:
                    target.status = "Failed"
                    target.events[-1] = self._event(name, "Failed", *hooks.broken[name], start=target.events[-1])
                else:
                    target.events[-1] = self._event(name, "Succeeded", start=target.events[-1])
        count(self.record)

    def _event(
        self, name: str, status: str, code: str = "Success", message: str = "", start: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        now = self.account.now
        told: dict[str, Any] = {"lifecycleEventName": name, "status": status}
        told["startTime"] = start["startTime"] if start is not None else now
        if status != "InProgress":
            told |= {"endTime": now, "diagnostics": {"errorCode": code, "message": message}}
        return told

    def _wait(self, seconds: float) -> Generator[simpy.Event, Any, None]:
        """Let time pass, with an eye on the group's alarms."""
        self._watch_alarms()
        while seconds > 0:
            span = min(seconds, PATIENCE) if self._alarms() else seconds
            yield self.account.env.timeout(span)
            seconds -= span
            self._watch_alarms()

    def _alarms(self) -> list[str]:
        configuration = alarms_of(self.group)
        return [one["name"] for one in configuration.get("alarms") or ()] if configuration.get("enabled") else []

    def _watch_alarms(self) -> None:
        names = self._alarms()
        if not names:
            return
        told = self.account.client("cloudwatch", self.backend.region_name).describe_alarms(AlarmNames=names)
        ringing = [one["AlarmName"] for one in told["MetricAlarms"] if one["StateValue"] == "ALARM"]
        if ringing:
            raise RolloutFailed(
                "ALARM_ACTIVE",
                "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and"
                f" the affected deployments have been stopped. Activated alarms: <{', '.join(ringing)}>",
                "Stopped",
            )

    def _take(self, targets: list[Target]) -> None:
        self.progress.targets = targets
        count(self.record)
        if not targets:
            raise RolloutFailed("NO_INSTANCES", NO_INSTANCES)

    def _instances(self) -> list[tuple[str, bool]]:
        """The group's instances, and whether each of them runs; one is assumed of a group that names none."""
        group = self.group
        sets = [list(one) for one in group.ec2_tag_set.get("ec2TagSetList", ())]
        if group.ec2_tag_filters:
            sets.append(list(group.ec2_tag_filters))
        found: dict[str, bool] = {}
        if sets:
            for instance in self._ec2().all_instances():
                tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
                if instance.state != "terminated" and all(_matches(one, tags) for one in sets):
                    found[instance.id] = instance.state == "running"
        scaling = autoscaling_backends[self.backend.account_id][self.backend.region_name]
        for name in group.auto_scaling_groups:
            known = scaling.autoscaling_groups.get(name)
            found.update({one.instance.id: True for one in (known.instance_states if known is not None else ())})
        if not sets and not group.auto_scaling_groups:
            return [("i-0" + "0" * 15 + "1", True)]
        return list(found.items())

    def _green(self, size: int) -> list[str]:
        """The ids of the new instances."""
        letters = self.record.deployment_id.encode().hex()[-12:]
        return [f"i-0{letters}{number:04x}" for number in range(1, size + 1)]

    def _ec2(self) -> Any:
        return ec2_backends[self.backend.account_id][self.backend.region_name]

    def _termination_wait(self) -> float:
        option = self.group.blue_green_deployment_configuration.get("terminateBlueInstancesOnDeploymentSuccess", {})
        if option.get("action", "TERMINATE") != "TERMINATE":
            return 0.0
        return 60.0 * float(option.get("terminationWaitTimeInMinutes", 0))

    def _arn(self, id: str) -> str:
        return self._place("ec2", f"instance/{id}")

    def _place(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.backend.region_name}:{self.backend.account_id}:{rest}"

    def _roll_back(self, failure: RolloutFailed) -> None:
        """Deploy the last revision that went well, when the group asks for it."""
        asked = self.record.auto_rollback_configuration or self.group.auto_rollback_configuration or {}
        event = "DEPLOYMENT_STOP_ON_ALARM" if failure.code == "ALARM_ACTIVE" else "DEPLOYMENT_FAILURE"
        if not asked.get("enabled") or event not in asked.get("events", ("DEPLOYMENT_FAILURE",)):
            return
        good = [one for one in self.backend.deployments.values() if self._is_good(one)]
        if not good:
            self.progress.rollback = {"rollbackMessage": "There is no earlier revision to roll back to."}
            return
        id = self.backend.create_deployment(
            self.record.application_name, self.record.deployment_group_name, good[-1].revision, self.config
        )
        back = self.backend.deployments[rename(self.backend, id)]
        back.creator = "codeDeployRollback"
        told = {"rollbackDeploymentId": back.deployment_id, "rollbackTriggeringDeploymentId": self.record.deployment_id}
        self.progress.rollback = {**told, "rollbackMessage": f"Deployment {self.record.deployment_id} {event}"}
        progress_of(back).rollback = dict(self.progress.rollback)
        took = (self.record.complete_time - self.record.start_time).total_seconds()
        self.account.env.process(self._going_back(back, took))

    def _is_good(self, one: Any) -> bool:
        same = one.application is self.record.application and one.deployment_group is self.group
        return same and one.status == "Succeeded" and one is not self.record

    def _going_back(self, back: Any, seconds: float) -> Generator[simpy.Event, Any, None]:
        known = progress_of(back)
        back.status, back.start_time = "InProgress", self.account.now
        known.targets = [Target(one.id, one.arn, one.label, "InProgress") for one in self.progress.targets]
        count(back)
        yield self.account.env.timeout(seconds)
        for target in known.targets:
            target.status = "Succeeded"
        back.status, back.complete_time = "Succeeded", self.account.now
        count(back)


def _failed(targets: Iterable[Target]) -> int:
    return sum(target.status == "Failed" for target in targets)


def _matches(filters: Iterable[Mapping[str, str]], tags: Mapping[str, str]) -> bool:
    """Whether tags meet one of the filters."""
    for one in filters:
        key, value, kind = one.get("Key"), one.get("Value"), one.get("Type", "KEY_AND_VALUE")
        if kind == "KEY_ONLY" and key in tags:
            return True
        if kind == "VALUE_ONLY" and value in tags.values():
            return True
        if kind == "KEY_AND_VALUE" and key in tags and tags[str(key)] == value:
            return True
    return False
