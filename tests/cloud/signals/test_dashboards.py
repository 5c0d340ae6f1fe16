"""Dashboards are drawn with what was measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.cloud.account import Cloud
from pipesim.errors import PipesimError
from tests.cloud.shop import Shop, deploy, source, stage


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=4, actions="assumed") as cloud:
        yield cloud


def widget(kind: str, x: int, y: int, wide: int, tall: int, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "x": x, "y": y, "width": wide, "height": tall, "properties": properties}


def test_a_dashboard_shows_metrics_alarms_numbers_and_text(cloud: Cloud) -> None:
    shop = Shop(cloud)
    shop.create(stage("Source", source()), stage("Out", deploy()))
    cloudwatch = cloud.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    alarm = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"
    metrics = [
        ["Shop", "Errors", {"stat": "Sum", "label": "errors"}],
        [".", "Orders", "Till", "1"],
        ["...", "2"],
    ]
    body = {
        "widgets": [
            widget("text", 0, 0, 24, 2, markdown="# The shop\nwhat it sells and what breaks"),
            widget("metric", 0, 2, 12, 9, title="Errors", metrics=metrics, period=600, annotations={"alarms": [alarm]}),
            widget("alarm", 12, 2, 12, 4, title="Alarms", alarms=[alarm]),
            widget(
                "metric", 12, 6, 12, 5, title="Executions", view="singleValue", stat="Maximum",
                metrics=[["AWS/CodePipeline", "PipelineDuration", "PipelineName", "shop"]],
            ),
        ]
    }  # fmt: skip
    cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=json.dumps(body))
    for hour in range(6):
        shop.start()
        data = [{"MetricName": "Errors", "Value": hour * 2.0, "Unit": "Count"}]
        for till in "12":
            dimension = [{"Name": "Till", "Value": till}]
            data.append({"MetricName": "Orders", "Value": 3.0 + hour * int(till), "Dimensions": dimension})
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
        cloud.advance(minutes=59)
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Errors", "Value": 9}])
    cloud.advance(minutes=1)

    picture = cloud.draw_dashboard("shop")

    rows = {row[1]: row[2] for row in picture.rows[1:]}
    assert rows["errors (Sum, Count)"] == "9"
    assert rows["Orders 1 (Average)"] == "8"
    assert rows["Orders 2 (Average)"] == "13"
    assert rows["errors"] == "In alarm"
    seconds = [
        (each["lastUpdateTime"] - each["startTime"]).total_seconds()
        for each in shop.executions()
        if each["status"] == "Succeeded"
    ]
    assert float(rows["PipelineDuration shop (Maximum, Seconds)"]) in [
        pytest.approx(each, rel=1e-4) for each in seconds
    ]
    drawn = {text.get_text() for axes in picture.figure.axes for text in axes.texts}
    assert {"The shop", "Errors", "✗ errors: In alarm"} <= drawn
    assert picture.to_bytes("png").startswith(b"\x89PNG")
    assert "1 alarm in state ALARM" in picture.alt


def test_a_dashboard_that_is_not_there_or_not_readable(cloud: Cloud) -> None:
    with pytest.raises(PipesimError, match="no dashboard 'x'"):
        cloud.draw_dashboard("x")
    cloud.client("cloudwatch").put_dashboard(DashboardName="odd", DashboardBody="[]")
    with pytest.raises(PipesimError, match="not the JSON"):
        cloud.draw_dashboard("odd")
