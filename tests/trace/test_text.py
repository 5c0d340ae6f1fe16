from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given

from pipesim.trace.events import Event, EventKind
from pipesim.trace.text import SENTENCES, describe, format_trace, sentence
from tests.trace.conftest import Story
from tests.trace.strategies import any_events

K = EventKind


def test_every_kind_of_event_has_a_sentence() -> None:
    assert set(SENTENCES) == set(EventKind)


@pytest.mark.parametrize("kind", EventKind)
def test_a_sentence_needs_no_detail_and_ends_with_a_full_stop(kind: EventKind) -> None:
    text = sentence(Event(0.0, 0, kind, "E1", "Build", "Web", 1))

    assert text.endswith(".")
    assert "None" not in text


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            Event(0, 0, K.EXECUTION_STARTED, "E1", detail={"change": "c0ffee1", "trigger_type": "WebhookV2"}),
            "E1 started with change c0ffee1 (WebhookV2).",
        ),
        (
            Event(0, 0, K.EXECUTION_STARTED, "E4", detail={"execution_type": "ROLLBACK", "rollback_target": "E1"}),
            "E4 started as a rollback to E1.",
        ),
        (
            Event(0, 0, K.EXECUTION_SUPERSEDED, "E1", "Prod", detail={"by": "E2"}),
            "E1 was superseded by E2 before stage Prod.",
        ),
        (
            Event(0, 0, K.EXECUTION_STOPPING, "E1", detail={"abandon": True, "reason": "wrong branch"}),
            "E1 is stopping, abandoning its running actions: wrong branch.",
        ),
        (Event(0, 0, K.ACTION_STARTED, "E1", "Build", "Web", 2), "E1: Web (attempt 2) started."),
        (
            Event(0, 0, K.ACTION_FAILED, "E1", "Build", "Web", 1, {"code": "JobFailed", "message": "Tests are red."}),
            "E1: Web failed: Tests are red.",
        ),
        (
            Event(60.0, 0, K.APPROVAL_REQUESTED, "E1", "Prod", "Sign", 1, {"expires": 604_860.0}),
            "E1: Sign waits for an approval, for 7 d at most.",
        ),
        (
            Event(0, 0, K.APPROVAL_ANSWERED, "E1", "Prod", "Sign", 1, {"status": "Rejected", "by": "bob"}),
            "E1: Sign was rejected by bob.",
        ),
        (
            Event(
                0,
                0,
                K.APPROVAL_ANSWERED,
                "E1",
                "Prod",
                "Sign",
                1,
                {"status": "Approved", "by": "bob", "summary": "Approved by bob"},
            ),
            "E1: Sign was approved by bob.",
        ),
        (
            Event(
                0,
                0,
                K.APPROVAL_ANSWERED,
                "E1",
                "Prod",
                "Sign",
                1,
                {"status": "Approved", "by": "bob", "summary": "looks good"},
            ),
            "E1: Sign was approved by bob: looks good.",
        ),
        (
            Event(0, 0, K.STAGE_RESUMED, "E1", "Build", None, 2, {"mode": "FAILED_ACTIONS"}),
            "E1 retries stage Build by hand with its failed actions.",
        ),
        (
            Event(0, 0, K.STAGE_FAILED, "E1", "Build", detail={"retry_pending": True}),
            "E1 failed in stage Build; it is retried automatically.",
        ),
        (
            Event(0, 0, K.CONDITION_FAILED, "E1", "Prod", detail={"condition": "BEFORE_ENTRY", "result": "SKIP"}),
            "The entry condition of Prod is not met for E1: SKIP.",
        ),
    ],
)
def test_sentences(event: Event, text: str) -> None:
    assert sentence(event) == text


def test_the_moment_stands_in_front() -> None:
    event = Event(93_784.5, 0, K.EXECUTION_SUCCEEDED, "E1")

    assert describe(event) == "1d 02:03:04.5  E1 succeeded."
    assert describe(event, datetime(2026, 3, 2, 9, tzinfo=UTC)) == "Tue 3 Mar 11:03:04  E1 succeeded."


def test_a_trace_as_an_aligned_table(story: Story) -> None:
    story.start("E1", change="c0ffee1").at(1.5).enter("E1", "Build").begin("E1", "Build", "Web")

    assert format_trace(story.trace).splitlines() == [
        "      time  execution  stage  action  what happened",
        "00:00:00.0                            Pipeline shop was created.",
        "00:00:00.0  E1                        E1 started with change c0ffee1.",
        "00:00:01.5  E1         Build          E1 entered stage Build.",
        "00:00:01.5  E1         Build  Web     E1: Web started.",
    ]


@given(any_events())
def test_nothing_in_a_trace_can_break_a_line(events: list[Event]) -> None:
    table = format_trace(events)

    assert len(table.split("\n")) == len(events) + 1
    assert table.replace("\n", "").isprintable()
