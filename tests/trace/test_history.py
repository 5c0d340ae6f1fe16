import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipesim
from pipesim import ActionAssumption, Approver, Assumptions, At, Constant, Every, LogNormal, Once
from pipesim.definition.checking import check
from pipesim.engine import simulate
from pipesim.engine.simulation import Simulation
from pipesim.errors import Refused, SourceError, TraceError
from pipesim.formats.load import load
from pipesim.formats.samples import profile_names, sample, sample_names, sample_profile
from pipesim.trace.critical_path import critical_path
from pipesim.trace.history import history
from pipesim.trace.history_export import to_events, to_history
from pipesim.trace.history_records import moment
from pipesim.trace.log import Trace
from pipesim.trace.measures import measure
from pipesim.trace.spans import spans
from pipesim.trace.state import states_at
from tests import strategies

HIDDEN = ("pool", "delay", "approval", "condition")
"""Waits that the service's history does not tell, or tells with the action that they lie in."""
SHOP = pipesim.load("GitHub -> CodeBuild -> Manual Approval -> S3")


def read_profile(name: str) -> Assumptions:
    return pipesim.load_profile(sample_profile(name)) if name in profile_names() else Assumptions()


def lines(trace: Trace) -> Counter[tuple[object, ...]]:
    """The spans that both sides must share, without their times; executions by number."""
    numbers = {execution: number for number, execution in enumerate(trace.executions)}
    return Counter(
        (
            span.level,
            span.reason,
            numbers[span.execution],
            span.stage,
            span.action,
            span.attempt,
            span.status,
            span.open,
        )
        for span in spans(trace)
        if span.reason not in HIDDEN
    )


def timed(trace: Trace) -> list[tuple[tuple[object, ...], float, float]]:
    numbers = {execution: number for number, execution in enumerate(trace.executions)}
    first = trace.of(trace.executions[0])[0].time
    return sorted(
        (
            (
                (span.level, span.reason or "", numbers[span.execution], span.stage or "", span.action or ""),
                span.start - first,
                span.end - first,
            )
            for span in spans(trace)
            if span.reason not in HIDDEN
        ),
    )


def assert_same(real: Trace, told: Trace, within: float) -> None:
    assert lines(real) == lines(told)
    for (thing, start, end), (same, told_start, told_end) in zip(timed(real), timed(told), strict=True):
        assert thing == same
        assert start == pytest.approx(told_start, abs=within)
        assert end == pytest.approx(told_end, abs=within)


def eventful(seed: int, mode: str = "SUPERSEDED") -> Trace:
    """A life with failures, retries, both kinds of stops, a freeze, rejections and executions that go on."""
    pipeline = replace(SHOP, execution_mode=mode, pipeline_type="V2")
    build, approval, deploy = (stage.name for stage in pipeline.stages[1:])
    assumptions = Assumptions(
        arrivals=Every(900),
        actions={"CodeBuild": ActionAssumption(duration=LogNormal(400, 900), fails=0.3)},
        approvals={"*": Approver(LogNormal(500, 2000), rejects=0.1)},
    )
    sim = Simulation(pipeline, assumptions, seed=seed, executions=20)
    sim.schedule(2000, pipesim.DisableTransition(deploy, "freeze"))
    sim.schedule(9000, pipesim.EnableTransition(deploy))
    stops = {15: ("E2", True), 120: ("E14", False), 130: ("E16", True)}
    for step in range(1, 220):
        sim.advance(to=step * 100)
        commands = [pipesim.Stop(*stops[step])] if step in stops else []
        if step % 3 == 0:
            commands += [
                pipesim.Retry(stage, one.id)
                for one in list(sim.executions.values())
                if one.status == "Failed"
                for stage in (build, approval)
            ]
        for command in commands:
            try:
                sim.send(command)
            except Refused:
                continue
    return sim.trace


@pytest.mark.parametrize("name", [name for name in sample_names() if name != "conditions"])
def test_a_simulated_life_told_by_the_service_comes_back(name):
    trace = simulate(load(sample(name)), read_profile(name), seed=3, executions=25)

    told = history(to_history(trace), pipeline=sample(name))

    assert_same(trace, told, within=0.002)
    assert [len(trace.executions)] == [len(state.executions) for state in states_at(told.pipeline, told, [told.end])]


@pytest.mark.parametrize("name", [name for name in sample_names() if name not in ("conditions", "microservices")])
def test_events_of_whole_seconds_tell_the_same(name):
    trace = simulate(load(sample(name)), read_profile(name), seed=3, executions=25)
    events = to_events(trace)
    random.Random(1).shuffle(events)

    told = history("\n".join(json.dumps(event) for event in [*events, *events[:40]]), pipeline=sample(name))

    assert_same(trace, told, within=3.0)


@pytest.mark.parametrize("mode", ["SUPERSEDED", "QUEUED", "PARALLEL"])
@pytest.mark.parametrize("seed", range(4))
def test_an_eventful_life_comes_back(seed, mode):
    trace = eventful(seed, mode)
    ends = trace.start + timedelta(seconds=trace.end)

    told = history(to_history(trace), pipeline=trace.pipeline, taken=ends)
    both = history(to_events(trace), to_history(trace, times="epoch"), taken=ends.isoformat())

    assert_same(trace, told, within=0.002)
    assert lines(trace) == lines(both)
    assert {span.reason for span in spans(trace)} >= {"retry", "approval"}


def test_a_wait_behind_somebody_goes_on_behind_a_closed_door():
    pipeline = pipesim.load("GitHub -> CodeBuild -> S3")
    assumptions = Assumptions(
        arrivals=At((0, 100)),
        actions={
            "GitHub": ActionAssumption(duration=Constant(5)),
            "CodeBuild": ActionAssumption(duration=Constant(600)),
        },
    )
    commands = [(300, pipesim.DisableTransition("Build", "freeze")), (2000, pipesim.EnableTransition("Build"))]
    trace = simulate(pipeline, assumptions, seed=1, commands=commands)

    told = history(to_history(trace), pipeline=pipeline)

    [behind, closed] = [span for span in spans(told) if span.reason in ("stage lock", "transition")]
    assert (behind.reason, closed.reason) == ("stage lock", "transition")
    assert behind.end == closed.start == pytest.approx(605.4, abs=0.5)
    assert closed.end == pytest.approx(2000, abs=0.5)


def test_a_retry_of_all_actions_after_a_retry_of_failed_ones_is_a_stage_execution_of_its_own():
    pipeline = load(sample("run-order"))
    stage = next(stage for stage in pipeline.stages if len(stage.groups) > 1 and stage is not pipeline.stages[0])
    last = stage.groups[-1][0].name
    failing = {f"{stage.name}/{last}": ActionAssumption(fails_on=(1, 2))}
    sim = Simulation(pipeline, Assumptions(actions=failing), seed=1)
    for mode in ("FAILED_ACTIONS", "ALL_ACTIONS"):
        sim.run()
        sim.advance(minutes=5)
        sim.send(pipesim.Retry(stage.name, "E1", mode=mode))
    sim.run()

    told = history(to_history(sim.trace), pipeline=pipeline)

    assert_same(sim.trace, told, within=0.002)
    resumed = [event for event in told if event.kind == "StageResumed"]
    assert [event.detail["mode"] for event in resumed] == ["FAILED_ACTIONS", "ALL_ACTIONS"]


@given(strategies.pipelines(), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_actions_of_any_pipeline_come_back(pipeline, seed):
    trace = simulate(pipeline, Assumptions(arrivals=Every(700)), seed=seed, executions=6)

    told = history(to_history(trace), pipeline=pipeline)

    numbers = {execution: number for number, execution in enumerate(trace.executions)}

    def acted(one: Trace) -> list[tuple[object, ...]]:
        return sorted(
            (numbers[span.execution], span.stage, span.action, span.attempt, span.status, round(span.duration, 1))
            for span in spans(one)
            if span.level == "action"
        )

    assert [row[:5] for row in acted(trace)] == [row[:5] for row in acted(told)]
    assert sum(row[5] for row in acted(trace)) == pytest.approx(sum(row[5] for row in acted(told)), rel=0.01, abs=0.2)


@pytest.mark.parametrize("name", sample_names())
def test_the_pipeline_is_inferred_from_its_history(name):
    pipeline = load(sample(name))
    trace = simulate(pipeline, read_profile(name), seed=3, executions=10)

    inferred = history(to_history(trace)).pipeline

    def shape(one):
        return [(stage.name, [{action.name for action in group} for group in stage.groups]) for stage in one.stages]

    assert shape(pipeline) == shape(inferred)
    assert pipeline.execution_mode == inferred.execution_mode
    assert check(inferred) == ()
    assert [action.type for _, action in pipeline.actions()] == [
        inferred.stages[place].action(action.name).type
        for place, stage in enumerate(pipeline.stages)
        for action in stage.actions
    ]


def test_a_pipeline_inferred_from_events_alone_can_be_simulated():
    trace = simulate(SHOP, Assumptions(arrivals=Every(900)), seed=2, executions=8)

    told = history(to_events(trace))

    assert SHOP.name == told.pipeline.name
    assert check(told.pipeline) == ()
    assert simulate(told.pipeline, seed=1)[-1].kind == "ExecutionSucceeded"


def test_timeline_measures_and_critical_path_of_a_history():
    trace = eventful(1)
    told = history(to_history(trace), pipeline=trace.pipeline)

    real, found = measure(trace), measure(told)

    assert real.shipped == found.shipped
    assert real.superseded == found.superseded
    assert real.lead_time.mean == pytest.approx(found.lead_time.mean, abs=0.01)
    assert real.waiting["transition"] == pytest.approx(found.waiting["transition"], rel=0.01)
    shipped = next(event.execution for event in told if event.kind == "ExecutionSucceeded")
    assert sum(step.exclusive for step in critical_path(told, shipped)) > 0
    assert pipesim.timeline(told).figure is not None


# --- forms of the input --------------------------------------------------------------------------


def test_files_folders_texts_pages_and_parsed_json_tell_the_same(tmp_path):
    told = to_history(eventful(0))
    actions, executions = told["actionExecutionDetails"], told["pipelineExecutionSummaries"]
    pages = "".join(json.dumps({"actionExecutionDetails": actions[place : place + 9]}) for place in range(0, 999, 9))
    (tmp_path / "actions.json").write_text(pages, encoding="utf-8")
    (tmp_path / "executions.json").write_text(
        json.dumps({"pipelineExecutionSummaries": executions}), encoding="utf-8-sig"
    )
    expected = history(told)

    assert expected == history(tmp_path)
    assert expected == history(str(tmp_path / "executions.json"), tmp_path / "actions.json")
    assert expected == history(pages, json.dumps(executions).encode())
    assert expected == history(actions, executions, actions[:7])
    assert expected == history(random.Random(3).sample(actions, len(actions)), executions[::-1])


def test_events_of_a_life_with_uuids_name_their_attempts():
    sim = Simulation(SHOP, Assumptions(arrivals=Every(900)), seed=2, executions=8, uuids=True)
    sim.run()

    told = history(to_events(sim.trace), pipeline=SHOP)

    assert lines(sim.trace) == lines(told)
    assert not [event for event in told if "inferred" in event.detail]


def test_events_wrapped_by_cloudwatch_logs_are_read():
    trace = simulate(SHOP, seed=1)
    wrapped = {"events": [{"timestamp": 1, "message": json.dumps(event)} for event in to_events(trace)]}

    assert history(to_events(trace)) == history(wrapped)


def test_boto3_answers_with_datetimes_are_read():
    told = to_history(simulate(SHOP, seed=1))
    for record in [*told["actionExecutionDetails"], *told["pipelineExecutionSummaries"]]:
        for member in ("startTime", "lastUpdateTime"):
            record[member] = datetime.fromisoformat(record[member])

    assert history({**told, "ResponseMetadata": {}})[-1].kind == "ExecutionSucceeded"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T09:00:00Z",
        "2026-03-02T10:00:00.000+01:00",
        "2026-03-02 04:00:00-05:00",
        1772442000,
        1772442000.0,
        1772442000000,
        "1772442000",
        datetime(2026, 3, 2, 9, tzinfo=UTC),
    ],
)
def test_moments_in_every_spelling(text):
    assert moment(text) == 1772442000


# --- what is missing -----------------------------------------------------------------------------


def test_superseded_executions_are_concluded_from_actions_alone():
    trace = simulate(load(sample("e-commerce")), read_profile("e-commerce"), seed=4, executions=40)
    told = history(to_history(trace)["actionExecutionDetails"], pipeline=sample("e-commerce"))

    real, found = measure(trace), measure(told)

    assert real.superseded > 10
    assert real.shipped == found.shipped
    assert real.failed == found.failed
    assert real.superseded == pytest.approx(found.superseded, abs=1)


def test_events_that_never_arrived_leave_a_history_that_can_be_read():
    trace = simulate(load(sample("e-commerce")), read_profile("e-commerce"), seed=4, executions=40)
    for seed in range(8):
        events = [event for event in to_events(trace) if random.Random(f"{seed}{event['id']}").random() > 0.1]

        told = history(events, pipeline=sample("e-commerce"))

        assert measure(told).shipped == pytest.approx(measure(trace).shipped, abs=3)
        assert all(span.end >= span.start for span in spans(told))


def test_events_without_the_name_of_the_attempt_are_paired_by_time():
    trace = eventful(2)
    events = to_events(trace)
    for event in events:
        event["detail"].pop("action-execution-id", None)
    twice = [*events, *events[::3]]

    assert lines(history(to_events(trace), pipeline=trace.pipeline)) == lines(history(twice, pipeline=trace.pipeline))


def test_an_approval_is_answered_when_its_record_last_changed_and_what_runs_stays_open():
    pipeline = SHOP
    approvals = {"*": Approver(Constant(600))}
    trace = simulate(pipeline, Assumptions(approvals=approvals), seed=1)
    answered = history(to_history(trace), pipeline=pipeline)
    waiting = history(
        to_history(simulate(pipeline, Assumptions(approvals={"*": Approver()}), seed=1, until=3600)), pipeline=pipeline
    )

    [answer] = [span for span in spans(answered) if span.reason == "approval"]
    [ask] = [span for span in spans(waiting) if span.reason == "approval"]

    assert answer.duration == pytest.approx(630, abs=0.01)
    assert ask.open
    assert measure(waiting).unfinished == 1


def test_taken_says_how_long_unfinished_things_are_known_to_last():
    trace = simulate(SHOP, Assumptions(approvals={"*": Approver()}), seed=1, until=3600)

    told = history(to_history(trace), taken=trace.start + timedelta(days=2))

    assert told.end == pytest.approx(2 * 86_400)
    assert max(span.duration for span in spans(told) if span.reason == "approval") > 1.9 * 86_400


def test_one_execution_is_a_history():
    told = history(to_history(simulate(SHOP, Assumptions(arrivals=Once()), seed=5)))

    assert len(told.executions) == 1
    assert measure(told).started == 1


# --- bad input -----------------------------------------------------------------------------------


def action(**members):
    return {
        "pipelineExecutionId": "p-1",
        "actionExecutionId": "a-1",
        "stageName": "Source",
        "actionName": "Fetch",
        "startTime": "2026-03-02T09:00:00Z",
        "lastUpdateTime": "2026-03-02T09:00:05Z",
        "status": "Succeeded",
        "input": {"actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}},
    } | members


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "the history is empty"),
        ({"pipelineExecutionSummaries": [], "actionExecutionDetails": []}, "the history is empty"),
        ([action(lastUpdateTime="2026-03-02T08:00:00Z")], "ends 3600 s before it starts"),
        ([action(startTime="yesterday")], "startTime 'yesterday' is no moment"),
        ([action(startTime=-3)], "startTime -3 is no moment"),
        ([action(status="Done")], "has the status 'Done'"),
        ([action(stageName=None)], "has no stageName"),
        ([action(), action(status="Failed")], "is Succeeded in one record and Failed in another"),
        ([action(input={})], "no record tells the type of action Source/Fetch"),
        (
            [action(), {"pipelineExecutionId": "p-1", "status": "InProgress", "startTime": "2026-03-02T10:00:00Z"}],
            "starts 3600 s before its execution p-1",
        ),
        (
            [{"pipelineExecutionId": "p-1", "status": "Succeeded", "startTime": 1772442000}],
            "names executions and no action",
        ),
        ([{"pipelineExecutionId": "p-1", "status": "Sleeping", "startTime": 1772442000}], "the status 'Sleeping'"),
    ],
)
def test_a_history_that_makes_no_sense_is_refused(records, words):
    with pytest.raises(TraceError) as caught:
        history(records)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "no JSON and no path"),
        ("nowhere.json", "There is no file 'nowhere.json'"),
        ("{]", "is no JSON in line 1"),
        ('{"a": 1}\n{"b"', "holds 'a', which is no history"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (3, "cannot be read from int"),
        ([3], "holds 3 where a record should be"),
        ({"stages": []}, "holds 'stages', which is no history"),
    ],
)
def test_a_source_that_is_no_history_is_refused(source, words):
    with pytest.raises(SourceError) as caught:
        history(source)

    assert words in str(caught.value)


def test_a_folder_without_json_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"holds no \.json"):
        history(tmp_path)


def test_another_pipeline_is_refused():
    told = to_history(simulate(SHOP, seed=1))

    with pytest.raises(TraceError, match="which pipeline 'two-stages' does not have"):
        history(told, pipeline=sample("two-stages"))


def test_events_of_several_pipelines_need_a_choice():
    events = to_events(simulate(SHOP, seed=1)) + to_events(simulate(load(sample("two-stages")), seed=1))

    with pytest.raises(TraceError, match="several pipelines"):
        history(events)
    assert SHOP.name == history(events, pipeline=SHOP).pipeline.name


def test_a_moment_of_reading_before_the_last_record_is_refused():
    trace = simulate(SHOP, seed=1)

    with pytest.raises(TraceError, match="lies before the latest record"):
        history(to_history(trace), taken=trace.start)
    with pytest.raises(TraceError, match="'noon' is no moment"):
        history(to_history(trace), taken="noon")
    with pytest.raises(TraceError, match="choose 'iso' or 'epoch'"):
        to_history(trace, times="unix")
