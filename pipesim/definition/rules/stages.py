"""Rules about stages: how many, in which order, under which names."""

from __future__ import annotations

from collections.abc import Iterator

from pipesim.definition.paths import join
from pipesim.definition.rules.subject import Subject
from pipesim.definition.rules.table import OBSERVED, STAGE, STRUCTURE, Found, rule

FEWEST_STAGES = 2
MOST_STAGES = 50
MOST_ACTIONS_PER_STAGE = 50
MOST_ACTIONS = 1000


@rule(
    "too-few-stages",
    "A pipeline has two stages at least.",
    code=STRUCTURE,
    wording="service",
    source=f"user guide page limits; {OBSERVED}",
)
def too_few_stages(subject: Subject) -> Iterator[Found]:
    """Find a pipeline with fewer than two stages."""
    count = len(subject.stages)
    if count < FEWEST_STAGES:
        yield Found(
            "stages",
            f"Pipeline has only {count} stage(s). There should be a minimum of 2 stages in a pipeline",
            "a source stage and one stage that does something with what it fetches",
        )


@rule(
    "too-many-stages",
    "A pipeline has 50 stages at most.",
    code=STRUCTURE,
    wording="service",
    source=f"user guide page limits; {OBSERVED}",
)
def too_many_stages(subject: Subject) -> Iterator[Found]:
    """Find a pipeline with more than 50 stages."""
    if len(subject.stages) > MOST_STAGES:
        yield Found(
            "stages",
            "Pipeline has too many stages. There can only be up to 50 stages in a pipeline",
            f"there are {len(subject.stages)}; actions of one stage can run side by side, or split the pipeline",
        )


@rule(
    "first-stage-not-source",
    "The first stage holds source actions only, one at least.",
    code=STRUCTURE,
    wording="service",
    source=f"user guide page pipeline-requirements; {OBSERVED}",
)
def first_stage_not_source(subject: Subject) -> Iterator[Found]:
    """Find a first stage with something else than source actions."""
    if not subject.stages or not subject.stages[0].stage.actions:
        return
    others = [placed.action.name for placed in subject.actions if placed.stage_index == 0 and not placed.is_source]
    if others:
        yield Found(
            subject.stages[0].path,
            "Pipeline should start with a stage that only contains source actions",
            f"move {', '.join(repr(name) for name in others)} to a later stage",
        )


@rule(
    "source-after-first-stage",
    "Source actions stand in the first stage only.",
    code=STRUCTURE,
    wording="service",
    source=f"user guide page pipeline-requirements; {OBSERVED}",
)
def source_after_first_stage(subject: Subject) -> Iterator[Found]:
    """Find source actions in later stages."""
    if all(placed.is_source for placed in subject.actions):
        return
    for placed in subject.actions:
        if placed.is_source and placed.stage_index > 0:
            yield Found(
                placed.path,
                "Source actions can only be included in the first stage of the pipeline",
                f"move {placed.action.name!r} to stage {subject.stages[0].stage.name!r}",
            )


@rule(
    "only-source-actions",
    "At least one action is no source action.",
    code=STRUCTURE,
    wording="service",
    source=f"user guide page reference-pipeline-structure; {OBSERVED}",
)
def only_source_actions(subject: Subject) -> Iterator[Found]:
    """Find a pipeline of two stages or more in which nothing but source actions stands."""
    enough = len(subject.stages) >= FEWEST_STAGES and all(placed.stage.actions for placed in subject.stages)
    if enough and all(placed.is_source for placed in subject.actions):
        yield Found("stages", "Pipeline should contain at least 1 action whose category is not Source")


@rule(
    "stage-name-duplicate",
    "Stage names are unique in the pipeline.",
    code=STAGE,
    wording="service",
    source=f"user guide page stage-requirements; {OBSERVED}",
)
def stage_name_duplicate(subject: Subject) -> Iterator[Found]:
    """Find every stage that bears the name of an earlier one."""
    seen: dict[str, str] = {}
    for placed in subject.stages:
        name = placed.stage.name
        if name in seen:
            yield Found(
                join(placed.path, "name"), f"Stage name '{name}' is used more than once", f"first used at {seen[name]}"
            )
        seen.setdefault(name, placed.path)


@rule(
    "stage-without-actions",
    "Every stage holds an action at least.",
    code=STAGE,
    wording="ours",
    source="user guide page limits",
)
def stage_without_actions(subject: Subject) -> Iterator[Found]:
    """Find stages without actions."""
    for placed in subject.stages:
        if not placed.stage.actions:
            yield Found(join(placed.path, "actions"), f"Stage '{placed.stage.name}' must contain at least 1 action")


@rule(
    "too-many-actions-in-stage",
    "A stage holds 50 actions at most.",
    code=STAGE,
    wording="ours",
    source="user guide page limits (the same page also speaks of 100 parallel and 100 sequential actions)",
)
def too_many_actions_in_stage(subject: Subject) -> Iterator[Found]:
    """Find stages with more than 50 actions."""
    for placed in subject.stages:
        count = len(placed.stage.actions)
        if count > MOST_ACTIONS_PER_STAGE:
            yield Found(
                join(placed.path, "actions"),
                f"Stage '{placed.stage.name}' contains {count} actions. There can only be up to 50 actions in a stage",
                "spread them over several stages",
            )


@rule(
    "too-many-actions",
    "A pipeline holds 1000 actions at most.",
    code="LimitExceededException",
    wording="ours",
    source="user guide page limits (500 in the guide of 2022)",
)
def too_many_actions(subject: Subject) -> Iterator[Found]:
    """Find a pipeline with more than 1000 actions."""
    if len(subject.actions) > MOST_ACTIONS:
        yield Found(
            "stages",
            f"Pipeline contains {len(subject.actions)} actions. There can only be up to 1000 actions in a pipeline",
        )


@rule(
    "action-name-duplicate",
    "Action names are unique in their stage; other stages may use them again.",
    code=STAGE,
    wording="ours",
    source="user guide page action-requirements",
)
def action_name_duplicate(subject: Subject) -> Iterator[Found]:
    """Find every action that bears the name of an earlier one of its stage."""
    seen: dict[tuple[int, str], str] = {}
    for placed in subject.actions:
        key = placed.stage_index, placed.action.name
        if key in seen:
            yield Found(
                join(placed.path, "name"),
                f"Action name '{placed.action.name}' is used more than once in stage '{placed.stage.name}'",
                f"first used at {seen[key]}",
            )
        seen.setdefault(key, placed.path)
