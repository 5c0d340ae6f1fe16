"""From the samples of one action or approval to what is assumed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.distributions import Bootstrap, Distribution, Empirical
from pipesim.assumptions.model import ActionAssumption, Approver
from pipesim.whatif.daily_shape import FEW, working_hours
from pipesim.whatif.fit_samples import Durations, Request
from pipesim.whatif.goodness import Goodness, goodness, kaplan_meier
from pipesim.whatif.likelihood import Candidate, fit_distributions, scipy

ENOUGH = 30
"""With fewer complete durations than this the observed ones are drawn again instead of a fitted curve."""
DIFFERENT = 0.01
"""Failing attempts last differently when chance alone would make so large a difference this rarely."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A distribution chosen for durations.

    Attributes:
        distribution: the chosen one; None where no duration was seen to its end.
        candidates: every family, the best by AIC first; empty where data are few.
        goodness: how far the chosen one lies from the durations that it was fitted to; None without them.
        complete: how many durations were seen to their end.
        censored: how many were cut off.
        held_back: how far it lies from durations that were held back, with a p-value; None where nothing was.
    """

    distribution: Distribution | None
    candidates: tuple[Candidate, ...]
    goodness: Goodness | None
    complete: int
    censored: int
    held_back: Goodness | None = None

    @property
    def name(self) -> str:
        """The family, or what was done instead."""
        if self.distribution is None:
            return "unknown"
        kind = type(self.distribution).__name__
        return kind if self.candidates else f"{kind} of {self.complete}"


@dataclass(frozen=True, slots=True)
class Odds:
    """Odds of failure or rejection, counted.

    Attributes:
        count: how often it happened.
        of: out of how many.
        low: the lower end of the exact 95 % interval (Clopper and Pearson, 1934).
        high: its upper end.
    """

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share, 0 to 1; 0 where nothing was counted."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class ActionFit:
    """What a history says of one action.

    Attributes:
        key: ``Stage/Action``.
        duration: how long it works.
        fails: how often it fails.
        fails_after: how long failing attempts work, where that differs; else None.
        assumption: the same as an assumption.
        left_out: attempts whose start or end no record tells.
    """

    key: str
    duration: Fit
    fails: Odds
    fails_after: Fit | None
    assumption: ActionAssumption
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class ApprovalFit:
    """What a history says of the people behind one approval.

    Attributes:
        key: ``Stage/Action``.
        response: how long they take, in working time where they have hours.
        rejects: how often they reject.
        hours: when they answer; None: round the clock, or too few answers to tell.
        approver: the same as an assumption.
    """

    key: str
    response: Fit
    rejects: Odds
    hours: WorkingHours | None
    approver: Approver


def fit_duration(complete: Sequence[float], censored: Sequence[float] = (), *, enough: int = ENOUGH) -> Fit:
    """Choose a distribution for durations: by AIC where there are enough, else the observed ones drawn again.

    Args:
        complete: durations seen to their end, in seconds.
        censored: durations that were cut off, in seconds.
        enough: how many complete durations a curve needs.
    """
    if not len(complete):
        return Fit(None, (), None, 0, len(censored))
    candidates: tuple[Candidate, ...] = ()
    chosen: Distribution
    if len(complete) >= max(enough, 2):
        candidates = fit_distributions(complete, censored)
        chosen = candidates[0].distribution
    elif len(censored):
        values, shares = kaplan_meier(complete, censored)
        chosen = Bootstrap(tuple(values.tolist()), tuple(float(f"{share:.6g}") for share in shares))
    else:
        chosen = Empirical(tuple(round(value, 3) for value in complete))
    return Fit(chosen, candidates, goodness(chosen, complete, censored), len(complete), len(censored))


def count_odds(count: int, of: int) -> Odds:
    """Return odds with their exact 95 % interval.

    >>> round(count_odds(0, 30).high, 3)
    0.116
    """
    if not of:
        return Odds(0, 0, 0.0, 1.0)
    interval = scipy("stats").binomtest(count, of).proportion_ci(0.95, "exact")
    return Odds(count, of, float(interval.low), float(interval.high))


def fit_action(key: str, durations: Durations, *, enough: int = ENOUGH) -> ActionFit:
    """Say what is assumed of an action.

    Failing attempts count as durations like the others, unless they last differently
    (two-sample Kolmogorov-Smirnov test): then they get a distribution of their own.

    Args:
        key: ``Stage/Action``.
        durations: its attempts.
        enough: how many complete durations a curve needs.
    """
    good, bad = durations.succeeded, durations.failed
    odds = count_odds(len(bad), len(good) + len(bad))
    apart = bool(bad) and (not good or _differ(good, bad))
    duration = fit_duration(good if apart else [*good, *bad], durations.censored, enough=enough)
    failing = fit_duration(bad, enough=enough) if apart else None
    code = max(durations.codes, key=lambda code: durations.codes[code]) if durations.codes else "JobFailed"
    assumption = ActionAssumption(
        duration=duration.distribution,
        fails=round(odds.share, 6),
        fails_after=None if failing is None else failing.distribution,
        code=code,
    )
    return ActionFit(key, duration, odds, failing, assumption, durations.left_out)


def with_held_back(fit: Fit, held_back: Sequence[float]) -> Fit:
    """Return a fit with its distance from durations that it has not seen.

    Args:
        fit: what was fitted.
        held_back: complete durations, in seconds; fewer than `FEW` tell nothing.
    """
    if fit.distribution is None or len(held_back) < FEW:
        return fit
    return replace(fit, held_back=goodness(fit.distribution, held_back, independent=True))


def fit_approval(
    key: str, requests: Sequence[Request], start: datetime, time_zone: str = "UTC", *, enough: int = ENOUGH
) -> ApprovalFit:
    """Say what is assumed of the people behind an approval.

    Working hours are taken where they explain the answers better: a log-normal response in working time against one
    that passes round the clock, by AIC, the hours counted as four numbers.

    Args:
        key: ``Stage/Action``.
        requests: the requests for approval.
        start: the calendar moment of the trace's time zero (aware).
        time_zone: the wall clock by which they work, an IANA name.
        enough: how many answers a curve needs.
    """
    answered = [request for request in requests if request.answered]
    hours = _hours(requests, answered, start, time_zone) if len(answered) >= FEW else None
    complete, censored = _responses(requests, hours, start)
    response = fit_duration(complete, censored, enough=enough)
    rejects = count_odds(sum(request.rejected for request in answered), len(answered))
    approver = Approver(
        response=response.distribution,
        rejects=round(rejects.share, 6),
        hours=hours,
    )
    return ApprovalFit(key, response, rejects, hours, approver)


def _differ(good: Sequence[float], bad: Sequence[float]) -> bool:
    return bool(scipy("stats").ks_2samp(good, bad).pvalue < DIFFERENT)


def _hours(
    requests: Sequence[Request], answered: Sequence[Request], start: datetime, time_zone: str
) -> WorkingHours | None:
    hours = working_hours([start + timedelta(seconds=request.until) for request in answered], time_zone)
    if hours is None:
        return None
    hours = replace(hours, days=_days(requests, hours, start))
    around, inside = (
        fit_distributions(*_responses(requests, choice, start), families=["LogNormal"])[0].aic
        for choice in (None, hours)
    )
    return hours if inside + 8 < around else None


def _days(requests: Sequence[Request], hours: WorkingHours, start: datetime) -> tuple[int, ...]:
    """The days of answers, and those of Monday to Friday on which no request lay open in vain."""
    every = replace(hours, days=tuple(range(7)))
    silent: set[int] = set()
    zone = ZoneInfo(hours.time_zone)
    for request in requests:
        asked, until = (start + timedelta(seconds=time) for time in (request.asked, request.until))
        for opened, closed in every.windows(asked):
            if closed > until:
                break
            if opened >= asked:
                silent.add(opened.astimezone(zone).weekday())
    return tuple(sorted({*hours.days, *(set(range(5)) - silent)}))


def _responses(
    requests: Sequence[Request], hours: WorkingHours | None, start: datetime
) -> tuple[list[float], list[float]]:
    complete: list[float] = []
    censored: list[float] = []
    for request in requests:
        length = request.until - request.asked
        if hours is not None:
            asked, until = (start + timedelta(seconds=time) for time in (request.asked, request.until))
            length = hours.between(asked, until)
        (complete if request.answered else censored).append(length)
    return complete, censored
