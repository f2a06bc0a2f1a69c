"""Folding instants of observation into intervals of evidence. Pure.

An observation not later than `gap` after an interval's end extends it; a later one opens the next.
The same observations in the same or in another order, once or twice, give the same intervals.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from lineage.edges import FRESH_MOVEMENT, FRESH_PRESENCE, PRESENCE


@dataclass(frozen=True, order=True)
class Interval:
    """From first to last observation without a gap; `observations` counts distinct instants
    as far as they were told in order: one that falls inside adds nothing.
    """

    first: datetime
    last: datetime
    observations: int = 1


def gap_of(kind: str, period_seconds: float) -> timedelta:
    """Return the silence that ends an interval of one kind of evidence.

    Presence is renewed by each sample: three sampling periods, a minute at least. Movement comes
    when there is something to move: as long as its freshness, so that a slow topic does not open
    an interval a record.
    """
    fresh = FRESH_PRESENCE if kind in PRESENCE else FRESH_MOVEMENT
    return max(fresh, timedelta(seconds=3 * period_seconds))


def fold(known: Iterable[Interval], observed: Iterable[datetime], gap: timedelta) -> list[Interval]:
    """Return all intervals after the observations, in order of time, none within `gap` of another.

    Idempotent, and independent of the order of `observed`.
    """
    seen = [Interval(instant, instant) for instant in set(observed)]
    return _joined(sorted([*known, *seen]), gap)


class Span(Protocol):
    """Whatever has a beginning and an end."""

    first_seen: datetime
    last_seen: datetime


S = TypeVar("S", bound=Span)


def coarsen(
    intervals: Iterable[S],
    horizon: datetime,
    resolution: timedelta,
    alike: Callable[[S, S], bool] = lambda _one, _other: True,
) -> list[list[S]]:
    """Cut intervals in order of time into runs that become one each.

    Joined is what ended before `horizon` and follows a silence of `resolution` at most, where the
    two are `alike`. In steps, with horizons that grow, it gives what it gives at once.
    """
    runs: list[list[S]] = []
    for interval in intervals:
        before = runs[-1][-1] if runs else None
        if (
            before is not None
            and interval.last_seen < horizon
            and interval.first_seen <= before.last_seen + resolution
            and alike(before, interval)
        ):
            runs[-1].append(interval)
        else:
            runs.append([interval])
    return runs


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
