"""Rules about Git triggers: a connection as their source, and filters that make sense."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pipesim.definition.globs import compile_glob
from pipesim.definition.model import Criteria
from pipesim.definition.paths import join
from pipesim.definition.reading import did_you_mean
from pipesim.definition.rules.subject import Subject
from pipesim.definition.rules.table import OBSERVED, STRUCTURE, Found, rule
from pipesim.definition.triggers import CONNECTION
from pipesim.definition.writing import to_document
from pipesim.errors import DeclarationError

GUIDE = "user guide page pipelines-filter"

LARGEST_TRIGGERS = 200_000
"""The most bytes that all triggers together may take (user guide page limits)."""


@rule(
    "trigger-source-action",
    "A trigger names a source action that uses a connection.",
    code=STRUCTURE,
    wording="service",
    source=f"user guide page pipelines-triggers; {OBSERVED}",
    wiring=True,
)
def trigger_source_action(subject: Subject) -> Iterator[Found]:
    """Find triggers of actions that are no connections, or of none."""
    connections = [
        placed.action.name for placed in subject.actions if placed.is_source and placed.action.provider == CONNECTION
    ]
    for index, trigger in enumerate(subject.pipeline.triggers):
        if trigger.source_action_name not in connections:
            yield Found(
                join("triggers", index, "gitConfiguration", "sourceActionName"),
                "Triggers for connections must reference a CodeStarSourceConnection action.",
                did_you_mean(trigger.source_action_name, connections)
                or f"connections here: {', '.join(connections) or 'none'}",
            )


@rule(
    "trigger-of-action-duplicate",
    "A source action has one trigger.",
    code=STRUCTURE,
    wording="ours",
    source="user guide page pipelines-triggers",
)
def trigger_of_action_duplicate(subject: Subject) -> Iterator[Found]:
    """Find triggers of an action that has one already."""
    seen: set[str] = set()
    for index, trigger in enumerate(subject.pipeline.triggers):
        if trigger.source_action_name in seen:
            yield Found(
                join("triggers", index, "gitConfiguration", "sourceActionName"),
                f"Only one trigger can reference the source action '{trigger.source_action_name}'",
                "put all filters into one trigger: up to 3 for pushes and 3 for pull requests",
            )
        seen.add(trigger.source_action_name)


@rule(
    "trigger-tags-mixed",
    "A filter of tags has no other criteria.",
    code=STRUCTURE,
    wording="ours",
    source=GUIDE,
)
def trigger_tags_mixed(subject: Subject) -> Iterator[Found]:
    """Find push filters that mix tags with branches or file paths."""
    for index, trigger in enumerate(subject.pipeline.triggers):
        for position, push in enumerate(trigger.push):
            if push.tags is not None and (push.branches is not None or push.file_paths is not None):
                yield Found(
                    join("triggers", index, "gitConfiguration", "push", position, "tags"),
                    "A push filter cannot combine tags with branches or file paths",
                    "give each a filter of its own; one fitting filter is enough",
                )


@rule(
    "trigger-filter-empty",
    "A filter has criteria, and criteria have patterns.",
    code=STRUCTURE,
    wording="ours",
    source=GUIDE,
)
def trigger_filter_empty(subject: Subject) -> Iterator[Found]:
    """Find filters without criteria and criteria without patterns."""
    for index, trigger in enumerate(subject.pipeline.triggers):
        git = join("triggers", index, "gitConfiguration")
        for position, push in enumerate(trigger.push):
            if push.tags is push.branches is push.file_paths is None:
                yield Found(join(git, "push", position), "A push filter has no criteria", "give tags or branches")
        for position, pull in enumerate(trigger.pull_request):
            if not pull.events and pull.branches is pull.file_paths is None:
                yield Found(
                    join(git, "pullRequest", position), "A pull request filter has no criteria", "give branches"
                )
    for path, criteria in _criteria(subject):
        if not criteria.includes and not criteria.excludes:
            yield Found(path, "Filter criteria have neither includes nor excludes", "give a pattern, such as main")


@rule(
    "trigger-filter-duplicate",
    "No filter of a trigger stands twice.",
    code=STRUCTURE,
    wording="ours",
    source=GUIDE,
)
def trigger_filter_duplicate(subject: Subject) -> Iterator[Found]:
    """Find filters that equal an earlier one of the same list."""
    for index, trigger in enumerate(subject.pipeline.triggers):
        for member, filters in (("push", trigger.push), ("pullRequest", trigger.pull_request)):
            for position, wanted in enumerate(filters):
                if wanted in filters[:position]:
                    yield Found(
                        join("triggers", index, "gitConfiguration", member, position),
                        "The same filter is declared more than once in a trigger",
                        "leave it out",
                    )


@rule(
    "trigger-pattern",
    "Patterns are well-formed globs.",
    code=STRUCTURE,
    wording="ours",
    source="user guide page syntax-glob",
)
def trigger_pattern(subject: Subject) -> Iterator[Found]:
    """Find patterns with sets or groups that are not closed, and the like."""
    for path, criteria in _criteria(subject):
        for member, patterns in (("includes", criteria.includes), ("excludes", criteria.excludes)):
            for position, pattern in enumerate(patterns):
                try:
                    compile_glob(pattern)
                except DeclarationError as error:
                    yield Found(join(path, member, position), str(error))


@rule(
    "triggers-too-large",
    "All triggers together take 200 KB at most.",
    code=STRUCTURE,
    wording="ours",
    source="user guide page limits",
)
def triggers_too_large(subject: Subject) -> Iterator[Found]:
    """Find triggers that are too large together."""
    if not subject.pipeline.triggers:
        return
    size = len(json.dumps(to_document(subject.pipeline)["triggers"], separators=(",", ":")))
    if size > LARGEST_TRIGGERS:
        yield Found("triggers", f"The triggers take {size} bytes; there can only be up to {LARGEST_TRIGGERS}")


def _criteria(subject: Subject) -> Iterator[tuple[str, Criteria]]:
    for index, trigger in enumerate(subject.pipeline.triggers):
        git = join("triggers", index, "gitConfiguration")
        for position, push in enumerate(trigger.push):
            path = join(git, "push", position)
            given = {"tags": push.tags, "branches": push.branches, "filePaths": push.file_paths}
            yield from ((join(path, name), criteria) for name, criteria in given.items() if criteria is not None)
        for position, pull in enumerate(trigger.pull_request):
            path = join(git, "pullRequest", position)
            given = {"branches": pull.branches, "filePaths": pull.file_paths}
            yield from ((join(path, name), criteria) for name, criteria in given.items() if criteria is not None)
