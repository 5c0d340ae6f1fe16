"""Every problem of a declaration at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipesim.definition.constraints import broken_constraints
from pipesim.definition.document import declaration_of, read_document, to_document
from pipesim.definition.model import Pipeline
from pipesim.definition.paths import position, split
from pipesim.definition.problems import Problem
from pipesim.definition.rules import RULES, Subject


def check(pipeline_or_document: Pipeline | Mapping[str, Any], *, region: str | None = None) -> tuple[Problem, ...]:
    """Return every problem of a pipeline, in the order of its document; nothing when the service would take it.

    Three layers look at it: its shape, the constraints of botocore's model, and the service's rules. What only
    follows from a problem already found is left out: a member that cannot be read breaks no second rule.

    Args:
        pipeline_or_document: a pipeline, or a document as `json.loads` returns it.
        region: the region that the pipeline is to live in; without it, that of its source actions where they say so.

    >>> problems = check({"name": "p", "roleArn": "arn:aws:iam::111111111111:role/p", "stages": [],
    ...     "artifactStore": {"type": "S3", "location": "artifacts"}})
    >>> print(*problems)
    stages: Pipeline has only 0 stage(s). There should be a minimum of 2 stages in a pipeline (a source stage ...)
    """
    document = to_document(pipeline_or_document) if isinstance(pipeline_or_document, Pipeline) else pipeline_or_document
    declaration = declaration_of(document)
    pipeline, unreadable = read_document(document)
    problems = list(unreadable)
    if pipeline is None:
        return tuple(problems)
    found = Broken(unreadable)
    problems += (problem for problem in broken_constraints(declaration) if not found.explains(problem.path))
    found = Broken(problems)
    if not any(_is_entry(problem.path) for problem in unreadable):
        whole = not any(split(problem.path)[:1] in (("stages",), ("variables",)) for problem in unreadable)
        problems += _broken_rules(Subject(pipeline, region), found, whole)
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: position(declaration, problem.path)))


class Broken:
    """The places that are broken already, and what only follows from them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self._places: set[tuple[str | int, ...]] = set()
        self._decided: set[tuple[str | int, ...]] = set()
        for problem in problems:
            if problem.rule == "unknown-member":
                continue
            steps = split(problem.path)
            self._places.add(steps)
            self._decided.update(steps[:end] for end in range(2, len(steps)) if _decides(steps, end))

    def explains(self, path: str) -> bool:
        """Whether a problem at `path` only follows: it is at a broken place, below it, or about a broken type."""
        steps = split(path)
        return steps in self._decided or any(steps[:end] in self._places for end in range(len(steps) + 1))


def _broken_rules(subject: Subject, broken: Broken, whole: bool) -> Iterator[Problem]:
    for rule in RULES:
        if whole or not rule.wiring:
            yield from (problem for problem in rule.problems(subject) if not broken.explains(problem.path))


def _is_entry(path: str) -> bool:
    """Whether a path leads to an entry of a list: then positions after it cannot be trusted."""
    steps = split(path)
    return bool(steps) and isinstance(steps[-1], int)


def _decides(steps: tuple[str | int, ...], end: int) -> bool:
    """Whether a broken part decides what the stage, action or gate around it is: its type, or what it consists of."""
    return bool({"actionTypeId", "ruleTypeId"} & set(steps)) or steps[end:] in (("actions",), ("conditions",))
