"""The arrow sketch: ``GitHub → CodeBuild → Manual Approval → Elastic Beanstalk`` is a pipeline too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NoReturn

from immutabledict import immutabledict

from pipesim.catalog.action_types import find_action_type
from pipesim.definition.model import Action, ActionTypeId, ArtifactStore, OutputArtifact, Pipeline, Stage
from pipesim.definition.problems import Problem
from pipesim.errors import DeclarationError, SourceError
from pipesim.formats.sketch_artifacts import Artifact, Shelf, is_deployable, puts_out
from pipesim.formats.sketch_configuration import BUCKET, ROLE_ARN, configure, kebab
from pipesim.formats.sketch_grammar import SketchedStage, Step, excerpt, parse_grammar, position, refuse
from pipesim.formats.sketch_words import (
    KIND,
    Meaning,
    candidates,
    close_words,
    is_artifact_store,
    is_source,
    read_source_step,
    read_step,
    slug,
    spaced,
)
from pipesim.vocabulary import PipelineType

MOST_STAGES = 50
MOST_ACTIONS = 50


def parse_sketch(text: str, name: str | None = None) -> Pipeline:
    """Read an arrow sketch as a complete, valid declaration.

    Each step between arrows (``→`` or ``->``) is a stage. A label in round brackets says which service or
    environment it is about and names the stage. A square bracket is one stage: ``|`` separates actions that
    run at once, an arrow inside it starts the next action group, and a label after it names the stage.
    Artifacts are wired as a person would: a build takes the source, or gathers builds that ran side by side;
    tests take what was built; a deployment takes the newest build, or the one that its label names. A bare
    ``S3`` between a source or a build and a build or a deployment is the artifact store and adds no stage.

    Args:
        text: the sketch; line breaks count as spaces.
        name: the name of the pipeline; made from the first and the last step when left out.

    Raises:
        SourceError: a step is empty or unknown, a bracket is not closed; with the position.
        DeclarationError: it has one stage only, begins with no source, or has a source later.

    >>> shop = parse_sketch("GitHub → CodeBuild → Manual Approval → Elastic Beanstalk")
    >>> [stage.name for stage in shop.stages]
    ['Source', 'Build', 'Approval', 'Deploy']
    >>> shop.stage("Deploy").actions[0].input_artifacts
    ('BuildOutput',)
    """
    sketched = _without_artifact_stores(parse_grammar(text))
    meanings = _meanings(text, sketched)
    _check_sizes(text, sketched)
    names = _names(sketched, meanings)
    if name is None:
        first, last = names[0][1][0][0], names[-1][1][-1][0]
        name = f"{kebab(first)[:45]}-to-{kebab(last)[:45]}"
    shelf = Shelf()
    taken: set[str] = set()
    stages = tuple(_stage(name, stage_name, actions, shelf, taken) for stage_name, actions in names)
    v2 = any(_is_v2_only(action.type) for stage in stages for action in stage.actions)
    return Pipeline(
        name=name,
        role_arn=ROLE_ARN,
        artifact_store=ArtifactStore(BUCKET),
        stages=stages,
        pipeline_type=(PipelineType.V2 if v2 else PipelineType.V1).value,
    )


def to_sketch(pipeline: Pipeline) -> str:
    """Write a pipeline as an arrow sketch: stages, actions and action groups; configuration is left out.

    What `parse_sketch` made comes back as the same pipeline when it is parsed under the same name.

    Raises:
        SourceError: an action has a type that no word of the sketch stands for.

    >>> to_sketch(parse_sketch("GitHub -> [CodeBuild (A) | CodeBuild (B)] -> Elastic Beanstalk"))
    'GitHub → [CodeBuild (A) | CodeBuild (B)] → Elastic Beanstalk'
    """
    last = len(pipeline.stages) - 1
    return " → ".join(
        _written_stage(stage, first=index == 0, inside=0 < index < last) for index, stage in enumerate(pipeline.stages)
    )


_Named = tuple[str, ActionTypeId, int]


def _without_artifact_stores(sketched: Sequence[SketchedStage]) -> tuple[SketchedStage, ...]:
    kept: list[SketchedStage] = []
    for index, stage in enumerate(sketched):
        step = stage.steps[0]
        inside = 0 < index < len(sketched) - 1 and not stage.bracketed
        if inside and is_artifact_store(step.words, step.label):
            after = _category(sketched[index + 1])
            before = "Source" if len(kept) == 1 else _category(kept[-1])
            if before in ("Source", "Build") and after in ("Build", "Deploy"):
                continue
        kept.append(stage)
    return tuple(kept)


def _category(stage: SketchedStage) -> str:
    meaning = read_step(stage.steps[0].words, stage.steps[0].label)
    return meaning.type.category if meaning else ""


def _meanings(text: str, sketched: Sequence[SketchedStage]) -> list[list[list[Meaning]]]:
    return [
        [[_meaning(text, step, index) for step in group] for group in stage.groups]
        for index, stage in enumerate(sketched)
    ]


def _meaning(text: str, step: Step, index: int) -> Meaning:
    if index == 0:
        meaning = read_source_step(step.words, step.label)
        if meaning is None and read_step(step.words, step.label) is not None:
            _refuse_structure(
                text,
                step.at,
                "stages[0]",
                "source-first",
                "Pipeline should start with a stage that only contains source actions",
                f"{step.words!r} is no source; begin with one, such as 'GitHub → {step.words}'",
            )
    else:
        meaning = read_step(step.words, step.label)
        if meaning is None and is_source(step.words):
            _refuse_structure(
                text,
                step.at,
                f"stages[{index}]",
                "source-only-first",
                "Source actions can only be included in the first stage of the pipeline",
                f"move {step.words!r} to the front: '[GitHub | {step.words}] → …'",
            )
    if meaning is None:
        close = close_words(step.words, sources=index == 0)
        guess = " or ".join(repr(word) for word in close)
        known = (
            "GitHub, CodeCommit, S3" if index == 0 else "CodeBuild, Integration Testing, Manual Approval, CodeDeploy"
        )
        hint = f"Did you mean {guess}?" if close else f"Known are such words as {known}; a label goes in brackets."
        refuse(text, step.at, f"{step.words!r} is no {'source' if index == 0 else 'system'} that is known. {hint}")
    return meaning


def _check_sizes(text: str, sketched: Sequence[SketchedStage]) -> None:
    if len(sketched) == 1:
        message = "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline"
        hint = "add an arrow and a step, such as '→ CodeBuild'"
        _refuse_structure(text, sketched[0].at, "stages", "stages-min", message, hint)
    if len(sketched) > MOST_STAGES:
        message = "Pipeline has too many stages. There can only be up to 50 stages in a pipeline"
        hint = f"the sketch has {len(sketched)}; put steps that may run at once into brackets"
        _refuse_structure(text, sketched[MOST_STAGES].at, "stages", "stages-max", message, hint)
    for index, stage in enumerate(sketched):
        if len(stage.steps) > MOST_ACTIONS:
            message = (
                f"A stage has {len(stage.steps)} actions. There can only be up to {MOST_ACTIONS} actions in a stage"
            )
            hint = "split it into two stages"
            _refuse_structure(text, stage.at, f"stages[{index}].actions", "actions-max", message, hint)


def _refuse_structure(text: str, at: int, path: str, rule: str, message: str, hint: str) -> NoReturn:
    problem = Problem(path, rule, "InvalidStructureException", message, hint)
    raise DeclarationError(
        f"The sketch is no pipeline at {position(text, at)}: {message} ({hint}).\n{excerpt(text, at)}", (problem,)
    )


def _names(
    sketched: Sequence[SketchedStage], meanings: Sequence[Sequence[Sequence[Meaning]]]
) -> list[tuple[str, list[_Named]]]:
    used: set[str] = set()
    named: list[tuple[str, list[_Named]]] = []
    for stage, groups in zip(sketched, meanings, strict=True):
        flat = [(meaning, order) for order, group in enumerate(groups, start=1) for meaning in group]
        alone = len(flat) == 1
        wanted = flat[0][0].stage if alone and not stage.label else _bracket_name(stage.label, [m for m, _ in flat])
        peers: set[str] = set()
        beside = not alone or bool(stage.label)
        actions = [(_fresh(m.peer if beside else m.action, peers), m.type, order) for m, order in flat]
        named.append((_fresh(wanted, used), actions))
    return named


def _bracket_name(label: str, meanings: Sequence[Meaning]) -> str:
    return slug(label) or KIND[meanings[0].type.category]


def _fresh(wanted: str, used: set[str]) -> str:
    name, number = wanted, 1
    while name in used:
        number += 1
        name = f"{wanted}{number}"
    used.add(name)
    return name


def _stage(pipeline: str, name: str, actions: Sequence[_Named], shelf: Shelf, taken: set[str]) -> Stage:
    built: list[Action] = []
    for _, group in groupby(actions, key=lambda action: action[2]):
        finished: list[Artifact] = []
        for action_name, action_type, order in group:
            subject = name if len(actions) == 1 and action_type.category != "Source" else action_name
            action = _action(pipeline, subject, action_name, action_type, order, len(actions) == 1, shelf, taken)
            built.append(action)
            if is_deployable(action_type):
                finished.extend(Artifact(output.name, subject) for output in action.output_artifacts)
        if actions[0][1].category == "Source":
            shelf.sources.extend(finished)
        else:
            shelf.put(finished)
    return Stage(name, tuple(built))


def _action(
    pipeline: str,
    subject: str,
    name: str,
    action_type: ActionTypeId,
    order: int,
    alone: bool,
    shelf: Shelf,
    taken: set[str],
) -> Action:
    inputs = shelf.take(action_type, f"{subject} {name}")
    outputs: tuple[OutputArtifact, ...] = ()
    commands = action_type.provider == "Commands"
    if puts_out(action_type):
        stem = "Source" if alone and action_type.category == "Source" else subject
        legal = "".join(char for char in stem if char.isalnum() or char in "-_") or "Artifact"
        outputs = (OutputArtifact(_fresh(f"{legal}Output", taken), ("**/*",) if commands else ()),)
    configuration = configure(
        action_type, pipeline=pipeline, subject=subject, inputs=inputs, sole=alone and action_type.category == "Source"
    )
    return Action(
        name=name,
        type=action_type,
        run_order=order,
        configuration=immutabledict(configuration),
        input_artifacts=inputs,
        output_artifacts=outputs,
        commands=("make",) if commands else (),
    )


def _is_v2_only(action_type: ActionTypeId) -> bool:
    known = find_action_type(action_type.category, action_type.owner, action_type.provider, action_type.version)
    return known is not None and known.v2_only


def _written_stage(stage: Stage, *, first: bool, inside: bool) -> str:
    if len(stage.actions) == 1:
        for words, label in _spellings(stage.actions[0], stage.name):
            if inside and is_artifact_store(words, label):
                continue
            meaning = (read_source_step if first else read_step)(words, label)
            if meaning and (meaning.type, meaning.action, meaning.stage) == (
                stage.actions[0].type,
                stage.actions[0].name,
                stage.name,
            ):
                return _text(words, label)
    groups = [" | ".join(_written_peer(action, first=first) for action in group) for group in stage.groups]
    kind = KIND.get(stage.groups[0][0].category)
    named = "" if stage.name == kind and len(stage.actions) > 1 else f" ({spaced(stage.name)})"
    return f"[{' → '.join(groups)}]{named}"


def _written_peer(action: Action, *, first: bool) -> str:
    near: str | None = None
    for words, label in _spellings(action, action.name):
        meaning = (read_source_step if first else read_step)(words, label)
        if meaning and meaning.type == action.type:
            if meaning.peer == action.name:
                return _text(words, label)
            near = near or (_text(words, label) if label else None)
    if near is None:
        raise SourceError(
            f"The action {action.name!r} cannot be written in a sketch: no word stands for "
            f"{action.type.owner}/{action.type.category}/{action.type.provider}. Write it as JSON with to_document()."
        )
    return near


def _spellings(action: Action, label: str) -> Iterator[tuple[str, str]]:
    known = tuple(candidates(action.type))
    for word in (action.name, *known):
        yield spaced(word), ""
    for word in (*known, action.name):
        yield spaced(word), spaced(label)


def _text(words: str, label: str) -> str:
    return f"{words} ({label})" if label else words
