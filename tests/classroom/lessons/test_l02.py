"""Lesson 2: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan", "eve")
TOGETHER = ("Frontend", "Backend", "Docs")


@pytest.mark.parametrize("name", NAMES)
def test_how_long(name: str) -> None:
    minutes = ps.classroom.case("02-1", of=name).minutes
    longest = max(minutes[one] for one in TOGETHER)

    assert "all right" in told("02-1", longest + minutes["Package"], name)
    assert "all four added up" in told("02-1", sum(minutes.values()), name)
    assert "Package begins only after it" in told("02-1", longest, name)
    assert "too long" in told("02-1", 500, name)
    assert "too short" in told("02-1", 0.5, name)
    assert "ValueError" in told("02-1", "long", name)


@pytest.mark.parametrize("name", NAMES)
def test_the_bottleneck(name: str) -> None:
    minutes = ps.classroom.case("02-2", of=name).minutes
    order = sorted(TOGETHER, key=lambda one: minutes[one])

    assert "all right" in told("02-2", order[-1], name)
    for other in order[:-1]:
        assert "change nothing" in told("02-2", other, name)
    assert "not one of the three" in told("02-2", "Package", name)
    assert "no action 'Middle' in the stage" in told("02-2", "Middle", name)


@pytest.mark.parametrize("name", NAMES)
def test_what_services_do(name: str) -> None:
    services = ps.classroom.case("02-3", of=name).services
    right = {
        service: next(
            category
            for category in ("Source", "Build", "Test", "Deploy", "Approval", "Invoke")
            if "all right" not in told("02-3", {}, name) and _accepts(service, category, services, name)
        )
        for service in services
    }

    assert len(set(right.values())) >= 4
    assert "all right" in told("02-3", right, name)
    assert "all right" in told("02-3", {key: value.lower() for key, value in right.items()}, name)
    first = services[0]
    assert f"nothing is said of {first}" in told("02-3", {k: v for k, v in right.items() if k != first}, name)
    assert f"{first} can do something else" in told("02-3", {**right, first: "Magic"}, name)
    assert "nothing can be made of" in told("02-3", 7, name)


def _accepts(service: str, category: str, services: tuple[str, ...], name: str) -> bool:
    """Whether one service is taken for right with a category, whatever is said of the others."""
    said = told("02-3", dict.fromkeys(services, "Magic") | {service: category}, name)
    return f"{service}," not in said and f"{service} can" not in said


@pytest.mark.parametrize("name", NAMES)
def test_side_by_side(name: str) -> None:
    case = ps.classroom.case("02-4", of=name)
    document = case.pipeline.to_document()
    assert f"the stage takes {sum(case.minutes.values())}" in told("02-4", document, name)
    for action in document["stages"][1]["actions"]:
        action["runOrder"] = 7
    assert "all right" in told("02-4", document, name)

    document["stages"][1]["actions"][1]["runOrder"] = 8
    assert "2 of 3 right" in told("02-4", document, name)
    del document["stages"][1]["actions"][0]
    assert "missing: Test/Lint" in told("02-4", document, name)
    assert "the service refuses it" in told("02-4", {**document, "name": "not a name!"}, name)
