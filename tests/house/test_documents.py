"""Documents and lessons: links lead somewhere, the table of the course is complete, the guide knows every lesson."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_notebooks import SOURCES, load_tool

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "data").rglob("*.md"), *SOURCES])
LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
OUTSIDE = re.compile(r"https?://([^/\s)>\"']+)")
HOSTS = ("docs.aws.amazon.com", "aws.amazon.com", "keepachangelog.com", "semver.org", "a.blazemeter.com")
"""Where links may lead outside; nobody follows them here, since a class may have no network."""

coverage = load_tool("coverage_table")


def headings(page: Path) -> set[str]:
    """The anchors of a page, as the usual viewers make them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in found}


def place_of(page: Path) -> Path:
    """Where a page is read: the notebook of a source lies one folder higher."""
    return page.parent.parent if page.suffix == ".py" else page.parent


@pytest.mark.parametrize("document", PAGES, ids=lambda one: str(one.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            assert OUTSIDE.match(target), target
            continue
        path, _, anchor = target.partition("#")
        there = (place_of(document) / path).resolve() if path else document
        assert there.exists(), f"{document.name}: {target}"
        if anchor:
            assert anchor in headings(there), f"{document.name}: {target}"


@pytest.mark.parametrize("document", PAGES, ids=lambda one: str(one.relative_to(ROOT)))
def test_links_outside_go_where_the_facts_are(document: Path) -> None:
    for host in OUTSIDE.findall(document.read_text(encoding="utf-8")):
        name = host.partition(":")[0]
        assert name in HOSTS or name in ("127.0.0.1", "localhost") or name.endswith((".example.com", "example.com")), (
            host
        )


def test_every_point_of_the_course_is_covered(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage.main(["--check"]) == 0, capsys.readouterr().err


def test_a_point_that_leads_nowhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    point = {"says": "x", "lesson": 99, "exercise": "99-1", "test": "tests/nothing.py"}
    monkeypatch.setattr(coverage, "topics", lambda: [{"title": "t", "points": [point]}])

    assert len(list(coverage.faults())) == 3


def test_every_exercise_covers_something_or_stands_in_a_lesson_that_does() -> None:
    used = {point["lesson"] for topic in coverage.topics() for point in topic["points"]}

    assert {int(path.stem[:2]) for path in SOURCES} - used <= {10, 20}


def test_the_guide_names_every_lesson_by_its_title() -> None:
    guide = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
    for path in SOURCES:
        title = re.search(r"^# # (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert title is not None
        assert f"| {int(path.stem[:2])} {title.group(1)} |" in guide, path.name


LASTS = {"half an hour": 30, "thirty-five minutes": 35, "forty minutes": 40}


def test_the_guide_and_the_lessons_agree_on_time_and_on_what_comes_before() -> None:
    guide = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) [^|]+\| ([^|]+) \|[^|]+\| (\d+) \+ (\d+) \|", guide, re.MULTILINE)
    assert len(rows) == len(SOURCES)
    for path, (number, after, explained, practised) in zip(SOURCES, rows, strict=True):
        text = re.sub(r"\n# ?", " ", path.read_text(encoding="utf-8"))
        needs, _, lasts = text.partition("What you'll need")[2].partition("About ")
        assert int(number) == int(path.stem[:2])
        assert int(explained) + int(practised) == next(LASTS[word] for word in LASTS if lasts.startswith(word)), path
        first = needs.partition(";")[0].partition(".")[0]
        said = re.sub(r" to | and ", lambda found: {" to ": "–", " and ": ", "}[found.group()], first)
        if after not in ("–", "all"):
            assert _numbers(after) == _numbers(said), path


def _numbers(text: str) -> set[int]:
    """The lessons of a text such as ``1–3, 9``."""
    spans = re.findall(r"(\d+)(?:–(\d+))?", text)
    return {number for low, high in spans for number in range(int(low), int(high or low) + 1)}
