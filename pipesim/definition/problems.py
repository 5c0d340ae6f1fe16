"""A problem of a declaration: where it stands, which rule it breaks, what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule.

    Attributes:
        path: where it stands, such as ``stages[1].actions[0].runOrder``.
        rule: the short name of the rule, such as ``unknown-provider``.
        code: the service's error code, such as ``InvalidStructureException``.
        message: the service's own wording where it is known.
        hint: the way out, such as "did you mean 'CodeBuild'?"; empty when there is none.

    >>> print(Problem("stages[1].name", "no-name", "ValidationException", "the stage has no name", "give it one"))
    stages[1].name: the stage has no name (give it one)
    """

    path: str
    rule: str
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.path or 'document'}: {' '.join(self.message.split())}"
        return f"{text} ({self.hint})" if self.hint else text
