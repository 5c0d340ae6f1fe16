"""What a fit may choose can be changed, sampled by the fast path and judged like every other assumption."""

from dataclasses import replace

import numpy as np
import pytest

import pipesim
from pipesim import ActionAssumption, Assumptions
from pipesim.assumptions.arrivals import Weekly
from pipesim.assumptions.distributions import Bootstrap, Gamma
from pipesim.whatif.scaling import scaled
from pipesim.whatif.timing import more_arrivals

WEEK = Weekly(tuple([0.0] * 9 + [3.0] * 8 + [0.0] * 7) * 5 + (0.0,) * 48, "Europe/Berlin")


@pytest.mark.parametrize("kind", [Gamma(4, 60), Bootstrap((60, 120, 240), (3, 1, 2))], ids=["Gamma", "Bootstrap"])
def test_twice_as_long_is_twice_every_draw(kind):
    once, twice = (one.sample(np.random.default_rng(1), 500) for one in (kind, scaled(kind, 2)))

    assert type(scaled(kind, 2)) is type(kind)
    assert twice == pytest.approx(2 * once, abs=0.002)


def test_twice_the_commits_is_twice_every_rate():
    assert more_arrivals(WEEK, 2).per_hour[9] == 6.0
    assert more_arrivals(WEEK, 2).time_zone == "Europe/Berlin"


def test_replications_run_under_fitted_kinds():
    pipeline = pipesim.load("GitHub -> CodeBuild -> S3")
    assumptions = Assumptions(
        arrivals=WEEK,
        actions={
            "CodeBuild": ActionAssumption(duration=Gamma(4, 60), fails=0.1),
            "S3": ActionAssumption(duration=Bootstrap((30, 90), (2, 1))),
        },
    )

    result = pipesim.replicate(pipeline, assumptions, 4, days=14, seed=3)
    slow = replace(assumptions, arrivals=more_arrivals(WEEK, 1.0))

    assert result.engine_used == "vectorised"
    assert np.mean(result.samples["started"]) == pytest.approx(10 * 24, rel=0.15)
    again = pipesim.replicate(pipeline, slow, 4, days=14, seed=3)
    assert again.samples["lead_time"] == pytest.approx(result.samples["lead_time"])
