"""One service alone writes a topic: the one declared, and that is proved by observation.

Judged is who writes now; an unnamed producer id is nobody's proof. A service restarts under new
ids and runs as several, so ids alone never violate. Beside a writer known by name, an id that
stays nameless for longer than naming takes is a second writer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from catalog.observation import Access
from catalog.policies.contract import Finding, Snapshot, TopicState, about
from catalog.policies.words import actor, listing, seen, span

RULE = "single-writer"
# a new producer id gets its name within a few samples, if it can have one
NAMING_TAKES = timedelta(seconds=60)
# how long a foreign writer that has stopped remains a finding
REMEMBERED = timedelta(days=7)


@dataclass(frozen=True)
class Verdict:
    """Whether the single writer holds, and why: plain sentences that name the evidence."""

    verdict: Literal["verified", "unverified", "violated"]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Writers:
    """Those who were seen writing, newest first, by what their names prove."""

    own: tuple[Access, ...]
    foreign: tuple[Access, ...]
    nameless: tuple[Access, ...]
    earlier: tuple[Access, ...]


def is_nameless(access: Access) -> bool:
    """Return whether only a producer id is known, which names nobody."""
    return access.service is None and access.actor_kind == "producer_id"


def _sort(declared: str | None, accesses: Iterable[Access]) -> _Writers:
    newest = sorted(
        (access for access in accesses if access.direction == "writes"),
        key=lambda access: (access.last_seen, access.actor),
        reverse=True,
    )
    active = [access for access in newest if access.active]
    named = [access for access in active if not is_nameless(access)]
    return _Writers(
        own=tuple(access for access in named if access.service == declared),
        foreign=tuple(access for access in named if access.service != declared),
        nameless=tuple(access for access in active if is_nameless(access)),
        earlier=tuple(access for access in newest if not access.active),
    )


def _wrote(accesses: Iterable[Access], now: datetime) -> tuple[str, ...]:
    """One sentence an actor: services of several instances are named once."""
    newest: dict[str, Access] = {}
    for access in accesses:
        newest.setdefault(actor(access), access)
    return tuple(f"{name} wrote it {seen(access, now)}" for name, access in newest.items())


def _nameless(accesses: Sequence[Access], now: datetime) -> tuple[str, ...]:
    if not accesses:
        return ()
    if len(accesses) == 1:
        (one,) = accesses
        return (f"{actor(one)} wrote it {seen(one, now)}; nothing yet tells whose it is",)
    many = f"{len(accesses)} unrecognised producer ids wrote it, last {seen(accesses[0], now)}"
    return (f"{many}: instances of one service or several writers",)


def _intruding(writers: _Writers) -> Access | None:
    """The nameless producer that has been writing beside a named one for too long."""
    if not writers.own:
        return None
    named_until = max(access.last_seen for access in writers.own)
    named_from = min(access.first_seen for access in writers.own)
    for access in writers.nameless:
        both = min(access.last_seen, named_until) - max(access.first_seen, named_from)
        if both > NAMING_TAKES:
            return access
    return None


def _without_declaration(writers: _Writers, now: datetime) -> Verdict:
    seen_writing = _wrote(writers.foreign, now) + _nameless(writers.nameless, now)
    nobody = () if seen_writing else ("nobody was seen writing it",)
    return Verdict("unverified", ("no writer is declared", *seen_writing, *nobody))


def _unseen(declared: str, writers: _Writers, now: datetime) -> Verdict:
    reasons = _nameless(writers.nameless, now)
    before = [access for access in writers.earlier if access.service == declared]
    if before:
        last = f"{declared} wrote it last {seen(before[0], now)}, and was not seen writing since"
        return Verdict("unverified", (last, *reasons))
    return Verdict("unverified", (f"{declared} was not seen writing it", *reasons))


def judge(declared: str | None, accesses: Sequence[Access], now: datetime | None = None) -> Verdict:
    """Return the verdict on one topic from its declared writer and who was seen at it."""
    now = now or datetime.now(UTC)
    writers = _sort(declared, accesses)
    if declared is None:
        return _without_declaration(writers, now)
    own = _wrote(writers.own, now)
    if writers.foreign:
        claim = f"{declared} is declared to be its only writer"
        return Verdict("violated", (*_wrote(writers.foreign, now), claim, *own))
    if intruder := _intruding(writers):
        lasted = span(intruder.last_seen - intruder.first_seen)
        beside = f"{actor(intruder)} has been writing it beside {declared} for {lasted}"
        return Verdict("violated", (f"{beside}, and nothing names it", *own))
    if not writers.own:
        return _unseen(declared, writers, now)
    if writers.nameless:
        return Verdict("unverified", (*_nameless(writers.nameless, now), *own))
    return Verdict("verified", own)


def foreign_before(
    declared: str | None, accesses: Iterable[Access], now: datetime
) -> tuple[Access, ...]:
    """Return named others that wrote it in the last days and have stopped, newest first."""
    if declared is None:
        return ()
    return tuple(
        access
        for access in _sort(declared, accesses).earlier
        if access.service != declared
        and not is_nameless(access)
        and now - access.last_seen <= REMEMBERED
    )


def check(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield topics that another than the declared writer writes, or has just written."""
    for topic in snapshot.topics:
        if not topic.internal:
            yield from _check(topic, snapshot.now)


def _check(topic: TopicState, now: datetime) -> Iterator[Finding]:
    verdict = judge(topic.writer, topic.accesses, now)
    if verdict.verdict == "violated":
        yield Finding(RULE, "error", about(topic), "; ".join(verdict.reasons))
    elif before := foreign_before(topic.writer, topic.accesses, now):
        claim = f"{topic.writer} is declared to be its only writer"
        yield Finding(RULE, "warning", about(topic), "; ".join((*_wrote(before, now), claim)))
    elif topic.writer is None:
        services = {
            access.service or access.actor for access in _sort(None, topic.accesses).foreign
        }
        if len(services) > 1:
            several = f"{listing(sorted(services))} all write it, and no writer is declared"
            yield Finding(RULE, "warning", about(topic), several)
