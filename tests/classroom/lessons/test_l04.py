"""Lesson 4: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada")


def with_filters(declaration: Any, **filters: Any) -> dict[str, Any]:
    document = declaration if isinstance(declaration, dict) else declaration.to_document()
    git = {"sourceActionName": "GitHub", **filters}
    return {**document, "triggers": [{"providerType": "CodeStarSourceConnection", "gitConfiguration": git}]}


@pytest.mark.parametrize("name", [*NAMES, "bob", "cleo"])
def test_which_of_them_start(name: str) -> None:
    case = ps.classroom.case("04-1", of=name)

    def letter(**members: Any) -> str:
        return next(
            letter
            for letter, event in case.events.items()
            if all(getattr(event, key, None) == value for key, value in members.items())
        )

    tag = next(letter for letter, event in case.events.items() if getattr(event, "tag", None))
    opened, updated = letter(event="OPEN"), letter(event="UPDATED")
    code = next(
        letter
        for letter, event in case.events.items()
        if getattr(event, "branch", "") == "main" and any(path.endswith(".py") for path in event.files)
    )
    version = int(case.events[tag].tag[1])
    release, excluded = letter(branch=f"release/{version - 1}"), letter(branch=f"release/{version}")
    right = [tag, opened, code, release]

    assert "all right" in told("04-1", right, name)
    assert "all right" in told("04-1", "".join(right).upper(), name)
    assert "1 more would start it" in told("04-1", right[1:], name)
    assert f"{excluded} would not start it: Push(branch='release/{version}'" in told("04-1", [*right, excluded], name)
    assert f"{updated} would not start it" in told("04-1", [*right, updated], name)
    assert "4 more would start it" in told("04-1", sorted(set(case.events) - set(right)), name)
    assert "there is no z" in told("04-1", ["a", "z"], name)
    assert "nothing can be made of" in told("04-1", 4, name)


@pytest.mark.parametrize("name", NAMES)
def test_only_what_concerns_it(name: str) -> None:
    case = ps.classroom.case("04-2", of=name)
    branches = {"includes": ["main", "release/*"]}
    paths = {"includes": [f"{case.folder}/**"], "excludes": ["**/*.md"]}

    def answer(**criteria: Any) -> str:
        return told("04-2", with_filters(case.pipeline, push=[criteria]), name)

    assert "all right" in answer(branches=branches, filePaths=paths)
    untouched = told("04-2", case.pipeline, name)
    assert "a push to release/2" in untouched and "changes README.md starts it, too" in untouched
    shallow = answer(branches=branches, filePaths={**paths, "includes": [f"{case.folder}/*"]})
    assert "tax/rules.py starts nothing" in shallow and "2 of 3 right" in shallow
    assert "NOTES.md starts it, too" in answer(branches=branches, filePaths={"includes": paths["includes"]})
    assert "-old/app.py starts it, too" in answer(
        branches=branches, filePaths={**paths, "includes": [f"{case.folder}**/**"]}
    )
    assert "a push to idea" in answer(branches={"includes": ["**"]}, filePaths=paths)
    assert "a push to release/2" in answer(branches={"includes": ["main"]}, filePaths=paths)
    assert "the service refuses it" in answer(branches=branches, tags={"includes": ["v*"]})
    assert "changes services/other/app.py starts it, too" in answer(
        branches=branches, filePaths={"includes": ["services/**"], "excludes": ["**/*.md", f"{case.folder}-old/**"]}
    )
    older = {**case.pipeline.to_document(), "pipelineType": "V1"}
    assert "can only be used with V2" in told("04-2", with_filters(older, push=[{"branches": branches}]), name)


def week(declarations: Mapping[str, Any], not_yet: str, **changed: Any) -> dict[str, Any]:
    main = {"includes": ["main"]}
    filters = {
        "test": {"pullRequest": [{"branches": main, "events": ["OPEN", "UPDATED"]}]},
        "staging": {"push": [{"branches": main}]},
        "production": {"push": [{"tags": {"includes": ["v*"], "excludes": [f"*{not_yet}*"]}}]},
        **changed,
    }
    return {name: with_filters(one, **filters[name]) for name, one in declarations.items()}


@pytest.mark.parametrize("name", NAMES)
def test_three_pipelines(name: str) -> None:
    case = ps.classroom.case("04-3", of=name)

    def answer(**changed: Any) -> str:
        return told("04-3", week(case.declarations, case.not_yet, **changed), name)

    main = {"includes": ["main"]}
    assert "all right" in answer()
    untouched = told("04-3", case.declarations, name)
    assert "starts test and staging and production" in untouched and "2 of 5 right" in untouched
    every = answer(test={"pullRequest": [{"branches": main}]})
    assert "a merge into main starts test and staging" in every and "4 of 5 right" in every
    source = answer(test={"pullRequest": [{"branches": {"includes": ["idea"]}, "events": ["OPEN", "UPDATED"]}]})
    assert "a pull request into main starts nothing" in source
    assert f"the tag v2.1-{case.not_yet} starts production" in answer(
        production={"push": [{"tags": {"includes": ["v*"]}}]}
    )
    assert f"v2.1-{case.not_yet}2 starts production" in answer(
        production={"push": [{"tags": {"includes": ["v*"], "excludes": [f"*{case.not_yet}"]}}]}
    )
    assert "the tag v1.0 starts nothing" in answer(production={"push": [{"branches": {"includes": ["v*"]}}]})
    assert "the tag nightly starts production" in answer(
        production={"push": [{"tags": {"excludes": [f"*{case.not_yet}*"]}}]}
    )
    few = dict(list(case.declarations.items())[:2])
    assert "there is no production in it" in told("04-3", few, name)
    renamed = week(case.declarations, case.not_yet)
    renamed["test"] = {**renamed["test"], "name": "tests"}
    assert "keep its name" in told("04-3", renamed, name)
    assert "the service refuses it" in answer(staging={"push": [{"branches": main, "tags": main}]})


@pytest.mark.parametrize("name", NAMES)
def test_what_polling_costs(name: str) -> None:
    case = ps.classroom.case("04-4", of=name)
    polls = {-(-push // 60) * 60 for push in case.pushes}
    longest = max(60 - push % 60 for push in case.pushes)
    right = (len(polls), len(case.pushes), longest)

    assert len(polls) < len(case.pushes)
    assert "all right" in told("04-4", right, name)
    same = told("04-4", (len(case.pushes), len(case.pushes), longest), name)
    assert "is not what a poll every minute makes" in same and "2 of 3 right" in same
    assert "is not what events make of" in told("04-4", (len(polls), len(polls), longest), name)
    assert "is too short" in told("04-4", (*right[:2], 1), name)
    assert "nothing can be made of" in told("04-4", 60, name)
    assert "nothing can be made of" in told("04-4", right[:1], name)


def test_a_cloud_that_is_still_open_is_told() -> None:
    with ps.Cloud(actions="assumed"):
        assert "another cloud is open" in told("04-2", ps.classroom.case("04-2").pipeline)
