"""A load test, as such services report it: virtual users, response times, errors.

Response times are drawn from a lognormal distribution around what is assumed of the site.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from pipesim.cloud.partners.service import Result

P95 = 1.645


def load_test(
    rng: np.random.Generator, *, users: int, median: float, p95: float, errors: float, most_errors: float
) -> Result:
    """Let users ask a site, and judge the share of errors.

    Args:
        rng: where luck comes from.
        users: how many virtual users there are; each asks ten times.
        median, p95: what is assumed of the response time, in seconds.
        errors: the share of requests that fails.
        most_errors: the largest share with which the test passes.

    >>> load_test(np.random.default_rng(1), users=50, median=0.2, p95=0.6, errors=0.0, most_errors=0.01).passed
    True
    """
    requests = 10 * users
    times = rng.lognormal(np.log(median), np.log(p95 / median) / P95, requests)
    failed = int(rng.binomial(requests, errors))
    measured: Mapping[str, float] = {
        "users": users,
        "requests": requests,
        "averageResponseMilliseconds": round(float(times.mean()) * 1000),
        "p95ResponseMilliseconds": round(float(np.quantile(times, 0.95)) * 1000),
        "errors": failed,
    }
    summary = (
        f"{users} users, {requests} requests, average {measured['averageResponseMilliseconds']} ms,"
        f" 95th percentile {measured['p95ResponseMilliseconds']} ms, {failed} errors"
    )
    return Result(failed <= most_errors * requests, summary, {"summary.json": json.dumps(measured, indent=2).encode()})
