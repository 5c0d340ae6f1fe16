"""Stretches of time as (start, end) pairs: joined, and with others taken out."""

from __future__ import annotations

from collections.abc import Iterable

Stretch = tuple[float, float]


def union(pieces: Iterable[Stretch]) -> list[Stretch]:
    """Return disjoint stretches that cover the same times, in order; empty ones are left out.

    >>> union([(5, 8), (0, 2), (1, 3)])
    [(0, 3), (5, 8)]
    """
    merged: list[Stretch] = []
    for start, end in sorted(pieces):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


def without(whole: Stretch, holes: Iterable[Stretch]) -> list[Stretch]:
    """Return what is left of a stretch when others are taken out of it.

    >>> without((0, 10), [(2, 4), (9, 12)])
    [(0, 2), (4, 9)]
    """
    left, (cursor, end) = [], whole
    for start, stop in union(holes):
        if start > cursor:
            left.append((cursor, min(start, end)))
        cursor = max(cursor, stop)
        if cursor >= end:
            break
    if cursor < end:
        left.append((cursor, end))
    return [(a, b) for a, b in left if b > a]


def length(pieces: Iterable[Stretch]) -> float:
    """Return how long stretches last together, in which times that they share count once.

    >>> length([(0, 2), (1, 3), (5, 8)])
    6.0
    """
    return float(sum(end - start for start, end in union(pieces)))
