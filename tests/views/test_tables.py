import subprocess
import sys

import pandas
import pytest

from pipesim.errors import TraceError
from pipesim.trace.spans import spans
from pipesim.views.tables import (
    EVENT_COLUMNS,
    EXECUTION_COLUMNS,
    MEASURE_COLUMNS,
    SPAN_COLUMNS,
    STEP_COLUMNS,
    critical_path_table,
    events_table,
    executions_table,
    measures_table,
    spans_table,
)
from tests.views import stories

TABLES = {
    events_table: EVENT_COLUMNS,
    spans_table: SPAN_COLUMNS,
    executions_table: EXECUTION_COLUMNS,
    measures_table: MEASURE_COLUMNS,
}


@pytest.mark.parametrize("table", TABLES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ["five_changes", "troubles", "one", "empty"])
def test_columns_and_types_do_not_depend_on_the_rows(table, name):
    frame = table(getattr(stories, name)())

    assert {column: str(kind) for column, kind in frame.dtypes.items()} == TABLES[table]


def test_every_column_with_a_unit_says_it():
    for columns in (EVENT_COLUMNS, SPAN_COLUMNS, EXECUTION_COLUMNS, STEP_COLUMNS):
        for column, kind in columns.items():
            assert kind != "float64" or column.endswith("_s") or column == "share"
            assert ("UTC" in kind) == column.endswith("_utc")


def test_events_keep_order_and_moment():
    trace = stories.five_changes()
    frame = events_table(trace)

    assert list(frame["seq"]) == [event.seq for event in trace]
    assert frame["time_s"].is_monotonic_increasing
    row = frame[frame["kind"] == "ExecutionSuperseded"].iloc[0]
    assert row["time_utc"] == pandas.Timestamp("2026-03-02T10:30:00Z")
    assert row["detail"] == {"by": "E4"}
    assert "superseded" in row["text"]


def test_spans_are_those_of_the_trace():
    trace = stories.troubles()
    frame = spans_table(trace)

    assert len(frame) == len(spans(trace))
    assert (frame["duration_s"] == frame["end_s"] - frame["start_s"]).all()
    waits = frame[(frame["level"] == "wait") & (frame["reason"] == "transition")]
    assert waits["duration_s"].sum() == pytest.approx((26 + 5.9) * 60)


def test_executions_say_how_long_they_waited_and_how_they_ended():
    frame = executions_table(stories.troubles()).set_index("number")

    assert frame.loc[1, "lead_time_s"] == 70 * 60
    assert frame.loc[1, "waiting_approval_s"] == 15 * 60
    assert frame.loc[1, "waiting_retry_s"] == 18 * 60
    assert frame.loc[1, "working_s"] == (2 + 10 + 8 + 10 + 7) * 60
    assert frame.loc[1, "retries"] == 1
    assert frame.loc[2, "ending"] == "failed: Deploy"
    assert frame.loc[2, "waiting_transition_s"] == 26 * 60
    assert frame.loc[3, "type"] == "ROLLBACK"
    assert frame.loc[4, "ending"] == "rejected: Stakeholders"
    assert frame.loc[5, "ending"] == "stopped: wrong branch"
    assert frame.loc[5, "ended_utc"] == pandas.Timestamp("2026-03-02T11:16:00Z")


def test_an_unfinished_execution_has_no_end():
    frame = executions_table(stories.five_changes()).set_index("number")

    assert pandas.isna(frame.loc[4, "ended_s"])
    assert pandas.isna(frame.loc[4, "lead_time_s"])
    assert frame.loc[4, "stage"] == "Approval"
    assert frame.loc[3, "ending"] == "superseded by #4"
    assert frame.loc[3, "stage"] == "Approval"


def test_the_past_can_be_looked_at():
    frame = executions_table(stories.five_changes(), until=75 * 60)

    assert list(frame["number"]) == [1, 2, 3, 4]
    assert frame.set_index("number").loc[3, "waiting_stage_lock_s"] == 5 * 60


def test_what_happens_side_by_side_counts_once():
    frame = executions_table(stories.parallel()).set_index("number")

    assert frame.loc[2, "waiting_pool_s"] == 6 * 60
    assert frame.loc[2, "working_s"] == (1 + 9 + 10 + 5) * 60


def test_measures_are_one_number_a_row_with_its_unit():
    frame = measures_table(stories.five_changes())
    superseded = frame[frame["measure"] == "superseded"]
    locked = frame[(frame["measure"] == "waiting") & (frame["of"] == "stage lock")]

    assert not frame.duplicated(["measure", "of", "statistic"]).any()
    assert superseded["value"].tolist() == [1.0]
    assert locked["value"].tolist() == [(20 + 22) * 60]
    assert locked["unit"].tolist() == ["s"]
    assert (frame["unit"].str.len() > 0).all()


def test_a_critical_path_covers_the_whole_life():
    frame = critical_path_table(stories.troubles(), "E1")

    assert {column: str(kind) for column, kind in frame.dtypes.items()} == STEP_COLUMNS
    assert frame["duration_s"].sum() == 70 * 60
    assert frame["share"].sum() == pytest.approx(1)
    assert (frame["end_s"].iloc[:-1].to_numpy() == frame["start_s"].iloc[1:].to_numpy()).all()


def test_an_unknown_execution_is_named():
    with pytest.raises(TraceError, match="E99"):
        critical_path_table(stories.one(), "E99")


def test_importing_the_views_does_not_import_pandas_or_matplotlib():
    code = (
        "import sys, pipesim.views.tables, pipesim.views.timeline, pipesim.views.board\n"
        "assert not {'pandas', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
