"""Small scenarios on which what-if questions are asked."""

from __future__ import annotations

from dataclasses import replace

import pipesim
from pipesim import edit
from pipesim.assumptions.arrivals import Arrivals, Poisson
from pipesim.assumptions.distributions import Distribution, LogNormal
from pipesim.assumptions.model import ActionAssumption, Assumptions, Delays
from pipesim.definition.model import Pipeline
from pipesim.edit import Scenario


def line(mode: str = "SUPERSEDED") -> Pipeline:
    """Source, a build and a deployment, one after another."""
    return replace(pipesim.load("GitHub -> CodeBuild -> S3"), execution_mode=mode, pipeline_type="V2")


def small(
    mode: str = "SUPERSEDED",
    arrivals: Arrivals | None = None,
    build: Distribution | None = None,
    **more: object,
) -> Scenario:
    """The line with a log-normal build of about five minutes and six changes an hour."""
    actions = {
        "Source/GitHub": ActionAssumption(duration=LogNormal(5, 9)),
        "Build/CodeBuild": ActionAssumption(duration=build or LogNormal(300, 500)),
        "Deploy/S3": ActionAssumption(duration=LogNormal(20, 40)),
    }
    return Scenario(
        line(mode),
        Assumptions(arrivals=arrivals or Poisson(6), actions=actions, delays=Delays.none(), **more),  # type: ignore[arg-type]
    )


def shop() -> Scenario:
    """The e-commerce sample with its profile."""
    return Scenario(
        pipesim.load(pipesim.sample("e-commerce")), pipesim.load_profile(pipesim.sample_profile("e-commerce"))
    )


def pooled() -> Scenario:
    """The line in PARALLEL mode with one place for builds: only the engine can run it."""
    return edit.pool("builds", 1)(small("PARALLEL"))
