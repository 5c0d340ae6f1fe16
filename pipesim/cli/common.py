"""What several commands share: reading the input, printing problems, options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from pipesim.errors import AssumptionError, DeclarationError

if TYPE_CHECKING:
    from pipesim.assumptions.model import Assumptions
    from pipesim.definition.model import Pipeline
    from pipesim.definition.problems import Problem


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in newer click
    """A duration as people write it: ``90s``, ``20m``, ``1h30m``, ``5d``, or a number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        from pipesim.assumptions.units import parse_duration

        try:
            return parse_duration(value)
        except AssumptionError as error:
            self.fail(str(error), param, ctx)


def load_sound(source: str) -> Pipeline:
    """Load a pipeline that can be used as it is.

    Args:
        source: a file or an arrow sketch.

    Raises:
        SourceError: it cannot be read.
        DeclarationError: it breaks rules; the message lists every problem.
    """
    from pipesim.definition.checking import check
    from pipesim.formats.load import load

    try:
        pipeline = load(source)
        problems: Sequence[Problem] = check(pipeline)
    except DeclarationError as error:
        problems = error.problems
        if not problems:
            raise
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise DeclarationError(f"{_short(source)} cannot be used, it has {count}:\n{lines}", problems)
    return pipeline


def load_assumptions(profile: str | None) -> Assumptions:
    """Load a profile, or take what is assumed without one."""
    from pipesim.assumptions.model import Assumptions
    from pipesim.assumptions.profile import load_profile

    return Assumptions() if profile is None else load_profile(profile)


def _short(source: str) -> str:
    first = source.strip().splitlines()[0] if source.strip() else source
    return first if len(first) <= 80 else f"{first[:77]}..."
