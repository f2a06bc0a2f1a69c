"""Batches that a live copy writes as bytes are what their rows would have been."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.connectors.engine import LiveEngine
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_parts import Keying
from lineage.connectors.errors import SinkRefusedError
from lineage.connectors.keying import EventKeying, HistoryKeying, TextKeying
from lineage.connectors.packing import row_packer
from lineage.connectors.sinks import open_sink
from lineage.connectors.sinks.contract import Sink, TakesPacked
from tests.lineage.connectors.test_fold import Log
from tests.lineage.connectors.test_packed_regeneration import AvroDecoder, value

KEYINGS: dict[str, Keying] = {
    "text": TextKeying("record_key"),
    "number": TextKeying("n"),
    "history": HistoryKeying(TextKeying("record_key")),
    "events": EventKeying(),
}
KEYS = [b"1", b"01", b"2", b"\xff", b"\\xff", "é".encode(), None]
VALUES = [value(1), value(2, None), value(3, "x", float("nan")), value(4)[:-3], b"what?", None]


def prepared(keying: str, log: Log) -> Preparation:
    preparation = Preparation(AvroDecoder(), KEYINGS[keying], lambda *_: None)
    preparation.fit_all(record for records in log.records.values() for record in records)
    return preparation


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(KEYINGS)),
    st.lists(
        st.tuples(st.sampled_from(KEYS[:3]) | st.sampled_from(KEYS), st.sampled_from(VALUES)),
        min_size=1,
        max_size=6,
    ),
)
def test_what_is_packed_are_the_changes(
    keying: str, entries: list[tuple[bytes | None, bytes | None]]
) -> None:
    log = Log()
    for entry in entries:
        log.append(*entry)
    records = [record for records in log.records.values() for record in records]
    packed = prepared(keying, log).packing.changes(records)
    plain = prepared(keying, log)
    if plain.layout is None:
        assert packed is None
        return
    changes = plain.changes(records)
    if packed is not None:
        pack = row_packer(plain.layout)
        assert sorted(packed.upserts) == sorted(map(pack, changes.upserts.values()))
        assert packed.deletes == changes.deletes


@pytest.mark.parametrize("keying", ["text", "number"])
def test_what_is_usual_is_packed(keying: str) -> None:
    log = Log()
    for at in range(20):
        log.append(str(at % 7).encode(), None if at == 19 else value(at))
    records = [record for records in log.records.values() for record in records]
    packed = prepared(keying, log).packing.changes(records)
    assert packed is not None
    assert (len(packed.upserts), len(packed.deletes)) == (6, 1)


class Told:
    """Passes batches on to a sink, and notes whether they came as bytes."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.calls: list[str] = []

    def merge(self, *given: Any) -> None:
        self.calls.append("merge")
        self._sink.merge(*given)

    def merge_packed(self, *given: Any) -> None:
        self.calls.append("merge_packed")
        assert isinstance(self._sink, TakesPacked)
        self._sink.merge_packed(*given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)


def live(log: Log, sink: Any, poison: list[tuple[bytes | None, str]], batch: int) -> LiveEngine:
    preparation = Preparation(
        AvroDecoder(),
        TextKeying("record_key"),
        lambda record, why: poison.append((record.key, why)),
    )
    engine = LiveEngine("c", "copy", log, preparation, sink, batch=batch)
    log.assign(engine.claim(list(log.records)))
    return engine


def rows(sink: Sink) -> dict[str, list[Any]]:
    found = sink.live("c")
    assert found is not None
    assert found.layout is not None
    return {row[0]: row[1:] for row in sink.read("copy", found.layout)}


@pytest.mark.postgres
def test_a_copy_takes_batches_as_bytes_and_isolates_what_is_refused(postgres_target: str) -> None:
    sink: Any = Told(open_sink(postgres_target))
    log, poison = Log(), list[tuple[bytes | None, str]]()
    for key in (b"a", b"c", b"e"):
        log.append(key, value(1))
    engine = live(log, sink, poison, 4)
    engine.step(0)
    assert sink.calls == ["merge"]  # the first batch makes the table
    for key, raw in [
        (b"a", value(2)),
        (b"c", None),
        (b"g", value(3, None)),
        (b"a", value(4, "last")),
    ]:
        log.append(key, raw)
    engine.step(0)
    assert sink.calls == ["merge", "merge_packed"]
    expected = {"a": [4, "last", 0.5], "e": [1, "é", 0.5], "g": [3, None, 0.5]}
    assert rows(sink) == expected
    # a text that PostgreSQL refuses, beside rows that it takes; and deletions alone
    log.append(b"a", value(5, "a\0b"))
    log.append(b"i", value(6))
    engine.step(0)
    assert rows(sink) == expected | {"i": [6, "é", 0.5]}
    assert [key for key, _ in poison] == [b"a"]
    assert "refused by the database" in poison[0][1]
    log.append(b"g", None)
    log.append(b"nobody", None)
    engine.step(0)
    assert rows(sink).keys() == {"a", "e", "i"}
    # a schema with a column more: the row before has none of it
    log.append(b"k", value(7, wider=True))
    log.append(b"e", value(1))
    engine.step(0)
    log.append(b"k", value(8, wider=True))
    log.append(b"a", value(9))
    engine.step(0)
    assert sink.calls[-1] == "merge_packed"
    assert rows(sink) == {
        "a": [9, "é", 0.5, None],
        "e": [1, "é", 0.5, None],
        "i": [6, "é", 0.5, None],
        "k": [8, "é", 0.5, True],
    }
    sink.close()


@pytest.mark.postgres
def test_a_refused_batch_of_bytes_leaves_nothing_behind(postgres_target: str) -> None:
    sink: Any = open_sink(postgres_target)
    log, poison = Log(), list[tuple[bytes | None, str]]()
    log.append(b"a", value(1))
    engine = live(log, sink, poison, 10)
    engine.step(0)
    layout = engine.live.layout
    assert layout is not None
    pack = row_packer(layout)
    bad = [pack(["b", 1, None, 0.5]), pack(["c", 1, "a\0b", 0.5])]
    for _ in range(2):
        with pytest.raises(SinkRefusedError):
            sink.merge_packed("copy", layout, bad, {("a",)})
    assert rows(sink).keys() == {"a"}
    sink.merge_packed("copy", layout, bad[:1], {("a",)})
    assert rows(sink).keys() == {"b"}
    sink.close()
