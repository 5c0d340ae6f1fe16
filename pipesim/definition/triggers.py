"""Which pushes and pull requests start a pipeline.

Source: user guide pages pipelines-triggers, pipelines-filter and syntax-glob.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipesim.definition.globs import glob_matches
from pipesim.definition.model import Action, Criteria, Pipeline, PullRequestFilter, PushFilter, Trigger

CONNECTION = "CodeStarSourceConnection"
"""The provider of source actions that triggers may name."""

FILES_LOOKED_AT = 100
"""How many changed files the service looks at."""


@dataclass(frozen=True, slots=True)
class Push:
    """A push of commits to a branch, or of a tag.

    Attributes:
        branch: the branch, or None for a tag.
        tag: the tag, or None for a branch.
        files: the changed files, in the order in which the provider lists them.
        commit: the newest commit, which the execution runs.
        created: whether the push created the branch.
    """

    branch: str | None = None
    tag: str | None = None
    files: tuple[str, ...] = ()
    commit: str = ""
    created: bool = False


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Something that happened to a pull request.

    Attributes:
        event: ``OPEN``, ``UPDATED`` or ``CLOSED``.
        source: the branch with the changes; the execution runs its newest commit.
        target: the branch that is to take them; triggers filter by it.
        files: the changed files, in the order in which the provider lists them.
        commit: the newest commit of the source branch.

    >>> PullRequest("OPEN", source="idea", target="main").target
    'main'
    """

    event: str
    source: str
    target: str
    files: tuple[str, ...] = ()
    commit: str = ""


def matches(trigger: Trigger, event: Push | PullRequest) -> bool:
    """Whether a trigger starts its pipeline on an event.

    One fitting filter is enough; inside a filter every criterion must fit. A trigger without filters fits every
    push to a branch: which branch, says the source action's BranchName (see `starts`).

    >>> from pipesim.definition.model import Criteria, PushFilter
    >>> trigger = Trigger("Fetch", push=(PushFilter(branches=Criteria(("main",), ("ma*",))),))
    >>> matches(trigger, Push("main"))
    False
    """
    if isinstance(event, PullRequest):
        return any(_pull_request_fits(wanted, event) for wanted in trigger.pull_request)
    if not trigger.push and not trigger.pull_request:
        return event.branch is not None
    return any(_push_fits(wanted, event) for wanted in trigger.push)


def starts(pipeline: Pipeline, source_action: str, event: Push | PullRequest) -> bool:
    """Whether an event in the repository of a source action starts a pipeline.

    A trigger that names the action replaces its own change detection. Without one, a push to the branch that the
    action's BranchName names starts the pipeline, unless DetectChanges is ``false``.

    Args:
        pipeline: the declaration.
        source_action: the name of a source action that uses a connection.
        event: what happened in the repository.
    """
    action = next((action for _, action in pipeline.actions() if action.name == source_action), None)
    triggers = [trigger for trigger in pipeline.triggers if trigger.source_action_name == source_action]
    if action is None:
        return False
    if not triggers:
        return _detects(action) and isinstance(event, Push) and _is_own_branch(action, event)
    return any(
        matches(trigger, event)
        and (bool(trigger.push or trigger.pull_request) or (isinstance(event, Push) and _is_own_branch(action, event)))
        for trigger in triggers
    )


def admits(criteria: Criteria | None, value: str) -> bool:
    """Whether criteria let a value through: excludes beat includes, and without includes the rest may pass.

    >>> admits(Criteria(excludes=("docs/**",)), "src/a.py"), admits(Criteria(("v*",)), "main")
    (True, False)
    """
    if criteria is None:
        return True
    if any(glob_matches(pattern, value) for pattern in criteria.excludes):
        return False
    return not criteria.includes or any(glob_matches(pattern, value) for pattern in criteria.includes)


def _push_fits(wanted: PushFilter, push: Push) -> bool:
    if wanted.tags is not None:
        return push.tag is not None and admits(wanted.tags, push.tag)
    if push.branch is None or not admits(wanted.branches, push.branch):
        return False
    return wanted.file_paths is None or (not push.created and _one_admitted(wanted.file_paths, push.files))


def _pull_request_fits(wanted: PullRequestFilter, request: PullRequest) -> bool:
    if wanted.events and request.event not in wanted.events:
        return False
    if not admits(wanted.branches, request.target):
        return False
    return wanted.file_paths is None or _one_admitted(wanted.file_paths, request.files)


def _one_admitted(criteria: Criteria, files: Sequence[str]) -> bool:
    """Whether one of the files that are looked at may pass; each is judged alone."""
    return any(admits(criteria, name) for name in files[:FILES_LOOKED_AT])


def _detects(action: Action) -> bool:
    return action.configuration.get("DetectChanges", "true").lower() == "true"


def _is_own_branch(action: Action, push: Push) -> bool:
    return push.branch is not None and push.branch == action.configuration.get("BranchName")
