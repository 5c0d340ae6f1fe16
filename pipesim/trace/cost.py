"""What a trace would have cost: V1, V2, and the builds behind it.

V2 rounds every action execution up to whole minutes; approvals and custom actions cost
nothing; a failed or abandoned action is billed for the time it ran (an assumption). V1 costs a
flat sum for each month in which a change passes. Source: AWS CodePipeline pricing page, see
`pipesim.catalog.prices`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from immutabledict import immutabledict

from pipesim.catalog.prices import PRICES, PriceList
from pipesim.definition.model import Action, Pipeline
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.spans import spans

DEFAULT_COMPUTE = "BUILD_GENERAL1_SMALL"
BUILDERS = frozenset({"CodeBuild", "Commands", "ECRBuildAndPublish", "InspectorScan", "EKS"})


@dataclass(frozen=True, slots=True)
class MonthCost:
    """The cost of one calendar month, in US dollars.

    Attributes:
        month: such as ``2026-03``.
        executions: executions that started in it.
        v1: what a V1 pipeline would cost.
        v2: what a V2 pipeline would cost, after the free minutes.
        v2_minutes: billed action execution minutes, before the free ones are taken off.
        builds: what the build minutes cost, after the free ones.
        build_minutes: build minutes by compute type, before the free ones are taken off.
    """

    month: str
    executions: int
    v1: float
    v2: float
    v2_minutes: int
    builds: float
    build_minutes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a trace, in US dollars, by month and in all.

    Attributes:
        months: one record a calendar month that the trace touches.
        prices: the prices used.
        pipeline_type: ``V1`` or ``V2``: what the pipeline is.
    """

    months: tuple[MonthCost, ...]
    prices: PriceList
    pipeline_type: str

    @property
    def v1(self) -> float:
        """What it would cost as a V1 pipeline."""
        return sum(month.v1 for month in self.months)

    @property
    def v2(self) -> float:
        """What it would cost as a V2 pipeline."""
        return sum(month.v2 for month in self.months)

    @property
    def builds(self) -> float:
        """What the builds cost, whichever type the pipeline is."""
        return sum(month.builds for month in self.months)

    @property
    def total(self) -> float:
        """The pipeline as it is declared, and its builds."""
        return (self.v2 if self.pipeline_type == "V2" else self.v1) + self.builds

    def __str__(self) -> str:
        minutes = sum(month.v2_minutes for month in self.months)
        builds = sum(sum(month.build_minutes.values()) for month in self.months)
        cheaper = "V1" if self.v1 < self.v2 else "V2" if self.v2 < self.v1 else "neither"
        return "\n".join(
            (
                f"cost as {self.pipeline_type}, with builds  {self.total:.2f} USD",
                f"  as V1                 {self.v1:.2f} USD",
                f"  as V2                 {self.v2:.2f} USD ({minutes} action minutes)",
                f"  builds                {self.builds:.2f} USD ({builds} build minutes)",
                f"  cheaper               {cheaper}",
                f"  prices of {self.prices.as_of:%B %Y}, us-east-1; free tier taken off as if nothing else used it",
            )
        )


def cost(
    trace: Trace,
    prices: PriceList = PRICES,
    *,
    compute: Mapping[str, str] | None = None,
    free_tier: bool = True,
    older_than_30_days: bool = True,
) -> Cost:
    """Work out what a trace would have cost.

    Args:
        trace: what happened.
        prices: dollars a unit.
        compute: the compute type of build actions by ``Stage/Action`` or ``Action``; the rest are small.
        free_tier: take the free pipeline and the free minutes of each month off.
        older_than_30_days: whether the pipeline is past the first 30 days, in which V1 costs nothing.

    Raises:
        KeyError: a compute type that the price list does not know.

    >>> import pipesim
    >>> trace = pipesim.simulate(pipesim.load("GitHub -> CodeBuild -> S3"), seed=1)
    >>> cost(trace, free_tier=False).months[0].executions
    1
    """
    chosen = compute or {}
    actions = _actions(trace)
    minutes: dict[str, int] = defaultdict(int)
    builds: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    executions: dict[str, int] = defaultdict(int)
    for event in trace:
        if event.kind is EventKind.EXECUTION_STARTED:
            executions[_month(trace, event.time)] += 1
    idle: dict[tuple[str, str | None, str | None, int | None], float] = defaultdict(float)
    found = spans(trace)
    for span in found:
        if span.level == "wait" and span.reason == "pool":
            idle[span.execution, span.stage, span.action, span.attempt] += span.duration
    for span in found:
        if span.level != "action":
            continue
        action = actions.get((span.stage, span.action))
        if action is None:
            continue
        month = _month(trace, span.end)
        if action.category not in prices.v2_free_categories and action.type.owner not in prices.v2_free_owners:
            minutes[month] += _whole_minutes(span.duration)
        if action.provider in BUILDERS:
            kind = _compute(action, str(span.stage), chosen)
            waited = idle[span.execution, span.stage, span.action, span.attempt]
            builds[month][kind] += _whole_minutes(span.duration - waited)
    months = sorted({*executions, *minutes, *builds})
    return Cost(
        tuple(
            _price(month, executions[month], minutes[month], builds[month], prices, free_tier, older_than_30_days)
            for month in months
        ),
        prices,
        trace.pipeline.effective_type,
    )


def _price(
    month: str,
    executions: int,
    minutes: int,
    builds: Mapping[str, int],
    prices: PriceList,
    free_tier: bool,
    older: bool,
) -> MonthCost:
    pipelines = 1 if executions and older else 0
    if free_tier:
        pipelines = max(0, pipelines - prices.v1_free_pipelines)
    billed = max(0, minutes - prices.v2_free_minutes) if free_tier else minutes
    dollars = 0.0
    for kind, count in builds.items():
        free = prices.build_free_minutes if free_tier and kind == prices.build_free_type else 0
        dollars += max(0, count - free) * prices.build_minute[kind]
    return MonthCost(
        month=month,
        executions=executions,
        v1=pipelines * prices.v1_pipeline_month,
        v2=billed * prices.v2_action_minute,
        v2_minutes=minutes,
        builds=dollars,
        build_minutes=immutabledict(builds),
    )


def _actions(trace: Trace) -> dict[tuple[str | None, str | None], Action]:
    pipelines: list[Pipeline] = [trace.pipeline]
    pipelines += [_updated(e.detail["document"]) for e in trace if e.kind is EventKind.PIPELINE_UPDATED]
    return {(stage.name, action.name): action for pipeline in pipelines for stage, action in pipeline.actions()}


def _updated(document: Mapping[str, object]) -> Pipeline:
    from pipesim.definition.document import parse_document

    return parse_document(document)


def _compute(action: Action, stage: str, chosen: Mapping[str, str]) -> str:
    return (
        chosen.get(f"{stage}/{action.name}")
        or chosen.get(action.name)
        or action.configuration.get("ComputeType")
        or DEFAULT_COMPUTE
    )


def _whole_minutes(seconds: float) -> int:
    return max(1, math.ceil(round(seconds, 3) / 60))


def _month(trace: Trace, time: float) -> str:
    return f"{trace.start + timedelta(seconds=time):%Y-%m}"
