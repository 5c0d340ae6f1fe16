"""Stages, action groups and actions of a document: added, moved, made parallel or sequential, removed.

Groups are what `pipesim.definition.model.Stage.groups` means: actions of equal runOrder run together. An
operation that changes the groups of a stage numbers them 1, 2, 3 … again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipesim.definition.paths import split
from pipesim.widgets.builder_document import Document, value_at, with_entry, with_value, without
from pipesim.widgets.builder_palette import Item, new_action, unique

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an action goes.

    Attributes:
        stage: the stage's position, from 0; for `new_stage` the position that the new stage takes.
        group: the group's position in the stage; None: the end.
        together: whether it joins that group and runs with it; otherwise it becomes a group of its own before it.
        new_stage: whether a stage is made for it.
    """

    stage: int
    group: int | None = None
    together: bool = False
    new_stage: bool = False


def stages_of(document: Document) -> list[Any]:
    """The stages of a document."""
    stages = document.get("stages")
    return stages if isinstance(stages, list) else []


def actions_of(stage: Mapping[str, Any]) -> list[Any]:
    """The actions of a stage of a document."""
    actions = stage.get("actions")
    return actions if isinstance(actions, list) else []


def groups_of(stage: Mapping[str, Any]) -> Groups:
    """The positions of a stage's actions by group, in the order in which the groups run.

    >>> groups_of({"actions": [{"runOrder": 2}, {"runOrder": 1}, {"runOrder": 2}]})
    ((1,), (0, 2))
    """
    by_order: dict[int, list[int]] = {}
    for index, action in enumerate(actions_of(stage)):
        by_order.setdefault(_run_order(action), []).append(index)
    return tuple(tuple(by_order[order]) for order in sorted(by_order))


def with_new_stage(document: Document, at: int, name: str = "Stage") -> tuple[dict[str, Any], str]:
    """Return the document with an empty stage at a position, and the path of the stage.

    Args:
        document: the declaration.
        at: the position, from 0.
        name: its name; a number is put after it where the name is taken.
    """
    names = [stage.get("name") for stage in stages_of(document)]
    stage = {"name": unique(name, names), "actions": []}
    return with_entry(document, "stages", stage, at), f"stages[{at}]"


def with_new_action(document: Document, item: Item, place: Place) -> tuple[dict[str, Any], str]:
    """Return the document with a new action of a kind at a place, and the path of the action."""
    if place.new_stage:
        document, _ = with_new_stage(document, place.stage, _stage_name(item.type.category))
        place = Place(place.stage)
    changed = dict(document)
    stage = stages_of(changed)[place.stage]
    groups = groups_of(stage)
    at = len(groups) if place.group is None else place.group
    inputs = produced_before(changed, place.stage, at)
    action = new_action(item, changed, inputs, [one.get("name") for one in actions_of(stage)])
    return _insert(changed, action, place)


def with_moved_action(document: Document, path: str, place: Place) -> tuple[dict[str, Any], str]:
    """Return the document with an action at another place, and its new path.

    An action that leaves for a new stage takes the last one of its old stage's places with it: a stage that
    would be left without actions is removed. One that leaves for a stage that is there leaves its old stage
    empty, and `pipesim.check` says so.
    """
    stage_at, action_at = _indices(path)
    stage = stages_of(document)[stage_at]
    action = actions_of(stage)[action_at]
    groups = groups_of(stage)
    own = next(index for index, group in enumerate(groups) if action_at in group)
    alone = len(groups[own]) == 1
    if place.new_stage:
        target, rest = place.stage, _remove(document, stage_at, action_at)
        if not actions_of(stages_of(rest)[stage_at]):
            name = str(stage.get("name") or "Stage")
            rest = without(rest, f"stages[{stage_at}]")
            target -= stage_at < target
            kept = {**stage, "actions": [], "name": name}
            return _insert(with_entry(rest, "stages", kept, target), action, Place(target))
        rest, _ = with_new_stage(rest, target, _stage_name(_category(action)))
        return _insert(rest, action, Place(target))
    if place.stage == stage_at:
        if alone and place.group == own:
            return dict(document), path
        if place.group is not None and alone and place.group > own:
            place = Place(place.stage, place.group - 1, place.together)
    else:
        taken = [one.get("name") for one in actions_of(stages_of(document)[place.stage])]
        action = {**action, "name": unique(str(action.get("name", "")), taken)}
    return _insert(_remove(document, stage_at, action_at), action, place)


def with_moved_stage(document: Document, path: str, to: int) -> tuple[dict[str, Any], str]:
    """Return the document with a stage at another position, and its new path.

    Args:
        document: the declaration.
        path: the stage's path.
        to: the position that it has afterwards, from 0; positions outside are taken to the nearest.
    """
    at, _ = _indices(path)
    stages = list(stages_of(document))
    to = max(0, min(to, len(stages) - 1))
    stages.insert(to, stages.pop(at))
    return with_value(document, "stages", stages), f"stages[{to}]"


def without_action(document: Document, path: str) -> tuple[dict[str, Any], str]:
    """Return the document without an action, and the path of what stands where it stood."""
    stage_at, action_at = _indices(path)
    changed = _remove(document, stage_at, action_at)
    left = len(actions_of(stages_of(changed)[stage_at]))
    return changed, f"stages[{stage_at}]" + (f".actions[{min(action_at, left - 1)}]" if left else "")


def without_stage(document: Document, path: str) -> tuple[dict[str, Any], str]:
    """Return the document without a stage, and the path of what stands where it stood."""
    at, _ = _indices(path)
    stages = stages_of(document)
    changed = with_value(document, "stages", [*stages[:at], *stages[at + 1 :]])
    return changed, f"stages[{min(at, len(stages) - 2)}]" if len(stages) > 1 else ""


def nudged(document: Document, path: str, direction: str) -> tuple[dict[str, Any], str] | None:
    """Return the document with a stage or an action one step further, and its new path; None when it cannot go.

    An action goes ``up`` and ``down`` through the groups of its stage: out of a group it becomes one of its own.
    ``left`` and ``right`` take it to the end of the stage beside. A stage goes ``left`` and ``right``.

    Args:
        document: the declaration.
        path: what moves.
        direction: ``up``, ``down``, ``left`` or ``right``.
    """
    stage_at, action_at = _indices(path)
    step = {"left": -1, "right": 1}.get(direction, 0)
    count = len(stages_of(document))
    if action_at is None:
        if step == 0 or not 0 <= stage_at + step < count:
            return None
        return with_moved_stage(document, path, stage_at + step)
    if step:
        if not 0 <= stage_at + step < count:
            return None
        return with_moved_action(document, path, Place(stage_at + step))
    groups = groups_of(stages_of(document)[stage_at])
    own = next(index for index, group in enumerate(groups) if action_at in group)
    if len(groups[own]) > 1:
        return with_moved_action(document, path, Place(stage_at, own if direction == "up" else own + 1))
    if direction == "up":
        return with_moved_action(document, path, Place(stage_at, own - 1)) if own else None
    return with_moved_action(document, path, Place(stage_at, own + 2)) if own < len(groups) - 1 else None


def joined(document: Document, path: str) -> tuple[dict[str, Any], str] | None:
    """Return the document with an action run together with the group before it (the first: the one after it).

    None when there is no other group, or when the action runs together with others already.
    """
    stage_at, action_at = _indices(path)
    groups = groups_of(stages_of(document)[stage_at])
    own = next(index for index, group in enumerate(groups) if action_at in group)
    if len(groups[own]) > 1 or len(groups) == 1:
        return None
    return with_moved_action(document, path, Place(stage_at, own - 1 if own else 1, together=True))


def parted(document: Document, path: str) -> tuple[dict[str, Any], str] | None:
    """Return the document with an action run after the group that it was in; None when it is alone in it."""
    stage_at, action_at = _indices(path)
    groups = groups_of(stages_of(document)[stage_at])
    own = next(index for index, group in enumerate(groups) if action_at in group)
    if len(groups[own]) == 1:
        return None
    return with_moved_action(document, path, Place(stage_at, own + 1))


def produced_before(document: Document, stage: int, group: int) -> tuple[str, ...]:
    """The output artifacts of everything that has run before a group of a stage, the newest last."""
    names: list[str] = []
    for index, one in enumerate(stages_of(document)[: stage + 1]):
        actions, groups = actions_of(one), groups_of(one)
        for members in groups if index < stage else groups[:group]:
            for member in members:
                outputs = actions[member].get("outputArtifacts") or ()
                names += (str(output.get("name", "")) for output in outputs)
    return tuple(dict.fromkeys(name for name in names if name))


def _insert(document: Document, action: Mapping[str, Any], place: Place) -> tuple[dict[str, Any], str]:
    stage = stages_of(document)[place.stage]
    actions = actions_of(stage)
    groups = [[actions[index] for index in group] for group in groups_of(stage)]
    at = len(groups) if place.group is None else max(0, min(place.group, len(groups)))
    if place.together and at < len(groups):
        groups[at].append(action)
        inside = len(groups[at]) - 1
    else:
        groups.insert(at, [action])
        inside = 0
    position = sum(map(len, groups[:at])) + inside
    return _with_groups(document, place.stage, groups), f"stages[{place.stage}].actions[{position}]"


def _remove(document: Document, stage_at: int, action_at: int | None) -> dict[str, Any]:
    stage = stages_of(document)[stage_at]
    actions = actions_of(stage)
    groups = [[actions[index] for index in group if index != action_at] for group in groups_of(stage)]
    return _with_groups(document, stage_at, [group for group in groups if group])


def _with_groups(document: Document, stage: int, groups: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    actions = [
        action if action.get("runOrder") == order else {**action, "runOrder": order}
        for order, group in enumerate(groups, start=1)
        for action in group
    ]
    return with_value(document, f"stages[{stage}].actions", actions)


def _indices(path: str) -> tuple[int, Any]:
    steps = split(path)
    return int(steps[1]), int(steps[3]) if len(steps) > 3 else None


def _run_order(action: Mapping[str, Any]) -> int:
    order = action.get("runOrder", 1)
    try:
        return int(order)
    except (TypeError, ValueError):
        return 1


def _category(action: Mapping[str, Any]) -> str:
    return str(value_at(action, "actionTypeId.category", "Stage"))


def _stage_name(category: str) -> str:
    return "Run" if category == "Compute" else category
