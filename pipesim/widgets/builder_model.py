"""The state of the builder as an immutable value: a document, what is selected, and the way back.

Every command that the page, the keyboard or a program gives is a small mapping, and `applied` is the
function (draft, command) → draft. Nothing here knows widgets or browsers.

>>> draft = applied(Draft(new_document()), {"op": "add", "item": "Source/AWS/CodeCommit/1", "where": "stage"})
>>> draft.document["stages"][0]["name"], draft.label, draft.selection
('Source', 'Added action CodeCommit in stage Source', 'stages[0].actions[0]')
>>> undone(draft).document["stages"]
[]
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipesim.definition.model import Pipeline
from pipesim.definition.paths import join, split
from pipesim.definition.writing import to_document
from pipesim.errors import DeclarationError, SourceError
from pipesim.formats.load import load
from pipesim.formats.samples import sample
from pipesim.formats.sketch_configuration import BUCKET, ROLE_ARN
from pipesim.vocabulary import ExecutionMode, PipelineType
from pipesim.widgets.builder_document import Document, value_at, with_entry, with_value, without
from pipesim.widgets.builder_fields import blank_entry, with_field, with_new_store
from pipesim.widgets.builder_palette import example_configuration, find_item
from pipesim.widgets.builder_stages import (
    Place,
    actions_of,
    groups_of,
    joined,
    nudged,
    parted,
    stages_of,
    with_moved_action,
    with_moved_stage,
    with_new_action,
    with_new_stage,
    without_action,
    without_stage,
)

LONGEST_HISTORY = 500
"""How many steps can be undone."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One state of the past or the future, and what led from it or to it."""

    document: Document
    selection: str
    label: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A pipeline being built.

    Attributes:
        document: the bare declaration as JSON; it may break any rule.
        selection: the path of the stage or action that is selected; empty: the pipeline itself.
        past: what undo goes back to, the newest last.
        future: what redo goes forward to, the nearest last.
        label: what happened last, in words, for those who hear it.
        merging: the field that is being typed in, so that its letters are undone together.
    """

    document: Document
    selection: str = ""
    past: tuple[Moment, ...] = field(default=(), repr=False)
    future: tuple[Moment, ...] = field(default=(), repr=False)
    label: str = ""
    merging: str = ""


Command = Callable[[Draft, Mapping[str, Any]], Draft]


def new_document() -> dict[str, Any]:
    """Return the declaration of a pipeline without stages, with AWS's example account in its role and store."""
    return {
        "name": "my-pipeline",
        "roleArn": ROLE_ARN,
        "artifactStore": {"type": "S3", "location": BUCKET},
        "stages": [],
        "version": 1,
        "executionMode": ExecutionMode.SUPERSEDED.value,
        "pipelineType": PipelineType.V2.value,
    }


def opened(draft: Draft, source: Any, label: str = "") -> Draft:
    """Return the draft with another pipeline in it; undo brings the old one back.

    Args:
        draft: what was being built.
        source: whatever `pipesim.load` takes: a path, JSON, an arrow sketch, a mapping or a pipeline.
        label: what to call it in words.

    Raises:
        SourceError: the source cannot be read.
        DeclarationError: it is read and has the wrong shape.
    """
    pipeline = source if isinstance(source, Pipeline) else load(source)
    return _changed(draft, to_document(pipeline), "", label or f"Opened pipeline {pipeline.name}")


def uploaded(draft: Draft, name: str, body: bytes) -> Draft:
    """Return the draft with the pipeline of a file that lies on the learner's computer.

    Args:
        draft: what was being built.
        name: the file's name; its ending says what is in it.
        body: what is in it.

    Raises:
        SourceError: the file cannot be read.
        DeclarationError: it is read and has the wrong shape.

    >>> uploaded(Draft(new_document()), "shop.sketch", b"GitHub -> CodeBuild").document["name"]
    'github-to-codebuild'
    """
    with TemporaryDirectory() as folder:
        place = Path(folder, re.sub(r"[^\w.@ -]", "_", name)[-100:].strip(". ") or "file")
        place.write_bytes(body)
        try:
            return opened(draft, place)
        except DeclarationError as error:
            raise DeclarationError(str(error).replace(str(place), place.name), error.problems) from None
        except SourceError as error:
            raise SourceError(str(error).replace(str(place), place.name)) from None


def undone(draft: Draft) -> Draft:
    """Return the draft as it was one step before; the same draft when there is no step."""
    if not draft.past:
        return replace(draft, label="Nothing to undo", merging="")
    last = draft.past[-1]
    now = Moment(draft.document, draft.selection, last.label)
    return Draft(last.document, last.selection, draft.past[:-1], (*draft.future, now), f"Undone: {last.label}")


def redone(draft: Draft) -> Draft:
    """Return the draft with the step done again that was undone last; the same draft when there is none."""
    if not draft.future:
        return replace(draft, label="Nothing to redo", merging="")
    next_ = draft.future[-1]
    now = Moment(draft.document, draft.selection, next_.label)
    return Draft(next_.document, next_.selection, (*draft.past, now), draft.future[:-1], f"Done again: {next_.label}")


def selected(draft: Draft, path: str) -> Draft:
    """Return the draft with a stage, an action or (empty path) the pipeline selected; unknown places select nothing."""
    return replace(draft, selection=path if value_at(draft.document, path) is not None else "", merging="", label="")


def applied(draft: Draft, command: Mapping[str, Any]) -> Draft:
    """Return the draft after a command.

    Args:
        draft: the state before.
        command: ``op`` and its arguments; see `COMMANDS` for the names.

    Raises:
        SourceError: there is no such command, or it names a place that is not there.
    """
    name = str(command.get("op", ""))
    try:
        act = COMMANDS[name]
    except KeyError:
        raise SourceError(f"the builder has no command {name!r}; it has {', '.join(sorted(COMMANDS))}") from None
    try:
        return act(draft, command)
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"the command {dict(command)!r} does not fit this pipeline: {error}") from error


def describe_place(document: Document, path: str) -> str:
    """Say where a path leads: ``stage Build, action Compile``.

    >>> describe_place({"stages": [{"name": "Build"}]}, "stages[0].onFailure")
    'stage Build'
    """
    steps = split(path)
    words = []
    for end, kind in ((2, "stage"), (4, "action")):
        if len(steps) >= end and steps[end - 2] in ("stages", "actions") and isinstance(steps[end - 1], int):
            words.append(f"{kind} {value_at(document, join('', *steps[:end], 'name'), '') or 'without a name'}")
        else:
            break
    return ", ".join(words) or "the pipeline"


def _changed(draft: Draft, document: Document, selection: str, label: str, merging: str = "") -> Draft:
    if document == draft.document:
        return replace(draft, selection=selection, label="", merging=merging)
    if merging and merging == draft.merging:
        return replace(draft, document=document, selection=selection, future=(), label=label)
    past = (*draft.past, Moment(draft.document, draft.selection, label))[-LONGEST_HISTORY:]
    return Draft(document, selection, past, (), label, merging)


def _add(draft: Draft, command: Mapping[str, Any]) -> Draft:
    item = find_item(str(command.get("item")))
    if item is None:
        raise SourceError(f"the palette has no {command.get('item')!r}")
    where = command.get("where")
    place = _place(command) if where is None else _place_beside(draft, str(where))
    document, path = with_new_action(draft.document, item, place)
    stage = value_at(document, path.rpartition(".")[0] + ".name")
    return _changed(draft, document, path, f"Added action {value_at(document, path)['name']} in stage {stage}")


def _place_beside(draft: Draft, where: str) -> Place:
    """Find the place that a person without a mouse means: by what is selected."""
    steps = split(draft.selection)
    stages = stages_of(draft.document)
    if len(steps) < 2:
        if where == "stage" or not stages:
            return Place(len(stages), new_stage=True)
        return Place(len(stages) - 1)
    stage_at = int(steps[1])
    if where == "stage":
        return Place(stage_at + 1, new_stage=True)
    groups = groups_of(stages[stage_at])
    if len(steps) < 4:
        return Place(stage_at, max(len(groups) - 1, 0), together=True) if where == "together" else Place(stage_at)
    own = next(index for index, group in enumerate(groups) if steps[3] in group)
    return Place(stage_at, own, together=True) if where == "together" else Place(stage_at, own + 1)


def _place(command: Mapping[str, Any]) -> Place:
    place = command["place"]
    group = place.get("group")
    return Place(
        int(place["stage"]),
        None if group is None else int(group),
        bool(place.get("together")),
        bool(place.get("newStage")),
    )


def _add_stage(draft: Draft, command: Mapping[str, Any]) -> Draft:
    steps = split(draft.selection)
    count = len(stages_of(draft.document))
    at = command.get("at")
    at = (int(steps[1]) + 1 if len(steps) > 1 else count) if at is None else max(0, min(int(at), count))
    document, path = with_new_stage(draft.document, at)
    return _changed(draft, document, path, f"Added stage {value_at(document, path)['name']}")


def _move(draft: Draft, command: Mapping[str, Any]) -> Draft:
    path = str(command["path"])
    name = describe_place(draft.document, path).rpartition(", ")[2]
    if len(split(path)) == 2:
        at, to = int(split(path)[1]), int(command["place"]["stage"])
        document, moved = with_moved_stage(draft.document, path, to - (to > at))
    else:
        document, moved = with_moved_action(draft.document, path, _place(command))
    return _changed(draft, document, moved, f"Moved {name} ({_whereabouts(document, moved)})")


def _step(act: Callable[[Document, str], tuple[dict[str, Any], str] | None], done: str, impossible: str) -> Command:
    def run(draft: Draft, command: Mapping[str, Any]) -> Draft:
        path = _path(draft, command)
        name = describe_place(draft.document, path).rpartition(", ")[2]
        result = act(draft.document, path) if path else None
        if result is None:
            return replace(draft, label=f"{name} {impossible}", merging="")
        document, moved = result
        return _changed(draft, document, moved, f"{name} {done} ({_whereabouts(document, moved)})")

    return run


def _nudge(draft: Draft, command: Mapping[str, Any]) -> Draft:
    direction = str(command["direction"])

    def act(document: Document, path: str) -> tuple[dict[str, Any], str] | None:
        return nudged(document, path, direction)

    return _step(act, f"moved {direction}", f"cannot go further {direction}")(draft, command)


def _path(draft: Draft, command: Mapping[str, Any]) -> str:
    path = str(command.get("path", draft.selection))
    if value_at(draft.document, path) is None:
        raise SourceError(f"there is nothing at {path!r}")
    return path


def _whereabouts(document: Document, path: str) -> str:
    steps = split(path)
    stage_at = int(steps[1])
    place = f"stage {stage_at + 1} of {len(stages_of(document))}"
    if len(steps) < 4:
        return place
    groups = groups_of(stages_of(document)[stage_at])
    own = next(index for index, group in enumerate(groups) if steps[3] in group)
    beside = len(groups[own]) - 1
    return f"{place}, group {own + 1} of {len(groups)}" + (f", in parallel with {beside} more" if beside else "")


def _remove(draft: Draft, command: Mapping[str, Any]) -> Draft:
    path = _path(draft, command)
    if not path:
        return replace(draft, label="Select a stage or an action to remove it", merging="")
    name = describe_place(draft.document, path).rpartition(", ")[2]
    match split(path):
        case ("stages", int()):
            document, selection = without_stage(draft.document, path)
        case ("stages", int(), "actions", int()):
            document, selection = without_action(draft.document, path)
        case _:
            document, selection, name = without(draft.document, path), draft.selection, f"an entry of {name}"
    return _changed(draft, document, selection, f"Removed {name}")


def _set(draft: Draft, command: Mapping[str, Any]) -> Draft:
    path = str(command["path"])
    document = with_field(draft.document, path, command.get("value"))
    words = [step for step in split(path) if isinstance(step, str) and step not in ("stages", "actions")]
    label = f"Changed {' '.join(words)} of {describe_place(document, path)}"
    return _changed(draft, document, draft.selection, label, merging=path)


ENTRIES = {
    "artifactStores": "an artifact store",
    "conditions": "a condition",
    "environmentVariables": "an environment variable",
    "pullRequest": "a filter for pull requests",
    "push": "a filter for pushes",
    "rules": "a rule",
    "triggers": "a trigger",
    "variables": "a variable",
}
"""What the forms add to a list, in words."""


def _add_entry(draft: Draft, command: Mapping[str, Any]) -> Draft:
    path = str(command["path"])
    if path == "artifactStores":
        document = with_new_store(draft.document)
    else:
        document = with_entry(draft.document, path, blank_entry(draft.document, path))
    return _changed(draft, document, draft.selection, f"Added {ENTRIES[str(split(path)[-1])]}")


def _examples(draft: Draft, command: Mapping[str, Any]) -> Draft:
    """Fill in the required configuration that is still empty: of one action, or of all."""
    only = command.get("path")
    document: Document = draft.document
    for stage_at, stage in enumerate(stages_of(document)):
        for action_at, action in enumerate(actions_of(stage)):
            path = f"stages[{stage_at}].actions[{action_at}]"
            if only in (None, "", path):
                made = example_configuration(action, str(document.get("name", "")), str(stage.get("name", "")))
                document = with_value(document, f"{path}.configuration", made)
    return _changed(draft, document, draft.selection, "Filled in examples for what was required and empty")


def _open(draft: Draft, command: Mapping[str, Any]) -> Draft:
    source = command["source"]
    return uploaded(draft, str(command["name"]), source) if "name" in command else opened(draft, source)


def _template(draft: Draft, command: Mapping[str, Any]) -> Draft:
    name = str(command["name"])
    return opened(draft, sample(name), f"Opened the template {name}")


def _new(draft: Draft, command: Mapping[str, Any]) -> Draft:
    return _changed(draft, new_document(), "", "Began a new pipeline")


def _select(draft: Draft, command: Mapping[str, Any]) -> Draft:
    return selected(draft, str(command["path"]))


COMMANDS: Mapping[str, Command] = {
    "add": _add,
    "add_entry": _add_entry,
    "add_stage": _add_stage,
    "examples": _examples,
    "move": _move,
    "new": _new,
    "nudge": _nudge,
    "open": _open,
    "part": _step(parted, "runs on its own", "runs on its own already"),
    "join": _step(joined, "runs in parallel", "has no group beside it to run with"),
    "redo": lambda draft, command: redone(draft),
    "remove": _remove,
    "select": _select,
    "set": _set,
    "template": _template,
    "undo": lambda draft, command: undone(draft),
}
"""What can be done to a draft: the name of each command and its function."""


def to_json(draft: Draft) -> str:
    """Return the declaration as the text of a file that the AWS CLI takes."""
    return json.dumps({"pipeline": dict(draft.document)}, indent=2, ensure_ascii=False) + "\n"
