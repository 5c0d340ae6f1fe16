"""Alarms change their state as time passes, and whoever should know is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pipesim.cloud.account import Cloud
from pipesim.cloud.signals.alarms import holds, judge
from tests.cloud.shop import Shop, deploy, source, stage
from tests.cloud.signals.test_bus import queue, received


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=4, actions="assumed") as cloud:
        yield cloud


def alarm(cloud: Cloud, name: str = "errors", **members: Any) -> None:
    given = {
        "AlarmName": name,
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 3.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        **members,
    }
    cloud.client("cloudwatch").put_metric_alarm(**{key: value for key, value in given.items() if value is not None})


def put(cloud: Cloud, value: float, **members: Any) -> None:
    data = [{"MetricName": "Errors", "Value": value, **members}]
    cloud.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=data)


def state(cloud: Cloud, name: str = "errors") -> str:
    answer = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return (answer["MetricAlarms"] + answer.get("CompositeAlarms", []))[0]["StateValue"]


def test_an_alarm_goes_off_a_minute_after_its_data_and_back_when_they_are_gone(cloud: Cloud) -> None:
    alarm(cloud, TreatMissingData="notBreaching")
    assert state(cloud) == "INSUFFICIENT_DATA"
    cloud.advance(minutes=1)
    assert state(cloud) == "OK"

    cloud.advance(seconds=10)
    put(cloud, 2)
    put(cloud, 2)
    assert state(cloud) == "OK"
    cloud.advance(minutes=1)
    assert state(cloud) == "ALARM"
    cloud.advance(minutes=5)
    assert state(cloud) == "OK"


def test_other_dimensions_and_smaller_sums_do_not_set_it_off(cloud: Cloud) -> None:
    alarm(cloud, Dimensions=[{"Name": "Service", "Value": "cart"}])
    put(cloud, 9)
    put(cloud, 9, Dimensions=[{"Name": "Service", "Value": "pay"}])
    cloud.advance(minutes=2)
    assert state(cloud) == "INSUFFICIENT_DATA"
    put(cloud, 2, Dimensions=[{"Name": "Service", "Value": "cart"}])
    cloud.advance(minutes=1)
    assert state(cloud) == "OK"


def test_an_alarm_without_data_does_not_keep_the_clock_busy(cloud: Cloud) -> None:
    alarm(cloud)
    put(cloud, 9)
    cloud.advance(minutes=30)
    steps = 0

    def counted() -> bool:
        nonlocal steps
        steps += 1
        return steps < 5 and cloud.account.env.peek() < cloud.time + 3600

    cloud.account.env.run_while(counted)
    assert steps < 5


def record(**members: Any) -> Any:
    return SimpleNamespace(
        **{
            "evaluation_periods": 3,
            "datapoints_to_alarm": None,
            "comparison_operator": "GreaterThanThreshold",
            "threshold": 0,
            "state_value": "KEPT",
            "statistic": "Sum",
            "extended_statistic": None,
            "period": 60,
            "metric_data_queries": [],
            **members,
        }
    )


@pytest.mark.parametrize(
    ("points", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0-X-X", "OK", "OK", "OK", "OK"),
        ("0----", "OK", "OK", "OK", "OK"),
        ("-----", "INSUFFICIENT_DATA", "KEPT", "ALARM", "OK"),
        ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("--X--", "ALARM", "KEPT", "ALARM", "OK"),
    ],
)
def test_missing_data_are_treated_as_the_guides_table_says(
    points: str, missing: str, ignore: str, breaching: str, not_breaching: str
) -> None:
    window = [None if point == "-" else float(point == "X") for point in reversed(points)]
    found = [
        judge(record(treat_missing_data=treatment), window)[0]
        for treatment in ("missing", "ignore", "breaching", "notBreaching")
    ]
    assert found == [missing, ignore, breaching, not_breaching]


def test_m_of_n_needs_m() -> None:
    two = record(datapoints_to_alarm=2, treat_missing_data="missing")
    assert judge(two, [1.0, 0.0, 1.0, 0.0])[0] == "ALARM"
    assert judge(two, [0.0, 0.0, 1.0, 1.0])[0] == "OK"


def test_a_change_of_state_is_an_event_and_a_message(cloud: Cloud) -> None:
    topic = cloud.client("sns").create_topic(Name="alarms")["TopicArn"]
    url, arn = queue(cloud)
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    alarm(cloud, AlarmActions=[topic], AlarmDescription="too many")
    put(cloud, 5)
    cloud.advance(minutes=1)

    (event,) = cloud.events({"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}}})
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"] == ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"]
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert "[5.0]" in event["detail"]["state"]["reason"]
    (message,) = received(cloud, url)
    told = json.loads(message["Message"])
    assert message["Subject"].startswith('ALARM: "errors"')
    assert (told["NewStateValue"], told["OldStateValue"]) == ("ALARM", "INSUFFICIENT_DATA")
    assert told["Trigger"]["Threshold"] == 3.0


def test_actions_that_are_off_tell_nobody_and_a_missing_topic_is_noted(cloud: Cloud) -> None:
    missing = "arn:aws:sns:us-east-1:123456789012:nowhere"
    alarm(cloud, AlarmActions=[missing], ActionsEnabled=False)
    cloud.client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="by hand")
    cloud.run_until_idle()
    assert not cloud.account.bus.failures
    cloud.client("cloudwatch").enable_alarm_actions(AlarmNames=["errors"])
    for value in ("OK", "ALARM"):
        cloud.client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue=value, StateReason="by hand")
    cloud.run_until_idle()
    assert [failure.target for failure in cloud.account.bus.failures] == [missing]


def test_a_composite_alarm_follows_its_alarms(cloud: Cloud) -> None:
    alarm(cloud)
    alarm(cloud, name="busy", MetricName="Load")
    rule = 'ALARM("errors") AND NOT ALARM("busy")'
    cloud.client("cloudwatch").put_composite_alarm(AlarmName="both", AlarmRule=rule)
    put(cloud, 7)
    cloud.advance(minutes=1)
    assert state(cloud, "both") == "ALARM"
    cloud.client("cloudwatch").set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="deploying")
    assert state(cloud, "both") == "OK"


def test_rules_of_composite_alarms_are_read() -> None:
    states = {"a": "OK", "b": "ALARM"}
    assert holds("OK(a) AND (ALARM(b) OR FALSE)", states)
    assert not holds('NOT (OK("a") OR ALARM("b"))', states)


def test_failed_executions_set_an_alarm_off(cloud: Cloud) -> None:
    shop = Shop(cloud)
    own = [{"Name": "PipelineName", "Value": "shop"}]
    alarm(cloud, Namespace="AWS/CodePipeline", MetricName="FailedPipelineExecutions", Dimensions=own, Threshold=1.0)
    shop.create()
    shop.idle()
    shop.answer("Rejected")
    shop.idle()
    cloud.advance(minutes=1)
    assert state(cloud) == "ALARM"


def test_an_alarm_decides_about_a_stage_and_rolls_it_back() -> None:
    with Cloud(seed=4) as cloud:
        from pipesim.formats.load import load

        shop = Shop(cloud)
        rules = [
            {
                "name": "Watch",
                "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "CloudWatchAlarm", "version": "1"},
                "configuration": {"AlarmName": "errors", "WaitTime": "5"},
            }
        ]
        conditions = {"onSuccess": {"conditions": [{"result": "ROLLBACK", "rules": rules}]}}
        document = shop.document(
            stage("Source", source()), stage("Out", deploy(), **conditions), pipelineType="V2", name="watched"
        )
        cloud.provision(load(document))
        alarm(cloud, TreatMissingData="notBreaching")
        cloud.run_until_idle()
        good = shop.newest("watched")
        assert shop.execution(good, "watched")["status"] == "Succeeded"

        bad = shop.start("watched")
        cloud.advance(minutes=1)
        put(cloud, 9)
        cloud.run_until_idle()

        assert shop.execution(bad, "watched")["status"] == "Failed"
        rollback = shop.executions("watched")[0]
        assert rollback["executionType"] == "ROLLBACK"
        assert rollback["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good


def test_percentiles_count_zeros_and_what_is_not_modelled_stays_without_data(cloud: Cloud) -> None:
    alarm(cloud, Statistic=None, ExtendedStatistic="p50", Threshold=1.0)
    metric = {"Namespace": "Shop", "MetricName": "Errors"}
    trimmed = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "tm90"}}
    unused = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    alarm(cloud, "trimmed", **unused, Metrics=[trimmed])
    alarm(cloud, "band", ComparisonOperator="LessThanLowerThreshold")
    for value in (0, 0, 9):
        put(cloud, value)
    cloud.advance(minutes=1)

    assert [state(cloud, name) for name in ("errors", "trimmed", "band")] == ["OK", *["INSUFFICIENT_DATA"] * 2]
