"""The table of rules: one function a rule, with the service's code and the origin of its wording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pipesim.definition.problems import Problem
from pipesim.definition.rules.subject import Subject

STRUCTURE = "InvalidStructureException"
STAGE = "InvalidStageDeclarationException"
ACTION = "InvalidActionDeclarationException"
VALIDATION = "ValidationException"

MODEL = "botocore's CodePipeline model"
RECORDED = "recorded answers of the service"
OBSERVED = "answers of CreatePipeline that users of the service published"

Wording = Literal["service", "ours"]


@dataclass(frozen=True, slots=True)
class Found:
    """Where a rule is broken, in which words, and the way out."""

    path: str
    message: str
    hint: str = ""


Find = Callable[[Subject], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class DeclarationRule:
    """One rule that a declaration can break.

    Attributes:
        name: the short name, such as ``stage-name-duplicate``; a sample of this name is in data/invalid.
        summary: what the rule demands, in one sentence.
        code: the service's error code.
        wording: whether the message is the service's own text or one of ours.
        source: where the rule and its text are known from.
        find: yields every place that breaks the rule; None for rules of shape, which the reader finds.
        wiring: whether the rule joins distant parts of the declaration, so that it can only be judged when
            all of it could be read.
    """

    name: str
    summary: str
    code: str
    wording: Wording
    source: str
    find: Find | None = None
    wiring: bool = False

    def problems(self, subject: Subject) -> Iterator[Problem]:
        """Yield a problem for every place that breaks the rule."""
        for found in self.find(subject) if self.find is not None else ():
            yield Problem(found.path, self.name, self.code, found.message, found.hint)


REGISTERED: dict[str, DeclarationRule] = {}


def rule(
    name: str, summary: str, *, code: str, wording: Wording, source: str, wiring: bool = False
) -> Callable[[Find], Find]:
    """Register a function as a rule of this name; see `DeclarationRule` for the arguments."""

    def register(find: Find) -> Find:
        _add(DeclarationRule(name, summary, code, wording, source, find, wiring))
        return find

    return register


def shape_rule(name: str, summary: str, *, wording: Wording, source: str) -> None:
    """Register a rule of shape, which the reader or botocore's model finds broken."""
    _add(DeclarationRule(name, summary, VALIDATION, wording, source))


def _add(entry: DeclarationRule) -> None:
    if entry.name in REGISTERED:
        raise ValueError(f"the rule {entry.name!r} is registered twice")
    REGISTERED[entry.name] = entry
