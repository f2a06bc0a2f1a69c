"""Folding instants of observation into intervals of evidence. Pure.

An observation not later than `gap` after an interval's end extends it; a later one opens the next.
The same observations in the same or in another order, once or twice, give the same intervals.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

MINIMAL_GAP = timedelta(seconds=60)


@dataclass(frozen=True, order=True)
class Interval:
    """From first to last observation without a gap; `observations` counts distinct instants
    as far as they were told in order: one that falls inside adds nothing.
    """

    first: datetime
    last: datetime
    observations: int = 1


def gap_of(period_seconds: float) -> timedelta:
    """Return the silence that ends an interval: three sampling periods, a minute at least."""
    return max(MINIMAL_GAP, timedelta(seconds=3 * period_seconds))


def extended(interval: Interval, seen: datetime, gap: timedelta) -> Interval | None:
    """Return the interval with one more observation, or None when it is out of its reach."""
    if interval.first <= seen <= interval.last:
        return interval
    if interval.last < seen <= interval.last + gap:
        return replace(interval, last=seen, observations=interval.observations + 1)
    if interval.first - gap <= seen < interval.first:
        return replace(interval, first=seen, observations=interval.observations + 1)
    return None


def fold(known: Iterable[Interval], observed: Iterable[datetime], gap: timedelta) -> list[Interval]:
    """Return all intervals after the observations, in order of time, none within `gap` of another.

    Idempotent, and independent of the order of `observed`.
    """
    seen = [Interval(instant, instant) for instant in set(observed)]
    return _joined(sorted([*known, *seen]), gap)


def _joined(intervals: Sequence[Interval], gap: timedelta) -> list[Interval]:
    folded: list[Interval] = []
    for interval in intervals:
        if folded and interval.first <= folded[-1].last + gap:
            folded[-1] = _union(folded[-1], interval)
        else:
            folded.append(interval)
    return folded


def _union(one: Interval, other: Interval) -> Interval:
    """Join two; an instant that lies within the other was counted there."""
    if one.first <= other.first and other.last <= one.last:
        return one
    if other.first <= one.first and one.last <= other.last:
        return other
    return Interval(
        min(one.first, other.first),
        max(one.last, other.last),
        one.observations + other.observations,
    )
