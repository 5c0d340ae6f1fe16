"""Changes written as text: what the command line, sliders and sweeps speak."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pipesim.assumptions.arrivals import OfficeHours, Poisson
from pipesim.assumptions.units import parse_duration
from pipesim.errors import AssumptionError
from pipesim.whatif import structure, timing
from pipesim.whatif.scenario import Edit

NUMBER = r"\d+(?:\.\d+)?|\.\d+"
PLACE = r"\S(?:.*?\S)?"


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a change.

    Attributes:
        example: a change written so.
        meaning: what it does, in words.
        pattern: what such a change looks like.
        make: the edit, from the parts of the text.
    """

    example: str
    meaning: str
    pattern: re.Pattern[str]
    make: Callable[..., Edit]


def _form(example: str, meaning: str, pattern: str, make: Callable[..., Edit]) -> Form:
    return Form(example, meaning, re.compile(pattern, re.IGNORECASE), make)


def _odds(text: str) -> float:
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def _rate(count: str, unit: str) -> Edit:
    number = float(count)
    if unit.lower() == "hour":
        return timing.arrivals(Poisson(number))
    if unit.lower() == "working day":
        return timing.arrivals(OfficeHours(number))
    return timing.arrivals(Poisson(number / 24))


def _set(place: str, value: str) -> Edit:
    if value.isdigit() and "/" not in place:
        return timing.pool(place, int(value))
    try:
        parse_duration(value)
    except AssumptionError as error:
        if "/" in place:
            raise
        raise AssumptionError(
            f"'{place}={value}': {value!r} is neither a number of places, such as 'builds=6', "
            "nor a duration, such as 'Test/EndToEnd=12m'"
        ) from error
    return timing.duration(place, value)


def _every(plan: str) -> Edit:
    try:
        return timing.arrivals(plan)
    except AssumptionError as error:
        raise AssumptionError(
            f"'arrivals={plan}': {plan!r} is neither a rate, such as '20/day' or '3/hour', nor a time such as '20m'"
        ) from error


FORMS: tuple[Form, ...] = (
    _form(
        "mode=QUEUED", "set the execution mode", r"(?:execution )?mode\s*[= ]\s*(?P<mode>\w+)", structure.execution_mode
    ),
    _form(
        "parallelise Test",
        "run the actions of a stage together",
        rf"paralleli[sz]e\s+(?P<stage>{PLACE})",
        structure.parallelise,
    ),
    _form(
        "serialise Test",
        "run the actions of a stage one after another",
        rf"seriali[sz]e\s+(?P<stage>{PLACE})",
        structure.serialise,
    ),
    _form(
        "split Test after Integration",
        "make two stages of one",
        rf"split\s+(?P<stage>{PLACE})\s+after\s+(?P<after>\S+)(?:\s+as\s+(?P<name>\S+))?",
        structure.split_stage,
    ),
    _form(
        "own stage Production/Approve",
        "give an action a stage of its own",
        rf"own stage\s+(?P<action>{PLACE})",
        structure.own_stage,
    ),
    _form(
        "move Approval/Stakeholders before Production",
        "move an approval",
        rf"move\s+(?P<action>{PLACE})\s+before\s+(?P<before>\S+)",
        structure.move_approval,
    ),
    _form("retry Test", "retry a stage that fails", rf"retry\s+(?P<stage>{PLACE})", structure.retry),
    _form("rollback Production", "roll back a stage that fails", rf"rollback\s+(?P<stage>{PLACE})", structure.rollback),
    _form("remove Test/SecurityScan", "take an action out", rf"remove\s+(?P<action>{PLACE})", structure.remove_action),
    _form(
        "add Test/Lint=3m",
        "add a CodeBuild action",
        rf"add\s+(?P<action>{PLACE})\s*=\s*(?P<duration>{PLACE})",
        structure.add_action,
    ),
    _form("delays=off", "switch the service's small delays off or on", r"delays\s*=\s*(?P<on>on|off)",
          lambda on: timing.delays(on.lower() == "on")),
    _form(
        "transfer=50MB",
        "copy artifacts at so many bytes a second",
        rf"transfer\s*=\s*(?P<rate>{PLACE}?)(?:/s)?",
        timing.transfer_rate,
    ),
    _form(
        "size Build/Package=500MB",
        "set how large artifacts are",
        rf"size\s+(?P<action>{PLACE})\s*=\s*(?P<size>{PLACE})",
        timing.artifact_size,
    ),
    _form(
        "fails Test/EndToEnd=5%",
        "set the odds of failure, or of rejection",
        rf"fails\s+(?P<action>{PLACE})\s*=\s*(?P<odds>(?:{NUMBER})%?)",
        lambda action, odds: timing.failure_odds(action, _odds(odds)),
    ),
    _form(
        "hours Stakeholders=Mon-Fri 09:00-17:00 Asia/Kolkata",
        "set when an approval is answered",
        rf"hours\s+(?P<action>{PLACE})\s*=\s*(?P<hours>.*?\d)(?:\s+(?P<time_zone>[A-Za-z][\w/+-]*))?",
        lambda action, hours, time_zone=None: timing.approver_hours(action, hours, time_zone or "UTC"),
    ),
    _form(
        "answer Stakeholders=2h",
        "set how long an approval waits for its answer",
        rf"answer\s+(?P<action>{PLACE})\s*=\s*(?P<value>{PLACE})",
        timing.approver_response,
    ),
    _form(
        "arrivals*2",
        "let so many times as many changes arrive",
        rf"arrivals\s*[*×x]\s*(?P<factor>{NUMBER})",
        lambda factor: timing.scale_arrivals(float(factor)),
    ),
    _form(
        "arrivals=20/day",
        "let changes arrive at random: so many a day, hour or working day",
        rf"arrivals\s*=\s*(?P<count>{NUMBER})\s*(?:/|per\s+|a\s+)\s*(?P<unit>day|hour|working day)",
        _rate,
    ),
    _form(
        "arrivals=20m",
        "let one change arrive every so often",
        rf"arrivals\s*=\s*(?:every\s+)?(?P<plan>{PLACE})",
        _every,
    ),
    _form(
        "Test/EndToEnd*0.5",
        "multiply how long an action works (Stage/* and * mean all)",
        rf"(?P<action>{PLACE}|\*)\s*[*×]\s*(?P<factor>{NUMBER})",
        lambda action, factor: timing.scale_duration(action, float(factor)),
    ),
    _form(
        "builds=6, Test/EndToEnd=12m",
        "set the places of a pool, or how long an action works",
        rf"(?P<place>{PLACE})\s*=\s*(?P<value>{PLACE})",
        _set,
    ),
)  # fmt: skip


def parse_change(text: str) -> Edit:
    """Return the edit that a text describes.

    Args:
        text: such as ``"parallelise Test"``, ``"builds=6"`` or ``"Test/EndToEnd*0.5"``; `change_help` lists the forms.

    Raises:
        AssumptionError: it is none of the forms; the message lists them.

    >>> parse_change("mode=QUEUED").text
    'mode QUEUED'
    """
    stripped = text.strip()
    for form in FORMS:
        match = form.pattern.fullmatch(stripped)
        if match is not None:
            parts = {name: part for name, part in match.groupdict().items() if part is not None}
            return form.make(**parts)
    examples = ", ".join(repr(form.example) for form in FORMS)
    raise AssumptionError(f"{text!r} is no change that pipesim knows; write one like {examples}")


def change_help() -> str:
    """Return the forms of a change, one a line, for help texts."""
    width = max(len(form.example) for form in FORMS)
    return "\n".join(f"{form.example:<{width}}  {form.meaning}" for form in FORMS)


def as_edit(change: Edit | str) -> Edit:
    """Return an edit from one or from its text."""
    return parse_change(change) if isinstance(change, str) else change
