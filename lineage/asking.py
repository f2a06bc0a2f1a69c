"""The whole state of the lineage page as its URL holds it, and the URLs that lead on from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from lineage.panels import as_of_asked
from lineage.picture import MOST_DRAWN, USUALLY_DRAWN, Asked, Side

MOST_HOPS = 4
SIZES = (USUALLY_DRAWN, 120, MOST_DRAWN)
_MANY = 100
# what the form holds itself, or what means nothing after a step
_NOT_KEPT = frozenset({"page", "q", "sort", "state", "drawn"})


@dataclass(frozen=True)
class State:
    """What is asked of the page; `problem` says what of it could not be read."""

    query: QueryDict
    focus: str
    hops: int
    size: int
    fold: str
    as_of: datetime | None
    problem: str
    asked: Asked
    min_topics: int | None
    context: str

    def address(self, **changes: object) -> str:
        """Return this page's address with some parameters changed; None takes one away."""
        kept = {
            name: self.query.getlist(name)
            for name in self.query
            if name not in _NOT_KEPT and name not in changes
        }
        kept |= {name: _values(value) for name, value in changes.items()}
        said = [(name, value) for name, values in kept.items() for value in values if value]
        return reverse("lineage") + (f"?{urlencode(said)}" if said else "")

    def toggled(self, name: str, value: str) -> list[str]:
        """Return the values of a repeated parameter with one added, or taken away."""
        values = self.query.getlist(name)
        return [it for it in values if it != value] if value in values else [*values, value]


def _values(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [str(it) for it in value]
    return [str(value)]


def state_of(query: QueryDict) -> State:
    """Read the page's state; what is no number or no choice counts as not given."""
    as_of, problem = as_of_asked(query)
    hops = min(max(_whole(query.get("hops")) or 1, 1), MOST_HOPS)
    size = _whole(query.get("nodes")) or USUALLY_DRAWN
    size = size if size in SIZES else USUALLY_DRAWN
    fold = query.get("fold", "")
    asked = Asked(
        hops=hops,
        cap=size,
        opened=tuple(_opened(query.getlist("expand")[:_MANY])),
        closed=frozenset(query.getlist("collapse")[:_MANY]),
        folded=frozenset(query.getlist("folded")[:_MANY]),
        fold_others=fold == "others",
        internal=query.get("internal") == "show",
    )
    return State(
        query,
        query.get("focus", "").strip(),
        hops,
        size,
        fold,
        as_of,
        problem,
        asked,
        _whole(query.get("min_topics")),
        query.get("context", ""),
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 6 else None


def _opened(values: Iterable[str]) -> Iterable[tuple[Side, str]]:
    """Read `up:topic:orders`, `down:topic:orders`; without a side both are meant."""
    for value in values:
        side, _, key = value.partition(":")
        if side == "up":
            yield "up", key
        elif side == "down":
            yield "down", key
        else:
            yield "up", value
            yield "down", value
