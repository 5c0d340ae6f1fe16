"""The seed of each replication, known before any of them runs."""

from __future__ import annotations

import operator
from hashlib import blake2b

from pipesim.assumptions.streams import FAMILY_BITS, sibling
from pipesim.errors import AssumptionError


def replication_seed(seed: int, replication: int, purpose: str = "") -> int:
    """Return the seed of one replication: a sibling of the family that belongs to the experiment's seed.

    It depends on nothing else, so the order in which replications run, the number of workers and the
    size of chunks leave every result as it is, and replication 7 of two scenarios shares its luck.
    Siblings draw from common tables (`pipesim.assumptions.streams.Family`), which the fast path reads at once.

    Args:
        seed: the experiment's seed.
        replication: the replication's number, from 0.
        purpose: what they are for, where they shall share no luck with the ordinary ones.

    Raises:
        AssumptionError: the seed is not a whole number.

    >>> replication_seed(0, 0) == replication_seed(0, 0) != replication_seed(0, 1)
    True
    """
    return sibling(family_of(seed, purpose), replication)


def family_of(seed: int, purpose: str = "") -> int:
    """Return the number of the family of an experiment: a 48-bit digest of its seed.

    Raises:
        AssumptionError: the seed is not a whole number.
    """
    try:
        text = f"{operator.index(seed)}\0{purpose}"
    except TypeError:
        raise AssumptionError(f"the seed must be a whole number, not {seed!r}") from None
    digest = blake2b(text.encode(), digest_size=FAMILY_BITS // 8, person=b"replications").digest()
    return int.from_bytes(digest, "little")
