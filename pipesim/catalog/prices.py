"""What AWS charges for a pipeline: data with its date and source; nothing is computed here.

Prices are US dollars, us-east-1, without tax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from immutabledict import immutabledict


@dataclass(frozen=True, slots=True)
class PriceList:
    """What one unit of each thing costs.

    Attributes:
        as_of: when these prices were read.
        source: where.
        v1_pipeline_month: dollars an active V1 pipeline and month; not prorated.
        v1_free_pipelines: active V1 pipelines a month that cost nothing.
        v1_free_days: days from its creation in which a V1 pipeline costs nothing.
        v2_action_minute: dollars a V2 action execution minute; every action execution is rounded up.
        v2_free_minutes: V2 minutes a month that cost nothing, an account.
        v2_free_categories: categories whose actions cost nothing in V2.
        v2_free_owners: owners whose actions cost nothing in V2.
        build_minute: dollars a CodeBuild minute, by compute type; every build is rounded up.
        build_free_minutes: CodeBuild minutes a month that cost nothing.
        build_free_type: the compute type of which they are.
    """

    as_of: date
    source: str
    v1_pipeline_month: float
    v1_free_pipelines: int
    v1_free_days: int
    v2_action_minute: float
    v2_free_minutes: int
    v2_free_categories: frozenset[str]
    v2_free_owners: frozenset[str]
    build_minute: Mapping[str, float]
    build_free_minutes: int
    build_free_type: str


PRICES = PriceList(
    as_of=date(2026, 11, 1),
    source="aws.amazon.com/codepipeline/pricing; build prices from published price pages of third parties",
    v1_pipeline_month=1.00,
    v1_free_pipelines=1,
    v1_free_days=30,
    v2_action_minute=0.002,
    v2_free_minutes=100,
    v2_free_categories=frozenset({"Approval"}),
    v2_free_owners=frozenset({"Custom"}),
    build_minute=immutabledict(
        {"BUILD_GENERAL1_SMALL": 0.005, "BUILD_GENERAL1_MEDIUM": 0.010, "BUILD_GENERAL1_LARGE": 0.020}
    ),
    build_free_minutes=100,
    build_free_type="BUILD_GENERAL1_SMALL",
)
"""The prices of November 2026; 500 V2 minutes cost as much as one V1 pipeline and month."""
