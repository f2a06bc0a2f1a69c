"""The live engine and the regeneration against a model, over generated logs, without Kafka."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.records import Partition, Record
from lineage.connectors.columns import Plan
from lineage.connectors.engine import LiveEngine
from lineage.connectors.engine_fold import Preparation
from lineage.connectors.engine_parts import Writer
from lineage.connectors.engine_regenerate import Regeneration
from lineage.connectors.errors import LogIncompleteError, PoisonRecordError, SchemaChangedError
from lineage.connectors.keying import TextKeying
from lineage.connectors.mapping import json_schema
from lineage.connectors.sinks.sqlite import SqliteSink

TOPIC = "t"
_POISON = b"not json"
_REFUSED = 2**63  # one more than a database's 64 bits hold


class Log:
    """Records in memory, read as a reader of Kafka is."""

    def __init__(self, begin: int = 0) -> None:
        self.records: dict[Partition, list[Record]] = {Partition(TOPIC, n): [] for n in range(2)}
        self.positions: dict[Partition, int] = {}
        self.ended: set[Partition] = set()
        self._begin = begin

    def append(self, key: bytes | None, value: bytes | None) -> None:
        place = Partition(TOPIC, (key or b"\x00")[0] % 2)
        records = self.records[place]
        records.append(
            Record(TOPIC, place.partition, self._begin + len(records), 0, key, value, None)
        )

    def assign(self, offsets: Mapping[Partition, int]) -> None:
        self.positions = {p: max(offset, self._begin) for p, offset in offsets.items()}

    def partitions(self, _topics: Sequence[str]) -> list[Partition]:
        return list(self.records)

    def watermarks(self, partition: Partition) -> tuple[int, int]:
        return self._begin, self._begin + len(self.records[partition])

    def all_watermarks(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        return {partition: self.watermarks(partition) for partition in partitions}

    def poll(self, limit: int, _timeout: float) -> list[Record]:
        found: list[Record] = []
        for place, position in self.positions.items():
            some = self.records[place][position - self._begin :][: limit - len(found)]
            found += some
            self.positions[place] += len(some)
            if self.positions[place] == self.watermarks(place)[1]:
                self.ended.add(place)
        return found

    def close(self) -> None:
        """There is nothing to let go of."""


class JsonDecoder:
    """Values as JSON; the first byte selects one of two schemas, the second has a column more."""

    def __init__(self) -> None:
        self._writers = {
            name: Writer(json_schema.plan(json.dumps({"properties": properties})), json.loads)
            for name, properties in {
                "1": {"n": {}, "m": {"type": "integer"}},
                "2": {"n": {}, "m": {"type": "integer"}, "extra": {"type": "string"}},
                "3": {"n": {}, "m": {"type": "string"}},
            }.items()
        }

    def writer(self, record: Record) -> tuple[Writer, bytes]:
        value = record.value or b""
        if value == _POISON:
            raise PoisonRecordError("poison")
        return self._writers[chr(value[0])], value[1:]

    def key(self, raw: bytes) -> tuple[Plan, Any]:
        raise NotImplementedError


def value(version: int, number: int) -> bytes:
    return str(version).encode() + json.dumps({"n": number, "m": number, "extra": "x"}).encode()


KEYS = st.sampled_from([b"a", b"b", b"c", b"d", b"\xff\x00"])
VALUES = st.one_of(
    st.none(),
    st.just(_POISON),
    st.builds(value, st.sampled_from([1, 2]), st.integers(0, 99)),
)
LOGS = st.lists(st.tuples(KEYS, VALUES), max_size=30)


def model(entries: Sequence[tuple[bytes, bytes | None]]) -> dict[str, str]:
    fold: dict[bytes, bytes] = {}
    for key, raw in entries:
        if raw is None:
            fold.pop(key, None)
        elif raw != _POISON:
            fold[key] = raw
    return {
        "\\xff00" if key == b"\xff\x00" else key.decode(): json.loads(raw[1:])["n"]
        for key, raw in fold.items()
    }


def table(sink: SqliteSink) -> dict[str, Any]:
    live = sink.live("c")
    if live is None or live.layout is None:
        return {}
    names = live.layout.names
    rows = [dict(zip(names, row, strict=True)) for row in sink.read("copy", live.layout)]
    return {row["record_key"]: json.loads(row["n"]) for row in rows}


def engine(log: Log, sink: SqliteSink, poison: list[Any], batch: int = 1000) -> LiveEngine:
    preparation = Preparation(
        JsonDecoder(), TextKeying("record_key"), lambda *what: poison.append(what)
    )
    made = LiveEngine("c", "copy", log, preparation, sink, batch=batch)
    log.assign(made.claim(list(log.records)))
    return made


def build(log: Log, sink: SqliteSink, poison: list[Any]) -> Regeneration:
    preparation = Preparation(
        JsonDecoder(), TextKeying("record_key"), lambda *what: poison.append(what)
    )
    return Regeneration("c", "copy", [TOPIC], log, preparation, sink, lambda *_: None)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries=LOGS, more=LOGS, batch=st.integers(1, 12))
def test_copy_and_regeneration_equal_the_model(
    entries: list[tuple[bytes, bytes | None]],
    more: list[tuple[bytes, bytes | None]],
    batch: int,
) -> None:
    with TemporaryDirectory() as folder:
        sink = SqliteSink(f"sqlite:///{Path(folder) / 'c.db'}")
        log, poison = Log(), list[Any]()
        live = engine(log, sink, poison, batch)
        for entry in entries:
            log.append(*entry)
        while live.step(0).records:
            pass
        assert table(sink) == model(entries)
        other = Log()
        for entry in [*entries, *more]:
            other.append(*entry)
        # without one readable record there are no columns to make a table of
        if any(raw not in {None, _POISON} for _, raw in [*entries, *more]):
            build(other, sink, poison).run()
            assert table(sink) == model([*entries, *more])
        sink.close()


@pytest.fixture
def sink(tmp_path: Path) -> SqliteSink:
    return SqliteSink(f"sqlite:///{tmp_path / 'c.db'}")


def test_a_refused_row_leaves_its_predecessor_and_its_neighbours(sink: SqliteSink) -> None:
    log, poison = Log(), list[Any]()
    log.append(b"a", value(1, 1))
    log.append(b"c", value(1, 3))
    log.append(b"a", value(1, _REFUSED))
    live = engine(log, sink, poison)
    live.step(0)
    assert table(sink) == {"a": 1, "c": 3}
    assert len(poison) == 1
    build(log, sink, poison).run()
    assert table(sink) == {"a": 1, "c": 3}


def test_a_swap_is_noticed_and_copying_goes_on_behind_it(sink: SqliteSink) -> None:
    log, poison = Log(), list[Any]()
    log.append(b"a", value(1, 1))
    live = engine(log, sink, poison)
    live.step(0)
    other = Log()
    other.records = {place: list(records) for place, records in log.records.items()}
    built = build(other, sink, poison).run()
    assert (built.number, built.digest.rows) == (2, 1)
    log.append(b"a", value(2, 2))
    assert live.step(0).records == 0
    assert live.step(0).records == 1
    assert table(sink) == {"a": 2}


def test_another_type_stops_and_a_regeneration_widens(sink: SqliteSink) -> None:
    log, poison = Log(), list[Any]()
    log.append(b"a", value(1, 1))
    live = engine(log, sink, poison)
    live.step(0)
    log.append(b"b", b"3" + json.dumps({"n": 7, "m": "text"}).encode())
    with pytest.raises(SchemaChangedError, match="regenerate"):
        live.step(0)
    build(log, sink, poison).run()
    assert table(sink) == {"a": 1, "b": 7}


def test_a_log_without_its_head_is_refused(sink: SqliteSink) -> None:
    log = Log(begin=5)
    log.append(b"a", value(1, 1))
    with pytest.raises(LogIncompleteError, match="offsets 0 to 4"):
        build(log, sink, []).run()


def test_records_without_a_key_are_left_out(sink: SqliteSink) -> None:
    log, poison = Log(), list[Any]()
    log.append(None, value(1, 1))
    log.append(b"a", value(1, 2))
    engine(log, sink, poison).step(0)
    assert table(sink) == {"a": 2}
    assert "no key" in poison[0][1]
