"""Deployment configurations: how many targets at once, and how traffic shifts.

Source: AWS CodeDeploy User Guide, "Working with deployment configurations in CodeDeploy".
"""

from __future__ import annotations

import re
from typing import Any

from moto.core.exceptions import JsonRESTError

PREFIX = "CodeDeployDefault."
SHIFT = re.compile(r"(Canary|Linear)(\d+)Percent(?:Every)?(\d+)Minutes?$")
HEALTHY = {
    "AllAtOnce": {"type": "HOST_COUNT", "value": 0},
    "HalfAtATime": {"type": "FLEET_PERCENT", "value": 50},
    "OneAtATime": {"type": "HOST_COUNT", "value": 99999},
}


def healthy_at_least(name: str, targets: int) -> int:
    """Return how many of these targets a configuration keeps healthy: at any time, and at the end.

    >>> [healthy_at_least(f"CodeDeployDefault.{name}", 5) for name in ("AllAtOnce", "HalfAtATime", "OneAtATime")]
    [0, 3, 4]
    """
    kept = {"AllAtOnce": 0, "HalfAtATime": -(-targets // 2)}
    return kept.get(name.removeprefix(PREFIX), targets - 1)


def batch_size(name: str, targets: int, failed: int = 0) -> int:
    """Return how many of these targets a configuration takes at once; 0: it goes no further.

    Args:
        name: the configuration's.
        targets: how many there are.
        failed: how many of them are not healthy any more.

    >>> batch_size("CodeDeployDefault.HalfAtATime", 5), batch_size("CodeDeployDefault.HalfAtATime", 5, failed=2)
    (2, 0)
    """
    left = targets - failed - healthy_at_least(name, targets)
    return max(left, 0 if failed else 1)


def shift_steps(name: str) -> tuple[tuple[float, float], ...]:
    """Return how traffic shifts: pairs of seconds to wait and the percentage that the new version has then.

    >>> shift_steps("CodeDeployDefault.ECSCanary10Percent5Minutes")
    ((0.0, 10.0), (300.0, 100.0))
    """
    found = SHIFT.search(name)
    if found is None:
        return ((0.0, 100.0),)
    percent, wait = float(found[2]), 60.0 * int(found[3])
    if found[1] == "Canary":
        return ((0.0, percent), (wait, 100.0))
    steps = int(-(-100 // percent))
    return tuple((wait if step else 0.0, min(percent * (step + 1), 100.0)) for step in range(steps))


def config_of(name: str) -> dict[str, Any]:
    """Return one of the service's own configurations as the API tells it.

    Raises:
        JsonRESTError: DeploymentConfigDoesNotExistException.
    """
    short = name.removeprefix(PREFIX)
    if short in HEALTHY:
        return {"deploymentConfigName": name, "minimumHealthyHosts": HEALTHY[short], "computePlatform": "Server"}
    found = SHIFT.search(name)
    if found is None and not short.endswith("AllAtOnce"):
        raise JsonRESTError("DeploymentConfigDoesNotExistException", f"No deployment configuration is named {name}.")
    platform = "ECS" if short.startswith("ECS") else "Lambda"
    routing: dict[str, Any] = {"type": "AllAtOnce"}
    if found is not None:
        kind = found[1]
        values = {f"{kind.lower()}Percentage": int(found[2]), f"{kind.lower()}Interval": int(found[3])}
        routing = {"type": f"TimeBased{kind}", f"timeBased{kind}": values}
    return {"deploymentConfigName": name, "computePlatform": platform, "trafficRoutingConfig": routing}


def alarms_of(group: Any) -> dict[str, Any]:
    """Return a group's alarm configuration as the API tells it."""
    given = group.alarm_configuration
    if not given:
        return {}
    if isinstance(given, dict):
        return given
    return {"enabled": bool(given.enabled), "alarms": given.alarms}
