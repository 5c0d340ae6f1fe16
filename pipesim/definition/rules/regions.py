"""Rules about regions: a store in every one that is used, and no cross-region actions where none are allowed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from pipesim.definition.paths import join
from pipesim.definition.reading import did_you_mean
from pipesim.definition.rules.subject import PlacedAction, Subject
from pipesim.definition.rules.table import ACTION, OBSERVED, VALIDATION, Found, rule
from pipesim.vocabulary import ActionOwner

GUIDE = "user guide page actions-create-cross-region"


@cache
def known_regions() -> frozenset[str]:
    """Return every region that botocore knows, of all partitions."""
    import botocore.session

    session = botocore.session.Session()
    return frozenset(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition_name=partition)
    )


@rule(
    "unknown-region",
    "Regions are regions of AWS.",
    code=VALIDATION,
    wording="service",
    source=f"{OBSERVED} (for artifactStores; the same form is assumed for actions)",
)
def unknown_region(subject: Subject) -> Iterator[Found]:
    """Find regions that do not exist."""
    named = [
        *(
            (join("artifactStores", region), region, "pipeline.artifactStores")
            for region in subject.pipeline.artifact_stores
        ),
        *((join(placed.path, "region"), placed.action.region, "region") for placed in subject.actions),
        *((join(placed.path, "region"), placed.rule.region, "region") for placed in subject.rules),
    ]
    for path, region, member in named:
        if region is not None and region not in known_regions():
            yield Found(
                path,
                f"The region {region} specified in '{member}' is not a valid AWS Region.",
                did_you_mean(region, sorted(known_regions())),
            )


@rule(
    "cross-region-single-store",
    "A pipeline with actions in several regions has an artifact store for each.",
    code=VALIDATION,
    wording="service",
    source=f"{GUIDE}; {OBSERVED}",
)
def cross_region_single_store(subject: Subject) -> Iterator[Found]:
    """Find a single store in a pipeline with cross-region actions."""
    if subject.pipeline.artifact_stores or subject.pipeline.artifact_store is None:
        return
    abroad = [placed for placed in _abroad(subject) if _may_be_abroad(placed)]
    if abroad:
        yield Found(
            "artifactStore",
            "Your pipeline contains actions in more than one region. Use 'pipeline.artifactStores' instead of "
            "'pipeline.artifactStore' to declare an artifact store, such as an artifact bucket, for each region where "
            "you have an action.",
            f"action {abroad[0].action.name!r} is in {abroad[0].action.region}",
        )


@rule(
    "store-of-region-missing",
    "artifactStores has a store for every region in use, the pipeline's own included.",
    code=VALIDATION,
    wording="service",
    source=f"{GUIDE}; {OBSERVED}",
)
def store_of_region_missing(subject: Subject) -> Iterator[Found]:
    """Find regions in use without a store."""
    stores = subject.pipeline.artifact_stores
    if not stores:
        return
    used = dict.fromkeys([*([subject.region] if subject.region else []), *_action_regions(subject)])
    for region in used:
        if region not in stores and region in known_regions():
            yield Found(
                "artifactStores",
                "Your pipeline must have an artifact store, such as an artifact bucket, for each region where you have "
                f"an action. The following region is missing in 'pipeline.artifactStores': {region}.",
                f"stores are there for {', '.join(stores)}",
            )


@rule(
    "no-cross-region",
    "Source actions, third-party actions and custom actions run in the pipeline's own region.",
    code=ACTION,
    wording="ours",
    source=GUIDE,
)
def no_cross_region(subject: Subject) -> Iterator[Found]:
    """Find actions in another region that cannot be there."""
    for placed in _abroad(subject):
        if not _may_be_abroad(placed):
            kind = "source" if placed.is_source else f"{placed.action.type.owner} owned"
            yield Found(
                join(placed.path, "region"),
                f"Action '{placed.action.name}' cannot be a cross-region action, because it is a {kind} action",
                f"leave the region out; the pipeline is in {subject.region or 'its own region'}",
            )


def _action_regions(subject: Subject) -> Iterator[str]:
    yield from (placed.action.region for placed in subject.actions if placed.action.region)


def _abroad(subject: Subject) -> Iterator[PlacedAction]:
    """Yield the actions that name another region than the pipeline's own."""
    for placed in subject.actions:
        region = placed.action.region
        if region is not None and region != subject.region and region in known_regions():
            yield placed


def _may_be_abroad(placed: PlacedAction) -> bool:
    return not placed.is_source and placed.action.type.owner == ActionOwner.AWS
