"""Traces as pandas tables: events, spans, executions, measures, a critical path.

Every column says its unit in its name. Columns that end in ``_s`` are seconds: a moment since the
trace's start, or a length of time. Columns that end in ``_utc`` are timestamps in UTC. Names and ids
are plain text, missing where they do not apply; counts and attempts are whole numbers that may be missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipesim.trace.critical_path import critical_path
from pipesim.trace.log import Trace
from pipesim.trace.measures import Spread, measure
from pipesim.trace.spans import REASONS, spans
from pipesim.trace.text import sentence
from pipesim.views import joined
from pipesim.views.passages import ending_text, passages

if TYPE_CHECKING:
    from datetime import datetime

    from pandas import DataFrame

FLOAT, WHOLE, TEXT, FLAG, MOMENT, ANY = "float64", "Int64", "object", "bool", "datetime64[us, UTC]", "object"

EVENT_COLUMNS = {
    "time_s": FLOAT,
    "time_utc": MOMENT,
    "seq": WHOLE,
    "kind": TEXT,
    "execution": TEXT,
    "stage": TEXT,
    "action": TEXT,
    "attempt": WHOLE,
    "text": TEXT,
    "detail": ANY,
}
SPAN_COLUMNS = {
    "level": TEXT,
    "reason": TEXT,
    "execution": TEXT,
    "stage": TEXT,
    "action": TEXT,
    "attempt": WHOLE,
    "start_s": FLOAT,
    "end_s": FLOAT,
    "duration_s": FLOAT,
    "start_utc": MOMENT,
    "end_utc": MOMENT,
    "status": TEXT,
    "open": FLAG,
}
WAIT_COLUMNS = {reason: f"waiting_{reason.replace(' ', '_')}_s" for reason in REASONS}
EXECUTION_COLUMNS = {
    "execution": TEXT,
    "number": WHOLE,
    "change": TEXT,
    "type": TEXT,
    "status": TEXT,
    "arrived_s": FLOAT,
    "ended_s": FLOAT,
    "arrived_utc": MOMENT,
    "ended_utc": MOMENT,
    "lead_time_s": FLOAT,
    "working_s": FLOAT,
    **dict.fromkeys(WAIT_COLUMNS.values(), FLOAT),
    "retries": WHOLE,
    "stage": TEXT,
    "ending": TEXT,
}
MEASURE_COLUMNS = {"measure": TEXT, "of": TEXT, "statistic": TEXT, "value": FLOAT, "unit": TEXT}
STEP_COLUMNS = {
    "kind": TEXT,
    "reason": TEXT,
    "stage": TEXT,
    "action": TEXT,
    "attempt": WHOLE,
    "start_s": FLOAT,
    "end_s": FLOAT,
    "duration_s": FLOAT,
    "exclusive_s": FLOAT,
    "share": FLOAT,
}


def events_table(trace: Trace) -> DataFrame:
    """Return one row an event, in order, with a sentence in ``text`` and what the kind adds in ``detail``.

    Args:
        trace: what happened.
    """
    rows = [
        {
            "time_s": event.time,
            "time_utc": event.time,
            "seq": event.seq,
            "kind": str(event.kind),
            "execution": event.execution,
            "stage": event.stage,
            "action": event.action,
            "attempt": event.attempt,
            "text": sentence(event),
            "detail": dict(event.detail),
        }
        for event in trace
    ]
    return _frame(rows, EVENT_COLUMNS, trace.start)


def spans_table(trace: Trace, until: float | None = None) -> DataFrame:
    """Return one row a span: executions, stages, actions and waits with their reason.

    Args:
        trace: what happened.
        until: look no further than this, in seconds; None: to the trace's end.
    """
    rows = [
        {
            "level": span.level,
            "reason": span.reason,
            "execution": span.execution,
            "stage": span.stage,
            "action": span.action,
            "attempt": span.attempt,
            "start_s": span.start,
            "end_s": span.end,
            "duration_s": span.end - span.start,
            "start_utc": span.start,
            "end_utc": span.end,
            "status": None if span.status is None else str(span.status),
            "open": span.open,
        }
        for span in spans(trace, until)
    ]
    return _frame(rows, SPAN_COLUMNS, trace.start)


def executions_table(trace: Trace, until: float | None = None) -> DataFrame:
    """Return one row a pipeline execution, in the order of their start.

    ``lead_time_s`` counts from the arrival of the change to the end, for executions that have ended.
    ``working_s`` and the ``waiting_…_s`` columns are the time in which anything of the execution worked, or waited
    for that reason; what happens side by side counts once. ``stage`` is where it is or ended, and ``ending``
    how it ended.

    Args:
        trace: what happened.
        until: look no further than this, in seconds; None: to the trace's end.
    """
    now = trace.end if until is None else until
    every = passages(trace, now)
    numbers = {passage.id: passage.number for passage in every.values()}
    waits: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    works: dict[str, list[tuple[float, float]]] = defaultdict(list)
    idle: dict[str, dict[tuple[str | None, str | None], list[tuple[float, float]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    found = spans(trace, now)
    for span in found:
        if span.level == "wait":
            waits[span.execution, str(span.reason)].append((span.start, span.end))
            if span.action is not None:
                idle[span.execution][span.stage, span.action].append((span.start, span.end))
    for span in found:
        if span.level == "action":
            holes = idle[span.execution][span.stage, span.action]
            works[span.execution] += joined.without((span.start, span.end), holes)
    rows = []
    for passage in every.values():
        row: dict[str, Any] = {
            "execution": passage.id,
            "number": passage.number,
            "change": passage.change,
            "type": passage.execution_type,
            "status": passage.status,
            "arrived_s": passage.started,
            "ended_s": passage.ended,
            "arrived_utc": passage.started,
            "ended_utc": passage.ended,
            "lead_time_s": None if passage.ended is None else passage.ended - passage.started,
            "working_s": joined.length(works[passage.id]),
            "retries": passage.resumed,
            "stage": passage.ended_in or passage.stage,
            "ending": ending_text(passage, numbers),
        }
        row |= {column: joined.length(waits[passage.id, reason]) for reason, column in WAIT_COLUMNS.items()}
        rows.append(row)
    return _frame(rows, EXECUTION_COLUMNS, trace.start)


def measures_table(trace: Trace) -> DataFrame:
    """Return the measures of a trace, one row a number, with what it is of, which statistic it is and its unit.

    Args:
        trace: what happened.
    """
    found = measure(trace)
    rows: list[tuple[str, str | None, str | None, float | None, str]] = [
        (name, None, None, float(getattr(found, name)), unit) for name, unit in MEASURE_UNITS.items()
    ]
    rows += _spread_rows("lead_time", None, found.lead_time)
    rows += _spread_rows("change_lead_time", None, found.change_lead_time)
    rows += [("waiting", reason, None, seconds, "s") for reason, seconds in found.waiting.items()]
    rows += [("stage_utilisation", stage, None, share, "share") for stage, share in found.stage_utilisation.items()]
    for pool, use in found.pools.items():
        rows += [
            ("pool", pool, "mean", use.mean, "places"),
            ("pool", pool, "peak", float(use.peak), "places"),
            ("pool", pool, "capacity", None if use.capacity is None else float(use.capacity), "places"),
            ("pool", pool, "utilisation", use.utilisation, "share"),
            ("pool", pool, "waited", float(use.waited), "actions"),
        ]
    for (stage, action), spread in found.action_durations.items():
        rows += _spread_rows("action_duration", f"{stage}/{action}", spread)
    return _frame([dict(zip(MEASURE_COLUMNS, row, strict=True)) for row in rows], MEASURE_COLUMNS, trace.start)


MEASURE_UNITS: Mapping[str, str] = {
    "duration": "s",
    "started": "executions",
    "shipped": "executions",
    "rolled_back": "executions",
    "failed": "executions",
    "stopped": "executions",
    "superseded": "executions",
    "cancelled": "executions",
    "unfinished": "executions",
    "carried": "executions",
    "ignored": "changes",
    "retries": "retries",
    "working": "s",
    "throughput": "executions an hour",
    "work_in_progress": "executions",
}


def _spread_rows(name: str, of: str | None, spread: Spread) -> list[tuple[str, str | None, str | None, Any, str]]:
    statistics = ("mean", "p50", "p90", "p95", "shortest", "longest")
    rows: list[tuple[str, str | None, str | None, Any, str]] = [(name, of, "count", float(spread.count), "count")]
    return rows + [(name, of, statistic, getattr(spread, statistic), "s") for statistic in statistics]


def critical_path_table(trace: Trace, execution: str) -> DataFrame:
    """Return one row a step of what an execution's end depended on; ``share`` is the step's part of the whole.

    Args:
        trace: what happened.
        execution: the pipeline execution's id.

    Raises:
        TraceError: the trace knows no such execution.
    """
    steps = critical_path(trace, execution)
    whole = sum(step.end - step.start for step in steps)
    rows = [
        {
            "kind": step.kind,
            "reason": step.reason,
            "stage": step.stage,
            "action": step.action,
            "attempt": step.attempt,
            "start_s": step.start,
            "end_s": step.end,
            "duration_s": step.end - step.start,
            "exclusive_s": step.exclusive,
            "share": (step.end - step.start) / whole if whole else 0.0,
        }
        for step in steps
    ]
    return _frame(rows, STEP_COLUMNS, trace.start)


def _frame(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], start: datetime) -> DataFrame:
    """Return a table with these columns, typed the same whether or not there are rows."""
    import pandas

    data = {name: _column(pandas, [row[name] for row in rows], kind, start) for name, kind in columns.items()}
    return pandas.DataFrame(data, columns=list(columns))


def _column(pandas: Any, values: Iterable[Any], kind: str, start: datetime) -> Any:
    if kind == MOMENT:
        seconds = pandas.to_timedelta(pandas.Series(list(values), dtype=FLOAT), unit="s").dt.round("us")
        return (pandas.Timestamp(start) + seconds).astype(MOMENT)
    return pandas.Series(list(values), dtype=kind)
