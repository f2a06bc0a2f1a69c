"""Intervals that go on: renewed from sample to sample without being read again."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from lineage.models import Evidence

EdgeKey = tuple[str, str, str, str]
Batch = Mapping[tuple[EdgeKey, str], tuple[set[datetime], Mapping[str, Any]]]
# a statement's ids: SQLite takes 32,766 variables in one
_IDS = 5000
# intervals remembered, some 400 bytes each
_MOST = 200_000


@dataclass
class _Known:
    """An interval's row, and what it says as far as this process knows."""

    row: int
    last: datetime
    detail: Mapping[str, Any]


class Standing:
    """What one sampling process last wrote of each edge and kind.

    Most of a sample says that members are still there, and nothing else: one statement a few
    thousand of them moves their ends. A statement touches no row that another process moved; when
    it finds fewer rows than were remembered, all of them are read again.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[EdgeKey, str], _Known] = {}

    def clear(self) -> None:
        """Know nothing: after a transaction that failed."""
        self._known.clear()

    def learn(self, written: Iterable[tuple[tuple[EdgeKey, str], Evidence]]) -> None:
        """Remember intervals as they were written."""
        for key, row in written:
            self._known[key] = _Known(row.pk, row.last_seen, row.detail)
        if len(self._known) > _MOST:
            newest = sorted(self._known.items(), key=lambda it: it[1].last)[_MOST // 2 :]
            self._known = dict(newest)

    def renew(
        self, batch: Batch, gap: Callable[[str], timedelta]
    ) -> dict[tuple[EdgeKey, str], tuple[set[datetime], Mapping[str, Any]]]:
        """Extend what was seen at one instant with the same particulars; return the rest.

        Seen at the end that is known already: nothing to do, as often as it is said.
        """
        rest: dict[tuple[EdgeKey, str], tuple[set[datetime], Mapping[str, Any]]] = {}
        alike: dict[tuple[datetime, datetime], list[tuple[EdgeKey, str]]] = defaultdict(list)
        silences: dict[str, timedelta] = {}
        for key, (instants, detail) in batch.items():
            known = self._known.get(key)
            silence = silences.setdefault(key[1], gap(key[1]))
            if known is None or len(instants) != 1 or known.detail != detail:
                rest[key] = (instants, detail)
                continue
            (instant,) = instants
            if known.last <= instant <= known.last + silence:
                alike[known.last, instant].append(key)
            else:
                rest[key] = (instants, detail)
        for (before, instant), keys in alike.items():
            if not self._extend(keys, before, instant):
                rest |= {key: batch[key] for key in keys}
        return rest

    def _extend(self, keys: list[tuple[EdgeKey, str]], before: datetime, instant: datetime) -> bool:
        """Move the ends of intervals from `before` to `instant`; whether all were as remembered."""
        whole = True
        for start in range(0, len(keys), _IDS):
            chunk = keys[start : start + _IDS]
            rows = Evidence.objects.filter(
                pk__in=[self._known[key].row for key in chunk], last_seen=before
            )
            if before == instant:
                touched = rows.count()
            else:
                touched = rows.update(last_seen=instant, observations=F("observations") + 1)
            if touched != len(chunk):
                whole = False
            for key in chunk:
                self._known[key].last = instant
        if not whole:
            for key in keys:
                del self._known[key]
        return whole
