"""What is merged into a shadow while it catches up is proven too, before it is swapped in."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import pytest

from lineage.connectors.columns import Layout, Row
from lineage.connectors.errors import CopyDivergedError
from lineage.connectors.sinks.contract import Fence, Sink
from tests.lineage.connectors.test_builds import build, rows
from tests.lineage.connectors.test_fold import Log, value


class Writing:
    """Writes to the log while a shadow is proven, as a service would; notes what is told."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.notes: list[str] = []

    def __call__(self, phase: str, _done: int, _total: int | None, note: str = "") -> None:
        if phase == "catch-up" and note:
            self.notes.append(note)
        if phase == "verify" and len(self._log.records) and not self._written():
            self._log.append(b"a", value(1, 10))
            self._log.append(b"b", None)
            self._log.append(b"new", value(1, 11))

    def _written(self) -> bool:
        return any(one.key == b"new" for some in self._log.records.values() for one in some)


class Spoiling:
    """A target that does not keep what a merge writes."""

    def __init__(self, sink: Sink, how: str) -> None:
        self._sink = sink
        self._how = how

    def merge(
        self,
        table: str,
        layout: Layout,
        upserts: Sequence[Row],
        deletes: Collection[tuple[Any, ...]],
        fence: Fence | None = None,
    ) -> None:
        match self._how:
            case "changes":
                upserts = [[row[0], *[None] * (len(row) - 1)] for row in upserts]
            case "loses":
                upserts = list(upserts)[1:]
            case "keeps":
                deletes = ()
        self._sink.merge(table, layout, upserts, deletes, fence)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)


def a_log() -> Log:
    log = Log()
    for key in (b"a", b"b", b"c"):
        log.append(key, value(1, 1))
    return log


def test_records_that_come_meanwhile_are_merged_and_read_back(
    open_target: Callable[[], Sink],
) -> None:
    log, sink = a_log(), open_target()
    told = Writing(log)
    build(log, sink, progress=told).run()
    assert rows(sink) == {"a": 10, "c": 1, "new": 11}
    assert "3 records merged, and read back" in told.notes


@pytest.mark.parametrize("how", ["changes", "loses", "keeps"])
def test_what_was_not_kept_is_never_swapped_in(open_base: Callable[[], Sink], how: str) -> None:
    sink = open_base()
    build(a_log(), sink).run()
    log, spoiling = a_log(), Spoiling(open_base(), how)
    with pytest.raises(CopyDivergedError, match="merged into copy__new"):
        build(log, spoiling, progress=Writing(log)).run()  # type: ignore[arg-type]
    live = sink.live("c")
    assert live is not None
    assert live.number == 1
    assert rows(sink) == {"a": 1, "b": 1, "c": 1}
    assert sink.count("copy__new") == 0
