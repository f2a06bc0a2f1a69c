"""mode: history: every version of a key with the time that it was valid, live and rebuilt."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.records import Partition, Record
from lineage.connectors.columns import Layout
from lineage.connectors.definition import check
from lineage.connectors.engine import LiveEngine
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_regenerate import Regeneration
from lineage.connectors.history import HistoryView
from lineage.connectors.keying import HistoryKeying, TextKeying
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink
from lineage.connectors.sinks.history_view import view_of
from tests.lineage.connectors.orders import query
from tests.lineage.connectors.test_fold import TOPIC, JsonDecoder, Log, value

DEFINITION = check({
    "name": "c",
    "topics": [TOPIC],
    "target": "sqlite:///x",
    "table": "t",
    "mode": "history",
})
Entry = tuple[bytes, int, int | None]
Version = tuple[str, int, int | None, int, int]


class TimedLog(Log):
    """A log whose records have times of their own, which need not rise."""

    def add(self, key: bytes, at: int, raw: bytes | None) -> None:
        self.append(key, raw)
        records = self.records[Partition(TOPIC, key[0] % 2)]
        records[-1] = records[-1]._replace(timestamp=at)


def preparation(poison: list[str] | None = None) -> Preparation:
    return Preparation(
        JsonDecoder(),
        HistoryKeying(TextKeying("record_key")),
        lambda _record, reason: (poison if poison is not None else []).append(reason),
    )


def live_engine(
    log: Log, sink: Sink, poison: list[str] | None = None, batch: int = 3
) -> LiveEngine:
    engine = LiveEngine("c", "t", log, preparation(poison), sink, batch=batch)
    log.assign(engine.claim(list(log.records)))
    return engine


def run(engine: LiveEngine, view: HistoryView) -> None:
    while engine.step(0).records:
        view.follow(engine.live)


def rebuild(log: Log, sink: Sink) -> None:
    Regeneration("c", "t", [TOPIC], log, preparation(), sink, lambda *_: None).run()
    HistoryView(DEFINITION, sink).follow(sink.live("c"))


def model(entries: Sequence[Entry]) -> list[Version]:
    """Versions with the time from which and until which each is valid, by key in log order."""
    offsets = {0: 0, 1: 0}
    by_key: dict[bytes, list[tuple[int, int, int | None]]] = {}
    for key, at, number in entries:
        partition = key[0] % 2
        by_key.setdefault(key, []).append((at, offsets[partition], number))
        offsets[partition] += 1
    found: list[Version] = []
    for key, versions in by_key.items():
        for version, later in zip(versions, [*versions[1:], None], strict=True):
            at, offset, number = version
            if number is not None:
                until = None if later is None else max(at, later[0])
                found.append((key.decode(), at, until, offset, number))
    return sorted(found, key=_place)


def shown(target: str) -> list[Version]:
    instant = (
        "CAST(round((julianday({}) - 2440587.5) * 86400000) AS INTEGER)"
        if target.startswith("sqlite")
        else "(extract(epoch FROM {}) * 1000)::bigint"
    )
    rows = query(
        target,
        f"SELECT record_key, {instant.format('valid_from')}, {instant.format('valid_to')}, "
        f"kafka_offset, m FROM {view_of('t')}",
    )
    return sorted((tuple(row) for row in rows), key=_place)


def _place(version: Version) -> tuple[str, int]:
    return version[0], version[3]


KEYS = st.sampled_from([b"a", b"b", b"c"])
ENTRIES = st.lists(
    st.tuples(KEYS, st.integers(0, 50), st.none() | st.integers(0, 99)), min_size=1, max_size=25
)


def written(log: TimedLog, entries: Sequence[Entry]) -> None:
    for key, at, number in entries:
        log.add(key, at, None if number is None else value(1, number))


@settings(max_examples=20, deadline=None)
@given(ENTRIES, st.integers(0, 25))
def test_a_history_live_in_parts_replayed_and_rebuilt_is_the_model(
    entries: list[Entry], cut: int
) -> None:
    entries = [(b"a", 0, 0), *entries]  # without any value there are no columns to look for
    with TemporaryDirectory() as folder:
        target = f"sqlite:///{folder}/c.sqlite3"
        sink, log, view = open_sink(target), TimedLog(), HistoryView(DEFINITION, open_sink(target))
        written(log, entries[:cut])
        run(live_engine(log, sink), view)
        written(log, entries[cut:])
        run(live_engine(log, sink), view)
        assert shown(target) == model(entries)
        before = versions(sink)
        rebuild(log, sink)
        assert shown(target) == model(entries)
        # the table itself is the same: each row is told by its record alone
        assert versions(sink) == before
        sink.close()


def versions(sink: Sink) -> list[list[Any]]:
    live = sink.live("c")
    assert live is not None
    assert live.layout is not None
    layout = Layout(live.layout.columns[:5], live.layout.keys)
    return sorted(sink.read("t", layout))


def test_intervals(base_target: str, open_base: Callable[[], Sink]) -> None:
    entries: list[Entry] = [
        (b"a", 10, 1), (b"b", 11, 2), (b"a", 20, 3), (b"a", 30, None), (b"a", 40, 4), (b"a", 35, 5),
    ]  # fmt: skip
    sink, log = open_base(), TimedLog()
    written(log, entries)
    run(live_engine(log, sink), HistoryView(DEFINITION, open_base()))
    assert shown(base_target) == [
        ("a", 10, 20, 0, 1),
        ("a", 20, 30, 1, 3),
        ("a", 40, 40, 3, 4),  # the next one claims an earlier time
        ("a", 35, None, 4, 5),
        ("b", 11, None, 0, 2),
    ]
    rebuild(log, sink)
    assert shown(base_target) == model(entries)


def test_the_view_grows_with_the_table(base_target: str, open_base: Callable[[], Sink]) -> None:
    sink, log, view = open_base(), TimedLog(), HistoryView(DEFINITION, open_base())
    log.add(b"a", 1, value(1, 1))
    engine = live_engine(log, sink)
    run(engine, view)
    log.add(b"a", 2, value(2, 2))
    run(engine, view)
    rows = query(base_target, f"SELECT m, extra FROM {view_of('t')} ORDER BY kafka_offset")
    assert rows == [(1, None), (2, "x")]


def test_a_deletion_before_anything_else_and_records_without_key(tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/c.sqlite3"
    poison: list[str] = []
    sink, log = open_sink(target), TimedLog()
    log.add(b"a", 1, None)
    log.append(None, value(1, 1))
    engine = live_engine(log, sink, poison, batch=1)
    run(engine, HistoryView(DEFINITION, sink))
    assert shown_rows(target) == [("a", 1)]
    assert "no key" in poison[0]
    log.add(b"a", 2, value(1, 7))
    run(engine, HistoryView(DEFINITION, sink))
    assert shown(target) == [("a", 2, None, 1, 7)]
    sink.close()


def shown_rows(target: str) -> list[tuple[Any, ...]]:
    return query(target, "SELECT record_key, deleted FROM t")


def test_an_unreadable_version_is_left_out_alone(tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/c.sqlite3"
    poison: list[str] = []
    sink, log = open_sink(target), TimedLog()
    log.add(b"a", 1, value(1, 1))
    log.add(b"a", 2, b"not json")
    log.add(b"a", 3, b"1" + json.dumps({"n": 1, "m": 3}).encode())
    run(live_engine(log, sink, poison), HistoryView(DEFINITION, sink))
    assert [row[4] for row in shown(target)] == [1, 3]
    assert len(poison) == 1
    sink.close()


def test_a_record_says_which_row_it_is_alone() -> None:
    keying = HistoryKeying(TextKeying("record_key"))
    record = Record("t", 3, 9, 5, b"a", None, None)
    layout = Layout(
        keying.columns(record, JsonDecoder().writer(record._replace(value=value(1, 1)))[0].plan)[0],
        3,
    )
    assert keying.lead(record, layout) == ("a", 3, 9, 5_000, True)
    assert keying.fold_key(record) == ("t", 3, 9)
