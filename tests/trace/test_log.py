from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given

from pipesim.errors import TraceError
from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace, TraceWriter
from tests.trace.conftest import Story
from tests.trace.strategies import any_events, stories

GOOD = '{"time": 0.0, "seq": 0, "kind": "PipelineCreated"}'


def test_the_first_event_tells_the_pipeline_and_the_calendar(shipped: Story) -> None:
    trace = shipped.trace

    assert [stage.name for stage in trace.pipeline.stages] == ["Source", "Build", "Prod"]
    assert datetime(2026, 3, 2, 9, tzinfo=UTC) == trace.start
    assert trace.end == 104.0


def test_a_start_in_another_zone_is_turned_into_utc() -> None:
    trace = Trace([Event(0, 0, EventKind.PIPELINE_CREATED, detail={"document": {}, "start": "2026-03-02T09:00+02:00"})])

    assert datetime(2026, 3, 2, 7, tzinfo=UTC) == trace.start


def test_a_trace_may_last_longer_than_its_last_event(shipped: Story) -> None:
    assert Trace(shipped.events, end=500).end == 500.0
    with pytest.raises(TraceError, match=r"cannot end at 3 s: its last event is at 104.0 s"):
        Trace(shipped.events, end=3)


def test_of_returns_one_executions_events(story: Story) -> None:
    story.start("E1").start("E2").at(3).enter("E1", "Source")

    assert story.trace.executions == ("E1", "E2")
    assert [e.kind for e in story.trace.of("E1")] == [EventKind.EXECUTION_STARTED, EventKind.STAGE_ENTERED]
    with pytest.raises(TraceError, match="no execution 'E9' in this trace; it has E1, E2"):
        story.trace.of("E9")


@pytest.mark.parametrize(("times", "seqs"), [((5.0, 4.0), (0, 1)), ((1.0, 2.0), (1, 1))])
def test_events_out_of_order_are_refused(times: tuple[float, float], seqs: tuple[int, int]) -> None:
    with pytest.raises(TraceError, match="follows event"):
        Trace(Event(time, seq, EventKind.CHANGE_IGNORED) for time, seq in zip(times, seqs, strict=True))


def test_a_trace_without_its_first_event_says_so() -> None:
    with pytest.raises(TraceError, match="begins with PipelineCreated"):
        _ = Trace([Event(0, 0, EventKind.CHANGE_IGNORED)]).pipeline


@given(any_events())
def test_json_lines_there_and_back_is_identity(events: list[Event]) -> None:
    trace = Trace(events)
    text = trace.to_jsonl()

    assert trace == Trace.from_jsonl(text)
    assert text == Trace.from_jsonl(text).to_jsonl()
    assert len(events) == text.count("\n")


@given(stories())
def test_a_story_survives_its_file(story: Story) -> None:
    buffer = io.StringIO()
    writer = TraceWriter(buffer)
    for event in story.events:
        writer.append(event)

    assert story.trace.to_jsonl() == buffer.getvalue()
    assert len(story.events) == writer.count
    assert story.pipeline == Trace.from_jsonl(buffer.getvalue()).pipeline


def test_files(shipped: Story, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    shipped.trace.write_jsonl(path)

    assert shipped.trace == Trace.read_jsonl(path)
    assert shipped.trace.to_jsonl().encode() == path.read_bytes()


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(shipped: Story, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + shipped.trace.to_jsonl().replace("\n", "\r\n").encode())

    assert shipped.trace == Trace.read_jsonl(path)


def test_a_missing_file_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot read the trace"):
        Trace.read_jsonl(tmp_path / "nowhere.jsonl")


def test_a_place_that_cannot_be_written_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot write the trace to"):
        TraceWriter(tmp_path / "no folder" / "trace.jsonl")


def test_bytes_that_are_no_text_are_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "image.jsonl").write_bytes(b"\xff\xfe\x00\x81")

    with pytest.raises(TraceError, match="cannot read the trace"):
        Trace.read_jsonl(tmp_path / "image.jsonl")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2 is not JSON"),
        ("[1]", "line 2 is no JSON object"),
        ("[" * 100_000, "line 2 is not JSON"),
        ('{"time": 1, "seq": 1, "kind": "Nonsense"}', "line 2: unknown kind of event 'Nonsense'"),
        ('{"time": 1, "seq": 1, "kind": ["x"]}', "line 2: unknown kind"),
        ('{"time": "1", "seq": 1, "kind": "StageEntered"}', "line 2: time must be a finite number"),
        ('{"time": NaN, "seq": 1, "kind": "StageEntered"}', "line 2 is not JSON: NaN is no JSON number"),
        ('{"time": 1e999, "seq": 1, "kind": "StageEntered"}', "line 2: time must be a finite number"),
        ('{"time": 1, "seq": 1.5, "kind": "StageEntered"}', "line 2: seq must be a whole number"),
        ('{"time": 1, "seq": 0, "kind": "StageEntered"}', "line 2: seq 0 does not follow 0"),
        ('{"time": -1, "seq": 1, "kind": "StageEntered"}', "line 2: the time goes back"),
        ('{"time": 1, "seq": 1, "kind": "StageEntered", "stage": 3}', "line 2: stage must be text, not 3"),
        ('{"time": 1, "seq": 1, "kind": "StageEntered", "attempt": "x"}', "line 2: attempt must be a whole number"),
    ],
)
def test_a_bad_line_is_named(line: str, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        Trace.from_jsonl(f"{GOOD}\n{line}\n")

    assert message in str(caught.value)


def test_nothing_is_no_trace() -> None:
    with pytest.raises(TraceError, match="no event"):
        Trace.from_jsonl("\n\n")


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Event(0.0, 3, EventKind.STAGE_ENTERED, detail={"attempt": 2}), "may not use the column names ['attempt']"),
        (Event(0.0, 3, EventKind.STAGE_ENTERED, detail={"by": {1, 2}}), "holds what JSON cannot"),
        (Event(0.0, 3, EventKind.STAGE_ENTERED, detail={"by": float("nan")}), "holds what JSON cannot"),
        (Event(float("inf"), 3, EventKind.STAGE_ENTERED), "has the time inf"),
    ],
)
def test_what_cannot_be_written_is_said(event: Event, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        TraceWriter(io.StringIO()).append(event)

    assert message in str(caught.value)


def test_the_writer_closes_only_what_it_opened(tmp_path: Path) -> None:
    buffer = io.StringIO()
    with TraceWriter(buffer) as writer:
        writer.append(Event(0.0, 0, EventKind.CHANGE_IGNORED))
    with TraceWriter(tmp_path / "t.jsonl") as other:
        other.append(Event(0.0, 0, EventKind.CHANGE_IGNORED))

    assert buffer.getvalue() == '{"time": 0.0, "seq": 0, "kind": "ChangeIgnored"}\n'
    assert buffer.getvalue() == (tmp_path / "t.jsonl").read_text()
    with pytest.raises(ValueError, match="closed"):
        other.append(Event(1.0, 1, EventKind.CHANGE_IGNORED))


def test_the_order_in_which_a_detail_was_built_does_not_show() -> None:
    one = Event(0.0, 0, EventKind.ACTION_SUCCEEDED, detail={"summary": "ok", "variables": {"B": "2", "A": "1"}})
    other = Event(0.0, 0, EventKind.ACTION_SUCCEEDED, detail={"variables": {"A": "1", "B": "2"}, "summary": "ok"})

    assert Trace([one]).to_jsonl() == Trace([other]).to_jsonl()


def test_none_means_absent() -> None:
    buffer = io.StringIO()
    TraceWriter(buffer).append(Event(0.0, 0, EventKind.TRANSITION_ENABLED, stage="Prod", detail={"by": None}))

    assert buffer.getvalue() == '{"time": 0.0, "seq": 0, "kind": "TransitionEnabled", "stage": "Prod"}\n'
