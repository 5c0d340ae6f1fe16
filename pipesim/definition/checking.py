"""Every problem of a declaration at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    broken = {problem.path for problem in unreadable if problem.rule != "unknown-member"}
    problems += (found for found in broken_constraints(declaration) if not _follows(found.path, broken))
    broken |= {problem.path for problem in problems if problem.rule != "unknown-member"}
    if not any(_is_entry(problem.path) for problem in unreadable):
        whole = not any(split(problem.path)[:1] in (("stages",), ("variables",)) for problem in unreadable)
        problems += _broken_rules(Subject(pipeline, region), broken, whole)
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: position(declaration, problem.path)))


def _broken_rules(subject: Subject, broken: set[str], whole: bool) -> Iterator[Problem]:
    for rule in RULES:
        if whole or not rule.wiring:
            yield from (found for found in rule.problems(subject) if not _follows(found.path, broken))


def _is_entry(path: str) -> bool:
    """Whether a path leads to an entry of a list: then positions after it cannot be trusted."""
    steps = split(path)
    return bool(steps) and isinstance(steps[-1], int)


def _follows(path: str, broken: set[str]) -> bool:
    """Whether a problem at `path` only follows from what is broken: at it, below it, or around a broken type."""
    steps = split(path)
    for other in broken:
        cause = split(other)
        if steps[: len(cause)] == cause:
            return True
        if cause[: len(steps)] == steps and _decides(cause[len(steps) :]):
            return True
    return False


def _decides(rest: tuple[str | int, ...]) -> bool:
    """Whether the broken part below a place decides what the place is: its type, or its actions and stages."""
    return bool({"actionTypeId", "ruleTypeId"} & set(rest)) or rest in (("actions",), ("stages",), ("conditions",))
