"""How findings and verdicts speak of time and of those who were observed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from catalog.observation import Access

_NAMES = {
    "group": "consumer group",
    "transactional_id": "transactional id",
    "client_id": "client id",
    "principal": "principal",
    "source": "source",
    "producer_id": "producer id",
}


def span(length: timedelta) -> str:
    """Return a length of time in its largest unit: `3 s`, `12 min`, `5 h`, `9 d`."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} d"


def actor(access: Access) -> str:
    """Return who it was: the service, or the actor with the kind of name it bears."""
    if access.service:
        return access.service
    kind = _NAMES.get(access.actor_kind)
    bare = access.actor.removeprefix(kind or "").strip()
    return f"the unrecognised {kind} {bare}" if kind else f"the unrecognised {access.actor}"


def seen(access: Access, now: datetime) -> str:
    """Return when it was seen last, and the kinds of evidence: `3 s ago (transactions)`."""
    return f"{span(now - access.last_seen)} ago ({', '.join(access.evidence) or 'no kind named'})"


def listing(names: Iterable[str]) -> str:
    """Return names as an English list: `a, b and c`."""
    *head, last = names
    return f"{', '.join(head)} and {last}" if head else last
