"""Repair a copy by key: write what the log says of the keys that differ, and nothing else.

Under the fence of the copy's offsets: if the live copy has moved on, nothing is written, the log is
read up to where the copy stands now, and it is tried again. So no newer value is ever overwritten.
A copy that never stands still is taken over for the moment of the write; its owner claims it back.
"""

from collections.abc import Mapping, Sequence

from broker.records import Partition
from lineage.connectors.audits.comparing import Difference, Expected
from lineage.connectors.audits.engine import Auditor
from lineage.connectors.audits.folding import LogFold
from lineage.connectors.audits.showing import show
from lineage.connectors.columns import Layout, Row
from lineage.connectors.declared_columns import NO_RULES, ColumnRules
from lineage.connectors.discretion import hidden_columns
from lineage.connectors.engine_load import Progress
from lineage.connectors.engine_parts import Key
from lineage.connectors.errors import CopyDivergedError, FencedError, SinkMismatchError
from lineage.connectors.sinks.canonical import ranger
from lineage.connectors.sinks.contract import Fence, Live, Move, Position, Sink
from lineage.connectors.sinks.ranges import RANGES
from lineage.connectors.words import numbered

PHASES = ("repair", "verify")

_PATIENT = 20
_ATTEMPTS = 25


class Repair:
    """Writes the log's rows of some keys into a copy, and reads them back."""

    def __init__(
        self,
        name: str,
        sink: Sink,
        auditor: Auditor,
        fold: LogFold,
        progress: Progress,
        rules: ColumnRules = NO_RULES,
    ) -> None:
        self._name = name
        self._sink = sink
        self._auditor = auditor
        self._fold = fold
        self._progress = progress
        self._rules = rules

    def run(self, live: Live, differences: Sequence[Difference]) -> int:
        """Return how many keys were written; raises CopyDivergedError where any still differs."""
        if not differences:
            return 0
        expected = {it.key: Expected(it.expected) for it in differences}
        self._progress("repair", 0, len(expected), f"repairing {numbered(len(expected), 'key')}")
        self._write(live, expected)
        self._progress(
            "repair", len(expected), len(expected), f"{numbered(len(expected), 'key')} written"
        )
        self._verify(live, expected)
        return len(expected)

    def _shown(self, layout: Layout, difference: Difference) -> str:
        return show(layout, difference, hidden_columns(self._rules, layout.names)).key

    def _write(self, live: Live, expected: dict[Key, Expected]) -> None:
        since = self._auditor.since
        for attempt in range(_ATTEMPTS):
            now, places = self._places(live, take=attempt >= _PATIENT)
            ends = {place: at.next for place, at in places.items()}
            expected |= self._fold.latest(expected, since, ends)
            since = ends
            try:
                self._merge(now, expected, places)
            except FencedError:
                self._progress("repair", attempt + 1, None)
            else:
                return
        raise FencedError(f"{self._name}: the copy never stood still: pause it, then repair")

    def _places(self, live: Live, *, take: bool) -> tuple[Live, Mapping[Partition, Position]]:
        """Return where the copy stands; `take` makes us its owner, so that it stays there."""
        places = self._sink.positions(self._name)
        now = self._sink.live(self._name)
        if now is not None and take:
            now, places = self._sink.claim(self._name, live.table, list(places))
        if now is None or now.layout is None or now.number != live.number:
            raise SinkMismatchError("another generation became live meanwhile: audit again")
        return now, places

    def _merge(
        self,
        live: Live,
        expected: Mapping[Key, Expected],
        places: Mapping[Partition, Position],
    ) -> None:
        assert live.layout is not None
        fence = Fence(
            self._name,
            live.number,
            tuple(Move(p, at.next, at.next, at.epoch) for p, at in sorted(places.items())),
        )
        rows = [_whole(live.layout, it.row) for it in expected.values() if it.row is not None]
        deletes = {key for key, it in expected.items() if it.row is None}
        self._sink.merge(live.table, live.layout, rows, deletes, fence)

    def _verify(self, live: Live, expected: Mapping[Key, Expected]) -> None:
        assert live.layout is not None
        place = ranger(live.layout, RANGES)
        places = {place(key) for key in expected}
        self._progress("verify", 0, len(expected))
        still, _ = self._auditor.compare_ranges(live, places, only=expected.keys())
        if still:
            raise CopyDivergedError(
                f"{len(still)} of {len(expected)} repaired keys differ from the log again, "
                f"{self._shown(live.layout, still[0])} for one: something else writes to "
                f"{live.table}"
            )
        self._progress(
            "verify", len(expected), len(expected), f"{len(expected)} keys equal the log"
        )


def _whole(layout: Layout, row: Row) -> Row:
    return row + [None] * (len(layout.columns) - len(row))
