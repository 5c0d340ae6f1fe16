from __future__ import annotations

from dataclasses import replace

import pytest

from pipesim.definition.model import Criteria, PullRequestFilter, PushFilter, Trigger
from pipesim.definition.triggers import PullRequest, Push, admits, matches, starts
from tests.definition.test_checking import shop


def on_push(*filters: PushFilter) -> Trigger:
    return Trigger("Fetch", push=filters)


def on_request(*filters: PullRequestFilter) -> Trigger:
    return Trigger("Fetch", pull_request=filters)


def test_case_40_excludes_win():
    assert not matches(on_push(PushFilter(branches=Criteria(("main",), ("ma*",)))), Push("main"))


def test_case_41_one_passing_file_is_enough():
    trigger = on_push(PushFilter(branches=Criteria(("main",)), file_paths=Criteria(("**",), ("docs/**",))))

    assert matches(trigger, Push("main", files=("docs/a", "src/b")))
    assert not matches(trigger, Push("main", files=("docs/a",)))
    assert not matches(trigger, Push("other", files=("src/b",)))


def test_case_42_only_the_first_hundred_files_are_looked_at():
    trigger = on_push(PushFilter(file_paths=Criteria(("src/**",))))
    others = tuple(f"docs/{number}" for number in range(100))

    assert not matches(trigger, Push("main", files=(*others, "src/a")))
    assert matches(trigger, Push("main", files=(*others[:99], "src/a")))


def test_case_43_triggers_switch_off_default_detection():
    source, build = shop().stages
    fetch = replace(
        source.actions[0],
        type=replace(source.actions[0].type, provider="CodeStarSourceConnection"),
        configuration={"ConnectionArn": "arn", "FullRepositoryId": "a/b", "BranchName": "main"},
    )
    plain = replace(shop(), stages=(replace(source, actions=(fetch,)), build))
    tagged = replace(plain, triggers=(on_push(PushFilter(tags=Criteria(("v*",)))),))
    quiet = replace(
        plain,
        stages=(
            replace(source, actions=(replace(fetch, configuration={**fetch.configuration, "DetectChanges": "false"}),)),
            build,
        ),
    )

    assert starts(plain, "Fetch", Push("main"))
    assert not starts(plain, "Fetch", Push("other"))
    assert not starts(quiet, "Fetch", Push("main"))
    assert not starts(tagged, "Fetch", Push("main"))
    assert starts(tagged, "Fetch", Push(tag="v1"))
    assert not starts(plain, "Unknown", Push("main"))
    bare = replace(plain, triggers=(Trigger("Fetch"),))
    assert starts(bare, "Fetch", Push("main"))
    assert not starts(bare, "Fetch", Push("other"))


def test_lists_of_filters_are_alternatives_and_criteria_add_up():
    trigger = on_push(
        PushFilter(branches=Criteria(("main",)), file_paths=Criteria(("src/**",))),
        PushFilter(tags=Criteria(("v*",), ("*-rc*",))),
    )

    assert matches(trigger, Push("main", files=("src/a",)))
    assert not matches(trigger, Push("main", files=("docs/a",)))
    assert matches(trigger, Push(tag="v1"))
    assert not matches(trigger, Push(tag="v1-rc1"))
    assert not matches(trigger, PullRequest("OPEN", "feature", "main"))


def test_no_start_when_a_branch_is_created_and_file_paths_count():
    with_paths = on_push(PushFilter(branches=Criteria(("**",)), file_paths=Criteria(("**",))))
    without = on_push(PushFilter(branches=Criteria(("**",))))
    created = Push("feature/x", files=("a",), created=True)

    assert not matches(with_paths, created)
    assert matches(with_paths, replace(created, created=False))
    assert matches(without, created)


@pytest.mark.parametrize(
    ("request_", "starts_it"),
    [
        (PullRequest("OPEN", "feature", "main"), True),
        (PullRequest("CLOSED", "feature", "main"), False),
        (PullRequest("OPEN", "main", "feature"), False),
    ],
)
def test_pull_requests_are_filtered_by_event_and_target(request_, starts_it):
    trigger = on_request(PullRequestFilter(events=("OPEN", "UPDATED"), branches=Criteria(("main",))))

    assert matches(trigger, request_) is starts_it
    assert not matches(trigger, Push("main"))


def test_pull_requests_without_events_take_all_and_may_look_at_files():
    trigger = on_request(PullRequestFilter(branches=Criteria(("main",)), file_paths=Criteria(("src/**",))))

    assert matches(trigger, PullRequest("CLOSED", "feature", "main", files=("src/a",)))
    assert not matches(trigger, PullRequest("CLOSED", "feature", "main", files=("docs/a",)))


def test_no_criteria_let_everything_through():
    assert admits(None, "x")
    assert admits(Criteria(), "x")
