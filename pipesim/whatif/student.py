"""Student's t distribution, without scipy: what intervals from few replications stand on.

The distribution function is the regularised incomplete beta function, evaluated by its continued
fraction (Lentz's method; Abramowitz and Stegun 26.5.8 and 26.7.1); the quantile is found by halving.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

NORMAL = NormalDist()
MANY = 1_000_000
TINY = 1e-300


def student_cdf(value: float, freedom: float) -> float:
    """Return the share of Student's t distribution below a value.

    Args:
        value: the value.
        freedom: degrees of freedom, above 0.

    >>> round(student_cdf(2.0, 10), 6)
    0.963306
    """
    tail = 0.5 * _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + value * value))
    return 1 - tail if value > 0 else tail


@lru_cache(maxsize=4096)
def student_quantile(share: float, freedom: float) -> float:
    """Return the value that a share of Student's t distribution does not exceed.

    Args:
        share: between 0 and 1, both excluded.
        freedom: degrees of freedom, above 0.

    >>> round(student_quantile(0.975, 9), 6)
    2.262157
    """
    if freedom >= MANY:
        return NORMAL.inv_cdf(share)
    if share == 0.5:
        return 0.0
    if share < 0.5:
        return -student_quantile(1 - share, freedom)
    low, high = 0.0, 2.0
    while student_cdf(high, freedom) < share:
        low, high = high, high * 2
    for _ in range(100):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if student_cdf(middle, freedom) < share:
            low = middle
        else:
            high = middle
    return high


def _incomplete_beta(a: float, b: float, x: float) -> float:
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _off_zero(1 + even * d), _off_zero(1 + even / c)
        result *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _off_zero(1 + odd * d), _off_zero(1 + odd / c)
        result *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return result


def _off_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
