"""From what really happened to what is assumed: durations, failures, arrivals and approvers fitted to a history."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from pipesim.assumptions.arrivals import At, Once
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.model import ActionAssumption, Assumptions, Delays, Pool
from pipesim.definition.model import Pipeline
from pipesim.errors import AssumptionError, DeclarationError
from pipesim.formats.load import load
from pipesim.trace.history import history as read_history
from pipesim.trace.history_sources import Source
from pipesim.trace.log import Trace
from pipesim.whatif.daily_shape import Plan, fit_arrivals
from pipesim.whatif.fit_actions import ENOUGH, ActionFit, ApprovalFit, fit_action, fit_approval, with_held_back
from pipesim.whatif.fit_check import Compared, compare_with_simulation
from pipesim.whatif.fit_samples import Samples, take_samples
from pipesim.whatif.likelihood import scipy

if TYPE_CHECKING:
    import pandas as pd

    from pipesim.views.chart import Chart
    from pipesim.whatif.report import Page

FEWEST_FOR_CHECK = 20
"""Of fewer executions none is held back."""
PAUSES = 5.0
"""A pause of the service is shorter than this many seconds."""


@dataclass(frozen=True)
class Fitted:
    """Assumptions fitted to a history, with all that says how far to trust them.

    Attributes:
        assumptions: what was fitted; `pipesim.to_toml` writes it as a profile.
        pipeline: the declaration.
        history: what really happened.
        used: the executions that the assumptions rest on, the earliest.
        held_back: those that they were compared with, the latest.
        actions: what is said of each action.
        approvals: what is said of the people behind each approval.
        arrivals: the plans of arrivals, the best by AIC first.
        compared: simulated against held-back history, a measure each.
        notes: what a reader must know.
    """

    assumptions: Assumptions
    pipeline: Pipeline
    history: Trace
    used: tuple[str, ...]
    held_back: tuple[str, ...]
    actions: tuple[ActionFit, ...]
    approvals: tuple[ApprovalFit, ...]
    arrivals: tuple[Plan, ...]
    compared: tuple[Compared, ...]
    notes: tuple[str, ...]

    def _repr_html_(self) -> str:
        from pipesim.whatif.showing import text_html

        return text_html(self)

    def __str__(self) -> str:
        from pipesim.whatif.fit_report import to_text

        return to_text(self)

    def __repr__(self) -> str:
        return f"<Fitted: {self.pipeline.name}, {len(self.used)} executions used, {len(self.held_back)} held back>"

    def report(self, path: str | os.PathLike[str] | None = None) -> Page:
        """Return one self-contained page: tables, quantile plots, the profile; and write it when a path is given.

        Args:
            path: where to write it; None: nowhere.

        Raises:
            SourceError: the file cannot be written.
        """
        from pipesim.whatif.fit_report import to_page

        page = to_page(self)
        if path is not None:
            page.save(Path(path))
        return page

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each action and approval as a table of pandas; durations are seconds."""
        from pipesim.whatif.fit_report import to_frame

        return to_frame(self)

    def plot(self, what: str = "lead time", theme: str = "light") -> Chart:
        """Return the quantile plot of one measure, simulated against held-back history.

        Args:
            what: the measure, as `compared` names it.
            theme: ``light`` or ``dark``.

        Raises:
            AssumptionError: it was not compared.
        """
        found = next((one for one in self.compared if one.what == what), None)
        if found is None:
            known = ", ".join(f"'{one.what}'" for one in self.compared) or "nothing"
            raise AssumptionError(f"'{what}' was not compared with held-back history; {known} was")
        return found.plot(theme)


def fit(
    history: Trace | Source,
    pipeline: str | os.PathLike[str] | Mapping[str, Any] | Pipeline | None = None,
    held_out: float = 0.3,
    *,
    time_zone: str = "UTC",
    enough: int = ENOUGH,
    replications: int = 20,
    seed: int = 0,
) -> Fitted:
    """Fit assumptions to a history.

    Durations get the most likely member of the family with the lowest AIC, with runs that go on or were abandoned
    counted as censored; where fewer than `enough` were seen, the observed ones are drawn again. Failure odds, arrivals
    with their daily shape and approvers with their hours are concluded from counts and moments. The latest executions
    are held back and compared with simulations of the same time.

    Args:
        history: a trace, or a source that `pipesim.history` reads.
        pipeline: the declaration; None: the trace's.
        held_out: the share of executions held back, from 0 (none) to 0.9.
        time_zone: the wall clock by which people work, an IANA name such as ``"Europe/Berlin"``.
        enough: how many complete durations a fitted curve needs.
        replications: how many simulations are compared with the held-back history.
        seed: the number on which their luck hangs.

    Raises:
        AssumptionError: the history holds no execution, or an argument makes no sense.
        MissingDependency: scipy is not installed.

    >>> import pipesim
    >>> shop = pipesim.load("GitHub -> CodeBuild -> S3")
    >>> real = pipesim.simulate(shop, pipesim.Assumptions(arrivals=pipesim.Every(900)), seed=1, executions=60)
    >>> fit(real, held_out=0).assumptions.arrivals
    Every(interval=900.0, first=0.0)
    """
    scipy("special")
    if not 0 <= held_out <= 0.9:
        raise AssumptionError(f"held_out={held_out:g} is not between 0 (nothing held back) and 0.9")
    if replications < 2:
        raise AssumptionError(f"replications={replications} is too few to see the luck in them; 2 is the least")
    WorkingHours(time_zone=time_zone)
    trace = history if isinstance(history, Trace) else read_history(history, pipeline=pipeline)
    declared = trace.pipeline if pipeline is None else load(pipeline)
    if not trace.executions:
        raise AssumptionError("the history holds no execution, so there is nothing to fit")
    notes: list[str] = []
    used, held_back = _split(trace.executions, held_out, notes)
    samples = take_samples(trace, used, Delays().approval_tick)
    start, until = trace.start, trace.of(held_back[0])[0].time if held_back else trace.end
    plans = fit_arrivals(samples.arrivals, until, start, time_zone)
    keys = [(stage.name, action.name) for stage, action in declared.actions()]
    actions = tuple(
        fit_action("/".join(place), samples.actions[place], enough=enough) for place in keys if place in samples.actions
    )
    approvals = tuple(
        fit_approval("/".join(place), samples.approvals[place], start, time_zone, enough=enough)
        for place in keys
        if place in samples.approvals
    )
    if held_back:
        actions = _with_held_back(actions, take_samples(trace, held_back, Delays().approval_tick))
    _note(trace, declared, actions, approvals, plans, notes)
    pools: Mapping[str, int] = trace[0].detail.get("pools") or {}
    assumptions = Assumptions(
        start=start,
        actions={one.key: one.assumption for one in actions if one.assumption != ActionAssumption()},
        approvals={one.key: one.approver for one in approvals if one.approver.response is not None},
        arrivals=plans[0].arrivals,
        pools={name: Pool(capacity) for name, capacity in pools.items()},
        delays=_delays(samples),
        name=declared.name,
    )
    compared: tuple[Compared, ...] = ()
    if held_back and not isinstance(assumptions.arrivals, Once | At):
        try:
            compared = compare_with_simulation(
                trace, held_back, declared, assumptions, used=len(used), replications=replications, seed=seed
            )
        except DeclarationError as error:
            notes.append(f"The pipeline cannot be simulated, so nothing was compared: {error}")
    return Fitted(assumptions, declared, trace, used, held_back, actions, approvals, plans, compared, tuple(notes))


def _split(executions: tuple[str, ...], held_out: float, notes: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    count = len(executions)
    if held_out and count < FEWEST_FOR_CHECK:
        notes.append(
            f"{count} {'execution is' if count == 1 else 'executions are'} too few to hold some back "
            f"({FEWEST_FOR_CHECK} are the least): nothing was compared with data that the fit had not seen."
        )
        return executions, ()
    keep = count - int(count * held_out)
    return executions[:keep], executions[keep:]


def _with_held_back(actions: tuple[ActionFit, ...], samples: Samples) -> tuple[ActionFit, ...]:
    found = []
    for one in actions:
        stage, _, action = one.key.partition("/")
        seen = samples.actions[stage, action]
        durations = seen.succeeded if one.fails_after is not None else [*seen.succeeded, *seen.failed]
        found.append(replace(one, duration=with_held_back(one.duration, durations)))
    return tuple(found)


def _delays(samples: Samples) -> Delays:
    """The service's own pauses, as the history shows them where nobody was in the way."""
    found = Delays()
    pauses = {"start": samples.start_pauses, "between_stages": samples.stage_pauses}
    for member, seen in pauses.items():
        short = [pause for pause in seen if pause <= PAUSES]
        if len(short) >= 10:
            found = replace(found, **{member: round(median(short), 3)})
    return found


def _note(
    trace: Trace,
    pipeline: Pipeline,
    actions: tuple[ActionFit, ...],
    approvals: tuple[ApprovalFit, ...],
    plans: tuple[Plan, ...],
    notes: list[str],
) -> None:
    seen = {one.key for one in actions} | {one.key for one in approvals}
    never = [f"{stage.name}/{action.name}" for stage, action in pipeline.actions()]
    never = [key for key in never if key not in seen]
    if never:
        notes.append(f"Never seen, so the catalog's durations stay: {', '.join(never)}.")
    for one in actions:
        if one.duration.distribution is None:
            notes.append(f"{one.key} never ended, so the catalog's duration stays.")
        if one.left_out:
            notes.append(f"Left out, because the first or last record is missing: {one.left_out} of {one.key}.")
    few = [one.key for one in actions if one.duration.complete and not one.duration.candidates]
    few += [one.key for one in approvals if one.response.complete and not one.response.candidates]
    if few:
        notes.append(f"Few were seen, so the observed durations are drawn again: {', '.join(few)}.")
    silent = [one.key for one in approvals if one.response.distribution is None]
    if silent:
        notes.append(f"Nobody answered, so the default approver stays: {', '.join(silent)}.")
    if isinstance(plans[0].arrivals, Once | At):
        notes.append("Too few changes arrived to say how often they do.")
    if not trace[0].detail.get("pools"):
        notes.append(
            "A history does not tell waiting for a build slot from building: durations hold both, and no pool "
            "is assumed."
        )
