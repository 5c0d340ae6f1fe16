"""Changed copies of pipelines; the originals stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipesim.definition.model import EMPTY, Action, ArtifactStore, Pipeline, Stage, Trigger, Variable
from pipesim.vocabulary import ExecutionMode, PipelineType


def with_stage(pipeline: Pipeline, stage: Stage, *, before: str | None = None, after: str | None = None) -> Pipeline:
    """Return the pipeline with one more stage: at the end, or before or after the stage of a name.

    Raises:
        KeyError: there is no stage of that name.
    """
    stages = list(pipeline.stages)
    at = len(stages)
    if before is not None:
        at = stages.index(pipeline.stage(before))
    elif after is not None:
        at = stages.index(pipeline.stage(after)) + 1
    stages.insert(at, stage)
    return replace(pipeline, stages=tuple(stages))


def without_stage(pipeline: Pipeline, name: str) -> Pipeline:
    """Return the pipeline without the stage of this name; KeyError when there is none."""
    gone = pipeline.stage(name)
    return replace(pipeline, stages=tuple(stage for stage in pipeline.stages if stage is not gone))


def replace_stage(pipeline: Pipeline, name: str, stage: Stage) -> Pipeline:
    """Return the pipeline with another stage in place of the one of this name; KeyError when there is none."""
    old = pipeline.stage(name)
    return replace(pipeline, stages=tuple(stage if one is old else one for one in pipeline.stages))


def move_stage(pipeline: Pipeline, name: str, to: int) -> Pipeline:
    """Return the pipeline with a stage at another position, counted from 0; KeyError when there is no such stage."""
    stage = pipeline.stage(name)
    stages = [one for one in pipeline.stages if one is not stage]
    stages.insert(to, stage)
    return replace(pipeline, stages=tuple(stages))


def with_action(pipeline: Pipeline, stage: str, action: Action) -> Pipeline:
    """Return the pipeline with one more action in a stage; KeyError when there is no such stage."""
    old = pipeline.stage(stage)
    return replace_stage(pipeline, stage, replace(old, actions=(*old.actions, action)))


def without_action(pipeline: Pipeline, stage: str, name: str) -> Pipeline:
    """Return the pipeline without an action; KeyError when there is no such stage or action."""
    old = pipeline.stage(stage)
    gone = old.action(name)
    return replace_stage(pipeline, stage, replace(old, actions=tuple(one for one in old.actions if one is not gone)))


def replace_action(pipeline: Pipeline, stage: str, name: str, action: Action) -> Pipeline:
    """Return the pipeline with another action in place of one; KeyError when there is no such stage or action."""
    old = pipeline.stage(stage)
    gone = old.action(name)
    actions = tuple(action if one is gone else one for one in old.actions)
    return replace_stage(pipeline, stage, replace(old, actions=actions))


def with_mode(pipeline: Pipeline, mode: str) -> Pipeline:
    """Return the pipeline in another execution mode; QUEUED and PARALLEL make it a V2 pipeline, as only V2 has them."""
    type_ = pipeline.pipeline_type if mode == ExecutionMode.SUPERSEDED else PipelineType.V2.value
    return replace(pipeline, execution_mode=str(mode), pipeline_type=type_)


def with_type(pipeline: Pipeline, pipeline_type: str) -> Pipeline:
    """Return the pipeline as one of type V1 or V2."""
    return replace(pipeline, pipeline_type=str(pipeline_type))


def with_name(pipeline: Pipeline, name: str) -> Pipeline:
    """Return the pipeline under another name."""
    return replace(pipeline, name=name)


def with_variables(pipeline: Pipeline, variables: Iterable[Variable]) -> Pipeline:
    """Return the pipeline with these variables in place of its own."""
    return replace(pipeline, variables=tuple(variables))


def with_triggers(pipeline: Pipeline, triggers: Iterable[Trigger]) -> Pipeline:
    """Return the pipeline with these triggers in place of its own."""
    return replace(pipeline, triggers=tuple(triggers))


def with_store(pipeline: Pipeline, store: ArtifactStore) -> Pipeline:
    """Return the pipeline with one artifact store for all its actions."""
    return replace(pipeline, artifact_store=store, artifact_stores=EMPTY)
