"""The grammar of the arrow sketch: text becomes stages of groups of steps, each with its position.

    sketch = stage { arrow stage }
    stage  = step | "[" group { arrow group } "]" [ "(" label ")" ]
    group  = step { "|" step }
    step   = words [ "(" label ")" ]
    arrow  = "→" | "->" | "=>" and their longer forms

A bracket is one stage: ``|`` separates actions that run at once, an arrow inside it starts the next
action group (a higher runOrder), and a label after it names the stage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from pipesim.errors import SourceError

ARROW = re.compile(r"→|⟶|⇒|➔|➜|-+>|=+>")
_TOKEN = re.compile(rf"(?P<arrow>{ARROW.pattern})|(?P<mark>[\[\]()|])")


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it was written.

    Attributes:
        words: the words without the label, whitespace folded.
        label: what stood in the brackets after them; empty when there was none.
        at: where it begins, counted in characters from 0.
    """

    words: str
    label: str
    at: int


@dataclass(frozen=True, slots=True)
class SketchedStage:
    """One stage as it was written: action groups in their order, and the name it was given.

    Attributes:
        groups: the steps that run at once, group after group.
        label: the name written after a bracket; empty when there was none.
        at: where it begins, counted in characters from 0.
        bracketed: whether it was written in brackets.
    """

    groups: tuple[tuple[Step, ...], ...]
    label: str
    at: int
    bracketed: bool

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps of the stage, in the order in which they were written."""
        return tuple(step for group in self.groups for step in group)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def has_arrow(text: str) -> bool:
    """Whether a text holds an arrow and so may be a sketch."""
    return ARROW.search(text) is not None


def position(text: str, at: int) -> str:
    """Say where a character stands, in words for people.

    >>> position("GitHub ->", 7)
    'column 8'
    >>> position("GitHub\\n-> S3", 7)
    'line 2, column 1'
    """
    before = text[:at]
    column = at - (before.rfind("\n") + 1) + 1
    if "\n" in text.strip():
        return f"line {before.count(chr(10)) + 1}, column {column}"
    return f"column {column}"


def excerpt(text: str, at: int) -> str:
    """The line of a sketch with a caret under one character, cut to what fits a screen."""
    first = text.rfind("\n", 0, at) + 1
    last = text.find("\n", at)
    line = text[first : last if last >= 0 else len(text)].replace("\t", " ")
    start = max(0, at - first - 50)
    return f"  {line[start : start + 100]}\n  {' ' * (at - first - start)}^"


def refuse(text: str, at: int, message: str) -> NoReturn:
    """Raise the SourceError for a place in a sketch."""
    raise SourceError(f"The sketch cannot be read at {position(text, at)}: {message}\n{excerpt(text, at)}")


def parse_grammar(text: str) -> tuple[SketchedStage, ...]:
    """Read the text of a sketch into stages, without asking what the words mean.

    Raises:
        SourceError: a step is empty, a bracket is not closed or never opened; the message names the position.

    >>> [stage.steps[0].words for stage in parse_grammar("GitHub → CodeBuild (Unit tests)")]
    ['GitHub', 'CodeBuild']
    """
    return _Parser(text).sketch()


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    for match in _TOKEN.finditer(text):
        yield from _words(text, at, match.start())
        yield _Token(match.lastgroup if match.lastgroup == "arrow" else match.group(), match.group(), match.start())
        at = match.end()
    yield from _words(text, at, len(text))
    yield _Token("end", "", len(text.rstrip()))


def _words(text: str, start: int, end: int) -> Iterator[_Token]:
    piece = text[start:end]
    if piece.strip():
        yield _Token("words", " ".join(piece.split()), start + len(piece) - len(piece.lstrip()))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.index = 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.index]

    def take(self) -> _Token:
        token = self.next
        self.index += 1
        return token

    def sketch(self) -> tuple[SketchedStage, ...]:
        if self.next.kind == "end":
            refuse(self.text, 0, "it is empty. Write steps with arrows between them, such as 'GitHub → CodeBuild'.")
        stages = [self.stage()]
        while self.next.kind == "arrow":
            self.take()
            stages.append(self.stage())
        if self.next.kind != "end":
            self.unexpected()
        return tuple(stages)

    def stage(self) -> SketchedStage:
        if self.next.kind != "[":
            step = self.step("an arrow")
            return SketchedStage(((step,),), "", step.at, False)
        opened = self.take()
        groups = [self.group()]
        while self.next.kind == "arrow":
            self.take()
            groups.append(self.group())
        if self.next.kind == "[":
            refuse(self.text, self.next.at, "a bracket stands inside a bracket. Close the first one with ']'.")
        if self.next.kind == "end":
            refuse(self.text, opened.at, "the bracket '[' is never closed. Add ']' after its last step.")
        if self.next.kind != "]":
            self.unexpected()
        self.take()
        return SketchedStage(tuple(groups), self.label(), opened.at, True)

    def group(self) -> tuple[Step, ...]:
        steps = [self.step("a step of the bracket")]
        while self.next.kind == "|":
            self.take()
            steps.append(self.step("a step of the bracket"))
        return tuple(steps)

    def step(self, where: str) -> Step:
        token = self.next
        if token.kind == "[":
            refuse(self.text, token.at, "a bracket stands inside a bracket. Close the first one with ']'.")
        if token.kind in (")", "("):
            self.unexpected()
        if token.kind != "words":
            at = min(token.at, max(len(self.text) - 1, 0))
            refuse(self.text, at, "a step is empty. Name a system there, or take the extra sign away.")
        self.take()
        return Step(token.text, self.label(), token.at)

    def label(self) -> str:
        if self.next.kind != "(":
            return ""
        opened = self.take()
        pieces: list[str] = []
        depth = 1
        while depth:
            token = self.take()
            if token.kind in ("end", "arrow", "[", "]"):
                refuse(self.text, opened.at, "the bracket '(' is never closed. Add ')' after the label.")
            depth += {"(": 1, ")": -1}.get(token.kind, 0)
            if depth:
                pieces.append(token.text)
        label = re.sub(r"\s+", " ", " ".join(pieces)).strip()
        if not label:
            refuse(self.text, opened.at, "the label is empty. Write a name between the brackets, or leave them out.")
        return label

    def unexpected(self) -> NoReturn:
        token = self.next
        message = {
            "]": "']' closes a bracket that was never opened. Take it away, or open it with '['.",
            ")": "')' closes a bracket that was never opened. Take it away, or open it with '('.",
            "(": "a label stands without a step. Write the system before it, such as 'CodeBuild (Service A)'.",
            "|": "'|' stands outside a bracket. Write parallel steps as '[CodeBuild (A) | CodeBuild (B)]'.",
            "[": "an arrow is missing before the bracket.",
            "words": f"an arrow is missing before {token.text!r}.",
        }[token.kind]
        refuse(self.text, token.at, message)
