"""CodePipeline's two metrics, put into moto's CloudWatch in virtual time.

Source: AWS CodePipeline User Guide, "Monitoring CodePipeline metrics": namespace, names and units. That the dimension
is called ``PipelineName``, and that failures are also counted for the whole account, without a dimension, is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import cloudwatch_backends

from pipesim.trace.events import EventKind

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

NAMESPACE = "AWS/CodePipeline"
DURATION, FAILED = "PipelineDuration", "FailedPipelineExecutions"
DIMENSION = "PipelineName"
ENDED = (EventKind.EXECUTION_SUCCEEDED, EventKind.EXECUTION_FAILED)


def measure(account: Account, pipeline: str, kind: EventKind, seconds: float) -> None:
    """Put the data of an execution that has ended; without effect for any other event.

    Args:
        account: where the pipeline is.
        pipeline: its name.
        kind: what happened to the execution.
        seconds: since it started.
    """
    if kind not in ENDED:
        return
    own = [{"Name": DIMENSION, "Value": pipeline}]
    data = [datum(DURATION, seconds, "Seconds", own)]
    if kind is EventKind.EXECUTION_FAILED:
        data += [datum(FAILED, 1.0, "Count", own), datum(FAILED, 1.0, "Count", [])]
    put(account, NAMESPACE, data)


def datum(name: str, value: float, unit: str, dimensions: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Return one value of a metric, as ``PutMetricData`` takes it.

    Args:
        name: the metric's name.
        value, unit: what was measured.
        dimensions: ``{"Name": …, "Value": …}`` each.
    """
    return {"MetricName": name, "Value": value, "Unit": unit, "Dimensions": list(dimensions)}


def put(account: Account, namespace: str, data: Iterable[dict[str, Any]]) -> None:
    """Put data into CloudWatch as a service of AWS does, at this moment; alarms look at it with their next tick.

    Args:
        account: whose.
        namespace: such as ``AWS/CodePipeline``.
        data: made by `datum`.
    """
    stamped = [{**each, "Timestamp": account.now.replace(tzinfo=None)} for each in data]
    cloudwatch_backends[account.id][account.region].put_metric_data(namespace, stamped)
