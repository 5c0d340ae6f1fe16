"""What a learner reads after an answer: what is right, what is not yet, and a hint."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MIME = "application/vnd.pipesim.feedback+json"
"""Under this type a saved notebook keeps the feedback as plain data."""

LONGEST = 1000
"""Characters of a sentence: an answer that is told back may be of any length."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that an answer was asked for.

    Attributes:
        name: what it is called, in a few words.
        right: whether it is there.
        says: what to tell the learner about it.
        hint: the first help, when it is not right yet.
        stronger: the second help, for the next try; "": there is none.
    """

    name: str
    right: bool
    says: str
    hint: str = ""
    stronger: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """The feedback on one answer; on the last line of a cell it shows itself.

    Attributes:
        exercise: its id.
        title: what it asks.
        parts: in the order in which they are asked.
        attempt: which different answer this is, from 1, and from the second on hints are stronger; 0: none was given.
        points: what the exercise is worth.
    """

    exercise: str
    title: str
    parts: tuple[Part, ...]
    attempt: int = 1
    points: float = 1.0

    @property
    def passed(self) -> bool:
        """Whether every part is right."""
        return all(part.right for part in self.parts)

    @property
    def score(self) -> float:
        """The points earned: an equal share for each part."""
        return round(self.points * sum(part.right for part in self.parts) / len(self.parts), 2)

    @property
    def hint(self) -> str:
        """The help for the first part that is not right yet; "" when all is well."""
        for part in self.parts:
            if not part.right:
                return (part.stronger or part.hint) if self.attempt > 1 else part.hint
        return ""

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield the lines: a word (``right``, ``not yet``, ``hint``) and a sentence."""
        for part in self.parts:
            yield ("right" if part.right else "not yet"), f"{part.name}: {part.says}" if part.says else part.name
        if self.hint:
            yield "hint", self.hint

    def __str__(self) -> str:
        done = sum(part.right for part in self.parts)
        head = "all right" if self.passed else f"{done} of {len(self.parts)} right"
        marks = {"right": "✓ right  ", "not yet": "✗ not yet", "hint": "→ hint   "}
        body = [f"  {marks[word]}  {sentence}" for word, sentence in self.lines()]
        return "\n".join([f"Exercise {self.exercise}, {self.title}: {head}", *body])

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, as a saved notebook keeps it for `pipesim classroom report`."""
        return {
            "exercise": self.exercise,
            "attempt": self.attempt,
            "score": self.score,
            "points": self.points,
            "parts": [{"name": part.name, "right": part.right} for part in self.parts],
        }

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return {"text/plain": str(self), "text/html": self._repr_html_(), MIME: self.to_dict()}

    def _repr_html_(self) -> str:
        """The same with room to breathe; colours are the notebook's own, and no meaning hangs on them."""
        signs = {"right": "✓", "not yet": "✗", "hint": "→"}
        rows = "".join(
            f"<li style='list-style:none;margin:2px 0'><b aria-hidden='true'>{signs[word]}</b> <b>{word}</b> – "
            f"{html.escape(sentence)}</li>"
            for word, sentence in self.lines()
        )
        done = sum(part.right for part in self.parts)
        head = "all right" if self.passed else f"{done} of {len(self.parts)} right"
        colour = "--jp-success-color1, #2e7d32" if self.passed else "--jp-warn-color1, #b26a00"
        return (
            f"<div role='status' style='border-left:4px solid var({colour});padding:4px 12px'>"
            f"<b>Exercise {html.escape(self.exercise)}</b>, {html.escape(self.title)}: {head}"
            f"<ul style='margin:4px 0 0;padding:0'>{rows}</ul></div>"
        )


@dataclass
class Marks:
    """What a judge writes its findings to.

    Args:
        names: the parts of the exercise, in order.
    """

    names: tuple[str, ...]
    found: dict[str, Part] = field(default_factory=dict)

    def part(self, name: str, right: bool, *, yes: str = "", no: str = "", hint: str = "", stronger: str = "") -> bool:
        """Write down one finding and return whether it is right.

        Args:
            name: one of the exercise's parts.
            right: whether the answer has it.
            yes: what to say when it does: why it is right.
            no: what to say when it does not: what is seen instead, without the answer.
            hint: where to look.
            stronger: how to get there, for the second try.

        Raises:
            KeyError: the exercise has no such part: a mistake of the judge.
        """
        if name not in self.names:
            raise KeyError(f"no part {name!r} (there are {', '.join(self.names)})")
        self.found[name] = Part(name, bool(right), _short(yes if right else no), hint, stronger)
        return bool(right)

    def parts(self) -> tuple[Part, ...]:
        """Every part in order; those without a finding wait for the others."""
        waiting = "is looked at when the others are right"
        return tuple(
            self.found.get(name, Part(name, False, waiting, "First put the others right.")) for name in self.names
        )

    def unreadable(self, why: str, wants: str) -> tuple[Part, ...]:
        """Every part, when nothing can be made of the answer."""
        first = Part(self.names[0], False, why, f"The answer should be {wants}.")
        return (first, *(Part(name, False, "is looked at when there is an answer") for name in self.names[1:]))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
