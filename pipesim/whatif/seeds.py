"""The seed of each replication, known before any of them runs."""

from __future__ import annotations

import operator
from hashlib import blake2b

from pipesim.errors import AssumptionError


def replication_seed(seed: int, replication: int) -> int:
    """Return the seed of one replication: a 63-bit digest of the experiment's seed and the replication's number.

    It depends on nothing else, so the order in which replications run, the number of workers and the
    size of chunks leave every result as it is, and replication 7 of two scenarios shares its luck.

    Args:
        seed: the experiment's seed.
        replication: the replication's number, from 0.

    Raises:
        AssumptionError: the seed is not a whole number.

    >>> replication_seed(0, 0) == replication_seed(0, 0) != replication_seed(0, 1)
    True
    """
    try:
        text = f"{operator.index(seed)}\0{operator.index(replication)}"
    except TypeError:
        raise AssumptionError(f"the seed must be a whole number, not {seed!r}") from None
    return int.from_bytes(blake2b(text.encode(), digest_size=8, person=b"replication").digest(), "little") >> 1
