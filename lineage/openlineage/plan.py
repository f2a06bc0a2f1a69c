"""Which events are due for one job: what is seen of it now against what was told. Pure.

A run is a time in which a job is seen without a break: START when it is first seen, RUNNING when
something changed and every few minutes, COMPLETE when it was not seen for long enough. What was
over before it could be told is told as a run of its own, or as OTHER while a run goes on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lineage.openlineage.events import State

# a receiver takes evidence of movement for fresh during ten minutes
RENEWED_EACH = timedelta(minutes=5)


@dataclass(frozen=True)
class Seen:
    """One edge of the job: `key` tells it from the job's others."""

    key: str
    first: datetime
    last: datetime
    fresh: bool


@dataclass(frozen=True)
class Told:
    """What was told of the job: its runs so far, and until when each edge."""

    runs: int = 0
    open: bool = False
    sent: dict[str, datetime] = field(default_factory=dict)
    digest: str = ""
    told_at: datetime | None = None


@dataclass(frozen=True)
class Due:
    """An event to be emitted: of the job's n-th run, naming these edges."""

    state: State
    at: datetime
    run: int
    edges: tuple[str, ...]


def due(seen: Sequence[Seen], told: Told, digest: str) -> tuple[list[Due], Told]:
    """Return the events that are due, in order of time, and what will be told after them."""
    fresh = [edge for edge in seen if edge.fresh]
    over = [edge for edge in seen if not edge.fresh and _is_new(edge, told)]
    events: list[Due] = []
    sent = {**told.sent, **{edge.key: edge.last for edge in over}}
    if told.open and not fresh:
        named = _keys(edge for edge in seen if edge.key in told.sent or edge in over)
        at = max([*sent.values(), *([told.told_at] if told.told_at else [])])
        return [Due("COMPLETE", at, told.runs, named)], replace(
            told, open=False, sent=sent, digest=digest, told_at=at
        )
    runs = told.runs
    for last in sorted({edge.last for edge in over}):
        group = [edge for edge in over if edge.last == last]
        if told.open:
            events.append(Due("OTHER", last, runs, _keys(group)))
            continue
        runs += 1
        events += _whole_run(group, last, runs)
    if not fresh:
        return events, replace(told, runs=runs, sent=sent)
    now = max(edge.last for edge in fresh)
    opened = not told.open
    if opened:
        runs += 1
        first = now if told.runs else min(edge.first for edge in fresh)
        events.append(Due("START", first, runs, _keys(fresh)))
    elif not _is_renewal(told, fresh, digest, now):
        return events, replace(told, runs=runs, sent=sent)
    if not opened or now > events[-1].at:
        events.append(Due("RUNNING", now, runs, _keys(fresh)))
    sent |= {edge.key: edge.last for edge in fresh}
    return events, Told(runs, True, sent, digest, now)


def _is_new(edge: Seen, told: Told) -> bool:
    known = told.sent.get(edge.key)
    return known is None or known < edge.last


def _is_renewal(told: Told, fresh: Sequence[Seen], digest: str, now: datetime) -> bool:
    if digest != told.digest or any(edge.key not in told.sent for edge in fresh):
        return True
    return told.told_at is None or now - told.told_at >= RENEWED_EACH


def _whole_run(group: Sequence[Seen], last: datetime, run: int) -> list[Due]:
    first = min(edge.first for edge in group)
    begun = [Due("START", first, run, _keys(group))] if first < last else []
    return [*begun, Due("COMPLETE", last, run, _keys(group))]


def _keys(edges: Iterable[Seen]) -> tuple[str, ...]:
    return tuple(sorted(edge.key for edge in edges))
