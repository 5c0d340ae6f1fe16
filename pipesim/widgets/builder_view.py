"""What the page shows of a draft: the board, the form, the problems, and what can be undone, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipesim.definition.paths import split
from pipesim.definition.problems import Problem
from pipesim.widgets.builder_document import value_at
from pipesim.widgets.builder_form import form_of, place_of, problem_data
from pipesim.widgets.builder_model import Draft, describe_place
from pipesim.widgets.builder_palette import categories, known_items, label_of
from pipesim.widgets.builder_stages import actions_of, groups_of, stages_of

Data = dict[str, Any]


def view_of(draft: Draft, problems: Sequence[Problem]) -> Data:
    """Return what the page shows of a draft.

    Args:
        draft: what is being built.
        problems: what `pipesim.check` says of its document.
    """
    counts: dict[str, int] = {}
    for problem in problems:
        place = place_of(problem.path)
        counts[place] = counts.get(place, 0) + 1
    document = draft.document
    return {
        "name": str(document.get("name") or ""),
        "mode": str(document.get("executionMode") or ""),
        "stages": [_stage(stage, f"stages[{index}]", counts) for index, stage in enumerate(stages_of(document))],
        "selection": draft.selection,
        "ownProblems": counts.get("", 0),
        "form": form_of(document, draft.selection, problems),
        "problems": [
            {**problem_data(problem), "place": place_of(problem.path), "where": _where(draft, problem)}
            for problem in problems
        ],
        "undo": draft.past[-1].label if draft.past else "",
        "redo": draft.future[-1].label if draft.future else "",
    }


def palette_data() -> list[Data]:
    """Return the palette by category: ``category`` and ``items`` with ``id``, ``label``, ``help`` and ``words``."""
    return [
        {
            "category": category,
            "items": [
                {"id": item.id, "label": item.label, "help": item.type.description, "words": item.words.lower()}
                for item in known_items()
                if item.type.category == category
            ],
        }
        for category in categories()
    ]


def _stage(stage: Any, path: str, counts: dict[str, int]) -> Data:
    actions = actions_of(stage)
    return {
        "path": path,
        "name": str(stage.get("name") or ""),
        "problems": counts.get(path, 0),
        "gates": [gate for gate in ("beforeEntry", "onSuccess", "onFailure") if stage.get(gate)],
        "groups": [
            [_action(actions[index], f"{path}.actions[{index}]", counts) for index in group]
            for group in groups_of(stage)
        ],
    }


def _action(action: Any, path: str, counts: dict[str, int]) -> Data:
    type_id = action.get("actionTypeId") or {}
    return {
        "path": path,
        "name": str(action.get("name") or ""),
        "label": label_of(type_id),
        "category": str(type_id.get("category") or ""),
        "problems": counts.get(path, 0),
        "inputs": [str(one.get("name", "")) for one in action.get("inputArtifacts") or ()],
        "outputs": [str(one.get("name", "")) for one in action.get("outputArtifacts") or ()],
    }


def _where(draft: Draft, problem: Problem) -> str:
    place = place_of(problem.path)
    names = [step for step in split(problem.path)[len(split(place)) :] if isinstance(step, str)]
    last = names[-1] if names else ""
    if last == "name" and len(names) > 1 and value_at(draft.document, problem.path) is not None:
        last = names[-2]
    return ", ".join(part for part in (describe_place(draft.document, problem.path), last) if part)
